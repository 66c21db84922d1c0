import { expect, test } from 'vitest'
import { createConditions } from '../../src/mapping/condition.ts'
import { like } from '../../src/mapping/like.ts'

const names = ['facility', 'section', 'sex', 'empty']
const values = { facility: 'MAIN', section: 'CT', sex: 'F', empty: '' }
const conditions = createConditions(names)

// What an upgrade or another library must give, one run to see.
const expected: readonly (readonly [string, boolean])[] = [
  ['facility == "MAIN"', true],
  ['facility == "main"', false],
  ["facility != 'EAST'", true],
  ['facility in ["MAIN", "EAST"]', true],
  ['!(facility in ["MAIN", "EAST"])', false],
  ['facility == "MAIN" && section == "MR"', false],
  ['facility == "EAST" || section == "CT"', true],
  ['facility == "EAST" || section == "CT" && sex == "M"', false],
  ['(facility == "EAST" || section == "CT") && sex == "F"', true],
  ['!(sex == "M")', true],
  ['empty == ""', true],
  ['empty != "" && section == "CT"', false],
  ['like(section, "C*")', true],
  ['like(section, "c*")', false],
  ['like(facility, "M?IN")', true],
  ['section.startsWith("C")', true],
  ['facility.endsWith("X")', false],
  ['facility.contains("AI")', true],
  ['size(facility) <= 4', true],
  ['sex == "F" ? section == "CT" : false', true],
  ['section < "D"', true],
  ['facility == "\\x4dAIN"', true],
]

test.each(expected)('%s', (text, result) => {
  const compiled = conditions.compile(text, 'bool')
  expect(compiled.kind === 'ok' && compiled.expression.evaluate(values)).toBe(result)
})

test('an expression can give a text', () => {
  const compiled = conditions.compile('facility + "-" + section', 'string')
  expect(compiled.kind === 'ok' && compiled.expression.evaluate(values)).toBe('MAIN-CT')
})

test.each([
  ['upper(facility + "x") + lower(sex)', 'MAINXf'],
  ['left(facility, 2) + right(facility, 2)', 'MAIN'],
  ['left(facility, 99) + right(facility, 99) + left(facility, -1) + right(facility, 0)', 'MAINMAIN'],
  ['part("A-B-C", "-", 2) + part("A-B-C", "-", 9) + part("A-B-C", "-", 0) + part(facility, "", 1)', 'BMAIN'],
  ['replace(facility, "A", "$&") + replace(facility, "", "x") + part(empty, "-", 1)', 'M$&INMAIN'],
])('%s gives a text, whatever the field holds', (text, result) => {
  const compiled = conditions.compile(text, 'string')
  expect(compiled.kind === 'ok' && compiled.expression.evaluate(values)).toBe(result)
})

test('what a text is made of may stand in a condition', () => {
  const compiled = conditions.compile('upper(part(section, ".", 1)) == "CT" && left(facility, 1) != "E"', 'bool')
  expect(compiled.kind === 'ok' && compiled.expression.evaluate(values)).toBe(true)
})

test.each([
  ['nope == "x"', { kind: 'variable', name: 'nope', offset: 0 }],
  ['facility == "x" || nope == "y"', { kind: 'variable', name: 'nope', offset: 19 }],
  ['facility', { kind: 'type', type: 'a text', offset: 0 }],
  ['facility == 1', { kind: 'overload', offset: 0 }],
  ['facility == "MAIN', { kind: 'syntax', offset: 12 }],
  ['(facility == "MAIN"', { kind: 'syntax', offset: 19 }],
  ['facility.matches("M.*")', { kind: 'forbidden', name: 'matches' }],
  ['["a"].all(x, x == facility)', { kind: 'forbidden', name: 'all' }],
  ['timestamp(facility) == timestamp(section)', { kind: 'forbidden', name: 'timestamp' }],
  [Array.from({ length: 120 }, () => 'sex == "F"').join(' && '), { kind: 'syntax' }],
  [`${'('.repeat(60)}sex == "F"${')'.repeat(60)}`, { kind: 'syntax' }],
])('%s is refused before the first message', (text, problem) => {
  expect(conditions.compile(text, 'bool')).toMatchObject({ kind: 'problem', problem })
})

test('I9: nothing that is said of an expression holds a value', () => {
  const compiled = conditions.compile('size(facility) / size(empty) > 0', 'bool')
  if (compiled.kind !== 'ok') throw new Error('it compiles')
  expect(() => compiled.expression.evaluate(values)).toThrow(/^(?!.*MAIN)/s)
})

test('like comes to an end whatever the pattern', () => {
  expect(like('a'.repeat(5000), `${'*a'.repeat(50)}b`)).toBe(false)
})
