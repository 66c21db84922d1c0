/**
 * What a booking (SIU) does to an order: it says when, where and by whom, of the
 * steps that it means, and orders do not undo it (docs/explanation/exam.md,
 * "Appointments").
 */
import type { Dataset } from '../core/dataset.ts'
import type { OrderGroup } from '../core/message.ts'
import type { Booked, Order, OrderNumbers, Step } from '../core/order.ts'
import { hasValue } from '../dicom/worklist-item.ts'
import { adopt } from './adopt.ts'
import { appointmentOf, takeOver } from './appointment.ts'
import { book, bookingOf, canBeBooked, startOf, type Saying } from './booked-step.ts'
import { creditedStudies, settle } from './completion.ts'
import type { Draft } from './draft.ts'
import { control, keptLong } from './group.ts'
import { holdAfter } from './hold.ts'
import { withMadeNumbers } from './made-numbers.ts'
import { candidates, meaning, paired } from './meant-steps.ts'
import { calledOffBefore, cancelledBy, overtakenBy } from './overtaken.ts'
import { merge } from './patients.ts'
import { same } from './same.ts'
import { isNewer, newest, sentAt } from './sent.ts'
import { isEnded, isPlannedAgain, isWaiting, move, plan, summary } from './steps.ts'

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

/** What an S15 means: of the waiting steps those that its appointment was for; all, if none was booked apart. An S16 means those that have begun, too. */
export function calledOffSteps(order: Order, group: OrderGroup): ReadonlySet<string> {
  const steps = group.effect === 'discontinue' ? order.steps : order.steps.filter(isWaiting)
  return new Set(candidates(steps, group).map(({ key }) => key))
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

/** What the order itself had asked for, before anybody booked. */
function requestedOf(step: Step, isBooking: true | undefined): string {
  return isBooking === true || step.booked !== undefined ? '' : startOf(step.attributes)
}
