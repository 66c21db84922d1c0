import { expect, test } from 'vitest'
import { runStatusTests } from '../../src/mapping/index.ts'
import { located, shipped } from '../mapping/support.ts'

const input = {
  pipelines: [shipped('pipelines/status/pipeline.yaml')],
  tables: {},
  timeZone: 'UTC',
  destinations: ['ris'],
}

test('the shipped status pipeline has no problems, and its own tests pass', () => {
  const run = runStatusTests(input, shipped('pipelines/status/pipeline.test.yaml'))
  expect(run.problems).toEqual([])
  expect(run.results.map(({ differences }) => differences)).toEqual([[], [], [], []])
})

test('a difference is said with both values, and a mistake with its place', () => {
  const text = `message: "MSH|^~\\\\&|RIS\\rORC|NW|A|B"
tests:
  - { name: wrong, event: started, expect: { ORC-5: CM } }
  - { name: typo, event: startd, expect: nothing }
`
  const run = runStatusTests(input, located(text))
  expect(run.results[0]?.differences).toEqual(['ORC-5: expected "CM", got "IP"'])
  expect(run.problems).toMatchObject([{ code: 'E225', line: 4, cure: 'Did you mean started?' }])
})
