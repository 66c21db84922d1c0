import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { createDrainer } from '../../src/flow/drain.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { keptLog, keptMetrics } from '../flow/fakes.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, message, now, openStore, order } from './support.ts'

let redis: TestRedis
let client: Redis
let store: Store
const log = keptLog()

beforeEach(async () => {
  redis = await startRedis({ aof: false })
  client = new Redis({ path: redis.path })
  store = await openStore(redis.path, { log })
})
afterEach(async () => {
  await store.close()
  client.disconnect()
  await redis.stop()
})

test('I3: an inbox entry that is no longer readable is a dead letter, and the next one is applied', async () => {
  for (const controlId of ['A', 'B', 'C']) await store.accept(message({ controlId }))
  const [, second] = await client.xrange('wl:inbox', '-', '+')
  const id = second?.[0] ?? ''
  // A stream entry cannot be changed: as after a repair of the file by hand, another one is in its place.
  const later = await client.xrange('wl:inbox', `(${id}`, '+')
  const entries = await client.xrange('wl:inbox', '-', '+')
  await client.del('wl:inbox')
  for (const [seq, fields] of entries)
    await client.xadd('wl:inbox', seq, 'e', seq === id ? '{"kind":' : (fields[1] ?? ''))
  expect(later).toHaveLength(1)
  const drain = createDrainer({
    ledger: store,
    rules: { status: { render: () => [] }, completion: { policy: 'quiet', quietSeconds: 1800 } },
    memo: createVerdictMemo(),
    plan: async () => undefined,
    reading: () => ({}),
    log,
    metrics: keptMetrics(),
    committed: () => undefined,
  })
  const lease = await store.lease('drain')
  if (lease === undefined) throw new Error('no lease')
  await drain(lease)
  const { items } = await store.messages({ limit: 10 })
  expect(items.map(({ state }) => state.kind)).toEqual(['dead', 'dead', 'dead'])
  expect(await store.recount('look')).toEqual([])
})

test('I3: a key that something else has damaged costs what was to be written to it, and is said', async () => {
  const damaged = order('O1', 1, { patientKey: '1^^^H' })
  const well = order('O2', 1, { patientKey: '2^^^H' })
  await store.accept(message({ controlId: 'A' }))
  await store.accept(message({ controlId: 'B' }))
  await client.set('wl:h:O1', 'written by something else')
  const outcome = await apply(store, (seqs) => [
    { kind: 'order', order: damaged, items: [], withdrawn: [] },
    { kind: 'history', orderId: 'O1', cause: 1, at: now, what: 'made' },
    ...seqs.map((seq) => ({ kind: 'state', messageId: `M${seq}`, source: 'ris', state: { kind: 'applied' } }) as const),
    { kind: 'order', order: well, items: [], withdrawn: [] },
    { kind: 'history', orderId: 'O2', cause: 1, at: now, what: 'made' },
  ])
  expect(outcome).toBe('committed')
  expect((await store.order('O1'))?.id).toBe('O1')
  expect((await store.history('O2')).map(({ what }) => what)).toEqual(['made'])
  expect(log.said('error').at(-1)).toBe('store refused a part of a change')
  expect(await store.recount('look')).toEqual([])
})
