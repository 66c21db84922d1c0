import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { EngineError } from '../core/errors/index.ts'
import { end, launch, onPath } from './embedded.ts'

/** A redis-server that shows what is in an RDB file and ends with this process. Nothing that is done to it is kept. */
export async function serveSnapshot(file: string): Promise<{ readonly path: string; stop(): Promise<void> }> {
  if (!onPath('redis-server')) throw new EngineError('E511')
  const folder = mkdtempSync(join(tmpdir(), 'worklane-'))
  const path = join(folder, 'redis.sock')
  const settings = {
    port: '0',
    unixsocket: path,
    unixsocketperm: '700',
    dir: dirname(file),
    dbfilename: basename(file),
    appendonly: 'no',
    save: '',
    // A site may use any of its databases.
    databases: '1024',
    maxmemory: '0',
    daemonize: 'no',
  }
  const diesWithUs = onPath('setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : []
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const outcome = await launch([...diesWithUs, 'redis-server', ...args], path, 600_000)
  if (outcome.kind === 'ended') {
    rmSync(folder, { recursive: true, force: true })
    throw new EngineError('E524', { reason: outcome.reason })
  }
  return {
    path,
    async stop() {
      await end(outcome.child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
