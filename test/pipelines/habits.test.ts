/** Habits of other makers, as their messages show them, in an order that the shipped pipelines judge. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Verdict } from '../../src/core/message.ts'
import type { PlanSite } from '../../src/mapping/types.ts'
import { edit } from '../../src/mapping/edit.ts'
import { bytesAsSent, parse } from '../../src/hl7/index.ts'
import { changed } from '../mapping/sample.ts'
import { message, planOf, shipped, shippedPlan, shippedTables } from '../mapping/support.ts'

const order = [
  String.raw`MSH|^~\&|RIS|MAIN|WORKLANE|RAD|20260301093000||ORM^O01|MSG1|P|2.3.1`,
  'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F',
  'PV1|1|O',
  'ORC|NW|P1|F1||SC||^^^20260302101500^^R',
  'OBR|1|P1|F1|CTABD^CT Abdomen^99H||||||||||||||ACC1|RP1|SPS1||||CT',
].join('\r')

const refusing = shippedPlan()
const holding = shippedPlan({ incomplete: 'hold' } satisfies Partial<PlanSite>)

function judge(changes: Readonly<Record<string, string | null>>, plan = refusing) {
  const text = Object.entries(changes).reduce((all, [path, value]) => edit(all, path, value) ?? '', order)
  return plan.judge(message(...text.split('\r')))
}

/** What the only step and its patient are, and what somebody is told. */
function made(verdict: Verdict) {
  if (verdict.kind !== 'accepted') return verdict
  const [group] = verdict.groups
  const [step] = group?.steps ?? []
  const attributes = { ...group?.patient?.attributes, ...group?.request, ...step?.attributes }
  const told = verdict.warnings.map(({ code, place }) => `${code} ${place?.segment}-${place?.field}`)
  return { attributes, stations: step?.stations, told }
}

test.each([
  ['a birth date without a month and a day', { 'PID-7': '19800000' }, { PatientBirthDate: '' }, ['E324 PID-7']],
  ['a birth date without a day, and no time', { 'PID-7': '198002000000' }, { PatientBirthDate: '' }, ['E324 PID-7']],
  ['a birth date of blanks', { 'PID-7': '   ' }, { PatientSex: 'F' }, []],
  ['an accession number of blanks', { 'OBR-18': ' ' }, { AccessionNumber: 'F1' }, []],
  ['a sex in a word', { 'PID-8': 'Male' }, { PatientSex: 'M' }, []],
  ['a sex in German', { 'PID-8': 'W' }, { PatientSex: 'F' }, []],
  ['a scanner of bones', { 'OBR-24': 'DEXA' }, { Modality: 'BMD' }, []],
  ['a day without a time, in ORC-7', { 'ORC-7': '^^^20260302' }, { Modality: 'CT' }, ['E325 ORC-7']],
] as const)('%s', (_, changes, attributes, told) => {
  expect(made(judge(changes).verdict)).toMatchObject({ attributes, told })
})

test('a start without a day, or of blanks, is no start', () => {
  expect(judge({ 'ORC-7': '^^^20260300' }).verdict).toMatchObject({
    faults: [{ code: 'E304', place: { segment: 'ORC', field: 7 } }],
  })
  expect(made(judge({ 'ORC-7': '^^^  ' }).verdict)).not.toHaveProperty('attributes.ScheduledProcedureStepStartDate')
})

test('a number in OBR-24 is no modality: the order is refused or held, and no entry is shown under it', () => {
  const slipped = { 'OBR-24': '1^^^20260302101500^^R' }
  expect(judge(slipped).verdict).toMatchObject({
    faults: [{ code: 'E302', place: { segment: 'OBR', field: 24 }, params: { keyword: 'Modality' } }],
  })
  const held = made(judge(slipped, holding).verdict)
  expect(held).toMatchObject({ stations: [], told: ['E321 OBR-24', 'E340 OBR-24', 'E340 OBR-24'] })
  expect(held).not.toHaveProperty('attributes.Modality')
})

test('what DICOM does not know is told at the field that says it', () => {
  expect(made(judge({ 'OBR-24': 'XYZ' }, holding).verdict)).toMatchObject({ told: ['E345 OBR-24', 'E340 OBR-24'] })
})

test.each(['ORM', 'ORM^', 'ORM_O01', 'ORM^^ORM_O01'])('MSH-9 of %s can only be ORM^O01', (type) => {
  expect(judge({ 'MSH-9': type })).toMatchObject({ type: 'ORM^O01', verdict: { kind: 'accepted' } })
})

test.each(['ORM^O02', 'ORM_O02', 'ADT', 'SIU'])('MSH-9 of %s could be anything', (type) => {
  expect(judge({ 'MSH-9': type }).verdict).toMatchObject({ kind: 'invalid', acknowledgment: 'AR' })
})

test.each(['\r    ', '\r\t', '\n  ', '\r\n \t', '\r\n\r\n  '])(
  'segments that are indented by %j are segments, and written back so',
  (gap) => {
    const text = `${order.replaceAll('\r', gap)}\r`
    const parsed = parse(Buffer.from(text))
    if (parsed.kind !== 'message') throw new Error(parsed.fault.code)
    expect(parsed.message.segments.map(({ raw }) => raw)).toEqual(order.split('\r'))
    expect(Buffer.from(bytesAsSent(parsed.message)).toString()).toBe(text)
  },
)

const adt = planOf([shipped('pipelines/patients/pipeline.yaml')], { tables: shippedTables() })

test.each([
  ['1^^^H^MR~2^^^H^PI', '3^^^H^PI', ['E348 MRG-1']],
  ['1^^^H^MR~2^^^H^PI', '3^^^H^MR~4^^^H^PI', []],
  ['1^^^H^MR', '3^^^H', []],
  ['1^^^H', '3^^^H^PI', []],
])('a merge of %s with %s is warned of if its numbers are of two kinds', (kept, gone, told) => {
  const lines = [
    String.raw`MSH|^~\&|ADT|MAIN|W|R|20260301093000||ADT^A40|M1|P|2.5`,
    `PID|1||${kept}||Doe^Jane`,
    `MRG|${gone}`,
  ]
  const { verdict } = adt.judge(message(...lines))
  const places = verdict.kind === 'accepted' ? verdict.warnings : []
  expect(verdict.kind).toBe('accepted')
  expect(places.map(({ code, place }) => `${code} ${place?.segment}-${place?.field}`)).toEqual(told)
})

test('a telephone number in parts empties nothing', () => {
  const { attributes } = made(judge({ 'PID-13': '^PRN^PH^^1^214^5551234~^NET' }).verdict) as {
    readonly attributes: object
  }
  expect(attributes).not.toHaveProperty('PatientTelephoneNumbers')
  expect(attributes).not.toHaveProperty('PatientTelecomInformation')
})

const booking = [
  String.raw`MSH|^~\&|RIS|MAIN|WORKLANE|RAD|20260301093000||SIU^S12|MSG1|P|2.5`,
  'SCH|A1|B1',
  'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F',
  'RGS|1|A',
  'AIS|1|A|CT^CT Abdomen^99H|20260302101500',
]
const bookings = planOf([shipped('pipelines/appointments/pipeline.yaml')], { tables: shippedTables() })

test.each([
  ['R7^Room seven^99ROOM', 'Room seven'],
  ['77^House^Gregory^^^Dr', undefined],
  ['77^House^Gregory^J', undefined],
])('a booking with the resource %s is at the station %s', (resource, station) => {
  const { verdict } = bookings.judge(message(...booking, `AIG|1|A|${resource}`, 'AIL|1|A|A very long name of a place'))
  const { attributes, told } = made(verdict) as Exclude<ReturnType<typeof made>, Verdict>
  expect(attributes.ScheduledStationName).toBe(station)
  expect(told).toContain('E320 AIL-3')
})

test.each(['Noshow', 'NOSHOW', 'CANCELLED'])('a booking that is %s is called off', (status) => {
  const [header = '', , ...rest] = booking
  const { verdict } = bookings.judge(
    message(header.replace('S12', 'S14'), `SCH|A1|B1${'|'.repeat(23)}${status}`, ...rest),
  )
  expect(verdict).toMatchObject({ groups: [{ effect: 'cancel' }] })
})

test('one ORC before several OBR is refused, and each OBR is an order where the site says so, as the refusal does', () => {
  const second = 'OBR|2|P2|F2|CTHEAD^CT Head^99H||||||||||||||ACC2|RP2|SPS2||||CT'
  const both = message(...order.split('\r'), second)
  expect(refusing.judge(both).verdict).toMatchObject({ kind: 'invalid', faults: [{ code: 'E318' }] })
  const file = readFileSync(join(import.meta.dirname, '../../pipelines/orders/pipeline.yaml'), 'utf8')
  const ofEach = changed('each: { order: ORC, step: IPC }', 'each: { order: OBR }', file)
  const several = changed('[ORC-3, ORC-2], step: [IPC-4.1, OBR-20]', '[OBR-3, OBR-2], step: OBR-20', ofEach)
  const { verdict } = planOf([several], { tables: shippedTables() }).judge(both)
  const found = verdict.kind === 'accepted' ? verdict.groups : []
  expect(found.map(({ numbers, steps }) => [numbers.accessionNumber, steps.map(({ key }) => key)])).toEqual([
    ['ACC1', ['SPS1']],
    ['ACC2', ['SPS2']],
  ])
})
