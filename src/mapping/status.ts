/**
 * Status pipelines: what happened to an exam becomes HL7 for the RIS. The same
 * event gives the same bytes for ever (I7): nothing here looks at a clock.
 */
import type { DocumentPath, Located } from '../core/located.ts'
import type { ExamEvent, ExamEventKind, StatusMessage, StatusPlan } from '../core/world.ts'
import type { Dataset } from '../core/dataset.ts'
import type { Step } from '../core/order.ts'
import { createWriter, formatTime, parseText, standardDelimiters, type Path } from '../hl7/index.ts'
import { createLint, isFields, readFields, readTexts, scalarText, type Lint } from './lint.ts'
import { checkedPath } from './reference.ts'
import { compileStatusRule, type StatusRule, type StatusScene, type StatusWords } from './status-value.ts'
import { compileTables } from './table.ts'
import type { CompileStatus, StatusInput } from './types.ts'

export const examEvents = [
  'started',
  'completed',
  'discontinued',
  'stable',
  'lateImages',
  'deleted',
] as const satisfies readonly ExamEventKind[]

export interface StatusPipeline {
  readonly name: string
  readonly lint: Lint
  readonly from: string
  readonly to: readonly string[]
  readonly on: ReadonlyMap<ExamEventKind, Reaction>
  readonly map: readonly FieldRule[]
}

interface Reaction {
  /** MSH-9 as components. */
  readonly message: readonly string[]
  readonly orderStatus: string
  readonly map: readonly FieldRule[]
}

export interface FieldRule {
  readonly path: Path
  readonly rule: StatusRule
}

export const compileStatus: CompileStatus = ({ pipelines, tables, timeZone, destinations }: StatusInput) => {
  const compiled = pipelines.map((located) => compileStatusPipeline(located, tables))
  const problems = compiled.flatMap(({ lint }) => lint.problems)
  if (compiled.some(({ lint }) => lint.failed)) return { plan: undefined, problems }
  const plan: StatusPlan = {
    render(event) {
      const messages: StatusMessage[] = []
      for (const pipeline of compiled) {
        const reaction = pipeline.on.get(event.kind as ExamEventKind)
        // Of several Orthancs each pipeline hears one; what a person or a message did is told by all.
        if (reaction === undefined || (event.study !== undefined && event.study.orthanc !== pipeline.from)) continue
        for (const endpoint of pipeline.to) {
          if (!destinations.includes(endpoint)) continue
          const controlId = event.controlId(messages.length)
          messages.push({ endpoint, controlId, bytes: renderMessage(pipeline, reaction, event, controlId, timeZone) })
        }
      }
      return messages
    },
  }
  return { plan, problems }
}

const settings = ['pipeline', 'summary', 'from', 'to', 'on', 'tables', 'map']

export function compileStatusPipeline(located: Located, files: StatusInput['tables']): StatusPipeline {
  const lint = createLint(located)
  const fields = readFields(lint, located.value, [], settings)
  for (const name of ['pipeline', 'from', 'to', 'on', 'map']) {
    if (!(name in fields)) lint.error('E219', [], { name })
  }
  const words = { lint, tables: compileTables(lint, fields['tables'], files) }
  return {
    name: scalarText(fields['pipeline']) ?? '',
    lint,
    from: scalarText(fields['from']) ?? '',
    to: 'to' in fields ? readTexts(lint, fields['to'], ['to']).map(({ text }) => text) : [],
    on: compileReactions(words, fields['on']),
    map: 'map' in fields ? compileFields(words, fields['map'], ['map']) : [],
  }
}

function compileReactions(words: StatusWords, value: unknown): ReadonlyMap<ExamEventKind, Reaction> {
  const { lint } = words
  const reactions = new Map<ExamEventKind, Reaction>()
  if (!isFields(value)) {
    if (value !== undefined) lint.error('E200', ['on'], { where: 'on', expected: 'a mapping of events' })
    return reactions
  }
  for (const [name, given] of Object.entries(value)) {
    const path = ['on', name]
    const kind = examEvents.find((event) => event === name)
    if (kind === undefined) {
      lint.error('E225', path, { name, known: examEvents.join(', ') }, { of: 'key', known: examEvents })
      continue
    }
    const fields = readFields(lint, given, path, ['message', 'orderStatus', 'map'])
    const message = scalarText(fields['message']) ?? ''
    if (!/^[A-Z]{3}\^[A-Z]\d\d(\^[A-Z]{3}_[A-Z]\d\d)?$/.test(message)) {
      lint.error('E200', [...path, 'message'], { where: `on.${name}.message`, expected: 'a type such as ORM^O01' })
    }
    const [code = '', event = '', structure = `${code}_${event}`] = message.split('^')
    reactions.set(kind, {
      message: [code, event, structure],
      orderStatus: scalarText(fields['orderStatus']) ?? '',
      map: 'map' in fields ? compileFields(words, fields['map'], [...path, 'map']) : [],
    })
  }
  return reactions
}

/** The engine's own: what makes a message one that can be matched and read. */
const ours = new Set([1, 2, 7, 9, 10, 18])

function compileFields(words: StatusWords, value: unknown, at: DocumentPath): readonly FieldRule[] {
  const { lint } = words
  if (!isFields(value)) {
    lint.error('E200', at, { where: at.join('.'), expected: 'a mapping of HL7 paths' })
    return []
  }
  return Object.entries(value).flatMap(([text, given]) => {
    const keyAt = [...at, text]
    const path = checkedPath(
      { ...lint, error: (code, path, params, options) => lint.error(code, path, params, { ...options, of: 'key' }) },
      text,
      keyAt,
    )
    if (path?.segment === 'MSH' && ours.has(path.field)) {
      lint.error('E234', keyAt, { text }, { of: 'key' })
      return []
    }
    if (path?.which?.kind === 'equals' || path?.repetition?.kind === 'equals') {
      lint.error('E212', keyAt, { text, reason: 'a value is written to a position, such as OBX(2)-5' }, { of: 'key' })
      return []
    }
    const rule = compileStatusRule(words, given, keyAt)
    return path === undefined || rule === undefined ? [] : [{ path, rule }]
  })
}

function renderMessage(
  { map }: StatusPipeline,
  reaction: Reaction,
  event: ExamEvent,
  controlId: string,
  timeZone: string,
): Uint8Array {
  const received = event.order && parseText(event.order.received)
  // In the delimiters of the order, so that its fields can be copied as they are.
  const delimiters = received?.delimiters ?? standardDelimiters
  const { orderStatus } = reaction
  const scene: StatusScene = { event, orderStatus, received, item: itemOf(event), delimiters, timeZone }
  const version = received?.segments[0]?.field(12) ?? ''
  const rules = [...map, ...reaction.map]
  const writer = createWriter({ delimiters, order: [...new Set(rules.map(({ path }) => path.segment))] })
    .set('MSH-7', formatTime(event.at, timeZone))
    .set('MSH-9', { raw: reaction.message.join(delimiters.component) })
    .set('MSH-10', controlId)
    .set('MSH-11', 'P')
    .set('MSH-12', version === '' ? '2.3.1' : { raw: version })
    .set('MSH-18', 'UNICODE UTF-8')
  const values = rules.map(({ path, rule }) => ({ path, rule, raw: rule.raw(scene) }))
  const telling = new Set([
    'MSH',
    ...values.filter(({ rule, raw }) => !rule.isConstant && raw !== '').map(({ path }) => lineOf(path)),
  ])
  for (const { path, raw } of values) if (raw !== '' && telling.has(lineOf(path))) writer.set(path.text, { raw })
  return writer.bytes()
}

/** A segment, or one of several of a name. */
function lineOf({ segment, which }: Path): string {
  return which?.kind === 'position' ? `${segment}(${which.number})` : segment
}

/** The item as a modality saw it: of several steps the one that has begun, else the first that was not cancelled. */
function itemOf({ order, patient }: ExamEvent): Dataset {
  if (order === undefined) return {}
  const began: readonly Step['stepStatus'][] = ['STARTED', 'COMPLETED', 'DISCONTINUED']
  const step =
    order.steps.find(({ stepStatus }) => began.includes(stepStatus)) ??
    order.steps.find(({ stepStatus }) => stepStatus !== 'CANCELED') ??
    order.steps[0]
  return {
    ...patient?.attributes,
    ...order.request,
    ...step?.attributes,
    ...(step?.stations[0] === undefined ? {} : { ScheduledStationAETitle: step.stations[0] }),
    StudyInstanceUID: order.studyInstanceUid,
  }
}
