/** One line of a CSV file (RFC 4180), with the line it begins on, from 1. */
export interface CsvRow {
  readonly line: number
  readonly cells: readonly string[]
}

export type Csv =
  | { readonly rows: readonly CsvRow[]; readonly separator: string }
  | { readonly reason: string; readonly line: number; readonly column: number }

/**
 * Quotes doubled inside quotes, line ends inside quotes; a BOM, and lines in which every cell is empty, are skipped.
 * Cells are separated as the first line does it: by commas, else by semicolons (as spreadsheets of many countries
 * save them) or tabs. `onCell` hears where each cell begins.
 */
export function parseCsv(text: string, onCell?: (line: number, index: number, column: number) => void): Csv {
  const rows: CsvRow[] = []
  const separator = separatorOf(text)
  const end = separator === ',' ? /[,\r\n]/ : separator === ';' ? /[;\r\n]/ : /[\t\r\n]/
  let cells: string[] = []
  let line = 1
  let begun = 1
  let at = text.startsWith('\uFEFF') ? 1 : 0
  let lineStart = at
  const endRow = (): void => {
    if (cells.some((cell) => cell.trim() !== '')) rows.push({ line: begun, cells })
    cells = []
  }
  while (at < text.length) {
    onCell?.(begun, cells.length, at - lineStart + 1)
    if (text[at] === '"') {
      const [quotedFrom, column] = [line, at - lineStart + 1]
      let value = ''
      at++
      for (;;) {
        const close = text.indexOf('"', at)
        if (close < 0) return { reason: 'a quotation mark is not closed', line: quotedFrom, column }
        value += text.slice(at, close)
        at = close + 1
        if (text[at] !== '"') break
        value += '"'
        at++
      }
      line += value.split('\n').length - 1
      if (value.includes('\n')) lineStart = text.lastIndexOf('\n', at - 1) + 1
      if (at < text.length && !end.test(text[at] as string)) {
        const reason = `after a closing quotation mark comes ${nameOf(separator)} or the end of the line`
        return { reason, line, column: at - lineStart + 1 }
      }
      cells.push(value)
    } else {
      let close = at
      while (close < text.length && !end.test(text[close] as string)) close++
      cells.push(text.slice(at, close).trim())
      at = close
    }
    if (text[at] === separator) {
      at++
      if (at >= text.length || /[\r\n]/.test(text[at] as string)) cells.push('')
      else continue
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    line++
    lineStart = at
    endRow()
    begun = line
  }
  return { rows, separator }
}

/** Where a cell begins, for what is wrong with it. */
export function columnOfCell(text: string, line: number, index: number): number {
  let found = 1
  parseCsv(text, (at, cell, column) => {
    if (at === line && cell === index) found = column
  })
  return found
}

function separatorOf(text: string): ',' | ';' | '\t' {
  const head = /^\uFEFF?\s*([^\r\n]*)/.exec(text)?.[1]?.replaceAll(/"[^"]*"/g, '') ?? ''
  if (head.includes(',')) return ','
  if (head.includes(';')) return ';'
  return head.includes('\t') ? '\t' : ','
}

function nameOf(separator: string): string {
  return separator === ',' ? 'a comma' : separator === ';' ? 'a semicolon' : 'a tab'
}
