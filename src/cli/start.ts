import type { Settings } from '../core/settings.ts'
import { EngineError } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'
import { defect } from '../observe/defect.ts'
import { createLog } from '../observe/log.ts'
import { load, refuse } from './load.ts'
import { problemText, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane start [--config FILE]

Runs the engine until SIGTERM or SIGINT. Standard output has one line, "worklane ready"
with the addresses and the version of the configuration, once messages are taken; the log
goes to standard error, one JSON line per thing that happened. A site with a mistake starts
nothing. SIGHUP puts changed files in force, as \`worklane reload --yes\` does, unless it was
started from a terminal: then it ends, as the terminal has.`

/** What takes so much longer to stop than it may drain hangs. */
const graceSeconds = 20

export async function start(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { config: { type: 'string' } } as const, usage, io)
  if (typeof asked === 'number') return asked
  if (asked.positionals.length > 0) return misuse(`"${asked.positionals[0]}" is not expected`, usage, io)
  const loaded = load(io, asked.values.config)
  if (loaded.site === undefined) return refuse(loaded, io)
  for (const problem of loaded.problems) io.stderr(problemText(problem, io))

  const { site } = loaded
  const log = createLog({ level: site.settings.log.level, destination: { write: (line) => io.stderr(line) } })
  let { drainSeconds } = site.settings.stop
  const settingsChanged = ({ log: { level }, stop }: Settings): void => {
    log.setLevel(level)
    drainSeconds = stop.drainSeconds
  }
  // Of a terminal it says that the person has gone: then it ends the engine, as it ends everything.
  let hangUp = (): void => void (isAwaited = true)
  let isAwaited = false
  const onHangUp = (): void => hangUp()
  if (!process.stdin.isTTY) process.on('SIGHUP', onHangUp)
  endOnDefects(log)
  const signalled = signal()
  let engine
  try {
    // Here and not above: the other verbs need none of it, and would wait for it.
    const { startEngine } = await import('../engine.ts')
    engine = await startEngine({ site, log, settingsChanged })
  } catch (error) {
    endSoon()
    return failed(error, site.settings, { io, log })
  }
  const mllp = engine.mllp.map(({ source, host, port }) => `${source}=${host}:${port}`).join(' ')
  io.stdout(
    `worklane ready  mllp ${mllp}  http ${engine.http}  data ${site.settings.dataDir}  configuration ${site.version}\n`,
  )
  // As `worklane reload --yes`; what came of it is in the log.
  const { configuration } = engine
  hangUp = () => {
    configuration.reload({ by: 'SIGHUP' }).catch((error: unknown) => log.error(defect(error), 'reload failed'))
  }
  if (isAwaited) hangUp()
  log.info({ signal: await signalled }, 'stopping')
  process.on('SIGHUP', () => undefined)
  process.removeListener('SIGHUP', onHangUp)
  const stopSeconds = drainSeconds + graceSeconds
  const late = setTimeout(() => {
    log.error({ seconds: stopSeconds }, 'stop took too long')
    process.exit(1)
  }, stopSeconds * 1000)
  // It holds up nobody: it only fires when something else does.
  late.unref()
  await engine.stop()
  endSoon()
  return 0
}

/** What could not be closed, such as a connection to a Redis that is away, must not keep the process: who watches it waits for its end. */
function endSoon(): void {
  setTimeout(() => process.exit(), 500).unref()
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

/**
 * What nobody caught leaves the engine in a state that nobody thought of. All that was
 * acknowledged is in the store: ending, and being started again, is the safe thing.
 */
function endOnDefects(log: Log): void {
  for (const kind of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(kind, (error: unknown) => {
      log.error({ kind, ...defect(error) }, 'engine failed')
      process.exit(1)
    })
  }
}

function failed(error: unknown, { redisUrl }: Settings, { io, log }: { readonly io: Io; readonly log: Log }): number {
  if (!(error instanceof EngineError)) {
    log.error(defect(error), 'engine failed')
    io.stderr('The engine could not be started. This is a defect: report it with the line above.\n')
    return 1
  }
  const known = whyNot(error, redisUrl)
  io.stderr(`${known.code}  ${known.message} ${known.cure}\n`)
  return 1
}

/** A store that is away at the start is waited for by nobody: the engine has ended. Of the address only host and port: it may hold a password. */
export function whyNot(error: EngineError, redisUrl: string): EngineError {
  if (error.code !== 'E501') return error
  if (redisUrl === '') return new EngineError('E503', { reason: 'it ended while the engine was starting.' })
  return new EngineError('E516', { address: URL.canParse(redisUrl) ? new URL(redisUrl).host : 'WORKLANE_REDIS_URL' })
}
