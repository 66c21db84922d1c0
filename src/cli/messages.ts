import type { Fault } from '../core/fault.ts'
import { ask } from './api.ts'
import { faultText } from './fault-text.ts'
import { list } from './listing.ts'
import { headedTable, table, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane messages [ID] [--state waiting|applied|ignored|invalid|dead] [--source S] [--control-id C]
                  [--accession A] [--patient ID] [--order-number N] [--limit N] [--after CURSOR]
                  [--config FILE] [--json]

Lists the messages that a running engine has received, newest first, each in the one
state it is in; with an ID, shows that message as it came, and what was answered.`

interface Shown {
  readonly id: string
  readonly at: string
  readonly source: string
  readonly type: string
  readonly controlId: string
  readonly acknowledgmentCode: string
  readonly state: {
    readonly kind: string
    readonly rule?: string
    readonly fault?: Fault
    readonly faults?: readonly Fault[]
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
  const answer = await ask(io, `/api/messages/${encodeURIComponent(id)}`, query, { expects: 'id', config })
  if (answer.kind === 'failed') {
    io.stderr(`${answer.reason}\n`)
    return 1
  }
  if (json === true) {
    io.stdout(`${JSON.stringify(answer.body, null, 2)}\n`)
    return 0
  }
  const message = answer.body as unknown as Shown & { readonly body: string; readonly acknowledgment: string }
  io.stdout(table([row(message)]))
  io.stdout(
    faultsOf(message.state)
      .map((fault) => faultText(fault, io))
      .join(''),
  )
  io.stdout(`\n${linesOf(message.body)}\nanswered:\n${linesOf(message.acknowledgment)}`)
  return 0
}

const headings = ['ID', 'RECEIVED', 'SOURCE', 'TYPE', 'CONTROL ID', 'ACK', 'STATE']

function faultsOf({ fault, faults = [] }: Shown['state']): readonly Fault[] {
  return fault === undefined ? faults : [...faults, fault]
}

/** One segment on each line. */
function linesOf(text: string): string {
  return `${text.replaceAll(/\r\n?/g, '\n').trimEnd()}\n`
}

function row({ id, at, source, type, controlId, acknowledgmentCode, state }: Shown): readonly string[] {
  const codes = faultsOf(state).map(({ code }) => code)
  const why = state.rule ?? codes.join(' ')
  return [id, at, source, type, controlId, acknowledgmentCode, why === '' ? state.kind : `${state.kind} (${why})`]
}
