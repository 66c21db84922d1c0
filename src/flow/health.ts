import type { EngineError } from '../core/errors/index.ts'
import type { PartHealth, Store } from '../core/ports.ts'
import type { CircuitState, RetryPlan } from '../core/retry.ts'
import type { Deliverer } from './deliver.ts'
import type { Publisher } from './publish.ts'
import type { Watch } from './watch.ts'
import type { WorklistIndex } from './worklist-index.ts'

/**
 * The state of each part, as `/health/ready` shows it: one sentence each, names of
 * endpoints and codes only. Asking costs the store at most one question per destination.
 */
export async function health(parts: {
  readonly store: Pick<Store, 'isUp' | 'state' | 'trouble' | 'concern'>
  /** Why the engine's own Redis does not run. */
  readonly redisFailure: () => string | undefined
  readonly index: Pick<WorklistIndex, 'ready' | 'lagging'>
  readonly sources: readonly { readonly name: string; readonly isListening: () => boolean }[]
  readonly watches: readonly Watch[]
  readonly deliverers: ReadonlyMap<string, Pick<Deliverer, 'held' | 'circuit'>>
  readonly publishers: readonly (Pick<Publisher, 'failure' | 'plan' | 'circuit'> & { readonly name: string })[]
}): Promise<readonly PartHealth[]> {
  const { store, index, sources, watches, deliverers, publishers } = parts
  const storeUp = store.isUp()
  return [
    storePart(storeUp, store, parts.redisFailure()),
    ...sources.map((source): PartHealth => {
      const name = `source ${source.name}`
      return source.isListening()
        ? { name, state: 'up' }
        : { name, state: 'down', detail: 'The listener is closed until the store is back.' }
    }),
    index.ready() && !index.lagging()
      ? { name: 'worklist', state: 'up' }
      : {
          name: 'worklist',
          state: 'degraded',
          detail: 'The index is not up to date; Orthanc answers from its snapshot.',
        },
    ...watches.map((watch): PartHealth => {
      const failure = watch.failure()
      const name = `orthanc ${watch.name}`
      return failure === undefined
        ? { name, state: 'up' }
        : { name, state: 'down', detail: whyAway(failure.error, watch.plan(), watch.circuit()), since: failure.since }
    }),
    ...publishers.map((publisher): PartHealth => {
      const failure = publisher.failure()
      const name = `target ${publisher.name}`
      if (failure === undefined) return { name, state: 'up' }
      const plan = publisher.plan()
      const detail = whyAway(failure, plan, publisher.circuit())
      return { name, state: 'down', detail, ...(plan && { since: plan.since }) }
    }),
    ...(await Promise.all(
      [...deliverers].map(async ([endpoint, deliverer]): Promise<PartHealth> => {
        const name = `destination ${endpoint}`
        const outbox = storeUp ? await store.state(endpoint).catch(() => undefined) : undefined
        if (outbox?.paused !== undefined) {
          const { by, since } = outbox.paused
          return { name, state: 'degraded', detail: `Paused by ${by}, ${outbox.waiting} waiting.`, since }
        }
        // What the store has of it every engine knows, also one that does not deliver to it.
        const plan = deliverer.held() ?? outbox?.retry
        if (plan !== undefined) {
          const detail = `No status is taken (${plan.code}). ${again(plan, deliverer.circuit(plan))}`
          return { name, state: 'down', detail, since: plan.since }
        }
        const dead = outbox?.dead ?? 0
        if (dead === 0) return { name, state: 'up' }
        return { name, state: 'degraded', detail: `${dead} status messages were refused for good (AE); they are kept.` }
      }),
    )),
  ]
}

/** With its cure where trying again will not help. */
function whyAway(error: EngineError, plan: RetryPlan | undefined, circuit: CircuitState): string {
  const parts = [error.message, error.class === 'permanent' ? error.cure : '', plan && again(plan, circuit)]
  return parts.filter(Boolean).join(' ')
}

function again({ failures, next }: RetryPlan, circuit: CircuitState): string {
  const times = failures === 1 ? 'once' : `${failures} times in a row`
  return `Failed ${times}, tried again at ${next.slice(0, 19)}Z; circuit ${circuit}.`
}

/** Short of memory it still applies and delivers; not the store that it was, it does nothing. */
function storePart(
  up: boolean,
  store: Pick<Store, 'trouble' | 'concern'>,
  redisFailure: string | undefined,
): PartHealth {
  const name = 'store'
  const trouble = store.trouble() ?? (up ? store.concern() : undefined)
  if (trouble === undefined) {
    if (up) return { name, state: 'up' }
    return { name, state: 'down', detail: redisFailure ?? 'Redis does not answer; no messages are taken.' }
  }
  return { name, state: up ? 'degraded' : 'down', detail: `${trouble.code}: ${trouble.message} ${trouble.cure}` }
}
