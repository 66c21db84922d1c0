import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { eventually, freePort, temporaryFolder } from './temporary.ts'

const root = resolve(import.meta.dirname, '../..')
/** What `npm start` runs. */
export const main = join(root, 'src/main.ts')

export interface EngineProcessOptions {
  /** Kept when given; else a temporary folder, removed at the end. */
  readonly dataDir?: string
  readonly orthancUrl: string
  /** Default `plugin`. */
  readonly target?: 'plugin' | 'folder' | 'none'
  /** For `folder`. */
  readonly worklistDir?: string
  /** Where status messages go; none are sent without it. */
  readonly risPort?: number
  /** A Redis that the engine does not start itself. */
  readonly redisUrl?: string
  readonly quietSeconds?: number
  readonly completion?: 'quiet' | 'stable'
  readonly logLevel?: 'debug' | 'info'
  /** Changes to the shipped config/worklane.yaml, by path: `{ 'destinations.0.retry.firstSeconds': 1 }`. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  /** Chosen before, where Orthanc's plugin had to know it. */
  readonly httpPort?: number
}

export interface EngineProcess {
  readonly pid: number
  readonly mllpPort: number
  readonly httpPort: number
  readonly httpUrl: string
  readonly token: string
  readonly dataDir: string
  /** GET with the token; throws unless it answers 2xx. */
  api<T = unknown>(path: string): Promise<T>
  /** SIGTERM: drains; answers the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL, and its folder is removed unless it was given. */
  kill(): Promise<void>
  /** SIGKILL; the folder stays. */
  crash(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  freeze(): void
  thaw(): void
  /** On the same ports and data; a running one is killed first. With other variables, from now on. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>
  /** Lines of the log, and everything else that it has said. */
  logs(): string
  /** What is on the log, one object per line. */
  lines(): readonly LogLine[]
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string; readonly level?: string }

export const testToken = 'token-of-the-tests'

/** The shipped configuration with changes, as a file beside the data. */
function configure(dir: string, changes: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(readFileSync(join(root, 'config/worklane.yaml'), 'utf8'))
  const all = {
    'folders.pipelines': join(root, 'pipelines'),
    'folders.tables': join(root, 'config/tables'),
    'orthancs.0.pollSeconds': 1,
    'destinations.0.retry.firstSeconds': 1,
    'destinations.0.retry.maxSeconds': 1,
    'orthancs.0.retry.maxSeconds': 1,
    ...changes,
  }
  for (const [path, value] of Object.entries(all)) {
    const keys = path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key))
    document.setIn(keys, value)
  }
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'worklane.yaml')
  writeFileSync(file, String(document))
  return file
}

/** A whole engine as a process of its own, as `npm start` runs it. Resolves when it takes messages; end it with `kill()`. */
export async function startEngineProcess(options: EngineProcessOptions): Promise<EngineProcess> {
  const temporary = temporaryFolder()
  const dataDir = options.dataDir ?? join(temporary.path, 'data')
  const mllpPort = await freePort()
  const httpPort = options.httpPort ?? (await freePort())
  const env = {
    PATH: process.env['PATH'],
    HOME: temporary.path,
    TZ: 'UTC',
    WORKLANE_CONFIG: configure(temporary.path, options.settings ?? {}),
    WORKLANE_DATA_DIR: dataDir,
    WORKLANE_MLLP_PORT: String(mllpPort),
    WORKLANE_HTTP_PORT: String(httpPort),
    WORKLANE_ORTHANC_URL: options.orthancUrl,
    WORKLANE_ORTHANC_TARGET: options.target ?? 'plugin',
    WORKLANE_WORKLIST_DIR: options.worklistDir ?? '',
    WORKLANE_RIS_PORT: options.risPort === undefined ? '' : String(options.risPort),
    WORKLANE_REDIS_URL: options.redisUrl ?? '',
    WORKLANE_QUIET_SECONDS: String(options.quietSeconds ?? 2),
    WORKLANE_COMPLETION: options.completion ?? 'quiet',
    WORKLANE_LOG_LEVEL: options.logLevel ?? 'info',
    WORKLANE_TOKEN: testToken,
    ...options.env,
  }
  let output = ''
  let child: ChildProcess | undefined
  let ended: Promise<number | null> = Promise.resolve(null)

  async function start(): Promise<void> {
    const said = output.length
    const started = spawn(process.execPath, [main], { cwd: temporary.path, env, stdio: ['ignore', 'pipe', 'pipe'] })
    child = started
    const endWithUs = (): boolean => started.kill('SIGKILL')
    process.once('exit', endWithUs)
    ended = new Promise((resolve) => {
      started.once('close', (code) => {
        process.removeListener('exit', endWithUs)
        resolve(code)
      })
    })
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')))
    await eventually(() => hasEnded(started) || output.slice(said).includes('worklane ready'), 'worklane ready')
    if (hasEnded(started)) throw new Error(`the engine did not start:\n${output.slice(said)}`)
  }

  async function end(signal: NodeJS.Signals, graceSeconds = 60): Promise<number | null> {
    if (child !== undefined && !hasEnded(child)) child.kill(signal)
    const timer = setTimeout(() => child?.kill('SIGKILL'), graceSeconds * 1000)
    const code = await ended
    clearTimeout(timer)
    return code
  }

  try {
    await start()
  } catch (error) {
    await end('SIGKILL')
    temporary.remove()
    throw error
  }
  const httpUrl = `http://127.0.0.1:${httpPort}`
  return {
    get pid() {
      return child?.pid ?? 0
    },
    mllpPort,
    httpPort,
    httpUrl,
    token: testToken,
    dataDir,
    async api<T>(path: string): Promise<T> {
      const response = await fetch(`${httpUrl}${path}`, { headers: { authorization: `Bearer ${testToken}` } })
      const text = await response.text()
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
      return (response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text) as T
    },
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL')
      temporary.remove()
    },
    async crash() {
      await end('SIGKILL')
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async restart(changes = {}) {
      await end('SIGKILL')
      Object.assign(env, changes)
      await start()
    },
    logs: () => output,
    lines: () =>
      output.split('\n').flatMap((line) => {
        try {
          return line.startsWith('{') ? [JSON.parse(line) as LogLine] : []
        } catch {
          return []
        }
      }),
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** For an engine that is restarted with it so many days have gone by, on its machine's clock and in its machine's uptime; everything else stays in today. */
export const daysLater = (days: number): Readonly<Record<string, string>> => {
  const script = `import os from 'node:os'
    import { syncBuiltinESMExports } from 'node:module'
    const now = Date.now, Today = Date, up = os.uptime, later = ${days * 86_400_000};
    os.uptime = () => up() + later / 1000
    syncBuiltinESMExports()
    globalThis.Date = class extends Today {
      constructor(...given) { given.length === 0 ? super(now() + later) : super(...given) }
      static now() { return now() + later }
    }`
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` }
}
