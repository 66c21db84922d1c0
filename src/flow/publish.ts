import { EngineError } from '../core/errors/index.ts'
import type { ItemId, Seq } from '../core/ids.ts'
import type { WorklistItem } from '../core/order.ts'
import type { Clock, Jobs, Log, TargetLedger, WorklistStore, WorklistTarget } from '../core/ports.ts'
import { failureOf } from './failure.ts'
import type { FlowMetrics } from './metrics.ts'

export interface PublishContext {
  readonly target: WorklistTarget
  readonly store: Pick<TargetLedger, 'dirty' | 'clean' | 'soil' | 'servedIds'> & Pick<WorklistStore, 'item' | 'items'>
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
  /** Why the target does not have all items: it is away, or it cannot take one of them. */
  failure(): EngineError | undefined
}

const sweepLimit = 2_000
const compareAtOnce = 500

/** Keeps one pushed target (folder, rest) equal to the store: the store is the truth, the target follows. */
export function createPublisher({ target, store, jobs, clock, log, metrics }: PublishContext): Publisher {
  /** The target is away, for every item alike. */
  let away: EngineError | undefined
  /** Items that cannot be written as they are. They stay marked, and hold up nobody. */
  const unfit = new Map<ItemId, EngineError>()

  async function bringNow(item: WorklistItem): Promise<'brought' | 'unfit'> {
    try {
      await target.bring(item)
    } catch (error) {
      metrics.count('items_published_total', { target: target.name, result: 'failed' })
      if (error instanceof EngineError && error.class === 'transient') {
        isAway(error)
        throw error
      }
      if (!unfit.has(item.id)) log.error({ target: target.name, itemId: item.id, ...failureOf(error) }, 'item is unfit')
      unfit.set(item.id, error instanceof EngineError ? error : new EngineError('E412', { itemId: item.id }))
      return 'unfit'
    }
    if (away !== undefined) log.info({ target: target.name }, 'target is brought up to date again')
    away = undefined
    unfit.delete(item.id)
    metrics.count('items_published_total', { target: target.name, result: item.served ? 'served' : 'removed' })
    return 'brought'
  }

  function isAway(error: EngineError): void {
    if (away === undefined)
      log.warn({ target: target.name, code: error.code }, 'target could not be brought up to date')
    away = error
  }

  /** What the target has in another version than it should, or should not have, with the version that it should have. */
  async function difference(): Promise<Map<ItemId, Seq | undefined>> {
    const held = new Map<ItemId, Seq | undefined>()
    try {
      for await (const { id, version } of target.held()) held.set(id, version)
    } catch (error) {
      if (error instanceof EngineError && error.class === 'transient') isAway(error)
      throw error
    }
    const found = new Map<ItemId, Seq | undefined>()
    const served = await store.servedIds()
    for (let at = 0; at < served.length; at += compareAtOnce) {
      const ids = served.slice(at, at + compareAtOnce)
      const items = await store.items(ids)
      for (const [index, id] of ids.entries()) {
        const item = items[index]
        if (item?.served !== true) continue
        if (held.get(id) !== item.version) found.set(id, item.version)
        held.delete(id)
      }
    }
    // What is left is no longer served, or no longer known.
    for (const id of held.keys()) found.set(id, undefined)
    return found
  }

  return {
    failure: () => away ?? unfit.values().next().value,

    async bring(id) {
      for (;;) {
        const item = await store.item(id)
        if ((await bringNow(item ?? gone(id, clock))) === 'unfit') return
        if (item !== undefined) return store.clean(target.name, id, item.version)
        // An item that is gone has no version that its mark could be compared with: it must still be gone.
        if ((await store.item(id)) === undefined) return store.clean(target.name, id, Number.MAX_SAFE_INTEGER)
      }
    },

    async sweep() {
      const marked = await store.dirty(target.name, sweepLimit)
      if (marked.length === 0) return
      await jobs.publish(
        target.name,
        marked.map(({ id }) => id),
      )
    },

    async reconcile() {
      const first = await difference()
      if (first.size === 0) return
      // What was merely on its way at the first look is there at the second.
      const second = await difference()
      const drifted = [...second]
        .filter(([id, version]) => first.has(id) && first.get(id) === version)
        .map(([id]) => id)
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
