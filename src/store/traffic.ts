import type { MessageId } from '../core/ids.ts'
import type { KeptTraffic, Traffic, TrafficQuery } from '../core/traffic.ts'
import { list, type Connection } from './connection.ts'
import { keys } from './keys.ts'
import { storedMessage } from './messages.ts'

/** Messages whose information is looked at for one page, so that no page keeps Redis, or its reader, for long. */
const lookedAt = 2000
/** Their bodies together: a page is held in memory on both sides. */
const mostBytes = 4_000_000

export function createTraffic({ connection }: { connection: Connection }): Traffic {
  return {
    async traffic(query) {
      const { limit, after } = query
      const above = after === undefined ? '-inf' : `(${after.slice(1)}`
      const [total, found] = await Promise.all([
        connection.ask((redis) => redis.zcard('wl:messages')),
        connection.ask((redis) => redis.zrangebyscore('wl:messages', above, '+inf', 'LIMIT', 0, lookedAt)),
      ])
      const replies = await connection.batch(found.map((id) => ['hmget', keys.message(id), 'k', 's', 'o', 'i']))
      const wanted: Omit<KeptTraffic, 'body'>[] = []
      let looked = 0
      let bytes = 0
      for (const [at, id] of found.entries()) {
        const message = storedMessage(id, list(replies[at]))
        if (message !== undefined && isWanted(message, query)) {
          bytes += message.bytes
          if (wanted.length > 0 && (wanted.length === limit || bytes > mostBytes)) break
          wanted.push(message)
        }
        looked += 1
      }
      const bodies = await connection.batch(wanted.map(({ id }) => ['hgetBuffer', keys.message(id), 'b']))
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
