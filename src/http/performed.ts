import type { PerformedProcedureStep, PerformedState } from '../core/order.ts'
import type { Clock, Log, Store } from '../core/ports.ts'
import { isApplied } from './commands.ts'
import { readFields, type Fields } from './hand.ts'
import { Refusal } from './problem.ts'
import { oneOf } from './query.ts'
import type { Route } from './route.ts'

export interface PerformedParts {
  readonly store: Pick<Store, 'acceptPerformed' | 'applied'>
  readonly clock: Clock
  readonly log: Log
  /** Something has come into the inbox. */
  readonly wake: () => void
  readonly waitMilliseconds?: number
}

const states = ['IN PROGRESS', 'COMPLETED', 'DISCONTINUED'] as const satisfies readonly PerformedState[]

const scheduled = ['studyInstanceUid', 'accessionNumber', 'requestedProcedureId', 'scheduledStepId'] as const
const known = [
  'endpoint',
  'sopInstanceUid',
  'state',
  'patientId',
  'issuerOfPatientId',
  'modality',
  'stationAeTitle',
  'scheduledSteps',
  'discontinuationReason',
] as const

const text = { type: 'string', maxLength: 64 }

const body = {
  type: 'object',
  required: ['sopInstanceUid', 'state'],
  additionalProperties: false,
  properties: {
    endpoint: { ...text, description: 'Who received it: the name of the connector, for the log. Default mpps.' },
    sopInstanceUid: { ...text, description: 'Affected or Requested SOP Instance UID.' },
    state: { enum: states, description: '(0040,0252) Performed Procedure Step Status.' },
    patientId: { ...text, description: '(0010,0020)' },
    issuerOfPatientId: { ...text, description: '(0010,0021)' },
    modality: { ...text, description: '(0008,0060)' },
    stationAeTitle: { ...text, description: '(0040,0241) Performed Station AE Title.' },
    scheduledSteps: {
      type: 'array',
      maxItems: 100,
      description: '(0040,0270) Scheduled Step Attributes Sequence, every item. An N-SET may leave it out.',
      items: {
        type: 'object',
        additionalProperties: false,
        properties: Object.fromEntries(scheduled.map((name) => [name, text])),
      },
    },
    discontinuationReason: { ...text, description: '(0040,0281) its code value, such as 110514.' },
  },
}

/** The port by which an MPPS connector brings what modalities say (DICOM PS3.4 F.7): evidence that an exam has begun or ended. */
export function performedRoutes(parts: PerformedParts): readonly Route[] {
  const { store, clock, log, wake } = parts
  return [
    {
      method: 'POST',
      path: '/api/performed-procedure-steps',
      what: 'Takes what a modality said by MPPS: each N-CREATE and N-SET, in the order in which they came. The same again is harmless.',
      parameters: [oneOf('wait', 'Answer when it has taken effect.', ['true', 'false'])],
      body,
      answers: {
        202: {
          what: 'It is stored: acknowledge it to the modality.',
          schema: {
            type: 'object',
            required: ['seq', 'applied'],
            properties: { seq: { type: 'integer' }, applied: { type: 'boolean' } },
          },
        },
        503: { what: 'It is not stored: let the modality try again.' },
      },
      async handle({ body: given, query }) {
        const { endpoint, performed } = readPerformed(given)
        const seq = await store.acceptPerformed({ endpoint, performed, at: clock() })
        log.debug({ seq, endpoint, state: performed.state }, 'performed procedure step accepted')
        wake()
        return { httpStatus: 202, body: { seq, applied: query['wait'] === 'true' && (await isApplied(parts, seq)) } }
      },
    },
  ]
}

function readPerformed(given: unknown): { readonly endpoint: string; readonly performed: PerformedProcedureStep } {
  const fields = readFields(given, known)
  const sopInstanceUid = value(fields, 'sopInstanceUid')
  if (!isUid(sopInstanceUid)) throw wrong('sopInstanceUid', 'a UID of at most 64 characters')
  const state = states.find((one) => one === fields['state'])
  if (state === undefined) throw wrong('state', `one of ${states.join(', ')}`)
  const endpoint = value(fields, 'endpoint') || 'mpps'
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(endpoint))
    throw wrong('endpoint', 'a name of lower-case letters, digits and hyphens')
  const discontinuationReason = value(fields, 'discontinuationReason')
  return {
    endpoint,
    performed: {
      sopInstanceUid,
      state,
      patientId: value(fields, 'patientId'),
      issuerOfPatientId: value(fields, 'issuerOfPatientId'),
      modality: value(fields, 'modality'),
      stationAeTitle: value(fields, 'stationAeTitle'),
      scheduledSteps: readScheduled(fields['scheduledSteps'] ?? []),
      ...(discontinuationReason === '' ? {} : { discontinuationReason }),
    },
  }
}

function readScheduled(items: unknown): PerformedProcedureStep['scheduledSteps'] {
  if (!Array.isArray(items) || items.length > 100) throw wrong('scheduledSteps', 'a list of at most 100 items')
  return items.map((item: unknown) => {
    const fields = readFields(item, scheduled)
    const studyInstanceUid = value(fields, 'studyInstanceUid')
    if (studyInstanceUid !== '' && !isUid(studyInstanceUid)) throw wrong('studyInstanceUid', 'a UID, or empty')
    return {
      studyInstanceUid,
      accessionNumber: value(fields, 'accessionNumber'),
      requestedProcedureId: value(fields, 'requestedProcedureId'),
      scheduledStepId: value(fields, 'scheduledStepId'),
    }
  })
}

/** As DICOM means it: spaces around a value are padding. */
function value(fields: Fields, name: string): string {
  const given = fields[name] ?? ''
  if (typeof given !== 'string' || given.length > 64 || /\p{Cc}/u.test(given)) {
    throw wrong(name, 'text of at most 64 characters')
  }
  return given.trim()
}

/** PS3.5 §9.1 */
function isUid(text_: string): boolean {
  return text_.length <= 64 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/.test(text_)
}

function wrong(name: string, expected: string): Refusal {
  return new Refusal(400, 'E823', { name, expected })
}
