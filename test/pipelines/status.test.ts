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

test.each(forms)('the tests of %s pass in every time zone', (form) => {
  for (const timeZone of ['Europe/Berlin', 'America/Los_Angeles', 'Pacific/Auckland']) {
    const run = runStatusTests({ ...inputOf(form), timeZone }, shipped(`pipelines/${form}/pipeline.test.yaml`))
    expect(run.results.filter(({ differences }) => differences.length > 0)).toEqual([])
  }
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

const talkative = {
  ...inputOf('status'),
  pipelines: [
    located(`pipeline: talkative
from: [second, orthanc]
to: [origin, monitor]
on:
  NewSeries: { message: ORU^R01 }
  unmatched: { message: ORU^R01 }
  completed:
    - { message: ORM^O01, orderStatus: CM }
    - { message: ORU^R01, orderStatus: CM, when: order.source == "ris-b" }
map:
  ORC-3: order.ORC-3
  ORC-5: orderStatus
  OBR-24: study.modalities
  OBX-3: event.orthanc
  OBX-4: event.level
  OBX-5: study.instances
`),
  ],
}

function differencesOf(tests: string): readonly (readonly string[])[] {
  const run = runStatusTests(talkative, located(`message: "MSH|^~\\\\&|RIS\\rORC|NW||F1"\ntests:\n${tests}`))
  expect(run.problems).toEqual([])
  return run.results.map(({ differences }) => differences)
}

test('a test may be about an event without an order, and about what Orthanc holds', () => {
  expect(
    differencesOf(`
  - name: nobody's images
    event: unmatched
    study: { modalities: [CT, SR], series: 3, instances: 20 }
    expect: { to: monitor, segments: MSH OBR OBX, OBR-24(2): SR, OBX-5: 20, OBX-3: second }
  - name: a series of no order
    event: NewSeries
    order: none
    change: { orthanc: orthanc, level: Series, resource: abc }
    expect: { to: monitor, OBX-3: orthanc, OBX-4: Series }
  - name: another Orthanc
    event: NewSeries
    change: { orthanc: third }
    expect: nothing
`),
  ).toEqual([[], [], []])
})

test('a test may be about several messages, and whom they go to', () => {
  expect(
    differencesOf(`
  - name: one for each
    event: completed
    expect: [{ to: origin, MSH-9.1: ORM }, { to: monitor, MSH-9.1: ORM }]
  - name: by the source
    event: completed
    source: ris-b
    expect: [{ MSH-9.1: ORM }, {}, { MSH-9.1: ORU, to: origin }, { to: origin }]
  - name: too few
    event: completed
    expect: { ORC-5: CM }
  - name: none
    event: completed
    expect: nothing
`),
  ).toEqual([
    [],
    ['to: expected "origin", got "monitor"'],
    ['expected one message, got 2 messages'],
    ['expected nothing, got 2 messages'],
  ])
})

test('mistakes in a test are said at their place', () => {
  const run = runStatusTests(
    talkative,
    located(`message: "MSH|^~\\\\&|RIS"
tests:
  - { name: a, event: completed, study: { instnces: 3 }, expect: [{}, {}] }
  - { name: b, event: completed, set: { ORC: x, 4711: y }, expect: [{ PID3: x }, {}] }
  - { name: c, evnt: completed, expect: nothing }
  - { name: d, event: completed, expect: 7 }
`),
  )
  expect(run.problems.map(({ line, column, code, cure }) => `${line}:${column} ${code} ${cure}`)).toEqual([
    '3:43 E206 Did you mean instances?',
    '4:49 E230 Correct the pipeline.test.yaml.',
    expect.stringMatching(/^4:71 E212 /),
    '5:16 E206 Did you mean event?',
    expect.stringMatching(/^5:5 E225 /),
    expect.stringMatching(/^6:42 E200 /),
  ])
})
