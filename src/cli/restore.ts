import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EngineError } from '../core/errors/index.ts'
import { reachRedis, restore as restoreStore, storeFormat } from '../store/index.ts'
import { load, refuse } from './load.ts'
import { counted, type Io } from './output.ts'
import { whileWorking } from './progress.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane restore FILE [--force] [--config FILE] [--json]

Puts a backup into an empty store, after it has checked every byte of it; every engine
of the store is stopped. --force removes what is in the store, for good. Afterwards the
store is as it was at that moment: what came since is gone, and status messages that were
owed then are sent again, with the same MSH-10.`

export async function restore(args: readonly string[], io: Io): Promise<number> {
  const options = { config: { type: 'string' }, force: { type: 'boolean' }, json: { type: 'boolean' } } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const [from, ...more] = positionals
  if (from === undefined || more.length > 0) return misuse('Give one backup', usage, io)
  const loaded = load(io, values.config)
  if (loaded.site === undefined) return refuse(loaded, io)
  const { settings } = loaded.site
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 })
  const reached = await reachRedis(settings)
  try {
    // Its own Redis runs: so does its engine.
    if (settings.redisUrl === '' && reached.isShared) throw new EngineError('E525')
    const { takenAt, messages, orders } = await whileWorking(io, 'restoring the store', () =>
      restoreStore({
        redis: reached.location,
        file: resolve(io.cwd, from),
        identityFile: join(settings.dataDir, 'store.json'),
        format: storeFormat,
        force: values.force === true,
        at: new Date().toISOString(),
      }),
    )
    if (values.json === true) io.stdout(`${JSON.stringify({ takenAt, messages, orders }, null, 2)}\n`)
    else
      io.stdout(
        `The store is as it was at ${takenAt}: ${counted(messages, 'message')} and ${counted(orders, 'order')}. ` +
          `Start the engine, and ask the senders to repeat what they have sent since.\n`,
      )
    return 0
  } finally {
    await reached.stop()
  }
}
