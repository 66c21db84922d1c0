import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Command, InboxEntry } from '../../src/core/inbox.ts'
import type { OrderGroup, PatientAct } from '../../src/core/message.ts'
import { lacksOfItem } from '../../src/core/lack.ts'
import { servedStatuses, type PerformedProcedureStep, type WorklistItem } from '../../src/core/order.ts'
import type { Change, ExamRules } from '../../src/core/world.ts'
import { apply, createOverlay } from '../../src/exam/index.ts'
import { anna, applyStrictly, group, nothing, otto, series, step } from '../stories/support.ts'

/** Few values for everything, so that the same numbers, patients and studies meet again and again. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const text = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values)
const time = text('', '20261015090000', '202610151000', '20261015110000+0200', '20270101', 'x')

const groups: fc.Arbitrary<OrderGroup> = fc
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
    }),
    steps: fc.array(
      fc
        .tuple(
          text('1', '2', 'a/b', ''),
          fc.record({ Modality: text('CT', 'PT'), ScheduledProcedureStepStartDate: text('20261016', '20270301', '') }),
          fc.array(text('CT01', 'CT02', 'X Y'), { maxLength: 2 }),
        )
        .map(([key, attributes, stations]) => step(key, attributes, stations)),
      { maxLength: 3 },
    ),
    request: fc.record({ AccessionNumber: text('A1', ''), PatientState: text('', 'x') }),
  })
  .map((parts) => {
    const given = Object.entries(parts.numbers).filter(([, value]) => value !== undefined)
    const { holds, ...said } = parts
    const isPlan = parts.control === 'NW' || parts.control === 'XO'
    return group({ ...said, numbers: Object.fromEntries(given), ...(isPlan && holds !== undefined ? { holds } : {}) })
  })

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
)

type Happening = {
  readonly entry: (seq: number, at: string) => InboxEntry
  readonly groups: readonly OrderGroup[]
  readonly patients?: readonly PatientAct[]
}

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.array(groups, { maxLength: 3 }).map((list): Happening => ({
      groups: list,
      entry: (seq, at) => ({ seq, at, kind: 'message', messageId: `M${seq}`, source: 'ris', planId: 'p' }),
    })),
  },
  {
    weight: 1,
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

const lives = fc.record({
  happenings: fc.array(fc.tuple(happenings, fc.integer({ min: 0, max: 50 })), { maxLength: 40 }),
  policy: fc.constantFrom('quiet', 'stable', 'ris', 'mpps'),
  other: fc.constantFrom('quiet', 'stable', 'ris', 'mpps'),
})

function rulesOf(policy: string, other = policy): ExamRules {
  const rules = [{ modalities: ['PT'], policy: other as 'quiet', quietSeconds: 600 }]
  return {
    completion: { policy: policy as 'quiet', quietSeconds: 1800, rules },
    noShow: { days: 0, timeZone: 'Europe/Berlin' },
    status: { render: (event) => [{ endpoint: event.kind, controlId: event.controlId(0), bytes: new Uint8Array() }] },
  }
}

/** Runs a life; `look` sees each entry with its changes. */
function live(
  {
    happenings,
    policy,
    other,
  }: { happenings: readonly (readonly [Happening, number])[]; policy: string; other: string },
  look: (changes: readonly Change[], entry: InboxEntry) => void,
): void {
  const truth = createOverlay(nothing)
  let minutes = 0
  for (const [index, [happening, pause]] of happenings.entries()) {
    minutes += pause
    const entry = happening.entry(1000 + index, new Date(Date.UTC(2026, 9, 16, 8, minutes)).toISOString())
    const { changes } = applyStrictly(truth, entry, happening.groups, rulesOf(policy, other), happening.patients)
    truth.fold(changes)
    look(changes, entry)
  }
}

const runs = { numRuns: 300 }

test('apply never throws, reads only what concerns asked for, and ends each message in exactly one state', () => {
  fc.assert(
    fc.property(lives, (life) => {
      live(life, (changes, entry) => {
        const states = changes.filter((change) => change.kind === 'state')
        expect(states).toHaveLength(entry.kind === 'message' ? 1 : 0)
      })
    }),
    runs,
  )
})

test('items: served means a served status, a patient, all that a modality needs, no hold while it waits, and an order that did not come after its images; no id is used twice', () => {
  fc.assert(
    fc.property(lives, (life) => {
      live(life, (changes, { seq }) => {
        for (const change of changes) {
          if (change.kind !== 'order') continue
          const { order, items, withdrawn } = change
          expect(new Set(items.map((item) => item.id)).size).toBe(items.length)
          expect(items.filter((item) => withdrawn.includes(item.id))).toEqual([])
          for (const item of items) {
            const hidden = order.steps.some(
              (one) => one.flags.includes('images-first') && one.stepStatus === item.stepStatus,
            )
            const isLacking = lacksOfItem(item.dataset).length > 0
            expect(item.version).toBeLessThanOrEqual(seq)
            if (item.served) expect(servedStatuses).toContain(item.stepStatus)
            else expect(!servedStatuses.includes(item.stepStatus) || hidden || isLacking || item.held).toBe(true)
            if (item.served) expect(isLacking || item.held === true).toBe(false)
            if (order.hold?.on === true && item.stepStatus !== 'STARTED') expect(item.served).toBe(false)
            if (item.stepStatus === 'SCHEDULED') expect(lacksOfItem(item.dataset)).toEqual([])
          }
        }
      })
    }),
    runs,
  )
})

test('I5: an item keeps its version exactly as long as nothing of it changes', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const known = new Map<string, WorklistItem>()
      live(life, (changes) => {
        for (const change of changes) {
          if (change.kind !== 'order') continue
          for (const id of change.withdrawn) known.delete(id)
          for (const item of change.items) {
            const before = known.get(item.id)
            if (before?.version === item.version && before.served) expect(item).toEqual(before)
            known.set(item.id, item)
          }
        }
      })
    }),
    runs,
  )
})

test('at most one IP, CM and DC for each order, and one more of each for every reopening', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const told = new Map<string, string[]>()
      live(life, (changes) => {
        for (const change of changes) {
          if (change.kind !== 'send') continue
          told.set(change.lane, [...(told.get(change.lane) ?? []), change.endpoint])
        }
      })
      for (const events of told.values()) {
        const often = (event: string): number => events.filter((one) => one === event).length
        for (const event of ['started', 'completed', 'discontinued']) {
          expect(often(event)).toBeLessThanOrEqual(1 + often('reopened'))
        }
      }
    }),
    runs,
  )
})

test('a deadline for no-shows is set exactly while a step waits for its day, and is the one that the order remembers', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const deadlines = new Map<string, string>()
      live(life, (changes, entry) => {
        if (entry.kind === 'deadline') deadlines.delete(entry.subject)
        for (const change of changes) {
          if (change.kind !== 'deadline') continue
          if (change.due === null) deadlines.delete(change.subject)
          else deadlines.set(change.subject, change.due)
        }
        for (const change of changes) {
          if (change.kind !== 'order') continue
          const { id, steps, expireAt, hold } = change.order
          expect(deadlines.get(`expire:${id}`)).toBe(expireAt)
          const waits = steps.some(({ stepStatus }) => ['SCHEDULED', 'ARRIVED', 'READY'].includes(stepStatus))
          expect(expireAt !== undefined).toBe(waits && hold?.on !== true)
        }
      })
    }),
    runs,
  )
})

test('I11: an order changes its patient by a merge only, and a study of a mismatch is never credited', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const patients = new Map<string, string>()
      live(life, (changes) => {
        for (const change of changes) {
          if (change.kind !== 'order') continue
          const { id, patientKey, formerPatientKeys = [] } = change.order
          expect([patientKey, ...formerPatientKeys]).toContain(patients.get(id) ?? patientKey)
          patients.set(id, patientKey)
        }
      })
    }),
    runs,
  )
})

test('I3: the same entries in the same order give the same changes, however they are cut into batches', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const first: Change[] = []
      live(life, (changes) => first.push(...changes))
      const second: Change[] = []
      let batch = createOverlay(nothing)
      let minutes = 0
      for (const [index, [happening, pause]] of life.happenings.entries()) {
        minutes += pause
        // Every third entry begins a batch on top of what was committed.
        if (index % 3 === 0) batch = createOverlay(batch)
        const entry = happening.entry(1000 + index, new Date(Date.UTC(2026, 9, 16, 8, minutes)).toISOString())
        const changes = apply(batch, entry, happening.groups, rulesOf(life.policy, life.other), happening.patients)
        batch.fold(changes)
        second.push(...changes)
      }
      expect(second).toEqual(first)
    }),
    { numRuns: 100 },
  )
})

test('I4: any order message again changes no item', () => {
  fc.assert(
    fc.property(fc.array(groups, { minLength: 1, maxLength: 3 }), (list) => {
      const truth = createOverlay(nothing)
      const at = '2026-10-16T08:00:00.000Z'
      const enter = (seq: number): readonly Change[] => {
        const entry: InboxEntry = { seq, at, kind: 'message', messageId: `M${seq}`, source: 'ris', planId: 'p' }
        const { changes } = applyStrictly(truth, entry, list, rulesOf('quiet'))
        truth.fold(changes)
        return changes
      }
      // Groups of one message that contradict each other teach their orders numbers: each time one more.
      for (let seq = 1000; seq < 1003; seq++) enter(seq)
      const settled = itemsOf(enter(1003))
      const again = itemsOf(enter(1004))
      for (const [id, item] of again) if (settled.has(id)) expect(item).toEqual(settled.get(id))
    }),
    runs,
  )
})

function itemsOf(changes: readonly Change[]): Map<string, WorklistItem> {
  return new Map(
    changes.flatMap((change) => (change.kind === 'order' ? change.items.map((item) => [item.id, item]) : [])),
  )
}
