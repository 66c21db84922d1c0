/**
 * Rows that are found by the modality of the order, and that no order ever finds: `ct` or `Ultraschall`
 * in the first column of stations.csv, where the order says CT and US by then.
 */
import { isModality } from '../dicom/modality.ts'
import { columnOfCell } from './csv.ts'
import { isFields, scalarText, type Fields, type Lint } from './lint.ts'
import { meaningOf } from './meaning.ts'
import { fileOf, mostMistakes, type Table } from './table.ts'
import { meantModality } from './table-values.ts'

export function lintModalityKeys(lint: Lint, fields: Fields, tables: ReadonlyMap<string, Table>): void {
  const map = isFields(fields['map']) ? fields['map'] : {}
  const step = isFields(map['ScheduledProcedureStepSequence']) ? map['ScheduledProcedureStepSequence'] : {}
  const modality = step['Modality']
  if (modality === undefined) return
  const meant = meaning(modality, fields)
  for (const name of new Set([...lookups(map), ...lookups(fields['let'])].filter(isOfModality).map(tableOf)))
    lintKeys(lint, tables.get(name))

  function isOfModality(rule: Fields): boolean {
    return meaning(rule['from'], fields) === meant
  }
}

function meaning(rule: unknown, fields: Fields): string {
  return JSON.stringify(meaningOf(rule, fields['let']) ?? null)
}

/** All rules with a table, wherever they stand. */
function lookups(value: unknown): readonly Fields[] {
  if (Array.isArray(value)) return value.flatMap(lookups)
  if (!isFields(value)) return []
  return [...('table' in value && 'from' in value ? [value] : []), ...Object.values(value).flatMap(lookups)]
}

function tableOf(rule: Fields): string {
  return (scalarText(rule['table']) ?? '').split('.')[0] ?? ''
}

function lintKeys(lint: Lint, table: Table | undefined): void {
  if (table?.kind !== 'file' || table.isBroken === true) return
  const { file, text, columns, key } = table
  let mistakes = 0
  for (const [code, [row]] of table.rows) {
    const meant = isModality(code.trim().toUpperCase()) ? code.trim().toUpperCase() : meantModality(code)
    if (row === undefined || isModality(code) || meant === undefined || meant === code || mistakes >= mostMistakes)
      continue
    mistakes++
    const place = { file: fileOf(file), line: row.line, column: columnOfCell(text, row.line, columns.indexOf(key)) }
    lint.elsewhere('E866', place, { text: code }, 'warning', meant)
  }
}
