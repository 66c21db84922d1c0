/** A pipeline as the table that vendors exchange: keyword, tag, VR, type, HL7 source, rule. */
import type { Located } from '../core/located.ts'
import { worklistKeys } from '../dicom/worklist-item.ts'
import { stepSequence, type AttributeRule } from './attribute.ts'
import { bookingEffects } from './booking-event.ts'
import { effects } from './order-control.ts'
import { compileOrderPipeline, type OrderPipeline } from './order-pipeline.ts'
import { compilePatientPipeline, isPatientPipeline, type PatientPipeline } from './patient-pipeline.ts'
import { isFields, scalarText, type Fields } from './lint.ts'
import { patientEffects } from './trigger-event.ts'
import type { PlanInput } from './types.ts'

const types = new Map(worklistKeys.map(({ keyword, type }) => [keyword, type]))

/** Markdown; the same pipeline gives the same text. */
export function renderMappingTable(located: Located, { tables, site }: Pick<PlanInput, 'tables' | 'site'>): string {
  const document = isFields(located.value) ? located.value : {}
  const { bases = [] } = located
  const lines = isPatientPipeline(document)
    ? patientLines(compilePatientPipeline(located, tables), document, bases)
    : orderLines(compileOrderPipeline(located, tables, site), document, bases)
  const all = [
    ...lines,
    ...section('Names', '| Name | HL7 | Rule |', pairs(document['let'])),
    ...tableSections(document['tables']),
  ]
  return `${all.join('\n').trimEnd()}\n`
}

function orderLines(pipeline: OrderPipeline, document: Fields, bases: readonly string[]): readonly string[] {
  return [
    ...head(pipeline, document, bases),
    ...(document['orderControl'] === undefined
      ? []
      : [
          '## Order control',
          '',
          '| ORC-1 (ORC-5) | The order is |',
          '|---|---|',
          ...controlRows(document['orderControl']),
          '',
        ]),
    ...(document['triggerEvent'] === undefined
      ? []
      : [
          '## Trigger events',
          '',
          '| MSH-9.2 (SCH-25) | The order is |',
          '|---|---|',
          ...controlRows(document['triggerEvent']),
          '',
        ]),
    ...attributeHead,
    ...rowsOf([...pipeline.item], ''),
    `| ${stepSequence} | (0040,0100) | SQ | 1 | | one item for each step and station |`,
    ...rowsOf(pipeline.step, '> '),
  ]
}

function patientLines(pipeline: PatientPipeline, document: Fields, bases: readonly string[]): readonly string[] {
  const events = isFields(document['triggerEvent']) ? Object.entries(document['triggerEvent']) : []
  const { prior, arrival } = pipeline
  return [
    ...head(pipeline, document, bases),
    '## Trigger events',
    '',
    '| MSH-9.2 | The patient is |',
    '|---|---|',
    ...events.map(([event, effect]) => {
      const words = patientEffects.find((each) => each === effect) ?? 'reject'
      return `| ${event === 'otherwise' ? 'any other' : event} | ${saidOfPatients[words]} |`
    }),
    '',
    ...attributeHead,
    ...rowsOf(pipeline.map, ''),
    ...(prior === undefined
      ? []
      : [
          '',
          '## Who a merged patient was',
          '',
          `For each repetition of ${prior.from}.`,
          '',
          ...attributeColumns,
          ...rowsOf(prior.rules, ''),
        ]),
    ...(arrival === undefined
      ? []
      : [
          '',
          '## Which steps an arrival means',
          '',
          `Those of the visit; where order or message name none, those of the day: ${cell(arrival.day === '' ? 'that on which the message is accepted' : `${arrival.day}, else that on which the message is accepted`)}.`,
          '',
          ...attributeColumns,
          ...rowsOf(arrival.visit, ''),
        ]),
  ]
}

function head(
  { name, messages }: Pick<OrderPipeline, 'name' | 'messages'>,
  document: Fields,
  bases: readonly string[],
): readonly string[] {
  const summary = scalarText(document['summary']) ?? ''
  return [
    `# Pipeline ${name}`,
    '',
    ...(summary === '' ? [] : [summary, '']),
    ...(bases.length === 0
      ? []
      : [`Extends ${bases.join(', which extends ')}: what it takes from there is shown here, too.`, '']),
    'Printed from `pipeline.yaml` by the tests; do not edit. Type: DICOM PS3.4 Table K.6-1',
    '(1 always with a value, 2 always there, 3 optional, C under a condition, - not in the table).',
    '',
    `Messages: ${messages.map(({ code, event }) => (event === undefined ? code : `${code}^${event}`)).join(', ')}.`,
    '',
  ]
}

const attributeColumns = ['| DICOM keyword | Tag | VR | Type | HL7 | Rule |', '|---|---|---|---|---|---|']
const attributeHead = ['## Attributes', '', ...attributeColumns]

export const saidOfPatients: Readonly<Record<(typeof patientEffects)[number], string>> = {
  update: 'described anew; one without orders is not made known',
  merge: "who was known by the prior identifiers of MRG, too: their orders are this patient's",
  unmerge: "no longer who was merged into them: that one's orders are that one's again",
  arrive: 'there: scheduled steps of the visit or the day have ARRIVED',
  arrivalTakenBack: 'not there after all: steps that have ARRIVED are SCHEDULED again; no order is cancelled',
  patientDeleted: 'not touched; a person is told of open orders',
  ignore: 'not touched; the message is acknowledged AA',
  reject: 'not touched; the message is refused with AR',
}

export const saidOfOrders: Readonly<
  Record<(typeof effects)[number] | (typeof bookingEffects)[number] | 'reject', string>
> = {
  create: 'created; a known one is updated',
  createOnHold: 'created and on hold: hidden until it is released; a known one is updated and hidden',
  update: 'updated; its steps are those of the message',
  schedule:
    'booked: of a known one when, where and by whom; an unknown one is created if the message names its patient',
  updateOnHold: 'updated and on hold: hidden until it is released',
  updateAndRelease: 'updated, and no longer on hold',
  arrive: 'one whose patient has arrived',
  ready: 'ready for the exam',
  start: 'started',
  complete: 'completed',
  cancel: 'cancelled',
  discontinue: 'discontinued',
  hold: 'on hold: hidden until it is released',
  release: 'no longer on hold',
  number: 'given the number that the message brings; nothing else changes',
  ignore: 'not touched; the message is acknowledged AA',
  reject: 'not touched; the message is refused with AE',
}

function controlRows(value: unknown): readonly string[] {
  if (!isFields(value)) return []
  return Object.entries(value).map(([code, effect]) => {
    const words = [...effects, ...bookingEffects].find((each) => each === effect) ?? 'reject'
    return `| ${code === 'otherwise' ? 'any other' : code.replace('(', ' (')} | ${saidOfOrders[words]} |`
  })
}

function rowsOf(rules: readonly AttributeRule[], indent: string): readonly string[] {
  return rules.flatMap(({ keyword, attribute, from, how, inner }) => {
    const tag = `(${attribute.tag.slice(0, 4)},${attribute.tag.slice(4)})`
    const type = indent.length > 2 ? '-' : (types.get(keyword) ?? '-')
    const row = `| ${indent}${keyword} | ${tag} | ${attribute.vr} | ${type} | ${cell(from)} | ${cell(how)} |`
    return [row, ...rowsOf(inner, `${indent}> `)]
  })
}

function pairs(value: unknown): readonly string[] {
  if (!isFields(value)) return []
  return Object.entries(value).map(([name, rule]) => {
    if (typeof rule === 'string') return `| ${name} | ${cell(rule)} | |`
    if (Array.isArray(rule)) return `| ${name} | ${cell(rule.map(describe).join(', else '))} | |`
    const { from, ...rest }: Fields = isFields(rule) ? rule : {}
    return `| ${name} | ${cell(describe(from))} | ${cell(
      Object.entries(rest)
        .map(([word, text]) => `${word} ${describe(text)}`)
        .join('; '),
    )} |`
  })
}

export function tableSections(value: unknown): readonly string[] {
  if (!isFields(value)) return []
  return Object.entries(value).flatMap(([name, table]) => {
    if (!isFields(table)) return []
    const { file, key } = table
    if (file !== undefined) {
      const text = `\`config/tables/${describe(file)}\`, by ${describe(key)}.`
      return ['', `## Table ${name}`, '', text]
    }
    const rows = Object.entries(table).map(([code, meaning]) => {
      const shown = code === 'otherwise' ? 'any other' : code
      return `| ${cell(shown)} | ${code === 'otherwise' && meaning === 'same' ? 'as it is' : cell(describe(meaning))} |`
    })
    return section(`Table ${name}`, '| HL7 | DICOM |', rows)
  })
}

function section(title: string, head: string, rows: readonly string[]): readonly string[] {
  if (rows.length === 0) return []
  return ['', `## ${title}`, '', head, head.replaceAll(/[^|]+/g, '---'), ...rows]
}

function describe(value: unknown): string {
  const text = scalarText(value)
  if (text !== undefined) return text === '' ? '(empty)' : text
  return value === undefined ? '' : JSON.stringify(value)
}

export function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', String.raw`\n`)
}
