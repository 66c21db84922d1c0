import type { Lease, Outbox } from '../core/ports.ts'
import type { RetryPlan } from '../core/retry.ts'
import type { Connection } from './connection.ts'
import { script } from './scripts.ts'
import { parsed } from './world.ts'

/** A hash: by endpoint, how a receiver that does not take what it is sent is being tried again. */
export const retryPlans = 'wl:retries'

/** role, token, endpoint, plan ('' for none). Only who has the role knows how it is. */
const keep = script(
  'keepRetryPlan',
  `
if redis.call('GET', 'wl:fence:' .. ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[4] == '' then redis.call('HDEL', 'wl:retries', ARGV[3]) else redis.call('HSET', 'wl:retries', ARGV[3], ARGV[4]) end
return 1`,
)

/** The plan outlives the process that made it: a restart neither forgets how long a receiver is away nor storms it. */
export function createRetryPlans({
  connection,
}: {
  connection: Connection
}): Pick<Outbox, 'retryPlan' | 'keepRetryPlan'> {
  return {
    retryPlan: async (endpoint) =>
      parsed(await connection.ask((redis) => redis.hget(retryPlans, endpoint))) as RetryPlan | undefined,

    async keepRetryPlan(lease: Lease, plan) {
      const endpoint = lease.role.slice(lease.role.indexOf(':') + 1)
      const kept = plan === undefined ? '' : JSON.stringify(plan)
      return (await connection.run(keep, [lease.role, lease.token, endpoint, kept])) === 1 ? 'kept' : 'fenced'
    },
  }
}
