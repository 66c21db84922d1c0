import type { Fault } from '../core/fault.ts'
import { isOneToOne } from './charset.ts'
import { isUsual, readDelimiters } from './delimiters.ts'
import { unknownEscapes } from './escape.ts'
import { checkLimits, limits, tooMuch } from './limits.ts'
import { splitLines, type Line } from './lines.ts'
import { readText, type ReadOptions } from './reading.ts'
import { createSegment, isSegmentName, nameOf } from './segment.ts'
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
 *
 * Total, and its cost grows with the size of the message, whatever it holds. What was
 * read is all there: `bytesAsSent` gives the same bytes again.
 */
export function parse(bytes: Uint8Array, options: ReadOptions = {}): Parsed {
  const start = startOf(bytes)
  const body = bytes.subarray(start)
  const header = headerOf(body)
  if (header === undefined) return { kind: 'unreadable', fault: notHl7(bytes, body) }
  const delimiters = readDelimiters(header)
  if (delimiters === undefined) return unreadable({ code: 'E105', hl7Code: 102, place: msh(2), params: {} })

  const fields = withoutKanji(header).split(delimiters.field, 20)
  const declaredCharset = fields[17]?.trim() ?? ''
  const read = readText(body, fields, delimiters, options)
  const common = { delimiters, declaredCharset, lead: bytes.subarray(0, start) }
  if (read.kind === 'undecodable') {
    const line = { text: header, end: '\r' }
    return {
      kind: 'unreadable',
      fault: read.fault,
      header: messageOf([line], { ...common, charset: 'iso-8859-1', warnings: [] }),
    }
  }
  const { text, charset } = read
  const warnings = isUsual(header)
    ? read.warnings
    : [...read.warnings, { code: 'E119', hl7Code: 102, place: msh(2), params: {} } satisfies Fault]
  const lines = splitLines(text, delimiters.field, limits.segments)
  const message = messageOf(lines ?? [{ text: header, end: '\r' }], {
    ...common,
    charset,
    warnings,
    ...(isOneToOne(charset) ? {} : { received: body }),
  })
  if (lines === undefined) return beyond(tooMuch('segments', limits.segments), message)
  const fault = checkLimits(message.segments, text.length, delimiters)
  return fault === undefined ? checked(message) : beyond(fault, message)
}

/** Reads text that was decoded before, such as `OrderGroup.received`. Undefined when it has no header. */
export function parseText(text: string, charset = 'utf-8'): Message | undefined {
  if (!/^MSH/i.test(text)) return undefined
  const delimiters = readDelimiters(/^[^\r\n]*/.exec(text)?.[0] ?? '')
  if (delimiters === undefined) return undefined
  const lines = splitLines(text, delimiters.field, Number.POSITIVE_INFINITY) ?? []
  return messageOf(lines, { delimiters, charset, declaredCharset: '', lead: new Uint8Array(0), warnings: [] })
}

/** What a header lacks, whatever the pipeline says of the rest: without MSH-10 a message that comes again is not known again. */
export function checkHeader(message: Message): Fault | undefined {
  return message.segments[0]?.field(10) === '' ? { code: 'E104', hl7Code: 101, place: msh(10), params: {} } : undefined
}

function unreadable(fault: Fault): Parsed {
  return { kind: 'unreadable', fault }
}

function msh(field: number): Fault['place'] {
  return { segment: 'MSH', occurrence: 1, field }
}

function beyond(fault: Fault, message: Message): Parsed {
  return { kind: 'unreadable', fault, header: { ...message, segments: message.segments.slice(0, 1) } }
}

function headerOf(body: Uint8Array): string | undefined {
  return /^MSH$/i.test(latin1(body.subarray(0, 3))) ? latin1(body.subarray(0, endOfLine(body, 3))) : undefined
}

/** A kanji may hold a separator in its second byte: until MSH-18 is found, none counts. */
function withoutKanji(header: string): string {
  return header.includes('\x1b') ? header.replaceAll(/\x1b\$\(?[@A-D][^\x1b]*/g, '') : header
}

function notHl7(bytes: Uint8Array, body: Uint8Array): Fault {
  const name = latin1(body.subarray(0, 3))
  if (name === 'FHS' || name === 'BHS') return { code: 'E107', hl7Code: 200, params: {} }
  // Of UTF-16 every other byte is NUL, whichever comes first.
  const isWide = /^(?:\xff\xfe|\xfe\xff|\0?M\0S\0H)/.test(latin1(bytes.subarray(0, 6)))
  return { code: isWide ? 'E109' : 'E101', hl7Code: isWide ? 102 : 100, place: { segment: 'MSH' }, params: {} }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

function messageOf(lines: readonly Line[], context: Omit<Message, 'segments'>): Message {
  const { delimiters, charset } = context
  const counts = new Map<string, number>()
  const segments: Segment[] = []
  let small = 0
  let strange = 0
  let escapes = 0
  let cut = 0
  for (const { text, end } of lines) {
    const name = nameOf(text, delimiters)
    if (!text.startsWith(name)) small += 1
    else if (name.length !== 3 || !isSegmentName(name)) strange += 1
    const occurrence = (counts.get(name) ?? 0) + 1
    counts.set(name, occurrence)
    segments.push(createSegment(text, occurrence, delimiters, name, end))
    // MSH-2 holds signs that mean nothing.
    const signs = name === 'MSH' ? 9 : 0
    if (text.indexOf(delimiters.escape, signs) !== -1) escapes += unknownEscapes(text.slice(signs), delimiters, charset)
    if (delimiters.truncation !== undefined) cut += cutValues(text.slice(signs), delimiters)
  }
  const warnings = [...context.warnings]
  const warn = (code: Fault['code'], count: number) => {
    if (count > 0) warnings.push({ code, hl7Code: 102, params: { count } })
  }
  warn('E113', escapes)
  warn('E118', strange)
  warn('E126', small)
  warn('E127', cut)
  return { ...context, segments, warnings }
}

/** Values that end with the truncation character: the sender had more than it sent. */
function cutValues(text: string, { field, component, repetition, subcomponent, truncation = '' }: Delimiters): number {
  let count = 0
  for (let at = text.indexOf(truncation); at !== -1; at = text.indexOf(truncation, at + 1)) {
    const behind = text.charAt(at + 1)
    if (behind === '' || [field, component, repetition, subcomponent].includes(behind)) count += 1
  }
  return count
}

/** A second header means two messages of which one would be lost in silence. */
function checked(message: Message): Parsed {
  const second = message.segments.find((segment) => segment.name === 'MSH' && segment.occurrence === 2)
  if (second === undefined) return { kind: 'message', message }
  return beyond({ code: 'E106', hl7Code: 100, place: { segment: 'MSH', occurrence: 2 }, params: {} }, message)
}
