import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { endsWithUs } from '../../support/child.ts'
import { eventually, freePort } from '../../support/temporary.ts'

/** A redis-server that several engines share, as docs ask for it: nothing is answered before it is on the disk. */
export interface SiteRedis {
  readonly url: string
  readonly port: number
  readonly dir: string
  readonly pid: number
  isRunning(): boolean
  /** What it said on its log since it was first started. */
  log(): string
  /** SIGKILL and wait. */
  kill(): Promise<void>
  /** On the same port and folder, unless it runs; resolves when it answers PING. */
  start(): Promise<void>
}

export async function startSiteRedis(dir: string, env: Readonly<Record<string, string>> = {}): Promise<SiteRedis> {
  mkdirSync(dir, { recursive: true })
  const port = await freePort()
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction', '--save', '']
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir]
  let said = ''
  let child: ChildProcess | undefined
  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null

  const redis: SiteRedis = {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return child?.pid ?? 0
    },
    isRunning,
    log: () => said,
    async kill() {
      const running = child
      if (running === undefined || !isRunning()) return
      const ended = once(running, 'exit')
      running.kill('SIGKILL')
      await ended
    },
    async start() {
      if (!isRunning()) {
        const { program, args } = endsWithUs('redis-server', [...place, ...durable])
        child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'] })
        child.stdout?.on('data', (bytes: Buffer) => (said += bytes.toString()))
      }
      await eventually(() => !isRunning() || pong(port), 'the redis-server of the site answers', 60)
      if (!isRunning()) throw new Error(`the redis-server of the site ended:\n${said.slice(-1000)}`)
    },
  }
  await redis.start()
  return redis
}

function pong(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (found: boolean): void => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(500, () => answer(false))
    socket.once('error', () => answer(false))
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')))
  })
}
