import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Command } from '../../src/core/inbox.ts'
import type { Order, Study } from '../../src/core/order.ts'
import type { Store } from '../../src/core/ports.ts'
import type { Change, ExamRules } from '../../src/core/world.ts'
import { createDrainer } from '../../src/flow/drain.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { createPreview } from '../../src/flow/preview.ts'
import { keptMetrics } from '../flow/fakes.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, now, openStore, order, silent } from './support.ts'

let redis: TestRedis
let store: Store
beforeEach(async () => {
  redis = await startRedis({ aof: false })
  store = await openStore(redis.path)
})
afterEach(async () => {
  await store.close()
  await redis.stop()
})

/** A RIS that is told everything. */
const rules: ExamRules = {
  status: {
    render: (event) => [
      { endpoint: 'ris', controlId: event.controlId(0), bytes: Buffer.from(event.kind), pipeline: 'status' },
    ],
  },
  completion: { policy: 'quiet', quietSeconds: 1800 },
}

const step = (key: string, stepStatus: Order['steps'][number]['stepStatus']) => ({
  key,
  stepStatus,
  stations: ['CT1'],
  attributes: { Modality: 'CT', ScheduledProcedureStepStartDate: '20261016' },
  flags: [],
})

const anOrder = order('O1-0', 1, {
  steps: [step('1', 'STARTED'), step('2', 'SCHEDULED')],
  told: ['IP'],
  firstImageAt: now,
  lastImageAt: now,
})

const aStudy: Study = {
  key: 'main/s1',
  orthanc: 'main',
  studyInstanceUid: '9.9',
  accessionNumber: '',
  patientId: '4711',
  issuerOfPatientId: 'HOSP',
  series: [],
  stable: false,
  deleted: false,
  credit: { kind: 'unmatched' },
  firstImageAt: now,
  lastImageAt: now,
}

const commands: readonly (readonly [string, Command])[] = [
  ['complete', { kind: 'complete', orderId: 'O1-0' }],
  ['complete one step', { kind: 'complete', orderId: 'O1-0', step: '2' }],
  ['cancel', { kind: 'cancel', orderId: 'O1-0' }],
  ['cancel one step', { kind: 'cancel', orderId: 'O1-0', step: '2' }],
  ['reopen what has not ended', { kind: 'reopen', orderId: 'O1-0' }],
  ['link', { kind: 'link', orderId: 'O1-0', study: 'main/s1' }],
  ['unlink', { kind: 'unlink', orderId: 'O1-0', study: 'main/s1' }],
]

test.each(commands)('%s: what is shown before is what happens, and showing it changes nothing', async (_, command) => {
  const changes: Change[] = [
    { kind: 'order', order: anOrder, items: [], withdrawn: [] },
    { kind: 'study', study: aStudy },
  ]
  await store.acceptManual({ by: 'test', reason: 'test', command: { kind: 'expire', orderId: 'O0-0' }, at: now })
  expect(await apply(store, () => changes)).toBe('committed')

  const entry = { by: 'mtra3', reason: 'seen', command }
  const shown = await createPreview({ ledger: store, rules: () => rules, clock: () => now })(entry)
  expect(await store.order('O1-0')).toEqual(anOrder)
  expect(await store.pending(await store.applied(), 10)).toEqual([])

  await store.acceptManual({ ...entry, at: now })
  const drain = createDrainer({
    ledger: store,
    rules,
    memo: createVerdictMemo(),
    plan: () => Promise.resolve(undefined),
    reading: () => ({}),
    log: silent,
    metrics: keptMetrics(),
    committed: () => undefined,
  })
  const lease = await store.lease('drain')
  if (lease === undefined) throw new Error('no lease')
  await drain(lease)
  const after = await store.order('O1-0')
  expect(shown.orders[0]?.steps.map(({ key, to }) => [key, to])).toEqual(
    after?.steps.map(({ key, stepStatus }) => [key, stepStatus]),
  )
  expect(shown.orders[0]?.steps.map(({ from }) => from)).toEqual(['STARTED', 'SCHEDULED'])
  const owed = await store.owed('ris', 100)
  expect(owed.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(shown.messages.map(({ event }) => event))
})
