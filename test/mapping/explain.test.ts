import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from '../../src/hl7/index.ts'
import { edit } from '../../src/mapping/edit.ts'
import { message, planOf, root, shippedPlan } from './support.ts'
import { sample, tables } from './sample.ts'

const text = readFileSync(join(root, 'pipelines/orders/messages/nw-mr.hl7'), 'utf8')

test('explain says where each value came from, and why there is none', () => {
  const parsed = parse(Buffer.from(edit(text, 'ZDS-1', '') ?? ''))
  if (parsed.kind !== 'message') throw new Error('unreadable')
  const { lines } = shippedPlan().explain(parsed.message)
  const line = (keyword: string) => lines.find((each) => each.keyword === keyword)
  expect(line('PatientSex')).toMatchObject({
    group: 0,
    value: 'F',
    origin: expect.stringMatching(/^PID-8\.1, table sex \(pipeline\.yaml:\d+\)$/) as string,
  })
  expect(line('StudyInstanceUID')).toMatchObject({
    value: '2.25…',
    origin: 'made once per order; IPC-3.1, else ZDS-1.1, else OBX(3.1=110180)-5, else OBX(3.1=113014)-5 is empty',
  })
  expect(line('PatientMotherBirthName')).toMatchObject({ value: '(none)', origin: 'PID-6 is empty' })
  expect(line('Modality')).toMatchObject({ step: 0, value: 'MR' })
  const yaml = readFileSync(join(root, 'pipelines/orders/pipeline.yaml'), 'utf8').split('\n')
  for (const each of lines) expect(yaml[(each.line ?? 0) - 1]).toContain(`${each.keyword}:`)
})

test('a condition that is false and a row of a table are origins, too', () => {
  const { lines } = planOf([sample], { tables }).explain(
    message(
      String.raw`MSH|^~\&|RIS|MAIN|W|R|1||ORM^O01|1|P|2.3.1`,
      'PID|||4711^^^^MR||Doe||19800101|M',
      'ORC|NW|P1|F1',
      'OBR|1|||PETCT^x^99H||||||||||||||A|R|S||||CT',
      'OBX|1|NM|29463-7||100|lb',
    ),
  )
  const origins = (keyword: string) =>
    lines.filter((each) => each.keyword === keyword).map(({ value, origin }) => `${value}: ${origin}`)
  expect(origins('PatientWeight')).toEqual(['(none): condition false: weightUnit == "kg"'])
  expect(origins('Modality')).toEqual(['PT: step.modality, procedures.csv:3', 'CT: step.modality, procedures.csv:4'])
})

test('of a list only the rule that gave the value is named, not those before it that found a part of nothing', () => {
  const pipeline = sample
    .replace(/^let:\n/m, 'let:\n  who: PID-3(5=PI)\n  site: MSH-4.1\n')
    .replace('  IssuerOfPatientID: PID-3(5=MR).4.1\n', '  IssuerOfPatientID: [who.4.1, site]\n')
  const { lines } = planOf([pipeline], { tables }).explain(
    message(
      String.raw`MSH|^~\&|RIS|EAST|W|R|1||ORM^O01|1|P|2.3.1`,
      'PID|||4711^^^^MR~P-0815^^^^PI||Doe||19800101|M',
      'ORC|NW|P1|F1',
      'OBR|1|||PETCT^x^99H||||||||||||||A|R|S||||CT',
    ),
  )
  expect(lines.find(({ keyword }) => keyword === 'IssuerOfPatientID')).toMatchObject({
    value: 'EAST',
    origin: expect.stringMatching(/^MSH-4\.1, let site \(/) as string,
  })
})

test('a start without a time is midnight, and says why', () => {
  const { lines } = planOf([sample], { tables }).explain(
    message(
      String.raw`MSH|^~\&|RIS|MAIN|W|R|1||ORM^O01|1|P|2.3.1`,
      'PID|||4711^^^^MR||Doe||19800101|M',
      'ORC|NW|P1|F1||||^^^20260302',
      'OBR|1|||PETCT^x^99H||||||||||||||A|R|S||||CT',
    ),
  )
  const times = lines.filter(({ keyword }) => keyword === 'ScheduledProcedureStepStartTime')
  expect(times.map(({ value, origin }) => `${value}: ${origin}`)).toEqual([
    '000000: midnight: a day, and no time (E325)',
    '000000: midnight: a day, and no time (E325)',
  ])
})

test('what is edited is one field and nothing else', () => {
  const start = String.raw`MSH|^~\&|A` + '\rPID|1||4711^^^H~999||Doe\rOBX|1\rOBX|2'
  expect(edit(start, 'PID-3.4', 'X')).toBe(start.replace('^^^H', '^^^X'))
  expect(edit(start, 'PID-3(2).1', 'Y')).toBe(start.replace('999', 'Y'))
  expect(edit(start, 'OBX(2)-3.2', 'Z')).toBe(`${start}||^Z`)
  expect(edit(start, 'MSH-4', 'B')).toBe(start.replace('|A', '|A|B'))
  expect(edit(start, 'PID', null)).toBe(start.replace(/\rPID[^\r]*/, ''))
  expect(edit(start, 'AL1-3', 'Q')).toBe(`${start}\rAL1|||Q`)
  expect(edit(start, 'nonsense', 'Q')).toBeUndefined()
})
