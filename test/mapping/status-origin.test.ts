import { expect, test } from 'vitest'
import type { StatusPlan } from '../../src/core/world.ts'
import { anEvent, anOrder, aStudy, statusPlan, statusProblems } from './status-support.ts'

function form(name: string, to = 'origin', more = ''): string {
  return `pipeline: ${name}
from: any
to: ${to}
${more}on: { started: { message: ORM^O01, orderStatus: IP }, NewStudy: { message: ORM^O01 } }
map: { ORC-3: order.ORC-3, ORC-5: orderStatus, OBX-5: study.StudyInstanceUID }
`
}

const twoRis = {
  destinations: ['ris-a', 'ris-b', 'statistics'],
  origins: { 'ris-a': 'ris-a', 'ris-b': 'ris-b', 'ris-c': 'none' },
}

function told(plan: StatusPlan, ...args: Parameters<typeof anEvent>): readonly string[] {
  return plan.render(anEvent(...args)).map(({ endpoint, pipeline }) => `${endpoint} by ${pipeline}`)
}

test('an order is told to the RIS that it came from, and to no other', () => {
  const plan = statusPlan([form('status')], twoRis)
  expect(told(plan, 'started', { order: anOrder({ source: 'ris-a' }) })).toEqual(['ris-a by status'])
  expect(told(plan, 'started', { order: anOrder({ source: 'ris-b' }) })).toEqual(['ris-b by status'])
})

test('an order of a source that tells nobody, or that is no more, is told to nobody', () => {
  const plan = statusPlan([form('status')], twoRis)
  expect(told(plan, 'started', { order: anOrder({ source: 'ris-c' }) })).toEqual([])
  expect(told(plan, 'started', { order: anOrder({ source: 'constructor' }) })).toEqual([])
})

test('each RIS is told in the form that was chosen for it, and usually in "status"', () => {
  const plan = statusPlan([form('status'), form('status-oru'), form('other')], {
    ...twoRis,
    forms: { 'ris-b': 'status-oru' },
  })
  expect(told(plan, 'started', { order: anOrder({ source: 'ris-a' }) })).toEqual(['ris-a by status'])
  expect(told(plan, 'started', { order: anOrder({ source: 'ris-b' }) })).toEqual(['ris-b by status-oru'])
})

test('a destination that is named hears of any order, and of what has none', () => {
  const plan = statusPlan([form('status'), form('all', 'statistics')], twoRis)
  expect(told(plan, 'started', { order: anOrder({ source: 'ris-b' }) })).toEqual([
    'ris-b by status',
    'statistics by all',
  ])
  expect(told(plan, 'NewStudy', { order: undefined })).toEqual(['statistics by all'])
})

test('a pipeline may tell the origin and another, each once', () => {
  const plan = statusPlan([form('status', '[origin, statistics, ris-a]')], twoRis)
  expect(told(plan, 'started')).toEqual(['ris-a by status', 'statistics by status'])
})

test('a RIS is told the time in the zone in which it orders; who orders in none is told that of the site', () => {
  const text = form('status', 'origin').replace('OBX-5: study.StudyInstanceUID', 'ORC-9: event.time')
  const zones = { 'ris-b': 'Asia/Tokyo' }
  const plan = statusPlan([text], { ...twoRis, timeZone: 'Europe/Berlin', zones })
  const times = (source: string) => {
    const [message] = plan.render({
      ...anEvent('started', { order: anOrder({ source }) }),
      at: '2026-10-16T20:00:00.000Z',
    })
    const lines = Buffer.from(message?.bytes ?? [])
      .toString()
      .split('\r')
    return [lines[0]?.split('|')[6], lines.find((line) => line.startsWith('ORC'))?.split('|')[9]]
  }
  expect(times('ris-a')).toEqual(['20261016220000+0200', '20261016220000'])
  expect(times('ris-b')).toEqual(['20261017050000+0900', '20261017050000'])
})

test('messages of one event have control IDs of their own', () => {
  const plan = statusPlan([form('status', '[origin, statistics]'), form('all', 'statistics')], twoRis)
  expect(plan.render(anEvent('started')).map(({ controlId }) => controlId)).toEqual(['W0', 'W1', 'W2'])
})

test('without sources and their destinations, the only destination is the origin of all', () => {
  expect(told(statusPlan([form('status')]), 'started')).toEqual(['ris by status'])
  expect(told(statusPlan([form('status')], { destinations: ['a', 'b'] }), 'started')).toEqual([])
})

test('a rule on the source chooses the destination', () => {
  const rule = 'when: order.source == "ris-b"\n'
  const plan = statusPlan([form('rule', 'statistics', rule)], twoRis)
  expect(told(plan, 'started', { order: anOrder({ source: 'ris-a' }) })).toEqual([])
  expect(told(plan, 'started', { order: anOrder({ source: 'ris-b' }) })).toEqual(['statistics by rule'])
  expect(told(plan, 'NewStudy', { order: undefined })).toEqual([])
})

test('the plan listens to what a pipeline hears that has somebody to tell', () => {
  const other = form('other', 'statistics').replace('started', 'lateImages')
  const listens = (destinations: readonly string[]) => [
    ...(statusPlan([form('status'), other], { ...twoRis, destinations }).listens ?? []),
  ]
  expect(listens(['ris-a'])).toEqual(['started', 'NewStudy'])
  expect(listens(['ris-a', 'statistics'])).toEqual(['started', 'NewStudy', 'lateImages'])
  expect(listens([])).toEqual([])
})

test('a site says for each destination what stands in MSH-3 to MSH-6', () => {
  const plan = statusPlan(
    [form('status', '[origin, statistics]').replace('map: {', 'map: { MSH-3: order.MSH-5, MSH-5: order.MSH-3,')],
    {
      ...twoRis,
      receivers: {
        'ris-a': { header: { sendingApplication: 'A|B', sendingFacility: '', receivingFacility: 'NORTH' } },
      },
    },
  )
  const headers = plan
    .render(anEvent('started'))
    .map(({ bytes }) => Buffer.from(bytes).toString().split('|20261016')[0])
  expect(headers).toEqual([String.raw`MSH|^~\&|A\F\B||RIS|NORTH`, String.raw`MSH|^~\&|W||RIS|`])
})

test('of several Orthancs a pipeline hears those that it names', () => {
  const text = form('status').replace('from: any', 'from: [orthanc, second]')
  const plan = statusPlan([text], twoRis)
  expect(told(plan, 'started', { study: aStudy(), orthanc: 'second' })).toHaveLength(1)
  expect(told(plan, 'started', { study: aStudy(), orthanc: 'third' })).toEqual([])
  expect(told(plan, 'started', { study: undefined, orthanc: undefined })).toHaveLength(1)
})

test.each(['unmatched', 'ambiguous', 'mismatch', 'NewPatient', 'OrthancStarted', 'JobFailure'])(
  '%s has no order: whoever tells it to the origin is told so',
  (event) => {
    const text = `pipeline: p\nfrom: any\nto: origin\non:\n  ${event}: { message: ORU^R01 }\nmap: {}\n`
    expect(statusProblems(text)).toEqual([
      `5:3 E235 "${event}" never has an order, so there is no origin to tell. Name destinations in \`to:\`, or remove the event.`,
    ])
    expect(statusProblems(text.replace('origin', '[origin, ris]'))).toEqual([])
  },
)
