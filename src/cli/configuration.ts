import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Activation, ConfigurationTexts } from '../core/configuration.ts'
import { ask } from './api.ts'
import { counted, headedTable, painter, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane configuration [VERSION --to FOLDER] [--config FILE] [--json]

Shows which version of the site's files a running engine judges messages by, and which ran
before: when, how, by whom and why. With a VERSION, writes the files of it into a new folder, to
look at them or to put them back. The plan of a source is the planId of the messages it judged.`

interface Shown {
  readonly version: string
  readonly since: string
  readonly plans: Readonly<Record<string, string>>
  readonly history: readonly Activation[]
}

export async function configuration(args: readonly string[], io: Io): Promise<number> {
  const options = { to: { type: 'string' }, config: { type: 'string' }, json: { type: 'boolean' } } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const [version, ...more] = positionals
  if (more.length > 0) return misuse('One version at a time', usage, io)
  if ((version === undefined) !== (values.to === undefined)) return misuse('Give VERSION and --to together', usage, io)
  const { config } = values
  if (version !== undefined) return write(io, version, values.to ?? '', { config, json: values.json === true })
  const answer = await ask(io, '/api/configuration', {}, { expects: 'history', config })
  if (answer.kind === 'failed') {
    io.stderr(`${answer.reason}\n`)
    return 1
  }
  if (values.json) io.stdout(`${JSON.stringify(answer.body, null, 2)}\n`)
  else io.stdout(shownText(answer.body as unknown as Shown, io))
  return 0
}

function shownText({ version, since, history }: Shown, io: Io): string {
  const rows = history.map((one) => [
    one.version,
    one.at.slice(0, 19),
    one.how,
    one.by,
    Object.entries(one.plans)
      .map(([source, plan]) => `${source}=${plan.slice(0, 8)}`)
      .join(' '),
    one.reason ?? '',
  ])
  const headings = ['VERSION', 'AT', 'HOW', 'BY', 'PLANS', 'WHY']
  return `Version ${painter(io).bold(version)} runs, since ${since.slice(0, 19)}Z.\n${headedTable(headings, rows, io)}`
}

/** Never over files that are there: those may be the only ones with what somebody has just written. */
async function write(
  io: Io,
  version: string,
  folder: string,
  { config, json }: { readonly config: string | undefined; readonly json: boolean },
): Promise<number> {
  const answer = await ask(io, `/api/configuration/${encodeURIComponent(version)}`, {}, { expects: 'files', config })
  if (answer.kind === 'failed') {
    io.stderr(`${answer.reason}\n`)
    return 1
  }
  const files = Object.entries(answer.body['files'] as ConfigurationTexts)
  const paths: string[] = []
  try {
    for (const [name, content] of files) {
      const path = join(io.cwd, folder, placeOf(name))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content, { flag: 'wx' })
      paths.push(path)
    }
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    io.stderr(
      `${counted(paths.length, 'file')} written into ${folder}, then it failed (${reason}). Give a new folder.\n`,
    )
    return 1
  }
  if (json) io.stdout(`${JSON.stringify({ version, files: paths }, null, 2)}\n`)
  else io.stdout(`${counted(paths.length, 'file')} of version ${version} written into ${folder}.\n`)
  return 0
}

/** As a site is laid out, wherever its folders lay. */
function placeOf(name: string): string {
  if (name.endsWith('/pipeline.yaml')) return join('pipelines', basename(dirname(name)), 'pipeline.yaml')
  if (name.endsWith('.csv')) return join('config/tables', basename(name))
  return join('config', basename(name))
}
