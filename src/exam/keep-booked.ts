/**
 * What an order leaves of a booking: whoever wrote the order may not know of it
 * (docs/explanation/exam.md, "Appointments").
 */
import type { OrderGroup, PlannedStep } from '../core/message.ts'
import type { Order, Step } from '../core/order.ts'
import { hasValue } from '../dicom/worklist-item.ts'
import { startOf, station } from './booked-step.ts'
import { paired } from './meant-steps.ts'
import { isNewer, sentAt } from './sent.ts'
import { forGood, isWaiting } from './steps.ts'

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
