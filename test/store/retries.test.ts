import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Lease, Store } from '../../src/core/ports.ts'
import type { RetryPlan } from '../../src/core/retry.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, message, now, openStore, order } from './support.ts'

let redis: TestRedis
let store: Store
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  store = await openStore(redis.path)
})
afterEach(() => store.close())

const plan: RetryPlan = {
  failures: 7,
  since: '2026-10-16T08:00:00.000Z',
  at: '2026-10-16T08:04:00.000Z',
  next: '2026-10-16T08:05:00.000Z',
  code: 'E702',
  class: 'ambiguous',
}

async function lease(of: Store): Promise<Lease> {
  const taken = await of.lease('deliver:ris', { takeOver: true })
  if (taken === undefined) throw new Error('no lease')
  return taken
}

test('I7: how a receiver is being tried again outlives the process that tried it, and every process knows it', async () => {
  expect(await store.retryPlan('ris')).toBeUndefined()
  expect(await store.keepRetryPlan(await lease(store), plan)).toBe('kept')
  const other = await openStore(redis.path)
  try {
    expect(await other.retryPlan('ris')).toEqual(plan)
    expect((await other.state('ris')).retry).toEqual(plan)
    expect(await other.retryPlan('archive')).toBeUndefined()
  } finally {
    await other.close()
  }
})

test('I3: who has lost the role changes the plan no more', async () => {
  const old = await lease(store)
  const now = await lease(store)
  await store.keepRetryPlan(now, plan)
  expect(await store.keepRetryPlan(old, undefined)).toBe('fenced')
  expect(await store.retryPlan('ris')).toEqual(plan)
  expect(await store.keepRetryPlan(now, undefined)).toBe('kept')
  expect(await store.retryPlan('ris')).toBeUndefined()
})

test('what the oldest waits for is told, while it waits: AR, how often, and until when', async () => {
  await store.accept(message({ controlId: '1' }))
  await apply(store, (seqs) => [
    { kind: 'order', order: order('O1', seqs[0] ?? 0), items: [], withdrawn: [] },
    { kind: 'send', endpoint: 'ris', lane: 'O1', controlId: 'C1', bytes: Buffer.from('x'), at: now },
  ])
  const mine = await lease(store)
  const [one] = await store.owed('ris', 1)
  expect((await store.state('ris')).deferred).toBeUndefined()
  const next = '2026-10-16T09:00:00.000Z'
  await store.settle(mine, one?.id ?? '', { kind: 'retry', at: now, notBefore: next, reason: 'AR' })
  expect((await store.state('ris')).deferred).toEqual({ reason: 'AR', attempts: 1, next })
  await store.settle(mine, one?.id ?? '', { kind: 'delivered', at: now, acknowledgmentCode: 'AA' })
  expect((await store.state('ris')).deferred).toBeUndefined()
})
