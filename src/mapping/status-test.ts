/**
 * `pipeline.test.yaml` of a status pipeline: the order as it was received, what the
 * worklist item held, and tests that name an event and the fields of the message
 * that it sends.
 */
import type { Dataset } from '../core/dataset.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import type { Order } from '../core/order.ts'
import type { StatusPlan } from '../core/world.ts'
import { compilePath, parse, select } from '../hl7/index.ts'
import { edit } from './edit.ts'
import { createLint, isFields, readFields, scalarText, type Fields, type Lint } from './lint.ts'
import type { PipelineTestResult, PipelineTestRun } from './pipeline-test.ts'
import { compileStatus, examEvents } from './status.ts'
import type { StatusInput } from './types.ts'

/** Times of the example: events at 10:15, images from 10:05:12 to 10:39:55, all UTC. */
const day = '2026-10-16T'

export function runStatusTests(input: StatusInput, document: Located): PipelineTestRun {
  const { plan, problems } = compileStatus(input)
  const lint = createLint(document)
  const fields = readFields(lint, document.value, [], ['pipeline', 'message', 'item', 'tests'])
  for (const name of ['message', 'tests']) if (!(name in fields)) lint.error('E219', [], { name })
  const tests: readonly unknown[] = Array.isArray(fields['tests']) ? fields['tests'] : []
  if (plan === undefined) return { results: [], problems: [...problems, ...lint.problems] }
  const results = tests.map((test, index) => runTest(lint, plan, fields, test, ['tests', index]))
  return { results, problems: [...problems, ...lint.problems] }
}

function runTest(lint: Lint, plan: StatusPlan, whole: Fields, test: unknown, at: DocumentPath): PipelineTestResult {
  const fields = readFields(lint, test, at, ['name', 'event', 'set', 'expect'])
  const name = scalarText(fields['name']) ?? `test ${Number(at.at(-1)) + 1}`
  const kind = examEvents.find((event) => event === fields['event'])
  if (kind === undefined) {
    const known = examEvents.join(', ')
    lint.error('E225', [...at, 'event'], { name: scalarText(fields['event']) ?? '', known }, { known: examEvents })
    return { name, place: lint.place(at), differences: ['the event is not known'] }
  }
  let received = scalarText(whole['message']) ?? ''
  for (const [path, value] of Object.entries(isFields(fields['set']) ? fields['set'] : {})) {
    received = edit(received, path, value === null ? null : (scalarText(value) ?? '')) ?? received
  }
  const order = orderOf(
    received.trimEnd().replaceAll(/\r\n?|\n/g, '\r'),
    isFields(whole['item']) ? (whole['item'] as Dataset) : {},
  )
  const messages = plan.render({
    kind,
    at: `${day}10:15:00.000Z`,
    order,
    patient: undefined,
    study: undefined,
    controlId: (n) => `E${n + 1}`,
  })
  const expected = fields['expect']
  if (expected === 'nothing') {
    const differences = messages.length === 0 ? [] : [`expected nothing, got ${messages.length} messages`]
    return { name, place: lint.place(at), differences }
  }
  return { name, place: lint.place(at), differences: compare(lint, expected, messages[0]?.bytes, [...at, 'expect']) }
}

function compare(lint: Lint, expected: unknown, bytes: Uint8Array | undefined, at: DocumentPath): readonly string[] {
  if (!isFields(expected)) {
    lint.error('E200', at, { where: 'expect', expected: 'nothing, or a mapping of HL7 paths to values' })
    return ['nothing was expected']
  }
  if (bytes === undefined) return ['expected a message, got none']
  const parsed = parse(bytes)
  if (parsed.kind !== 'message') return ['the message cannot be read']
  const { message } = parsed
  return Object.entries(expected).flatMap(([text, wanted]) => {
    const compiled = compilePath(text)
    if (compiled.kind === 'invalid') {
      lint.error('E212', [...at, text], { text, reason: compiled.reason }, { of: 'key' })
      return []
    }
    const got = select(message, compiled.path)[0]?.raw ?? ''
    const want = wanted === null ? '' : (scalarText(wanted) ?? '')
    return want === got ? [] : [`${text}: expected ${JSON.stringify(want)}, got ${JSON.stringify(got)}`]
  })
}

function orderOf(received: string, attributes: Dataset): Order {
  const uid = attributes['StudyInstanceUID']
  return {
    id: 'O1-1',
    version: 1,
    source: '',
    numbers: { authority: '' },
    patientKey: '',
    studyInstanceUid: typeof uid === 'string' ? uid : '',
    request: {},
    received,
    steps: [{ key: '1', stepStatus: 'STARTED', stations: [], attributes, flags: [] }],
    told: [],
    firstImageAt: `${day}10:05:12.000Z`,
    lastImageAt: `${day}10:39:55.000Z`,
    createdAt: `${day}08:00:00.000Z`,
    changedAt: `${day}08:00:00.000Z`,
  }
}
