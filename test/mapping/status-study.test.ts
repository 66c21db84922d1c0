import { expect, test } from 'vitest'
import { orthancChanges } from '../../src/core/orthanc-change.ts'
import { anEvent, anOrder, aSeries, aStudy, observed, observing, statusPlan } from './status-support.ts'

const values = (rules: readonly string[], ...given: Parameters<typeof anEvent>) =>
  observed(statusPlan([observing(rules, given[0])]), anEvent(...given))

test('what is known of the images can be told', () => {
  const study = aStudy([aSeries(), aSeries({ modality: 'PR', instances: 1 }), aSeries({ instances: 5 })])
  const rules = [
    'StudyInstanceUID',
    'AccessionNumber',
    'PatientID',
    'IssuerOfPatientID',
    'modalities',
    'series',
    'instances',
    'firstImageTime',
    'lastImageTime',
  ]
  expect(
    values(
      rules.map((name) => `study.${name}`),
      'started',
      { study },
    ),
  ).toEqual(['2.25.1', 'ACC1', '4711', 'HOSP', 'MR~PR', '3', '16', '20261016100512', '20261016103955'])
})

test('the study is still there when there is no order', () => {
  const rules = [
    'study.StudyInstanceUID',
    'study.instances',
    'order.PID-3',
    'item.Modality',
    'order.source',
    'study.firstImageTime',
  ]
  const study = aStudy(undefined, { firstImageAt: '2026-10-16T07:00:00.000Z' })
  expect(values(rules, 'unmatched', { order: undefined, study })).toEqual(['2.25.1', '10', '20261016090000'])
})

test('before there are images the study is named as the order names it', () => {
  expect(values(['study.StudyInstanceUID'], 'canceled', { study: undefined })).toEqual(['1.2.3'])
})

test.each([
  ['20261016', '100455.123', '20261016100455'],
  ['20261016', '1004', '202610161004'],
  ['20261016', '10', '202610161000'],
  ['20261016', '100455 ', '20261016100455'],
  ['20261016', '', '20261016100512'],
  ['', '100455', '20261016100512'],
  ['2026.10.16', '10:04:55', '20261016100512'],
])('Study Date %j and Study Time %j: the exam began at %s', (studyDate, studyTime, wanted) => {
  const study = aStudy([aSeries({ modality: 'SR' }), aSeries({ studyDate, studyTime })])
  expect(values(['study.startTime'], 'started', { study })).toEqual([wanted])
})

test('without images nothing is said of their times', () => {
  const { firstImageAt: _first, lastImageAt: _last, ...order } = anOrder()
  const rules = ['study.startTime', 'study.lastImageTime', 'study.instances', 'event.kind']
  expect(values(rules, 'canceled', { order, study: undefined })).toEqual(['canceled'])
})

test('the hour that summer time repeats is told in local time', () => {
  const order = anOrder({ firstImageAt: '2026-10-25T00:30:00.000Z', lastImageAt: '2026-10-25T01:30:00.000Z' })
  expect(values(['study.firstImageTime', 'study.lastImageTime'], 'started', { order, study: undefined })).toEqual([
    '20261025023000',
    '20261025023000',
  ])
})

test.each(orthancChanges)("Orthanc's own change %s can be told", (change) => {
  const row = { change, level: 'Series', resource: 'a1-b2', study: 's', at: '2026-10-16T06:00:00.000Z' } as const
  const rules = ['event.kind', 'event.change', 'event.resource', 'event.level', 'event.orthanc', 'event.time']
  expect(values(rules, change, { row })).toEqual([change, change, 'a1-b2', 'Series', 'orthanc', '20261016080000'])
})

test('the item is that of the step in question', () => {
  const step = (key: string, stepStatus: 'STARTED' | 'COMPLETED' | 'CANCELED' | 'SCHEDULED', Modality: string) => ({
    key,
    stepStatus,
    stations: [`${Modality}1`],
    flags: [],
    attributes: { Modality },
  })
  const rules = ['item.Modality', 'item.ScheduledStationAETitle', 'item.ScheduledProcedureStepStatus']
  const order = anOrder({
    steps: [
      step('1', 'CANCELED', 'US'),
      step('2', 'SCHEDULED', 'CT'),
      step('3', 'STARTED', 'MR'),
      step('4', 'COMPLETED', 'PT'),
    ],
  })
  expect(values(rules, 'started', { order })).toEqual(['MR', 'MR1', 'STARTED'])
  expect(values(rules, 'completed', { order })).toEqual(['PT', 'PT1', 'COMPLETED'])
  expect(values(rules, 'canceled', { order })).toEqual(['US', 'US1', 'CANCELED'])
  expect(values(rules, 'reopened', { order })).toEqual(['MR', 'MR1', 'STARTED'])
  expect(values(rules, 'expired', { order })).toEqual(['MR', 'MR1', 'STARTED'])
  const both = anOrder({ steps: [step('1', 'STARTED', 'CT'), step('2', 'STARTED', 'PT')] })
  expect(values(rules, 'started', { order: both, study: aStudy([aSeries({ modality: 'PT' })]) })[0]).toBe('PT')
  expect(values(rules, 'started', { order: both, study: undefined })[0]).toBe('CT')
})

test('a patient who was merged is told as who he is now', () => {
  const rules = ['order.PID-3', '[order.PID-5, item.PatientName]', 'item.PatientID']
  const merged = {
    key: '99^^^HOSP',
    patientId: '99',
    issuerOfPatientId: 'HOSP',
    attributes: { PatientName: 'Roe^Jane^^Dr^Jr' },
  }
  expect(values(rules, 'started', { patient: { ...merged, aliases: ['4711^^^HOSP'] } })).toEqual([
    '99^^^HOSP',
    'Roe^Jane^^Jr^Dr',
    '99',
  ])
  expect(values(rules, 'started', { patient: merged })).toEqual(['4711^^^HOSP', 'Doe^Jane', '99'])
})

test('nulls and empty parts of the order are no values', () => {
  const order = anOrder({
    received: anOrder().received.replace('4711^^^HOSP', '4711^^^HOSP^~').replace('PV1|1|I', 'PV1|1|""'),
  })
  expect(values(['order.PID-3', '[order.PV1-2, item.AccessionNumber]'], 'started', { order })).toEqual([
    '4711^^^HOSP',
    'ACC1',
  ])
})

test('a test order of a RIS is told as one, in the version that the pipeline names', () => {
  const order = anOrder({ received: anOrder().received.replace('|P|2.3.1', '|T|2.3.1') })
  const text = observing(['event.kind']).replace('from: any', 'from: any\nversion: 2.5.1')
  const [message] = statusPlan([text]).render(anEvent('started', { order }))
  expect(Buffer.from(message?.bytes ?? []).toString()).toContain('|W0|T|2.5.1||||||UNICODE UTF-8\r')
})

test('a segment that would hold constants only is not written, whatever they come from', () => {
  const rules = [
    '{ value: X }',
    '[order.OBR-44, { value: X }]',
    '{ join: "^", from: ["", { value: X }] }',
    '[order.OBR-44, event.kind]',
  ]
  expect(values(rules, 'started')).toEqual(['started'])
})

test('a field that is copied into a component gives its first part', () => {
  const text = `pipeline: p
from: any
to: ris
on: { started: { message: ORU^R01 } }
map: { PID-3.1: order.PID-3, PID-3(2): order.PID-3, PID-5.1: order.PID-5, PID-5.2.1: order.PID-5 }
`
  const order = anOrder({ received: anOrder().received.replace('4711^^^HOSP', '4711^^^HOSP~0815^^^CARD') })
  const [message] = statusPlan([text]).render(anEvent('started', { order }))
  expect(Buffer.from(message?.bytes ?? []).toString()).toContain('PID|||4711~4711^^^HOSP||Doe^Doe\r')
})
