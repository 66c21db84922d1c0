/** Code tables: inline ones give a value for a code, CSV files give rows of columns. */
import type { DocumentPath } from '../core/located.ts'
import { columnOfCell, parseCsv } from './csv.ts'
import { hiddenIn } from './hidden.ts'
import { isFields, readFields, scalarText, type Fields, type Lint } from './lint.ts'
import { suggest } from './suggest.ts'

/** What happens to a code that stands in no row. */
export type Unknown =
  | { readonly kind: 'reject' }
  | { readonly kind: 'same' }
  /** It has no value, so that the next rule of a list is asked; an empty cell neither. */
  | { readonly kind: 'next' }
  | { readonly kind: 'value'; readonly value: string }

export interface Row {
  /** In the CSV file, from 1. */
  readonly line: number
  readonly cells: Readonly<Record<string, string>>
}

export type Table =
  | {
      readonly kind: 'inline'
      readonly name: string
      readonly values: ReadonlyMap<string, string>
      /** Codes whose row says `reject`. */
      readonly refused: ReadonlySet<string>
      readonly unknown: Unknown
    }
  | {
      readonly kind: 'file'
      readonly name: string
      readonly file: string
      /** The column by which a row is found. */
      readonly key: string
      readonly columns: readonly string[]
      readonly rows: ReadonlyMap<string, readonly Row[]>
      /** Of the file. */
      readonly text: string
      /** It could not be read, which is said once: what names it is not wrong for that. */
      readonly isBroken?: true
      readonly unknown: Unknown
    }

/** A code as the table writes it: a sender's small letters (`mri`) are the capitals of the table, where it has no other row for them. */
export function codeIn(table: Table, code: string): string {
  const capitals = code.toUpperCase()
  return capitals === code || hasRow(table, code) || !hasRow(table, capitals) ? code : capitals
}

function hasRow(table: Table, code: string): boolean {
  return table.kind === 'inline' ? table.values.has(code) || table.refused.has(code) : table.rows.has(code)
}

export function compileTables(
  lint: Lint,
  value: unknown,
  files: Readonly<Record<string, string>>,
): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>()
  if (value === undefined) return tables
  if (!isFields(value)) {
    lint.error('E200', ['tables'], { where: 'tables', expected: 'a mapping of table names' })
    return tables
  }
  for (const [name, definition] of Object.entries(value)) {
    const path = ['tables', name]
    if (!isFields(definition)) {
      lint.error('E200', path, {
        where: `tables.${name}`,
        expected: '{ code: value, ... } or { file: name.csv, key: column }',
      })
    } else if ('file' in definition) {
      tables.set(name, fileTable(lint, name, definition, path, files) ?? brokenTable(name))
    } else {
      tables.set(name, inlineTable(lint, name, definition, path))
    }
  }
  return tables
}

function inlineTable(lint: Lint, name: string, definition: Fields, path: DocumentPath): Table {
  const values = new Map<string, string>()
  const refused = new Set<string>()
  let unknown: Unknown = { kind: 'reject' }
  for (const [code, meaning] of Object.entries(definition)) {
    const text = scalarText(meaning)
    if (text === undefined)
      lint.error('E200', [...path, code], { where: `${name}.${code}`, expected: 'a single value' })
    else if (code === 'otherwise') unknown = unknownOf(lint, text, [...path, code])
    else if (text === 'reject') refused.add(code)
    else values.set(code, text)
    if (code !== code.trim()) lint.warn('E292', [...path, code], { code }, { of: 'key' })
  }
  if (!('otherwise' in definition)) lintOtherwise(lint, name, definition, path)
  return { kind: 'inline', name, values, refused, unknown }
}

/** Words of other languages, and slips, for `otherwise`: as a code no message has them, and what it has is refused. */
function lintOtherwise(lint: Lint, name: string, definition: Fields, path: DocumentPath): void {
  const code = Object.keys(definition).find(
    (row) => ['default', 'else', '*', '_'].includes(row.toLowerCase()) || suggest(row, ['otherwise']) !== undefined,
  )
  const suggestion = 'otherwise'
  if (code !== undefined) lint.warn('E299', [...path, code], { code, table: name }, { of: 'key', suggestion })
}

/** Words of other places and languages for `reject`: as a text they would be served, say as a modality. */
const meantReject = ['refuse', 'refused', 'rejected', 'rejects', 'rejct', 'rejekt', 'deny', 'error']
const noTexts = ['ignore', 'ignored', 'skip', 'none', 'null', 'default']

function unknownOf(lint: Lint, text: string, path: DocumentPath): Unknown {
  if (text === 'reject' || text === 'same' || text === 'next') return { kind: text }
  const word = text.toLowerCase()
  const suggestion = meantReject.includes(word) ? 'reject' : ['reject', 'same', 'next'].find((known) => known === word)
  if (suggestion !== undefined || noTexts.includes(word)) lint.warn('E289', path, { text }, { suggestion })
  return { kind: 'value', value: text }
}

/** Of one file: after so many, what is wrong is the file, and not its lines. */
export const mostMistakes = 20

/** Where a table file usually lies; who knows better puts it right. */
export function fileOf(file: string): string {
  return `config/tables/${file}`
}

/** What is no table may have a first line without end. */
export function shownColumns(columns: readonly string[]): string {
  const text = columns.join(', ')
  return text.length > 300 ? `${text.slice(0, 300)}...` : text
}

/** `stations`, `config/tables/stations.csv` and `stations.xlsx` are stations.csv. */
export function meantFile(file: string, known: readonly string[]): string | undefined {
  const bare = file.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '')
  return known.find((each) => each.toLowerCase() === `${bare.toLowerCase()}.csv`)
}

function brokenTable(name: string): Table {
  return {
    kind: 'file',
    name,
    file: '',
    key: '',
    columns: [],
    rows: new Map(),
    text: '',
    unknown: { kind: 'next' },
    isBroken: true,
  }
}

function fileTable(
  lint: Lint,
  name: string,
  definition: Fields,
  path: DocumentPath,
  files: Readonly<Record<string, string>>,
): Table | undefined {
  const settings = readFields(lint, definition, path, ['file', 'key', 'otherwise'])
  const file = scalarText(settings['file']) ?? ''
  const text = files[file]
  if (text === undefined) {
    const known = Object.keys(files)
    lint.error('E220', [...path, 'file'], { file, name: file }, { known, suggestion: meantFile(file, known) })
    return undefined
  }
  const hidden = hiddenIn(text.replace(/^\uFEFF/, ' '))
  if (hidden !== undefined) {
    const lines = text.slice(0, hidden.at).split('\n')
    const column = (lines.at(-1) ?? '').length + 1
    lint.elsewhere('E295', { file: fileOf(file), line: lines.length, column }, { name: hidden.name })
    return undefined
  }
  const csv = parseCsv(text)
  const wrong = (reason: string, line: number, column: number): undefined =>
    lint.elsewhere('E221', { file: fileOf(file), line, column }, { reason }) as undefined
  if ('reason' in csv) return wrong(csv.reason, csv.line, csv.column)
  const [head, ...body] = csv.rows
  if (head === undefined) return wrong('it is empty', 1, 1)
  const columns = head.cells
  const key = scalarText(settings['key']) ?? columns[0] ?? ''
  const keyAt = columns.indexOf(key)
  if (keyAt < 0) {
    lint.error('E204', [...path, 'key'], { column: key, columns: shownColumns(columns) }, { known: columns })
    return undefined
  }
  const twice = columns.findIndex((column, index) => column !== '' && columns.indexOf(column) < index)
  if (twice >= 0)
    return wrong(`two columns are named "${columns[twice]}"`, head.line, columnOfCell(text, head.line, twice))
  if (body.length === 0)
    lint.elsewhere('E291', { file: fileOf(file), line: head.line, column: 1 }, { table: name }, 'warning')
  const rows = new Map<string, Row[]>()
  let mistakes = 0
  for (const { line, cells } of body) {
    if (mistakes >= mostMistakes) break
    if (cells.length !== columns.length) {
      const surplus = cells.length > columns.length ? columnOfCell(text, line, columns.length) : 1
      mistakes++
      wrong(`the line has ${cells.length} cells, the first line ${columns.length}`, line, surplus)
      continue
    }
    const code = cells[keyAt] as string
    if (code.trim() === '') {
      // It would be the row of every message that names no code.
      mistakes++
      wrong(`the line has nothing in the column "${key}", by which it is found`, line, columnOfCell(text, line, keyAt))
      continue
    }
    if (code !== code.trim()) {
      const place = { file: fileOf(file), line, column: columnOfCell(text, line, keyAt) }
      lint.elsewhere('E292', place, { code }, 'warning')
    }
    const row = { line, cells: Object.fromEntries(columns.map((column, index) => [column, cells[index] as string])) }
    const same = rows.get(code)
    if (same === undefined) rows.set(code, [row])
    else same.push(row)
  }
  const otherwise = scalarText(settings['otherwise'])
  return {
    kind: 'file',
    name,
    file,
    key,
    columns,
    rows,
    text,
    unknown: otherwise === undefined ? { kind: 'reject' } : unknownOf(lint, otherwise, [...path, 'otherwise']),
  }
}
