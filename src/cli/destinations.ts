import { list } from './listing.ts'
import { headedTable, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane destinations [--config FILE] [--json]

Lists the receivers of status messages: what waits for each, since when, and whether
somebody has paused it.`

export interface Destination {
  readonly name: string
  readonly state: string
  readonly waiting: number
  readonly oldest?: string
  readonly delivered: number
  readonly dead: number
  readonly silent?: { readonly since: string; readonly code: string }
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

const headings = ['NAME', 'STATE', 'WAITING', 'OLDEST', 'DELIVERED', 'DEAD', 'WHY']

export function row({ name, state, waiting, oldest, delivered, dead, silent, paused }: Destination): readonly string[] {
  const held = paused && `${paused.by}, since ${paused.since}: ${paused.reason}`
  const why = held ?? (silent && `${silent.code}, since ${silent.since}`) ?? ''
  return [name, state, String(waiting), oldest ?? '-', String(delivered), String(dead), why]
}
