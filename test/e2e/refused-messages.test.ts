import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLine, type Line } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { order, orderBytes } from '../support/message.ts'
import { eventually } from '../support/temporary.ts'

let engine: EngineProcess
let line: Line
beforeAll(async () => {
  engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1' })
  line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
})
afterAll(async () => {
  line.close()
  await engine.kill()
})

interface Kept {
  readonly controlId: string
  readonly acknowledgmentCode: string
  readonly state: { readonly kind: string; readonly faults?: readonly { readonly code: string }[] }
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const without = (field: number, of: string): string =>
  of.replace(/^PID.*$/m, (segment) =>
    segment
      .split('|')
      .map((value, at) => (at === field ? '' : value))
      .join('|'),
  )

// HL7 2.5.1 table 0357: 1xx errors are AE, 2xx rejections are AR.
test.each([
  ['bytes that are not HL7', latin1('GET / HTTP/1.1\r\nHost: worklane\r\n\r\n'), 'AE', ''],
  ['a message type that no pipeline takes', orderBytes({ type: 'DFT^P03', controlId: 'R-TYPE' }), 'AR', 'R-TYPE'],
  ['an order without a patient', latin1(without(3, order({ controlId: 'R-PID' }))), 'AE', 'R-PID'],
  [
    'a charset that nobody knows',
    latin1(order({ charset: 'EBCDIC', name: 'M\xFCller', controlId: 'R-CHARSET' })),
    'AE',
    'R-CHARSET',
  ],
  ['bytes that are not what MSH-18 says', latin1(order({ name: 'M\xFCller', controlId: 'R-BYTES' })), 'AE', 'R-BYTES'],
  ['a birth date that is none', orderBytes({ birthDate: 'unknown', controlId: 'R-DATE' }), 'AE', 'R-DATE'],
])('I8: %s is refused with the reason, kept, and costs only itself', async (_, bytes, code, controlId) => {
  const answer = Buffer.from(await line.exchange(bytes)).toString('latin1')
  expect(answer).toMatch(new RegExp(`\rMSA\\|${code}\\|${controlId}(\\||\r)`))
  expect(answer).toMatch(/\rERR\|/)
  const { items } = await engine.api<{ items: readonly Kept[] }>('/api/messages?state=invalid&limit=1')
  expect(items).toEqual([expect.objectContaining({ controlId, acknowledgmentCode: code })])
  expect(items[0]?.state.faults?.length).toBeGreaterThan(0)

  // The same connection, the next message.
  const accession = `N${controlId}`
  expect(readAcknowledgment(await line.exchange(orderBytes({ accession })))?.code).toBe('AA')
  await eventually(
    async () => (await engine.api<{ total: number }>(`/api/worklist?accession=${accession}`)).total === 1,
    'the next message is applied',
  )
})

test('I8: an order that nobody could tell from another is a dead letter, and the next one is applied', async () => {
  const send = async (bytes: Uint8Array): Promise<string | undefined> =>
    readAcknowledgment(await line.exchange(bytes))?.code
  await send(orderBytes({ accession: 'X1', placer: 'PX1^CPOE', filler: 'FX1^RIS' }))
  await send(orderBytes({ accession: 'X2', placer: 'PX2^CPOE', filler: 'FX2^RIS' }))
  const crossed = orderBytes({ control: 'XO', accession: 'X3', placer: 'PX1^CPOE', filler: 'FX2^RIS', controlId: 'XX' })
  expect(await send(crossed)).toBe('AA')
  expect(await send(orderBytes({ accession: 'X4' }))).toBe('AA')
  await eventually(
    async () => (await engine.api<{ total: number }>('/api/worklist?accession=X4')).total === 1,
    'the next one is applied',
  )
  const dead = await engine.api<{ items: readonly Kept[] }>('/api/dead-letters')
  expect(dead.items.map(({ controlId }) => controlId)).toEqual(['XX'])
  for (const accession of ['X1', 'X2'])
    expect(await engine.api(`/api/worklist?accession=${accession}`)).toMatchObject({ total: 1 })
})

test('I4: the same message again gets the same acknowledgment and has no second effect', async () => {
  const bytes = orderBytes({ accession: 'TWICE', controlId: 'TWICE' })
  const [first, again] = [await line.exchange(bytes), await line.exchange(bytes)]
  expect(Buffer.from(again).equals(Buffer.from(first))).toBe(true)
  expect(await engine.api('/api/messages?controlId=TWICE')).toMatchObject({ total: 1 })
})
