import type { Reloader } from '../core/configuration.ts'
import type { PartHealth } from '../core/ports.ts'
import type { Route } from './route.ts'

export interface HealthParts {
  readonly configuration: Pick<Reloader, 'running'>
  readonly version: { readonly worklane: string; readonly node: string }
  readonly parts: () => Promise<readonly PartHealth[]>
  readonly takesMessages: () => boolean
  readonly metrics: { text(): Promise<string>; readonly contentType: string }
}

export const part = {
  type: 'object',
  required: ['name', 'state'],
  properties: {
    name: { type: 'string' },
    state: { enum: ['up', 'degraded', 'down'] },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Of the catalogue of errors.' },
    cure: { type: 'string', description: 'What helps.' },
    waiting: { type: 'integer', description: 'Messages not yet applied, or status messages not yet taken.' },
    oldestSeconds: { type: 'number', description: 'How long the oldest of them has waited.' },
    since: { type: 'string', format: 'date-time' },
  },
}

/** Which version of the site's files judges messages, and since when. */
export const runningSchema = {
  type: 'object',
  required: ['version', 'since'],
  properties: {
    version: { type: 'string', description: 'Of the configuration: the same for the same files.' },
    since: { type: 'string', format: 'date-time', description: 'When it came into force in this engine.' },
  },
}

export function runningOf({ running }: Pick<Reloader, 'running'>): {
  readonly version: string
  readonly since: string
} {
  const { version, since } = running()
  return { version, since }
}

/**
 * Open without a token, for probes and scrapers that know none: they tell states,
 * counts and names of endpoints, nothing of people. Bound to 127.0.0.1 unless the
 * site says otherwise.
 */
export function healthRoutes({ version, configuration, parts, takesMessages, metrics }: HealthParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/health/live',
      what: 'Answers while the process lives. For restarts.',
      open: true,
      answers: { 200: { what: 'It lives.', schema: { type: 'object', properties: { live: { const: true } } } } },
      handle: () => ({ httpStatus: 200, body: { live: true } }),
    },
    {
      method: 'GET',
      path: '/health/ready',
      what: 'State of each part. For load balancers and people.',
      open: true,
      answers: {
        200: {
          what: 'Messages are taken; single parts may be degraded or down.',
          schema: {
            type: 'object',
            required: ['ready', 'version', 'parts'],
            properties: {
              ready: { type: 'boolean' },
              version: { type: 'object' },
              configuration: runningSchema,
              parts: { type: 'array', items: part },
            },
          },
        },
        503: { what: 'No messages are taken now; the body is the same.' },
      },
      async handle() {
        // An Orthanc or a RIS that is away is no reason to turn senders away: orders wait for them.
        const ready = takesMessages()
        return {
          httpStatus: ready ? 200 : 503,
          body: { ready, version, configuration: runningOf(configuration), parts: await parts() },
        }
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      what: 'Metrics for Prometheus.',
      open: true,
      answers: { 200: { what: 'Text format.', type: 'text/plain' } },
      handle: async () => ({
        httpStatus: 200,
        headers: { 'content-type': metrics.contentType },
        body: await metrics.text(),
      }),
    },
  ]
}
