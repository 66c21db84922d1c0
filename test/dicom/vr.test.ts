import { expect, test } from 'vitest'
import type { DatasetValue } from '../../src/core/dataset.ts'
import { sentence } from '../../src/core/errors/index.ts'
import { checkDataset, checkValue } from '../../src/dicom/vr.ts'

const good: readonly (readonly [string, DatasetValue])[] = [
  ['PatientName', 'Doe^Jane^Mary^Dr^MD'],
  ['PatientName', `${'a'.repeat(64)}=${'山'.repeat(64)}=${'や'.repeat(64)}`],
  ['PatientName', '𠮷'.repeat(64)],
  ['PatientName', ''],
  ['PatientID', 'Ä'.repeat(64)],
  ['AccessionNumber', 'A'.repeat(16)],
  ['ScheduledStationAETitle', 'CT 1'],
  ['Modality', 'CT'],
  ['Modality', 'A_1 B'],
  ['PatientSex', 'O'],
  ['PatientBirthDate', '20240229'],
  ['ScheduledProcedureStepStartTime', '10'],
  ['ScheduledProcedureStepStartTime', '1015'],
  ['ScheduledProcedureStepStartTime', '235960'],
  ['ScheduledProcedureStepStartTime', '101500.123456'],
  ['ScheduledProcedureStepStartDateTime', '2026'],
  ['ScheduledProcedureStepStartDateTime', '20261016'],
  ['ScheduledProcedureStepStartDateTime', '20261016101500.123456+0200'],
  ['ScheduledProcedureStepStartDateTime', '2026+0200'],
  ['PatientWeight', '70.5'],
  ['PatientWeight', '-1e3'],
  ['PatientAge', '042Y'],
  ['StudyInstanceUID', '1.2.3'],
  ['PregnancyStatus', 4],
  ['PregnancyStatus', ''],
  ['PatientComments', 'line 1\r\nC:\\folder\ttab'],
  ['Allergies', ['Penicillin', 'Latex']],
  ['Allergies', []],
  ['ReferencedStudySequence', []],
  ['ReferencedStudySequence', ''],
  ['OtherPatientIDsSequence', [{ PatientID: '1' }, { PatientID: '2' }]],
]

test.each(good)('%s takes %j', (keyword, value) => {
  expect(checkValue(keyword, value)).toEqual([])
})

const bad: readonly (readonly [string, DatasetValue, string])[] = [
  ['PatientsName', 'Doe', 'E901'],
  ['MessageID', 1, 'E901'],
  ['PatientName', 4711, 'E902'],
  ['PatientWeight', 70.5, 'E902'],
  ['PregnancyStatus', '3', 'E902'],
  ['PatientID', [{ PatientID: '1' }], 'E902'],
  ['ReferencedStudySequence', 'x', 'E902'],
  ['ReferencedStudySequence', ['x'], 'E902'],
  ['PixelData', 'AAAA', 'E902'],
  ['PatientName', 'a'.repeat(65), 'E903'],
  ['PatientName', `Doe=${'山'.repeat(65)}`, 'E903'],
  ['PatientID', 'a'.repeat(65), 'E903'],
  ['AccessionNumber', 'A'.repeat(17), 'E903'],
  ['ScheduledStationAETitle', 'A'.repeat(17), 'E903'],
  ['Modality', 'A'.repeat(17), 'E903'],
  ['StudyInstanceUID', `1.${'2'.repeat(63)}`, 'E903'],
  ['PatientWeight', '1.2345678901234567', 'E903'],
  ['PatientBirthDate', '19700131101500', 'E903'],
  ['PatientComments', 'a'.repeat(10_241), 'E903'],
  ['Allergies', Array.from({ length: 1_100 }, () => 'a'.repeat(64)), 'E903'],
  ['PatientID', '47\\11', 'E904'],
  ['PatientID', '47\r11', 'E904'],
  ['PatientID', '47\u001b11', 'E904'],
  ['PatientID', '47\u0085', 'E904'],
  ['PatientID', '\ud83d', 'E904'],
  ['PatientComments', 'a\u0000b', 'E904'],
  ['PatientComments', '\udc00', 'E904'],
  ['ScheduledStationAETitle', 'CT-Ä', 'E904'],
  ['Modality', 'ct', 'E904'],
  ['Modality', 'C-T', 'E904'],
  ['ScheduledStationAETitle', '  ', 'E905'],
  ['PatientName', 'a^b^c^d^e^f', 'E905'],
  ['PatientName', 'a=b=c=d', 'E905'],
  ['PatientSex', 'U', 'E905'],
  ['PatientSex', 'W', 'E905'],
  ['PatientBirthDate', '1970', 'E905'],
  ['PatientBirthDate', '19700230', 'E905'],
  ['PatientBirthDate', '20230229', 'E905'],
  ['PatientBirthDate', '19000229', 'E905'],
  ['PatientBirthDate', '00000101', 'E905'],
  ['PatientBirthDate', 'hello', 'E905'],
  ['ScheduledProcedureStepStartTime', '2460', 'E905'],
  ['ScheduledProcedureStepStartTime', '24', 'E905'],
  ['ScheduledProcedureStepStartTime', '101', 'E905'],
  ['ScheduledProcedureStepStartTime', '101500.', 'E905'],
  ['ScheduledProcedureStepStartTime', '1015+0200', 'E905'],
  ['ScheduledProcedureStepStartDateTime', '20261316', 'E905'],
  ['ScheduledProcedureStepStartDateTime', '202', 'E905'],
  ['ScheduledProcedureStepStartDateTime', '2026101625', 'E905'],
  ['PatientWeight', '70,5', 'E905'],
  ['PatientWeight', '70 kg', 'E905'],
  ['PatientAge', '42', 'E905'],
  ['StudyInstanceUID', '1.02', 'E905'],
  ['StudyInstanceUID', '1.2 ', 'E905'],
  ['PregnancyStatus', 5, 'E905'],
  ['PregnancyStatus', 70_000, 'E905'],
  ['PregnancyStatus', 1.5, 'E905'],
  ['PregnancyStatus', Number.NaN, 'E905'],
  ['PatientID', ['1', '2'], 'E906'],
  ['PatientName', ['Doe', 'Roe'], 'E906'],
  ['ImageOrientationPatient', ['1', '0'], 'E906'],
]

test.each(bad)('%s does not take %j: %s', (keyword, value, code) => {
  expect(checkValue(keyword, value)[0]?.code).toBe(code)
})

test('I9: a problem names keyword, VR and lengths, never the value', () => {
  for (const [keyword, value] of bad) {
    for (const { code, params } of checkValue(keyword, value)) {
      const text = sentence(code, params)
      expect(text).not.toContain('{')
      for (const single of [value].flat()) {
        if (typeof single === 'string' && single.length > 3) expect(text).not.toContain(single)
      }
    }
  }
})

test('a problem inside a sequence says where', () => {
  const problems = checkDataset({
    PatientID: '4711',
    ScheduledProcedureStepSequence: [
      { Modality: 'ct', ScheduledProtocolCodeSequence: [{ CodeValue: 'x'.repeat(17) }] },
    ],
  })
  expect(problems.map(({ keyword, code }) => [keyword, code])).toEqual([
    ['ScheduledProcedureStepSequence.Modality', 'E904'],
    ['ScheduledProcedureStepSequence.ScheduledProtocolCodeSequence.CodeValue', 'E903'],
  ])
})
