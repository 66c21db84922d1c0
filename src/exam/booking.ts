/**
 * What a booking (SIU) does to an order: it says when, where and by whom, of the
 * steps that it means, and orders do not undo it (docs/explanation/exam.md,
 * "Appointments").
 */
import type { Dataset } from '../core/dataset.ts'
import type { OrderGroup, PlannedStep } from '../core/message.ts'
import type { Booked, Order, OrderNumbers, Step } from '../core/order.ts'
import { appointmentLookups } from '../core/world.ts'
import { hasValue } from '../dicom/worklist-item.ts'
import { adopt } from './adopt.ts'
import { creditedStudies, settle } from './completion.ts'
import type { Draft } from './draft.ts'
import { control, keptLong } from './group.ts'
import { holdAfter } from './hold.ts'
import { withMadeNumbers } from './made-numbers.ts'
import { calledOffBefore, cancelledBy, overtakenBy } from './overtaken.ts'
import { merge } from './patients.ts'
import { same } from './same.ts'
import { isNewer, newest, sentAt } from './sent.ts'
import { forGood, isEnded, isPlannedAgain, isWaiting, move, plan, replanned, summary } from './steps.ts'

const station = 'ScheduledStationAETitle'
const startKeywords = ['ScheduledProcedureStepStartDate', 'ScheduledProcedureStepStartTime'] as const
const scheduling: readonly string[] = [
  ...startKeywords,
  'ScheduledStationName',
  'ScheduledProcedureStepLocation',
  'ScheduledPerformingPhysicianName',
  'CommentsOnTheScheduledProcedureStep',
]

/** What a booking message says of the order as a whole. */
interface Saying {
  readonly group: OrderGroup
  readonly sent: string
  /** It is newer than all that the order has seen: it may book again what was called off. */
  readonly isNewer: boolean
}

/** A known order is booked. */
export function schedule(draft: Draft, order: Order, group: OrderGroup): void {
  const sent = sentAt(group.received)
  const saying: Saying = { group, sent, isNewer: isNewer(sent, order.sentAt) === true }
  const { steps, tooMany } = order.isBooking === true ? wholeOrder(order, saying) : stepsOf(order, saying)
  const { notMoved, left } = leftAlone(order, saying)
  const first = overtakenBy(draft, order, group)
  const said: Order = {
    ...order,
    numbers: numbered(order, group.numbers),
    request: order.isBooking === true ? merge(order.request, withoutKnown(group.request, order)) : order.request,
    steps,
    ...keptLong(order, group),
    ...holdAfter(draft, { ...order, ...first.hold }, group, isPlannedAgain(order.steps, group.steps, saying.isNewer)),
  }
  const off = calledOffBefore(draft, order, group)
  const booked = cancelledBy(order.isBooking === true ? withMadeNumbers(said, group) : said, first.cancel)
  const changed =
    off === undefined ? booked : calledOff(move(booked, 'cancel', calledOffSteps(booked, group)), booked, group)
  takeOver(draft, changed, group.numbers)
  const what = same(changed, order) ? 'changed nothing' : same(steps, order.steps) ? 'changed no step' : 'booked'
  const notes = [
    notMoved ? ', what has begun or ended is not moved' : '',
    left ? ', what was cancelled stays so' : '',
    (first.cancel ?? off) === undefined ? '' : ', its cancel came first',
    tooMany > 0 ? `, ${tooMany} services are of no step` : '',
  ]
  draft.note(order.id, `${control(group)} ${what}: ${summary(changed)}${notes.join('')}`)
  if (notMoved) warnNotMoved(draft, order)
  const newestSent = newest(newest(changed.sentAt, off?.sentAt ?? ''), sent)
  const next: Order = {
    ...changed,
    ...(newestSent === undefined ? {} : { sentAt: newestSent }),
    ...(isPlannedAgain(order.steps, group.steps, saying.isNewer) ? { plannedAgainAt: draft.at } : {}),
  }
  draft.put(next, order)
  const adopted = adopt(draft, next, false)
  draft.put(settle(draft, adopted, creditedStudies(draft, adopted)[0]), order)
}

/** The steps of an order that a booking makes, or that its cancel had called off before it came. */
export function bookedFirst(order: Order, group: OrderGroup): Order {
  const sent = sentAt(group.received)
  const steps = order.steps.map((step) => {
    const planned = group.steps.find(({ key }) => key === step.key)
    if (planned === undefined) return step
    const booked = bookingOf(step, planned, { group, sent, isNewer: true }, undefined)
    return { ...step, booked: step.stepStatus === 'CANCELED' ? { ...booked, calledOff: true as const } : booked }
  })
  return { ...order, steps, isBooking: true }
}

/**
 * An appointment is of one order: whoever had it has it no more, and what only bookings had made of it is called off.
 * Appointments that share the placer's number alone are two.
 */
export function takeOver(draft: Draft, order: Order, numbers: OrderNumbers): void {
  const others = appointmentLookups({ numbers, steps: [] }).flatMap((by) => draft.world.orders(by))
  for (const other of new Map(others.map((one) => [one.id, one])).values()) {
    if (other.id === order.id || other.patientKey !== order.patientKey || other.isUsedAgain === true) continue
    const known = [other.numbers, ...other.steps.flatMap(({ booked }) => booked ?? [])]
    if (!known.some((one) => isAppointment(one, numbers))) continue
    const isOnlyBooked = other.isBooking === true
    const waiting = new Set(other.steps.filter(isWaiting).map(({ key }) => key))
    const moved = isOnlyBooked ? move(other, 'cancel', waiting) : other
    const without: Order = {
      ...moved,
      numbers: withoutAppointment(moved.numbers, numbers),
      steps: moved.steps.map((step) =>
        step.booked === undefined ? step : { ...step, booked: withoutAppointment(step.booked, numbers) },
      ),
    }
    draft.note(other.id, `its appointment is that of order ${order.id} now: ${summary(without)}`)
    draft.put(settle(draft, without, creditedStudies(draft, without)[0]), other)
  }
}

type Appointment = Pick<OrderNumbers, 'placerAppointmentId' | 'fillerAppointmentId'>

/** The filler's number decides where both have one: several appointments may have one of the placer. */
function isAppointment(
  known: Appointment,
  { placerAppointmentId: placer, fillerAppointmentId: filler }: Appointment,
): boolean {
  if (filler && known.fillerAppointmentId) return known.fillerAppointmentId === filler
  return Boolean(placer) && known.placerAppointmentId === placer
}

function withoutAppointment<T extends Appointment>(of: T, numbers: Appointment): T {
  if (!isAppointment(of, numbers)) return of
  const { placerAppointmentId: placer, fillerAppointmentId: filler, ...rest } = of
  return {
    ...rest,
    ...(placer === undefined || placer === numbers.placerAppointmentId ? {} : { placerAppointmentId: placer }),
    ...(filler === undefined || filler === numbers.fillerAppointmentId ? {} : { fillerAppointmentId: filler }),
  } as T
}

/** What an S15 means: of the waiting steps those that its appointment was for; all, if none was booked apart. */
export function calledOffSteps(order: Order, group: OrderGroup): ReadonlySet<string> {
  return new Set(candidates(order.steps.filter(isWaiting), group).map(({ key }) => key))
}

/** The order after a booking has called off what it moved to CANCELED. */
export function calledOff(moved: Order, before: Order, group: OrderGroup): Order {
  const sent = sentAt(group.received)
  const steps = moved.steps.map((step, index) => {
    const was = before.steps[index]
    if (step.stepStatus !== 'CANCELED' || was === undefined || !isWaiting(was)) return step
    const { requested = requestedOf(step, moved.isBooking), keywords = [] } = step.booked ?? {}
    const booked: Booked = { ...appointmentOf(group), sentAt: sent, keywords, requested, calledOff: true }
    return { ...step, booked }
  })
  return { ...moved, steps }
}

/** A line that a person sees: the scheduler believes what is no longer so. */
export function warnNotMoved(draft: Draft, order: Order): void {
  draft.notice({ code: 'E617', hl7Code: 207, params: { orderId: order.id } }, [order.id])
}

/**
 * An NW or XO of an order that was booked: what the booking said of its steps stays, unless
 * the order brings a start that is news and was sent later.
 */
export function withoutUndoing(
  steps: readonly Step[],
  group: OrderGroup,
): { readonly steps: readonly Step[]; readonly planned: readonly PlannedStep[] } {
  const known = new Map(steps.map((step) => [step.key, step]))
  if (!steps.some(({ booked }) => booked !== undefined)) return { steps, planned: group.steps }
  const sent = sentAt(group.received)
  const planned = group.steps.map((said) => {
    const step = known.get(said.key)
    if (step?.booked === undefined) return said
    const { booked, ...rest } = step
    const start = startOf(said.attributes)
    const isNews = start !== '' && start !== (booked.requested ?? '') && start !== startOf(step.attributes)
    if (isNews && isNewer(sent, booked.sentAt) === true) {
      known.set(step.key, rest)
      return said
    }
    const keywords = isOfAnotherModality(step, said)
      ? booked.keywords.filter((word) => !isPlace(word))
      : booked.keywords
    known.set(step.key, { ...step, booked: { ...booked, keywords, ...(start === '' ? {} : { requested: start }) } })
    return withoutKeywords(said, step, keywords)
  })
  return { steps: steps.map((step) => known.get(step.key) ?? step), planned }
}

/** After that: what the booking called off stays so, and each step knows how orders name it. */
export function stillCalledOff(
  steps: readonly Step[],
  before: readonly Step[],
  planned: readonly PlannedStep[],
  alsoNamed: ReadonlySet<string>,
): readonly Step[] {
  const byKey = new Map(planned.map((step) => [step.key, step]))
  if (!steps.some(({ booked, key }) => booked !== undefined || byKey.get(key)?.orderedAs !== undefined)) return steps
  return steps.map((step) => {
    const said = byKey.get(step.key)
    if (said === undefined) return alsoNamed.has(step.key) || planned.length === 0 ? step : forGood(step)
    const named = said.orderedAs === undefined ? step : { ...step, orderedAs: said.orderedAs }
    const was = before.find(({ key }) => key === step.key)?.stepStatus
    const isOff = named.booked?.calledOff === true && was === 'CANCELED' && isWaiting(named)
    return isOff ? { ...named, stepStatus: 'CANCELED' } : named
  })
}

/** An order names by IDs of its own what a booking made first: by protocol code, else in their order. */
export function withOwnKeys(group: OrderGroup, order: Order): OrderGroup {
  if (group.isBooking === true || group.steps.length === 0) return group
  const named = new Map(order.steps.flatMap((step) => (step.orderedAs === undefined ? [] : [[step.orderedAs, step]])))
  if (named.size === 0 && order.isBooking !== true) return group
  const rest = order.isBooking === true ? paired(order.steps, group.steps) : new Map<PlannedStep, Step>()
  const steps = group.steps.map((said) => {
    const step = named.get(said.key) ?? rest.get(said)
    return step === undefined ? said : { ...said, key: step.key, orderedAs: said.key }
  })
  return { ...group, steps }
}

/** The booking made this order, and says all of it. */
function wholeOrder(order: Order, saying: Saying): { readonly steps: readonly Step[]; readonly tooMany: number } {
  const { group } = saying
  const pairs = paired(order.steps, group.steps)
  const said = new Map([...pairs].map(([planned, step]) => [step.key, planned]))
  const kept = order.steps.map((step) => {
    const planned = said.get(step.key)
    if (planned !== undefined) return book(step, planned, saying, true)
    if (!isWaiting(step) || group.steps.length === 0) return step
    const requested = undefined
    return { ...step, stepStatus: 'CANCELED' as const, booked: bookingOf(step, undefined, saying, requested, true) }
  })
  // What a CA has cancelled as a whole takes no further step from a booking, either.
  const isCancelled = order.steps.every(
    ({ stepStatus, booked }) => stepStatus === 'CANCELED' && booked?.calledOff !== true,
  )
  const isOver = isCancelled || (!saying.isNewer && order.steps.every(isEnded))
  const keys = new Set(order.steps.map(({ key }) => key))
  const added = (isOver ? [] : group.steps.filter((planned) => !pairs.has(planned))).map((planned) => {
    let number = keys.size + 1
    while (keys.has(String(number))) number += 1
    const step = plan({ ...planned, key: String(number) })
    keys.add(step.key)
    return { ...step, booked: bookingOf(step, planned, saying, undefined) }
  })
  return { steps: [...kept, ...added], tooMany: 0 }
}

function stepsOf(order: Order, saying: Saying): { readonly steps: readonly Step[]; readonly tooMany: number } {
  const { meant, tooMany } = meaning(order, saying)
  const steps = order.steps.map((step) => {
    const planned = meant.get(step.key)
    return planned === undefined ? step : book(step, planned, saying, false)
  })
  return { steps, tooMany }
}

/** Whether it would have moved what has begun or ended, or would bring back what was cancelled. */
function leftAlone(order: Order, saying: Saying): { readonly notMoved: boolean; readonly left: boolean } {
  const { meant } = meaning(order, saying)
  let [notMoved, left] = [false, false]
  for (const step of order.steps) {
    const planned = meant.get(step.key)
    if (planned === undefined || canBeBooked(step, saying)) continue
    const start = startOf(planned.attributes)
    if (step.stepStatus === 'CANCELED' || step.stepStatus === 'EXPIRED') left = true
    else if (start !== '' && start !== startOf(step.attributes)) notMoved = true
  }
  return { notMoved, left }
}

/** Which steps the services of a booking mean. */
function meaning(
  order: Order,
  saying: Saying,
): { readonly meant: ReadonlyMap<string, PlannedStep>; readonly tooMany: number } {
  const { group } = saying
  const bookable = order.steps.filter((step) => canBeBooked(step, saying) || step.stepStatus === 'STARTED')
  const own = candidates(bookable.length > 0 ? bookable : order.steps, group)
  const meant = new Map<string, PlannedStep>()
  const open = (): readonly Step[] => own.filter(({ key }) => !meant.has(key))
  const unplaced: PlannedStep[] = []
  for (const planned of group.steps) {
    const codes = protocolCodes(planned.attributes)
    const step = open().find(({ attributes }) => protocolCodes(attributes).some((code) => codes.includes(code)))
    if (step === undefined) unplaced.push(planned)
    else meant.set(step.key, planned)
  }
  const requested = codesIn(order.request['RequestedProcedureCodeSequence'])
  const ofProcedure = unplaced.filter(({ attributes }) =>
    protocolCodes(attributes).some((code) => requested.includes(code)),
  )
  const alone = ofProcedure.length === 1 ? ofProcedure : group.steps.length === 1 ? unplaced : []
  if (alone[0] !== undefined) {
    for (const { key } of open()) meant.set(key, alone[0])
    return { meant, tooMany: unplaced.length - 1 }
  }
  const inOrder = open()
  for (const [at, planned] of unplaced.entries()) {
    const step = inOrder[at]
    if (step !== undefined) meant.set(step.key, planned)
  }
  return { meant, tooMany: Math.max(0, unplaced.length - inOrder.length) }
}

/** Of an order with several appointments the steps of this one, else those that no other one is for. */
function candidates(steps: readonly Step[], group: OrderGroup): readonly Step[] {
  const { placerAppointmentId, fillerAppointmentId } = group.numbers
  const isOfThis = ({ booked }: Step): boolean => booked !== undefined && isAppointment(booked, group.numbers)
  const hasOwner = ({ booked }: Step): boolean => Boolean(booked?.fillerAppointmentId || booked?.placerAppointmentId)
  const own = steps.filter(isOfThis)
  if (own.length > 0) return own
  const free = steps.filter((step) => !hasOwner(step))
  // Who has no appointment ID means the order.
  return fillerAppointmentId || placerAppointmentId ? free : steps
}

/** Each planned step with the one step it is: by protocol code, else in their order. */
function paired(steps: readonly Step[], planned: readonly PlannedStep[]): Map<PlannedStep, Step> {
  const pairs = new Map<PlannedStep, Step>()
  const free = new Set(steps)
  const take = (said: PlannedStep, step: Step): void => {
    pairs.set(said, step)
    free.delete(step)
  }
  for (const said of planned) {
    const codes = protocolCodes(said.attributes)
    const step = [...free].find(({ attributes }) => protocolCodes(attributes).some((code) => codes.includes(code)))
    if (step !== undefined) take(said, step)
  }
  for (const said of planned) {
    const [step] = free
    if (!pairs.has(said) && step !== undefined) take(said, step)
  }
  return pairs
}

function canBeBooked(step: Step, { isNewer: mayReopen }: Saying): boolean {
  if (isWaiting(step)) return true
  if (step.stepStatus === 'EXPIRED') return mayReopen
  return step.stepStatus === 'CANCELED' && step.booked?.calledOff === true && mayReopen
}

/** `isWhole`: the booking says everything of the step, not only when and where. */
function book(step: Step, planned: PlannedStep, saying: Saying, isWhole: boolean): Step {
  if (!canBeBooked(step, saying)) return step
  const { assumed: _assumed, ...rest } = step
  const said = saidOf(planned, step, isWhole)
  const attributes = merge(step.attributes, said.attributes)
  const stations = said.stations ?? step.stations
  const known = new Set([...Object.keys(said.attributes), ...(said.stations === undefined ? [] : [station])])
  const assumed = (step.assumed ?? []).filter((word) => !known.has(word))
  const requested = step.booked === undefined ? startOf(step.attributes) : step.booked.requested
  const next: Step = {
    ...rest,
    attributes,
    stations,
    ...(assumed.length === 0 ? {} : { assumed }),
    booked: bookingOf(step, planned, saying, isWhole ? undefined : requested),
  }
  const booked: Step = { ...next, stepStatus: replanned(step, next, true) }
  return same(booked, step) ? step : booked
}

/** What the booking changes: nothing that it leaves empty, unless it takes the start away. */
function saidOf(
  { attributes, stations, assumed = [] }: PlannedStep,
  step: Step,
  isWhole: boolean,
): { readonly attributes: Dataset; readonly stations: readonly string[] | undefined } {
  const isKnown = (word: string): boolean => hasValue(step.attributes[word]) && step.assumed?.includes(word) !== true
  const words = Object.entries(attributes).filter(([word, value]) => {
    if (word === 'Modality') return isWhole || !isKnown(word) ? !(assumed.includes(word) && isKnown(word)) : false
    if (!isWhole && !scheduling.includes(word)) return false
    return hasValue(value) || isWhole || isTakenAway(attributes, word)
  })
  const isAssumed = assumed.includes(station)
  const isSaid = stations.length > 0 && (!isAssumed || step.stations.length === 0)
  return { attributes: Object.fromEntries(words), stations: isSaid ? [...new Set(stations)] : undefined }
}

/** A start is taken away as a whole; a date without a time is a start. */
function isTakenAway(attributes: Dataset, word: string): boolean {
  return (startKeywords as readonly string[]).includes(word) && attributes[startKeywords[0]] === ''
}

function bookingOf(
  step: Step,
  planned: PlannedStep | undefined,
  { group, sent }: Saying,
  requested: string | undefined,
  isCalledOff = false,
): Booked {
  const said = Object.entries(planned?.attributes ?? {}).flatMap(([word, value]) =>
    scheduling.includes(word) && hasValue(value) ? [word] : [],
  )
  const isPlaced = planned !== undefined && planned.stations.length > 0 && planned.assumed?.includes(station) !== true
  const keywords = [...new Set([...(step.booked?.keywords ?? []), ...said, ...(isPlaced ? [station] : [])])].sort()
  return {
    ...appointmentOf(group),
    sentAt: sent,
    keywords,
    ...(requested === undefined || requested === '' ? {} : { requested }),
    ...(isCalledOff ? { calledOff: true } : {}),
  }
}

function appointmentOf({ numbers }: OrderGroup): Pick<Booked, 'placerAppointmentId' | 'fillerAppointmentId'> {
  const { placerAppointmentId, fillerAppointmentId } = numbers
  return {
    ...(placerAppointmentId ? { placerAppointmentId } : {}),
    ...(fillerAppointmentId ? { fillerAppointmentId } : {}),
  }
}

/** Numbers of its appointment, and those that come later; what images are found by stays. */
function numbered({ numbers: known, isBooking }: Order, said: OrderNumbers): OrderNumbers {
  const later: Partial<Record<keyof OrderNumbers, string>> = {}
  for (const word of [...orderWords, ...(isBooking === true ? imageWords : [])]) {
    const number = known[word] || said[word]
    if (number) later[word] = number
  }
  return { ...known, ...later, ...appointmentOf({ numbers: said } as OrderGroup) }
}

const orderWords = ['placerOrderNumber', 'fillerOrderNumber'] as const
const imageWords = ['accessionNumber', 'requestedProcedureId'] as const

/** What a booking says of its own order, without the numbers that the order has: images may carry them already. */
function withoutKnown(said: Dataset, { request }: Order): Dataset {
  const isKept = (word: string): boolean =>
    (word === 'AccessionNumber' || word === 'RequestedProcedureID') && hasValue(request[word])
  return Object.fromEntries(Object.entries(said).filter(([word]) => !isKept(word)))
}

function withoutKeywords(said: PlannedStep, step: Step, keywords: readonly string[]): PlannedStep {
  const attributes = Object.fromEntries(Object.entries(said.attributes).filter(([word]) => !keywords.includes(word)))
  if (!keywords.includes(station) || step.stations.length === 0) return { ...said, attributes }
  const { assumed = [], ...rest } = said
  const others = assumed.filter((word) => word !== station)
  return { ...rest, attributes, stations: step.stations, ...(others.length === 0 ? {} : { assumed: others }) }
}

function isOfAnotherModality(step: Step, said: PlannedStep): boolean {
  const [known, now] = [step.attributes['Modality'], said.attributes['Modality']]
  return hasValue(known) && hasValue(now) && known !== now && said.assumed?.includes('Modality') !== true
}

function isPlace(word: string): boolean {
  return word === station || word === 'ScheduledStationName' || word === 'ScheduledProcedureStepLocation'
}

/** What the order itself had asked for, before anybody booked. */
function requestedOf(step: Step, isBooking: true | undefined): string {
  return isBooking === true || step.booked !== undefined ? '' : startOf(step.attributes)
}

function startOf(attributes: Dataset): string {
  return startKeywords.map((word) => textOf(attributes[word])).join('')
}

function protocolCodes(attributes: Dataset): readonly string[] {
  return codesIn(attributes['ScheduledProtocolCodeSequence'])
}

function codesIn(sequence: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(sequence) ? sequence : []
  return items.flatMap((item) => {
    const code = typeof item === 'object' && item !== null ? textOf((item as Dataset)['CodeValue']) : ''
    return code === '' ? [] : [code]
  })
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
