import type { Study } from '../core/order.ts'
import type { StudyQuery, WorklistStore } from '../core/ports.ts'
import { limitOf, oneOf, paging, text, type Parameter, type Query } from './query.ts'
import { json, type Route } from './route.ts'
import { listOf } from './worklist.ts'

export interface StudyParts {
  readonly studies: Pick<WorklistStore, 'findStudies' | 'studies'>
}

const finders: readonly Parameter[] = [
  text('key', 'Key of one study: the name of its Orthanc, "/", its identifier there.'),
  text('accession', 'Accession number, as the images have it.'),
  text('patientId', 'Patient ID, as the images have it.'),
  text('studyInstanceUid', 'Study Instance UID.'),
  text('orderId', 'Order that it is credited to, linked to or was taken from.'),
  oneOf('credit', 'What is wrong with its credit; studies that Orthanc has deleted are left out.', [
    'unmatched',
    'ambiguous',
    'mismatch',
  ]),
  ...paging,
]

const texts = { type: 'array', items: { type: 'string' } }
const instant = { type: 'string', format: 'date-time' }

const study = {
  type: 'object',
  required: ['key', 'studyInstanceUid', 'accessionNumber', 'patientId', 'credit', 'orderIds', 'series', 'instances'],
  properties: {
    key: { type: 'string', description: 'What link and unlink call it.' },
    orthanc: { type: 'string' },
    studyInstanceUid: { type: 'string' },
    accessionNumber: { type: 'string' },
    patientId: { type: 'string' },
    issuerOfPatientId: { type: 'string' },
    credit: { enum: ['matched', 'unmatched', 'mismatch', 'ambiguous'] },
    orderIds: {
      ...texts,
      description: 'Orders that it is credited to; else those that it contradicts or could be of.',
    },
    linked: { ...texts, description: 'Orders that a person linked to it.' },
    unlinked: { ...texts, description: 'Orders that a person took it from.' },
    modalities: texts,
    series: { type: 'integer' },
    instances: { type: 'integer' },
    stable: { type: 'boolean' },
    deleted: { type: 'boolean' },
    firstImageAt: instant,
    lastImageAt: instant,
  },
}

/** Studies that were seen in an Orthanc: who wants to link one has to find it. */
export function studyRoutes({ studies }: StudyParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/studies',
      what: 'Studies seen in the Orthancs, newest images first, by what identifies them and by what is wrong with their credit.',
      parameters: finders,
      answers: { 200: { what: 'The studies.', schema: listOf(study) } },
      async handle({ query: { key, ...query } }) {
        if (key !== undefined) {
          const items = await studies.studies({ by: 'study', key })
          return json({ items: items.map(shown), total: items.length, next: null })
        }
        const { items, total, next } = await studies.findStudies(searchOf(query))
        return json({ items: items.map(shown), total, next })
      },
    },
  ]
}

function shown({ credit, series, linked, unlinked, ...rest }: Study): object {
  const { key, orthanc, studyInstanceUid, accessionNumber, patientId, issuerOfPatientId } = rest
  return {
    key,
    orthanc,
    studyInstanceUid,
    accessionNumber,
    patientId,
    issuerOfPatientId,
    credit: credit.kind,
    orderIds: 'orderIds' in credit ? credit.orderIds : [],
    linked: linked ?? [],
    unlinked: unlinked ?? [],
    modalities: [...new Set(series.map(({ modality }) => modality))].filter((modality) => modality !== '').sort(),
    series: series.length,
    instances: series.reduce((sum, { instances }) => sum + instances, 0),
    stable: rest.stable,
    deleted: rest.deleted,
    firstImageAt: rest.firstImageAt,
    lastImageAt: rest.lastImageAt,
  }
}

function searchOf(query: Query): StudyQuery {
  const { accession, credit, ...rest } = query
  return {
    ...rest,
    ...(accession === undefined ? {} : { accessionNumber: accession }),
    ...(credit === undefined ? {} : { credit: credit as StudyQuery['credit'] & string }),
    limit: limitOf(query),
  }
}
