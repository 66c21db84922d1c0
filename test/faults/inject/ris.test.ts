import { expect, test } from 'vitest'
import { startRisDouble, type RisMode } from './ris.ts'
import { openWire } from './wire.ts'

const status = (id: string): string =>
  `MSH|^~\\&|WORKLANE|RAD|RIS|HOSP|20260301||ORM^O01|${id}|P|2.3.1\rORC|SC||||IP\rOBR|1|||||||||||||||||ACC1\r`

test.each<{ mode: RisMode; seen: string; accepted: boolean }>([
  { mode: 'take', seen: 'AA', accepted: true },
  { mode: 'AE', seen: 'AE', accepted: false },
  { mode: 'AR', seen: 'AR', accepted: false },
  { mode: 'silent', seen: 'no answer', accepted: false },
  { mode: 'late', seen: 'no answer', accepted: false },
  { mode: 'wrong', seen: 'AA', accepted: false },
  { mode: 'hangUp', seen: 'the connection ended: end', accepted: false },
])('a RIS in mode $mode: its sender sees "$seen"', async ({ mode, seen, accepted }) => {
  const ris = await startRisDouble({ lateMilliseconds: 300 })
  try {
    await ris.setMode(mode)
    const wire = await openWire(ris.port)
    const saw = await wire.exchange(status('C1'), 0.2).catch((error: Error) => error.message)
    expect(saw).toBe(seen)
    expect(ris.frames).toMatchObject([{ controlId: 'C1', accession: 'ACC1', orderStatus: 'SC/IP', mode, accepted }])
    wire.close()
    await ris.setMode('take')
    const again = await openWire(ris.port)
    expect(await again.exchange(status('C1'))).toBe('AA')
    again.close()
    expect(ris.frames.map(({ accepted }) => accepted)).toEqual([accepted, true])
  } finally {
    await ris.stop()
  }
})

test('a RIS that answers late does so on a connection that is still there', async () => {
  const ris = await startRisDouble({ lateMilliseconds: 100 })
  try {
    await ris.setMode('late')
    const wire = await openWire(ris.port)
    expect(await wire.exchange(status('C1'))).toBe('AA')
    expect(ris.frames).toMatchObject([{ mode: 'late', accepted: true }])
    wire.close()
  } finally {
    await ris.stop()
  }
})

test('a RIS that is closed drops its connections, refuses new ones, and comes back on the same port', async () => {
  const ris = await startRisDouble()
  try {
    const before = await openWire(ris.port)
    await ris.setMode('closed')
    expect(await before.ended).toMatch(/end|ECONNRESET|close/)
    await expect(openWire(ris.port)).rejects.toThrow('ECONNREFUSED')
    await ris.setMode('take')
    const after = await openWire(ris.port)
    expect(await after.exchange(status('C2'))).toBe('AA')
    after.close()
  } finally {
    await ris.stop()
  }
})
