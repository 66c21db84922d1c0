import { connect, type Socket } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'

export interface Ack {
  /** MSA-1. */
  readonly code: string
  /** MSA-2. */
  readonly controlId: string
  readonly text: string
}

export interface Client {
  /** Each chunk in a write of its own, as far apart as TCP lets us see. */
  write(...chunks: readonly Uint8Array[]): Promise<void>
  /** Resolves when so many acknowledgments have come; throws when they do not. */
  acks(count: number): Promise<readonly Ack[]>
  /** Closes our side and answers all acknowledgments that ever came, once the server has closed its side. */
  finish(): Promise<readonly Ack[]>
  /** RST. */
  reset(): void
  destroy(): void
}

export interface ClientOptions {
  readonly port: number
  /** Between two chunks, so that another process sees two reads. */
  readonly gapMilliseconds: number
  /** Until a missing acknowledgment fails the case. */
  readonly patienceMilliseconds: number
}

/** An MLLP sender made to misbehave. It shares no code with what it tests. */
export async function openClient(options: ClientOptions): Promise<Client> {
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let bytes = Buffer.alloc(0)
  let hasEnded = false
  let notify = (): void => undefined
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    notify()
  })
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      hasEnded = true
      notify()
    })
  }

  return {
    async write(...chunks) {
      for (const [i, chunk] of chunks.entries()) {
        if (i > 0) await pause(options.gapMilliseconds)
        await writeAll(socket, chunk)
      }
    },
    async acks(count) {
      await until(() => readAcks(bytes).length >= count, `${count} acknowledgments`)
      return readAcks(bytes)
    },
    async finish() {
      socket.end()
      await until(() => hasEnded, 'the end of the connection')
      socket.destroy()
      return readAcks(bytes)
    },
    reset: () => socket.resetAndDestroy(),
    destroy: () => socket.destroy(),
  }

  async function until(condition: () => boolean, what: string): Promise<void> {
    const timer = new AbortController()
    const late = setTimeout(options.patienceMilliseconds, 'late', { signal: timer.signal }).catch(() => 'met')
    try {
      while (!condition()) {
        if (hasEnded) throw new Error(`the connection was closed; got ${summary()} instead of ${what}`)
        const changed = new Promise<string>((resolve) => {
          notify = () => resolve('changed')
        })
        if ((await Promise.race([changed, late])) === 'late') throw new Error(`got ${summary()} instead of ${what}`)
      }
    } finally {
      timer.abort()
    }
  }

  function summary(): string {
    const acks = readAcks(bytes).map((ack) => `${ack.code} ${ack.controlId}`.trim())
    return acks.length === 0 ? 'no acknowledgment' : acks.slice(0, 4).join(', ')
  }
}

async function pause(milliseconds: number): Promise<void> {
  if (milliseconds > 0) return setTimeout(milliseconds)
  await setImmediate()
  await setImmediate()
}

function writeAll(socket: Socket, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    // A server that closes on us is seen by the acknowledgments that are missing.
    socket.write(chunk, () => resolve())
  })
}

function readAcks(bytes: Buffer): readonly Ack[] {
  return bytes
    .toString('utf8')
    .split('\x1c\r')
    .slice(0, -1)
    .map((part) => {
      const text = part.slice(part.indexOf('\v') + 1)
      const msa = text.split('\r').find((segment) => segment.startsWith('MSA'))
      const fields = msa?.split(text.charAt(3)) ?? []
      return { code: fields[1] ?? '', controlId: fields[2] ?? '', text }
    })
}
