import type { Seq } from '../core/ids.ts'
import type { WorklistItem } from '../core/order.ts'
import type { HistoryLine, KeptRow, WorklistStore } from '../core/ports.ts'
import type { Lookup } from '../core/world.ts'
import { list, type Connection } from './connection.ts'
import type { ChangeStream } from './stream.ts'
import { keys } from './keys.ts'
import { scripts } from './scripts.ts'
import { load, parsed } from './world.ts'

/** What is read of the worklist: items for the index of each process and the targets, orders and studies for people. */
export function createWorklistStore(options: { connection: Connection; stream: ChangeStream }): WorklistStore {
  const { connection, stream } = options

  async function items(ids: readonly string[]): Promise<readonly (WorklistItem | undefined)[]> {
    if (ids.length === 0) return []
    const bodies = await connection.ask((redis) => redis.hmget('wl:items', ...ids))
    return bodies.map((body) => parsed(body) as WorklistItem | undefined)
  }

  return {
    items,
    item: async (id) => (await items([id]))[0],
    async itemsSince(version, limit) {
      const bodies = list(await connection.run(scripts.itemsSince, [version, limit]))
      return bodies.flatMap((body) => (parsed(body) as WorklistItem | undefined) ?? [])
    },
    async order(id) {
      const lookup: Lookup = { by: 'order', id }
      return (await load(connection, [lookup])).orders(lookup)[0]
    },
    orders: async (lookup) => (await load(connection, [lookup])).orders(lookup),
    studies: async (lookup) => (await load(connection, [lookup])).studies(lookup),
    async history(id) {
      const lines = await connection.ask((redis) => redis.lrange(keys.history(id), 0, -1))
      return lines.map((line) => JSON.parse(line) as HistoryLine)
    },
    async orthancChanges(limit) {
      const lines = await connection.ask((redis) => redis.lrange('wl:rows', -limit, -1))
      return lines.map((line) => JSON.parse(line) as KeptRow).toReversed()
    },
    onChange: (listener: (version: Seq, isRewound?: boolean) => void) => stream.onChange(listener),
  }
}
