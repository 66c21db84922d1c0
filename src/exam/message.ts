/**
 * A message becomes truth: each of its order groups finds its order and does to it
 * what the pipeline decided. All groups or none: a message of which one group
 * contradicts what is known is dead as a whole, and changes no order.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { OrderId, PatientKey } from '../core/ids.ts'
import type { MessageState, OrderGroup, PatientAct } from '../core/message.ts'
import type { Fault } from '../core/fault.ts'
import type { Order, Patient } from '../core/order.ts'
import type { Change, ExamRules, World } from '../core/world.ts'
import { applyPatients } from './adt.ts'
import { calledOff, calledOffSteps, schedule, warnNotMoved } from './booking.ts'
import { creditedStudies, isOver, settle, tell } from './completion.ts'
import { raise } from './credit.ts'
import { createDraft, type Draft } from './draft.ts'
import { control, quoted, withFillerNumber } from './group.ts'
import { applyHold, heldBefore, namedIn } from './hold.ts'
import { cancelledName, identifyAll } from './identify.ts'
import { withOwnKeys } from './keep-booked.ts'
import { agree, agreesWithPatient, changesPatient, isSomebodyElse, meantGroup, splitPatientKey } from './patients.ts'
import { applyNumber } from './number.ts'
import { cancelledBy, overtakenBy } from './overtaken.ts'
import { create, isAnotherExam, retire, update, type SaidOfOrder } from './planning.ts'
import { isNewer, newest, sentAt } from './sent.ts'
import { cancelledForGood, hasBegun, hasEnded, isEnded, isStopped, move, summary, type Act } from './steps.ts'
import { joined, together, type Together } from './together.ts'

type MessageEntry = Extract<InboxEntry, { kind: 'message' }>

type Outcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'ignored'; readonly rule: string }
  | { readonly kind: 'dead'; readonly fault: Fault; readonly orderIds: readonly OrderId[] }

export function applyMessage(
  world: World,
  entry: MessageEntry,
  groups: readonly OrderGroup[],
  rules: ExamRules,
  patients: readonly PatientAct[],
): Change[] {
  const { messageId, source } = entry
  const end = (state: MessageState): Change => ({ kind: 'state', messageId, source, state })
  const draft = createDraft(world, entry, rules)
  const said = new Map<OrderId, SaidOfOrder>()
  const ignored: string[] = []
  const parts = together(groups)
  for (const [index, { number, groups: own }] of parts.entries()) {
    const later = parts.slice(index + 1).flatMap((part) => part.groups)
    const outcome = applyGroups(draft, entry, own, number, said, later)
    if (outcome.kind === 'dead') {
      const { fault, orderIds } = outcome
      const refusal = createDraft(world, entry, rules)
      for (const id of orderIds) refusal.note(id, `${control(own[0])} refused: ${fault.code}`)
      refusal.notice(fault, orderIds)
      return [...refusal.changes(), end({ kind: 'dead', fault, attempts: 1 })]
    }
    if (outcome.kind === 'ignored') ignored.push(...own.map(() => outcome.rule))
  }
  const done = patients.length === 0 ? undefined : applyPatients(draft, patients)
  if (done?.kind === 'ignored') ignored.push(done.rule)
  // A group may bring the order that tells whose images are that another one left in doubt.
  for (const [study, before] of draft.doubtful()) raise(draft, study, before)
  const count = groups.length + (patients.length === 0 ? 0 : 1)
  const rule = ignored.length === count ? (ignored[0] ?? 'no-order-group') : undefined
  return [...draft.changes(), end(rule === undefined ? { kind: 'applied' } : { kind: 'ignored', rule })]
}

/** Groups of one message that one number names: each must find its order, together they change it. */
function applyGroups(
  draft: Draft,
  entry: MessageEntry,
  groups: Together['groups'],
  number: number,
  saidBefore: Map<OrderId, SaidOfOrder>,
  later: readonly OrderGroup[],
): Outcome {
  const said = joined(groups)
  const meant = meantGroup(draft.world, said)
  const { effect, patient } = meant
  if (effect === 'ignore') return { kind: 'ignored', rule: `orderControl ${control(meant)}` }
  const identity = identifyAll(
    draft.world,
    groups.length === 1 ? [meant] : groups.map((one) => meantGroup(draft.world, one)),
  )
  if (identity.kind === 'conflict') return dead('E601', { group: number }, identity.orderIds)
  const before = identity.kind === 'known' ? identity.order : undefined
  const isAnother = before !== undefined && isAnotherExam(before, meant, saidBefore.get(before.id))
  const found = isAnother ? undefined : before
  const group = found === undefined ? meant : withOwnKeys(meant, found)
  if (found !== undefined && patient !== undefined && patient.key !== found.patientKey) {
    return dead('E602', { group: number, orderId: found.id }, [found.id])
  }
  if (effect === 'hold' || effect === 'release') return applyHold(draft, found, group, effect === 'hold')
  if (effect === 'number') return applyNumber(draft, found, group, number)
  if (effect !== 'create' && effect !== 'update' && effect !== 'schedule') {
    if (found !== undefined) {
      const so = saidOf(saidBefore, found, group)
      const what = effect === 'discontinue' ? 'cancel' : effect
      if (what === 'cancel' && !so.isNewer && isPlannedBy(draft, found, later)) {
        draft.note(found.id, `${control(group)} changed nothing, its replacement is not newer: ${summary(found)}`)
        return { kind: 'applied' }
      }
      const open = found.steps.filter((step) => !isEnded(step)).map((step) => step.key)
      // What follows in the same message (RO after RP) knows of the cancel that it would undo.
      if (what === 'cancel') saidBefore.set(found.id, { ...so, openBefore: so.openBefore ?? new Set(open) })
      return act(draft, found, group, what)
    }
    if (effect === 'cancel' || effect === 'discontinue') remember(draft, group)
    return { kind: 'ignored', rule: 'unknown-order' }
  }
  const misnamed =
    patient === undefined ? undefined : ordersOfSomebodyElse(draft.world, changesPatient(group), patient, found)
  if (misnamed !== undefined) return dead('E605', { group: number }, misnamed)
  const foreign = groups
    .map((one) => foreignOrders(draft.world, one, patient?.key, found))
    .find((ids) => ids !== undefined)
  if (foreign !== undefined) return dead('E604', { group: number }, foreign)
  if (found !== undefined) {
    if (effect === 'schedule') schedule(draft, found, group)
    else update(draft, found, group, saidOf(saidBefore, found, group))
    return { kind: 'applied' }
  }
  const missing = patient === undefined ? 'patient' : group.steps.length === 0 ? 'step' : undefined
  if (patient === undefined || missing !== undefined) {
    if (effect !== 'create') return { kind: 'ignored', rule: 'unknown-order' }
    return dead('E603', { group: number, missing: missing ?? 'patient' }, [])
  }
  if (isAnother) retire(draft, before)
  const order = create(draft, entry, group, patient, number, said.patient?.key)
  saidBefore.set(order.id, { stepKeys: new Set(group.steps.map((step) => step.key)), isNewer: false })
  return { kind: 'applied' }
}

/** Start, complete, cancel: of the steps that the group names, or of all. */
function act(draft: Draft, order: Order, group: OrderGroup, what: Exclude<Act, 'finish' | 'expire'>): Outcome {
  const named = new Set([...group.steps.map((step) => step.key), ...(group.stepKeys ?? [])])
  const meant = order.steps.filter(({ key, orderedAs = key }) => named.has(key) || named.has(orderedAs))
  const keys = new Set(meant.map(({ key }) => key))
  const isBookingOff = group.isBooking === true && group.effect === 'cancel'
  const isOff = isBookingOff || (group.isBooking === true && group.effect === 'discontinue')
  const off = isOff ? calledOffSteps(order, group) : undefined
  const to = move(order, what, off ?? (keys.size > 0 ? keys : undefined), { at: draft.at })
  const isCancel = what === 'cancel'
  const moved = group.isBooking !== true ? (isCancel ? cancelledForGood(to) : to) : calledOff(to, order, group)
  if (isBookingOff && order.steps.some(hasBegun)) warnNotMoved(draft, order)
  // A status is told of an exam that takes place; who only comes may come for what was called off.
  const numbered = withFillerNumber(order, group)
  const { cancel, hold } =
    what === 'arrive' || what === 'ready'
      ? overtakenBy(draft, order, { ...group, numbers: numbered.numbers })
      : { cancel: undefined, hold: {} }
  const sent = newest(newest(order.sentAt, cancel?.sentAt ?? ''), sentAt(group.received))
  let next: Order = {
    ...cancelledBy(moved, cancel),
    ...hold,
    numbers: numbered.numbers,
    ...quoted(order, group, draft.seq),
    ...(sent === undefined ? {} : { sentAt: sent }),
  }
  draft.note(order.id, `${control(group)} ${moved === order ? 'changed no step' : 'moved steps'}: ${summary(next)}`)
  // What the RIS did itself it is not told; what it said of steps that had ended it did not do.
  if (what === 'start' && moved !== order) next = tell(next, 'IP')
  if (what === 'complete' && isOver(next)) next = tell(next, 'CM')
  if (what === 'cancel' && isStopped(moved, order)) next = tell(next, 'DC')
  draft.put(settle(draft, next, creditedStudies(draft, next)[0]), order)
  return { kind: 'applied' }
}

/**
 * Whether a later group of the message plans the very order that this one cancels (RP and RO of one number). Told
 * again after the exam began, that must not end it: only a newer message replaces what an order is by itself.
 */
function isPlannedBy({ world }: Draft, order: Order, later: readonly OrderGroup[]): boolean {
  return later.some((group) => {
    if (group.effect !== 'create') return false
    const identity = identifyAll(world, [meantGroup(world, group)])
    return identity.kind === 'known' && identity.order.id === order.id
  })
}

/** A cancel that came before its order: the order will be born cancelled. */
function remember(draft: Draft, group: OrderGroup): void {
  const key = cancelledName(group)
  if (key === undefined) return
  const sent = sentAt(group.received)
  const held = heldBefore(draft.world, key)
  draft.putTombstone({
    key,
    cause: draft.seq,
    at: draft.at,
    ...(sent === '' ? {} : { sentAt: sent }),
    ...namedIn(group),
    ...held,
  })
}

/**
 * Orders that would have a wrong name, where the message describes somebody else under a known Patient ID
 * (I11); undefined when none would. A new order may correct a patient who has no other open orders; an update
 * changes no patient, so what it makes or means would keep the name that it contradicts.
 */
function ordersOfSomebodyElse(
  world: World,
  mayChange: boolean,
  patient: Patient,
  found: Order | undefined,
): readonly OrderId[] | undefined {
  const known = world.patient(patient.key)
  if (known === undefined || !isSomebodyElse(known.attributes, patient.attributes)) return undefined
  if (!mayChange) return found === undefined ? [] : [found.id]
  const others = world
    .orders({ by: 'patient', key: patient.key })
    .filter((order) => order.id !== found?.id && !hasEnded(order))
  return others.length === 0 ? undefined : others.map((order) => order.id)
}

/** Orders of another patient in the study that this group would join; undefined when nobody else is there. */
function foreignOrders(
  world: World,
  group: OrderGroup,
  patientKey: PatientKey | undefined,
  order: Order | undefined,
): readonly OrderId[] | undefined {
  const value = group.numbers.studyInstanceUid
  const key = order?.patientKey ?? patientKey
  if (!value || key === undefined || order?.studyInstanceUid === value) return undefined
  const orders = world
    .orders({ by: 'studyInstanceUid', value })
    .filter((other) => !agree(key, splitPatientKey(other.patientKey)))
  const isTaken = world
    .studies({ by: 'studyInstanceUid', value })
    .some((study) => !study.deleted && study.patientId.trim() !== '' && !agreesWithPatient(world, key, study))
  return orders.length > 0 || isTaken ? orders.map((other) => other.id) : undefined
}

/** What this message has said of the order so far, this group included; whether it is newer was asked before its first group. */
function saidOf(all: Map<OrderId, SaidOfOrder>, order: Order, group: OrderGroup): SaidOfOrder {
  const before = all.get(order.id)
  const keys = [...(before?.stepKeys ?? []), ...group.steps.map((step) => step.key)]
  const isNewerMessage = before?.isNewer ?? isNewer(sentAt(group.received), order.sentAt) === true
  const said: SaidOfOrder = { ...before, stepKeys: new Set(keys), isNewer: isNewerMessage }
  all.set(order.id, said)
  return said
}

function dead(code: Fault['code'], params: Fault['params'], orderIds: readonly OrderId[]): Outcome {
  return { kind: 'dead', fault: { code, hl7Code: code === 'E603' ? 101 : 205, params }, orderIds }
}
