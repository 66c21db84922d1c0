import { Redis } from 'ioredis'
import { sentence } from '../core/errors/index.ts'
import type { Seq } from '../core/ids.ts'
import type { Log } from '../core/ports.ts'
import { redisOptions, type Connection, type RedisLocation } from './connection.ts'

export interface ChangeStream {
  onChange(listener: (version: Seq, isRewound?: boolean) => void): () => void
  close(): void
}

/**
 * Tells at once that a commit changed items. What is missed while disconnected is made good by one call at each new
 * connection. A store that has come back with less than it had (a backup, a replica that was behind, a Redis that
 * writes once a second) is said: what was read of it before may never have happened.
 */
export async function followChanges(options: {
  location: RedisLocation
  connection: Connection
  log: Log
}): Promise<ChangeStream> {
  const { location, connection, log } = options
  const listeners = new Set<(version: Seq, isRewound?: boolean) => void>()
  let told: Seq = 0
  const redis = new Redis({
    ...redisOptions(location),
    protocol: 2,
    maxRetriesPerRequest: null,
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
      const isRewound = applied < before
      if (isRewound) log.error({ code: 'E517' }, sentence('E517'))
      tell(applied, isRewound)
    } catch {
      // It has gone again; the next connection catches up.
    }
  }

  const stop = connection.onHealth((up) => {
    if (up) void catchUp()
  })
  redis.on('ready', () => void catchUp())
  await redis.subscribe('wl:changed')

  return {
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      stop()
      redis.disconnect()
    },
  }
}
