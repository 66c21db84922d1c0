/** Which steps of an order the services of a booking mean: those of its appointment, by code, else in their order. */
import type { Dataset } from '../core/dataset.ts'
import type { OrderGroup, PlannedStep } from '../core/message.ts'
import type { Order, Step } from '../core/order.ts'
import { isAppointment } from './appointment.ts'
import { canBeBooked, textOf, type Saying } from './booked-step.ts'

/** Which steps the services of a booking mean. */
export function meaning(
  order: Order,
  saying: Saying,
): { readonly meant: ReadonlyMap<string, PlannedStep>; readonly tooMany: number } {
  const { group } = saying
  const bookable = order.steps.filter((step) => canBeBooked(step, saying) || step.stepStatus === 'STARTED')
  const own = bookedBy(bookable.length > 0 ? bookable : order.steps, group)
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
    const left = open()
    for (const { key } of left) meant.set(key, alone[0])
    return { meant, tooMany: unplaced.length - (left.length === 0 ? 0 : 1) }
  }
  const inOrder = open()
  for (const [at, planned] of unplaced.entries()) {
    const step = inOrder[at]
    if (step !== undefined) meant.set(step.key, planned)
  }
  return { meant, tooMany: Math.max(0, unplaced.length - inOrder.length) }
}

/** Of an order with several appointments the steps of this one, else those that no other one is for. */
export function candidates(steps: readonly Step[], group: OrderGroup): readonly Step[] {
  const { placerAppointmentId, fillerAppointmentId } = group.numbers
  const isOfThis = ({ booked }: Step): boolean => booked !== undefined && isAppointment(booked, group.numbers)
  const own = steps.filter(isOfThis)
  if (own.length > 0) return own
  // Who has no appointment ID means the order.
  return fillerAppointmentId || placerAppointmentId ? steps.filter((step) => !hasOwner(step)) : steps
}

/**
 * The same of who books. Where no step is left the exam has another appointment now: all that its one other
 * appointment was for; of an order with several ones the steps that are named by code.
 */
function bookedBy(steps: readonly Step[], group: OrderGroup): readonly Step[] {
  const own = candidates(steps, group)
  const [first, ...others] = steps.filter(hasOwner)
  if (own.length > 0 || first?.booked === undefined) return own
  const { booked } = first
  if (others.every((other) => other.booked !== undefined && isAppointment(other.booked, booked))) return steps
  const codes = group.steps.flatMap(({ attributes }) => protocolCodes(attributes))
  return steps.filter(({ attributes }) => protocolCodes(attributes).some((code) => codes.includes(code)))
}

/** Whether a step is of an appointment. One that was called off has left it. */
function hasOwner({ booked }: Step): boolean {
  return booked?.calledOff !== true && Boolean(booked?.fillerAppointmentId || booked?.placerAppointmentId)
}

/** Each planned step with the one step it is: by protocol code, else in their order. */
export function paired(steps: readonly Step[], planned: readonly PlannedStep[]): Map<PlannedStep, Step> {
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
