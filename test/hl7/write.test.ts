import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWriter, parse, pathOf, readDelimiters, textAt } from '../../src/hl7/index.ts'

const lines = (text: string) => text.split('\r').slice(0, -1)

test('values stand where their paths say, segments in the order given', () => {
  const writer = createWriter({ order: ['PID', 'ORC', 'OBR', 'ZDS'] })
    .set('ZDS-1.1', '1.2.3')
    .set('ZDS-1.4', 'DICOM')
    .set('ORC-1', 'SC')
    .set('PID-3.1', '4711')
    .set('PID-3.4.2', '1.2')
    .set('PID-3(2).1', '999')
    .set('MSH-3', 'WORKLANE')
    .set('MSH-9.1', 'ORM')
    .set('MSH-9.2', 'O01')
    .set('NTE-3', 'first')
    .set('NTE(2)-3', 'second')
  expect(lines(writer.text())).toEqual([
    String.raw`MSH|^~\&|WORKLANE||||||ORM^O01`,
    'PID|||4711^^^&1.2~999',
    'ORC|SC',
    'ZDS|1.2.3^^^DICOM',
    'NTE|||first',
    'NTE|||second',
  ])
})

test('HL7 text is taken over with its parts, text is escaped', () => {
  const writer = createWriter().set('PID-5', { raw: 'Doe^Jane~D^J' }).set('PID-11', 'A|B^C~D&E\\F').set('PID-7', '')
  expect(lines(writer.text())[1]).toBe(String.raw`PID|||||Doe^Jane~D^J||||||A\F\B\S\C\R\D\T\E\E\F`)
})

test('a value set again replaces the one before; a part joins it', () => {
  const writer = createWriter().set('PID-3', 'A').set('PID-3', 'B').set('PID-3.5', 'MR').set('PID-3(2)', 'C')
  expect(lines(writer.text())[1]).toBe('PID|||B^^^^MR~C')
})

test('delimiters may be those of another message, and are never set as values', () => {
  const delimiters = readDelimiters('MSH#*!%$#')
  expect(delimiters).toBeDefined()
  const writer = createWriter(delimiters === undefined ? {} : { delimiters })
    .set('MSH-1', 'x')
    .set('MSH-2', 'y')
    .set('PID-3.4', 'a|b*c')
  expect(lines(writer.text())).toEqual(['MSH#*!%$', 'PID###***a|b%S%c'])
})

test('bytes are in the charset asked for, or not written at all', () => {
  const writer = createWriter().set('PID-5.1', 'Müller')
  expect(Buffer.from(writer.bytes('iso-8859-1')).toString('latin1')).toContain('Müller')
  expect(Buffer.from(writer.bytes()).toString('utf8')).toContain('Müller')
  expect(() => writer.set('PID-5.2', '山').bytes('iso-8859-1')).toThrow('do not exist in iso-8859-1')
})

test('whatever is written as text or taken over is one field of one segment', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.string({ unit: fc.constantFrom('\r', '\n', '\v', '\x1c', '|', '\\', 'A'), maxLength: 10 }),
  )
  fc.assert(
    fc.property(value, value, (text, raw) => {
      const writer = createWriter()
        .set('MSH-10', '1')
        .set('PID-5.2', text)
        .set('OBR-4', { raw: raw.replaceAll('|', '') })
      const parsed = parse(writer.bytes())
      if (parsed.kind === 'unreadable') throw new Error(parsed.fault.code)
      expect(textAt(parsed.message, pathOf('PID-5.2'))).toBe(text.toWellFormed())
      expect(parsed.message.segments.map((segment) => segment.name)).toEqual(['MSH', 'PID', 'OBR'])
    }),
  )
})
