import type { Queue } from 'bullmq'
import type { Jobs } from '../core/ports.ts'
import { openQueue, openWorker, queueName, type QueueContext } from './connection.ts'
import { createRunner } from './runner.ts'

/** Work at intervals, in one process of all that serve it. The schedule is written again at each connection, so that an emptied Redis costs nothing. */
export function createSchedules(context: QueueContext): Pick<Jobs, 'every' | 'close'> {
  const running = new Set<() => Promise<void>>()
  return {
    every(name, milliseconds, work) {
      const queue: Queue = openQueue(context, queueName('every', name))
      const runner = createRunner({ role: name, work, log: context.log })
      const worker = openWorker(context, queueName('every', name), async () => runner.poke())

      let retry: NodeJS.Timeout | undefined
      let stopped = false

      async function schedule(): Promise<void> {
        clearTimeout(retry)
        try {
          await queue.upsertJobScheduler(name, { every: milliseconds }, { name: 'run', data: null })
        } catch {
          // The worker's connection may be back before the queue's.
          if (!stopped) retry = setTimeout(() => void schedule(), 250).unref()
        }
      }

      worker.on('ready', () => void schedule())
      const stop = async (): Promise<void> => {
        running.delete(stop)
        stopped = true
        clearTimeout(retry)
        await Promise.allSettled([worker.close(), runner.stop()])
        await queue.close()
      }
      running.add(stop)
      return Promise.resolve({ stop })
    },
    async close() {
      await Promise.allSettled([...running].map((stop) => stop()))
    },
  }
}
