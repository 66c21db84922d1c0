import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { EngineError } from '../core/errors/index.ts'
import type { Instant, Seq } from '../core/ids.ts'
import type { KeyPart } from './dump.ts'

/** The first line of a backup: what it is of. Nothing in it is about a person. */
export interface BackupHeader {
  readonly worklane: 'backup'
  /** Of this file; of the store in it. */
  readonly version: 1
  readonly format: number
  readonly identity: string
  readonly takenAt: Instant
  readonly engine: string
  /** The last number that was given, and the last entry that was applied. */
  readonly seq: Seq
  readonly applied: Seq
  readonly messages: number
  readonly orders: number
}

const mark = Buffer.from('WLBACKUP')
const trailerBytes = 32 + mark.length
const mostHeaderBytes = 4096

/**
 * A line of JSON, then the records, gzipped, then the SHA-256 of all that and a mark: a file that was cut, or of which a
 * byte has changed, is told from a whole one before anything is done with it.
 */
export async function writeBackup(file: string, header: BackupHeader, records: AsyncIterable<KeyPart>): Promise<void> {
  const sum = createHash('sha256')
  const out = createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true })
  const seen = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      sum.update(bytes)
      done(null, bytes)
    },
    flush(done) {
      this.push(Buffer.concat([sum.digest(), mark]))
      done()
    },
  })
  const line = Buffer.from(`${JSON.stringify(header)}\n`)
  sum.update(line)
  out.write(line)
  await pipeline(Readable.from(encoded(records)), createGzip({ level: 1 }), seen, out)
}

/** Many small records are one piece: a stream costs by the piece. */
async function* encoded(records: AsyncIterable<KeyPart>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = []
  let size = 0
  for await (const record of records) {
    const words = record.flatMap((word) => [numbered(word.length), word])
    pieces.push(numbered(record.length), ...words)
    size += 4 + record.reduce((sum, word) => sum + 4 + word.length, 0)
    if (size < 256 * 1024) continue
    yield Buffer.concat(pieces)
    pieces = []
    size = 0
  }
  yield Buffer.concat([...pieces, numbered(0)])
}

function numbered(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const unreadable: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'it may not be read',
}

/** Reads the whole file once. Throws E521 unless every byte is as it was written. */
export async function checkBackup(file: string): Promise<{ readonly header: BackupHeader; readonly bytes: number }> {
  const wrong = (reason: string, cause?: unknown): EngineError =>
    new EngineError('E521', { file, reason }, cause === undefined ? undefined : { cause })
  let bytes: number
  let first: Buffer
  try {
    bytes = statSync(file).size
    first = await start(file)
  } catch (error) {
    throw wrong(unreadable[(error as NodeJS.ErrnoException).code ?? ''] ?? 'it cannot be read', error)
  }
  const header = headerOf(first)
  if (header === undefined) throw wrong('it does not begin as one')
  const trailer = await tail(file, bytes)
  if (!trailer.subarray(32).equals(mark)) throw wrong('its end is missing')
  const sum = createHash('sha256')
  for await (const some of createReadStream(file, { end: bytes - trailerBytes - 1 })) sum.update(some as Buffer)
  if (!sum.digest().equals(trailer.subarray(0, 32))) throw wrong('it has changed since it was written')
  return { header, bytes }
}

/** The records of a file that has been checked. */
export async function* readBackup(file: string): AsyncGenerator<KeyPart> {
  const { size } = statSync(file)
  const at = (await start(file)).indexOf(10) + 1
  const body = createReadStream(file, { start: at, end: size - trailerBytes - 1 }).pipe(createGunzip())
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let rest: Buffer = Buffer.alloc(0)
  async function take(count: number): Promise<Buffer> {
    if (rest.length < count) {
      const pieces = [rest]
      for (let have = rest.length; have < count;) {
        const next = await chunks.next()
        if (next.done === true) throw new EngineError('E521', { file, reason: 'its end is missing' })
        pieces.push(next.value)
        have += next.value.length
      }
      rest = Buffer.concat(pieces)
    }
    const taken = rest.subarray(0, count)
    rest = rest.subarray(count)
    return taken
  }
  for (;;) {
    const words = (await take(4)).readUInt32BE()
    if (words === 0) return
    const record: Buffer[] = []
    for (let n = 0; n < words; n++) record.push(await take((await take(4)).readUInt32BE()))
    yield record
  }
}

async function start(file: string): Promise<Buffer> {
  return part(file, 0, mostHeaderBytes)
}

async function tail(file: string, size: number): Promise<Buffer> {
  return part(file, Math.max(0, size - trailerBytes), trailerBytes)
}

async function part(file: string, from: number, length: number): Promise<Buffer> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, from)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

function headerOf(bytes: Buffer): BackupHeader | undefined {
  try {
    const header = JSON.parse(bytes.subarray(0, bytes.indexOf(10)).toString()) as Partial<BackupHeader>
    return header.worklane === 'backup' && header.version === 1 ? (header as BackupHeader) : undefined
  } catch {
    return undefined
  }
}
