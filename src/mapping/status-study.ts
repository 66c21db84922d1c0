/** `study.X`: what is known of the images. Of several studies of an order it is the study of the event. */
import type { Study } from '../core/order.ts'
import { formatTime } from '../hl7/index.ts'
import type { StatusScene } from './status-scene.ts'

/** Values that can be compared as numbers in a condition. */
export const studyCounts: Readonly<Record<string, (study: Study) => number>> = {
  instances: ({ series }) => series.reduce((sum, { instances }) => sum + instances, 0),
  series: ({ series }) => series.length,
}

type Values = (scene: StatusScene) => readonly string[]

const counted = Object.entries(studyCounts).map(([name, count]): [string, Values] => [
  name,
  ({ event: { study } }) => (study === undefined ? [] : [String(count(study))]),
])

export const studyValues: Readonly<Record<string, Values>> = {
  // Of the images, for a modality may have made its own; before there are any, that of the order.
  StudyInstanceUID: ({ event: { study, order } }) => [study?.studyInstanceUid || order?.studyInstanceUid || ''],
  AccessionNumber: ({ event }) => [event.study?.accessionNumber ?? ''],
  PatientID: ({ event }) => [event.study?.patientId ?? ''],
  IssuerOfPatientID: ({ event }) => [event.study?.issuerOfPatientId ?? ''],
  modalities: ({ event }) => [...new Set(event.study?.series.map(({ modality }) => modality))],
  ...Object.fromEntries(counted),
  startTime: (scene) => [ownTime(scene.event.study) ?? firstImageTime(scene)],
  firstImageTime: (scene) => [firstImageTime(scene)],
  lastImageTime: (scene) => [localTime(scene.event.order?.lastImageAt ?? scene.event.study?.lastImageAt, scene)],
}

function firstImageTime(scene: StatusScene): string {
  return localTime(scene.event.order?.firstImageAt ?? scene.event.study?.firstImageAt, scene)
}

/** Study Date and Study Time as the modality wrote them, without fractions: a clock of the hospital, no zone. */
function ownTime(study: Study | undefined): string | undefined {
  for (const { studyDate = '', studyTime = '' } of study?.series ?? []) {
    const date = /^\d{8}$/.exec(studyDate.trim())
    const time = /^(?:\d{6}|\d{4}|\d{2})(?=\.|$)/.exec(studyTime.trim())
    // HL7 knows no hour without its minutes.
    if (date !== null && time !== null) return date[0] + time[0].padEnd(4, '0')
  }
  return undefined
}

/** In the zone of the order's source and without its offset: the receiver keeps the hospital's time. */
export function localTime(instant: string | undefined, { timeZone }: StatusScene): string {
  if (instant === undefined || Number.isNaN(Date.parse(instant))) return ''
  return formatTime(instant, timeZone).slice(0, 14)
}
