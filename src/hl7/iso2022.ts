import iconv from 'iconv-lite'
import { decodeCns } from './cns11643.ts'

/**
 * ISO 2022 code extension as HL7 and DICOM use it (HL7 2.5.1 §2.7.2, table 0211):
 * text that changes its character set by escape sequences. iconv-lite has no
 * ISO-2022-JP, but it has the EUC forms of the same sets: JIS X 0208 is EUC-JP
 * without the high bits.
 *
 * Text is decoded before it is split, because the second byte of a kanji may be
 * `\`, `^` or `|`. At the end of a line the sets fall back to what they were at
 * the beginning, so that one escape sequence forgotten spoils one segment only.
 */

/** Bytes 0x21-0x7E: ASCII, JIS X 0201, or the low half of a set that iconv-lite knows in its EUC form. */
type G0 = 'ascii' | 'roman' | 'katakana' | 'jis208' | 'jis212' | 'gb2312' | 'euc-kr'
/** Bytes 0xA0-0xFF: an encoding of iconv-lite, `katakana`, or none. */
type G1 = string

export interface Start {
  readonly roman: boolean
  /** The set of the high bytes before any escape sequence, `''` for none. */
  readonly g1: G1
  /** The escape character of the message: with it, `\M2442\` and `\C2842\` are escape sequences too (§2.7.3). */
  readonly escape?: string
}

const escapes: readonly (readonly [sequence: string, g0: G0 | undefined, g1: G1 | undefined])[] = [
  ['(B', 'ascii', undefined],
  ['(J', 'roman', undefined],
  ['(I', 'katakana', undefined],
  ['$@', 'jis208', undefined],
  ['$B', 'jis208', undefined],
  ['$(B', 'jis208', undefined],
  ['$(D', 'jis212', undefined],
  ['$A', 'gb2312', undefined],
  ['$(C', 'euc-kr', undefined],
  [')I', undefined, 'katakana'],
  ['-A', undefined, 'iso-8859-1'],
  ['-B', undefined, 'iso-8859-2'],
  ['-C', undefined, 'iso-8859-3'],
  ['-D', undefined, 'iso-8859-4'],
  ['-L', undefined, 'iso-8859-5'],
  ['-G', undefined, 'iso-8859-6'],
  ['-F', undefined, 'iso-8859-7'],
  ['-H', undefined, 'iso-8859-8'],
  ['-M', undefined, 'iso-8859-9'],
  ['-T', undefined, 'iso-8859-11'],
  ['-b', undefined, 'iso-8859-15'],
  ['$)C', undefined, 'euc-kr'],
  ['$)A', undefined, 'gb2312'],
  ['$)G', undefined, 'euc-tw'],
  // Says that JIS X 0208 of 1990 follows; the set itself is named behind it.
  ['&@', undefined, undefined],
]

/** Whether bytes have an escape sequence that switches the set. */
export function hasDesignation(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0x1b); at !== -1; at = bytes.indexOf(0x1b, at + 1)) {
    if (escapes.some(([sequence]) => matches(bytes, at + 1, sequence))) return true
  }
  return false
}

/** Decodes bytes; undefined when they are not valid. */
export function decodeIso2022(bytes: Uint8Array, start: Start): string | undefined {
  const sign = start.escape?.charCodeAt(0)
  const startG0: G0 = start.roman ? 'roman' : 'ascii'
  let g0: G0 = startG0
  let g1: G1 = start.g1
  // SO and SI: the low bytes are those of G1 for a while.
  let shifted = false
  let text = ''
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at] as number
    if (byte === 0x1b || byte === sign) {
      const length = byte === 0x1b ? 1 : 0
      const found =
        byte === 0x1b
          ? escapes.find(([sequence]) => matches(bytes, at + 1, sequence))
          : escapes.find(([sequence]) => matches(bytes, at, written(sequence, start.escape ?? '')))
      if (found !== undefined) {
        g0 = found[1] ?? g0
        g1 = found[2] ?? g1
        if (found[1] !== undefined) shifted = false
        at += length === 1 ? 1 + found[0].length : written(found[0], start.escape ?? '').length
        continue
      }
      if (byte === 0x1b) return undefined
    }
    if (byte < 0x21 || byte === 0x7f) {
      if (byte === 0x0d || byte === 0x0a) {
        g0 = startG0
        g1 = start.g1
        shifted = false
      }
      if (byte === 0x0e && g1 !== '') shifted = true
      else if (byte === 0x0f && g1 !== '') shifted = false
      else text += String.fromCharCode(byte)
      at += 1
      continue
    }
    const high = byte >= 0x80
    const size = high || shifted || !isDouble(g0) ? 1 : 2
    let end = at + size
    while (end < bytes.length && isRun(bytes[end] as number, high) && bytes[end] !== sign) end += size
    // The sign may as well be the first byte of a kanji: it ends a run only, and the run behind it goes on with it.
    if (end > bytes.length) return undefined
    const run = bytes.subarray(at, end)
    if (size === 2 && !run.every((each) => isRun(each, false))) return undefined
    const decoded = high ? decodeHigh(run, g1) : shifted ? decodeHigh(raised(run), g1) : decodeLow(run, g0)
    if (decoded === undefined) return undefined
    text += decoded
    at = end
  }
  return text
}

/** Encodes text as ISO-2022-JP with kanji in JIS X 0208; undefined when a character is not in it. */
export function encodeIso2022(text: string, start: Start): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  let at = 0
  for (const run of text.match(/[\x00-\x7f]+|[^\x00-\x7f]+/g) ?? []) {
    at += run.length
    if (run.charCodeAt(0) < 0x80) {
      parts.push(Buffer.from(run, 'latin1'))
      continue
    }
    const plain = start.g1 === '' || start.g1 === 'katakana' ? undefined : encodeWhole(run, start.g1)
    const bytes = plain ?? encodeJapanese(run)
    if (bytes === undefined) return undefined
    parts.push(bytes)
  }
  return at === text.length ? Buffer.concat(parts) : undefined
}

function encodeJapanese(run: string): Uint8Array | undefined {
  const out: number[] = []
  let set = ''
  for (const character of run) {
    const euc = jis208().get(character) ?? encodeWhole(character, 'euc-jp')
    if (euc === undefined) return undefined
    const [sequence, bytes] =
      euc.length === 2 && euc[0] === 0x8e
        ? ['(I', euc.subarray(1)]
        : euc[0] === 0x8f
          ? ['$(D', euc.subarray(1)]
          : ['$B', euc]
    if (sequence !== set) out.push(0x1b, ...Buffer.from(sequence, 'latin1'))
    set = sequence
    for (const byte of bytes) out.push(byte & 0x7f)
  }
  out.push(0x1b, 0x28, 0x42)
  return Uint8Array.from(out)
}

let known208: ReadonlyMap<string, Uint8Array> | undefined

/** iconv-lite writes some signs of JIS X 0208 in the supplementary set, where fewer receivers find them. */
function jis208(): ReadonlyMap<string, Uint8Array> {
  if (known208 !== undefined) return known208
  const found = new Map<string, Uint8Array>()
  for (let row = 0xa1; row <= 0xfe; row++) {
    for (let cell = 0xa1; cell <= 0xfe; cell++) {
      const bytes = Buffer.from([row, cell])
      const character = iconv.decode(bytes, 'euc-jp')
      if (!character.includes('\uFFFD') && !found.has(character)) found.set(character, bytes)
    }
  }
  known208 = found
  return found
}

function encodeWhole(text: string, encoding: string): Uint8Array | undefined {
  const bytes = iconv.encode(text, encoding)
  return iconv.decode(bytes, encoding) === text ? bytes : undefined
}

/** `$B` as HL7 writes it: `\M2442\`; sets of one byte with C. */
const writtenForms = new Map<string, string>()
function written(sequence: string, sign: string): string {
  const key = sign + sequence
  let form = writtenForms.get(key)
  if (form === undefined) {
    const hex = Buffer.from(sequence, 'latin1').toString('hex').toUpperCase()
    form = `${sign}${sequence.startsWith('$') ? 'M' : 'C'}${hex}${sign}`
    writtenForms.set(key, form)
  }
  return form
}

function isDouble(g0: G0): boolean {
  return g0 !== 'ascii' && g0 !== 'roman' && g0 !== 'katakana'
}

function isRun(byte: number, high: boolean): boolean {
  return high ? byte >= 0x80 : byte >= 0x21 && byte < 0x7f
}

function matches(bytes: Uint8Array, at: number, sequence: string): boolean {
  for (let i = 0; i < sequence.length; i++) if (bytes[at + i] !== sequence.charCodeAt(i)) return false
  return true
}

function raised(run: Uint8Array): Uint8Array {
  return run.map((byte) => byte | 0x80)
}

function decodeLow(run: Uint8Array, g0: G0): string | undefined {
  switch (g0) {
    case 'ascii':
    // JIS X 0201 shows 0x5C as a yen sign and 0x7E as an overline, but senders mean the HL7 delimiters.
    case 'roman':
      return Buffer.from(run.buffer, run.byteOffset, run.length).toString('latin1')
    case 'katakana':
      return decodeHigh(raised(run), 'katakana')
    case 'jis208':
      return known(Buffer.from(raised(run)), 'euc-jp')
    case 'gb2312':
    case 'euc-kr':
      return known(Buffer.from(raised(run)), g0)
    case 'jis212': {
      const euc: number[] = []
      for (let i = 0; i < run.length; i += 2) euc.push(0x8f, (run[i] as number) | 0x80, (run[i + 1] as number) | 0x80)
      return known(Buffer.from(euc), 'euc-jp')
    }
  }
}

function decodeHigh(run: Uint8Array, g1: G1): string | undefined {
  if (g1 === '') return undefined
  if (g1 === 'euc-tw') return decodeCns(run)
  if (g1 !== 'katakana') return known(Buffer.from(run), g1)
  const euc = new Uint8Array(run.length * 2)
  run.forEach((byte, at) => euc.set([0x8e, byte], at * 2))
  return known(Buffer.from(euc), 'euc-jp')
}

function known(bytes: Buffer, encoding: string): string | undefined {
  const text = iconv.decode(bytes, encoding)
  return /[\uFFFD\x80-\x9F]/.test(text) ? undefined : text
}
