import type { Redis } from 'ioredis'
import { list, text, type Reply } from './connection.ts'

/** One command of Redis that makes a part of a key again. */
export type KeyPart = readonly Buffer[]

/** Of a store that nobody changes: the commands that make it again, each of them small. */
export async function* dump(redis: Redis): AsyncGenerator<KeyPart> {
  for (let cursor = '0'; ;) {
    const [next, found] = await redis.scanBuffer(cursor, 'MATCH', 'wl:*', 'COUNT', 1000)
    const keys = found.filter((key) => !isOfNow(key.toString()))
    const asked = redis.pipeline()
    for (const key of keys) asked.type(key).pttl(key)
    const known = (await asked.exec()) ?? []
    for (const [at, key] of keys.entries()) {
      const type = text(known[at * 2]?.[1] as Reply)
      const left = Number(known[at * 2 + 1]?.[1] ?? -1)
      yield* dumpKey(redis, type, key)
      if (left > 0) yield [Buffer.from('PEXPIREAT'), key, Buffer.from(String(Date.now() + left))]
    }
    cursor = next.toString()
    if (cursor === '0') return
  }
}

/** Who works just now, and what is asked to see whether Redis takes a write. Tokens stay: they only grow. */
function isOfNow(key: string): boolean {
  return key.startsWith('wl:lease:') || key === 'wl:holders' || key === 'wl:probe' || key === 'wl:restoring'
}

const some = 500

async function* dumpKey(redis: Redis, type: string, key: Buffer): AsyncGenerator<KeyPart> {
  switch (type) {
    case 'string': {
      const value = await redis.getBuffer(key)
      if (value !== null) yield [Buffer.from('SET'), key, value]
      return
    }
    case 'hash':
      yield* scanned('HSET', key, (cursor) => redis.hscanBuffer(key, cursor, 'COUNT', some))
      return
    case 'set':
      yield* scanned('SADD', key, (cursor) => redis.sscanBuffer(key, cursor, 'COUNT', some))
      return
    case 'zset':
      yield* scanned('ZADD', key, (cursor) => redis.zscanBuffer(key, cursor, 'COUNT', some), scoreFirst)
      return
    case 'list':
      for (let at = 0; ; at += some) {
        const values = await redis.lrangeBuffer(key, at, at + some - 1)
        if (values.length === 0) return
        yield [Buffer.from('RPUSH'), key, ...values]
      }
    case 'stream':
      for (let after = '-'; ;) {
        const entries = list((await redis.callBuffer('XRANGE', key, after, '+', 'COUNT', some)) as Reply)
        for (const entry of entries) {
          const [id, fields] = list(entry)
          yield [Buffer.from('XADD'), key, id as Buffer, ...(list(fields) as Buffer[])]
          after = `(${text(id)}`
        }
        if (entries.length < some) return
      }
    default:
      throw new TypeError(`a key of type ${type}`)
  }
}

async function* scanned(
  command: string,
  key: Buffer,
  scan: (cursor: string) => Promise<unknown>,
  arrange: (flat: readonly Buffer[]) => readonly Buffer[] = (flat) => flat,
): AsyncGenerator<KeyPart> {
  for (let cursor = '0'; ;) {
    const [next, flat] = (await scan(cursor)) as [Buffer, Buffer[]]
    // A small hash comes as a whole; Lua and Redis take no more than some thousand words at once.
    for (let at = 0; at < flat.length; at += 2 * some) {
      yield [Buffer.from(command), key, ...arrange(flat.slice(at, at + 2 * some))]
    }
    cursor = next.toString()
    if (cursor === '0') return
  }
}

/** ZSCAN says (member, score), ZADD takes (score, member). */
function scoreFirst(flat: readonly Buffer[]): readonly Buffer[] {
  return flat.map((_, at) => flat[at % 2 === 0 ? at + 1 : at - 1] as Buffer)
}
