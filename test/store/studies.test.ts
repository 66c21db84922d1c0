import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SeriesFacts, Study } from '../../src/core/order.ts'
import type { Store, StudyQuery } from '../../src/core/ports.ts'
import type { Change } from '../../src/core/world.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { now, openStore, order, otherLimits } from './support.ts'

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

/** One entry is applied as these changes. */
async function commit(...changes: readonly Change[]): Promise<void> {
  const lease = await store.lease('drain')
  if (lease === undefined) throw new Error('no lease')
  const seq = await store.acceptManual({
    by: 'test',
    reason: 'test',
    command: { kind: 'expire', orderId: 'O0-0' },
    at: now,
  })
  const keys = changes.flatMap((change) => (change.kind === 'study' ? [change.study.key] : []))
  const known = await store.load(keys.map((key) => ({ by: 'study', key }) as const))
  expect(await store.commit(lease, await store.applied(), seq, changes, known)).toBe('committed')
  await lease.release()
}

const seen = (key: string, minute: number, fields: Partial<Study> = {}): Change => ({
  kind: 'study',
  study: {
    key: `main/${key}`,
    orthanc: 'main',
    studyInstanceUid: '1.2.3',
    accessionNumber: 'A1',
    patientId: '4711',
    issuerOfPatientId: '',
    series: [],
    stable: false,
    deleted: false,
    credit: { kind: 'unmatched' },
    firstImageAt: now,
    lastImageAt: `2026-10-16T08:${String(minute).padStart(2, '0')}:00.000Z`,
    ...fields,
  },
})

const found = async (query: Partial<StudyQuery> = {}): Promise<readonly string[]> =>
  (await store.findStudies({ limit: 50, ...query })).items.map(({ key }) => key.slice('main/'.length))

test('what has no order, or a doubtful one, is listed by what is wrong with it, newest images first', async () => {
  await commit(seen('old', 1), seen('new', 3), seen('middle', 2))
  await commit(seen('other', 4, { credit: { kind: 'mismatch', orderIds: ['O1-0'] } }))
  expect(await found({ credit: 'unmatched' })).toEqual(['new', 'middle', 'old'])
  expect(await found({ credit: 'mismatch' })).toEqual(['other'])
  expect(await found({ credit: 'ambiguous' })).toEqual([])
  expect(await found()).toEqual(['other', 'new', 'middle', 'old'])
})

test('a study that has found its order, or that Orthanc has deleted, is listed no more', async () => {
  await commit(seen('a', 1), seen('b', 2))
  await commit(seen('a', 1, { credit: { kind: 'matched', orderIds: ['O1-0'] } }), seen('b', 2, { deleted: true }))
  expect(await found({ credit: 'unmatched' })).toEqual([])
  expect(await found({ orderId: 'O1-0' })).toEqual(['a'])
})

test('studies are found by every number that their series have', async () => {
  const series = [{ patientId: '4712', accessionNumber: 'A2', studyInstanceUid: '1.2.4' } as SeriesFacts]
  await commit(seen('a', 1, { series }), seen('b', 2, { patientId: '9' }))
  expect(await found({ patientId: '4712' })).toEqual(['a'])
  expect(await found({ patientId: '4711', accessionNumber: 'A2' })).toEqual(['a'])
  expect(await found({ studyInstanceUid: '1.2.3' })).toEqual(['b', 'a'])
  expect(await found({ patientId: '9', accessionNumber: 'A2' })).toEqual([])
})

test('a long list comes in pages, and what is new meanwhile does not shift it', async () => {
  await commit(...[1, 2, 3, 4, 5].map((minute) => seen(`s${minute}`, minute)))
  const first = await store.findStudies({ credit: 'unmatched', limit: 2 })
  expect([first.total, first.items.map(({ key }) => key)]).toEqual([5, ['main/s5', 'main/s4']])
  await commit(seen('s9', 9))
  const second = await store.findStudies({ credit: 'unmatched', limit: 2, after: first.next ?? '' })
  expect(second.items.map(({ key }) => key)).toEqual(['main/s3', 'main/s2'])
  const third = await store.findStudies({ credit: 'unmatched', limit: 2, after: second.next ?? '' })
  expect([third.items.map(({ key }) => key), third.next]).toEqual([['main/s1'], null])
})

test('what retention removes is found no more', async () => {
  await commit(seen('a', 1))
  const limits = { ...otherLimits, messageDays: 1, messageCount: 100, orderDays: 1, orderCount: 100 }
  await store.retain('2027-10-16T08:15:00.000Z', limits)
  expect(await found({ credit: 'unmatched' })).toEqual([])
  expect(await found({ patientId: '4711' })).toEqual([])
})

test('orders with a step that has not ended are open, however many there are', async () => {
  const step = { key: '1', stations: ['CT1'], attributes: {}, flags: [] }
  const all = Array.from({ length: 450 }, (_, at) => {
    const stepStatus = (['SCHEDULED', 'UNSCHEDULED', 'STARTED', 'COMPLETED', 'CANCELED', 'EXPIRED'] as const)[at % 6]
    const steps = [{ ...step, stepStatus: stepStatus ?? 'EXPIRED' }]
    return order(`O${at + 1}-0`, 1, { steps, source: at < 300 ? 'ris' : 'other' })
  })
  await commit(...all.map((one) => ({ kind: 'order', order: one, items: [], withdrawn: [] }) as const))
  const open = new Set<string>()
  for (let after: string | undefined; ;) {
    const { ids, next } = await store.openOrders(after)
    for (const id of ids) open.add(id)
    if (next === null) break
    after = next
  }
  expect(open.size).toBe(225)
  expect(await store.openOrdersBySource()).toEqual(
    new Map([
      ['ris', 150],
      ['other', 75],
    ]),
  )
  expect([...open].every((id) => (Number(id.slice(1, -2)) - 1) % 6 < 3)).toBe(true)
})

test('what a site was at its last start is remembered', async () => {
  expect(await store.remembered('rules')).toBeUndefined()
  await store.rememberOfSite('rules', 'abc')
  await store.close()
  store = await openStore(redis.path)
  expect(await store.remembered('rules')).toBe('abc')
})
