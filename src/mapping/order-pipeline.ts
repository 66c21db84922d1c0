/** One order pipeline: its YAML read, checked against every dictionary there is, and compiled to functions. */
import type { Located } from '../core/located.ts'
import { segmentFields } from '../hl7/index.ts'
import { checkedPath, compileReference, type Reference, type Vocabulary } from './reference.ts'
import { compileMap, stepSequence, type AttributeRule } from './attribute.ts'
import { compileChangesPatient, type ChangesPatient } from './changes-patient.ts'
import { compileBookingEvents } from './booking-event.ts'
import { compileIdentity, type Identity } from './identity.ts'
import { createLint, isFields, readFields, scalarText, type Fields, type Lint } from './lint.ts'
import { lintNever } from './never.ts'
import { meaningOf } from './meaning.ts'
import { lintModalityKeys } from './modality-keys.ts'
import { compileOrderControl, type OrderControl } from './order-control.ts'
import { lintRequirements } from './requirement.ts'
import { compileWhen, type Condition } from './rule-condition.ts'
import type { Rule } from './rule.ts'
import { compileTables, type Table } from './table.ts'
import type { PlanSite } from './types.ts'
import { compileAcceptance, lintUnused, openVocabulary, type AcceptedType } from './vocabulary.ts'

/** What an order has a step for each of: rows of a table, or segments of its group. */
export type StepSource =
  | { readonly kind: 'rows'; readonly table: Table & { readonly kind: 'file' }; readonly code: Reference }
  /** `when`: those of which it is false are no steps, such as a service that was taken out of a booking. */
  | { readonly kind: 'segments'; readonly segment: string; readonly when?: Condition }

export interface OrderPipeline {
  readonly kind: 'orders'
  readonly name: string
  readonly lint: Lint
  readonly messages: readonly AcceptedType[]
  readonly accept: Condition | undefined
  readonly orderControl: OrderControl
  /** What bookings (SIU) do; undefined where it takes none. */
  readonly bookingEvents: OrderControl | undefined
  readonly changesPatient: ChangesPatient
  /** The segment that begins an order group. */
  readonly orderSegment: string
  readonly steps: StepSource | undefined
  readonly identity: Identity
  /** Outside the step. */
  readonly item: readonly AttributeRule[]
  readonly step: readonly AttributeRule[]
  readonly lets: ReadonlyMap<string, Rule | Reference>
}

const settings = [
  'pipeline',
  'summary',
  'from',
  'to',
  'accept',
  'let',
  'tables',
  'orderControl',
  'triggerEvent',
  'changesPatient',
  'each',
  'identity',
  'map',
]

export function compileOrderPipeline(
  located: Located,
  files: Readonly<Record<string, string>>,
  site: PlanSite,
): OrderPipeline {
  const lint = createLint(located)
  const fields = readFields(lint, located.value, [], settings)
  for (const name of ['pipeline', 'from', 'accept', 'map']) {
    if (!(name in fields)) lint.error('E219', [], { name })
  }
  const name = scalarText(fields['pipeline']) ?? ''
  const tables = compileTables(lint, fields['tables'], files)
  const each = fields['each'] === undefined ? {} : readFields(lint, fields['each'], ['each'], ['order', 'step', 'when'])
  const stepText = 'step' in each ? scalarText(each['step']) || '?' : ''
  const [, tableName = '', codeText = ''] = /^(\w+)\((.*)\)$/.exec(stepText) ?? []
  const segment = tableName === '' ? readStepSegment(stepText) : undefined
  const stepTable = segment === undefined ? findStepTable(lint, tables, stepText, tableName) : undefined

  const words = openVocabulary(lint, fields['let'], tables, {
    name: tableName,
    table: stepTable,
    isWrong: stepText !== '' && segment === undefined && stepTable === undefined,
  })
  const code = stepTable === undefined ? undefined : compileCode(words, tableName, codeText)
  const { messages, when } = compileAcceptance(words, fields['accept'], 'ORM^O01', ['replies'])
  const stepWhen = 'when' in each ? compileWhen(words, each['when'], ['each', 'when']) : undefined
  const rules = 'map' in fields ? compileMap(words, fields['map'], ['map'], 'item') : []
  const identity = compileIdentity(words, fields['identity'])
  if (isFields(fields['map'])) {
    lintRequirements(lint, rules, fields['map'], {
      Modality: site.modality,
      ScheduledStationAETitle: site.stationAeTitle,
    })
  }
  lintModalityKeys(lint, fields, tables)
  if (stepTable !== undefined) lintStepKeys(lint, stepTable, fields)
  lintNever(lint, fields, messages)
  lintUnused(words)

  return {
    kind: 'orders',
    name,
    lint,
    messages,
    accept: when,
    orderControl:
      'triggerEvent' in fields && !('orderControl' in fields)
        ? () => ({ effect: 'reject', rule: 'otherwise' })
        : compileOrderControl(lint, fields['orderControl']),
    bookingEvents: 'triggerEvent' in fields ? compileBookingEvents(lint, fields['triggerEvent']) : undefined,
    changesPatient: compileChangesPatient(lint, fields['changesPatient']),
    orderSegment: readOrderSegment(lint, each['order']),
    steps:
      segment !== undefined
        ? { kind: 'segments', segment, ...(stepWhen === undefined ? {} : { when: stepWhen }) }
        : stepTable === undefined || code === undefined
          ? undefined
          : { kind: 'rows', table: stepTable, code },
    identity,
    item: rules.filter(({ keyword }) => keyword !== stepSequence),
    step: rules.find(({ keyword }) => keyword === stepSequence)?.inner ?? [],
    lets: words.lets,
  }
}

/** The code by which the rows are found: one field, or a name. */
function compileCode(words: Vocabulary, table: string, text: string): Reference | undefined {
  const at = ['each', 'step']
  if (!/^\[.*\]$/.test(text)) return compileReference(words, text, at)
  const suggestion = `a name of let for it, such as \`let: { code: ${text} }\` and ${table}(code)`
  words.lint.error('E201', at, { text }, { offset: table.length + 1, suggestion })
  return undefined
}

/** IPC of an OMI; a segment of the site will do as well. */
function readStepSegment(text: string): string | undefined {
  const isSegment = /^Z[A-Z0-9]{2}$/.test(text) || segmentFields(text) !== undefined
  return isSegment && !['MSH', 'PID', 'PV1'].includes(text) ? text : undefined
}

function findStepTable(
  lint: Lint,
  tables: ReadonlyMap<string, Table>,
  text: string,
  name: string,
): (Table & { readonly kind: 'file' }) | undefined {
  if (text === '') return undefined
  const at = ['each', 'step']
  if (name === '') {
    const expected = 'a table and its code, such as procedures(OBR-4.1), or a segment, such as IPC'
    lint.error('E200', at, { where: 'each.step', expected })
    return undefined
  }
  const table = tables.get(name)
  if (table?.kind === 'file') return table
  if (table === undefined) lint.error('E208', at, { name }, { known: tables.keys() })
  else lint.error('E200', at, { where: 'each.step', expected: 'a table with `file:`' })
  return undefined
}

/** Rows of one code are steps of one order: their keys must differ, in one at least of the columns that make them. */
function lintStepKeys(lint: Lint, table: Table & { readonly kind: 'file' }, pipeline: Fields): void {
  const rule = isFields(pipeline['identity']) ? pipeline['identity']['step'] : undefined
  if (rule === undefined) return
  const meant = JSON.stringify(meaningOf(rule, pipeline['let']))
  const columns = [...meant.matchAll(/\bstep\.(\w+)/g)].map(([, column = '']) => column)
  // What an expression makes of its names, and a column that is not there, nobody can tell from here.
  if (meant.includes('"expr"') || columns.some((column) => !table.columns.includes(column))) return
  for (const [code, rows] of table.rows) {
    if (rows.length < 2) continue
    const seen = new Set<string>()
    for (const row of rows) {
      const cells = columns.map((column) => row.cells[column] ?? '')
      const place = { file: `config/tables/${table.file}`, line: row.line, column: 1 }
      const key = JSON.stringify(cells)
      if (seen.has(key)) lint.elsewhere('E226', place, { code, step: cells.join(', ') })
      seen.add(key)
    }
  }
}

function readOrderSegment(lint: Lint, value: unknown): string {
  if (value === undefined || value === 'ORC' || value === 'OBR' || value === 'SCH') return value ?? 'ORC'
  const [segment = ''] = (scalarText(value) ?? '').split(/[-.(]/)
  const at = ['each', 'order']
  if (segment !== value && ['ORC', 'OBR', 'SCH'].includes(segment)) {
    lint.error('E200', at, { where: 'each.order', expected: 'ORC, OBR or SCH' }, { suggestion: segment })
    return 'ORC'
  }
  const path = checkedPath(lint, `${scalarText(value) ?? ''}-1`, at)
  if (path !== undefined) lint.error('E200', at, { where: 'each.order', expected: 'ORC, OBR or SCH' })
  return 'ORC'
}
