import type { Queue } from 'bullmq'
import type { Jobs } from '../core/ports.ts'
import { closeQueue, closeWorker, inTime, openQueue, openWorker, queueName, type QueueContext } from './connection.ts'
import { createRunner } from './runner.ts'

const addMilliseconds = 2000

/**
 * Wake-ups. A role that this process serves is poked directly; any other gets one job,
 * however often it is woken, in a queue that only its server reads.
 */
export function createWaking(context: QueueContext): Pick<Jobs, 'serve' | 'wake' | 'close'> {
  const served = new Map<string, { poke(): void; stop(): Promise<void> }>()
  const queues = new Map<string, Queue>()
  const adding = new Set<string>()
  const againAfterAdding = new Set<string>()

  function queueOf(role: string): Queue {
    const found = queues.get(role) ?? openQueue(context, queueName('wake', role))
    queues.set(role, found)
    return found
  }

  async function add(role: string): Promise<void> {
    adding.add(role)
    try {
      // A Redis that neither answers nor goes away must not be the end of all wake-ups of this role.
      const deduplication = { id: 'wake', keepLastIfActive: true }
      await inTime(queueOf(role).add('wake', null, { deduplication }), addMilliseconds)
    } catch {
      // Redis is away: the sweep of the role finds what there is to do.
    }
    adding.delete(role)
    if (againAfterAdding.delete(role)) void add(role)
  }

  return {
    wake(role) {
      const own = served.get(role)
      if (own !== undefined) own.poke()
      else if (adding.has(role)) againAfterAdding.add(role)
      else void add(role)
    },

    serve(role, work) {
      if (served.has(role)) throw new TypeError(`this process serves ${role} already`)
      const runner = createRunner({ role, work, log: context.log })
      const worker = openWorker(context, queueName('wake', role), async () => runner.poke())
      let stopping: Promise<void> | undefined
      const stop = (): Promise<void> =>
        (stopping ??= (async () => {
          served.delete(role)
          await Promise.allSettled([closeWorker(worker), runner.stop()])
        })())
      served.set(role, { poke: () => runner.poke(), stop })
      return Promise.resolve({ stop })
    },

    async close() {
      await Promise.allSettled([...served.values()].map((server) => server.stop()))
      await Promise.allSettled([...queues.values()].map((queue) => closeQueue(queue)))
    },
  }
}
