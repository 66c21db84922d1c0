/**
 * `pipeline.test.yaml` of a status pipeline: the order as it was received, what the
 * worklist item held, what Orthanc holds of the study, and tests that name an event
 * and the fields of the messages that it sends.
 */
import { orthancChanges, type OrthancChangeRow, type OrthancChangeType } from '../core/orthanc-change.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import type { StatusMessage, StatusPlan } from '../core/world.ts'
import { compilePath, parse, select } from '../hl7/index.ts'
import { createLint, isFields, readFields, scalarText, type Fields, type Lint } from './lint.ts'
import { isOrderless, statusEventOf, statusEvents } from './status-event.ts'
import { exampleOrder, exampleStudy, exampleTime, studyWords } from './status-example.ts'
import { anyOrthanc, compileStatusPipeline, origin } from './status-pipeline.ts'
import { compileStatus } from './status.ts'
import type { TestDifference } from './test-difference.ts'
import { begin, edited, type PipelineTestResult, type PipelineTestRun } from './test-parts.ts'
import type { StatusInput } from './types.ts'

const wholeWords = ['pipeline', 'source', 'message', 'item', 'study', 'tests']
const testWords = ['name', 'event', 'source', 'order', 'message', 'set', 'item', 'study', 'change', 'expect']
const changeWords = ['level', 'resource', 'orthanc']

/** `input` holds the pipeline that is tested; its messages to the origin go to a destination called `origin`. */
export function runStatusTests(input: StatusInput, document: Located): PipelineTestRun {
  const [located] = input.pipelines
  const pipeline = located && compileStatusPipeline(located, input.tables)
  const named = pipeline?.to ?? []
  const lint = createLint(document)
  const fields = readFields(lint, document.value, [], wholeWords)
  if (!('tests' in fields)) lint.error('E219', [], { name: 'tests' })
  const tests: readonly unknown[] = Array.isArray(fields['tests']) ? fields['tests'] : []
  const { plan, problems } = compileStatus({
    ...input,
    // The times of the example are UTC: what a test expects holds wherever it is run.
    timeZone: 'UTC',
    destinations: [...new Set([...named, ...input.destinations])],
    origins: originsOf([fields, ...tests]),
    forms: { [origin]: pipeline?.name ?? '' },
    receivers: {},
  })
  if (plan === undefined) return { results: [], problems: [...problems, ...lint.problems] }
  const heard = pipeline?.from.find((name) => name !== anyOrthanc) ?? 'orthanc'
  const ruleOf = located === undefined ? () => ({}) : ruleIn(located)
  const results = tests.map((test, index) => runTest(lint, plan, { heard, ruleOf }, fields, test, ['tests', index]))
  return { results, problems: [...problems, ...lint.problems] }
}

type RuleOf = (path: string) => Pick<TestDifference, 'rule'>

/** The line of `map` that fills a field, where it is named as the test names it. */
function ruleIn(located: Located): RuleOf {
  const map: unknown = isFields(located.value) ? located.value['map'] : undefined
  return (path) => (isFields(map) && path in map ? { rule: located.place(['map', path], 'key') } : {})
}

/** Whatever the sources of the orders are called. */
function originsOf(blocks: readonly unknown[]): Readonly<Record<string, string>> {
  const sources = blocks.flatMap((each) => (isFields(each) ? [scalarText(each['source']) ?? ''] : []))
  return Object.fromEntries(['', ...sources].map((source) => [source, origin]))
}

function runTest(
  lint: Lint,
  plan: StatusPlan,
  { heard, ruleOf }: { readonly heard: string; readonly ruleOf: RuleOf },
  whole: Fields,
  test: unknown,
  at: DocumentPath,
): PipelineTestResult {
  const fields = readFields(lint, test, at, testWords)
  const { name, result } = begin(lint, fields, at)
  const kind = statusEventOf(fields['event'])
  if (kind === undefined) {
    const params = { name: scalarText(fields['event']) ?? '', known: statusEvents.join(', ') }
    lint.error('E225', [...at, 'event'], params, { known: statusEvents })
    return result([{ what: '', received: 'the event is not known' }])
  }
  const hasOrder = !isOrderless(kind) && fields['order'] !== 'none'
  const item = { ...block(lint, whole, 'item', []), ...block(lint, fields, 'item', at) }
  const hasImages = fields['study'] !== null
  const study = { ...block(lint, whole, 'study', [], studyWords), ...block(lint, fields, 'study', at, studyWords) }
  const change = block(lint, fields, 'change', at, changeWords)
  const orthanc = scalarText(change['orthanc']) ?? heard
  const text = received(lint, whole, fields, at, name)
  const source = sourceOf(fields, whole)
  const row = orthancChanges.find((each) => each === kind)
  const messages = plan.render({
    kind,
    at: exampleTime,
    order: hasOrder ? exampleOrder({ received: text, item, source, kind, hasImages }) : undefined,
    patient: undefined,
    study: hasImages && Object.keys(study).length > 0 ? exampleStudy(study, orthanc) : undefined,
    ...(row === undefined ? {} : { row: rowOf(row, change) }),
    orthanc,
    controlId: (n) => `E${n + 1}`,
  })
  return result(compare(lint, fields['expect'], messages, [...at, 'expect'], ruleOf))
}

function sourceOf(...blocks: readonly Fields[]): string {
  return blocks.map((fields) => scalarText(fields['source'])).find((name) => name !== undefined) ?? ''
}

function rowOf(change: OrthancChangeType, fields: Fields): OrthancChangeRow {
  const wanted = scalarText(fields['level']) ?? /Patient|Study|Series|Instance/.exec(change)?.[0]
  const level = (['Patient', 'Study', 'Series', 'Instance'] as const).find((each) => each === wanted) ?? ''
  const resource = scalarText(fields['resource']) ?? 'resource'
  return { change, level, resource, study: level === '' ? '' : 'study', at: exampleTime }
}

function block(lint: Lint, fields: Fields, key: string, at: DocumentPath, known?: readonly string[]): Fields {
  const value = fields[key]
  if (value === undefined || value === null) return {}
  if (known !== undefined) return readFields(lint, value, [...at, key], known)
  if (isFields(value)) return value
  lint.error('E200', [...at, key], { where: key, expected: 'a mapping of DICOM keywords' })
  return {}
}

function received(lint: Lint, whole: Fields, fields: Fields, at: DocumentPath, name: string): string {
  const given = 'message' in fields ? fields['message'] : whole['message']
  const start = given === null ? '' : (scalarText(given) ?? '')
  const changes = isFields(fields['set']) ? fields['set'] : {}
  return edited(lint, start, changes, [...at, 'set'], name)
    .trimEnd()
    .replaceAll(/\r\n?|\n/g, '\r')
}

function compare(
  lint: Lint,
  expected: unknown,
  messages: readonly StatusMessage[],
  at: DocumentPath,
  ruleOf: RuleOf,
): readonly TestDifference[] {
  const number = (wanted: string, got: string): TestDifference[] => [
    { what: '', expected: wanted, received: got, place: lint.place(at) },
  ]
  if (expected === 'nothing') return messages.length === 0 ? [] : number('nothing', counted(messages.length))
  const list: readonly unknown[] = Array.isArray(expected) ? expected : [expected]
  if (!list.every(isFields)) {
    const wanted = 'nothing, a mapping of HL7 paths to values, or a list of them'
    lint.error('E200', at, { where: 'expect', expected: wanted })
    return [{ what: '', received: 'nothing was expected' }]
  }
  if (messages.length === 0) return number('a message', 'none')
  if (list.length !== messages.length) return number(counted(list.length), counted(messages.length))
  return list.flatMap((fields, index) => {
    const place = Array.isArray(expected) ? [...at, index] : at
    const found = messages[index]
    return found === undefined ? [] : compareMessage(lint, fields, found, place, ruleOf)
  })
}

function counted(count: number): string {
  return count === 1 ? 'one message' : `${count} messages`
}

function compareMessage(
  lint: Lint,
  expected: Fields,
  found: StatusMessage,
  at: DocumentPath,
  ruleOf: RuleOf,
): readonly TestDifference[] {
  const parsed = parse(found.bytes)
  if (parsed.kind !== 'message') return [{ what: '', received: 'the message cannot be read' }]
  const { message } = parsed
  const difference = (what: string, wanted: unknown, got: string): readonly TestDifference[] => {
    const want = wanted === null ? '' : (scalarText(wanted) ?? '')
    if (want === got) return []
    const [expectedText, received] = [want, got].map((text) => JSON.stringify(text)) as [string, string]
    return [{ what, expected: expectedText, received, place: lint.place([...at, what]), ...ruleOf(what) }]
  }
  return Object.entries(expected).flatMap(([text, wanted]) => {
    if (text === 'to') return difference('to', wanted, found.endpoint)
    if (text === 'segments') return difference('segments', wanted, message.segments.map(({ name }) => name).join(' '))
    const compiled = compilePath(text)
    if (compiled.kind === 'invalid') {
      lint.error('E212', [...at, text], { text, reason: compiled.reason }, { of: 'key' })
      return []
    }
    return difference(text, wanted, select(message, compiled.path)[0]?.raw ?? '')
  })
}
