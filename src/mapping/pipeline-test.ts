/**
 * `pipeline.test.yaml`: one message, and tests that each change the fields their
 * name is about and say what then comes out. A test says only what it is about.
 */
import type { DocumentPath, Located } from '../core/located.ts'
import { machineAddress } from '../core/machine-address.ts'
import { parse } from '../hl7/index.ts'
import { createLint, isFields, readFields, scalarText, type Fields, type Lint } from './lint.ts'
import { compilePlan } from './plan.ts'
import { otherWord } from './other-words.ts'
import { suggest } from './suggest.ts'
import type { TestDifference } from './test-difference.ts'
import { differencesOf, expectations } from './test-expectation.ts'
import { begin, edited, type PipelineTestResult, type PipelineTestRun } from './test-parts.ts'
import type { Found, Locate } from './test-values.ts'
import type { Plan, PlanInput } from './types.ts'

/**
 * `input` holds the pipeline that is tested, for the first of its sources; its tests are not run when it does not
 * compile. `others`: the same for its other sources, which a test may name (`source:`).
 */
export function runPipelineTests(
  input: PlanInput,
  document: Located,
  others: readonly PlanInput[] = [],
): PipelineTestRun {
  const { plan, problems } = compilePlan(input)
  const lint = createLint(document)
  const fields = readFields(lint, document.value, [], ['pipeline', 'message', 'tests'])
  const message = scalarText(fields['message'])
  const isDocument = isFields(document.value)
  if (message === undefined && isDocument) lint.error('E219', [], { name: 'message' })
  const tests: readonly unknown[] = Array.isArray(fields['tests']) ? fields['tests'] : []
  if (tests.length === 0 && isDocument) lint.error('E219', [], { name: 'tests' })
  if (plan === undefined) return { results: [], problems: [...problems, ...lint.problems] }
  const plans = plansOf(plan, others)
  const results = tests.map((test, index) => runTest(lint, plans, message ?? '', test, ['tests', index]))
  return { results, problems: [...problems, ...lint.problems] }
}

/** By source, each compiled when a test is the first to name it. */
interface Plans {
  readonly first: Plan
  readonly sources: readonly string[]
  of(source: string): Plan | undefined
}

function plansOf(first: Plan, others: readonly PlanInput[]): Plans {
  const known = new Map([[first.source, first]])
  return {
    first,
    sources: [first.source, ...others.map(({ source }) => source)],
    of(source) {
      const input = others.find((one) => one.source === source)
      const plan = known.get(source) ?? (input === undefined ? undefined : compilePlan(input).plan)
      if (plan !== undefined) known.set(source, plan)
      return plan
    },
  }
}

function runTest(lint: Lint, plans: Plans, start: string, test: unknown, at: DocumentPath): PipelineTestResult {
  const fields = readFields(lint, test, at, ['name', 'set', 'source', 'sender', 'message', 'expect'])
  const { name, result } = begin(lint, fields, at)
  const text = changed(lint, fields, start, at, name)
  const parsed = parse(Buffer.from(`${text}\r`))
  if (parsed.kind === 'unreadable') {
    lint.error('E230', at, { name, reason: 'its message is not HL7' })
    return result([{ what: '', received: 'the message cannot be read' }])
  }
  const plan = planOf(lint, plans, fields, at, name)
  const sender = senderOf(lint, fields, at, name)
  const isMisspelt = Object.keys(fields).some(
    (key) => (suggest(key, ['expect']) ?? otherWord(key, ['expect'])) !== undefined,
  )
  if (!('expect' in fields)) {
    if (!isMisspelt) lint.error('E230', at, { name, reason: 'expect is missing' })
  } else if (isFields(fields['expect']) && Object.keys(fields['expect']).length === 0)
    lint.error('E230', [...at, 'expect'], { name, reason: 'it expects nothing' })
  const expected = readFields(lint, fields['expect'] ?? {}, [...at, 'expect'], expectations)
  const place: Locate = (path) => lint.place([...at, 'expect', ...path])
  return result(
    explained(differencesOf(expected, plan.judge(parsed.message, sender).verdict, place), () =>
      plan.explain(parsed.message, sender),
    ),
  )
}

/** By which source the message comes in this test; without the word, by the first that the pipeline hears. */
function planOf(lint: Lint, { first, sources, of }: Plans, fields: Fields, at: DocumentPath, name: string): Plan {
  if (!('source' in fields)) return first
  const source = scalarText(fields['source']) ?? ''
  const plan = of(source)
  const known = sources.join(', ')
  if (plan === undefined)
    lint.error(
      'E230',
      [...at, 'source'],
      { name, reason: `the pipeline hears ${known}, not "${source}"` },
      { suggestion: suggest(source, sources) },
    )
  return plan ?? first
}

/** From which machine the message comes in this test. */
function senderOf(lint: Lint, fields: Fields, at: DocumentPath, name: string): string {
  if (!('sender' in fields)) return ''
  const sender = machineAddress(scalarText(fields['sender']) ?? '')
  if (sender === undefined)
    lint.error('E230', [...at, 'sender'], { name, reason: '`sender` is an IP address such as 10.1.2.3' })
  return sender ?? ''
}

function changed(lint: Lint, fields: Fields, message: string, at: DocumentPath, name: string): string {
  const start = scalarText(fields['message']) ?? message
  const changes = fields['set']
  if (changes === undefined) return start
  if (isFields(changes)) return edited(lint, start, changes, [...at, 'set'], name)
  lint.error('E200', [...at, 'set'], { where: 'set', expected: 'a mapping of HL7 paths to values' })
  return start
}

/** Each value that is not as expected, with where it came from. */
function explained(found: readonly Found[], explain: () => ReturnType<Plan['explain']>): readonly TestDifference[] {
  if (!found.some(({ keyword }) => keyword !== undefined)) return found
  const { verdict, lines } = explain()
  const owners =
    verdict.kind === 'accepted'
      ? verdict.groups.flatMap(({ steps }, group) =>
          steps.flatMap(({ stations }, step) =>
            Array.from({ length: Math.max(1, stations.length) }, () => ({ group, step })),
          ),
        )
      : []
  return found.map(({ item, keyword, ...difference }): TestDifference => {
    const owner = item === undefined ? undefined : owners[item]
    const line = lines.find(
      (one) =>
        one.keyword === keyword &&
        (owner === undefined || one.group === owner.group) &&
        (owner === undefined || one.step === undefined || one.step === owner.step),
    )
    if (line === undefined) return difference
    return { ...difference, by: line.origin, ...(line.place === undefined ? {} : { rule: line.place }) }
  })
}
