import type { Queue } from 'bullmq'
import type { Jobs } from '../core/ports.ts'
import { closeWorker, openQueue, openWorker, queueName, type QueueContext } from './connection.ts'
import { createRunner } from './runner.ts'

/** Work at intervals, in one process of all that serve it. */
export function createSchedules(context: QueueContext): Pick<Jobs, 'every' | 'close'> {
  const running = new Set<() => Promise<void>>()
  return {
    every(name, milliseconds, work) {
      const queue: Queue = openQueue(context, queueName('every', name))
      const runner = createRunner({ role: name, work, log: context.log })
      const worker = openWorker(context, queueName('every', name), async () => runner.poke())

      const schedule = async (): Promise<void> => {
        await queue.upsertJobScheduler(name, { every: milliseconds }, { name: 'run', data: null })
      }

      // Each run plans the next, in Redis: one that came back emptier than it went would run nothing any more.
      let looking = false
      const watch = setInterval(() => void look(), Math.min(Math.max(milliseconds, 500), 10_000))
      watch.unref()
      async function look(): Promise<void> {
        if (looking) return
        looking = true
        try {
          const next = (await queue.getJobScheduler(name))?.next ?? 0
          const behind = Date.now() - next
          if (behind > 3 * milliseconds + 1000) await schedule()
          // The clock was set back: what was planned by the old one would come hours late.
          if (-behind > 3 * milliseconds + 1000) {
            await queue.removeJobScheduler(name)
            await schedule()
          }
        } catch {
          // Redis is away: the next look is soon enough.
        }
        looking = false
      }

      void schedule().catch(() => {})
      const stop = async (): Promise<void> => {
        running.delete(stop)
        clearInterval(watch)
        await Promise.allSettled([closeWorker(worker), runner.stop()])
        // Redis is away: there is nothing to say goodbye to.
        await queue.close().catch(() => {})
      }
      running.add(stop)
      return Promise.resolve({ stop })
    },
    async close() {
      await Promise.allSettled([...running].map((stop) => stop()))
    },
  }
}
