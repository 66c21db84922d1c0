import { isIP } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { machineAddress } from '../../src/core/machine-address.ts'

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::FFFF:10.1.2.3', '10.1.2.3'],
  ['::ffff:a01:203', '10.1.2.3'],
  ['0:0:0:0:0:ffff:10.1.2.3', '10.1.2.3'],
  ['2001:0DB8:0:0::0001', '2001:db8::1'],
  ['::1', '::1'],
  ['fe80::1%eth0', 'fe80::1'],
])('the machine %s is %s', (text, address) => {
  expect(machineAddress(text)).toBe(address)
})

test.each([
  '',
  'ct-room-1',
  '10.1.2',
  '10.1.2.256',
  '10.01.2.3',
  '10.1.2.*',
  '10.1.2.3:2575',
  '1::2::3',
  '[::1]',
  'a:b',
])('%j is no address', (text) => {
  expect(machineAddress(text)).toBeUndefined()
})

test('an address of a socket is an address, however often it is written', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.ipV4().map((one) => `::ffff:${one}`),
      ),
      (text) => {
        const address = machineAddress(text) ?? ''
        expect(isIP(address)).toBeGreaterThan(0)
        expect(machineAddress(address)).toBe(address)
      },
    ),
  )
})
