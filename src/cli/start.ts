import { EngineError } from '../core/errors/index.ts'
import { startEngine } from '../engine.ts'
import { createLog } from '../observe/log.ts'
import { load, refuse } from './load.ts'
import { problemText, type Io } from './output.ts'
import { misuse, misused, readArgs } from './usage.ts'

const usage = 'worklane start [--config FILE]'

/**
 * Runs the engine until SIGTERM or SIGINT. Standard output has one line, `worklane
 * ready` with the addresses, once messages are taken; the log goes to standard
 * error, one JSON line per thing that happened. A site with a mistake starts nothing.
 */
export async function start(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { config: { type: 'string' } } as const, usage, io)
  if (asked === undefined) return misused
  if (asked.positionals.length > 0) return misuse(`"${asked.positionals[0]}" is not expected`, usage, io)
  const loaded = load(io, asked.values.config)
  if (loaded.site === undefined) return refuse(loaded, io)
  for (const problem of loaded.problems) io.stderr(problemText(problem, io))

  const { site } = loaded
  const log = createLog({ level: site.settings.log.level, destination: { write: (line) => io.stderr(line) } })
  const signalled = signal()
  let engine
  try {
    engine = await startEngine({ site, log })
  } catch (error) {
    return failed(error, io)
  }
  const mllp = engine.mllp.map(({ source, host, port }) => `${source}=${host}:${port}`).join(' ')
  io.stdout(`worklane ready  mllp ${mllp}  http ${engine.http}  data ${site.settings.dataDir}\n`)
  log.info({ signal: await signalled }, 'stopping')
  await engine.stop()
  return 0
}

/** The first signal drains; a second one ends at once. */
function signal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (asked) process.exit(1)
        asked = true
        resolve(name)
      })
    }
  })
}

function failed(error: unknown, io: Io): number {
  if (!(error instanceof EngineError)) throw error
  io.stderr(`${error.code}  ${error.message} ${error.cure}\n`)
  return 1
}
