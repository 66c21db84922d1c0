import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SpooledChanges } from '../../src/core/inbox.ts'
import type { OrthancChangeRow } from '../../src/core/orthanc-change.ts'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, now, openStore } from './support.ts'

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

type Row = SpooledChanges['rows'][number]

const row = (number: number, fields: Partial<OrthancChangeRow> = {}): Row => ({
  number,
  change: 'JobSuccess',
  level: '',
  resource: `job${number}`,
  study: '',
  at: now,
  ...fields,
})
const deleted = (number: number, resource: string, level: Row['level'] = 'Study'): Row =>
  row(number, { change: 'Deleted', level, resource, study: level === 'Study' ? resource : '' })
const bring = (rows: readonly Row[], more: Partial<SpooledChanges> = {}) =>
  store.acceptChanges({ orthanc: 'main', spool: 's1', rows, at: now, ...more })
const waiting = async () => store.pending(await store.applied(), 10_000)

/** What waits, each entry in a word or two. */
async function told(): Promise<readonly string[]> {
  return (await waiting()).map((entry) => {
    if (entry.kind === 'images') return `${entry.event} ${entry.study}`
    if (entry.kind === 'changes') return `${entry.orthanc}: ${entry.rows.map((one) => one.resource).join(' ')}`
    return entry.kind
  })
}

test('I6: each row that the plugin brings is taken once, whatever is brought again', async () => {
  expect(await bring([row(1), row(2)])).toBe(2)
  expect(await bring([row(1), row(2)])).toBe(0)
  expect(await bring([row(2), row(3), row(5)])).toBe(2)
  expect(await bring([])).toBe(0)
  expect(await told()).toEqual(['main: job1 job2', 'main: job3 job5'])
})

test('I6: however batches are cut and answers lost, each row is taken once and in order', async () => {
  let runs = 0
  const attempts = fc.array(fc.record({ size: fc.integer({ min: 1, max: 7 }), isAnswered: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(attempts, async (all) => {
      const orthanc = `run ${(runs += 1)}`
      let taken = 0
      let told = 0
      let news = 0
      for (const { size, isAnswered } of all) {
        // Numbers have gaps: each is three more than the one before.
        const rows = Array.from({ length: size }, (_, at) => row((taken + at) * 3))
        news += await bring(rows, { orthanc })
        told = Math.max(told, taken + size)
        if (isAnswered) taken += size
      }
      const stored = (await waiting()).flatMap((entry) =>
        entry.kind === 'changes' && entry.orthanc === orthanc ? entry.rows : [],
      )
      expect(stored.map(({ resource }) => resource)).toEqual(Array.from({ length: told }, (_, at) => `job${at * 3}`))
      expect(news).toBe(told)
    }),
    { numRuns: 40 },
  )
})

test('a spool that was made anew, and that of another Orthanc, begin at their own first number', async () => {
  await bring([row(1), row(2)])
  expect(await bring([row(1)], { spool: 's2' })).toBe(1)
  expect(await bring([row(1)], { orthanc: 'other' })).toBe(1)
  expect(await bring([row(2)])).toBe(0)
})

test('a row is kept as it was brought, without its number', async () => {
  await bring([row(7)])
  const { number: _, ...kept } = row(7)
  expect(await waiting()).toMatchObject([{ kind: 'changes', orthanc: 'main', rows: [kept], at: now }])
  expect(Object.keys((await waiting())[0] ?? {}).toSorted()).toEqual(['at', 'kind', 'orthanc', 'rows', 'seq'])
})

test('a deleted study is the event `deleted` too, before the row; what was taken before is not told again', async () => {
  await bring([deleted(1, 'a', 'Instance'), deleted(2, 'b', 'Series'), deleted(3, 'c')])
  await bring([deleted(3, 'c'), deleted(4, 'd')])
  expect(await told()).toEqual(['deleted c', 'main: a b c', 'deleted d', 'main: d'])
})

test('a deleted study that is there again is a row only', async () => {
  await bring([deleted(1, 'a'), deleted(2, 'b')], { restored: ['a'] })
  expect(await told()).toEqual(['deleted b', 'main: a b'])
})

test('many rows are several entries', async () => {
  await bring(Array.from({ length: 1001 }, (_, at) => row(at)))
  const entries = await waiting()
  expect(entries.map((entry) => (entry.kind === 'changes' ? entry.rows.length : entry.kind))).toEqual([500, 500, 1])
})

test('I6: rows of the change feed enter behind the events of their page, with the cursor or not at all', async () => {
  const rows = Array.from({ length: 501 }, (_, at): OrthancChangeRow => {
    const { number: _number, ...one } = row(at)
    return one
  })
  const advance = {
    orthanc: 'main',
    expected: undefined,
    next: { seq: 501, identity: 'x' },
    at: now,
    events: [{ event: 'seen' as const, study: 's', series: [] }],
    rows,
    caughtUp: true,
  }
  expect(await store.acceptEvents(advance)).toBe('stored')
  expect(await store.acceptEvents(advance)).toBe('moved')
  const entries = await waiting()
  expect(entries.map(({ kind }) => kind)).toEqual(['images', 'changes', 'changes'])
  expect(entries.flatMap((entry) => (entry.kind === 'changes' ? entry.rows : []))).toEqual(rows)
})

test('the newest ten thousand changes are kept, newest first', async () => {
  const rows = (from: number, count: number): OrthancChangeRow[] =>
    Array.from({ length: count }, (_, at) => {
      const { number: _number, ...one } = row(from + at)
      return one
    })
  await bring([row(1)])
  await apply(store, ([cause = 0]) => [
    { kind: 'rows', orthanc: 'main', cause, rows: rows(0, 600) },
    { kind: 'rows', orthanc: 'main', cause, rows: rows(600, 10_001) },
  ])
  await bring([row(2)])
  await apply(store, ([cause = 0]) => [{ kind: 'rows', orthanc: 'other', cause, rows: rows(10_601, 1) }])
  const kept = await store.orthancChanges(20_000)
  expect(kept).toHaveLength(10_000)
  expect(kept.map(({ resource }) => resource)).toEqual(
    rows(602, 10_000)
      .map(({ resource }) => resource)
      .toReversed(),
  )
  expect(kept[0]).toMatchObject({ orthanc: 'other', cause: expect.any(Number) as number })
  expect(await store.orthancChanges(1)).toEqual(kept.slice(0, 1))
})
