/**
 * What MSH-18 means (HL7 2.5.1 table 0211) and how senders really write it. A
 * charset is known by one canonical name: iconv-lite's; `euc-tw`; or `iso-2022` with
 * the set of its high bytes, `iso-2022:iso-8859-1`, for text that changes its set by
 * escape sequences.
 */
const aliases: Readonly<Record<string, string>> = {
  ASCII: 'ascii',
  USASCII: 'ascii',
  ISO646: 'ascii',
  ISO646US: 'ascii',
  ISOIR6: 'ascii',
  UNICODE: 'utf-8',
  ISO10646: 'utf-8',
  ISO106461: 'utf-8',
  ISOIR192: 'utf-8',
  // Whose header could be read byte for byte is neither, whatever it says.
  UCS2: 'utf-8',
  ISO8859: 'iso-8859-1',
  '8859': 'iso-8859-1',
  LATIN1: 'iso-8859-1',
  LATIN2: 'iso-8859-2',
  LATIN5: 'iso-8859-9',
  LATIN9: 'iso-8859-15',
  ISOIR100: 'iso-8859-1',
  ISOIR101: 'iso-8859-2',
  ISOIR109: 'iso-8859-3',
  ISOIR110: 'iso-8859-4',
  ISOIR144: 'iso-8859-5',
  ISOIR127: 'iso-8859-6',
  ISOIR126: 'iso-8859-7',
  ISOIR138: 'iso-8859-8',
  ISOIR148: 'iso-8859-9',
  ISOIR157: 'iso-8859-10',
  ISOIR166: 'iso-8859-11',
  ISOIR179: 'iso-8859-13',
  ISOIR199: 'iso-8859-14',
  ISOIR203: 'iso-8859-15',
  ISOIR226: 'iso-8859-16',
  TIS620: 'iso-8859-11',
  TIS6202533: 'iso-8859-11',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  GBK: 'gbk',
  CP936: 'gbk',
  MS936: 'gbk',
  GB2312: 'gb2312',
  GB231280: 'gb2312',
  EUCCN: 'gb2312',
  ISOIR58: 'iso-2022:gb2312',
  ISO2022CN: 'iso-2022:gb2312',
  KSX1001: 'iso-2022:euc-kr',
  KSC5601: 'iso-2022:euc-kr',
  KSC56011987: 'iso-2022:euc-kr',
  ISOIR149: 'iso-2022:euc-kr',
  ISO2022KR: 'iso-2022:euc-kr',
  EUCKR: 'iso-2022:euc-kr',
  CP949: 'euc-kr',
  MS949: 'euc-kr',
  UHC: 'euc-kr',
  BIG5: 'big5',
  CP950: 'big5',
  MS950: 'big5',
  BIG5HKSCS: 'big5',
  CNS11643: 'euc-tw',
  CNS116431986: 'euc-tw',
  CNS116431992: 'euc-tw',
  EUCTW: 'euc-tw',
  SHIFTJIS: 'shift_jis',
  SJIS: 'shift_jis',
  MSKANJI: 'shift_jis',
  CP932: 'shift_jis',
  MS932: 'shift_jis',
  WINDOWS31J: 'shift_jis',
  EUCJP: 'euc-jp',
  ISOIR13: 'iso-2022:roman',
  ISOIR14: 'iso-2022:roman',
  JISX0201: 'iso-2022:roman',
  JISX02011976: 'iso-2022:roman',
  ISOIR87: 'iso-2022',
  ISOIR159: 'iso-2022',
  JISX0202: 'iso-2022',
  JISX0208: 'iso-2022',
  JISX02081990: 'iso-2022',
  JISX0212: 'iso-2022',
  JISX02121990: 'iso-2022',
  JAS2020: 'iso-2022',
  ISO2022: 'iso-2022',
  ISO2022JP: 'iso-2022',
  ISO2022JP1: 'iso-2022',
  ISO2022JP2: 'iso-2022',
}

/** A sender says the same in every message; one that says something else each time fills no memory. */
const asked = new Map<string, string | undefined>()

/** Canonical name of one charset name, or undefined. */
function canonical(name: string): string | undefined {
  const known = asked.get(name)
  if (known !== undefined || asked.has(name)) return known
  const found = lookUp(name)
  if (name.length > 40) return found
  if (asked.size === 100) asked.clear()
  asked.set(name, found)
  return found
}

function lookUp(name: string): string | undefined {
  const key = name
    .toUpperCase()
    .replaceAll(/[\s_.:/()[\]-]/g, '')
    .replace(/^ISO2022IR/, 'ISOIR')
    .replace(/^ISOIEC/, 'ISO')
  const known = Object.hasOwn(aliases, key) ? aliases[key] : undefined
  if (known !== undefined) return known
  if (/^(?:UNICODE)?(?:UTF(?:8|16|16LE|16BE|32)|UTF8BOM|UTF8UNICODE)$/.test(key)) return 'utf-8'
  if (/^GB18030(?:20\d\d)?$/.test(key)) return 'gb18030'
  const part = /^(?:ISO)?8859(1[0-6]|[1-9])(?:19\d\d|20\d\d)?$/.exec(key)
  if (part !== null) return part[1] === '12' ? undefined : `iso-8859-${part[1]}`
  const windows = /^(?:WINDOWS|WIN|MS|CP|ANSI)(874|125[0-8])$/.exec(key)
  if (windows !== null) return `windows-${windows[1]}`
  const dos = /^(?:CP|IBM|DOS)(437|850|852|855|857|858|862|864|866)$/.exec(key)
  return dos === null ? undefined : `cp${dos[1]}`
}

/** Sets of two and more bytes whose second byte may be one of ASCII: they cannot be the high half of ISO 2022. */
const closed = new Set(['utf-8', 'gb18030', 'gbk', 'big5', 'shift_jis', 'euc-tw'])

/**
 * The charset that all repetitions of MSH-18 mean together. More than one is
 * code extension (ISO 2022): the first is the set to start with, `''` for ASCII.
 * Undefined when one of them is not known.
 */
export function charsetOf(repetitions: readonly string[]): string | undefined {
  const names = repetitions.map((name) => (name.trim() === '' ? 'ascii' : canonical(name)))
  const first = names[0]
  if (first === undefined || names.includes(undefined)) return undefined
  if (names.length === 1) return first
  if (closed.has(first) || first.startsWith('iso-2022:')) return first
  // The high bytes are those of the first set that has any, until an escape sequence says otherwise.
  const high = names.map((name = '') => name.replace(/^iso-2022:?/, '')).find((name) => isHigh(name))
  if (names.every((name) => name === 'ascii')) return 'ascii'
  // `ASCII~UNICODE UTF-8`: nothing that ISO 2022 could switch to.
  const whole = names.find((name) => name !== undefined && closed.has(name))
  if (whole !== undefined && names.every((name) => name === 'ascii' || name === whole)) return whole
  return high === undefined ? 'iso-2022' : `iso-2022:${high}`
}

function isHigh(name: string): boolean {
  return name !== '' && name !== 'ascii' && !closed.has(name)
}

/** How MSH-18 names a charset in what we write ourselves. */
export function declaration(charset: string): string {
  const part = /^(?:iso-2022:)?iso-8859-(\d+)$/.exec(charset)
  if (part !== null) return charset.startsWith('iso-2022') ? `8859/${part[1]}~ISO IR87` : `8859/${part[1]}`
  const name = Object.hasOwn(declarations, charset) ? declarations[charset] : undefined
  return name ?? (charset.startsWith('iso-2022') ? 'ISO IR6~ISO IR87' : charset.toUpperCase())
}

const declarations: Readonly<Record<string, string>> = {
  'utf-8': 'UNICODE UTF-8',
  ascii: 'ASCII',
  gb18030: 'GB 18030-2000',
  'euc-kr': 'KS X 1001',
  'iso-2022:euc-kr': 'KS X 1001',
  'iso-2022:gb2312': 'ISO IR6~ISO IR58',
  'iso-2022:roman': 'ISO IR14~ISO IR87',
  big5: 'BIG-5',
  'euc-tw': 'CNS 11643-1992',
}
