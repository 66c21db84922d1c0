import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderStatusTable, runStatusTests } from '../../src/mapping/index.ts'
import { located, root, shipped } from '../mapping/support.ts'

const forms = readdirSync(join(root, 'pipelines')).filter((name) => /^status(-|$)/.test(name))

function inputOf(form: string) {
  return {
    pipelines: [shipped(`pipelines/${form}/pipeline.yaml`)],
    tables: {},
    timeZone: 'UTC',
    destinations: ['ris'],
  }
}

test('five forms are shipped', () => {
  expect(forms).toEqual(['status', 'status-omg', 'status-omi', 'status-orm-minimal', 'status-oru'])
})

test.each(forms)('the pipeline %s has no problems, and its own tests pass', (form) => {
  const run = runStatusTests(inputOf(form), shipped(`pipelines/${form}/pipeline.test.yaml`))
  expect(run.problems).toEqual([])
  expect(run.results.length).toBeGreaterThan(5)
  expect(run.results.filter(({ differences }) => differences.length > 0)).toEqual([])
})

test.each(forms)('the README of %s is the table that the pipeline prints; UPDATE=1 writes it', (form) => {
  const path = join(root, `pipelines/${form}/README.md`)
  const table = renderStatusTable(shipped(`pipelines/${form}/pipeline.yaml`), {})
  if (process.env['UPDATE'] !== undefined) writeFileSync(path, table)
  expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(table)
})

test('a difference is said with both values, and a mistake with its place', () => {
  const text = `message: "MSH|^~\\\\&|RIS\\rORC|NW|A|B"
tests:
  - { name: wrong, event: started, expect: { ORC-5: CM } }
  - { name: typo, event: startd, expect: nothing }
`
  const run = runStatusTests(inputOf('status'), located(text))
  expect(run.results[0]?.differences).toEqual(['ORC-5: expected "CM", got "IP"'])
  expect(run.problems).toMatchObject([{ code: 'E225', line: 4, cure: 'Did you mean started?' }])
})
