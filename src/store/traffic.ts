import type { MessageId } from '../core/ids.ts'
import type { KeptTraffic, Traffic, TrafficQuery } from '../core/traffic.ts'
import { list, type Connection } from './connection.ts'
import { keys } from './keys.ts'
import { storedMessage } from './messages.ts'

/** Messages whose information is looked at for one page, so that no page keeps Redis, or its reader, for long. */
const lookedAt = 2000
/** So many are read at a time: between them modalities are answered. */
const slice = 100
/** Their bodies together: a page becomes one text, and is held in memory on both sides. */
const mostBytes = 1_000_000

export function createTraffic({ connection }: { connection: Connection }): Traffic {
  return {
    async traffic(query) {
      const { limit, after } = query
      const above = after === undefined ? '-inf' : `(${after.slice(1)}`
      const [total, found] = await Promise.all([
        connection.ask((redis) => redis.zcard('wl:messages')),
        connection.ask((redis) => redis.zrangebyscore('wl:messages', above, '+inf', 'LIMIT', 0, lookedAt)),
      ])
      const wanted: Omit<KeptTraffic, 'body'>[] = []
      const bodies: unknown[] = []
      let looked = 0
      let bytes = 0
      let isFull = false
      for (let from = 0; from < found.length && !isFull; from += slice) {
        const ids = found.slice(from, from + slice)
        const replies = await connection.batch(ids.map((id) => ['hmget', keys.message(id), 'k', 's', 'o', 'i']))
        const those: Omit<KeptTraffic, 'body'>[] = []
        for (const [at, id] of ids.entries()) {
          const message = storedMessage(id, list(replies[at]))
          if (message !== undefined && isWanted(message, query)) {
            const count = wanted.length + those.length
            bytes += message.bytes
            isFull = count > 0 && (count === limit || bytes > mostBytes)
            if (isFull) break
            those.push(message)
          }
          looked += 1
        }
        wanted.push(...those)
        if (those.length > 0)
          bodies.push(...(await connection.batch(those.map(({ id }) => ['hgetBuffer', keys.message(id), 'b']))))
      }
      const items = wanted.flatMap((message, at) => {
        const body = bodies[at]
        // Retention was quicker.
        return body instanceof Uint8Array ? [{ ...message, body }] : []
      })
      const last: MessageId | undefined = found[looked - 1]
      const isEnd = looked === found.length && found.length < lookedAt
      return { items, total, looked, next: isEnd ? null : (last ?? null) }
    },
  }
}

function isWanted({ source, at }: Omit<KeptTraffic, 'body'>, { source: from, since, until }: TrafficQuery): boolean {
  return (
    (from === undefined || source === from) &&
    (since === undefined || at >= since) &&
    (until === undefined || at < until)
  )
}
