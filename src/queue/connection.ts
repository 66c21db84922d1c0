import { Queue, Worker, type Processor, type RedisOptions, type WorkerOptions } from 'bullmq'
import type { Log } from '../core/ports.ts'

/** Milliseconds. Longer than Redis takes to answer, whatever else it does. */
const queueSilence = 5_000
/** A worker asks for jobs, and is told after 10 s at most that there are none. */
const workerSilence = 15_000

/** How to reach Redis; how often it is tried again is decided here. */
export type QueueConnection = Omit<RedisOptions, 'retryStrategy'>

export interface QueueContext {
  readonly connection: { readonly queue: RedisOptions; readonly worker: RedisOptions }
  readonly prefix: string
  readonly log: Log
}

/** Who adds a job is told at once that Redis is away; who waits for jobs waits until it is back. */
export function quietly(options: QueueConnection, silenceMilliseconds?: number): QueueContext['connection'] {
  const retryStrategy = (attempt: number): number => Math.min(50 * attempt, 1000)
  // A line that says nothing more and does not end (a machine without power, a firewall that forgot it) is given up.
  const queue = { ...options, protocol: 2, socketTimeout: silenceMilliseconds ?? queueSilence, retryStrategy } as const
  const worker = {
    ...options,
    protocol: 2,
    socketTimeout: silenceMilliseconds ?? workerSilence,
    retryStrategy,
  } as const
  return {
    queue: { ...queue, enableOfflineQueue: false, maxRetriesPerRequest: 0 },
    worker: { ...worker, maxRetriesPerRequest: null },
  }
}

/** BullMQ's names may not hold `:`; endpoint names may hold anything. */
export function queueName(kind: string, name: string): string {
  return `${kind}-${encodeURIComponent(name)}`
}

export function openQueue<T>({ connection, prefix }: QueueContext, name: string): Queue<T> {
  const queue = new Queue<T>(name, {
    connection: connection.queue,
    prefix,
    // BullMQ asks for the version once: a Redis that ends before it answers would leave a queue that takes nothing, for ever.
    // The store has looked at the version; workers ask again by themselves.
    skipVersionCheck: true,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  })
  // The store says once that Redis is away; each attempt to reconnect would say it again.
  queue.on('error', () => {})
  return queue
}

export function openWorker<T>(
  { connection, prefix }: QueueContext,
  name: string,
  processor: Processor<T>,
  options: Partial<WorkerOptions> = {},
): Worker<T> {
  const worker = new Worker<T>(name, processor, {
    connection: connection.worker,
    prefix,
    // A killed process gives its jobs back within seconds, and as often as it takes.
    lockDuration: 5000,
    stalledInterval: 5000,
    maxStalledCount: 1_000_000,
    // Seconds. A wake-up that went to a process which died with it in its hands costs the others so much.
    drainDelay: 1,
    runRetryDelay: 500,
    ...options,
  })
  worker.on('error', () => {})
  return worker
}

/** Longer than any command takes; a graceful close waits for the one that is under way. */
const closeMilliseconds = 5000

/**
 * Closes a worker whatever Redis does. Gracefully, BullMQ waits for a connection that is being
 * made again to end, which it never does (ioredis takes its timer away and says nothing).
 */
export async function closeWorker(worker: Worker): Promise<void> {
  try {
    await inTime(worker.close(!(await isConnected(worker))), closeMilliseconds)
  } catch {
    void Promise.resolve()
      .then(() => worker.disconnect())
      .catch(() => {})
  }
}

/** The same of a queue: a Redis that is away, or says nothing, need not be said goodbye to. */
export async function closeQueue(queue: Queue): Promise<void> {
  try {
    await inTime(queue.close(), closeMilliseconds)
  } catch {
    void Promise.resolve()
      .then(() => queue.disconnect())
      .catch(() => {})
  }
}

async function isConnected(worker: Worker): Promise<boolean> {
  try {
    const { status } = await inTime(worker.getBackend().connection.client, 100)
    return status === 'ready'
  } catch {
    return false
  }
}

/** Rejects when it takes longer. */
export async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('not in time')), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
