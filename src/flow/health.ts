import type { PartHealth, Store } from '../core/ports.ts'
import type { Deliverer } from './deliver.ts'
import type { Publisher } from './publish.ts'
import type { Watch } from './watch.ts'
import type { WorklistIndex } from './worklist-index.ts'

/**
 * The state of each part, as `/health/ready` shows it: one sentence each, names of
 * endpoints and codes only. Asking costs the store at most one question per destination.
 */
export async function health(parts: {
  readonly store: Pick<Store, 'isUp' | 'state'>
  /** Why the engine's own Redis does not run. */
  readonly redisFailure: () => string | undefined
  readonly index: Pick<WorklistIndex, 'ready' | 'lagging'>
  readonly sources: readonly { readonly name: string; readonly isListening: () => boolean }[]
  readonly watches: readonly Watch[]
  readonly deliverers: ReadonlyMap<string, Pick<Deliverer, 'held'>>
  readonly publishers: readonly (Pick<Publisher, 'failure'> & { readonly name: string })[]
}): Promise<readonly PartHealth[]> {
  const { store, index, sources, watches, deliverers, publishers } = parts
  const storeUp = store.isUp()
  return [
    storeUp
      ? { name: 'store', state: 'up' }
      : {
          name: 'store',
          state: 'down',
          detail: parts.redisFailure() ?? 'Redis does not answer; no messages are taken.',
        },
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
        : { name, state: 'down', detail: failure.error.message, since: failure.since }
    }),
    ...publishers.map((publisher): PartHealth => {
      const failure = publisher.failure()
      const name = `target ${publisher.name}`
      return failure === undefined ? { name, state: 'up' } : { name, state: 'down', detail: failure.message }
    }),
    ...(await Promise.all(
      [...deliverers].map(async ([endpoint, deliverer]): Promise<PartHealth> => {
        const name = `destination ${endpoint}`
        const outbox = storeUp ? await store.state(endpoint).catch(() => undefined) : undefined
        if (outbox?.paused !== undefined) {
          const { by, since } = outbox.paused
          return { name, state: 'degraded', detail: `Paused by ${by}, ${outbox.waiting} waiting.`, since }
        }
        const held = deliverer.held()
        if (held !== undefined)
          return { name, state: 'down', detail: `No status is taken (${held.code}).`, since: held.since }
        const dead = outbox?.dead ?? 0
        if (dead === 0) return { name, state: 'up' }
        return { name, state: 'degraded', detail: `${dead} status messages were refused for good (AE); they are kept.` }
      }),
    )),
  ]
}
