import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { measureRules } from '../bench/rules.ts'
import { createChoice, type Asked } from '../../src/mapping/choose.ts'
import type { Clue } from '../../src/mapping/clue.ts'
import { createConditions } from '../../src/mapping/condition.ts'
import { compile, message, neededRules, planOf } from './support.ts'

const names = ['a', 'b', 'c']
const conditions = createConditions(names)

function asked(text: string): Asked & { readonly evaluate: (names: Record<string, string>) => boolean } {
  const compiled = conditions.compile(text, 'bool')
  if (compiled.kind !== 'ok') throw new Error(text)
  return compiled.expression
}

/** The rules that are asked in turn, when none of them has a value, and the names that were looked up for it. */
function walk(rules: readonly (Asked | undefined)[], values: Record<string, string>) {
  let tests = 0
  const counted = rules.map((rule) => {
    const run = rule?.test
    if (rule === undefined || run === undefined) return rule
    return { ...rule, test: (texts: readonly (string | undefined)[]) => (tests++, run(texts)) }
  })
  const looked: string[] = []
  const next = createChoice(counted, (name) => names.indexOf(name))?.({
    texts: [],
    textOf: (name) => (looked.push(name), values[name] ?? ''),
  })
  if (next === undefined) return undefined
  const found: number[] = []
  for (let at = next(0); at < rules.length; at = next(at + 1)) found.push(at)
  return { found, looked, tests }
}

test('of a thousand rules for other procedures none is asked', () => {
  const rules = Array.from({ length: 1000 }, (_, at) => asked(`a == "X${at}" && b != "M"`))
  expect(walk(rules, { a: 'CTABD', b: 'C' })).toEqual({ found: [], looked: ['a', 'b'], tests: 0 })
})

test('of a thousand rules only those are asked that are about this procedure', () => {
  const rules = Array.from({ length: 1000 }, (_, at) => asked(`a in ["X${at}", "X${at + 1}"]`))
  expect(walk(rules, { a: 'X500' })).toEqual({ found: [499, 500], looked: ['a'], tests: 2 })
})

test.each([
  ['like(a, "X${at}*")', 'CTABD', 'X500-1', [5, 50, 500]],
  ['like(a, "*-${at}")', 'CTABD', 'X-500', [500]],
  ['like(a, "?-${at}-*")', 'CTABD', 'X-500-1', [500]],
  ['like(a, "X${at}")', 'CTABD', 'X500', [500]],
  ['a.contains("(${at})")', 'CTABD', 'X(500)', [500]],
  ['b != "" && a.startsWith("X${at}-")', 'CTABD', 'X500-1', [500]],
  ['a.endsWith("-${at}") && !b.contains("M")', 'CTABD', 'X-500', [500]],
  ['b == "X${at}" || a == "X${at}"', 'CTABD', 'X500', [500]],
  ['b.contains("${at}.") && a in ["X${at}", "Y${at}"]', 'CTABD', 'X500', [500]],
])('of a thousand rules such as %s those are asked that can be true', (condition, other, value, wanted) => {
  const rules = Array.from({ length: 1000 }, (_, at) => asked(condition.replaceAll('${at}', String(at))))
  expect(walk(rules, { a: other, b: 'C' })).toMatchObject({ found: [], tests: 0 })
  const b = condition.includes('${at}.') ? '500.' : 'C'
  expect(walk(rules, { a: value, b })).toMatchObject({ found: wanted, tests: wanted.length })
})

test('of rules that wait for a piece of a long text each is asked, which is quicker', () => {
  const rules = Array.from({ length: 1000 }, (_, at) => asked(`a.contains("(${at})")`))
  expect(walk(rules, { a: `${'-'.repeat(1000)}(7)` })).toEqual({ found: [7], looked: ['a'], tests: 1000 })
})

test('a condition that cannot be looked up is asked once', () => {
  const rules = Array.from({ length: 1000 }, (_, at) => asked(`size(a) > ${at + 5}`))
  expect(walk(rules, { a: 'CTABD' })).toEqual({ found: [], looked: ['a'], tests: 1000 })
})

test('a name is looked up when a rule that is reached asks it, and not before', () => {
  const rules = [
    undefined,
    ...Array.from({ length: 9 }, (_, at) => asked(`a == "X${at}"`)),
    undefined,
    asked('b == "Y"'),
  ]
  const looked: string[] = []
  const next = createChoice(rules, (name) => names.indexOf(name))?.({
    texts: [],
    textOf: (name) => (looked.push(name), ''),
  })
  expect([next?.(0), ...looked]).toEqual([0])
  expect([next?.(1), ...looked]).toEqual([10, 'a'])
  expect([next?.(11), ...looked]).toEqual([12, 'a', 'b'])
})

test('a short list is simply gone through', () => {
  expect(walk([asked('a == "X"'), asked('b == "Y"')], {})).toBeUndefined()
})

const text = fc.constantFrom('', 'x', 'y', 'xy', '\u{1F600}x')
const literal = text.map((value) => JSON.stringify(value))
const name = fc.constantFrom(...names)
const comparison = fc.oneof(
  fc.tuple(name, fc.constantFrom('==', '!='), fc.oneof(literal, name)).map((parts) => parts.join(' ')),
  fc.tuple(literal, name).map(([value, one]) => `${value} == ${one}`),
  fc.tuple(name, literal, literal).map(([one, left, right]) => `${one} in [${left}, ${right}]`),
  fc.tuple(name, fc.constantFrom('startsWith', 'endsWith', 'contains'), literal).map(([a, b, c]) => `${a}.${b}(${c})`),
  fc
    .tuple(name, fc.constantFrom('x*', '?', '*y', '*x?', '?x*', '*', 'x', ''))
    .map(([one, pattern]) => `like(${one}, "${pattern}")`),
  fc
    .tuple(name, fc.constantFrom('>', '>=', '<', '==', '!='), fc.nat(3))
    .map(([one, how, size]) => `size(${one}) ${how} ${size}`),
  fc.tuple(name, name).map(([one, other]) => `${one}.size() <= size(${other})`),
  fc.constantFrom('true', 'false'),
)
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    comparison,
    fc.tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition')).map((parts) => `(${parts.join(' ')})`),
    tie('condition').map((inner) => `!(${inner})`),
    fc.tuple(tie('condition'), tie('condition'), tie('condition')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
}))
const values = fc.record({ a: text, b: text, c: text })

function fits({ name, how, texts }: Clue, said: Record<string, string>): boolean {
  const value = said[name] ?? ''
  const ways = {
    is: (part: string) => value === part,
    begins: (part: string) => value.startsWith(part),
    ends: (part: string) => value.endsWith(part),
    has: (part: string) => value.includes(part),
  }
  return texts.some(ways[how])
}

test('a condition as a plain function says what the library says', () => {
  fc.assert(
    fc.property(condition, values, (given, said) => {
      const { test: plain, clues, evaluate } = asked(given)
      const result = evaluate(said)
      if (plain !== undefined) expect(plain(names.map((each) => said[each as keyof typeof said]))).toBe(result)
      if (clues !== undefined && result) expect(clues.some((clue) => fits(clue, said))).toBe(true)
    }),
    { numRuns: 400 },
  )
})

test('whatever the rules are, those whose condition is true are asked, in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.option(condition, { nil: undefined }), { maxLength: 30 }), values, (given, said) => {
      const rules = given.map((each) => (each === undefined ? undefined : asked(each)))
      const found = walk(rules, said)?.found
      if (found === undefined) return
      const wanted = rules.flatMap((rule, at) => (rule === undefined || rule.evaluate(said) ? [at] : []))
      expect(found).toEqual(expect.arrayContaining(wanted))
      expect(found).toEqual(found.toSorted((left, right) => left - right))
    }),
    { numRuns: 200 },
  )
})

const pipeline = (rules: string) => `pipeline: orders
from: ris-orders
accept: { messages: [ORM^O01] }
let: { procedure: OBR-4.1, ward: PV1-3.1 }
orderControl: { NW: create }
identity: { order: ORC-3 }
map:
  ${neededRules}
  ScheduledProcedureStepSequence:
    Modality: { value: CT }
    ScheduledStationAETitle:
${rules}
    ScheduledProcedureStepStartDate: OBR-36
    ScheduledProcedureStepStartTime: OBR-36
    ScheduledProcedureStepDescription: OBR-4.2
    ScheduledProcedureStepID: OBR-20
`

const order = (procedure: string) =>
  message(
    String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1`,
    'PID|1||4711^^^HOSP||Doe^Jane||19800214|F',
    'PV1|1|O|W7',
    'ORC|NW|P1|F1',
    `OBR|1|P1|F1|${procedure}^CT||||||||||||||ACC1|RP1|SPS1||||||||||||||||20260302101500`,
  )

test('the station of the first rule that is true is taken, and explain names those before it', () => {
  const rules = Array.from(
    { length: 40 },
    (_, at) => `      - { value: ST${at}, when: 'procedure == "P${at % 20}" && ward in ["W7", "W8"]' }`,
  )
  const plan = planOf([pipeline([...rules, '      - { value: REST }'].join('\n'))])
  const station = (procedure: string) => {
    const { verdict } = plan.judge(order(procedure))
    return verdict.kind === 'accepted' ? verdict.groups[0]?.steps[0]?.stations : verdict
  }
  expect(['P0', 'P7', 'P19', 'P20', ''].map(station)).toEqual([['ST0'], ['ST7'], ['ST19'], ['REST'], ['REST']])
  const line = plan.explain(order('P1')).lines.find(({ keyword }) => keyword === 'ScheduledStationAETitle')
  expect(line).toMatchObject({ value: 'ST1' })
  expect(line?.origin).toContain('condition false: procedure == "P0"')
})

test('a name that refuses its code refuses it, though its rule is never asked', () => {
  const text = pipeline(
    [
      ...Array.from(
        { length: 10 },
        (_, at) => `      - { value: ST${at}, when: procedure == "X${at}" && room == "R" }`,
      ),
      '      - { value: REST }',
    ].join('\n'),
  )
    .replace('ward: PV1-3.1', 'room: { from: PV1-3.1, table: rooms }')
    .replace('orderControl', 'tables: { rooms: { W1: R } }\norderControl')
  expect(compile([text]).problems).toEqual([])
  expect(planOf([text]).judge(order('CT')).verdict).toMatchObject({ kind: 'invalid', faults: [{ code: 'E301' }] })
})

test('a thousand rules that do not match cost a message less than reading and translating it, in processor time', () => {
  const compound = 'clinic != "" && room.startsWith("R17")'
  // What else the machine does disturbs a measurement: the best of several counts.
  let least = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 5 && least >= 1; tries++) {
    const [cost] = measureRules([compound], 3)
    if (cost !== undefined) least = Math.min(least, (cost.with - cost.without) / cost.without)
  }
  expect(least).toBeLessThan(1)
})
