import { dirname } from 'node:path'
import { EngineError } from '../core/errors/index.ts'
import type { Clock, Log, Store } from '../core/ports.ts'
import { createInbox } from './accept.ts'
import { createAttemptMarks } from './attempts.ts'
import { createIdentity } from './identity.ts'
import { migrate, migrations } from './migrate.ts'
import { createMonitor, memoryOf } from './monitor.ts'
import { checkServer } from './check.ts'
import { createConfigurations } from './configurations.ts'
import { connect, silenceMilliseconds, type RedisLocation } from './connection.ts'
import { createCounters } from './counters.ts'
import { createFeeds } from './feeds.ts'
import { createLeases } from './lease.ts'
import { createLedger } from './ledger.ts'
import { createMessageStore } from './messages.ts'
import { createOutbox } from './outbox.ts'
import { createPlanStore } from './plans.ts'
import { createReplies } from './replies.ts'
import { reindex } from './reindex.ts'
import { createReplays } from './replays.ts'
import { startRepair } from './repair.ts'
import { createRetention } from './retention.ts'
import { createSiteMemory } from './site.ts'
import { followChanges } from './stream.ts'
import { createStudyFinder } from './studies.ts'
import { createTargetLedger } from './targets.ts'
import { createTraffic } from './traffic.ts'
import { createWorklistStore } from './worklist.ts'

export { backUp, restore, type Backup } from './backup.ts'
export { isBackup, readTraffic } from './backup-traffic.ts'
export { acceptLoss, type Loss } from './loss.ts'
export { reachRedis } from './once.ts'
export { startEmbeddedRedis, type EmbeddedRedis } from './embedded.ts'
export { redisOptions, type RedisLocation } from './connection.ts'

/**
 * What the keys mean; goes up when an engine of before would misread them. A store of a newer format is left alone.
 * What leads from one to the next is in migrate.ts.
 */
export const storeFormat = migrations.at(-1)?.to ?? 1

export interface StoreOptions {
  readonly redis: RedisLocation
  /** Names of the pushed targets: items that change are marked for each. */
  readonly targets: readonly string[]
  readonly clock: Clock
  readonly log: Log
  readonly leaseMilliseconds?: number
  /** How many messages are known again (I4), default 200,000; for how long is said by retention. */
  readonly againCount?: number
  readonly commandMilliseconds?: number
  /** How far the clock may have gone on between two runs of retention; what is more is caught up with run by run. */
  readonly retentionStepMilliseconds?: number
  /** Where this engine remembers which store it works on and how far that has come; without it only while it runs. */
  readonly identityFile?: string
  /** Parts of maxmemory from which on no messages are taken, and below which they are again. */
  readonly memory?: {
    readonly closeAt?: number
    readonly openBelow?: number
    readonly lookMilliseconds?: number
    readonly leastFreeBytes?: number
  }
  /** How long to wait for Redis at the start. */
  readonly startMilliseconds?: number
}

/** All ports of the store on one Redis. Resolves when Redis has been checked and takes changes; throws E501 and E504 to E508. */
export async function createStore(options: StoreOptions): Promise<Store> {
  const { redis: location, targets, clock, log } = options
  const identity = createIdentity({ file: options.identityFile, format: storeFormat, log })
  const { seen } = identity
  const { commandMilliseconds = 5000 } = options
  const connection = connect({
    location,
    log,
    commandMilliseconds,
    prepare: ({ run }) => identity.look(run),
  })
  let concern: EngineError | undefined
  const leases = createLeases({ connection, leaseMilliseconds: options.leaseMilliseconds ?? 3000 })
  try {
    await isReady(connection, options.startMilliseconds ?? 10_000)
    concern = await checkServer(connection, log)
    await migrate({ connection, leases, log })
    identity.isUpToDate()
    await reindex({ connection, log })
  } catch (error) {
    connection.close()
    throw error
  }
  const stream = await followChanges({
    location,
    connection,
    isReplaced: identity.isReplaced,
    silenceMilliseconds: silenceMilliseconds(commandMilliseconds),
  })
  stream.onChange(seen)
  const folder = options.identityFile === undefined ? undefined : dirname(options.identityFile)
  const repair = startRepair({ connection, folder, log })
  const monitor = createMonitor({
    connection,
    identity,
    log,
    folder: 'path' in location ? folder : undefined,
    ...options.memory,
  })
  const plans = createPlanStore({ connection, now: () => Date.parse(clock()) })
  return {
    ...createInbox({ connection, seen, refusal: monitor.shortage, againCount: options.againCount ?? 200_000 }),
    lease: (role, options) => leases.lease(role, options),
    ...createLedger({
      connection,
      targets,
      seen,
      damaged: (count) => log.error({ code: 'E514', count }, 'store refused a part of a change'),
    }),
    ...createAttemptMarks({ connection }),
    ...createMessageStore({ connection }),
    ...createReplays({ connection, seen }),
    ...createReplies({ connection }),
    ...createTraffic({ connection }),
    ...createCounters({ connection }),
    ...createWorklistStore({ connection, stream }),
    ...createStudyFinder({ connection }),
    ...createSiteMemory({ connection }),
    ...createConfigurations({ connection }),
    ...createTargetLedger({ connection }),
    ...createOutbox({ connection }),
    ...createFeeds({ connection }),
    remember: (id, sources) => plans.remember(id, sources),
    recall: (id) => plans.recall(id),
    ...createRetention({ connection, targets, stepMilliseconds: options.retentionStepMilliseconds ?? 6 * 3_600_000 }),
    ping: () => connection.ping(),
    isUp: () => connection.isUp(),
    storeName: () => identity.name(),
    onHealth: (listener) => connection.onHealth(listener),
    trouble: () => (connection.isUp() ? monitor.shortage() : connection.refusal()),
    concern: () => monitor.disk() ?? concern,
    onIntake: (listener) => monitor.onIntake(listener),
    memory: () => memoryOf(connection),
    async close() {
      plans.close()
      await leases.releaseAll()
      stream.close()
      monitor.close()
      repair.stop()
      connection.close()
      identity.keep()
    },
  }
}

async function isReady(connection: ReturnType<typeof connect>, milliseconds: number): Promise<void> {
  if (connection.isUp()) return
  const refused = connection.refusal()
  if (refused !== undefined) throw refused
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(connection.refusal() ?? new EngineError('E501')), milliseconds)
    const stop = connection.onHealth((up) => {
      if (!up) return
      clearTimeout(timer)
      stop()
      resolve()
    })
    connection.onRefusal((error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}
