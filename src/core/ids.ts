/**
 * The names by which things are known inside the engine. They are plain strings
 * and numbers at run time; the aliases say which is which.
 */

/** Sequence number given by the accept script: the one order of all that happens (I3). Starts at the store's first millisecond, so that a store made anew never repeats one. */
export type Seq = number

/** A moment in UTC, ISO 8601 with milliseconds: `2026-10-16T08:15:00.000Z`. */
export type Instant = string

/** `M` + sequence number of the message. */
export type MessageId = string

/** `O` + sequence number of the message that created the order + `-` + number of the order group in it. */
export type OrderId = string

/** Order id, number of the step in its order and station, safe for file names and URLs, joined by dots: `O17-1.1.CT01`. Nothing in it comes from the patient's message but the station (I9). */
export type ItemId = string

/** Patient ID and assigning authority, written `4711^^^HOSP` (PID-3.1 and PID-3.4.1). */
export type PatientKey = string

/** Hash of a pipeline's YAML and its tables. */
export type PlanId = string

/** PID-3 as one text. An empty authority is a value of its own: it agrees with any other when images are matched, never when orders are. */
export function patientKey(patientId: string, issuerOfPatientId = ''): PatientKey {
  return `${patientId}^^^${issuerOfPatientId}`
}

/** The Patient ID of a key, without its issuer. */
export function patientIdOf(key: PatientKey): string {
  const at = key.lastIndexOf('^^^')
  return at < 0 ? key : key.slice(0, at)
}
