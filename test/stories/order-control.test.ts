/** Hold, release, numbers, replacement, what a step lacks, and where a step can go (docs/explanation/exam.md). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { OrderGroup } from '../../src/core/message.ts'
import { lacksOfItem } from '../../src/core/lack.ts'
import { servedStatuses, type StepStatus } from '../../src/core/order.ts'
import {
  anna,
  createStory,
  group,
  otto,
  series,
  statuses,
  step,
  stepOf,
  type GroupParts,
  type Story,
} from './support.ts'

const applied = { kind: 'applied' }
const ignored = (rule: string): object => ({ kind: 'ignored', rule })
const at = (hhmm: string): string => `20261015${hhmm}00`
const F1 = { fillerOrderNumber: 'F1' }
const P1 = { placerOrderNumber: 'P1' }
/** An ORC and nothing else. */
const orc = (control: string, numbers: GroupParts['numbers'], sent = ''): GroupParts => ({
  control,
  orcOnly: true,
  ...(numbers === undefined ? {} : { numbers }),
  sent,
})
const shown = (story: Story): readonly string[] => story.worklist().map((item) => item.stepStatus)
const held = (story: Story): readonly (boolean | undefined)[] => story.items().map((item) => item.held)

describe('an order on hold', () => {
  test.each(['UNSCHEDULED', 'SCHEDULED', 'ARRIVED', 'READY'] as const)(
    'hides a step that is %s, whose status stays',
    (status) => {
      const story = createStory()
      become(story, status)
      const isShown = shown(story).length
      expect(story.message(orc('HD', F1, at('1000')))).toEqual(applied)
      expect([statuses(story), shown(story), held(story)]).toEqual([[status], [], [true]])
      expect(story.history().at(-1)).toBe(`HD put it on hold: 1 ${status}, on hold`)
      story.message(orc('RL', F1, at('1001')))
      expect([statuses(story), shown(story).length, held(story)]).toEqual([[status], isShown, [undefined]])
    },
  )

  test('a STARTED step stays, its waiting neighbour goes, and the neighbour can start', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2', { Modality: 'PT' }, ['PT01'])] })
    story.images({ modality: 'CT' })
    story.message(orc('HD', F1))
    expect([statuses(story), shown(story)]).toEqual([['STARTED', 'SCHEDULED'], ['STARTED']])
    story.images({ modality: 'PT', series: 'series-2' })
    expect([statuses(story), shown(story), story.told()]).toEqual([
      ['STARTED', 'STARTED'],
      ['STARTED', 'STARTED'],
      ['IP'],
    ])
  })

  test('images start it, MPPS starts it, and so does the RIS; it is completed as any other', () => {
    for (const begin of [
      (story: Story): void => story.images(),
      (story: Story): void => story.performed(),
      (story: Story): void => void story.message(orc('IP', F1)),
    ]) {
      const story = createStory()
      story.message({})
      story.message(orc('HD', F1))
      begin(story)
      expect([statuses(story), shown(story)]).toEqual([['STARTED'], ['STARTED']])
      story.message(orc('CM', F1))
      expect(statuses(story)).toEqual(['COMPLETED'])
    }
  })

  test('is cancelled, merged and described anew as any other', () => {
    const story = createStory()
    story.message({})
    story.message(orc('HD', F1))
    story.message({
      control: 'NW',
      patient: { ...anna, attributes: { ...anna.attributes, PatientName: 'MEIER^ANNA' } },
    })
    expect([shown(story), story.items()[0]?.dataset['PatientName']]).toEqual([[], 'MEIER^ANNA'])
    story.adt({ kind: 'merge', patient: otto, prior: [anna.key] })
    expect([shown(story), story.items()[0]?.dataset['PatientID']]).toEqual([[], '4712'])
    story.message(orc('CA', F1))
    expect([statuses(story), held(story)]).toEqual([['CANCELED'], [undefined]])
  })

  test('a hold that is told again changes no item', () => {
    const story = createStory()
    story.message({})
    story.message(orc('HD', F1, at('1000')))
    const before = story.items()
    expect(story.message(orc('HD', F1, at('1000')))).toEqual(applied)
    expect(story.items()).toEqual(before)
    expect(story.history().at(-1)).toBe('HD changed nothing: 1 SCHEDULED, on hold')
  })

  test('I11: a hold that names another patient holds nobody', () => {
    const story = createStory()
    story.message({})
    expect(story.message({ control: 'HD', patient: otto })).toMatchObject({ kind: 'dead', fault: { code: 'E602' } })
    expect(shown(story)).toEqual(['SCHEDULED'])
  })
})

describe('what releases an order', () => {
  test('neither a repeat of the NW nor an XO, however new', () => {
    const story = createStory()
    story.message({ sent: at('0900') })
    story.message(orc('HD', F1, at('1000')))
    story.message({ sent: at('0900') })
    story.message({ sent: at('1100') })
    story.message({ control: 'XO', sent: at('1200'), steps: [step('1'), step('2')] })
    expect([statuses(story), shown(story), held(story)]).toEqual([['SCHEDULED', 'SCHEDULED'], [], [true, true]])
  })

  test('nor a booking, though it moves the step', () => {
    const story = createStory()
    story.message({})
    story.message(orc('HD', F1))
    const later = step('1', { ScheduledProcedureStepStartTime: '140000' })
    const booking = { control: 'S13', effect: 'schedule', isBooking: true, steps: [later], request: {} } as const
    expect(story.message(booking)).toEqual(applied)
    expect(stepOf(story.items()[0])['ScheduledProcedureStepStartTime']).toBe('140000')
    expect([shown(story), held(story)]).toEqual([[], [true]])
  })

  test('an XO that says so', () => {
    const story = createStory()
    story.message({})
    story.message(orc('HD', F1, at('1000')))
    story.message({ control: 'XO', holds: false, sent: at('1100') })
    expect(shown(story)).toEqual(['SCHEDULED'])
  })

  test('a person who reopens it; without an event, if nothing of it had ended', () => {
    const story = createStory()
    story.message({})
    story.message(orc('HD', F1))
    story.hand({ kind: 'reopen', orderId: story.order().id })
    expect([shown(story), story.events()]).toEqual([['SCHEDULED'], []])
    expect(story.history().at(-1)).toBe('reopen by meier released it: 1 SCHEDULED')
    story.message(orc('HD', F1))
    story.message(orc('CA', F1))
    story.hand({ kind: 'reopen', orderId: story.order().id, step: '1' })
    expect([shown(story), story.events()]).toEqual([['SCHEDULED'], ['reopened']])
  })

  test('a person who reopens one step of several leaves the others hidden', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2')] })
    story.message(orc('HD', F1))
    story.hand({ kind: 'cancel', orderId: story.order().id, step: '1' })
    story.hand({ kind: 'reopen', orderId: story.order().id, step: '1' })
    expect([statuses(story), shown(story)]).toEqual([['SCHEDULED', 'SCHEDULED'], []])
  })

  test('a newer order that plans again what has ended', () => {
    const story = createStory()
    story.message({ sent: at('0900') })
    story.message(orc('HD', F1, at('1000')))
    story.message(orc('CA', F1, at('1100')))
    story.message({ sent: at('1200') })
    expect([statuses(story), shown(story)]).toEqual([['SCHEDULED'], ['SCHEDULED']])
  })
})

describe('an order that is made on hold', () => {
  test('is listed and hidden until it is released', () => {
    const story = createStory()
    expect(story.message({ orderControl: 'NW(HD)', holds: true, sent: at('0900') })).toEqual(applied)
    expect([statuses(story), shown(story), held(story)]).toEqual([['SCHEDULED'], [], [true]])
    expect(story.history()).toEqual(['NW(HD) created: 1 SCHEDULED, on hold'])
    story.message(orc('RL', F1, at('1000')))
    expect(shown(story)).toEqual(['SCHEDULED'])
  })

  test('the same message again, after the release, does not hide it; a newer one does', () => {
    const story = createStory()
    story.message({ holds: true, sent: at('0900') })
    story.message(orc('RL', F1, at('1000')))
    story.message({ holds: true, sent: at('0900') })
    expect(shown(story)).toEqual(['SCHEDULED'])
    story.message({ control: 'XO', holds: true, sent: at('1100') })
    expect(shown(story)).toEqual([])
  })
})

describe('the newest word on hold counts', () => {
  test('a hold that a release overtook does not hide', () => {
    const story = createStory()
    story.message({ sent: at('0900') })
    story.message(orc('RL', F1, at('1100')))
    expect(story.message(orc('HD', F1, at('1000')))).toEqual(ignored('older-than-release'))
    expect([shown(story), story.history().at(-1)]).toEqual([
      ['SCHEDULED'],
      'HD changed nothing, older-than-release: 1 SCHEDULED',
    ])
  })

  test('a release that a hold overtook does not show', () => {
    const story = createStory()
    story.message({ sent: at('0900') })
    story.message(orc('HD', F1, at('1100')))
    expect(story.message(orc('RL', F1, at('1000')))).toEqual(ignored('older-than-hold'))
    expect(shown(story)).toEqual([])
  })

  test('a hold that has no MSH-7 leaves the time that is known of the one before', () => {
    const story = createStory()
    story.message({ sent: at('0900') })
    story.message(orc('HD', F1, at('1100')))
    story.message(orc('HD', F1, ''))
    expect(story.message(orc('RL', F1, at('1000')))).toEqual(ignored('older-than-hold'))
    expect(shown(story)).toEqual([])
  })

  test('of what was said under two numbers that the order had not yet, the newest', () => {
    const story = createStory()
    story.message(orc('RL', P1, at('0930')))
    story.message(orc('HD', { accessionNumber: 'A1' }, at('1000')))
    story.message({ numbers: { ...P1, accessionNumber: 'A1' }, sent: at('0900') })
    expect(shown(story)).toEqual([])
  })

  test.each(['', '2026', at('1100')])('where MSH-7 "%s" cannot tell, the one that came later counts', (sent) => {
    const story = createStory()
    story.message({ sent: at('0900') })
    story.message(orc('HD', F1, at('1100')))
    story.message(orc('RL', F1, sent))
    expect(shown(story)).toEqual(['SCHEDULED'])
    story.message(orc('HD', F1, sent))
    expect(shown(story)).toEqual([])
  })

  test('an order that has ended is neither held nor released', () => {
    const story = createStory()
    story.message({})
    story.message(orc('CA', F1))
    expect(story.message(orc('HD', F1))).toEqual(ignored('order-ended'))
    expect(story.message(orc('RL', F1))).toEqual(ignored('order-ended'))
    expect(statuses(story)).toEqual(['CANCELED'])
  })
})

describe('a hold that something happens to', () => {
  test('a newer XO that plans again one of its steps does not release the order', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2')] })
    story.message({ control: 'XO', sent: at('0930'), steps: [step('1')] })
    story.message(orc('HD', F1, at('1000')))
    story.message({ control: 'XO', sent: at('1030'), steps: [step('1'), step('2')] })
    expect([statuses(story), shown(story)]).toEqual([['SCHEDULED', 'SCHEDULED'], []])
  })

  test('a release without MSH-7 counts; a hold sent before the one that it released does not come back by it', () => {
    const story = createStory()
    story.message({})
    story.message(orc('HD', F1, at('1000')))
    story.message(orc('RL', F1))
    expect(shown(story)).toEqual(['SCHEDULED'])
    expect(story.message(orc('HD', F1, at('0930')))).toEqual(ignored('older-than-release'))
    expect(shown(story)).toEqual(['SCHEDULED'])
  })

  test('released by hand, it has its days again', () => {
    const story = createStory({}, { days: 1, timeZone: 'UTC' })
    story.message({})
    story.message(orc('HD', F1, at('1000')))
    story.wait(3 * 24 * 60)
    story.hand({ kind: 'reopen', orderId: story.order().id })
    story.wait(60)
    expect([statuses(story), shown(story)]).toEqual([['SCHEDULED'], ['SCHEDULED']])
  })

  test('I4: a release that is told again moves no no-show', () => {
    const story = createStory({}, { days: 1, timeZone: 'UTC' })
    story.message({})
    story.message(orc('HD', F1, at('1000')))
    story.wait(3 * 24 * 60)
    story.message(orc('RL', F1, at('1030')))
    const due = [...story.deadlines().values()]
    story.wait(60)
    story.message(orc('RL', F1, at('1030')))
    expect([due.length, [...story.deadlines().values()]]).toEqual([1, due])
  })
})

describe('a hold comes before its order', () => {
  test('the order is born held, and its release shows it', () => {
    const story = createStory()
    expect(story.message(orc('HD', F1, at('1000')))).toEqual(ignored('unknown-order'))
    story.message({ numbers: F1, sent: at('0900') })
    expect([statuses(story), shown(story), held(story)]).toEqual([['SCHEDULED'], [], [true]])
    story.message(orc('RL', F1, at('1100')))
    expect(shown(story)).toEqual(['SCHEDULED'])
  })

  test.each([
    ['by its placer number alone', P1, { ...P1, ...F1 }],
    ['by its accession number alone', { accessionNumber: 'A1' }, { accessionNumber: 'A1', ...F1 }],
  ])('%s', (_how, said, numbers) => {
    const story = createStory()
    story.message(orc('HD', said, at('1000')))
    story.message({ numbers, sent: at('0900') })
    expect(shown(story)).toEqual([])
  })

  test('what was said last of it is of the patient that it named last', () => {
    const story = createStory()
    story.message(orc('HD', F1, at('1000')))
    story.message({ ...orc('HD', F1, at('1001')), patient: otto })
    story.message({ numbers: F1, sent: at('0900') })
    expect(shown(story)).toEqual(['SCHEDULED'])
  })

  test('a hold brings its order the filler number, as a cancel does', () => {
    const story = createStory()
    story.message({ numbers: P1, sent: at('0900') })
    story.message(orc('HD', { ...P1, ...F1 }, at('1000')))
    story.message({ control: 'XO', numbers: F1, sent: at('1001') })
    expect([statuses(story), held(story), story.order().numbers.fillerOrderNumber]).toEqual([
      ['SCHEDULED'],
      [true],
      F1.fillerOrderNumber,
    ])
  })

  test('an XO that makes the order is held by it too', () => {
    const story = createStory()
    story.message(orc('HD', F1, at('1000')))
    story.message({ control: 'XO', sent: at('0900') })
    expect([statuses(story), shown(story)]).toEqual([['SCHEDULED'], []])
  })

  test('an order that was sent later, or a day later, is not held', () => {
    for (const [sent, minutes] of [
      [at('1100'), 0],
      [at('0900'), 24 * 60 + 1],
    ] as const) {
      const story = createStory()
      story.message(orc('HD', F1, at('1000')))
      story.wait(minutes)
      story.message({ sent })
      expect(shown(story)).toEqual(['SCHEDULED'])
    }
  })

  test('a release that overtook hold and order: the order is shown, whichever came in between', () => {
    for (const messages of [
      [orc('RL', F1, at('1100')), orc('HD', F1, at('1000')), { sent: at('0900') }],
      [orc('HD', F1, at('1000')), orc('RL', F1, at('1100')), { sent: at('0900') }],
      [orc('RL', F1, at('1100')), { sent: at('0900') }, orc('HD', F1, at('1000'))],
      [orc('RL', F1, at('1100')), { sent: at('0900'), holds: true }],
    ]) {
      const story = createStory()
      for (const message of messages) story.message(message)
      expect(shown(story)).toEqual(['SCHEDULED'])
    }
  })

  test('hold and cancel both came first: it is born cancelled; sent after the cancel and before the hold, it is held', () => {
    for (const order of [
      [orc('CA', F1, at('0900')), orc('HD', F1, at('1000'))],
      [orc('HD', F1, at('1000')), orc('CA', F1, at('0900'))],
    ]) {
      for (const [sent, status] of [
        [at('0830'), 'CANCELED'],
        [at('0930'), 'SCHEDULED'],
      ] as const) {
        const story = createStory()
        for (const message of order) story.message(message)
        story.message({ sent })
        expect([statuses(story), shown(story)]).toEqual([[status], []])
      }
    }
  })
})

describe('no-shows of an order on hold', () => {
  const week = { days: 7, timeZone: 'Europe/Berlin' }
  const day = 24 * 60

  test('a held step does not expire, and has its days after the release', () => {
    const story = createStory({}, week)
    story.message({})
    story.message(orc('HD', F1))
    expect(story.deadlines().size).toBe(0)
    story.wait(20 * day)
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.message(orc('RL', F1))
    expect(shown(story)).toEqual(['SCHEDULED'])
    story.wait(7 * day - 1)
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.wait(day)
    expect([statuses(story), story.events()]).toEqual([['EXPIRED'], ['expired']])
  })
})

describe('a number comes later by NA', () => {
  const both = { ...F1, ...P1 }

  test('the placer number, to the order that the filler number names: nothing else changes but what modalities see of it', () => {
    const story = createStory()
    story.message({ numbers: { ...F1, accessionNumber: 'A1' } })
    const before = story.order()
    expect(story.message(orc('NA', both))).toEqual(applied)
    const { numbers, request, received, steps, sentAt } = story.order()
    expect(numbers).toEqual({ ...before.numbers, ...P1 })
    expect(request).toEqual({
      ...before.request,
      PlacerOrderNumberImagingServiceRequest: 'P1',
      FillerOrderNumberImagingServiceRequest: 'F1',
    })
    expect({ received, steps, sentAt }).toEqual({
      received: before.received,
      steps: before.steps,
      sentAt: before.sentAt,
    })
    expect(story.worklist()[0]?.dataset['PlacerOrderNumberImagingServiceRequest']).toBe('P1')
    expect(story.history().at(-1)).toBe('NA brought a number: 1 SCHEDULED')
  })

  test('the filler number, to the order that the placer number names', () => {
    const story = createStory()
    story.message({ numbers: P1 })
    story.message(orc('NA', both))
    expect(story.order().numbers).toMatchObject(both)
    story.message(orc('CA', F1))
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test('again it changes nothing', () => {
    const story = createStory()
    story.message({ numbers: F1 })
    story.message(orc('NA', both))
    const items = story.items()
    expect(story.message(orc('NA', both))).toEqual(applied)
    expect([story.items(), story.history().at(-1)]).toEqual([items, 'NA changed nothing: 1 SCHEDULED'])
  })

  test('numbers of two orders, or another number than the order has, are dead and change nothing', () => {
    const story = createStory()
    story.message({ numbers: F1 })
    story.message({ numbers: P1 })
    expect(story.message(orc('NA', both))).toMatchObject({ kind: 'dead', fault: { code: 'E601' } })
    const other = createStory()
    other.message({ numbers: both })
    expect(other.message(orc('NA', { ...F1, placerOrderNumber: 'P2' }))).toMatchObject({ fault: { code: 'E601' } })
    expect(other.order().numbers).toMatchObject(both)
  })

  test('one number alone, or of an unknown order, is ignored', () => {
    const story = createStory()
    expect(story.message(orc('NA', both))).toEqual(ignored('unknown-order'))
    story.message({ numbers: F1 })
    expect(story.message(orc('NA', F1))).toEqual(ignored('no-number'))
    // Of this placer number another filler order is known: it is not the one that is meant.
    expect(story.message(orc('NA', { fillerOrderNumber: 'F9', ...P1 }))).toEqual(ignored('unknown-order'))
  })

  test('a cancel of the new number that came first counts now, and a hold too', () => {
    for (const [control, status] of [
      ['CA', 'CANCELED'],
      ['HD', 'SCHEDULED'],
    ] as const) {
      const story = createStory()
      story.message({ numbers: F1, sent: at('0800') })
      expect(story.message(orc(control, P1, at('1000')))).toEqual(ignored('unknown-order'))
      story.message(orc('NA', both, at('0900')))
      expect([statuses(story), shown(story)]).toEqual([[status], []])
    }
  })

  test('a cancel that was sent before the number was given is of something else', () => {
    const story = createStory()
    story.message({ numbers: F1, sent: at('0800') })
    story.message(orc('CA', P1, at('0900')))
    story.message(orc('NA', both, at('1000')))
    expect(shown(story)).toEqual(['SCHEDULED'])
  })
})

describe('a cancel by the placer number alone', () => {
  test.each([
    ['the order came with it', [{ numbers: P1 }]],
    ['the order came with both numbers', [{ numbers: { ...P1, ...F1 } }]],
    ['an XO brought it', [{ numbers: F1 }, { control: 'XO', numbers: { ...F1, ...P1 } }]],
    ['NA brought it', [{ numbers: F1 }, orc('NA', { ...F1, ...P1 })]],
    ['the filler number came by NA', [{ numbers: P1 }, orc('NA', { ...F1, ...P1 })]],
  ] as const)('finds the order: %s', (_how, messages) => {
    const story = createStory()
    for (const message of messages) story.message(message)
    expect(story.message(orc('CA', P1))).toEqual(applied)
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test('before its order: the order is born cancelled, with or without a filler number', () => {
    for (const numbers of [P1, { ...P1, ...F1 }]) {
      const story = createStory()
      expect(story.message(orc('CA', P1, at('1000')))).toEqual(ignored('unknown-order'))
      story.message({ numbers, sent: at('0900') })
      expect([statuses(story), shown(story)]).toEqual([['CANCELED'], []])
    }
  })
})

test('a group of a message finds by its number the order to which the group before it gave that number', () => {
  const story = createStory()
  story.images({ studyInstanceUid: '1.1', accessionNumber: 'A9', patientId: '' })
  story.message({ numbers: { ...P1, studyInstanceUid: '1.1' } })
  expect(story.message(orc('AR', { ...P1, ...F1 }), { control: 'XO', numbers: F1 })).toEqual(applied)
  expect(statuses(story)).toEqual(['ARRIVED'])
})

describe('a cancel by a number that the order has not yet', () => {
  const both = { ...P1, ...F1 }
  const appointment = { effect: 'schedule', orderControl: 'S12', isBooking: true } as const
  test.each<readonly [string, GroupParts]>([
    ['an XO', { control: 'XO', numbers: both, sent: at('0930') }],
    ['the NW again', { numbers: both, sent: at('0900') }],
    ['NA', orc('NA', both, at('0930'))],
    ['a booking', { ...group({ control: 'S12', numbers: both, sent: at('0930') }), ...appointment, steps: [step()] }],
    ['an arrival', orc('AR', both, at('0930'))],
  ])('counts when %s brings it', (_what, brings) => {
    const story = createStory()
    story.message({ numbers: P1, sent: at('0900') })
    expect(story.message(orc('CA', F1, at('1000')))).toEqual(ignored('unknown-order'))
    expect(shown(story)).toEqual(['SCHEDULED'])
    expect(story.message(brings)).toEqual(applied)
    expect([statuses(story), shown(story)]).toEqual([['CANCELED'], []])
    // I4: told again it is no newer; what is newer plans it again.
    story.message(brings)
    story.message({ numbers: both, sent: at('0945') })
    expect(statuses(story)).toEqual(['CANCELED'])
    story.message({ numbers: both, sent: at('1001') })
    expect([statuses(story), story.orders()]).toEqual([['SCHEDULED'], [expect.objectContaining({ told: [] })]])
  })

  test('a cancel of somebody else is about another order, a hold too; of a patient who was merged it is about his', () => {
    const story = createStory()
    story.message({ ...orc('CA', F1, at('1000')), patient: otto })
    story.message({ ...orc('HD', { placerOrderNumber: 'P2' }, at('1000')), patient: otto })
    story.message({ numbers: P1, sent: at('0900') })
    story.message({ control: 'XO', numbers: both, sent: at('0930') })
    story.message({ numbers: F1, sent: at('0930'), patient: anna })
    story.message({ numbers: { fillerOrderNumber: 'F2', placerOrderNumber: 'P2' }, sent: at('0930') })
    expect(shown(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
    story.message({ ...orc('CA', { fillerOrderNumber: 'F3' }, at('1000')), patient: otto })
    story.adt({ kind: 'merge', patient: anna, prior: [otto.key] })
    story.message({ numbers: { fillerOrderNumber: 'F3' }, sent: at('0930') })
    expect(shown(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED', 'CANCELED'])
  })

  test('of an exam that has begun it is the end, which the RIS is not told; images move nothing after it', () => {
    const story = createStory()
    story.message({ numbers: P1, sent: at('0900') })
    story.images()
    story.message(orc('CA', F1, at('1000')))
    story.message({ control: 'XO', numbers: both, sent: at('0930') })
    expect([statuses(story), story.told(), story.order().told]).toEqual([['DISCONTINUED'], ['IP'], ['IP', 'DC']])
  })

  test('of an order of which a step is COMPLETED it brings its CM, whatever brings the number', () => {
    for (const brings of [orc('NA', both, at('0930')), { control: 'XO', numbers: both, sent: at('0930'), steps: [] }]) {
      const story = createStory()
      story.message({ numbers: P1, sent: at('0900'), steps: [step('1'), step('2', { Modality: 'PT' })] })
      story.images({ modality: 'CT' })
      story.wait(31)
      story.message(orc('CA', F1, at('1000')))
      story.message(brings)
      expect([statuses(story), story.told()]).toEqual([
        ['COMPLETED', 'CANCELED'],
        ['IP', 'CM'],
      ])
    }
  })

  test('an accession number that comes later is such a number, too', () => {
    const story = createStory()
    story.message({ numbers: P1, request: {}, sent: at('0900') })
    story.message(orc('CA', { accessionNumber: 'A1' }, at('1000')))
    story.message({ control: 'XO', numbers: { ...P1, accessionNumber: 'A1' }, sent: at('0930') })
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test('what a booking had called off, it cancels for good', () => {
    const story = createStory()
    const booked = (event: string, effect: OrderGroup['effect'], sent: string): OrderGroup => ({
      ...group({ numbers: { ...P1, fillerAppointmentId: 'B1' }, sent }),
      effect,
      orderControl: event,
      isBooking: true,
      steps: effect === 'schedule' ? [step()] : [],
    })
    story.message({ numbers: P1, sent: at('0900') })
    story.message(booked('S12', 'schedule', at('0910')))
    story.message(booked('S15', 'cancel', at('0920')))
    story.message(orc('CA', F1, at('1000')))
    story.message({ control: 'XO', numbers: both, sent: at('0930'), steps: [] })
    story.message(booked('S12', 'schedule', at('1030')))
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test('does not count for a message that was sent later, nor after a day, nor as a hold of an order that was released since', () => {
    const story = createStory()
    story.message({ numbers: P1, sent: at('0900') })
    story.message(orc('CA', F1, at('1000')))
    story.message({ control: 'XO', numbers: both, sent: at('1001') })
    expect(shown(story)).toEqual(['SCHEDULED'])
    const late = createStory()
    late.message({ numbers: P1, sent: at('0900') })
    late.message(orc('CA', F1, at('1000')))
    late.wait(24 * 60 + 1)
    late.message({ control: 'XO', numbers: both, sent: at('0930') })
    expect(shown(late)).toEqual(['SCHEDULED'])
    const released = createStory()
    released.message({ numbers: P1, sent: at('0900') })
    released.message(orc('HD', F1, at('1000')))
    released.message(orc('RL', P1, at('1005')))
    released.message({ control: 'XO', numbers: both, sent: at('0930') })
    expect(shown(released)).toEqual(['SCHEDULED'])
  })

  test('a hold by it hides the order when the number is known', () => {
    const story = createStory()
    story.message({ numbers: P1, sent: at('0900') })
    story.message(orc('HD', F1, at('1000')))
    story.message({ control: 'XO', numbers: both, sent: at('0930') })
    expect([statuses(story), shown(story), held(story)]).toEqual([['SCHEDULED'], [], [true]])
  })

  test('a hold that is said again is remembered from then on', () => {
    const story = createStory()
    story.message(orc('HD', F1, at('1000')))
    story.wait(20 * 60)
    story.message(orc('HD', F1, at('1000')))
    story.wait(20 * 60)
    story.message({ numbers: F1, sent: at('0900') })
    expect(shown(story)).toEqual([])
  })

  test('a cancel that has no filler number means the order of its placer number', () => {
    const story = createStory()
    story.message({ numbers: { ...P1, accessionNumber: 'A1' } })
    story.message(orc('CA', { ...P1, fillerOrderNumber: '' }))
    expect(statuses(story)).toEqual(['CANCELED'])
  })
})

describe('an order is replaced', () => {
  const old = { fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.2.3' }
  /** RP and RO, the new order with the accession number and the study of the old one. */
  const replacement = (numbers: GroupParts['numbers'], sent = at('1000')): readonly GroupParts[] => [
    { ...orc('RP', { fillerOrderNumber: 'F1' }, sent), effect: 'cancel' },
    { control: 'RO', effect: 'create', numbers: { ...old, ...numbers }, sent },
  ]
  const ends = (story: Story): object =>
    Object.fromEntries(story.orders().map((order) => [order.numbers.fillerOrderNumber, order.steps[0]?.stepStatus]))

  test.each([
    ['one message', (story: Story, parts: readonly GroupParts[]) => story.message(...parts)],
    ['two messages', (story: Story, parts: readonly GroupParts[]) => parts.map((part) => story.message(part)).at(-1)],
  ])('in %s: the old one is cancelled, the new one is its own', (_how, tell) => {
    const story = createStory()
    story.message({ numbers: old, sent: at('0900') })
    expect(tell(story, replacement({ fillerOrderNumber: 'F2' }))).toEqual(applied)
    expect(ends(story)).toEqual({ F1: 'CANCELED', F2: 'SCHEDULED' })
    expect(shown(story)).toEqual(['SCHEDULED'])
    story.images({ studyInstanceUid: '1.2.3', accessionNumber: 'A1' })
    expect([ends(story), story.notices()]).toEqual([{ F1: 'CANCELED', F2: 'STARTED' }, []])
  })

  test('an old one with images is discontinued and keeps them; later images are those of the new one', () => {
    const story = createStory()
    story.message({ numbers: old, sent: at('0900') })
    story.images({ studyInstanceUid: '1.2.3', accessionNumber: 'A1' })
    story.message(...replacement({ fillerOrderNumber: 'F2' }))
    expect(ends(story)).toEqual({ F1: 'DISCONTINUED', F2: 'SCHEDULED' })
    story.images({ studyInstanceUid: '1.2.3', accessionNumber: 'A1', series: 'series-2' })
    expect(ends(story)).toEqual({ F1: 'DISCONTINUED', F2: 'STARTED' })
    expect([story.told(), story.notices()]).toEqual([['IP', 'IP'], []])
  })

  test('one message is one change: where the new one cannot be made, the old one stays', () => {
    const story = createStory()
    story.message({ numbers: old, sent: at('0900') })
    const [rp = {}, ro = {}] = replacement({ fillerOrderNumber: 'F2' })
    expect(story.message(rp, { ...ro, steps: [] })).toMatchObject({ kind: 'dead', fault: { code: 'E603' } })
    expect([ends(story), shown(story)]).toEqual([{ F1: 'SCHEDULED' }, ['SCHEDULED']])
  })

  test('the same order number in the same message: the old order is planned again, with or without MSH-7', () => {
    for (const sent of [at('1000'), '']) {
      const story = createStory()
      story.message({ numbers: old, sent: at('0900') })
      story.message(...replacement({ placerOrderNumber: 'P1' }, sent))
      expect([statuses(story), story.orders().length, shown(story)]).toEqual([['SCHEDULED'], 1, ['SCHEDULED']])
    }
  })

  test('the same order number, and the old exam had begun: the new one is an order of its own', () => {
    const story = createStory()
    story.message({ numbers: old, sent: at('0900') })
    story.images({ studyInstanceUid: '1.2.3' })
    story.message(...replacement({}))
    expect(statuses(story)).toEqual(['DISCONTINUED', 'SCHEDULED'])
    expect(shown(story)).toEqual(['SCHEDULED'])
    expect(new Set(story.orders().map((order) => order.studyInstanceUid)).size).toBe(2)
  })

  test('I4: told again under another MSH-10 after the exam began, the replacement ends nothing and makes no second item', () => {
    for (const sent of [at('1000'), '']) {
      for (const begin of [
        (story: Story): void => void story.message(orc('IP', F1, at('1100'))),
        (story: Story): void => story.images({ studyInstanceUid: '1.2.3', accessionNumber: 'A1' }),
      ]) {
        const story = createStory()
        story.message({ numbers: old, sent: at('0900') })
        story.message(...replacement({}, sent))
        begin(story)
        expect(story.message(...replacement({}, sent))).toEqual(applied)
        expect([statuses(story), shown(story)]).toEqual([['STARTED'], ['STARTED']])
        expect(story.history().join()).toContain('RP changed nothing, its replacement is not newer')
      }
    }
  })

  test('told again after the begun exam was replaced, it ends the new one as little', () => {
    const story = createStory()
    story.message({ numbers: old, sent: at('0900') })
    story.images({ studyInstanceUid: '1.2.3' })
    story.message(...replacement({}))
    story.message(...replacement({}))
    expect([statuses(story), shown(story)]).toEqual([['DISCONTINUED', 'SCHEDULED'], ['SCHEDULED']])
    story.message(orc('IP', F1, at('1100')))
    story.message(...replacement({}))
    expect([statuses(story), shown(story)]).toEqual([['DISCONTINUED', 'STARTED'], ['STARTED']])
  })

  test('told again after a newer cancel, the replacement brings nothing back', () => {
    const story = createStory()
    story.message({ numbers: old, sent: at('0900') })
    story.message(...replacement({}))
    story.message(orc('CA', F1, at('1100')))
    story.message(...replacement({}))
    expect([statuses(story), shown(story)]).toEqual([['CANCELED'], []])
  })
})

describe('what a step lacks', () => {
  const start = { ScheduledProcedureStepStartDate: '' }
  test.each([
    ['a start', step('1', start), ['start']],
    ['a modality', step('1', { Modality: '' }), ['modality']],
    ['a station', step('1', {}, []), ['station']],
    ['a procedure', step('1', { ScheduledProcedureStepDescription: '' }), ['procedure']],
    [
      'all',
      step('1', { ...start, Modality: '', ScheduledProcedureStepDescription: '' }, []),
      ['start', 'modality', 'station', 'procedure'],
    ],
  ] as const)(
    '%s: it is UNSCHEDULED, listed and not served, and SCHEDULED when it is said',
    (_what, planned, lacks) => {
      const story = createStory()
      expect(story.message({ steps: [planned] })).toEqual(applied)
      expect([statuses(story), shown(story)]).toEqual([['UNSCHEDULED'], []])
      expect(story.items().map((item) => lacksOfItem(item.dataset))).toEqual([lacks])
      story.message({ control: 'XO' })
      expect([statuses(story), shown(story)]).toEqual([['SCHEDULED'], ['SCHEDULED']])
      expect(story.items().map((item) => stepOf(item)['ScheduledStationAETitle'])).toEqual(['CT01'])
      expect(lacksOfItem(story.items()[0]?.dataset ?? {})).toEqual([])
    },
  )

  test('a protocol code says what is to be done, with or without words', () => {
    const codes = [{ CodeValue: 'CTABD', CodingSchemeDesignator: '99H' }]
    const story = createStory()
    const planned = step('1', { ScheduledProcedureStepDescription: '', ScheduledProtocolCodeSequence: codes })
    story.message({ steps: [planned] })
    expect(shown(story)).toEqual(['SCHEDULED'])
    story.message({ control: 'XO', steps: [step('1', { ...planned.attributes, ScheduledProtocolCodeSequence: [] })] })
    expect([statuses(story), shown(story)]).toEqual([['UNSCHEDULED'], []])
  })

  test.each(['ARRIVED', 'READY'] as const)('taken from a step that is %s, it is UNSCHEDULED again', (status) => {
    const story = createStory()
    become(story, status)
    story.message({ control: 'XO', steps: [step('1', start)] })
    expect([statuses(story), shown(story)]).toEqual([['UNSCHEDULED'], []])
  })

  test('nobody arrives for a step that lacks something, and one that begins nonetheless is not served', () => {
    const story = createStory()
    story.message({ steps: [step('1', {}, [])] })
    story.message(orc('AR', F1))
    expect([statuses(story), story.history().at(-1)]).toEqual([['UNSCHEDULED'], 'AR changed no step: 1 UNSCHEDULED'])
    story.images()
    expect([statuses(story), shown(story)]).toEqual([['STARTED'], []])
    story.message({ control: 'XO' })
    expect([statuses(story), shown(story)]).toEqual([['STARTED'], ['STARTED']])
  })

  test('another modality without a station does not keep the station of the other one', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'XO', steps: [step('1', { Modality: 'MR' }, [])] })
    expect([statuses(story), shown(story), story.order().steps[0]?.stations]).toEqual([['UNSCHEDULED'], [], []])
    story.message({ control: 'XO', steps: [step('1', { Modality: 'MR' }, ['MR01'])] })
    expect(story.worklist().map((item) => stepOf(item)['ScheduledStationAETitle'])).toEqual(['MR01'])
    story.message({ control: 'XO', steps: [step('1', { Modality: 'MR' }, [])] })
    expect(story.worklist().map((item) => stepOf(item)['ScheduledStationAETitle'])).toEqual(['MR01'])
  })
})

const week = { days: 7, timeZone: 'Europe/Berlin' }

/** An order whose step has come to this status. */
function become(story: Story, status: StepStatus): void {
  const isPlanned = status !== 'UNSCHEDULED'
  story.message({ sent: at('0900'), steps: [isPlanned ? step() : step('1', { ScheduledProcedureStepStartDate: '' })] })
  if (status === 'ARRIVED' || status === 'READY') story.message(orc('AR', F1, at('0901')))
  if (status === 'READY') story.message(orc('RY', F1, at('0902')))
  if (['STARTED', 'COMPLETED', 'DISCONTINUED'].includes(status)) story.images()
  if (status === 'COMPLETED') story.message(orc('CM', F1, at('0903')))
  if (status === 'DISCONTINUED' || status === 'CANCELED') story.message(orc('CA', F1, at('0903')))
  if (status === 'EXPIRED') story.wait(9 * 24 * 60)
}

/** What the columns of the table mean. */
const happenings: Readonly<Record<string, (story: Story) => unknown>> = {
  arrive: (story) => story.message(orc('AR', F1, at('1000'))),
  ready: (story) => story.message(orc('RY', F1, at('1000'))),
  start: (story) => story.message(orc('IP', F1, at('1000'))),
  complete: (story) => story.message(orc('CM', F1, at('1000'))),
  cancel: (story) => story.message(orc('CA', F1, at('1000'))),
  images: (story) => story.images({ series: 'series-9', seriesInstanceUid: series().seriesInstanceUid + '.9' }),
  quiet: (story) => story.wait(31),
  'no-show': (story) => {
    const subject = `expire:${story.order().id}`
    const due = story.deadlines().get(subject)
    if (due !== undefined) story.wait((Date.parse(due) - Date.parse(story.now())) / 60_000)
    else story.enter({ kind: 'deadline', subject, due: story.now() })
  },
  'newer XO': (story) => story.message({ control: 'XO', sent: at('1000') }),
  'older XO': (story) => story.message({ control: 'XO', sent: at('0800') }),
  'another day': (story) =>
    story.message({
      control: 'XO',
      sent: at('0800'),
      steps: [step('1', { ScheduledProcedureStepStartDate: '20261017' })],
    }),
  reopen: (story) => story.hand({ kind: 'reopen', orderId: story.order().id }),
}

const messages = ['arrive', 'ready', 'start', 'complete', 'cancel', 'newer XO', 'older XO', 'another day']

/** Rows of the table "Where a step can go", by column. */
function transitions(): readonly (readonly [StepStatus, string, StepStatus])[] {
  const text = readFileSync(new URL('../../docs/explanation/exam.md', import.meta.url), 'utf8')
  const lines = text.slice(text.indexOf('**Where a step can go.**')).split('\n')
  const rows = lines.slice(2).slice(0, lines.slice(2).indexOf(''))
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()))
  const [[, , ...columns] = [], , ...body] = cells
  return body.flatMap(([, from = '', ...to]) =>
    columns.slice(0, -1).map((column, index): readonly [StepStatus, string, StepStatus] => {
      const next = to[index] === '-' ? from : to[index]
      return [from as StepStatus, column, next as StepStatus]
    }),
  )
}

describe('every status and everything that can happen', () => {
  test('the table is whole', () => {
    expect(transitions()).toHaveLength(9 * Object.keys(happenings).length)
  })

  test.each(transitions())('%s, %s: %s', (from, what, to) => {
    const story = createStory({}, week)
    become(story, from)
    expect(statuses(story)).toEqual([from])
    const lines = story.history().length
    happenings[what]?.(story)
    expect(statuses(story)).toEqual([to])
    const lacks = story.items().flatMap((item) => lacksOfItem(item.dataset))
    expect(shown(story)).toEqual(servedStatuses.includes(to) && lacks.length === 0 ? [to] : [])
    if (from === to && messages.includes(what)) {
      expect(story.history().slice(lines).join(' ')).toContain(`1 ${from}`)
    }
  })
})

test.each([
  ['CA', 'cancel'],
  ['HD', 'hold'],
])('NA brings no accession number: an earlier %s of the one that it repeats is not about its order', (control) => {
  const story = createStory()
  story.message({ numbers: { fillerOrderNumber: 'F1' }, request: {} })
  story.message({ control, orcOnly: true, numbers: { accessionNumber: 'A9' }, sent: '' })
  const na = { fillerOrderNumber: 'F1', placerOrderNumber: 'P1', accessionNumber: 'A9' }
  expect(story.message({ control: 'NA', orcOnly: true, numbers: na })).toEqual({ kind: 'applied' })
  expect([statuses(story), story.worklist().length]).toEqual([['SCHEDULED'], 1])
  story.message({ control: 'NA', orcOnly: true, numbers: na })
  expect(story.history().at(-1)).toMatch(/changed nothing/)
})

test('a hold by a number that an ended order has not yet counts when a message brings it and plans the order again', () => {
  const story = createStory()
  story.message({ numbers: { accessionNumber: 'A1' } })
  story.message({ control: 'HD', orcOnly: true, numbers: { fillerOrderNumber: 'F1' }, sent: '20261016090000' })
  story.images()
  story.wait(40)
  const later = step('2', { ScheduledProcedureStepStartTime: '120000' })
  story.message({ control: 'XO', steps: [step('1'), later], sent: '20261016' })
  expect([statuses(story), story.worklist(), story.order().hold?.on]).toEqual([['COMPLETED', 'SCHEDULED'], [], true])
})
