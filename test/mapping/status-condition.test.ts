import { expect, test } from 'vitest'
import { anEvent, anOrder, aSeries, aStudy, statusPlan, statusProblems } from './status-support.ts'

function pipeline(when: string, place: 'pipeline' | 'event' | 'rule' = 'pipeline'): string {
  const quoted = `'${when.replaceAll("'", "''")}'`
  return `pipeline: status
from: any
to: origin
${place === 'pipeline' ? `when: ${quoted}\n` : ''}on:
  started: { message: ORM^O01${place === 'event' ? `, when: ${quoted}` : ''} }
map:
  ORC-3: order.ORC-3
  ORC-5: ${place === 'rule' ? `{ value: IP, when: ${quoted} }` : '{ value: IP }'}
`
}

const holds = (when: string, ...given: Parameters<typeof anEvent> | []) =>
  statusPlan([pipeline(when)]).render(given.length === 0 ? anEvent('started') : anEvent(...given)).length === 1

test.each([
  'order.PV1-2 == "I"',
  'order.PV1-2 in ["I", "E"]',
  'like(order.PV1-3, "RA*")',
  'order.PV1-3.2 == "MR1"',
  'order.PID-3(4=HOSP).1 == "4711"',
  'order.PV1-2.startsWith("I") && !(order.source == "ris-b")',
  'order.OBR-4 == ""',
  'item.Modality == "MR" || item.Modality == "CT"',
  'item.AccessionNumber != "order.PV1-2"',
  "item.ScheduledStationAETitle == 'MR01'",
  'study.instances > 5 && study.series == 2',
  'study.modalities.contains("SR")',
  'study.PatientID == item.PatientID || study.PatientID == "4711"',
  'event.kind == "started" && event.orthanc == "orthanc"',
  'event.change == ""',
])('%s is true of the example', (when) => {
  const study = aStudy([aSeries(), aSeries({ modality: 'SR', instances: 1 })])
  expect(holds(when, 'started', { study })).toBe(true)
  expect(holds(`!(${when})`, 'started', { study })).toBe(false)
})

test('without an order or a study everything is empty, and nothing is counted', () => {
  expect(holds('study.instances == 0 && study.modalities == ""', 'started', { study: undefined })).toBe(true)
  expect(
    holds('order.PV1-2 == "" && item.Modality == ""', 'started', { order: anOrder({ received: '', steps: [] }) }),
  ).toBe(true)
})

test('a condition on an event leaves out that message, one on a rule that value', () => {
  expect(statusPlan([pipeline('order.PV1-2 == "O"', 'event')]).render(anEvent('started'))).toEqual([])
  expect(statusPlan([pipeline('order.PV1-2 == "I"', 'event')]).render(anEvent('started'))).toHaveLength(1)
  const text = (when: string) =>
    Buffer.from(statusPlan([pipeline(when, 'rule')]).render(anEvent('started'))[0]?.bytes ?? []).toString()
  expect(text('order.PV1-2 == "I"')).toContain('ORC|||F1||IP\r')
  expect(text('order.PV1-2 == "O"')).toContain('ORC|||F1\r')
})

test('a condition on the pipeline may ask for the words of the event', () => {
  const text = pipeline('orderStatus in ["CM", "DC"]').replace(
    'started: { message: ORM^O01 }',
    'started: { message: ORM^O01, orderStatus: IP }\n  completed: { message: ORM^O01, orderStatus: CM }',
  )
  const plan = statusPlan([text.replace('{ value: IP }', 'orderStatus')])
  expect(plan.render(anEvent('started'))).toEqual([])
  expect(plan.render(anEvent('completed'))).toHaveLength(1)
})

test('an event with several messages sends those whose conditions are true', () => {
  const plan = statusPlan([
    `pipeline: status
from: any
to: origin
on:
  completed:
    - { message: ORM^O01, orderStatus: CM }
    - { when: study.instances > 0, message: ORU^R01, orderStatus: CM, resultStatus: R }
    - { when: study.instances == 0, message: ORU^R01, orderStatus: CM, resultStatus: S }
map: { ORC-3: order.ORC-3, ORC-5: orderStatus, OBR-25: resultStatus }
`,
  ])
  const sent = (...given: Parameters<typeof anEvent>) =>
    plan.render(anEvent(...given)).map(({ bytes }) => {
      const [header, ...lines] = Buffer.from(bytes).toString().split('\r')
      return `${header?.split('|')[8]} ${lines.join(' ')}`
    })
  expect(sent('completed')).toEqual([
    'ORM^O01^ORM_O01 ORC|||F1||CM ',
    `ORU^R01^ORU_R01 ORC|||F1||CM OBR${'|'.repeat(25)}R `,
  ])
  expect(sent('completed', { study: undefined })[1]).toBe(`ORU^R01^ORU_R01 ORC|||F1||CM OBR${'|'.repeat(25)}S `)
})

test.each([
  ['order.PV1-99 == "I"', /^4:\d+ E202 PV1 has 52 fields, not 99/],
  ['order.PVI-2 == "I"', /^4:\d+ E203 There is no HL7 segment "PVI"/],
  ['item.Modalty == "MR"', /^4:\d+ E210 .*Did you mean Modality\?/],
  ['study.instance > 0', /^4:8 E233 .*Did you mean study\.instances\?/],
  ['event.kin == "started"', /^4:8 E233 .*Did you mean event\.kind\?/],
  ['source == "ris-a"', /^4:\d+ E236 There is nothing named source in a condition\./],
  ['study.instances == "5"', /^4:\d+ E223 /],
  ['order.PV1-2', /^4:\d+ E209 A condition must be true or false; this is a text\./],
  ['order.PV1-2 == "I', /^4:\d+ E211 /],
  ['order.PV1-2 = "I"', /^4:\d+ E211 .* Did you mean ==\?/s],
  ['order.PV1-2 == "I" and study.instances > 0', /^4:\d+ E211 .* Did you mean &&\?/s],
  ['order.PV1-2.matches("I")', /^4:\d+ E217 matches/],
])('%s is a mistake with its place', (when, wanted) => {
  const problems = statusProblems(pipeline(when))
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(wanted)
})

test('a mistake far right in a condition is found at its place', () => {
  const [problem] = statusProblems(pipeline('order.PV1-2 == "I" && study.instnces > 0'))
  expect(problem).toMatch(/^4:30 E233 "study\.instnces"/)
})

test('a condition that cannot be worked out is not true', () => {
  expect(holds('10 / study.series > 1', 'started', { study: undefined })).toBe(false)
  expect(holds('10 / study.series > 1')).toBe(true)
})

test('a count that is none makes no condition true, and breaks nothing', () => {
  const plan = statusPlan([
    'pipeline: p\nfrom: any\nto: ris\non: { started: { message: ORU^R01, when: study.instances > 0 } }\nmap: { OBX-5: study.StudyInstanceUID }',
  ])
  const study = aStudy([aSeries({ instances: 1.5 })])
  expect(plan.render(anEvent('started', { study }))).toEqual([])
  expect(plan.render(anEvent('started', { study: aStudy([aSeries({ instances: 1e12 })]) }))).toHaveLength(1)
})

test('a status that no field shows, and a table that nothing uses, are said', () => {
  const text = `pipeline: p
from: any
to: ris
on:
  started: { message: ORM^O01, orderStatus: IP, resultStatus: P }
  completed:
    - { message: ORM^O01, orderStatus: CM }
tables:
  words: { IP: I }
map: { ORC-3: order.ORC-3, OBR-25: resultStatus }
`
  expect(statusProblems(text)).toEqual([
    '9:3 E224 "words" is not used. Remove it, or use it.',
    '5:32 E224 "orderStatus" is not used. Remove it, or use it.',
    '7:27 E224 "orderStatus" is not used. Remove it, or use it.',
  ])
  expect(statusProblems(text.replace('ORC-3: order.ORC-3', 'ORC-5: { from: orderStatus, table: words }'))).toEqual([])
})

test.each([
  ['on', '{}'],
  ['to', '[]'],
  ['from', ''],
  ['pipeline', '""'],
])('a pipeline whose "%s" is empty does nothing, and is told so', (name, value) => {
  const text = pipeline('order.PV1-2 == "I"').replace(
    'on:\n  started: { message: ORM^O01 }',
    'on: { started: { message: ORM^O01 } }',
  )
  const [problem, ...more] = statusProblems(text.replace(new RegExp(`^${name}: .*$`, 'm'), `${name}: ${value}`))
  expect(problem).toContain(`E219 ${name} is missing.`)
  expect(more).toEqual([])
})
