import { describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import type { Effect, OrderGroup, PlannedStep } from '../../src/core/message.ts'
import type { Order, OrderNumbers, Patient } from '../../src/core/order.ts'
import { anna, createStory, otto, statuses, step, stepOf, type GroupParts, type Story } from './support.ts'

const effects: Readonly<Record<string, Effect>> = {
  S12: 'schedule',
  S13: 'schedule',
  S14: 'schedule',
  S15: 'cancel',
  S16: 'discontinue',
  S17: 'cancel',
  S26: 'cancel',
}

interface BookingParts {
  readonly patient?: Patient | null
  readonly sent?: string
  readonly numbers?: Partial<OrderNumbers>
  readonly steps?: readonly PlannedStep[]
  readonly request?: Dataset
}

/** A booking as the pipeline of appointments translates it; of appointment B1, for order F1, at 14:00 in MR2. */
function booking(event: string, parts: BookingParts = {}): OrderGroup {
  const { patient, sent = '20261015100000', numbers = {}, steps = [service()] } = parts
  const isPlanned = effects[event] === 'schedule'
  const { request = { RequestedProcedureID: 'B1', RequestedProcedureDescription: 'MR knee' } } = parts
  return {
    effect: effects[event] ?? 'ignore',
    orderControl: event,
    isBooking: true,
    numbers: { authority: 'ris', fillerAppointmentId: 'B1', fillerOrderNumber: 'F1', ...numbers },
    received: `MSH|^~\\&|SCHED|HOSP|WORKLANE|RAD|${sent}||SIU^${event}|1|P|2.5\rSCH||B1`,
    request: isPlanned ? request : {},
    steps: isPlanned ? steps : [],
    ...(patient === null ? {} : { patient: patient ?? anna }),
  }
}

const codeOf = (code: string): readonly Dataset[] => [
  { CodeValue: code, CodingSchemeDesignator: 'L', CodeMeaning: code },
]

/** One AIS. */
function service(
  time = '140000',
  {
    code = '',
    key = '1',
    stations = ['MR2'],
    ...attributes
  }: Dataset & {
    readonly code?: string
    readonly key?: string
    readonly stations?: readonly string[]
  } = {},
): PlannedStep {
  return {
    key,
    stations,
    attributes: {
      Modality: 'CT',
      ScheduledProcedureStepID: 'B1',
      ScheduledProcedureStepStartDate: '20261020',
      ScheduledProcedureStepStartTime: time,
      ScheduledProcedureStepDescription: 'Booked service',
      ...(code === '' ? {} : { ScheduledProtocolCodeSequence: codeOf(code) }),
      ...attributes,
    },
  }
}

const ownOnly = { fillerOrderNumber: '' } as const
const noStart = { ScheduledProcedureStepStartDate: '', ScheduledProcedureStepStartTime: '' }
const f1 = { fillerOrderNumber: 'F1', accessionNumber: 'A1' }

/** Start and station of each step: what a modality would look for. */
function plannedAs(of: Story | Order): readonly string[] {
  const orders = 'orders' in of ? of.orders() : [of]
  return orders.flatMap(({ steps }) =>
    steps.map(({ attributes, stations, stepStatus }) => {
      const start = [attributes['ScheduledProcedureStepStartDate'], attributes['ScheduledProcedureStepStartTime']].map(
        (one) => (typeof one === 'string' ? one : ''),
      )
      return `${start.join(' ')} ${stations.join('+')} ${stepStatus}`
    }),
  )
}

describe('a booking finds its order', () => {
  test('by the filler order number, by the placer order number, and later by the appointment alone', () => {
    const story = createStory()
    story.message({ numbers: { ...f1, placerOrderNumber: 'P1' } })
    expect(story.message(booking('S12'))).toEqual({ kind: 'applied' })
    story.message(booking('S13', { numbers: ownOnly, steps: [service('150000')] }))
    expect(plannedAs(story)).toEqual(['20261020 150000 MR2 SCHEDULED'])
    story.message(booking('S13', { numbers: { ...ownOnly, placerOrderNumber: 'P1' }, steps: [service('160000')] }))
    expect(plannedAs(story.order())).toEqual(['20261020 160000 MR2 SCHEDULED'])
    expect(story.order().numbers).toMatchObject({ fillerOrderNumber: 'F1', fillerAppointmentId: 'B1' })
  })

  test('an appointment ID is a number space of its own: it is no order number, and no other authority’s', () => {
    const story = createStory()
    story.message({ numbers: { fillerOrderNumber: 'B1', accessionNumber: 'A1' } })
    story.message(booking('S12', { numbers: { fillerOrderNumber: 'F2' } }))
    story.message(booking('S12', { numbers: { ...ownOnly, authority: 'other' } }))
    story.message(booking('S12', { numbers: { ...ownOnly, fillerAppointmentId: '', placerAppointmentId: 'B1' } }))
    expect(story.orders()).toHaveLength(4)
  })

  test('a placer appointment takes its filler ID later; two filler IDs of one placer ID are two appointments', () => {
    const story = createStory()
    const placed = { ...ownOnly, fillerAppointmentId: '', placerAppointmentId: 'Q1' }
    story.message(booking('S12', { numbers: placed }))
    story.message(booking('S13', { numbers: { ...placed, fillerAppointmentId: 'B1' }, steps: [service('150000')] }))
    expect(plannedAs(story)).toEqual(['20261020 150000 MR2 SCHEDULED'])
    story.message(booking('S12', { numbers: { ...placed, fillerAppointmentId: 'B2' } }))
    expect(story.orders()).toHaveLength(2)
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
    expect(story.message(booking('S15', { numbers: { ...placed, fillerAppointmentId: 'B2' } }))).toEqual({
      kind: 'applied',
    })
    expect(statuses(story)).toEqual(['SCHEDULED', 'CANCELED'])
  })

  test.each([
    [
      'Requested Procedure ID',
      { requestAttributes: [{ requestedProcedureId: 'B1', scheduledStepId: 'B1', accessionNumber: '' }] },
    ],
    ['accession number', { accessionNumber: 'F1' }],
  ])('images find an order that its bookings numbered one by one as its item shows it: by %s', (_by, image) => {
    const story = createStory()
    story.message(booking('S12', { numbers: { ...ownOnly, requestedProcedureId: 'B1' } }))
    const request = { RequestedProcedureID: 'F1', AccessionNumber: 'F1', RequestedProcedureDescription: 'MR knee' }
    story.message(booking('S13', { numbers: { requestedProcedureId: 'F1', accessionNumber: 'F1' }, request }))
    expect(story.items()[0]?.dataset).toMatchObject({ RequestedProcedureID: 'B1', AccessionNumber: 'F1' })
    story.images({ studyInstanceUid: '9.9', modality: 'CT', ...image })
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('of an order that has an appointment, a booking may name the other of its numbers or none', () => {
    const story = createStory()
    story.message(booking('S12', { numbers: { placerAppointmentId: 'Q1', fillerAppointmentId: '' } }))
    story.message(booking('S13', { numbers: { fillerAppointmentId: 'B1' }, steps: [service('150000')] }))
    story.message(booking('S13', { numbers: { fillerAppointmentId: '' }, steps: [service('160000')] }))
    expect(plannedAs(story)).toEqual(['20261020 160000 MR2 SCHEDULED'])
  })

  test('an order that was booked stays on the worklist when its appointment becomes that of another order', () => {
    const story = createStory()
    story.message({ numbers: f1 })
    story.message(booking('S12'))
    story.message({ numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2' } })
    story.message(booking('S13', { numbers: { fillerOrderNumber: 'F2' } }))
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
  })

  test('a booking that names an order nobody knows moves no other one that had its appointment', () => {
    const story = createStory()
    story.message({ numbers: f1 })
    story.message(booking('S12'))
    story.message(booking('S13', { numbers: { fillerOrderNumber: 'F9' }, steps: [service('160000')] }))
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED', '20261020 160000 MR2 SCHEDULED'])
    expect(story.orders().map(({ numbers }) => numbers.fillerOrderNumber)).toEqual(['F1', 'F9'])
    story.message(booking('S15', { sent: '20261015110000', numbers: ownOnly }))
    expect(statuses(story)).toEqual(['SCHEDULED', 'CANCELED'])
  })

  test('a booking without an appointment number means the order', () => {
    const story = createStory()
    story.message({ numbers: f1 })
    story.message(booking('S12'))
    story.message(booking('S13', { numbers: { fillerAppointmentId: '' }, steps: [service('160000')] }))
    expect(plannedAs(story)).toEqual(['20261020 160000 MR2 SCHEDULED'])
    story.message(booking('S12'))
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED'])
  })

  const b2 = { numbers: { fillerAppointmentId: 'B2' }, steps: [service('170000')] }
  const later = '20261015120000'

  test('an exam that gets another appointment has the new time, and the end of the old appointment ends nothing', () => {
    const story = createStory()
    story.message({ numbers: f1 })
    story.message(booking('S12'))
    story.message(booking('S12', { ...b2, sent: later }))
    expect(plannedAs(story)).toEqual(['20261020 170000 MR2 SCHEDULED'])
    story.message(booking('S15', { sent: later }))
    story.message(booking('S16', { sent: later }))
    story.message(booking('S15', { sent: later, numbers: ownOnly }))
    expect(plannedAs(story)).toEqual(['20261020 170000 MR2 SCHEDULED'])
    story.message(booking('S15', { sent: later, numbers: { fillerAppointmentId: 'B2', ...ownOnly } }))
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test.each(['S15', 'S17', 'S26'])('after %s it is booked again under another number, if that is newer', (event) => {
    const story = createStory()
    story.message({ numbers: f1 })
    story.message(booking('S12'))
    story.message(booking(event, { sent: '20261015110000' }))
    story.message(booking('S12', b2))
    expect(statuses(story)).toEqual(['CANCELED'])
    story.message(booking('S12', { ...b2, sent: later }))
    expect(plannedAs(story)).toEqual(['20261020 170000 MR2 SCHEDULED'])
  })

  test('I11: an appointment number that two patients have calls off nothing of the other one', () => {
    const story = createStory()
    story.message(booking('S12', { numbers: ownOnly }))
    story.message({ numbers: f1, patient: otto })
    story.message(booking('S12', { patient: otto }))
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
  })

  test('an order that names the appointment of another one has it, and there is no second item', () => {
    const story = createStory()
    story.message(booking('S12', { numbers: ownOnly }))
    story.message({ numbers: f1 })
    story.message({ control: 'XO', numbers: { ...f1, fillerAppointmentId: 'B1' } })
    expect([statuses(story), story.worklist()]).toEqual([['CANCELED', 'SCHEDULED'], [expect.anything()]])
  })

  test('the numbers name another order than before: that one has the appointment, and there is no second item', () => {
    const story = createStory()
    story.message(booking('S12', { numbers: ownOnly }))
    story.message({ numbers: f1 })
    expect(story.worklist()).toHaveLength(2)
    story.message(booking('S13', { steps: [service('150000')] }))
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 CANCELED', '20261020 150000 MR2 SCHEDULED'])
    const [made, ordered] = story.orders()
    expect(story.history(made?.id).at(-1)).toBe(`its appointment is that of order ${ordered?.id} now: 1 CANCELED`)
    story.message(booking('S15', { numbers: ownOnly }))
    expect(statuses(story)).toEqual(['CANCELED', 'CANCELED'])
  })

  test('I11: a booking that names another patient than its order is dead', () => {
    const story = createStory()
    story.message({})
    expect(story.message(booking('S12', { patient: otto }))).toMatchObject({ kind: 'dead', fault: { code: 'E602' } })
    expect(plannedAs(story)).toEqual(['20261016 100000 CT01 SCHEDULED'])
  })

  test('without PID it moves an order that is known, and is ignored where none is', () => {
    const story = createStory()
    const ignored = { kind: 'ignored', rule: 'unknown-order' }
    expect(story.message(booking('S12', { patient: null }))).toEqual(ignored)
    story.message({})
    expect(story.message(booking('S12', { patient: null }))).toEqual({ kind: 'applied' })
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED'])
  })
})

describe('a booking changes nothing else', () => {
  test('never patient, accession number, procedure or study; the item is the same one, at another time and place', () => {
    const story = createStory()
    story.message({ steps: [step('1', noStart)] })
    expect([statuses(story), story.worklist()]).toEqual([['UNSCHEDULED'], []])
    const before = story.order()
    const other: Patient = { ...anna, attributes: { ...anna.attributes, PatientName: 'MEYER^ANNA' } }
    const attributes = {
      ScheduledPerformingPhysicianName: 'HOUSE^G',
      ScheduledProcedureStepLocation: 'WEST',
      Modality: 'MR',
    }
    story.message(
      booking('S12', {
        patient: other,
        steps: [service('140000', { ...attributes, code: 'KNEE' })],
        request: { RequestedProcedureID: 'X', AccessionNumber: 'X', StudyInstanceUID: '1.2.3' },
      }),
    )
    const [item] = story.worklist()
    expect(story.worklist()).toHaveLength(1)
    expect(item?.dataset).toMatchObject({
      PatientName: 'MUELLER^ANNA',
      AccessionNumber: 'A1',
      RequestedProcedureID: 'RP1',
    })
    expect(item?.dataset['StudyInstanceUID']).toBe(before.studyInstanceUid)
    expect(stepOf(item)).toMatchObject({
      Modality: 'CT',
      ScheduledProcedureStepID: 'S1',
      ScheduledStationAETitle: 'MR2',
      ScheduledProcedureStepStartTime: '140000',
      ScheduledPerformingPhysicianName: 'HOUSE^G',
      ScheduledProcedureStepLocation: 'WEST',
    })
    expect(stepOf(item)['ScheduledProcedureStepDescription']).not.toBe('Booked service')
    expect(story.order().received).toBe(before.received)
  })

  test('what it does not say stays, and the site’s default station replaces no known one', () => {
    const story = createStory()
    story.message({})
    const assumed = { ...service('140000', { stations: ['ANY'] }), assumed: ['ScheduledStationAETitle'] }
    story.message(booking('S12', { steps: [assumed] }))
    expect(plannedAs(story)).toEqual(['20261020 140000 CT01 SCHEDULED'])
    story.message(booking('S13', { steps: [service('', { ...noStart, stations: ['CT02'] })] }))
    expect(plannedAs(story)).toEqual(['  CT02 UNSCHEDULED'])
  })

  test('the modality of a service table fills what the order lacks', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: '' })] })
    story.message(booking('S12', { steps: [service('140000', { Modality: 'MR' })] }))
    expect(stepOf(story.items()[0])['Modality']).toBe('MR')
  })

  test('I4: a booking that is told again changes nothing and keeps the version of its item', () => {
    const story = createStory()
    story.message({})
    story.message(booking('S12'))
    const [item] = story.worklist()
    story.message(booking('S12'))
    expect(story.worklist()).toEqual([item])
    expect(story.history().at(-1)).toBe('S12 changed nothing: 1 SCHEDULED')
  })
})

describe('which step a booking means', () => {
  const two = [
    step('1', { ScheduledProtocolCodeSequence: codeOf('HEAD') }),
    step('2', { ScheduledProtocolCodeSequence: codeOf('KNEE') }),
  ]
  const times = (story: Story): readonly unknown[] =>
    story.orders().flatMap((order) => order.steps.map((one) => one.attributes['ScheduledProcedureStepStartTime']))

  test.each([
    ['the one of its code', [service('140000', { code: 'KNEE' })], ['100000', '140000']],
    [
      'each the one of its code, in whatever order',
      [service('140000', { code: 'KNEE' }), service('150000', { code: 'HEAD' })],
      ['150000', '140000'],
    ],
    ['a single one that names none: all', [service('140000')], ['140000', '140000']],
    [
      'the code of the requested procedure: all that no other one means',
      [service('140000', { code: 'KNEE' }), service('150000', { code: 'RP' })],
      ['150000', '140000'],
    ],
    ['several without codes: in the order of the steps', [service('140000'), service('150000')], ['140000', '150000']],
    [
      'one by its code, the others in order',
      [service('140000', { code: 'LAB' }), service('150000', { code: 'HEAD' })],
      ['150000', '140000'],
    ],
  ])('%s', (_name, steps, expected) => {
    const story = createStory()
    story.message({ steps: two, request: { RequestedProcedureCodeSequence: codeOf('RP') } })
    story.message(booking('S12', { steps }))
    expect(times(story)).toEqual(expected)
  })

  test('a service too many is left out, and the history says so', () => {
    const story = createStory()
    story.message({ steps: [step('1', { ScheduledProtocolCodeSequence: codeOf('XR') })] })
    story.message(booking('S12', { steps: [service('090000', { code: 'LAB' }), service('140000', { code: 'XR' })] }))
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED'])
    expect(story.history().at(-1)).toBe('S12 booked: 1 SCHEDULED, 1 services are of no step')
  })

  test('of an order with two appointments a third one takes over the step that it names, else none', () => {
    const story = createStory()
    const [b2, b3] = [{ fillerAppointmentId: 'B2' }, { fillerAppointmentId: 'B3' }]
    story.message({ steps: two })
    story.message(booking('S12', { steps: [service('140000', { code: 'HEAD' })] }))
    story.message(booking('S12', { numbers: b2, steps: [service('150000', { code: 'KNEE' })] }))
    story.message(booking('S12', { numbers: b3, steps: [service('160000')] }))
    expect(times(story)).toEqual(['140000', '150000'])
    expect(story.history().at(-1)).toContain('1 services are of no step')
    story.message(booking('S12', { numbers: b3, steps: [service('160000', { code: 'KNEE' })] }))
    expect(times(story)).toEqual(['140000', '160000'])
    story.message(booking('S15', { numbers: b2 }))
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
  })

  test('an order with two appointments: each moves and calls off its own step', () => {
    const story = createStory()
    story.message({ steps: two })
    story.message(booking('S12', { steps: [service('140000', { code: 'HEAD' })] }))
    story.message(
      booking('S12', { numbers: { fillerAppointmentId: 'B2' }, steps: [service('150000', { code: 'KNEE' })] }),
    )
    story.message(booking('S13', { numbers: ownOnly, steps: [service('160000')] }))
    expect(times(story)).toEqual(['160000', '150000'])
    story.message(booking('S15', { numbers: ownOnly }))
    expect(statuses(story)).toEqual(['CANCELED', 'SCHEDULED'])
  })
})

describe('what has begun is not moved', () => {
  test('S13 of a started exam: a line in the history and a notice', () => {
    const story = createStory()
    story.message({})
    story.message(booking('S12'))
    story.images()
    const item = story.items()[0]
    expect(story.message(booking('S13', { steps: [service('150000')] }))).toEqual({ kind: 'applied' })
    expect(story.items()).toEqual([item])
    expect(story.notices()).toEqual(['E617'])
    expect(story.history().at(-1)).toBe('S13 changed nothing: 1 STARTED, what has begun or ended is not moved')
  })

  test('what waits beside it is', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'MR' }), step('2')] })
    story.images({ modality: 'MR' })
    story.message(booking('S12', { steps: [service('140000'), service('150000')] }))
    expect(plannedAs(story)).toEqual(['20261016 100000 CT01 STARTED', '20261020 150000 MR2 SCHEDULED'])
  })

  test.each(['S15', 'S17', 'S26'])('%s does not end it', (event) => {
    const story = createStory()
    story.message({})
    story.images()
    story.message(booking(event))
    expect([statuses(story), story.notices()]).toEqual([['STARTED'], ['E617']])
  })

  test('S16 discontinues it, and the RIS is not told what it said', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.message(booking('S16'))
    expect([statuses(story), story.told()]).toEqual([['DISCONTINUED'], ['IP']])
  })

  test('an appointment ID that is used again after its exam, for a later day, is another exam', () => {
    const story = createStory()
    story.message(booking('S12', { numbers: ownOnly }))
    story.images()
    story.wait(60)
    const later = { ScheduledProcedureStepStartDate: '20261120' }
    story.message(booking('S12', { numbers: ownOnly, sent: '20261101100000', steps: [service('140000', later)] }))
    expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED'])
  })
})

describe('a booking before its order', () => {
  test('makes an order of its own, with its study and its item', () => {
    const story = createStory()
    story.message(booking('S12', { numbers: ownOnly, steps: [service('140000', { Modality: 'MR' })] }))
    const [item] = story.worklist()
    expect(item?.dataset).toMatchObject({ PatientName: 'MUELLER^ANNA', RequestedProcedureID: 'B1' })
    expect(item?.dataset['StudyInstanceUID']).toMatch(/^2\.25\./)
    story.message(booking('S13', { numbers: ownOnly, steps: [service('150000', { Modality: 'MR' })] }))
    expect(plannedAs(story)).toEqual(['20261020 150000 MR2 SCHEDULED'])
    expect(story.worklist()[0]?.id).toBe(item?.id)
  })

  test.each([
    ['whose start is empty', noStart, '20261020 140000 MR2 SCHEDULED'],
    ['with an older start', { sent: '20261015090000' }, '20261020 140000 MR2 SCHEDULED'],
    ['with a start of its own that is newer', { sent: '20261015110000' }, '20261016 100000 CT01 SCHEDULED'],
  ])(
    'the order comes after it, %s: one item',
    (_name, { sent, ...attributes }: Dataset & { sent?: string }, expected) => {
      const story = createStory()
      story.message(booking('S12'))
      story.message({ numbers: f1, sent: sent ?? '20261015110000', steps: [step('SPS7', attributes)] })
      expect(story.worklist()).toHaveLength(1)
      expect(plannedAs(story)).toEqual([expected])
      expect(story.worklist()[0]?.dataset).toMatchObject({ AccessionNumber: 'A1', RequestedProcedureID: 'RP1' })
      expect(stepOf(story.worklist()[0])['ScheduledProcedureStepID']).toBe('SSPS7')
    },
  )

  test('its steps are those that were booked, by code and else in their order, and what it does not name is called off', () => {
    const story = createStory()
    const services = ['LAB', 'HEAD', 'KNEE'].map((code, at) => service(`1${at}0000`, { code, key: String(at + 1) }))
    story.message(booking('S12', { steps: services }))
    const ordered: GroupParts = {
      numbers: f1,
      sent: '20261015110000',
      steps: [
        step('1', { ...noStart, ScheduledProtocolCodeSequence: codeOf('KNEE') }),
        step('2', { ...noStart, ScheduledProtocolCodeSequence: codeOf('HEAD') }),
      ],
    }
    const expected = ['20261020 100000 MR2 CANCELED', '20261020 110000 MR2 SCHEDULED', '20261020 120000 MR2 SCHEDULED']
    story.message(ordered)
    expect(plannedAs(story)).toEqual(expected)
    story.message({ ...ordered, control: 'XO', sent: '20261015120000' })
    expect(plannedAs(story)).toEqual(expected)
    expect(story.order().steps.map((one) => one.attributes['ScheduledProcedureStepID'])).toEqual(['B1', 'S2', 'S1'])
  })

  test('images after it begin its exam, the order that comes then changes no study', () => {
    const story = createStory()
    story.message(booking('S12', { steps: [service('140000', { Modality: 'CT' })] }))
    story.images()
    const { studyInstanceUid } = story.order()
    story.message({ numbers: f1, steps: [step('SPS7', noStart)] })
    expect([statuses(story), story.told(), story.order().studyInstanceUid]).toEqual([
      ['STARTED'],
      ['IP'],
      studyInstanceUid,
    ])
  })

  test('a later booking says all of it: services that are no longer named are called off, new ones are added', () => {
    const story = createStory()
    story.message(
      booking('S12', { steps: [service('140000', { code: 'HEAD' }), service('150000', { code: 'KNEE', key: '2' })] }),
    )
    story.message(booking('S14', { steps: [service('160000', { code: 'KNEE' })] }))
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 CANCELED', '20261020 160000 MR2 SCHEDULED'])
    const three = ['HEAD', 'KNEE', 'FOOT'].map((code) => service('160000', { code }))
    story.message(booking('S14', { sent: '20261015110000', steps: three }))
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED', 'SCHEDULED'])
  })
})

describe('called off and booked again', () => {
  test.each([
    ['of an order', true],
    ['of an appointment alone', false],
  ])('S12, S13, S14, S15, S12 %s', (_name, isOrdered) => {
    const story = createStory()
    const numbers = isOrdered ? {} : ownOnly
    if (isOrdered) story.message({})
    story.message(booking('S12', { numbers }))
    story.message(booking('S13', { numbers, sent: '20261015110000', steps: [service('150000')] }))
    story.message(
      booking('S14', { numbers, sent: '20261015103000', steps: [service('150000', { stations: ['MR3'] })] }),
    )
    expect(plannedAs(story)).toEqual(['20261020 150000 MR3 SCHEDULED'])
    story.message(booking('S15', { numbers, sent: '20261015120000' }))
    expect([statuses(story), story.worklist()]).toEqual([['CANCELED'], []])
    story.message(booking('S12', { numbers, sent: '20261015113000' }))
    expect(statuses(story)).toEqual(['CANCELED'])
    story.message(booking('S12', { numbers, sent: '20261015130000' }))
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED'])
    expect(story.worklist()).toHaveLength(1)
  })

  test.each(['S15', 'S16', 'S17', 'S26'])(
    '%s of an appointment that nobody knows: a late S12 makes no item',
    (event) => {
      const story = createStory()
      expect(story.message(booking(event, { sent: '20261015110000' }))).toEqual({
        kind: 'ignored',
        rule: 'unknown-order',
      })
      story.message(booking('S12'))
      expect(statuses(story)).toEqual(['CANCELED'])
      story.message(booking('S12', { sent: '20261015120000' }))
      expect(statuses(story)).toEqual(['SCHEDULED'])
    },
  )

  test('it is the appointment that was called off: an order that comes after that is on the worklist', () => {
    const story = createStory()
    story.message(booking('S15', { sent: '20261015110000' }))
    story.message({})
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('what the order itself cancelled no booking brings back, whichever came first', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'CA', sent: '20261015100000' })
    story.message(booking('S12', { sent: '20261015110000' }))
    expect(statuses(story)).toEqual(['CANCELED'])
    expect(story.history().at(-1)).toBe('S12 changed no step: 1 CANCELED, what was cancelled stays so')

    const other = createStory()
    other.message({})
    other.message(booking('S15', { sent: '20261015100000' }))
    other.message({ control: 'CA', sent: '20261015110000' })
    other.message(booking('S12', { sent: '20261015120000' }))
    expect(statuses(other)).toEqual(['CANCELED'])
  })

  test('the call-off of an appointment overtakes its booking: what it was for is called off, and booked again by a newer one', () => {
    const story = createStory()
    story.message({ sent: '20261015090000', numbers: f1, steps: [step('1'), step('2')] })
    story.message(booking('S15', { sent: '20261015110000', numbers: ownOnly }))
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
    for (let told = 0; told < 2; told++) {
      story.message(booking('S12', { steps: [service('140000'), service('150000', { key: '2' })] }))
      expect([statuses(story), story.worklist()]).toEqual([['CANCELED', 'CANCELED'], []])
    }
    story.message(
      booking('S12', { sent: '20261015120000', steps: [service('140000'), service('150000', { key: '2' })] }),
    )
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
  })

  test('an older booking brings no further service to an exam that is over, nor back what has expired', () => {
    const story = createStory()
    story.message(booking('S12', { sent: '20261015110000' }))
    story.images()
    story.wait(31)
    expect(statuses(story)).toEqual(['COMPLETED'])
    story.message(booking('S13', { steps: [service(), service('150000', { key: '2' })] }))
    expect(statuses(story)).toEqual(['COMPLETED'])
    const late = createStory()
    late.message({ sent: '20261015110000', numbers: f1 })
    late.hand({ kind: 'expire', orderId: late.order().id })
    late.message(booking('S12'))
    expect(statuses(late)).toEqual(['EXPIRED'])
  })

  test('an XO that names no step leaves what was called off to be booked again', () => {
    const story = createStory()
    story.message({ sent: '20261015090000', numbers: f1 })
    story.message(booking('S12'))
    story.message(booking('S15', { sent: '20261015110000' }))
    story.message({ control: 'XO', sent: '20261015120000', numbers: f1, steps: [] })
    expect(statuses(story)).toEqual(['CANCELED'])
    story.message(booking('S12', { sent: '20261015130000' }))
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('an order that was cancelled as a whole takes no further step from a booking', () => {
    const story = createStory()
    story.message(booking('S12'))
    story.message({ control: 'CA', sent: '20261015110000', numbers: f1 })
    story.message(booking('S13', { sent: '20261015120000', steps: [service(), service('150000', { key: '2' })] }))
    expect([statuses(story), story.worklist()]).toEqual([['CANCELED'], []])
  })

  test('who is here came for the day that it was: moved to another day by a booking, the step is SCHEDULED', () => {
    const story = createStory()
    story.message({ numbers: f1 })
    story.message({ control: 'AR', numbers: f1 })
    story.message(booking('S13', { steps: [service('140000', { ScheduledProcedureStepStartDate: '20261016' })] }))
    expect(statuses(story)).toEqual(['ARRIVED'])
    story.message(booking('S13'))
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('an expired step is booked again, and waits as long as any', () => {
    const story = createStory({}, { days: 2, timeZone: 'Europe/Berlin' })
    story.message({})
    story.wait(5 * 24 * 60)
    expect(statuses(story)).toEqual(['EXPIRED'])
    story.message(booking('S13', { sent: '20261020100000' }))
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.wait(24 * 60)
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })
})

describe('an order does not undo a booking', () => {
  const xo = (sent: string, attributes: Dataset = {}, stations = ['CT01']): GroupParts => ({
    control: 'XO',
    sent,
    steps: [step('1', attributes, stations)],
    request: { ReasonForTheRequestedProcedure: 'pain' },
  })

  test.each([
    ['repeats the start it had asked for', xo('20261015110000')],
    ['says no start', xo('20261015110000', noStart)],
    ['was sent before it', xo('20261015093000', { ScheduledProcedureStepStartTime: '180000' })],
    ['was sent at a time that cannot be compared', xo('', { ScheduledProcedureStepStartTime: '180000' })],
  ])('an XO that %s', (_name, parts) => {
    const story = createStory()
    story.message({})
    story.message(booking('S12'))
    story.message(parts)
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED'])
    expect(story.order().request['ReasonForTheRequestedProcedure']).toBe('pain')
  })

  test('a start that is news, sent later, is the order’s; a booking after that counts again', () => {
    const story = createStory()
    story.message({})
    story.message(booking('S12'))
    story.message(xo('20261015110000', { ScheduledProcedureStepStartTime: '180000' }))
    expect(plannedAs(story)).toEqual(['20261016 180000 CT01 SCHEDULED'])
    story.message(booking('S13', { sent: '20261015120000' }))
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED'])
  })

  test('a start that the order has from the booking is no news: its station stays, and a later booking counts', () => {
    const story = createStory()
    story.message({ steps: [step('1', noStart)] })
    story.message(booking('S12'))
    const echo = xo('20261015110000', {
      ScheduledProcedureStepStartDate: '20261020',
      ScheduledProcedureStepStartTime: '140000',
    })
    story.message(echo)
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED'])
    story.message(booking('S13', { sent: '20261015113000', steps: [service('150000')] }))
    story.message({ ...echo, sent: '20261015120000' })
    expect(plannedAs(story)).toEqual(['20261020 150000 MR2 SCHEDULED'])
  })

  test('what a person opens again is called off no more', () => {
    const story = createStory()
    story.message({})
    story.message(booking('S12'))
    story.message(booking('S15', { sent: '20261015103000' }))
    story.hand({ kind: 'reopen', orderId: story.order().id })
    story.message(xo('20261015110000'))
    expect(plannedAs(story)).toEqual(['20261020 140000 MR2 SCHEDULED'])
    story.hand({ kind: 'cancel', orderId: story.order().id })
    story.message(booking('S12', { sent: '20261015120000' }))
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test('the order changes the modality: the station that was booked for the other one gives way', () => {
    const story = createStory()
    story.message({})
    story.message(booking('S12'))
    story.message(xo('20261015110000', { Modality: 'US' }, ['US01']))
    expect(plannedAs(story)).toEqual(['20261020 140000 US01 SCHEDULED'])
  })

  test('what was called off stays so, unless the order has a new start', () => {
    const story = createStory()
    story.message({})
    story.message(booking('S12'))
    story.message(booking('S15', { sent: '20261015103000' }))
    story.message(xo('20261015110000'))
    expect(statuses(story)).toEqual(['CANCELED'])
    story.message(xo('20261015120000', { ScheduledProcedureStepStartTime: '180000' }))
    expect(plannedAs(story)).toEqual(['20261016 180000 CT01 SCHEDULED'])
  })
})
