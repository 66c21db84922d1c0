import { storedPlan } from '../config/plans.ts'
import { inSlices } from '../config/slices.ts'
import { pause } from '../flow/pause.ts'
import type { Plan } from '../mapping/types.ts'

/** The plan of a text that was kept, made while the engine goes on; what is damaged, or no plan at all, is none. */
export async function compile(stored: string): Promise<Plan | undefined> {
  try {
    const { plan } = await inSlices(storedPlan(stored), pause)
    return plan
  } catch {
    return undefined
  }
}
