import { expect, test } from 'vitest'
import type { Order, Study } from '../../src/core/order.ts'
import type { ExamEvent, StatusEventKind } from '../../src/core/world.ts'
import { parse } from '../../src/hl7/index.ts'
import { compileStatus } from '../../src/mapping/index.ts'
import { located, shipped } from './support.ts'

const received = [
  String.raw`MSH|^~\&|RIS|HOSP|ORTHANC_ENGINE|RAD|20261015090000||ORM^O01^ORM_O01|RIS000100|P|2.3.1||||||UNICODE UTF-8`,
  'PID|1||4711^^^HOSP&1.2.3.4&ISO^PI||MUELLER^ANNA^MARIA^^DR^^L||19700131|F',
  'PV1|1|O|RAD^MR1^^HOSP|||||201^HOUSE^GREGORY^^^DR|||||||B6||||V0815^^^HOSP',
  'ORC|NW|PL-1001^CPOE|FO-2001^RIS||SC||1^once^^20261016100000^^R||20261015085900|||300^WILSON^JAMES^^^DR',
  'OBR|1|PL-1001^CPOE|FO-2001^RIS|MRHEAD^MR head^99RP^MRHEADKM^MR head with contrast^99SPS||||||||||||||ACC2026-000042|RP-000042|SPS-000042-1||||MR|||1^once^^20261016100000^^R|||||||||||||||||MRHEAD^MR head^99RP',
  '',
].join('\r')

const order: Order = {
  id: 'O1-1',
  version: 2,
  source: 'ris-orders',
  numbers: { authority: 'ris-orders', placerOrderNumber: 'PL-1001', fillerOrderNumber: 'FO-2001' },
  patientKey: '4711^^^HOSP',
  studyInstanceUid: '1.2.826.0.1.3680043.10.1234.20261016.42',
  request: { AccessionNumber: 'ACC2026-000042', RequestedProcedureID: 'RP-000042' },
  received,
  steps: [
    {
      key: '0',
      stepStatus: 'CANCELED',
      stations: ['CT01'],
      flags: [],
      attributes: { Modality: 'CT', ScheduledProcedureStepID: 'X' },
    },
    {
      key: '1',
      stepStatus: 'STARTED',
      stations: ['MR01'],
      flags: [],
      attributes: { Modality: 'MR', ScheduledProcedureStepID: 'SPS-000042-1' },
    },
  ],
  told: [],
  firstImageAt: '2026-10-16T08:05:12.000Z',
  lastImageAt: '2026-10-16T08:39:55.000Z',
  createdAt: '2026-10-15T07:00:00.000Z',
  changedAt: '2026-10-15T07:00:00.000Z',
}

function event(kind: StatusEventKind, given: Partial<ExamEvent> = {}): ExamEvent {
  return {
    kind,
    at: '2026-10-16T08:15:00.000Z',
    order,
    patient: undefined,
    study: undefined,
    controlId: (n) => `E00000${n + 1}`,
    ...given,
  }
}

function plan(text?: string, destinations: readonly string[] = ['ris']) {
  const pipeline = text === undefined ? shipped('pipelines/status/pipeline.yaml') : located(text)
  const compiled = compileStatus({ pipelines: [pipeline], tables: {}, timeZone: 'Europe/Berlin', destinations })
  if (compiled.plan === undefined) throw new Error(compiled.problems.map(({ message }) => message).join('\n'))
  return compiled.plan
}

function problems(text: string): string[] {
  const { problems: found } = compileStatus({
    pipelines: [located(text)],
    tables: {},
    timeZone: 'UTC',
    destinations: ['ris'],
  })
  return found.map(({ line, column, code, message, cure }) => `${line}:${column} ${code} ${message} ${cure ?? ''}`)
}

const textOf = (bytes: Uint8Array | undefined) =>
  Buffer.from(bytes ?? [])
    .toString('utf8')
    .split('\r')
    .slice(0, -1)

test('the shipped pipeline says SC/IP when the first image is there', () => {
  const [message, ...more] = plan().render(event('started'))
  expect(more).toEqual([])
  expect(message).toMatchObject({ endpoint: 'ris', controlId: 'E000001' })
  expect(textOf(message?.bytes)).toEqual([
    String.raw`MSH|^~\&|ORTHANC_ENGINE|RAD|RIS|HOSP|20261016101500+0200||ORM^O01^ORM_O01|E000001|P|2.3.1||||||UNICODE UTF-8`,
    'PID|1||4711^^^HOSP&1.2.3.4&ISO^PI||MUELLER^ANNA^MARIA^^DR^^L||19700131|F',
    `PV1|1|O${'|'.repeat(17)}V0815^^^HOSP${'|'.repeat(32)}V`,
    'ORC|SC|PL-1001^CPOE|FO-2001^RIS||IP||1^once^^20261016100512^^R||20261016101500',
    `OBR|1|PL-1001^CPOE|FO-2001^RIS|MRHEAD^MR head^99RP|||20261016100512${'|'.repeat(11)}ACC2026-000042|RP-000042|SPS-000042-1||||MR|||1^once^^20261016100000^^R${'|'.repeat(17)}MRHEAD^MR head^99RP`,
    'ZDS|1.2.826.0.1.3680043.10.1234.20261016.42^^Application^DICOM',
  ])
})

test('and SC/CM with the end of the exam when it is complete', () => {
  const lines = textOf(plan().render(event('completed'))[0]?.bytes)
  expect(lines[3]).toBe('ORC|SC|PL-1001^CPOE|FO-2001^RIS||CM||1^once^^20261016100512^20261016103955^R||20261016101500')
  expect(lines[4]).toContain('|20261016100512|20261016103955|')
})

test('I7: the same event gives the same bytes', () => {
  expect(plan().render(event('started'))).toEqual(plan().render(event('started')))
})

test.each(['expired', 'stable', 'lateImages', 'deleted', 'NewSeries'] as const)(
  '%s is told to nobody by default',
  (kind) => {
    expect(plan().render(event(kind))).toEqual([])
  },
)

test('a destination without a port is told nothing', () => {
  expect(plan(undefined, []).render(event('started'))).toEqual([])
})

test.each([
  ['orthanc', 0],
  ['[orthanc, elsewhere]', 1],
  ['any', 1],
])('what happened in another Orthanc is told by a pipeline from: %s %i times', (from, times) => {
  const study = { orthanc: 'elsewhere', series: [] as Study['series'] } as Study
  const compiled = plan(`pipeline: s
from: ${from}
to: ris
on: { started: { message: ORM^O01 } }
map: { ORC-3: order.ORC-3 }
`)
  expect(compiled.render(event('started', { study }))).toHaveLength(times)
  expect(compiled.render(event('started'))).toHaveLength(1)
})

test('an order of other delimiters and letters is quoted as it stands', () => {
  const foreign = received
    .replaceAll('^', '$')
    .replaceAll('&', '%')
    .replace(String.raw`MSH|$~\%`, String.raw`MSH|$~\%`)
    .replace('MUELLER', 'MÜLLER')
  const [message] = plan().render(event('started', { order: { ...order, received: foreign } }))
  const lines = textOf(message?.bytes)
  expect(lines[0]).toContain(String.raw`MSH|$~\%|`)
  expect(lines[0]).toContain('|ORM$O01$ORM_O01|')
  expect(lines[1]).toContain('4711$$$HOSP%1.2.3.4%ISO$PI||MÜLLER$ANNA')
  expect(lines.at(-1)).toBe('ZDS|1.2.826.0.1.3680043.10.1234.20261016.42$$Application$DICOM')
  const parsed = parse(message?.bytes ?? new Uint8Array())
  expect(parsed.kind).toBe('message')
})

test('an order that has no patient and no visit is told without those segments', () => {
  const bare = received
    .split('\r')
    .filter((line) => !/^(PID|PV1)/.test(line))
    .join('\r')
  const lines = textOf(plan().render(event('started', { order: { ...order, received: bare } }))[0]?.bytes)
  expect(lines.map((line) => line.slice(0, 3))).toEqual(['MSH', 'ORC', 'OBR', 'ZDS'])
})

test('an order that never came as HL7 is told from its item', () => {
  const request = { ...order.request, PlacerOrderNumberImagingServiceRequest: 'A|B' }
  const lines = textOf(plan().render(event('started', { order: { ...order, received: '', request } }))[0]?.bytes)
  expect(lines[0]).toContain('|WORKLANE|')
  expect(lines.find((line) => line.startsWith('ORC'))).toContain(String.raw`ORC|SC|A\F\B|`)
})

test('tables, lists and several destinations', () => {
  const text = `pipeline: s
from: orthanc
to: [ris, other, none]
on: { started: { message: OMG^O19, orderStatus: IP } }
tables: { status: { IP: I, otherwise: X } }
map:
  ORC-5: { from: orderStatus, table: status }
  ORC-3: [order.ORC-33, order.ORC-3]
  OBR-4: item.RequestedProcedureCodeSequence
  OBX-5: study.instances
`
  const code = [{ CodeValue: 'C', CodeMeaning: 'M', CodingSchemeDesignator: 'S' }]
  const compiled = plan(text.replace('order.ORC-33', 'order.ORC-30'), ['ris', 'other'])
  const messages = compiled.render(
    event('started', { order: { ...order, request: { RequestedProcedureCodeSequence: code } } }),
  )
  expect(messages.map(({ endpoint, controlId }) => `${endpoint} ${controlId}`)).toEqual([
    'ris E000001',
    'other E000002',
  ])
  expect(textOf(messages[0]?.bytes).slice(1)).toEqual(['ORC|||FO-2001^RIS||I', 'OBR||||C^M^S'])
})

test('mistakes are said at their place', () => {
  const text = `pipeline: s
from: orthanc
to: ris
on:
  startd: { message: ORM^O01 }
  completed: { message: ORM }
map:
  MSH-10: { value: X }
  ORC-2: order.ORC-99
  ORC-3: ordr.ORC-3
  OBR-18: item.AccessionNumbr
  OBR-7: study.firstImage
  OBR-99: orderStatus
  OBR-4: { form: order.OBR-4 }
`
  expect(problems(text)).toEqual([
    expect.stringContaining('5:3 E225 There is no event "startd". Did you mean started?'),
    expect.stringContaining('6:25 E200 on.completed.message should be a type such as ORM^O01.'),
    expect.stringContaining('8:3 E234 MSH-10 is written by the engine.'),
    expect.stringContaining('9:16 E202 ORC has 31 fields, not 99.'),
    expect.stringContaining(
      '10:10 E233 "ordr.ORC-3" is not something a status message can be made from. Did you mean order?',
    ),
    expect.stringContaining('11:16 E210 "AccessionNumbr" is not a DICOM keyword. Did you mean AccessionNumber?'),
    expect.stringContaining('12:10 E233 "study.firstImage" is not something'),
    expect.stringContaining('13:3 E202 OBR has 50 fields, not 99.'),
    expect.stringContaining('14:12 E207 "form" is not a word of a rule. Did you mean from?'),
  ])
})
