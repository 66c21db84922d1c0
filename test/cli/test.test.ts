import { afterEach, expect, test } from 'vitest'
import { test as testVerb } from '../../src/cli/test.ts'
import { aSite, changed, smallSite } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const tests = String.raw`pipeline: orders
message: |
  MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1
  PID|1||4711^^^HOSP||Doe^Jane||19800214|F
  ORC|NW|P1|F1
  OBR|1|P1|F1|CTABD^CT Abdomen||||||||||||||ACC1|RP1|SPS1||||||||||||||||20260302101500
tests:
  - name: an order becomes an item
    expect:
      items:
        - PatientName: Doe^Jane
  - name: a cancelled order cancels
    set: { ORC-1: CA }
    expect: { effect: cancel }
`
const beside = 'pipelines/orders/pipeline.test.yaml'

async function tested(changes: Parameters<typeof aSite>[0], args: readonly string[] = []) {
  const { cwd, remove } = aSite(changes)
  cleanups.push(remove)
  return runVerb(testVerb, args, { cwd })
}

test('tests that pass are named and counted', async () => {
  const { code, stdout } = await tested({ [beside]: tests })
  expect(stdout).toBe('orders\n  passed  an order becomes an item\n  passed  a cancelled order cancels\n2 passed\n')
  expect(code).toBe(0)
})

test('a test says by which source its message comes, and has its zone and its defaults', async () => {
  const two = {
    'config/worklane.yaml': `bind: 127.0.0.1
timeZone: Europe/Berlin
sources:
  - name: ris-orders
    port: 2575
  - name: south
    port: 2576
    timeZone: Europe/Lisbon
    defaults: { issuerOfPatientId: SOUTH }
orthancs:
  - name: orthanc
    url: http://127.0.0.1:8042
defaults: { stationAeTitle: CT01, modality: CT, issuerOfPatientId: NORTH }
`,
    'pipelines/orders/pipeline.yaml': (smallSite['pipelines/orders/pipeline.yaml'] ?? '')
      .replace('from: ris-orders', 'from: [ris-orders, south]')
      .replace('  PatientSex: PID-8\n', '  PatientSex: PID-8\n  InstitutionName: source.name\n'),
  }
  const one = (source: string, name: string, time: string, issuer: string) => `  - name: ${name} of ${source}
    ${source === '' ? '' : `source: ${source}`}
    set: { OBR-36: 20260302101500+0000 }
    expect:
      items:
        - { InstitutionName: ${name}, IssuerOfPatientID: ${issuer}, ScheduledProcedureStepSequence: [{ ScheduledProcedureStepStartTime: "${time}" }] }
`
  const both = `${tests.slice(0, tests.indexOf('  - name'))}${one('', 'ris-orders', '111500', 'NORTH')}${one('south', 'south', '101500', 'SOUTH')}`
  const right = await tested({ ...two, [beside]: both })
  expect(right).toMatchObject({ code: 0, stdout: expect.stringContaining('2 passed') as string })
  const wrong = await tested({ ...two, [beside]: both.replace('source: south', 'source: suoth') })
  expect(wrong.code).toBe(1)
  expect(wrong.stdout + wrong.stderr).toMatch(/E230.*hears ris-orders, south, not "suoth"/)
  expect(wrong.stdout + wrong.stderr).toContain('Did you mean south?')
})

test('a rule may leave out the name of its pipeline, so that a copy under another name passes', async () => {
  const ignored = (rule: string) =>
    tests.replace('{ ORC-1: CA }', '{ ORC-1: SN }').replace('effect: cancel', `effect: ignore, rule: "${rule}"`)
  for (const rule of ['orders: orderControl.otherwise', 'orderControl.otherwise'])
    expect((await tested({ [beside]: ignored(rule) })).code).toBe(0)
  expect((await tested({ [beside]: ignored('otherwise') })).code).toBe(1)
})

test('a test that fails says what was expected, what came, and where it stands', async () => {
  const { code, stdout } = await tested({ [beside]: tests.replace('PatientName: Doe^Jane', 'PatientName: Roe^Jane') })
  expect(code).toBe(1)
  expect(stdout).toContain(
    `  FAILED  an order becomes an item  ${beside}:8\n` +
      `          items[0].PatientName  ${beside}:11:24\n` +
      '            expected  "Roe^Jane"\n' +
      '            received  "Doe^Jane"\n' +
      '            by        PID-5  pipelines/orders/pipeline.yaml:12:3\n',
  )
  expect(stdout).toMatch(/\n1 passed, 1 failed\n$/)
})

test('the tables and the mapping of the site are what is tested', async () => {
  const { stdout } = await tested({
    [beside]: tests,
    ...changed('config/tables/procedures.csv', 'CTABD', 'CTTHX'),
  })
  expect(stdout).toContain('FAILED  an order becomes an item')
})

test('a mistake in the tests is shown at its place and fails', async () => {
  const { code, stdout } = await tested({ [beside]: tests.replace('expect: { effect', 'expcet: { effect') })
  expect(code).toBe(1)
  expect(stdout).toMatch(new RegExp(`${beside}:14:5 {2}E2\\d\\d`))
})

test.each([
  ['expect: { effect: cancel }', 'expcet: { effect: cancel }', /"expcet".*\n.*Did you mean expect\?/, 'E206'],
  ['expect: { effect: cancel }', 'expect: {}', /it expects nothing/, 'E230'],
  ['    expect: { effect: cancel }\n', '', /expect is missing/, 'E230'],
  ['{ effect: cancel }', '{ same: [StudyInstanceUd] }', /Did you mean StudyInstanceUID\?/, 'E210'],
  ['{ effect: cancel }', '{ items: [], efect: cancel }', /Did you mean effect\?/, 'E206'],
])('a test that is wrong itself has not passed: %s as %s', async (from, to, said, code) => {
  const { code: exit, stdout } = await tested({ [beside]: tests.replace(from, to) })
  expect(stdout).toMatch(said)
  expect(stdout).toMatch(
    new RegExp(`FAILED {2}a cancelled order cancels .*\\n +the test itself\\n +received {2}${code}, see above\\n`),
  )
  expect(stdout).toMatch(/\n1 passed, 1 failed\n$/)
  expect(exit).toBe(1)
})

test('an attribute that is looked for in the wrong place says where it stands', async () => {
  const step = tests.replace('- PatientName: Doe^Jane', '- { Modality: CT }')
  expect((await tested({ [beside]: step })).stdout).toContain(
    'received  nothing here: it stands in ScheduledProcedureStepSequence\n',
  )
  const item = tests.replace('- PatientName: Doe^Jane', '- ScheduledProcedureStepSequence: { PatientName: Doe }')
  expect((await tested({ [beside]: item })).stdout).toContain(
    'received  nothing here: it stands beside ScheduledProcedureStepSequence, not in it\n',
  )
})

test('of a sequence with one item the list may be left out', async () => {
  const inner = '- ScheduledProcedureStepSequence: { Modality: MR }'
  expect((await tested({ [beside]: tests.replace('- PatientName: Doe^Jane', inner) })).stdout).toMatch(
    /items\[0\]\.ScheduledProcedureStepSequence\.Modality .*\n +expected {2}"MR"\n +received {2}"CT"\n +by /,
  )
})

test('a message that is refused where an effect was expected says by what', async () => {
  const { stdout } = await tested({ [beside]: tests.replace('{ ORC-1: CA }', '{ ORC-1: NW, PID-7: 2026-13-01 }') })
  expect(stdout).toMatch(/expected {2}"cancel"\n +received {2}"AE"\n +by +PatientBirthDate is not a date\./)
})

test('tests that are not YAML, or not UTF-8, fail', async () => {
  expect(await tested({ [beside]: 'a: b: c\n' })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`${beside}:1:4  E250`) as string,
  })
  const latin1 = Buffer.from('pipeline: R\u00f6ntgen\n', 'latin1')
  expect(await tested({ [beside]: latin1 })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('E257') as string,
  })
})

test('no tests, or a pipeline that does not exist, is not success', async () => {
  expect((await tested({})).code).not.toBe(0)
  expect((await tested({ [beside]: 'pipeline: orders\nmessage: MSH|\ntests: []\n' })).code).toBe(1)
  const { code, stderr } = await tested({ [beside]: tests }, ['ordres'])
  expect(code).toBe(1)
  expect(stderr).toContain('Did you mean orders?')
})

test('a site with mistakes is not tested', async () => {
  const { code, stderr } = await tested({
    [beside]: tests,
    ...changed('pipelines/orders/pipeline.yaml', 'accept:', 'acept:'),
  })
  expect(code).toBe(1)
  expect(stderr).toContain('pipelines/orders/pipeline.yaml:4:1')
})

test('--json gives every result to programs', async () => {
  const { stdout } = await tested({ [beside]: tests }, ['--json'])
  expect(JSON.parse(stdout)).toMatchObject([
    { pipeline: 'orders', results: [{ differences: [] }, { differences: [] }] },
  ])
})

const status = {
  'pipelines/status/pipeline.yaml': `pipeline: status
from: orthanc
to: ris
on:
  started: { message: ORM^O01, orderStatus: IP }
map:
  PID-3: order.PID-3
  ORC-1: { value: SC }
  ORC-5: orderStatus
`,
  'pipelines/status/pipeline.test.yaml': String.raw`pipeline: status
message: |
  MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1
  PID|1||4711^^^HOSP||Doe^Jane||19800214|F
  ORC|NW|P1|F1
  OBR|1|P1|F1|CTABD^CT Abdomen
tests:
  - name: the first image puts the order in progress
    event: started
    expect: { PID-3: 4711^^^HOSP, ORC-5: IP }
  - name: the end is told to nobody
    event: completed
    expect: nothing
`,
}

test('status pipelines are tested by what they send', async () => {
  const { code, stdout } = await tested({ [beside]: tests, ...status })
  expect(stdout).toContain(
    'status\n  passed  the first image puts the order in progress\n  passed  the end is told to nobody\n4 passed\n',
  )
  expect(code).toBe(0)
})

test('a status pipeline that sends something else fails its test', async () => {
  const file = 'pipelines/status/pipeline.test.yaml'
  const wrong = status[file].replace('ORC-5: IP', 'ORC-5: CM')
  const { code, stdout } = await tested({ ...status, [file]: wrong }, ['status'])
  expect(code).toBe(1)
  expect(stdout).toContain(`FAILED  the first image puts the order in progress  ${file}:8\n`)
  expect(stdout).toMatch(
    /ORC-5 {2}pipelines.status.pipeline\.test\.yaml:10:\d+\n +expected {2}"CM"\n +received {2}"IP"\n +by +pipelines.status.pipeline\.yaml:9:3\n/,
  )
})

test('an event that there is not is said with its place', async () => {
  const file = 'pipelines/status/pipeline.test.yaml'
  const { code, stdout } = await tested({ ...status, [file]: status[file].replace('event: completed', 'event: ended') })
  expect(code).toBe(1)
  expect(stdout).toMatch(new RegExp(`${file}:12:\\d+ {2}E225`))
})

const failing: readonly [what: string, expectation: string, shown: readonly string[]][] = [
  [
    'a value that should not be there',
    'items: [{ PatientSex: null }]',
    [
      'items[0].PatientSex',
      'expected  nothing',
      'received  "F"',
      'by        PID-8  pipelines/orders/pipeline.yaml:15:3',
    ],
  ],
  [
    'a value of the step, with the row of the table',
    'items: [{ ScheduledProcedureStepSequence: [{ Modality: MR }] }]',
    ['items[0].ScheduledProcedureStepSequence[0].Modality', 'received  "CT"', 'step.modality, procedures.csv:2'],
  ],
  ['too few items', 'items: [{}, {}]', ['items ', 'expected  2', 'received  1']],
  ['another effect', 'effect: cancel', ['effect ', 'expected  "cancel"', 'received  "create"']],
  ['an error that did not come', 'error: E301', ['error ', 'expected  E301', 'received  create']],
]

test.each(failing)('what fails is shown as expected and as it came: %s', async (_, expectation, shown) => {
  const head = tests.slice(0, tests.indexOf('tests:'))
  const { code, stdout } = await tested({
    [beside]: `${head}tests:\n  - name: fails\n    expect: { ${expectation} }\n`,
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(/pipeline\.test\.yaml:9:\d+\n/)
  for (const text of shown) expect(stdout).toContain(text)
})

test('an order that is refused names the error and the rule that found it, whatever items were expected', async () => {
  const refused = tests.replace('    expect:\n      items:', '    set: { OBR-4.1: XYZZY }\n    expect:\n      items:')
  const { stdout } = await tested({ [beside]: refused })
  expect(stdout).toMatch(/items {2}.*\n +received {2}the message was refused with E301\n +by +.*"XYZZY"/)
})

test('--name runs those whose name has this text; none is no success', async () => {
  const { code, stdout } = await tested({ [beside]: tests }, ['--name', 'CANCELLED'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'orders\n  passed  a cancelled order cancels\n1 passed\n' })
  expect((await tested({ [beside]: tests }, ['--name', 'nothing like it'])).code).toBe(2)
})

test('--json gives each difference with its place and its rule', async () => {
  const { stdout } = await tested({ [beside]: tests.replace('PatientName: Doe^Jane', 'PatientName: Roe') }, ['--json'])
  const [{ results }] = JSON.parse(stdout) as [{ results: unknown[] }]
  expect(results[0]).toMatchObject({
    name: 'an order becomes an item',
    details: [
      {
        what: 'items[0].PatientName',
        expected: '"Roe"',
        received: '"Doe^Jane"',
        place: { file: beside, line: 11 },
        by: 'PID-5',
        rule: { file: 'pipelines/orders/pipeline.yaml', line: 12 },
      },
    ],
  })
})
