import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { EngineError } from '../core/errors/index.ts'
import { backUp, reachRedis } from '../store/index.ts'
import { load, refuse } from './load.ts'
import { counted, type Io } from './output.ts'
import { whileWorking } from './progress.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane backup FILE|FOLDER [--config FILE] [--json]

Writes all that the store holds at one moment into a file (in a folder: one named by the
time), while the engine works on or is stopped. What is not there yet and has no ending is
a folder, and is made. The file is patient data: mode 0600, not encrypted. Beside it there
must be room for a copy of the store, and in memory as well.
Configuration, tables and token are not in it.`

export async function backup(args: readonly string[], io: Io): Promise<number> {
  const options = { config: { type: 'string' }, json: { type: 'boolean' } } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const [to, ...more] = positionals
  if (to === undefined || more.length > 0) return misuse('Give one file or folder', usage, io)
  const loaded = load(io, values.config)
  if (loaded.site === undefined) return refuse(loaded, io)
  const takenAt = new Date().toISOString()
  const started = performance.now()
  const reached = await reachRedis(loaded.site.settings)
  try {
    const file = fileIn(io.cwd, to, takenAt)
    const made = await whileWorking(io, 'copying the store', () =>
      backUp({ redis: reached.location, file, takenAt, engine }),
    )
    if (values.json === true) io.stdout(`${JSON.stringify(made, null, 2)}\n`)
    else {
      const what = `${counted(made.messages, 'message')} and ${counted(made.orders, 'order')}`
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      io.stdout(`${file}: ${what}, ${megabytes(made.bytes)} MB in ${seconds} s. It is patient data.\n`)
    }
    return 0
  } finally {
    await reached.stop()
  }
}

/**
 * `worklane-20261016T081500Z.backup` in a folder, or the file itself. A folder that nobody has made yet must not become
 * a file, over which each night writes the next: what has no ending is meant as one.
 */
function fileIn(cwd: string, to: string, takenAt: string): string {
  const path = resolve(cwd, to)
  const known = statSync(path, { throwIfNoEntry: false })
  const isFolder = known?.isDirectory() ?? (to.endsWith('/') || extname(path) === '')
  if (!isFolder) return path
  if (known === undefined) makeFolder(path)
  return join(path, `worklane-${takenAt.replaceAll(/[-:]|\.\d+/g, '')}.backup`)
}

/** For its owner only: patient data is kept there. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (cause) {
    throw new EngineError('E524', { reason: `the folder ${path} cannot be made` }, { cause })
  }
}

export function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1)
}

const engine = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }
).version
