import { expect, test } from 'vitest'
import { headedTable, table } from '../../src/cli/output.ts'

test('headings stand over their columns, bold only on a terminal', () => {
  const rows = [['SCHEDULED', '20261016 1000', 'MR01']]
  const plain = 'STATUS     START          STATION\nSCHEDULED  20261016 1000  MR01\n'
  expect(headedTable(['STATUS', 'START', 'STATION'], rows, { isTty: false, env: {} })).toBe(plain)
  const [first, second] = headedTable(['STATUS', 'START', 'STATION'], rows, { isTty: true, env: {} }).split('\n')
  expect(first).toBe('\u001B[1mSTATUS     START          STATION\u001B[0m')
  expect(second).toBe('SCHEDULED  20261016 1000  MR01')
})

test('the key of a study keeps its columns; what is far longer pushes only its own row', () => {
  const key = 'orthanc/2f369924-5baa5f11-3059f1e3-d848ed10-b0dba54a'
  const rows = [
    ['STUDY', 'CREDIT'],
    [key, 'matched'],
    ['x'.repeat(100), 'matched'],
  ]
  const at = table(rows)
    .split('\n')
    .map((line) => line.search(/CREDIT|matched/))
  expect(at.slice(0, 3)).toEqual([key.length + 2, key.length + 2, 102])
})
