import type { PlanId } from '../core/ids.ts'
import type { Log, PlanStore } from '../core/ports.ts'
import type { Plan } from '../mapping/types.ts'

export interface RecallContext {
  /** The plans in force, by source. */
  readonly plans: ReadonlyMap<string, Plan>
  readonly store: Pick<PlanStore, 'recall'>
  /** Makes a plan of what the store has kept of it. */
  readonly compile: (stored: string) => Promise<Plan | undefined>
  readonly log: Log
}

/**
 * Finds the plan that judged a message, also after its files have changed: a message
 * means what it meant when it was acknowledged. Where the store has lost it, an order
 * that was acknowledged is better applied by today's plan than not at all; a warning says so.
 */
export function createRecall({ plans, store, compile, log }: RecallContext) {
  const recalled = new Map<PlanId, Plan>()

  /** One that was damaged, or that this version cannot read, is as good as gone. */
  async function compiled(stored: string): Promise<Plan | undefined> {
    try {
      return await compile(stored)
    } catch {
      return undefined
    }
  }

  return async function recall(id: PlanId, source: string): Promise<Plan | undefined> {
    const now = plans.get(source)
    if (now?.id === id) return now
    const known = recalled.get(id)
    if (known !== undefined) return known
    const stored = await store.recall(id)
    const plan = stored === undefined ? undefined : await compiled(stored)
    if (plan === undefined) log.warn({ source, planId: id, code: 'E697' }, 'plan of a waiting message is gone')
    const found = plan ?? now
    if (found !== undefined) recalled.set(id, found)
    return found
  }
}
