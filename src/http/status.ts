import type { CounterDifference, Counters, Log } from '../core/ports.ts'
import { readFields } from './hand.ts'
import { part, runningOf, runningSchema, type HealthParts } from './health.ts'
import { json, type Route } from './route.ts'
import { Refusal } from './problem.ts'

export interface StatusParts extends Pick<HealthParts, 'version' | 'configuration' | 'parts' | 'takesMessages'> {
  readonly counters: Counters
  readonly log: Log
}

const count = { type: 'integer' }
const source = {
  type: 'object',
  description: 'received = waiting + applied + ignored + invalid + dead, always.',
  properties: {
    source: { type: 'string' },
    received: count,
    waiting: count,
    applied: count,
    ignored: count,
    invalid: count,
    dead: count,
    oldestSeconds: { type: 'number', description: 'How long the oldest waiting one has waited.' },
  },
}
const destination = {
  type: 'object',
  description: 'queued = waiting + delivered + dead + discarded, always.',
  properties: {
    destination: { type: 'string' },
    queued: count,
    waiting: count,
    delivered: count,
    dead: count,
    discarded: count,
    oldest: { type: 'string', format: 'date-time', description: 'When the oldest waiting one was decided.' },
  },
}
const difference = {
  type: 'object',
  required: ['what', 'counted', 'found'],
  properties: {
    source: { type: 'string' },
    destination: { type: 'string' },
    what: { type: 'string' },
    counted: count,
    found: count,
  },
}

/** How the engine is, in figures that are exact: what was received and what became of it. */
export function statusRoutes({
  version,
  configuration,
  parts,
  takesMessages,
  counters,
  log,
}: StatusParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/status',
      what: 'How each part is, and what was received and told.',
      answers: {
        200: {
          what: 'The engine, as it is now.',
          schema: {
            type: 'object',
            required: ['ready', 'parts', 'sources', 'destinations'],
            properties: {
              ready: { type: 'boolean', description: 'Whether messages are taken.' },
              version: { type: 'object' },
              configuration: runningSchema,
              parts: { type: 'array', items: part },
              sources: { type: 'array', items: source },
              destinations: { type: 'array', items: destination },
            },
          },
        },
      },
      async handle() {
        const [shown, { sources, destinations }] = await Promise.all([
          parts(),
          counters.counters().catch(() => ({ sources: [], destinations: [] })),
        ])
        return json({
          ready: takesMessages(),
          version,
          configuration: runningOf(configuration),
          parts: shown,
          sources,
          destinations,
        })
      },
    },
    {
      method: 'POST',
      path: '/api/recount',
      what: 'Counts all messages again, and says which counters are wrong. Redis does nothing else meanwhile.',
      body: {
        type: 'object',
        properties: { repair: { type: 'boolean', description: 'Puts wrong counters right.' } },
      },
      answers: {
        200: {
          what: 'What differs; nothing when all is right.',
          schema: {
            type: 'object',
            required: ['differences', 'repaired'],
            properties: { differences: { type: 'array', items: difference }, repaired: { type: 'boolean' } },
          },
        },
      },
      async handle({ body }) {
        const { repair = false } = readFields(body, ['repair'])
        if (typeof repair !== 'boolean') throw new Refusal(400, 'E823', { name: 'repair', expected: 'true or false' })
        const differences: readonly CounterDifference[] = await counters.recount(repair ? 'repair' : 'look')
        log.info({ count: differences.length, state: repair ? 'repaired' : 'looked' }, 'counted again')
        return json({ differences, repaired: repair })
      },
    },
  ]
}
