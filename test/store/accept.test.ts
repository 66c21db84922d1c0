import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually } from '../support/temporary.ts'
import { message, now, openStore } from './support.ts'

let redis: TestRedis
let store: Store
beforeEach(async () => {
  redis = await startRedis()
  store = await openStore(redis.path)
})
afterEach(async () => {
  await store.close()
  await redis.stop()
})

const waitingCount = async (): Promise<number> => (await store.pending(await store.applied(), 10_000)).length

test('I1: an accepted message waits in the inbox with its body, and is found again by its keys', async () => {
  const keys = {
    patientIds: ['4711'],
    accessionNumbers: ['A1'],
    placerOrderNumbers: ['P1'],
    fillerOrderNumbers: ['F1'],
  }
  const body = Buffer.from([0, 255, 13, 10, 0x1b, 0x24])
  const accepted = await store.accept(message({ controlId: '1', keys, body }))
  expect(accepted).toMatchObject({ kind: 'stored', reused: false })
  const [entry] = await store.pending(await store.applied(), 10)
  expect(entry).toEqual({
    kind: 'message',
    seq: 'seq' in accepted && accepted.seq,
    messageId: accepted.messageId,
    source: 'ris',
    planId: 'plan',
    at: now,
  })
  expect(await store.bodies([accepted.messageId, 'M1'])).toEqual([body, undefined])
  for (const query of [
    { accessionNumber: 'A1' },
    { patientId: '4711' },
    { orderNumber: 'P1' },
    { orderNumber: 'F1' },
    { controlId: '1' },
    { controlId: '1', accessionNumber: 'A1', state: 'waiting' as const, source: 'ris' },
  ]) {
    const found = await store.messages({ ...query, limit: 10 })
    expect({ query, ids: found.items.map(({ id }) => id) }).toEqual({ query, ids: [accepted.messageId] })
  }
  for (const query of [{ accessionNumber: 'A' }, { controlId: '1', source: 'other' }, { state: 'dead' as const }]) {
    expect(await store.messages({ ...query, limit: 10 })).toEqual({ items: [], total: 0, next: null })
  }
})

const cases: [string, Parameters<typeof message>[0], Parameters<typeof message>[0], string][] = [
  ['the same body again', { controlId: '1' }, { controlId: '1' }, 'again'],
  ['another body under the same MSH-10', { controlId: '1' }, { controlId: '1', fingerprint: 'x' }, 'reused'],
  ['the same MSH-10 from another source', { controlId: '1' }, { controlId: '1', source: 'his' }, 'stored'],
  ['an empty MSH-10 twice', { controlId: '' }, { controlId: '' }, 'stored'],
  [
    'again after an AE',
    { controlId: '1', acknowledgmentCode: 'AE', state: { kind: 'invalid', faults: [] } },
    { controlId: '1' },
    'stored',
  ],
  ['ignored with AA, again', { controlId: '1', state: { kind: 'ignored', rule: 'r' } }, { controlId: '1' }, 'again'],
]
test.each(cases)('I4: %s', async (_what, first, second, outcome) => {
  const one = await store.accept(message(first))
  const two = await store.accept(message(second))
  expect(two.kind === 'stored' && two.reused ? 'reused' : two.kind).toBe(outcome)
  if (two.kind === 'again') {
    expect(two.messageId).toBe(one.messageId)
    expect(Buffer.from(two.acknowledgment).toString()).toBe('MSA|AA|1')
  }
})

test('I4: a sender whose connections count alike: each body under one MSH-10 is known again, its own AA is said', async () => {
  const body = (fingerprint: string) =>
    message({ controlId: '1', fingerprint, acknowledgment: Buffer.from(fingerprint) })
  const ids = new Map<string, string>()
  for (const fingerprint of ['a', 'b', 'c']) {
    const stored = await store.accept(body(fingerprint))
    expect(stored).toMatchObject({ kind: 'stored', reused: fingerprint !== 'a' })
    ids.set(fingerprint, stored.messageId)
  }
  for (const fingerprint of ['a', 'c', 'b', 'a']) {
    const again = await store.accept(body(fingerprint))
    expect(again).toMatchObject({ kind: 'again', messageId: ids.get(fingerprint) })
    expect(again.kind === 'again' && Buffer.from(again.acknowledgment).toString()).toBe(fingerprint)
  }
  expect(await waitingCount()).toBe(3)
})

test('I4: what was refused under a reused MSH-10 is not remembered, and makes nothing else forgotten', async () => {
  const body = (fingerprint: string) => message({ controlId: '1', fingerprint })
  const one = await store.accept(body('a'))
  const refused = { acknowledgmentCode: 'AE', state: { kind: 'invalid', faults: [] } } as const
  expect(await store.accept({ ...body('b'), ...refused })).toMatchObject({ kind: 'stored', reused: true })
  expect(await store.accept(body('a'))).toMatchObject({ kind: 'again', messageId: one.messageId })
  expect(await store.accept(body('b'))).toMatchObject({ kind: 'stored', reused: true })
  expect(await store.accept(body('a'))).toMatchObject({ kind: 'again', messageId: one.messageId })
  // Of a dead letter that was answered AE, the next is judged afresh.
  await store.forgetMessage(body('a'), one.messageId)
  expect(await store.accept(body('a'))).toMatchObject({ kind: 'stored', reused: true })
})

test('I4: one MSH-10 for everything: as much is remembered as the window holds, and no more', async () => {
  const small = await openStore(redis.path, { againCount: 20 })
  const raw = new Redis({ path: redis.path })
  const body = (n: number) => message({ controlId: '1', fingerprint: `f${n}` })
  for (let n = 0; n < 100; n++) await small.accept(body(n))
  expect(await raw.llen('wl:agains')).toBe(20)
  expect(await raw.hlen('wl:again')).toBeLessThanOrEqual(20)
  expect(await small.accept(body(98))).toMatchObject({ kind: 'again' })
  expect(await small.accept(body(0))).toMatchObject({ kind: 'stored', reused: true })
  raw.disconnect()
  await small.close()
})

test('I1, I4: Redis killed under a stream of orders: each acknowledged one is there, none twice', async () => {
  const acknowledged = new Set<string>()
  const total = 300
  let next = 0
  async function sender(): Promise<void> {
    for (;;) {
      const number = next++
      if (number >= total) return
      // A sender that got no acknowledgment keeps the message and sends it again.
      await eventually(async () => {
        const accepted = await store.accept(message({ controlId: String(number) }))
        acknowledged.add(accepted.messageId)
        return true
      }, 'accepted at last')
    }
  }
  const senders = Promise.all(Array.from({ length: 16 }, sender))
  for (const at of [60, 150, 240]) {
    await eventually(() => acknowledged.size >= at, `${at} acknowledged`)
    await redis.kill()
    expect(await store.accept(message({ controlId: 'away' })).catch((error: unknown) => error)).toMatchObject({
      code: 'E501',
    })
    expect(store.isUp()).toBe(false)
    await redis.restart()
    await eventually(() => store.isUp(), 'the store is back by itself')
  }
  await senders
  const stored = await store.pending(await store.applied(), 10_000)
  const ids = stored.map((entry) => (entry.kind === 'message' ? entry.messageId : ''))
  expect(ids.toSorted()).toEqual([...acknowledged].toSorted())
  expect(ids).toHaveLength(total)
  expect((await store.counts())[0]).toMatchObject({ received: total, waiting: total })
})

test('I10: a store that was emptied while the engine ran takes nothing, and is not taken for the truth', async () => {
  await store.accept(message({ controlId: '1' }))
  const other = new Redis({ path: redis.path })
  await other.flushall()
  await expect(store.accept(message({ controlId: '2' }))).rejects.toMatchObject({ code: 'E501' })
  await expect(store.items(['O1-1-CT1'])).rejects.toMatchObject({ code: 'E501' })
  await eventually(() => store.trouble()?.code === 'E519', 'it says why')
  expect(store.isUp()).toBe(false)
  expect(await other.keys('*')).toEqual([])
  other.disconnect()
})

test('I6: events enter the inbox with the cursor, and only from where it was', async () => {
  const events = [{ event: 'seen' as const, study: 'st', series: [] }]
  const step = { orthanc: 'pacs', at: now, events }
  const one = { seq: 5, identity: 'db1' }
  expect(await store.acceptEvents({ ...step, expected: undefined, next: one, caughtUp: false })).toBe('stored')
  expect(await store.acceptEvents({ ...step, expected: undefined, next: one, caughtUp: false })).toBe('moved')
  expect(await store.cursor('pacs')).toEqual({ ...one, caughtUpAt: undefined })
  const two = { seq: 9, identity: 'db1' }
  expect(await store.acceptEvents({ ...step, expected: one, next: two, caughtUp: true })).toBe('stored')
  expect(await store.cursor('pacs')).toEqual({ ...two, caughtUpAt: now })
  expect(await store.cursor('other')).toBeUndefined()
  expect(await waitingCount()).toBe(2)
})

test('I6: what is passed by is kept with the cursor that passes it, until it is made good', async () => {
  const step = {
    orthanc: 'pacs',
    at: now,
    events: [{ event: 'seen' as const, study: 'st', series: [] }],
    caughtUp: true,
  }
  const [one, two] = [
    { seq: 5, identity: 'db1' },
    { seq: 9, identity: 'db1' },
  ]
  const passed = ['Study/a', 'Instance/b']
  expect(await store.acceptEvents({ ...step, expected: undefined, next: one, passed })).toBe('stored')
  expect(await store.acceptEvents({ ...step, expected: undefined, next: two, passed: ['Study/c'] })).toBe('moved')
  expect((await store.passedBy('pacs', 10)).toSorted()).toEqual(['Instance/b', 'Study/a'])
  expect([await store.passedBy('pacs', 1), await store.passedBy('other', 10)]).toEqual([[expect.any(String)], []])
  // One of them could not be read after all.
  const madeGood = ['Study/a', 'Instance/b']
  expect(await store.acceptEvents({ ...step, expected: one, next: two, madeGood, passed: ['Study/a'] })).toBe('stored')
  expect(await store.passedBy('pacs', 10)).toEqual(['Study/a'])
  expect(await waitingCount()).toBe(2)
})
