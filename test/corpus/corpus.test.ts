import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { differences } from './compare.ts'
import { corpusFolder, expectations, type Expected } from './expectations.ts'
import { filesIn, runCorpus, type Run } from './judge.ts'
import { ordersIn } from './report.ts'

const folder = corpusFolder()
const known = new Set(expectations.files.map(({ file }) => file))
const isThere = existsSync(folder) && filesIn(folder).some((file) => known.has(file))

const place = isThere ? '' : ', which are not on this machine (WORKLANE_CORPUS)'
describe.skipIf(!isThere)(`the messages of other makers${place}`, () => {
  let redis: TestRedis
  let run: Run
  beforeAll(async () => {
    redis = await startRedis({ aof: false })
    run = await runCorpus({ folder, redisPath: redis.path, isKnown: true })
  })
  afterAll(() => redis.stop())

  test('every message ends as was expected before it was first run', () => {
    expect(run.wrong).toEqual([])
    expect(run.judged.flatMap(({ file, number, wrong }) => wrong.map((one) => `${file} (${number}): ${one}`))).toEqual(
      [],
    )
    expect(run.judged).toHaveLength(254)
  })

  test('nine of ten orders become items, or are held with what they lack', () => {
    const { items, held, refused, other } = ordersIn(run.judged)
    expect((items + held) / (items + held + refused + other)).toBeGreaterThanOrEqual(0.9)
  })

  test('every story ends as it is told', () => {
    expect(run.stories.map(({ story }) => story)).toEqual(expectations.stories.map(({ story }) => story))
    expect(run.stories.flatMap(({ story, wrong }) => wrong.map((one) => `${story}: ${one}`))).toEqual([])
  })

  test('each key of each entry is compared: another value is a difference', () => {
    const overlooked: string[] = []
    for (const { file, compared } of run.judged) {
      if (compared === undefined) continue
      const { expected } = compared
      for (const key of Object.keys(other) as (keyof Expected)[]) {
        // What is held under another number is nothing that a refusal has.
        if (expected[key] === undefined || isForTheCountOnly(expected, key)) continue
        const changed = { ...expected, [key]: other[key] } as Expected
        if (differences({ ...compared, expected: changed }).length === 0) overlooked.push(`${file}: ${key}`)
      }
    }
    expect(overlooked).toEqual([])
  })
})

test('files that nobody expects are run too: each has an outcome, and nothing is invented', async () => {
  const redis = await startRedis({ aof: false })
  try {
    const own = join(import.meta.dirname, '../../pipelines/orders/messages')
    const { judged, wrong } = await runCorpus({ folder: own, redisPath: redis.path, isKnown: false })
    expect(wrong).toEqual([])
    expect(judged.length).toBeGreaterThan(5)
    expect(judged.flatMap((one) => one.wrong)).toEqual([])
    expect(new Set(judged.map(({ outcome }) => outcome))).toContain('item')
  } finally {
    await redis.stop()
  }
})

/** A value that no entry has. */
const other: Partial<Record<keyof Expected, unknown>> = {
  type: 'ADT^A99',
  control: 'ZZ',
  effect: 'nothing',
  orders: 99,
  steps: 99,
  items: 99,
  merges: 99,
  modality: 'ZZ',
  start: 'MSH-10',
  station: 'MSH-10',
  studyUid: 'MSH-10',
  accession: 'MSH-10',
  lacks: ['nothing'],
  rule: 'no such rule',
  ack: 'CE',
  code: 999,
  place: 'ZZZ-1',
}

/** Of a message that finds nothing to change, what it would have made is said for the stories. */
function isForTheCountOnly({ outcome, alone }: Expected, key: keyof Expected): boolean {
  const isOfAnOrder = !['type', 'control', 'effect', 'rule', 'ack', 'code', 'place'].includes(key)
  return isOfAnOrder && (outcome === 'refused' || alone === 'unknown-order' || alone === 'unknown-patient')
}
