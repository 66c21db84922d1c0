import { expect, test } from 'vitest'
import type { StoredMessage } from '../../src/core/message.ts'
import type { HistoryLine, PauseChange, SentMessage } from '../../src/core/ports.ts'
import { tell } from '../../src/flow/story.ts'

const at = (minute: number): string => `2026-10-16T08:${String(minute).padStart(2, '0')}:00.000Z`

function came(seq: number, minute: number, fields: Partial<StoredMessage> = {}): StoredMessage {
  return {
    id: `M${seq}`,
    seq,
    source: 'ris',
    controlId: `C${seq}`,
    type: 'ORM^O01',
    pipeline: 'orders',
    planId: 'p',
    at: at(minute),
    acknowledgmentCode: 'AA',
    state: { kind: 'applied' },
    bytes: 1,
    ...fields,
  }
}

function history(cause: number, minute: number, what: string, fields: Partial<HistoryLine> = {}): HistoryLine {
  return { cause, at: at(minute), what, ...fields }
}

function sent(cause: number, minute: number, fields: Partial<SentMessage> = {}): SentMessage {
  return { endpoint: 'ris', controlId: `W${cause}`, at: at(minute), cause, state: 'delivered', attempts: 1, ...fields }
}

const nothing = { history: [], sent: [], messages: [], pauses: new Map<string, readonly PauseChange[]>() }
const told = (parts: Partial<Parameters<typeof tell>[0]>): string[] =>
  tell({ ...nothing, ...parts }).map(({ cause, causedBy, messageId, controlId, what }) =>
    [cause ?? '-', causedBy, messageId ?? '-', controlId ?? '-', what].join(' '),
  )

test('the message comes first, then what it did, what was to be told, and what became of that', () => {
  expect(
    told({
      sent: [sent(2, 5, { event: 'started', pipeline: 'status', attempts: 3, settledAt: at(6) })],
      history: [
        history(1, 0, 'NW created: 1 SCHEDULED', { messageId: 'M1', causedBy: 'message' }),
        history(2, 5, 'started by images: 1 STARTED', { causedBy: 'images' }),
        history(2, 6, 'ris took it: AA', { causedBy: 'delivery', controlId: 'W2' }),
      ],
      messages: [came(1, 0)],
    }),
  ).toEqual([
    '1 message M1 C1 ORM^O01 came from ris, answered AA: applied',
    '1 message M1 C1 NW created: 1 SCHEDULED',
    '2 images - - started by images: 1 STARTED',
    '2 images - W2 ris is to be told started by pipeline status',
    '2 delivery - W2 ris took it: AA, sent 3 times',
  ])
})

test.each([
  [{ kind: 'waiting' }, 'waits to be applied'],
  [{ kind: 'applied' }, 'applied, nothing of this order changed'],
  [{ kind: 'ignored', rule: 'unknown-order' }, 'ignored (unknown-order)'],
  [{ kind: 'invalid', faults: [{ code: 'E301', hl7Code: 103, params: {} }] }, 'refused (E301)'],
  [{ kind: 'dead', fault: { code: 'E601', hl7Code: 207, params: {} }, attempts: 1 }, 'dead letter (E601)'],
] as const)('a message that names the order and did nothing to it is told as it ended: %o', (state, what) => {
  const [line] = tell({ ...nothing, messages: [came(1, 0, { state })] })
  expect(line?.what).toContain(what)
})

test('what still waits is told with how often it was sent and why it was not taken', () => {
  const waiting = { state: 'waiting', event: 'completed' } as const
  expect(told({ sent: [sent(1, 0, { ...waiting, attempts: 0 })] })).toEqual([
    '1 unknown - W1 ris is to be told completed: waits, not sent yet',
  ])
  expect(told({ sent: [sent(1, 0, { ...waiting, attempts: 4, reason: 'E702' })] })).toEqual([
    '1 unknown - W1 ris is to be told completed: waits, sent 4 times, last attempt: E702',
  ])
})

test('what was refused is told with the reason that the receiver gave', () => {
  const refused = { state: 'refused', acknowledgmentCode: 'AE', reason: 'AE 101', settledAt: at(1) } as const
  const line = history(1, 1, 'ris refused it: AE', { causedBy: 'delivery', controlId: 'W1' })
  expect(told({ sent: [sent(1, 0, refused)], history: [line] }).at(-1)).toBe(
    '1 delivery - W1 ris refused it: AE (AE 101)',
  )
})

test('by hand: who did it and why', () => {
  const line = history(3, 2, 'complete: 1 COMPLETED', { causedBy: 'manual', by: 'Ada', reason: 'images on film' })
  expect(tell({ ...nothing, history: [line] })).toEqual([
    {
      at: at(2),
      cause: 3,
      causedBy: 'manual',
      what: 'complete: 1 COMPLETED',
      by: 'Ada',
      reason: 'images on film',
    },
  ])
})

test('only the pauses during which something of the order waited are told, from both sides', () => {
  const changes: readonly PauseChange[] = [
    { paused: true, by: 'a', reason: 'before', at: at(0) },
    { paused: false, by: 'a', reason: '', at: at(1) },
    { paused: true, by: 'b', reason: 'RIS update', at: at(10) },
    { paused: false, by: 'c', reason: '', at: at(20) },
    { paused: true, by: 'd', reason: 'after', at: at(30) },
  ]
  const pauses = new Map([['ris', changes]])
  expect(told({ pauses, sent: [sent(1, 12, { settledAt: at(21) })] })).toEqual([
    '- pause - - ris was paused',
    '1 unknown - W1 ris is to be told',
    '- pause - - ris was resumed',
  ])
  expect(told({ pauses, sent: [sent(1, 2, { settledAt: at(3) })] })).toEqual(['1 unknown - W1 ris is to be told'])
  expect(told({ pauses, sent: [sent(1, 40, { state: 'waiting', attempts: 0 })] })).toContain(
    '- pause - - ris was paused',
  )
})
