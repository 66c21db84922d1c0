/** `table:` of a rule, and the rows that a code finds in it. */
import type { Hl7Place } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
import { rowText } from './explain.ts'
import { scalarText } from './lint.ts'
import { literal, textOf, type Pieces } from './piece.ts'
import type { Vocabulary } from './reference.ts'
import { fault, shownCode, type Scene } from './scene.ts'
import { codeIn, shownColumns, type Row, type Table } from './table.ts'

export type Lookup = (scene: Scene, pieces: Pieces) => Pieces

/** `table: sex`, or of a CSV file `table: stations.station_ae`. */
export function compileLookup(words: Vocabulary, value: unknown, at: DocumentPath): Lookup | undefined {
  const text = scalarText(value) ?? ''
  const [name = '', column] = text.split('.')
  const table = words.tables.get(name)
  if (table === undefined) {
    words.lint.error('E208', at, { name }, { known: words.tables.keys() })
    return undefined
  }
  words.used.tables.add(name)
  const isBroken = table.kind === 'file' && table.isBroken === true
  if (table.kind === 'file' && !isBroken && (column === undefined || !table.columns.includes(column))) {
    const params = { column: column ?? '', columns: shownColumns(table.columns) }
    if (column === undefined) {
      const expected = `one column of the table ${name}, for it has several: ${params.columns}`
      const other = table.columns.find((each) => each !== table.key) ?? ''
      words.lint.error('E200', at, { where: 'table', expected }, { suggestion: `${name}.${other}` })
    } else words.lint.error('E204', at, params, { offset: name.length + 1, known: table.columns })
    return undefined
  }
  if (table.kind === 'inline' && column !== undefined) {
    const params = { column, columns: '(none: it is not a file)' }
    words.lint.error('E204', at, params, { offset: name.length + 1, suggestion: name })
    return undefined
  }
  if (table.kind === 'file' && table !== words.stepTable) lintTwice(words, table)
  return (scene, pieces) =>
    pieces.flatMap((piece) => {
      if (piece.isNull) return [piece]
      const code = codeIn(table, piece.text.trim())
      if (table.kind === 'inline' && table.refused.has(code)) {
        const params = { table: name, code: shownCode(code) }
        scene.faults.push(fault('E344', 103, params, piece.place, words.lint.place(at)))
        return []
      }
      const found =
        table.kind === 'inline' ? table.values.get(code) : table.rows.get(code)?.[0]?.cells[column as string]
      scene.notes?.push(`table ${text} (${rowOf(words, table, code, at)})`)
      if (found !== undefined && (found !== '' || table.unknown.kind !== 'next')) return [literal(found, piece)]
      switch (table.unknown.kind) {
        case 'same':
          return [piece]
        case 'next':
          return []
        case 'value':
          return [literal(table.unknown.value, piece)]
        case 'reject':
          scene.faults.push(
            fault('E301', 103, { table: name, code: shownCode(code) }, piece.place, words.lint.place(at)),
          )
          return []
      }
    })
}

/** Where the row of a code stands, or the one for all codes that have none. */
function rowOf({ lint }: Vocabulary, table: Table, code: string, at: DocumentPath): string {
  if (table.kind === 'file' && table.rows.has(code)) return `${table.file}:${table.rows.get(code)?.[0]?.line}`
  const isKnown = table.kind === 'inline' && table.values.has(code)
  const place = lint.place(['tables', table.name, isKnown ? code : 'otherwise'])
  return `${isKnown ? '' : 'otherwise, '}${rowText(place, lint.place(at).file)}`
}

/** Of two rows of a code a rule would take the first, and nobody would know. */
function lintTwice({ lint }: Vocabulary, { file, rows }: Table & { readonly kind: 'file' }): void {
  for (const [code, same] of rows) {
    for (const { line } of same.slice(1))
      lint.elsewhere('E222', { file: `config/tables/${file}`, line, column: 1 }, { code })
  }
}

/** The rows of a code; undefined when the table rejects it, which is a fault. */
export function rowsOf(
  scene: Scene,
  table: Table & { kind: 'file' },
  pieces: Pieces,
  place: Hl7Place | undefined,
): readonly (Row | undefined)[] | undefined {
  const code = codeIn(table, textOf(pieces).trim())
  const rows = table.rows.get(code)
  if (rows !== undefined) return rows
  if (table.unknown.kind !== 'reject') return [undefined]
  const where = pieces[0]?.place ?? place
  scene.faults.push(
    code === ''
      ? fault('E302', 101, { what: `The code for the table ${table.name}` }, where)
      : fault('E301', 103, { table: table.name, code: shownCode(code) }, where),
  )
  return undefined
}
