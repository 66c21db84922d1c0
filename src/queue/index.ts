import type { Jobs, Log } from '../core/ports.ts'
import { createPublishing } from './publish.ts'
import { createSchedules } from './schedule.ts'
import { createWaking } from './wake.ts'
import { quietly, type QueueConnection } from './connection.ts'

export interface JobsOptions {
  /** ioredis options (`redisOptions` of the store): `{ path }` or `{ host, port, ... }`. */
  readonly connection: QueueConnection
  /** Of the keys in Redis, so that several engines' queues stay apart. */
  readonly prefix?: string
  readonly log: Log
  /** A line on which nothing is answered for so long is given up; shorter in tests. */
  readonly silenceMilliseconds?: number
}

/**
 * What BullMQ carries. No truth lives in a job: a wake-up that is lost is made good by
 * the drainer's and the deliverers' sweep, a publish job by the sweep over the dirty
 * marks, a scheduled run by the next one.
 */
export function createJobs(options: JobsOptions): Promise<Jobs> {
  const shared = {
    connection: quietly(options.connection, options.silenceMilliseconds),
    prefix: options.prefix ?? 'wlq',
    log: options.log,
  }
  const waking = createWaking(shared)
  const publishing = createPublishing(shared)
  const schedules = createSchedules(shared)
  return Promise.resolve({
    serve: waking.serve,
    wake: waking.wake,
    publish: publishing.publish,
    servePublish: publishing.servePublish,
    every: schedules.every,
    async close() {
      await Promise.allSettled([waking.close(), publishing.close(), schedules.close()])
    },
  })
}
