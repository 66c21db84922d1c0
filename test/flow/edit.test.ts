import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import { edited } from '../../src/flow/edit.ts'

const reading = { defaultCharset: 'utf-8', charset: 'detect', timeZone: 'UTC' } as never
const body = Buffer.from(
  [
    String.raw`MSH|^~\&|RIS|A|WL|B|20261016||ORM^O01|C1|P|2.3.1`,
    'PID|1||4711||Doe^Jane||19800214',
    'OBX|1|NM|W^Weight||62',
    'OBX|2|NM|H^Height||168',
    'ZXY|1|2',
  ].join('\r'),
)

function set(path: string, value: string): string {
  return Buffer.from(edited({ body }, { kind: 'fields', set: [{ path, value }] }, reading)).toString()
}

test.each([
  ['PID-7', '19800215', 'PID|1||4711||Doe^Jane||19800215'],
  ['PID-5.2', 'Janet', 'PID|1||4711||Doe^Janet||19800214'],
  ['OBX(2)-5', '169', 'OBX|2|NM|H^Height||169'],
  ['ZXY-4', 'X', 'ZXY|1|2||X'],
  ['ZDS-1', '1.2.3', 'ZDS|1.2.3'],
  ['ZXY', 'ZXY|9', 'ZXY|9'],
])('%s is set to %s', (path, value, line) => {
  expect(set(path, value).split('\r')).toContain(line)
})

test('a segment that is set to nothing goes', () => {
  expect(
    set('OBX(1)', '')
      .split('\r')
      .map((line) => line.slice(0, 5)),
  ).toEqual(['MSH|^', 'PID|1', 'OBX|2', 'ZXY|1', ''])
})

test.each([
  ['ZDS4', 'X', 'ZDS4', 'it is no path; did you mean ZDS-4?'],
  ['pid-7', '1', 'pid-7', 'it is no path; did you mean PID-7?'],
  ['PID.5.1', 'X', 'PID.5.1', 'it is no path; did you mean PID-5.1?'],
  ['Doe Jane 19800214', 'X', '?', 'it is no path'],
  ['PDI-5', 'X', 'PDI-5', 'HL7 has no segment PDI; did you mean PID?'],
  ['PID-70', 'X', 'PID-70', 'the segment PID has 39 fields'],
  ['OBX(3)-5', 'X', 'OBX(3)-5', 'the message has 2 of this segment'],
  ['OBX(3.1=W)-5', 'X', 'OBX', 'it chooses by a value: give the number'],
  ['PID', '4711', 'PID', 'a whole segment begins with PID|'],
  ['MSH-2', 'X', 'MSH-2', 'the delimiters of a message stay what they are'],
])('%s set to %s is refused, with what was meant and without what may be a name', (path, value, named, reason) => {
  let error: unknown
  try {
    set(path, value)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(EngineError)
  expect((error as EngineError).message).toBe(`The field ${named} cannot be set (${reason}).`)
})
