import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  acknowledge,
  checkHeader,
  fingerprint,
  groups,
  parse,
  pathOf,
  scopeText,
  select,
  textAt,
  type Message,
} from '../../src/hl7/index.ts'
import { order, orderBytes } from '../support/message.ts'

function read(text: string | Uint8Array): Message {
  const parsed = parse(typeof text === 'string' ? Buffer.from(text) : text)
  if (parsed.kind === 'unreadable') throw new Error(parsed.fault.code)
  return parsed.message
}

const names = (message: Message) => message.segments.map((segment) => segment.name)

const ends = [
  { what: 'CR', text: order() },
  { what: 'LF', text: order().replaceAll('\r', '\n') },
  { what: 'CR LF', text: order().replaceAll('\r', '\r\n') },
  { what: 'CR and LF mixed', text: order().replace('\r', '\n').replace('\r', '\r\n') },
  { what: 'blank lines', text: order().replaceAll('\r', '\r\r\n \r') },
  { what: 'no end of the last segment', text: order().slice(0, -1) },
  { what: 'a byte order mark before', text: `\uFEFF${order()}` },
  { what: 'line ends and NULs before and behind', text: `\r\n\0${order()}\0\0` },
]
test.each(ends)('segments are found: $what', ({ text }) => {
  const message = read(text)
  expect(names(message)).toEqual(['MSH', 'PID', 'PV1', 'ORC', 'OBR'])
  expect(textAt(message, pathOf('OBR-27.4'))).toBe('20260302101500')
})

test('a line feed inside a value stays in it', () => {
  const message = read(order({ extra: ['NTE|1||first line\nsecond line|x'] }))
  expect(textAt(message, pathOf('NTE-3'))).toBe('first line\nsecond line')
  expect(textAt(message, pathOf('NTE-4'))).toBe('x')
})

const headers = [
  { header: String.raw`MSH|^~\&|RIS`, component: '^', subcomponent: '&' },
  { header: String.raw`MSH|^~\&#|RIS`, component: '^', subcomponent: '&' },
  { header: String.raw`MSH|^~\|RIS`, component: '^', subcomponent: '&' },
  { header: String.raw`MSH|^~\\&|RIS`, component: '^', subcomponent: '&' },
  { header: 'MSH|^~&|RIS', component: '^', subcomponent: '&' },
  { header: 'MSH|^~|RIS', component: '^', subcomponent: '&' },
  { header: 'MSH|^|RIS', component: '^', subcomponent: '&' },
  { header: 'MSH||RIS', component: '^', subcomponent: '&' },
  { header: 'MSH#*!%$#RIS', component: '*', subcomponent: '$' },
]
test.each(headers)('MSH-1 and MSH-2 of $header', ({ header, component, subcomponent }) => {
  const message = read(header)
  expect(message.delimiters).toMatchObject({ component, subcomponent })
  expect(message.segments[0]?.field(3)).toBe('RIS')
})

const unreadable = [
  { what: 'nothing', bytes: '', code: 'E101', hl7Code: 100 },
  { what: 'garbage', bytes: '\x01\x02 garbage', code: 'E101', hl7Code: 100 },
  { what: 'another segment first', bytes: 'PID|1\rMSH|^~\\&|\r', code: 'E101', hl7Code: 100 },
  { what: 'a header that is cut off', bytes: 'MSH', code: 'E105', hl7Code: 102 },
  { what: 'a letter as delimiter', bytes: 'MSHA^~\\&A', code: 'E105', hl7Code: 102 },
  { what: 'one sign for two delimiters', bytes: 'MSH|^^\\&|', code: 'E105', hl7Code: 102 },
  { what: 'two messages in one frame', bytes: order() + order(), code: 'E106', hl7Code: 100 },
  { what: 'a batch', bytes: `BHS|^~\\&|\r${order()}BTS|1\r`, code: 'E107', hl7Code: 200 },
  { what: 'a file', bytes: `FHS|^~\\&|\r${order()}`, code: 'E107', hl7Code: 200 },
]
test.each(unreadable)('$what is unreadable, with a code', ({ bytes, code, hl7Code }) => {
  expect(parse(Buffer.from(bytes))).toMatchObject({ kind: 'unreadable', fault: { code, hl7Code } })
})

test('a header without MSH-10 is a fault of its own', () => {
  expect(checkHeader(read(order({ controlId: '' })))).toMatchObject({ code: 'E104', hl7Code: 101 })
  expect(checkHeader(read(order()))).toBeUndefined()
})

test('escape sequences that nobody defined are warned of', () => {
  expect(read(order({ name: String.raw`Doe\Q\^Jane` })).warnings).toMatchObject([{ code: 'E113' }])
  expect(read(order({ name: String.raw`Doe\T\Roe\.br\\X0D\^Jane` })).warnings).toEqual([])
})

test('a message with one order is one group', () => {
  const message = read(order())
  expect(groups(message)).toEqual([message])
  expect(scopeText(message)).toBe(Buffer.from(orderBytes(messageLike(message))).toString())
})

function messageLike(message: Message) {
  return { controlId: message.segments[0]?.field(10) ?? '' }
}

function grouped(...tails: readonly string[]): readonly string[] {
  const message = read(['MSH|^~\\&|A', 'PID|1', 'NTE|1', ...tails].join('\r'))
  return groups(message).map((group) => group.segments.map((segment) => segment.raw).join(' '))
}

test('each group has the header and its own segments', () => {
  expect(grouped('ORC|NW|1', 'OBR|1', 'NTE|2', 'ORC|NW|2', 'OBR|2')).toEqual([
    'MSH|^~\\&|A PID|1 NTE|1 ORC|NW|1 OBR|1 NTE|2',
    'MSH|^~\\&|A PID|1 NTE|1 ORC|NW|2 OBR|2',
  ])
})

test('one ZDS behind the last group belongs to all', () => {
  expect(grouped('ORC|NW|1', 'OBR|1', 'ORC|NW|2', 'OBR|2', 'ZDS|1.2')).toEqual([
    'MSH|^~\\&|A PID|1 NTE|1 ORC|NW|1 OBR|1 ZDS|1.2',
    'MSH|^~\\&|A PID|1 NTE|1 ORC|NW|2 OBR|2 ZDS|1.2',
  ])
})

test('a ZDS of its own is never given to another order', () => {
  expect(grouped('ORC|NW|1', 'ZDS|1.1', 'ORC|NW|2', 'ORC|NW|3', 'ZDS|1.3')).toEqual([
    'MSH|^~\\&|A PID|1 NTE|1 ORC|NW|1 ZDS|1.1',
    'MSH|^~\\&|A PID|1 NTE|1 ORC|NW|2',
    'MSH|^~\\&|A PID|1 NTE|1 ORC|NW|3 ZDS|1.3',
  ])
})

test('what was read is written back byte for byte', () => {
  const field = fc.string({ unit: fc.constantFrom('a', '^', '~', '&', '\\', 'ü', '山', ' ', '"'), maxLength: 12 })
  const segment = fc
    .tuple(fc.constantFrom('PID', 'PV1', 'ORC', 'OBX', 'ZZZ'), fc.array(field, { maxLength: 8 }))
    .map(([name, fields]) => [name, ...fields].join('|'))
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
      const text = ['MSH|^~\\&|A|B|C|D|||ORM^O01|1|P|2.5.1', ...segments, ''].join('\r')
      const message = read(text)
      expect(scopeText(message)).toBe(text)
      for (const one of message.segments.slice(1)) {
        const fields = Array.from({ length: one.length }, (_, i) => one.field(i + 1))
        expect([one.name, ...fields].join('|')).toBe(one.raw)
      }
    }),
  )
})

test('I4: the fingerprint knows a message again that was sent later, and no other', () => {
  const first = orderBytes({ controlId: '1', sent: '20260301093000' })
  expect(fingerprint(orderBytes({ controlId: '1', sent: '20260301094500.123+0100' }))).toBe(fingerprint(first))
  expect(fingerprint(orderBytes({ controlId: '1', sent: '' }))).toBe(fingerprint(first))
  expect(fingerprint(orderBytes({ controlId: '2' }))).not.toBe(fingerprint(first))
  expect(fingerprint(orderBytes({ controlId: '1', name: 'Roe^Jane' }))).not.toBe(fingerprint(first))
  // PID-7 is a field of the patient, not the time of sending.
  expect(fingerprint(orderBytes({ controlId: '1', birthDate: '19990101' }))).not.toBe(fingerprint(first))
  // Whatever stands before the header, it is MSH-7 that is left out, and nothing else.
  const late = Buffer.from(order({ controlId: '1', sent: '20260301094500' }))
  for (const before of ['\uFEFF', '\r\n', '\uFEFF\n\0']) {
    expect(fingerprint(Buffer.concat([Buffer.from(before), late]))).toBe(fingerprint(first))
  }
  expect(fingerprint(Buffer.from('MSH'))).not.toBe(fingerprint(Buffer.from('')))
})

test('nothing that comes crashes reading or acknowledging', () => {
  const context = { now: '2026-10-16T08:15:00.000Z', controlId: 'W1', application: 'W', facility: 'R' }
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 100 }).map((tail) => Buffer.concat([Buffer.from('MSH|^~\\&|'), tail])),
    fc
      .string({ unit: fc.constantFrom('M', 'S', 'H', '|', '^', '~', '\\', '&', '\r', '\n', '\x1b', '$', 'B', 'ü') })
      .map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(bytes, (input) => {
      const parsed = parse(input)
      const message = parsed.kind === 'message' ? parsed.message : parsed.header
      const answer = acknowledge(
        message,
        { code: 'AE', faults: parsed.kind === 'message' ? [] : [parsed.fault] },
        context,
      )
      expect(answer.text).toMatch(/^MSH/)
      expect(Buffer.from(answer.bytes).includes(0x0b)).toBe(false)
      if (message !== undefined) select(message, pathOf('PID-5(1).1.1')).map((piece) => piece.text)
    }),
    { numRuns: 500 },
  )
})

// Messages of other makers live beside the repository of this project's makers, not in it.
const corpus = process.env['WORKLANE_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus')
test.skipIf(!existsSync(corpus))(
  'messages of other makers are read, or refused with a code (skipped without WORKLANE_CORPUS)',
  () => {
    const files = readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.hl7'))
    expect(files.length).toBeGreaterThan(0)
    let readable = 0
    for (const file of files) {
      const parsed = parse(readFileSync(join(corpus, file)))
      if (parsed.kind === 'unreadable') continue
      readable += 1
      for (const group of groups(parsed.message)) {
        for (const path of ['PID-5', 'PID-3(5=MR).1', 'OBR-4.1', 'ZDS-1.1', 'OBX-5']) {
          for (const piece of select(group, pathOf(path))) expect(piece.text).not.toContain('\uFFFD')
        }
      }
    }
    expect(readable).toBeGreaterThan(files.length * 0.8)
  },
)
