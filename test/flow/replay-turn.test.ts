import { expect, test } from 'vitest'
import type { OrderGroup } from '../../src/core/message.ts'
import type { Order, Patient } from '../../src/core/order.ts'
import type { Change, World } from '../../src/core/world.ts'
import { judge, takeTurn, type ReplayEntry } from '../../src/flow/replay-turn.ts'
import { anna, group } from '../stories/support.ts'

const header = (sent: string): string => `MSH|^~\\&|RIS|H|W|H|${sent}||ORM^O01|1|P|2.3.1\r`

const order: Order = {
  id: 'O10-1',
  version: 10,
  source: 'ris',
  numbers: { authority: 'ris', accessionNumber: 'A1' },
  patientKey: anna.key,
  studyInstanceUid: '1.2.3',
  request: { RequestedProcedureDescription: 'CT' },
  received: `${header('20260301090000')}PID|1`,
  steps: [],
  told: [],
  createdAt: '2026-10-16T08:15:00.000Z',
  changedAt: '2026-10-16T08:15:00.000Z',
  sentAt: '20260301090000',
}

function worldOf(orders: readonly Order[], patients: readonly Patient[] = []): World {
  return {
    orders: (by) => orders.filter((one) => (by.by === 'order' ? one.id === by.id : by.by === 'patient')),
    patient: (key) => patients.find((one) => one.key === key),
    studies: () => [],
    tombstone: () => undefined,
    has: () => true,
  }
}

const entry = (of: number, was: ReplayEntry['replay']['was'] = { kind: 'invalid', faults: [] }): ReplayEntry => ({
  kind: 'message',
  seq: 100,
  at: '2026-10-16T09:00:00.000Z',
  messageId: `M${of}`,
  source: 'ris',
  planId: 'p',
  replay: { by: 'jo', reason: 'x', of, was },
})

const said = (sent: string): readonly OrderGroup[] => [{ ...group(), received: `${header(sent)}PID|1` }]
const orderChange = (after: Order): Change => ({ kind: 'order', order: after, items: [], withdrawn: [] })
const changed: Order = { ...order, version: 100, request: { RequestedProcedureDescription: 'MR' } }

test.each([
  ['changes an order that nothing came after', order, 20, '20260301091500', changed, 'applied'],
  [
    'changes an order that was changed after it came',
    { ...order, version: 30 },
    20,
    '20260301091500',
    changed,
    'stale',
  ],
  [
    'changes an order that was sent something later',
    { ...order, sentAt: '20260301100000' },
    20,
    '20260301091500',
    changed,
    'stale',
  ],
  ['has no time, and the order is older', { ...order, version: 15 }, 20, '', changed, 'applied'],
  [
    'comes after the replay of something older',
    { ...order, version: 90, asOf: 15 },
    20,
    '20260301091500',
    changed,
    'applied',
  ],
  [
    'comes after the replay of something newer',
    { ...order, version: 90, asOf: 25 },
    20,
    '20260301091500',
    changed,
    'stale',
  ],
  [
    'changes nothing that anybody sees of a newer order',
    { ...order, version: 30 },
    20,
    '',
    { ...order, version: 100 },
    'already-applied',
  ],
  [
    'changes nothing at all',
    order,
    20,
    '20260301091500',
    { ...order, version: 100, receivedBy: 100 },
    'already-applied',
  ],
  [
    'says more than is seen, and is the newest',
    order,
    20,
    '20260301091500',
    { ...order, version: 100, received: `${header('20260301091500')}PID|2` },
    'applied',
  ],
] as const)('a replay that %s: %6$s', (_what, before, of, sent, after, outcome) => {
  expect(judge(worldOf([before]), entry(of), said(sent), [orderChange(after)])).toMatchObject({ outcome })
})

test('an order that was never there is made; one that was applied and is gone is not', () => {
  const made = [orderChange(changed)]
  expect(judge(worldOf([]), entry(20), said(''), made).outcome).toBe('applied')
  expect(judge(worldOf([]), entry(20, { kind: 'applied' }), said(''), made)).toMatchObject({ stale: 'order-gone' })
})

const renamed: Patient = { ...anna, attributes: { ...anna.attributes, PatientName: 'Older^Name' } }
test.each([
  ['known before', anna, [order], 20, 'applied'],
  ['named otherwise since', { ...anna, restated: { PatientName: 30 } }, [order], 20, 'stale'],
  ['described for a later order', anna, [{ ...order, id: 'O30-1', version: 30 }], 20, 'stale'],
  [
    'described for a later order that is a replay of something older',
    anna,
    [{ ...order, id: 'O30-1', version: 30, asOf: 15 }],
    20,
    'applied',
  ],
] as const)('a replay that renames a patient who was %s', (_what, known, orders, of, outcome) => {
  const found = judge(worldOf(orders, [known]), entry(of), [], [{ kind: 'patient', patient: renamed }])
  expect(found).toMatchObject({ outcome, differences: [{ about: 'patient', attribute: 'PatientName' }] })
})

test.each([
  ['invalid', { kind: 'invalid', faults: [] }, { kind: 'invalid', faults: [] }],
  ['applied', { kind: 'applied' }, { kind: 'applied' }],
  ['an edit', { kind: 'waiting' }, { kind: 'dead', fault: { code: 'E830' } }],
] as const)('what is refused as stale is again what it was, and changes nothing: %s', (_what, was, state) => {
  const one = entry(20, was)
  const made = [orderChange(changed)]
  const judged = judge(worldOf([{ ...order, version: 30 }]), one, said(''), made)
  expect(takeTurn(one, judged, made)).toMatchObject([{ kind: 'state', state, outcome: { outcome: 'stale', seq: 100 } }])
  const forced = { ...one, replay: { ...one.replay, force: true } } as const
  expect(takeTurn(forced, judged, made).map(({ kind }) => kind)).toEqual(['order', 'state'])
})

test('how often a dead letter was tried is counted on', () => {
  const fault = { code: 'E602', hl7Code: 205, params: {} } as const
  const one = entry(20, { kind: 'dead', fault, attempts: 2 })
  const made: Change[] = [
    { kind: 'state', messageId: 'M20', source: 'ris', state: { kind: 'dead', fault, attempts: 1 } },
  ]
  const judged = judge(worldOf([]), one, [], made)
  expect(takeTurn(one, judged, made)).toMatchObject([
    { state: { kind: 'dead', attempts: 3 }, outcome: { outcome: 'dead' } },
  ])
})
