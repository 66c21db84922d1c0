import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderMappingTable, runPipelineTests } from '../../src/mapping/index.ts'
import { root, shipped, shippedTables, site } from '../mapping/support.ts'

const pipeline = shipped('pipelines/orders/pipeline.yaml')
const input = { id: 'test', source: 'ris-orders', pipelines: [pipeline], tables: shippedTables(), site }

test('the shipped pipeline has no problems, and its own tests pass', () => {
  const run = runPipelineTests(input, shipped('pipelines/orders/pipeline.test.yaml'))
  expect(run.problems).toEqual([])
  expect(run.results.length).toBeGreaterThan(15)
  expect(run.results.filter(({ differences }) => differences.length > 0)).toEqual([])
})

test('README.md is the table that the pipeline prints; UPDATE=1 writes it', () => {
  const path = join(root, 'pipelines/orders/README.md')
  const table = renderMappingTable(pipeline, input)
  if (process.env['UPDATE'] !== undefined) writeFileSync(path, table)
  expect(readFileSync(path, 'utf8')).toBe(table)
})
