import type { OrderId } from '../core/ids.ts'
import { endedStatuses, type Order } from '../core/order.ts'
import type { SiteMemory, WorklistStore } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import { keys } from './keys.ts'
import { parsed } from './world.ts'

const some = 200

/** What a new start asks of the last one, and whom a changed rule concerns. */
export function createSiteMemory({
  connection,
}: {
  connection: Connection
}): SiteMemory & Pick<WorklistStore, 'openOrders' | 'openOrdersBySource'> {
  // Orders that come or go meanwhile may be missed or told twice: the one was made by the new rules, the other is harmless.
  async function openSome(after: string | undefined): Promise<{ orders: readonly Order[]; next: string | null }> {
    const [next, found] = await connection.ask((redis) => redis.zscan('wl:orders', after ?? '0', 'COUNT', some))
    const ids = found.filter((_, at) => at % 2 === 0)
    const bodies = await connection.batch(ids.map((id) => ['hget', keys.order(id), 'o']))
    const orders = bodies.flatMap((body) => (parsed(body) as Order | undefined) ?? [])
    return { orders: orders.filter(isOpen), next: next === '0' ? null : next }
  }

  return {
    remembered: async (name) => (await connection.ask((redis) => redis.hget('wl:site', name))) ?? undefined,
    async rememberOfSite(name, value) {
      await connection.write(['HSET', 'wl:site', name, value])
    },

    async openOrders(after) {
      const { orders, next } = await openSome(after)
      return { ids: orders.map(({ id }) => id), next }
    },

    async openOrdersBySource() {
      // A scan may show an order twice: each counts once.
      const sources = new Map<OrderId, string>()
      for (let after: string | undefined; ;) {
        const { orders, next } = await openSome(after)
        for (const { id, source } of orders) sources.set(id, source)
        if (next === null) break
        after = next
      }
      const counts = new Map<string, number>()
      for (const source of sources.values()) counts.set(source, (counts.get(source) ?? 0) + 1)
      return counts
    },
  }
}

export function isOpen({ steps }: Order): boolean {
  return steps.some(({ stepStatus }) => !endedStatuses.includes(stepStatus))
}
