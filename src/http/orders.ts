import { patientIdOf, type OrderId } from '../core/ids.ts'
import { lacksOf } from '../core/lack.ts'
import { stepStatuses, type Order, type StepStatus, type Study } from '../core/order.ts'
import type { OrderQuery, WorklistStore } from '../core/ports.ts'
import type { TellStory } from '../core/story.ts'
import { Refusal } from './problem.ts'
import { limitOf, oneOf, paging, text, type Parameter, type Query } from './query.ts'
import { json, type Route } from './route.ts'
import { lacking, listOf } from './worklist.ts'

export interface OrderParts {
  readonly orders: Pick<WorklistStore, 'order' | 'findOrders' | 'studiesOf' | 'deadlinesOf'>
  readonly story: TellStory
  /** The site's zone, in which people read times. */
  readonly timeZone: string
}

const finders: readonly Parameter[] = [
  text('accession', 'Accession number.'),
  text('orderNumber', 'Placer or filler order number, or appointment ID.'),
  text('patientId', 'Patient ID.'),
  text('studyInstanceUid', 'Study Instance UID.'),
  oneOf('stepStatus', 'Of any of its steps.', stepStatuses),
  ...paging,
]

const instant = { type: 'string', format: 'date-time' }
const texts = { type: 'array', items: { type: 'string' } }

const order = {
  type: 'object',
  required: [
    'id',
    'version',
    'source',
    'numbers',
    'studyInstanceUid',
    'held',
    'steps',
    'told',
    'createdAt',
    'changedAt',
  ],
  properties: {
    id: { type: 'string' },
    version: { type: 'integer', description: 'Sequence number of the entry that last changed it.' },
    source: { type: 'string' },
    numbers: {
      type: 'object',
      description: 'Placer and filler order number, accession number, ... and their authority.',
    },
    patientId: { type: 'string' },
    studyInstanceUid: { type: 'string' },
    held: { type: 'boolean', description: 'On hold: its steps that wait are hidden until it is released.' },
    steps: {
      type: 'array',
      items: {
        type: 'object',
        required: ['key', 'stepStatus', 'stations', 'lacks', 'flags'],
        properties: {
          key: { type: 'string', description: 'Names the step within its order.' },
          stepStatus: { enum: stepStatuses },
          stations: texts,
          lacks: lacking,
          modality: { type: 'string' },
          start: { type: 'string', description: 'Scheduled start, date and time as DICOM writes them.' },
          flags: { ...texts, description: 'What a person should look at.' },
        },
      },
    },
    told: { ...texts, description: 'What the RIS knows: IP, CM, DC.' },
    firstImageAt: instant,
    lastImageAt: instant,
    createdAt: instant,
    changedAt: instant,
  },
}

const study = {
  type: 'object',
  required: ['key', 'studyInstanceUid', 'credit', 'stable', 'deleted', 'series'],
  properties: {
    key: { type: 'string', description: "Orthanc's name and its identifier of the study." },
    studyInstanceUid: { type: 'string' },
    credit: {
      enum: ['matched', 'unmatched', 'mismatch', 'ambiguous', 'unlinked'],
      description: 'unlinked: a person took it from this order.',
    },
    stable: { type: 'boolean' },
    deleted: { type: 'boolean' },
    firstImageAt: instant,
    lastImageAt: instant,
    series: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          series: { type: 'string' },
          modality: { type: 'string' },
          instances: { type: 'integer' },
          lastImageAt: instant,
        },
      },
    },
  },
}

const deadline = {
  type: 'object',
  required: ['kind', 'due'],
  properties: { kind: { enum: ['quiet', 'expire'] }, due: instant },
}

const wholeOrder = {
  ...order,
  properties: {
    ...order.properties,
    studies: { type: 'array', items: study },
    deadlines: { type: 'array', items: deadline, description: 'What is to come by itself.' },
  },
}

const line = {
  type: 'object',
  required: ['at', 'causedBy', 'what'],
  properties: {
    at: instant,
    cause: { type: 'integer', description: 'Sequence number of what caused it.' },
    causedBy: {
      enum: ['message', 'images', 'changes', 'performed', 'deadline', 'manual', 'delivery', 'pause', 'unknown'],
    },
    messageId: { type: 'string' },
    planId: {
      type: 'string',
      description: 'Of a message that came: which plan judged it; GET /api/configuration tells the version.',
    },
    controlId: { type: 'string', description: 'MSH-10 of the message that came, or that was sent.' },
    endpoint: { type: 'string' },
    what: { type: 'string' },
    by: { type: 'string' },
    reason: { type: 'string' },
  },
}

/** Orders for people and programs: their numbers, their steps and their story. Names are in none of them. */
export function orderRoutes({ orders, story, timeZone }: OrderParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/orders',
      what: 'Orders, newest first, by what identifies them and by the status of their steps.',
      parameters: finders,
      answers: { 200: { what: 'The orders.', schema: listOf(order) } },
      async handle({ query }) {
        const { items, total, next } = await orders.findOrders(searchOf(query))
        return json({ items: items.map(shown), total, next })
      },
    },
    {
      method: 'GET',
      path: '/api/orders/:id',
      what: 'One order with its studies, and what is to come by itself.',
      answers: { 200: { what: 'The order.', schema: wholeOrder }, 404: { what: 'No such order is kept (E820).' } },
      async handle({ path }) {
        const id = path['id'] ?? ''
        const found = await orders.order(id)
        if (found === undefined) throw new Refusal(404, 'E820')
        const [studies, deadlines] = await Promise.all([orders.studiesOf(id), orders.deadlinesOf(id)])
        return json({ ...shown(found), studies: studies.map((one) => shownStudy(one, id)), deadlines })
      },
    },
    {
      method: 'GET',
      path: '/api/orders/:id/story',
      what: 'Everything that happened to one order, from its first message to the last status, oldest first.',
      answers: {
        200: {
          what: 'The story.',
          schema: {
            type: 'object',
            required: ['order', 'timeZone', 'lines'],
            properties: { order: wholeOrder, timeZone: { type: 'string' }, lines: { type: 'array', items: line } },
          },
        },
        404: { what: 'No such order is kept (E820).' },
      },
      async handle({ path }) {
        const told = await story(path['id'] ?? '')
        if (told === undefined) throw new Refusal(404, 'E820')
        const { studies, deadlines, lines } = told
        return json({
          order: { ...shown(told.order), studies: studies.map((one) => shownStudy(one, told.order.id)), deadlines },
          timeZone,
          lines,
        })
      },
    },
  ]
}

function shown({ id, version, source, numbers, patientKey, studyInstanceUid, steps, told, ...rest }: Order): object {
  const { hold, firstImageAt, lastImageAt, createdAt, changedAt } = rest
  return {
    id,
    version,
    source,
    numbers,
    patientId: patientIdOf(patientKey),
    studyInstanceUid,
    held: hold?.on === true,
    steps: steps.map(({ key, stepStatus, stations, flags, attributes }) => ({
      key,
      stepStatus,
      stations,
      lacks: lacksOf({ stations, attributes }),
      modality: attributes['Modality'] ?? '',
      start: [attributes['ScheduledProcedureStepStartDate'], attributes['ScheduledProcedureStepStartTime']]
        .filter((part) => typeof part === 'string')
        .join(' ')
        .trim(),
      flags,
    })),
    told,
    firstImageAt,
    lastImageAt,
    createdAt,
    changedAt,
  }
}

function shownStudy(study: Study, orderId: OrderId): object {
  const { key, studyInstanceUid, credit, stable, deleted, firstImageAt, lastImageAt, series } = study
  return {
    key,
    studyInstanceUid,
    credit: study.unlinked?.includes(orderId) === true ? 'unlinked' : credit.kind,
    stable,
    deleted,
    firstImageAt,
    lastImageAt,
    series: series.map((one) => ({
      series: one.series,
      modality: one.modality,
      instances: one.instances,
      lastImageAt: one.lastImageAt,
    })),
  }
}

function searchOf(query: Query): OrderQuery {
  const { accession, stepStatus, ...rest } = query
  return {
    ...rest,
    ...(accession === undefined ? {} : { accessionNumber: accession }),
    ...(stepStatus === undefined ? {} : { stepStatus: stepStatus as StepStatus }),
    limit: limitOf(query),
  }
}
