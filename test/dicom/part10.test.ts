import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Dataset, DatasetValue } from '../../src/core/dataset.ts'
import { EngineError } from '../../src/core/errors/index.ts'
import { lookupKeyword } from '../../src/dicom/dictionary.ts'
import { writeDataset, writePart10 } from '../../src/dicom/part10.ts'
import { normalizePersonName } from '../../src/dicom/person-name.ts'
import { isUid } from '../../src/dicom/uid.ts'
import { checkDataset } from '../../src/dicom/vr.ts'
import { itemDataset, type Told } from './items.ts'
import { readPart10, type ReadDataset } from './read.ts'

test('a file says that it is a worklist item in UTF-8', () => {
  const { meta, dataset } = readPart10(writeDataset(itemDataset()))
  const [sopClass, instance] = [meta['00020002'], meta['00020003']].map((uid) =>
    typeof uid === 'string' ? uid.replace('\0', '') : '',
  )
  expect(sopClass).toBe('1.2.840.10008.5.1.4.31')
  expect(isUid(instance as string)).toBe(true)
  expect(dataset['SpecificCharacterSet']).toBe('ISO_IR 192')
})

test('whatever charset a dataset names, the file names the one that it is written in', () => {
  const item = { ...itemDataset({ patient: { PatientName: 'Müller^Jörg' } }), SpecificCharacterSet: 'ISO_IR 100' }
  const { dataset } = readPart10(writeDataset(item))
  expect(dataset).toMatchObject({ SpecificCharacterSet: 'ISO_IR 192', PatientName: 'Müller^Jörg ' })
})

test('equal datasets give equal bytes, whatever the order of their keys', () => {
  const item = itemDataset({ request: { Allergies: ['Latex', 'Nüsse'], PregnancyStatus: 3 } })
  const turned = Object.fromEntries(Object.entries(item).reverse())
  expect(Buffer.from(writeDataset(turned)).equals(writeDataset(item))).toBe(true)
  expect(Buffer.from(writeDataset(item)).equals(writeDataset(itemDataset()))).toBe(false)
})

test('a number without a value is empty, not 0', () => {
  expect(readPart10(writeDataset(itemDataset({ request: { PregnancyStatus: '' } }))).dataset).toMatchObject({
    PregnancyStatus: '',
  })
})

test('a value that would be cut is refused by keyword, and the refusal does not show it (I9)', () => {
  const uid = `1.2.${'3'.repeat(61)}`
  const write = (): Uint8Array => writeDataset({ ...itemDataset(), StudyInstanceUID: uid })
  expect(write).toThrow(EngineError)
  expect(write).toThrow('StudyInstanceUID is 65 long; UI takes at most 64.')
})

test('nothing is written to the console', () => {
  const written: unknown[] = []
  const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const
  const before = methods.map((method) => console[method])
  for (const method of methods) console[method] = (...texts: unknown[]) => void written.push(texts)
  try {
    writeDataset(itemDataset({ patient: { PatientName: '山'.repeat(64) } }))
    writeDataset({ ...itemDataset(), PatientTelephoneNumbers: Array.from({ length: 50 }, () => '030 1234567') })
  } finally {
    for (const [at, method] of methods.entries()) console[method] = before[at] as typeof console.log
  }
  expect(written).toEqual([])
})

const texts = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 70 }),
  fc.string({ unit: fc.constantFrom('A', 'ü', '山', '^', '=', ' ', '0', '_'), maxLength: 70 }),
  fc.constantFrom('20261016', '101500', '1015', '1.2.3', 'CT', 'F', '70.5', '12', 'a\\b', '\uFEFFx', '2026101610+0100'),
)
const values: fc.Arbitrary<DatasetValue> = fc.oneof(
  { weight: 5, arbitrary: texts },
  fc.array(texts, { maxLength: 4 }),
  fc.nat(70_000),
  fc.constant(''),
)
const keywords = fc.constantFrom(
  'PatientName',
  'PatientID',
  'PatientSex',
  'PatientBirthDate',
  'PatientBirthTime',
  'PatientWeight',
  'Allergies',
  'PregnancyStatus',
  'PatientComments',
  'AccessionNumber',
  'StudyInstanceUID',
  'OtherPatientNames',
  'Modality',
  'InstitutionAddress',
  'ReasonForVisit',
  'SeriesNumber',
  'AcquisitionDateTime',
  'PatientAge',
  'LongCodeValue',
  'ScheduledStationAETitle',
  'PatientTelephoneNumbers',
  'RetrieveURL',
  'Misspelt',
)
const flat = fc.dictionary(keywords, values, { maxKeys: 8 })
const datasets: fc.Arbitrary<Dataset> = fc
  .tuple(flat, fc.array(fc.tuple(flat, fc.array(flat, { maxLength: 2 })), { maxLength: 3 }))
  .map(([dataset, items]) => ({
    ...dataset,
    ScheduledProcedureStepSequence: items.map(([item, codes]) => ({ ...item, ScheduledProtocolCodeSequence: codes })),
  }))

/** What must be found in the file for a dataset: padding and what ends a name apart. */
function expected(dataset: Dataset): ReadDataset {
  return Object.fromEntries(
    Object.entries(dataset).map(([keyword, value]): [string, ReadDataset[string]] => {
      const vr = lookupKeyword(keyword)?.vr
      if (vr === 'SQ') return [keyword, (value as readonly Dataset[]).map(expected)]
      if (typeof value === 'number') return [keyword, value]
      const given = [value].flat() as string[]
      const single = vr === 'PN' ? given.map(normalizePersonName).filter((name) => name !== '') : given
      return [keyword, unpadded(single.every((text) => text === '') ? '' : single.join('\\'))]
    }),
  )
}

function unpadded<T extends ReadDataset[string]>(value: T): T {
  if (typeof value === 'string') return value.replace(/[ \0]+$/, '') as T
  if (typeof value === 'number') return value
  return value.map((item) =>
    Object.fromEntries(Object.entries(item).map(([keyword, inner]) => [keyword, unpadded(inner)])),
  ) as T
}

test('what passes the check is read back as it was, and what does not is refused with E9xx', () => {
  let written = 0
  fc.assert(
    fc.property(datasets, (dataset) => {
      if (checkDataset(dataset).length > 0) {
        expect(() => writeDataset(dataset)).toThrow(EngineError)
        return
      }
      written++
      const { SpecificCharacterSet: _, ...read } = readPart10(writeDataset(dataset)).dataset
      expect(Object.fromEntries(Object.entries(read).map(([key, value]) => [key, unpadded(value)]))).toEqual(
        expected(dataset),
      )
    }),
    { numRuns: 300 },
  )
  expect(written).toBeGreaterThan(10)
})

test('an empty name among others is none', () => {
  const read = readPart10(writeDataset({ OtherPatientNames: ['', 'A', '', 'B'], OtherPatientIDs: ['', 'C'] })).dataset
  expect(read['OtherPatientNames']).toBe('A\\B ')
  expect(read['OtherPatientIDs']).toBe('\\C')
})

test.each([
  'PatientID',
  'PatientComments',
  'PatientName',
  'AccessionNumber',
  'Allergies',
  'ReasonForVisit',
  'LongCodeValue',
])('any text that %s takes is read back as it was', (keyword) => {
  fc.assert(
    fc.property(texts, (text) => {
      const dataset = { [keyword]: text }
      fc.pre(checkDataset(dataset).length === 0)
      expect(unpadded(readPart10(writeDataset(dataset)).dataset[keyword] ?? '')).toBe(expected(dataset)[keyword])
    }),
  )
})

test.each<[string, Told]>([
  ['a name', { patient: { PatientName: '' } }],
  ['more of a name than carets', { patient: { PatientName: '^^^' } }],
  ['a patient ID', { patient: { PatientID: ' ' } }],
  ['a station', { station: '' }],
  ['a modality', { step: { Modality: '' } }],
  ['a start', { step: { ScheduledProcedureStepStartDate: '' } }],
])('I11: an item without %s is not written', (_, told) => {
  expect(() => writePart10(itemDataset(told))).toThrow(EngineError)
  expect(writePart10(itemDataset()).length).toBeGreaterThan(132)
})
