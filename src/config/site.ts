import { dirname, join, resolve } from 'node:path'
import type { ConfigurationTexts, ConfigurationVersion } from '../core/configuration.ts'
import type { FilePlace, Problem } from '../core/fault.ts'
import type { PlanId } from '../core/ids.ts'
import type { DocumentPath } from '../core/located.ts'
import type { Settings } from '../core/settings.ts'
import type { StatusPlan } from '../core/world.ts'
import { compilePlan, compilePlanByPipeline, compileStatus } from '../mapping/index.ts'
import { otherZones } from '../core/of-source.ts'
import type { Plan } from '../mapping/types.ts'
import { checkVariables } from './environment.ts'
import { foldersIn, isFile, readText, shownPath } from './files.ts'
import { interpolate, type Environment } from './interpolate.ts'
import { createKnown, readYaml, type Known } from './known.ts'
import { checkEndpoints, readPipelines, unreadable } from './pipelines.ts'
import type { PipelineFile, PipelineFolders, ReadPipelines } from './pipelines.ts'
import { preparePlan } from './plans.ts'
import { inOrder } from './problem.ts'
import { readSettings } from './settings.ts'
import { atOnce, type Sliced } from './slices.ts'
import { foldersWithout, namedTable, unusedTables } from './tables-folder.ts'
import { recording, versionOf } from './version.ts'

/** A site, checked and compiled: nothing of it can be wrong any more when the engine starts. */
export interface Site {
  readonly settings: Settings
  /** By the name of the source. */
  readonly plans: ReadonlyMap<string, Plan>
  readonly status: StatusPlan
  /** What each plan was made of; `compileStoredPlan` makes it again. */
  readonly planSources: ReadonlyMap<PlanId, string>
  readonly pipelines: readonly PipelineFile[]
  readonly tables: Readonly<Record<string, string>>
  /** Every file that was read, absolute. */
  readonly files: readonly string[]
  /** Where a setting stands. */
  readonly place: (path: DocumentPath) => FilePlace
  /** How a path is shown. */
  readonly shown: (path: string) => string
  /** What those files say, in one word. */
  readonly version: ConfigurationVersion
  readonly texts: ConfigurationTexts
  /** The same site, read again: as its files are now, or as they were. What has not changed is taken over as it is. */
  readonly again: (texts?: ConfigurationTexts) => Sliced<SiteReadAgain>
}

type Read = Omit<Site, 'version' | 'texts' | 'again'>

export interface LoadedSite {
  /** Absent when a problem is an error. */
  readonly site: Site | undefined
  /** Those of a file of settings that is right, even if a pipeline is not: the engine that runs is found by them. */
  readonly settings?: Settings | undefined
  /** All of them, by file and line. */
  readonly problems: readonly Problem[]
}

export interface SiteReadAgain extends LoadedSite {
  /** Whether the files are as they were read: somebody may be writing them at this moment. */
  isStill(): boolean
}

type Reading = Omit<LoadedSite, 'site'> & { readonly site: Read | undefined }

export interface SiteOptions {
  /** Default: `WORKLANE_CONFIG`, else `config/worklane.yaml`; relative to `cwd`. */
  readonly file?: string | undefined
  readonly env: Environment
  readonly cwd: string
  /** Instead of the folder that the file names. */
  readonly pipelinesDir?: string | undefined
}

/** Reads a site with its pipelines and tables, and says everything that is wrong with them at once. */
export function loadSite(options: SiteOptions): LoadedSite {
  return atOnce(load(options, undefined, createKnown()))
}

function* load(options: SiteOptions, kept: ConfigurationTexts | undefined, known: Known): Sliced<SiteReadAgain> {
  const { env, cwd } = options
  const path = resolve(cwd, options.file ?? (env['WORKLANE_CONFIG'] || 'config/worklane.yaml'))
  const { read, texts, isStill } = yield* recording(dirname(path), kept, () => readSite(options, path, known))
  const { site: found, ...rest } = read
  if (found === undefined) return { site: undefined, ...rest, isStill }
  const again = (others?: ConfigurationTexts): Sliced<SiteReadAgain> => load(options, others, createKnown(known))
  return { site: { ...found, version: versionOf(texts), texts, again }, ...rest, isStill }
}

function* readSite(options: SiteOptions, path: string, known: Known): Sliced<Reading> {
  const { env, cwd } = options
  const file = shownPath(path, cwd)
  const content = readText(path)
  if (content.kind !== 'text') return { site: undefined, problems: [unreadable(content, file)] }
  const parsed = readYaml(known, content.text, file)
  yield
  if (parsed.located === undefined) return { site: undefined, problems: parsed.problems }
  const { located } = parsed

  const filled = interpolate(located, env)
  const read = readSettings(filled, { cwd })
  const problems: Problem[] = [...parsed.problems, ...filled.problems]
  // A variable that is missing makes an empty value; what that breaks needs no second word.
  problems.push(...read.problems.filter((problem) => !filled.problems.some((other) => isSamePlace(problem, other))))
  problems.push(...checkVariables(content.text, env, located.place([])))

  const settings = problems.some(({ severity }) => severity === 'error') ? undefined : read.checked
  if (read.checked === undefined || read.folders === undefined) return { site: undefined, problems: inOrder(problems) }
  const folder = dirname(path)
  const { pipelinesDir } = options
  const folders: PipelineFolders = {
    pipelines: pipelinesDir === undefined ? resolve(folder, read.folders.pipelines) : resolve(cwd, pipelinesDir),
    tables: resolve(folder, read.folders.tables),
    place: located.place(['folders', 'pipelines']),
    cwd,
  }
  const orthancs = read.checked.orthancs.map(({ name }) => name)
  const pipelines = yield* readPipelines(folders, orthancs, known)
  const unread = foldersWithout(folders, foldersIn(folders.pipelines) ?? [], isFile)
  const isIncomplete = pipelines.isIncomplete || unread.some(({ severity }) => severity === 'error')
  // That there is no pipeline follows from what is said of the one that cannot be read.
  const found = isIncomplete ? pipelines.problems.filter(({ code }) => code !== 'E269') : pipelines.problems
  problems.push(...found, ...unread, ...(isIncomplete ? [] : unusedTables(folders, pipelines.files)))
  if (read.endpointsAreKnown) {
    const place = (at: DocumentPath): FilePlace => located.place(at)
    problems.push(...checkEndpoints(pipelines.pipelines, read.checked, place, { isIncomplete }))
  }
  const compiled = yield* compile(read.checked, pipelines, known)
  problems.push(...compiled.problems.flatMap((problem) => namedTable(inTable(problem, folders), folders) ?? []))
  const all = inOrder(problems)
  if (compiled.plans === undefined || all.some(({ severity }) => severity === 'error')) {
    return { site: undefined, settings, problems: all }
  }
  const { plans, status, planSources } = compiled
  const site: Read = {
    settings: read.checked,
    plans,
    status,
    planSources,
    pipelines: pipelines.pipelines,
    tables: pipelines.tables,
    files: [path, ...pipelines.files],
    place: (at) => located.place(at),
    shown: (one) => shownPath(one, cwd),
  }
  return { site, settings, problems: all }
}

/** A plan knows tables by name only; here it is known where they lie. */
function inTable(problem: Problem, { tables, cwd }: PipelineFolders): Problem {
  const usual = 'config/tables/'
  if (!problem.file.startsWith(usual)) return problem
  return { ...problem, file: shownPath(join(tables, problem.file.slice(usual.length)), cwd) }
}

function isSamePlace(a: Problem, b: Problem): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column
}

type CompiledSite =
  | (Pick<Site, 'plans' | 'status' | 'planSources'> & { readonly problems: readonly Problem[] })
  | { readonly plans: undefined; readonly problems: readonly Problem[] }

function* compile(settings: Settings, { pipelines: all, tables }: ReadPipelines, known: Known): Sliced<CompiledSite> {
  const pipelines = all.filter(({ isBroken }) => !isBroken)
  const problems: Problem[] = []
  const plans = new Map<string, Plan>()
  const planSources = new Map<PlanId, string>()
  // A pipeline whose source is misspelt belongs to no plan; it is linted all the same.
  const sources = new Set(settings.sources.map(({ name }) => name))
  const taking = pipelines.filter(({ kind }) => kind !== 'status')
  const strays = taking.filter((pipeline) => !pipeline.sources.some((name) => sources.has(name)))
  for (const source of settings.sources) {
    const mine = taking.filter(({ sources }) => sources.includes(source.name))
    const { input, stored } = preparePlan(source, mine, tables, settings)
    const compiled = yield* known.plans.inSlices(stored, () => compilePlanByPipeline(input))
    problems.push(...compiled.problems)
    if (compiled.plan === undefined) continue
    plans.set(source.name, compiled.plan)
    planSources.set(input.id, stored)
  }
  const [first] = settings.sources
  if (first !== undefined && strays.length > 0) {
    problems.push(...compilePlan(preparePlan(first, strays, tables, settings).input).problems)
    yield
  }
  const status = compileStatus({
    pipelines: pipelines.filter(({ kind }) => kind === 'status').map(({ located }) => located),
    tables,
    timeZone: settings.timeZone,
    zones: otherZones(settings),
    // Without a port a destination is nobody: what would be sent to it is not made, and never owed.
    destinations: settings.destinations.filter(({ port }) => port !== 0).map(({ name }) => name),
    origins: Object.fromEntries(settings.sources.map(({ name, destination }) => [name, destination])),
    forms: Object.fromEntries(settings.destinations.map(({ name, status }) => [name, status])),
    receivers: Object.fromEntries(
      settings.destinations.map(({ name, header, charset }) => [name, { header, charset }]),
    ),
  })
  problems.push(...status.problems)
  if (status.plan === undefined) return { plans: undefined, problems }
  return { plans, planSources, status: status.plan, problems }
}
