/**
 * A message that a person has put into the inbox again gets its turn like any other (I3), and is judged first: what
 * would change nothing is recorded and done with (I4), what would undo something newer is refused as stale (I8).
 *
 * Newer of an order: it has seen a message with a later MSH-7; or something that came after the message has changed it
 * since. What only changed its patient does not count, nor does the replay of something that is older still: dead
 * letters of one order are replayed in their order. Newer of a patient: something later has said otherwise who it is.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { Seq } from '../core/ids.ts'
import type { MessageState, OrderGroup } from '../core/message.ts'
import type { Order, Patient } from '../core/order.ts'
import {
  handRules,
  staleReasons,
  type Difference,
  type Replay,
  type ReplayOutcome,
  type ReplayPreview,
  type StaleReason,
} from '../core/replay.ts'
import type { Change, World } from '../core/world.ts'
import { same } from '../exam/same.ts'
import { isNewer, sentAt } from '../exam/sent.ts'
import { orderDifferences, patientDifferences, quotedText } from './differences.ts'

export type MessageEntry = Extract<InboxEntry, { kind: 'message' }>
export type ReplayEntry = MessageEntry & { readonly replay: Replay }

export function isReplay(entry: InboxEntry): entry is ReplayEntry {
  return entry.kind === 'message' && entry.replay !== undefined
}

export interface Judged {
  readonly outcome: ReplayOutcome
  readonly stale?: StaleReason
  readonly state: MessageState
  readonly differences: readonly Difference[]
  readonly orders: ReplayPreview['orders']
}

/** What comes of it if it is not forced. `world`, as it was before `changes`, must know their orders by their ids. */
export function judge(
  world: World,
  entry: ReplayEntry,
  groups: readonly OrderGroup[],
  changes: readonly Change[],
): Judged {
  const { of, was } = entry.replay
  const state = changes.find((change) => change.kind === 'state')?.state ?? { kind: 'applied' }
  const said = groups.map(({ received }) => sentAt(received)).find((text) => text !== '') ?? ''
  const differences: Difference[] = []
  const orders: { id: string; isNew: boolean }[] = []
  let stale: StaleReason | undefined
  let isOtherwise = false
  for (const change of changes) {
    switch (change.kind) {
      case 'order': {
        const before = world.orders({ by: 'order', id: change.order.id })[0]
        orders.push({ id: change.order.id, isNew: before === undefined })
        if (before === undefined) {
          isOtherwise = true
          if (was.kind === 'applied') stale ??= 'order-gone'
          break
        }
        const found = orderDifferences(before, change.order)
        differences.push(...found)
        const isLate = placeOf(before) > of || isNewer(before.sentAt, said) === true
        if (found.length > 0 && isLate) stale ??= 'newer-order'
        if (found.length > 0 || (!isLate && quotedText(before) !== quotedText(change.order))) isOtherwise = true
        break
      }
      case 'patient': {
        const before = world.patient(change.patient.key)
        if (before === undefined) break
        const found = patientDifferences(before, change.patient)
        differences.push(...found)
        if (found.length > 0 && isRestated(world, before, found, of)) stale ??= 'newer-patient'
        if (found.length > 0) isOtherwise = true
        break
      }
      case 'study': {
        const before = world.studies({ by: 'study', key: change.study.key })[0]
        if (before === undefined || !same(before.credit, change.study.credit)) isOtherwise = true
        break
      }
      case 'send':
      case 'tombstone':
        isOtherwise = true
        break
      case 'state':
      case 'history':
      case 'notice':
      case 'deadline':
      case 'rows':
        break
    }
  }
  if (state.kind === 'dead') return { outcome: 'dead', state, differences: [], orders: [] }
  if (stale !== undefined) return { outcome: 'stale', stale, state, differences, orders }
  if (state.kind === 'ignored') return { outcome: 'ignored', state, differences, orders }
  return { outcome: isOtherwise ? 'applied' : 'already-applied', state, differences, orders }
}

/** The changes of a replay whose turn has come; `made` is what applying it makes. */
export function takeTurn(entry: ReplayEntry, judged: Judged, made: readonly Change[]): readonly Change[] {
  const { replay } = entry
  const { outcome, state } = judged
  if (outcome === 'stale' && replay.force !== true) return [ended(entry, refused(entry, judged), 'stale')]
  if (outcome === 'already-applied') {
    const kept: MessageState = { kind: 'ignored', rule: handRules.alreadyApplied }
    return [ended(entry, replay.was.kind === 'applied' ? replay.was : kept, outcome)]
  }
  const done = outcome === 'stale' ? (state.kind === 'ignored' ? 'ignored' : 'applied') : outcome
  return [...made.filter(({ kind }) => kind !== 'state'), ended(entry, counted(state, replay), done)]
}

/** Of a message that could not be applied, or that a rule ignores. */
export function endReplay(entry: ReplayEntry, state: MessageState): Change {
  return ended(entry, counted(state, entry.replay), state.kind === 'dead' ? 'dead' : 'ignored')
}

function ended({ messageId, source, seq, at }: ReplayEntry, state: MessageState, outcome: ReplayOutcome): Change {
  return { kind: 'state', messageId, source, state, outcome: { kind: 'outcome', seq, at, outcome } }
}

/** It is again what it was; an edit that never was anything is a dead letter, for people to decide. */
function refused({ messageId, replay }: ReplayEntry, { stale = 'newer-order' }: Judged): MessageState {
  if (replay.was.kind !== 'waiting') return replay.was
  const params = { id: messageId, why: staleReasons[stale] }
  return { kind: 'dead', fault: { code: 'E830', hl7Code: 205, params }, attempts: 1 }
}

function counted(state: MessageState, { was }: Replay): MessageState {
  if (state.kind !== 'dead') return state
  return { ...state, attempts: (was.kind === 'dead' ? was.attempts : 0) + 1 }
}

function placeOf({ asOf, version }: Order): Seq {
  return asOf ?? version
}

/** Whether something that came later has said otherwise who the patient is, or has described the patient for an order. */
function isRestated(world: World, patient: Patient, differences: readonly Difference[], of: Seq): boolean {
  const restated = Object.entries(patient.restated ?? {})
  if (differences.some(({ attribute }) => restated.some(([word, seq]) => word === attribute && seq > of))) return true
  return world
    .orders({ by: 'patient', key: patient.key })
    .some(({ id, asOf, version }) => Math.min(createdBy(id), asOf ?? version) > of)
}

function createdBy(id: string): Seq {
  return Number(/^O(\d+)-/.exec(id)?.[1] ?? 0)
}
