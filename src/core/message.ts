import type { Dataset } from './dataset.ts'
import type { Fault } from './fault.ts'
import type { Instant, MessageId, PatientKey, PlanId, Seq } from './ids.ts'
import type { Patient, OrderNumbers } from './order.ts'

/** What a message does to its order, decided by the pipeline's `orderControl` table. */
export type Effect =
  | 'create'
  | 'update'
  | 'schedule'
  /** The patient is there, or is ready for the exam: SC with an ORC-5 of the site's own. */
  | 'arrive'
  | 'ready'
  | 'start'
  | 'complete'
  | 'cancel'
  | 'discontinue'
  /** HD, OH: its steps are hidden until a `release` (RL, OE, OR) shows them again. */
  | 'hold'
  | 'release'
  /** NA, SN: brings the placer or filler order number, and nothing else. */
  | 'number'
  | 'ignore'

/**
 * What the pipeline says of a message, before it is acknowledged. Pure: the same
 * plan and the same bytes give the same verdict (translate is computed again after a crash).
 *
 * AE: HL7 error 1xx, the sender must change the message. AR: 2xx, it may send it again.
 */
export type Verdict =
  | {
      readonly kind: 'accepted'
      readonly groups: readonly OrderGroup[]
      /** What an ADT does to patients; absent for orders. */
      readonly patients?: readonly PatientAct[]
      readonly warnings: readonly Fault[]
    }
  | { readonly kind: 'ignored'; readonly rule: string }
  | { readonly kind: 'invalid'; readonly acknowledgment: 'AE' | 'AR'; readonly faults: readonly Fault[] }

/**
 * What an ADT does to a patient (IHE RAD-12). `update` (A08, A31, ...): the demographics
 * are now these. `merge` (A40): whoever was known by `prior` is `patient`. `unmerge` (A37):
 * `patient` and each of `others` are two again; one that only MRG names has no attributes.
 * `patientDeleted` (A29): the hospital has deleted the record.
 */
export type PatientAct =
  | { readonly kind: 'update'; readonly patient: Patient }
  | { readonly kind: 'merge'; readonly patient: Patient; readonly prior: readonly PatientKey[] }
  | { readonly kind: 'unmerge'; readonly patient: Patient; readonly others: readonly Patient[] }
  | ({ readonly kind: 'arrive' | 'arrivalTakenBack'; readonly patient: Patient } & Arrival)
  | { readonly kind: 'patientDeleted'; readonly patient: Patient }

/** For which visit and on which day somebody has arrived (A10), or has not after all (A11, A23, A32). */
export interface Arrival {
  /** (0038,0010), absent where the message names no visit. */
  readonly admissionId?: string
  /** DA in the source's zone, absent where the message has no time: the day on which it was accepted. */
  readonly day?: string
  /** Zone of the source. */
  readonly timeZone: string
}

/** One ORC/OBR group of a message, translated. */
export interface OrderGroup {
  readonly effect: Effect
  /** Whether it changes a patient who is known. Absent: a `create` does, nothing else (IHE RAD-13). */
  readonly changesPatient?: boolean
  /** What a `create` or `update` says besides: that the order is on hold (NW with ORC-5 HD), or no longer. Absent: neither. */
  readonly holds?: boolean
  /** ORC-1 and ORC-5 as sent, `NW(SC)`, for the history; of a booking MSH-9.2 and SCH-25, `S14(Cancelled)`. */
  readonly orderControl: string
  /** It is said by who books (SIU), not by who orders. */
  readonly isBooking?: true
  readonly numbers: OrderNumbers
  /** Absent where the message has no PID (a cancel may carry an ORC only). */
  readonly patient?: Patient
  /** Message header, PID, PV1 and this group as HL7 text (decoded, segments ended by CR): status messages quote it. */
  readonly received: string
  /**
   * Everything of the item outside the patient and the step: visit, imaging
   * service request, requested procedure, and the patient's medical attributes.
   * A key that is absent keeps what is stored; `''` empties it (HL7 null `""`).
   */
  readonly request: Dataset
  /** Empty for an effect that needs none (cancel, status change). */
  readonly steps: readonly PlannedStep[]
  /** Of a cancel or status change: the steps that it names. If the order has any of them, it means those alone. */
  readonly stepKeys?: readonly string[]
  /** Numbers that the engine makes where none is known (`otherwise: generated`): with which they begin. */
  readonly makes?: Readonly<Partial<Record<MadeKeyword, string>>>
  /** Numbers that were too long for DICOM, by the short ones that stand for them. */
  readonly shortened?: Readonly<Record<string, string>>
}

/** What the engine can number where the sender does not. */
export const madeKeywords = ['AccessionNumber', 'RequestedProcedureID', 'ScheduledProcedureStepID'] as const
export type MadeKeyword = (typeof madeKeywords)[number]

/** A Scheduled Procedure Step as one message plans it. */
export interface PlannedStep {
  /** Names the step inside its order (`identity.step`). */
  readonly key: string
  /** Scheduled Station AE Titles; one worklist item is made for each. Empty: none is known, nobody is served. */
  readonly stations: readonly string[]
  /** The item of the Scheduled Procedure Step Sequence, without its Scheduled Station AE Title. Same rule for absent and `''` as `request`. */
  readonly attributes: Dataset
  /** Keywords of which nothing was said, so that the site's defaults stand in: they never replace what is known better. */
  readonly assumed?: readonly string[]
  /** Its key as the message has it, where the order has the step by another one. */
  readonly orderedAs?: string
}

/** By what a message is found again. Values belong to a person: they stay in the store. */
export interface MessageKeys {
  readonly patientIds: readonly string[]
  readonly accessionNumbers: readonly string[]
  readonly placerOrderNumbers: readonly string[]
  readonly fillerOrderNumbers: readonly string[]
  readonly appointmentIds?: readonly string[]
}

/** I8: every message is in exactly one of these states. */
export type MessageState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'applied' }
  | { readonly kind: 'ignored'; readonly rule: string }
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly kind: 'dead'; readonly fault: Fault; readonly attempts: number }

export const messageStates = [
  'waiting',
  'applied',
  'ignored',
  'invalid',
  'dead',
] as const satisfies readonly MessageState['kind'][]

/** A message as it goes into the accept script. */
export interface NewMessage {
  /** Name of the listening endpoint (`sources[].name`). */
  readonly source: string
  /** MSH-10 of the sender; may be empty. */
  readonly controlId: string
  /** Hash of the body without MSH-7: the same message sent again has the same (I4). */
  readonly fingerprint: string
  /** The frame's content as received, byte for byte. */
  readonly body: Uint8Array
  readonly at: Instant
  /** MSH-9 as `ORM^O01`, or `''`. */
  readonly type: string
  /** Pipeline that judged it, or `''` where none took it. */
  readonly pipeline: string
  /** `''` where no pipeline took it. */
  readonly planId: PlanId
  /** Never `applied` or `dead`. */
  readonly state: MessageState
  readonly keys: MessageKeys
  /** IP address of the machine that sent it, which pipelines may ask (`sender.address`); absent: nobody knows. */
  readonly sender?: string
  /** Of a frame that was too large to keep: its size. */
  readonly size?: number
  /** What the sender is told. Remembered and told again unless the message is invalid (I4). */
  readonly acknowledgment: Uint8Array
  /** Where a sender asks for no answer: what it would have been. */
  readonly acknowledgmentCode: AcknowledgmentCode
  /** Who is owed an application acknowledgment besides (HL7 2.5.1 §2.9.3), by its own name; `''` or absent: nobody. */
  readonly owedTo?: string
}

/** MSA-1: of the application (original mode, or later), or of the commit (HL7 table 0008). */
export type AcknowledgmentCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR'

export type Accepted =
  /** `reused`: the MSH-10 was known with another body, a sender that reset its counter. */
  | { readonly kind: 'stored'; readonly seq: Seq; readonly messageId: MessageId; readonly reused: boolean }
  | { readonly kind: 'again'; readonly messageId: MessageId; readonly acknowledgment: Uint8Array }

/** A message as it is kept. */
export interface StoredMessage {
  readonly id: MessageId
  readonly seq: Seq
  readonly source: string
  readonly controlId: string
  readonly type: string
  readonly pipeline: string
  /** `''` where no pipeline took it. */
  readonly planId: PlanId
  readonly at: Instant
  readonly acknowledgmentCode: AcknowledgmentCode
  readonly state: MessageState
  readonly bytes: number
  /** IP address of the machine that sent it; absent: it was not kept (messages of before, imported ones). */
  readonly sender?: string
  /** A person has made it by editing that one. */
  readonly editOf?: MessageId
  /** Of an edit: the number of the message that came. */
  readonly place?: Seq
}
