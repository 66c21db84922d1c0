import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from '../../src/hl7/index.ts'
import { renderMappingTable, runPipelineTests } from '../../src/mapping/index.ts'
import { isFields } from '../../src/mapping/lint.ts'
import { planOf, root, shipped, shippedTables, site } from '../mapping/support.ts'

const pipeline = shipped('pipelines/patients/pipeline.yaml')
const input = { id: 'test', source: 'ris-orders', pipelines: [pipeline], tables: shippedTables(), site }

test('the shipped pipeline of patients has no problems, and its own tests pass', () => {
  const run = runPipelineTests(input, shipped('pipelines/patients/pipeline.test.yaml'))
  expect(run.problems).toEqual([])
  expect(run.results.length).toBeGreaterThan(12)
  expect(run.results.filter(({ differences }) => differences.length > 0)).toEqual([])
})

test.each([
  ['a08-new-name.hl7', 'update', []],
  ['a40-merge.hl7', 'merge', ['4712^^^HOSP']],
  ['a37-unlink.hl7', 'unmerge', []],
  ['a10-arrival.hl7', 'arrive', []],
])('the example %s is accepted without warnings, its segments end with CR', (name, kind, prior) => {
  const bytes = readFileSync(join(root, 'pipelines/patients/messages', name))
  expect(bytes.toString('latin1')).not.toContain('\n')
  const parsed = parse(bytes)
  if (parsed.kind !== 'message') throw new Error('unreadable')
  const { verdict } = planOf([pipeline]).judge(parsed.message)
  const act = kind === 'merge' ? { kind, prior } : { kind }
  expect(verdict).toMatchObject({ kind: 'accepted', warnings: [], patients: [act] })
})

test('README.md is the table that the pipeline prints; UPDATE=1 writes it', () => {
  const path = join(root, 'pipelines/patients/README.md')
  const table = renderMappingTable(pipeline, input)
  if (process.env['UPDATE'] !== undefined) writeFileSync(path, table)
  expect(readFileSync(path, 'utf8')).toBe(table)
})

test('I11: orders and ADT name and describe a patient by the same rules', () => {
  const fields = (value: unknown): Readonly<Record<string, unknown>> => (isFields(value) ? value : {})
  const orders = fields(shipped('pipelines/orders/pipeline.yaml').value)
  const patients = fields(pipeline.value)
  const ofOrders = fields(orders['map'])
  expect(ofOrders).toMatchObject(fields(patients['map']))
  for (const part of ['let', 'tables']) {
    expect(fields(orders[part])).toMatchObject(fields(patients[part]))
  }
})
