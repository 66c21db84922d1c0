import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderMappingTable, runPipelineTests } from '../../src/mapping/index.ts'
import { isFields } from '../../src/mapping/lint.ts'
import { root, shipped, shippedTables, site } from '../mapping/support.ts'

const pipeline = shipped('pipelines/patients/pipeline.yaml')
const input = { id: 'test', source: 'ris-orders', pipelines: [pipeline], tables: shippedTables(), site }

test('the shipped pipeline of patients has no problems, and its own tests pass', () => {
  const run = runPipelineTests(input, shipped('pipelines/patients/pipeline.test.yaml'))
  expect(run.problems).toEqual([])
  expect(run.results.length).toBeGreaterThan(12)
  expect(run.results.filter(({ differences }) => differences.length > 0)).toEqual([])
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
