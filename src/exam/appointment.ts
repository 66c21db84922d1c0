/**
 * The numbers of an appointment (SCH-1, SCH-2): whose it is. The filler's number
 * decides; appointments that share the placer's number alone are two.
 */
import type { OrderGroup } from '../core/message.ts'
import type { Booked, Order, OrderNumbers } from '../core/order.ts'
import { appointmentLookups } from '../core/world.ts'
import { creditedStudies, settle } from './completion.ts'
import type { Draft } from './draft.ts'
import { isWaiting, move, summary } from './steps.ts'

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
export function isAppointment(
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

export function appointmentOf({ numbers }: OrderGroup): Pick<Booked, 'placerAppointmentId' | 'fillerAppointmentId'> {
  const { placerAppointmentId, fillerAppointmentId } = numbers
  return {
    ...(placerAppointmentId ? { placerAppointmentId } : {}),
    ...(fillerAppointmentId ? { fillerAppointmentId } : {}),
  }
}
