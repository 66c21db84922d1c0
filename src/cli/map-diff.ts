import { preparePlan } from '../config/plans.ts'
import type { Site } from '../config/site.ts'
import type { DatasetValue } from '../core/dataset.ts'
import { compareVerdicts, isDifferent, type VerdictDifference } from '../mapping/index.ts'
import { shown } from '../mapping/explain.ts'
import { ask } from './api.ts'
import { ruleText } from './map-text.ts'
import type { Dry } from './map.ts'
import type { Chosen } from './map-choose.ts'
import { counted, painter, table, type Io } from './output.ts'
import { createProgress } from './progress.ts'

/** What the running engine answers of one message (POST /api/trial). */
interface Trial {
  readonly outcome: 'applied' | 'unchanged' | 'ignored' | 'invalid' | 'dead'
  readonly rule?: string
  readonly problems: readonly {
    readonly code: string
    readonly title: string
    readonly field?: string
    readonly cure: string
  }[]
  readonly orders: readonly { readonly id: string; readonly isNew: boolean }[]
  readonly items: readonly {
    readonly id: string
    readonly kind: 'new' | 'changed' | 'withdrawn' | 'shown'
    readonly accessionNumber: string
    readonly step: string
    readonly differences: readonly { readonly attribute: string; readonly now: unknown; readonly becomes: unknown }[]
  }[]
  readonly messages: readonly { readonly endpoint: string; readonly event?: string }[]
}

export type Tried = { readonly dry: Dry; readonly trial: Trial }

const mostMessages = 100
/** As much as a request may hold, with the plan, in base64. */
const mostBytes = 900_000

/**
 * What messages would change in the store of the running engine, judged by the pipeline as it is on disk. A text: why it
 * cannot be said. Beyond a hundred messages each hundred begins with the store as it is.
 */
export async function tryInEngine(
  runs: readonly Dry[],
  { pipeline, source }: Pick<Chosen, 'pipeline' | 'source'>,
  {
    site,
    io,
    config,
    sender,
  }: { readonly site: Site; readonly io: Io; readonly config: string | undefined; readonly sender: string },
): Promise<readonly Tried[] | string> {
  const { stored: plan } = preparePlan(source, [pipeline], site.tables, site.settings)
  const tried: Tried[] = []
  const progress = createProgress({ io, total: runs.length })
  for (let from = 0; from < runs.length;) {
    const some: Dry[] = []
    const texts: string[] = []
    for (
      let size = Buffer.byteLength(JSON.stringify(plan));
      from + some.length < runs.length && some.length < mostMessages;
    ) {
      const dry = runs[from + some.length] as Dry
      const text = Buffer.from(dry.bytes).toString('base64')
      size += text.length + 3
      if (some.length > 0 && size > mostBytes) break
      some.push(dry)
      texts.push(text)
    }
    const body = { source: source.name, plan, messages: texts, ...(sender === '' ? {} : { sender }) }
    const answer = await ask(io, '/api/trial', {}, { expects: 'items', config, body, seconds: 60 })
    if (answer.kind === 'failed') {
      progress.end()
      return answer.reason
    }
    const trials = (answer.body as unknown as { readonly items: readonly Trial[] }).items
    some.forEach((dry, at) => {
      tried.push({ dry, trial: trials[at] as Trial })
      progress.step()
    })
    from += some.length
  }
  progress.end()
  return tried
}

const outcomes: Readonly<Record<Trial['outcome'], string>> = {
  applied: '',
  unchanged: 'would change nothing',
  ignored: 'would be ignored',
  invalid: 'would be refused',
  dead: 'could not be applied',
}

/** Item by item, attribute by attribute, with the line of the rule that says the new value. */
export function triedText({ dry, trial }: Tried, file: string, io: Io): string {
  const paint = painter(io)
  const { outcome, rule, problems, items, messages } = trial
  const words = [outcomes[outcome], ...(rule === undefined ? [] : [`(${rule})`])].join(' ').trim()
  const tone = outcome === 'invalid' || outcome === 'dead' ? paint.red : paint.dim
  const lines = [`${headOf(dry, io)}  ${tone(words)}`.trimEnd() + '\n']
  for (const { code, title, field, cure } of problems) {
    const where = field === undefined ? '' : ` at ${field}`
    lines.push(`  ${paint.yellow(code)}  ${title}${where}\n    ${paint.dim(cure)}\n`)
  }
  for (const { kind, accessionNumber, step, id, differences } of items) {
    const what = [accessionNumber && `accession ${accessionNumber}`, step && `step ${step}`].filter(Boolean).join(', ')
    lines.push(`  ${paint.bold(kind)}  ${what}  ${paint.dim(id)}\n`)
    const rows = differences.map(({ attribute, now, becomes }) => {
      const place = dry.judgement.lines.find((line) => line.keyword === attribute)?.place
      const said = kind === 'new' ? valueText(becomes) : `${valueText(now)} -> ${valueText(becomes)}`
      return [attribute, said, place === undefined ? '' : paint.dim(ruleText(place, file))]
    })
    lines.push(table(rows, '    '))
  }
  const told = messages.map(({ endpoint, event }) => (event === undefined ? endpoint : `${endpoint} (${event})`))
  if (told.length > 0) lines.push(`  told: ${told.join(', ')}\n`)
  return lines.join('')
}

export function triedSummary(tried: readonly Tried[], io: Io): string {
  const count = (kind: string): number =>
    tried.reduce((sum, { trial }) => sum + trial.items.filter((item) => item.kind === kind).length, 0)
  const refused = tried.filter(isRefused).length
  const parts = [
    `${count('new')} new`,
    `${count('changed') + count('shown')} changed`,
    `${count('withdrawn')} withdrawn`,
    ...(refused === 0 ? [] : [painter(io).red(`${counted(refused, 'message')} refused`)]),
  ]
  return `${counted(tried.length, 'message')}; items: ${parts.join(', ')}. Nothing was sent or stored.\n`
}

export function isRefused({ trial }: Tried): boolean {
  return trial.outcome === 'invalid' || trial.outcome === 'dead'
}

export function triedJson({ dry: { file, number, controlId }, trial }: Tried): object {
  return { file, message: number, controlId, ...trial }
}

/** One message through two versions of a pipeline. */
export interface Compared {
  readonly dry: Dry
  readonly found: VerdictDifference
}

export function compareRuns(runs: readonly Dry[], others: readonly Dry[]): readonly Compared[] {
  return runs.flatMap((dry, at) => {
    const other = others[at]
    if (other === undefined) return []
    const found = compareVerdicts(other.judgement.verdict, dry.judgement.verdict)
    return isDifferent(found) ? [{ dry, found }] : []
  })
}

export function comparedText({ dry, found }: Compared, file: string, io: Io): string {
  const paint = painter(io)
  const { verdict, appear, disappear, values, warnings } = found
  const items = [
    appear > 0 ? `${counted(appear, 'item')} more` : '',
    disappear > 0 ? `${counted(disappear, 'item')} fewer` : '',
  ]
  const rows = [
    ...(verdict === undefined ? [] : [['answer', `${verdict.before} -> ${verdict.after}`]]),
    ...items.filter((text) => text !== '').map((text) => ['items', text]),
    ...values.map(({ keyword, before, after }) => {
      const place = dry.judgement.lines.find((line) => line.keyword === keyword)?.place
      return [keyword, `${before} -> ${after}`, place === undefined ? '' : paint.dim(ruleText(place, file))]
    }),
    ...warnings.after.map((code) => ['warning', `${code} more`]),
    ...warnings.before.map((code) => ['warning', `${code} no more`]),
  ]
  return `${headOf(dry, io)}\n${table(rows, '  ')}`
}

function headOf({ file, number, controlId, judgement }: Dry, io: Io): string {
  return `${painter(io).bold(`${file}, message ${number}`)}  ${judgement.type} ${controlId}`
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '(nothing)'
  if (typeof value === 'string') return value
  return shown(value as DatasetValue)
}
