/** A10 and what takes it back, A29 (docs/explanation/exam.md, Patients). */
import { describe, expect, test } from 'vitest'
import type { PatientAct } from '../../src/core/message.ts'
import { anna, createStory, otto, statuses, step, stepOf, type GroupParts, type Story } from './support.ts'

const today = '20261016'
type Arrives = Extract<PatientAct, { kind: 'arrive' | 'arrivalTakenBack' }>
const arrive = (parts: Partial<Arrives> = {}): Arrives => ({
  kind: 'arrive',
  patient: anna,
  timeZone: 'Europe/Berlin',
  ...parts,
})
const takeBack = (parts: Partial<Arrives> = {}): Arrives => arrive({ kind: 'arrivalTakenBack', ...parts })
const numbers = (number: string) => ({ fillerOrderNumber: `F${number}`, accessionNumber: `A${number}` })
const ofVisit = (number: string, AdmissionID: string, parts: GroupParts = {}): GroupParts => ({
  numbers: numbers(number),
  request: { AdmissionID },
  ...parts,
})
const on = (day: string): GroupParts['steps'] => [step('1', { ScheduledProcedureStepStartDate: day })]
const shown = (story: Story): readonly unknown[] =>
  story.worklist().map((item) => stepOf(item)['ScheduledProcedureStepStatus'])
const ignored = (rule: string) => ({ kind: 'ignored', rule })
const applied = { kind: 'applied' }

describe('a patient arrives', () => {
  test('modalities see it, and still see the order', () => {
    const story = createStory()
    story.message({})
    expect(story.adt(arrive({ day: today }))).toEqual(applied)
    expect([statuses(story), shown(story)]).toEqual([['ARRIVED'], ['ARRIVED']])
    expect(story.history().at(-1)).toBe('the patient arrived: 1 ARRIVED')
    expect([story.told(), story.events(), story.notices()]).toEqual([[], [], []])
  })

  test('I4: a repeat changes nothing', () => {
    const story = createStory()
    story.message({})
    story.adt(arrive({ day: today }))
    expect(story.adt(arrive({ day: today }))).toEqual(ignored('no-step-arrives'))
    expect(story.last().map((change) => change.kind)).toEqual(['state'])
  })

  test('a patient whom nobody knows', () => {
    const story = createStory()
    story.message({})
    expect(story.adt(arrive({ patient: otto }))).toEqual(ignored('unknown-patient'))
    expect(story.adt(takeBack({ patient: otto }))).toEqual(ignored('unknown-patient'))
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('on the day of the message, not on another one', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    story.message({ numbers: numbers('2'), steps: on('20261017') })
    story.adt(arrive({ day: '20261017' }))
    expect(statuses(story)).toEqual(['SCHEDULED', 'ARRIVED'])
  })

  test.each([
    ['2026-10-16', 'Europe/Berlin', ['ARRIVED']],
    ['2026-10-15', 'Pacific/Honolulu', ['SCHEDULED']],
  ])('without a day, on that on which it was accepted: %s in %s', (_day, timeZone, expected) => {
    const story = createStory()
    story.message({})
    story.adt(arrive({ timeZone }))
    expect(statuses(story)).toEqual(expected)
  })

  test('for a visit: orders of it arrive whatever their day, those of another visit do not', () => {
    const story = createStory()
    story.message(ofVisit('1', 'V1', { steps: on('20261018') }))
    story.message(ofVisit('2', 'V2'))
    story.message({ numbers: numbers('3') })
    story.message({ numbers: numbers('4'), steps: on('20261018') })
    story.adt(arrive({ admissionId: 'V1', day: today }))
    expect(statuses(story)).toEqual(['ARRIVED', 'SCHEDULED', 'ARRIVED', 'SCHEDULED'])
  })

  test('an arrival without a visit means the day, whatever visit was ordered for', () => {
    const story = createStory()
    story.message(ofVisit('1', 'V1'))
    story.adt(arrive({ day: today }))
    expect(statuses(story)).toEqual(['ARRIVED'])
  })

  test('after the first image nothing moves; nor does what has ended or has no start', () => {
    const story = createStory()
    story.message(ofVisit('1', 'V1'))
    story.images()
    story.message(ofVisit('2', 'V1'))
    story.message({ control: 'CA', numbers: numbers('2') })
    story.message(ofVisit('3', 'V1', { steps: on('') }))
    expect(story.adt(arrive({ admissionId: 'V1' }))).toEqual(ignored('no-step-arrives'))
    expect(statuses(story)).toEqual(['STARTED', 'CANCELED', 'UNSCHEDULED'])
  })

  test('images start what has arrived, and a cancel cancels it', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    story.adt(arrive({ day: today }))
    story.images()
    story.message({ numbers: numbers('2') })
    story.adt(arrive({ day: today }))
    story.message({ control: 'CA', numbers: numbers('2') })
    expect([statuses(story), story.told()]).toEqual([['STARTED', 'CANCELED'], ['IP']])
  })

  test('an update of what has arrived leaves it arrived', () => {
    const story = createStory()
    story.message({})
    story.adt(arrive({ day: today }))
    story.message({ control: 'XO', request: { AccessionNumber: 'A1', ReferringPhysicianName: 'HOUSE' } })
    expect(statuses(story)).toEqual(['ARRIVED'])
  })

  test('who arrives under a merged ID is the survivor', () => {
    const story = createStory()
    story.message({ patient: anna })
    story.adt({ kind: 'merge', patient: anna, prior: [otto.key] })
    expect(story.adt(arrive({ patient: otto, day: today }))).toEqual(applied)
    expect(statuses(story)).toEqual(['ARRIVED'])
  })

  test('who arrived and never began is a no-show all the same', () => {
    const story = createStory({}, { days: 7, timeZone: 'UTC' })
    story.message({})
    story.adt(arrive({ day: today }))
    story.wait(9 * 24 * 60)
    expect(statuses(story)).toEqual(['EXPIRED'])
  })

  test('I9: the history names nobody', () => {
    const story = createStory()
    story.message(ofVisit('1', 'V4711'))
    story.adt(arrive({ admissionId: 'V4711' }))
    story.adt(takeBack({ admissionId: 'V4711' }))
    expect(story.history().join('\n')).not.toMatch(/4711|MUELLER|HOSP/)
  })
})

describe('an arrival is taken back', () => {
  test('the step is scheduled again, and no order is cancelled', () => {
    const story = createStory()
    story.message(ofVisit('1', 'V1'))
    story.message(ofVisit('2', 'V2'))
    const before = story.items().map(({ dataset }) => dataset)
    story.adt(arrive({ day: today }))
    expect(story.adt(takeBack({ admissionId: 'V1' }))).toEqual(applied)
    expect(statuses(story)).toEqual(['SCHEDULED', 'ARRIVED'])
    story.adt(takeBack({ admissionId: 'V2' }))
    expect(story.items().map(({ dataset }) => dataset)).toEqual(before)
    expect(story.history().at(-1)).toBe('the arrival was taken back: 1 SCHEDULED')
  })

  test('what the department has said to be READY stays so', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'RY' })
    expect(story.adt(takeBack({ day: today }))).toEqual(ignored('no-step-arrived'))
    expect(statuses(story)).toEqual(['READY'])
  })

  test('of who has not arrived there is nothing to take back, and a started exam is not stopped', () => {
    const story = createStory()
    story.message({})
    expect(story.adt(takeBack({ day: today }))).toEqual(ignored('no-step-arrived'))
    story.adt(arrive({ day: today }))
    story.images()
    expect(story.adt(takeBack({ day: today }))).toEqual(ignored('no-step-arrived'))
    expect(statuses(story)).toEqual(['STARTED'])
  })
})

describe('a patient is deleted elsewhere', () => {
  const gone: PatientAct = { kind: 'patientDeleted', patient: anna }

  test('open orders stay, and a person is told which', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    story.message({ numbers: numbers('2') })
    story.message({ control: 'CA', numbers: numbers('2') })
    expect(story.adt(gone)).toEqual(applied)
    expect([statuses(story), story.worklist().length]).toEqual([['SCHEDULED', 'CANCELED'], 1])
    expect(story.last()).toContainEqual(expect.objectContaining({ kind: 'notice', orderIds: ['O1001-1'] }))
    expect(story.notices()).toEqual(['E632'])
    expect(story.history('O1001-1').at(-1)).toContain('E632')
  })

  test('without open orders nobody is called', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'CA' })
    expect(story.adt(gone)).toEqual(ignored('no-open-order'))
    expect(story.adt({ ...gone, patient: otto })).toEqual(ignored('unknown-patient'))
    story.adt({ kind: 'merge', patient: otto, prior: [anna.key] })
    expect(story.adt(gone)).toEqual(ignored('patient-merged'))
    expect(story.notices()).toEqual([])
  })
})
