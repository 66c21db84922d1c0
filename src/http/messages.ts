import { messageStates, type MessageState } from '../core/message.ts'
import type { MessageQuery, MessageStore } from '../core/ports.ts'
import type { Replays } from '../core/replay.ts'
import { Refusal } from './problem.ts'
import { limitOf, oneOf, paging, text, type Parameter, type Query } from './query.ts'
import { faultText } from './replay.ts'
import { json, type Route } from './route.ts'
import { listOf } from './worklist.ts'

export interface MessageParts {
  readonly messages: MessageStore
  readonly acts: Pick<Replays, 'acts'>
  /** A message's bytes as text, by the charset it names. */
  readonly decode: (body: Uint8Array, source: string) => string
}

const finders: readonly Parameter[] = [
  text('source', 'Name of the source.'),
  text('controlId', 'MSH-10 of the sender.'),
  text('accession', 'Accession number.'),
  text('patientId', 'Patient ID.'),
  text('orderNumber', 'Placer or filler order number, or appointment ID.'),
  ...paging,
]

const message = {
  type: 'object',
  required: ['id', 'seq', 'source', 'controlId', 'type', 'at', 'acknowledgmentCode', 'state', 'bytes'],
  properties: {
    id: { type: 'string' },
    seq: { type: 'integer' },
    source: { type: 'string' },
    controlId: { type: 'string' },
    type: { type: 'string' },
    pipeline: { type: 'string' },
    planId: { type: 'string' },
    at: { type: 'string', format: 'date-time' },
    acknowledgmentCode: { enum: ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'] },
    state: { type: 'object', required: ['kind'], properties: { kind: { enum: messageStates } } },
    bytes: { type: 'integer' },
    sender: { type: 'string', description: 'IP address of the machine that sent it.' },
    editOf: { type: 'string', description: 'The message that a person has corrected by this one.' },
  },
}

const messageWithText = {
  ...message,
  properties: {
    ...message.properties,
    acts: {
      type: 'array',
      description: 'What was done to it by hand, by whom and why, and what came of it, oldest first.',
      items: { type: 'object', required: ['kind'], properties: { kind: { type: 'string' } } },
    },
    body: { type: 'string', description: 'The message as text.' },
    acknowledgment: { type: 'string', description: 'What its sender was answered.' },
    problems: {
      type: 'array',
      description: 'Why it was refused: what is wrong, at which HL7 field, by which rule, and what can be done.',
      items: {
        type: 'object',
        required: ['code', 'title', 'cure'],
        properties: {
          code: { type: 'string' },
          title: { type: 'string' },
          field: { type: 'string' },
          rule: { type: 'string' },
          cure: { type: 'string' },
        },
      },
    },
  },
}

/** Every message that is kept, in whatever state (I8). */
export function messageRoutes({ messages, acts: hand, decode }: MessageParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/messages',
      what: 'Messages, newest first, by state and by what identifies them.',
      parameters: [oneOf('state', 'What became of it.', messageStates), ...finders],
      answers: { 200: { what: 'The messages, without their text.', schema: listOf(message) } },
      async handle({ query: { state, ...query } }) {
        const { after } = query
        if (after !== undefined && !/^M\d{1,16}$/.test(after))
          throw new Refusal(400, 'E803', { name: 'after', expected: '`next` of the page before' })
        return json(await messages.messages(searchOf(query, state as MessageState['kind'] | undefined)))
      },
    },
    {
      method: 'GET',
      path: '/api/messages/:id',
      what: 'One message with its text.',
      answers: {
        200: { what: 'The message.', schema: messageWithText },
        404: { what: 'No message with this id is kept (E805).' },
      },
      async handle({ path }) {
        const found = await messages.message(path['id'] ?? '')
        if (found === undefined) throw new Refusal(404, 'E805')
        const { state } = found
        const faults = 'faults' in state ? state.faults : 'fault' in state ? [state.fault] : []
        const problems = faults.map(faultText)
        const [body, acknowledgment] = [found.body, found.acknowledgment].map((bytes) => decode(bytes, found.source))
        const [acts = []] = await hand.acts([found.id])
        return json({ ...found, problems, acts, body, acknowledgment })
      },
    },
  ]
}

function searchOf(query: Query, state: MessageState['kind'] | undefined): MessageQuery {
  const { accession, ...rest } = query
  return {
    ...rest,
    ...(state === undefined ? {} : { state }),
    ...(accession === undefined ? {} : { accessionNumber: accession }),
    limit: limitOf(query),
  }
}
