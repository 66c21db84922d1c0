import { expect, test } from 'vitest'
import { acknowledge, acknowledgmentMode, isWanted, parse } from '../../src/hl7/index.ts'
import type { Message } from '../../src/hl7/types.ts'

function asking(accept: string, application: string, version = '2.5.1'): Message {
  const parsed = parse(
    Buffer.from(`MSH|^~\\&|RIS|HOSP|WL|RAD|20260301||ORM^O01|M1|P|${version}|||${accept}|${application}\r`),
  )
  if (parsed.kind !== 'message') throw new Error('unreadable')
  return parsed.message
}

const modes = [
  ['', '', { kind: 'original' }],
  ['""', '""', { kind: 'original' }],
  ['AL', 'NE', { kind: 'enhanced', accept: 'AL', application: 'NE' }],
  ['', 'AL', { kind: 'enhanced', accept: 'NE', application: 'AL' }],
  ['AL', '', { kind: 'enhanced', accept: 'AL', application: 'NE' }],
  [' al ', 'su', { kind: 'enhanced', accept: 'AL', application: 'SU' }],
  ['ER', '""', { kind: 'enhanced', accept: 'ER', application: 'NE' }],
  ['YES', 'NO', { kind: 'original' }],
  ['YES', 'ER', { kind: 'enhanced', accept: 'NE', application: 'ER' }],
] as const

test.each(modes)('MSH-15 "%s" and MSH-16 "%s" ask for %j', (accept, application, mode) => {
  expect(acknowledgmentMode(asking(accept, application))).toEqual(mode)
})

test('a message that could not be read asks as everybody does', () => {
  expect(acknowledgmentMode(undefined)).toEqual({ kind: 'original' })
})

test('table 0155: always, never, in error, in success', () => {
  expect((['AL', 'NE', 'ER', 'SU'] as const).map((one) => [isWanted(one, false), isWanted(one, true)])).toEqual([
    [true, true],
    [false, false],
    [false, true],
    [true, false],
  ])
})

const context = { now: '2026-10-16T08:15:00.000Z', controlId: 'W1', application: 'WORKLANE', facility: '' }

test.each(['CA', 'CE', 'CR'] as const)('%s names the message and asks for no acknowledgment of its own', (code) => {
  const { text } = acknowledge(asking('AL', 'AL'), { code, faults: [], isEnhanced: true }, context)
  const [header, msa] = text.split('\r').map((segment) => segment.split('|'))
  expect(header?.slice(2, 6)).toEqual(['WL', 'RAD', 'RIS', 'HOSP'])
  expect([header?.[8], header?.[14], header?.[15]]).toEqual(['ACK^O01^ACK', 'NE', 'NE'])
  expect(msa).toEqual(['MSA', code, 'M1'])
})

test('an acknowledgment in original mode leaves MSH-15 and MSH-16 empty', () => {
  const { text } = acknowledge(asking('', ''), { code: 'AA', faults: [] }, context)
  expect(text.split('\r')[0]?.split('|')).toHaveLength(12)
})
