/**
 * I4 at the level of HL7: orders, bookings and ADT of a few patients through the
 * shipped pipelines and apply. Senders repeat what was not acknowledged, at once or much
 * later, with the same control ID or with another: the worklist is the same.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { ExamRules } from '../../src/core/world.ts'
import { createOverlay } from '../../src/exam/index.ts'
import { fingerprint, parse } from '../../src/hl7/index.ts'
import { planOf, shipped, shippedTables } from '../mapping/support.ts'
import { applyStrictly, nothing, series } from '../stories/support.ts'

const plan = planOf(
  ['orders', 'patients', 'appointments'].map((name) => shipped(`pipelines/${name}/pipeline.yaml`)),
  { tables: shippedTables(), stationAeTitle: 'ANY', modality: 'OT', incomplete: 'hold', issuerOfPatientId: 'HOSP' },
)

const text = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values)
const patients = [
  '4711^^^HOSP^MR||MUELLER^ANNA||19700131|F',
  '4712^^^HOSP^MR||MUELLER^OTTO||19710202|M',
  '4713||DOE^JANE',
]
const patient = fc.constantFrom(...patients)
const prior = text('4711^^^HOSP^MR', '4712^^^HOSP^MR', '4713^^^HOSP^MR')
/** MSH-7: mostly in order, sometimes late, sometimes absent. */
const sent = text('20261015090000', '20261015090500', '20261015091000', '20261016080000', '')
const start = text('20261016100000', '20261017110000', '20270101080000', '')

const order = fc
  .record({
    control: text('NW', 'NW', 'NW', 'XO', 'XO', 'CA', 'DC', 'HD', 'RL', 'NA', 'SC'),
    status: text('', '', 'SC', 'IP', 'CM', 'CA'),
    placer: text('P1', 'P2', ''),
    filler: text('F1', 'F1', 'F2', ''),
    pid: patient,
    accession: text('A1', 'A2', ''),
    step: text('S1', 'S2', ''),
    modality: text('CT', 'MR', ''),
    code: text('CTHEAD^CT head^99H', 'MRHEAD^MR head^99H', 'X'),
    uid: text('', '', '1.2.3'),
    start,
  })
  .map(({ control, status, placer, filler, pid, accession, step, modality, code, uid, start }) => ({
    type: 'ORM^O01',
    lines: [
      `PID|1||${pid}`,
      `ORC|${control}|${placer}|${filler}||${status}||1^once^^${start}^^R`,
      `OBR|1|${placer}|${filler}|${code}||||||||||||||${accession}||${step}||||${modality}`,
      ...(uid === '' ? [] : [`ZDS|${uid}`]),
    ],
  }))

const booking = fc
  .record({
    event: text('S12', 'S12', 'S13', 'S14', 'S15', 'S17', 'S26'),
    appointment: text('B1', 'B2'),
    filler: text('F1', 'F2', ''),
    pid: patient,
    start,
  })
  .map(({ event, appointment, filler, pid, start }) => ({
    type: `SIU^${event}`,
    lines: [
      `SCH|${appointment}|${appointment}|||||||||^^^${start}|||||||||||||||||${filler}`,
      `PID|1||${pid}`,
      'RGS|1',
      `AIS|1|A|CTHEAD^CT head^99H|${start}`,
    ],
  }))

const adt = fc
  .record({
    event: text('A01', 'A08', 'A10', 'A11', 'A40', 'A37', 'A29'),
    pid: patient,
    prior,
    name: text('NEW^NAME', ''),
  })
  .map(({ event, pid, prior, name }) => ({
    type: `ADT^${event}`,
    lines: [
      `PID|1||${name === '' ? pid : pid.replace(/\|\|[^|]*/, `||${name}`)}`,
      ...(event === 'A37' ? [`PID|2||${prior}`] : event === 'A40' ? [`MRG|${prior}`] : []),
      'PV1|1|O',
    ],
  }))

interface Said {
  readonly type: string
  readonly lines: readonly string[]
}

type Happening =
  | {
      readonly kind: 'message'
      readonly said: Said
      readonly sent: string
      readonly atOnce: number
      readonly later: number
    }
  | { readonly kind: 'images'; readonly accession: string; readonly patientId: string }

const happenings = fc.array(
  fc
    .oneof(
      { weight: 6, arbitrary: order.map((said) => said as Said) },
      { weight: 2, arbitrary: booking.map((said) => said as Said) },
      { weight: 2, arbitrary: adt.map((said) => said as Said) },
      { weight: 1, arbitrary: fc.record({ accession: text('A1', 'A2'), patientId: text('4711', '4712') }) },
    )
    .chain((what): fc.Arbitrary<Happening> =>
      'lines' in what
        ? fc.record({
            kind: fc.constant('message' as const),
            said: fc.constant(what),
            sent,
            atOnce: fc.nat(2),
            later: fc.nat(8),
          })
        : fc.constant({ kind: 'images' as const, ...what }),
    ),
  { minLength: 1, maxLength: 10 },
)

const rules: ExamRules = {
  completion: { policy: 'quiet', quietSeconds: 1800 },
  status: { render: () => [] },
}

/** What the RIS and Orthanc bring, in this order, as the accept script takes it: an exact repetition has no second effect. */
function worklist(all: readonly Happening[], isRepeating: boolean): unknown {
  const world = createOverlay(nothing)
  const items = new Map<string, unknown>()
  const accepted = new Set<string>()
  let now = Date.parse('2026-10-16T08:00:00.000Z')

  function enter(seq: number, bytes: Buffer, controlId: string): void {
    const name = `${controlId} ${fingerprint(bytes)}`
    if (accepted.has(name)) return
    accepted.add(name)
    const parsed = parse(bytes)
    if (parsed.kind !== 'message') throw new Error(parsed.fault.code)
    const { verdict } = plan.judge(parsed.message)
    if (verdict.kind === 'invalid') {
      expect(verdict.faults.map(({ code }) => code)).not.toContain('E313')
      return
    }
    if (verdict.kind === 'ignored') return
    const entry: InboxEntry = { seq, at: at(), kind: 'message', messageId: `M${seq}`, source: 'ris', planId: 'plan' }
    fold(applyStrictly(world, entry, verdict.groups, rules, verdict.patients ?? []).changes)
  }
  const at = (): string => new Date(now).toISOString()
  function fold(changes: ReturnType<typeof applyStrictly>['changes']): void {
    world.fold(changes)
    for (const change of changes) {
      if (change.kind !== 'order') continue
      for (const { id, stepStatus, served, dataset } of change.items) items.set(id, { stepStatus, served, dataset })
      for (const id of change.withdrawn) items.delete(id)
    }
  }

  const sentBefore: { readonly bytes: Buffer; readonly controlId: string }[] = []
  for (const [index, happening] of all.entries()) {
    // What was first said has the same sequence number and time, however much is repeated in between.
    const seq = 1_000 + index * 10
    now = Date.parse('2026-10-16T08:00:00.000Z') + index * 60_000
    if (happening.kind === 'images') {
      const { accession, patientId } = happening
      const facts = series({
        study: `study-${index}`,
        studyInstanceUid: `9.${index}`,
        accessionNumber: accession,
        patientId,
      })
      const entry = { seq, at: at(), kind: 'images', orthanc: 'main', event: 'seen', study: `study-${index}` } as const
      for (let again = 0; again < (isRepeating ? 2 : 1); again++) {
        fold(applyStrictly(world, { ...entry, seq: seq + again, series: [facts] }, [], rules).changes)
      }
      continue
    }
    const { said, sent, atOnce, later } = happening
    const write = (controlId: string): Buffer =>
      Buffer.from([String.raw`MSH|^~\&|R|M|W|R|${sent}||${said.type}|${controlId}|P|2.5`, ...said.lines, ''].join('\r'))
    const bytes = write(`C${index}`)
    enter(seq, bytes, `C${index}`)
    sentBefore.push({ bytes, controlId: `C${index}` })
    if (!isRepeating) continue
    for (let again = 1; again <= atOnce; again++) enter(seq + again, write(`C${index}-${again}`), `C${index}-${again}`)
    const old = sentBefore[later]
    if (old !== undefined) enter(seq + 5, old.bytes, old.controlId)
  }
  return Object.fromEntries([...items].sort(([a], [b]) => (a < b ? -1 : 1)))
}

test('I4: whatever is sent again, at once under another control ID or later as it was, the items are the same', () => {
  fc.assert(
    fc.property(happenings, (all) => {
      expect(worklist(all, true)).toEqual(worklist(all, false))
    }),
    { numRuns: 200 },
  )
})

test('the sequences of this property make items, move and end them', () => {
  const statuses = new Set<string>()
  for (const all of fc.sample(happenings, { numRuns: 200, seed: 7 })) {
    for (const item of Object.values(worklist(all, false) as Record<string, { stepStatus: string }>)) {
      statuses.add(item.stepStatus)
    }
  }
  for (const wanted of ['SCHEDULED', 'UNSCHEDULED', 'STARTED', 'CANCELED']) expect([...statuses]).toContain(wanted)
})
