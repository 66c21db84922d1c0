import { Redis } from 'ioredis'
import type { Seq } from '../core/ids.ts'
import { redisOptions, type Connection, type RedisLocation } from './connection.ts'

export interface ChangeStream {
  onChange(listener: (version: Seq) => void): () => void
  close(): void
}

/** Tells at once that a commit changed items. What is missed while disconnected is made good by one call at each new connection. */
export async function followChanges(options: {
  location: RedisLocation
  connection: Connection
}): Promise<ChangeStream> {
  const { location, connection } = options
  const listeners = new Set<(version: Seq) => void>()
  const redis = new Redis({
    ...redisOptions(location),
    protocol: 2,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  })
  redis.on('error', () => {})
  redis.on('message', (_channel, version) => tell(Number(version)))

  function tell(version: Seq): void {
    for (const listener of listeners) listener(version)
  }

  async function catchUp(): Promise<void> {
    try {
      const applied = await connection.ask((client) => client.get('wl:applied'))
      if (applied !== null) tell(Number(applied))
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
