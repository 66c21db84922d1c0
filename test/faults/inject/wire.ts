import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { content, createFrames, fieldsOf, framed } from './frames.ts'

/** One connection of the tests of the faults. */
export interface Wire {
  readonly socket: Socket
  /** MSA-1 of the next frame that comes back; rejects when the connection ends or nothing comes. */
  exchange(text: string, seconds?: number): Promise<string>
  /** How it ended: `end` by FIN, or the error's code. */
  readonly ended: Promise<string>
  close(): void
}

export async function openWire(port: number): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const frames = createFrames()
  const answers: string[] = []
  const ended = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    socket.once('end', () => resolve('end'))
    socket.once('close', () => resolve('close'))
  })
  socket.on('data', (chunk) => {
    for (const frame of frames.push(chunk)) answers.push(fieldsOf(content(frame), 'MSA')[1] ?? 'none')
    if (answers.length > 0) socket.emit('answer')
  })
  await Promise.race([once(socket, 'connect'), ended.then((how) => Promise.reject(new Error(how)))])
  return {
    socket,
    async exchange(text, seconds = 10) {
      socket.write(framed(text))
      const answered = answers.length > 0 ? Promise.resolve() : once(socket, 'answer').then(() => undefined)
      const late = new AbortController()
      await Promise.race([
        answered,
        ended.then((how) => Promise.reject(new Error(`the connection ended: ${how}`))),
        pause(seconds * 1000, undefined, { signal: late.signal }).then(() => Promise.reject(new Error('no answer'))),
      ]).finally(() => late.abort())
      return answers.shift() ?? 'none'
    },
    ended,
    close: () => socket.destroy(),
  }
}

/** Until it is answered, on a new connection after each that failed: answers MSA-1 and how often it was sent. */
export async function insist(port: number, text: string, seconds = 60): Promise<{ code: string; sent: number }> {
  const until = performance.now() + seconds * 1000
  for (let sent = 1; ; sent++) {
    let wire: Wire | undefined
    try {
      wire = await openWire(port)
      return { code: await wire.exchange(text, 5), sent }
    } catch (error) {
      if (performance.now() > until) throw error
      await pause(50)
    } finally {
      wire?.close()
    }
  }
}
