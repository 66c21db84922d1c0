import { segmentFields } from './fields.ts'

/** A line of a message and all that ended it: its terminator, and blank lines and NULs behind it. */
export interface Line {
  readonly text: string
  readonly end: string
}

/**
 * The lines of a message, which begins at `from`. CR ends a segment (HL7 2.5.1
 * §2.5.1). LF does where a segment, or nothing, follows; elsewhere it is a line break
 * that a sender left in a text: a name of three letters on a line of a comment is no
 * segment. Joined, lines and ends are the text. Undefined when there are more than `limit`.
 */
export function splitLines(text: string, field: string, limit: number): readonly Line[] | undefined {
  const lines: Line[] = []
  let from = 0
  let cr = text.indexOf('\r')
  let lf = text.indexOf('\n')
  while (from < text.length) {
    if (lines.length === limit) return undefined
    let stop = text.length
    let next = text.length
    let at = from
    for (;;) {
      if (cr !== -1 && cr < at) cr = text.indexOf('\r', at)
      if (lf !== -1 && lf < at) lf = text.indexOf('\n', at)
      const end = cr === -1 ? lf : lf === -1 ? cr : Math.min(cr, lf)
      if (end === -1) break
      const behind = afterBlank(text, end)
      const indented = afterIndent(text, behind)
      const returned = cr !== -1 && cr < behind
      const isSegment = startsSegment(text, indented, field)
      if (returned || behind === text.length || isSegment) {
        stop = end
        next = isSegment ? indented : behind
        break
      }
      at = behind
    }
    if (next === text.length && stop === text.length) stop = trimmedEnd(text, from)
    lines.push({ text: text.slice(from, stop), end: text.slice(stop, next) })
    from = next
  }
  return lines
}

/** Behind the line ends that begin at `at`, and lines that hold nothing but blanks and control characters. */
function afterBlank(text: string, at: number): number {
  let behind = at
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x20) return behind
    if (code === 0x0d || code === 0x0a) behind = i + 1
  }
  return text.length
}

/** Behind the blanks and tabs with which some senders indent a segment. */
function afterIndent(text: string, at: number): number {
  let behind = at
  while (text.charCodeAt(behind) === 0x20 || text.charCodeAt(behind) === 0x09) behind++
  return behind
}

/** Some senders fill up the last segment with NULs. */
function trimmedEnd(text: string, from: number): number {
  let end = text.length
  while (end > from && text.charCodeAt(end - 1) === 0) end--
  return end
}

function startsSegment(text: string, at: number, field: string): boolean {
  const name = text.slice(at, at + 3)
  if (!/^[A-Za-z][A-Za-z0-9]{2}$/.test(name)) return false
  const behind = text.charAt(at + 3)
  if (behind === field) return true
  return (behind === '' || behind === '\r' || behind === '\n') && isKnown(name)
}

/** Without a field a name alone could be an abbreviation in somebody's comment. */
function isKnown(name: string): boolean {
  return segmentFields(name) !== undefined || /^(?:Z[A-Z0-9]{2}|[FB][HT]S)$/.test(name)
}
