/**
 * What always holds where a second Orthanc shows the same images and people link and
 * unlink studies: few orders, few studies, so that they meet again and again.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { OrderGroup } from '../../src/core/message.ts'
import type { Order, SeriesFacts, Study } from '../../src/core/order.ts'
import type { Change, ExamRules } from '../../src/core/world.ts'
import { createOverlay } from '../../src/exam/index.ts'
import { anna, applyStrictly, group, nothing, otto, series, step } from '../stories/support.ts'

const text = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values)
const orderIds = ['O1000-1', 'O1001-1', 'O1002-1']

type Happening =
  | { readonly kind: 'order'; readonly group: OrderGroup }
  | { readonly kind: 'images'; readonly event: string; readonly study: number; readonly which: readonly number[] }
  | { readonly kind: 'hand'; readonly command: string; readonly which: number; readonly study: string }
  | { readonly kind: 'quiet'; readonly which: number }

const orders = fc
  .tuple(fc.nat(2), text('NW', 'XO', 'CA'), fc.constantFrom(anna, anna, otto), fc.nat(2))
  .map(([n, control, patient, accession]) => ({
    kind: 'order' as const,
    group: group({
      control,
      patient,
      numbers: {
        fillerOrderNumber: `F${n}`,
        accessionNumber: `A${accession}`,
        studyInstanceUid: `1.${n}`,
        requestedProcedureId: `RP${n}`,
      },
      steps: control === 'CA' ? [] : [step('1'), step('2', { Modality: 'PT' })],
    }),
  }))

/** What a series is does not change; its study has one patient and one Study Instance UID. */
const described = fc.record({
  modality: text('CT', 'CT', 'PT', 'SR'),
  origin: text('DicomProtocol', 'DicomProtocol', 'RestApi'),
  isCopy: fc.constantFrom(false, false, false, true),
  requestAttributes: fc.array(
    fc.record({
      requestedProcedureId: text('RP0', 'RP1', 'RP2'),
      scheduledStepId: text('S1', ''),
      accessionNumber: text(''),
    }),
    { maxLength: 2 },
  ),
})
const studyOf = (study: string, uids: readonly string[]): fc.Arbitrary<readonly SeriesFacts[]> =>
  fc
    .record({
      studyInstanceUid: text(...uids),
      accessionNumber: text('A0', 'A1', ''),
      patientId: text('4711', '4711', '4711', '4712'),
      all: fc.tuple(described, described),
    })
    .map(({ all, ...shared }) =>
      all.map((one, index) =>
        series({
          ...shared,
          ...one,
          study,
          series: `${study}-${index}`,
          seriesInstanceUid: `${shared.studyInstanceUid}.${index}`,
        }),
      ),
    )

const images = fc
  .record({
    event: text('seen', 'seen', 'seen', 'stable', 'deleted'),
    study: fc.nat(1),
    which: fc.subarray([0, 1], { minLength: 1 }),
  })
  .map((parts) => ({ kind: 'images' as const, ...parts }))

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 2, arbitrary: orders },
  { weight: 5, arbitrary: images },
  {
    weight: 2,
    arbitrary: fc
      .tuple(text('link', 'unlink', 'unlink', 'reopen', 'complete'), fc.nat(2), text('s1', 's2'))
      .map(([command, which, study]) => ({ kind: 'hand' as const, command, which, study })),
  },
  { weight: 1, arbitrary: fc.nat(2).map((which) => ({ kind: 'quiet' as const, which })) },
)

const lives = fc.record({
  begin: fc.array(orders, { minLength: 1, maxLength: 3 }),
  rest: fc.array(fc.tuple(happenings, fc.integer({ min: 0, max: 25 })), { maxLength: 25 }),
  policy: fc.constantFrom('quiet', 'stable'),
  studies: fc.tuple(studyOf('s1', ['1.0', '1.9']), studyOf('s2', ['1.1', '1.8'])),
})
type Life = typeof lives extends fc.Arbitrary<infer T> ? T : never

interface Told {
  /** `<event> <order>` in order. */
  readonly sent: readonly string[]
  readonly orders: ReadonlyMap<string, Order>
  readonly studies: ReadonlyMap<string, Study>
}

/** Runs a life; `orthancs` are those that show the images, one after the other; `look` sees the world after each happening. */
function live({ begin, rest, policy, studies }: Life, orthancs: readonly string[], look?: (told: Told) => void): Told {
  const truth = createOverlay(nothing)
  const told = { sent: [] as string[], orders: new Map<string, Order>(), studies: new Map<string, Study>() }
  const rules: ExamRules = {
    completion: { policy, quietSeconds: 1800 },
    status: {
      render({ kind, order, controlId }) {
        told.sent.push(`${kind} ${order?.id}`)
        return [{ endpoint: 'ris', controlId: controlId(0), bytes: new Uint8Array() }]
      },
    },
  }
  let minutes = 0
  for (const [index, [happening, pause]] of [...begin.map((one) => [one, 0] as const), ...rest].entries()) {
    minutes += pause
    const at = new Date(Date.UTC(2026, 9, 16, 8, minutes)).toISOString()
    // A number for each happening, whoever shows it, so that orders have the same names in every life.
    const entries = happening.kind === 'images' ? orthancs : ['main']
    for (const orthanc of entries) {
      const entry = entryOf(happening, 1000 + index, at, orthanc, studies)
      const groups = happening.kind === 'order' ? [happening.group] : []
      const { changes } = applyStrictly(truth, entry, groups, rules)
      truth.fold(changes)
      remember(told, changes)
    }
    look?.(told)
  }
  return told
}

function entryOf(
  happening: Happening,
  seq: number,
  at: string,
  orthanc: string,
  studies: readonly (readonly SeriesFacts[])[],
): InboxEntry {
  switch (happening.kind) {
    case 'order':
      return { seq, at, kind: 'message', messageId: `M${seq}`, source: 'ris', planId: 'p' }
    case 'images': {
      // A series only grows.
      const all = studies[happening.study] ?? []
      const list = happening.which
        .flatMap((n) => all[n] ?? [])
        .map((one) => ({ ...one, instances: seq, lastImageAt: at }))
      const study = list[0]?.study ?? ''
      return { seq, at, kind: 'images', orthanc, event: happening.event as 'seen', series: list, study }
    }
    case 'hand': {
      const { command: kind, which, study } = happening
      const command = { kind: kind as 'link', orderId: orderIds[which] ?? '', study: `main/${study}` }
      return { seq, at, kind: 'manual', by: 'x', reason: '', command }
    }
    case 'quiet':
      return { seq, at, kind: 'deadline', subject: `quiet:${orderIds[happening.which]}`, due: at }
  }
}

function remember(told: { orders: Map<string, Order>; studies: Map<string, Study> }, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === 'order') told.orders.set(change.order.id, change.order)
    if (change.kind === 'study') told.studies.set(change.study.key, change.study)
  }
}

const stepsOf = ({ orders }: Told): unknown =>
  [...orders.values()].map(({ id, steps, lastImageAt }) => [id, lastImageAt, steps.map((one) => one.stepStatus)])
const withoutStudies = ({ sent }: Told): readonly string[] =>
  sent.filter((line) => !line.startsWith('stable') && !line.startsWith('deleted'))
const runs = { numRuns: 300 }

test('a second Orthanc that shows the same after the first moves no step and tells nothing new', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const alone = live(life, ['main'])
      const both = live(life, ['main', 'second'])
      expect(stepsOf(both)).toEqual(stepsOf(alone))
      // Each Orthanc says of its own study that it is stable or deleted.
      expect(withoutStudies(both)).toEqual(withoutStudies(alone))
    }),
    runs,
  )
})

test('I11: a study is credited to those that a person linked and never to those that one unlinked; and each order knows its studies', () => {
  fc.assert(
    fc.property(lives, (life) => {
      live(life, ['main', 'second'], ({ orders, studies }) => {
        for (const { key, credit, linked, unlinked = [] } of studies.values()) {
          const credited = credit.kind === 'matched' ? credit.orderIds : []
          expect(credited.filter((id) => unlinked.includes(id))).toEqual([])
          if (linked !== undefined) expect(credited).toEqual(linked)
          for (const id of credited) expect(orders.get(id)?.studies).toContain(key)
        }
      })
    }),
    runs,
  )
})

test('late images are told at most once for each series, study and order', () => {
  fc.assert(
    fc.property(lives, (life) => {
      live(life, ['main', 'second'], ({ studies, sent }) => {
        const late = [...studies.values()].flatMap((study) =>
          Object.values(study.late ?? {}).map((list) => {
            expect(new Set(list).size).toBe(list.length)
            return list.length
          }),
        )
        const most = late.reduce((sum, count) => sum + count, 0)
        // An unlink forgets, so that a study that is linked again may be late again.
        if (life.rest.every(([one]) => one.kind !== 'hand' || one.command !== 'unlink')) {
          expect(sent.filter((line) => line.startsWith('lateImages')).length).toBeLessThanOrEqual(most)
        }
      })
    }),
    runs,
  )
})
