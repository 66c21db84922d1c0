import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { message, openStore } from './support.ts'

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

const bodyOf = (n: number): Buffer => Buffer.from(`MSH|^~\\&|M\xfcller ${n}`, 'latin1')

async function accept(n: number, source: string): Promise<void> {
  const at = `2026-10-16T08:15:0${n}.000Z`
  await store.accept(message({ controlId: `C${n}`, source, at, body: bodyOf(n) }))
}

async function all(query: Omit<Parameters<Store['traffic']>[0], 'limit'>, limit = 2) {
  const found: { controlId: string; body: Uint8Array }[] = []
  let looked = 0
  for (let after: string | null | undefined; after !== null;) {
    const page = await store.traffic({ ...query, limit, ...(after === undefined ? {} : { after }) })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    found.push(...page.items)
    looked += page.looked
    after = page.next
  }
  return { found, looked }
}

test('kept messages come in the order in which they came, byte for byte, each once', async () => {
  for (const n of [1, 2, 3, 4, 5]) await accept(n, 'ris')
  const { found, looked } = await all({})
  expect(found.map(({ controlId }) => controlId)).toEqual(['C1', 'C2', 'C3', 'C4', 'C5'])
  expect(found.map(({ body }) => Buffer.from(body))).toEqual([1, 2, 3, 4, 5].map(bodyOf))
  expect(looked).toBe(5)
})

test('source and time leave out the others, which are looked through all the same', async () => {
  for (const n of [1, 2, 3, 4, 5]) await accept(n, n % 2 === 0 ? 'ris' : 'other')
  const query = { source: 'other', since: '2026-10-16T08:15:02.000Z', until: '2026-10-16T08:15:05.000Z' }
  const { found, looked } = await all(query, 1)
  expect(found.map(({ controlId }) => controlId)).toEqual(['C3'])
  expect(looked).toBe(5)
})

test('no message is left out or given twice where one reading ends and the next begins', async () => {
  const numbers = Array.from({ length: 230 }, (_, at) => at)
  const at = '2026-10-16T08:15:00.000Z'
  for (const n of numbers)
    await store.accept(message({ controlId: `C${n}`, source: n % 3 === 0 ? 'other' : 'ris', at, body: bodyOf(n) }))
  for (const limit of [7, 100, 500]) {
    const { found, looked } = await all({}, limit)
    expect(found.map(({ controlId }) => controlId)).toEqual(numbers.map((n) => `C${n}`))
    expect(looked).toBe(230)
    const others = await all({ source: 'other' }, limit)
    expect(others.found.map(({ controlId }) => controlId)).toEqual(
      numbers.filter((n) => n % 3 === 0).map((n) => `C${n}`),
    )
  }
})
