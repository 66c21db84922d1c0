import type { CounterDifference, DestinationCounts, PartHealth, SourceCounts } from '../core/ports.ts'
import { ask } from './api.ts'
import { counted, headedTable, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane status [--config FILE] [--json]

Shows how each part of a running engine is, what was received from each source and what
became of it, and what each destination was told. Ends with 1 when a part is down.`

export const recountUsage = `worklane recount [--repair] [--config FILE] [--json]

Counts all messages again and says which counters are wrong; with --repair puts them
right. An engine looks by itself at its start and every 10 minutes. Ends with 1 when a
counter was wrong.`

interface Status {
  readonly ready: boolean
  readonly configuration?: { readonly version: string; readonly since: string }
  readonly parts: readonly PartHealth[]
  readonly sources: readonly (SourceCounts & { readonly oldestSeconds?: number })[]
  readonly destinations: readonly Omit<DestinationCounts, 'oldest'>[]
}

export async function status(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { config: { type: 'string' }, json: { type: 'boolean' } } as const, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 0) return misuse(`"${positionals[0]}" is not expected`, usage, io)
  const answer = await ask(io, '/api/status', {}, { expects: 'parts', config: values.config })
  if (answer.kind === 'failed') {
    io.stderr(`${answer.reason}\n`)
    return 1
  }
  const found = answer.body as unknown as Status
  if (values.json === true) io.stdout(`${JSON.stringify(found, null, 2)}\n`)
  else io.stdout(statusText(found, io))
  return found.parts.some(({ state }) => state === 'down') ? 1 : 0
}

export function statusText({ ready, configuration, parts, sources, destinations }: Status, io: Io): string {
  const why = ({ code, detail, cure }: PartHealth): string =>
    [code, detail, cure].filter((text) => text !== undefined).join('  ')
  const tables = [
    headedTable(
      ['PART', 'STATE', 'OLDEST', 'WHY'],
      parts.map((part) => [part.name, part.state, age(part), why(part)]),
      io,
    ),
    headedTable(
      ['SOURCE', 'RECEIVED', 'WAITING', 'APPLIED', 'IGNORED', 'INVALID', 'DEAD'],
      sources.map((of) =>
        [of.source, of.received, of.waiting, of.applied, of.ignored, of.invalid, of.dead].map(String),
      ),
      io,
    ),
    headedTable(
      ['DESTINATION', 'QUEUED', 'WAITING', 'DELIVERED', 'DEAD', 'DISCARDED'],
      destinations.map((of) =>
        [of.destination, of.queued, of.waiting, of.delivered, of.dead, of.discarded].map(String),
      ),
      io,
    ),
  ]
  const files = configuration && `Configuration ${configuration.version}, since ${configuration.since.slice(0, 19)}Z. `
  const shown = [tables[0], sources.length > 0 ? tables[1] : '', destinations.length > 0 ? tables[2] : '']
  return `${shown.filter((text) => text !== '').join('\n')}\n${files ?? ''}${ready ? 'Messages are taken.' : 'No messages are taken now.'}\n`
}

function age({ waiting = 0, oldestSeconds = 0 }: PartHealth): string {
  return waiting === 0 ? '-' : `${Math.round(oldestSeconds)} s`
}

export async function recount(args: readonly string[], io: Io): Promise<number> {
  const flag = { type: 'boolean' } as const
  const asked = readArgs(args, { config: { type: 'string' }, repair: flag, json: flag } as const, recountUsage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 0) return misuse(`"${positionals[0]}" is not expected`, recountUsage, io)
  const body = { repair: values.repair === true }
  const answer = await ask(io, '/api/recount', {}, { expects: 'differences', config: values.config, body })
  if (answer.kind === 'failed') {
    io.stderr(`${answer.reason}\n`)
    return 1
  }
  const { differences, repaired } = answer.body as unknown as {
    readonly differences: readonly CounterDifference[]
    readonly repaired: boolean
  }
  if (values.json === true) io.stdout(`${JSON.stringify(answer.body, null, 2)}\n`)
  else io.stdout(recountText(differences, repaired, io))
  return differences.length > 0 ? 1 : 0
}

function recountText(differences: readonly CounterDifference[], repaired: boolean, io: Io): string {
  if (differences.length === 0) return 'Every counter is right.\n'
  const rows = differences.map((one) => {
    const where = 'source' in one ? `source ${one.source}` : `destination ${one.destination}`
    return [where, one.what, String(one.counted), String(one.found)]
  })
  const end = repaired ? 'put right' : 'wrong; --repair puts them right'
  return `${headedTable(['WHERE', 'COUNTER', 'COUNTED', 'THERE'], rows, io)}${counted(differences.length, 'counter')} ${end}.\n`
}
