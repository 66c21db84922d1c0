import type { EngineError } from '../core/errors/index.ts'
import type { ItemId } from '../core/ids.ts'
import type { WorklistItem } from '../core/order.ts'
import type { Clock, Jobs, Log, TargetLedger, WorklistStore, WorklistTarget } from '../core/ports.ts'
import type { FlowMetrics } from './metrics.ts'

export interface PublishContext {
  readonly target: WorklistTarget
  readonly store: TargetLedger & Pick<WorklistStore, 'item' | 'items'>
  readonly jobs: Pick<Jobs, 'publish'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: FlowMetrics
}

export interface Publisher {
  /** Brings one item to its newest version; throws when the target is away, and the job is tried again. */
  bring(id: ItemId): Promise<void>
  /** Jobs for all that is marked: makes good lost jobs, and those of a target that was away for long. */
  sweep(): Promise<void>
  /** Compares what the target holds with what should be there, and marks the difference (I5). */
  reconcile(): Promise<void>
  /** The last failure, until something could be brought again. */
  failure(): EngineError | undefined
}

const sweepLimit = 2_000

/** Keeps one pushed target (folder, rest) equal to the store: the store is the truth, the target follows. */
export function createPublisher({ target, store, jobs, clock, log, metrics }: PublishContext): Publisher {
  let failure: EngineError | undefined

  async function bringNow(item: WorklistItem): Promise<void> {
    try {
      await target.bring(item)
    } catch (error) {
      const code = (error as EngineError).code
      if (failure === undefined)
        log.warn({ target: target.name, code, itemId: item.id }, 'target could not be brought up to date')
      failure = error as EngineError
      metrics.count('items_published_total', { target: target.name, result: 'failed' })
      throw error
    }
    if (failure !== undefined) log.info({ target: target.name }, 'target is brought up to date again')
    failure = undefined
    metrics.count('items_published_total', { target: target.name, result: item.served ? 'served' : 'removed' })
  }

  return {
    failure: () => failure,

    async bring(id) {
      const item = (await store.item(id)) ?? gone(id, clock)
      await bringNow(item)
      await store.clean(target.name, id, item.version)
    },

    async sweep() {
      const marked = await store.dirty(target.name, sweepLimit)
      if (marked.length > 0)
        await jobs.publish(
          target.name,
          marked.map(({ id }) => id),
        )
    },

    async reconcile() {
      const held = new Map<ItemId, number | undefined>()
      for await (const { id, version } of target.held()) held.set(id, version)
      const served = await store.servedIds()
      const drifted: ItemId[] = []
      for (let at = 0; at < served.length; at += 500) {
        const ids = served.slice(at, at + 500)
        const items = await store.items(ids)
        for (const [index, id] of ids.entries()) {
          const item = items[index]
          if (item?.served === true && held.get(id) !== item.version) drifted.push(id)
          held.delete(id)
        }
      }
      // What is left is no longer served, or no longer known.
      drifted.push(...held.keys())
      if (drifted.length === 0) return
      log.info({ target: target.name, count: drifted.length }, 'target had drifted')
      await store.soil(target.name, drifted)
      await jobs.publish(target.name, drifted)
    },
  }
}

/** An item that the store has forgotten: it is in no target. */
function gone(id: ItemId, clock: Clock): WorklistItem {
  return {
    id,
    orderId: '',
    version: Number.MAX_SAFE_INTEGER,
    stepStatus: 'EXPIRED',
    served: false,
    updatedAt: clock(),
    dataset: {},
  }
}
