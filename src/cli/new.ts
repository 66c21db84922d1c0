import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { shownPath } from '../config/files.ts'
import type { PipelineFile } from '../config/pipelines.ts'
import { preparePlan } from '../config/plans.ts'
import type { LoadedSite, Site } from '../config/site.ts'
import { suggestion } from '../config/suggest.ts'
import { cure, EngineError, sentence } from '../core/errors/index.ts'
import { placeText, type Fault, type Problem } from '../core/fault.ts'
import type { Verdict } from '../core/message.ts'
import type { SourceSettings } from '../core/settings.ts'
import { compilePlan } from '../mapping/index.ts'
import type { Plan } from '../mapping/types.ts'
import { load, refuse } from './load.ts'
import { findIn, type Findings } from './new-findings.ts'
import { pipelineText, type NewPipeline } from './new-pipeline-text.ts'
import { chooseSamples, kindOf, readSamples, type Read, type Samples } from './new-samples.ts'
import { testText, type TestMessage } from './new-test-text.ts'
import { counted, problemText, type Io } from './output.ts'
import { testPipeline } from './pipeline-tests.ts'
import { createProgress } from './progress.ts'
import { stageSite } from './stage-site.ts'
import { standIn } from './stand-in.ts'
import { misuse, readArgs } from './usage.ts'
import { fieldsOf } from './used-fields.ts'

export const usage = `worklane new pipeline NAME --from FILE... [--like PIPELINE] [--config FILE] [--json]

Makes a pipeline from sample messages: pipelines/NAME with pipeline.yaml, its test and
messages. It extends the pipeline of --like (default: the one that takes most of the
samples, of orders, bookings or patients), takes the messages of those who sent the
samples, and says in comments which field fills each required key of a worklist item,
what the samples lack, why they are refused, and which of their fields nothing reads.
The samples are read, never copied: the files hold paths and counts, and messages in
which names, numbers, dates and texts are made up. Nothing that is there is written over.
A FILE may be a folder of files, and - is standard input.`
const options = {
  from: { type: 'string', multiple: true },
  like: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const

/** A pipeline to start from, whose own test passes; it takes effect when the engine reads it. */
export async function newPipeline(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const [what, name, ...more] = positionals
  const files = [...(values.from ?? []), ...more]
  if (what !== 'pipeline') return misuse('What is new is a pipeline: worklane new pipeline NAME', usage, io)
  if (name === undefined || !/^[a-z][a-z0-9-]{0,60}$/.test(name))
    return misuse('A pipeline needs a name of small letters, digits and hyphens', usage, io)
  if (files.length === 0) return misuse('Which messages? Name files with --from', usage, io)

  const loaded = load(io, values.config)
  const { site } = loaded
  if (site === undefined) return refuse(loaded, io)
  let chosen: ReturnType<typeof choose>
  try {
    chosen = choose(files, site, values.like, io)
  } catch (error) {
    return failed(error, io)
  }
  if (chosen === undefined) return 1
  const { base } = chosen
  const folder = join(dirname(base.folder), name)
  const shown = shownPath(folder, io.cwd)
  if (existsSync(folder) || site.pipelines.some((pipeline) => pipeline.name === name)) {
    io.stderr(`There is a pipeline "${name}" already; nothing was written.\n`)
    return 1
  }
  let made: Made
  try {
    made = make(name, { ...chosen, site, known: loaded.problems, config: values.config, io })
  } catch (error) {
    return failed(error, io)
  }
  if (made.kind === 'failed') {
    if (made.loaded !== undefined) return refuse(made.loaded, io)
    io.stderr(`${made.reason} Nothing was written.\n`)
    return 1
  }
  for (const [path, text] of Object.entries(made.files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text, { flag: 'wx' })
  }
  const { samples, findings, understood, problems } = made
  if (values.json) {
    const paths = Object.keys(made.files).map((path) => join(shown, path))
    const others = Object.fromEntries(samples.others)
    io.stdout(
      `${JSON.stringify({ pipeline: name, like: base.name, files: paths, orders: samples.orders.length, understood, others, unreadable: samples.unreadable, ...findings, problems }, null, 2)}\n`,
    )
  } else {
    io.stdout(report(name, shown, made, { base, site }))
    for (const one of problems) io.stderr(problemText(one, io))
    // Nobody may lose the messages of another sender without being told.
    if (samples.senders === undefined)
      io.stderr(`It takes the place of ${base.name}, which gets nothing from now on.\n`)
  }
  return 0
}

function failed(error: unknown, io: Io): number {
  if (!(error instanceof EngineError)) throw error
  io.stderr(`${error.code}  ${error.message}\n    ${error.cure}\nNothing was written.\n`)
  return 1
}

interface Chosen {
  readonly base: PipelineFile
  readonly source: SourceSettings
  readonly read: Read
}

/** The pipeline that is named, or the one that takes most of the samples; and the samples as its source reads them. */
function choose(files: readonly string[], site: Site, like: string | undefined, io: Io): Chosen | undefined {
  const known = site.pipelines.filter(({ kind }) => kind !== 'status')
  const names = known.map(({ name }) => name)
  if (like !== undefined && !names.includes(like)) {
    const isStatus = site.pipelines.some(({ name }) => name === like)
    const advice = isStatus
      ? `${like} writes messages for a RIS, and none that come say how. Write a pipeline of your own with \`extend: ${like}\` (docs/how-to/tell-the-ris.md).`
      : (suggestion(like, names, 'Pipelines that take messages are') ?? '')
    const said = isStatus ? 'A status pipeline is not made from samples.' : sentence('E280', { name: like })
    io.stderr(`E280  ${said}\n    ${advice}\nNothing was written.\n`)
    return undefined
  }
  const first = known.find(({ name }) => name === (like ?? 'orders')) ?? known.find(({ kind }) => kind === 'orders')
  const heard = first && sourceOf(first, site)
  if (first === undefined || heard === undefined) {
    io.stderr('No pipeline of this site takes messages; nothing was written.\n')
    return undefined
  }
  const read = readSamples(files, io, heard)
  if (like !== undefined) return { base: first, source: heard, read }
  // What extends another stands for the messages of one sender.
  const own = known.filter(({ bases }) => bases.length === 0)
  const taken = (pipeline: PipelineFile): number =>
    read.messages.filter((sample) => kindOf(sample) === pipeline.kind && takes(pipeline, sample.type)).length
  const base = own.reduce((best, each) => (taken(each) > taken(best) ? each : best), first)
  const source = sourceOf(base, site)
  if (base === first || source === undefined) return { base: first, source: heard, read }
  return { base, source, read: readSamples(files, io, source) }
}

function sourceOf({ from }: PipelineFile, { settings }: Site): SourceSettings | undefined {
  return settings.sources.find(({ name }) => name === from)
}

/** Whether a pipeline names this type of message. */
function takes({ located }: PipelineFile, type: string): boolean {
  const accept = fieldsOf(fieldsOf(located.value)['accept'])
  return [...textsOf(accept['messages']), ...textsOf(accept['replies'])].some(
    (each) => type === each || type.startsWith(`${each}^`),
  )
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
}

type Made =
  | {
      readonly kind: 'made'
      readonly files: Readonly<Record<string, string>>
      readonly samples: Samples
      readonly findings: Findings
      /** Samples that the pipeline of `--like` takes as it is. */
      readonly understood: number
      /** What is to be said of the site with it, and was not before. */
      readonly problems: readonly Problem[]
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly loaded?: LoadedSite }

interface Given extends Chosen {
  readonly site: Site
  /** What was to be said of the site before. */
  readonly known: readonly Problem[]
  readonly config: string | undefined
  readonly io: Io
}

function make(name: string, { site, base, source, read, known, config, io }: Given): Made {
  const plan = planOf(base, site)
  if (plan === undefined) return { kind: 'failed', reason: `${base.name} hears no source.` }
  const stations = stationsOf(site)
  const kind = base.kind === 'patients' ? 'patients' : 'orders'
  const others = site.pipelines.filter((each) => each.kind !== 'status' && each.bases.length === 0 && each !== base)
  // What another pipeline is for is not taken away from it because it lay in the same folder.
  const isMine = (type: string): boolean => takes(base, type) || !others.some((other) => takes(other, type))
  const mine = chooseSamples(read, { kind, isMeant: isMine, stations })
  const samples = mine.orders.length > 0 ? mine : chooseSamples(read, { kind, isMeant: () => true, stations })
  const { orders } = samples
  if (orders.length === 0) {
    const what = kind === 'orders' ? 'an order (ORC, SCH)' : 'a patient alone (PID, without ORC and SCH)'
    return { kind: 'failed', reason: `No sample holds ${what}.${leftOut(samples, site, base)}` }
  }

  const verdicts = orders.map(({ message }) => plan.judge(message).verdict)
  const isLeftOut = (verdict: Verdict): boolean =>
    verdict.kind === 'ignored' && verdict.rule === `${base.name}: accept.when`
  const understood = verdicts.filter((verdict) => verdict.kind !== 'invalid' && !isLeftOut(verdict)).length
  const document = fieldsOf(base.located.value)
  const accept = fieldsOf(document['accept'])
  const given: NewPipeline = {
    name,
    like: base.name,
    schema: schemaOf(base, { config, io }),
    source: source.name,
    samples,
    messages: typesOf(samples, accept),
    // A condition that leaves samples out is one for other senders.
    when: typeof accept['when'] === 'string' && !verdicts.some(isLeftOut) ? accept['when'] : '',
    taken: new Set([...Object.keys(fieldsOf(document['let'])), 'step']),
    findings: undefined,
    understood,
  }
  const stage = <T>(texts: Readonly<Record<string, string>>, use: (loaded: LoadedSite) => T): T =>
    stageSite({ io, config, folder: dirname(base.folder), name, files: texts }, use)
  const draft = stage({ 'pipeline.yaml': pipelineText(given) }, (loaded): Draft | LoadedSite => {
    const pipeline = loaded.site?.pipelines.find((one) => one.name === name)
    const drafted = pipeline === undefined || loaded.site === undefined ? undefined : planOf(pipeline, loaded.site)
    if (pipeline === undefined || drafted === undefined) return loaded
    // A day of messages takes some seconds.
    const progress = (io.isErrorTty ?? io.isTty) ? createProgress({ io, total: orders.length }) : undefined
    const findings = findIn(samples, drafted, pipeline.located, () => progress?.step())
    progress?.end()
    return { plan: drafted, findings }
  })
  if (!('plan' in draft)) return { kind: 'failed', reason: '', loaded: draft }

  const messages = messagesOf(samples, stations)
  const texts: Readonly<Record<string, string>> = {
    'pipeline.yaml': pipelineText({ ...given, findings: draft.findings }),
    'pipeline.test.yaml': testText({
      name,
      messages,
      plan: draft.plan,
      isBySender: samples.senders !== undefined,
      schema: given.schema && given.schema.replace(/pipeline(?=\.schema\.json$)/, 'pipeline-test'),
    }),
    ...Object.fromEntries(
      messages.map(({ title, text }) => [`messages/${fileName(title)}.hl7`, text.replaceAll('\n', '\r')]),
    ),
  }
  return stage(texts, (loaded): Made => {
    const pipeline = loaded.site?.pipelines.find((one) => one.name === name)
    if (loaded.site === undefined || pipeline === undefined) return { kind: 'failed', reason: '', loaded }
    const tested = testPipeline(pipeline, loaded.site, io.cwd)
    const isGood = tested?.results.every(({ differences }) => differences.length === 0) === true
    if (!isGood || tested.problems.length > 0)
      return {
        kind: 'failed',
        reason: 'The test that was made of the samples does not pass: this is a fault of worklane.',
      }
    const problems = loaded.problems.filter((one) => !known.some((other) => isSame(one, other)))
    return { kind: 'made', files: texts, samples, findings: draft.findings, understood, problems }
  })
}

function isSame(one: Problem, other: Problem): boolean {
  return one.file === other.file && one.line === other.line && one.message === other.message
}

interface Draft {
  readonly plan: Plan
  readonly findings: Findings
}

/** The pipeline alone: its neighbours are asked at other times. */
function planOf(pipeline: PipelineFile, { settings, tables }: Site): Plan | undefined {
  const source = settings.sources.find(({ name }) => name === pipeline.from)
  return source && compilePlan(preparePlan(source, [pipeline], tables, settings).input).plan
}

/** The JSON Schema of pipelines as the new file names it for editors, where the site has it. */
function schemaOf(
  { folder }: PipelineFile,
  { config, io }: { readonly config: string | undefined; readonly io: Io },
): string | undefined {
  const file = resolve(io.cwd, config ?? io.env['WORKLANE_CONFIG'] ?? 'config/worklane.yaml')
  const schema = join(dirname(file), 'pipeline.schema.json')
  return existsSync(schema) ? relative(folder, schema).split(sep).join('/') : undefined
}

/** The types of the other pipeline and of the samples, where there are more; else none. */
function typesOf({ orders }: Samples, accept: Readonly<Record<string, unknown>>): readonly string[] {
  const known = textsOf(accept['messages'])
  const answered = [...known, ...textsOf(accept['replies'])]
  const more = new Set(orders.map(({ type }) => type))
  for (const type of answered)
    for (const each of more) if (each === type || each.startsWith(`${type}^`)) more.delete(each)
  return more.size === 0 ? [] : [...known, ...more]
}

/** Cells of the tables, in columns of stations, and the site's default. */
function stationsOf({ tables, settings }: Site): ReadonlySet<string> {
  const stations = new Set(settings.defaults.stationAeTitle === '' ? [] : [settings.defaults.stationAeTitle])
  for (const text of Object.values(tables)) {
    const [head = '', ...rows] = text.split(/\r?\n/).filter((line) => !line.startsWith('#'))
    const at = head.split(',').findIndex((column) => /^station(_ae)?$/i.test(column.trim()))
    if (at < 0) continue
    for (const row of rows) {
      const cell = row.split(',')[at]?.trim() ?? ''
      if (/^[A-Za-z0-9_.-]{2,16}$/.test(cell)) stations.add(cell)
    }
  }
  return stations
}

/** One of each type and order control, those that make something first; enough to see that it works. */
function messagesOf({ orders }: Samples, stations: ReadonlySet<string>): readonly TestMessage[] {
  const first = new Map<string, TestMessage>()
  const isNew = (control: string) => (['NW', 'RO', 'CH'].includes(control) ? 0 : 1)
  const sorted = [...orders].sort((a, b) => isNew(a.orderControl) - isNew(b.orderControl))
  for (const { type, orderControl, message } of sorted) {
    const title = /^[A-Z]{2}$/.test(orderControl) ? `${type} ${orderControl}` : type
    if (first.has(title) || first.size === 12) continue
    const controlId = `MSG${String(first.size + 1).padStart(4, '0')}`
    first.set(title, { title, text: standIn(message, { controlId, stations }) })
  }
  return [...first.values()]
}

function fileName(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

/** What was not looked at, and by which pipeline it could be; and why what could not be read could not. */
function leftOut({ others, unreadable }: Samples, site: Site, base: PipelineFile): string {
  const parts = [...others].map(([type, count]) => {
    const other = site.pipelines.find(
      (each) => each.kind !== 'status' && each.bases.length === 0 && each !== base && takes(each, type),
    )
    return `${count} ${type}${other === undefined ? '' : ` (for those: --like ${other.name})`}`
  })
  const words = [
    ...(parts.length === 0 ? [] : [` Left out, for they are of another kind: ${parts.join(', ')}.`]),
    ...(unreadable.length === 0
      ? []
      : [` ${counted(unreadable.length, 'message')} could not be read: ${why(unreadable)}`]),
  ]
  return words.join('')
}

/** Each reason once, with what can be done. */
function why(faults: readonly Fault[]): string {
  const reasons = faults.map(({ code, params }) => `${sentence(code, params)} (${code}) ${cure(code, params)}`)
  return [...new Set(reasons)].slice(0, 3).join(' ')
}

function report(
  name: string,
  folder: string,
  { files, samples, findings, understood }: Extract<Made, { kind: 'made' }>,
  { base, site }: { readonly base: PipelineFile; readonly site: Site },
): string {
  const { orders } = samples
  const like = base.name
  const { described, refusals, keys } = findings
  const lacking = keys.filter(({ count, type }) => count === 0 && type === '1').map(({ keyword }) => keyword)
  const all = understood === orders.length
  const what = samples.kind === 'orders' ? 'with orders' : 'of patients'
  return [
    `${counted(orders.length, 'sample')} ${what}; ${like} takes ${all ? 'all' : understood} of them as it is.${leftOut(samples, site, base)}`,
    ...(all
      ? [`If nothing in ${name} is to be different, you do not need it: send them to the source of ${like}.`]
      : []),
    'Written:',
    ...Object.keys(files).map((path) => `  ${join(folder, path)}`),
    ...refusals.slice(0, 5).map(({ acknowledgment, fault: { code, params, place }, count }) => {
      const where = place === undefined ? '' : ` at ${placeText(place)}`
      return `${acknowledgment} for ${count} as it is now: ${code}  ${sentence(code, params)}${where}`
    }),
    ...(described === 0
      ? []
      : [
          lacking.length === 0
            ? 'Every key of type 1 has a value in the samples.'
            : `Not in the samples, though modalities need it: ${lacking.join(', ')}. pipeline.yaml says what to do.`,
        ]),
    `Now: worklane check, worklane test ${name}, worklane map ${name} FILE. A running engine is not changed by this.`,
    '',
  ].join('\n')
}
