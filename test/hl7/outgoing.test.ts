import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { charsets } from '../../src/config/charsets.ts'
import { outgoing, parse, pathOf, textAt } from '../../src/hl7/index.ts'

/** What a receiver reads that believes MSH-18; undefined when the text cannot be written. */
function readBy(name: string, text: string): string | undefined {
  const to = outgoing(name)
  const bytes = to.encode(`MSH|^~\\&|||||||ACK|1|P|2.5||||||${to.names.join('~')}\rZZZ|${text}|end\r`)
  if (bytes === undefined) return undefined
  const parsed = parse(bytes, { charset: 'trust' })
  if (parsed.kind !== 'message') throw new Error(`${name}: ${parsed.fault.code}`)
  expect(textAt(parsed.message, pathOf('ZZZ-2'))).toBe('end')
  return parsed.message.segments[1]?.field(1)
}

const letters = fc
  .array(fc.constantFrom(...Array.from('aZ09 .-üßéčŁŐяЖΩאعไทยあア亜大宮表許功蓋王김똠ﾔﾏ～髙碁丂€–’№')), {
    minLength: 1,
    maxLength: 8,
  })
  .map((all) => all.join(''))

test.each(charsets)('%s: what is written is what a receiver reads, or it is not written', (name) => {
  fc.assert(
    fc.property(letters, (text) => {
      const read = readBy(name, text)
      return read === undefined || read === text
    }),
    { numRuns: 150 },
  )
})

const written = [
  { name: '8859/1', text: 'Jürgen', hex: '4afc7267656e' },
  { name: '8859/2', text: 'Łódź', hex: 'a3f364bc' },
  { name: 'WINDOWS-1252', text: '–', hex: '96' },
  { name: 'ISO IR87', text: '大宮', hex: '1b24424267355c1b2842' },
  { name: 'ISO IR87', text: '～', hex: '1b244221411b2842' },
  { name: 'ISO IR159', text: '丂', hex: '1b24284430211b2842' },
  { name: 'ISO IR14', text: 'ﾔﾏﾀﾞ', hex: 'd4cfc0de' },
  { name: 'SHIFT_JIS', text: '髙橋', hex: 'fbfc8bb4' },
  { name: 'KS X 1001', text: '김', hex: 'b1e8' },
  { name: 'UNICODE UTF-8', text: '髙', hex: 'e9ab99' },
]
test.each(written)('$name: $text', ({ name, text, hex }) => {
  expect(Buffer.from(outgoing(name).encode(text) ?? []).toString('hex')).toBe(hex)
})

const unwritable = [
  { name: 'ASCII', text: 'ü' },
  { name: '8859/1', text: 'Ł' },
  { name: '8859/1', text: '–' },
  { name: 'ISO IR87', text: 'ﾔ' },
  { name: 'ISO IR87', text: '丂' },
  { name: 'ISO IR87', text: 'é' },
  { name: 'ISO IR14', text: '大' },
  { name: 'KS X 1001', text: '똠' },
  { name: 'KS X 1001', text: '丂' },
  { name: 'BIG-5', text: '㈱' },
]
test.each(unwritable)(
  '$name has no $text, and neither a question mark nor a set that MSH-18 does not name stands in its place',
  ({ name, text }) => {
    expect(outgoing(name).encode(`Doe ${text}`)).toBeUndefined()
  },
)

test('code extension names all its sets', () => {
  const extended = charsets.flatMap((name) => (outgoing(name).names.length > 1 ? [outgoing(name).names.join('~')] : []))
  expect(extended).toEqual(['ISO IR6~ISO IR87', 'ISO IR6~ISO IR87~ISO IR159'])
})
