import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import type { PipelineFile } from '../config/pipelines.ts'
import { preparePlan } from '../config/plans.ts'
import type { LoadedSite, Site } from '../config/site.ts'
import type { Problem } from '../core/fault.ts'
import type { Verdict } from '../core/message.ts'
import { compilePlan } from '../mapping/index.ts'
import type { Plan } from '../mapping/types.ts'
import { takes, textsOf, type Chosen } from './new-base.ts'
import { findIn, type Findings } from './new-findings.ts'
import { leftOut } from './new-left-out.ts'
import { pipelineText, type NewPipeline } from './new-pipeline-text.ts'
import { chooseSamples, type Samples } from './new-samples.ts'
import { testText, type TestMessage } from './new-test-text.ts'
import type { Io } from './output.ts'
import { testPipeline } from './pipeline-tests.ts'
import { createProgress } from './progress.ts'
import { stageSite } from './stage-site.ts'
import { standIn } from './stand-in.ts'
import { fieldsOf } from './used-fields.ts'

export interface Made {
  readonly kind: 'made'
  readonly files: Readonly<Record<string, string>>
  readonly samples: Samples
  readonly findings: Findings
  /** Samples that the pipeline of `--like` takes as it is. */
  readonly understood: number
  /** What is to be said of the site with it, and was not before. */
  readonly problems: readonly Problem[]
}

export interface NotMade {
  readonly kind: 'failed'
  readonly reason: string
  /** What is wrong with the site that has it. */
  readonly loaded?: LoadedSite
}

export interface MakeContext extends Chosen {
  readonly site: Site
  /** What was to be said of the site before. */
  readonly known: readonly Problem[]
  readonly config: string | undefined
  readonly io: Io
}

/** The files of a new pipeline, whose own test passes. */
export function make(name: string, context: MakeContext): Made | NotMade {
  const { site, base, source, config, io } = context
  const plan = planOf(base, site)
  if (plan === undefined) return { kind: 'failed', reason: `${base.name} hears no source.` }
  const stations = stationsOf(site)
  const samples = samplesFor(context, stations)
  const { orders } = samples
  if (orders.length === 0) {
    const what = samples.kind === 'orders' ? 'an order (ORC, SCH)' : 'a patient alone (PID, without ORC and SCH)'
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
  const draft = drafted(given, context)
  if (draft.kind === 'failed') return draft
  const files = filesOf({ ...given, findings: draft.findings }, draft.plan, messagesOf(samples, stations))
  const tried = tryOut(name, files, context)
  if (tried.kind === 'failed') return tried
  return { kind: 'made', files, samples, findings: draft.findings, understood, problems: tried.problems }
}

/** What another pipeline is for is not taken away from it because it lay in the same folder. */
function samplesFor({ site, base, read }: MakeContext, stations: ReadonlySet<string>): Samples {
  const kind = base.kind === 'patients' ? 'patients' : 'orders'
  const others = site.pipelines.filter((each) => each.kind !== 'status' && each.bases.length === 0 && each !== base)
  const isMine = (type: string): boolean => takes(base, type) || !others.some((other) => takes(other, type))
  const mine = chooseSamples(read, { kind, isMeant: isMine, stations })
  return mine.orders.length > 0 ? mine : chooseSamples(read, { kind, isMeant: () => true, stations })
}

/** A copy of the site with the pipeline in it, as long as it is used. */
function stage<T>(
  name: string,
  files: Readonly<Record<string, string>>,
  { base, config, io }: MakeContext,
  use: (loaded: LoadedSite) => T,
): T {
  return stageSite({ io, config, folder: dirname(base.folder), name, files }, use)
}

interface Draft {
  readonly kind: 'drafted'
  readonly plan: Plan
  readonly findings: Findings
}

/** The pipeline without comments reads the samples: what it finds there is written into its comments. */
function drafted(given: NewPipeline, context: MakeContext): Draft | NotMade {
  const { name, samples } = given
  return stage(name, { 'pipeline.yaml': pipelineText(given) }, context, (loaded) => {
    const pipeline = loaded.site?.pipelines.find((one) => one.name === name)
    const plan = pipeline === undefined || loaded.site === undefined ? undefined : planOf(pipeline, loaded.site)
    if (pipeline === undefined || plan === undefined) return { kind: 'failed', reason: '', loaded }
    const { io } = context
    // A day of messages takes some seconds.
    const progress = (io.isErrorTty ?? io.isTty) ? createProgress({ io, total: samples.orders.length }) : undefined
    const findings = findIn(samples, plan, pipeline.located, () => progress?.step())
    progress?.end()
    return { kind: 'drafted', plan, findings }
  })
}

function filesOf(given: NewPipeline, plan: Plan, messages: readonly TestMessage[]): Readonly<Record<string, string>> {
  const { name, schema, samples } = given
  return {
    'pipeline.yaml': pipelineText(given),
    'pipeline.test.yaml': testText({
      name,
      messages,
      plan,
      isBySender: samples.senders !== undefined,
      schema: schema && schema.replace(/pipeline(?=\.schema\.json$)/, 'pipeline-test'),
    }),
    ...Object.fromEntries(
      messages.map(({ title, text }) => [`messages/${fileName(title)}.hl7`, text.replaceAll('\n', '\r')]),
    ),
  }
}

/** The site with it is checked, and its own test run. */
function tryOut(
  name: string,
  files: Readonly<Record<string, string>>,
  context: MakeContext,
): { readonly kind: 'good'; readonly problems: readonly Problem[] } | NotMade {
  return stage(name, files, context, (loaded) => {
    const pipeline = loaded.site?.pipelines.find((one) => one.name === name)
    if (loaded.site === undefined || pipeline === undefined) return { kind: 'failed', reason: '', loaded }
    const tested = testPipeline(pipeline, loaded.site, context.io.cwd)
    const isGood = tested?.results.every(({ differences }) => differences.length === 0) === true
    if (!isGood || tested.problems.length > 0)
      return {
        kind: 'failed',
        reason: 'The test that was made of the samples does not pass: this is a fault of worklane.',
      }
    return {
      kind: 'good',
      problems: loaded.problems.filter((one) => !context.known.some((other) => isSame(one, other))),
    }
  })
}

function isSame(one: Problem, other: Problem): boolean {
  return one.file === other.file && one.line === other.line && one.message === other.message
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
