/**
 * The life of a Scheduled Procedure Step:
 *
 *   UNSCHEDULED → SCHEDULED → ARRIVED → READY → STARTED → COMPLETED
 *   before the first image → CANCELED, after it → DISCONTINUED
 *
 * A step that lacks what nobody may invent is UNSCHEDULED. There is no way back, except that an order message newer than the one that
 * cancelled a step may plan it again, that a person reopens what has ended, and that
 * what began by mistake is taken back.
 */
import type { Instant } from '../core/ids.ts'
import { lacksOf } from '../core/lack.ts'
import type { PlannedStep } from '../core/message.ts'
import { endedStatuses, type Order, type Step, type StepStatus } from '../core/order.ts'
import { hasValue } from '../dicom/worklist-item.ts'
import { merge } from './patients.ts'
import { same } from './same.ts'

export const flags = {
  /** An update no longer names it, but it has started: a person should look. */
  noLongerOrdered: 'no-longer-ordered',
  /** Its images were there before its order: it is never served. */
  imagesFirst: 'images-first',
} as const

export type Act = 'arrive' | 'unarrive' | 'ready' | 'start' | 'complete' | 'finish' | 'cancel' | 'expire'

const waiting = ['UNSCHEDULED', 'SCHEDULED', 'ARRIVED', 'READY'] as const satisfies readonly StepStatus[]
const fromWaiting = (to: StepStatus): Partial<Record<StepStatus, StepStatus>> => ({
  UNSCHEDULED: to,
  SCHEDULED: to,
  ARRIVED: to,
  READY: to,
})

/** Where each act takes a step; a status that is not listed stays. */
const moves: Readonly<Record<Act, Partial<Record<StepStatus, StepStatus>>>> = {
  arrive: { SCHEDULED: 'ARRIVED' },
  unarrive: { ARRIVED: 'SCHEDULED' },
  ready: { SCHEDULED: 'READY', ARRIVED: 'READY' },
  start: fromWaiting('STARTED'),
  complete: { ...fromWaiting('COMPLETED'), STARTED: 'COMPLETED' },
  /** What quiet and stable studies do: only what has started can be over. */
  finish: { STARTED: 'COMPLETED' },
  /** CA and DC (IHE RAD-13): nobody undoes a first image. */
  cancel: { ...fromWaiting('CANCELED'), STARTED: 'DISCONTINUED' },
  /** Retention: whatever has not ended by now is not waited for. */
  expire: { ...fromWaiting('EXPIRED'), STARTED: 'EXPIRED' },
}

/**
 * The order after an act on the steps named, or on all. Answers the order itself when no step moves.
 * `begun` says what started them, if it was not images.
 */
export function move(order: Order, act: Act, keys?: ReadonlySet<string>, begun?: Step['begun']): Order {
  return change(order, keys, (step) => {
    const stepStatus = moves[act][step.stepStatus]
    if (stepStatus === undefined) return step
    if (stepStatus !== 'STARTED') return { ...step, stepStatus }
    const { begun: _before, ...rest } = step
    return begun === undefined ? { ...rest, stepStatus } : { ...rest, stepStatus, begun }
  })
}

/** By hand: what has ended is open again. `wasSeen`: the order has images or a performed step. */
export function reopen(order: Order, keys: ReadonlySet<string> | undefined, wasSeen: boolean): Order {
  return change(order, keys, (step) => {
    switch (step.stepStatus) {
      case 'COMPLETED':
      case 'DISCONTINUED':
        return wasSeen ? { ...step, stepStatus: 'STARTED' } : waitAgain(step)
      case 'CANCELED':
      case 'EXPIRED':
        return waitAgain(step)
      case 'UNSCHEDULED':
      case 'SCHEDULED':
      case 'ARRIVED':
      case 'READY':
      case 'STARTED':
        return step
    }
  })
}

/** What turned out not to have begun: STARTED steps wait again. */
export function takeBack(order: Order, keys?: ReadonlySet<string>): Order {
  return change(order, keys, (step) => (isStarted(step) ? waitAgain(step) : step))
}

/**
 * Images were credited to a step since it began, whenever they came: it waits for no others, nor if it is opened
 * again. Kept with the step, for a clock that is put right makes the newest image older.
 */
export function withImages(order: Order, keys: ReadonlySet<string>): Order {
  return change(order, keys, (step) => {
    if (step.begun === undefined || step.begun.hasImages === true) return step
    return { ...step, begun: { ...step.begun, hasImages: true } }
  })
}

/** The order has no images: its started steps began without, by the RIS or MPPS, and wait for the first. */
export function waitForImages(order: Order, at: Instant, keys?: ReadonlySet<string>): Order {
  const performed = Object.entries(order.performed ?? {})
  return change(order, keys, (step) => {
    if (!isStarted(step)) return step
    const known = performed.find(([, { stepKeys }]) => stepKeys.includes(step.key))?.[0]
    const sop = step.begun === undefined ? known : step.begun.performed
    return { ...step, begun: sop === undefined ? { at } : { at, performed: sop } }
  })
}

/** What waits is served, whatever was there before it. */
function waitAgain({ begun: _begun, booked, ...step }: Step): Step {
  const kept = step.flags.filter((flag) => flag !== flags.imagesFirst)
  const next: Step = { ...step, flags: kept, stepStatus: scheduled(step) }
  if (booked === undefined) return next
  const { calledOff: _calledOff, ...still } = booked
  return { ...next, booked: still }
}

/** What the order itself cancels no booking brings back. */
export function cancelledForGood(order: Order): Order {
  if (!order.steps.some(({ booked }) => booked?.calledOff === true)) return order
  return { ...order, steps: order.steps.map(forGood) }
}

export function forGood(step: Step): Step {
  if (step.booked?.calledOff !== true) return step
  const { calledOff: _before, ...booked } = step.booked
  return { ...step, booked }
}

function change(order: Order, keys: ReadonlySet<string> | undefined, next: (step: Step) => Step): Order {
  const steps = order.steps.map((step) => (keys === undefined || keys.has(step.key) ? next(step) : step))
  return steps.every((step, index) => step === order.steps[index]) ? order : { ...order, steps }
}

export function isWaiting(step: Step): boolean {
  return (waiting as readonly StepStatus[]).includes(step.stepStatus)
}

export function isEnded(step: Step): boolean {
  return endedStatuses.includes(step.stepStatus)
}

export function hasEnded(order: Order): boolean {
  return order.steps.every(isEnded)
}

export function isStarted(step: Step): boolean {
  return step.stepStatus === 'STARTED'
}

/** Under way or done. */
export function hasBegun({ stepStatus }: Step): boolean {
  return stepStatus === 'STARTED' || stepStatus === 'COMPLETED'
}

/** Whether a step was broken off that was not before. */
export function isStopped(order: Order, before: Order): boolean {
  return order.steps.some(
    ({ stepStatus }, index) => stepStatus === 'DISCONTINUED' && before.steps[index]?.stepStatus !== 'DISCONTINUED',
  )
}

/** Counts by step status for the history: `2 SCHEDULED, 1 STARTED`, and whether what waits is hidden. */
export function summary(order: Order): string {
  const counts = new Map<StepStatus, number>()
  for (const { stepStatus } of order.steps) counts.set(stepStatus, (counts.get(stepStatus) ?? 0) + 1)
  const steps = [...counts].map(([stepStatus, count]) => `${count} ${stepStatus}`).join(', ') || 'no steps'
  return order.hold?.on === true && order.steps.some(isWaiting) ? `${steps}, on hold` : steps
}

/** A step as a message first plans it. */
export function plan(planned: PlannedStep): Step {
  const { key, attributes, assumed } = planned
  const stations = unique(planned.stations)
  const step = { key, stations, attributes, flags: [], stepStatus: scheduled({ stations, attributes }) }
  return assumed === undefined ? step : { ...step, assumed }
}

export interface Replanning {
  /** The message is newer than what ended the steps. */
  readonly reopens: boolean
  /** Steps that this very message has cancelled, if it has: it may plan them again. */
  readonly openBefore?: ReadonlySet<string> | undefined
  /** Keys that other groups of the same message plan. */
  readonly alsoNamed: ReadonlySet<string>
}

/** The order's steps replaced by those of a message (RAD-13): what it no longer names is cancelled, or flagged once started. */
export function replan(steps: readonly Step[], planned: readonly PlannedStep[], how: Replanning): readonly Step[] {
  if (planned.length === 0) return steps
  const wanted = new Map(planned.map((step) => [step.key, step]))
  const known = new Set(steps.map((step) => step.key))
  const kept = steps.map((step) => {
    const now = wanted.get(step.key)
    if (now !== undefined) return update(step, now, how.reopens || how.openBefore?.has(step.key) === true)
    return how.alsoNamed.has(step.key) ? step : drop(step)
  })
  // Who did not know that an order has ended does not plan it anew by another name of its step.
  const isOver = !how.reopens && steps.every(isEnded) && (how.openBefore?.size ?? 0) === 0
  const added = isOver ? [] : [...wanted.values()].filter((step) => !known.has(step.key)).map(plan)
  return added.length === 0 && kept.every((step, index) => step === steps[index]) ? steps : [...kept, ...added]
}

function update(step: Step, planned: PlannedStep, reopens: boolean): Step {
  const { assumed: _before, ...before } = step
  const { assumed, ...said } = withoutAssumptions(step, planned)
  const attributes = merge(step.attributes, said.attributes)
  const stations = stationsAfter(step, said)
  const next: Step = {
    ...before,
    ...(assumed === undefined || assumed.length === 0 ? {} : { assumed }),
    attributes,
    stations,
    flags: step.flags.filter((flag) => flag !== flags.noLongerOrdered),
    stepStatus: replanned(step, { stations, attributes }, reopens),
  }
  return same(next, step) ? step : next
}

/** A station is that of its modality: where that changes and no station is named, none is known. */
function stationsAfter(step: Step, { stations, attributes }: PlannedStep): readonly string[] {
  if (stations.length > 0) return unique(stations)
  const [known, said] = [step.attributes['Modality'], attributes['Modality']]
  return hasValue(known) && hasValue(said) && said !== known ? [] : step.stations
}

/** What the site assumes where a message says nothing gives way to what is known better. A station is that of its modality. */
function withoutAssumptions(step: Step, planned: PlannedStep): PlannedStep {
  const { assumed } = planned
  if (assumed === undefined) return planned
  const isKnown = (keyword: string): boolean => assumed.includes(keyword) && step.assumed?.includes(keyword) !== true
  const { Modality: modality, ...others } = planned.attributes
  const keepsModality = isKnown('Modality') && hasValue(step.attributes['Modality'])
  const keepsStations =
    isKnown('ScheduledStationAETitle') && (keepsModality || modality === step.attributes['Modality'])
  return {
    ...planned,
    attributes: keepsModality ? others : planned.attributes,
    stations: keepsStations ? step.stations : planned.stations,
    assumed: assumed.filter((keyword) => !(keyword === 'Modality' ? keepsModality : keepsStations)),
  }
}

/** The status of a step that is planned anew; what has ended only if it may be reopened. */
export function replanned(
  { stepStatus, attributes: before }: Step,
  step: Pick<Step, 'stations' | 'attributes'>,
  reopens: boolean,
): StepStatus {
  const now = scheduled(step)
  const day = 'ScheduledProcedureStepStartDate'
  switch (stepStatus) {
    case 'UNSCHEDULED':
    case 'SCHEDULED':
      return now
    case 'ARRIVED':
    case 'READY':
      // Who is here has come for the day that it was.
      return now === 'UNSCHEDULED' || before[day] !== step.attributes[day] ? now : stepStatus
    case 'CANCELED':
    case 'EXPIRED':
      return reopens ? now : stepStatus
    case 'STARTED':
    case 'COMPLETED':
    case 'DISCONTINUED':
      return stepStatus
  }
}

/** Whether a newer message plans steps of an order of which something has ended. */
export function isPlannedAgain(before: readonly Step[], planned: readonly PlannedStep[], isNewer: boolean): boolean {
  return isNewer && planned.length > 0 && before.some(isEnded)
}

function drop(step: Step): Step {
  if (isWaiting(step)) return { ...step, stepStatus: 'CANCELED' }
  if (!isStarted(step) || step.flags.includes(flags.noLongerOrdered)) return step
  return { ...step, flags: [...step.flags, flags.noLongerOrdered] }
}

function scheduled(step: Pick<Step, 'stations' | 'attributes'>): StepStatus {
  return lacksOf(step).length === 0 ? 'SCHEDULED' : 'UNSCHEDULED'
}

const unique = (stations: readonly string[]): readonly string[] =>
  new Set(stations).size === stations.length ? stations : [...new Set(stations)]
