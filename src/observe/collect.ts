import type { Clock, PartHealth, Store } from '../core/ports.ts'
import { messageStates } from '../core/message.ts'
import type { Instant } from '../core/ids.ts'
import type { Metrics, Sample } from './metrics.ts'

export interface Collected {
  readonly store: Pick<Store, 'counts' | 'applied' | 'pending' | 'state' | 'cursor' | 'dirty' | 'memory'>
  /** Names of endpoints, as the configuration calls them. */
  readonly destinations: readonly string[]
  readonly orthancs: readonly string[]
  /** Pushed targets: folder and rest. */
  readonly targets: readonly string[]
  readonly parts: () => Promise<readonly PartHealth[]>
  readonly clock: Clock
}

/** Most of what may be counted by reading it; more is shown as this many. */
const most = 10_000
const upness = { up: 1, degraded: 0.5, down: 0 } as const

/**
 * Lets metrics be read from the store at each scrape: what waits, how long, how much.
 * The store's own numbers survive a restart and are the same in every engine process.
 */
export function collect(metrics: Metrics, { store, destinations, orthancs, targets, parts, clock }: Collected): void {
  const age = (at: Instant | undefined): number =>
    at === undefined ? 0 : Math.max(0, (Date.parse(clock()) - Date.parse(at)) / 1000)

  metrics.collect('messages', async () =>
    (await store.counts()).flatMap((counts) =>
      messageStates.map((state) => ({ labels: { source: counts.source, state }, value: counts[state] })),
    ),
  )
  metrics.collect('inbox_oldest_seconds', async () => {
    const [oldest] = await store.pending(await store.applied(), 1)
    return [{ value: age(oldest?.at) }]
  })
  const outbox = (read: (state: Awaited<ReturnType<typeof store.state>>) => number) => () =>
    each(destinations, 'destination', async (destination) => read(await store.state(destination)))
  metrics.collect(
    'outbox_waiting',
    outbox(({ waiting }) => waiting),
  )
  metrics.collect(
    'outbox_dead',
    outbox(({ dead }) => dead),
  )
  metrics.collect(
    'outbox_oldest_seconds',
    outbox(({ oldest }) => age(oldest)),
  )
  metrics.collect(
    'outbox_paused',
    outbox(({ paused }) => (paused === undefined ? 0 : 1)),
  )
  // An Orthanc that was never read to its end has no lag yet; its part says why.
  metrics.collect('orthanc_feed_lag_seconds', () =>
    each(orthancs, 'orthanc', async (orthanc) => {
      const caughtUpAt = (await store.cursor(orthanc))?.caughtUpAt
      return caughtUpAt === undefined ? undefined : age(caughtUpAt)
    }),
  )
  metrics.collect('orthanc_feed_position', () =>
    each(orthancs, 'orthanc', async (orthanc) => (await store.cursor(orthanc))?.seq),
  )
  metrics.collect('target_dirty_items', () =>
    each(targets, 'target', async (target) => (await store.dirty(target, most)).length),
  )
  metrics.collect('store_memory_bytes', async () => {
    const { used, limit } = await store.memory()
    return [
      { labels: { kind: 'used' }, value: used },
      { labels: { kind: 'limit' }, value: limit },
    ]
  })
  metrics.collect('part_up', async () =>
    (await parts()).map(({ name, state }) => ({ labels: { part: name }, value: upness[state] })),
  )
}

async function each(
  names: readonly string[],
  label: string,
  read: (name: string) => Promise<number | undefined>,
): Promise<readonly Sample[]> {
  const values = await Promise.all(names.map(read))
  return names.flatMap((name, at) => {
    const value = values[at]
    return value === undefined ? [] : [{ labels: { [label]: name }, value }]
  })
}
