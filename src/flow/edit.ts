/** The bytes of a kept message with a person's correction. Everything that is not corrected stays byte for byte. */
import { EngineError } from '../core/errors/index.ts'
import type { Edit, KeptMessage } from '../core/replay.ts'
import {
  charsetOf,
  compilePath,
  encode,
  parse,
  parseText,
  scopeText,
  segmentFields,
  segmentNames,
  textAsSent,
  type Message,
  type ReadOptions,
} from '../hl7/index.ts'
import { edit as setField } from '../mapping/edit.ts'
import { suggest } from '../mapping/suggest.ts'

export function edited(kept: Pick<KeptMessage, 'body'>, edit: Edit, reading: ReadOptions): Uint8Array {
  const body = bytesOf(kept.body, edit, reading)
  if (sameText(body, kept.body)) throw new EngineError('E835')
  return body
}

/** As people read it: one segment on each line. What no charset reads is shown byte by byte. */
export function textOfMessage(bytes: Uint8Array, reading: ReadOptions): string {
  const parsed = parse(bytes, reading)
  return parsed.kind === 'message' ? scopeText(parsed.message) : latin1(bytes)
}

function bytesOf(body: Uint8Array, edit: Edit, reading: ReadOptions): Uint8Array {
  if (edit.kind === 'body') return edit.bytes
  const parsed = parse(body, reading)
  const known = parsed.kind === 'message' ? parsed.message : undefined
  if (edit.kind === 'text') {
    const text = edit.text.replaceAll(/\r\n?|\n/g, '\r')
    return encoded(text, charsetFor(text, known))
  }
  let text = known === undefined ? latin1(body) : textAsSent(known)
  for (const { path, value } of edit.set) {
    const reason = whyNot(text, path, value)
    // A segment that is set to nothing goes.
    const next = reason === undefined ? setField(text, path, value === '' && isName(path) ? null : value) : undefined
    if (next === undefined) throw new EngineError('E834', { path: nameOf(path), reason: reason ?? 'it is no path' })
    text = next
  }
  return encoded(text, known === undefined ? 'iso-8859-1' : known.charset)
}

/** The charset that the text names, or that of the kept message where it names the same. */
function charsetFor(text: string, known: Message | undefined): string {
  const declared = parseText(text)?.segments[0]?.field(18) ?? ''
  if (known !== undefined && declared === known.declaredCharset) return known.charset
  return declared === '' ? 'utf-8' : (charsetOf(declared.split('~')) ?? 'utf-8')
}

function encoded(text: string, charset: string): Uint8Array {
  const bytes = encode(text.endsWith('\r') ? text : `${text}\r`, charset)
  if (bytes === undefined) throw new EngineError('E838', { charset })
  return bytes
}

function sameText(a: Uint8Array, b: Uint8Array): boolean {
  const plain = (bytes: Uint8Array): string =>
    latin1(bytes)
      .replaceAll(/[\r\n]+/g, '\r')
      .trim()
  return plain(a) === plain(b)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

const isName = (path: string): boolean => /^[A-Z][A-Z0-9]{2}(\(\d+\))?$/.test(path)

/** A slip of the keyboard must not change another field than the one that is meant, nor make a segment that nobody reads. */
function whyNot(text: string, path: string, value: string): string | undefined {
  // A line end would make another segment of what follows.
  if (/\p{Cc}/u.test(value)) return 'a value is one line of text'
  if (path === 'MSH' || /^MSH-[12]$/.test(path)) return 'the delimiters of a message stay what they are'
  const compiled = compilePath(isName(path) ? `${path}-1` : path)
  if (compiled.kind === 'invalid') {
    const meant = asPath(path)
    return meant === undefined ? 'it is no path' : `it is no path; did you mean ${meant}?`
  }
  const { segment, field, which, repetition } = compiled.path
  if (which?.kind === 'equals' || repetition?.kind === 'equals') return 'it chooses by a value: give the number'
  const separator = text[3] ?? '|'
  const own = text.split(/\r\n?|\n/).filter((line) => line.startsWith(segment + separator) || line === segment)
  if (own.length === 0 && !segment.startsWith('Z') && !segmentNames.includes(segment)) {
    const meant = suggest(segment, segmentNames)
    return `HL7 has no segment ${segment}${meant === undefined ? '' : `; did you mean ${meant}?`}`
  }
  const number = which?.kind === 'position' ? which.number : 1
  if (number > Math.max(own.length, 1)) return `the message has ${own.length} of this segment`
  if (isName(path))
    return value === '' || value.startsWith(segment + separator)
      ? undefined
      : `a whole segment begins with ${segment}${separator}`
  const most = segment.startsWith('Z') ? undefined : segmentFields(segment)
  const has = (own[number - 1] ?? '').split(separator).length - 1
  return most !== undefined && field > Math.max(most, has) ? `the segment ${segment} has ${most} fields` : undefined
}

/** `ZDS4`, `pid.7` and `PID 7`, as people write them. */
function asPath(text: string): string | undefined {
  const found = /^([A-Za-z][A-Za-z0-9]{2})[-._: ]?(\d{1,3}(?:\.\d{1,2}){0,2})$/.exec(text)
  const path = found === null ? undefined : `${found[1]?.toUpperCase()}-${found[2]}`
  return path === undefined || compilePath(path).kind === 'invalid' ? undefined : path
}

/** What is no path might be anything: its beginning alone is repeated (I9). */
function nameOf(path: string): string {
  return (
    /^[A-Za-z][A-Za-z0-9]{2}([-._: ]?\d{1,3}(\.\d{1,2}){0,2})?$/.exec(path)?.[0] ??
    /^[A-Z][A-Z0-9]{2}(\(\d+\))?(-[\d.()]*)?/.exec(path)?.[0].slice(0, 20) ??
    '?'
  )
}
