import { ask } from './api.ts'
import { loginName } from './by-hand.ts'
import {
  filterNames,
  filterOf,
  filterOptions,
  filterUsage,
  groupHeadings,
  groupRow,
  type Group,
} from './letter-filter.ts'
import { answerOf, list } from './listing.ts'
import { messages, linesOf } from './messages.ts'
import { actText, type Act } from './message-acts.ts'
import { headedTable, painter, table, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane dead [ID] [--list]
                  ${filterUsage}
                  [--limit N] [--after CURSOR] [--config FILE] [--json]
                  [--discard --reason TEXT [--by NAME] [--yes]]

Lists what somebody has to look at, by reason: messages that could not be applied (dead) or
understood (invalid), and status messages that the RIS refused (refused); with --list one by
one, newest first; with an ID, that one with its text. Times are UTC unless they name a zone.
--discard takes the one named by ID from the list for good; its story keeps who did so and why.`

interface Letter {
  readonly id: string
  readonly kind: string
  readonly code: string
  readonly title: string
  readonly field?: string
  readonly cure: string
  readonly answer?: string
  readonly endpoint: string
  readonly controlId: string
  readonly type: string
  readonly at: string
  readonly attempts: number
}

interface WholeLetter extends Letter {
  readonly body: string
  readonly acts: readonly Act[]
}

export async function dead(args: readonly string[], io: Io): Promise<number> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const others = { list: flag, discard: flag, reason: text, by: text, yes: flag, limit: text, after: text } as const
  const asked = readArgs(args, { ...filterOptions, ...others, config: text, json: flag }, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const { config, json } = values
  if (positionals.length > 1) return misuse('One ID at a time', usage, io)
  const [id] = positionals
  const filter = [...filterNames, 'list', 'limit', 'after'].find((name) => Object.hasOwn(values, name))
  if (id !== undefined && filter !== undefined)
    return misuse(`--${filter} chooses among all; give it or an ID`, usage, io)
  const alone = (['reason', 'by', 'yes'] as const).find((name) => values[name] !== undefined)
  if (values.discard !== true && alone !== undefined) return misuse(`--${alone} goes with --discard`, usage, io)
  if (values.discard === true) {
    if (id === undefined) return misuse('Give the ID of what is to be discarded', usage, io)
    const { reason, by = loginName(io), yes } = values
    if (!reason?.trim()) return misuse('--reason is missing', usage, io)
    return discard(io, id, { reason, by, yes: yes === true, config, json })
  }
  if (id !== undefined) return show(io, id, { config, json })
  const query = filterOf(values)
  const noun = 'dead letter'
  if (values.list === true || values.after !== undefined) {
    const page = { ...query, limit: values.limit, after: values.after }
    const showLetters = (found: readonly Letter[]): string => headedTable(headings, found.map(row), io)
    return list<Letter>(io, { path: '/api/dead-letters', query: page, config, json, noun, show: showLetters })
  }
  const showGroups = (found: readonly Group[]): string => headedTable(groupHeadings, found.map(groupRow), io)
  return list<Group>(io, {
    path: '/api/dead-letters/groups',
    query,
    config,
    json,
    noun: 'reason',
    show: showGroups,
  })
}

type Way = { readonly config: string | undefined; readonly json: boolean | undefined }

/** What came is shown as a message, what was refused with its text and what was done to it. */
async function show(io: Io, id: string, { config, json }: Way): Promise<number> {
  if (/^M\d+$/.test(id)) {
    const way = [...(config === undefined ? [] : ['--config', config]), ...(json === true ? ['--json'] : [])]
    return messages([id, ...way], io)
  }
  const path = `/api/dead-letters/${encodeURIComponent(id)}`
  const letter = await answerOf<WholeLetter>(io, { path, expects: 'id', config, json })
  if (typeof letter === 'number') return letter
  const paint = painter(io)
  io.stdout(table([row(letter)]))
  io.stdout(`  ${paint.yellow(letter.code)}  ${letter.title}\n    ${paint.dim(letter.cure)}\n`)
  for (const act of letter.acts) io.stdout(`  ${actText(act)}\n`)
  io.stdout(`\n${linesOf(letter.body)}`)
  return 0
}

async function discard(
  io: Io,
  id: string,
  { reason, by, yes, config, json }: Way & { readonly reason: string; readonly by: string; readonly yes: boolean },
): Promise<number> {
  const fail = (why: string): number => {
    io.stderr(`${why}\n`)
    return 1
  }
  if (!yes) {
    if (io.confirm === undefined) return fail('Nothing was changed: where nobody can be asked, give --yes.')
    if (!(await io.confirm(`Discard ${id}?`))) return fail('Nothing was changed.')
  }
  const path = `/api/dead-letters/${encodeURIComponent(id)}/discard`
  const answer = await ask(io, path, {}, { expects: 'outcome', config, body: { by, reason } })
  if (answer.kind === 'failed') return fail(answer.reason)
  io.stdout(json === true ? `${JSON.stringify(answer.body, null, 2)}\n` : `${id} is discarded; its story keeps why.\n`)
  return 0
}

const headings = ['ID', 'KIND', 'CODE', 'ENDPOINT', 'CAME', 'TYPE', 'CONTROL ID', 'TRIED', 'WHY']

function row({
  id,
  kind,
  code,
  field,
  endpoint,
  at,
  type,
  controlId,
  attempts,
  answer,
  title,
}: Letter): readonly string[] {
  const where = field === undefined ? '' : ` at ${field}`
  return [id, kind, code, endpoint, at, type, controlId, String(attempts), answer ?? `${title}${where}`]
}
