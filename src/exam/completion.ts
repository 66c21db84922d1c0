/**
 * How an exam begins and ends (design: Completion), and what the RIS is told: IP
 * once per order at its first started step, CM once when all steps have ended and
 * one of them was completed. It is never told what it said itself.
 */
import type { Instant } from '../core/ids.ts'
import type { Order, Study } from '../core/order.ts'
import type { Lookup, World } from '../core/world.ts'
import type { Draft } from './draft.ts'
import { hasEnded, isStarted, move, summary } from './steps.ts'

export type Told = Order['told'][number]

export function quietSubject(order: Order): string {
  return `quiet:${order.id}`
}

/** The order that a deadline is about, if it is one of ours. */
export function quietOrderId(subject: string): string | undefined {
  return subject.startsWith('quiet:') ? subject.slice('quiet:'.length) : undefined
}

/** When an order is over if no more images come. */
export function quietDue(lastImageAt: Instant, quietSeconds: number): Instant {
  const due = new Date(Date.parse(lastImageAt) + quietSeconds * 1000)
  return Number.isNaN(due.getTime()) ? lastImageAt : due.toISOString()
}

export function tell(order: Order, what: Told): Order {
  return order.told.includes(what) ? order : { ...order, told: [...order.told, what] }
}

/** IP, unless the RIS knows. */
export function announceStart(draft: Draft, order: Order, study: Study | undefined): Order {
  if (order.told.includes('IP')) return order
  const told = tell(order, 'IP')
  draft.announce('started', told, study)
  return told
}

/** CM if the order is over and the RIS does not know; no deadline is kept for what has ended. */
export function settle(draft: Draft, order: Order, study: Study | undefined): Order {
  if (order.lastImageAt !== undefined && draft.rules.completion.policy === 'quiet' && !order.steps.some(isStarted)) {
    draft.deadline(quietSubject(order), null)
  }
  const isOver = hasEnded(order) && order.steps.some((step) => step.stepStatus === 'COMPLETED')
  if (!isOver || order.told.includes('CM')) return order
  const told = tell(order, 'CM')
  draft.announce('completed', told, study)
  return told
}

/** What images of an order are a reason to wait for: silence, if that is the policy. Over already: completed now. */
export function awaitQuiet(draft: Draft, order: Order, study: Study | undefined): Order {
  const { policy, quietSeconds } = draft.rules.completion
  if (policy !== 'quiet' || order.lastImageAt === undefined || !order.steps.some(isStarted)) return order
  const due = quietDue(order.lastImageAt, quietSeconds)
  if (Date.parse(due) <= Date.parse(draft.at)) return finish(draft, order, study, 'quiet')
  draft.deadline(quietSubject(order), due)
  return order
}

/** Every started step is completed. */
export function finish(draft: Draft, order: Order, study: Study | undefined, why: string): Order {
  const finished = move(order, 'finish')
  if (finished === order) return order
  draft.note(order.id, `completed by ${why}: ${summary(finished)}`)
  return settle(draft, finished, study)
}

/**
 * A quiet deadline. One that fires before its order has been quiet for long enough
 * (images came while it waited, the setting was raised) is set anew.
 */
export function applyDeadline(draft: Draft, subject: string): void {
  const id = quietOrderId(subject)
  const order = id === undefined ? undefined : draft.world.orders({ by: 'order', id })[0]
  if (order === undefined) return
  const next = awaitQuiet(draft, order, creditedStudies(draft, order)[0])
  if (next !== order) draft.put(next, order)
}

/** Where the studies of an order are found: those that it is credited with, whatever their numbers are now, and those that have its numbers. */
export function studyLookupsOf(order: Order): readonly Lookup[] {
  const { accessionNumber } = order.numbers
  const lookups: Lookup[] = [{ by: 'studyInstanceUid', value: order.studyInstanceUid }]
  if (accessionNumber) lookups.push({ by: 'accessionNumber', value: accessionNumber })
  for (const key of order.studies ?? []) lookups.push({ by: 'study', key })
  return lookups
}

/** Studies that may hold the order's images. A Study Instance UID that was made by this very entry was asked for by nobody: nothing has it. */
export function studiesOf(world: World, order: Order): readonly Study[] {
  const found = new Map<string, Study>()
  for (const lookup of studyLookupsOf(order)) {
    if (!world.has(lookup)) continue
    for (const study of world.studies(lookup)) found.set(study.key, study)
  }
  return [...found.values()]
}

/** Studies whose images were credited to the order, newest images first. */
export function creditedStudies(draft: Draft, order: Order): readonly Study[] {
  return studiesOf(draft.world, order)
    .filter(({ credit }) => credit.kind === 'matched' && credit.orderIds.includes(order.id))
    .sort((a, b) => (a.lastImageAt < b.lastImageAt ? 1 : -1))
}
