import { expect, test } from 'vitest'
import { charsets } from '../../src/config/charsets.ts'
import { charsetOf, decode, encode, parse, pathOf, textAt } from '../../src/hl7/index.ts'
import { order } from '../support/message.ts'

/** JIS X 0208 escape sequences as MESA's messages use them: in, kanji, out. */
const ESC = '\x1b'
const kanjiIn = `${ESC}$B`
const ascii = `${ESC}(B`

function bytesOf(declared: string, name: Uint8Array): Uint8Array {
  const [before, after] = order({ charset: declared, name: '@@' }).split('@@')
  return Buffer.concat([Buffer.from(before ?? ''), name, Buffer.from(after ?? '')])
}

function nameOf(bytes: Uint8Array, component = 1): string {
  const parsed = parse(bytes)
  return parsed.kind === 'message' ? textAt(parsed.message, pathOf(`PID-5.${component}`)) : parsed.fault.code
}

const names = [
  { declared: '8859/1', encoding: 'iso-8859-1', name: 'Müller' },
  { declared: 'ISO8859-1', encoding: 'iso-8859-1', name: 'Müller' },
  { declared: '8859/2', encoding: 'iso-8859-2', name: 'Dvořák' },
  { declared: '8859/5', encoding: 'iso-8859-5', name: 'Люкceмбypг' },
  { declared: '8859/7', encoding: 'iso-8859-7', name: 'Διονυσιος' },
  { declared: '8859/15', encoding: 'iso-8859-15', name: 'Œuvre€' },
  { declared: 'UNICODE UTF-8', encoding: 'utf-8', name: 'Müller Dvořák 山田' },
  { declared: 'UTF-8', encoding: 'utf-8', name: 'Müller' },
  { declared: 'utf8', encoding: 'utf-8', name: 'Müller' },
  { declared: 'UNICODE', encoding: 'utf-8', name: 'Müller' },
  { declared: '', encoding: 'utf-8', name: 'Müller' },
  { declared: 'CP1252', encoding: 'windows-1252', name: 'Müller–Œ' },
  { declared: 'GB 18030-2000', encoding: 'gb18030', name: '王小东' },
  { declared: 'KS X 1001', encoding: 'euc-kr', name: '김희중' },
  { declared: 'BIG-5', encoding: 'big5', name: '王小東' },
  { declared: 'ISO IR87', encoding: 'iso-2022', name: '山田' },
  { declared: 'ISO IR6~ISO IR87', encoding: 'iso-2022', name: '大宮太郎' },
  { declared: '~ISO IR87', encoding: 'iso-2022', name: '大宮太郎' },
  { declared: '~ISO IR87~ISO IR159', encoding: 'iso-2022', name: '丂山' },
  { declared: 'ISO IR14~ISO IR87', encoding: 'iso-2022:roman', name: 'ﾔﾏﾀﾞ山田' },
  { declared: '8859/1~ISO IR87', encoding: 'iso-2022:iso-8859-1', name: 'Jörg山田' },
  { declared: 'ISO 2022 IR 87', encoding: 'iso-2022', name: '山田' },
]
test.each(names)('a name in $declared is what it was: $name', ({ declared, encoding, name }) => {
  const bytes = encode(name, encoding)
  expect(bytes).toBeDefined()
  expect(nameOf(bytesOf(declared, bytes ?? new Uint8Array(0)))).toBe(name)
})

test('a kanji whose second byte is a delimiter is decoded before anything is split', () => {
  // 宮 is 0x35 0x5C, `5\`; 絞 is 0x39 0x4A; 僮 is 0x50 0x7C, `P|`; 儉 is 0x50 0x5E would end a component: `P^`.
  const text = `${kanjiIn}Bg5\\${ascii}^${kanjiIn}P|P^P~P&${ascii}`
  const name = Buffer.from(text, 'latin1')
  const bytes = bytesOf('ISO IR6~ISO IR87', name)
  expect(nameOf(bytes, 1)).toBe('大宮')
  expect(nameOf(bytes, 2)).toHaveLength(4)
  expect(nameOf(bytes, 3)).toBe('')
})

test('the three groups of a Japanese name are three repetitions', () => {
  const kanji = `${kanjiIn}Bg5\\${ascii}`
  const bytes = bytesOf('ISO IR6~ISO IR87', Buffer.from(`Omiya^Taro~${kanji}^${kanjiIn}B@O:${ascii}`, 'latin1'))
  const parsed = parse(bytes)
  const message = parsed.kind === 'message' ? parsed.message : undefined
  expect(message && textAt(message, pathOf('PID-5(2).1'))).toBe('大宮')
  expect(message && textAt(message, pathOf('PID-5(2).2'))).toBe('太郎')
})

test('an escape sequence that is left open ends with its segment', () => {
  const bytes = bytesOf('~ISO IR87', Buffer.from(`${kanjiIn}Bg5\\`, 'latin1'))
  // The rest of PID is read as kanji and is broken, or reads wrong: never the segments behind it.
  const parsed = parse(bytes)
  if (parsed.kind === 'message') expect(textAt(parsed.message, pathOf('OBR-18'))).toBe('ACC0001')
  else expect(parsed.fault.code).toBe('E102')
})

const broken = [
  { what: 'ISO 8859-1 bytes in UTF-8', declared: 'UNICODE UTF-8', bytes: Buffer.from('M\xfcller', 'latin1') },
  { what: 'ISO 8859-1 bytes without MSH-18', declared: '', bytes: Buffer.from('M\xfcller', 'latin1') },
  { what: 'a UTF-8 character cut short', declared: 'UTF-8', bytes: Buffer.from([0x4d, 0xc3]) },
  { what: 'an overlong UTF-8 sequence', declared: 'UTF-8', bytes: Buffer.from([0xc0, 0xaf]) },
  { what: 'bytes above 127 in ASCII', declared: 'ASCII', bytes: Buffer.from([0xe4]) },
  { what: 'half a kanji', declared: '~ISO IR87', bytes: Buffer.from(`${kanjiIn}Bg5${ascii}`, 'latin1') },
  { what: 'an unknown escape sequence', declared: '~ISO IR87', bytes: Buffer.from(`${ESC}%Gx`, 'latin1') },
  { what: 'high bytes where there is no set for them', declared: '~ISO IR87', bytes: Buffer.from([0xe4]) },
  { what: 'a byte that 8859/7 does not have', declared: '8859/7', bytes: Buffer.from([0xff]) },
  { what: 'half a GB 18030 character', declared: 'GB 18030-2000', bytes: Buffer.from([0x81, 0x20]) },
]
test.each(broken)('a name is never guessed: $what makes the message unreadable', ({ declared, bytes }) => {
  const parsed = parse(bytesOf(declared, bytes))
  expect(parsed).toMatchObject({ kind: 'unreadable', fault: { code: 'E102', hl7Code: 102 } })
  // The sender can be answered.
  expect(parsed.kind === 'unreadable' && parsed.header?.segments[0]?.field(3)).toBe('RIS')
})

test('a charset that nobody knows is a fault when it matters, a warning when every byte is ASCII', () => {
  expect(parse(bytesOf('KLINGON', Buffer.from('Doe')))).toMatchObject({
    kind: 'message',
    message: { warnings: [{ code: 'E103', place: { segment: 'MSH', field: 18 } }] },
  })
  expect(parse(bytesOf('KLINGON', Buffer.from('Dö')))).toMatchObject({
    kind: 'unreadable',
    fault: { code: 'E103', hl7Code: 103, params: { charset: 'KLINGON' } },
  })
})

test('the default charset of the source is for messages without MSH-18 only', () => {
  const latin = Buffer.from('M\xfcller', 'latin1')
  const text = (bytes: Uint8Array) => {
    const parsed = parse(bytes, { defaultCharset: '8859/1' })
    return parsed.kind === 'message' ? textAt(parsed.message, pathOf('PID-5.1')) : parsed.fault.code
  }
  expect(text(bytesOf('', latin))).toBe('Müller')
  expect(text(bytesOf('UNICODE UTF-8', latin))).toBe('E102')
})

test('bytes that MSH-18 cannot mean are warned of', () => {
  expect(parse(bytesOf('8859/1', Buffer.from('Müller')))).toMatchObject({
    message: { charset: 'utf-8', warnings: [{ code: 'E111' }] },
  })
  for (const charset of ['8859/1', '8859/15', '8859/5', '8859/7', 'CP1252', 'WINDOWS-1251']) {
    expect(nameOf(bytesOf(charset, Buffer.from('Müller Ζ Иван')))).toBe('Müller Ζ Иван')
  }
  // A Thai word whose bytes are UTF-8 by chance.
  expect(nameOf(bytesOf('8859/11', Buffer.from([0xc2, 0xa1])))).toBe('ยก')
  expect(nameOf(bytesOf('8859/1', Buffer.from('M\xfcller', 'latin1')))).toBe('Müller')
  expect(parse(bytesOf('8859/1', Buffer.from([0x4d, 0x96])))).toMatchObject({
    message: { charset: 'windows-1252', warnings: [{ code: 'E112' }] },
  })
  expect(nameOf(bytesOf('8859/1', Buffer.from([0x4d, 0x96])))).toBe('M–')
})

/** HL7 table 0211, the names of DICOM, and how senders really write them. */
const spellings: Readonly<Record<string, readonly string[]>> = {
  ascii: ['ASCII', '', 'US-ASCII', 'ISO IR6', 'ISO_IR 6', 'ISO 646'],
  'iso-8859-1': [
    '8859/1',
    '8859-1',
    '88591',
    'ISO 8859-1',
    'ISO-8859-1',
    'iso8859-1',
    'ISO8859/1',
    'ISO_IR 100',
    'ISO IR100',
    'LATIN1',
    'Latin-1',
    'ISO/IEC 8859-1',
    'ISO_8859-1:1987',
  ],
  'iso-8859-2': ['8859/2', 'ISO-8859-2', 'ISO_IR 101', 'LATIN2'],
  'iso-8859-3': ['8859/3', 'ISO_IR 109'],
  'iso-8859-4': ['8859/4', 'ISO_IR 110'],
  'iso-8859-5': ['8859/5', 'ISO_IR 144'],
  'iso-8859-6': ['8859/6', 'ISO_IR 127'],
  'iso-8859-7': ['8859/7', 'ISO_IR 126'],
  'iso-8859-8': ['8859/8', 'ISO_IR 138'],
  'iso-8859-9': ['8859/9', 'ISO_IR 148'],
  'iso-8859-11': ['8859/11', 'TIS-620', 'TIS620', 'ISO_IR 166'],
  'iso-8859-15': ['8859/15', 'ISO-8859-15', 'ISO_IR 203', 'LATIN9'],
  'utf-8': [
    'UNICODE UTF-8',
    'unicode utf-8',
    'UTF-8',
    'utf8',
    'UTF_8',
    'UNICODE',
    'UNICODE(UTF-8)',
    'UNICODE UTF8',
    'ISO_IR 192',
    'ISO IR192',
    'ISO 10646',
    'UNICODE UTF-16',
    'UNICODE UTF-32',
  ],
  'windows-1252': ['WINDOWS-1252', 'windows-1252', 'CP1252', 'cp-1252', 'Windows1252', 'WIN1252', 'ANSI 1252'],
  'windows-1251': ['WINDOWS-1251', 'CP1251'],
  gb18030: ['GB 18030-2000', 'GB18030', 'GB18030-2022'],
  gbk: ['GBK', 'CP936'],
  gb2312: ['GB2312', 'GB 2312-80'],
  'iso-2022:gb2312': ['ISO IR58', 'ISO 2022 IR 58'],
  'iso-2022:euc-kr': ['KS X 1001', 'KSX1001', 'KS C 5601', 'EUC-KR', 'ISO IR149', 'ISO 2022 IR 149'],
  big5: ['BIG-5', 'Big5', 'CP950'],
  'euc-tw': ['CNS 11643-1992', 'CNS11643', 'EUC-TW'],
  shift_jis: ['Shift_JIS', 'SJIS', 'CP932', 'Windows-31J'],
  'euc-jp': ['EUC-JP'],
  'iso-2022:roman': ['ISO IR14', 'ISO_IR 13', 'JIS X 0201'],
  'iso-2022': ['ISO IR87', 'ISO IR159', 'ISO 2022 IR 87', 'JIS X 0202', 'JAS2020', 'ISO-2022-JP'],
}
test.each(Object.entries(spellings))('%s is known however it is spelt', (charset, names) => {
  for (const name of names) expect([name, charsetOf([name])]).toEqual([name, charset])
})

const repetitions = [
  { declared: 'ISO IR6~ISO IR87', charset: 'iso-2022' },
  { declared: '~ISO IR87~ISO IR159', charset: 'iso-2022' },
  { declared: 'ISO IR14~ISO IR87', charset: 'iso-2022:roman' },
  { declared: '8859/1~ISO IR87', charset: 'iso-2022:iso-8859-1' },
  { declared: '~8859/1', charset: 'iso-2022:iso-8859-1' },
  { declared: 'ASCII~8859/7~8859/5', charset: 'iso-2022:iso-8859-7' },
  { declared: 'ISO 2022 IR 6~ISO 2022 IR 149', charset: 'iso-2022:euc-kr' },
  { declared: 'ASCII~UNICODE UTF-8', charset: 'utf-8' },
  { declared: 'UNICODE UTF-8~ISO IR87', charset: 'utf-8' },
  { declared: 'GB 18030-2000~ASCII', charset: 'gb18030' },
  { declared: 'ASCII~ASCII', charset: 'ascii' },
  { declared: '8859/1~KLINGON', charset: undefined },
]
test.each(repetitions)('the repetitions $declared mean $charset together', ({ declared, charset }) => {
  expect(charsetOf(declared.split('~'))).toBe(charset)
})

test('what is no charset is none', () => {
  for (const name of ['CN', 'EN', 'KLINGON', 'constructor', '8859', '8859/12', 'ANSI', 'LATIN']) {
    expect([name, charsetOf([name])]).toEqual([name, name === '8859' ? 'iso-8859-1' : undefined])
  }
})

test('what a charset does not have is not written', () => {
  expect(encode('山田', 'iso-8859-1')).toBeUndefined()
  expect(encode('é', 'ascii')).toBeUndefined()
  expect(encode('😀', 'iso-2022')).toBeUndefined()
})

test('what ISO 2022 JP can write it can read', () => {
  const text = 'Yamada^Tarou~山田^太郎~ﾔﾏﾀﾞ^ﾀﾛｳ|plain\r'
  const bytes = encode(text, 'iso-2022')
  expect(bytes && decode(bytes, 'iso-2022')).toBe(text)
})

test.each(charsets)('a source may say that messages without MSH-18 are in %s', (name) => {
  const charset = charsetOf([name])
  expect(charset).toBeDefined()
  expect(charset && decode(encode('Doe', charset) ?? new Uint8Array(0), charset)).toBe('Doe')
})
