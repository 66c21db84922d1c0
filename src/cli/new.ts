import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { shownPath } from '../config/files.ts'
import { EngineError } from '../core/errors/index.ts'
import { load, refuse } from './load.ts'
import { choose, type Chosen } from './new-base.ts'
import { make, type Made, type NotMade } from './new-make.ts'
import { report } from './new-report.ts'
import { problemText, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

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
  let chosen: Chosen | undefined
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
  let made: Made | NotMade
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
