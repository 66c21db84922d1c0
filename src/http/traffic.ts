import type { PlanStore } from '../core/ports.ts'
import type { KeptTraffic, Traffic } from '../core/traffic.ts'
import { Refusal } from './problem.ts'
import { limitOf, paging, text } from './query.ts'
import { instantOf, moment } from './dead-letters.ts'
import { json, type Route } from './route.ts'

export interface TrafficParts {
  readonly traffic: Traffic & Pick<PlanStore, 'recall'>
}

const kept = {
  type: 'object',
  required: ['id', 'seq', 'source', 'controlId', 'type', 'at', 'planId', 'acknowledgmentCode', 'state', 'base64'],
  properties: {
    id: { type: 'string' },
    source: { type: 'string' },
    sender: { type: 'string', description: 'IP address of the machine that sent it.' },
    planId: {
      type: 'string',
      description: 'By what it was judged: GET /api/plans/ID. Empty where no pipeline took it.',
    },
    acknowledgmentCode: { enum: ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'] },
    state: { type: 'object', required: ['kind'] },
    base64: { type: 'string', description: 'The message as it came, byte for byte.' },
  },
}

/** Kept messages in the order in which they came, and what they were judged by: to try a changed pipeline with them. */
export function trafficRoutes({ traffic }: TrafficParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/traffic',
      what: 'Kept messages with their bytes, oldest first. A page may be short, or empty, and not the last: go on until `next` is null.',
      parameters: [
        text('source', 'Name of the source.'),
        moment('since', 'Came at this moment or later.'),
        moment('until', 'Came before this moment.'),
        ...paging,
      ],
      answers: {
        200: {
          what: '`looked`: so many were looked through for this page, of `total` that are kept.',
          schema: {
            type: 'object',
            required: ['items', 'total', 'looked', 'next'],
            properties: {
              items: { type: 'array', items: kept },
              total: { type: 'integer' },
              looked: { type: 'integer' },
              next: { type: ['string', 'null'] },
            },
          },
        },
      },
      async handle({ query }) {
        const { source, since, until, after } = query
        if (after !== undefined && !/^M\d{1,16}$/.test(after))
          throw new Refusal(400, 'E803', { name: 'after', expected: '`next` of the page before' })
        const page = await traffic.traffic({
          limit: limitOf(query),
          ...(source === undefined ? {} : { source }),
          ...(since === undefined ? {} : { since: instantOf(since, 'since') }),
          ...(until === undefined ? {} : { until: instantOf(until, 'until') }),
          ...(after === undefined ? {} : { after }),
        })
        return json({ ...page, items: page.items.map(shown) })
      },
    },
    {
      method: 'GET',
      path: '/api/plans/:id',
      what: 'All that messages were judged by: pipelines, tables and defaults, as they were then.',
      answers: {
        200: {
          what: 'The plan, as one text.',
          schema: {
            type: 'object',
            required: ['id', 'plan'],
            properties: { id: { type: 'string' }, plan: { type: 'string' } },
          },
        },
        404: { what: 'It is kept no more: no kept message was judged by it (E850).' },
      },
      async handle({ path }) {
        const id = path['id'] ?? ''
        const plan = /^[0-9a-f]{1,64}$/.test(id) ? await traffic.recall(id) : undefined
        if (plan === undefined) throw new Refusal(404, 'E850')
        return json({ id, plan })
      },
    },
  ]
}

function shown({ body, ...rest }: KeptTraffic): object {
  return { ...rest, base64: Buffer.from(body).toString('base64') }
}
