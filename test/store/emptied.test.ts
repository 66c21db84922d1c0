import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { message, now, openStore, otherLimits } from './support.ts'

let redis: TestRedis
let other: Redis
beforeAll(async () => {
  redis = await startRedis({ aof: false })
  other = new Redis({ path: redis.path })
})
afterAll(async () => {
  other.disconnect()
  await redis.stop()
})

const command = { kind: 'reconsider', orderId: 'O1' } as const
const by = { by: 'night shift', reason: 'why', at: now }
const advance = { orthanc: 'pacs', expected: undefined, next: { seq: 1, identity: '' }, at: now, events: [] }
const row = { number: 1, change: 'Deleted', level: 'Study', resource: 'st', study: 'st', at: now } as const
const limits = { ...otherLimits, messageDays: 1, messageCount: 1, orderDays: 1, orderCount: 1 }

const writers: [string, (store: Store) => Promise<unknown>][] = [
  ['a message', (store) => store.accept(message({ controlId: '2' }))],
  ['what Orthanc tells', (store) => store.acceptEvents({ ...advance, caughtUp: true, passed: ['Study/a'] })],
  ['what its plugin brings', (store) => store.acceptChanges({ orthanc: 'pacs', spool: 's', rows: [row], at: now })],
  ['what a person does', (store) => store.acceptManual({ ...by, command })],
  ['a pause', (store) => store.pause('ris', { ...by, paused: true })],
  ['what is remembered of the site', (store) => store.rememberOfSite('clock', '{}')],
  ['a plan', (store) => store.remember('plan', 'text')],
  ['a role', (store) => store.lease('drain')],
  ['an attempt', (store) => store.beginAttempt('P1', 1)],
  ['drift', (store) => store.soil('folder', ['O1-1-CT1'])],
  ['retention', (store) => store.retain(now, limits)],
  ['a look at the counters', (store) => store.recount('check')],
]

test.each(writers)('I10: nothing is written into a store that was emptied just now: %s', async (_what, write) => {
  await other.flushall()
  const store = await openStore(redis.path)
  try {
    await store.accept(message({ controlId: '1' }))
    await other.flushall()
    await write(store).catch((error: unknown) => expect(error).toMatchObject({ code: 'E501' }))
    expect(await other.keys('*')).toEqual([])
  } finally {
    await store.close()
  }
})
