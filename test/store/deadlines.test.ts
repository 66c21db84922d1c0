import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Study } from '../../src/core/order.ts'
import type { Store } from '../../src/core/ports.ts'
import type { Change } from '../../src/core/world.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, message, now, openStore } from './support.ts'

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

const due = '2026-10-16T08:00:00.000Z'
const long = '2026-10-16T03:00:00.000Z'

function study(orthanc: string, orderId: string): Change {
  const one: Study = {
    key: `${orthanc}/of-${orderId}`,
    orthanc,
    studyInstanceUid: `1.2.${orderId.length}`,
    accessionNumber: 'A1',
    patientId: '4711',
    issuerOfPatientId: '',
    series: [],
    stable: false,
    deleted: false,
    credit: { kind: 'matched', orderIds: [orderId] },
    firstImageAt: due,
    lastImageAt: due,
  }
  return { kind: 'study', study: one }
}

test('I6: a quiet exam waits for the Orthancs that have its images, and for no other', async () => {
  await store.accept(message({ controlId: '1' }))
  const subjects = ['quiet:O1-0', 'quiet:O2-0', 'quiet:stable:O2-0', 'quiet:O3-0', 'quiet:O4-0', 'quiet:O5-0']
  await apply(store, () => [
    study('here', 'O1-0'),
    study('away', 'O2-0'),
    study('here', 'O3-0'),
    study('away', 'O3-0'),
    study('removed', 'O5-0'),
    ...subjects.map((subject): Change => ({ kind: 'deadline', subject, due })),
  ])
  const read = new Map([
    ['here', now],
    ['away', long],
  ])
  // O4 has images nowhere: nobody knows where they will be.
  expect(await store.acceptDeadlines(now, long, read)).toBe(2)
  expect(await store.acceptDeadlines(now, long, read)).toBe(0)
  const entries = await store.pending(await store.applied(), 10)
  expect(entries.map((entry) => entry.kind === 'deadline' && [entry.subject, entry.due])).toEqual([
    ['quiet:O1-0', due],
    ['quiet:O5-0', due],
  ])
  expect(await store.acceptDeadlines(now, now, new Map(read).set('away', now))).toBe(4)
})

test('I6: many exams that wait for one Orthanc hide none of another', async () => {
  await store.accept(message({ controlId: '1' }))
  const waiting = Array.from({ length: 450 }, (_, at) => `O${at + 1}-0`)
  await apply(store, () => [
    ...waiting.map((id) => study('away', id)),
    study('here', 'O900-0'),
    ...[...waiting, 'O900-0'].map((id): Change => ({ kind: 'deadline', subject: `quiet:${id}`, due })),
  ])
  expect(
    await store.acceptDeadlines(
      now,
      long,
      new Map([
        ['here', now],
        ['away', long],
      ]),
    ),
  ).toBe(1)
})
