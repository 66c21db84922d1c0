import { isAscii as isSevenBit, isUtf8 } from 'node:buffer'
import type { ErrorCode } from '../core/errors/index.ts'
import type { Fault } from '../core/fault.ts'
import { charsetOf } from './charset-name.ts'
import { decode, encode } from './charset.ts'
import { hasDesignation } from './iso2022.ts'
import type { Delimiters } from './types.ts'
import { placeOfBytes } from './undecodable.ts'

/** How a source's messages are read. */
export interface ReadOptions {
  /** The charset of messages that name none in MSH-18; default UNICODE UTF-8. */
  readonly defaultCharset?: string
  /** `trust`: MSH-18 is right, or the message cannot be read. `detect` (default): the bytes may prove it wrong. */
  readonly charset?: 'trust' | 'detect'
}

export type Read =
  | { readonly kind: 'text'; readonly text: string; readonly charset: string; readonly warnings: readonly Fault[] }
  | { readonly kind: 'undecodable'; readonly fault: Fault }

/**
 * The text of a message whose header says `fields` (MSH, split, from its name on).
 *
 * A name is never guessed. What MSH-18 says holds, unless the bytes prove that it is
 * wrong: text in a set of one byte is hardly ever valid UTF-8 of letters that this set
 * has. There is no way back from UTF-8: every byte is a letter in ISO 8859, so that
 * bytes that are not UTF-8 say nothing of what they are.
 */
export function readText(
  body: Uint8Array,
  fields: readonly string[],
  delimiters: Delimiters,
  options: ReadOptions,
): Read {
  const detects = options.charset !== 'trust'
  const declared = fields[17]?.trim() ?? ''
  const isPlain = isSevenBit(body) && body.indexOf(0x1b) === -1
  const byDefault = charsetOf((options.defaultCharset || 'UNICODE UTF-8').split('~')) ?? 'utf-8'
  const said = sayings(declared, fields, delimiters, byDefault, detects && !isPlain)
  const { charset, warnings } = said

  if (isPlain && (charset === undefined || !hasWritten(body, charset, delimiters.escape))) {
    return { kind: 'text', text: latin1(body), charset: charset ?? 'ascii', warnings }
  }
  if (charset === undefined) return { kind: 'undecodable', fault: unknownName(declared) }
  const known = decode(body, charset, delimiters.escape)
  const found = detects ? detect(body, charset, known, declared === '' ? undefined : byDefault, delimiters) : undefined
  if (found !== undefined) {
    const params = { charset: shownName(declared) || charset, really: found.charset }
    const warning: Fault = { code: found.code, hl7Code: 102, place: msh(18), params }
    return { kind: 'text', text: found.text, charset: found.charset, warnings: [...warnings, warning] }
  }
  if (known !== undefined) return { kind: 'text', text: known, charset, warnings }
  const place = placeOfBytes(body, charset, delimiters)
  const params = { charset: shownName(declared) || charset }
  return {
    kind: 'undecodable',
    fault: { code: 'E102', hl7Code: 102, ...(place === undefined ? {} : { place }), params },
  }
}

interface Saying {
  readonly charset: string | undefined
  readonly warnings: readonly Fault[]
}

/** What the header says, or the source's settings where it says nothing. */
function sayings(
  declared: string,
  fields: readonly string[],
  delimiters: Delimiters,
  byDefault: string,
  looksAround: boolean,
): Saying {
  if (declared !== '') {
    const charset = charsetOf(declared.split(delimiters.repetition))
    if (charset !== undefined) return { charset, warnings: [] }
    // MSH-17 and MSH-19 are the neighbours of MSH-18: a country or a language is in the wrong field, and no charset is named.
    const isNeighbour = /^(?:[A-Za-z]{2}(?:[-_][A-Za-z]{2})?|[A-Z]{3})$/.test(declared)
    return { charset: isNeighbour && looksAround ? byDefault : undefined, warnings: [unknownName(declared)] }
  }
  if (!looksAround) return { charset: byDefault, warnings: [] }
  for (const number of [17, 19]) {
    const text = fields[number - 1]?.trim() ?? ''
    const charset = text.length < 4 ? undefined : charsetOf(text.split(delimiters.repetition))
    if (charset === undefined) continue
    const params = { charset: shownName(text), field: number }
    return { charset, warnings: [{ code: 'E117', hl7Code: 102, place: msh(number), params }] }
  }
  return { charset: byDefault, warnings: [] }
}

interface Found {
  readonly text: string
  readonly charset: string
  readonly code: ErrorCode
}

/** What the bytes are, where they prove that the header is wrong; or that they could be something else (E116). */
function detect(
  body: Uint8Array,
  charset: string,
  known: string | undefined,
  byDefault: string | undefined,
  { escape }: Delimiters,
): Found | undefined {
  const hasHigh = !isSevenBit(body)
  if (hasHigh && charset !== 'utf-8' && isUtf8(body)) {
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8')
    if (known === undefined || isConvincing(text, charset)) return { text, charset: 'utf-8', code: 'E111' }
    return { text: known, charset, code: 'E116' }
  }
  const others: readonly (readonly [string | undefined, ErrorCode])[] =
    known === undefined
      ? [
          [supersets[charset], 'E112'],
          // ASCII is what an empty MSH-18 means: the source knows better what its sender does not say.
          [charset === 'ascii' && hasHigh ? byDefault : undefined, 'E112'],
        ]
      : charset === 'euc-tw' && /[^\x00-\x7f\u4E00-\u9FFF]/.test(known)
        ? [['big5', 'E112']]
        : []
  for (const [other, code] of others) {
    const text = other === undefined || other === 'utf-8' ? undefined : decode(body, other, escape)
    if (other !== undefined && text !== undefined) return { text, charset: other, code }
  }
  return extended(body, charset, escape)
}

/** Escape sequences of ISO 2022 that MSH-18 does not announce: nothing else writes them. */
function extended(body: Uint8Array, charset: string, escape: string): Found | undefined {
  if (charset.startsWith('iso-2022') || body.indexOf(0x1b) === -1 || !hasDesignation(body)) return undefined
  const really = /^(?:iso-8859|gb2312|euc-kr)/.test(charset) ? `iso-2022:${charset}` : 'iso-2022'
  const text = decode(body, really, escape)
  return text === undefined ? undefined : { text, charset: really, code: 'E112' }
}

/** Windows' sets that have all letters of an ISO set at their places, and more where ISO has none. */
const supersets: Readonly<Record<string, string>> = {
  'iso-8859-1': 'windows-1252',
  'iso-8859-9': 'windows-1254',
  'iso-8859-11': 'windows-874',
  'iso-2022:euc-kr': 'euc-kr',
  gb2312: 'gb18030',
  gbk: 'gb18030',
  'euc-tw': 'big5',
}

/**
 * Whether valid UTF-8 is UTF-8. Two letters of an ISO set may be one of UTF-8 by
 * chance (RŮŽEK in 8859/2 would be RٮEK): then that one is none that the sender's set
 * has, and there are not many of them. In sets of two bytes, and in Thai, chance makes
 * no two letters of three bytes.
 */
function isConvincing(text: string, charset: string): boolean {
  const foreign = lettersOf(text)
  const isKnown = foreign.every((character) => encode(character, charset) !== undefined)
  if (oneByte.test(charset)) return isKnown || foreign.length > 2
  const wide = foreign.filter((character) => character >= '\u0800').length
  return isKnown && wide > 1 && wide * 2 >= foreign.length
}

/** The different letters beyond ASCII; so many of them are enough. */
function lettersOf(text: string, enough = 64): readonly string[] {
  const letters = new Set<string>()
  for (const character of text) {
    if (character > '\x7f') letters.add(character)
    if (letters.size === enough) break
  }
  return [...letters]
}

/** Of one byte, but for Thai: its vowels and tones make three letters one of UTF-8. */
const oneByte = /^(?:iso-8859-(?!11$)|windows-125|koi8|cp)/

/** HL7's own way to write escape sequences, in bytes that are all ASCII. */
function hasWritten(body: Uint8Array, charset: string, escape: string): boolean {
  if (!charset.startsWith('iso-2022')) return false
  if (body.indexOf(0x0e) !== -1) return true
  const text = latin1(body)
  return ['M24', 'C28', 'C29', 'C2D'].some((form) => text.includes(escape + form))
}

function unknownName(declared: string): Fault {
  return { code: 'E103', hl7Code: 103, place: msh(18), params: { charset: shownName(declared) } }
}

/** A charset's name as it may be shown: no free text (I9). */
function shownName(declared: string): string {
  return declared.replaceAll(/[^\w ./~-]/g, '').slice(0, 24)
}

function msh(field: number): Fault['place'] {
  return { segment: 'MSH', occurrence: 1, field }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
