/**
 * What one entry changes, while it is worked out: reads see what was already
 * written, each order leaves as one change with all its items, and what the RIS is
 * told is rendered at the moment of the event.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { Instant, OrderId, PatientKey } from '../core/ids.ts'
import type { Fault } from '../core/fault.ts'
import type { Order, Patient, Study } from '../core/order.ts'
import type { OrthancChangeRow } from '../core/orthanc-change.ts'
import type { Change, ExamEvent, ExamEventKind, ExamRules, Tombstone, World } from '../core/world.ts'
import { expireSubject, noShowDue } from './expiry.ts'
import { renderItems } from './items.ts'
import { createLayer } from './overlay.ts'
import { restate } from './patients.ts'
import { same } from './same.ts'
import { seenFor } from './seen.ts'

export interface Draft {
  readonly world: World
  readonly rules: ExamRules
  readonly seq: number
  readonly at: Instant
  /** `before` is the order as it was read, undefined for a new one. */
  put(order: Order, before: Order | undefined): void
  putPatient(patient: Patient, before: Patient | undefined): void
  putStudy(study: Study, before: Study | undefined): void
  /** Whose it is may be in doubt: asked when the entry is applied as a whole. */
  doubt(study: Study): void
  /** The studies in doubt as they are now, and as they were before the entry. */
  doubtful(): readonly (readonly [Study, Study | undefined])[]
  putTombstone(tombstone: Tombstone): void
  /** A line of the order's history: past tense, codes only. */
  note(orderId: OrderId, what: string): void
  notice(fault: Fault, orderIds: readonly OrderId[], study?: string): void
  deadline(subject: string, due: Instant | null): void
  /** Whether this entry has told them so of the order already. */
  hasAnnounced(kind: ExamEventKind, order: Order): boolean
  /** Tells the status pipelines. */
  announce(kind: ExamEventKind, order: Order | undefined, study: Study | undefined): void
  /** Tells them of one of Orthanc's own changes. */
  announceRow(row: OrthancChangeRow, orthanc: string, order: Order | undefined, study: Study | undefined): void
  /** What Orthanc told is kept to be looked at. */
  keepRows(orthanc: string, rows: readonly OrthancChangeRow[]): void
  changes(): Change[]
}

export function createDraft(base: World, entry: InboxEntry, rules: ExamRules): Draft {
  const { seq, at } = entry
  const layer = createLayer(base)
  const orders = new Map<OrderId, Order | undefined>()
  const patients = new Map<PatientKey, Patient | undefined>()
  const studies = new Map<string, Study>()
  const studiesBefore = new Map<string, Study | undefined>()
  const doubts = new Set<string>()
  const deadlines = new Map<string, Instant | null>()
  const announced = new Set<string>()
  const rest: Change[] = []
  const messageId = entry.kind === 'message' ? entry.messageId : undefined
  const hand = entry.kind === 'manual' ? entry : entry.kind === 'message' ? entry.replay : undefined
  const by = hand?.by
  const reason = hand === undefined || hand.reason === '' ? undefined : hand.reason
  let events = 0

  function announce(happened: Omit<ExamEvent, 'at' | 'patient' | 'controlId'>): void {
    const event = events++
    const { order, orthanc } = happened
    if (order !== undefined) announced.add(`${happened.kind} ${order.id}`)
    const controlId = (n: number): string => `W${code(seq)}-${code(event)}-${code(n)}`
    const patient = order && layer.patient(order.patientKey)
    for (const { leftOut, ...message } of rules.status.render({ ...happened, at, patient, controlId })) {
      // What is about no order is told in the order in which its Orthanc told it.
      rest.push({ kind: 'send', lane: order?.id ?? `orthanc ${orthanc ?? ''}`, at, event: happened.kind, ...message })
      if (leftOut === undefined) continue
      const fault: Fault = {
        code: 'E635',
        hl7Code: 207,
        params: { destination: message.endpoint, fields: leftOut.join(', ') },
      }
      rest.push({ kind: 'notice', fault, orderIds: order === undefined ? [] : [order.id] })
      if (order !== undefined)
        rest.push(line(order.id, `${message.endpoint} is told without ${leftOut.join(', ')}: E635`))
    }
  }

  const patientBefore = (key: PatientKey): Patient | undefined =>
    patients.has(key) ? patients.get(key) : layer.patient(key)

  /** The order and its items as a change; nothing when both are as they were. */
  function orderChange(id: OrderId, before: Order | undefined): Change[] {
    const order = layer.orders({ by: 'order', id })[0]
    if (order === undefined) return []
    const patient = layer.patient(order.patientKey)
    const was = before && { order: before, patient: patientBefore(before.patientKey) }
    const { items, marks, withdrawn, changed } = renderItems({ order, patient }, was, seq, at)
    const due = noShowDue(order, rules.noShow)
    if (!changed && before !== undefined && due === before.expireAt && same(order, before)) return []
    const { expireAt: _before, asOf: _place, ...rest } = order
    const expiry = due === undefined ? {} : { expireAt: due }
    const asOf = placeAfter(order, before)
    const place = asOf === undefined ? {} : { asOf }
    const now: Order = { ...rest, ...expiry, ...place, version: seq, changedAt: at, itemMarks: marks }
    const next: Change = { kind: 'order', order: now, items, withdrawn }
    if (due === order.expireAt) return [next]
    return [next, { kind: 'deadline', subject: expireSubject(order), due: due ?? null }]
  }

  /** Of what was said of the order: a replay says again what is old, and a merge says nothing of it (I8). */
  function placeAfter(order: Order, before: Order | undefined): number | undefined {
    const known = before === undefined ? 0 : (before.asOf ?? before.version)
    if (entry.kind === 'message' && entry.replay !== undefined) return Math.max(known, entry.replay.of)
    if (before === undefined || patients.size === 0) return undefined
    return same(withoutPatient(order), withoutPatient(before)) ? known : undefined
  }

  function line(orderId: OrderId, what: string): Change {
    const told = { kind: 'history', orderId, cause: seq, at, what, causedBy: entry.kind } as const
    const cause = messageId === undefined ? {} : { messageId }
    const who = by === undefined ? {} : { by }
    return { ...told, ...cause, ...who, ...(reason === undefined ? {} : { reason }) }
  }

  /** Before what they did: which images came, for each order they are of. */
  function seen(study: Study): Change[] {
    if (study.credit.kind !== 'matched') return []
    return study.credit.orderIds.flatMap((id) => {
      const what = seenFor(id, study, studiesBefore.get(study.key))
      return what === undefined ? [] : [line(id, what)]
    })
  }

  return {
    world: layer,
    rules,
    seq,
    at,
    put(order, before) {
      if (!orders.has(order.id)) orders.set(order.id, before)
      layer.putOrder(order)
    },
    putPatient(patient, before) {
      if (!patients.has(patient.key)) patients.set(patient.key, before)
      layer.putPatient(restate(patient, before, seq))
    },
    putStudy(study, before) {
      if (before !== undefined && same(study, before)) return
      if (!studiesBefore.has(study.key)) studiesBefore.set(study.key, before)
      studies.set(study.key, study)
      layer.putStudy(study)
    },
    doubt: ({ key }) => void doubts.add(key),
    doubtful: () =>
      [...studies.values()].flatMap((one) => (doubts.has(one.key) ? [[one, studiesBefore.get(one.key)]] : [])),
    putTombstone(tombstone) {
      layer.putTombstone(tombstone)
      rest.push({ kind: 'tombstone', tombstone })
    },
    note: (orderId, what) => void rest.push(line(orderId, what)),
    notice(fault, orderIds, study) {
      rest.push(study === undefined ? { kind: 'notice', fault, orderIds } : { kind: 'notice', fault, orderIds, study })
    },
    deadline: (subject, due) => void deadlines.set(subject, due),
    hasAnnounced: (kind, order) => announced.has(`${kind} ${order.id}`),
    announce: (kind, order, study) =>
      announce({ kind, order, study, ...(study === undefined ? {} : { orthanc: study.orthanc }) }),
    announceRow: (row, orthanc, order, study) => announce({ kind: row.change, order, study, orthanc, row }),
    keepRows: (orthanc, rows) => void rest.push({ kind: 'rows', orthanc, cause: seq, rows }),
    changes: () => [
      ...[...patients.keys()].flatMap((key): Change[] => {
        const patient = layer.patient(key)
        return patient === undefined ? [] : [{ kind: 'patient', patient }]
      }),
      ...[...orders].flatMap(([id, before]) => orderChange(id, before)),
      ...[...studies.values()].map((study): Change => ({ kind: 'study', study })),
      ...[...deadlines].map(([subject, due]): Change => ({ kind: 'deadline', subject, due })),
      ...[...studies.values()].flatMap(seen),
      ...rest,
    ],
  }
}

const code = (number: number): string => number.toString(36).toUpperCase()

const withoutPatient = (order: Order): Order => {
  const { formerPatientKeys: _former, expireAt: _expiry, ...rest } = order
  return { ...rest, patientKey: '' }
}
