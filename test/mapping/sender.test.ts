import { expect, test } from 'vitest'
import type { Judgement } from '../../src/mapping/types.ts'
import { runPipelineTests } from '../../src/mapping/index.ts'
import { compile, located, message, neededRules, planOf, site } from './support.ts'

const pipeline = `pipeline: orders
from: ris-orders
accept: { messages: [ORM^O01], when: '!like(machine, "192.168.*")' }
let: { machine: sender.address }
tables:
  rooms: { 10.1.2.3: CT01, 10.1.2.4: CT02, otherwise: next }
orderControl: { NW: create }
identity: { order: ORC-3 }
map:
  ${neededRules}
  PatientComments: { from: sender.address }
  ScheduledProcedureStepSequence:
    Modality: { value: CT }
    ScheduledStationAETitle:
      - { from: machine, table: rooms }
      - { value: CT06, when: 'machine == "2001:db8::6"' }
      - { value: CT99 }
    ScheduledProcedureStepStartDate: OBR-36
    ScheduledProcedureStepStartTime: OBR-36
    ScheduledProcedureStepDescription: OBR-4.2
    ScheduledProcedureStepID: OBR-20
`

const lines = [
  String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1`,
  'PID|1||4711^^^HOSP||Doe^Jane||19800214|F',
  'ORC|NW|P1|F1',
  'OBR|1|P1|F1|CTABD^CT||||||||||||||ACC1|RP1|SPS1||||||||||||||||20260302101500',
]

function stationOf({ verdict }: Judgement): unknown {
  return verdict.kind === 'accepted' ? verdict.groups[0]?.steps[0]?.stations[0] : verdict
}

test.each([
  ['10.1.2.3', 'CT01'],
  ['10.1.2.4', 'CT02'],
  ['2001:db8::6', 'CT06'],
  ['10.9.9.9', 'CT99'],
  ['', 'CT99'],
])('of what the machine "%s" sends, the station is %s', (sender, station) => {
  const plan = planOf([pipeline])
  expect(stationOf(plan.judge(message(...lines), sender))).toBe(station)
  expect(stationOf(plan.explain(message(...lines), sender))).toBe(station)
})

test('a message of which nobody knows the machine has no address', () => {
  const { verdict } = planOf([pipeline]).judge(message(...lines))
  expect(verdict).toMatchObject({ kind: 'accepted', groups: [{ patient: { attributes: { PatientID: '4711' } } }] })
  expect(verdict.kind === 'accepted' && verdict.groups[0]?.patient?.attributes['PatientComments']).toBeUndefined()
})

test('explain names the machine as the origin of a value', () => {
  const { lines: told } = planOf([pipeline]).explain(message(...lines), '10.1.2.3')
  expect(told.find(({ keyword }) => keyword === 'PatientComments')).toMatchObject({ value: '10.1.2.3' })
  expect(told.find(({ keyword }) => keyword === 'PatientComments')?.origin).toContain('sender.address')
})

test('a condition may ask for the machine before the message is taken', () => {
  expect(planOf([pipeline]).judge(message(...lines), '192.168.7.7').verdict).toEqual({
    kind: 'ignored',
    rule: 'orders: accept.when',
  })
})

test('what is nearly its name, and what stands in a condition without a name of let, is told with its cure', () => {
  const wrong = pipeline
    .replace('from: sender.address', 'from: sender.adress')
    .replace(`machine == "2001`, `sender.address == "2001`)
  expect(compile([wrong]).problems.map(({ code, message: said, cure = '' }) => [code, `${said} ${cure}`])).toEqual([
    ['E201', expect.stringMatching(/"sender\.adress".*sender\.address/)],
    ['E205', expect.stringContaining('let: { field: sender.address }')],
  ])
})

test('a pipeline test says from which machine its message comes', () => {
  const tests = (sender: string, station: string) => `
  - name: from "${sender}"
    sender: ${sender}
    expect: { items: [{ ScheduledProcedureStepSequence: [{ ScheduledStationAETitle: ${station} }] }] }`
  const document = `pipeline: orders
message: |
${lines.map((line) => `  ${line}`).join('\n')}
tests:${tests('10.1.2.4', 'CT02')}${tests('"::ffff:10.1.2.3"', 'CT01')}${tests('10.1.2.4', 'CT01')}${tests('ct-room', 'CT99')}
`
  const input = { id: 'test', source: 'ris-orders', pipelines: [located(pipeline)], tables: {}, site }
  const { results, problems } = runPipelineTests(input, located(document, 'pipeline.test.yaml'))
  expect(results.map(({ differences }) => differences.length)).toEqual([0, 0, 1, 0])
  expect(results[2]?.details[0]?.by).toContain('table rooms')
  expect(problems.map(({ code, line }) => [code, line])).toEqual([['E230', 18]])
})
