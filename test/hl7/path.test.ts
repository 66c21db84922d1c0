import { expect, test } from 'vitest'
import {
  compilePath,
  first,
  parseText,
  pathOf,
  segmentFields,
  select,
  textAt,
  type Message,
} from '../../src/hl7/index.ts'

const message = parseText(
  [
    String.raw`MSH|^~\&|RIS|HOSP|WORKLANE|RAD|20260301093000||ORM^O01|MSG1|P|2.3.1`,
    String.raw`PID|1||4711^^^HOSP&1.2.3&ISO^MR~999^^^NAT^NI||Doe \T\ Roe&van&der^Jane||""|`,
    'OBX|1|NM|29463-7^Weight^LN||62|kg',
    'OBX|2|NM|8302-2^Height^LN||1.70|m',
    'OBX|3|ST|8302-2^Height^LN||1.71|m',
    'OBR|1||~F2^RIS',
  ].join('\r'),
) as Message

const values = [
  ['PID-5', ['Doe & Roe']],
  ['PID-5.1', ['Doe & Roe']],
  ['PID-5.1.2', ['van']],
  ['PID-5.2', ['Jane']],
  ['PID-5.9', ['']],
  ['PID-5.2.1', ['Jane']],
  ['PID-3', ['4711', '999']],
  ['PID-3.1', ['4711', '999']],
  ['PID-3(5=MR).1', ['4711']],
  ['PID-3(5=NI).1', ['999']],
  ['PID-3(5=XX).1', []],
  ['PID-3(2)', ['999']],
  ['PID-3(3)', []],
  ['PID-3(4.1=HOSP).1', ['4711']],
  ['PID-3(4.2=1.2.3).1', ['4711']],
  ['PID-3(5="MR").1', ['4711']],
  ['PID-3.4.2', ['1.2.3', '']],
  ['PID-99', ['']],
  ['OBX-5', ['62', '1.70', '1.71']],
  ['OBX(3.1=29463-7)-5', ['62']],
  ['OBX(3.1=8302-2)-5', ['1.70', '1.71']],
  ['OBX(2)-5', ['1.70']],
  ['OBX(6=kg)-5', ['62']],
  ['NTE-3', []],
  ['MSH-1', ['|']],
  ['MSH-2', [String.raw`^~\&`]],
  ['MSH-9.2', ['O01']],
  ['MSH-10', ['MSG1']],
] as const
test.each(values)('%s selects %j', (path, texts) => {
  expect(select(message, pathOf(path)).map((piece) => piece.text)).toEqual(texts)
})

test('first is the first with a value', () => {
  expect(first(message, pathOf('OBR-3'))?.raw).toBe('F2^RIS')
  expect(first(message, pathOf('OBR-3'))?.place).toMatchObject({ repetition: 2 })
  expect(first(message, pathOf('PID-4'))?.isEmpty).toBe(true)
  expect(first(message, pathOf('NTE-3'))).toBeUndefined()
  expect(textAt(message, pathOf('NTE-3'))).toBe('')
})

test('a piece knows where it stands, as ERR-2 writes it', () => {
  expect(first(message, pathOf('OBX(3.1=8302-2)-3.2'))?.place).toEqual({
    segment: 'OBX',
    occurrence: 2,
    field: 3,
    repetition: 1,
    component: 2,
  })
  expect(first(message, pathOf('PID-3(5=NI)'))?.part(4).part(1).place).toEqual({
    segment: 'PID',
    occurrence: 1,
    field: 3,
    repetition: 2,
    component: 4,
    subcomponent: 1,
  })
})

test('parts of a piece are its components, then its sub-components', () => {
  const patientId = first(message, pathOf('PID-3'))
  expect(patientId?.part(4).text).toBe('HOSP')
  expect(patientId?.part(4).part(3).text).toBe('ISO')
  expect(patientId?.part(4).part(4).isEmpty).toBe(true)
  expect(patientId?.part(1).part(1).part(1).text).toBe('4711')
  expect(patientId?.part(1).part(1).part(2).text).toBe('')
  expect(first(message, pathOf('MSH-2'))?.part(1).text).toBe(String.raw`^~\&`)
})

test('HL7 null is not empty, and delimiters alone are', () => {
  expect(first(message, pathOf('PID-7'))).toMatchObject({ isNull: true, isEmpty: false })
  const empty = parseText('MSH|^~\\&|\rPID|||^^&&^||x') as Message
  expect(first(empty, pathOf('PID-3'))).toMatchObject({ isNull: false, isEmpty: true })
})

const mistakes = [
  ['', 0],
  ['OBR4.1', 3],
  ['obr-4', 0],
  ['OB-4', 0],
  ['OBR-', 4],
  ['OBR-0', 4],
  ['OBR-x', 4],
  ['OBR-4.', 6],
  ['OBR-4.1.2.3', 9],
  ['OBR-4 ', 5],
  ['PID-3(', 6],
  ['PID-3()', 6],
  ['PID-3(5', 7],
  ['PID-3(5=)', 8],
  ['PID-3(5=MR', 8],
  ['PID-3(5="MR)', 8],
  ['PID-3(4.1)', 9],
  ['PID-3(1.2.3.4=x)', 13],
  ['OBX(3.1=x', 8],
  ['OBX(3.1=x)', 10],
] as const
test.each(mistakes)('%j is refused at its place', (text, offset) => {
  expect(compilePath(text)).toMatchObject({ kind: 'invalid', offset })
})

test('the numbers of fields are those of HL7 2.5.1', () => {
  expect(['MSH', 'PID', 'PV1', 'ORC', 'OBR', 'OBX', 'TQ1', 'IPC', 'ZDS'].map(segmentFields)).toEqual([
    21, 39, 52, 31, 50, 25, 14, 9, 1,
  ])
  expect(segmentFields('ZAO')).toBeUndefined()
  expect(segmentFields('constructor')).toBeUndefined()
})

test.each([
  ['OBR-4.2', 'CT HEAD & NECK'],
  ['OBR-4', 'CTHN'],
  ['OBR-31.2', 'A&B'],
  ['NTE-3', 'head & neck ^ spine'],
  ['NTE(2)-3', 'two'],
  ['OBR-18', 'A&1'],
  ['PID-3.1', '47&11'],
  ['PID-3.4', 'HOSP'],
  ['PID-3.4.2', '1.2.3'],
  ['PID-5.1', 'van Doe'],
  ['PID-5.1.3', 'Doe'],
  ['PID-11.1', 'Main Street 5'],
  ['OBR-34.1', '77'],
  ['OBR-4.2.1', 'CT HEAD '],
  ['OBR-13', ''],
])('a separator of sub-components that nobody escaped is text where a component has none: %s', (path, text) => {
  const obr: Readonly<Record<number, string>> = {
    4: 'CTHN^CT HEAD & NECK^L',
    13: '""',
    18: 'A&1',
    31: 'R&1^A&B',
    34: '77&TECH&TINA',
  }
  const lines = [
    String.raw`MSH|^~\&|RIS`,
    'PID|1||47&11^^^HOSP&1.2.3&ISO||van Doe&van&Doe^Jane||||||Main Street 5&Main Street&5^^Town',
    ['OBR', ...Array.from({ length: 34 }, (_, at) => obr[at + 1] ?? '')].join('|'),
    'NTE|1||head & neck ^ spine',
    'NTE|2||two~three',
  ]
  const message = parseText(`${lines.join('\r')}\r`)
  expect(message && textAt(message, pathOf(path))).toBe(text)
})
