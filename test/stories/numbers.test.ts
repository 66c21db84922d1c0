import { expect, test } from 'vitest'
import { shortNumber } from '../../src/dicom/short-number.ts'
import { madeNumber } from '../../src/exam/made-numbers.ts'
import { compileStatus } from '../../src/mapping/index.ts'
import { located, message, planOf, shippedPlan } from '../mapping/support.ts'
import { createStory, series, type Story } from './support.ts'

/** Orders as HL7, through a pipeline that makes numbers where the sender has none, or shortens what is too long. */
const yaml = (made: string): string => `pipeline: p
from: ris-orders
accept: { messages: [ORM^O01] }
orderControl: { NW: create, XO: update, CA: cancel }
identity: { order: [ORC-3, ORC-2], step: OBR-20 }
map:
  PatientName: PID-5
  PatientID: PID-3.1
  AccessionNumber: { from: OBR-18, ${made} }
  RequestedProcedureID: { from: OBR-19, ${made} }
  RequestedProcedureDescription: OBR-4.2
  StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }
  ScheduledProcedureStepSequence:
    Modality: OBR-24
    ScheduledStationAETitle: { value: CT01 }
    ScheduledProcedureStepDescription: OBR-4.2
    ScheduledProcedureStepID: { from: OBR-20, ${made} }
    ScheduledProcedureStepStartDate: OBR-36
    ScheduledProcedureStepStartTime: OBR-36
`
const making = planOf([yaml('otherwise: generated(RA)')])
const shortening = planOf([yaml('tooLong: hash')])

interface Said {
  readonly control?: string
  readonly filler?: string
  readonly accession?: string
  readonly procedure?: string
  readonly step?: string
  readonly start?: string
  readonly sent?: string
}

function lines({ control = 'NW', filler = 'F1', accession = '', procedure = '', step = '', start }: Said): string[] {
  const numbers = `${accession}|${procedure}|${step}`
  return [
    `ORC|${control}||${filler}`,
    `OBR|1||${filler}|CT^CT head||||||||||||||${numbers}||||CT||||||||||||${start ?? '20261016100000'}`,
  ]
}

function hear(story: Story, orders: readonly Said[], plan = making): string {
  const sent = orders[0]?.sent ?? '20261015090000'
  const { verdict } = plan.judge(
    message(
      String.raw`MSH|^~\&|R|M|W|R|${sent}||ORM^O01|1|P|2.3.1`,
      'PID|1||4711||MUELLER^ANNA',
      ...orders.flatMap(lines),
    ),
  )
  if (verdict.kind !== 'accepted') throw new Error(JSON.stringify(verdict))
  return story.message(...verdict.groups).kind
}

function numbersOf(story: Story) {
  return story.orders().map(({ request, steps }) => ({
    accession: request['AccessionNumber'],
    procedure: request['RequestedProcedureID'],
    steps: steps.map(({ attributes }) => attributes['ScheduledProcedureStepID']),
  }))
}

test('an order without numbers gets them once, whatever is repeated or updated', () => {
  const story = createStory()
  hear(story, [{}])
  const [made] = numbersOf(story)
  expect(made).toEqual({ accession: 'RART', procedure: 'RART', steps: ['RART-1-1'] })
  hear(story, [{}])
  hear(story, [{ control: 'XO', start: '20261017100000', sent: '20261015100000' }])
  hear(story, [{ control: 'CA', sent: '20261015110000' }])
  expect(numbersOf(story)).toEqual([made])
})

test('images that carry the number that was made are of its order', () => {
  const story = createStory()
  hear(story, [{}])
  story.images(series({ studyInstanceUid: '9.9', accessionNumber: 'RART', patientId: '4711' }))
  expect(story.order().steps[0]?.stepStatus).toBe('STARTED')
})

test('a number that the RIS brings later takes the place of the one that was made, in the same order', () => {
  const story = createStory()
  hear(story, [{}])
  hear(story, [{ control: 'XO', accession: 'ACC1', procedure: 'RP1', sent: '20261015100000' }])
  expect(numbersOf(story)).toEqual([{ accession: 'ACC1', procedure: 'RP1', steps: ['RART-1-1'] }])
  expect(story.order().numbers).toMatchObject({ accessionNumber: 'ACC1', requestedProcedureId: 'RP1' })
  hear(story, [{ control: 'XO', sent: '20261015110000' }])
  expect(numbersOf(story)).toEqual([{ accession: 'ACC1', procedure: 'RP1', steps: ['RART-1-1'] }])
})

test('orders of one message, steps of one order, and an exam under a number that is used again have numbers of their own', () => {
  const story = createStory()
  hear(story, [{ filler: 'F1' }, { filler: 'F2' }, { filler: 'F3', step: 'A' }, { filler: 'F3', step: 'B' }])
  expect(numbersOf(story)).toEqual([
    { accession: 'RART', procedure: 'RART', steps: ['RART-1-1'] },
    { accession: 'RART-2', procedure: 'RART-2', steps: ['RART-2-1'] },
    { accession: 'RART-3', procedure: 'RART-3', steps: ['A', 'B'] },
  ])
  story.images(series({ studyInstanceUid: story.orders()[0]?.studyInstanceUid ?? '', patientId: '4711' }))
  story.hand({ kind: 'complete', orderId: story.orders()[0]?.id ?? '' })
  hear(story, [{ filler: 'F1', start: '20270116100000', sent: '20270101100000' }])
  const accessions = numbersOf(story).map(({ accession }) => accession)
  expect(new Set(accessions).size).toBe(4)
})

test('a number that is made fits into an SH for a long time, and no two are the same', () => {
  const seqs = [1_792_000_000_000, 1_792_000_000_001, 2_821_109_907_455, 2_821_109_907_456, 9_007_199_254_740_991]
  const all = seqs.flatMap((seq) =>
    [1, 2, 35, 36, 1295, 40_000].flatMap((group) =>
      [undefined, 1, 2, 36, 1300].map((step) => madeNumber(`O${seq}-${group}`, 'RAD', step)),
    ),
  )
  expect(new Set(all).size).toBe(all.length)
  expect(all.filter((number) => number.length > 16)).toEqual([])
})

const long = 'RIS-2026-ACC-000000042'
const status = compileStatus({
  pipelines: [
    located(`pipeline: status
from: any
to: ris
on: { started: { message: ORM^O01, orderStatus: IP } }
map:
  OBR-18: item.AccessionNumber
  OBR-19: item.RequestedProcedureID
`),
  ],
  tables: {},
  timeZone: 'UTC',
  destinations: ['ris'],
}).plan

test('a number that is too long has a short one at the modality, and the RIS is told its own', () => {
  const story = createStory()
  hear(story, [{ accession: long, procedure: 'RP1', step: 'S1' }], shortening)
  expect(story.worklist()[0]?.dataset).toMatchObject({ AccessionNumber: shortNumber(long) })
  story.images(series({ studyInstanceUid: '9.9', accessionNumber: shortNumber(long), patientId: '4711' }))
  const [event] = story.heard()
  const [sent] = (event && status?.render(event)) ?? []
  const text = new TextDecoder().decode(sent?.bytes)
  expect(text).toContain(`|${long}|RP1`)
  expect(text).not.toContain(shortNumber(long))
})

test('every later message with the long number is of the same exam', () => {
  const story = createStory()
  hear(story, [{ accession: long, procedure: 'RP1', step: 'S1' }], shortening)
  const before = story.worklist()
  hear(story, [{ accession: long, procedure: 'RP1', step: 'S1' }], shortening)
  hear(story, [{ control: 'XO', accession: long, procedure: 'RP1', step: 'S1' }], shortening)
  expect(story.worklist()).toEqual(before)
})

test('a corrected number that is not too long is told as it is', () => {
  const story = createStory()
  hear(story, [{ accession: long, procedure: 'RP1', step: 'S1' }], shortening)
  hear(story, [{ control: 'XO', accession: 'ACC1', procedure: 'RP1', step: 'S1', sent: '20261015100000' }], shortening)
  expect(story.worklist()[0]?.dataset).toMatchObject({ AccessionNumber: 'ACC1' })
})

test('an order number that stands in is short if it must, and replaces no number that is known', () => {
  const shippedOne = shippedPlan({ stationAeTitle: 'CT01' })
  const story = createStory()
  hear(story, [{ filler: long }], shippedOne)
  const short = shortNumber(long)
  expect(numbersOf(story)).toEqual([{ accession: short, procedure: short, steps: [short] }])
  expect(story.order().numbers.fillerOrderNumber).toBe(long)
  const known = { accession: 'ACC1', procedure: 'RP1', step: 'S1' }
  hear(story, [{ control: 'XO', filler: long, ...known, sent: '20261015100000' }], shippedOne)
  hear(story, [{ control: 'XO', filler: long, step: 'S1', sent: '20261015110000' }], shippedOne)
  expect(numbersOf(story)).toEqual([{ accession: 'ACC1', procedure: 'RP1', steps: ['S1'] }])
})
