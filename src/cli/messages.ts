import { answerOf, list } from './listing.ts'
import { actText, type Act } from './message-acts.ts'
import { headedTable, painter, table, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane messages [ID] [--state waiting|applied|ignored|invalid|dead] [--source S] [--control-id C]
                  [--accession A] [--patient ID] [--order-number N] [--limit N] [--after CURSOR]
                  [--config FILE] [--json]

Lists the messages that a running engine has received, newest first, each in the one
state it is in; with an ID, shows that message as it came, which plan judged it (\`worklane
configuration\` tells of which version), what was answered, and what was done to it by hand.`

interface Shown {
  readonly id: string
  readonly at: string
  readonly source: string
  readonly type: string
  readonly controlId: string
  readonly acknowledgmentCode: string
  /** Made by a person, who corrected that one. */
  readonly editOf?: string
  readonly state: {
    readonly kind: string
    readonly rule?: string
    readonly fault?: { code: string }
    readonly faults?: readonly { code: string }[]
  }
}

export async function messages(args: readonly string[], io: Io): Promise<number> {
  const text = { type: 'string' } as const
  const options = {
    state: text,
    source: text,
    'control-id': text,
    accession: text,
    patient: text,
    'order-number': text,
    limit: text,
    after: text,
    config: text,
    json: { type: 'boolean' },
  } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 1) return misuse('One ID at a time', usage, io)
  const [id] = positionals
  const query = {
    state: values.state,
    source: values.source,
    controlId: values['control-id'],
    accession: values.accession,
    patientId: values.patient,
    orderNumber: values['order-number'],
    limit: values.limit,
    after: values.after,
  }
  const { config, json } = values
  if (id === undefined) {
    const show = (found: readonly Shown[]): string => headedTable(headings, found.map(row), io)
    return list<Shown>(io, { path: '/api/messages', query, config, json, noun: 'message', show })
  }
  const filter = finders.find((name) => values[name] !== undefined)
  if (filter !== undefined) return misuse(`--${filter} chooses among all; give it or an ID`, usage, io)
  const path = `/api/messages/${encodeURIComponent(id)}`
  const message = await answerOf<ShownWhole>(io, { path, expects: 'id', config, json })
  if (typeof message === 'number') return message
  io.stdout(table([row(message)]))
  if (message.planId) io.stdout(`  judged by plan ${message.planId.slice(0, 8)} of ${message.source}\n`)
  for (const problem of message.problems ?? []) io.stdout(problemText(problem, io))
  for (const act of message.acts ?? []) io.stdout(`  ${actText(act)}\n`)
  const answered = isAnswered(message.type) && message.editOf === undefined
  const told = answered ? `answered:\n${linesOf(message.acknowledgment)}` : 'not answered\n'
  io.stdout(`\n${linesOf(message.body)}\n${told}`)
  return 0
}

const finders = ['state', 'source', 'control-id', 'accession', 'patient', 'order-number', 'limit', 'after'] as const

const headings = ['ID', 'RECEIVED', 'SOURCE', 'TYPE', 'CONTROL ID', 'ACK', 'STATE']

interface ShownWhole extends Shown {
  readonly body: string
  readonly acknowledgment: string
  /** Empty where no pipeline took it. */
  readonly planId?: string
  readonly problems?: readonly Told[]
  readonly acts?: readonly Act[]
}

/** Why it was refused, as the engine says it: a newer one may know more codes. */
interface Told {
  readonly code: string
  readonly title: string
  readonly field?: string
  readonly rule?: string
  readonly cure: string
}

function problemText({ code, title, field, rule, cure }: Told, io: Io): string {
  const paint = painter(io)
  const where = field === undefined ? '' : ` at ${field}`
  const by = rule === undefined ? '' : `  ${rule}`
  return `  ${paint.yellow(code)}  ${title}${where}${by}\n    ${paint.dim(cure)}\n`
}

/** An acknowledgment is not acknowledged. */
function isAnswered(type: string): boolean {
  return !/^ACK(\^|$)/.test(type)
}

/** One segment on each line; of a very long one (a report, a picture) the beginning. */
export function linesOf(text: string): string {
  const lines = text.replaceAll(/\r\n?/g, '\n').trimEnd().split('\n')
  const shown = lines.map((line) =>
    line.length > longest
      ? `${line.slice(0, longest)}… (${line.length - longest} characters more; --json has all)`
      : line,
  )
  return `${shown.join('\n')}\n`
}

const longest = 2000

function row({ id, at, source, type, controlId, acknowledgmentCode, editOf, state }: Shown): readonly string[] {
  const codes = [...(state.faults ?? []), ...(state.fault === undefined ? [] : [state.fault])].map(({ code }) => code)
  const why = state.rule ?? codes.join(' ')
  const answered = isAnswered(type) && editOf === undefined ? acknowledgmentCode : '-'
  return [id, at, source, type, controlId, answered, why === '' ? state.kind : `${state.kind} (${why})`]
}
