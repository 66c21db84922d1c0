/**
 * `npm run demo`: one order on its road, with real processes: the engine with its own
 * Redis, Orthanc with Worklane's plugin, a modality (DCMTK) and a RIS. Then everything
 * stays up to be played with, until Ctrl-C.
 *
 *   npm run demo -- --once   ends after the round trip: exit code 0, or 1 naming the scene that failed
 */
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { onPath } from '../support/child.ts'
import { startCast, type Cast } from './cast.ts'
import { openFolder } from './folder.ts'
import { hints, prepareImages, sayHints } from './hints.ts'
import { scene, SceneFailed, show, travel } from './road.ts'
import { createSay } from './text.ts'

const usage = `npm run demo             shows the whole road, then stays up until Ctrl-C
npm run demo -- --once   ends after the round trip`

const isOnce = readArguments()
const missing = missingPrograms()
if (missing.length > 0) end(1, `The demo needs ${missing.join(', ')}: run "npm run setup", then this again.`)

const say = createSay()
const { folder, removed } = openedFolder()
let cast: Cast | undefined
let stopping = false
process.once('exit', () => folder.remove())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal))
// Nobody reads on (`npm run demo | head`): there is no one to show the rest to.
process.stdout.on('error', () => void stop('SIGHUP'))

try {
  say.title('Worklane: an order reaches the modality, and its status reaches the RIS')
  if (removed > 0) say.line(`Removed ${removed} folder${removed === 1 ? '' : 's'} that a killed demo had left.`)
  cast = await scene('start', () => startCast(folder.path, say.line), 60)
  const { ports, orthanc, engine, ris } = cast
  say.line(`The engine, with a Redis of its own    MLLP ${ports.mllp}   HTTP ${ports.http}`)
  say.line(`Orthanc ${orthanc.version} with Worklane's plugin    DICOM ${ports.dicom}  HTTP ${ports.orthanc}`)
  say.line(`A RIS, and a CT (DCMTK's tools)        MLLP ${ports.ris}`)
  engine.onEnd(() => {
    if (!stopping) void fail(`The engine has ended.\n${engine.log()}`)
  })
  await travel(cast, folder.path, say)
  say.title('The order has travelled its whole road.')
  if (isOnce) await stop()
  else {
    sayHints(hints(cast, await prepareImages(folder.path)), say)
    say.title('Ctrl-C ends everything and removes its folder.')
    ris.onTold((told) => {
      say.title(`The RIS was told: ${told.accessionNumber} ${told.orderStatus}`)
      show(told, say)
    })
    setInterval(() => undefined, 60_000)
  }
} catch (error) {
  if (!(error instanceof SceneFailed)) throw error
  await fail(error.message)
}

async function fail(reason: string): Promise<void> {
  // A Ctrl-C in the middle of a scene makes it fail; that is no news.
  if (stopping) return
  const log = cast?.engine.log() ?? ''
  process.exitCode = 1
  process.stderr.write(
    `\n${reason}\n${log === '' || reason.includes(log) ? '' : `The engine's log ends with:\n${log}\n`}`,
  )
  await stop()
}

/** Ends what was started. npm passes a Ctrl-C on that has come by itself already, so a second signal changes nothing. */
async function stop(signal?: NodeJS.Signals): Promise<void> {
  if (stopping) return
  stopping = true
  if (signal !== undefined && !isOnce) process.stdout.write('\n   Stopping.\n')
  await cast?.stop()
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
  const interrupted = signal === undefined ? undefined : 128 + numbers[signal as keyof typeof numbers]
  // An end that was asked for is a good one, except of a run that was to come to its own.
  process.exit(process.exitCode ?? (isOnce ? interrupted : 0) ?? 0)
}

function readArguments(): boolean {
  try {
    const options = { once: { type: 'boolean' }, help: { type: 'boolean' } } as const
    const { values } = parseArgs({ options, strict: true })
    if (values.help === true) end(0, usage)
    return values.once === true
  } catch (error) {
    end(2, `${error instanceof Error ? (error.message.split('. ')[0] ?? '') : ''}.\n${usage}`)
  }
}

function openedFolder(): ReturnType<typeof openFolder> {
  try {
    return openFolder()
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
    end(1, `The demo cannot write to the folder for temporary files, ${tmpdir()} (${reason}): name another in TMPDIR.`)
  }
}

function missingPrograms(): string[] {
  const programs = ['redis-server', 'findscu', 'storescu', 'dump2dcm', 'dcmdump'].filter((name) => !onPath(name))
  const files = [
    { name: 'Orthanc', file: '/usr/sbin/Orthanc' },
    { name: "Orthanc's Python plugin", file: '/usr/share/orthanc/plugins/libOrthancPython.so' },
  ].filter(({ file }) => !existsSync(file))
  return [...files.map(({ name }) => name), ...programs]
}

function end(code: number, text: string): never {
  process[code === 0 ? 'stdout' : 'stderr'].write(`${text}\n`)
  process.exit(code)
}
