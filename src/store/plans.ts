import type { PlanStore } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import { keys } from './keys.ts'

/** Plans by their hash. The ones this process uses are touched each hour, so that retention of another process leaves them. */
export function createPlanStore({ connection, now }: { connection: Connection; now: () => number }): PlanStore & {
  close(): void
} {
  const used = new Map<string, string>()
  const timer = setInterval(() => void touch(), 3_600_000)
  timer.unref()

  async function write(id: string, sources: string): Promise<void> {
    await connection.write(['SET', keys.plan(id), sources])
    await connection.write(['ZADD', 'wl:plans', now(), id])
  }

  async function touch(): Promise<void> {
    // The store is away: the next hour is soon enough.
    for (const [id, sources] of used) await write(id, sources).catch(() => {})
  }

  return {
    async remember(id, sources) {
      await write(id, sources)
      used.set(id, sources)
    },
    recall: async (id) => (await connection.ask((redis) => redis.get(keys.plan(id)))) ?? undefined,
    close: () => clearInterval(timer),
  }
}
