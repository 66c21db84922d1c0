import { expect, test } from 'vitest'
import { keywordOfTag, lookupKeyword, suggestKeyword, vrs } from '../../src/dicom/dictionary.ts'
import { worklistKeys } from '../../src/dicom/worklist-item.ts'

test('a keyword has its tag, VR and multiplicity', () => {
  expect(lookupKeyword('PatientName')).toEqual({ keyword: 'PatientName', tag: '00100010', vr: 'PN', vm: '1' })
  expect(lookupKeyword('StudyInstanceUID')?.tag).toBe('0020000D')
  expect(lookupKeyword('Allergies')?.vm).toBe('1-n')
})

test('every key of Table K.6-1 is in the dictionary', () => {
  expect(worklistKeys.filter(({ keyword }) => lookupKeyword(keyword) === undefined)).toEqual([])
})

test('a tag has its keyword however it is written', () => {
  for (const tag of ['0020,000d', '(0020,000D)', '0020000D']) expect(keywordOfTag(tag)).toBe('StudyInstanceUID')
  expect(keywordOfTag('0009,1001')).toBeUndefined()
  expect(keywordOfTag('')).toBeUndefined()
})

test('a retired attribute is found by its plain keyword', () => {
  expect(lookupKeyword('IssuerOfAdmissionID')?.tag).toBe('00380011')
  expect(keywordOfTag('0038,0011')).toBe('IssuerOfAdmissionID')
})

test("dcmjs's own VR names do not come through", () => {
  for (const keyword of ['PixelData', 'SmallestImagePixelValue', 'LUTData']) {
    expect(vrs).toContain(lookupKeyword(keyword)?.vr)
  }
})

test('what cannot stand in a dataset is unknown', () => {
  for (const keyword of ['MessageID', 'TransferSyntaxUID', 'Item', 'SequenceDelimitationItem', 'toString', '']) {
    expect(lookupKeyword(keyword)).toBeUndefined()
  }
})

test.each([
  ['PatientsName', 'PatientName'],
  ['patientid', 'PatientID'],
  ['ScheduledStationAeTitel', 'ScheduledStationAETitle'],
  ['ReferringPhysiciansName', 'ReferringPhysicianName'],
  ['AcessionNumber', 'AccessionNumber'],
  ['Modalty', 'Modality'],
  ['SomethingElseAltogether', undefined],
  ['', undefined],
])('%s probably means %s', (misspelt, keyword) => {
  expect(suggestKeyword(misspelt)).toBe(keyword)
})
