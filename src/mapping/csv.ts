/** One line of a CSV file (RFC 4180), with the line it begins on, from 1. */
export interface CsvRow {
  readonly line: number
  readonly cells: readonly string[]
}

export type Csv = { readonly rows: readonly CsvRow[] } | { readonly reason: string; readonly line: number }

/** Commas, quotes doubled inside quotes, line ends inside quotes; a BOM and empty lines are skipped. */
export function parseCsv(text: string): Csv {
  const rows: CsvRow[] = []
  let cells: string[] = []
  let line = 1
  let begun = 1
  let at = text.startsWith('\uFEFF') ? 1 : 0
  const endRow = (): void => {
    if (cells.length > 1 || (cells[0] ?? '').trim() !== '') rows.push({ line: begun, cells })
    cells = []
  }
  while (at < text.length) {
    if (text[at] === '"') {
      const quotedFrom = line
      let value = ''
      at++
      for (;;) {
        const end = text.indexOf('"', at)
        if (end < 0) return { reason: 'a quotation mark is not closed', line: quotedFrom }
        value += text.slice(at, end)
        at = end + 1
        if (text[at] !== '"') break
        value += '"'
        at++
      }
      line += value.split('\n').length - 1
      if (at < text.length && !/[,\r\n]/.test(text[at] as string)) {
        return { reason: 'after a closing quotation mark comes a comma or the end of the line', line }
      }
      cells.push(value)
    } else {
      let end = at
      while (end < text.length && !/[,\r\n]/.test(text[end] as string)) end++
      cells.push(text.slice(at, end).trim())
      at = end
    }
    if (text[at] === ',') {
      at++
      if (at >= text.length || /[\r\n]/.test(text[at] as string)) cells.push('')
      else continue
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    line++
    endRow()
    begun = line
  }
  return { rows }
}
