import type { Hl7Place } from '../core/fault.ts'
import { decode } from './charset.ts'
import type { Delimiters } from './types.ts'

/**
 * Where the first bytes are that are not valid in their charset: the segment, and the
 * field where a separator cannot be half of a character. Line ends are themselves in
 * every charset, and ISO 2022 begins anew with each line.
 */
export function placeOfBytes(body: Uint8Array, charset: string, delimiters: Delimiters): Hl7Place | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1')
  const occurrences = new Map<string, number>()
  let from = 0
  while (from < body.length) {
    let to = from
    while (to < body.length && body[to] !== 0x0d && body[to] !== 0x0a) to++
    const name = text.slice(from, from + 3).toUpperCase()
    const occurrence = (occurrences.get(name) ?? 0) + 1
    occurrences.set(name, occurrence)
    if (decode(body.subarray(from, to), charset, delimiters.escape) === undefined) {
      // What stands where a segment's name should be may be anything (I9).
      if (!/^[A-Z][A-Z0-9]{2}$/.test(name)) return undefined
      const isShort = to - from <= longestLine
      const field =
        isShort && apart.test(charset) ? fieldOf(body.subarray(from, to), charset, delimiters.field, name) : undefined
      return { segment: name, occurrence, ...(field === undefined ? {} : { field }) }
    }
    from = to + 1
  }
  return undefined
}

/** In a longer line the field is not looked for: each costs a look. */
const longestLine = 100_000

/** Charsets in which a byte below 128 is always the sign that ASCII has there. */
const apart = /^(?:utf-8|ascii|iso-8859|windows|koi8|cp|euc)/

function fieldOf(line: Uint8Array, charset: string, separator: string, name: string): number | undefined {
  const sign = separator.charCodeAt(0)
  let number = name === 'MSH' ? 1 : 0
  let from = 0
  for (;;) {
    const at = line.indexOf(sign, from)
    if (decode(line.subarray(from, at === -1 ? undefined : at), charset) === undefined)
      return number === 0 ? undefined : number
    if (at === -1) return undefined
    from = at + 1
    number += 1
  }
}
