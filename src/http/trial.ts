import { machineAddress } from '../core/machine-address.ts'
import type { Trial, TryMessages } from '../core/trial.ts'
import { readFields, readText } from './hand.ts'
import { Refusal } from './problem.ts'
import { faultText, statusOf } from './replay.ts'
import { json, type Route } from './route.ts'

export interface TrialParts {
  readonly tryMessages: TryMessages
}

const mostMessages = 100

const body = {
  type: 'object',
  required: ['source', 'messages'],
  additionalProperties: false,
  properties: {
    source: { type: 'string', description: 'Name of the source whose messages they would be.' },
    sender: { type: 'string', description: 'IP address of the machine that would send them.' },
    messages: {
      type: 'array',
      maxItems: mostMessages,
      description: 'The messages as bytes, in base64, in the order in which they would come.',
      items: { type: 'string' },
    },
    plan: {
      type: 'string',
      description:
        'What they are judged by, as GET /api/plans/ID answers it; default: the pipelines that are in force for the source.',
    },
  },
}

const trial = {
  type: 'object',
  required: ['outcome', 'problems', 'orders', 'items', 'messages'],
  properties: {
    outcome: { enum: ['applied', 'unchanged', 'ignored', 'invalid', 'dead'] },
    rule: { type: 'string' },
    problems: { type: 'array', items: { type: 'object' } },
    orders: { type: 'array', items: { type: 'object' }, description: 'Orders that it would make or change.' },
    items: {
      type: 'array',
      description: 'Items of the worklist that would be other than they are.',
      items: {
        type: 'object',
        required: ['id', 'kind', 'accessionNumber', 'step', 'differences'],
        properties: {
          id: { type: 'string' },
          kind: { enum: ['new', 'changed', 'withdrawn', 'shown'] },
          accessionNumber: { type: 'string' },
          step: { type: 'string' },
          differences: {
            type: 'array',
            items: {
              type: 'object',
              required: ['attribute', 'now', 'becomes'],
              properties: { attribute: { type: 'string' }, now: { description: 'null: nothing.' }, becomes: {} },
            },
          },
        },
      },
    },
    messages: { type: 'array', items: { type: 'object' }, description: 'What would be told: endpoint, event.' },
  },
}

/** What messages would change that have not come. */
export function trialRoutes({ tryMessages }: TrialParts): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/api/trial',
      what: 'Shows what messages would change if they came now, item by item, each after those before it. Nothing is stored or sent.',
      body,
      answers: {
        200: {
          what: 'For each message what would happen.',
          schema: { type: 'object', required: ['items'], properties: { items: { type: 'array', items: trial } } },
        },
      },
      handle: ({ body: given }) =>
        statusOf(async () => {
          const fields = readFields(given, ['source', 'sender', 'messages', 'plan'])
          const { plan } = fields
          if (plan !== undefined && typeof plan !== 'string')
            throw new Refusal(400, 'E823', { name: 'plan', expected: 'a text' })
          const asked = {
            source: readText(fields, 'source', 200),
            messages: readMessages(fields['messages']),
            ...readSender(fields['sender']),
            ...(plan === undefined ? {} : { plan }),
          }
          return json({ items: (await tryMessages(asked)).map(shown) })
        }),
    },
  ]
}

function readMessages(value: unknown): readonly Uint8Array[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  const bytes = list.flatMap((one) =>
    typeof one === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(one) ? [Buffer.from(one, 'base64')] : [],
  )
  if (bytes.length > 0 && bytes.length === list.length && bytes.length <= mostMessages) return bytes
  throw new Refusal(400, 'E823', { name: 'messages', expected: `a list of 1 to ${mostMessages} texts in base64` })
}

function readSender(value: unknown): { readonly sender?: string } {
  if (value === undefined) return {}
  const sender = typeof value === 'string' ? machineAddress(value) : undefined
  if (sender === undefined) throw new Refusal(400, 'E823', { name: 'sender', expected: 'an IP address' })
  return { sender }
}

function shown({ faults, ...rest }: Trial): object {
  return { ...rest, problems: faults.map(faultText) }
}
