import { EngineError } from '../core/errors/index.ts'
import type { ItemId, Seq } from '../core/ids.ts'
import type { WorklistItem } from '../core/order.ts'
import type { Clock, Jobs, Log, TargetLedger, WorklistStore, WorklistTarget } from '../core/ports.ts'
import type { CircuitState, RetryPlan, RetryPolicy } from '../core/retry.ts'
import { createCircuit, type Trial } from './circuit.ts'
import { failureOf } from './failure.ts'
import type { FlowMetrics } from './metrics.ts'

export interface PublishContext {
  readonly target: WorklistTarget
  readonly store: Pick<TargetLedger, 'dirty' | 'clean' | 'soil' | 'servedIds'> & Pick<WorklistStore, 'item' | 'items'>
  readonly jobs: Pick<Jobs, 'publish'>
  /** How the target is tried again while it is away. */
  readonly retry: RetryPolicy
  readonly random?: () => number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: FlowMetrics
}

export interface Publisher {
  /**
   * Brings one item to its newest version. Throws when the target turns out to be away; while it is known
   * to be, it does nothing. The mark stays, and it is brought when the target is back.
   */
  bring(id: ItemId): Promise<void>
  /** Jobs for all that is marked: makes good lost jobs. For a target that is away, for a few that show whether it is back. */
  sweep(): Promise<void>
  /** Compares what the target holds with what should be there, and marks the difference (I5). */
  reconcile(): Promise<void>
  /** Why the target does not have all items: it is away, or it cannot take one of them. */
  failure(): EngineError | undefined
  circuit(): CircuitState
  /** How it is being tried again, while it is away. */
  plan(): RetryPlan | undefined
  /** Tries nothing more by itself. */
  stop(): void
}

const sweepLimit = 2_000
const compareAtOnce = 500
/** So many marked items may be tried to see whether a target is back, one at a time: the first may be unfit. */
const probes = 20
/** These stay until a person changes something, and are said of the target, not of the item. */
const ofTheTarget: ReadonlySet<string> = new Set(['E403', 'E410', 'E417'])

/** Keeps one pushed target (folder, rest) equal to the store: the store is the truth, the target follows. */
export function createPublisher(context: PublishContext): Publisher {
  const { target, store, jobs, clock, log, metrics } = context
  const circuit = createCircuit({
    policy: () => context.retry,
    clock,
    log,
    subject: { target: target.name },
    ...(context.random === undefined ? {} : { random: context.random }),
  })
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  /** The target is away, for every item alike. */
  let away: EngineError | undefined
  /** Items that cannot be written as they are. They stay marked, and hold up nobody. */
  const unfit = new Map<ItemId, EngineError>()

  async function bringNow(item: WorklistItem, over?: Seq): Promise<'brought' | 'unfit' | 'later'> {
    const trial = circuit.admit()
    if (trial === undefined) return 'later'
    try {
      await target.bring(item, over)
    } catch (error) {
      metrics.count('items_published_total', { target: target.name, result: 'failed' })
      if (isOfTheTarget(error)) {
        isAway(trial, error)
        throw error
      }
      trial.abandoned()
      if (!unfit.has(item.id)) log.error({ target: target.name, itemId: item.id, ...failureOf(error) }, 'item is unfit')
      unfit.set(item.id, error instanceof EngineError ? error : new EngineError('E412', { itemId: item.id }))
      return 'unfit'
    }
    isBack(trial)
    unfit.delete(item.id)
    metrics.count('items_published_total', { target: target.name, result: item.served ? 'served' : 'removed' })
    return 'brought'
  }

  function isAway(trial: Trial, error: EngineError): void {
    const plan = trial.failed(error, error.code)
    if (away === undefined)
      log.warn({ target: target.name, code: error.code }, 'target could not be brought up to date')
    away = error
    lookAfter(Date.parse(plan.next) - Date.parse(clock()))
  }

  function lookAfter(milliseconds: number): void {
    clearTimeout(timer)
    if (stopped) return
    timer = setTimeout(() => void sweep().catch(() => undefined), Math.max(milliseconds, 10))
    timer.unref()
  }

  function isBack(trial: Trial): void {
    const ended = trial.succeeded()
    if (ended === undefined) return
    away = undefined
    log.info({ target: target.name }, 'target is brought up to date again')
    clearTimeout(timer)
    // All that has waited.
    void sweep().catch(() => undefined)
  }

  async function sweep(): Promise<void> {
    if (stopped || circuit.isWaiting()) return
    const isWell = circuit.plan() === undefined
    const marked = await store.dirty(target.name, sweepLimit)
    const ids = marked.map(({ id }) => id)
    const fit = isWell ? ids : ids.filter((id) => !unfit.has(id)).slice(0, probes)
    if (fit.length === 0) {
      if (!isWell) await probe()
      return
    }
    await jobs.publish(target.name, fit)
    // Another engine may take all of them: then this one has yet to see for itself.
    if (!isWell) lookAfter(context.retry.maxSeconds * 1000)
  }

  /** Nothing is there that could be brought to see whether the target is back. */
  async function probe(): Promise<void> {
    const trial = circuit.admit()
    if (trial === undefined) return
    try {
      await target.probe()
    } catch (error) {
      if (isOfTheTarget(error)) isAway(trial, error)
      else trial.abandoned()
      return
    }
    isBack(trial)
  }

  /** What the target has in another version than it should, or should not have. */
  async function difference(): Promise<Map<ItemId, Difference>> {
    // While it is away there is nothing to compare with: the sweep finds out when it is back.
    const trial = circuit.plan() === undefined ? circuit.admit() : undefined
    if (trial === undefined) return new Map()
    const held = new Map<ItemId, Seq | undefined>()
    try {
      for await (const { id, version } of target.held()) held.set(id, version)
      trial.abandoned()
    } catch (error) {
      if (isOfTheTarget(error)) isAway(trial, error)
      else trial.abandoned()
      throw error
    }
    const found = new Map<ItemId, Difference>()
    const served = await store.servedIds()
    for (let at = 0; at < served.length; at += compareAtOnce) {
      const ids = served.slice(at, at + compareAtOnce)
      const items = await store.items(ids)
      for (const [index, id] of ids.entries()) {
        const item = items[index]
        if (item?.served !== true) continue
        if (held.get(id) !== item.version) found.set(id, { held: held.get(id), wanted: item.version })
        held.delete(id)
      }
    }
    // What is left is no longer served, or no longer known.
    for (const [id, version] of held) found.set(id, { held: version, wanted: undefined })
    return found
  }

  /** Versions of which the store knows nothing: it was put back to an older state, and would be taken for late. */
  async function replaceNewer(drifted: readonly (readonly [ItemId, Difference])[]): Promise<void> {
    const items = await store.items(drifted.map(([id]) => id))
    for (const [at, [id, { held }]] of drifted.entries()) {
      const item = items[at] ?? gone(id, clock)
      if (held !== undefined && held > item.version) await bringNow(item, held)
    }
  }

  return {
    failure: () => away ?? unfit.values().next().value,
    circuit: () => circuit.state(),
    plan: () => circuit.plan(),
    stop() {
      stopped = true
      clearTimeout(timer)
    },

    async bring(id) {
      for (;;) {
        const item = await store.item(id)
        if ((await bringNow(item ?? gone(id, clock))) !== 'brought') return
        if (item !== undefined) return store.clean(target.name, id, item.version)
        // An item that is gone has no version that its mark could be compared with: it must still be gone.
        if ((await store.item(id)) === undefined) return store.clean(target.name, id, Number.MAX_SAFE_INTEGER)
      }
    },

    sweep,

    async reconcile() {
      const first = await difference()
      if (first.size === 0) return
      // What was merely on its way at the first look is there at the second.
      const second = await difference()
      const drifted = [...second].filter(([id, { held, wanted }]) => {
        const before = first.get(id)
        return before !== undefined && before.held === held && before.wanted === wanted
      })
      if (drifted.length === 0) return
      const ids = drifted.map(([id]) => id)
      log.info({ target: target.name, count: ids.length }, 'target had drifted')
      await store.soil(target.name, ids)
      await replaceNewer(drifted)
      await jobs.publish(target.name, ids)
    },
  }
}

/** The version that is there, and the one that should be; undefined: none, or one that cannot be told. */
interface Difference {
  readonly held: Seq | undefined
  readonly wanted: Seq | undefined
}

function isOfTheTarget(error: unknown): error is EngineError {
  return error instanceof EngineError && (error.class !== 'permanent' || ofTheTarget.has(error.code))
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
