/**
 * NW and XO: orders are made and changed. A repeat of a known number is an update;
 * what has ended is planned again only by a newer message, and a number that is
 * used again for a later exam makes an order of its own.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { PatientKey } from '../core/ids.ts'
import type { OrderGroup } from '../core/message.ts'
import type { Order, OrderNumbers, Patient, Step } from '../core/order.ts'
import type { Dataset } from '../core/dataset.ts'
import { nameBasedUid } from '../dicom/uid.ts'
import { adopt } from './adopt.ts'
import { takeOver } from './appointment.ts'
import { bookedFirst } from './booking.ts'
import { creditedStudies, settle } from './completion.ts'
import type { Draft } from './draft.ts'
import { control, keptLong, quoted } from './group.ts'
import { holdAfter, holdAtBirth } from './hold.ts'
import { orderName } from './identify.ts'
import { stillCalledOff, withoutUndoing } from './keep-booked.ts'
import { withMadeNumbers } from './made-numbers.ts'
import { cancelledBy, overtakenBy, tombstoneHours, tombstoneOf } from './overtaken.ts'
import { changesPatient, merge, mergePatient } from './patients.ts'
import { same } from './same.ts'
import { isNewer, newest, sentAt } from './sent.ts'
import { hasEnded, isPlannedAgain, move, plan, replan, summary } from './steps.ts'

export function create(
  draft: Draft,
  entry: InboxEntry,
  group: OrderGroup,
  patient: Patient,
  number: number,
  sentAs: PatientKey = patient.key,
): Order {
  know(draft, patient, changesPatient(group))
  const { seq, at } = entry
  const studyInstanceUid = ownUid(draft, group.numbers) || madeUid(group.numbers, seq, number)
  const tombstone = tombstoneOf(draft, group)
  const said = sentAt(group.received)
  const sent = tombstone === undefined ? said : newest(tombstone.sentAt, said)
  const planned: Order = {
    id: `O${seq}-${number}`,
    version: seq,
    source: entry.kind === 'message' ? entry.source : '',
    numbers: group.numbers.studyInstanceUid ? { ...group.numbers, studyInstanceUid } : group.numbers,
    patientKey: patient.key,
    ...(sentAs === patient.key ? {} : { formerPatientKeys: [sentAs] }),
    studyInstanceUid,
    request: group.request,
    received: group.received,
    steps: uniqueSteps(group),
    told: [],
    createdAt: at,
    changedAt: at,
    ...(sent ? { sentAt: sent } : {}),
    ...holdAtBirth(draft, group, tombstoneHours),
    ...keptLong(undefined, group),
  }
  const numbered = withMadeNumbers(planned, group)
  const cancelledFirst = tombstone === undefined ? numbered : move(numbered, 'cancel')
  const order = group.isBooking === true ? bookedFirst(cancelledFirst, group) : cancelledFirst
  takeOver(draft, order, group.numbers)
  draft.put(order, undefined)
  const cancelled = tombstone === undefined ? '' : ', its cancel came first'
  const isUidRefused = (group.numbers.studyInstanceUid || studyInstanceUid) !== studyInstanceUid
  const uid = isUidRefused ? ', with a Study Instance UID of its own' : ''
  const merged = sentAs === patient.key ? '' : ', sent under a merged Patient ID'
  draft.note(order.id, `${control(group)} created: ${summary(order)}${cancelled}${merged}${uid}`)
  if (tombstone !== undefined && isDoubtful(group, tombstone.sentAt)) raiseCancelled(draft, order)
  const adopted = settle(draft, adopt(draft, order, true), undefined)
  if (adopted !== order) draft.put(adopted, undefined)
  return adopted
}

/** What a message has said of an order, in one group after the other. */
export interface SaidOfOrder {
  readonly stepKeys: ReadonlySet<string>
  /** The message is newer than what the order had seen before it. */
  readonly isNewer: boolean
  /** Steps that had not ended before this message, where it has cancelled some: what it cancels itself it may plan again. */
  readonly openBefore?: ReadonlySet<string>
}

export function update(draft: Draft, order: Order, said: OrderGroup, so: SaidOfOrder): void {
  const group = withoutStandIns(withOnlyStep(said, order, so.stepKeys), order)
  if (!changesPatient(group)) noteOtherName(draft, order, group)
  else if (group.patient !== undefined) know(draft, group.patient, true)
  const sent = sentAt(group.received)
  const studyInstanceUid = keptUid(draft, order, group.numbers)
  const first = overtakenBy(draft, order, group)
  const isAgain = isPlannedAgain(order.steps, group.steps, so.isNewer)
  // What was said of a number that the order gets now is not of the order as it ended.
  const isHeldFirst = first.hold.hold !== undefined && first.hold.hold !== order.hold
  const kept = withoutUndoing(order.steps, group)
  const { isBooking: _isBooking, ...known } = order
  const corrected: Order = {
    ...known,
    numbers: renumber(order.numbers, group.numbers, studyInstanceUid),
    studyInstanceUid,
    request: merge(order.request, group.request),
    steps: stillCalledOff(
      replan(kept.steps, kept.planned, { reopens: so.isNewer, alsoNamed: so.stepKeys, openBefore: so.openBefore }),
      order.steps,
      kept.planned,
      so.stepKeys,
    ),
    ...holdAfter(draft, { ...order, ...first.hold }, group, isAgain && !isHeldFirst),
    ...keptLong(order, group),
  }
  takeOver(draft, corrected, group.numbers)
  const changed = cancelledBy(withMadeNumbers(corrected, group), first.cancel)
  const what = same(changed, order) ? 'changed nothing' : 'updated'
  const ended = keptEnded(changed, group, so.isNewer) ? ', what has ended stays so: the message is not newer' : ''
  const uidKept = group.numbers.studyInstanceUid && group.numbers.studyInstanceUid !== studyInstanceUid
  const why = order.firstImageAt === undefined ? 'the other is of another exam' : 'it has images'
  const cancelled = first.cancel === undefined ? '' : ', its cancel came first'
  const uid = uidKept ? `, the Study Instance UID stays: ${why}` : ''
  draft.note(order.id, `${control(group)} ${what}: ${summary(changed)}${ended}${uid}${cancelled}`)
  if (!so.isNewer && isDoubtful(group, order.sentAt) && staysCancelled(changed, group)) raiseCancelled(draft, order)
  const newestSent = newest(changed.sentAt, sent)
  const next: Order = {
    ...changed,
    ...quoted(order, group, draft.seq),
    ...(newestSent === undefined ? {} : { sentAt: newestSent }),
    ...(isAgain ? { plannedAgainAt: draft.at } : {}),
  }
  draft.put(next, order)
  const adopted = adopt(draft, next, false)
  draft.put(settle(draft, adopted, creditedStudies(draft, adopted)[0]), order)
}

/**
 * Whether the group uses the number of an ended order for another exam: a newer NW
 * for a later appointment. With images the old order keeps its study (a reused
 * number never joins two); without, only another patient makes a new order. What this very message has
 * ended (RP and RO of one number) makes room whenever the new one is.
 */
export function isAnotherExam(order: Order, group: OrderGroup, so: SaidOfOrder | undefined): boolean {
  const { fillerOrderNumber, placerOrderNumber } = group.numbers
  // An appointment ID names an exam only where no order number does.
  const isNew = group.effect === 'create' || (group.effect === 'schedule' && !(fillerOrderNumber || placerOrderNumber))
  if (!isNew || group.patient === undefined || !hasEnded(order)) return false
  const wasOpen = (so?.openBefore?.size ?? 0) > 0
  if (!wasOpen && !(so?.isNewer ?? isNewer(sentAt(group.received), order.sentAt) === true)) return false
  const tookPlace =
    order.firstImageAt !== undefined ||
    order.steps.some((step) => step.stepStatus === 'COMPLETED' || step.stepStatus === 'DISCONTINUED')
  const isLaterExam = wasOpen || isLater(group.steps, order.steps)
  return (tookPlace || group.patient.key !== order.patientKey) && isLaterExam
}

/** A step without an ID is the first of its order, key `1`. The only step of a message and the only one of its order are one step, if either has no ID. */
function withOnlyStep(group: OrderGroup, order: Order, named: ReadonlySet<string>): OrderGroup {
  const [said, ...moreSaid] = group.steps
  const [known, ...moreKnown] = order.steps
  if (said === undefined || known === undefined || moreSaid.length > 0 || moreKnown.length > 0) return group
  if (named.has(known.key) || (said.key !== '1' && known.key !== '1')) return group
  return { ...group, steps: [{ ...said, key: known.key }] }
}

/**
 * Where a message has no accession number of its own, pipelines let the order's number
 * stand in for it. A better number that is known stays: images carry it.
 */
export function withoutStandIns(
  group: OrderGroup,
  order: Pick<OrderGroup, 'numbers' | 'request' | 'steps'>,
): OrderGroup {
  const { fillerOrderNumber, placerOrderNumber } = group.numbers
  const own = [fillerOrderNumber, placerOrderNumber]
  // Who has an accession number alone has no other number for the procedure and its step.
  const others = fillerOrderNumber || placerOrderNumber ? own : [group.numbers.accessionNumber]
  const asSent = (said: unknown): string => group.shortened?.[text(said)] ?? text(said)
  const isStandIn = (said: unknown, known: unknown, by = others): boolean =>
    said !== undefined && said !== '' && hasText(known) && by.includes(asSent(said))
  const numbers: Partial<Record<keyof OrderNumbers, string>> = { ...group.numbers }
  const request: Record<string, Dataset[string]> = { ...group.request }
  for (const [keyword, name] of standIns) {
    const by = name === 'accessionNumber' ? own : others
    if (isStandIn(numbers[name], order.numbers[name], by)) delete numbers[name]
    if (isStandIn(request[keyword], order.request[keyword], by)) delete request[keyword]
  }
  const steps = group.steps.map((step) => {
    const known = order.steps.find((one) => one.key === step.key)?.attributes['ScheduledProcedureStepID']
    const { ScheduledProcedureStepID: id, ...attributes } = step.attributes
    return isStandIn(id, known) ? { ...step, attributes } : step
  })
  return { ...group, numbers: { ...numbers, authority: group.numbers.authority }, request, steps }
}

const standIns = [
  ['AccessionNumber', 'accessionNumber'],
  ['RequestedProcedureID', 'requestedProcedureId'],
] as const satisfies readonly (readonly [string, keyof OrderNumbers])[]

/** Who reads why the worklist shows another name than the RIS finds the reason. */
function noteOtherName(draft: Draft, order: Order, { patient }: OrderGroup): void {
  const known = patient && draft.world.patient(patient.key)
  if (patient === undefined || known === undefined || mergePatient(known, patient) === known) return
  draft.note(order.id, 'the update describes its patient in another way: only a new order or an ADT changes patients')
}

/** By default only NW says who a patient is (IHE RAD-13: PID of an update must not change the patient); a patient that nobody knows is known from any order. */
function know(draft: Draft, patient: Patient, mayChange: boolean): void {
  const before = draft.world.patient(patient.key)
  if (before !== undefined && !mayChange) return
  const known = mergePatient(before, patient)
  if (known === before) return
  draft.putPatient(known, before)
  // Every order makes its patient known: who was unknown has none.
  if (before === undefined) return
  for (const order of draft.world.orders({ by: 'patient', key: patient.key })) {
    if (!hasEnded(order)) draft.put(order, order)
  }
}

/** The number of an order that took place means another one from now on. */
export function retire(draft: Draft, order: Order): void {
  draft.note(order.id, 'its number was used again for another exam')
  draft.put({ ...order, isUsedAgain: true }, order)
}

/** The sender's Study Instance UID, unless it is that of an exam whose number was used again: no two exams share a study. */
function ownUid({ world }: Draft, { studyInstanceUid: value }: OrderNumbers): string {
  if (!value) return ''
  return world.orders({ by: 'studyInstanceUid', value }).some(({ isUsedAgain }) => isUsedAgain === true) ? '' : value
}

function madeUid(numbers: OrderNumbers, seq: number, number: number): string {
  return nameBasedUid('order', numbers.authority, orderName(numbers) ?? '', String(seq), String(number))
}

/** A sender may name the study as long as no image has the old name. */
function keptUid(draft: Draft, order: Order, numbers: OrderNumbers): string {
  const named = numbers.studyInstanceUid
  if (!named || named === order.studyInstanceUid || order.firstImageAt !== undefined) return order.studyInstanceUid
  return ownUid(draft, numbers) || order.studyInstanceUid
}

function renumber(known: OrderNumbers, said: OrderNumbers, studyInstanceUid: string): OrderNumbers {
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== ''))
  const numbers: OrderNumbers = { ...known, ...given, authority: known.authority }
  return numbers.studyInstanceUid ? { ...numbers, studyInstanceUid } : numbers
}

/** An NW of which nobody can tell whether it knows of the cancel; an older one was overtaken, and does not. */
function isDoubtful({ effect, received }: OrderGroup, cancelledAt: string | undefined): boolean {
  return effect === 'create' && isNewer(cancelledAt, sentAt(received)) !== true
}

function staysCancelled({ steps }: Order, group: OrderGroup): boolean {
  const keys = new Set(group.steps.map((step) => step.key))
  return steps.some(({ key, stepStatus }) => keys.has(key) && stepStatus === 'CANCELED')
}

/** The patient may be on the way, and is on no worklist. */
function raiseCancelled(draft: Draft, { id }: Order): void {
  draft.notice({ code: 'E636', hl7Code: 207, params: { orderId: id } }, [id])
}

function keptEnded(order: Order, group: OrderGroup, reopens: boolean): boolean {
  const keys = new Set(group.steps.map((step) => step.key))
  if (reopens) return false
  const known = new Set(order.steps.map((step) => step.key))
  return (
    group.steps.some(({ key }) => !known.has(key)) ||
    order.steps.some((step) => step.stepStatus === 'CANCELED' && keys.has(step.key))
  )
}

/** Whether every start that is said comes after every start that was. */
function isLater(said: readonly Pick<Step, 'attributes'>[], before: readonly Pick<Step, 'attributes'>[]): boolean {
  const [saidStarts, starts] = [startsOf(said), startsOf(before)]
  const latest = starts.at(-1)
  return latest !== undefined && saidStarts[0] !== undefined && saidStarts[0] > latest
}

function startsOf(steps: readonly Pick<Step, 'attributes'>[]): readonly string[] {
  return steps
    .map(({ attributes }) => {
      return text(attributes['ScheduledProcedureStepStartDate']) + text(attributes['ScheduledProcedureStepStartTime'])
    })
    .filter((start) => start !== '')
    .sort()
}

/** One step for each key; a key that is named twice is the last one. */
function uniqueSteps(group: OrderGroup): readonly Step[] {
  return [...new Map(group.steps.map((step) => [step.key, plan(step)])).values()]
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const hasText = (value: unknown): boolean => text(value) !== ''
