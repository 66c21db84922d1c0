import { list } from './listing.ts'
import type { Deferred } from '../core/ports.ts'
import type { CircuitState, RetryPlan } from '../core/retry.ts'
import { counted, headedTable, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane destinations [--config FILE] [--json]

Lists the receivers of status messages: what waits for each, since when, whether somebody
has paused it; and of what is not taken why, how often it was tried, and when it is tried
again. \`worklane retries\` shows the waits in between.`

export interface Destination {
  readonly name: string
  readonly state: string
  readonly waiting: number
  readonly oldest?: string
  readonly delivered: number
  readonly dead: number
  readonly circuit?: CircuitState
  readonly silent?: RetryPlan
  readonly deferred?: Deferred
  readonly paused?: { readonly by: string; readonly reason: string; readonly since: string }
}

export async function destinations(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { config: { type: 'string' }, json: { type: 'boolean' } }, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 0) return misuse(`"${positionals[0]}" is not expected`, usage, io)
  return list<Destination>(io, {
    path: '/api/destinations',
    query: {},
    config: values.config,
    json: values.json,
    noun: 'destination',
    show: (found) => headedTable(headings, found.map(row), io),
  })
}

const headings = ['NAME', 'STATE', 'WAITING', 'OLDEST', 'AGE', 'DELIVERED', 'DEAD', 'CIRCUIT', 'NEXT ATTEMPT', 'WHY']

export function row(one: Destination, now = Date.now()): readonly string[] {
  const { name, state, waiting, oldest, delivered, dead, circuit = 'closed', paused } = one
  const age = oldest === undefined ? '-' : ageText((now - Date.parse(oldest)) / 1000)
  const { next, why } = wait(one)
  const waits = [String(waiting), oldest ?? '-', age]
  return [name, state, ...waits, String(delivered), String(dead), paused ? '-' : circuit, next, why]
}

/** Why something waits, and until when. Of a receiver that answers, only the oldest message is told. */
function wait({ silent, deferred, paused }: Destination): { readonly next: string; readonly why: string } {
  if (paused !== undefined) return { next: '-', why: `${paused.by}, since ${paused.since}: ${paused.reason}` }
  if (silent !== undefined)
    return { next: silent.next, why: `${silent.code}, ${counted(silent.failures, 'failure')} since ${silent.since}` }
  if (deferred !== undefined)
    return { next: deferred.next, why: `the oldest: ${deferred.reason}, ${counted(deferred.attempts, 'attempt')}` }
  return { next: '-', why: '' }
}

/** `12 s`, `7 min`, `3 h 5 min`, `2 d 4 h`: two units at most. */
export function ageText(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const
  const whole = Math.max(0, Math.floor(seconds))
  const first = units.findIndex(([size]) => whole >= size)
  if (first === -1) return '0 s'
  let rest = whole
  const said: string[] = []
  for (const [size, unit] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) said.push(`${count} ${unit}`)
  }
  return said.join(' ')
}
