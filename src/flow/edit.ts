/** The bytes of a kept message with a person's correction. Everything that is not corrected stays byte for byte. */
import { EngineError } from '../core/errors/index.ts'
import type { Edit, KeptMessage } from '../core/replay.ts'
import {
  charsetOf,
  encode,
  parse,
  parseText,
  scopeText,
  textAsSent,
  type Message,
  type ReadOptions,
} from '../hl7/index.ts'
import { edit as setField } from '../mapping/edit.ts'

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
    // A line end would make another segment of what follows.
    if (/\p{Cc}/u.test(value))
      throw new EngineError('E834', { path: nameOf(path), reason: 'a value is one line of text' })
    if (path === 'MSH' || /^MSH-[12]$/.test(path))
      throw new EngineError('E834', { path: nameOf(path), reason: 'the delimiters of a message stay what they are' })
    const next = setField(text, path, value)
    if (next === undefined) throw new EngineError('E834', { path: nameOf(path), reason: 'it is no path' })
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

/** What is no path might be anything: its beginning alone is repeated (I9). */
function nameOf(path: string): string {
  return /^[A-Z][A-Z0-9]{2}(\(\d+\))?(-[\d.()]*)?/.exec(path)?.[0].slice(0, 20) ?? '?'
}
