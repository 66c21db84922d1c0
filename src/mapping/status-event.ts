/** What a status pipeline may listen to, and which of it can have an order. */
import { orthancChanges } from '../core/orthanc-change.ts'
import type { ExamEventKind, StatusEventKind } from '../core/world.ts'

const examEvents = [
  'started',
  'completed',
  'discontinued',
  'canceled',
  'expired',
  'reopened',
  'stable',
  'lateImages',
  'deleted',
  'unmatched',
  'ambiguous',
  'mismatch',
] as const satisfies readonly ExamEventKind[]

export const statusEvents: readonly StatusEventKind[] = [...examEvents, ...orthancChanges]

/** They are about a study that belongs to nobody, about a patient, or about an Orthanc as a whole. */
const orderless: ReadonlySet<StatusEventKind> = new Set([
  'unmatched',
  'ambiguous',
  'mismatch',
  'NewPatient',
  'StablePatient',
  'OrthancStarted',
  'OrthancStopped',
  'UpdatedPeers',
  'UpdatedModalities',
  'JobSubmitted',
  'JobSuccess',
  'JobFailure',
])

/** Whether this event never has an order, so that there is no origin to tell. */
export function isOrderless(kind: StatusEventKind): boolean {
  return orderless.has(kind)
}

export function statusEventOf(name: unknown): StatusEventKind | undefined {
  return statusEvents.find((kind) => kind === name)
}

const said: Readonly<Record<ExamEventKind, string>> = {
  started: 'The first step of an order has begun.',
  completed: 'All steps of an order have ended, and one of them was completed.',
  discontinued: 'An exam that had begun was called off.',
  canceled: 'An order was called off by hand before anything of it was done.',
  expired: 'Steps of an order never began, and their day is over.',
  reopened: 'What had ended, or begun by mistake, is open again.',
  stable: 'Orthanc calls a study of the order stable.',
  lateImages: 'Images came after the order had ended.',
  deleted: 'A study of the order was deleted in Orthanc.',
  unmatched: 'Images came that belong to no order. Has no order.',
  ambiguous: 'Images came that fit several orders. Has no order.',
  mismatch: 'Images contradict the order whose numbers they carry. Has no order.',
}

/** For editors and for the documentation. */
export function describeEvent(kind: StatusEventKind): string {
  const exam = examEvents.find((each) => each === kind)
  if (exam !== undefined) return said[exam]
  return `Orthanc's own change ${kind}.${isOrderless(kind) ? ' Has no order.' : ''}`
}
