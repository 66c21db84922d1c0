import { list } from './listing.ts'
import type { CircuitState, RetryPlan } from '../core/retry.ts'
import { counted, headedTable, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane destinations [--config FILE] [--json]

Lists the receivers of status messages: what waits for each, since when, whether somebody
has paused it; and of one that takes nothing why, how often it was tried, and when it is
tried again. \`worklane retries\` shows the waits in between.`

export interface Destination {
  readonly name: string
  readonly state: string
  readonly waiting: number
  readonly oldest?: string
  readonly delivered: number
  readonly dead: number
  readonly circuit?: CircuitState
  readonly silent?: RetryPlan
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

const headings = ['NAME', 'STATE', 'WAITING', 'OLDEST', 'DELIVERED', 'DEAD', 'CIRCUIT', 'NEXT ATTEMPT', 'WHY']

export function row(one: Destination): readonly string[] {
  const { name, state, waiting, oldest, delivered, dead, circuit = 'closed', silent, paused } = one
  const held = paused && `${paused.by}, since ${paused.since}: ${paused.reason}`
  const why = held ?? (silent && `${silent.code}, ${counted(silent.failures, 'failure')} since ${silent.since}`) ?? ''
  const next = paused === undefined ? (silent?.next ?? '-') : '-'
  return [name, state, String(waiting), oldest ?? '-', String(delivered), String(dead), circuit, next, why]
}
