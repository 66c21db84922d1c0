import { expect, test } from 'vitest'
import { edit } from '../../src/mapping/edit.ts'
import { joinGroups } from '../../src/mapping/join-groups.ts'
import { group, step } from '../stories/support.ts'
import { sample, tables } from './sample.ts'
import { compile, message, planOf } from './support.ts'

const order = [
  String.raw`MSH|^~\&|RIS|MAIN|WORKLANE|RAD|20260301093000||ORM^O01|MSG1|P|2.3.1`,
  'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F',
  'PV1|1|O',
  'ORC|NW|P1|F1||SC||^^^20260302101500^^R',
  'OBR|1|P1|F1|CTABD^CT Abdomen^99H||||||||||||||ACC1|RP1|SPS1||||CT',
].join('\r')

const withRules = (rules: string): string => sample.replace('  NW: create\n', `  NW: create\n${rules}`)

/** What a pipeline with these lines of `orderControl` makes of ORC-1 and ORC-5. */
function judged(rules: string, control: string, status: string) {
  const plan = planOf([withRules(rules)], { tables })
  const text = edit(edit(order, 'ORC-1', control) ?? '', 'ORC-5', status) ?? ''
  const { verdict } = plan.judge(message(...text.split('\r')))
  if (verdict.kind !== 'accepted') return verdict.kind
  return verdict.groups.map(({ effect, holds, orderControl }) => [effect, holds, orderControl])
}

test.each([
  ['  NW(HD): createOnHold\n', 'NW', 'HD', ['create', true, 'NW(HD)']],
  ['  NW(HD): createOnHold\n', 'NW', 'SC', ['create', undefined, 'NW(SC)']],
  ['  XO(HD): updateOnHold\n', 'XO', 'HD', ['update', true, 'XO(HD)']],
  ['  XO(SC): updateAndRelease\n', 'XO', 'SC', ['update', false, 'XO(SC)']],
  ['  HD: hold\n', 'HD', '', ['hold', undefined, 'HD']],
  ['  RL: release\n', 'RL', '', ['release', undefined, 'RL']],
  ['  NA: number\n', 'NA', '', ['number', undefined, 'NA']],
  // HL7 table 0038 is extended by sites.
  ['  SC(ARRIVED): arrive\n', 'SC', 'ARRIVED', ['arrive', undefined, 'SC(ARRIVED)']],
  ['  SC(ready-1): ready\n', 'SC', 'ready-1', ['ready', undefined, 'SC(ready-1)']],
  ['  "SC()": start\n', 'SC', '', ['start', undefined, 'SC']],
] as const)('%s ORC-1 %s with ORC-5 "%s"', (rules, control, status, expected) => {
  expect(judged(rules, control, status)).toEqual([expected])
})

test('I9: a long ORC-5 that the pipeline does not name is kept back', () => {
  expect(judged('', 'NW', 'MUELLER')).toEqual([['create', undefined, 'NW((not shown))']])
})

test.each([
  [undefined, true, true],
  [true, undefined, true],
  [true, false, false],
  [undefined, undefined, undefined],
])('groups of one order, of which one says %s of hold and the next %s: %s', (first, next, expected) => {
  const parts = [first, next].map((holds, index) => {
    const said = holds === undefined ? {} : { holds }
    return group({ ...said, steps: [step(String(index))] })
  })
  expect(joinGroups(parts).groups.map(({ holds, steps }) => [holds, steps.length])).toEqual([[expected, 2]])
})

test.each(['SC(IN PROGRESS)', 'SCC', 'SC(IP', 'sc', `SC(${'X'.repeat(21)})`])('"%s" is no key', (key) => {
  expect(compile([withRules(`  "${key}": start\n`)], { tables }).problems.map((one) => one.code)).toEqual(['E200'])
})
