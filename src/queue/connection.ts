import { Queue, Worker, type Processor, type RedisOptions, type WorkerOptions } from 'bullmq'
import type { Log } from '../core/ports.ts'

/** How to reach Redis; how often it is tried again is decided here. */
export type QueueConnection = Omit<RedisOptions, 'retryStrategy'>

export interface QueueContext {
  readonly connection: { readonly queue: RedisOptions; readonly worker: RedisOptions }
  readonly prefix: string
  readonly log: Log
}

/** Who adds a job is told at once that Redis is away; who waits for jobs waits until it is back. */
export function quietly(options: QueueConnection): QueueContext['connection'] {
  const retryStrategy = (attempt: number): number => Math.min(50 * attempt, 1000)
  return {
    queue: { ...options, protocol: 2, enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy },
    worker: { ...options, protocol: 2, maxRetriesPerRequest: null, retryStrategy },
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
    runRetryDelay: 500,
    ...options,
  })
  worker.on('error', () => {})
  return worker
}
