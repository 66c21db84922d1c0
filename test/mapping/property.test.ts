import { readdirSync, readFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { array, assert, constantFrom, nat, property, tuple } from 'fast-check'
import { expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { checkDataset } from '../../src/dicom/vr.ts'
import { parse } from '../../src/hl7/index.ts'
import { itemsOf } from '../../src/mapping/pipeline-test.ts'
import { planOf, root, shippedPlan } from './support.ts'
import { sample, tables } from './sample.ts'

const folder = join(root, 'pipelines/orders/messages')
const seeds = readdirSync(folder).map((name) => readFileSync(join(folder, name)))
const plans = [shippedPlan(), shippedPlan({ stationAeTitle: 'AE', modality: 'OT' }), planOf([sample], { tables })]

/** An order with bytes replaced, taken out and doubled. */
const mutated = tuple(
  constantFrom(...seeds),
  array(
    tuple(
      nat(1500),
      nat(4),
      constantFrom('|', '^', '~', '\\', '&', '\r', '""', 'ä', '=', '$A$', '99', 'ORC|', '\u{1f600}'),
    ),
    { maxLength: 12 },
  ),
).map(([seed, edits]) =>
  edits.reduce(
    (text, [at, gone, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + gone),
    seed.toString('utf8'),
  ),
)

/** A study that is made for the order has a name of its own in tests. */
function problemsOf(item: Dataset) {
  return checkDataset(item).filter(({ keyword }) => keyword !== 'StudyInstanceUID')
}

test('whatever a message holds, a plan judges it, and what it accepts DICOM can hold', () => {
  assert(
    property(mutated, (text) => {
      const parsed = parse(Buffer.from(text))
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
    { numRuns: 250 },
  )
})

const corpus = process.env['WORKLANE_CORPUS'] ?? join(root, '../shared/corpus')

test.skipIf(!existsSync(corpus))('foreign messages are judged without an error of ours (needs the corpus)', () => {
  const plan = shippedPlan({ stationAeTitle: 'AE', modality: 'OT' })
  const files = readdirSync(corpus, { recursive: true, withFileTypes: true }).filter(({ name }) =>
    name.endsWith('.hl7'),
  )
  let judged = 0
  for (const file of files) {
    const parsed = parse(readFileSync(join(file.parentPath, file.name)))
    if (parsed.kind !== 'message') continue
    const { verdict } = plan.judge(parsed.message)
    judged++
    if (verdict.kind === 'invalid') expect([file.name, ...verdict.faults.map(({ code }) => code)]).not.toContain('E313')
    for (const item of itemsOf(verdict))
      expect({ file: file.name, problems: problemsOf(item) }).toEqual({ file: file.name, problems: [] })
  }
  expect(judged).toBeGreaterThan(0)
})
