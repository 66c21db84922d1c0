/**
 * I8: whatever the store holds and whatever the limits are, retention removes nothing that is still owed: what waits,
 * what a RIS has not taken, what a sender is to hear of its message, what is open or shown to modalities, dead letters that a person has had no time for. What is
 * none of that is within the limits afterwards.
 */
import * as fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MessageState } from '../../src/core/message.ts'
import type { StepStatus } from '../../src/core/order.ts'
import type { Store } from '../../src/core/ports.ts'
import type { Change } from '../../src/core/world.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, item, message, openStore, order } from './support.ts'

let redis: TestRedis
let raw: Redis
beforeAll(async () => {
  redis = await startRedis({ aof: false })
  raw = new Redis({ path: redis.path })
})
afterAll(async () => {
  raw.disconnect()
  await redis.stop()
})

const day = 86_400_000
const today = Date.UTC(2026, 9, 16)
const before = (days: number): string => new Date(today - days * day).toISOString()

const fault = { code: 'E601', hl7Code: 204, params: {} } as const
const states: Readonly<Record<MessageState['kind'], MessageState>> = {
  waiting: { kind: 'waiting' },
  applied: { kind: 'applied' },
  ignored: { kind: 'ignored', rule: 'r' },
  invalid: { kind: 'invalid', faults: [fault] },
  dead: { kind: 'dead', fault, attempts: 1 },
}
const age = fc.integer({ min: 0, max: 40 })
const messages = fc.array(
  fc.record({
    state: fc.constantFrom(...(Object.keys(states) as MessageState['kind'][])),
    days: age,
    /** Its application acknowledgment. */
    reply: fc.constantFrom('none', 'owed', 'heard'),
  }),
  { maxLength: 12 },
)
const stepStatuses = ['UNSCHEDULED', 'SCHEDULED', 'STARTED', 'COMPLETED', 'CANCELED', 'EXPIRED'] as const
const orders = fc.array(
  fc.record({
    steps: fc.array(fc.constantFrom<StepStatus>(...stepStatuses), { minLength: 1, maxLength: 3 }),
    days: age,
    served: fc.boolean(),
    dirty: fc.boolean(),
    /** What its status message has come to. */
    told: fc.constantFrom('nothing', 'owed', 'delivered', 'refused'),
    refusedDays: age,
  }),
  { maxLength: 8 },
)
const limits = fc.record({
  messageDays: fc.integer({ min: 1, max: 30 }),
  messageCount: fc.integer({ min: 0, max: 12 }),
  orderDays: fc.integer({ min: 1, max: 30 }),
  orderCount: fc.integer({ min: 0, max: 8 }),
  deadLetterDays: fc.integer({ min: 1, max: 30 }),
  deadLetterCount: fc.integer({ min: 0, max: 6 }),
  mergedPatientDays: fc.constant(3650),
  mergedPatientCount: fc.constant(1000),
  duplicateDays: fc.integer({ min: 1, max: 30 }),
  duplicateCount: fc.integer({ min: 0, max: 12 }),
})

type Messages = typeof messages extends fc.Arbitrary<infer T> ? T : never
type Orders = typeof orders extends fc.Arbitrary<infer T> ? T : never

const ended = new Set<StepStatus>(['COMPLETED', 'CANCELED', 'EXPIRED'])

/** Accepts oldest first, as it would have been. */
async function furnish(store: Store, all: Messages, made: Orders): Promise<ReadonlyMap<string, Messages[number]>> {
  const kept = new Map<string, Messages[number]>()
  await store.accept(message({ controlId: 'first', at: before(41) }))
  await apply(store, ([seq = 0]) => [
    { kind: 'state', messageId: `M${seq}`, source: 'ris', state: { kind: 'applied' } },
    ...made.flatMap(({ steps, days, served, told }, n): Change[] => {
      const o = order(`O${n}`, seq, {
        changedAt: before(days),
        steps: steps.map((stepStatus, at) => ({
          key: String(at),
          stepStatus,
          stations: [],
          attributes: {},
          flags: [],
        })),
      })
      const send = { kind: 'send', endpoint: 'ris', lane: o.id, controlId: `W${n}`, at: before(days) } as const
      return [
        { kind: 'order', order: o, items: [item(o, { served })], withdrawn: [] },
        ...(told === 'nothing' ? [] : [{ ...send, bytes: Buffer.from(`W${n}`) }]),
      ]
    }),
  ])
  const lease = await store.lease('deliver:ris')
  if (lease === undefined) throw new Error('no lease')
  for (const { id, controlId } of await store.owed('ris', 100)) {
    const { told, refusedDays } = made[Number(controlId.slice(1))] as Orders[number]
    const at = before(refusedDays)
    if (told === 'delivered') await store.settle(lease, id, { kind: told, at, acknowledgmentCode: 'AA' })
    if (told === 'refused') await store.settle(lease, id, { kind: told, at, acknowledgmentCode: 'AE', reason: 'AE' })
  }
  await lease.release()
  for (const [n, { dirty }] of made.entries())
    if (!dirty) await store.clean('folder', `O${n}-1-CT1`, Number.MAX_SAFE_INTEGER)
  for (const [n, one] of all.toSorted((a, b) => b.days - a.days).entries()) {
    const state = states[one.state]
    const owedTo = one.reply === 'none' ? {} : { owedTo: 'RIS|HOSP' }
    const stored = await store.accept(message({ controlId: String(n), at: before(one.days), state, ...owedTo }))
    if (one.reply === 'heard') await store.settleReplies('ris', 'RIS|HOSP', [stored.messageId])
    kept.set(stored.messageId, one)
  }
  return kept
}

test('I8: retention removes nothing that is owed, whatever the store holds, and keeps the rest within the limits', async () => {
  await fc.assert(
    fc.asyncProperty(messages, orders, limits, async (all, made, given) => {
      await raw.flushall()
      const store = await openStore(redis.path)
      try {
        const known = await furnish(store, all, made)
        const waitingBefore = await store.pending(await store.applied(), 100)
        const owedBefore = await store.owed('ris', 100)
        const deadBefore = [...known].filter(([, { state }]) => state === 'dead')
        await store.retain(before(0), given)

        const { items: left } = await store.messages({ limit: 100 })
        const ids = new Set(left.map(({ id }) => id))
        const waiting = [...known].filter(([, { state }]) => state === 'waiting').map(([id]) => id)
        expect(waiting.filter((id) => !ids.has(id))).toEqual([])
        const bodies = await store.bodies(waiting)
        expect(bodies.every((body) => body !== undefined)).toBe(true)
        const entries = await store.pending(await store.applied(), 100)
        expect(entries.slice(0, waitingBefore.length)).toEqual(waitingBefore)
        expect(await store.owed('ris', 100)).toEqual(owedBefore)

        const unheard = [...known].filter(([, { reply }]) => reply === 'owed').map(([id]) => id)
        expect(unheard.filter((id) => !ids.has(id))).toEqual([])
        expect(await store.owedReplies('ris', 'RIS|HOSP', 100)).toEqual(unheard)

        // Of the dead letters the newest, unless they are older than they may be.
        let excess = deadBefore.length - given.deadLetterCount
        const allowed = deadBefore.filter(([, { days, reply }]) => {
          const stays = reply === 'owed' || (excess <= 0 && days <= given.deadLetterDays)
          if (!stays) excess -= 1
          return stays
        })
        expect(deadBefore.filter(([id]) => ids.has(id)).map(([id]) => id)).toEqual(allowed.map(([id]) => id))

        for (const [n, { steps, served, told }] of made.entries()) {
          const isOpen = steps.some((status) => !ended.has(status))
          if (!isOpen && !served && told !== 'owed') continue
          expect({ n, kept: (await store.order(`O${n}`)) !== undefined }).toEqual({ n, kept: true })
        }
        expect(await store.servedIds()).toHaveLength(made.filter(({ served }) => served).length)

        // Within the limits is what may go.
        const others = left.filter(
          ({ id, state }) => state.kind !== 'waiting' && state.kind !== 'dead' && !unheard.includes(id),
        )
        for (const { id } of others) expect(known.get(id)?.days ?? 41).toBeLessThanOrEqual(given.messageDays)
        const stuck = left.length - others.length
        expect(others.length).toBeLessThanOrEqual(Math.max(0, given.messageCount - Math.min(stuck, given.messageCount)))
        const again = await raw.lrange('wl:agains', 0, -1)
        expect(again.length).toBeLessThanOrEqual(given.duplicateCount)
        for (const line of again)
          expect(Number(line.split(' ')[1])).toBeGreaterThanOrEqual(today - given.duplicateDays * day)
        expect(await raw.hlen('wl:again')).toBe(again.length)
        const counts = (await store.counts())[0]
        expect(counts?.received).toBe(known.size + 1)

        // Once more, it finds nothing but what it has asked to be expired.
        expect(await store.retain(before(0), given)).toMatchObject({ messages: 0, orders: 0 })
      } finally {
        await store.close()
      }
    }),
    { numRuns: Number(process.env['RUNS'] ?? 40) },
  )
})

test('I4: the duplicate window forgets the oldest first, by count at once and by age when retention comes', async () => {
  await raw.flushall()
  const store = await openStore(redis.path, { againCount: 3 })
  const kind = async (controlId: string): Promise<string> =>
    (await store.accept(message({ controlId, at: before(1) }))).kind
  for (const controlId of ['A', 'B', 'C']) await kind(controlId)
  expect(await kind('A')).toBe('again')
  expect(await kind('D')).toBe('stored')
  expect([await kind('B'), await kind('C'), await kind('D')]).toEqual(['again', 'again', 'again'])
  // A is as good as new, and takes the place of B.
  expect(await kind('A')).toBe('stored')
  // The same MSH-10 with another body: the newer one is remembered, and the older one's turn takes nothing from it.
  expect((await store.accept(message({ controlId: 'C', fingerprint: 'other', at: before(1) }))).kind).toBe('stored')
  expect((await store.accept(message({ controlId: 'E', at: before(1) }))).kind).toBe('stored')
  expect((await store.accept(message({ controlId: 'C', fingerprint: 'other', at: before(1) }))).kind).toBe('again')
  const plenty = { messageDays: 30, messageCount: 100, orderDays: 30, orderCount: 100 }
  const more = { deadLetterDays: 30, deadLetterCount: 100, mergedPatientDays: 30, mergedPatientCount: 100 }
  await store.retain(before(-2), { ...plenty, ...more, duplicateDays: 7, duplicateCount: 100 })
  expect(await kind('E')).toBe('again')
  await store.retain(before(-9), { ...plenty, ...more, duplicateDays: 7, duplicateCount: 100 })
  expect(await raw.hlen('wl:again')).toBe(0)
  expect(await raw.llen('wl:agains')).toBe(0)
  await store.close()
})

test('a merge is kept for years after its orders, then both of its patients are forgotten', async () => {
  await raw.flushall()
  const store = await openStore(redis.path)
  await store.accept(message({ controlId: '1' }))
  const patient = { patientId: 'P', issuerOfPatientId: '', attributes: {} }
  await apply(store, ([seq = 0]) => [
    { kind: 'patient', patient: { ...patient, key: '1^^^H', mergedInto: '2^^^H' } },
    { kind: 'patient', patient: { ...patient, key: '2^^^H', aliases: ['1^^^H'] } },
    { kind: 'patient', patient: { ...patient, key: '3^^^H' } },
    { kind: 'order', order: order('O1', seq, { patientKey: '2^^^H' }), items: [], withdrawn: [] },
  ])
  const given = {
    messageDays: 1,
    messageCount: 100,
    orderDays: 30,
    orderCount: 100,
    deadLetterDays: 1,
    deadLetterCount: 100,
    mergedPatientDays: 365,
    mergedPatientCount: 100,
    duplicateDays: 1,
    duplicateCount: 100,
  }
  const there = (): Promise<readonly string[]> => raw.keys('wl:p:*').then((keys) => keys.toSorted())
  const years = (n: number): string => new Date(Date.now() + n * 366 * day).toISOString()
  await store.retain(new Date().toISOString(), given)
  expect(await there()).toEqual(['wl:p:1^^^H', 'wl:p:2^^^H', 'wl:p:3^^^H'])
  // The order goes by its age; the survivor of a merge outlives it.
  await store.retain(years(0.5), given)
  expect(await store.order('O1')).toBeUndefined()
  expect(await there()).toContain('wl:p:1^^^H')
  await store.retain(years(2), given)
  expect(await there()).toEqual(['wl:p:3^^^H'])
  await store.close()
})
