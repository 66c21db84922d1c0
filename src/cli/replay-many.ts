import { ask } from './api.ts'
import { interruptOfProcess, type Interrupt } from './interrupt.ts'
import { groupHeadings, groupRow, type Group } from './letter-filter.ts'
import { counted, headedTable, table, type Io } from './output.ts'
import { createProgress } from './progress.ts'
import { isBad, meanings, refusal, wentText, type Way, type Went } from './replay-outcome.ts'
import { previewText, type Preview } from './replay-preview.ts'

/** What tests put in the place of a person at the keyboard. */
export interface Given {
  readonly interrupt?: Interrupt
}

/** Replays all that a filter chooses, the oldest first, turn by turn; what was done is said even if it breaks off. */
export async function replayMany(
  io: Io,
  filter: Readonly<Record<string, string>>,
  { by, reason, force, yes, json, config, isDry, interrupt: given }: Way & Given & { readonly isDry: boolean },
): Promise<number> {
  const fail = (why: string): number => {
    io.stderr(`${why}\n`)
    return 1
  }
  const found = await ask(io, '/api/dead-letters/groups', filter, { expects: 'items', config })
  if (found.kind === 'failed') return fail(found.reason)
  const groups = (found.body as unknown as { items: readonly Group[] }).items
  const total = groups.reduce((sum, { count }) => sum + count, 0)
  const shown = `${groups.length === 0 ? '' : headedTable(groupHeadings, groups.map(groupRow), io)}${counted(total, 'dead letter')}\n`
  if (isDry && json) io.stdout(`${JSON.stringify({ groups, total }, null, 2)}\n`)
  else if (!json) io.stdout(shown)
  else if (!yes) io.stderr(shown)
  if (isDry) return 0
  if (total === 0) {
    if (json) io.stdout(`${JSON.stringify({ items: [], total: 0, next: null }, null, 2)}\n`)
    return 0
  }
  const no = yes ? undefined : await refusal(io, `Replay ${total === 1 ? 'it' : `all ${total}`}, the oldest first?`)
  if (no !== undefined) return fail(no)

  const all: Went[] = []
  let broken: string | undefined
  const interrupt = given ?? interruptOfProcess()
  const progress = createProgress({ io, total })
  try {
    for (let after: string | null | undefined; after !== null && broken === undefined;) {
      const body = { by, reason, force, filter, limit: 50, ...(after === undefined ? {} : { after }) }
      const answer = await ask(io, '/api/dead-letters/replay', {}, { expects: 'items', config, body, seconds: 60 })
      if (answer.kind === 'failed') {
        broken = answer.reason
        break
      }
      const turn = answer.body as unknown as { items: readonly Went[]; next: string | null }
      all.push(...turn.items)
      for (const _ of turn.items) progress.step()
      after = turn.next
      if (after !== null && interrupt.signal.aborted) broken = 'Interrupted.'
    }
  } finally {
    progress.end()
    interrupt.end()
  }
  const bad = all.filter(isBad)
  if (json) io.stdout(`${JSON.stringify({ items: all, total: all.length, next: null }, null, 2)}\n`)
  else {
    const rows = Object.entries(Object.groupBy(all, ({ outcome }) => outcome)).map(([outcome, some]) => [
      `${some?.length ?? 0}`,
      outcome,
      meanings[outcome] ?? '',
    ])
    io.stdout(table(rows, '  '))
    const stale = bad.filter(({ outcome }) => outcome === 'stale')
    for (const one of stale.slice(0, mostShown)) {
      io.stdout(`  ${wentText(one.id, one, io)}`)
      // Nobody decides about --force who does not see what it would undo.
      io.stdout(await staleText(one.id, io, config))
    }
    if (stale.length > mostShown) io.stdout(`  and ${stale.length - mostShown} more that are stale\n`)
    const alike = Map.groupBy(
      bad.filter(({ outcome }) => outcome !== 'stale'),
      ({ outcome, problems = [] }) => JSON.stringify([outcome, problems.map(({ code, title }) => [code, title])]),
    )
    for (const some of [...alike.values()].slice(0, mostShown)) io.stdout(`  ${alikeText(some, io)}`)
    if (bad.length > 0) io.stdout('  `worklane dead --list` lists what is left.\n')
  }
  if (broken !== undefined)
    return fail(`${broken} ${all.length} of ${total} were tried; the same command again goes on with the rest.`)
  return bad.length === 0 ? 0 : 1
}

/** So many of those that did not work are shown; more are counted. */
const mostShown = 20

/** What went wrong for the same reason is explained once. */
function alikeText(some: readonly Went[], io: Io): string {
  const [first] = some as readonly [Went, ...Went[]]
  const names = some.slice(0, mostNamed).map(({ id }) => id)
  const asked = some.length === 1 ? first.id : `${counted(some.length, 'message')}, ${names.join(', ')}`
  const more = some.length > mostNamed ? ', ...' : ''
  return wentText(`${asked}${more}`, { ...first, id: `${asked}${more}` }, io)
}

const mostNamed = 3

/** What a replay of one that is stale would change, value by value; nothing where that cannot be said. */
async function staleText(id: string, io: Io, config: string | undefined): Promise<string> {
  if (!/^M\d+$/.test(id)) return ''
  const path = `/api/messages/${encodeURIComponent(id)}/replay/preview`
  const answer = await ask(io, path, {}, { expects: 'outcome', config, body: {} })
  if (answer.kind === 'failed') return ''
  const [, ...lines] = previewText(id, answer.body as unknown as Preview, io).split('\n')
  return lines.map((line) => (line === '' ? '' : `  ${line}\n`)).join('')
}
