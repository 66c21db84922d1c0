/** Orders and bookings of one exam in any order, and images in between. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import type { OrderGroup } from '../../src/core/message.ts'
import type { Step } from '../../src/core/order.ts'
import { anna, createStory, group, statuses, step, type Story } from '../stories/support.ts'

type Told = { readonly kind: 'images' } | { readonly kind: 'group'; readonly group: OrderGroup }

const sent = fc.integer({ min: 0, max: 5 }).map((hour) => `202610150${hour}0000`)
const start = fc.constantFrom<Dataset>(
  {},
  { ScheduledProcedureStepStartDate: '', ScheduledProcedureStepStartTime: '' },
  { ScheduledProcedureStepStartDate: '20261020', ScheduledProcedureStepStartTime: '140000' },
  { ScheduledProcedureStepStartDate: '20261021' },
)
const bookingEffects = { S12: 'schedule', S13: 'schedule', S15: 'cancel', S16: 'discontinue' } as const

const bookings = fc
  .record({
    event: fc.constantFrom<keyof typeof bookingEffects>('S12', 'S13', 'S15', 'S16'),
    appointment: fc.constantFrom('B1', 'B1', 'B1', 'B2'),
    sent,
    start,
    stations: fc.constantFrom([], ['CT01'], ['CT02']),
    hasPatient: fc.boolean(),
  })
  .map(({ event, appointment, sent: at, start: when, stations, hasPatient }): OrderGroup => {
    const isPlanned = bookingEffects[event] === 'schedule'
    return {
      effect: bookingEffects[event],
      orderControl: event,
      isBooking: true,
      numbers: { authority: 'ris', fillerAppointmentId: appointment, fillerOrderNumber: 'F1' },
      received: `MSH|^~\\&|S|H|W|R|${at}||SIU^${event}\rSCH||${appointment}`,
      request: isPlanned ? { RequestedProcedureID: 'B1' } : {},
      steps: isPlanned ? [step('1', { ScheduledProcedureStepID: 'B1', ...when }, stations)] : [],
      ...(hasPatient ? { patient: anna } : {}),
    }
  })

const orders = fc
  .record({ control: fc.constantFrom('NW', 'XO', 'CA'), sent, start })
  .map(({ control, sent: at, start: when }) =>
    group({ control, sent: at, steps: control === 'CA' ? [] : [step('SPS1', when)] }),
  )

const told: fc.Arbitrary<readonly Told[]> = fc.array(
  fc.oneof(
    { arbitrary: bookings.map((one): Told => ({ kind: 'group', group: one })), weight: 5 },
    { arbitrary: orders.map((one): Told => ({ kind: 'group', group: one })), weight: 4 },
    { arbitrary: fc.constant<Told>({ kind: 'images' }), weight: 1 },
  ),
  { minLength: 1, maxLength: 9 },
)

function tell(story: Story, one: Told): void {
  if (one.kind === 'group') story.message(one.group)
  else if (story.orders().length > 0) story.images()
}

const seenBy = (story: Story): readonly unknown[] =>
  story.worklist().map(({ dataset }) => ({ ...dataset, StudyInstanceUID: '' }))

test('I4: bookings and orders that are told twice give the same items as those that are told once', () => {
  fc.assert(
    fc.property(told, (list) => {
      const [once, twice] = [createStory(), createStory()]
      for (const one of list) {
        tell(once, one)
        tell(twice, one)
        tell(twice, one)
        expect(seenBy(twice)).toEqual(seenBy(once))
        expect(statuses(twice)).toEqual(statuses(once))
      }
    }),
    { numRuns: 300 },
  )
})

test('I5: a booking that is told again keeps every item and its version', () => {
  fc.assert(
    fc.property(told, bookings, (list, last) => {
      const story = createStory()
      for (const one of list) tell(story, one)
      story.message(last)
      const before = story.items()
      story.message(last)
      expect(story.items()).toEqual(before)
    }),
    { numRuns: 300 },
  )
})

/** A number that is used again after its exam took place is another order. */
function begunOf(story: Story): readonly (readonly [string, Step])[] {
  return story
    .orders()
    .flatMap(({ id, steps }) =>
      steps.filter(({ stepStatus }) => stepStatus === 'STARTED').map((one) => [id, one] as const),
    )
}

test('one exam is one item at most, and what has begun keeps its start', () => {
  fc.assert(
    fc.property(told, (list) => {
      const story = createStory()
      for (const one of list) {
        const begun = begunOf(story)
        tell(story, one)
        expect(story.worklist().length).toBeLessThanOrEqual(1)
        if (one.kind !== 'group' || one.group.isBooking !== true) continue
        for (const [id, before] of begun) {
          const now = story
            .orders()
            .find((order) => order.id === id)
            ?.steps.find(({ key }) => key === before.key)
          expect([now?.attributes, now?.stations]).toEqual([before.attributes, before.stations])
        }
      }
    }),
    { numRuns: 300 },
  )
})
