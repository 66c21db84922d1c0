import { expect, test } from 'vitest'
import { decode, encode, parse, pathOf, textAt, type ReadOptions } from '../../src/hl7/index.ts'

/** A message whose header says `declared` and whose PID-5 is `name`, in the charset `really`. */
function bytesOf(declared: string, name: string, really: string, header: Record<number, string> = {}): Uint8Array {
  const fields = Array.from({ length: 17 }, (_, i) => header[i + 3] ?? '')
  fields[15] = declared
  const bytes = encode(`PID|1||4711||${name}\r`, really)
  if (bytes === undefined) throw new Error(`${name} is not in ${really}`)
  return Buffer.concat([Buffer.from(`MSH|^~\\&|${fields.join('|')}\r`), bytes])
}

function nameIn(bytes: Uint8Array, options: ReadOptions = {}) {
  const parsed = parse(bytes, options)
  return parsed.kind === 'message'
    ? { name: textAt(parsed.message, pathOf('PID-5.1')), codes: parsed.message.warnings.map(({ code }) => code) }
    : { name: undefined, codes: [parsed.fault.code] }
}

const lies = [
  { declared: '8859/1', really: 'utf-8', name: 'Müller', code: 'E111' },
  { declared: '8859/1', really: 'utf-8', name: 'Ann–Marie', code: 'E111' },
  { declared: '8859/2', really: 'utf-8', name: 'Růžek', code: 'E111' },
  { declared: '8859/15', really: 'utf-8', name: 'Œuvre', code: 'E111' },
  { declared: '8859/5', really: 'utf-8', name: 'Юлия', code: 'E111' },
  { declared: '8859/7', really: 'utf-8', name: 'Ξένη', code: 'E111' },
  { declared: '8859/9', really: 'utf-8', name: 'Gülşen', code: 'E111' },
  { declared: 'CP1252', really: 'utf-8', name: 'Müller’s', code: 'E111' },
  { declared: 'WINDOWS-1251', really: 'utf-8', name: 'Иван', code: 'E111' },
  { declared: '8859/7', really: 'utf-8', name: 'Müller Ζ Иван', code: 'E111' },
  { declared: 'ASCII', really: 'utf-8', name: 'Müller', code: 'E111' },
  { declared: 'TIS-620', really: 'utf-8', name: 'สมชาย', code: 'E111' },
  { declared: 'GB 18030-2000', really: 'utf-8', name: '李小东', code: 'E111' },
  { declared: 'GB2312', really: 'utf-8', name: '李^四', code: 'E111' },
  { declared: 'BIG-5', really: 'utf-8', name: '王小明', code: 'E111' },
  { declared: 'KS X 1001', really: 'utf-8', name: '김희중', code: 'E111' },
  { declared: 'SHIFT_JIS', really: 'utf-8', name: '山田', code: 'E111' },
  { declared: 'ISO IR6~ISO IR87', really: 'utf-8', name: '山田', code: 'E111' },
  { declared: '8859/1', really: 'windows-1252', name: 'Ann–Marie', code: 'E112' },
  { declared: '8859/9', really: 'windows-1254', name: 'Ann–Gül', code: 'E112' },
  { declared: 'TIS-620', really: 'windows-874', name: '“ก”', code: 'E112' },
  { declared: 'EUC-KR', really: 'euc-kr', name: '똠', code: 'E112' },
  { declared: 'CNS 11643-1992', really: 'big5', name: '王功小明', code: 'E112' },
  { declared: '', really: 'iso-2022', name: '大宮', code: 'E112' },
  { declared: 'ASCII', really: 'iso-2022', name: '大宮', code: 'E112' },
  { declared: '8859/1', really: 'iso-2022', name: '大宮', code: 'E112' },
]
test.each(lies)('the header says $declared, the bytes are $really: $name is read, with a warning', (row) => {
  const bytes = bytesOf(row.declared, row.name, row.really)
  expect(nameIn(bytes)).toEqual({ name: row.name.split('^')[0], codes: [row.code] })
  // Whoever trusts the header gets what it says, or nothing.
  const trusting = nameIn(bytes, { charset: 'trust' })
  expect(trusting.name).not.toBe(row.name)
  if (trusting.name === undefined) expect(trusting.codes).toEqual(['E102'])
})

const honest = [
  // As UTF-8 these are one letter that the sender's set does not have: RٮEK, M칻an, PӣTORAK, ν.
  { declared: '8859/2', really: 'iso-8859-2', name: 'RŮŽEK' },
  { declared: '8859/2', really: 'iso-8859-2', name: 'Měšťan' },
  { declared: '8859/2', really: 'iso-8859-2', name: 'PÓŁTORAK' },
  { declared: 'WINDOWS-1250', really: 'windows-1250', name: 'PÓŁTORAK' },
  { declared: '8859/5', really: 'iso-8859-5', name: 'ЮН' },
  { declared: 'TIS-620', really: 'iso-8859-11', name: 'เนต' },
  { declared: 'GBK', really: 'gbk', name: '小一' },
]
test.each(honest)('a header that is right is not doubted away: $name in $declared', ({ declared, really, name }) => {
  const bytes = bytesOf(declared, name, really)
  expect(decode(bytes, 'utf-8')).toBeDefined()
  expect(nameIn(bytes)).toEqual({ name, codes: ['E116'] })
})

const latin = (declared: string) => bytesOf(declared, 'Müller', 'iso-8859-1')

test.each(['UNICODE UTF-8', 'UTF-8', ''])(
  'bytes that are not UTF-8 say nothing of what they are: MSH-18 "%s" makes the message unreadable, with its place',
  (declared) => {
    for (const charset of ['trust', 'detect'] as const) {
      const parsed = parse(latin(declared), { charset })
      expect(parsed).toMatchObject({
        kind: 'unreadable',
        fault: { code: 'E102', hl7Code: 102, place: { segment: 'PID', occurrence: 1, field: 5 } },
      })
    }
  },
)

test('without MSH-18 the source says what its sender means, with ASCII in MSH-18 too', () => {
  const defaultCharset = '8859/1'
  expect(nameIn(latin(''), { defaultCharset })).toEqual({ name: 'Müller', codes: [] })
  expect(nameIn(latin('ASCII'), { defaultCharset })).toEqual({ name: 'Müller', codes: ['E112'] })
  expect(nameIn(latin('ASCII'))).toEqual({ name: undefined, codes: ['E102'] })
  expect(nameIn(latin('ASCII'), { defaultCharset, charset: 'trust' }).codes).toEqual(['E102'])
  // Whoever names UTF-8 is believed to mean it: a sender of two charsets is nobody's guess.
  expect(nameIn(latin('UNICODE UTF-8'), { defaultCharset }).codes).toEqual(['E102'])
})

test('a country or a language in MSH-18 is no charset: the default of the source holds, with a warning', () => {
  for (const declared of ['CN', 'DEU', 'en', 'de-DE', 'pt_BR']) {
    expect(nameIn(bytesOf(declared, '王小', 'utf-8'))).toEqual({ name: '王小', codes: ['E103'] })
    expect(nameIn(latin(declared), { defaultCharset: '8859/1' })).toEqual({ name: 'Müller', codes: ['E103'] })
    expect(nameIn(latin(declared)).codes).toEqual(['E102'])
    expect(nameIn(latin(declared), { defaultCharset: '8859/1', charset: 'trust' }).codes).toEqual(['E103'])
  }
})

test('a charset that stands in MSH-17 or MSH-19 is taken from there', () => {
  for (const field of [17, 19]) {
    const bytes = bytesOf('', 'Müller', 'iso-8859-1', { [field]: '8859/1' })
    expect(nameIn(bytes)).toEqual({ name: 'Müller', codes: ['E117'] })
    expect(nameIn(bytes, { charset: 'trust' }).codes).toEqual(['E102'])
  }
  expect(nameIn(bytesOf('', 'Doe', 'ascii', { 17: '8859/1' })).codes).toEqual([])
})

test('where bytes cannot be read the segment is named, and the field where a separator is sure', () => {
  const place = (declared: string, ...lines: readonly string[]) => {
    const parsed = parse(Buffer.from([`MSH|^~\\&${'|'.repeat(16)}${declared}`, ...lines].join('\r'), 'latin1'))
    return parsed.kind === 'unreadable' ? parsed.fault.place : 'read'
  }
  expect(place('UTF-8', 'PID|1', 'OBX|1', 'OBX|2||x|\xfc^y|z')).toEqual({ segment: 'OBX', occurrence: 2, field: 4 })
  expect(place('8859/7', 'PID|1|\xff')).toEqual({ segment: 'PID', occurrence: 1, field: 2 })
  expect(place('~ISO IR87', 'PID|1|\x1b$BBg5\x1b(B')).toEqual({ segment: 'PID', occurrence: 1 })
  expect(place('GBK', 'PID|1|\x81 ')).toEqual({ segment: 'PID', occurrence: 1 })
  // What stands where a segment's name should be may be a person's.
  expect(place('UTF-8', 'M\xfcller|1')).toBeUndefined()
})

test('UTF-16 is named as what it is', () => {
  const text = 'MSH|^~\\&|A\rPID|1\r'
  for (const bytes of [Buffer.from(`\uFEFF${text}`, 'utf16le'), Buffer.from(text, 'utf16le')]) {
    expect(parse(bytes)).toMatchObject({ kind: 'unreadable', fault: { code: 'E109' } })
    expect(parse(Buffer.from(bytes).swap16())).toMatchObject({ kind: 'unreadable', fault: { code: 'E109' } })
  }
})
