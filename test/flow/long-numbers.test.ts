import { expect, test } from 'vitest'
import type { OrderQuery } from '../../src/core/ports.ts'
import { shortNumber } from '../../src/dicom/short-number.ts'
import { asShort, withLongNumbers } from '../../src/flow/long-numbers.ts'

const long = 'RIS-2026-ACC-000000042'

test.each([
  [long, shortNumber(long)],
  [` ${long} `, shortNumber(long)],
  ['RIS-2026-ACC-042', 'RIS-2026-ACC-042'],
  ['ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄ', 'ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄ'],
  ['RIS-2026-ACC-0000*', 'RIS-2026-ACC-0000*'],
  ['', ''],
])('who asks for "%s" means the accession number "%s"', (asked, meant) => {
  expect(asShort(asked)).toBe(meant)
})

test('an order is found by the number that the RIS gave it, and by all else as before', async () => {
  const asked: OrderQuery[] = []
  const find = withLongNumbers((query) => {
    asked.push(query)
    return Promise.resolve({ items: [], total: 0, next: null })
  })
  await find({ accessionNumber: long, limit: 1 })
  await find({ orderNumber: long, limit: 1 })
  expect(asked).toEqual([
    { accessionNumber: shortNumber(long), limit: 1 },
    { orderNumber: long, limit: 1 },
  ])
})
