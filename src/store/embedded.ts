import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { EngineError, sentence } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'

export interface EmbeddedRedis {
  /** The unix socket. */
  readonly path: string
  /** Of the redis-server that runs now. */
  readonly pid: number
  /** Called each time it ends without having been told to; it is started again by itself. */
  onExit(listener: (reason: string) => void): () => void
  /** Why it does not run now. */
  failure(): string | undefined
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  readonly dataDir: string
  readonly log: Log
  /** Base of its configuration; what the engine relies on is set on the command line. */
  readonly configFile?: string
  /** How long the redis-server of a killed engine may still hold the folder. */
  readonly lockMilliseconds?: number
  /** Loading a large file takes its time. */
  readonly startMilliseconds?: number
}

const lockTaken = 75
const firstPause = 50
const longestPause = 2000
/** One that ran for so long has earned to be started again at once. */
const steadyMilliseconds = 10_000
/** sun_path has 108 bytes with its end (unix(7)). */
const longestSocketPath = 107

/**
 * The engine's own redis-server: on a unix socket, writing each change to the disk
 * before it answers, in `<dataDir>/redis`. The server itself holds the lock of the
 * folder and dies with the engine, even on SIGKILL, so that whoever gets the lock is alone.
 */
export async function startEmbeddedRedis(options: EmbeddedOptions): Promise<EmbeddedRedis> {
  const { log, lockMilliseconds = 3000, startMilliseconds = 120_000 } = options
  const dataDir = resolve(options.dataDir)
  const folder = join(dataDir, 'redis')
  makeFolders(dataDir, folder)
  const path = socketPath(dataDir, folder)
  const command = commandLine({ dataDir, folder, path, configFile: options.configFile ?? defaultConfig(), log })
  const listeners = new Set<(reason: string) => void>()
  let stopping = false
  let wait = firstPause
  let failure: string | undefined
  let current = await started()

  async function started(): Promise<ChildProcess> {
    const until = Date.now() + lockMilliseconds
    for (;;) {
      if (!command.locks && (await whoAnswers(path)) !== undefined) throw new EngineError('E502', { folder: dataDir })
      const outcome = await launch(command.args, path, startMilliseconds)
      if (outcome.kind === 'up') return supervised(outcome.child, outcome.reason)
      if (outcome.code !== lockTaken) throw new EngineError('E503', { reason: outcome.reason })
      if (Date.now() > until) throw new EngineError('E502', { folder: dataDir })
      await pause(100)
    }
  }

  function supervised(child: ChildProcess, said: () => string): ChildProcess {
    const since = performance.now()
    const ended = (code: number | null, signal: string | null): void => {
      if (stopping) return
      // One that lived is started again at once; one that keeps ending (a full disk) must not eat the machine.
      if (performance.now() - since > steadyMilliseconds) wait = firstPause
      void restart(signal ?? `exit code ${code}, ${said()}`)
    }
    if (child.exitCode !== null || child.signalCode !== null) ended(child.exitCode, child.signalCode)
    else child.once('exit', ended)
    return child
  }

  async function restart(reason: string): Promise<void> {
    failure = sentence('E510', { reason })
    log.error({ code: 'E510', reason }, failure)
    for (const listener of listeners) listener(reason)
    for (;;) {
      if (wait > firstPause) await pause(wait, undefined, { ref: false })
      wait = Math.min(wait * 2, longestPause)
      if (stopping) return
      try {
        current = await started()
        failure = undefined
        log.info({ pid: current.pid }, 'embedded redis-server started again')
        if (stopping) await end(current)
        return
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error)
        if (said !== failure) log.error({ code: 'E503' }, said)
        failure = said
      }
    }
  }

  const killWithEngine = (): void => void current.kill('SIGKILL')
  process.once('exit', killWithEngine)
  return {
    path,
    get pid() {
      return current.pid ?? 0
    },
    failure: () => failure,
    onExit(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async stop() {
      stopping = true
      await end(current)
      // Not before: one that is frozen must not outlive an engine that waits for it no longer.
      process.off('exit', killWithEngine)
    },
  }
}

function makeFolders(dataDir: string, folder: string): void {
  try {
    if (!existsSync(dataDir)) mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    accessSync(folder, constants.W_OK)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new EngineError('E512', { folder: dataDir, reason }, { cause: error })
  }
}

/** The socket of the redis-server that runs on this data folder, if one does. */
export async function runningSocket(dataDir: string): Promise<string | undefined> {
  const folder = join(resolve(dataDir), 'redis')
  if (!existsSync(folder)) return undefined
  const path = socketPath(resolve(dataDir), folder)
  return (await whoAnswers(path))?.ready === true ? path : undefined
}

/** In the data folder if the path is short enough, else in a private folder of the system's temporary one. */
function socketPath(dataDir: string, folder: string): string {
  const path = join(folder, 'redis.sock')
  if (Buffer.byteLength(path) <= longestSocketPath) return path
  const { uid } = userInfo()
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  const short = join(tmpdir(), `worklane-${uid}-${name}`)
  mkdirSync(short, { recursive: true, mode: 0o700 })
  const found = statSync(short)
  // Somebody else may have made it first, to listen in.
  if (uid >= 0 && (found.uid !== uid || (found.mode & 0o077) !== 0)) {
    throw new EngineError('E512', { folder: short, reason: 'not private' })
  }
  return join(short, 'redis.sock')
}

function defaultConfig(): string | undefined {
  const file = resolve(import.meta.dirname, '../../config/redis.conf')
  return existsSync(file) ? file : undefined
}

/** What the engine relies on, whatever the configuration file says. */
const required = {
  port: '0',
  unixsocketperm: '700',
  appendonly: 'yes',
  appendfsync: 'always',
  save: '',
  'maxmemory-policy': 'noeviction',
  daemonize: 'no',
  supervised: 'no',
  logfile: '',
}

function commandLine(to: { dataDir: string; folder: string; path: string; configFile: string | undefined; log: Log }): {
  args: readonly string[]
  locks: boolean
} {
  if (!onPath('redis-server')) throw new EngineError('E511')
  const missing = ['setpriv', 'flock'].filter((name) => !onPath(name))
  if (missing.length > 0) to.log.warn({ code: 'E513' }, sentence('E513', { missing: missing.join(' and ') }))
  const diesWithEngine = missing.includes('setpriv') ? [] : ['setpriv', '--pdeathsig', 'KILL']
  const locks = !missing.includes('flock')
  const alone = locks ? ['flock', '-n', '-E', String(lockTaken), '--no-fork', join(to.dataDir, 'lock')] : []
  const server = ['redis-server', ...(to.configFile === undefined ? [] : [to.configFile])]
  const settings = Object.entries({ ...required, unixsocket: to.path, dir: to.folder }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ])
  return { args: [...diesWithEngine, ...alone, ...server, ...settings], locks }
}

export function onPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

type Launch =
  | { readonly kind: 'up'; readonly child: ChildProcess; reason(): string }
  | { readonly kind: 'ended'; readonly code: number | null; readonly reason: string }

export async function launch(args: readonly string[], path: string, milliseconds: number): Promise<Launch> {
  const [program = '', ...rest] = args
  // Ctrl-C goes to the whole group of the terminal: the engine is to stop, with its Redis still there. One that
  // does not die with the engine stays in the group, so that nothing of it is left.
  const detached = program === 'setpriv'
  const child = spawn(program, rest, { detached, stdio: ['ignore', 'pipe', 'pipe'] })
  let lines: string[] = []
  const keep = (data: Buffer): void => {
    lines = [...lines, ...data.toString().split('\n')].filter((line) => line.trim() !== '').slice(-20)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let failed: Error | undefined
  child.once('error', (error) => (failed = error))
  const ended = (): boolean => failed !== undefined || child.exitCode !== null || child.signalCode !== null

  for (const until = Date.now() + milliseconds; !ended(); await pause(10)) {
    // The engine that holds the lock may answer on the same socket: only our own child counts.
    const found = await whoAnswers(path)
    if (found?.ready === true && found.pid === child.pid) return { kind: 'up', child, reason: () => reasonIn(lines) }
    if (Date.now() > until) {
      await end(child)
      return { kind: 'ended', code: null, reason: `no answer after ${milliseconds / 1000} s` }
    }
  }
  return { kind: 'ended', code: child.exitCode, reason: failed?.message ?? reasonIn(lines) }
}

/** Redis marks what matters with `#`; the rest of the line is a sentence. */
function reasonIn(lines: readonly string[]): string {
  // What it says last is what it does about it, not what happened.
  if (lines.some((line) => /No space left on device|Short write while writing/.test(line))) {
    return 'the disk of the data folder is full'
  }
  const marked = lines.filter((line) => / # (?!WARNING)/.test(line)).map((line) => line.slice(line.indexOf(' # ') + 3))
  return marked.at(-1) ?? lines.at(-1) ?? 'it ended at once'
}

/** Which process answers on the socket, and whether it takes commands: while it loads a long file it is there, but not ready. */
function whoAnswers(path: string): Promise<{ readonly pid: number; readonly ready: boolean } | undefined> {
  return new Promise((resolve) => {
    let seen = ''
    const socket = connect(path)
    const answer = (found: { pid: number; ready: boolean } | undefined): void => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(1000, () => answer({ pid: 0, ready: false }))
    socket.once('error', () => answer(undefined))
    socket.once('close', () => answer(undefined))
    socket.once('connect', () => socket.write('PING\r\nINFO server\r\n'))
    socket.on('data', (data) => {
      seen += data.toString()
      const pid = /^process_id:(\d+)\r$/m.exec(seen)?.[1]
      if (pid !== undefined) answer({ pid: Number(pid), ready: seen.startsWith('+PONG') })
    })
  })
}

/** SIGTERM: Redis writes what it has and leaves. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}
