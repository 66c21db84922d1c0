import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { escape, parse, parseText, quotableText, standardDelimiters, unescape } from '../../src/hl7/index.ts'

const cases = [
  { raw: String.raw`A\F\B\S\C\R\D\T\E\E\F`, text: String.raw`A|B^C~D&E\F` },
  { raw: String.raw`one\.br\two`, text: 'one\r\ntwo' },
  { raw: String.raw`one\X0D\\X0A\two`, text: 'one\r\ntwo' },
  { raw: String.raw`one\X0D0A\two`, text: 'one\r\ntwo' },
  { raw: String.raw`\H\bold\N\ plain`, text: 'bold plain' },
  { raw: String.raw`\.sp2\x`, text: '\r\n\r\nx' },
  { raw: String.raw`a\.sk3\b\.in+4\c`, text: 'a   bc' },
  { raw: String.raw`\XC3BC\ and \XC3\\XBC\ `, text: 'ü and ü ' },
  { raw: String.raw`\XFF\ `, text: String.raw`\XFF\ ` },
  { raw: String.raw`\XZZ\ `, text: String.raw`\XZZ\ ` },
  { raw: String.raw`\Zlocal\T\T\ `, text: String.raw`\Zlocal\T& ` },
  { raw: String.raw`\C2842\x\M244200\ `, text: String.raw`\C2842\x\M244200\ ` },
  { raw: String.raw`C:\temp\new`, text: String.raw`C:\temp\new` },
  { raw: String.raw`C:\temp\F\new`, text: String.raw`C:\temp|new` },
  { raw: 'alone\\', text: 'alone\\' },
  { raw: String.raw`\\`, text: String.raw`\\` },
  { raw: String.raw`\P\ `, text: '# ' },
  { raw: String.raw`a\.BR\e\.sp\f\.sp+1\g`, text: 'a\r\ne\r\nf\r\ng' },
  { raw: String.raw`\.in\a\.ti-2\b\.fi\c\.nf\d`, text: 'abcd' },
  { raw: '', text: '' },
]
test.each(cases)('$raw is read as text', ({ raw, text }) => {
  expect(unescape(raw, standardDelimiters)).toBe(text)
})

test('bytes in an escape sequence are in the charset of the message', () => {
  expect(unescape(String.raw`M\XFC\ller`, standardDelimiters, 'iso-8859-1')).toBe('Müller')
})

test('the truncation character of MSH-2 has an escape of its own', () => {
  const delimiters = { ...standardDelimiters, truncation: '$' }
  expect(escape('a$b#', delimiters)).toBe(String.raw`a\P\b#`)
  expect(unescape(String.raw`a\P\b`, delimiters)).toBe('a$b')
})

test('what is left as it was sent is counted: local, unknown and broken sequences, and bytes that are no text', () => {
  const kept = [
    String.raw`\Z99\ `,
    String.raw`\Q\ `,
    String.raw`\C2842\ `,
    String.raw`\XFC\ `,
    String.raw`\XZZ\ `,
    'a\\',
  ]
  for (const raw of kept) {
    expect(unescape(raw, standardDelimiters)).toBe(raw)
    const parsed = parse(Buffer.from(`MSH|^~\\&|A\rNTE|1||${raw}\r`))
    expect(parsed).toMatchObject({ message: { warnings: [{ code: 'E113' }] } })
  }
})

const text = fc.string({ unit: 'binary', maxLength: 60 })
const nasty = fc.string({
  unit: fc.constantFrom('\\', '|', '^', '~', '&', '\r', '\n', '\v', '\x1c', 'X', '.', 'b', 'r', '0', 'D', 'ü'),
  maxLength: 40,
})

test('every text survives escaping, and cannot split a field, a segment or a frame', () => {
  fc.assert(
    fc.property(fc.oneof(text, nasty), (value) => {
      const raw = escape(value, standardDelimiters)
      expect(unescape(raw, standardDelimiters)).toBe(value)
      expect(raw).not.toMatch(/[|^~&\x00-\x1f]/)
    }),
    { numRuns: 1000 },
  )
})

test('reading never throws, and leaves what has no escape character alone', () => {
  fc.assert(
    fc.property(nasty, (raw) => {
      const read = unescape(raw, standardDelimiters)
      if (!raw.includes('\\')) expect(read).toBe(raw)
    }),
  )
})

test('a megabyte of backslashes takes no time to speak of', () => {
  const text = new Map([40_000, 400_000].map((size) => [size, '\\X0'.repeat(size)]))
  const once = (size: number) => {
    const start = process.cpuUsage()
    unescape(text.get(size) ?? '', standardDelimiters)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  }
  // The least of several: what else the machine does only adds.
  const cost = (size: number) => Math.min(...[1, 2, 3, 4, 5].map(() => once(size)))
  expect(cost(400_000)).toBeLessThan(40 * Math.max(cost(40_000), 5))
})

const written = [
  { what: 'letters of Latin-1', charset: 'iso-8859-1', raw: 'M\\XFC\\ller', text: 'Müller' },
  { what: 'a letter of UTF-8 in two sequences', charset: 'utf-8', raw: '\\F\\\\XC3\\\\XBC\\', text: '\\F\\ü' },
  { what: 'kanji with their escape sequences', charset: 'iso-2022', raw: '\\X1B24424267355C1B2842\\', text: '大宮' },
  { what: 'a delimiter among letters', charset: 'iso-8859-1', raw: '\\XFC7C\\', text: 'ü\\F\\' },
  {
    what: 'line ends, which are the same in every charset',
    charset: 'iso-8859-1',
    raw: 'a\\X0D0A\\b',
    text: 'a\\X0D0A\\b',
  },
  { what: 'what is no letter there', charset: 'utf-8', raw: '\\XFF\\b', text: '\\XFF\\b' },
  {
    what: 'what only looks like one',
    charset: 'iso-8859-1',
    raw: '\\F\\XFC\\ \\.br\\XFC\\',
    text: '\\F\\XFC\\ \\.br\\XFC\\',
  },
]
test.each(written)(
  '$what: letters that were written as bytes are letters in what is quoted',
  ({ charset, raw, text }) => {
    const parsed = parseText(`MSH|^~\\&|X\rNTE|1||${raw}\r`, charset)
    expect(parsed && quotableText(parsed)).toBe(`MSH|^~\\&|X\rNTE|1||${text}\r`)
  },
)
