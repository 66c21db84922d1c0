/**
 * What the model knows: orders, patients, studies and the time, as plain lists that
 * are searched from end to end. Written from docs/explanation/exam.md alone.
 */
import type { ExamEventKind, ExamRules } from '../../src/core/world.ts'
import type { ErrorCode } from '../../src/core/errors/index.ts'
import type { PerformedState, SeriesFacts, StepStatus } from '../../src/core/order.ts'

export interface ModelStep {
  key: string
  status: StepStatus
  stations: readonly string[]
  modality: string
  /** (0040,0009), `''` without one. */
  stepId: string
  stationName: string
  startDate: string
  startTime: string
  /** The RIS, a performed step (its SOP Instance UID) or a person (`reopened`, for what was performed of other steps) began it, and no images have come since. */
  begunWithoutImages: '' | 'ris' | (string & {})
  /** When it began so. */
  begunAt: number
  /** Who began it, if images did not. */
  begunBy: '' | 'ris' | (string & {})
  /** It began by images that were there before the order said so: never served while it is STARTED. */
  imagesFirst: boolean
}

export interface ModelOrder {
  readonly id: string
  readonly createdAt: number
  readonly authority: string
  placer: string
  filler: string
  accession: string
  uid: string
  procedureId: string
  /** (0038,0010), `''` without one. */
  visit: string
  patient: string
  /** Keys by which it was sent, or that were merged since. */
  knownAs: string[]
  steps: ModelStep[]
  /** MSH-7 of the newest message that it has seen. */
  sentAt: string | undefined
  told: ('IP' | 'CM' | 'DC')[]
  /** The orders that its number was used again for. */
  usedAgainBy: string[]
  lastImageAt: number | undefined
  reopenedAt: number | undefined
  /** When its quiet time was over while one of its studies was its own no more. */
  doubtedAt: number | undefined
  /** Keys of the studies that it was credited with, whatever became of them but an *unlink*. */
  had: string[]
  /** When it was made, reopened or planned again: nothing expires sooner after that than noShow.days. */
  plannedAt: number
  /** The newest word of hold and release. */
  hold: HoldWord | undefined
  performed: { sop: string; state: PerformedState; stepKeys: string[] }[]
}

export interface HoldWord {
  on: boolean
  sentAt: string | undefined
  /** When that was said first. */
  at: number
}

export interface ModelStudy {
  readonly key: string
  readonly orthanc: string
  uid: string
  accession: string
  patientId: string
  issuer: string
  series: SeriesFacts[]
  stable: boolean
  deleted: boolean
  linked: string[]
  /** The step that a person named when linking. */
  linkedSteps: { order: string; step: string }[]
  unlinked: string[]
  /** Whose patient the images contradict, while it is a mismatch. */
  contradicts: string[]
  /** Series whose late images were told, with the order they were late for. */
  late: { order: string; series: string }[]
  /** This entry has asked whose it is, by images that are evidence or by copies. */
  asked: '' | 'yes' | 'copy'
  /** The credit that was told last. */
  announced: ModelStudy['credit'] | ''
  credit: 'matched' | 'unmatched' | 'mismatch' | 'ambiguous'
  /** Whose it is; `lastImageAt` of what counts as evidence, absent for copies and reports. */
  credits: { order: string; lastImageAt: number | undefined; isCopy: boolean }[]
}

export interface ModelPatient {
  readonly key: string
  name: string
  birthDate: string
  sex: string
}

export interface Told {
  /** The order, or the key of the study where no order is known for certain. */
  readonly order: string
  readonly kind: ExamEventKind
}

/** What becomes of a message; of several reasons to be dead the text says no order. */
export type Answer =
  | { readonly kind: 'applied' }
  | { readonly kind: 'ignored'; readonly rule: string }
  | { readonly kind: 'dead'; readonly codes: readonly ErrorCode[] }

/** Only what stories change; the site's rules stay outside, so that a state can be copied. */
export interface State {
  now: number
  orders: ModelOrder[]
  studies: ModelStudy[]
  patients: ModelPatient[]
  /** The prior key and the one it was merged into. */
  merged: { prior: string; into: string }[]
  tombstones: { number: string; at: number; sentAt: string | undefined; patient: string | undefined }[]
  /** Hold and release of orders that nobody knew. */
  buriedHolds: ({ number: string; patient: string | undefined } & HoldWord)[]
  events: Told[]
  /** Orders whose late images this entry has told. */
  lateNow: string[]
  messages: { id: string; answer: Answer }[]
}

/** The site's rules. */
export type Site = Pick<ExamRules, 'completion' | 'noShow'>

export function emptyState(now: number): State {
  return {
    now,
    orders: [],
    studies: [],
    patients: [],
    merged: [],
    tombstones: [],
    buriedHolds: [],
    events: [],
    lateNow: [],
    messages: [],
  }
}

const waiting: readonly StepStatus[] = ['UNSCHEDULED', 'SCHEDULED', 'ARRIVED', 'READY']
const ended: readonly StepStatus[] = ['COMPLETED', 'DISCONTINUED', 'CANCELED', 'EXPIRED']

export const isWaiting = (step: ModelStep): boolean => waiting.includes(step.status)
export const hasEnded = (step: ModelStep): boolean => ended.includes(step.status)
export const isOver = (order: ModelOrder): boolean => order.steps.every(hasEnded)

/** "A start date, a modality or a station that nobody has said." */
export const lacks = (step: ModelStep): boolean =>
  step.startDate === '' || step.modality === '' || step.stations.length === 0

/** "A step that lacks one is UNSCHEDULED." */
export const planned = (step: ModelStep): StepStatus => (lacks(step) ? 'UNSCHEDULED' : 'SCHEDULED')

/** "While it is on hold, its steps that wait are not served … an exam that begins nonetheless is served while it runs." */
export function isServed(order: ModelOrder, step: ModelStep): boolean {
  if (lacks(step)) return false
  if (step.status === 'STARTED') return !step.imagesFirst
  return ['SCHEDULED', 'ARRIVED', 'READY'].includes(step.status) && order.hold?.on !== true
}

/** What overtook an order counts only for an order of the patient that it named, or if it named none. */
export function isOfPatient(state: State, order: ModelOrder, { patient }: { patient: string | undefined }): boolean {
  return patient === undefined || survivor(state, patient) === order.patient
}

/** "The prior key is an alias for ever: what names it, message or images, means the survivor." */
export function survivor(state: State, key: string): string {
  const merge = state.merged.find(({ prior }) => prior === key)
  return merge === undefined ? key : survivor(state, merge.into)
}

/**
 * "Images without a Patient ID agree with nobody. An issuer that one side lacks agrees
 * with any. A Patient ID that was merged agrees with the patient it was merged into."
 */
export function agrees(state: State, patientId: string, issuer: string, patient: string): boolean {
  if (patientId === '') return false
  const names = [patient, ...state.merged.map(({ prior }) => prior).filter((key) => survivor(state, key) === patient)]
  return names.some((name) => {
    const [id, authority] = name.split('^^^')
    return id === patientId && (issuer === '' || authority === '' || issuer === authority)
  })
}

export function orderOf(state: State, id: string): ModelOrder | undefined {
  return state.orders.find((order) => order.id === id)
}
