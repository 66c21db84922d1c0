import type { Instant } from './ids.ts'

/** All change types of Orthanc's SDK (OrthancPluginChangeType), in its words. */
export const orthancChanges = [
  'CompletedSeries',
  'Deleted',
  'NewChildInstance',
  'NewInstance',
  'NewPatient',
  'NewSeries',
  'NewStudy',
  'StablePatient',
  'StableSeries',
  'StableStudy',
  'OrthancStarted',
  'OrthancStopped',
  'UpdatedAttachment',
  'UpdatedMetadata',
  'UpdatedPeers',
  'UpdatedModalities',
  'JobSubmitted',
  'JobSuccess',
  'JobFailure',
] as const

export type OrthancChangeType = (typeof orthancChanges)[number]

/** One change as Orthanc told it. Identifiers are Orthanc's own (hashes): they name nobody. */
export interface OrthancChangeRow {
  readonly change: OrthancChangeType
  /** `''` for changes that are about no resource (OrthancStarted, jobs). */
  readonly level: 'Patient' | 'Study' | 'Series' | 'Instance' | ''
  /** Identifier of the resource, or of the job. */
  readonly resource: string
  /** Orthanc's identifier of the study it belongs to, `''` where there is none or it is gone. */
  readonly study: string
  /** When Orthanc says it happened. */
  readonly at: Instant
}
