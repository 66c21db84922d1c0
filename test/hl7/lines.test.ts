import { expect, test } from 'vitest'
import {
  bytesAsSent,
  groups,
  parse,
  parseText,
  pathOf,
  scopeText,
  select,
  textAt,
  type Message,
} from '../../src/hl7/index.ts'
import { order } from '../support/message.ts'

function read(text: string): Message {
  const parsed = parse(Buffer.from(text))
  if (parsed.kind === 'unreadable') throw new Error(parsed.fault.code)
  return parsed.message
}

const codes = (message: Message) => message.warnings.map(({ code }) => code)
const comment = (text: string, end = '\r') =>
  textAt(read(order({ extra: [`NTE|1||${text}`, 'OBX|1|ST|X'] }).replaceAll('\r', end)), pathOf('NTE-3'))

test('a line break that a sender left in a comment loses nothing of the comment', () => {
  const texts = [
    'first\nsecond',
    // Three letters on a line of their own are an abbreviation, not a segment.
    'History:\nKHK\nCOPD',
    'Husten\nund\nFieber',
    'one paragraph\n\nanother',
    'one paragraph\n \n\nanother',
    'ends with a break\n- and a list\n- of two',
  ]
  for (const text of texts) {
    expect(comment(text)).toBe(text)
    expect(comment(text, '\n')).toBe(text)
  }
})

test('a segment ends at a line feed where the next begins, even one without fields', () => {
  const message = read(order({ extra: ['NTE|1||text', 'ORC', 'ZDS'] }).replaceAll('\r', '\n'))
  expect(message.segments.map(({ name }) => name)).toEqual(['MSH', 'PID', 'PV1', 'ORC', 'OBR', 'NTE', 'ORC', 'ZDS'])
})

test('names in small letters are read as capitals, with a warning, and written back as they were', () => {
  const normal = order()
  const text = normal.replace('PID|', 'pid|').replace('OBR|', 'Obr|').replace('MSH|', 'msh|')
  const message = read(text)
  expect(message.segments.map(({ name }) => name)).toEqual(['MSH', 'PID', 'PV1', 'ORC', 'OBR'])
  expect(textAt(message, pathOf('PID-3.1'))).toBe('4711')
  expect(textAt(message, pathOf('MSH-9.1'))).toBe('ORM')
  expect(message.warnings).toMatchObject([{ code: 'E126', params: { count: 3 } }])
  expect(Buffer.from(bytesAsSent(message)).toString()).toBe(text)
  expect(scopeText(message)).toBe(normal)
  expect(parseText(text)?.segments[0]?.name).toBe('MSH')
})

test('lines that are no segment are counted, and the trailers of a batch are none of them', () => {
  expect(codes(read(order({ extra: ['a line of text', '  OBX|1', 'OB|1', 'OBXX|1', 'Ob\u00e9|1'] })))).toEqual(['E118'])
  const message = read(`${order()}BTS|1\rFTS|1\r`)
  expect(codes(message)).toEqual([])
  expect(groups(message)).toHaveLength(1)
  expect(textAt(message, pathOf('OBR-18'))).toBe('ACC0001')
})

const unusual = [
  { header: String.raw`MSH|^~\&|RIS`, warned: false },
  { header: String.raw`MSH|^~\&#|RIS`, warned: false },
  { header: String.raw`MSH|^~\\&|RIS`, warned: false },
  { header: String.raw`MSH|^~\\&#|RIS`, warned: true },
  { header: 'MSH|^~&|RIS', warned: true },
  { header: 'MSH|^~|RIS', warned: true },
  { header: 'MSH||RIS', warned: true },
]
test.each(unusual)('MSH-2 of $header is warned of: $warned', ({ header, warned }) => {
  expect(codes(read(`${header}\rPID|1\r`)).includes('E119')).toBe(warned)
})

test('values that the sender has cut keep their mark, and somebody is told (2.7)', () => {
  const text = String.raw`MSH|^~\&#|RIS` + '\rPID|1||4711#^^^HOSP||Schm#^#a#~x#|a#b|#\r'
  const message = read(text)
  expect(message.delimiters.truncation).toBe('#')
  expect(textAt(message, pathOf('PID-3.1'))).toBe('4711#')
  expect(message.warnings).toMatchObject([{ code: 'E127', params: { count: 5 } }])
  // Without a fifth sign it is a letter like any other.
  expect(codes(read(text.replace('&#', '&')))).toEqual([])
})

test('HL7 null empties a value, alone or as the whole of a composite; an empty one keeps', () => {
  const message = read('MSH|^~\\&|RIS\rPID|""|""^""|""^^|""^Jane|""&""^|^""|a~""|""""|""x|"\r')
  const piece = (path: string) => {
    const [, field, rest = ''] = /^(\d+)(.*)$/.exec(path) ?? []
    const found = textOfPieces(message, `PID-${field}${rest}`)
    return found
  }
  expect(piece('1')).toEqual([['', true]])
  expect(piece('2')).toEqual([['', true]])
  expect(piece('3')).toEqual([['', true]])
  // A given name was sent: the family name is empty, the person is not.
  expect(piece('4')).toEqual([['', false]])
  expect(piece('4.2')).toEqual([['Jane', false]])
  expect(piece('5')).toEqual([['', true]])
  expect(piece('6')).toEqual([['', false]])
  expect(piece('6.1')).toEqual([['', false]])
  expect(piece('6.2')).toEqual([['', true]])
  expect(piece('7')).toEqual([
    ['a', false],
    ['', true],
  ])
  expect(piece('8')).toEqual([['""""', false]])
  expect(piece('9')).toEqual([['""x', false]])
  expect(piece('10')).toEqual([['"', false]])
})

function textOfPieces(message: Message, path: string): readonly (readonly [string, boolean])[] {
  return select(message, pathOf(path)).map(({ text, isNull }) => [text, isNull])
}
