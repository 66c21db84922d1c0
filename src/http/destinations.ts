import type { Clock, Log, Outbox } from '../core/ports.ts'
import type { CircuitState, RetryPlan } from '../core/retry.ts'
import { handSchema, optionalText, readFields, readText } from './hand.ts'
import { Refusal } from './problem.ts'
import { json, type Answer, type Route } from './route.ts'
import { listOf } from './worklist.ts'

export interface DestinationParts {
  readonly names: readonly string[]
  readonly outbox: Pick<Outbox, 'state' | 'pause'>
  /** As this process tries it, or as what the store has of it says. */
  readonly circuit: (name: string, kept: RetryPlan | undefined) => CircuitState
  /** What waits goes out now. */
  readonly wake: (name: string) => void
  readonly clock: Clock
  readonly log: Log
}

const instant = { type: 'string', format: 'date-time' }

const destination = {
  type: 'object',
  required: ['name', 'state', 'waiting', 'delivered', 'dead'],
  properties: {
    name: { type: 'string' },
    state: { enum: ['delivering', 'silent', 'paused'], description: 'silent: the receiver does not answer.' },
    waiting: { type: 'integer', description: 'Status messages owed.' },
    oldest: { ...instant, description: 'When the oldest of them was decided.' },
    delivered: { type: 'integer', description: 'Ever.' },
    dead: { type: 'integer', description: 'Refused for good, and kept.' },
    circuit: {
      enum: ['closed', 'half-open', 'open'],
      description: 'open: after many failures in a row one message at a time shows whether it is back; half-open: now.',
    },
    silent: {
      type: 'object',
      description: 'How it is being tried again; every engine of a store answers the same.',
      properties: {
        since: { ...instant, description: 'Of the first failure.' },
        at: { ...instant, description: 'Of the last one.' },
        failures: { type: 'integer', description: 'In a row.' },
        code: { type: 'string' },
        class: { enum: ['transient', 'ambiguous', 'permanent'], description: 'ambiguous: it may have been taken.' },
        next: { ...instant, description: 'Not tried before.' },
      },
    },
    deferred: {
      type: 'object',
      description: 'Set while the oldest was answered AR or CR. Only its order waits for it.',
      properties: { reason: { type: 'string' }, attempts: { type: 'integer' }, next: instant },
    },
    paused: {
      type: 'object',
      required: ['by', 'reason', 'since'],
      properties: { by: { type: 'string' }, reason: { type: 'string' }, since: instant },
    },
    changed: { type: 'boolean', description: 'Of pause and resume: false when it was so already.' },
  },
}

const change = {
  type: 'object',
  required: ['by'],
  properties: {
    by: handSchema.by,
    reason: { ...handSchema.reason, description: 'Why; a pause needs one.' },
  },
}

/** Receivers of status messages: what waits for each, and holding it for a while. */
export function destinationRoutes(parts: DestinationParts): readonly Route[] {
  const { names, outbox, circuit, wake, clock, log } = parts

  async function shown(name: string): Promise<object> {
    const { waiting, delivered, dead, oldest, paused, deferred, retry: silent } = await outbox.state(name)
    const state = paused === undefined ? (silent === undefined ? 'delivering' : 'silent') : 'paused'
    return { name, state, waiting, oldest, delivered, dead, circuit: circuit(name, silent), silent, deferred, paused }
  }

  async function set(paused: boolean, name: string, body: unknown): Promise<Answer> {
    if (!names.includes(name)) throw new Refusal(404, 'E821', { known: names.join(', ') || 'none' })
    const { by, reason } = readChange(body, paused)
    const changed = await outbox.pause(name, { paused, by, reason, at: clock() })
    if (changed) log.info({ destination: name }, paused ? 'destination paused' : 'destination resumed')
    if (!paused) wake(name)
    return json({ ...(await shown(name)), changed })
  }

  const route = (verb: 'pause' | 'resume', what: string): Route => ({
    method: 'POST',
    path: `/api/destinations/:name/${verb}`,
    what,
    body: verb === 'pause' ? { ...change, required: ['by', 'reason'] } : change,
    answers: {
      200: { what: 'The destination, as it is now.', schema: destination },
      404: { what: 'There is no destination with this name (E821).' },
    },
    handle: ({ path, body }) => set(verb === 'pause', path['name'] ?? '', body),
  })

  return [
    {
      method: 'GET',
      path: '/api/destinations',
      what: 'Receivers of status messages, and what waits for each.',
      answers: { 200: { what: 'The destinations.', schema: listOf(destination) } },
      async handle() {
        const items = await Promise.all(names.map((name) => shown(name)))
        return json({ items, total: items.length, next: null })
      },
    },
    route('pause', 'Sends nothing more to this destination until it is resumed; what is owed waits in its order.'),
    route('resume', 'Sends what waits, at once, and goes on.'),
  ]
}

function readChange(body: unknown, needsReason: boolean): { readonly by: string; readonly reason: string } {
  const fields = readFields(body, ['by', 'reason'])
  const by = readText(fields, 'by', 80)
  const reason = needsReason ? readText(fields, 'reason', 500) : (optionalText(fields, 'reason', 500) ?? '')
  return { by, reason }
}
