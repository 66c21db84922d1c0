import { connect } from 'node:net'

/**
 * Sends orders over so many connections, each waiting for its acknowledgment before
 * the next, and answers how long it took and how many were not AA.
 */
export async function load(options: {
  readonly port: number
  readonly connections: number
  readonly messages: readonly Uint8Array[]
}): Promise<{ readonly seconds: number; readonly refused: number }> {
  const { port, connections, messages } = options
  let next = 0
  let refused = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
      await new Promise<void>((resolve, reject) => {
        const sendNext = (): void => {
          const message = messages[next]
          next += 1
          if (message === undefined) {
            socket.destroy()
            resolve()
          } else {
            socket.write(message)
          }
        }
        let tail = ''
        socket.on('data', (chunk) => {
          tail += chunk.toString('latin1')
          if (!tail.endsWith('\x1c\x0d')) return
          if (!tail.includes('\rMSA|AA|')) refused += 1
          tail = ''
          sendNext()
        })
        socket.once('error', reject)
        socket.once('close', () => resolve())
        sendNext()
      })
    }),
  )
  return { seconds: (performance.now() - started) / 1000, refused }
}
