/**
 * MSH-9.2 of a booking (SIU), alone or with the filler status code of the appointment
 * (SCH-25, HL7 table 0278), and what it does to the order: `S12: schedule`,
 * `S14(Cancelled): cancel`.
 */
import type { Effect } from '../core/message.ts'
import { isFields, scalarText, type Lint } from './lint.ts'
import type { OrderControl } from './order-control.ts'

export const bookingEffects = [
  'schedule',
  'arrive',
  'start',
  'complete',
  'cancel',
  'discontinue',
  'ignore',
  'reject',
] as const satisfies readonly (Effect | 'reject')[]

/** The status is compared in whatever letters: senders write BOOKED, Booked and booked. */
export function compileBookingEvents(lint: Lint, value: unknown): OrderControl {
  const rules = new Map<string, ReturnType<OrderControl>>()
  const otherwise = { effect: 'reject', rule: 'otherwise' } as const
  if (!isFields(value)) {
    lint.error('E200', ['triggerEvent'], { where: 'triggerEvent', expected: 'a mapping such as { S12: schedule }' })
    return () => otherwise
  }
  for (const [event, given] of Object.entries(value)) {
    const path = ['triggerEvent', event]
    if (event !== 'otherwise' && !/^[A-Z]\d\d(\([A-Za-z]{1,20}\))?$/.test(event)) {
      const expected = 'MSH-9.2, or MSH-9.2(SCH-25), such as S14(Cancelled)'
      lint.error('E200', path, { where: `triggerEvent.${event}`, expected }, { of: 'key' })
    }
    const name = scalarText(given) ?? ''
    const effect = bookingEffects.find((each) => each === name)
    if (effect !== undefined) rules.set(event.toUpperCase(), { effect, rule: event })
    else lint.error('E216', path, { name, known: bookingEffects.join(', ') }, { known: bookingEffects })
  }
  return (event, status) =>
    rules.get(`${event}(${status.toUpperCase()})`) ?? rules.get(event) ?? rules.get('OTHERWISE') ?? otherwise
}
