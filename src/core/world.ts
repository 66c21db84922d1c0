import type { Fault } from './fault.ts'
import type { Instant, ItemId, MessageId, OrderId, PatientKey, Seq } from './ids.ts'
import type { MessageState } from './message.ts'
import type { Order, Patient, Study, WorklistItem } from './order.ts'

/** By what orders, patients and studies are found. Numbers are compared within their authority. */
export type Lookup =
  | { readonly by: 'order'; readonly id: OrderId }
  | { readonly by: 'placerOrderNumber'; readonly authority: string; readonly value: string }
  | { readonly by: 'fillerOrderNumber'; readonly authority: string; readonly value: string }
  | { readonly by: 'accessionNumber'; readonly value: string }
  | { readonly by: 'studyInstanceUid'; readonly value: string }
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
      return `${lookup.by} ${lookup.authority} ${lookup.value}`
    case 'accessionNumber':
    case 'studyInstanceUid':
      return `${lookup.by} ${lookup.value}`
    case 'patient':
    case 'patientRecord':
    case 'study':
    case 'tombstone':
      return `${lookup.by} ${lookup.key}`
  }
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

/** A cancel that came before its order: a late NW of the same message time or older makes no item. */
export interface Tombstone {
  readonly key: string
  readonly cause: Seq
  readonly at: Instant
  /** MSH-7 of the cancel, as sent. */
  readonly sentAt?: string
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
    }
  | {
      readonly kind: 'send'
      readonly endpoint: string
      readonly lane: OrderId
      readonly controlId: string
      readonly bytes: Uint8Array
      readonly at: Instant
    }
  /** `due: null` takes the deadline back. One deadline per subject. */
  | { readonly kind: 'deadline'; readonly subject: string; readonly due: Instant | null }
  | { readonly kind: 'state'; readonly messageId: MessageId; readonly source: string; readonly state: MessageState }
  /** Something a person should see: an image that contradicts its order, a number that points to two. Counted, logged by code and ids only. */
  | { readonly kind: 'notice'; readonly fault: Fault; readonly orderIds: readonly OrderId[]; readonly study?: string }

/** What happened to an exam; status pipelines listen to it. */
export type ExamEventKind = 'started' | 'completed' | 'discontinued' | 'stable' | 'lateImages' | 'deleted'

export interface ExamEvent {
  readonly kind: ExamEventKind
  readonly at: Instant
  readonly order: Order
  readonly patient: Patient | undefined
  /** The study that the images came with; absent for what a person or a message did. */
  readonly study: Study | undefined
  /** MSH-10 of the n-th message (from 0) that this event sends; derived from the sequence number, at most 20 characters. */
  controlId(n: number): string
}

/** A status message, rendered: its bytes never change again (I7). */
export interface StatusMessage {
  readonly endpoint: string
  readonly controlId: string
  readonly bytes: Uint8Array
}

/** The status pipelines, compiled. Pure. */
export interface StatusPlan {
  render(event: ExamEvent): readonly StatusMessage[]
}

/** When an exam is over (design.md, Completion). */
export interface CompletionPolicy {
  readonly policy: 'quiet' | 'stable' | 'ris' | 'mpps'
  readonly quietSeconds: number
}

/** What apply needs to know of the site. */
export interface ExamRules {
  readonly status: StatusPlan
  readonly completion: CompletionPolicy
}
