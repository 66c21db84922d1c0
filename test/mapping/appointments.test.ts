import { describe, expect, test } from 'vitest'
import { parse, stepScopes, type Message } from '../../src/hl7/index.ts'
import type { OrderGroup } from '../../src/core/message.ts'
import { compile, planOf, shipped, shippedTables } from './support.ts'

const pipeline = shipped('pipelines/appointments/pipeline.yaml')
const plan = planOf(
  [pipeline, shipped('pipelines/orders/pipeline.yaml'), shipped('pipelines/patients/pipeline.yaml')],
  {
    tables: shippedTables(),
  },
)

function message(...segments: readonly string[]): Message {
  const parsed = parse(Buffer.from(`${segments.join('\r')}\r`))
  if (parsed.kind !== 'message') throw new Error('unreadable')
  return parsed.message
}

const msh = (event = 'S12'): string => `MSH|^~\\&|SCHED|MAIN|W|RAD|20260301093000||SIU^${event}|1|P|2.5.1`
const pid = 'PID|1||4711^^^HOSP^MR||Doe^Jane'

function groupOf(...segments: readonly string[]): OrderGroup {
  const { verdict } = plan.judge(message(...segments))
  if (verdict.kind !== 'accepted' || verdict.groups[0] === undefined) throw new Error(JSON.stringify(verdict))
  return verdict.groups[0]
}

describe('what belongs to a service', () => {
  const shown = (by: string, ...segments: readonly string[]): readonly string[] =>
    stepScopes(message(msh(), ...segments), by).map(({ segments: own }) =>
      own
        .slice(1)
        .map(({ raw }) => raw)
        .join(' '),
    )

  test.each([
    ['none without a service', ['SCH|1', 'RGS|1', 'AIL|1'], []],
    ['one without a resource group', ['SCH|1', 'AIS|1', 'AIL|1'], ['SCH|1 AIS|1 AIL|1']],
    [
      'its own resource group, whatever set IDs say; a group without a service is of none',
      ['SCH|1', 'RGS|1', 'AIS|1', 'AIL|1', 'RGS|2', 'AIS|1', 'AIP|1', 'RGS|3', 'AIL|1'],
      ['SCH|1 RGS|1 AIS|1 AIL|1', 'SCH|1 RGS|2 AIS|1 AIP|1'],
    ],
    [
      'of as many resources its own, of others all, each with its notes',
      ['RGS|1', 'AIS|1', 'NTE|1', 'AIS|2', 'AIL|1', 'NTE|2', 'AIL|2', 'AIP|1', 'AIG|1', 'AIG|2', 'AIG|3'],
      ['RGS|1 AIS|1 NTE|1 AIL|1 NTE|2 AIP|1 AIG|1 AIG|2 AIG|3', 'RGS|1 AIS|2 AIL|2 AIP|1 AIG|1 AIG|2 AIG|3'],
    ],
    [
      'resources that follow their services one by one',
      ['RGS|1', 'AIS|1', 'AIL|1', 'AIS|2', 'AIL|2'],
      ['RGS|1 AIS|1 AIL|1', 'RGS|1 AIS|2 AIL|2'],
    ],
  ])('%s', (_name, segments, expected) => {
    expect(shown('AIS', ...segments)).toEqual(expected)
  })

  test('each IPC is a step of its own with all else', () => {
    expect(shown('IPC', 'ORC|NW', 'OBR|1', 'IPC|A', 'IPC|B', 'OBX|1')).toEqual([
      'ORC|NW OBR|1 IPC|A OBX|1',
      'ORC|NW OBR|1 IPC|B OBX|1',
    ])
  })
})

test('MESA 151: without PID and without MSH-7 it is a booking of the order that it names, held to no more', () => {
  const sch = 'SCH||AP1^FILLER||P1^PLACER||||||||||||||||||||||P151^PLC|A151^FIL'
  const group = groupOf(
    'MSH|^~\\&|OF|RAD|OP|HOSP|||SIU^S12|151106|P|2.4',
    sch,
    'RGS|1|A',
    'AIS|1|A|P1^Procedure 1^L^^Radiology Procedure 1|20050330120000|||||No',
  )
  expect(group).toMatchObject({
    effect: 'schedule',
    isBooking: true,
    orderControl: 'S12',
    numbers: {
      placerOrderNumber: 'P151',
      fillerOrderNumber: 'A151',
      fillerAppointmentId: 'AP1',
    },
    steps: [{ stations: [], attributes: { ScheduledProcedureStepStartDate: '20050330' } }],
  })
  expect(group.patient).toBeUndefined()
  expect(group.numbers.placerAppointmentId).toBeUndefined()
})

test('a start with an offset is told in the zone of the site', () => {
  const { steps } = groupOf(msh(), 'SCH||A1', pid, 'AIS|1||MR|20260310100000+0500', 'AIL|1||MR01')
  expect(steps[0]?.attributes).toMatchObject({
    ScheduledProcedureStepStartDate: '20260310',
    ScheduledProcedureStepStartTime: '060000',
  })
})

test('a booking of which every service is taken out is called off; of which one is left, or none was named, it is not', () => {
  const effectOf = (...services: readonly string[]): string =>
    groupOf(msh('S14'), 'SCH||A1', pid, 'RGS|1', ...services).effect
  const [kept, out] = ['AIS|1|U|MR^MR of the knee|20260310100000', 'AIS|2|D|CT^CT of the chest|20260310110000']
  expect([effectOf(out), effectOf(out, out), effectOf(kept, out), effectOf('AIL|1||MR01')]).toEqual([
    'cancel',
    'cancel',
    'schedule',
    'schedule',
  ])
})

test('a visit of another clinic is not examined with the usual modality of the site', () => {
  const usual = planOf([pipeline], { tables: shippedTables(), stationAeTitle: 'ANY', modality: 'DX' })
  const dental = ['SCH||A1||||||CHECKUP^Check-up', pid, 'RGS|1', 'AIS|1||CHECKUP^Check-up|20260310100000']
  const stepOf = (...segments: readonly string[]): object | undefined => {
    const { verdict } = usual.judge(message(msh(), ...segments))
    return verdict.kind === 'accepted' ? verdict.groups[0]?.steps[0] : undefined
  }
  expect(stepOf(...dental)).toMatchObject({ stations: ['ANY'], assumed: ['ScheduledStationAETitle'] })
  expect(stepOf(...dental)).not.toHaveProperty('attributes.Modality')
  expect(stepOf(...dental.with(3, 'AIS|1||MR^MR of the knee|20260310100000'))).toMatchObject({
    attributes: { Modality: 'MR' },
  })
})

test('the status of the appointment counts in whatever letters, and is shown only where the pipeline names it', () => {
  const status = (text: string): string => `SCH||A1|||||||||||||||||||||||${text}`
  expect(groupOf(msh('S14'), status('CANCELLED'), pid)).toMatchObject({
    effect: 'cancel',
    orderControl: 'S14(Cancelled)',
  })
  expect(groupOf(msh('S14'), status('Doe^Jane'), pid)).toMatchObject({ effect: 'schedule', orderControl: 'S14' })
})

test('a cancelled booking needs no more than its number', () => {
  expect(groupOf(msh('S15'), 'SCH||A1')).toMatchObject({ effect: 'cancel', numbers: { fillerAppointmentId: 'A1' } })
})

test('a booking of several orders is one of the first, and says so', () => {
  const sch = 'SCH||A1||||||||||||||||||||||||P1^S|F1^S~F2^S'
  const { verdict } = plan.judge(message(msh(), sch, pid))
  expect(verdict).toMatchObject({
    kind: 'accepted',
    groups: [{ numbers: { fillerOrderNumber: 'F1' } }],
    warnings: [{ code: 'E346', params: { field: 'SCH-27' }, place: { segment: 'SCH', field: 27, repetition: 2 } }],
  })
})

test('a booking is found again by every number that it names', () => {
  const sch = 'SCH|B1^S|A1^S||||||||||||||||||||||||P1^S|F1^S'
  expect(plan.judge(message(msh(), sch, pid)).keys).toEqual({
    patientIds: ['4711'],
    accessionNumbers: [],
    placerOrderNumbers: ['P1'],
    fillerOrderNumbers: ['F1'],
    appointmentIds: ['B1', 'A1'],
  })
})

describe('mistakes in a pipeline of bookings', () => {
  const yaml = (changes: Readonly<Record<string, string>>): string => {
    const parts: Readonly<Record<string, string>> = {
      triggerEvent: '{ S12: schedule }',
      each: '{ order: SCH, step: AIS }',
      identity: '{ order: [SCH-27, SCH-26], appointment: [SCH-2, SCH-1] }',
      ...changes,
    }
    return [
      'pipeline: bookings',
      'from: ris-orders',
      'accept: { messages: [SIU] }',
      ...Object.entries(parts).map(([name, text]) => `${name}: ${text}`),
      'map:',
      '  PatientName: PID-5',
      '  PatientID: PID-3.1',
      '  StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }',
      '  RequestedProcedureID: SCH-2.1',
      '  RequestedProcedureDescription: AIS-3.2',
      '  ScheduledProcedureStepSequence:',
      '    Modality: { value: MR }',
      '    ScheduledStationAETitle: { value: MR01 }',
      '    ScheduledProcedureStepID: AIS-1',
      '    ScheduledProcedureStepDescription: AIS-3.2',
    ].join('\n')
  }

  const codes = (changes: Readonly<Record<string, string>>): readonly string[] =>
    compile([yaml(changes)]).problems.map(({ code, line }) => `${line} ${code}`)

  test('there is none in this one, and what it makes no rule of is refused', () => {
    expect(codes({})).toEqual([])
    const own = planOf([yaml({})])
    expect(own.judge(message(msh('S13'), 'SCH||A1', pid)).verdict).toMatchObject({
      kind: 'invalid',
      acknowledgment: 'AR',
      faults: [{ code: 'E328' }],
    })
  })

  test.each([
    ['an effect that a booking has not', { triggerEvent: '{ S12: merge }' }, ['4 E216']],
    ['an event that is none', { triggerEvent: '{ booked: schedule }' }, ['4 E200']],
    ['a segment that begins no order', { each: '{ order: RGS, step: AIS }' }, ['5 E200']],
    ['a field that SCH has not', { identity: '{ appointment: [SCH-99] }' }, ['6 E202']],
    ['a condition over a name that nobody has said', { each: '{ order: SCH, step: AIS, when: gone == "D" }' }, ['5 E']],
  ])('%s', (_name, changes, expected) => {
    const found = codes(changes)
    expect(found.map((code, at) => code.slice(0, expected[at]?.length))).toEqual(expected)
  })
})

test('a booking without SCH is refused, and the segment named', () => {
  const { verdict } = plan.judge(message(msh(), pid))
  expect(verdict).toMatchObject({
    kind: 'invalid',
    acknowledgment: 'AE',
    faults: [{ code: 'E314', hl7Code: 101, params: { segment: 'SCH' }, place: { segment: 'SCH' } }],
  })
})
