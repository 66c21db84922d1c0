import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { content, createFrames, fieldsOf, framed } from './frames.ts'

/**
 * What the RIS does with a status message.
 * `take`: AA. `closed`: nobody listens. `AE`, `AR`: refuses. `silent`: takes it, never answers.
 * `late`: AA after `lateMilliseconds`, when the sender has given up. `wrong`: AA for a message that nobody sent.
 * `hangUp`: closes between the message and its acknowledgment.
 */
export type RisMode = (typeof risModes)[number]
export const risModes = ['take', 'closed', 'AE', 'AR', 'silent', 'late', 'wrong', 'hangUp'] as const

/** One frame that came, in the order in which they came; repeats too. */
export interface RisFrame {
  /** When it came, in the milliseconds of performance.now(). */
  readonly at: number
  /** MSH-10. */
  readonly controlId: string
  /** ORC-1 and ORC-5, such as `SC/IP`. */
  readonly orderStatus: string
  /** OBR-18. */
  readonly accession: string
  readonly bytes: Buffer
  readonly mode: RisMode
  /** AA under its own control ID was written to the connection; late counts. */
  readonly accepted: boolean
}

export interface RisDouble {
  readonly port: number
  readonly frames: readonly RisFrame[]
  mode(): RisMode
  /** From the next frame on; `closed` ends the connections too, and resolves when the port is closed. */
  setMode(mode: RisMode): Promise<void>
  stop(): Promise<void>
}

/** A RIS that keeps its port through everything that it is made to do. */
export async function startRisDouble({
  port = 0,
  lateMilliseconds = 3000,
}: { readonly port?: number; readonly lateMilliseconds?: number } = {}): Promise<RisDouble> {
  const frames: { -readonly [K in keyof RisFrame]: RisFrame[K] }[] = []
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  let mode: RisMode = 'take'
  let server: Server | undefined = await listen(port)
  const address = server.address()
  const kept = typeof address === 'object' && address !== null ? address.port : port

  async function listen(on: number): Promise<Server> {
    const opened = createServer(serve)
    opened.listen(on, '127.0.0.1')
    await once(opened, 'listening')
    return opened
  }

  function serve(socket: Socket): void {
    sockets.add(socket)
    const received = createFrames()
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      for (const frame of received.push(chunk)) answer(socket, content(frame))
    })
  }

  function answer(socket: Socket, message: Buffer): void {
    const controlId = fieldsOf(message, 'MSH')[10] ?? ''
    const orc = fieldsOf(message, 'ORC')
    const frame = {
      at: performance.now(),
      controlId,
      orderStatus: `${orc[1] ?? ''}/${orc[5] ?? ''}`,
      accession: fieldsOf(message, 'OBR')[18] ?? '',
      bytes: Buffer.from(message),
      mode,
      accepted: false,
    }
    frames.push(frame)
    const accept = (): void => {
      if (!socket.writable) return
      frame.accepted = true
      socket.write(acknowledgment('AA', controlId))
    }
    if (mode === 'take') accept()
    else if (mode === 'AE' || mode === 'AR') socket.write(acknowledgment(mode, controlId))
    else if (mode === 'wrong') socket.write(acknowledgment('AA', 'NEVER-SENT'))
    else if (mode === 'hangUp') socket.end()
    else if (mode === 'late') {
      const timer = setTimeout(() => {
        timers.delete(timer)
        accept()
      }, lateMilliseconds)
      timers.add(timer)
    }
  }

  async function close(): Promise<void> {
    const closing = server
    server = undefined
    for (const socket of sockets) socket.destroy()
    if (closing === undefined) return
    const closed = once(closing, 'close')
    closing.close()
    await closed
  }

  return {
    port: kept,
    frames,
    mode: () => mode,
    async setMode(next) {
      mode = next
      if (next === 'closed') await close()
      else if (server === undefined) server = await listen(kept)
    },
    async stop() {
      for (const timer of timers) clearTimeout(timer)
      await close()
    },
  }
}

let count = 0

function acknowledgment(code: string, controlId: string): Buffer {
  count += 1
  return framed(`MSH|^~\\&|RIS|HOSP|WORKLANE|RAD|20260301093000||ACK|RIS${count}|P|2.5\rMSA|${code}|${controlId}\r`)
}
