import { assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { checkValue } from '../../src/dicom/vr.ts'
import { shortNumber } from '../../src/dicom/short-number.ts'

test('the short number of a long one never changes: orders of years ago are found by it', () => {
  expect(shortNumber('ACC-2026-000000000042')).toBe('H-54QH83X254YNNH')
  expect(shortNumber('ÄÖÜ-2026-000000000042')).toBe('H-YFG4N2TZEFNRD2')
})

test('a short number is an SH, whatever the long one was', () => {
  assert(
    property(string(), (text) => {
      expect(shortNumber(text)).toMatch(/^H-[0-9A-HJKMNP-TV-Z]{14}$/)
      expect(checkValue('AccessionNumber', shortNumber(text))).toEqual([])
    }),
  )
})

test('numbers that differ in one sign have other short numbers', () => {
  const all = Array.from({ length: 20_000 }, (_, n) => shortNumber(`ACC-2026-${String(n).padStart(12, '0')}`))
  expect(new Set(all).size).toBe(all.length)
})
