import type { Dataset } from './dataset.ts'
import type { Instant, ItemId, OrderId, PatientKey, Seq } from './ids.ts'

/**
 * (0040,0020) Scheduled Procedure Step Status. SCHEDULED, ARRIVED, READY and
 * STARTED are DICOM's defined terms (PS3.3 C.4.10); COMPLETED, DISCONTINUED and
 * CANCELED end a step; UNSCHEDULED (no start time yet) and EXPIRED are ours. Only
 * SCHEDULED, ARRIVED, READY and STARTED are served to modalities.
 */
export type StepStatus =
  | 'UNSCHEDULED'
  | 'SCHEDULED'
  | 'ARRIVED'
  | 'READY'
  | 'STARTED'
  | 'COMPLETED'
  | 'DISCONTINUED'
  | 'CANCELED'
  | 'EXPIRED'

export const stepStatuses = [
  'UNSCHEDULED',
  'SCHEDULED',
  'ARRIVED',
  'READY',
  'STARTED',
  'COMPLETED',
  'DISCONTINUED',
  'CANCELED',
  'EXPIRED',
] as const satisfies readonly StepStatus[]

export const servedStatuses: readonly StepStatus[] = ['SCHEDULED', 'ARRIVED', 'READY', 'STARTED']

/** A step that has ended takes no images and is no longer served. */
export const endedStatuses: readonly StepStatus[] = ['COMPLETED', 'DISCONTINUED', 'CANCELED', 'EXPIRED']

/**
 * The numbers an order is known by. The filler order number, else the placer
 * order number, names it within its assigning authority (`authority`: the source's
 * name unless the pipeline says otherwise); the others are attributes that find it.
 */
export interface OrderNumbers {
  readonly authority: string
  readonly placerOrderNumber?: string
  readonly fillerOrderNumber?: string
  readonly accessionNumber?: string
  readonly studyInstanceUid?: string
  readonly requestedProcedureId?: string
  /** SCH-1 and SCH-2 of its booking: numbers of their own within the authority, no order numbers. */
  readonly placerAppointmentId?: string
  readonly fillerAppointmentId?: string
}

export interface Patient {
  readonly key: PatientKey
  /** (0010,0020) */
  readonly patientId: string
  /** (0010,0021), `''` when unknown. */
  readonly issuerOfPatientId: string
  /** The Patient Identification and Demographic attributes. Absent keeps, `''` empties. */
  readonly attributes: Dataset
  /** Keys that were merged into this patient (ADT A40): images and messages may still carry them. */
  readonly aliases?: readonly PatientKey[]
  /** Set while this key is merged: whoever is named by it is that patient, and what this record says is shown to nobody. */
  readonly mergedInto?: PatientKey
  /** Keywords of a merged record by which its survivor is described, who had no name: given back when the merge is undone. */
  readonly lent?: readonly string[]
  /** Which entry last changed what had been known: an order that was sent before quotes it no more. */
  readonly restated?: Readonly<Partial<Record<RestatedKeyword, Seq>>>
}

/** What of a patient a status message quotes, besides the Patient ID. */
export const restatedKeywords = ['PatientName', 'PatientBirthDate', 'PatientSex'] as const
export type RestatedKeyword = (typeof restatedKeywords)[number]

/** A Scheduled Procedure Step with its life. */
export interface Step {
  readonly key: string
  readonly stepStatus: StepStatus
  /** Scheduled Station AE Titles. */
  readonly stations: readonly string[]
  readonly attributes: Dataset
  /** What a person should look at: `no-longer-ordered`, ... */
  readonly flags: readonly string[]
  /** Keywords whose values are the site's defaults, until a message says better. */
  readonly assumed?: readonly string[]
  /**
   * Set when it was STARTED without images, by the RIS or (`performed`: its SOP Instance UID) by MPPS. `hasImages`:
   * some were credited to it since, older ones too.
   */
  readonly begun?: { readonly at: Instant; readonly performed?: string; readonly hasImages?: true }
  /** What a booking (SIU) said of it: orders do not undo it. */
  readonly booked?: Booked
  /** The key by which orders name a step that a booking made first. */
  readonly orderedAs?: string
}

export interface Booked {
  /** MSH-7 of the booking, as sent. */
  readonly sentAt: string
  /** Whose it is: an order may have several appointments. */
  readonly placerAppointmentId?: string
  readonly fillerAppointmentId?: string
  /** What the booking said, `ScheduledStationAETitle` among them. */
  readonly keywords: readonly string[]
  /** Date and time that the order itself said last: the same again is no news. */
  readonly requested?: string
  /** It was the booking that cancelled it: a later one may book it again. */
  readonly calledOff?: true
}

/** One Imaging Service Request: the aggregate that messages and images change. */
export interface Order {
  readonly id: OrderId
  /** Sequence number of the last entry that changed it. */
  readonly version: Seq
  /** The place of the newest that was said of it, where the last entry was a replay of something older, or changed its patient alone; absent: `version`. */
  readonly asOf?: Seq
  readonly source: string
  readonly numbers: OrderNumbers
  /** Never a key that was merged: a merge moves its orders. */
  readonly patientKey: PatientKey
  /** Merged keys by which it was known or sent, oldest first: images may still carry them. */
  readonly formerPatientKeys?: readonly PatientKey[]
  /** The sender's, or made once (from the order's key and its creating sequence number) and kept. */
  readonly studyInstanceUid: string
  readonly request: Dataset
  /** Numbers that are too long for DICOM, by the short ones that stand for them: the RIS is told its own. */
  readonly shortened?: Readonly<Record<string, string>>
  /** The HL7 text of the order group as last sent with an OBR. */
  readonly received: string
  /** Sequence number of the message that `received` is of; absent: the one that made the order. */
  readonly receivedBy?: Seq
  readonly steps: readonly Step[]
  /** What the RIS has been told: IP once, CM or DC once. */
  readonly told: readonly ('IP' | 'CM' | 'DC')[]
  /** When the first and the newest of its images were seen. */
  readonly firstImageAt?: Instant
  readonly lastImageAt?: Instant
  /** MSH-7 as sent of the newest message that changed it; what has ended is opened again only by a newer one. */
  readonly sentAt?: string
  /** When each of its items last changed: apply compares, so that an unchanged item keeps its version (I5). */
  readonly itemMarks?: Readonly<Record<ItemId, ItemMark>>
  /** Keys of the studies it is credited with: a link or a number that was corrected since leaves no other trace. */
  readonly studies?: readonly string[]
  /** Its number was used again for another exam: messages mean that one, and no order joins its study. */
  readonly isUsedAgain?: true
  /** What hold and release have said of it: `on`, its steps are hidden while they wait. */
  readonly hold?: Hold
  /** Made by a booking, and no order has told of it since. */
  readonly isBooking?: true
  /** When a person last opened it again: quiet and no-show times begin no earlier. */
  readonly reopenedAt?: Instant
  /** When its quiet time was over while one of its studies was its own no more (a mismatch): it began again then. */
  readonly doubtedAt?: Instant
  /** When a message last planned again what had ended: no-show times begin no earlier. */
  readonly plannedAgainAt?: Instant
  /** When the next of its steps expires as a no-show, if nothing happens: the deadline that is set. */
  readonly expireAt?: Instant
  /** What modalities said by MPPS, by its SOP Instance UID: the newest of each. */
  readonly performed?: Readonly<
    Record<string, { readonly state: PerformedState; readonly stepKeys: readonly string[] }>
  >
  readonly createdAt: Instant
  readonly changedAt: Instant
}

/** The newest word of hold (HD, OH) and release (RL, OE, OR). */
export interface Hold {
  readonly on: boolean
  /** When it was said: no-show times begin no earlier. */
  readonly at: Instant
  /** MSH-7 as sent; an older hold or release changes nothing. */
  readonly sentAt?: string
}

/** (0040,0252) Performed Procedure Step Status. */
export type PerformedState = 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED'

/**
 * A Performed Procedure Step as a modality states it (PS3.4 F.7): the evidence that
 * the policy `mpps` waits for. Values as in the N-CREATE or N-SET, `''` when absent;
 * an N-SET may carry the state alone.
 */
export interface PerformedProcedureStep {
  readonly sopInstanceUid: string
  readonly state: PerformedState
  readonly patientId: string
  readonly issuerOfPatientId: string
  readonly modality: string
  /** (0040,0241) Performed Station AE Title */
  readonly stationAeTitle: string
  /** (0040,0270) Scheduled Step Attributes Sequence, every item. */
  readonly scheduledSteps: readonly {
    readonly studyInstanceUid: string
    readonly accessionNumber: string
    readonly requestedProcedureId: string
    readonly scheduledStepId: string
  }[]
  /** (0040,0281) Performed Procedure Step Discontinuation Reason Code Sequence: the code value, 110514 = incorrect worklist entry selected. */
  readonly discontinuationReason?: string
}

export interface ItemMark {
  readonly version: Seq
  readonly updatedAt: Instant
}

/** What a C-FIND can answer: one step at one station. A view of order, patient and step. */
export interface WorklistItem {
  readonly id: ItemId
  readonly orderId: OrderId
  /** Sequence number of the entry that last changed it (I5). */
  readonly version: Seq
  readonly stepStatus: StepStatus
  readonly served: boolean
  /** Its order is on hold: it is not served while it waits. */
  readonly held?: true
  readonly updatedAt: Instant
  readonly dataset: Dataset
}

/** What is known of one series in one Orthanc. Tag values as Orthanc shows them, `''` when absent. */
export interface SeriesFacts {
  /** Orthanc's own identifiers. */
  readonly study: string
  readonly series: string
  readonly studyInstanceUid: string
  readonly seriesInstanceUid: string
  readonly accessionNumber: string
  /** (0008,0051) Issuer of Accession Number Sequence: (0040,0031) and (0040,0032), absent where the images name none. */
  readonly accessionIssuer?: { readonly localNamespace: string; readonly universal: string }
  readonly patientId: string
  readonly issuerOfPatientId: string
  readonly modality: string
  readonly stationName: string
  readonly remoteAet: string
  /** Instance metadata Origin: `DicomProtocol`, `RestApi`, ... */
  readonly origin: string
  /** Its origin is one that modalities of this Orthanc have (orthancs[].origins); unknown origins are. Absent in what was stored before: judge by `origin`. */
  readonly isAcquired?: boolean
  /** Orthanc made it out of another one: metadata AnonymizedFrom or ModifiedFrom. */
  readonly isCopy?: boolean
  /** (0008,0020) and (0008,0030) as the modality wrote them: hospital time, no zone. */
  readonly studyDate?: string
  readonly studyTime?: string
  /** (0040,0275) Request Attributes Sequence, every item. */
  readonly requestAttributes: readonly {
    readonly requestedProcedureId: string
    readonly scheduledStepId: string
    readonly accessionNumber: string
  }[]
  readonly instances: number
  /** When Orthanc last received an image of it. */
  readonly lastImageAt: Instant
  /** When the engine was last told of images that it did not know; set where a study is kept. */
  readonly seenAt?: Instant
}

/** A study in one Orthanc as the engine knows it: what has been seen and to whom it was credited. */
export interface Study {
  /** `<orthanc>/<Orthanc's study identifier>` */
  readonly key: string
  readonly orthanc: string
  readonly studyInstanceUid: string
  readonly accessionNumber: string
  readonly patientId: string
  readonly issuerOfPatientId: string
  readonly series: readonly SeriesFacts[]
  readonly stable: boolean
  readonly deleted: boolean
  /** Orders that a person has linked to it: their credit is not asked for again. */
  readonly linked?: readonly OrderId[]
  /** The step of a linked order that the person named. */
  readonly linkedSteps?: Readonly<Record<OrderId, string>>
  /** Orders that a person has taken it from: it is never credited to them by itself. */
  readonly unlinked?: readonly OrderId[]
  /** Images that nothing tells apart were raised, though the study has its orders: once is enough. */
  readonly isDoubted?: true
  /** Series whose late images were reported, by the order they were late for: once is enough. */
  readonly late?: Readonly<Record<OrderId, readonly string[]>>
  readonly credit:
    | { readonly kind: 'matched'; readonly orderIds: readonly OrderId[] }
    | { readonly kind: 'unmatched' }
    | { readonly kind: 'mismatch'; readonly orderIds: readonly OrderId[] }
    | { readonly kind: 'ambiguous'; readonly orderIds: readonly OrderId[] }
  readonly firstImageAt: Instant
  readonly lastImageAt: Instant
}
