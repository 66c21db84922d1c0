import { expect, test } from 'vitest'
import { parse } from '../../src/hl7/index.ts'
import { order } from '../support/message.ts'
import { shippedPlan } from './support.ts'

const plan = shippedPlan({ stationAeTitle: 'ANY', modality: 'CT' })

/** What the order says of a keyword: `undefined` keeps what is stored, `''` empties it. */
function said(text: string, keyword: string): unknown {
  const parsed = parse(Buffer.from(text))
  if (parsed.kind === 'unreadable') throw new Error(parsed.fault.code)
  const { verdict } = plan.judge(parsed.message)
  if (verdict.kind !== 'accepted') throw new Error(JSON.stringify(verdict))
  const [group] = verdict.groups
  return { ...group?.patient?.attributes, ...group?.request, ...group?.steps[0]?.attributes }[keyword]
}

/** An order with one field of OBR or PID set. */
function withField(segment: 'PID' | 'OBR', number: number, value: string): string {
  return order()
    .split('\r')
    .map((line) => {
      if (!line.startsWith(segment)) return line
      const fields = line.split('|')
      while (fields.length <= number) fields.push('')
      fields[number] = value
      return fields.join('|')
    })
    .join('\r')
}

const cases = [
  { segment: 'PID', field: 8, keyword: 'PatientSex', value: 'F' },
  { segment: 'PID', field: 6, keyword: 'PatientMotherBirthName', value: 'Roe^Mary' },
  { segment: 'OBR', field: 13, keyword: 'MedicalAlerts', value: 'Pacemaker' },
  { segment: 'OBR', field: 16, keyword: 'RequestingPhysician', value: '1^House^Gregory' },
  { segment: 'OBR', field: 31, keyword: 'ReasonForRequestedProcedureCodeSequence', value: 'R51^Headache^I10' },
] as const
test.each(cases)('null empties $keyword, an empty field keeps it', ({ segment, field, keyword, value }) => {
  expect(said(withField(segment, field, value), keyword)).not.toBeUndefined()
  expect(said(withField(segment, field, value), keyword)).not.toBe('')
  expect(said(withField(segment, field, '""'), keyword)).toBe('')
  expect(said(withField(segment, field, '""^""'), keyword)).toBe('')
  expect(said(withField(segment, field, '""^^'), keyword)).toBe('')
  if (segment === 'PID') expect(said(withField(segment, field, ''), keyword)).toBeUndefined()
})

test('a null among repetitions empties nothing that another repetition says', () => {
  const ids = '""~4711^^^HOSP^MR~815^^^LAB^MR'
  expect(said(withField('PID', 3, ids), 'PatientID')).toBe('4711')
  const others = said(withField('PID', 3, ids), 'OtherPatientIDsSequence')
  expect(JSON.stringify(others)).toContain('815')
  expect(said(withField('OBR', 13, '""~Pacemaker'), 'MedicalAlerts')).toBe('Pacemaker')
})

test('two quotes are never a value', () => {
  for (const name of ['Doe^""', 'Doe^Jane^""^""', '""^Jane']) {
    expect(said(order({ name }), 'PatientName')).not.toContain('"')
  }
})
