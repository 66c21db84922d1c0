import { EngineError } from '../core/errors/index.ts'
import type { Fault } from '../core/fault.ts'
import type { InboxEntry } from '../core/inbox.ts'
import type { ItemId, MessageId, PlanId, Seq } from '../core/ids.ts'
import type { MessageState, OrderGroup, PatientAct, Verdict } from '../core/message.ts'
import type { Lease, Ledger, LoadedWorld, Log } from '../core/ports.ts'
import { lookupKey, type Change, type ExamRules, type Lookup, type World } from '../core/world.ts'
import { apply, concerns, createOverlay } from '../exam/index.ts'
import { parse, type ReadOptions } from '../hl7/index.ts'
import type { Plan } from '../mapping/types.ts'
import { attemptsAlone, attemptsInBatch, type Attempts } from './attempts.ts'
import { collapse } from './collapse.ts'
import type { FlowMetrics } from './metrics.ts'
import type { VerdictMemo } from './memo.ts'
import { pause } from './pause.ts'
import { endReplay, isReplay, judge, takeTurn } from './replay-turn.ts'

export interface DrainContext {
  readonly ledger: Ledger
  readonly rules: ExamRules
  /** The rules as they are to be applied to entries that were read before it is asked; default: `rules`. */
  rulesNow?(): Promise<ExamRules>
  /** Counts the processes that ended in the midst of applying something. */
  readonly attempts?: Attempts
  readonly memo: VerdictMemo
  /** The plan that judged a message, from this process or from the store. */
  plan(id: PlanId, source: string): Promise<Plan | undefined>
  /** How the messages of a source are read. */
  reading(source: string): ReadOptions
  readonly log: Log
  readonly metrics: FlowMetrics
  /** After each commit: which items changed and which endpoints are owed something. */
  committed(effects: { readonly items: readonly ItemId[]; readonly endpoints: readonly string[] }): void
  /** After the commit: what became of a message. */
  became?(id: MessageId, state: MessageState): void
  readonly batch?: number
  /** Between two turns at least, unless the last batch was full; default 20. */
  readonly gapMilliseconds?: number
}

/** Retention, or a store that was emptied, may overtake a turn; so many in a row are a defect. */
const mostStaleTurns = 20

/** What a batch entry brings with it: what a message says of orders and patients, or why it can say nothing. */
type Translation =
  | Said
  | { readonly kind: 'dead'; readonly fault: Fault }
  | { readonly kind: 'ignored'; readonly rule: string }

interface Said {
  readonly kind: 'said'
  readonly groups: readonly OrderGroup[]
  readonly patients: readonly PatientAct[]
}

const nothingSaid: Said = { kind: 'said', groups: [], patients: [] }

/**
 * Applies what waits in the inbox, in its order, until nothing waits (I3). A batch
 * is loaded in a few round trips, folded entry by entry over an overlay, and
 * committed as a whole under the lease's fencing token: a process that was frozen
 * and wakes up finds its commit refused.
 */
export function createDrainer(context: DrainContext): (lease: Lease) => Promise<void> {
  const { ledger, log, metrics, batch = 50, gapMilliseconds = 20 } = context
  let committedAt = Number.NEGATIVE_INFINITY
  let isBehind = false
  let tokenBefore: number | undefined

  return async function drain(lease) {
    try {
      await applyAll(lease)
    } finally {
      await context.attempts?.end()
    }
  }

  async function applyAll(lease: Lease): Promise<void> {
    await gather()
    let after: Seq = await ledger.applied()
    // What broke a batch is looked for entry by entry up to here.
    let alone: Seq = 0
    let staleTurns = 0
    /** So many processes have begun the next entry, this one too, and all others have ended there. */
    let fatal = 0
    while (lease.held()) {
      const entries = await ledger.pending(after, after < alone ? 1 : batch)
      const last = entries.at(-1)
      if (last === undefined) return
      const started = performance.now()
      let made: Made
      let outcome: Awaited<ReturnType<Ledger['commit']>>
      // Once per lease: whoever died here before has left nothing but that it had begun.
      const attempts = tokenBefore === lease.token ? 1 : ((await context.attempts?.begin(after)) ?? 1)
      tokenBefore = lease.token
      if (attempts > attemptsInBatch && entries.length > 1) {
        alone = last.seq
        fatal = attempts > attemptsAlone ? attempts : 0
        continue
      }
      if (attempts > attemptsAlone) fatal = attempts
      try {
        if (fatal > 0) throw new EngineError('E685', { count: fatal - 1 })
        const [translations, rules = context.rules] = await Promise.all([
          translateAll(context, entries),
          context.rulesNow?.(),
        ])
        made = await fold({ ...context, rules }, entries, translations)
        outcome = await ledger.commit(lease, after, last.seq, made.changes, made.known)
      } catch (error) {
        // The store is away: the next wake-up finds it all as it was.
        if (error instanceof EngineError && error.code === 'E501') throw error
        if (entries.length > 1) {
          alone = last.seq
          continue
        }
        fatal = 0
        made = { changes: park(last, error, log), known: await ledger.load([]) }
        outcome = await ledger.commit(lease, after, last.seq, made.changes, made.known)
      }
      if (outcome === 'fenced') {
        log.warn({ role: lease.role, token: lease.token }, 'commit refused: another process has the role')
        await lease.release()
        return
      }
      if (outcome === 'stale') {
        staleTurns += 1
        log.debug({ role: lease.role, count: staleTurns }, 'what was read has changed, read again')
        after = await ledger.applied()
        if (staleTurns <= mostStaleTurns || last.seq <= after) continue
        // One of them reads what is never the same: it alone is parked, by a commit that relies on nothing that was read.
        if (entries.length > 1 && alone < last.seq) {
          alone = last.seq
          staleTurns = 0
          continue
        }
        made = { changes: park(last, new EngineError('E515'), log), known: await ledger.load([]) }
        outcome = await ledger.commit(lease, after, last.seq, made.changes, made.known)
        if (outcome !== 'committed') throw new EngineError('E515')
      }
      context.attempts?.passed()
      staleTurns = 0
      committedAt = performance.now()
      isBehind = entries.length === batch
      const from = after
      after = last.seq
      metrics.observe('apply_duration_seconds', (performance.now() - started) / 1000)
      metrics.count('entries_applied_total', {}, entries.length)
      report(context, made.changes, from)
      await gather()
    }
  }

  /**
   * The first entry after a quiet moment is applied at once. In a stream, a batch of many costs
   * the store hardly more than a batch of one, and what it costs the senders wait for.
   */
  async function gather(): Promise<void> {
    const gap = committedAt + gapMilliseconds - performance.now()
    if (gap > 0 && !isBehind) await pause(gap)
  }
}

const nothingKnown: World = {
  orders: () => [],
  studies: () => [],
  patient: () => undefined,
  tombstone: () => undefined,
  has: () => false,
}

interface Made {
  readonly changes: readonly Change[]
  readonly known: LoadedWorld
}

async function fold(
  { ledger, rules, log }: DrainContext,
  entries: readonly InboxEntry[],
  translations: ReadonlyMap<Seq, Translation>,
): Promise<Made> {
  const saidBy = (entry: InboxEntry): Said => {
    const translation = translations.get(entry.seq)
    return translation?.kind === 'said' ? translation : nothingSaid
  }
  const concernsOf = (entry: InboxEntry, world: World): readonly Lookup[] => {
    const { groups, patients } = saidBy(entry)
    return concerns(entry, groups, world, patients)
  }
  const wantedOf = (world: World, loaded: ReadonlySet<string>): Lookup[] =>
    missing(
      entries.flatMap((entry) => concernsOf(entry, world)),
      loaded,
    )
  let known = await ledger.load(wantedOf(nothingKnown, new Set()))
  for (;;) {
    const wanted = wantedOf(known, known.loaded)
    if (wanted.length === 0) break
    known = await ledger.load(wanted, known)
  }
  const overlay = createOverlay(known)
  const all: Change[] = []
  for (const entry of entries) {
    // What an earlier entry of the batch made may concern this one in a way nobody could know before.
    for (;;) {
      const wanted = missing(concernsOf(entry, overlay), known.loaded)
      if (wanted.length === 0) break
      known = await ledger.load(wanted, known)
    }
    const translation = translations.get(entry.seq)
    let changes: readonly Change[]
    if (entry.kind === 'message' && translation !== undefined && translation.kind !== 'said') {
      const { messageId, source } = entry
      const state =
        translation.kind === 'ignored'
          ? ({ kind: 'ignored', rule: translation.rule } as const)
          : ({ kind: 'dead', fault: translation.fault, attempts: 1 } as const)
      changes = [{ kind: 'state', messageId, source, state }]
      if (isReplay(entry)) changes = [endReplay(entry, state)]
    } else {
      changes = applyOrPark(overlay, entry, saidBy(entry), rules, log)
      if (isReplay(entry)) {
        const orders = changes.flatMap((change): Lookup[] =>
          change.kind === 'order' ? [{ by: 'order', id: change.order.id }] : [],
        )
        known = await ledger.load(missing(orders, known.loaded), known)
        changes = takeTurn(entry, judge(overlay, entry, saidBy(entry).groups, changes), changes)
      }
    }
    overlay.fold(changes)
    all.push(...changes)
  }
  return { changes: collapse(all), known }
}

/** apply is total; should it break even so, the entry is parked and holds up nobody (I3). */
function applyOrPark(
  overlay: Parameters<typeof apply>[0],
  entry: InboxEntry,
  { groups, patients }: Said,
  rules: ExamRules,
  log: Log,
): readonly Change[] {
  try {
    return apply(overlay, entry, groups, rules, patients)
  } catch (error) {
    return park(entry, error, log)
  }
}

function park(entry: InboxEntry, error: unknown, log: Log): readonly Change[] {
  const name = error instanceof EngineError ? error.code : error instanceof Error ? error.name : 'unknown'
  const isFatal = error instanceof EngineError && error.code === 'E685'
  const fault: Fault = isFatal
    ? { code: error.code, hl7Code: 207, params: { ...error.params } }
    : { code: 'E699', hl7Code: 207, params: { error: name } }
  log.error({ seq: entry.seq, kind: entry.kind, code: fault.code, stack: stackOf(error) }, 'entry parked')
  if (entry.kind !== 'message') return [{ kind: 'notice', fault, orderIds: [] }]
  const { messageId, source } = entry
  return [{ kind: 'state', messageId, source, state: { kind: 'dead', fault, attempts: 1 } }]
}

/** The frames of a stack without its first line: the message could hold a value (I9). */
function stackOf(error: unknown): string {
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at ')) : []
  return frames
    .slice(0, 4)
    .map((line) => line.trim())
    .join(' | ')
}

function missing(lookups: readonly Lookup[], loaded: ReadonlySet<string>): Lookup[] {
  const wanted = new Map<string, Lookup>()
  for (const lookup of lookups) {
    const key = lookupKey(lookup)
    if (!loaded.has(key)) wanted.set(key, lookup)
  }
  return [...wanted.values()]
}

async function translateAll(context: DrainContext, entries: readonly InboxEntry[]): Promise<Map<Seq, Translation>> {
  const translations = new Map<Seq, Translation>()
  const again: Extract<InboxEntry, { kind: 'message' }>[] = []
  for (const entry of entries) {
    if (entry.kind !== 'message') continue
    // A replay is judged by the plan of today, not by what is remembered of the first time.
    const verdict = isReplay(entry) ? undefined : context.memo.take(entry.messageId)
    if (verdict?.kind === 'accepted') translations.set(entry.seq, said(verdict))
    else again.push(entry)
  }
  if (again.length === 0) return translations
  const bodies = await context.ledger.bodies(again.map((entry): MessageId => entry.messageId))
  for (const [index, entry] of again.entries()) {
    translations.set(entry.seq, await translateAgain(context, entry, bodies[index]))
  }
  return translations
}

function said({ groups, patients = [] }: Extract<Verdict, { kind: 'accepted' }>): Said {
  return { kind: 'said', groups, patients }
}

/** The same plan and the same bytes give the same verdict; anything else is a loss that a person must see. */
async function translateAgain(
  context: DrainContext,
  entry: Extract<InboxEntry, { kind: 'message' }>,
  body: Uint8Array | undefined,
): Promise<Translation> {
  const plan = await context.plan(entry.planId, entry.source)
  const parsed = body === undefined ? undefined : parse(body, plan?.reading ?? context.reading(entry.source))
  if (plan === undefined || parsed?.kind !== 'message') {
    return { kind: 'dead', fault: { code: 'E698', hl7Code: 207, params: { plan: entry.planId } } }
  }
  const { verdict } = plan.judge(parsed.message, entry.sender)
  switch (verdict.kind) {
    case 'accepted':
      return said(verdict)
    case 'ignored':
      return { kind: 'ignored', rule: verdict.rule }
    case 'invalid':
      return {
        kind: 'dead',
        fault: verdict.faults[0] ?? { code: 'E698', hl7Code: 207, params: { plan: entry.planId } },
      }
  }
}

function report({ log, metrics, committed, became }: DrainContext, changes: readonly Change[], from: Seq): void {
  const items = new Set<ItemId>()
  const endpoints = new Set<string>()
  for (const change of changes) {
    switch (change.kind) {
      case 'order':
        for (const item of change.items) if (item.version > from) items.add(item.id)
        for (const id of change.withdrawn) items.add(id)
        break
      case 'send':
        endpoints.add(change.endpoint)
        break
      case 'state':
        if (change.state.kind === 'dead')
          log.warn({ messageId: change.messageId, code: change.state.fault.code }, 'message is a dead letter')
        else log.debug({ messageId: change.messageId, state: change.state.kind }, 'message applied')
        became?.(change.messageId, change.state)
        break
      case 'notice':
        metrics.count('notices_total', { code: change.fault.code })
        log.warn({ code: change.fault.code, orderIds: change.orderIds }, 'someone should look')
        break
      case 'history':
        log.debug({ orderId: change.orderId, cause: change.cause, what: change.what }, 'order changed')
        break
      case 'patient':
      case 'study':
      case 'tombstone':
      case 'deadline':
      case 'rows':
        break
    }
  }
  if (items.size > 0 || endpoints.size > 0) committed({ items: [...items], endpoints: [...endpoints] })
}
