/** What can happen to a department, in random order: messages of every kind, images, MPPS, deadlines, hands. */
import * as fc from 'fast-check'
import type { Command, InboxEntry } from '../../src/core/inbox.ts'
import type { Arrival, OrderGroup, PatientAct } from '../../src/core/message.ts'
import type { PerformedProcedureStep } from '../../src/core/order.ts'
import type { ExamRules } from '../../src/core/world.ts'
import { anna, group, otto, series, step } from '../stories/support.ts'

/** Few values for everything, so that the same numbers, patients and studies meet again and again. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const text = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values)
const time = text('', '20261015090000', '202610151000', '20261015110000+0200', '20270101', 'x')

/** SCH-2 and SCH-1: mostly of bookings, but OMI may name its appointment too. */
const appointment = {
  fillerAppointmentId: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 'B1', 'B2'),
  placerAppointmentId: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 'C1'),
}

const orders: fc.Arbitrary<OrderGroup> = fc
  .record({
    control: text('NW', 'NW', 'XO', 'CA', 'DC', 'IP', 'CM', 'SN', 'HD', 'RL', 'NA', 'AR', 'RY'),
    holds: fc.constantFrom(undefined, undefined, true, false),
    sent: time,
    orcOnly: fc.boolean(),
    patient: fc.constantFrom(anna, otto, { ...anna, attributes: { PatientName: 'NEW^NAME' } }, null),
    numbers: fc.record({
      fillerOrderNumber: maybe(text('F1', 'F2', '')),
      placerOrderNumber: maybe(text('P1', 'P2')),
      accessionNumber: maybe(text('A1', 'A2')),
      studyInstanceUid: maybe(text('1.1', '1.2')),
      requestedProcedureId: maybe(text('RP1', 'RP2')),
      ...appointment,
    }),
    steps: fc.array(
      fc
        .tuple(
          text('1', '2', 'a/b', ''),
          fc.record({
            Modality: text('CT', 'PT'),
            ScheduledProcedureStepStartDate: text('20261016', '20261016', '20270301', ''),
          }),
          fc.array(text('CT01', 'CT02', 'X Y'), { maxLength: 2 }),
        )
        .map(([key, attributes, stations]) => step(key, attributes, stations)),
      { maxLength: 3 },
    ),
    request: fc.record({
      AccessionNumber: text('A1', ''),
      PatientState: text('', 'x'),
      AdmissionID: text('', '', 'V1', 'V2'),
    }),
  })
  .map((parts) => {
    const given = Object.entries(parts.numbers).filter(([, value]) => value !== undefined)
    const { holds, ...said } = parts
    const isPlan = parts.control === 'NW' || parts.control === 'XO'
    return group({ ...said, numbers: Object.fromEntries(given), ...(isPlan && holds !== undefined ? { holds } : {}) })
  })

const bookingEffects = { S12: 'schedule', S13: 'schedule', S15: 'cancel', S16: 'discontinue' } as const

const bookings: fc.Arbitrary<OrderGroup> = fc
  .record({
    event: text('S12', 'S12', 'S13', 'S15', 'S16') as fc.Arbitrary<keyof typeof bookingEffects>,
    sent: time,
    patient: fc.constantFrom(anna, anna, otto, undefined),
    numbers: fc.record({
      fillerAppointmentId: maybe(text('B1', 'B2')),
      placerAppointmentId: maybe(text('C1', 'C2')),
      fillerOrderNumber: fc.constantFrom(undefined, undefined, 'F1', 'F2'),
      placerOrderNumber: fc.constantFrom(undefined, undefined, 'P1'),
    }),
    steps: fc.array(
      fc
        .tuple(
          text('1', '2'),
          fc.record({
            ScheduledProcedureStepStartDate: text('20261016', '20261020', '20270301', ''),
            ScheduledPerformingPhysicianName: text('', 'ARZT^A'),
            ScheduledProtocolCodeSequence: fc.constantFrom([], [{ CodeValue: 'X' }], [{ CodeValue: 'Y' }]),
          }),
          fc.array(text('CT01', 'CT02'), { maxLength: 2 }),
          fc.boolean(),
        )
        .map(([key, attributes, stations, hasModality]) => {
          const { Modality: modality, ...rest } = step(key, attributes, stations).attributes
          return { key, stations, attributes: hasModality ? { ...rest, Modality: modality ?? '' } : rest }
        }),
      { maxLength: 3 },
    ),
  })
  .map(({ event, sent, patient, numbers, steps }): OrderGroup => {
    const isPlan = bookingEffects[event] === 'schedule'
    const given = Object.entries(numbers).filter(([, value]) => value !== undefined)
    return {
      effect: bookingEffects[event],
      orderControl: event,
      isBooking: true,
      numbers: { authority: 'ris', ...Object.fromEntries(given) },
      received: `MSH|^~\\&|S|H|W|R|${sent}||SIU^${event}\rSCH|`,
      request: isPlan ? { RequestedProcedureID: 'B1' } : {},
      steps: isPlan ? steps : [],
      ...(patient === undefined ? {} : { patient }),
    }
  })

const groups: fc.Arbitrary<OrderGroup> = fc.oneof({ weight: 4, arbitrary: orders }, { weight: 1, arbitrary: bookings })

/** The groups of one message have one header. */
export function messages(minLength: number): fc.Arbitrary<readonly OrderGroup[]> {
  return fc.array(groups, { minLength, maxLength: 3 }).map((list) => {
    const [header = ''] = (list[0]?.received ?? '').split('\r', 1)
    return list.map((one) => ({ ...one, received: [header, ...one.received.split('\r').slice(1)].join('\r') }))
  })
}

const facts = fc
  .record({
    study: text('s1', 's2'),
    series: text('a', 'b'),
    studyInstanceUid: text('1.1', '1.2', ''),
    accessionNumber: text('A1', ''),
    patientId: text('4711', '4711', '4712', ''),
    issuerOfPatientId: text('', 'HOSP', 'X'),
    modality: text('CT', 'PT', 'SR', ''),
    origin: text('DicomProtocol', 'RestApi'),
    instances: fc.nat(3),
    requestAttributes: fc.array(
      fc.record({
        requestedProcedureId: text('RP1', 'RP2', ''),
        scheduledStepId: text('S1', ''),
        accessionNumber: text('A1', ''),
      }),
      { maxLength: 2 },
    ),
  })
  .map(series)

const performed: fc.Arbitrary<PerformedProcedureStep> = fc.record(
  {
    sopInstanceUid: text('9.1', '9.2', '9.3'),
    state: fc.constantFrom('IN PROGRESS', 'COMPLETED', 'DISCONTINUED'),
    patientId: text('4711', '4711', '4712', ''),
    issuerOfPatientId: text('', 'HOSP'),
    modality: text('CT', 'PT'),
    stationAeTitle: text('CT01', ''),
    scheduledSteps: fc.array(
      fc.record({
        studyInstanceUid: text('1.1', '1.2', ''),
        accessionNumber: text('A1', 'A2', ''),
        requestedProcedureId: text('RP1', 'RP2', ''),
        scheduledStepId: text('S1', 'S2', ''),
      }),
      { maxLength: 2 },
    ),
    discontinuationReason: text('110514', '110513'),
  },
  {
    requiredKeys: [
      'sopInstanceUid',
      'state',
      'patientId',
      'issuerOfPatientId',
      'modality',
      'stationAeTitle',
      'scheduledSteps',
    ],
  },
)

const step1 = fc.record({ step: text('1', '2', 'x') }, { requiredKeys: [] })
const commands: fc.Arbitrary<Unaddressed<Command>> = fc.oneof(
  fc.tuple(text('complete', 'cancel', 'reopen'), step1).map(([kind, named]) => ({ kind: kind as 'cancel', ...named })),
  text('reconsider', 'expire').map((kind) => ({ kind: kind as 'expire' })),
  fc
    .tuple(text('main/s1', 'main/s2', 'archive/s1'), step1)
    .map(([study, named]) => ({ kind: 'link' as const, study, ...named })),
  text('main/s1', 'main/s2').map((study) => ({ kind: 'unlink' as const, study })),
)
type Unaddressed<T> = T extends Command ? Omit<T, 'orderId'> : never

const nobody = { key: '4713^^^HOSP', patientId: '4713', issuerOfPatientId: 'HOSP', attributes: {} }
const someone = fc.constantFrom(anna, otto, nobody, { ...anna, attributes: { PatientName: 'ADT^NAME' } })
const acts: fc.Arbitrary<PatientAct> = fc.oneof(
  someone.map((patient): PatientAct => ({ kind: 'update', patient })),
  fc
    .tuple(someone, fc.uniqueArray(text('4711^^^HOSP', '4712^^^HOSP', '4713^^^HOSP'), { minLength: 1, maxLength: 2 }))
    .map(([patient, prior]): PatientAct => ({ kind: 'merge', patient, prior })),
  fc
    .tuple(someone, fc.uniqueArray(someone, { minLength: 1, maxLength: 2, selector: ({ key }) => key }))
    .map(([patient, others]): PatientAct => ({ kind: 'unmerge', patient, others })),
  fc
    .tuple(someone, fc.boolean(), fc.constantFrom<Partial<Arrival>>({}, { day: '20261016' }, { admissionId: 'V1' }))
    .map(([patient, isThere, about]): PatientAct => ({
      kind: isThere ? 'arrive' : 'arrivalTakenBack',
      patient,
      timeZone: 'Europe/Berlin',
      ...about,
    })),
  someone.map((patient): PatientAct => ({ kind: 'patientDeleted', patient })),
)

export type Happening = {
  readonly entry: (seq: number, at: string) => InboxEntry
  readonly groups: readonly OrderGroup[]
  readonly patients?: readonly PatientAct[]
}

export const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 5,
    arbitrary: messages(0).map((list): Happening => ({
      groups: list,
      entry: (seq, at) => ({ seq, at, kind: 'message', messageId: `M${seq}`, source: 'ris', planId: 'p' }),
    })),
  },
  {
    weight: 2,
    arbitrary: fc.array(acts, { minLength: 1, maxLength: 2 }).map((patients): Happening => ({
      groups: [],
      patients,
      entry: (seq, at) => ({ seq, at, kind: 'message', messageId: `M${seq}`, source: 'ris', planId: 'p' }),
    })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        text('seen', 'seen', 'stable', 'deleted'),
        fc.array(facts, { maxLength: 2 }),
        text('main', 'main', 'archive'),
      )
      .map(([event, list, orthanc]): Happening => ({
        groups: [],
        entry: (seq, at) => ({
          seq,
          at,
          kind: 'images',
          orthanc,
          event: event as 'seen',
          series: list,
          study: list[0]?.study ?? 's1',
        }),
      })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(40), fc.integer({ min: 1, max: 3 }), text('quiet', 'quiet:stable', 'expire'))
      .map(([which, number, of]): Happening => ({
        groups: [],
        entry: (seq, at) => ({ seq, at, kind: 'deadline', subject: `${of}:O${1000 + which}-${number}`, due: at }),
      })),
  },
  {
    weight: 2,
    arbitrary: performed.map((said): Happening => ({
      groups: [],
      entry: (seq, at) => ({ seq, at, kind: 'performed', endpoint: 'mpps', performed: said }),
    })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(40), commands).map(([which, command]): Happening => ({
      groups: [],
      entry: (seq, at) => ({
        seq,
        at,
        kind: 'manual',
        by: 'x',
        reason: '',
        command: { ...command, orderId: `O${1000 + which}-1` },
      }),
    })),
  },
)

const rulesToo = {
  policy: fc.constantFrom('quiet', 'stable', 'ris', 'mpps'),
  other: fc.constantFrom('quiet', 'stable', 'ris', 'mpps'),
}
const pauses = fc.integer({ min: 0, max: 50 })

export const lives = fc.record({ happenings: fc.array(fc.tuple(happenings, pauses), { maxLength: 40 }), ...rulesToo })
/** So long that what was said first is found again much later. */
export const longLives = fc.record({
  happenings: fc.array(fc.tuple(happenings, pauses), { minLength: 25, maxLength: 60 }),
  ...rulesToo,
})

export function rulesOf(policy: string, other = policy): ExamRules {
  const rules = [{ modalities: ['PT'], policy: other as 'quiet', quietSeconds: 600 }]
  return {
    completion: { policy: policy as 'quiet', quietSeconds: 1800, rules },
    noShow: { days: 0, timeZone: 'Europe/Berlin' },
    status: { render: (event) => [{ endpoint: event.kind, controlId: event.controlId(0), bytes: new Uint8Array() }] },
  }
}
