import { expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { isPatientKeyword, itemProblems, worklistKeys } from '../../src/dicom/worklist-item.ts'
import { itemDataset, stepOf } from './items.ts'

const problemsOf = (dataset: Dataset): string[] =>
  itemProblems(dataset).map(({ code, keyword }) => `${code} ${keyword}`)
const step = 'ScheduledProcedureStepSequence'

test('an item has every type 2 key of Table K.6-1, empty if unknown', () => {
  const item = itemDataset()
  const missing = worklistKeys
    .filter(({ type }) => type.startsWith('2'))
    .filter(({ keyword, level }) => (level === 'step' ? stepOf(item) : item)[keyword] === undefined)
  expect(missing).toEqual([])
  expect(itemProblems(item)).toEqual([])
})

test('an item is one step at one station, in UTF-8, with its status and study', () => {
  const item = itemDataset({
    station: 'MR2',
    step: { ScheduledStationAETitle: 'OTHER' },
    request: { SpecificCharacterSet: 'ISO_IR 100', StudyInstanceUID: '9.9', [step]: [{}, {}] },
  })
  expect(item).toMatchObject({ SpecificCharacterSet: 'ISO_IR 192', StudyInstanceUID: '1.2.840.1' })
  expect(item[step]).toHaveLength(1)
  expect(stepOf(item)).toMatchObject({ ScheduledStationAETitle: 'MR2', ScheduledProcedureStepStatus: 'SCHEDULED' })
})

test('who the patient is comes from the patient, whatever the request says', () => {
  expect(itemDataset({ request: { PatientID: '9999' } })).toMatchObject({ PatientID: '4711' })
})

test('identification and demographics belong to the patient, medical attributes to the request', () => {
  expect(['PatientName', 'PatientBirthDate', 'OtherPatientIDsSequence'].every(isPatientKeyword)).toBe(true)
  expect(['Allergies', 'PatientWeight', 'PregnancyStatus', 'PatientComments', 'Modality'].some(isPatientKeyword)).toBe(
    false,
  )
})

test('a code without a description is described by its meaning', () => {
  const code = { CodeValue: 'MRHEAD', CodingSchemeDesignator: '99RP', CodeMeaning: 'MR head' }
  const item = itemDataset({
    request: { RequestedProcedureDescription: '', RequestedProcedureCodeSequence: [code] },
    step: { ScheduledProcedureStepDescription: '', ScheduledProtocolCodeSequence: [{ ...code, CodeMeaning: 'T1' }] },
  })
  expect(item['RequestedProcedureDescription']).toBe('MR head')
  expect(stepOf(item)['ScheduledProcedureStepDescription']).toBe('T1')
  expect(itemProblems(item)).toEqual([])
})

test('a requested procedure that nobody described is its step', () => {
  const request = { RequestedProcedureDescription: '', RequestedProcedureCodeSequence: [] }
  const codes = [{ CodeValue: 'T1', CodingSchemeDesignator: '99S' }]
  const item = itemDataset({
    request,
    step: { ScheduledProcedureStepDescription: 'T1 native', ScheduledProtocolCodeSequence: codes },
  })
  expect(item).toMatchObject({ RequestedProcedureDescription: 'T1 native', RequestedProcedureCodeSequence: codes })
  const byCode = itemDataset({
    request,
    step: { ScheduledProcedureStepDescription: '', ScheduledProtocolCodeSequence: codes },
  })
  expect(itemProblems(byCode)).toEqual([])
})

test('an empty code sequence is left out: type 1C is absent or has a value', () => {
  const item = itemDataset({ request: { RequestedProcedureCodeSequence: [] } })
  expect(item).not.toHaveProperty('RequestedProcedureCodeSequence')
})

test.each(['PatientName', 'PatientID', 'RequestedProcedureID', 'StudyInstanceUID'])('%s is required', (keyword) => {
  expect(problemsOf({ ...itemDataset(), [keyword]: '' })).toEqual([`E907 ${keyword}`])
})

test.each([
  'Modality',
  'ScheduledStationAETitle',
  'ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepStartTime',
  'ScheduledProcedureStepID',
])('%s is required in the step', (keyword) => {
  const item = itemDataset()
  expect(problemsOf({ ...item, [step]: [{ ...stepOf(item), [keyword]: '' }] })).toEqual([`E907 ${step}.${keyword}`])
})

test('a name of nothing but carets is no name', () => {
  expect(problemsOf(itemDataset({ patient: { PatientName: '^^^=' } }))).toEqual(['E907 PatientName'])
})

test('a procedure and a step need a description or a code', () => {
  const item = itemDataset({
    request: { RequestedProcedureDescription: '' },
    step: { ScheduledProcedureStepDescription: ' ' },
  })
  expect(problemsOf(item)).toEqual([
    `E908 ${step}.ScheduledProcedureStepDescription`,
    'E908 RequestedProcedureDescription',
  ])
})

test('a code needs its scheme', () => {
  const item = itemDataset({ request: { RequestedProcedureCodeSequence: [{ CodeValue: 'MRHEAD' }] } })
  expect(problemsOf(item)).toEqual(['E907 RequestedProcedureCodeSequence.CodingSchemeDesignator'])
})

test('two steps in one item are refused', () => {
  const item = itemDataset()
  expect(problemsOf({ ...item, [step]: [stepOf(item), stepOf(item)] })).toEqual([`E909 ${step}`])
  expect(problemsOf({ ...item, [step]: [] })).toEqual([`E909 ${step}`])
})

test('a value that breaks its VR is a problem of the item', () => {
  expect(problemsOf(itemDataset({ request: { AccessionNumber: 'A'.repeat(17) } }))).toEqual(['E903 AccessionNumber'])
})
