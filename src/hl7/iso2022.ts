import iconv from 'iconv-lite'

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

/** Bytes 0x21-0x7E. */
type G0 = 'ascii' | 'roman' | 'katakana' | 'jis208' | 'jis212'
/** Bytes 0xA0-0xFF: an encoding of iconv-lite, or none. */
type G1 = string

const escapes: readonly (readonly [sequence: string, g0: G0 | undefined, g1: G1 | undefined])[] = [
  ['(B', 'ascii', undefined],
  ['(J', 'roman', undefined],
  ['(I', 'katakana', undefined],
  ['$@', 'jis208', undefined],
  ['$B', 'jis208', undefined],
  ['$(B', 'jis208', undefined],
  ['$(D', 'jis212', undefined],
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
  ['$)C', undefined, 'euc-kr'],
  ['$)A', undefined, 'gb2312'],
]

/** Decodes bytes; undefined when they are not valid. `g1` is the set of the high bytes before any escape sequence, `''` for none. */
export function decodeIso2022(
  bytes: Uint8Array,
  start: { readonly roman: boolean; readonly g1: G1 },
): string | undefined {
  const startG0: G0 = start.roman ? 'roman' : 'ascii'
  let g0: G0 = startG0
  let g1: G1 = start.g1
  let text = ''
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at] as number
    if (byte === 0x1b) {
      const found = escapes.find(([sequence]) => matches(bytes, at + 1, sequence))
      if (found === undefined) return undefined
      g0 = found[1] ?? g0
      g1 = found[2] ?? g1
      at += 1 + found[0].length
      continue
    }
    if (byte < 0x21 || byte === 0x7f) {
      if (byte === 0x0d || byte === 0x0a) {
        g0 = startG0
        g1 = start.g1
      }
      text += String.fromCharCode(byte)
      at += 1
      continue
    }
    let end = at + 1
    const high = byte >= 0x80
    while (end < bytes.length && isRun(bytes[end] as number, high)) end++
    const run = bytes.subarray(at, end)
    const decoded = high ? decodeHigh(run, g1) : decodeLow(run, g0)
    if (decoded === undefined) return undefined
    text += decoded
    at = end
  }
  return text
}

/** Encodes text as ISO-2022-JP with kanji in JIS X 0208; undefined when a character is not in it. */
export function encodeIso2022(
  text: string,
  start: { readonly roman: boolean; readonly g1: G1 },
): Uint8Array | undefined {
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
    const euc = encodeWhole(character, 'euc-jp')
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

function encodeWhole(text: string, encoding: string): Uint8Array | undefined {
  const bytes = iconv.encode(text, encoding)
  return iconv.decode(bytes, encoding) === text ? bytes : undefined
}

function isRun(byte: number, high: boolean): boolean {
  return high ? byte >= 0x80 : byte >= 0x21 && byte < 0x7f
}

function matches(bytes: Uint8Array, at: number, sequence: string): boolean {
  for (let i = 0; i < sequence.length; i++) if (bytes[at + i] !== sequence.charCodeAt(i)) return false
  return true
}

function decodeLow(run: Uint8Array, g0: G0): string | undefined {
  const plain = Buffer.from(run.buffer, run.byteOffset, run.length).toString('latin1')
  switch (g0) {
    case 'ascii':
    // JIS X 0201 shows 0x5C as a yen sign and 0x7E as an overline, but senders mean the HL7 delimiters.
    case 'roman':
      return plain
    case 'katakana':
      return known(Buffer.from([...run].flatMap((byte) => [0x8e, byte | 0x80])), 'euc-jp')
    case 'jis208':
      return run.length % 2 === 0 ? known(Buffer.from(run.map((byte) => byte | 0x80)), 'euc-jp') : undefined
    case 'jis212': {
      if (run.length % 2 !== 0) return undefined
      const euc: number[] = []
      for (let i = 0; i < run.length; i += 2) euc.push(0x8f, (run[i] as number) | 0x80, (run[i + 1] as number) | 0x80)
      return known(Buffer.from(euc), 'euc-jp')
    }
  }
}

function decodeHigh(run: Uint8Array, g1: G1): string | undefined {
  if (g1 === '') return undefined
  if (g1 === 'katakana') return known(Buffer.from([...run].flatMap((byte) => [0x8e, byte])), 'euc-jp')
  return known(Buffer.from(run), g1)
}

function known(bytes: Buffer, encoding: string): string | undefined {
  const text = iconv.decode(bytes, encoding)
  return text.includes('\uFFFD') ? undefined : text
}
