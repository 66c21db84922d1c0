import { painter, table, type Io } from './output.ts'

export interface Preview {
  readonly outcome: string
  readonly stale?: string
  readonly rule?: string
  readonly problems: readonly {
    readonly code: string
    readonly title: string
    readonly field?: string
    readonly cure: string
  }[]
  readonly differences: readonly {
    readonly about: string
    readonly orderId?: string
    readonly step?: string
    readonly attribute: string
    readonly now: unknown
    readonly becomes: unknown
  }[]
  readonly orders: readonly { readonly id: string; readonly isNew: boolean }[]
  readonly messages: readonly { readonly endpoint: string; readonly event?: string }[]
  readonly text: string
}

const outcomes: Readonly<Record<string, string>> = {
  applied: 'would take effect',
  'already-applied': 'would change nothing',
  ignored: 'would be ignored',
  invalid: 'would be refused by the pipeline',
  dead: 'could not be applied',
  stale: 'is stale: it would undo something newer',
}

const whys: Readonly<Record<string, string>> = {
  'newer-order': 'its order has seen something later',
  'newer-patient': 'something later has said who the patient is',
  'order-gone': 'it was applied, and its order is no longer kept',
}

/** What a replay would do: value by value as it is and as it would be. */
export function previewText(id: string, preview: Preview, io: Io): string {
  const { outcome, stale, rule, problems, differences, orders, messages } = preview
  const paint = painter(io)
  const why = rule ?? (stale === undefined ? undefined : (whys[stale] ?? stale))
  const lines = [`${paint.bold(id)} ${outcomes[outcome] ?? outcome}${why === undefined ? '' : ` (${why})`}\n`]
  for (const { code, title, field, cure } of problems) {
    lines.push(
      `  ${paint.yellow(code)}  ${title}${field === undefined ? '' : ` at ${field}`}\n    ${paint.dim(cure)}\n`,
    )
  }
  const made = orders.filter(({ isNew }) => isNew).length
  if (made > 0) lines.push(`  ${made === 1 ? 'a new order' : `${made} new orders`}\n`)
  const rows = differences.map(({ about, orderId, step, attribute, now, becomes }) => [
    [about === 'patient' ? 'patient' : `order ${orderId ?? ''}`, ...(step === undefined ? [] : [`step ${step}`])].join(
      ' ',
    ),
    attribute,
    `${valueText(now)} -> ${valueText(becomes)}`,
  ])
  if (rows.length > 0) lines.push(table(rows, '  '))
  const told = messages.map(({ endpoint, event }) => (event === undefined ? endpoint : `${endpoint} (${event})`))
  if (told.length > 0) lines.push(`  told: ${told.join(', ')}\n`)
  return lines.join('')
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '(nothing)'
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ') || '(nothing)'
  return JSON.stringify(value)
}
