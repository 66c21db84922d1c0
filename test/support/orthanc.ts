import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { endsWithUs } from './child.ts'
import { eventually, freePort, temporaryFolder } from './temporary.ts'

const root = resolve(import.meta.dirname, '../..')

export interface OrthancOptions {
  /**
   * `worklane` and `folder` run the shipped configurations (config/orthanc); `none`
   * has no worklist plugin at all.
   */
  readonly plugin?: 'worklane' | 'folder' | 'none'
  /** For `folder`. */
  readonly worklistDir?: string
  /** Added to Orthanc's environment: WORKLANE_URL, WORKLANE_TOKEN, ... */
  readonly env?: Readonly<Record<string, string>>
  /** Seconds without a new image after which a study is stable; default 1. */
  readonly stableAge?: number
  /** Where Orthanc keeps its database; a temporary folder, removed at the end, if not given. */
  readonly dir?: string
  readonly httpPort?: number
  readonly dicomPort?: number
  /** Added to the configuration; for `none` only. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** HTTP status by which it is known to be up: 200, or 401 where a password is asked for. */
  readonly answers?: number
}

export interface RunningOrthanc {
  readonly httpUrl: string
  readonly httpPort: number
  readonly dicomPort: number
  readonly aet: string
  readonly dir: string
  readonly pid: number
  /** All that Orthanc has written to its log. */
  logs(): string
  /** SIGTERM and wait: takes 5 s. Only where something depends on a clean stop. */
  stop(): Promise<void>
  /** SIGTERM and wait; its folder stays, so that it can be restarted. */
  terminate(): Promise<void>
  /** SIGKILL and wait. */
  kill(): Promise<void>
  /** Starts it again on the same ports and database, ending it by SIGKILL before if it runs. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>
  /** Stops the process without ending it, and lets it go on. */
  pause(): void
  resume(): void
}

/** A real Orthanc on free ports of this machine, answering REST. End it with `kill()`. */
export async function startOrthanc(options: OrthancOptions = {}): Promise<RunningOrthanc> {
  const temporary = options.dir === undefined ? temporaryFolder() : undefined
  const dir = options.dir ?? (temporary as { path: string }).path
  mkdirSync(dir, { recursive: true })
  const httpPort = options.httpPort ?? (await freePort())
  const dicomPort = options.dicomPort ?? (await freePort())
  const httpUrl = `http://127.0.0.1:${httpPort}`
  const configuration = configure(options, dir)
  let env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    TCP_NODELAY: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    ORTHANC_HTTP_PORT: String(httpPort),
    ORTHANC_DICOM_PORT: String(dicomPort),
    ORTHANC_STORAGE: join(dir, 'db'),
    ORTHANC_STABLE_AGE: String(options.stableAge ?? 1),
    WORKLANE_PLUGIN_DIR: join(root, 'connectors/orthanc/plugin'),
    ...(options.worklistDir === undefined ? {} : { WORKLANE_WORKLIST_DIR: options.worklistDir }),
    ...options.env,
  }
  let log = ''
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child?.exitCode === null && child.signalCode === null) child.kill(signal)
    await ended
  }
  const start = async (): Promise<void> => {
    const { program, args } = endsWithUs('/usr/sbin/Orthanc', [configuration])
    const started = spawn(program, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] })
    child = started
    const kill = (): boolean => started.kill('SIGKILL')
    process.once('exit', kill)
    ended = new Promise((resolve) => {
      started.once('close', () => {
        process.removeListener('exit', kill)
        resolve()
      })
    })
    for (const stream of [started.stdout, started.stderr]) stream.on('data', (bytes: Buffer) => (log += String(bytes)))
    await eventually(async () => {
      if (started.exitCode !== null || started.signalCode !== null) return 'ended'
      const { status } = await fetch(`${httpUrl}/system`, { signal: AbortSignal.timeout(2000) })
      return status === (options.answers ?? 200)
    }, `Orthanc answers REST\n${log}`)
    if (started.exitCode !== null) throw new Error(`Orthanc did not start:\n${log}`)
  }
  await start()
  return {
    httpUrl,
    httpPort,
    dicomPort,
    aet: 'ORTHANC',
    dir,
    get pid() {
      return child?.pid ?? 0
    },
    logs: () => log,
    async stop() {
      await end('SIGTERM')
      temporary?.remove()
    },
    terminate: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL')
      temporary?.remove()
    },
    async restart(more = {}) {
      await end('SIGKILL')
      env = { ...env, ...more }
      await start()
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  }
}

function configure(options: OrthancOptions, dir: string): string {
  if (options.plugin === 'worklane') return join(root, 'config/orthanc/plugin.json')
  if (options.plugin === 'folder') return join(root, 'config/orthanc/folder.json')
  const file = join(dir, 'orthanc.json')
  const ports =
    '"HttpPort": ${ORTHANC_HTTP_PORT}, "DicomPort": ${ORTHANC_DICOM_PORT}, "StableAge": ${ORTHANC_STABLE_AGE}'
  const settings = JSON.stringify({
    Name: 'Test',
    StorageDirectory: join(dir, 'db'),
    IndexDirectory: join(dir, 'db'),
    DicomAet: 'ORTHANC',
    RemoteAccessAllowed: false,
    DicomAlwaysAllowStore: true,
    DefaultEncoding: 'Utf8',
    Plugins: [],
    ...options.settings,
  })
  writeFileSync(file, `{ ${ports}, ${settings.slice(1)}`)
  return file
}
