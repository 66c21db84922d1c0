import { EngineError } from '../core/errors/index.ts'
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import type { ItemId } from '../core/ids.ts'
import type { InboxEntry } from '../core/inbox.ts'
import type { Verdict } from '../core/message.ts'
import type { WorklistItem } from '../core/order.ts'
import type { Clock, Store } from '../core/ports.ts'
import type { ItemDifference, Trial, TrialItem, TryMessages } from '../core/trial.ts'
import { lookupKey, type Change, type ExamRules, type Lookup } from '../core/world.ts'
import { apply, concerns, createOverlay } from '../exam/index.ts'
import { same } from '../exam/same.ts'
import { parse, type ReadOptions } from '../hl7/index.ts'
import type { Plan } from '../mapping/types.ts'

export interface TrialContext {
  readonly store: Pick<Store, 'applied' | 'load' | 'items'>
  /** The plans in force, by source. */
  readonly plans: ReadonlyMap<string, Plan>
  /** Makes a plan of what it is made of; undefined where that is wrong. */
  readonly compile: (stored: string) => Promise<Plan | undefined>
  readonly reading: (source: string) => ReadOptions
  readonly rules: () => ExamRules
  readonly clock: Clock
}

/**
 * What messages would change, if they came now: they are judged and applied as any other, to a copy. Nothing is stored
 * or sent. Each sees what those before it have done, as a sender's messages do.
 */
export function createTrial({ store, plans, compile, reading, rules, clock }: TrialContext): TryMessages {
  // Who tries thousands asks hundred by hundred with the same plan: modalities do not wait while it is compiled anew.
  let last: { readonly stored: string; readonly plan: Plan | undefined } | undefined
  const compiled = async (stored: string): Promise<Plan | undefined> => {
    if (last?.stored !== stored) last = { stored, plan: await compile(stored) }
    return last.plan
  }
  return async function tryMessages({ source, messages, sender, plan: stored }) {
    const plan = stored === undefined ? plans.get(source) : await compiled(stored)
    if (plan === undefined) throw stored === undefined ? new EngineError('E833', { source }) : new EngineError('E851')
    let known = await store.load([])
    const overlay = createOverlay(known)
    const items = new Map<ItemId, WorklistItem>()
    let seq = await store.applied()
    const trials: Trial[] = []
    for (const bytes of messages) {
      const parsed = parse(bytes, plan.reading ?? reading(source))
      const { verdict, pipeline } =
        parsed.kind === 'message'
          ? plan.judge(parsed.message, sender)
          : {
              verdict: { kind: 'invalid', acknowledgment: 'AE', faults: [parsed.fault] } satisfies Verdict,
              pipeline: '',
            }
      if (verdict.kind !== 'accepted') {
        trials.push(untaken(verdict))
        continue
      }
      const { groups, patients = [] } = verdict
      seq += 1
      const planId = pipeline === '' ? '' : plan.id
      const entry: InboxEntry = { kind: 'message', seq, at: clock(), messageId: `M${seq}`, source, planId }
      for (;;) {
        const wanted = missing(concerns(entry, groups, overlay, patients), known.loaded)
        if (wanted.length === 0) break
        known = await store.load(wanted, known)
      }
      const changes = apply(overlay, entry, groups, rules(), patients)
      const isNew = new Map(
        changes.flatMap((one) =>
          one.kind === 'order' ? [[one.order.id, one.order.id.startsWith(`O${seq}-`)] as const] : [],
        ),
      )
      await readItems(store, changes, items)
      trials.push(trialOf(changes, isNew, items))
      overlay.fold(changes)
      for (const change of changes) if (change.kind === 'order') keep(items, change)
    }
    return trials
  }
}

function untaken(verdict: Exclude<Verdict, { kind: 'accepted' }>): Trial {
  const nothing = { faults: [], orders: [], items: [], messages: [] }
  if (verdict.kind === 'invalid') return { ...nothing, outcome: 'invalid', faults: verdict.faults }
  return { ...nothing, outcome: 'ignored', rule: verdict.rule }
}

function trialOf(
  changes: readonly Change[],
  isNew: ReadonlyMap<string, boolean>,
  before: ReadonlyMap<ItemId, WorklistItem>,
): Trial {
  const state = changes.find((change) => change.kind === 'state')?.state ?? { kind: 'applied' as const }
  const items = changes.flatMap((change) => (change.kind === 'order' ? itemsOf(change, before) : []))
  const orders = [...isNew].map(([id, fresh]) => ({ id, isNew: fresh }))
  const messages = changes.flatMap((change) =>
    change.kind === 'send'
      ? [{ endpoint: change.endpoint, ...(change.event === undefined ? {} : { event: change.event }) }]
      : [],
  )
  const seen = { orders, items, messages }
  if (state.kind === 'dead') return { outcome: 'dead', faults: [state.fault], orders: [], items: [], messages }
  if (state.kind === 'ignored') return { outcome: 'ignored', rule: state.rule, faults: [], ...seen }
  const isChange = items.length > 0 || messages.length > 0 || orders.some((order) => order.isNew)
  return { outcome: isChange ? 'applied' : 'unchanged', faults: [], ...seen }
}

type OrderChange = Extract<Change, { kind: 'order' }>

function itemsOf({ items, withdrawn, order }: OrderChange, before: ReadonlyMap<ItemId, WorklistItem>): TrialItem[] {
  const accessionNumber = order.numbers.accessionNumber ?? ''
  const changed = items.flatMap((item): TrialItem[] => {
    const was = before.get(item.id)
    const differences = differencesOf(was, item)
    if (was !== undefined && differences.length === 0) return []
    const kind =
      was === undefined
        ? 'new'
        : was.served && !item.served
          ? 'withdrawn'
          : !was.served && item.served
            ? 'shown'
            : 'changed'
    return [{ id: item.id, kind, accessionNumber, step: stepOf(item.dataset), differences }]
  })
  const gone = withdrawn.flatMap((id): TrialItem[] => {
    const was = before.get(id)
    if (was?.served !== true) return []
    return [{ id, kind: 'withdrawn', accessionNumber, step: stepOf(was.dataset), differences: [] }]
  })
  return [...changed, ...gone]
}

const sequence = 'ScheduledProcedureStepSequence'

function stepOf(dataset: Dataset): string {
  const id = flat(dataset)['ScheduledProcedureStepID']
  return typeof id === 'string' ? id : ''
}

/** Item and step on one level: no keyword stands in both. */
function flat({ [sequence]: steps, ...rest }: Dataset): Readonly<Record<string, DatasetValue>> {
  const [step] = (Array.isArray(steps) ? steps : []) as readonly Dataset[]
  return { ...rest, ...step }
}

function differencesOf(was: WorklistItem | undefined, item: WorklistItem): readonly ItemDifference[] {
  const before = was === undefined ? {} : { stepStatus: was.stepStatus, ...flat(was.dataset) }
  const after = { stepStatus: item.stepStatus, ...flat(item.dataset) }
  const all: readonly (keyof typeof after)[] = [...new Set([...Object.keys(after), ...Object.keys(before)])] as never
  return all.flatMap((attribute) => {
    const [now, becomes] = [valueOf((before as Dataset)[attribute]), valueOf((after as Dataset)[attribute])]
    return same(now, becomes) ? [] : [{ attribute, now, becomes }]
  })
}

function valueOf(value: DatasetValue | undefined): DatasetValue | null {
  return value === undefined || value === '' ? null : value
}

async function readItems(
  store: Pick<Store, 'items'>,
  changes: readonly Change[],
  items: Map<ItemId, WorklistItem>,
): Promise<void> {
  const ids = changes.flatMap((one) =>
    one.kind === 'order' ? [...one.items.map(({ id }) => id), ...one.withdrawn] : [],
  )
  const unread = ids.filter((id) => !items.has(id))
  const found = await store.items(unread)
  for (const [at, id] of unread.entries()) {
    const item = found[at]
    if (item !== undefined) items.set(id, item)
  }
}

function keep(items: Map<ItemId, WorklistItem>, { items: after, withdrawn }: OrderChange): void {
  for (const item of after) items.set(item.id, item)
  for (const id of withdrawn) items.delete(id)
}

function missing(lookups: readonly Lookup[], loaded: ReadonlySet<string>): Lookup[] {
  return [...new Map(lookups.map((lookup) => [lookupKey(lookup), lookup]))]
    .filter(([key]) => !loaded.has(key))
    .map(([, lookup]) => lookup)
}
