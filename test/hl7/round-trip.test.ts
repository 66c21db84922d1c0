import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bytesAsSent,
  decode,
  encode,
  escape,
  parse,
  parseText,
  pathOf,
  scopeText,
  select,
  textAsSent,
  unescape,
  type Delimiters,
  type Message,
} from '../../src/hl7/index.ts'

/** Every sign that MSH-1 and MSH-2 may hold. */
const signs = Array.from('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')

const delimiters: fc.Arbitrary<Delimiters> = fc.oneof(
  fc.constant({ field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' }),
  fc
    .shuffledSubarray(signs, { minLength: 6, maxLength: 6 })
    .chain(([field = '', component = '', repetition = '', sign = '', subcomponent = '', truncation = '']) =>
      fc.constantFrom(
        { field, component, repetition, escape: sign, subcomponent },
        { field, component, repetition, escape: sign, subcomponent, truncation },
      ),
    ),
)

/** MSH-18, the canonical name, and letters that only such a charset has. */
const charsets = [
  { declared: 'ASCII', canonical: 'ascii', letters: '' },
  { declared: '', canonical: 'utf-8', letters: 'ü山ก😀\u{10FFFF}\uFFFD\u2028\u0085' },
  { declared: 'UNICODE UTF-8', canonical: 'utf-8', letters: 'ü山ก😀\u{10FFFF}\uFFFD\u2028\u0085' },
  { declared: '8859/1', canonical: 'iso-8859-1', letters: 'üÃ¼Âÿ\u00a0' },
  { declared: '8859/2', canonical: 'iso-8859-2', letters: 'ŮŽřÓŁ' },
  { declared: '8859/5', canonical: 'iso-8859-5', letters: 'ЮНчеЁ' },
  { declared: '8859/7', canonical: 'iso-8859-7', letters: 'ΞΈνή' },
  { declared: 'CP1252', canonical: 'windows-1252', letters: 'ü–Œ€' },
  { declared: 'TIS-620', canonical: 'iso-8859-11', letters: 'สมชย๛' },
  { declared: 'GB 18030-2000', canonical: 'gb18030', letters: '王丂乗㐀ñ' },
  { declared: 'BIG-5', canonical: 'big5', letters: '許功蓋育' },
  { declared: 'CNS 11643-1992', canonical: 'euc-tw', letters: '王蓋龘' },
  { declared: 'KS X 1001', canonical: 'iso-2022:euc-kr', letters: '김희중洪' },
  { declared: 'SHIFT_JIS', canonical: 'shift_jis', letters: '表ソポﾔﾏ' },
  { declared: '~ISO IR87', canonical: 'iso-2022', letters: '宮僮儉ﾔ山' },
]

const ends = fc.constantFrom('\r', '\r', '\r', '\n', '\r\n', '\r\r', '\r\n\r\n', '\r \t\r', '\n\r', '\n\n', '\r\0\0\r')
const leads = fc.constantFrom('', '', '\uFEFF', '\r\n', '\0\0', '\uFEFF\n')

/** A message of any separators and any charset: its text, its bytes, and what it was made with. */
const written = fc.tuple(delimiters, fc.constantFrom(...charsets), leads).chain(([signsOf, charset, lead]) => {
  const { field, component, repetition, escape: sign, subcomponent, truncation = '' } = signsOf
  const all = Object.values(signsOf) as string[]
  const unit = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...all) },
    { weight: 2, arbitrary: fc.constantFrom(...Array.from('aZ09 "'), '""', '\n', '\t', '\0', ...signs) },
    { weight: 2, arbitrary: fc.constantFrom('A', ...Array.from(charset.letters)) },
  )
  // The declaration may hold none of the separators: it would end there.
  const declared = all.some((each) => charset.declared.replaceAll('~', '').includes(each)) ? '' : charset.declared
  const canonical = declared === charset.declared ? charset.canonical : 'utf-8'
  const head = [
    `MSH${field}${component}${repetition}${sign}${subcomponent}${truncation}`,
    ...Array<string>(15).fill(''),
    declared.replaceAll('~', repetition),
  ].join(field)
  const segment = fc
    .tuple(fc.constantFrom('PID', 'pv1', 'ORC', 'Obx', 'ZZ9', '???', 'X', ''), fc.array(unit, { maxLength: 25 }), ends)
    .map(([name, content, end]) => name + (content.length === 0 ? '' : field) + content.join('') + end)
  return fc
    .tuple(ends, fc.array(segment, { maxLength: 6 }), fc.constantFrom('', '\0', 'NTE'))
    .map(([end, rest, last]) => {
      const text = head + end + rest.join('') + last
      return { lead, text, canonical, signsOf }
    })
})

function join(message: Message): void {
  const { field, component, repetition, subcomponent } = message.delimiters
  for (const segment of message.segments) {
    const isHeader = segment.name === 'MSH'
    const fields = Array.from({ length: segment.length }, (_, i) => segment.field(i + 1))
    const name = segment.raw.slice(0, segment.name.length)
    const rejoined = isHeader ? `${name}${fields[0]}${fields.slice(1).join(field)}` : [name, ...fields].join(field)
    expect(rejoined).toBe(segment.raw)
    if (!/^[A-Z][A-Z0-9]{2}$/.test(segment.name)) continue
    for (let number = isHeader ? 3 : 1; number <= segment.length; number++) {
      const scope = { ...message, segments: [segment] }
      const pieces = select(scope, pathOf(`${segment.name}-${number}`))
      expect(pieces.map(({ raw }) => raw).join(repetition)).toBe(segment.field(number))
      for (const piece of pieces) {
        const parts = piece.raw.split(component).map((_, i) => piece.part(i + 1))
        expect(parts.map(({ raw }) => raw).join(component)).toBe(piece.raw)
        for (const part of parts) {
          const leaves = part.raw.split(subcomponent).map((_, i) => part.part(i + 1))
          expect(leaves.map(({ raw }) => raw).join(subcomponent)).toBe(part.raw)
        }
      }
    }
  }
}

test('what was read is written back byte for byte, whatever its separators, its charset and its line ends', () => {
  let read = 0
  fc.assert(
    fc.property(written, ({ lead, text, canonical, signsOf }) => {
      const body = encode(text, canonical)
      if (body === undefined) return
      const bytes = Buffer.concat([Buffer.from(lead), body])
      const parsed = parse(bytes, { charset: 'trust' })
      if (parsed.kind === 'unreadable') throw new Error(JSON.stringify(parsed.fault))
      const { message } = parsed
      read += 1
      expect(message.delimiters).toEqual(signsOf)
      expect(Buffer.from(bytesAsSent(message))).toEqual(bytes)
      expect(textAsSent(message)).toBe(text)
      expect(decode(body, canonical)).toBe(text)
      join(message)
      // The normal form says the same, and is its own normal form.
      const normal = scopeText(message)
      const again = parseText(normal)
      expect(again && scopeText(again)).toBe(normal)
      const shape = (one: Message | undefined) => one?.segments.map(({ name, raw }) => name + raw.slice(name.length))
      expect(shape(again)).toEqual(shape(message))
    }),
    { numRuns: 1500 },
  )
  expect(read).toBeGreaterThan(1200)
})

test('bytes of any kind are read and written back as they were, or refused with a code and a place without patient data', () => {
  const declared = fc.constantFrom(
    ...charsets.map((each) => each.declared),
    'KLINGON',
    'CN',
    'ISO IR14~ISO IR87',
    'BIG5',
  )
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc
      .constantFrom('\x1b$B', '\x1b(B', '\x1b$)C', '\x0e', '\x0f', '\\M2442\\', '|', '^', '\r', '\n', 'ü', 'PID|')
      .map((text) => Buffer.from(text)),
  )
  let read = 0
  let refused = 0
  fc.assert(
    fc.property(
      declared,
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom('trust' as const, 'detect' as const),
      (name, pieces, charset) => {
        const bytes = Buffer.concat([Buffer.from(`MSH|^~\\&${'|'.repeat(16)}${name}\rPID|1||`), ...pieces])
        const parsed = parse(bytes, { charset })
        if (parsed.kind === 'message') {
          read += 1
          expect(Buffer.from(bytesAsSent(parsed.message))).toEqual(bytes)
          join(parsed.message)
          if (!bytes.includes('\uFFFD')) expect(textAsSent(parsed.message)).not.toContain('\uFFFD')
        } else {
          refused += 1
          expect(['E102', 'E103', 'E106']).toContain(parsed.fault.code)
          expect(parsed.fault.place?.segment ?? 'PID').toMatch(/^[A-Z][A-Z0-9]{2}$/)
        }
      },
    ),
    { numRuns: 1500 },
  )
  expect(read).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(100)
})

test('escaping is its own inverse, for every text, every separator and every charset, and splits nothing', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(
        ...signs,
        '\r',
        '\n',
        '\r\n',
        '\v',
        '\x0e',
        '\x1b',
        '\x1b$B',
        '\x1c',
        'X',
        '.br',
        'F',
        'P',
        '0D',
        'ü',
      ),
      maxLength: 40,
    }),
  )
  const charset = fc.constantFrom(...charsets.map(({ canonical }) => canonical))
  fc.assert(
    fc.property(text, delimiters, charset, (value, signsOf, name) => {
      const raw = escape(value, signsOf)
      expect(unescape(raw, signsOf, name)).toBe(value)
      const { escape: sign, ...others } = signsOf
      for (const other of Object.values(others)) expect(raw).not.toContain(other)
      expect(raw).not.toMatch(/[\x00-\x1f\x7f]/)
      expect(raw.split(sign).length % 2).toBe(1)
    }),
    { numRuns: 2000 },
  )
})
