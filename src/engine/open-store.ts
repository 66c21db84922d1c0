import { join } from 'node:path'
import type { Clock, Jobs, Log, Store } from '../core/ports.ts'
import type { Settings } from '../core/settings.ts'
import { createJobs } from '../queue/index.ts'
import { createStore, redisOptions, startEmbeddedRedis, type RedisLocation } from '../store/index.ts'
import type { Ending } from './ending.ts'

export interface OpenedStore {
  readonly store: Store
  readonly jobs: Jobs
  /** Redis is a child of this process: whoever held a role on it before is dead. */
  readonly isEmbedded: boolean
  /** Why the engine's own Redis does not run. */
  redisFailure(): string | undefined
}

export interface OpenStoreContext {
  readonly settings: Pick<Settings, 'dataDir' | 'redisUrl' | 'retention'>
  /** Names of those to which changes are pushed. */
  readonly targets: readonly string[]
  readonly clock: Clock
  readonly log: Log
  readonly ending: Ending
  readonly leaseMilliseconds?: number | undefined
}

/** Redis of the site or of its own, and on it the store and the queues. */
export async function openStore(context: OpenStoreContext): Promise<OpenedStore> {
  const { settings, targets, clock, log, ending, leaseMilliseconds } = context
  const { dataDir, redisUrl } = settings
  const redis = redisUrl === '' ? await startEmbeddedRedis({ dataDir, log }) : undefined
  if (redis !== undefined) ending.later(() => redis.stop())
  const location: RedisLocation = redis === undefined ? { url: redisUrl } : { path: redis.path }
  const store = await createStore({
    redis: location,
    targets,
    clock,
    log,
    againCount: settings.retention.duplicateCount,
    identityFile: join(dataDir, 'store.json'),
    ...(leaseMilliseconds === undefined ? {} : { leaseMilliseconds }),
  })
  ending.later(() => store.close())
  ending.standsOn(store)
  const { retryStrategy: _, ...connection } = redisOptions(location)
  const jobs = await createJobs({ connection, log })
  ending.later(() => jobs.close())
  return { store, jobs, isEmbedded: redis !== undefined, redisFailure: () => redis?.failure() }
}
