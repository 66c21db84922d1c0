import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { acknowledgeBatch, parse, readBatch, type Batch } from '../../src/hl7/index.ts'

const header = (name: string, id: string) => String.raw`${name}|^~\&|RIS|HOSP|WL|RAD|20260301093000||||${id}`
const message = (id: string, more = '') =>
  `MSH|^~\\&|RIS|HOSP|WL|RAD|20260301||ORM^O01|${id}|P|2.3\rPID|1||4711${more}\r`
const read = (text: string): Batch | undefined => readBatch(Buffer.from(text, 'latin1'))
const texts = (batch: Batch | undefined) =>
  batch?.batches.map(({ messages }) => messages.map((bytes) => Buffer.from(bytes).toString('latin1')))
const codes = (batch: Batch | undefined) => batch?.faults.map(({ code, params }) => [code, params])

test('a message is no batch, and neither is nothing', () => {
  for (const text of ['', message('M1'), 'PID|1', 'BH', 'FH', '\r\n']) expect(read(text)).toBeUndefined()
})

test('a file of two batches: each message is its own bytes', () => {
  const batch = read(
    [
      header('FHS', 'F1'),
      header('BHS', 'B1'),
      `${message('M1')}${message('M2')}BTS|2`,
      header('BHS', 'B2'),
      `${message('M3')}BTS|1`,
      'FTS|2',
      '',
    ].join('\r'),
  )
  expect(texts(batch)).toEqual([[message('M1'), message('M2')], [message('M3')]])
  expect(batch?.faults).toEqual([])
  expect(batch?.file?.field(11)).toBe('F1')
  expect(batch?.batches.map(({ header: one }) => one?.field(11))).toEqual(['B1', 'B2'])
  expect(Buffer.from(batch?.envelope ?? []).toString()).not.toContain('PID')
})

const odd: readonly [what: string, text: string, messages: readonly string[][], faults: readonly unknown[]][] = [
  [
    'LF for CR',
    `${header('BHS', 'B')}\n${message('M1').replaceAll('\r', '\n')}BTS|1\n`,
    [[message('M1').replaceAll('\r', '\n')]],
    [],
  ],
  [
    'a byte order mark and blank lines before it',
    `\u00EF\u00BB\u00BF\r\n${header('BHS', 'B')}\r${message('M1')}BTS|1`,
    [[message('M1')]],
    [],
  ],
  ['no trailer', `${header('BHS', 'B')}\r${message('M1')}`, [[message('M1')]], []],
  ['a trailer without a count', `${header('BHS', 'B')}\r${message('M1')}BTS\r`, [[message('M1')]], []],
  ['a file without a batch', `${header('FHS', 'F')}\r${message('M1')}FTS|1\r`, [[message('M1')]], []],
  [
    'messages behind the trailer',
    `${header('BHS', 'B')}\r${message('M1')}BTS|1\r${message('M2')}`,
    [[message('M1')], [message('M2')]],
    [],
  ],
  ['no message', `${header('BHS', 'B')}\rBTS|0\r`, [[]], []],
  ['too few', `${header('BHS', 'B')}\r${message('M1')}BTS|2\r`, [[message('M1')]], [['E128', { said: 2, found: 1 }]]],
  ['too many', `${header('BHS', 'B')}\r${message('M1')}BTS|0\r`, [[message('M1')]], [['E128', { said: 0, found: 1 }]]],
  [
    'batches that are missing',
    `${header('FHS', 'F')}\r${header('BHS', 'B')}\rBTS|0\rFTS|2`,
    [[]],
    [['E129', { said: 2, found: 1 }]],
  ],
  ['segments without a message', `${header('BHS', 'B')}\rPID|1\rOBR|1\rBTS|0\r`, [[]], [['E130', { count: 2 }]]],
  ['nothing but its name', 'BHS', [], [['E130', { count: 1 }]]],
]

test.each(odd)('%s', (_, text, messages, faults) => {
  const batch = read(text)
  expect(texts(batch)).toEqual(messages)
  expect(codes(batch)).toEqual(faults)
})

test('a batch of more messages than anybody sends is not taken apart', () => {
  const batch = read(`${header('BHS', 'B')}\r${'MSH|^~\\&|\r'.repeat(10_001)}`)
  expect(batch?.batches).toEqual([])
  expect(codes(batch)).toEqual([['E110', { what: 'messages in a batch', limit: 10_000 }]])
})

test('every byte of a message in a batch is the byte that was sent, and no message swallows another', () => {
  const value = fc.string({ unit: fc.constantFrom('MSH', 'BTS', 'a', 'F', 'Ä', 'ÿ', '^', '&', '~', ' ', '|') })
  fc.assert(
    fc.property(fc.array(value, { maxLength: 8 }), fc.constantFrom('\r', '\n', '\r\n'), (values, end) => {
      const sent = values.map((text, i) => message(`M${i}`, text).replaceAll('\r', end))
      const batch = read(`${header('BHS', 'B')}${end}${sent.join('')}BTS|${sent.length}${end}`)
      expect(texts(batch)).toEqual([sent])
      expect(batch?.faults).toEqual([])
    }),
  )
})

test('reading a batch never throws, whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const bytes = Buffer.concat([Buffer.from('BHS|'), noise])
      expect(readBatch(bytes)).toBeDefined()
    }),
  )
})

const context = {
  now: '2026-10-16T08:15:00.000Z',
  controlId: 'W1',
  timeZone: 'UTC',
  application: 'WORKLANE',
  facility: '',
}

test('the answer names their batch and file, turns sender and receiver round, and counts', () => {
  const batch = read(`${header('FHS', 'F1')}\r${header('BHS', 'B1')}\r${message('M1')}BTS|1\rFTS|1`) as Batch
  const text = Buffer.from(acknowledgeBatch(batch, [[Buffer.from('MSH|ack\rMSA|AA|M1\r')]], context)).toString()
  expect(text.split('\r')).toEqual([
    String.raw`FHS|^~\&|WL|RAD|RIS|HOSP|20261016081500+0000||||W1|F1`,
    String.raw`BHS|^~\&|WL|RAD|RIS|HOSP|20261016081500+0000||||W1|B1`,
    'MSH|ack',
    'MSA|AA|M1',
    'BTS|1',
    'FTS|1',
    '',
  ])
})

test('what they write into their header cannot end ours', () => {
  const batch = read(`BHS|^~\\&|R\u000bIS|H\u001c|WL|RAD|||||B1\r${message('M1')}`) as Batch
  const bytes = Buffer.from(acknowledgeBatch(batch, [[]], context))
  expect(bytes.includes(0x0b) || bytes.includes(0x1c)).toBe(false)
})

test('the header of a batch is answered like that of a message', () => {
  const batch = read(`${header('BHS', 'B1')}\rBTS|0`) as Batch
  expect(batch.header?.segments[0]?.field(10)).toBe('B1')
  expect(batch.header?.segments[0]?.field(3)).toBe('RIS')
  expect(parse(Buffer.from(header('BHS', 'B1'))).kind).toBe('unreadable')
})
