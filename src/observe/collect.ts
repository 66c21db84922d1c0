import type { Clock, DestinationCounts, PartHealth, Store, StoreCounters } from '../core/ports.ts'
import { messageStates } from '../core/message.ts'
import type { Instant } from '../core/ids.ts'
import type { Metrics, Sample } from './metrics.ts'

export interface Collected {
  readonly store: Pick<Store, 'counters' | 'applied' | 'pending' | 'paused' | 'cursor' | 'dirty' | 'memory'>
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

  // One reading for all that is shown of it in a scrape, so that the sums hold.
  let reading: ReturnType<typeof store.counters> | undefined
  const counters = async (): ReturnType<typeof store.counters> => {
    reading ??= store.counters().finally(() => {
      reading = undefined
    })
    return reading
  }
  const ofSources = (read: (counts: StoreCounters['sources'][number]) => number) => async () =>
    (await counters()).sources.map((counts) => ({ labels: { source: counts.source }, value: read(counts) }))
  const ofDestinations = (read: (counts: DestinationCounts) => number) => async () =>
    (await counters()).destinations.map((counts) => ({
      labels: { destination: counts.destination },
      value: read(counts),
    }))
  metrics.collect('messages', async () =>
    (await counters()).sources.flatMap((counts) =>
      messageStates.map((state) => ({ labels: { source: counts.source, state }, value: counts[state] })),
    ),
  )
  metrics.collect(
    'messages_total',
    ofSources(({ received }) => received),
  )
  metrics.collect(
    'messages_oldest_seconds',
    ofSources(({ oldestSeconds = 0 }) => oldestSeconds),
  )
  metrics.collect(
    'outbox_queued_total',
    ofDestinations(({ queued }) => queued),
  )
  metrics.collect(
    'outbox_delivered_total',
    ofDestinations(({ delivered }) => delivered),
  )
  metrics.collect(
    'outbox_discarded_total',
    ofDestinations(({ discarded }) => discarded),
  )
  metrics.collect('notices_raised_total', async () =>
    [...(await counters()).notices].map(([code, value]) => ({ labels: { code }, value })),
  )
  metrics.collect('inbox_oldest_seconds', async () => {
    const [oldest] = await store.pending(await store.applied(), 1)
    return [{ value: age(oldest?.at) }]
  })
  // Of the destinations of today also those that were never told anything.
  const outbox = (read: (counts: DestinationCounts | undefined) => number) => async (): Promise<readonly Sample[]> => {
    const { destinations: told } = await counters()
    const names = new Set([...destinations, ...told.map(({ destination }) => destination)])
    return [...names].map((name) => {
      const counts = told.find(({ destination }) => destination === name)
      return { labels: { destination: name }, value: read(counts) }
    })
  }
  metrics.collect(
    'outbox_waiting',
    outbox((counts) => counts?.waiting ?? 0),
  )
  metrics.collect(
    'outbox_dead',
    outbox((counts) => counts?.dead ?? 0),
  )
  metrics.collect(
    'outbox_oldest_seconds',
    outbox((counts) => age(counts?.oldest)),
  )
  metrics.collect('outbox_paused', () =>
    each(destinations, 'destination', async (name) => ((await store.paused(name)) === undefined ? 0 : 1)),
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
