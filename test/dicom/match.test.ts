import { expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import type { DicomJson } from '../../src/core/ports.ts'
import { compileQuery, matches } from '../../src/dicom/match.ts'
import { itemDataset, type Told } from './items.ts'

/** Names as people write them; `step.` for keys inside the Scheduled Procedure Step Sequence. */
const tags: Record<string, string> = {
  aet: 'step.0040,0001',
  date: 'step.0040,0002',
  time: 'step.0040,0003',
  modality: 'step.0008,0060',
  physician: 'step.0040,0006',
  stepId: 'step.0040,0009',
  name: '0010,0010',
  patientId: '0010,0020',
  issuer: '0010,0021',
  birthDate: '0010,0030',
  sex: '0010,0040',
  weight: '0010,1030',
  pregnancy: '0010,21c0',
  accession: '0008,0050',
  studyUid: '0020,000d',
  procedureId: '0040,1001',
  placer: '0040,2016',
  referring: '0008,0090',
  comments: '0040,1400',
}

function query(keys: Readonly<Record<string, string>>): DicomJson {
  const top: Record<string, string | DicomJson[]> = {}
  const step: Record<string, string> = {}
  for (const [name, value] of Object.entries(keys)) {
    const tag = tags[name] ?? name
    if (tag.startsWith('step.')) step[tag.slice(5)] = value
    else top[tag] = value
  }
  return Object.keys(step).length > 0 ? { ...top, '0040,0100': [step] } : top
}

const finds = (keys: Readonly<Record<string, string>>, told: Told = {}): boolean =>
  matches(query(keys), itemDataset(told))

type Row = readonly [keys: Readonly<Record<string, string>>, told: Told, found: boolean]

const codes: readonly Row[] = [
  [{ aet: 'CT1' }, {}, true],
  [{ aet: 'ct1' }, {}, false],
  [{ aet: 'CT1   ' }, {}, true],
  [{ aet: '  CT1' }, {}, true],
  [{ aet: 'CT1' }, { station: ' CT1 ' }, true],
  [{ aet: 'CT*' }, {}, true],
  [{ aet: '?T1' }, {}, true],
  [{ aet: 'CT' }, {}, false],
  [{ aet: 'MR1\\CT1' }, {}, true],
  [{ aet: 'MR1\\MR2' }, {}, false],
  [{ modality: 'CT\\MR' }, {}, true],
  [{ modality: 'mr' }, {}, false],
  [{ modality: 'C*' }, {}, true],
  [{ modality: '' }, {}, true],
  [{ patientId: '4711' }, {}, true],
  [{ patientId: '47*' }, {}, true],
  [{ patientId: '471' }, {}, false],
  [{ patientId: '1\\4711' }, {}, true],
  [{ patientId: '*' }, { patient: { PatientID: '' } }, true],
  [{ accession: 'ACC1' }, {}, true],
  [{ accession: 'acc1' }, {}, false],
  [{ accession: 'ACC2\\ACC1' }, {}, true],
  [{ accession: '*CC*' }, {}, true],
  [{ accession: 'ACC1' }, { request: { AccessionNumber: '' } }, false],
  [{ studyUid: '1.2.840.1' }, {}, true],
  [{ studyUid: '1.2.840.1\0' }, {}, true],
  [{ studyUid: '1.2.3\\1.2.840.1' }, {}, true],
  [{ studyUid: '1.2.840' }, {}, false],
  [{ studyUid: '*' }, {}, true],
  [{ procedureId: 'RP1' }, {}, true],
  [{ procedureId: 'RP2' }, {}, false],
  [{ stepId: 'S1' }, {}, true],
  [{ stepId: 'S2' }, {}, false],
  [{ sex: 'F' }, {}, true],
  [{ sex: 'M' }, {}, false],
  [{ birthDate: '19700131' }, {}, true],
  [{ birthDate: '1970*' }, {}, true],
  [{ birthDate: '*' }, {}, true],
  [{ birthDate: '19700201' }, {}, false],
  [{ referring: 'house*' }, { request: { ReferringPhysicianName: 'House^Gregory' } }, true],
  [{ weight: '70' }, { request: { PatientWeight: '70.0' } }, true],
  [{ weight: '71' }, { request: { PatientWeight: '70.0' } }, false],
  [{ pregnancy: '3' }, { request: { PregnancyStatus: 3 } }, true],
  [{ pregnancy: '2' }, { request: { PregnancyStatus: 3 } }, false],
  // dcmjs-dimse writes an unasked Pregnancy Status as 0; Orthanc's plugin then answers nothing.
  [{ pregnancy: '0' }, {}, true],
  [{ aet: 'CT1', modality: 'CT' }, {}, true],
  [{ aet: 'CT1', modality: 'MR' }, {}, false],
]

const names: readonly Row[] = [
  [{ name: 'DOE*' }, {}, true],
  [{ name: 'doe^jane' }, {}, true],
  [{ name: '*JANE*' }, {}, true],
  [{ name: 'DOE^J???' }, {}, true],
  [{ name: 'DOE^J??' }, {}, false],
  [{ name: 'DOE' }, {}, false],
  [{ name: 'DOE^JANE' }, { patient: { PatientName: 'Doe^Jane^M' } }, false],
  [{ name: 'DOE^JANE^^^' }, {}, true],
  [{ name: 'DOE^JANE^*' }, {}, true],
  [{ name: 'DOE*^*' }, { patient: { PatientName: 'Doe' } }, true],
  [{ name: 'DOE JANE' }, {}, false],
  [{ name: 'doe^jane' }, { patient: { PatientName: 'DOE^JANE^^' } }, true],
  [{ name: 'M?ller*' }, { patient: { PatientName: 'Müller^Jörg' } }, true],
  [{ name: 'M??ller*' }, { patient: { PatientName: 'Müller^Jörg' } }, false],
  [{ name: 'MÜLLER^JÖRG' }, { patient: { PatientName: 'Müller^Jörg' } }, true],
  [{ name: 'Mu\u0308ller^Jo\u0308rg' }, { patient: { PatientName: 'Müller^Jörg' } }, true],
  [{ name: 'M?ller^*' }, { patient: { PatientName: 'Mu\u0308ller^Anna' } }, true],
  [{ name: 'STRASSE*' }, { patient: { PatientName: 'Straße^Eva' } }, true],
  [{ name: 'Stra?e^Eva' }, { patient: { PatientName: 'Straße^Eva' } }, true],
  [{ name: 'иванов*' }, { patient: { PatientName: 'Иванов^Иван' } }, true],
  [{ name: 'Yamada^Tarou' }, { patient: { PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' } }, true],
  [{ name: '山田^太郎' }, { patient: { PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' } }, true],
  [{ name: 'やまだ*' }, { patient: { PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' } }, true],
  [{ name: '山?^*' }, { patient: { PatientName: 'Yamada^Tarou=山田^太郎' } }, true],
  [{ name: '=山田^太郎' }, { patient: { PatientName: 'Yamada^Tarou=山田^太郎' } }, true],
  [{ name: 'Yamada^Tarou=山田^花子' }, { patient: { PatientName: 'Yamada^Tarou=山田^太郎' } }, false],
  [{ name: 'YAMADA*=山田*' }, { patient: { PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' } }, true],
  [{ name: '^^^' }, {}, true],
  [{ name: '*' }, {}, true],
  [{ physician: 'house^*' }, { step: { ScheduledPerformingPhysicianName: 'House^Gregory' } }, true],
]

const at = (date: string, time = '101500'): Told => ({
  step: { ScheduledProcedureStepStartDate: date, ScheduledProcedureStepStartTime: time },
})
const times: readonly Row[] = [
  [{ date: '20261016' }, {}, true],
  [{ date: '20261017' }, {}, false],
  [{ date: '20261015-20261017' }, {}, true],
  [{ date: '20261016-20261016' }, {}, true],
  [{ date: '20261017-20261018' }, {}, false],
  [{ date: '-20261016' }, {}, true],
  [{ date: '-20261015' }, {}, false],
  [{ date: '20261016-' }, {}, true],
  [{ date: '20261017-' }, {}, false],
  [{ date: '20261015 - 20261017' }, {}, true],
  [{ date: '20261016-20261018' }, at(''), false],
  [{ date: '-20261018' }, at(''), false],
  [{ date: '*' }, {}, true],
  [{ date: '' }, at(''), true],
  [{ date: '2026*' }, {}, true],
  [{ date: '2025*' }, {}, false],
  [{ date: '2026.10.16' }, {}, true],
  [{ date: '2026-10-16' }, {}, true],
  [{ date: '202610' }, {}, true],
  [{ date: 'today' }, {}, false],
  [{ date: '-' }, {}, true],
  [{ time: '080000-120000' }, {}, true],
  [{ time: '08-12' }, at('20261016', '123000'), true],
  [{ time: '0830' }, at('20261016', '083000'), true],
  [{ time: '0830' }, at('20261016', '083100'), false],
  [{ time: '080000-090000' }, at('20261016', '090000.500000'), true],
  [{ time: '080000-090000' }, at('20261016', '090001'), false],
  [{ time: '083000' }, at('20261016', '0830'), true],
  [{ time: '08:00:00-09:00:00' }, at('20261016', '083000'), true],
  [{ time: '000000-240000' }, at('20261016', '235959'), true],
  [{ time: '*' }, {}, true],
  [{ time: '220000-060000' }, at('20261016', '233000'), true],
  [{ time: '220000-060000' }, at('20261016', '120000'), false],
  [{ date: '20261016', time: '080000-120000' }, {}, true],
  [{ date: '20261016', time: '110000-120000' }, {}, false],
  // Table K.6-1: two ranges are one, from the first day's time to the last day's.
  [{ date: '20260110-20260112', time: '120000-235959' }, at('20260110', '083000'), false],
  [{ date: '20260110-20260112', time: '120000-235959' }, at('20260111', '083000'), true],
  [{ date: '20260110-20260112', time: '120000-080000' }, at('20260110', '120000'), true],
  [{ date: '20260110-20260112', time: '120000-080000' }, at('20260111', '093000'), true],
  [{ date: '20260110-20260112', time: '120000-080000' }, at('20260112', '080000'), true],
  [{ date: '20260110-20260112', time: '120000-080000' }, at('20260112', '080001'), false],
  [{ date: '20261122-20261123', time: '220000-020000' }, at('20261123', '010000'), true],
  [{ date: '20260110-', time: '120000-130000' }, at('20260110', '083000'), false],
  [{ date: '20260110-', time: '120000-130000' }, at('20260301', '083000'), true],
  [{ date: '-20260112', time: '120000-080000' }, at('20260112', '090000'), false],
  [{ date: '20260110-20260112', time: '120000-' }, at('20260112', '235900'), true],
  [{ date: '20260110-20260112', time: '120000-235959' }, at('', ''), false],
]

const ignored: readonly Row[] = [
  [{}, {}, true],
  [{ '0008,0052': 'PATIENT' }, {}, true],
  [{ '0008,0005': 'ISO_IR 100' }, {}, true],
  [{ '0008,0201': '+0900' }, {}, true],
  [{ '0009,0010': 'VENDOR', '0009,1001': 'x' }, {}, true],
  [{ 'ffff,0001': 'x' }, {}, true],
  [{ '0008,0000': '42' }, {}, true],
  // Neither in Table K.6-1 nor in the item: universal, as for any optional key an SCP does not support.
  [{ '0008,0020': '20261016' }, {}, true],
  // Modality belongs into the step; outside it is no key of the worklist.
  [{ '0008,0060': 'MR' }, {}, true],
  // In the item, so it is compared, though Table K.6-1 does not know it.
  [{ '0010,1040': 'Berlin' }, { patient: { PatientAddress: 'Bonn' } }, false],
  // In Table K.6-1, absent from the item: a value asked for is not there.
  [{ placer: 'PL1' }, {}, false],
  [{ issuer: 'HOSP' }, {}, false],
  [{ placer: 'PL*' }, { request: { PlacerOrderNumberImagingServiceRequest: 'PL1' } }, true],
]

for (const [title, rows] of Object.entries({ codes, names, times, ignored })) {
  test.each(rows)(`${title}: %j asked of %j gives %s`, (keys, told, found) => {
    expect(finds(keys, told)).toBe(found)
  })
}

test('a code inside a sequence is compared, and a sequence without keys is universal', () => {
  const coded = itemDataset({
    request: { RequestedProcedureCodeSequence: [{ CodeValue: 'MRHEAD', CodingSchemeDesignator: '99RP' }] },
  })
  expect(matches({ '0032,1064': [{ '0008,0100': 'MRHEAD' }] }, coded)).toBe(true)
  expect(matches({ '0032,1064': [{ '0008,0100': 'MRHEAD', '0008,0102': '99X' }] }, coded)).toBe(false)
  for (const wanted of [[], [{}], [{ '0008,0100': '' }], '']) {
    expect(matches({ '0032,1064': wanted }, coded)).toBe(true)
    expect(matches({ '0032,1064': wanted }, itemDataset())).toBe(true)
  }
  expect(matches({ '0032,1064': [{ '0008,0100': 'MRHEAD' }] }, itemDataset())).toBe(false)
})

test('an empty step sequence in a query is universal, and several items mean any of them', () => {
  expect(matches({ '0040,0100': [] }, itemDataset())).toBe(true)
  expect(matches({ '0040,0100': [{}] }, itemDataset())).toBe(true)
  expect(matches({ '0040,0100': '' }, itemDataset())).toBe(true)
  expect(matches({ '0040,0100': [{ '0008,0060': 'MR' }, { '0008,0060': 'CT' }] }, itemDataset())).toBe(true)
  expect(matches({ '0040,0100': [{ '0008,0060': 'MR' }, { '0008,0060': 'US' }] }, itemDataset())).toBe(false)
})

test('one of several values of the item is enough', () => {
  const item = itemDataset({ request: { Allergies: ['Penicillin', 'Latex'] } })
  expect(matches({ '0010,2110': 'Latex' }, item)).toBe(true)
  expect(matches({ '0010,2110': 'Lat?x\\Nuts' }, item)).toBe(true)
  expect(matches({ '0010,2110': 'Nuts' }, item)).toBe(false)
})

test('tags are understood however they are written', () => {
  for (const tag of ['0020,000d', '0020,000D', '0020000D', '(0020,000D)']) {
    expect(matches({ [tag]: '1.2.3' }, itemDataset())).toBe(false)
    expect(matches({ [tag]: '1.2.840.1' }, itemDataset())).toBe(true)
  }
})

test('a value of a kind that was never promised is universal', () => {
  const odd = { '0010,0020': null } as unknown as DicomJson
  expect(matches(odd, itemDataset())).toBe(true)
})

test('a hostile pattern ends: its cost is pattern times text, not a power of it', () => {
  const item: Dataset = itemDataset({ request: { RequestedProcedureComments: 'a'.repeat(10_000) } })
  expect(matches({ '0040,1400': `${'*a'.repeat(60)}b` }, item)).toBe(false)
})

test('a query says which keys an index can look up', () => {
  const compiled = compileQuery(
    query({ aet: 'CT1\\CT2 ', accession: 'A*', patientId: ' 4711', date: '20261016-', time: '*' }),
  )
  const step = 'ScheduledProcedureStepSequence'
  expect(Object.fromEntries(compiled.exact)).toEqual({
    [`${step}.ScheduledStationAETitle`]: ['CT1', 'CT2'],
    PatientID: ['4711'],
  })
  expect(compiled.dates).toEqual({ low: '20261016', high: '', isRange: true })
  const held = new Set([`${step}.ScheduledStationAETitle`, 'AccessionNumber', 'PatientID'])
  expect(compiled.isCoveredBy(held)).toBe(false)
  expect(compiled.isCoveredBy(held.add(`${step}.ScheduledProcedureStepStartDate`))).toBe(true)
  expect(compiled.matchesHeld({ PatientID: '4712' }, new Set(['PatientID']))).toBe(false)
  expect(compiled.matchesHeld({ PatientID: '4711' }, new Set(['PatientID']))).toBe(true)
})
