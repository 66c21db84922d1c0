import type { Queue } from 'bullmq'
import type { Jobs } from '../core/ports.ts'
import { closeQueue, closeWorker, inTime, openQueue, openWorker, queueName, type QueueContext } from './connection.ts'
import { createRunner } from './runner.ts'

/** Longer than Redis takes to answer, whatever else it does. */
const lookMilliseconds = 2000

/**
 * Work at intervals, in one process of all that serve it. A process in which none has begun for
 * more than three intervals begins it by itself: whatever becomes of a queue, a connection or
 * a job in Redis, the work is late, and is not lost (decision 0004).
 */
export function createSchedules(context: QueueContext): Pick<Jobs, 'every' | 'close'> {
  const running = new Set<() => Promise<void>>()
  return {
    every(name, milliseconds, work) {
      const queue: Queue = openQueue(context, queueName('every', name))
      const runner = createRunner({ role: name, work, log: context.log })
      const patience = 3 * milliseconds + 1000
      // Time that only grows: the clock of the machine may be set.
      let begun = performance.now()
      const run = (): void => {
        begun = performance.now()
        runner.poke()
      }
      const worker = openWorker(context, queueName('every', name), async () => run())

      const schedule = async (): Promise<void> => {
        await queue.upsertJobScheduler(name, { every: milliseconds }, { name: 'run', data: null })
      }

      // Each run plans the next, in Redis: one that came back emptier than it went would run nothing any more.
      let looking = false
      const watch = setInterval(
        () => {
          if (performance.now() - begun > patience) run()
          void look()
        },
        Math.min(Math.max(milliseconds, 500), 10_000),
      )
      watch.unref()
      async function look(): Promise<void> {
        if (looking) return
        looking = true
        try {
          await inTime(mend(), lookMilliseconds)
        } catch {
          // Redis is away: the next look is soon enough.
        }
        looking = false
      }
      async function mend(): Promise<void> {
        const next = (await queue.getJobScheduler(name))?.next ?? 0
        const behind = Date.now() - next
        if (behind > patience) await schedule()
        // The clock was set back: what was planned by the old one would come hours late.
        if (-behind > patience) {
          await queue.removeJobScheduler(name)
          await schedule()
        }
      }

      void schedule().catch(() => {})
      const stop = async (): Promise<void> => {
        running.delete(stop)
        clearInterval(watch)
        await Promise.allSettled([closeWorker(worker), runner.stop(), closeQueue(queue)])
      }
      running.add(stop)
      return Promise.resolve({ stop })
    },
    async close() {
      await Promise.allSettled([...running].map((stop) => stop()))
    },
  }
}
