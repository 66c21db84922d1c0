import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLint } from '../../src/mapping/lint.ts'
import { compileStatusWhen } from '../../src/mapping/status-condition.ts'
import { constantOf } from '../../src/mapping/constant-condition.ts'
import { changed, sample, tables } from './sample.ts'
import { compile, located, root, shippedTables } from './support.ts'

const names = ['a', 'b']

test.each([
  ['a == "x"', undefined],
  ['a != "x" && a != "y"', undefined],
  ['a == b', undefined],
  ['a in ["x", ""]', undefined],
  ['!(a == "x") || b == ""', undefined],
  ['a != "x" || a != "y"', true],
  ['a == "x" && a == "y"', false],
  ['a == "x" || a != "x"', true],
  ['a in ["x"] && a == "y"', false],
  ['a in []', false],
  ['a == a', true],
  ['a == b && a == "x" && b == "y"', false],
  ['"x" == "x"', true],
  ['true', true],
  ['a == " x"', false],
  // What calls a function depends on more than texts that are the same.
  ['like(a, "*")', undefined],
  ['size(a) > 0', undefined],
  // What is wrong is said elsewhere.
  ['a ==', undefined],
  ['c == "x"', undefined],
  ['a', undefined],
])('the condition %s is always %s', (text, constant) => {
  expect(constantOf(text, names)).toBe(constant)
})

test('a condition of very many names is not tried out', () => {
  const many = Array.from({ length: 12 }, (_, index) => `n${index}`)
  expect(constantOf(many.map((name) => `${name} == "x"`).join(' || '), many)).toBeUndefined()
})

test.each<readonly [what: string, from: string, to: string, at: string, code: string]>([
  [
    'accept.when that takes everything',
    'when: facility in ["MAIN", "EAST"] && section != "LAB"',
    'when: facility != "LAB" || section != "MIC" || facility != "MAIN"',
    'facility != "LAB"',
    'E227',
  ],
  ['a condition that is never true', 'when: sex == "F"', 'when: sex == "F" && sex == "W"', 'sex == "F" && ', 'E227'],
  ['a rule behind a constant', '{ value: 3, when: pregnancy == "pregnant" }', '{ value: 3 }', '{ value: 4', 'E237'],
  [
    'a rule behind one that always has a value',
    'AccessionNumber: [OBR-18, ORC-3.1]',
    'AccessionNumber: [OBR-18, { from: ORC-3.1, otherwise: generated }, OBR-20]',
    'OBR-20]\n  Placer',
    'E237',
  ],
  ['a field of a booking', 'PatientName: PID-5', 'PatientName: [PID-5, SCH-16]', 'SCH-16', 'E238'],
  ['a field of a merge in a name', 'sex: PID-8', 'sex: [PID-8, MRG-1.1]', 'MRG-1.1', 'E238'],
])('%s is a warning at its place', (_, from, to, at, code) => {
  const text = changed(from, to)
  const { plan, problems } = compile([text], { tables })
  const before = text.slice(0, text.indexOf(to) + `${to}${text.slice(text.indexOf(to) + to.length)}`.indexOf(at))
  const lines = before.split('\n')
  expect(problems.filter((each) => each.code === code)).toMatchObject([
    { severity: 'warning', line: lines.length, column: (lines.at(-1) ?? '').length + 1 },
  ])
  expect(plan).toBeDefined()
})

test('what one of the accepted types has is no warning; of constants that look like fields it is said that they are none', () => {
  const text = changed('messages: [ORM^O01]', 'messages: [ORM^O01, SIU^S12]', changed('PID-5', '[PID-5, SCH-16]'))
  expect(compile([text], { tables }).problems.filter(({ code }) => code === 'E238')).toEqual([])
  const constant = changed('PatientName: PID-5', 'PatientName: [PID-5, { value: SCH-16 }]')
  expect(compile([constant], { tables }).problems.map(({ code }) => code)).toEqual(['E297'])
})

test('of values that are put together none waits for another', () => {
  const joined = '{ join: " ", from: [{ value: X }, OBR-4.2, { join: "-", from: [{ value: Y }, OBR-4.1] }] }'
  const text = changed('RequestedProcedureDescription: [OBR-44.2, OBR-4.2]', `RequestedProcedureDescription: ${joined}`)
  expect(compile([text], { tables }).problems).toEqual([])
})

test('a pipeline of patients that reads fields of orders is warned', () => {
  const text = readFileSync(join(root, 'pipelines/patients/pipeline.yaml'), 'utf8')
  const wrong = text.replace(/PatientName: PID-5\b.*/, 'PatientName: [PID-5, OBR-16]')
  const codes = (whole: string): readonly string[] =>
    compile([whole], { tables: shippedTables() }).problems.map(({ code }) => code)
  expect(codes(text)).toEqual([])
  expect(codes(wrong)).toContain('E238')
})

test('the sample has nothing of it', () => {
  expect(compile([sample], { tables }).problems).toEqual([])
})

test('of a status pipeline, too', () => {
  const codes = (when: string): readonly string[] => {
    const lint = createLint(located('when: x\n'))
    compileStatusWhen(lint, when, ['when'])
    return lint.problems.map(({ code, severity }) => `${code} ${severity}`)
  }
  expect(codes('order.PV1-2 != "I" || order.PV1-2 != "O"')).toEqual(['E227 warning'])
  expect(codes('order.PV1-2 == "I" && item.Modality == "CT"')).toEqual([])
  expect(codes('study.instances > 0 || study.instances < 1')).toEqual([])
})
