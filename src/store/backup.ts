import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, mkdtempSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { EngineError } from '../core/errors/index.ts'
import type { Instant } from '../core/ids.ts'
import { checkBackup, readBackup, writeBackup, type BackupHeader } from './backup-file.ts'
import type { RedisLocation } from './connection.ts'
import { dump } from './dump.ts'
import { remember, remembered, type Remembered } from './identity.ts'
import { openOnce, type Once } from './once.ts'
import { failed, takeSnapshot } from './snapshot.ts'
import { removeLeftFiles } from './repair.ts'
import { script } from './scripts.ts'
import { serveSnapshot } from './throwaway.ts'

/** Begins the name of whatever a backup needs for a while, beside its file. */
export const unfinished = '.worklane-backup-'

export interface Backup extends BackupHeader {
  readonly file: string
  readonly bytes: number
}

/**
 * Writes all that the store holds at one moment into a file that only its owner can read: it is patient data. The
 * engines work on meanwhile. Redis makes the moment (a snapshot as for a replica); a redis-server of our own shows it,
 * so that of a Redis that others use, too, only our keys are in the file. Throws E524.
 */
export async function backUp(options: {
  readonly redis: RedisLocation
  readonly file: string
  readonly takenAt: Instant
  readonly engine: string
}): Promise<Backup> {
  const { redis, file, takenAt, engine } = options
  let folder: string
  try {
    removeLeftFiles(dirname(file))
    folder = mkdtempSync(join(dirname(file), `${unfinished}${process.pid}-`))
  } catch (error) {
    throw failed(`${dirname(file)} cannot be written`, error)
  }
  try {
    const rdb = join(folder, 'snapshot.rdb')
    await takeSnapshot(redis, rdb)
    const server = await serveSnapshot(rdb)
    const shown = await openOnce({ path: server.path })
    try {
      await shown.redis.select(databaseOf(redis))
      const header = await headerOf(shown, { takenAt, engine })
      const made = join(folder, basename(file))
      await writeBackup(made, header, dump(shown.redis))
      renameSync(made, file)
      syncFolder(dirname(file))
      return { ...header, file, bytes: statSync(file).size }
    } finally {
      shown.close()
      await server.stop()
    }
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw failed((error as NodeJS.ErrnoException).code ?? 'a defect', error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function databaseOf(location: RedisLocation): number {
  return 'url' in location ? Number(new URL(location.url).pathname.slice(1) || 0) : 0
}

async function headerOf({ redis }: Once, of: { takenAt: Instant; engine: string }): Promise<BackupHeader> {
  const [format, identity, seq, applied, migrating, restoring] = await redis.mget(
    'wl:format',
    'wl:identity',
    'wl:seq',
    'wl:applied',
    'wl:migrating',
    'wl:restoring',
  )
  if (format == null || seq == null) throw failed('there is no store')
  if (restoring != null) throw new EngineError('E523')
  if (migrating != null) throw failed('the store is being brought to a newer format')
  const [messages, orders] = await Promise.all([redis.zcard('wl:messages'), redis.zcard('wl:orders')])
  return {
    worklane: 'backup',
    version: 1,
    format: Number(format),
    identity: identity ?? '',
    ...of,
    seq: Number(seq),
    applied: Number(applied),
    messages,
    orders,
  }
}

/** Power may go: the name of the file is to be on the disk as well. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/**
 * Puts a backup into an empty store (or, by `force`, in the place of what is there). The file is checked to its last
 * byte before anything is written; a restore that was killed is begun again, and no engine starts before it is done
 * (E523). The store gets a new name, and numbers go on after the present: what was made after the backup and is lost
 * had numbers, UIDs and control IDs that must not come again for something else.
 */
export async function restore(options: {
  readonly redis: RedisLocation
  readonly file: string
  /** Of the data folder. */
  readonly identityFile: string
  /** The newest that this engine can bring up to date. */
  readonly format: number
  readonly force: boolean
  readonly at: Instant
}): Promise<Backup> {
  const { redis: location, file, identityFile, format, force, at } = options
  const { header, bytes } = await checkBackup(file)
  if (header.format > format) throw new EngineError('E508', { found: header.format, known: format })
  const { redis, run, close } = await openOnce(location)
  try {
    const [seq, identity, isUnfinished] = await redis.mget('wl:seq', 'wl:identity', 'wl:restoring')
    for await (const _held of keysLike(redis, 'wl:lease:*')) throw new EngineError('E525')
    if (isUnfinished == null && seq != null && !force) throw new EngineError('E522', { seq })
    const known = remembered(identityFile)
    const before = [identity ?? '', header.identity, known?.identity ?? ''].filter((name) => name !== '')
    await redis.set('wl:restoring', JSON.stringify({ at, before }))
    await clear(redis)
    await fill(redis, file)
    const name = randomUUID()
    const line = JSON.stringify({ at, state: 'restored', takenAt: header.takenAt, found: header.seq })
    await run(endRestore, [name, beyond(header, Date.parse(at), known?.seq ?? 0, Number(seq ?? 0)), line, ...before])
    remember(identityFile, JSON.stringify({ identity: name, seq: header.seq } satisfies Remembered))
    return { ...header, file, bytes }
  } finally {
    close()
  }
}

/**
 * A number above every one that the lost store can have given: more than ten in a millisecond it never did, and it may
 * have run ahead of the clock by as many as came in its first minutes.
 */
function beyond({ takenAt, seq }: BackupHeader, now: number, ...known: readonly number[]): number {
  const since = Math.max(0, now - Date.parse(takenAt)) || 0
  return Math.max(seq + 10 * since, ...known) + 1_000_000
}

/** What was there, and what a restore before has left; jobs too: they are about a store that is no more. */
async function clear(redis: Once['redis']): Promise<void> {
  for (const match of ['wl:*', 'wlq:*']) {
    for await (const found of keysLike(redis, match)) {
      const keys = found.filter((key) => key.toString() !== 'wl:restoring')
      if (keys.length > 0) await redis.unlink(...keys)
    }
  }
}

/** Some at a time, never none. */
async function* keysLike(redis: Once['redis'], match: string): AsyncGenerator<readonly Buffer[]> {
  for (let cursor = '0'; ;) {
    const [next, found] = await redis.scanBuffer(cursor, 'MATCH', match, 'COUNT', 1000)
    if (found.length > 0) yield found
    cursor = next.toString()
    if (cursor === '0') return
  }
}

async function fill(redis: Once['redis'], file: string): Promise<void> {
  const most = 1_000_000
  let batch = redis.pipeline()
  let size = 0
  const send = async (): Promise<void> => {
    for (const [error] of (await batch.exec()) ?? []) if (error !== null) throw error
    batch = redis.pipeline()
    size = 0
  }
  for await (const [command, ...rest] of readBackup(file)) {
    batch.call(command?.toString() ?? '', ...rest)
    size += rest.reduce((sum, word) => sum + word.length, 100)
    if (size > most) await send()
  }
  await send()
}

/** new identity, highest number known, line, earlier identities... */
const endRestore = script(
  'endRestore',
  `
for i = 4, #ARGV do redis.call('SADD', 'wl:replaced', ARGV[i]) end
redis.call('SET', 'wl:identity', ARGV[1])
local time = redis.call('TIME')
local seq = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[2]), tonumber(redis.call('GET', 'wl:seq')))
redis.call('SET', 'wl:seq', string.format('%.0f', seq))
redis.call('RPUSH', 'wl:losses', ARGV[3])
redis.call('DEL', 'wl:restoring', 'wl:loss')
return 1`,
)
