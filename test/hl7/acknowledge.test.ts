import { expect, test } from 'vitest'
import type { Fault } from '../../src/core/fault.ts'
import {
  acknowledge,
  formatTime,
  outgoing,
  parse,
  readAcknowledgment,
  type Answer,
  type Message,
} from '../../src/hl7/index.ts'
import { order, orderBytes } from '../support/message.ts'

const context = {
  now: '2026-10-16T08:15:00.000Z',
  controlId: 'W1',
  timeZone: 'Europe/Berlin',
  application: 'ENGINE',
  facility: 'SITE',
}
const missing: Fault = {
  code: 'E104',
  hl7Code: 101,
  place: { segment: 'OBR', occurrence: 2, field: 4, repetition: 1, component: 1 },
  params: {},
}

function read(bytes: Uint8Array): Message {
  const parsed = parse(bytes)
  if (parsed.kind === 'unreadable') throw new Error(parsed.fault.code)
  return parsed.message
}

function lines(message: Message | undefined, answer: Answer): readonly string[] {
  return acknowledge(message, answer, context).text.split('\r')
}

test('an order that was taken is acknowledged: sender and receiver change places', () => {
  const message = read(orderBytes({ controlId: 'RIS000100', charset: 'UNICODE UTF-8' }))
  expect(lines(message, { code: 'AA', faults: [] })).toEqual([
    String.raw`MSH|^~\&|WORKLANE|RAD|RIS|HOSP|20261016101500+0200||ACK^O01^ACK|W1|P|2.3.1||||||UNICODE UTF-8`,
    'MSA|AA|RIS000100',
    '',
  ])
})

test('from 2.5 on a refusal names the place in ERR-2, our code in ERR-5, what helps in ERR-7 and what is wrong in ERR-8', () => {
  const message = read(orderBytes({ controlId: 'M1', version: '2.5.1' }))
  expect(lines(message, { code: 'AE', faults: [missing] }).slice(1)).toEqual([
    'MSA|AE|M1|MSH-10 (message control ID) is empty.',
    'ERR||OBR^2^4^1^1|101^Required field missing^HL70357|E|E104^^99WORKLANE||Let the sender give each message a control ID: without it no acknowledgment can be matched, and a message that comes again is not known.|MSH-10 (message control ID) is empty.',
    '',
  ])
})

test.each(['2.3', '2.3.1', '2.4'])('%s: a sender of before 2.5 gets neither ERR-5 nor ERR-7', (version) => {
  const [, , error] = lines(read(orderBytes({ version })), { code: 'AE', faults: [missing] })
  expect(error?.split('|').slice(4)).toEqual(['E', '', '', '', 'MSH-10 (message control ID) is empty.'])
})

test('what helps cannot end its field, whatever delimiters the sender has', () => {
  const unknown: Fault = { code: 'E306', hl7Code: 200, params: { type: 'ORU^R01' } }
  const [, , error] = lines(read(Buffer.from('MSH#!~\\&#RIS#HOSP#####ORU!R01#7#P#2.5.1\r')), {
    code: 'AR',
    faults: [unknown],
  })
  expect(error?.split('#')).toHaveLength(9)
  expect(error).toContain('#E306!!99WORKLANE##Add the type to')
})

test('before 2.5 the place is in ERR-1 as well', () => {
  const message = read(orderBytes({ controlId: 'M1', version: '2.3.1' }))
  const error = lines(message, { code: 'AE', faults: [missing] })[2]
  expect(error?.split('|').slice(1, 4)).toEqual([
    'OBR^2^4^101&Required field missing&HL70357',
    'OBR^2^4^1^1',
    '101^Required field missing^HL70357',
  ])
})

test('each fault has its own ERR; a fault of a segment names the segment', () => {
  const gone: Fault = { code: 'E101', hl7Code: 100, place: { segment: 'ORC' }, params: {} }
  const nowhere: Fault = { code: 'E108', hl7Code: 207, params: { limit: 10 } }
  const message = read(orderBytes({ version: '2.5' }))
  const errors = lines(message, { code: 'AR', faults: [missing, gone, nowhere] }).slice(2, -1)
  expect(errors.map((error) => error.split('|').slice(2, 4))).toEqual([
    ['OBR^2^4^1^1', '101^Required field missing^HL70357'],
    ['ORC^1', '100^Segment sequence error^HL70357'],
    ['', '207^Application internal error^HL70357'],
  ])
})

test('MSA-3 has at most 80 characters, ERR-8 the whole sentence', () => {
  const long: Fault = { code: 'E112', hl7Code: 102, params: {} }
  const [, msa, error] = lines(read(orderBytes({ version: '2.5' })), { code: 'AE', faults: [long] })
  expect(msa?.split('|')[3]).toHaveLength(80)
  expect(error).toMatch(/they were read as such\.$/)
})

test('a message without a receiver gets our own names, one without a version 2.5.1', () => {
  const message = read(Buffer.from('MSH|^~\\&|RIS|HOSP|||||ORM|7\r'))
  expect(lines(message, { code: 'AA', faults: [] })).toEqual([
    String.raw`MSH|^~\&|ENGINE|SITE|RIS|HOSP|20261016101500+0200||ACK|W1|P|2.5.1`,
    'MSA|AA|7',
    '',
  ])
})

test('when nothing could be read the answer has an empty MSA-2', () => {
  expect(
    lines(undefined, { code: 'AE', faults: [{ code: 'E101', hl7Code: 100, place: { segment: 'MSH' }, params: {} }] }),
  ).toEqual([
    String.raw`MSH|^~\&|ENGINE|SITE|||20261016101500+0200||ACK|W1|P|2.5.1`,
    'MSA|AE||The frame does not start with an MSH segment.',
    'ERR||MSH^1|100^Segment sequence error^HL70357|E||||The frame does not start with an MSH segment.',
    '',
  ])
})

test('delimiters and charset are those of the sender', () => {
  const text = order({ controlId: 'M1', facility: 'Köln', charset: '8859/1' }).replaceAll('|', '#')
  const answer = acknowledge(read(Buffer.from(text, 'latin1')), { code: 'AA', faults: [] }, context)
  expect(Buffer.from(answer.bytes).toString('latin1')).toContain('#RIS#Köln#')
  expect(answer.text).toMatch(/^MSH#\^~\\&#WORKLANE#.*#8859\/1\rMSA#AA#M1\r$/)
})

test('an unreadable message is answered by its header, byte for byte', () => {
  const parsed = parse(Buffer.from(order({ facility: 'K\xf6ln', controlId: 'M1', charset: 'UNICODE UTF-8' }), 'latin1'))
  if (parsed.kind !== 'unreadable') throw new Error('it was read')
  const answer = acknowledge(parsed.header, { code: 'AE', faults: [parsed.fault] }, context)
  expect(Buffer.from(answer.bytes).toString('latin1')).toContain('|RIS|K\xf6ln|')
  expect(answer.text).toContain('MSA|AE|M1|The bytes of the message are not valid UNICODE UTF-8.')
})

test('a control character in the header cannot end the answer or its frame', () => {
  const message = read(Buffer.from('MSH|^~\\&|R\vI\x1cS|HOSP|||||ORM|7\x1c|P|2.5\r'))
  const answer = acknowledge(message, { code: 'AA', faults: [] }, context)
  expect(answer.text).toContain(String.raw`|R\X0B\I\X1C\S|`)
  expect(readAcknowledgment(answer.bytes)?.controlId).toBe('7\x1c')
})

const sent = [
  { what: 'ERR-3 of 2.5', text: 'MSA|AE|X\rERR||OBR^1|204^Unknown^HL70357|E\r', code: 'AE', errorCode: '204' },
  { what: 'ERR-1 of 2.3', text: 'MSA|AR|X\rERR|OBR^1^4^207&Internal&HL70357\r', code: 'AR', errorCode: '207' },
  { what: 'MSA-6', text: 'MSA|AE|X||||101^Missing\r', code: 'AE', errorCode: '101' },
  { what: 'nothing but MSA', text: 'MSA|AA|X', code: 'AA', errorCode: '' },
  { what: 'blanks around', text: 'MSA| AA | X |ok\r', code: 'AA', errorCode: '' },
]
test.each(sent)('an acknowledgment is read: $what', ({ text, code, errorCode }) => {
  expect(readAcknowledgment(Buffer.from(`MSH|^~\\&|R\r\n${text}`))).toEqual({ code, controlId: 'X', errorCode })
})

test.each(['', 'MSA|AA|X', 'MSH|^~\\&|R\rMSA|OK|X', 'MSH|^~\\&|R\rPID|1', 'MSH'])('%j is no acknowledgment', (text) => {
  expect(readAcknowledgment(Buffer.from(text))).toBeUndefined()
})

test('times are written in the zone of the site, summer and winter', () => {
  expect(formatTime('2026-07-01T22:30:05.123Z', 'Europe/Berlin')).toBe('20260702003005+0200')
  expect(formatTime('2026-01-01T22:30:05.000Z', 'Europe/Berlin')).toBe('20260101233005+0100')
  expect(formatTime('2026-03-29T00:59:59.000Z', 'Europe/Berlin')).toBe('20260329015959+0100')
  expect(formatTime('2026-03-29T01:00:00.000Z', 'Europe/Berlin')).toBe('20260329030000+0200')
  expect(formatTime('2026-01-01T00:00:00.000Z', 'Asia/Kathmandu')).toBe('20260101054500+0545')
  expect(formatTime('2026-01-01T00:00:00.000Z', 'America/St_Johns')).toBe('20251231203000-0330')
  expect(formatTime('2026-01-01T00:00:00.000Z')).toBe('20260101000000+0000')
})

test('a refusal in Latin-1 says in Latin-1 what it has; only our own sign that Latin-1 lacks is shown as ?', () => {
  const bytes = Buffer.from(order({ charset: '8859/1', controlId: 'M1' }).replace('|HOSP|', '|M\u00fcnchen|'), 'latin1')
  const fault: Fault = { code: 'E301', hl7Code: 103, params: { table: 'r\u00e4ume\u2013', code: '\u00dc' } }
  const answer = acknowledge(read(bytes), { code: 'AE', faults: [fault] }, context).bytes
  const text = Buffer.from(answer).toString('latin1')
  expect(text.split('\r')[0]).toContain('|M\u00fcnchen|')
  expect(text.split('\r')[0]).toMatch(/\|8859\/1$/)
  expect(text).toContain('r\u00e4ume?')
  expect(text).toContain('"\u00dc"')
  expect(readAcknowledgment(answer)).toMatchObject({ code: 'AE', controlId: 'M1', errorCode: '103' })
})

test.each(['SHIFT_JIS', 'ISO IR87', '8859/1', 'GBK'])(
  'what a receiver answers in %s is read: its words may hold delimiters',
  (charset) => {
    const words =
      { SHIFT_JIS: '\u8868', 'ISO IR87': '\u5bae\u8868', '8859/1': '\u00fc', GBK: '\u7eb6\u8bb8' }[charset] ?? ''
    const text = `MSH|^~\\&|RIS|HOSP|W|RAD|2026||ACK|A1|P|2.5||||||${charset}\rMSA|AE|W42|${words}\rERR||OBR^1^4|204^${words}^HL70357|E\r`
    expect(readAcknowledgment(outgoing(charset).encode(text) ?? new Uint8Array(0))).toMatchObject({
      code: 'AE',
      controlId: 'W42',
      errorCode: '204',
    })
  },
)
