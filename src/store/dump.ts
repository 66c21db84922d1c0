import type { Redis } from 'ioredis'
import { list, text, type Reply } from './connection.ts'

/** One command of Redis that makes a part of a key again. */
export type KeyPart = readonly Buffer[]

/** Of a store that nobody changes: the commands that make it again, each of them small. */
export async function* dump(redis: Redis): AsyncGenerator<KeyPart> {
  for (let cursor = '0'; ;) {
    const [next, found] = await redis.scanBuffer(cursor, 'MATCH', 'wl:*', 'COUNT', keysAtOnce)
    const keys = found.filter((key) => !isOfNow(key.toString()))
    const asked = redis.pipeline()
    for (const key of keys) asked.type(key).pttl(key)
    const known = await replies(asked)
    const types = keys.map((_, at) => text(known[at * 2]))
    // Nearly all keys are small: the first part of each is all of it, and one round trip brings many.
    const first = redis.pipeline()
    for (const [at, key] of keys.entries()) kinds[types[at] ?? '']?.ask(first, key, undefined)
    const parts = await replies(first)
    for (const [at, key] of keys.entries()) {
      const kind = kinds[types[at] ?? '']
      if (kind === undefined) throw new TypeError(`a key of type ${types[at]}`)
      for (let reply = parts[at] ?? null, from: string | undefined; ;) {
        const { pieces, next: after } = kind.read(reply, from)
        for (const piece of pieces) yield [Buffer.from(kind.command), key, ...piece]
        if (after === undefined) break
        from = after
        const more = redis.pipeline()
        kind.ask(more, key, from)
        reply = (await replies(more))[0] ?? null
      }
      const left = Number(known[at * 2 + 1] ?? -1)
      if (left > 0) yield [Buffer.from('PEXPIREAT'), key, Buffer.from(String(Date.now() + left))]
    }
    cursor = next.toString()
    if (cursor === '0') return
  }
}

async function replies(asked: ReturnType<Redis['pipeline']>): Promise<readonly Reply[]> {
  return ((await asked.exec()) ?? []).map(([error, reply]) => {
    if (error !== null) throw error
    return reply as Reply
  })
}

/** Who works just now, and what is asked to see whether Redis takes a write. Tokens stay: they only grow. */
function isOfNow(key: string): boolean {
  return key.startsWith('wl:lease:') || key === 'wl:holders' || key === 'wl:probe' || key === 'wl:restoring'
}

const keysAtOnce = 200
const some = 500

/** How the keys of a type are read, part by part, and made again. */
interface Kind {
  readonly command: string
  /** The part from there on, or the first. */
  ask(asked: ReturnType<Redis['pipeline']>, key: Buffer, from: string | undefined): unknown
  /** What the command takes behind the key, each time, and from where on there is more. */
  read(reply: Reply, from: string | undefined): Part
}

interface Part {
  readonly pieces: readonly (readonly Buffer[])[]
  readonly next: string | undefined
}

const kinds: Readonly<Record<string, Kind>> = {
  string: {
    command: 'SET',
    ask: (asked, key) => asked.getBuffer(key),
    read: (reply) => ({ pieces: reply === null ? [] : [[reply as Buffer]], next: undefined }),
  },
  hash: {
    command: 'HSET',
    ask: (asked, key, from = '0') => asked.hscanBuffer(key, from, 'COUNT', some),
    read: (reply) => scanned(reply),
  },
  set: {
    command: 'SADD',
    ask: (asked, key, from = '0') => asked.sscanBuffer(key, from, 'COUNT', some),
    read: (reply) => scanned(reply),
  },
  zset: {
    command: 'ZADD',
    ask: (asked, key, from = '0') => asked.zscanBuffer(key, from, 'COUNT', some),
    // ZSCAN says (member, score), ZADD takes (score, member).
    read: (reply) => scanned(reply, (flat) => flat.map((_, at) => flat[at % 2 === 0 ? at + 1 : at - 1] as Buffer)),
  },
  list: {
    command: 'RPUSH',
    ask: (asked, key, from = '0') => asked.lrangeBuffer(key, Number(from), Number(from) + some - 1),
    read(reply, from = '0') {
      const values = list(reply) as Buffer[]
      return {
        pieces: values.length === 0 ? [] : [values],
        next: values.length < some ? undefined : String(Number(from) + some),
      }
    },
  },
  stream: {
    command: 'XADD',
    ask: (asked, key, from = '-') => asked.xrangeBuffer(key, from, '+', 'COUNT', some),
    read(reply) {
      const entries = list(reply).map((entry) => list(entry))
      return {
        pieces: entries.map(([id, fields]) => [id as Buffer, ...(list(fields) as Buffer[])]),
        next: entries.length < some ? undefined : `(${text(entries.at(-1)?.[0])}`,
      }
    },
  },
}

/** A small hash comes as a whole, and Redis takes no more than some thousand words at once. */
function scanned(reply: Reply, arrange = (flat: readonly Buffer[]): readonly Buffer[] => flat): Part {
  const [cursor, found] = list(reply)
  const flat = list(found) as Buffer[]
  const pieces: (readonly Buffer[])[] = []
  for (let at = 0; at < flat.length; at += 2 * some) pieces.push(arrange(flat.slice(at, at + 2 * some)))
  const next = text(cursor)
  return { pieces, next: next === '0' ? undefined : next }
}
