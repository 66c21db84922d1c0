import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { eventually, temporaryFolder } from './temporary.ts'

export interface TestRedis {
  /** The unix socket. */
  readonly path: string
  readonly pid: number
  /** SIGKILL, as a crash. */
  kill(): Promise<void>
  /** Starts it again on the same data. */
  restart(): Promise<void>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

/** A real redis-server on a unix socket in a folder of its own. `aof`: each change is on the disk before the answer. */
export async function startRedis(options: { aof?: boolean; settings?: readonly string[] } = {}): Promise<TestRedis> {
  const { aof = true, settings = [] } = options
  const folder = temporaryFolder()
  const path = join(folder.path, 'redis.sock')
  const persistence = aof ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
  const args = ['--port', '0', '--unixsocket', path, '--unixsocketperm', '700', '--dir', folder.path, '--save', '']
  let child = await start()

  async function start(): Promise<ChildProcess> {
    const started = spawn('redis-server', [...args, ...persistence, ...settings], { stdio: 'ignore' })
    await eventually(() => started.exitCode === null && pong(path), 'redis-server answers')
    return started
  }

  async function kill(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  return {
    path,
    get pid() {
      return child.pid ?? 0
    },
    kill: () => kill('SIGKILL'),
    async restart() {
      await kill('SIGTERM')
      child = await start()
    },
    async stop() {
      // A stopped process takes no SIGTERM.
      await kill('SIGKILL')
      folder.remove()
    },
  }
}

function pong(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
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
