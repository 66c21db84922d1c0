import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Site } from '../config/site.ts'
import { suggestion } from '../config/suggest.ts'
import { EngineError, sentence } from '../core/errors/index.ts'
import { isBackup } from '../store/index.ts'
import { load, refuse } from './load.ts'
import { loadOther } from './other-site.ts'
import type { Io } from './output.ts'
import { createProgress } from './progress.ts'
import { tallyJson, tallyText } from './replay-dry-text.ts'
import { createTally, judgeAgain, type Judges } from './replay-tally.ts'
import { fromBackup, fromEngine, fromFiles, NoSupply, type Supply, type Wanted } from './traffic-supply.ts'

export interface DryReplay extends Wanted {
  /** Backups, or files and folders of HL7; none: what the running engine has kept. */
  readonly files: readonly string[]
  readonly pipeline?: string | undefined
  /** Where the changed pipelines are; absent: where the site has its own. */
  readonly pipelines?: string | undefined
  readonly config: string | undefined
  readonly show: boolean
  readonly json: boolean
}

/**
 * Runs messages that came through pipelines as their files are now, and shows what would be otherwise than it was.
 * The engine is only read. Answers 1 where something that was taken would be taken no more.
 */
export async function replayDry(asked: DryReplay, io: Io): Promise<number> {
  const { pipelines, config } = asked
  const changed = pipelines === undefined ? load(io, config) : loadOther(io, config, pipelines)
  if (typeof changed === 'string') {
    io.stderr(`${changed}\n`)
    return 1
  }
  const { site } = changed
  if (site === undefined) return refuse(changed, io)
  const unknown = unknownName(asked, site)
  if (unknown !== undefined) {
    io.stderr(unknown)
    return 1
  }
  const tally = createTally()
  let supply: Supply
  try {
    supply = await supplyOf(asked, io)
    const judges: Judges = {
      plans: site.plans,
      reading: (source) => site.settings.sources.find(({ name }) => name === source),
      pipeline: asked.pipeline,
    }
    const progress = createProgress({ io, total: supply.total })
    try {
      for await (const { looked, messages } of supply.pieces()) {
        for (const past of messages) judgeAgain(past, judges, tally)
        for (let at = 0; at < looked; at++) progress.step()
      }
    } finally {
      progress.end()
    }
  } catch (error) {
    if (error instanceof NoSupply) io.stderr(`${error.message}\n`)
    else if (error instanceof EngineError) io.stderr(`${error.code}  ${error.message}\n    ${error.cure}\n`)
    else throw error
    return 1
  }
  const judgedBy = pipelines ?? 'the files of this site'
  if (asked.json) io.stdout(`${JSON.stringify(tallyJson(tally, asked.show), null, 2)}\n`)
  else io.stdout(tallyText(tally, { io, judgedBy, shows: asked.show }))
  return tally.lost > 0 ? 1 : 0
}

function unknownName({ pipeline, source }: DryReplay, site: Site): string | undefined {
  const names = site.pipelines.filter(({ kind }) => kind !== 'status').map(({ name }) => name)
  if (pipeline !== undefined && !names.includes(pipeline))
    return `E280  ${sentence('E280', { name: pipeline })}\n    ${suggestion(pipeline, names, 'The pipelines are') ?? ''}\n`
  const sources = site.settings.sources.map(({ name }) => name)
  if (source !== undefined && !sources.includes(source))
    return `There is no source "${source}".\n    ${suggestion(source, sources, 'The sources are') ?? ''}\n`
  return undefined
}

async function supplyOf(asked: DryReplay, io: Io): Promise<Supply> {
  const { files, config, pipelines } = asked
  if (files.length === 0) return fromEngine(io, config, asked)
  const missing = files.find((file) => !existsSync(resolve(io.cwd, file)))
  if (missing !== undefined)
    throw new NoSupply(
      /^M\d+$/.test(missing)
        ? `${missing} is one message: --dry tries all that are kept (--since and --until narrow them).`
        : `${missing} does not exist.`,
    )
  const backups = files.filter((file) => isBackup(resolve(io.cwd, file)))
  const [backup] = backups
  if (backup !== undefined) {
    if (files.length > 1) throw new NoSupply('Give one backup, or files of HL7.')
    return fromBackup(backup, io.cwd, asked)
  }
  if (asked.since !== undefined || asked.until !== undefined)
    throw new NoSupply('Files do not say when their messages came: --since and --until need an engine or a backup.')
  if (pipelines === undefined)
    throw new NoSupply(
      'Files do not say what was made of their messages: name the changed pipelines with --pipelines, to be compared with those of this site.',
    )
  const own = load(io, config).site
  if (own === undefined) throw new NoSupply('The configuration has mistakes; `worklane check` tells them.')
  const named = asked.source ?? own.pipelines.find(({ name }) => name === asked.pipeline)?.from
  const [only, ...others] = own.settings.sources
  if (named === undefined && (only === undefined || others.length > 0))
    throw new NoSupply('Which source did these messages come from? Give --source or --pipeline.')
  return fromFiles(files, io.cwd, named ?? only?.name ?? '', own)
}
