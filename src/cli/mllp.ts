import { connect, type Socket } from 'node:net'
import { createSplitter, frame } from '../../connectors/mllp/index.ts'

/** One MLLP connection of a person who tries things: sends what it is given, broken or not, and shows what comes back. */
export interface Line {
  /** Resolves with the next frame that comes back; rejects with a sentence. */
  exchange(bytes: Uint8Array): Promise<Uint8Array>
  /** The next frame that comes, without sending anything. */
  receive(): Promise<Uint8Array>
  close(): void
}

export async function openLine({
  host,
  port,
  seconds = 30,
}: {
  host: string
  port: number
  seconds?: number
}): Promise<Line> {
  const socket = await open(host, port)
  const splitter = createSplitter({ maxFrameBytes: 16 * 1024 * 1024 })
  const answers: Uint8Array[] = []
  let waiting: { resolve(bytes: Uint8Array): void; reject(error: Error): void } | undefined
  let ended: string | undefined

  socket.on('data', (chunk) => {
    for (const event of splitter.push(chunk)) if (event.kind === 'frame') answers.push(event.bytes)
    deliver()
  })
  const end = (reason: string) => () => {
    ended ??= reason
    deliver()
  }
  // Whether it was taken nobody knows: the engine may have died between the disk and its answer.
  const cure = 'Is this an MLLP port? Send it again: an engine that has taken it knows it.'
  socket.on('error', end(`The connection to ${host}:${port} broke before an acknowledgment. ${cure}`))
  socket.on('close', end(`The connection to ${host}:${port} was closed without an acknowledgment. ${cure}`))

  function deliver(): void {
    if (waiting === undefined) return
    const answer = answers.shift()
    if (answer !== undefined) waiting.resolve(answer)
    else if (ended !== undefined) waiting.reject(new Error(ended))
    else return
    waiting = undefined
  }

  return {
    exchange: (bytes) => next(bytes),
    receive: () => next(undefined),
    close: () => socket.destroy(),
  }

  function next(bytes: Uint8Array | undefined): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting = undefined
        reject(new Error(`No acknowledgment within ${seconds} s.`))
      }, seconds * 1000)
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          settle(value)
        }
      waiting = { resolve: done(resolve), reject: done(reject) }
      if (bytes !== undefined && ended === undefined) socket.write(frame(bytes))
      deliver()
    })
  }
}

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    socket.setTimeout(5000, () => socket.destroy(new Error('timeout')))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Error(
          `Nobody takes messages at ${host}:${port} (${error.code ?? 'no answer'}). Is the engine running, and is this its MLLP port?`,
        ),
      )
    })
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

/** `127.0.0.1:2575`, `[::1]:2575`, or a port of this machine. */
export function readAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port < 1 || port > 65_535) return undefined
  return { host: (match[1] ?? '127.0.0.1').replaceAll(/^\[|\]$/g, ''), port }
}
