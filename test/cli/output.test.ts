import { expect, test } from 'vitest'
import { headedTable } from '../../src/cli/output.ts'

test('headings stand over their columns, bold only on a terminal', () => {
  const rows = [['SCHEDULED', '20261016 1000', 'MR01']]
  const plain = 'STATUS     START          STATION\nSCHEDULED  20261016 1000  MR01\n'
  expect(headedTable(['STATUS', 'START', 'STATION'], rows, { isTty: false, env: {} })).toBe(plain)
  const [first, second] = headedTable(['STATUS', 'START', 'STATION'], rows, { isTty: true, env: {} }).split('\n')
  expect(first).toBe('\u001B[1mSTATUS     START          STATION\u001B[0m')
  expect(second).toBe('SCHEDULED  20261016 1000  MR01')
})
