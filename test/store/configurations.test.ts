import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { now, openStore } from './support.ts'

let redis: TestRedis
let store: Store
beforeAll(async () => {
  redis = await startRedis()
  store = await openStore(redis.path)
})
afterAll(async () => {
  await store.close()
  await redis.stop()
})

const plans = { ris: 'p1' }

function activate(version: string, texts: Readonly<Record<string, string>>, before?: number) {
  const one = { version, at: now, how: 'reload', by: 'me', engine: 'pc 1', plans } as const
  return store.activate(before === undefined ? one : { ...one, before }, texts)
}

test('what was in force is kept with its files, newest first, and none grows without end', async () => {
  expect(await store.activations()).toEqual([])
  const shared = { 'worklane.yaml': 'bind: 127.0.0.1\n' }
  const first = await activate('v0', { ...shared, 'tables/t.csv': 'a,b\nÄ,1\n' })
  expect(first).toMatchObject({ number: 1, version: 'v0' })
  const second = await activate('v1', { ...shared, 'tables/t.csv': '' }, 1)
  expect(await store.activations()).toEqual([second, first])
  expect(await store.activations(1)).toEqual([second])
  expect(await store.texts('v0')).toEqual({ ...shared, 'tables/t.csv': 'a,b\nÄ,1\n' })
  expect(await store.texts('v1')).toEqual({ ...shared, 'tables/t.csv': '' })
  expect(await store.texts('other')).toBeUndefined()

  for (let at = 2; at < 120; at++) await activate(`v${at}`, { ...shared, 'tables/t.csv': `row ${at}` }, at)
  expect(await store.activations()).toHaveLength(100)
  expect(await store.texts('v0')).toBeUndefined()
  expect(await store.texts('v119')).toEqual({ ...shared, 'tables/t.csv': 'row 119' })
})

test('I10: a store that was emptied is given no version: nothing may make it look like one that is in use', async () => {
  const client = new Redis({ path: redis.path })
  try {
    await client.flushall()
    await expect(activate('v1', { 'worklane.yaml': '' })).rejects.toMatchObject({ code: expect.stringMatching(/^E5/) })
    expect(await client.keys('wl:configur*')).toEqual([])
  } finally {
    client.disconnect()
  }
})
