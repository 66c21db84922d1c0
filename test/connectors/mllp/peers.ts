import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { frame } from '../../../connectors/mllp/index.ts'
import type { Log, LogFields } from '../../../src/core/ports.ts'

/** A log that remembers its lines, `warn E121 connection refused`. */
export function memoryLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const line = (level: string) => (fields: LogFields, event: string) => {
    lines.push([level, fields['code'], event].filter(Boolean).join(' '))
  }
  return { lines, debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

export async function connected(port: number): Promise<Socket & { readonly text: () => string }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return Object.assign(socket, { text: () => text })
}

export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve())
  })
}

/** A receiver that does with each message what the test says; `answer` writes a framed acknowledgment. */
export async function receiver(
  onMessage: (controlId: string, answer: (text: string) => void, socket: Socket, count: number) => void,
): Promise<{
  readonly port: number
  readonly connections: () => number
  readonly open: () => number
  stop(): Promise<void>
}> {
  const sockets = new Set<Socket>()
  let connections = 0
  let count = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let end = text.indexOf('\x1c\r'); end !== -1; end = text.indexOf('\x1c\r')) {
        const controlId = text.slice(0, end).split('|')[9] ?? ''
        text = text.slice(end + 2)
        count += 1
        onMessage(controlId, (answer) => socket.write(frame(Buffer.from(answer))), socket, count)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    open: () => sockets.size,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function ack(controlId: string, code = 'AA', more = ''): string {
  return `MSH|^~\\&|RIS|HOSP|WORKLANE|RAD|20260301093000||ACK|A1|P|2.5.1\rMSA|${code}|${controlId}\r${more}`
}
