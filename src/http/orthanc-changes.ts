import { orthancChanges as changeTypes } from '../core/orthanc-change.ts'
import type { WorklistStore } from '../core/ports.ts'
import { limitOf, paging } from './query.ts'
import { json, type Route } from './route.ts'

const change = {
  type: 'object',
  required: ['orthanc', 'change', 'level', 'resource', 'study', 'at', 'cause'],
  properties: {
    orthanc: { type: 'string' },
    change: { enum: changeTypes },
    level: { enum: ['Patient', 'Study', 'Series', 'Instance', ''] },
    resource: { type: 'string', description: 'Identifier of the resource, or of the job.' },
    study: { type: 'string', description: 'Identifier of the study it belongs to; empty where it is gone.' },
    at: { type: 'string', format: 'date-time' },
    cause: { type: 'integer', description: 'Sequence number of the entry that brought it.' },
  },
}

/** What the Orthancs told last, for whoever wonders whether it arrived. */
export function orthancChangeRoutes({
  orthancChanges,
}: {
  readonly orthancChanges: WorklistStore['orthancChanges']
}): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/orthanc-changes',
      what: 'Changes that the Orthancs told, newest first.',
      parameters: paging.filter(({ name }) => name === 'limit'),
      answers: {
        200: {
          what: 'The changes.',
          schema: { type: 'object', required: ['items'], properties: { items: { type: 'array', items: change } } },
        },
      },
      handle: async ({ query }) => json({ items: await orthancChanges(limitOf(query)) }),
    },
  ]
}
