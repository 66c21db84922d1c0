import { Redis } from 'ioredis'
import type { Seq } from '../core/ids.ts'
import { redisOptions, type Connection, type RedisLocation } from './connection.ts'

const againMilliseconds = 500

export interface ChangeStream {
  onChange(listener: (version: Seq, isRewound?: boolean) => void): () => void
  close(): void
}

/**
 * Tells at once that a commit changed items. What is missed while disconnected is made good by one call at each new
 * connection. Where another store has taken its place (a backup, a store that a person has accepted with what it has
 * lost) that is told with it: what was read before may never have happened.
 */
export async function followChanges(options: {
  location: RedisLocation
  connection: Connection
  /** Whether another store has taken the place of the one that was read; asked once for each. */
  isReplaced: () => boolean
  /** A line on which nothing is answered for so long is given up. */
  silenceMilliseconds: number
}): Promise<ChangeStream> {
  const { location, connection } = options
  const listeners = new Set<(version: Seq, isRewound?: boolean) => void>()
  let told: Seq = 0
  let again: NodeJS.Timeout | undefined
  let isClosed = false
  const redis = new Redis({
    ...redisOptions(location),
    protocol: 2,
    maxRetriesPerRequest: null,
    // ioredis would listen to nobody who says no: that would end the process.
    autoResubscribe: false,
    socketTimeout: options.silenceMilliseconds,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  })
  redis.on('error', () => {})
  redis.on('message', (_channel, version) => tell(Number(version)))

  function tell(version: Seq, isRewound = false): void {
    told = isRewound ? version : Math.max(told, version)
    for (const listener of listeners) listener(version, isRewound)
  }

  async function catchUp(): Promise<void> {
    try {
      const before = told
      const applied = Number((await connection.ask((client) => client.get('wl:applied'))) ?? 0)
      const isRewound = options.isReplaced() || applied < before
      tell(applied, isRewound)
    } catch {
      // It has gone again; the next connection catches up.
    }
  }

  /** Hears first and reads then: nothing falls between. */
  async function hear(): Promise<void> {
    clearTimeout(again)
    try {
      await redis.subscribe('wl:changed')
    } catch {
      // Redis is there and refuses (its rights were changed): it may allow it again at any time.
      if (!isClosed) again = setTimeout(() => void hear(), againMilliseconds).unref()
    }
    await catchUp()
  }

  const stop = connection.onHealth((up) => {
    if (up) void catchUp()
  })
  await redis.subscribe('wl:changed')
  redis.on('ready', () => void hear())
  await catchUp()
  // Nobody may have anything to tell for hours: only who asks finds out that nobody is there.
  const asking = setInterval(() => {
    if (redis.status === 'ready') redis.ping().catch(() => undefined)
  }, options.silenceMilliseconds / 2)
  asking.unref()

  return {
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      isClosed = true
      stop()
      clearTimeout(again)
      clearInterval(asking)
      redis.disconnect()
    },
  }
}
