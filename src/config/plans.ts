import { createHash } from 'node:crypto'
import type { PlanId } from '../core/ids.ts'
import { defaultsOf, ownDefaults, timeZoneOf } from '../core/of-source.ts'
import type { Settings, SourceSettings } from '../core/settings.ts'
import { compilePlanByPipeline } from '../mapping/index.ts'
import type { Compiled, Plan, PlanInput, PlanSite } from '../mapping/types.ts'
import { merge } from './extensions.ts'
import type { PipelineFile } from './pipelines.ts'
import { atOnce, type Sliced } from './slices.ts'
import { parseYaml, type ParsedYaml } from './yaml.ts'

/** All that a plan is made of, as text: enough to make the same plan again when the files have changed. */
interface StoredPlan {
  readonly format: 1
  readonly source: string
  readonly pipelines: readonly StoredPipeline[]
  readonly tables: Readonly<Record<string, string>>
  readonly site: PlanSite
  /** Absent in those that were stored before it was kept. */
  readonly reading?: Reading
}

type Reading = Required<NonNullable<PlanInput['reading']>>

interface StoredPipeline {
  readonly file: string
  readonly text: string
  /** What it extends, the nearest first; absent: nothing. */
  readonly bases?: readonly { readonly name: string; readonly file: string; readonly text: string }[]
}

export interface PreparedPlan {
  readonly input: PlanInput
  /** What `compileStoredPlan` takes. */
  readonly stored: string
}

/** The pipelines of one source with all they depend on, under the hash of it. */
export function preparePlan(
  source: SourceSettings,
  pipelines: readonly PipelineFile[],
  tables: Readonly<Record<string, string>>,
  settings: Pick<Settings, 'timeZone' | 'defaults'>,
): PreparedPlan {
  const plan: StoredPlan = {
    format: 1,
    source: source.name,
    pipelines: pipelines.map(storedPipeline),
    tables: Object.fromEntries(Object.entries(tables).sort(([a], [b]) => (a < b ? -1 : 1))),
    site: siteOf(source, settings),
    reading: { defaultCharset: source.defaultCharset, charset: source.charset },
  }
  const input = {
    id: planId(plan),
    source: source.name,
    pipelines: pipelines.map(({ located }) => located),
    tables: plan.tables,
    site: plan.site,
    ...(plan.reading === undefined ? {} : { reading: plan.reading }),
  }
  return { input, stored: JSON.stringify(plan) }
}

function siteOf(source: SourceSettings, settings: Pick<Settings, 'timeZone' | 'defaults'>): PlanSite {
  const { authority, unknownOrderControl } = source
  const own = ownDefaults(source)
  return {
    timeZone: timeZoneOf(source, settings),
    authority,
    ...defaultsOf(source, settings),
    unknownOrderControl,
    ...(own.length === 0 ? {} : { ofSource: own }),
  }
}

/** The plan that judged a message, made again from what was kept of it (I3: a crash changes no verdict). */
export function compileStoredPlan(stored: string): Compiled<Plan> {
  return atOnce(storedPlan(stored))
}

/** The same for an engine that runs. */
export function* storedPlan(stored: string): Sliced<Compiled<Plan>> {
  const plan = JSON.parse(stored) as StoredPlan
  // Of a later version of Worklane: half of it might be read, and judge otherwise.
  if (plan.format !== 1) return { plan: undefined, problems: [] }
  const parsed: ParsedYaml[] = []
  for (const pipeline of plan.pipelines) {
    parsed.push(read(pipeline))
    yield
  }
  const problems = parsed.flatMap((document) => document.problems)
  if (problems.some(({ severity }) => severity === 'error')) return { plan: undefined, problems }
  return yield* compilePlanByPipeline({
    id: planId(plan),
    source: plan.source,
    pipelines: parsed.flatMap(({ located }) => (located === undefined ? [] : [located])),
    tables: plan.tables,
    site: plan.site,
    ...(plan.reading === undefined ? {} : { reading: plan.reading }),
  })
}

function storedPipeline({ located, text, bases }: PipelineFile): StoredPipeline {
  const kept = bases.map((base) => ({ name: base.name, file: base.located.file, text: base.text }))
  return { file: located.file, text, ...(kept.length === 0 ? {} : { bases: kept }) }
}

function read({ text, file, bases = [] }: StoredPipeline): ParsedYaml {
  const chain = [{ name: '', file, text }, ...bases].map((one) => ({ ...one, ...parseYaml(one.text, one.file) }))
  const problems = chain.flatMap((one) => one.problems)
  const documents = chain.flatMap(({ name, located }) => (located === undefined ? [] : [{ name, located }]))
  if (documents.length < chain.length) return { located: undefined, problems }
  const merged = merge(documents)
  return { located: merged.located, problems: [...problems, ...merged.problems] }
}

/** 96 bits of the hash: enough for every plan a site will ever have, short in every entry that carries it. Where files lie makes no other plan. */
function planId({ format, source, pipelines, tables, site, reading }: StoredPlan): PlanId {
  const { timeZone, authority, stationAeTitle, modality, issuerOfPatientId } = site
  const { incomplete = 'refuse', unknownOrderControl = 'pipeline' } = site
  // Settings that came later count only where they are used: plans that were stored before keep their names.
  const later = incomplete === 'refuse' && unknownOrderControl === 'pipeline' ? [] : [incomplete, unknownOrderControl]
  const parts = [
    format,
    source,
    pipelines.map(({ text, bases }) => (bases === undefined ? text : [text, ...bases.map((base) => base.text)])),
    tables,
    [timeZone, authority, stationAeTitle, modality, issuerOfPatientId, ...later],
    ...(reading === undefined || isUsual(reading) ? [] : [reading.defaultCharset, reading.charset]),
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24)
}

/** As sources are that say nothing of it. */
function isUsual({ defaultCharset, charset }: Reading): boolean {
  return defaultCharset === 'UNICODE UTF-8' && charset === 'detect'
}
