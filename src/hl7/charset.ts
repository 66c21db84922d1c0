import iconv from 'iconv-lite'
import { decodeIso2022, encodeIso2022 } from './iso2022.ts'

/**
 * What MSH-18 means (HL7 2.5.1 table 0211) and how senders really write it. A
 * charset is known by one canonical name: iconv-lite's, or `iso-2022` with the
 * set of its high bytes, `iso-2022:iso-8859-1`, for text that changes its set by
 * escape sequences.
 */
const aliases: Readonly<Record<string, string>> = {
  ASCII: 'ascii',
  USASCII: 'ascii',
  ISOIR6: 'ascii',
  UNICODE: 'utf-8',
  UNICODEUTF8: 'utf-8',
  UTF8: 'utf-8',
  ISOIR192: 'utf-8',
  ISO8859: 'iso-8859-1',
  '8859': 'iso-8859-1',
  LATIN1: 'iso-8859-1',
  ISOIR100: 'iso-8859-1',
  ISOIR101: 'iso-8859-2',
  ISOIR109: 'iso-8859-3',
  ISOIR110: 'iso-8859-4',
  ISOIR144: 'iso-8859-5',
  ISOIR127: 'iso-8859-6',
  ISOIR126: 'iso-8859-7',
  ISOIR138: 'iso-8859-8',
  ISOIR148: 'iso-8859-9',
  ISOIR166: 'iso-8859-11',
  GB18030: 'gb18030',
  GB180302000: 'gb18030',
  GBK: 'gbk',
  GB2312: 'gb2312',
  KSX1001: 'euc-kr',
  ISOIR149: 'euc-kr',
  EUCKR: 'euc-kr',
  BIG5: 'big5',
  CNS116431992: 'big5',
  SHIFTJIS: 'shift_jis',
  SJIS: 'shift_jis',
  EUCJP: 'euc-jp',
  ISOIR13: 'iso-2022:roman',
  ISOIR14: 'iso-2022:roman',
  ISOIR87: 'iso-2022',
  ISOIR159: 'iso-2022',
  ISOIR58: 'iso-2022',
  JISX0202: 'iso-2022',
  JAS2020: 'iso-2022',
  ISO2022JP: 'iso-2022',
}

/** Canonical name of one charset name, or undefined. */
function canonical(name: string): string | undefined {
  const key = name
    .toUpperCase()
    .replaceAll(/[\s_./-]/g, '')
    .replace(/^ISO2022IR/, 'ISOIR')
  const known = Object.hasOwn(aliases, key) ? aliases[key] : undefined
  if (known !== undefined) return known
  const part = /^(?:ISO)?8859(1[0-6]|[1-9])$/.exec(key)
  if (part !== null) return part[1] === '12' ? undefined : `iso-8859-${part[1]}`
  const windows = /^(?:WINDOWS|CP|ANSI)(125[0-8])$/.exec(key)
  return windows === null ? undefined : `windows-${windows[1]}`
}

/**
 * The charset that all repetitions of MSH-18 mean together. More than one is
 * code extension (ISO 2022): the first is the set to start with, `''` for ASCII.
 */
export function charsetOf(repetitions: readonly string[]): string | undefined {
  const names = repetitions.map((name) => (name.trim() === '' ? 'ascii' : canonical(name)))
  const first = names[0]
  if (first === undefined || names.includes(undefined)) return undefined
  if (names.length === 1) return first
  // Nothing but one-byte or Unicode sets after a set that needs no extension: the sender lists what it knows.
  if (first === 'utf-8' || first === 'gb18030') return first
  if (first.startsWith('iso-2022')) return first
  return first === 'ascii' ? 'iso-2022' : `iso-2022:${first}`
}

export function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte > 0x7f || byte === 0x1b) return false
  }
  return true
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text of bytes; undefined when they are not valid in this charset. Nothing is ever replaced by U+FFFD. */
export function decode(bytes: Uint8Array, charset: string): string | undefined {
  if (charset === 'utf-8') {
    try {
      return utf8.decode(bytes)
    } catch {
      return undefined
    }
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (charset === 'ascii') return isAscii(bytes) ? buffer.toString('latin1') : undefined
  if (charset === 'iso-8859-1') return buffer.toString('latin1')
  if (charset.startsWith('iso-2022')) return decodeIso2022(bytes, extension(charset))
  const text = iconv.decode(buffer, charset)
  return text.includes('\uFFFD') ? undefined : text
}

/** Bytes of text; undefined when a character does not exist in this charset. */
export function encode(text: string, charset: string): Uint8Array | undefined {
  if (charset === 'utf-8') return Buffer.from(text.toWellFormed(), 'utf8')
  if (/^[\x00-\x7f]*$/.test(text)) return Buffer.from(text, 'latin1')
  if (charset === 'ascii') return undefined
  if (charset.startsWith('iso-2022')) return encodeIso2022(text, extension(charset))
  const bytes = iconv.encode(text, charset)
  return decode(bytes, charset) === text ? bytes : undefined
}

/** How MSH-18 names a charset in what we write ourselves. */
export function declaration(charset: string): string {
  if (charset === 'utf-8') return 'UNICODE UTF-8'
  if (charset === 'ascii') return 'ASCII'
  if (charset.startsWith('iso-2022')) return 'ISO IR6~ISO IR87'
  const part = /^iso-8859-(\d+)$/.exec(charset)
  if (part !== null) return `8859/${part[1]}`
  return charset === 'gb18030' ? 'GB 18030-2000' : charset === 'euc-kr' ? 'KS X 1001' : charset.toUpperCase()
}

function extension(charset: string): { roman: boolean; g1: string } {
  const g1 = charset.split(':')[1] ?? ''
  return g1 === 'roman' ? { roman: true, g1: 'katakana' } : { roman: false, g1 }
}
