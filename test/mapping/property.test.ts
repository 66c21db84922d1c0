import { readdirSync, readFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { array, assert, constantFrom, nat, oneof, property, string, tuple, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { checkDataset } from '../../src/dicom/vr.ts'
import { parse, segmentNames } from '../../src/hl7/index.ts'
import { itemsOf } from '../../src/mapping/verdict-items.ts'
import { planOf, root, shipped, shippedPlan, shippedTables } from './support.ts'
import { sample, tables } from './sample.ts'

/** The shipped messages of every kind, and booked appointments. */
const seeds = [
  ...['orders', 'patients', 'appointments'].flatMap((name) => {
    const folder = join(root, 'pipelines', name, 'messages')
    if (!existsSync(folder)) return []
    return readdirSync(folder).map((file) => readFileSync(join(folder, file)))
  }),
  Buffer.from(
    [
      String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301||SIU^S12|1|P|2.5`,
      'SCH|P1|F1||||ROUTINE||||30|min|^^^20260302101500|||||||||||||O1|O2',
      'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F',
      'RGS|1',
      'AIS|1|A|CT^CT head|20260302101500|||30|min',
      'AIG|1||CT01',
      'AIL|1||ROOM1',
      'AIP|1||7^Tech^Tina',
      '',
    ].join('\r'),
  ),
]
const everything = ['orders', 'patients', 'appointments'].filter((name) =>
  existsSync(join(root, 'pipelines', name, 'pipeline.yaml')),
)
const site = everything.map((name) => shipped(`pipelines/${name}/pipeline.yaml`))
const plans = [
  shippedPlan(),
  planOf(site, { tables: shippedTables(), stationAeTitle: 'AE', modality: 'OT', incomplete: 'hold' }),
  planOf([sample], { tables }),
]

/** Signs that mean something, where and how often they should not. */
const signs = constantFrom(
  '|',
  '^',
  '~',
  '\\',
  '&',
  '\r',
  '=',
  '""',
  'ä',
  '$A$',
  '99',
  'ORC|',
  '\u{1f600}',
  'x'.repeat(70),
  '\\X0D\\',
)
const edits = array(tuple(nat(1500), nat(4), oneof(signs, string({ maxLength: 8 }))), { maxLength: 12 })

/** A message with bytes replaced, taken out and doubled. */
const mutated = tuple(constantFrom(...seeds), edits).map(([seed, changes]) =>
  Buffer.from(
    changes.reduce(
      (text, [at, gone, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + gone),
      seed.toString('utf8'),
    ),
  ),
)

/** The same with bytes of no charset. */
const broken = tuple(
  constantFrom(...seeds),
  array(tuple(nat(1500), uint8Array({ maxLength: 4 })), { maxLength: 6 }),
).map(([seed, changes]) =>
  changes.reduce((bytes, [at, put]) => {
    const from = at % bytes.length
    return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + put.length)])
  }, seed),
)

/** Segments of several messages and of no message, in any order. */
const segmentsOf = (seed: Buffer): string[] => seed.toString('utf8').split('\r').filter(Boolean)
const foreign = tuple(constantFrom(...segmentNames), array(string({ maxLength: 12 }), { maxLength: 50 })).map(
  ([name, fields]) => [name, ...fields].join('|').replaceAll('\r', ' '),
)
const shuffled = tuple(
  constantFrom(...seeds),
  array(oneof(constantFrom(...seeds.flatMap(segmentsOf)), foreign), { maxLength: 12 }),
  array(nat(), { minLength: 12, maxLength: 12 }),
).map(([seed, more, places]) => {
  const segments = segmentsOf(seed)
  for (const [index, segment] of more.entries()) {
    segments.splice(1 + ((places[index] ?? 0) % segments.length), 0, segment)
  }
  return Buffer.from(`${segments.join('\r')}\r`)
})

/** A study that is made for the order has a name of its own in tests. */
function problemsOf(item: Dataset) {
  return checkDataset(item).filter(({ keyword }) => keyword !== 'StudyInstanceUID')
}

test('whatever a message holds, a plan judges it, and what it accepts DICOM can hold', () => {
  assert(
    property(oneof(mutated, broken, shuffled), (bytes) => {
      const parsed = parse(bytes)
      if (parsed.kind !== 'message') return
      for (const plan of plans) {
        const { verdict } = plan.judge(parsed.message)
        if (verdict.kind === 'invalid') {
          expect(verdict.faults.length).toBeGreaterThan(0)
          // An error of ours, caught at the last moment.
          expect(verdict.faults.map(({ code }) => code)).not.toContain('E313')
        }
        if (verdict.kind === 'ignored') expect(verdict.rule).not.toBe('')
        for (const item of itemsOf(verdict)) expect(problemsOf(item)).toEqual([])
        // Nothing is remembered between messages: a crash changes no verdict (I3).
        expect(plan.judge(parsed.message).verdict).toEqual(verdict)
        expect(plan.explain(parsed.message).verdict).toEqual(verdict)
      }
    }),
    { numRuns: 300 },
  )
})
