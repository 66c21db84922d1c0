import { array, assert, asyncProperty, constant, constantFrom, oneof, record } from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { messageStates, type MessageState } from '../../src/core/message.ts'
import type { Store, StoreCounters } from '../../src/core/ports.ts'
import { Redis } from 'ioredis'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, message, now, openStore, order } from './support.ts'

let redis: TestRedis
let client: Redis
let store: Store

beforeAll(async () => {
  redis = await startRedis({ aof: false })
  client = new Redis({ path: redis.path })
  store = await openStore(redis.path)
})
beforeEach(async () => {
  await store.close()
  await client.flushall()
  store = await openStore(redis.path)
})
afterAll(async () => {
  await store.close()
  client.disconnect()
  await redis.stop()
})

const fault = { code: 'E602', hl7Code: 207, params: {} } as const
const state = (kind: string): MessageState =>
  kind === 'ignored'
    ? { kind, rule: 'r' }
    : kind === 'invalid'
      ? { kind, faults: [fault] }
      : kind === 'dead'
        ? { kind, fault, attempts: 1 }
        : { kind: kind === 'applied' ? kind : 'waiting' }

function sums({ sources, destinations }: StoreCounters): readonly string[] {
  return [
    ...sources.flatMap(({ source, received, waiting, applied, ignored, invalid, dead }) =>
      received === waiting + applied + ignored + invalid + dead ? [] : [source],
    ),
    ...destinations.flatMap(({ destination, queued, waiting, delivered, dead, discarded }) =>
      queued === waiting + delivered + dead + discarded ? [] : [destination],
    ),
  ]
}

test('whatever happens to messages and status messages, the sums hold and a recount finds nothing', async () => {
  const act = oneof(
    record({
      do: constant('accept' as const),
      source: constantFrom('ris', 'pacs'),
      kind: constantFrom('waiting', 'ignored', 'invalid'),
    }),
    record({ do: constant('apply' as const), kind: constantFrom('applied', 'ignored', 'dead') }),
    record({ do: constant('settle' as const), kind: constantFrom('delivered', 'refused', 'retry') }),
    constant({ do: 'retain' as const }),
  )
  let control = 0
  await assert(
    asyncProperty(array(act, { maxLength: 25 }), async (acts) => {
      for (const one of acts) {
        switch (one.do) {
          case 'accept':
            await store.accept(message({ controlId: `C${control++}`, source: one.source, state: state(one.kind) }))
            break
          case 'apply': {
            const waiting = await store.pending(await store.applied(), 1000)
            await apply(store, (seqs) => [
              ...waiting.map(({ seq }) => ({
                kind: 'state' as const,
                messageId: `M${seq}`,
                source: 'ris',
                state: state(one.kind),
              })),
              ...seqs.slice(0, 1).map((seq) => ({
                kind: 'send' as const,
                endpoint: 'told',
                lane: `O${seq}`,
                controlId: `S${seq}`,
                at: now,
                bytes: Buffer.from('MSH'),
              })),
            ])
            break
          }
          case 'settle': {
            const lease = await store.lease('deliver:told', { takeOver: true })
            const [owed] = await store.owed('told', 1)
            if (lease === undefined || owed === undefined) break
            await store.settle(
              lease,
              owed.id,
              one.kind === 'retry'
                ? { kind: 'retry', at: now, notBefore: now, reason: 'AR' }
                : ({ kind: one.kind as 'delivered', at: now, acknowledgmentCode: 'AA', reason: '' } as never),
            )
            await lease.release()
            break
          }
          case 'retain':
            await store.retain('2026-12-24T00:00:00.000Z', {
              messageDays: 1,
              messageCount: 100,
              orderDays: 1,
              orderCount: 100,
              duplicateDays: 1,
              duplicateCount: 100,
            } as never)
            break
        }
      }
      expect(sums(await store.counters())).toEqual([])
      expect(await store.recount('look')).toEqual([])
    }),
    { numRuns: 40 },
  )
  expect((await store.counters()).sources.length).toBe(2)
})

test('of each source and destination it is known how long the oldest has waited', async () => {
  expect((await store.counters()).sources).toEqual([])
  await store.accept(message({ controlId: 'A', source: 'a' }))
  await store.accept(message({ controlId: 'B', source: 'b', state: { kind: 'ignored', rule: 'r' } }))
  const { sources } = await store.counters()
  expect(sources.map(({ source, oldestSeconds }) => [source, oldestSeconds === undefined ? 'none' : 'some'])).toEqual([
    ['a', 'some'],
    ['b', 'none'],
  ])
  await apply(store, ([seq = 0]) => [
    { kind: 'state', messageId: `M${seq}`, source: 'a', state: { kind: 'applied' } },
    { kind: 'send', endpoint: 'told', lane: 'O1', controlId: 'S1', at: now, bytes: Buffer.from('MSH') },
  ])
  const later = await store.counters()
  expect(later.sources.map(({ oldestSeconds }) => oldestSeconds)).toEqual([undefined, undefined])
  expect(later.destinations).toEqual([
    { destination: 'told', queued: 1, waiting: 1, delivered: 0, dead: 0, discarded: 0, oldest: now },
  ])
})

test('a counter that something else has changed is found, said and put right', async () => {
  for (const controlId of ['A', 'B', 'C']) await store.accept(message({ controlId }))
  await apply(store, (seqs) => [
    { kind: 'order', order: order('O1', 1), items: [], withdrawn: [] },
    { kind: 'state', messageId: `M${seqs[0]}`, source: 'ris', state: { kind: 'applied' } },
    { kind: 'send', endpoint: 'told', lane: 'O1', controlId: 'S1', at: now, bytes: Buffer.from('MSH') },
  ])
  expect(await store.recount('check'), 'the first one begins with what is there').toEqual([])
  const before = await store.counters()
  await client.hincrby('wl:counts', 'applied\nris', 5)
  await client.hset('wl:sent', 'queued\ntold', 7)
  const found = [
    { source: 'ris', what: 'applied', counted: 6, found: 1 },
    { destination: 'told', what: 'queued', counted: 7, found: 1 },
  ]
  expect(await store.recount('look')).toEqual(found)
  expect(await store.recount('look'), 'a look changes nothing').toEqual(found)
  expect(await store.recount('check')).toEqual(found)
  expect(await store.recount('check')).toEqual([])
  expect((await store.counters()).destinations).toEqual(before.destinations)
  expect((await store.counters()).sources.map(({ received }) => received)).toEqual([3])
})

test('lists that lack a message are put right with the counters', async () => {
  for (const controlId of ['A', 'B', 'C']) await store.accept(message({ controlId }))
  await store.recount('check')
  const [id = ''] = await client.zrange('wl:messages:waiting', '0', '0')
  await client.zrem('wl:messages:waiting', id)
  await client.zadd('wl:waiting:ris', 1, 'M1')
  await store.recount('check')
  expect(await client.zcard('wl:messages:waiting')).toBe(3)
  expect(await client.zcard('wl:waiting:ris')).toBe(3)
})

test('a store of before begins to count with what it has', async () => {
  for (const controlId of ['A', 'B', 'C']) await store.accept(message({ controlId }))
  // As an engine of before has left it: one applied message removed by retention, three status messages told, one refused and forgotten.
  await client.hincrby('wl:counts', 'received\nris', 1)
  await client.hincrby('wl:counts', 'applied\nris', 1)
  await client.hset('wl:sent', 'delivered\ntold', 3, 'refused\ntold', 1)
  await client.del('wl:waiting:ris', 'wl:removed', 'wl:counted')
  expect(await store.recount('check')).toEqual([])
  expect(await store.recount('look')).toEqual([])
  const { sources, destinations } = await store.counters()
  expect(
    sources.map(({ received, waiting, applied, oldestSeconds }) => [received, waiting, applied, typeof oldestSeconds]),
  ).toEqual([[4, 3, 1, 'number']])
  expect(destinations).toEqual([
    { destination: 'told', queued: 4, waiting: 0, delivered: 3, dead: 0, discarded: 1, oldest: undefined },
  ])
})

test('every state of a message has a counter', async () => {
  await store.accept(message({ controlId: 'A' }))
  const [counts] = (await store.counters()).sources
  expect(Object.keys(counts ?? {})).toEqual(expect.arrayContaining([...messageStates]))
})
