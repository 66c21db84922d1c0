import { expect, test } from 'vitest'
import { errors } from '../../src/core/errors/index.ts'
import { endedStatuses, stepStatuses, type Order, type StepStatus, type Study } from '../../src/core/order.ts'
import { lookupKey, type Change, type Lookup } from '../../src/core/world.ts'
import { createOverlay } from '../../src/exam/index.ts'
import { itemId } from '../../src/exam/items.ts'
import { orderLookups, studyLookups } from '../../src/exam/overlay.ts'
import { agree, merge, splitPatientKey } from '../../src/exam/patients.ts'
import { same } from '../../src/exam/same.ts'
import { isNewer, newest, sentAt } from '../../src/exam/sent.ts'
import { move, reopen, takeBack, type Act } from '../../src/exam/steps.ts'
import { numbersOf, studyNumbers } from '../../src/store/changes.ts'
import { createStory, nothing } from '../stories/support.ts'

test.each([
  ['20261016100001', '20261016100000', true],
  ['20261016100000', '20261016100000', false],
  ['20261016095959', '20261016100000', false],
  ['202610161001', '20261016100000', true],
  // As far as both go they are the same moment.
  ['202610161000', '20261016100000', false],
  ['20261016', '20261016100000', false],
  ['20261016100000.123', '20261016100000', false],
  ['20261016100000.35', '20261016100000.1204', true],
  ['20261016100000.1', '20261016100000.1204', false],
  ['20261016100000.120', '20261016100000.350', false],
  ['20261016110000.350+0100', '20261016100000.120+0000', true],
  ['20261016110000.350+0100', '20261016100000+0000', false],
  ['202610161100+0100', '20261016095930+0000', true],
  ['20261016110030+0100', '202610161000+0000', false],
  ['20261016110000+0100', '20261016103000+0000', false],
  ['20261016110000+0000', '20261016113000+0100', true],
  ['20261016110000-0500', '20261016113000+0100', true],
  ['20261016110000+0100', '20261016100000', undefined],
  ['20261016+0100', '20261015+0000', undefined],
  ['', '20261016100000', undefined],
  ['yesterday', '20261016100000', undefined],
])('sent %s is newer than %s: %s', (a, b, expected) => {
  expect(isNewer(a, b)).toBe(expected)
})

test('the newest time sent is kept, whatever comes later', () => {
  expect(newest(undefined, '20261016')).toBe('20261016')
  expect(newest('20261017', '20261016')).toBe('20261017')
  expect(newest('20261016', '20261017')).toBe('20261017')
  expect(newest('20261016', '')).toBe('20261016')
})

test.each([
  ['MSH|^~\\&|A|B|C|D|20261016||ORM^O01\rPID|1', '20261016'],
  ['MSH#^~\\&#A#B#C#D#20261016', '20261016'],
  ['MSH|^~\\&|A', ''],
  ['ORC|NW', ''],
  ['MSH', ''],
  ['', ''],
])('MSH-7 of %j is %j', (text, expected) => {
  expect(sentAt(text)).toBe(expected)
})

test.each([
  ['4711^^^HOSP', '4711', 'HOSP', true],
  ['4711^^^HOSP', '4711', '', true],
  ['4711^^^', '4711', 'HOSP', true],
  ['4711^^^HOSP', ' 4711 ', 'HOSP', true],
  ['4711^^^HOSP', '4711', 'CLINIC', false],
  ['4711^^^HOSP', '4712', 'HOSP', false],
  ['4711^^^HOSP', '471', '', false],
  ['ab^^^HOSP', 'AB', 'HOSP', false],
  ['^^^HOSP', '', 'HOSP', false],
])('I11: order of %s, images of %j from %j agree: %s', (key, patientId, issuerOfPatientId, expected) => {
  expect(agree(key, { patientId, issuerOfPatientId })).toBe(expected)
})

test('a patient key splits into what it was made of', () => {
  expect(splitPatientKey('4711^^^HOSP')).toEqual({ patientId: '4711', issuerOfPatientId: 'HOSP' })
  expect(splitPatientKey('a^^^b^^^c')).toEqual({ patientId: 'a^^^b', issuerOfPatientId: 'c' })
  expect(splitPatientKey('4711')).toEqual({ patientId: '4711', issuerOfPatientId: '' })
})

test('absent keeps, empty empties, and what changes nothing is the same object', () => {
  const known = { PatientName: 'A', PatientSex: 'F' }
  expect(merge(known, { PatientName: 'B' })).toEqual({ PatientName: 'B', PatientSex: 'F' })
  expect(merge(known, { PatientSex: '' })).toEqual({ PatientName: 'A', PatientSex: '' })
  expect(merge(known, { PatientSex: 'F' })).toBe(known)
})

const waiting = ['UNSCHEDULED', 'SCHEDULED', 'ARRIVED', 'READY'] as const
const moves: readonly (readonly [Act, StepStatus, StepStatus])[] = [
  ...waiting.flatMap((from) => [
    ['start', from, 'STARTED'] as const,
    ['complete', from, 'COMPLETED'] as const,
    ['cancel', from, 'CANCELED'] as const,
  ]),
  ['complete', 'STARTED', 'COMPLETED'],
  ['finish', 'STARTED', 'COMPLETED'],
  ['cancel', 'STARTED', 'DISCONTINUED'],
  ...([...waiting, 'STARTED'] as const).map((from) => ['expire', from, 'EXPIRED'] as const),
]

test('steps move as the table says, and in no other way', () => {
  for (const act of ['start', 'complete', 'finish', 'cancel', 'expire'] as const) {
    for (const from of stepStatuses) {
      const order = { steps: [{ key: '1', stepStatus: from }] } as unknown as Order
      const to = moves.find(([one, status]) => one === act && status === from)?.[2]
      expect([act, from, move(order, act).steps[0]?.stepStatus]).toEqual([act, from, to ?? from])
    }
  }
})

test.each([
  ['COMPLETED', true, '20261016', 'STARTED'],
  ['DISCONTINUED', true, '20261016', 'STARTED'],
  ['COMPLETED', false, '20261016', 'SCHEDULED'],
  ['DISCONTINUED', false, '', 'UNSCHEDULED'],
  ['CANCELED', true, '20261016', 'SCHEDULED'],
  ['EXPIRED', false, '20261016', 'SCHEDULED'],
  ['EXPIRED', true, '', 'UNSCHEDULED'],
] as const)('reopened: %s, was seen: %s, planned for "%s": %s', (from, wasSeen, date, to) => {
  const attributes = { Modality: 'CT', ScheduledProcedureStepDescription: 'CT', ScheduledProcedureStepStartDate: date }
  const stations = ['CT01']
  const order = { steps: [{ key: '1', stepStatus: from, stations, attributes, flags: [] }] } as unknown as Order
  expect(reopen(order, undefined, wasSeen).steps[0]?.stepStatus).toBe(to)
  expect(reopen(order, new Set(['2']), wasSeen)).toBe(order)
})

test('what has not ended is not reopened, and only what has started is taken back', () => {
  for (const from of stepStatuses) {
    const attributes = {
      Modality: 'CT',
      ScheduledProcedureStepDescription: 'CT',
      ScheduledProcedureStepStartDate: '20261016',
    }
    const stations = ['CT01']
    const begun = { at: '2026-10-16T08:00:00.000Z' }
    const flags = ['images-first', 'no-longer-ordered']
    const order = { steps: [{ key: '1', stepStatus: from, stations, attributes, begun, flags }] } as unknown as Order
    if (!endedStatuses.includes(from)) expect(reopen(order, undefined, true)).toBe(order)
    const back = takeBack(order)
    const waits = { key: '1', stepStatus: 'SCHEDULED', stations, attributes, flags: ['no-longer-ordered'] }
    if (from === 'STARTED') expect(back.steps).toEqual([waits])
    else expect(back).toBe(order)
  }
})

test('item ids are safe in file names and URLs, and different for different parts', () => {
  const parts = ['1', 'a', 'a-b', 'a.b', 'a_b', 'a b', 'a/b', '..', 'ä', '', '_', 'A', '_5f']
  const ids = [1, 2, 12].flatMap((step) => parts.map((station) => itemId('O1-1', step, station)))
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9._-]+$/)
})

test('equal values are the same, an absent key and an undefined one too', () => {
  expect(same({ a: [1, { b: '' }] }, { a: [1, { b: '' }], c: undefined })).toBe(true)
  for (const [a, b] of [
    [{ a: 1 }, {}],
    [{}, { a: 1 }],
    [[1], [1, 2]],
    [[], {}],
    ['1', 1],
    [null, {}],
    [{ a: '' }, {}],
  ]) {
    expect(same(a, b)).toBe(false)
  }
})

test('an overlay finds an order by its new numbers, no longer by its old ones, and leaves its base alone', () => {
  const story = createStory()
  story.message({ numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1' } })
  const base = createOverlay(nothing)
  base.fold([{ kind: 'order', order: story.order(), items: [], withdrawn: [] }])
  const overlay = createOverlay(base)
  const numbers = { authority: 'ris', fillerOrderNumber: 'F1', accessionNumber: 'A2' }
  overlay.fold([{ kind: 'order', order: { ...story.order(), numbers }, items: [], withdrawn: [] }])
  const by = (value: string): Lookup => ({ by: 'accessionNumber', value })
  expect([overlay.orders(by('A1')).length, overlay.orders(by('A2')).length]).toEqual([0, 1])
  expect([base.orders(by('A1')).length, base.orders(by('A2')).length]).toEqual([1, 0])
})

test('every error of the exam names no value of a person: only ids, codes and parts', () => {
  const allowed = new Set([
    'group',
    'orderId',
    'missing',
    'study',
    'stepStatus',
    'plan',
    'error',
    'endpoint',
    'rule',
    'destination',
    'fields',
  ])
  const ours = Object.entries(errors).filter(([code]) => /^E6[^8]/.test(code))
  expect(ours.length).toBeGreaterThan(5)
  for (const [, { message }] of ours) {
    for (const [, name] of message.matchAll(/\{(\w+)\}/g)) expect(allowed).toContain(name)
  }
})

test('I9: history, faults, notices and message states carry no patient data', () => {
  const story = createStory()
  const said: Change[] = []
  const stranger = { key: 'X^^^Y', patientId: 'X', issuerOfPatientId: 'Y', attributes: {} }
  for (const happen of [
    () => story.message({}),
    () => story.message({ control: 'XO', sent: '20261015100000' }),
    () => story.images({ patientId: '4712' }),
    () => story.images({ study: 'study-2' }),
    () => story.message({ patient: stranger }),
    () => story.wait(60),
  ]) {
    happen()
    said.push(...story.last().filter(({ kind }) => ['history', 'notice', 'state'].includes(kind)))
  }
  expect(said.length).toBeGreaterThan(8)
  expect(JSON.stringify(said)).not.toMatch(/MUELLER|4711|4712|19700131|"A1|"F1|X\^/)
})

test('I3: within a batch orders and studies are found by exactly what the store finds them by', () => {
  const story = createStory()
  const numbers = { placerOrderNumber: 'P1', fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.2' }
  story.message({ numbers })
  story.images([{ accessionNumber: 'A1' }, { series: 'series-2', accessionNumber: 'A2' }])
  story.performed()
  const study = story.study() as Study
  const order = story.order()
  expect(orderLookups(order).map(({ by }) => by)).toContain('performed')
  const texts = (lookups: readonly Lookup[]): readonly string[] => lookups.map(lookupKey).sort()
  expect(texts(orderLookups(order))).toEqual(texts([{ by: 'order', id: order.id }, ...numbersOf(order)]))
  expect(texts(studyLookups(study))).toEqual(texts([{ by: 'study', key: study.key }, ...studyNumbers(study)]))
})
