import { lacksOfItem, lackWords } from '../core/lack.ts'
import { stepStatuses, type StepStatus } from '../core/order.ts'
import type { WorklistAnswerer, WorklistSearch } from '../core/ports.ts'
import { limitOf, oneOf, paging, text, type Parameter, type Query } from './query.ts'
import { json, type Route } from './route.ts'

const parameters: readonly Parameter[] = [
  text('accession', 'Accession Number (0008,0050).'),
  text('patientId', 'Patient ID (0010,0020).'),
  text('orderNumber', 'Placer or filler order number, or appointment ID.'),
  text('studyInstanceUid', 'Study Instance UID (0020,000D).'),
  text('modality', 'Modality (0008,0060).'),
  text('stationAeTitle', 'Scheduled Station AE Title (0040,0001).'),
  {
    name: 'date',
    what: 'Scheduled Procedure Step Start Date (0040,0002): a day or a range.',
    expected: 'a day 20261016 or a range 20261016-20261018, 20261016-, -20261018',
    pattern: /^(\d{8}|\d{8}-\d{8}|\d{8}-|-\d{8})$/,
  },
  oneOf('stepStatus', 'Scheduled Procedure Step Status (0040,0020).', stepStatuses),
  ...paging,
]

export const lacking = {
  type: 'array',
  items: { enum: lackWords },
  description: 'What nobody has said and no modality can do without: it is served to nobody.',
}

const item = {
  type: 'object',
  required: ['id', 'version', 'stepStatus', 'served', 'held', 'lacks', 'updatedAt', 'dataset', 'messages'],
  properties: {
    id: { type: 'string' },
    version: { type: 'integer' },
    stepStatus: { enum: stepStatuses },
    served: { type: 'boolean', description: 'Modalities see it.' },
    held: { type: 'boolean', description: 'Its order is on hold: no modality sees it until it is released.' },
    lacks: lacking,
    updatedAt: { type: 'string', format: 'date-time' },
    dataset: { type: 'object', description: 'By DICOM keyword.' },
    messages: { type: 'array', items: { type: 'string' }, description: 'Ids of the messages that made it.' },
  },
}

export const listOf = (one: object): object => ({
  type: 'object',
  required: ['items', 'total', 'next'],
  properties: {
    items: { type: 'array', items: one },
    total: { type: 'integer' },
    next: { type: ['string', 'null'], description: 'Give it as `after` for the next page.' },
  },
})

/** The worklist for people and programs. Read only: adding, changing and removing items over HTTP comes later. */
export function worklistRoutes(worklist: WorklistAnswerer): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/worklist',
      what: 'Worklist items of every step status, by what identifies them.',
      parameters,
      answers: {
        200: { what: 'The items.', schema: listOf(item) },
        503: { what: 'The index is not loaded yet (E406).' },
      },
      async handle({ query }) {
        const { items, total, next } = await worklist.search(searchOf(query))
        return json({
          items: items.map(({ id, version, stepStatus, served, held = false, updatedAt, dataset, messages }) => ({
            id,
            version,
            stepStatus,
            served,
            held,
            lacks: lacksOfItem(dataset),
            updatedAt,
            dataset,
            messages,
          })),
          total,
          next,
        })
      },
    },
  ]
}

function searchOf(query: Query): WorklistSearch {
  const { stepStatus, ...rest } = query
  return {
    ...rest,
    ...(stepStatus === undefined ? {} : { stepStatus: stepStatus as StepStatus }),
    limit: limitOf(query),
  }
}
