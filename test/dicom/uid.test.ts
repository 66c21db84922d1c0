import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isUid, nameBasedUid } from '../../src/dicom/uid.ts'

test('the same parts give the same UID, others another', () => {
  expect(nameBasedUid('order', 'FO-1')).toBe(nameBasedUid('order', 'FO-1'))
  expect(nameBasedUid('order', 'FO-1')).not.toBe(nameBasedUid('order', 'FO-2'))
  expect(nameBasedUid('ab', 'c')).not.toBe(nameBasedUid('a', 'bc'))
  expect(nameBasedUid('ab')).not.toBe(nameBasedUid('ab', ''))
})

test('a UID once made stays what it is: orders keep theirs over releases', () => {
  expect(nameBasedUid('worklane', 'a', 'b')).toBe('2.25.171056710290839677065594639516722571625')
})

test('every name gives a valid UID with the version and variant bits of RFC 9562', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
      const uid = nameBasedUid(...parts)
      expect(isUid(uid)).toBe(true)
      const bits = BigInt(uid.slice('2.25.'.length))
      expect((bits >> 76n) & 0xfn).toBe(8n)
      expect((bits >> 62n) & 0x3n).toBe(2n)
    }),
  )
})

test.each([
  ['1.2.840.10008.5.1.4.31', true],
  ['0.0', true],
  [`1.${'2'.repeat(62)}`, true],
  [`1.${'2'.repeat(63)}`, false],
  ['1.02', false],
  ['1', false],
  ['3.1', false],
  ['1.2.', false],
  ['1..2', false],
  ['1.2 ', false],
  ['1.2\n', false],
  ['', false],
])('%j is a UID: %s', (text, valid) => {
  expect(isUid(text)).toBe(valid)
})
