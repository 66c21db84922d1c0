import { expect, test } from 'vitest'
import { normalizePersonName, personNameGroups } from '../../src/dicom/person-name.ts'

test.each([
  ['Doe^Jane', 'Doe^Jane'],
  ['Doe^Jane^^^', 'Doe^Jane'],
  ['Doe^Jane^^^=', 'Doe^Jane'],
  ['Doe ^ Jane ^^^==', 'Doe^Jane'],
  ['=山田^太郎', '=山田^太郎'],
  ['Yamada^Tarou^=山田^太郎^^=', 'Yamada^Tarou=山田^太郎'],
  ['Yamada==やまだ', 'Yamada==やまだ'],
  ['^^^', ''],
  ['^Jane', '^Jane'],
  ['', ''],
])('%j is %j without what says nothing', (name, normal) => {
  expect(normalizePersonName(name)).toBe(normal)
})

test('groups are alphabetic, ideographic, phonetic', () => {
  expect(personNameGroups('Yamada^Tarou=山田^太郎=やまだ^たろう')).toEqual([
    'Yamada^Tarou',
    '山田^太郎',
    'やまだ^たろう',
  ])
  expect(personNameGroups('')).toEqual([])
})
