import type { Fault } from '../core/fault.ts'
import { charsetOf, decode, isAscii } from './charset.ts'
import { readDelimiters } from './delimiters.ts'
import { unknownEscapes } from './escape.ts'
import { createSegment } from './segment.ts'
import { endOfLine, startOf } from './start.ts'
import type { Delimiters, Message, Segment } from './types.ts'

export type Parsed =
  | { readonly kind: 'message'; readonly message: Message }
  /** `header`: an MSH that could be read, so that the sender can be answered. */
  | { readonly kind: 'unreadable'; readonly fault: Fault; readonly header?: Message }

/**
 * Reads a message (HL7 2.5.1 §2.5, §2.6). MSH-18 decides the charset before
 * anything is split, because in some charsets a second byte equals a delimiter.
 * Bytes that are not valid in it make the message unreadable: a name is never
 * guessed. Segments may end with CR, LF or both.
 */
export function parse(bytes: Uint8Array, options: { readonly defaultCharset?: string } = {}): Parsed {
  const body = bytes.subarray(startOf(bytes))
  const header = headerOf(body)
  if (header === undefined) return { kind: 'unreadable', fault: notHl7(body) }
  const delimiters = readDelimiters(header)
  if (delimiters === undefined) return unreadable({ code: 'E105', hl7Code: 102, place: msh(2), params: {} })

  const declared = header.split(delimiters.field, 18)[17]?.trim() ?? ''
  const ascii = isAscii(body)
  const charset =
    declared === ''
      ? (charsetOf((options.defaultCharset ?? 'UNICODE UTF-8').split('~')) ?? 'utf-8')
      : charsetOf(declared.split(delimiters.repetition))
  const known = (charset: string, warnings: readonly Fault[]) => (text: string) =>
    messageOf(text, delimiters, charset, declared, warnings)
  const readableHeader = () => known('iso-8859-1', [])(header)

  if (charset === undefined) {
    const fault: Fault = { code: 'E103', hl7Code: 103, place: msh(18), params: { charset: printable(declared) } }
    // Without a byte above 127 every charset reads the same.
    return ascii
      ? checked(known('ascii', [fault])(latin1(body)))
      : { kind: 'unreadable', fault, header: readableHeader() }
  }
  if (ascii) return checked(known(charset, [])(latin1(body)))

  const read = decodeBody(body, charset)
  if (read === undefined) {
    const fault: Fault = { code: 'E102', hl7Code: 102, params: { charset: printable(declared) || charset } }
    return { kind: 'unreadable', fault, header: readableHeader() }
  }
  return checked(known(read.charset, read.warnings)(read.text))
}

/** Reads text that was decoded before, such as `OrderGroup.received`. Undefined when it has no header. */
export function parseText(text: string, charset = 'utf-8'): Message | undefined {
  if (!text.startsWith('MSH')) return undefined
  const delimiters = readDelimiters(/^[^\r\n]*/.exec(text)?.[0] ?? '')
  return delimiters === undefined ? undefined : messageOf(text, delimiters, charset, '', [])
}

/** What is wrong with a header, whatever the pipeline says of the rest: without MSH-10 nobody could match the acknowledgment. */
export function checkHeader(message: Message): Fault | undefined {
  return message.segments[0]?.field(10) === '' ? { code: 'E104', hl7Code: 101, place: msh(10), params: {} } : undefined
}

function unreadable(fault: Fault): Parsed {
  return { kind: 'unreadable', fault }
}

function msh(field: number): Fault['place'] {
  return { segment: 'MSH', occurrence: 1, field }
}

function headerOf(body: Uint8Array): string | undefined {
  // 'MSH'
  if (body[0] !== 0x4d || body[1] !== 0x53 || body[2] !== 0x48) return undefined
  return latin1(body.subarray(0, endOfLine(body, 3)))
}

function notHl7(body: Uint8Array): Fault {
  const name = latin1(body.subarray(0, 3))
  return name === 'FHS' || name === 'BHS'
    ? { code: 'E107', hl7Code: 200, params: {} }
    : { code: 'E101', hl7Code: 100, place: { segment: 'MSH' }, params: {} }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** A charset's name as it may be shown: no free text (I9). */
function printable(declared: string): string {
  return declared.replaceAll(/[^\w ./~-]/g, '').slice(0, 24)
}

/**
 * Sets of one byte, whose header is often wrong: MÃ¼ller is a wrong name. No text in them has all its letters above
 * 127 in the pairs that UTF-8 makes of them, but a Thai one might.
 */
const oneByte = /^(?:iso-8859-(?!11$)|windows-125)/

function decodeBody(
  body: Uint8Array,
  charset: string,
): { text: string; charset: string; warnings: readonly Fault[] } | undefined {
  const text = decode(body, charset)
  const really = oneByte.test(charset) ? decode(body, 'utf-8') : undefined
  if (really !== undefined) {
    const warning: Fault = { code: 'E111', hl7Code: 102, place: msh(18), params: { charset } }
    return { text: really, charset: 'utf-8', warnings: [warning] }
  }
  if (text === undefined) return undefined
  if (charset !== 'iso-8859-1') return { text, charset, warnings: [] }
  if (!/[\x80-\x9f]/.test(text)) return { text, charset, warnings: [] }
  const windows = decode(body, 'windows-1252')
  const warning: Fault = { code: 'E112', hl7Code: 102, place: msh(18), params: {} }
  return windows === undefined ? undefined : { text: windows, charset: 'windows-1252', warnings: [warning] }
}

function messageOf(
  text: string,
  delimiters: Delimiters,
  charset: string,
  declaredCharset: string,
  warnings: readonly Fault[],
): Message {
  const counts = new Map<string, number>()
  const segments: Segment[] = []
  for (const line of lines(text, delimiters)) {
    if (line === '' || isBlank(line)) continue
    const end = line.indexOf(delimiters.field)
    const name = end === -1 ? line : line.slice(0, end)
    const occurrence = (counts.get(name) ?? 0) + 1
    counts.set(name, occurrence)
    segments.push(createSegment(line, occurrence, delimiters))
  }
  // MSH-2 is an escape character that escapes nothing.
  const unknown = text.indexOf(delimiters.escape, 8) === -1 ? 0 : unknownEscapes(text.slice(9), delimiters)
  const escapes: Fault[] = unknown === 0 ? [] : [{ code: 'E113', hl7Code: 102, params: { count: unknown } }]
  return { delimiters, segments, charset, declaredCharset, warnings: [...warnings, ...escapes] }
}

/** A second header means two messages of which one would be lost in silence. */
function checked(message: Message): Parsed {
  const second = message.segments.find((segment) => segment.name === 'MSH' && segment.occurrence === 2)
  if (second === undefined) return { kind: 'message', message }
  const fault: Fault = { code: 'E106', hl7Code: 100, place: { segment: 'MSH', occurrence: 2 }, params: {} }
  return { kind: 'unreadable', fault, header: { ...message, segments: message.segments.slice(0, 1) } }
}

/** CR ends a segment. LF does where a segment name or nothing follows; elsewhere it is a line break that a sender left in a text. */
function lines(text: string, delimiters: Delimiters): readonly string[] {
  if (!text.includes('\n')) return text.split('\r')
  const field = delimiters.field.replaceAll(/[^\w]/g, String.raw`\$&`)
  const ends = new RegExp(String.raw`\r\n?|\n(?=[A-Za-z][A-Za-z0-9]{2}(?:${field}|[\r\n]|$)|[\r\n]|$)`)
  return text.split(ends)
}

function isBlank(line: string): boolean {
  return line.charCodeAt(0) <= 0x20 && /^[\x00-\x20]*$/.test(line)
}
