import { decode } from './charset.ts'
import type { Delimiters } from './types.ts'

/**
 * Escape sequences (HL7 2.5.1 §2.7). `unescape(escape(text)) === text` for every
 * text; what is not a sequence of the standard stays as it was sent.
 *
 * `\Xdd..\` are bytes in the message's charset; neighbours are decoded together,
 * because some senders write one sequence for each byte of a character.
 */
export function unescape(raw: string, delimiters: Delimiters, charset = 'utf-8'): string {
  const sign = delimiters.escape
  let from = raw.indexOf(sign)
  if (from === -1) return raw
  let text = raw.slice(0, from)
  while (from !== -1) {
    const hex = hexRun(raw, from, sign)
    if (hex !== undefined) {
      text += textOfBytes(hex.bytes, charset) ?? raw.slice(from, hex.end)
      from = hex.end
    } else {
      const end = raw.indexOf(sign, from + 1)
      const body = end === -1 ? undefined : raw.slice(from + 1, end)
      const meaning = body === undefined ? undefined : meaningOf(body, delimiters)
      if (meaning !== undefined) {
        text += meaning
        from = end + 1
      } else if (body !== undefined && isSequence(body)) {
        text += raw.slice(from, end + 1)
        from = end + 1
      } else {
        text += sign
        from += 1
      }
    }
    const next = raw.indexOf(sign, from)
    text += next === -1 ? raw.slice(from) : raw.slice(from, next)
    from = next
  }
  return text
}

/** Text as it may stand in a field: no delimiter, no control character that would end a segment or a frame. */
export function escape(text: string, delimiters: Delimiters): string {
  const { escape: sign } = delimiters
  // Where a full stop is a delimiter, `.br` cannot be written.
  const hasBreak = !Object.values(delimiters).includes('.')
  if (!needsEscape(text, delimiters)) return text
  let raw = ''
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    const code = text.charCodeAt(i)
    if (hasBreak && code === 0x0d && text.charCodeAt(i + 1) === 0x0a) {
      raw += `${sign}.br${sign}`
      i += 1
    } else if (code < 0x20 || code === 0x7f) {
      raw += hex(code, sign)
    } else {
      const letter = letterOf(character, delimiters)
      raw += letter === undefined ? character : sign + letter + sign
    }
  }
  return raw
}

/** HL7 text whose delimiters mean what they say, without a control character that would end a segment or a frame. */
export function escapeControls(raw: string, delimiters: Delimiters): string {
  return raw.replaceAll(/[\x00-\x1f\x7f]/g, (control) => hex(control.charCodeAt(0), delimiters.escape))
}

function hex(code: number, sign: string): string {
  return `${sign}X${code.toString(16).toUpperCase().padStart(2, '0')}${sign}`
}

/** HL7 text in which letters that were written as bytes of its charset (`\XE4\`) are letters: it may be sent in another one. */
export function withLetters(raw: string, delimiters: Delimiters, charset: string): string {
  const sign = delimiters.escape
  let text = ''
  let from = 0
  for (let at = raw.indexOf(sign); at !== -1; at = raw.indexOf(sign, at)) {
    const hex = hexRun(raw, at, sign)
    const letters = hex === undefined ? undefined : textOfBytes(hex.bytes, charset)
    if (hex !== undefined && letters !== undefined && /[^\x00-\x7f]/.test(letters)) {
      text += raw.slice(from, at) + escape(letters, delimiters)
      from = hex.end
    }
    at = hex?.end ?? endOfSequence(raw, at, delimiters)
  }
  return text + raw.slice(from)
}

/** Behind the sequence that begins here; where none does, behind the sign alone. */
function endOfSequence(raw: string, from: number, delimiters: Delimiters): number {
  const end = raw.indexOf(delimiters.escape, from + 1)
  const body = raw.slice(from + 1, end)
  const isOne = end !== -1 && (meaningOf(body, delimiters) !== undefined || isSequence(body))
  return isOne ? end + 1 : from + 1
}

/** Sequences in a text that the standard does not define, or that are no text in its charset; for warnings. */
export function unknownEscapes(raw: string, delimiters: Delimiters, charset = 'utf-8'): number {
  const sign = delimiters.escape
  let count = 0
  let from = raw.indexOf(sign)
  while (from !== -1) {
    const hex = hexRun(raw, from, sign)
    if (hex !== undefined) {
      if (textOfBytes(hex.bytes, charset) === undefined) count += 1
      from = raw.indexOf(sign, hex.end)
      continue
    }
    const end = raw.indexOf(sign, from + 1)
    const body = end === -1 ? '' : raw.slice(from + 1, end)
    const isKnown = end !== -1 && meaningOf(body, delimiters) !== undefined
    if (!isKnown) count += 1
    from = raw.indexOf(sign, isKnown || isSequence(body) ? end + 1 : from + 1)
  }
  return count
}

function needsEscape(text: string, delimiters: Delimiters): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f || letterOf(text.charAt(i), delimiters) !== undefined) return true
  }
  return false
}

function letterOf(character: string, delimiters: Delimiters): string | undefined {
  switch (character) {
    case delimiters.field:
      return 'F'
    case delimiters.component:
      return 'S'
    case delimiters.repetition:
      return 'R'
    case delimiters.escape:
      return 'E'
    case delimiters.subcomponent:
      return 'T'
    case delimiters.truncation:
      return 'P'
    default:
      return undefined
  }
}

function meaningOf(body: string, delimiters: Delimiters): string | undefined {
  switch (body) {
    case 'F':
      return delimiters.field
    case 'S':
      return delimiters.component
    case 'R':
      return delimiters.repetition
    case 'E':
      return delimiters.escape
    case 'T':
      return delimiters.subcomponent
    // Senders of 2.7 escape it even where MSH-2 does not name it.
    case 'P':
      return delimiters.truncation ?? '#'
    // Highlighting on and off: nothing that a worklist could show.
    case 'H':
    case 'N':
      return ''
    default:
      return body.startsWith('.') ? formatting(body) : undefined
  }
}

/** Formatting commands of FT (§2.7.6). */
function formatting(body: string): string | undefined {
  const found = /^\.(br|sp|sk|fi|nf|in|ti|ce) ?([+-]?\d{0,3})$/i.exec(body)
  if (found === null) return undefined
  const count = Math.min(Math.abs(Number(found[2] || '1')) || 1, 100)
  const command = found[1]?.toLowerCase() ?? ''
  if (command === 'sk') return ' '.repeat(count)
  if (command === 'sp') return '\r\n'.repeat(count)
  return command === 'br' || command === 'ce' ? '\r\n' : ''
}

/** Local (`Z`), charset (`C`, `M`) and unknown formatting sequences, as against a backslash that nobody escaped. */
function isSequence(body: string): boolean {
  return /^(?:[CMZ][\w+-]{1,64}|\.[a-z]{2}[+-]?\d{0,3})$/.test(body)
}

/** Control characters alone are themselves in every charset: in ISO 2022 some of them would shift the set and vanish. */
function textOfBytes(bytes: Uint8Array, charset: string): string | undefined {
  if (bytes.every((byte) => byte < 0x20 || byte === 0x7f)) return Buffer.from(bytes).toString('latin1')
  return decode(bytes, charset)
}

function hexRun(raw: string, from: number, sign: string): { bytes: Uint8Array; end: number } | undefined {
  let digits = ''
  let at = from
  for (;;) {
    if (raw.charAt(at) !== sign || raw.charAt(at + 1).toUpperCase() !== 'X') break
    const end = raw.indexOf(sign, at + 2)
    if (end === -1) break
    const body = raw.slice(at + 2, end)
    if (body.length % 2 !== 0 || !/^[\dA-F]+$/i.test(body)) break
    digits += body
    at = end + 1
  }
  return digits === '' ? undefined : { bytes: Buffer.from(digits, 'hex'), end: at }
}
