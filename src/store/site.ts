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
}): SiteMemory & Pick<WorklistStore, 'openOrders'> {
  return {
    remembered: async (name) => (await connection.ask((redis) => redis.hget('wl:site', name))) ?? undefined,
    async rememberOfSite(name, value) {
      await connection.ask((redis) => redis.hset('wl:site', name, value))
    },

    // Orders that come or go meanwhile may be missed or told twice: the one was made by the new rules, the other is harmless.
    async openOrders(after) {
      const [next, found] = await connection.ask((redis) => redis.zscan('wl:orders', after ?? '0', 'COUNT', some))
      const ids = found.filter((_, at) => at % 2 === 0)
      const bodies = await connection.batch(ids.map((id) => ['hget', keys.order(id), 'o']))
      const open = ids.filter((_, at): boolean => isOpen(parsed(bodies[at]) as Order | undefined))
      return { ids: open satisfies readonly OrderId[], next: next === '0' ? null : next }
    },
  }
}

function isOpen(order: Order | undefined): boolean {
  return order?.steps.some(({ stepStatus }) => !endedStatuses.includes(stepStatus)) ?? false
}
