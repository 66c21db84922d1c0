import type { Queue } from 'bullmq'
import { EngineError } from '../core/errors/index.ts'
import type { ItemId } from '../core/ids.ts'
import type { Jobs } from '../core/ports.ts'
import { closeQueue, closeWorker, inTime, openQueue, openWorker, queueName, type QueueContext } from './connection.ts'

const chunk = 500
const addMilliseconds = 2000

/** Publish jobs: one per item and target while it waits, one more if it changes while it runs. The work reads the newest version itself. */
export function createPublishing(context: QueueContext): Pick<Jobs, 'publish' | 'servePublish' | 'close'> {
  const queues = new Map<string, Queue<{ id: ItemId }>>()
  const servers = new Set<() => Promise<void>>()

  function queueOf(target: string): Queue<{ id: ItemId }> {
    const found = queues.get(target) ?? openQueue<{ id: ItemId }>(context, queueName('publish', target))
    queues.set(target, found)
    return found
  }

  return {
    async publish(target, ids) {
      const jobs = ids.map((id) => ({
        name: 'publish',
        data: { id },
        // Tried once: when it is tried again is for the publisher, which knows how the target is. The mark stays.
        opts: { deduplication: { id, keepLastIfActive: true } },
      }))
      try {
        for (let at = 0; at < jobs.length; at += chunk) {
          // BullMQ waits for a Redis that is away; the caller goes on and leaves the items to the sweep.
          await inTime(queueOf(target).addBulk(jobs.slice(at, at + chunk)), addMilliseconds)
        }
      } catch (error) {
        throw new EngineError('E501', {}, { cause: error })
      }
    },

    servePublish(target, work) {
      const name = queueName('publish', target)
      const worker = openWorker<{ id: ItemId }>(context, name, (job) => work(job.data.id), { concurrency: 4 })
      const stop = async (): Promise<void> => {
        servers.delete(stop)
        await closeWorker(worker)
      }
      servers.add(stop)
      return Promise.resolve({ stop })
    },

    async close() {
      await Promise.allSettled([...servers].map((stop) => stop()))
      await Promise.allSettled([...queues.values()].map((queue) => closeQueue(queue)))
    },
  }
}
