import { cure, errors, sentence, type ErrorCode } from '../core/errors/index.ts'
import { placeText, ruleText } from '../core/fault.ts'
import {
  letterKinds,
  type Act,
  type Letter,
  type LetterGroup,
  type LetterKind,
  type LetterQuery,
  type Replayer,
  type Replays,
} from '../core/replay.ts'
import { handSchema, readFields, readText, type Fields } from './hand.ts'
import { Refusal } from './problem.ts'
import { limitOf, oneOf, paging, readQuery, text, type Parameter, type Query } from './query.ts'
import { answerOf, handFields, readHand, replayed, replayedAnswers, whatWent } from './replay.ts'
import { json, type Route } from './route.ts'
import { listOf } from './worklist.ts'

export interface LetterParts {
  readonly letters: Pick<Replays, 'letters' | 'letterGroups' | 'refusedMessage'>
  readonly replayer: Replayer
  /** A status message as text. */
  readonly decode: (body: Uint8Array) => string
}

const instant = { type: 'string', format: 'date-time' }
export const moment = (name: string, what: string): Parameter => ({
  name,
  what,
  expected: 'a moment such as 2026-10-16 or 2026-10-16T08:15:00Z',
  pattern: /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/,
})

const kinds = ['dead', 'invalid', 'refused', 'all']

const filters: readonly Parameter[] = [
  oneOf(
    'kind',
    'dead: could not be applied; invalid: was not understood, and its sender was told; refused: a status message that its receiver refused. Default: dead and refused.',
    kinds,
  ),
  text('code', 'Why: the first error code.'),
  text('answer', 'Of refused ones: what the receiver answered, such as "AE 101".'),
  text('endpoint', 'Name of the source or the destination.'),
  text('controlId', 'MSH-10.'),
  text('accession', 'Accession number.'),
  text('patientId', 'Patient ID.'),
  text('orderNumber', 'Placer or filler order number, or appointment ID.'),
  moment('since', 'Came at this moment or later.'),
  moment('until', 'Came before this moment.'),
]

const letter = {
  type: 'object',
  required: ['id', 'kind', 'code', 'title', 'cure', 'endpoint', 'controlId', 'type', 'at', 'attempts'],
  properties: {
    id: { type: 'string' },
    kind: { enum: letterKinds },
    code: { type: 'string' },
    title: { type: 'string' },
    cure: { type: 'string' },
    field: { type: 'string' },
    rule: { type: 'string' },
    answer: { type: 'string' },
    endpoint: { type: 'string' },
    controlId: { type: 'string' },
    type: { type: 'string' },
    at: instant,
    attempts: { type: 'integer' },
    orderId: { type: 'string', description: 'Of a status message.' },
    seq: { type: 'integer' },
    source: { type: 'string' },
    destination: { type: 'string' },
    state: { type: 'object', description: 'Of a message that came: as GET /api/messages shows it.' },
  },
}

const group = {
  type: 'object',
  required: ['kind', 'code', 'endpoint', 'count', 'oldest', 'newest'],
  properties: {
    kind: { enum: letterKinds },
    code: { type: 'string' },
    cure: { type: 'string' },
    answer: { type: 'string' },
    endpoint: { type: 'string' },
    count: { type: 'integer' },
    oldest: instant,
    newest: instant,
  },
}

const many = {
  type: 'object',
  required: ['by', 'reason', 'filter'],
  additionalProperties: false,
  properties: {
    ...handFields,
    filter: {
      type: 'object',
      description: 'As the parameters of GET /api/dead-letters; {} means dead and refused ones, all of them.',
      additionalProperties: false,
      properties: Object.fromEntries(filters.map(({ name, what }) => [name, { type: 'string', description: what }])),
    },
    limit: { type: 'integer', minimum: 1, maximum: 500, description: 'How many in this turn; default 100.' },
    after: { type: 'string', description: '`next` of the turn before.' },
  },
}

/** What somebody has to look at, by reason and one by one, and sending it again (I8). */
export function letterRoutes({ letters, replayer, decode }: LetterParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/dead-letters',
      what: 'Messages that could not be applied and status messages that were refused, newest first.',
      parameters: [...filters, ...paging],
      answers: { 200: { what: 'The letters, each with its reason, without their text.', schema: listOf(letter) } },
      async handle({ query }) {
        const { after } = query
        const page = { limit: limitOf(query), ...(after === undefined ? {} : { after }) }
        const { items, total, next } = await letters.letters(queryOf(query), page)
        return json({ items: items.map(shown), total, next })
      },
    },
    {
      method: 'GET',
      path: '/api/dead-letters/groups',
      what: 'The same by kind, reason and endpoint: how many, the oldest and the newest.',
      parameters: filters,
      answers: { 200: { what: 'The groups, the largest first.', schema: listOf(group) } },
      async handle({ query }) {
        const items = (await letters.letterGroups(queryOf(query))).map(groupShown)
        return json({ items, total: items.length, next: null })
      },
    },
    {
      method: 'GET',
      path: '/api/dead-letters/:id',
      what: 'One status message that was refused, with its text. Messages that came are at /api/messages/ID.',
      answers: { 200: { what: 'The letter.', schema: letter }, 404: { what: 'There is none with this id (E831).' } },
      async handle({ path }) {
        const found = await letters.refusedMessage(path['id'] ?? '')
        if (found === undefined) throw new Refusal(404, 'E831')
        const { bytes, acts, ...rest } = found
        return json({ ...shown(rest), acts: acts satisfies readonly Act[], body: decode(bytes) })
      },
    },
    {
      method: 'POST',
      path: '/api/dead-letters/replay',
      what: 'Replays those that fit, oldest first, some in one turn. Done again after a crash it is harmless: what was replayed is no dead letter any more.',
      body: many,
      answers: {
        200: {
          what: '`next`: go on with it as `after`; null: all were tried. `total`: how many fitted when this turn began.',
          schema: listOf(replayed),
        },
      },
      async handle({ body }) {
        const fields = readFields(body, ['by', 'reason', 'force', 'filter', 'limit', 'after'])
        const filter = readQuery(readFilter(fields), filters)
        const page = readPage(fields)
        const { items, total, next } = await replayer.replayAll(queryOf(filter), readHand(fields), page)
        return json({ items: items.map(whatWent), total, next })
      },
    },
    {
      method: 'POST',
      path: '/api/dead-letters/:id/replay',
      what: 'Replays one: what came goes through the pipeline again, what was refused is sent again with the same MSH-10 and bytes.',
      body: { type: 'object', required: ['by', 'reason'], additionalProperties: false, properties: handFields },
      answers: replayedAnswers,
      handle: ({ path, body }) =>
        answerOf(() => replayer.replay(path['id'] ?? '', readHand(readFields(body, ['by', 'reason', 'force'])))),
    },
    {
      method: 'POST',
      path: '/api/dead-letters/:id/discard',
      what: 'Takes one from the list for good: a message becomes `ignored` by rule "discarded", a status message is owed no more. Both stay in the story.',
      body: { type: 'object', required: ['by', 'reason'], additionalProperties: false, properties: handSchema },
      answers: replayedAnswers,
      handle: ({ path, body }) =>
        answerOf(() => {
          const fields = readFields(body, ['by', 'reason'])
          const hand = { by: readText(fields, 'by', 80), reason: readText(fields, 'reason', 500) }
          return replayer.discard(path['id'] ?? '', hand)
        }),
    },
  ]
}

function readFilter(fields: Fields): object {
  const { filter } = fields
  if (typeof filter === 'object' && filter !== null && !Array.isArray(filter)) return filter
  throw new Refusal(400, 'E823', { name: 'filter', expected: 'an object; {} means all dead and refused ones' })
}

function readPage({ limit = 100, after }: Fields): { limit: number; after?: string } {
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > 500)
    throw new Refusal(400, 'E823', { name: 'limit', expected: 'a number from 1 to 500' })
  if (after === undefined || after === null) return { limit }
  if (typeof after !== 'string') throw new Refusal(400, 'E823', { name: 'after', expected: 'text' })
  return { limit, after }
}

function queryOf(query: Query): LetterQuery {
  const { kind, accession, code, since, until, answer, endpoint, controlId, patientId, orderNumber } = query
  const known = (one: string): ErrorCode => {
    if (one in errors) return one as ErrorCode
    throw new Refusal(400, 'E803', { name: 'code', expected: 'an error code such as E602' })
  }
  const given = { answer, endpoint, controlId, patientId, orderNumber, accessionNumber: accession }
  return {
    kinds: kind === 'all' ? letterKinds : kind === undefined ? ['dead', 'refused'] : [kind as LetterKind],
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(code === undefined ? {} : { code: known(code) }),
    ...(since === undefined ? {} : { since: instantOf(since, 'since') }),
    ...(until === undefined ? {} : { until: instantOf(until, 'until') }),
  }
}

/** Without a zone it is UTC, as all moments of the API are. */
export function instantOf(moment: string, name: string): string {
  const zoned = /T/.test(moment) && !/(Z|[+-]\d\d:\d\d)$/.test(moment) ? `${moment}Z` : moment
  const at = new Date(zoned)
  if (Number.isNaN(at.getTime())) throw new Refusal(400, 'E803', { name, expected: 'a moment that exists' })
  return at.toISOString()
}

function shown({ fault, ...rest }: Letter): object {
  const { code, params, place, rule } = fault
  const isInbound = rest.state !== undefined
  return {
    ...rest,
    ...(isInbound ? { seq: Number(rest.id.slice(1)), source: rest.endpoint } : { destination: rest.endpoint }),
    code,
    title: sentence(code, params),
    ...(place === undefined ? {} : { field: placeText(place) }),
    ...(rule === undefined || rule.file === '' ? {} : { rule: ruleText(rule) }),
    cure: cure(code, params),
  }
}

/** Of what a group has in common the code alone is certain: its cure may name what each letter has of its own. */
function groupShown(one: LetterGroup): object {
  const advice = cure(one.code)
  return { ...one, ...(/\{\w+\}/.test(advice) ? {} : { cure: advice }) }
}
