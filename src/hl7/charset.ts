import { isAscii as isSevenBit, isUtf8 } from 'node:buffer'
import iconv from 'iconv-lite'
import { decodeCns, encodeCns } from './cns11643.ts'
import { decodeIso2022, encodeIso2022, type Start } from './iso2022.ts'

/** Bytes to text and back, by the canonical name of a charset (charset-name.ts). Nothing is ever replaced by U+FFFD. */

/** Nothing but ASCII, and no escape sequence of ISO 2022: every charset reads it the same. */
export function isAscii(bytes: Uint8Array): boolean {
  return isSevenBit(bytes) && bytes.indexOf(0x1b) === -1
}

/** Text of bytes; undefined when they are not valid in this charset. `escape`: the message's, for HL7's own way of writing ISO 2022. */
export function decode(bytes: Uint8Array, charset: string, escape?: string): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (charset === 'utf-8') return isUtf8(bytes) ? buffer.toString('utf8') : undefined
  if (charset === 'ascii') return isAscii(bytes) ? buffer.toString('latin1') : undefined
  if (charset.startsWith('iso-2022')) return decodeIso2022(bytes, extension(charset, escape))
  if (charset === 'euc-tw') return inRuns(buffer, decodeCns)
  const text = charset === 'iso-8859-1' ? buffer.toString('latin1') : iconv.decode(buffer, charset)
  // Control characters of C1 are in no text: a set of one byte that yields them has nothing at this place.
  return unassigned.test(text) ? undefined : text
}

const unassigned = /[\uFFFD\x80-\x9F]/

/** Bytes of text; undefined when a character does not exist in this charset. */
export function encode(text: string, charset: string): Uint8Array | undefined {
  if (charset === 'utf-8') return Buffer.from(text.toWellFormed(), 'utf8')
  if (/^[\x00-\x7f]*$/.test(text)) return Buffer.from(text, 'latin1')
  if (charset === 'ascii') return undefined
  if (charset.startsWith('iso-2022')) return encodeIso2022(text, extension(charset))
  if (charset === 'euc-tw') return encodeRuns(text, encodeCns)
  const bytes = iconv.encode(text, charset)
  return decode(bytes, charset) === text ? bytes : undefined
}

/** Whether a text has one form only in a charset, so that reading and writing gives the same bytes. */
export function isOneToOne(charset: string): boolean {
  return /^(?:utf-8|ascii|iso-8859-\d+|windows-\d+)$/.test(charset)
}

function extension(charset: string, escape?: string): Start {
  const g1 = charset.split(':')[1] ?? ''
  const sets = g1 === 'roman' ? { roman: true, g1: 'katakana' } : { roman: false, g1 }
  return escape === undefined ? sets : { ...sets, escape }
}

/** A set whose characters have high bytes only: what is ASCII stays what it is. */
function inRuns(buffer: Buffer, high: (run: Uint8Array) => string | undefined): string | undefined {
  let text = ''
  let at = 0
  while (at < buffer.length) {
    const isHigh = (buffer[at] as number) > 0x7f
    let end = at + 1
    while (end < buffer.length && (buffer[end] as number) > 0x7f === isHigh) end++
    const run = buffer.subarray(at, end)
    const decoded = isHigh ? high(run) : run.toString('latin1')
    if (decoded === undefined) return undefined
    text += decoded
    at = end
  }
  return text
}

function encodeRuns(text: string, high: (run: string) => Uint8Array | undefined): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  for (const run of text.match(/[\x00-\x7f]+|[^\x00-\x7f]+/g) ?? []) {
    const bytes = run.charCodeAt(0) < 0x80 ? Buffer.from(run, 'latin1') : high(run)
    if (bytes === undefined) return undefined
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}
