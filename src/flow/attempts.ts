import type { Seq } from '../core/ids.ts'
import type { SiteMemory } from '../core/ports.ts'

/** From so many on, entries are applied one by one; from so many more on, the first of them is not applied. */
export const attemptsInBatch = 3
export const attemptsAlone = 8

/**
 * How often somebody has begun to apply what comes after this entry, and never came further. An entry that ends its
 * process (memory, a defect of Node) leaves no error behind: only that it was begun, again and again.
 */
export function createAttempts(store: SiteMemory): (after: Seq) => Promise<number> {
  return async function begin(after) {
    const [known, count] = ((await store.remembered('begun')) ?? '').split(' ').map(Number)
    const now = known === after ? (count ?? 0) + 1 : 1
    await store.rememberOfSite('begun', `${after} ${now}`)
    return now
  }
}
