/** One order pipeline: its YAML read, checked against every dictionary there is, and compiled to functions. */
import type { Located } from '../core/located.ts'
import { checkedPath, compileReference, type Reference, type Vocabulary } from './reference.ts'
import { compileMap, stepSequence, type AttributeRule } from './attribute.ts'
import { createConditions, isName } from './condition.ts'
import { compileIdentity, type Identity } from './identity.ts'
import { createLint, isFields, readFields, readTexts, scalarText, type Fields, type Lint } from './lint.ts'
import { compileOrderControl, type OrderControl } from './order-control.ts'
import { lintRequirements } from './requirement.ts'
import { compileRule, compileWhen, type Condition, type Rule } from './rule.ts'
import { compileTables, type Table } from './table.ts'
import type { PlanSite } from './types.ts'

export interface OrderPipeline {
  readonly name: string
  readonly lint: Lint
  readonly messages: readonly { readonly code: string; readonly event: string | undefined }[]
  readonly accept: Condition | undefined
  readonly orderControl: OrderControl
  /** The segment that begins an order group. */
  readonly orderSegment: string
  readonly steps: { readonly table: Table & { readonly kind: 'file' }; readonly code: Reference } | undefined
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
  const letFields = readLet(lint, fields['let'])
  const letNames = Object.keys(letFields)
  const each = fields['each'] === undefined ? {} : readFields(lint, fields['each'], ['each'], ['order', 'step'])
  const stepText = scalarText(each['step']) ?? ''
  const [, tableName = '', codeText = ''] = /^(\w+)\((.*)\)$/.exec(stepText) ?? []
  const stepTable = findStepTable(lint, tables, stepText, tableName)

  const words: Vocabulary = {
    lint,
    tables,
    stepTable,
    lets: new Map(),
    letNames,
    conditions: createConditions(letNames),
    used: { names: new Set(), tables: new Set(stepTable === undefined ? [] : [tableName]) },
  }
  compileLets(words, letFields)
  const code = stepTable === undefined ? undefined : compileReference(words, codeText, ['each', 'step'])
  const accept =
    fields['accept'] === undefined ? {} : readFields(lint, fields['accept'], ['accept'], ['messages', 'when'])
  const when = accept['when'] === undefined ? undefined : compileWhen(words, accept['when'], ['accept', 'when'])
  const rules = 'map' in fields ? compileMap(words, fields['map'], ['map'], 'item') : []
  const identity = compileIdentity(words, fields['identity'])
  if ('map' in fields) {
    lintRequirements(lint, rules, {
      Modality: site.modality,
      ScheduledStationAETitle: site.stationAeTitle,
    })
  }
  if (stepTable !== undefined) lintStepKeys(lint, stepTable, fields['identity'])
  lintUnused(words)

  return {
    name,
    lint,
    messages: readMessages(lint, accept['messages']),
    accept: when,
    orderControl: compileOrderControl(lint, fields['orderControl']),
    orderSegment: readOrderSegment(lint, each['order']),
    steps: stepTable === undefined || code === undefined ? undefined : { table: stepTable, code },
    identity,
    item: rules.filter(({ keyword }) => keyword !== stepSequence),
    step: rules.find(({ keyword }) => keyword === stepSequence)?.inner ?? [],
    lets: words.lets,
  }
}

function readLet(lint: Lint, value: unknown): Fields {
  if (value === undefined) return {}
  if (!isFields(value)) {
    lint.error('E200', ['let'], { where: 'let', expected: 'a mapping of names' })
    return {}
  }
  const names = Object.entries(value).filter(([name]) => {
    const usable = isName(name) && name !== 'step' && !/^[A-Z][A-Z0-9]{2}$/.test(name)
    if (!usable) lint.error('E231', ['let', name], { name }, { of: 'key' })
    return usable
  })
  return Object.fromEntries(names)
}

function compileLets(words: Vocabulary, fields: Fields): void {
  const needs = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(fields)) {
    const used = new Set<string>()
    const rule = compileRule({ ...words, used: { ...words.used, names: used } }, value, ['let', name])
    for (const needed of used) words.used.names.add(needed)
    needs.set(name, [...used])
    if (rule === undefined) continue
    words.lets.set(name, {
      source: rule.source,
      text: name,
      get place() {
        return rule.place
      },
    })
  }
  for (const name of needs.keys()) {
    const circle = circleFrom(name, needs)
    if (circle === undefined) continue
    words.lint.error('E232', ['let', name], { names: circle.join(', ') }, { of: 'key' })
    // Its place would be looked for in a circle, too.
    words.lets.delete(name)
  }
}

function circleFrom(start: string, needs: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const seen = new Set<string>()
  const through = (name: string, path: readonly string[]): readonly string[] | undefined => {
    for (const next of needs.get(name) ?? []) {
      if (next === start) return [...path, name]
      if (seen.has(next)) continue
      seen.add(next)
      const found = through(next, [...path, name])
      if (found !== undefined) return found
    }
    return undefined
  }
  return through(start, [])
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
    lint.error('E200', at, { where: 'each.step', expected: 'a table and its code, such as procedures(OBR-4.1)' })
    return undefined
  }
  const table = tables.get(name)
  if (table?.kind === 'file') return table
  if (table === undefined) lint.error('E208', at, { name }, { known: tables.keys() })
  else lint.error('E200', at, { where: 'each.step', expected: 'a table with `file:`' })
  return undefined
}

/** Rows of one code are steps of one order: their keys must differ. */
function lintStepKeys(lint: Lint, table: Table & { readonly kind: 'file' }, identity: unknown): void {
  const rule = isFields(identity) ? scalarText(identity['step']) : undefined
  const column = rule?.startsWith('step.') ? rule.slice('step.'.length) : undefined
  for (const [code, rows] of table.rows) {
    if (rows.length < 2) continue
    const seen = new Set<string>()
    for (const row of rows) {
      const step = column === undefined ? '' : (row.cells[column] ?? '')
      const place = { file: `config/tables/${table.file}`, line: row.line, column: 1 }
      if (seen.has(step) && rule !== undefined) lint.elsewhere('E226', place, { code, step })
      seen.add(step)
    }
  }
}

function lintUnused({ lint, letNames, tables, used }: Vocabulary): void {
  for (const name of letNames) if (!used.names.has(name)) lint.warn('E224', ['let', name], { name }, { of: 'key' })
  for (const name of tables.keys()) {
    if (!used.tables.has(name)) lint.warn('E224', ['tables', name], { name }, { of: 'key' })
  }
}

function readMessages(lint: Lint, value: unknown): OrderPipeline['messages'] {
  if (value === undefined) {
    lint.error('E219', ['accept'], { name: 'accept.messages' }, { of: 'key' })
    return []
  }
  return readTexts(lint, value, ['accept', 'messages']).flatMap(({ text, path }) => {
    const [, code, event] = /^([A-Z]{3})(?:\^([A-Z]\d\d))?$/.exec(text) ?? []
    if (code !== undefined) return [{ code, event }]
    lint.error('E200', path, { where: 'accept.messages', expected: 'types such as ORM^O01' })
    return []
  })
}

function readOrderSegment(lint: Lint, value: unknown): string {
  if (value === undefined || value === 'ORC' || value === 'OBR') return value ?? 'ORC'
  const path = checkedPath(lint, `${scalarText(value) ?? ''}-1`, ['each', 'order'])
  if (path !== undefined) lint.error('E200', ['each', 'order'], { where: 'each.order', expected: 'ORC or OBR' })
  return 'ORC'
}
