import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert, constantFrom, property, string } from 'fast-check'
import { Message as ForeignMessage } from 'node-hl7-client'
import { expect, test } from 'vitest'
import type { Order, Study } from '../../src/core/order.ts'
import type { ExamEvent, StatusEventKind } from '../../src/core/world.ts'
import { escape, parse, pathOf, segmentFields, select, type Message } from '../../src/hl7/index.ts'
import { compileStatus } from '../../src/mapping/index.ts'
import { root, shipped } from '../mapping/support.ts'

/** HL7 2.5.1 (ORM^O01: 2.3.1) by the segments that our forms write. */
const structures: Readonly<Record<string, RegExp>> = {
  'status-orm-minimal': /^MSH ORC$/,
  // §4.4.1; ZDS is IHE's, at the end (RAD TF-2 4.4).
  status: /^MSH( PID( PV1)?)? ORC( OBR)? ZDS$/,
  // §4.4.4: OMG_O19
  'status-omg': /^MSH( PID( PV1)?)? ORC( TQ1)? OBR( OBX)*$/,
  // §4.4.14: OMI_O23
  'status-omi': /^MSH( PID( PV1)?)? ORC( TQ1)? OBR( OBX)* IPC$/,
  // §7.3.1: ORU_R01
  'status-oru': /^MSH( PID( PV1)?)? ORC OBR( TQ1)?( OBX)+$/,
}
const forms = Object.keys(structures)

/** Required fields of HL7 2.5.1, of those segments. */
const required: Readonly<Record<string, readonly number[]>> = {
  MSH: [7, 9, 10, 11, 12],
  PID: [3, 5],
  PV1: [2],
  ORC: [1],
  OBR: [4],
  OBX: [3, 11],
  IPC: [1, 2, 3, 4],
}

const usual = [
  String.raw`MSH|^~\&|RIS|HOSP|ORTHANC_ENGINE|RAD|20261015090000||ORM^O01^ORM_O01|RIS000100|P|2.3.1||||||UNICODE UTF-8`,
  String.raw`PID|1||4711^^^HOSP&1.2.3.4&ISO^PI||M\T\LLER \F\ \S\ \R\ \E\^ANNA^MARIA^^DR^^L||19700131|F`,
  'PV1|1|O|RAD^MR1^^HOSP|||||201^HOUSE^GREGORY^^^DR|||||||B6||||V0815^^^HOSP',
  'ORC|NW|PL-1001^CPOE|FO-2001^RIS||SC||1^once^^20261016100000^^R||20261015085900',
  'OBR|1|PL-1001^CPOE|FO-2001^RIS|MRHEAD^MR head^99RP||||||||||||||ACC-42|RP-42|SPS-42-1||||MR|||1^once^^20261016100000^^R|||||||||||||||||MRHEAD^MR head^99RP',
]

const line = (name: string) => usual.find((each) => each.startsWith(name)) ?? ''
const without = (...names: readonly string[]) => usual.filter((each) => !names.includes(each.slice(0, 3)))

/** The same message with other delimiters. */
function withDelimiters(lines: readonly string[], signs: string): string[] {
  const [field, component, repetition, sign, subcomponent] = signs as unknown as readonly string[]
  const other: Readonly<Record<string, string | undefined>> = {
    '|': field,
    '^': component,
    '~': repetition,
    '\\': sign,
    '&': subcomponent,
  }
  return lines.map((each) => Array.from(each, (character) => other[character] ?? character).join(''))
}

const orders: Readonly<Record<string, readonly string[]>> = {
  'as usual': usual,
  'with other delimiters in MSH-1 and MSH-2': withDelimiters(usual, '#$*/@'),
  'with the truncation character of 2.7': [line('MSH').replace(String.raw`^~\&`, String.raw`^~\&#`), ...usual.slice(1)],
  'without OBR': without('OBR'),
  'of an ORC alone': without('PID', 'PV1', 'OBR'),
  'in Latin-1': [
    line('MSH').replace('UNICODE UTF-8', '8859/1'),
    ...usual.slice(1).map((l) => l.replace('ANNA', 'ÄNNE')),
  ],
  'with empty parts and nulls': usual.map((each) =>
    each.replace('HOSP&1.2.3.4&ISO^PI', 'HOSP&&^^^~').replace(/\|F$/, '|""').replace('RP-42', 'RP-42^^'),
  ),
  'that never came as HL7': [],
}

const study: Study = {
  key: 'orthanc/study',
  orthanc: 'orthanc',
  studyInstanceUid: '2.25.4711',
  accessionNumber: 'ACC-42',
  patientId: '4711',
  issuerOfPatientId: 'HOSP',
  stable: false,
  deleted: false,
  credit: { kind: 'matched', orderIds: ['O1-1'] },
  firstImageAt: '2026-10-16T08:05:12.000Z',
  lastImageAt: '2026-10-16T08:39:55.000Z',
  series: [
    {
      study: 'study',
      series: 'series',
      studyInstanceUid: '2.25.4711',
      seriesInstanceUid: '2.25.4711.1',
      accessionNumber: 'ACC-42',
      patientId: '4711',
      issuerOfPatientId: 'HOSP',
      modality: 'MR',
      stationName: 'MR1',
      remoteAet: 'MR01',
      origin: 'DicomProtocol',
      studyDate: '20261016',
      studyTime: '100455',
      requestAttributes: [],
      instances: 184,
      lastImageAt: '2026-10-16T08:39:55.000Z',
    },
  ],
}

function orderOf(lines: readonly string[], attributes: Order['request'] = {}): Order {
  return {
    id: 'O1-1',
    version: 2,
    source: 'ris-orders',
    numbers: { authority: 'ris-orders', placerOrderNumber: 'PL-1001', fillerOrderNumber: 'FO-2001' },
    patientKey: '4711^^^HOSP',
    studyInstanceUid: '1.2.826.0.1.3680043.10.1234.20261016.42',
    request: {
      AccessionNumber: 'ACC-42',
      RequestedProcedureID: 'RP-42',
      RequestedProcedureDescription: 'MR head',
      PlacerOrderNumberImagingServiceRequest: 'PL-1001',
      FillerOrderNumberImagingServiceRequest: 'FO-2001',
      ...attributes,
    },
    received: lines.map((each) => `${each}\r`).join(''),
    steps: [
      {
        key: '1',
        stepStatus: 'STARTED',
        stations: ['MR01'],
        flags: [],
        attributes: { Modality: 'MR', ScheduledProcedureStepID: 'SPS-42-1' },
      },
    ],
    told: [],
    firstImageAt: study.firstImageAt,
    lastImageAt: study.lastImageAt,
    createdAt: '2026-10-15T07:00:00.000Z',
    changedAt: '2026-10-15T07:00:00.000Z',
  }
}

const plans = new Map(
  forms.map((form) => [
    form,
    compileStatus({
      pipelines: forms.map((name) => shipped(`pipelines/${name}/pipeline.yaml`)),
      tables: {},
      timeZone: 'Europe/Berlin',
      destinations: ['ris'],
      origins: { 'ris-orders': 'ris' },
      forms: { ris: form },
    }).plan,
  ]),
)

function render(form: string, kind: StatusEventKind, order: Order, more: Partial<ExamEvent> = {}): Uint8Array {
  const messages = plans.get(form)?.render({
    kind,
    at: '2026-10-16T08:45:00.000Z',
    order,
    patient: {
      key: '4711^^^HOSP',
      patientId: '4711',
      issuerOfPatientId: 'HOSP',
      attributes: { PatientName: 'MUELLER^ANNA^^DR' },
    },
    study,
    orthanc: 'orthanc',
    controlId: (n) => `W1-${n}`,
    ...more,
  })
  expect(messages).toHaveLength(1)
  return messages?.[0]?.bytes ?? new Uint8Array()
}

function read(bytes: Uint8Array): Message {
  const parsed = parse(bytes)
  if (parsed.kind !== 'message') throw new Error('unreadable')
  return parsed.message
}

function textOf(message: Message, path: string): string {
  return select(message, pathOf(path))[0]?.text ?? ''
}

const told = ['started', 'completed', 'discontinued', 'canceled', 'reopened'] as const
const cases = forms.flatMap((form) => Object.entries(orders).map(([name, lines]) => ({ form, name, lines })))

test.each(cases)(
  '$form of an order $name has the segments of its structure, and their required fields',
  ({ form, lines }) => {
    for (const kind of told) {
      const message = read(render(form, kind, orderOf(lines)))
      expect(message.segments.map(({ name }) => name).join(' ')).toMatch(structures[form] ?? /^$/)
      const missing = message.segments.flatMap(({ name, length }, at) => {
        const segment = message.segments[at]
        const fields = required[name] ?? []
        const tooLong = length > (segmentFields(name) ?? 0) ? [`${name} has ${length} fields`] : []
        return [...tooLong, ...fields.filter((n) => segment?.field(n) === '').map((n) => `${name}-${n}`)]
      })
      expect(missing).toEqual([])
    }
  },
)

test.each(cases)('$form of an order $name is read by another parser as by ours, in UTF-8', ({ form, lines }) => {
  for (const kind of told) {
    const bytes = render(form, kind, orderOf(lines))
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const ours = read(bytes)
    const foreign = new ForeignMessage({ text })
    expect(foreign.toArray().map(({ name }) => name)).toEqual(ours.segments.map(({ name }) => name))
    expect(foreign.get('MSH.18').toString()).toBe('UNICODE UTF-8')
    expect(foreign.get('ORC.1').toString()).toBe('SC')
    expect(foreign.get('ORC.3.1').toString()).toBe('FO-2001')
    expect(foreign.get('ORC.5').toString()).toBe(
      { started: 'IP', completed: 'CM', discontinued: 'DC', canceled: 'CA', reopened: 'IP' }[kind],
    )
    if (form === 'status-orm-minimal') continue
    expect(foreign.get('PID.3.1').toString()).toBe('4711')
    if (form !== 'status') expect(foreign.get('MSH.12').toString()).toBe('2.5.1')
  }
})

test.each(cases)('$form of an order $name says nothing of what is not known', ({ form, lines }) => {
  for (const kind of told) {
    const text = Buffer.from(render(form, kind, orderOf(lines), { study: undefined })).toString()
    expect(text).not.toMatch(/null|undefined|NaN|\[object/)
    const message = read(Buffer.from(text))
    const { component, repetition, subcomponent } = message.delimiters
    for (const segment of message.segments) {
      expect(segment.field(segment.length)).not.toBe('')
      for (let at = 3; at <= segment.length; at++) {
        expect(
          ['', component, repetition, subcomponent].includes(segment.field(at).slice(-1)) && segment.field(at),
        ).toBeFalsy()
        expect(segment.field(at)).not.toBe('""')
      }
    }
  }
})

test.each(forms)('the letters of a name in Latin-1 reach the receiver of %s in UTF-8', (form) => {
  const text = Buffer.from(render(form, 'started', orderOf(orders['in Latin-1'] ?? []))).toString('utf8')
  expect(text).not.toContain('8859')
  if (form !== 'status-orm-minimal') expect(text).toContain('^ÄNNE^')
})

test.each(forms)('whatever stands in a name or a number, %s is read as it was meant', (form) => {
  const signs = constantFrom(String.raw`|^~\&`, '#$*/@', String.raw`|&~\^`, '!:;?,')
  // What is not the engine's to keep: white space around a value.
  const anything = string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .map((text) => text.replaceAll(/\s/g, '_'))
    .filter((text) => text !== '""')
  assert(
    property(signs, anything, anything, anything, (delimiterSigns, name, number, accession) => {
      const [field, component, repetition, sign, subcomponent] = delimiterSigns as unknown as [
        string,
        string,
        string,
        string,
        string,
      ]
      const delimiters = { field, component, repetition, escape: sign, subcomponent }
      const lines = withDelimiters(usual, delimiterSigns).map((each) =>
        each.replace('ANNA', () => escape(name, delimiters)).replaceAll('FO-2001', () => escape(number, delimiters)),
      )
      const bytes = render(form, 'started', orderOf(lines, { AccessionNumber: accession }))
      const message = read(bytes)
      expect(message.segments.map(({ name: segment }) => segment).join(' ')).toMatch(structures[form] ?? /^$/)
      expect(textOf(message, 'ORC-3.1')).toBe(number)
      if (form === 'status-orm-minimal') return
      expect(textOf(message, 'PID-5.2')).toBe(name)
      expect(textOf(message, form === 'status-omi' ? 'IPC-1' : 'OBR-18')).toBe(accession)
    }),
    { numRuns: 60 },
  )
})

const corpus = process.env['WORKLANE_CORPUS'] ?? join(root, '../shared/corpus')

test.skipIf(!existsSync(corpus))(
  'MESA 107: the order is told of as the test has it, no more and no less (needs the corpus)',
  () => {
    const file = (name: string) => readFileSync(join(corpus, 'mesa-ihe', name))
    const scheduled = read(file('sched-107__107.106.o01.hl7'))
    const order = orderOf(scheduled.segments.map(({ raw }) => raw))
    const wanted = [
      ['started', 'status-107__107.112.o01.hl7'],
      ['completed', 'status-107__107.116.o01.hl7'],
    ] as const
    for (const [kind, name] of wanted) {
      const sent = read(render('status-orm-minimal', kind, order))
      const meant = read(file(name))
      expect(sent.segments.map(({ raw }) => raw).slice(1)).toEqual(meant.segments.map(({ raw }) => raw).slice(1))
      expect(sent.segments[0]?.field(12)).toBe(meant.segments[0]?.field(12))
    }
  },
)
