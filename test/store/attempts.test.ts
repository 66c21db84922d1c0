import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { openStore } from './support.ts'

let redis: TestRedis
let store: Store
beforeAll(async () => {
  redis = await startRedis({ aof: false })
  store = await openStore(redis.path)
})
afterAll(async () => {
  await store.close()
  await redis.stop()
})

test('I3: of processes that have begun to apply the same, each counts once, until it says that it lives', async () => {
  expect(await store.beginAttempt('P1', 7)).toBe(1)
  expect(await store.beginAttempt('P1', 7)).toBe(1)
  expect(await store.beginAttempt('P2', 7)).toBe(2)
  await store.endAttempt('P1')
  expect(await store.beginAttempt('P3', 7)).toBe(2)
  // Who was at something else has come further.
  expect(await store.beginAttempt('P3', 9)).toBe(1)
  expect(await store.beginAttempt('P2', 7)).toBe(1)
})
