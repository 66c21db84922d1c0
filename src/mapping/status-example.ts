/** The order and the study that tests of a status pipeline are about. */
import type { Dataset } from '../core/dataset.ts'
import { stepStatuses, type Order, type SeriesFacts, type Study } from '../core/order.ts'
import type { StatusEventKind } from '../core/world.ts'
import { scalarText, type Fields } from './lint.ts'
import { usualStatus } from './status-scene.ts'

/** Times of the example: events at 10:15, images from 10:05:12 to 10:39:55, all UTC. */
const day = '2026-10-16T'
export const exampleTime = `${day}10:15:00.000Z`
const firstImageAt = `${day}10:05:12.000Z`
const lastImageAt = `${day}10:39:55.000Z`

export interface Example {
  readonly received: string
  readonly item: Fields
  readonly source: string
  readonly kind: StatusEventKind
  /** Whether images of it are known. */
  readonly hasImages: boolean
}

export function exampleOrder({ received, item, source, kind, hasImages }: Example): Order {
  // YAML of a test file: whatever is no dataset is written as nothing.
  const attributes = item as Dataset
  const uid = attributes['StudyInstanceUID']
  const given = attributes['ScheduledProcedureStepStatus']
  const stepStatus = stepStatuses.find((status) => status === given) ?? usualStatus(kind)
  return {
    id: 'O1-1',
    version: 1,
    source,
    numbers: { authority: '' },
    patientKey: '',
    studyInstanceUid: typeof uid === 'string' ? uid : '',
    request: {},
    received,
    steps: [{ key: '1', stepStatus, stations: [], attributes, flags: [] }],
    told: [],
    ...(hasImages ? { firstImageAt, lastImageAt } : {}),
    createdAt: `${day}08:00:00.000Z`,
    changedAt: `${day}08:00:00.000Z`,
  }
}

export const studyWords = [
  'StudyInstanceUID',
  'AccessionNumber',
  'PatientID',
  'IssuerOfPatientID',
  'StudyDate',
  'StudyTime',
  'modalities',
  'series',
  'instances',
] as const

/** One series for each modality, and more where `series` says so; all instances are in the first. */
export function exampleStudy(fields: Fields, orthanc: string): Study {
  const text = (name: (typeof studyWords)[number]): string => scalarText(fields[name]) ?? ''
  const given = fields['modalities']
  const modalities = (
    Array.isArray(given) ? given.map((each) => scalarText(each) ?? '') : text('modalities').split(/[,~\s]+/)
  ).filter((each) => each !== '')
  const instances = Number(text('instances') || 1)
  const count = Math.max(1, modalities.length, Number(text('series')))
  const own = {
    studyInstanceUid: text('StudyInstanceUID'),
    accessionNumber: text('AccessionNumber'),
    patientId: text('PatientID'),
    issuerOfPatientId: text('IssuerOfPatientID'),
  }
  const series = Array.from({ length: count }, (_, index): SeriesFacts => ({
    ...own,
    study: 'study',
    series: `series-${index + 1}`,
    seriesInstanceUid: `2.25.${index + 1}`,
    modality: modalities[Math.min(index, modalities.length - 1)] ?? '',
    stationName: '',
    remoteAet: '',
    origin: 'DicomProtocol',
    ...(text('StudyDate') === '' ? {} : { studyDate: text('StudyDate') }),
    ...(text('StudyTime') === '' ? {} : { studyTime: text('StudyTime') }),
    requestAttributes: [],
    instances: index === 0 ? instances : 0,
    lastImageAt,
  }))
  return {
    ...own,
    key: `${orthanc}/study`,
    orthanc,
    series,
    stable: true,
    deleted: false,
    credit: { kind: 'unmatched' },
    firstImageAt,
    lastImageAt,
  }
}
