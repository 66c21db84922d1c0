import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acknowledge, bytesAsSent, parse, pathOf, textAt } from '../../src/hl7/index.ts'

/** Messages that charset-messages.py made with the codecs of Python and with iconv: no encoder of ours has touched them. */
const rows = JSON.parse(readFileSync(join(import.meta.dirname, 'charset-messages.json'), 'utf8')) as readonly {
  readonly declared: string
  readonly encoder: string
  readonly family: string
  readonly given: string
  readonly hex: string
}[]

function read(hex: string, charset: 'trust' | 'detect' = 'detect') {
  const parsed = parse(Buffer.from(hex, 'hex'), { charset })
  if (parsed.kind === 'unreadable') throw new Error(JSON.stringify(parsed.fault))
  return parsed.message
}

test('the table has a row for every charset that an order may come in', () => {
  expect(rows.length).toBeGreaterThan(60)
})

test.each(rows)('MSH-18 $declared, made by $encoder: $family is read', ({ declared, family, given, hex }) => {
  const message = read(hex)
  expect(textAt(message, pathOf('PID-5.1'))).toBe(family)
  expect(textAt(message, pathOf('PID-5.2'))).toBe(given)
  // Nothing behind the name was swallowed or added.
  expect(textAt(message, pathOf('PID-6'))).toBe('F')
  expect(message.segments.map(({ name }) => name)).toEqual(['MSH', 'PID', 'ORC'])
  expect(Buffer.from(bytesAsSent(message)).toString('hex')).toBe(hex)
  expect(message.declaredCharset).toBe(declared)
})

/** Where a header that is right can be doubted even so, it is followed, and somebody is told. */
const doubted = new Set(['RŮŽEK', 'Měšťan', 'ЮН', 'ยก'])
test.each(rows)('the header is believed where it is right: $declared, $family', ({ family, given, hex }) => {
  const trusting = read(hex, 'trust')
  expect([textAt(trusting, pathOf('PID-5.1')), textAt(trusting, pathOf('PID-5.2'))]).toEqual([family, given])
  expect(trusting.warnings).toEqual([])
  expect(read(hex).warnings.map(({ code }) => code)).toEqual(doubted.has(family) ? ['E116'] : [])
})

test.each(rows)('the sender is answered in its own charset: $declared, $encoder', ({ hex, family }) => {
  const message = read(hex)
  const answer = acknowledge(
    message,
    { code: 'AE', faults: [], text: family },
    { now: '2026-10-16T08:15:00.000Z', controlId: 'W1', application: 'W', facility: 'R' },
  )
  const back = parse(answer.bytes)
  expect(back.kind === 'message' && textAt(back.message, pathOf('MSA-3'))).toBe(family)
  expect(back.kind === 'message' && textAt(back.message, pathOf('MSH-18'))).toBe(
    message.declaredCharset.split('~').find((name) => name !== '') ?? '',
  )
})
