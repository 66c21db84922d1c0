import { EngineError } from '../core/errors/index.ts'
import { opensAfterSeconds, scheduleText, secondsText, type RetryPolicy } from '../core/retry.ts'
import type { Settings } from '../core/settings.ts'
import { load, refuse } from './load.ts'
import { painter, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane retries [ENDPOINT] [--config FILE] [--json]

Shows how each endpoint is tried again while it is away, as its settings under retry say:
the waits, and when its circuit opens. What is tried again now, and when next, is shown
by \`worklane destinations\` and /health/ready.`

interface Endpoint {
  readonly kind: 'destination' | 'orthanc'
  readonly name: string
  readonly policy: RetryPolicy
}

export async function retries(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { config: { type: 'string' }, json: { type: 'boolean' } }, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const [name, ...more] = positionals
  if (more.length > 0) return misuse('Give one endpoint, or none for all', usage, io)
  const loaded = load(io, values.config)
  if (loaded.site === undefined) return refuse(loaded, io)
  const all = endpointsOf(loaded.site.settings)
  const shown = name === undefined ? all : all.filter((one) => one.name === name)
  if (shown.length === 0 && name !== undefined) {
    const { message, cure } = new EngineError('E286', { name, known: all.map((one) => one.name).join(', ') || 'none' })
    io.stderr(`${message} ${cure}\n`)
    return 1
  }
  if (values.json === true)
    io.stdout(
      `${JSON.stringify(
        shown.map(({ kind, name, policy }) => ({ kind, name, retry: policy, schedule: scheduleText(policy) })),
        null,
        2,
      )}\n`,
    )
  else io.stdout(shown.map((one) => endpointText(one, io)).join('\n'))
  return 0
}

function endpointsOf({ destinations, orthancs }: Settings): readonly Endpoint[] {
  return [
    ...destinations.map(({ name, retry }) => ({ kind: 'destination', name, policy: retry }) as const),
    ...orthancs.map(({ name, retry }) => ({ kind: 'orthanc', name, policy: retry }) as const),
  ]
}

function endpointText({ kind, name, policy }: Endpoint, io: Io): string {
  return [painter(io).bold(`${kind} ${name}`), ...policyLines(policy).map((line) => `  ${line}`), ''].join('\n')
}

/** A policy in words. */
function policyLines(policy: RetryPolicy): readonly string[] {
  const percent = Math.round(policy.jitter * 100)
  const failures = policy.openAfter === 1 ? 'the first failure' : `${policy.openAfter} failures in a row`
  const when = policy.openAfter === 1 ? '' : `, about ${secondsText(opensAfterSeconds(policy))} after the first`
  return [
    `tried again after ${scheduleText(policy)}`,
    percent === 0 ? 'each wait exactly so' : `each wait up to ${percent} % shorter, by chance`,
    `circuit opens after ${failures}${when}: then one thing at a time, until it answers`,
    'never given up; only AE and CE of a receiver make a dead letter',
  ]
}
