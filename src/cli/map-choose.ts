import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { PipelineFile } from '../config/pipelines.ts'
import { preparePlan } from '../config/plans.ts'
import type { Site } from '../config/site.ts'
import { suggestion } from '../config/suggest.ts'
import { sentence } from '../core/errors/index.ts'
import type { SourceSettings } from '../core/settings.ts'
import { parse } from '../hl7/index.ts'
import { compilePlan } from '../mapping/index.ts'
import type { Plan } from '../mapping/types.ts'
import type { Sample } from './map-samples.ts'
import type { Io } from './output.ts'

export interface Chosen {
  readonly pipeline: PipelineFile
  readonly source: SourceSettings
  readonly plan: Plan
}

/** The pipeline alone: what it makes of a message does not depend on its neighbours. */
export function choose(site: Site, name: string, wanted: string | undefined, io: Io): Chosen | undefined {
  const taking = site.pipelines.filter(({ kind }) => kind !== 'status')
  const pipeline = taking.find((one) => one.name === name || one.located.file === name)
  if (pipeline !== undefined && wanted !== undefined && !pipeline.sources.includes(wanted)) {
    const advice = suggestion(wanted, pipeline.sources, 'Its sources are') ?? ''
    io.stderr(`The pipeline "${pipeline.name}" does not hear "${wanted}".\n    ${advice}\n`)
    return undefined
  }
  const source = site.settings.sources.find((one) => one.name === (wanted ?? pipeline?.from))
  if (pipeline === undefined || source === undefined) {
    const names = taking.map((one) => one.name)
    const isStatus = site.pipelines.some((one) => one.kind === 'status' && one.name === name)
    const advice = isStatus
      ? 'It makes messages of events; map shows what messages become. `worklane test` runs its tests.'
      : (suggestion(name, names, 'The pipelines are') ?? '')
    io.stderr(
      `E280  ${isStatus ? `The pipeline "${name}" takes no messages.` : sentence('E280', { name })}\n    ${advice}\n`,
    )
    return undefined
  }
  const { plan } = compilePlan(preparePlan(source, [pipeline], site.tables, site.settings).input)
  return plan === undefined ? undefined : { pipeline, source, plan }
}

/** The first word of the line, where it is the name of a pipeline; else all are files, if there is such a file. */
export function namedPipeline(word: string, site: Site, io: Io): string | undefined {
  const isPipeline = site.pipelines.some((one) => one.name === word || one.located.file === word)
  return isPipeline || (word !== '-' && !existsSync(resolve(io.cwd, word))) ? word : undefined
}

/** The pipeline that takes it, of the first source that has one, or of the one that is named. */
export function chooseFor(sample: Sample, site: Site, wanted: string | undefined, io: Io): Chosen | undefined {
  const taking = site.pipelines.filter(({ kind }) => kind !== 'status').map(({ name }) => name)
  const sources = site.settings.sources.filter(({ name }) => wanted === undefined || name === wanted)
  const [nearest] = sources
  if (nearest === undefined) {
    const names = site.settings.sources.map(({ name }) => name)
    io.stderr(`There is no source "${wanted}".\n    ${suggestion(wanted ?? '', names, 'The sources are') ?? ''}\n`)
    return undefined
  }
  for (const source of sources) {
    const parsed = parse(sample.bytes, source)
    const judged =
      parsed.kind === 'message' ? site.plans.get(source.name)?.judge(parsed.message, sample.sender) : undefined
    if (judged !== undefined && judged.pipeline !== '') return choose(site, judged.pipeline, source.name, io)
  }
  const parsed = parse(sample.bytes, nearest)
  const why =
    parsed.kind === 'message'
      ? `no pipeline takes ${parsed.message.segments[0]?.field(9) || 'a message without a type (MSH-9)'}`
      : sentence(parsed.fault.code, parsed.fault.params)
  io.stderr(
    `${sample.file}, message ${sample.number}  ${why}\n    Name a pipeline before the files: ${taking.join(', ')}.\n`,
  )
  return undefined
}
