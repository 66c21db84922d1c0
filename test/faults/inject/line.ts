import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createFrames } from './frames.ts'
import type { Pick } from './types.ts'

/**
 * What is wrong with the network.
 * `break`: of so many messages (`chance`), each takes its connection with it: in the middle of the message,
 * after it and before its acknowledgment (which the engine has sent by then), or in the middle of the acknowledgment.
 * `split`: each write arrives in pieces. `join`: what comes within some milliseconds arrives as one.
 * `delay`: everything is late. `down`: no connection holds, and none can be made. `silent`: all bytes wait,
 * as where a firewall drops what comes and says nothing; they arrive when the trouble is over.
 */
export type Trouble =
  | { readonly kind: 'none' | 'split' | 'down' | 'silent' }
  | { readonly kind: 'join' | 'delay'; readonly milliseconds: number }
  | { readonly kind: 'break'; readonly how: Break; readonly where: Where; readonly chance: number }
/** `cut`: FIN, as of a peer that closes. `reset`: RST, as of a peer or firewall that forgot the connection. */
export type Break = 'cut' | 'reset'
export type Where = 'message' | 'acknowledgment' | 'between'

export interface Line {
  /** Where senders connect to. */
  readonly port: number
  trouble(): Trouble
  /** From the next bytes on. */
  setTrouble(trouble: Trouble, pick: Pick): void
  /** Ends the connections that there are. */
  breakAll(how: Break): void
  /** How many connections it broke, by place. */
  broken(): Readonly<Record<Where | 'all', number>>
  stop(): Promise<void>
}

/**
 * A wire between senders and an engine's MLLP port that does to them what networks do. Other protocols go through
 * it too, without `break`, which knows messages by their frames.
 */
export async function startLine({ to }: { readonly to: number }): Promise<Line> {
  let trouble: Trouble = { kind: 'none' }
  let pick: Pick = Math.random
  const broken = { message: 0, acknowledgment: 0, between: 0, all: 0 }
  const connections = new Set<(how: Break) => void>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (sender) => serve(sender))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()

  function serve(sender: Socket): void {
    sender.on('error', () => undefined)
    if (trouble.kind === 'down') {
      sender.resetAndDestroy()
      return
    }
    const engine = connect({ port: to, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    let isBroken = false
    /** Set when a message has gone through whose acknowledgment must not arrive, or not whole. */
    let armed: { readonly how: Break; readonly where: Where } | undefined
    const begun = createFrames()
    const isSilent = (): boolean => trouble.kind === 'silent'
    const toEngine = writer(engine, isSilent)
    const toSender = writer(sender, isSilent)

    function breakNow(how: Break, where: Where | 'all'): void {
      if (isBroken) return
      isBroken = true
      connections.delete(breakAll)
      broken[where] += 1
      for (const [socket, written] of [
        [sender, toSender.written()],
        [engine, toEngine.written()],
      ] as const)
        void written.then(() => (how === 'reset' ? socket.resetAndDestroy() : closeGently(socket)))
    }
    const breakAll = (how: Break): void => breakNow(how, 'all')
    connections.add(breakAll)

    sender.on('data', (chunk) => {
      if (isBroken) return
      if (trouble.kind !== 'break') {
        toEngine.write(Buffer.concat([begun.rest(), chunk]), trouble, pick)
        return
      }
      for (const frame of begun.push(chunk)) {
        if (isBroken) return
        if (pick() >= trouble.chance) toEngine.write(frame, trouble, pick)
        else if (trouble.where === 'message') {
          toEngine.write(frame.subarray(0, 1 + Math.floor(pick() * (frame.length - 1))), trouble, pick)
          breakNow(trouble.how, 'message')
        } else {
          armed = trouble
          toEngine.write(frame, trouble, pick)
        }
      }
    })
    engine.on('data', (chunk) => {
      if (isBroken) return
      if (armed === undefined) {
        toSender.write(chunk, trouble, pick)
        return
      }
      if (armed.where === 'acknowledgment')
        toSender.write(chunk.subarray(0, 1 + Math.floor(pick() * (chunk.length - 1))), { kind: 'none' }, pick)
      breakNow(armed.how, armed.where)
    })
    for (const [from, other, writing] of [
      [sender, engine, toEngine],
      [engine, sender, toSender],
    ] as const) {
      from.on('end', () => void writing.written().then(() => other.end()))
      from.on('error', () => undefined)
      from.on('close', () => {
        connections.delete(breakAll)
        if (!isBroken) void writing.written().then(() => other.destroy())
      })
    }
  }

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    trouble: () => trouble,
    setTrouble(next, by) {
      trouble = next
      pick = by
      if (next.kind === 'down') for (const one of connections) one('reset')
    },
    breakAll(how) {
      for (const one of connections) one(how)
    },
    broken: () => ({ ...broken }),
    async stop() {
      for (const one of connections) one('reset')
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

interface Writer {
  write(bytes: Buffer, trouble: Trouble, pick: Pick): void
  /** Resolves when all of it has gone out, or never will. */
  written(): Promise<void>
}

/** Writes in the order in which it was told, each piece when it is due. */
function writer(socket: Socket, isSilent: () => boolean): Writer {
  let last: Promise<void> = Promise.resolve()
  let joining: Buffer[] | undefined
  const out = (bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      if (!socket.writable) resolve()
      else if (socket.write(bytes, () => resolve())) resolve()
      else socket.once('close', () => resolve())
    })
  const after = (work: () => Promise<void>): void => {
    last = last.then(async () => {
      while (isSilent() && socket.writable) await pause(10)
      await work()
    })
  }
  return {
    write(bytes, trouble, pick) {
      if (trouble.kind === 'join') {
        if (joining !== undefined) {
          joining.push(bytes)
          return
        }
        const together = [bytes]
        joining = together
        after(async () => {
          await pause(trouble.milliseconds)
          joining = undefined
          await out(Buffer.concat(together))
        })
        return
      }
      // What waits to be joined is joined with nothing that comes by another rule.
      joining = undefined
      const cuts = trouble.kind === 'split' ? pieces(bytes, pick) : [bytes]
      after(async () => {
        if (trouble.kind === 'delay') await pause(trouble.milliseconds)
        for (const [index, piece] of cuts.entries()) {
          // Without Nagle and with a pause between, each write is a segment of its own.
          if (index > 0) await pause(1)
          await out(piece)
        }
      })
    },
    written: () => last,
  }
}

/** At one to five places, any byte. */
function pieces(bytes: Buffer, pick: Pick): readonly Buffer[] {
  const places = Array.from({ length: 1 + Math.floor(pick() * 5) }, () => Math.floor(pick() * bytes.length))
  const at = [0, ...places.sort((a, b) => a - b), bytes.length]
  return at.slice(1).flatMap((to, index) => {
    const piece = bytes.subarray(at[index] ?? 0, to)
    return piece.length === 0 ? [] : [piece]
  })
}

/** FIN, and what the other still says is read: unread bytes would make an RST of it. */
function closeGently(socket: Socket): void {
  socket.end()
  socket.resume()
  const late = setTimeout(() => socket.destroy(), 1000)
  late.unref()
  socket.once('close', () => clearTimeout(late))
}
