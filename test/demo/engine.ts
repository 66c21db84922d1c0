import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { endsWithUs } from '../support/child.ts'
import type { Ports } from './ports.ts'

const root = resolve(import.meta.dirname, '../..')

/** Seconds without new images after which an exam is over: 30 minutes in a hospital. */
export const quietSeconds = 3

export interface DemoEngine {
  readonly dataDir: string
  /** The end of its log. */
  log(): string
  /** Calls back when it ends without having been told to. */
  onEnd(listener: () => void): void
  /** SIGTERM; resolves when it and its Redis have ended. */
  stop(): Promise<void>
}

/** The engine as `npm start` runs it, with the shipped configuration. Resolves when it takes messages. */
export function startEngine({ dir, ports }: { dir: string; ports: Ports }): Promise<DemoEngine> {
  const dataDir = join(dir, 'engine')
  const { program, args } = endsWithUs(process.execPath, [join(root, 'src/main.ts')])
  const child = spawn(program, args, {
    cwd: root,
    env: {
      ...withoutSettings(process.env),
      WORKLANE_DATA_DIR: dataDir,
      WORKLANE_MLLP_PORT: String(ports.mllp),
      WORKLANE_HTTP_PORT: String(ports.http),
      WORKLANE_ORTHANC_URL: `http://127.0.0.1:${ports.orthanc}`,
      WORKLANE_RIS_PORT: String(ports.ris),
      WORKLANE_QUIET_SECONDS: String(quietSeconds),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Out of the terminal's foreground group: a Ctrl-C is for the demo, which ends its processes in order.
    detached: true,
  })
  const killWithUs = (): boolean => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  let lines: string[] = []
  let stopping = false
  const listeners: (() => void)[] = []
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const engine: DemoEngine = {
    dataDir,
    log: () => lines.join('\n'),
    onEnd: (listener) => void listeners.push(listener),
    async stop() {
      stopping = true
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 8000)
      await ended
      clearTimeout(timer)
      process.removeListener('exit', killWithUs)
    },
  }
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => {
        lines = [...lines, ...bytes.toString('utf8').split('\n')].filter((line) => line.trim() !== '').slice(-15)
        if (lines.some((line) => line.startsWith('worklane ready'))) resolve(engine)
      })
    child.once('error', reject)
    child.once('close', () => {
      process.removeListener('exit', killWithUs)
      reject(new Error(`the engine ended\n${lines.join('\n')}`))
      if (!stopping) for (const listener of listeners) listener()
    })
  })
}

/** What a person has set for their own engine is not for this one. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('WORKLANE_')))
}
