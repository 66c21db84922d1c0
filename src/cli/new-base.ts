/** What a new pipeline starts from: the pipeline that is named, or that takes most of the samples. */
import type { PipelineFile } from '../config/pipelines.ts'
import type { Site } from '../config/site.ts'
import { suggestion } from '../config/suggest.ts'
import { sentence } from '../core/errors/index.ts'
import type { SourceSettings } from '../core/settings.ts'
import { kindOf, readSamples, type Read } from './new-samples.ts'
import type { Io } from './output.ts'
import { fieldsOf } from './used-fields.ts'

export interface Chosen {
  readonly base: PipelineFile
  readonly source: SourceSettings
  readonly read: Read
}

/** The pipeline that is named, or the one that takes most of the samples; and the samples as its source reads them. */
export function choose(files: readonly string[], site: Site, like: string | undefined, io: Io): Chosen | undefined {
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
export function takes({ located }: PipelineFile, type: string): boolean {
  const accept = fieldsOf(fieldsOf(located.value)['accept'])
  return [...textsOf(accept['messages']), ...textsOf(accept['replies'])].some(
    (each) => type === each || type.startsWith(`${each}^`),
  )
}

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
}
