/** Code tables: inline ones give a value for a code, CSV files give rows of columns. */
import type { DocumentPath } from '../core/located.ts'
import { parseCsv } from './csv.ts'
import { isFields, readFields, scalarText, type Fields, type Lint } from './lint.ts'

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
      readonly columns: readonly string[]
      readonly rows: ReadonlyMap<string, readonly Row[]>
      /** It could not be read, which is said once: what names it is not wrong for that. */
      readonly isBroken?: true
      readonly unknown: Unknown
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
  }
  return { kind: 'inline', name, values, refused, unknown }
}

/** Words of other places and languages for `reject`: as a text they would be served, say as a modality. */
const meantReject = ['refuse', 'refused', 'rejected', 'deny', 'error']

function unknownOf(lint: Lint, text: string, path: DocumentPath): Unknown {
  if (text === 'reject' || text === 'same' || text === 'next') return { kind: text }
  const word = text.toLowerCase()
  const suggestion = meantReject.includes(word) ? 'reject' : ['reject', 'same', 'next'].find((known) => known === word)
  if (suggestion !== undefined) lint.warn('E289', path, { text }, { suggestion })
  return { kind: 'value', value: text }
}

function brokenTable(name: string): Table {
  return { kind: 'file', name, file: '', columns: [], rows: new Map(), unknown: { kind: 'next' }, isBroken: true }
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
    lint.error('E220', [...path, 'file'], { file, name: file }, { known: Object.keys(files) })
    return undefined
  }
  const csv = parseCsv(text)
  if ('reason' in csv) {
    lint.elsewhere('E221', { file: `config/tables/${file}`, line: csv.line, column: 1 }, { reason: csv.reason })
    return undefined
  }
  const [head, ...body] = csv.rows
  const columns = head?.cells ?? []
  const key = scalarText(settings['key']) ?? columns[0] ?? ''
  const keyAt = columns.indexOf(key)
  if (keyAt < 0) {
    lint.error('E204', [...path, 'key'], { column: key, columns: columns.join(', ') }, { known: columns })
    return undefined
  }
  const rows = new Map<string, Row[]>()
  for (const { line, cells } of body) {
    if (cells.length !== columns.length) {
      const reason = `the line has ${cells.length} cells, the first line ${columns.length}`
      lint.elsewhere('E221', { file: `config/tables/${file}`, line, column: 1 }, { reason })
      continue
    }
    const code = cells[keyAt] as string
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
    columns,
    rows,
    unknown: otherwise === undefined ? { kind: 'reject' } : unknownOf(lint, otherwise, [...path, 'otherwise']),
  }
}
