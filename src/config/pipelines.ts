import { join } from 'node:path'
import type { FilePlace, Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import type { Settings } from '../core/settings.ts'
import { isPatientPipeline } from '../mapping/patient-pipeline.ts'
import { resolveExtensions, type ExtendedPipeline, type Extensions, type WrittenPipeline } from './extensions.ts'
import { foldersIn, isFile, isPlainName, readText, shownPath } from './files.ts'
import { readYaml, type Known } from './known.ts'
import { unknownTypes } from './message-types.ts'
import { problem } from './problem.ts'
import type { Sliced } from './slices.ts'
import { suggest } from '../mapping/suggest.ts'
import { suggestion } from './suggest.ts'
import { tablesIn } from './tables-folder.ts'
import { unreachable } from './unreachable.ts'

interface WrittenFile extends WrittenPipeline {
  readonly folder: string
}

/** One `pipeline.yaml`, read but not compiled. */
export interface PipelineFile {
  /** `pipeline:` in the file, else the name of its folder. */
  readonly name: string
  readonly folder: string
  readonly kind: 'orders' | 'patients' | 'status'
  /** The first of its sources. */
  readonly from: string
  /** Names of the endpoints that it hears. */
  readonly sources: readonly string[]
  readonly text: string
  /** With what it takes from the pipelines that it extends. */
  readonly located: Located
  /** The pipelines that it extends, the nearest first, as they are written. */
  readonly bases: readonly WrittenPipeline[]
  /** What it extends is not as it thinks: it is not compiled, so that the cause alone is said. */
  readonly isBroken: boolean
}

export interface ReadPipelines {
  /** In the order in which they are asked. One that is there to be extended only (it hears nobody) is not among them. */
  readonly pipelines: readonly PipelineFile[]
  /** Text of the tables that they name, by file name; a missing one is absent. */
  readonly tables: Readonly<Record<string, string>>
  readonly files: readonly string[]
  /** Whether some are not among them, for what is wrong with their file or their `extend:`. */
  readonly isIncomplete: boolean
  readonly problems: readonly Problem[]
}

export interface PipelineFolders {
  readonly pipelines: string
  readonly tables: string
  readonly cwd: string
  /** Where the folder is named, for what is wrong with it as a whole. */
  readonly place: FilePlace
}

/** All pipelines of a site in the order in which they are asked: by the name of their folder, and before one that they extend. */
export function* readPipelines(
  folders: PipelineFolders,
  orthancs: readonly string[],
  known: Known,
): Sliced<ReadPipelines> {
  const written: WrittenFile[] = []
  const problems: Problem[] = []
  const files: string[] = []
  const names = foldersIn(folders.pipelines)?.filter((name) => isFile(join(folders.pipelines, name, 'pipeline.yaml')))
  if (names === undefined || names.length === 0) {
    problems.push(problem(folders.place, 'E269', { folder: shownPath(folders.pipelines, folders.cwd) }))
  }
  for (const name of names ?? []) {
    const path = join(folders.pipelines, name, 'pipeline.yaml')
    const file = shownPath(path, folders.cwd)
    files.push(path)
    const content = readText(path)
    if (content.kind !== 'text') {
      problems.push(unreadable(content, file))
      continue
    }
    const parsed = readYaml(known, content.text, file)
    yield
    problems.push(...parsed.problems)
    if (parsed.located === undefined) continue
    const { located } = parsed
    if (!isBlock(located.value)) {
      problems.push(problem({ file, line: 1, column: 1 }, 'E293', { what: kindOf(located.value) }))
      continue
    }
    const folder = join(folders.pipelines, name)
    written.push({ name: textAt(located, 'pipeline') ?? name, folder, text: content.text, located })
  }
  const extended = resolveExtensions(written, written.length < (names ?? []).length)
  problems.push(...extended.problems)
  const pipelines = extended.pipelines.filter((one) => !isOnlyBase(one, extended)).map((one) => describe(one, orthancs))
  const tables = readTables(pipelines, folders)
  return {
    pipelines,
    tables: tables.texts,
    files: [...files, ...tables.files],
    isIncomplete: extended.isIncomplete,
    problems: [...problems, ...tables.problems],
  }
}

/** What stands in a file that has no keys. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'comments and blank lines'
  return Array.isArray(value) ? 'a list' : 'a text'
}

export function unreadable(content: Exclude<ReturnType<typeof readText>, { kind: 'text' }>, file: string): Problem {
  if (content.kind === 'notUtf8') {
    const { line, column, saved } = content
    return problem({ file, line, column }, 'E257', { file, saved })
  }
  return problem({ file, line: 1, column: 1 }, 'E256', { file, reason: content.reason })
}

function describe(
  { written, located, bases, isBroken }: ExtendedPipeline<WrittenFile>,
  orthancs: readonly string[],
): PipelineFile {
  const sources = textsAt(located, 'from')
  const isStatus =
    sources.some((name) => [...orthancs, 'any'].includes(name)) || (isBlock(located.value) && 'on' in located.value)
  const kind = isStatus ? 'status' : isPatientPipeline(located.value) ? 'patients' : 'orders'
  const { name, folder, text } = written
  return { name, folder, kind, from: sources[0] ?? '', sources, text, located, bases, isBroken }
}

/** It hears nobody, and others take from it what it says; or would, if their `extend:` were right. */
function isOnlyBase(one: ExtendedPipeline<WrittenFile>, { pipelines, isIncomplete }: Extensions<WrittenFile>): boolean {
  const { value } = one.located
  const isDeaf = !isBlock(value) || value['from'] === undefined
  return isDeaf && (isIncomplete || pipelines.some(({ bases }) => bases.includes(one.written)))
}

function readTables(pipelines: readonly PipelineFile[], { tables: folder, cwd }: PipelineFolders) {
  const texts: Record<string, string> = {}
  const files: string[] = []
  const problems: Problem[] = []
  const names = new Set(pipelines.flatMap(({ located }) => tableFiles(located.value)))
  for (const name of [...names].sort()) {
    const path = join(folder, name)
    // What is there and is no file, such as a link to nothing, is said when it is read.
    if (!isPlainName(name) || !(isFile(path) || tablesIn(folder).includes(name))) continue
    files.push(path)
    const content = readText(path)
    if (content.kind === 'text') texts[name] = content.text
    else problems.push(unreadable(content, shownPath(path, cwd)))
  }
  return { texts, files, problems }
}

/** `tables: { procedures: { file: procedures.csv } }` */
function tableFiles(value: unknown): string[] {
  const tables: unknown = isBlock(value) ? value['tables'] : undefined
  if (!isBlock(tables)) return []
  return Object.values(tables).flatMap((table) => {
    const file: unknown = isBlock(table) ? table['file'] : undefined
    return typeof file === 'string' ? [file] : []
  })
}

/** That `from` and `to` are endpoints of the site, that no two pipelines have one name, and that no endpoint is left over. */
export function checkEndpoints(
  pipelines: readonly PipelineFile[],
  settings: Settings,
  place: (path: DocumentPath) => FilePlace,
  { isIncomplete = false }: Partial<Pick<ReadPipelines, 'isIncomplete'>> = {},
): readonly Problem[] {
  const sources = settings.sources.map(({ name }) => name)
  const orthancs = settings.orthancs.map(({ name }) => name)
  const destinations = settings.destinations.map(({ name }) => name)
  const problems: Problem[] = []
  const first = new Map<string, string>()
  for (const { name, kind, located } of pipelines) {
    const other = first.get(name)
    if (other !== undefined) {
      const advice = `Write another name after "pipeline:"; ${other} has this one.`
      problems.push(problem(located.place(['pipeline']), 'E264', { kind: 'pipelines', name }, { advice }))
    }
    first.set(name, other ?? located.file)
    const isStatus = kind === 'status'
    const heard = isStatus ? [...orthancs, 'any'] : sources
    problems.push(...unknownNames(located, 'from', isStatus ? 'orthanc' : 'source', heard))
    const from: unknown = isBlock(located.value) ? located.value['from'] : undefined
    if (!isStatus && Array.isArray(from) && (from.length === 0 || from.some((each) => typeof each !== 'string')))
      problems.push(
        problem(located.place(['from']), 'E200', { where: 'from', expected: 'a source, or a list of them' }),
      )
    const told = isStatus ? [...destinations, 'origin'] : orthancs
    problems.push(...unknownNames(located, 'to', isStatus ? 'destination' : 'orthanc', told))
  }
  problems.push(...unknownTypes(pipelines))
  // Nobody is left over whom a pipeline may hear, or tell, that could not be read.
  if (isIncomplete) return problems
  const isMisnamed = pipelines.some(
    (one) => one.kind !== 'status' && !one.sources.some((source) => sources.includes(source)),
  )
  sources.forEach((name, at) => {
    // It may be the one that was meant: that is said of the pipeline.
    if (isMisnamed) return
    if (pipelines.some((pipeline) => pipeline.kind !== 'status' && pipeline.sources.includes(name))) return
    problems.push(problem(place(['sources', at, 'name']), 'E268', { name }, { severity: 'warning' }))
  })
  return [...problems, ...unreachable(pipelines, sources), ...silentDestinations(pipelines, settings, place)]
}

/** A destination to which no pipeline speaks would never be told anything, and nobody would notice. */
function silentDestinations(
  pipelines: readonly PipelineFile[],
  { destinations }: Settings,
  place: (path: DocumentPath) => FilePlace,
): readonly Problem[] {
  const forms = pipelines.filter(({ kind }) => kind === 'status')
  return destinations.flatMap(({ name, port, status }, at) => {
    if (port === 0 && (status === usualForm || forms.some((form) => form.name === status))) return []
    const speaks = forms.some((form) => tells(form, name) || (form.name === status && tells(form, 'origin')))
    const isNamed = status !== usualForm
    if (speaks && (!isNamed || forms.some((form) => form.name === status))) return []
    const known = forms.map((form) => form.name).join(', ') || 'none'
    // One without a port is told nothing today; from the day it has one it would be.
    const severity = isNamed && port !== 0 ? 'error' : 'warning'
    const near = suggest(
      status,
      forms.map((form) => form.name),
    )
    const advice = near === undefined ? {} : { advice: `Did you mean ${near}?` }
    const params = { name, pipeline: status, known }
    return [problem(place(['destinations', at, 'status']), 'E277', params, { severity, ...advice })]
  })
}

const usualForm = 'status'

function tells({ located }: PipelineFile, name: string): boolean {
  const to: unknown = isBlock(located.value) ? located.value['to'] : undefined
  return Array.isArray(to) ? to.includes(name) : to === name
}

function unknownNames(
  located: Located,
  key: 'from' | 'to',
  kind: string,
  known: readonly string[],
): readonly Problem[] {
  const value: unknown = isBlock(located.value) ? located.value[key] : undefined
  const list = Array.isArray(value)
    ? value.map((name: unknown, at) => ({ name, path: [key, at] }))
    : [{ name: value, path: [key] }]
  return list.flatMap(({ name, path }) => {
    if (typeof name !== 'string' || known.includes(name)) return []
    const advice = name.includes('${')
      ? `Variables are filled in in worklane.yaml alone. ${known.length === 0 ? '' : `Write one of: ${known.join(', ')}.`}`
      : name.includes(',')
        ? `Several are a list: [${name}].`
        : suggestion(name, known, `The ${kind}s of this site`)
    return [
      problem(
        located.place(path),
        'E266',
        { kind, name, where: 'worklane.yaml' },
        advice === undefined ? {} : { advice },
      ),
    ]
  })
}

function textAt(located: Located, key: string): string | undefined {
  const value: unknown = isBlock(located.value) ? located.value[key] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

function textsAt(located: Located, key: string): readonly string[] {
  const value: unknown = isBlock(located.value) ? located.value[key] : undefined
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((each) => typeof each === 'string').filter((each) => each !== '')
}

function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
