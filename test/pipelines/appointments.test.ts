import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from '../../src/hl7/index.ts'
import { isFields } from '../../src/mapping/lint.ts'
import { renderMappingTable, runPipelineTests } from '../../src/mapping/index.ts'
import { planOf, root, shipped, shippedTables, site } from '../mapping/support.ts'

const pipeline = shipped('pipelines/appointments/pipeline.yaml')
const input = { id: 'test', source: 'ris-orders', pipelines: [pipeline], tables: shippedTables(), site }
const folder = join(root, 'pipelines/appointments/messages')

test('the shipped pipeline of appointments has no problems, and its own tests pass', () => {
  const run = runPipelineTests(input, shipped('pipelines/appointments/pipeline.test.yaml'))
  expect(run.problems).toEqual([])
  expect(run.results.length).toBeGreaterThan(20)
  expect(run.results.filter(({ differences }) => differences.length > 0)).toEqual([])
})

test.each(readdirSync(folder))('the example %s is accepted without warnings, its segments end with CR', (name) => {
  const bytes = readFileSync(join(folder, name))
  expect(bytes.toString('latin1')).not.toContain('\n')
  const parsed = parse(bytes)
  if (parsed.kind !== 'message') throw new Error('unreadable')
  const { verdict } = planOf([pipeline], { tables: shippedTables() }).judge(parsed.message)
  expect(verdict).toMatchObject({ kind: 'accepted', warnings: [], groups: [{ isBooking: true }] })
})

test('README.md is the table that the pipeline prints; UPDATE=1 writes it', () => {
  const path = join(root, 'pipelines/appointments/README.md')
  const table = renderMappingTable(pipeline, input)
  if (process.env['UPDATE'] !== undefined) writeFileSync(path, table)
  expect(readFileSync(path, 'utf8')).toBe(table)
})

test('I11: bookings, orders and ADT name and describe a patient by the same rules', () => {
  const fields = (value: unknown): Readonly<Record<string, unknown>> => (isFields(value) ? value : {})
  const bookings = fields(pipeline.value)
  for (const other of ['orders', 'patients']) {
    const given = fields(shipped(`pipelines/${other}/pipeline.yaml`).value)
    const names = fields(fields(shipped('pipelines/patients/pipeline.yaml').value)['map'])
    const map = Object.fromEntries(Object.keys(names).map((keyword) => [keyword, fields(given['map'])[keyword]]))
    expect(fields(bookings['map'])).toMatchObject(map)
    for (const name of ['patientId', 'patientIdType', 'otherPatientId', 'address', 'visit']) {
      expect(fields(bookings['let'])[name]).toEqual(fields(given['let'])[name])
    }
  }
})
