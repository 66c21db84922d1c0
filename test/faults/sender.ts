import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { content, createFrames, fieldsOf, framed } from './inject/frames.ts'

/** The first acknowledgment of a message that came whole. */
export interface Answered {
  readonly code: string
  /** How often the message had been sent before. */
  readonly repeats: number
  readonly at: number
}

export interface Sender {
  /**
   * Resolves with the answer, however long it takes: a message without one is sent again,
   * the same bytes under the same MSH-10, over another connection. Rejects with what no
   * sender should ever get: the acknowledgment of another message.
   */
  send(controlId: string, text: string): Promise<Answered>
  close(): void
}

export interface SenderOptions {
  /** Where engines take messages; after a failure the next one is tried. */
  readonly ports: readonly number[]
  /** How long it waits for an acknowledgment. */
  readonly seconds?: number
  /** Gives up: the round is over, and wrong. */
  readonly signal: AbortSignal
}

/** One connection of a good sender: only when a message has its answer comes the next. */
export function openSender({ ports, seconds = 3, signal }: SenderOptions): Sender {
  let line: Line | undefined
  let at = 0
  return {
    async send(controlId, text) {
      for (let repeats = 0; ;) {
        signal.throwIfAborted()
        try {
          line ??= await openLine(ports[at % ports.length] ?? 0)
        } catch {
          at += 1
          await pause(15)
          continue
        }
        const answer = await line.exchange(framed(text), seconds * 1000)
        if (answer === undefined) {
          line.close()
          line = undefined
          at += 1
          repeats += 1
          await pause(25)
          continue
        }
        const msa = fieldsOf(answer, 'MSA')
        if (msa[2] !== controlId) throw new Error(`${controlId} was sent and ${msa[2] ?? ''} was acknowledged`)
        return { code: msa[1] ?? '', repeats, at: performance.now() }
      }
    },
    close: () => line?.close(),
  }
}

interface Line {
  /** The next frame; undefined if none came. */
  exchange(frame: Buffer, milliseconds: number): Promise<Buffer | undefined>
  close(): void
}

function openLine(port: number): Promise<Line> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const timer = setTimeout(() => fail(), 2000)
    const fail = (): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(new Error('nobody is there'))
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeListener('error', fail)
      socket.on('error', () => undefined)
      resolve(lineOf(socket))
    })
  })
}

function lineOf(socket: Socket): Line {
  const frames = createFrames()
  let waiting: ((answer: Buffer | undefined) => void) | undefined
  /** Nobody asked for it; what is sent next will be thought to be acknowledged by it, and is not. */
  const surplus: Buffer[] = []
  const deliver = (answer: Buffer | undefined): void => {
    waiting?.(answer)
    waiting = undefined
  }
  socket.on('data', (chunk) => {
    for (const frame of frames.push(chunk)) {
      if (waiting === undefined) surplus.push(content(frame))
      else deliver(content(frame))
    }
  })
  socket.on('close', () => deliver(undefined))
  return {
    exchange: (frame, milliseconds) =>
      new Promise((resolve) => {
        if (socket.destroyed || surplus.length > 0) {
          resolve(surplus.shift())
          return
        }
        const timer = setTimeout(() => deliver(undefined), milliseconds)
        waiting = (answer) => {
          clearTimeout(timer)
          resolve(answer)
        }
        socket.write(frame)
      }),
    close: () => socket.destroy(),
  }
}
