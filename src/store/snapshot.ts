import { createWriteStream } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { connect as connectTls } from 'node:tls'
import { EngineError } from '../core/errors/index.ts'
import { redisOptions, type RedisLocation } from './connection.ts'

/** Redis says nothing at all for so long only when it is gone: while it forks and writes it sends empty lines. */
const silentMilliseconds = 120_000

/**
 * Everything that a Redis holds at one moment, as an RDB file: what a replica asks for (SYNC), so that Redis forks and
 * goes on at once, whatever writes meanwhile. Throws E524.
 */
export async function takeSnapshot(location: RedisLocation, file: string): Promise<void> {
  const options = redisOptions(location)
  const socket = await open(options)
  try {
    const input = bytesOf(socket)
    if (options.password !== undefined) {
      const user = options.username === undefined ? [] : [options.username]
      await say(socket, ['AUTH', ...user, options.password])
      await expectLine(input, '+')
    }
    await say(socket, ['SYNC'])
    const size = Number((await expectLine(input, '$')).slice(1))
    if (!Number.isSafeInteger(size)) throw failed('Redis sends its snapshot in a form that is not known')
    await write(input, size, file)
  } finally {
    socket.destroy()
  }
}

function open(options: ReturnType<typeof redisOptions>): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { path, host = '127.0.0.1', port = 6379, tls } = options
    const socket =
      path !== undefined && path !== null
        ? connectTcp(path)
        : tls === undefined
          ? connectTcp(port, host)
          : connectTls({ host, port, servername: host })
    socket.setTimeout(silentMilliseconds, () => socket.destroy(failed('Redis has stopped to answer')))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(error instanceof EngineError ? error : failed(error.code ?? 'Redis is away')),
    )
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => resolve(socket))
  })
}

interface Input {
  /** Up to the end of a line, without it. */
  line(): Promise<string>
  /** So many bytes at most; undefined at the end. */
  some(most: number): Promise<Buffer | undefined>
}

function bytesOf(socket: Socket): Input {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let rest: Buffer = Buffer.alloc(0)
  async function more(): Promise<boolean> {
    const next = await chunks.next()
    if (next.done === true) return false
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value])
    return true
  }
  return {
    async line() {
      for (;;) {
        const end = rest.indexOf(10)
        if (end < 0) {
          if (!(await more())) throw failed('Redis has ended the connection')
          continue
        }
        const line = rest.subarray(0, end).toString('latin1').trimEnd()
        rest = rest.subarray(end + 1)
        // It is alive, and not ready yet.
        if (line !== '') return line
      }
    },
    async some(most) {
      if (rest.length === 0 && !(await more())) return undefined
      const taken = rest.subarray(0, most)
      rest = rest.subarray(taken.length)
      return taken
    },
  }
}

async function expectLine(input: Input, start: string): Promise<string> {
  const line = await input.line()
  if (line.startsWith(start)) return line
  // Such as `-NOPERM this user has no permissions ...`: of the words of Redis the first says what it is.
  throw failed(
    line.startsWith('-') ? `Redis refuses: ${line.slice(1).split(' ', 1)[0]}` : 'Redis answers something else',
  )
}

function say(socket: Socket, words: readonly string[]): Promise<void> {
  const text = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')
  return new Promise((resolve) => {
    socket.write(`*${words.length}\r\n${text}`, () => resolve())
  })
}

async function write(input: Input, size: number, file: string): Promise<void> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let written = 0; written < size;) {
      const bytes = await input.some(size - written)
      if (bytes === undefined) throw failed('Redis has ended the connection')
      written += bytes.length
      yield bytes
    }
  }
  await pipeline(pieces(), createWriteStream(file, { mode: 0o600 }))
}

export function failed(reason: string, cause?: unknown): EngineError {
  return new EngineError('E524', { reason }, cause === undefined ? undefined : { cause })
}
