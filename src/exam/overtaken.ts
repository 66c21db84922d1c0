/**
 * Cancels and holds that overtook what they are about: an order that came after its
 * cancel, and a number that an order had not yet when it was cancelled or held by it.
 */
import type { OrderGroup } from '../core/message.ts'
import type { Order, OrderNumbers } from '../core/order.ts'
import type { Tombstone } from '../core/world.ts'
import type { Draft } from './draft.ts'
import { cameFirst, heldLater, holdAtBirth, isAbout } from './hold.ts'
import { orderNames } from './identify.ts'
import { newest } from './sent.ts'
import { cancelledForGood, isStarted, move } from './steps.ts'
import { tell } from './completion.ts'

/** A cancel that overtakes its order does so by seconds; after this time the same number is another order. */
export const tombstoneHours = 24

/** The cancel of this order that came first, if the order is not newer than it: it is born cancelled. */
export function tombstoneOf(draft: Draft, group: OrderGroup, whose = group.patient?.key): Tombstone | undefined {
  return orderNames(group.numbers)
    .map((name) => draft.world.tombstone(name))
    .find((tombstone) => {
      if (tombstone === undefined || tombstone.isHoldOnly === true) return false
      return isAbout(draft, whose, tombstone) && cameFirst(draft, group, tombstone, tombstoneHours)
    })
}

/** What was said of the numbers that a message brings to a known order, before anybody knew whose they are. */
export interface Overtaken {
  readonly cancel: Tombstone | undefined
  readonly hold: Pick<Order, 'hold'>
  /** By no number that the order had: what was said of that one was said of this order. */
  readonly brought: OrderNumbers
}

export function overtakenBy(draft: Draft, order: Order, group: OrderGroup): Overtaken {
  const { numbers: known } = order
  const brought: Partial<Record<keyof OrderNumbers, string>> & { authority: string } = { authority: known.authority }
  for (const word of ['fillerOrderNumber', 'placerOrderNumber', 'accessionNumber'] as const) {
    const said = group.numbers[word]
    if (said && !known[word]) brought[word] = said
  }
  if (Object.keys(brought).length === 1) return { cancel: undefined, hold: {}, brought }
  const { holds: _own, ...named } = { ...group, numbers: brought }
  const hold = heldLater(order.hold, holdAtBirth(draft, named, tombstoneHours, order.patientKey)?.hold)
  return { cancel: tombstoneOf(draft, named, order.patientKey), hold: hold === undefined ? {} : { hold }, brought }
}

/** The call-off that overtook this booking, under a number of its appointment that the order has not yet. */
export function calledOffBefore(draft: Draft, order: Order, group: OrderGroup): Tombstone | undefined {
  const known = new Set(orderAppointments(order))
  const { authority, fillerAppointmentId, placerAppointmentId } = group.numbers
  const brought: OrderNumbers = {
    authority,
    ...(fillerAppointmentId && !known.has(fillerAppointmentId) ? { fillerAppointmentId } : {}),
    ...(placerAppointmentId && !known.has(placerAppointmentId) ? { placerAppointmentId } : {}),
  }
  return tombstoneOf(draft, { ...group, numbers: brought }, order.patientKey)
}

function orderAppointments({ numbers, steps }: Order): readonly string[] {
  return [numbers, ...steps.flatMap(({ booked }) => booked ?? [])].flatMap((one) => [
    one.fillerAppointmentId ?? '',
    one.placerAppointmentId ?? '',
  ])
}

/** The order as that cancel leaves it, as a CA that comes now would: the cancel is a message that it has seen. */
export function cancelledBy(order: Order, cancel: Tombstone | undefined): Order {
  if (cancel === undefined) return order
  const moved = cancelledForGood(move(order, 'cancel'))
  const sent = cancel.sentAt === undefined ? order.sentAt : newest(order.sentAt, cancel.sentAt)
  const seen = sent === undefined ? moved : { ...moved, sentAt: sent }
  return order.steps.some(isStarted) ? tell(seen, 'DC') : seen
}
