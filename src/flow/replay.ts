import { EngineError } from '../core/errors/index.ts'
import type { Fault } from '../core/fault.ts'
import type { MessageId, Seq } from '../core/ids.ts'
import type { MessageKeys, NewMessage, Verdict } from '../core/message.ts'
import type { Clock, Ledger, LoadedWorld, Log, Store } from '../core/ports.ts'
import type {
  Edit,
  Hand,
  JudgedAgain,
  KeptMessage,
  Replayed,
  Replayer,
  ReplayOutcome,
  ReplayPreview,
} from '../core/replay.ts'
import type { ExamRules, Lookup } from '../core/world.ts'
import { apply, concerns, createOverlay } from '../exam/index.ts'
import { fingerprint, first, parse, pathOf, type ReadOptions } from '../hl7/index.ts'
import type { Plan } from '../mapping/types.ts'
import { edited, textOfMessage } from './edit.ts'
import { firstState } from './first-state.ts'
import { pause } from './pause.ts'
import { judge, type ReplayEntry } from './replay-turn.ts'

export interface ReplayContext {
  readonly store: Pick<
    Store,
    | 'message'
    | 'replayMessage'
    | 'editMessage'
    | 'discardMessage'
    | 'acts'
    | 'letters'
    | 'sendAgain'
    | 'discardRefused'
    | 'applied'
    | 'load'
  >
  /** The plans in force, by source: a replay means what the message means today. */
  readonly plans: ReadonlyMap<string, Plan>
  readonly reading: (source: string) => ReadOptions
  /** Those in force now. */
  readonly rules: () => ExamRules
  readonly clock: Clock
  readonly log: Log
  /** `drain`, or `deliver:<destination>`. */
  readonly wake: (role: string) => void
  /** How long the answer waits for the turn of what was replayed; default 8 s, shorter than clients do. */
  readonly waitMilliseconds?: number
}

type Asked = { readonly by: string; readonly reason: string; readonly force: boolean }

/**
 * What people do to dead letters, invalid messages and all others that are kept (I8). A replay is an entry of the inbox
 * like any other: it has its place in the one order, it survives whatever happens to the engine, and its turn decides
 * whether it would undo something newer. What is shown before is what would happen now.
 */
export function createReplayer(context: ReplayContext): Replayer {
  const { store, plans, reading, rules, clock, log, wake, waitMilliseconds = 8000 } = context

  async function kept(id: MessageId): Promise<KeptMessage> {
    const message = await store.message(id)
    if (message === undefined) throw new EngineError('E805')
    if (message.state.kind === 'waiting') throw new EngineError('E832', { id })
    return message
  }

  /** What today's pipeline says of these bytes. */
  function judgeAgain(
    { source, sender }: Pick<KeptMessage, 'source' | 'sender'>,
    bytes: Uint8Array,
  ): JudgedAgain & { readonly verdict: Verdict } {
    const plan = plans.get(source)
    if (plan === undefined) throw new EngineError('E833', { source })
    const parsed = parse(bytes, plan.reading ?? reading(source))
    if (parsed.kind !== 'message') {
      const acknowledgment = parsed.fault.hl7Code >= 200 ? 'AR' : 'AE'
      const verdict: Verdict = { kind: 'invalid', acknowledgment, faults: [parsed.fault] }
      return { verdict, state: firstState(verdict), type: '', pipeline: '', planId: '', keys: noKeys }
    }
    const { verdict, pipeline, type, keys } = plan.judge(parsed.message, sender)
    return { verdict, state: firstState(verdict), type, pipeline, planId: pipeline === '' ? '' : plan.id, keys }
  }

  /** What is kept of it, as it came. A part is no message: what is missing may be an allergy, or an order (I11). */
  function judgeKept(message: KeptMessage): ReturnType<typeof judgeAgain> {
    const fault = partFault(message)
    const judged = judgeAgain(message, message.body)
    if (fault === undefined) return judged
    const verdict: Verdict = { kind: 'invalid', acknowledgment: 'AR', faults: [fault] }
    return { ...judged, verdict, state: firstState(verdict), pipeline: '', planId: '' }
  }

  async function previewOf(message: KeptMessage, bytes: Uint8Array): Promise<ReplayPreview> {
    const { id, source, sender } = message
    const nothing = { id, faults: [], differences: [], orders: [], messages: [] }
    const { verdict, planId } = bytes === message.body ? judgeKept(message) : judgeAgain(message, bytes)
    if (verdict.kind === 'invalid') return { ...nothing, outcome: 'invalid', faults: verdict.faults }
    if (verdict.kind === 'ignored') return { ...nothing, outcome: 'ignored', rule: verdict.rule }
    const { groups, patients = [] } = verdict
    const at = clock()
    const replay = { by: '', reason: '', of: message.place ?? message.seq, was: message.state }
    const seq = (await store.applied()) + 1
    const entry: ReplayEntry = {
      kind: 'message',
      seq,
      at,
      messageId: id,
      source,
      planId,
      ...(sender === undefined ? {} : { sender }),
      replay,
    }
    let known = await loadFor(store, (world) => concerns(entry, groups, world, patients))
    const changes = apply(createOverlay(known), entry, groups, rules(), patients)
    const orders = changes.flatMap((one): Lookup[] => (one.kind === 'order' ? [{ by: 'order', id: one.order.id }] : []))
    known = await store.load(orders, known)
    const judged = judge(known, entry, groups, changes)
    const { outcome, stale, state, differences } = judged
    return {
      id,
      outcome,
      ...(stale === undefined ? {} : { stale }),
      ...(state.kind === 'ignored' ? { rule: state.rule } : {}),
      faults: state.kind === 'dead' ? [state.fault] : [],
      differences,
      orders: judged.orders,
      messages: changes.flatMap((one) =>
        one.kind === 'send'
          ? [{ endpoint: one.endpoint, ...(one.event === undefined ? {} : { event: one.event }) }]
          : [],
      ),
    }
  }

  function corrected(message: KeptMessage, edit: Edit): Uint8Array {
    const fault = edit.kind !== 'body' ? partFault(message) : undefined
    if (fault !== undefined) throw new EngineError(fault.code, fault.params)
    return edited(message, edit, reading(message.source))
  }

  /** Puts it back without waiting for its turn. */
  async function putBack(message: KeptMessage, hand: Hand & { readonly force?: true }): Promise<Replayed> {
    const { verdict: _, ...judged } = judgeKept(message)
    const done = await store.replayMessage(message, { ...judged, type: judged.type || message.type }, hand)
    if (done.kind === 'changed') return { id: message.id, outcome: 'changed' }
    return { id: message.id, seq: done.seq, outcome: 'waiting', state: judged.state }
  }

  async function sendAgain(id: string, hand: Hand & { readonly force?: true }): Promise<Replayed> {
    const done = await store.sendAgain(id, hand)
    if (done === 'owed') wake(`deliver:${destinationOf(id)}`)
    return { id, outcome: done === 'owed' ? 'sent' : done }
  }

  /** What came of those that got a place in the inbox, or `waiting` when that takes too long. */
  async function outcomes(all: readonly Replayed[]): Promise<readonly Replayed[]> {
    // What the pipeline refuses or ignores is done with; the rest waits for its turn.
    const last = Math.max(0, ...all.map(({ seq = 0, state }) => (state?.kind === 'waiting' ? seq : 0)))
    if (last > 0) {
      wake('drain')
      await isApplied(last)
    }
    const acts = await store.acts(all.map(({ id }) => id))
    return Promise.all(
      all.map(async (one, at): Promise<Replayed> => {
        if (one.seq === undefined) return one
        const said = acts[at]?.find((act) => act.kind === 'outcome' && act.seq === one.seq)
        const { state } = (await store.message(one.id)) ?? {}
        if (state === undefined) return one
        const outcome: Replayed['outcome'] = said?.kind === 'outcome' ? said.outcome : outcomeOf(state.kind)
        return { ...one, outcome, state }
      }),
    )
  }

  async function isApplied(seq: Seq): Promise<void> {
    const end = performance.now() + waitMilliseconds
    while ((await store.applied()) < seq && performance.now() < end) await pause(20)
  }

  async function refuseStale(message: KeptMessage, bytes: Uint8Array, force: boolean): Promise<Replayed | undefined> {
    if (force) return undefined
    const preview = await previewOf(message, bytes)
    return preview.outcome === 'stale' ? { id: message.id, outcome: 'stale', preview } : undefined
  }

  return {
    async preview(id, edit) {
      const message = await kept(id)
      const bytes = edit === undefined ? message.body : corrected(message, edit)
      return { ...(await previewOf(message, bytes)), text: textOfMessage(bytes, reading(message.source)) }
    },

    async replay(id, asked) {
      if (isOutbound(id)) return sendAgain(id, handOf(asked, clock))
      const message = await kept(id)
      const stale = await refuseStale(message, message.body, asked.force)
      if (stale !== undefined) return stale
      const done = await putBack(message, handOf(asked, clock))
      if (done.outcome !== 'changed') log.info({ messageId: id, seq: done.seq }, 'message replayed by hand')
      const [ended = done] = await outcomes([done])
      if (ended.outcome !== 'stale') return ended
      // Something came between the look and its turn.
      return { ...ended, preview: await previewOf(await kept(id), message.body) }
    },

    async edit(id, edit, asked) {
      const message = await kept(id)
      const body = corrected(message, edit)
      const stale = await refuseStale(message, body, asked.force)
      if (stale !== undefined) return stale
      const hand = handOf(asked, clock)
      const { verdict, ...judged } = judgeAgain(message, body)
      const parsed = parse(body, reading(message.source))
      const header = parsed.kind === 'message' ? parsed.message : parsed.header
      const made: NewMessage = {
        ...judged,
        source: message.source,
        ...(message.sender === undefined ? {} : { sender: message.sender }),
        controlId: header === undefined ? '' : (first(header, controlIdPath)?.text ?? ''),
        fingerprint: fingerprint(body),
        body,
        at: hand.at,
        type: judged.type || message.type,
        // Nobody is sent it: this is what its sender would be told.
        acknowledgment: new Uint8Array(0),
        acknowledgmentCode: verdict.kind === 'invalid' ? verdict.acknowledgment : 'AA',
      }
      const done = await store.editMessage(message, made, hand)
      if (done.kind === 'changed') return { id, outcome: 'changed' }
      const { messageId, seq } = done
      log.info({ messageId, seq }, 'message edited by hand')
      const [ended] = await outcomes([{ id: messageId, seq, outcome: 'waiting', state: judged.state }])
      return ended ?? { id: messageId, seq, outcome: 'waiting' }
    },

    async discard(id, { by, reason }) {
      const hand = { by, reason, at: clock() }
      if (isOutbound(id)) {
        const done = await store.discardRefused(id, hand)
        return { id, outcome: done === 'discarded' ? 'ignored' : 'gone' }
      }
      const message = await kept(id)
      if (message.state.kind !== 'dead' && message.state.kind !== 'invalid') throw new EngineError('E837')
      const done = await store.discardMessage(message, hand)
      if (done.kind === 'changed') return { id, outcome: 'changed' }
      log.info({ messageId: id, seq: done.seq }, 'message discarded by hand')
      return { id, seq: done.seq, outcome: 'ignored' }
    },

    async replayAll(query, asked, { limit, after }) {
      const hand = handOf(asked, clock)
      const page = { limit, oldest: true, ...(after === undefined ? {} : { after }) } as const
      const { items, total, next } = await store.letters(query, page)
      const all: Replayed[] = []
      // One after the other: letters of one order take effect in their order.
      for (const { id } of items) all.push(await one(id, hand))
      log.info({ count: all.length, total }, 'messages replayed by hand')
      return { items: await outcomes(all), total, next }
    },
  }

  /** One of many: whatever is wrong with it costs only itself. */
  async function one(id: string, hand: Hand & { readonly force?: true }): Promise<Replayed> {
    if (isOutbound(id)) return sendAgain(id, hand)
    const message = await store.message(id)
    if (message === undefined) return { id, outcome: 'gone' }
    if (message.state.kind === 'waiting') return { id, outcome: 'waiting' }
    return putBack(message, hand)
  }
}

const noKeys: MessageKeys = { patientIds: [], accessionNumbers: [], placerOrderNumbers: [], fillerOrderNumbers: [] }
const controlIdPath = pathOf('MSH-10')

export function isOutbound(id: string): boolean {
  return !/^M\d+$/.test(id)
}

function destinationOf(id: string): string {
  return id.slice(0, id.lastIndexOf('.'))
}

/** Of a message that was too large to be kept whole. */
function partFault({ body, bytes }: KeptMessage): Fault | undefined {
  const kept = body.byteLength
  return bytes > kept ? { code: 'E849', hl7Code: 207, params: { kept, bytes } } : undefined
}

function handOf({ by, reason, force }: Asked, clock: Clock): Hand & { readonly force?: true } {
  return { by, reason, at: clock(), ...(force ? { force } : {}) }
}

function outcomeOf(kind: JudgedAgain['state']['kind']): ReplayOutcome | 'invalid' | 'waiting' {
  return kind
}

async function loadFor(
  ledger: Pick<Ledger, 'load'>,
  ask: (known: LoadedWorld) => readonly Lookup[],
): Promise<LoadedWorld> {
  let known = await ledger.load([])
  for (let wanted = ask(known); ; wanted = ask(known)) {
    const missing = wanted.filter((lookup) => !known.has(lookup))
    if (missing.length === 0) return known
    known = await ledger.load(missing, known)
  }
}

export type { Edit }
