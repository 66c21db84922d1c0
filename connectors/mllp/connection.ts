import type { Socket } from 'node:net'
import type { Log } from '../../src/core/ports.ts'
import { frame } from './frame.ts'
import { createSpeaker, type Reply } from './speaker.ts'
import { createSplitter, type SplitEvent } from './splitter.ts'

/** Who sent a frame. */
export interface Peer {
  /** Address without port: the machine. */
  readonly address: string
  /** Counts the connections of this listener, from 1. */
  readonly connection: number
}

/** What a listener reports, for metrics. */
export type WireEvent = 'opened' | 'closed' | 'refused' | 'received' | 'oversize' | 'junk' | 'restart'

export interface Handlers {
  /** One at a time per connection; the next frame of a connection waits for the reply, not for what it says later. */
  onMessage(bytes: Uint8Array, peer: Peer): Promise<Reply>
  /** A frame beyond the limit; `head` is its beginning. */
  onOversize(head: Uint8Array, size: number, peer: Peer): Promise<Reply>
  onWire?(event: WireEvent): void
}

export interface ConnectionOptions {
  readonly source: string
  readonly maxFrameBytes: number
  readonly idleSeconds: number
  /** How long an FS may wait for its CR. */
  readonly settleMilliseconds: number
  /** After which an application acknowledgment has come if the connection still stands. */
  readonly deliveredMilliseconds: number
  readonly handlers: Handlers
  readonly log: Log
}

export interface Connection {
  /** Reads no more, answers what is being handled, then closes. Resolves when it is closed. */
  drain(): Promise<void>
  destroy(): void
}

/** So many frames, or bytes of frames, are read ahead of the one that is handled; then TCP holds the sender back. */
const readAhead = { frames: 16, bytes: 1024 * 1024 }
const farewellMilliseconds = 1000
/** So long who has closed its side may wait for application acknowledgments; then they stay owed. */
const patienceMilliseconds = 30_000
/** Node fires at once what is set to more. */
const longestTimer = 2 ** 31 - 1

type Task = Exclude<SplitEvent, { kind: 'junk' | 'restart' }>

/**
 * One sender's connection: frames are handled one after the other and answered in
 * the order in which they came, and the socket is not read while too many wait.
 * A broken socket costs only itself.
 */
export function createConnection(socket: Socket, peer: Peer, options: ConnectionOptions): Connection {
  const { handlers, log } = options
  const fields = { source: options.source, remoteAddress: peer.address, connection: peer.connection }
  const splitter = createSplitter(options)
  const waiting: Task[] = []
  let waitingBytes = 0
  let isHandling = false
  /** The handler has a message; it is the engine that is waited for. */
  let isJudging = false
  let isJunkSaid = false
  /** The sender will send no more, or we take no more. */
  let isEnding = false
  /** The sender has said so itself. */
  let hasEnded = false
  let settle: NodeJS.Timeout | undefined
  let farewell: NodeJS.Timeout | undefined
  let isFinishing = false
  let hurry = (): void => undefined
  const hurried = new Promise<void>((resolve) => {
    hurry = resolve
  })
  const speaker = createSpeaker({
    write: (bytes) => (socket.write(frame(bytes)) ? undefined : drained()),
    close: () => destroy(),
    deliveredMilliseconds: options.deliveredMilliseconds,
  })
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
  })

  socket.setNoDelay(true)
  socket.setKeepAlive(true, 30_000)
  if (options.idleSeconds > 0) socket.setTimeout(Math.min(options.idleSeconds * 1000, longestTimer))
  socket.on('data', (chunk) => {
    if (isEnding) return
    clearTimeout(settle)
    take(splitter.push(chunk))
    if (splitter.isUnsettled) settle = setTimeout(() => take(splitter.settle()), options.settleMilliseconds)
  })
  socket.on('end', () => {
    clearTimeout(settle)
    take(splitter.settle())
    if (splitter.unfinished > 0) {
      log.warn({ ...fields, code: 'E125', bytes: splitter.unfinished }, 'unfinished message dropped')
    }
    isEnding = true
    hasEnded = true
    if (!isHandling) void finish()
  })
  socket.on('timeout', () => {
    // A message that waits for the store is not idleness; answers that the sender does not read are.
    if (isJudging || speaker.isAwaiting) return
    log.debug(fields, 'idle connection closed')
    socket.destroy()
  })
  // RST and its kind end this connection, nothing else; `close` follows.
  socket.on('error', (error: NodeJS.ErrnoException) => log.debug({ ...fields, detail: error.code }, 'connection broke'))
  socket.on('close', (isBroken) => {
    clearTimeout(settle)
    clearTimeout(farewell)
    waiting.length = 0
    speaker.over(hasEnded && !isBroken)
  })

  return {
    drain() {
      isEnding = true
      waiting.length = 0
      hurry()
      if (!isHandling) void finish()
      return closed
    },
    destroy,
  }

  function destroy(): void {
    waiting.length = 0
    socket.destroy()
  }

  function take(events: readonly SplitEvent[]): void {
    if (isEnding) return
    for (const event of events) {
      switch (event.kind) {
        case 'junk':
          handlers.onWire?.('junk')
          sayJunk(event.size)
          break
        case 'restart':
          handlers.onWire?.('restart')
          log.warn({ ...fields, code: 'E123', bytes: event.dropped }, 'unfinished message dropped')
          break
        case 'frame':
        case 'oversize':
          isJunkSaid = false
          waiting.push(event)
          waitingBytes += weight(event)
          break
      }
    }
    if (isFull()) socket.pause()
    if (!isHandling && waiting.length > 0) void handle()
  }

  /** One warning until the next frame: a peer that speaks another protocol must not fill the log. */
  function sayJunk(bytes: number): void {
    const line = { ...fields, code: 'E124', bytes }
    if (isJunkSaid) log.debug(line, 'bytes outside of a frame dropped')
    else log.warn(line, 'bytes outside of a frame dropped')
    isJunkSaid = true
  }

  /** Never rejects. */
  async function handle(): Promise<void> {
    isHandling = true
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      waitingBytes -= weight(task)
      const reply = await replyTo(task)
      // What could not be kept comes again, and what the sender has sent behind it must not be there before it (I3).
      // Earlier answers are still waited for: the connection ends in this one's turn.
      if (reply.kind === 'close') {
        isEnding = true
        waiting.length = 0
      }
      // A sender that does not read its acknowledgments is not read either.
      const room = speaker.say(reply)
      if (room !== undefined) await room
      if (socket.destroyed) break
      if (socket.isPaused() && !isFull() && !isEnding) socket.resume()
    }
    isHandling = false
    if (isEnding) void finish()
  }

  /**
   * Says what is still to be said, and goodbye, and reads on into the void until the sender does
   * the same: closing a socket with unread bytes resets it, and the last acknowledgment may be lost.
   */
  async function finish(): Promise<void> {
    if (isFinishing) return
    isFinishing = true
    await speaker.said('answers')
    if (hasEnded) {
      const timer = setTimeout(hurry, patienceMilliseconds)
      await Promise.race([speaker.said('all'), hurried])
      clearTimeout(timer)
    }
    if (socket.destroyed) return
    socket.end()
    socket.resume()
    farewell ??= setTimeout(() => socket.destroy(), farewellMilliseconds)
  }

  async function replyTo(task: Task): Promise<Reply> {
    isJudging = true
    try {
      if (task.kind === 'frame') {
        handlers.onWire?.('received')
        return await handlers.onMessage(task.bytes, peer)
      }
      handlers.onWire?.('oversize')
      log.warn({ ...fields, code: 'E108', bytes: task.size }, 'message refused')
      return await handlers.onOversize(task.head, task.size, peer)
    } catch (error) {
      log.error({ ...fields, code: 'E122', detail: error instanceof Error ? error.name : 'unknown' }, 'handler failed')
      return { kind: 'close' }
    } finally {
      isJudging = false
    }
  }

  function isFull(): boolean {
    return waiting.length >= readAhead.frames || waitingBytes >= readAhead.bytes
  }

  function drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
  }
}

function weight(task: Task): number {
  return task.kind === 'frame' ? task.bytes.length : task.head.length
}
