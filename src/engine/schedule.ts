import { checkCounters } from '../flow/count.ts'
import { acceptDue, type Watch } from '../flow/watch.ts'
import type { Destinations } from './destinations.ts'
import type { Ground } from './ground.ts'
import type { NamedPublisher } from './orthancs.ts'

/** What was lost on the way (a wake-up, a publish job) costs one of these. */
const sweepMilliseconds = 1_000
const publishSweepMilliseconds = 5_000
const retentionMilliseconds = 600_000

export interface Scheduled {
  readonly destinations: Destinations
  readonly publishers: readonly NamedPublisher[]
  readonly watches: readonly Watch[]
  /** Instead of what the settings say. */
  readonly reconcileMilliseconds?: number | undefined
}

/** What comes again and again, whatever happens. */
export async function schedule(ground: Ground, scheduled: Scheduled): Promise<void> {
  const { settings, inForce, store, jobs, clock, log, later } = ground
  const { destinations, publishers, watches, reconcileMilliseconds } = scheduled
  await every('sweep', sweepMilliseconds, sweep)
  for (const publisher of publishers) {
    const serving = await jobs.servePublish(publisher.name, (id) => publisher.bring(id))
    later(() => serving.stop())
    await every(`publish-sweep-${publisher.name}`, publishSweepMilliseconds, () => publisher.sweep())
    const { reconcileSeconds = 30 } = settings.orthancs.find(({ name }) => name === publisher.name) ?? {}
    const milliseconds = reconcileMilliseconds ?? reconcileSeconds * 1000
    await every(`reconcile-${publisher.name}`, milliseconds, () => publisher.reconcile())
  }
  for (const [at, watch] of watches.entries()) {
    const seconds = settings.orthancs[at]?.pollSeconds ?? 2
    await every(`poll-${watch.name}`, seconds * 1000, () => watch.poll())
  }
  await every('retention', retentionMilliseconds, retain)

  async function every(name: string, milliseconds: number, work: () => Promise<void>): Promise<void> {
    const running = await jobs.every(name, milliseconds, work)
    later(() => running.stop())
  }

  async function sweep(): Promise<void> {
    jobs.wake('drain')
    destinations.wake()
    const orthancs = settings.orthancs.map(({ name }) => name)
    if ((await acceptDue({ inbox: store, feeds: store, orthancs, clock })) > 0) jobs.wake('drain')
  }

  async function retain(): Promise<void> {
    await checkCounters({ store, log })
    const { messages, orders, expired } = await store.retain(clock(), inForce.site().settings.retention)
    if (expired > 0) {
      log.info({ count: expired }, 'orders whose day is long over leave the worklist')
      jobs.wake('drain')
    }
    if (messages + orders > 0) log.info({ count: messages, total: orders }, 'old messages and orders removed')
  }
}
