import { EngineError } from '../core/errors/index.ts'
import type { Clock, CounterDifference, Counters, Log, PartHealth } from '../core/ports.ts'
import { inTime } from './in-time.ts'

/**
 * Looks whether the counters agree with what is there, and says loudly where they did not; they are right afterwards.
 * It costs nothing while they agree. Answers how many were wrong.
 */
export async function checkCounters({
  store,
  log,
}: {
  readonly store: Pick<Counters, 'recount'>
  readonly log: Log
}): Promise<number> {
  let differences: readonly CounterDifference[]
  try {
    differences = await store.recount('check')
  } catch {
    // Figures are no reason not to work; the store has said itself what is wrong with it.
    return 0
  }
  for (const one of differences) {
    if (one.what === 'sums') {
      log.error({ code: 'E686', count: one.counted }, 'counters do not add up')
      continue
    }
    const { code } = new EngineError('E682', { what: one.what, counted: one.counted, found: one.found })
    log.error({ code, ...whereOf(one), what: one.what, count: one.counted, total: one.found }, 'counter was wrong')
  }
  return differences.length
}

function whereOf(one: CounterDifference): { readonly source: string } | { readonly destination: string } {
  return 'source' in one ? { source: one.source } : { destination: one.destination }
}

const askMilliseconds = 1000

/** The parts of sources and destinations with how much waits for them, and for how long; as they are where the store does not say. */
export async function withAges(
  parts: readonly PartHealth[],
  { store, clock }: { readonly store: Pick<Counters, 'counters'>; readonly clock: Clock },
): Promise<readonly PartHealth[]> {
  const known = await inTime(askMilliseconds, store.counters()).catch(() => undefined)
  if (known === undefined) return parts
  const waits = new Map<string, Pick<PartHealth, 'waiting' | 'oldestSeconds'>>()
  for (const { source, waiting, oldestSeconds = 0 } of known.sources)
    waits.set(`source ${source}`, { waiting, oldestSeconds })
  for (const { destination, waiting, oldest } of known.destinations) {
    const age = oldest === undefined ? 0 : Math.max(0, Math.round((Date.parse(clock()) - Date.parse(oldest)) / 1000))
    waits.set(`destination ${destination}`, { waiting, oldestSeconds: age })
  }
  return parts.map((part) => ({ ...part, ...waits.get(part.name) }))
}
