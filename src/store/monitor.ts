import { statfs } from 'node:fs/promises'
import { EngineError } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import type { Identity } from './identity.ts'

export interface Monitor {
  /** E518 while Redis is nearly full. */
  shortage(): EngineError | undefined
  /** E526 while the disk of the engine's own Redis is nearly full. */
  disk(): EngineError | undefined
  onIntake(listener: (open: boolean) => void): () => void
  close(): void
}

/**
 * Looks at Redis once a second: whether it still holds the store that it held (somebody may empty it, or put an older
 * copy in its place, without ending a connection), and whether it has room.
 *
 * Near its limit no new messages are taken, as if it were away, so that what was acknowledged can still be applied,
 * delivered and removed: at the limit itself Redis would refuse that, too.
 */
export function createMonitor(options: {
  connection: Connection
  identity: Pick<Identity, 'look' | 'keep'>
  /** The data folder, where Redis is the engine's own. */
  folder: string | undefined
  log: Log
  closeAt?: number
  openBelow?: number
  lookMilliseconds?: number
  leastFreeBytes?: number
}): Monitor {
  const {
    connection,
    identity,
    log,
    closeAt = 0.9,
    openBelow = 0.85,
    lookMilliseconds = 1000,
    leastFreeBytes = 500_000_000,
  } = options
  const listeners = new Set<(open: boolean) => void>()
  let shortage: EngineError | undefined
  let disk: EngineError | undefined
  let isOpen = connection.isUp()
  let looking = false

  function tell(): void {
    const open = connection.isUp() && shortage === undefined
    if (open === isOpen) return
    isOpen = open
    for (const listener of listeners) listener(open)
  }

  function measure({ used, limit }: { used: number; limit: number }): void {
    const part = limit === 0 ? 0 : used / limit
    const before = shortage
    if (part >= closeAt) {
      shortage = new EngineError('E518', { percent: Math.round(part * 100), open: Math.round(openBelow * 100) })
    } else if (part < openBelow) shortage = undefined
    if (shortage !== undefined && before === undefined) log.error({ code: 'E518' }, shortage.message)
    if (shortage === undefined && before !== undefined) log.info({}, 'store has room again')
    tell()
  }

  async function measureDisk(folder: string): Promise<void> {
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    const before = disk
    disk = free < leastFreeBytes ? new EngineError('E526', { folder, free: Math.round(free / 1_000_000) }) : undefined
    if (disk !== undefined && before === undefined) log.error({ code: 'E526', folder }, disk.message)
  }

  async function look(): Promise<void> {
    // Also while Redis is away: it may be so because of that. What cannot be told is no reason to say anything.
    if (options.folder !== undefined) await measureDisk(options.folder).catch(() => {})
    if (looking || !connection.isUp()) return
    looking = true
    try {
      measure(await memoryOf(connection))
      await identity.look(connection.run)
      identity.keep()
    } catch (error) {
      if (error instanceof EngineError && error.code !== 'E501') connection.bar(error)
    }
    looking = false
  }

  const timer = setInterval(() => void look(), lookMilliseconds)
  timer.unref()
  const stop = connection.onHealth(tell)
  return {
    shortage: () => shortage,
    disk: () => disk,
    onIntake(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      clearInterval(timer)
      stop()
    },
  }
}

/** Bytes that count against maxmemory (buffers of the append-only file and of replicas do not), and maxmemory itself. */
export async function memoryOf(connection: Connection): Promise<{ readonly used: number; readonly limit: number }> {
  const info = await connection.ask((redis) => redis.info('memory'))
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  return { used: field('used_memory') - field('mem_not_counted_for_evict'), limit: field('maxmemory') }
}
