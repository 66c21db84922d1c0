import type { Fault } from './fault.ts'
import {
  patientIdOf,
  type Instant,
  type ItemId,
  type MessageId,
  type OrderId,
  type PatientKey,
  type Seq,
} from './ids.ts'
import type { InboxEntry } from './inbox.ts'
import type { MessageState } from './message.ts'
import type { Hold, Order, Patient, Study, WorklistItem } from './order.ts'
import type { OrthancChangeRow, OrthancChangeType } from './orthanc-change.ts'
import type { Act } from './replay.ts'

/** By what orders, patients and studies are found. Numbers are compared within their authority. */
export type Lookup =
  | { readonly by: 'order'; readonly id: OrderId }
  | { readonly by: 'placerOrderNumber'; readonly authority: string; readonly value: string }
  | { readonly by: 'fillerOrderNumber'; readonly authority: string; readonly value: string }
  | { readonly by: 'placerAppointmentId'; readonly authority: string; readonly value: string }
  | { readonly by: 'fillerAppointmentId'; readonly authority: string; readonly value: string }
  | { readonly by: 'accessionNumber'; readonly value: string }
  | { readonly by: 'studyInstanceUid'; readonly value: string }
  /** Orders by (0040,1001) and the Patient ID without its issuer: Request Attributes carry nothing else. */
  | { readonly by: 'requestedProcedure'; readonly patientId: string; readonly value: string }
  /** Orders by the SOP Instance UID of a performed procedure step that was said of them. */
  | { readonly by: 'performed'; readonly value: string }
  /** Orders of the patient. */
  | { readonly by: 'patient'; readonly key: PatientKey }
  | { readonly by: 'patientRecord'; readonly key: PatientKey }
  /** One study by its key; `studyInstanceUid` and `accessionNumber` find studies too. */
  | { readonly by: 'study'; readonly key: string }
  /** A cancel that came before its order, by the order's key. */
  | { readonly by: 'tombstone'; readonly key: string }

/** A text that is equal for equal lookups. */
export function lookupKey(lookup: Lookup): string {
  switch (lookup.by) {
    case 'order':
      return `order ${lookup.id}`
    case 'placerOrderNumber':
    case 'fillerOrderNumber':
    case 'placerAppointmentId':
    case 'fillerAppointmentId':
      return `${lookup.by} ${lookup.authority} ${lookup.value}`
    case 'accessionNumber':
    case 'studyInstanceUid':
    case 'performed':
      return `${lookup.by} ${lookup.value}`
    case 'requestedProcedure':
      return `${lookup.by} ${JSON.stringify([lookup.patientId, lookup.value])}`
    case 'patient':
    case 'patientRecord':
    case 'study':
    case 'tombstone':
      return `${lookup.by} ${lookup.key}`
  }
}

/** The lookups by which Request Attributes find this order, if it has a Requested Procedure ID: under each Patient ID that its images may carry. */
export function requestedProcedure({ numbers, request, patientKey, formerPatientKeys = [] }: Order): Lookup[] {
  const given = numbers.requestedProcedureId ?? request['RequestedProcedureID']
  if (typeof given !== 'string' || given === '') return []
  const patientIds = [patientKey, ...formerPatientKeys].map(patientIdOf)
  return (patientIds.length < 2 ? patientIds : [...new Set(patientIds)]).map((patientId) => ({
    by: 'requestedProcedure',
    patientId,
    value: given,
  }))
}

/** The lookups by which bookings find this order: of what was said last, and of each step that was booked apart. */
export function appointmentLookups({ numbers, steps }: Pick<Order, 'numbers' | 'steps'>): readonly Lookup[] {
  const { authority } = numbers
  const booked = steps.flatMap((step) => step.booked ?? [])
  // Asked of every order whenever it is put anywhere; most have no booking.
  if (booked.length === 0 && !numbers.fillerAppointmentId && !numbers.placerAppointmentId) return []
  const all = [numbers, ...booked]
  const lookups: Lookup[] = []
  for (const by of ['fillerAppointmentId', 'placerAppointmentId'] as const) {
    for (const value of new Set(all.map((one) => one[by]))) if (value) lookups.push({ by, authority, value })
  }
  return lookups
}

/** The lookups by which MPPS finds this order again. */
export function performedLookups({ performed }: Order): Lookup[] {
  return performed === undefined ? [] : Object.keys(performed).map((value) => ({ by: 'performed', value }))
}

/** What apply may look at: all that was loaded for the lookups of `concerns`, with the changes so far folded in. */
export interface World {
  orders(by: Lookup): readonly Order[]
  patient(key: PatientKey): Patient | undefined
  studies(by: Lookup): readonly Study[]
  tombstone(key: string): Tombstone | undefined
  /** Whether this lookup has been loaded (nothing found counts as loaded). */
  has(by: Lookup): boolean
}

/** A cancel or a hold that came before its order: a late NW of the same message time or older makes no item, or none that is served. */
export interface Tombstone {
  readonly key: string
  readonly cause: Seq
  readonly at: Instant
  /** MSH-7 of the cancel, as sent. */
  readonly sentAt?: string
  /** Whom it named, if anybody: it is about no order of somebody else. */
  readonly patientKey?: PatientKey
  /** What was said last of its being on hold, and of whom. */
  readonly hold?: Hold & { readonly patientKey?: PatientKey }
  /** Set where nobody cancelled it. */
  readonly isHoldOnly?: true
}

export type Change =
  /** The order as it is now, all its items as they are now, and the ids of items that are no more. */
  | {
      readonly kind: 'order'
      readonly order: Order
      readonly items: readonly WorklistItem[]
      readonly withdrawn: readonly ItemId[]
    }
  | { readonly kind: 'patient'; readonly patient: Patient }
  | { readonly kind: 'study'; readonly study: Study }
  | { readonly kind: 'tombstone'; readonly tombstone: Tombstone }
  | {
      readonly kind: 'history'
      readonly orderId: OrderId
      readonly cause: Seq
      readonly at: Instant
      readonly what: string
      readonly messageId?: MessageId
      /** What kind of entry the cause is. */
      readonly causedBy?: InboxEntry['kind']
      /** Who did it by hand and why, in that person's words: for the story, never for the log (I9). */
      readonly by?: string
      readonly reason?: string
    }
  /** What Orthanc told: the newest of these lines are kept to be looked at. */
  | { readonly kind: 'rows'; readonly orthanc: string; readonly cause: Seq; readonly rows: readonly OrthancChangeRow[] }
  | {
      readonly kind: 'send'
      readonly endpoint: string
      readonly lane: OrderId
      readonly controlId: string
      readonly bytes: Uint8Array
      readonly at: Instant
      /** What it tells, and the pipeline that wrote it. */
      readonly event?: StatusEventKind
      readonly pipeline?: string
    }
  /** `due: null` takes the deadline back. One deadline per subject. */
  | { readonly kind: 'deadline'; readonly subject: string; readonly due: Instant | null }
  | {
      readonly kind: 'state'
      readonly messageId: MessageId
      readonly source: string
      readonly state: MessageState
      /** Of a replay: what came of it. */
      readonly outcome?: Extract<Act, { kind: 'outcome' }>
    }
  /** Something a person should see: an image that contradicts its order, a number that points to two. Counted, logged by code and ids only. */
  | { readonly kind: 'notice'; readonly fault: Fault; readonly orderIds: readonly OrderId[]; readonly study?: string }

/** What happened to an exam, worked out by the engine; status pipelines listen to it. */
export type ExamEventKind =
  | 'started'
  | 'completed'
  | 'discontinued'
  | 'canceled'
  | 'expired'
  | 'reopened'
  | 'stable'
  | 'lateImages'
  | 'deleted'
  | 'unmatched'
  | 'ambiguous'
  | 'mismatch'

/** Everything that a status pipeline can listen to. */
export type StatusEventKind = ExamEventKind | OrthancChangeType

export interface ExamEvent {
  readonly kind: StatusEventKind
  readonly at: Instant
  /** Absent where no order is known for certain: unmatched, ambiguous, mismatch, and Orthanc's own changes of no order. */
  readonly order: Order | undefined
  readonly patient: Patient | undefined
  /** The study that the images came with; absent for what a person or a message did. */
  readonly study: Study | undefined
  /** The Orthanc it happened in, where it happened in one. */
  readonly orthanc?: string
  /** For Orthanc's own changes: the row. */
  readonly row?: OrthancChangeRow
  /** MSH-10 of the n-th message (from 0) that this event sends; derived from the sequence number, at most 20 characters. */
  controlId(n: number): string
}

/** A status message, rendered: its bytes never change again (I7). */
export interface StatusMessage {
  readonly endpoint: string
  readonly controlId: string
  readonly bytes: Uint8Array
  /** The status pipeline that wrote it. */
  readonly pipeline?: string
  /** Fields that say less than they should, as `PID-5`: the charset of the destination cannot write it. */
  readonly leftOut?: readonly string[]
}

/** The status pipelines, compiled. Pure. */
export interface StatusPlan {
  /** What any pipeline listens to; undefined: ask `render`. */
  readonly listens?: ReadonlySet<StatusEventKind>
  render(event: ExamEvent): readonly StatusMessage[]
}

/** When an exam is over (design.md, Completion). */
export interface CompletionPolicy {
  readonly policy: 'quiet' | 'stable' | 'ris' | 'mpps'
  readonly quietSeconds: number
}

/** The site's policy, and where modalities or stations differ from it: the first rule that fits a step counts. */
export interface Completion extends CompletionPolicy {
  readonly rules?: readonly CompletionRule[]
}

/** An empty or absent list fits every step; with both lists, both must fit. */
export interface CompletionRule extends CompletionPolicy {
  /** (0008,0060) of the step. */
  readonly modalities?: readonly string[]
  /** Scheduled Station AE Titles. */
  readonly stations?: readonly string[]
}

/** What apply needs to know of the site. */
export interface ExamRules {
  readonly status: StatusPlan
  readonly completion: Completion
  /** A step that never began expires so many days after its scheduled day has ended in the zone of its order's source; absent: never. */
  readonly noShow?: {
    readonly days: number
    /** Of the site. */
    readonly timeZone: string
    /** Of the sources that have another, by name. */
    readonly zones?: Readonly<Record<string, string>>
    readonly notBefore?: Instant
  }
  /** Since when time is known to have passed evenly: a clock that jumped has not made anybody wait for longer. */
  readonly steadySince?: Instant
  /** The latest that a clock has shown before it was set back: what is stamped up to here and lies ahead was stamped before that. */
  readonly aheadUntil?: Instant
}
