import { Redis } from 'ioredis'
import { EngineError } from '../core/errors/index.ts'
import { redisOptions, type Argument, type RedisLocation, type Reply } from './connection.ts'
import { startEmbeddedRedis, runningSocket } from './embedded.ts'
import { silentLog } from './silent.ts'
import type { Script } from './scripts.ts'

/** A connection for one piece of work that needs no engine. */
export interface Once {
  readonly redis: Redis
  run(script: Script, args: readonly Argument[]): Promise<Reply>
  close(): void
}

/** Throws E501 when Redis does not answer. */
export async function openOnce(location: RedisLocation): Promise<Once> {
  const redis = new Redis({
    ...redisOptions(location),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: 3000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
  } catch (error) {
    redis.disconnect()
    throw new EngineError('E501', {}, { cause: error })
  }
  return {
    redis,
    run: async (script, args) => (await redis.callBuffer('EVAL', script.text, 0, ...args)) as Reply,
    close: () => redis.disconnect(),
  }
}

/** The Redis of a site: its own, that of the engine that runs on the data folder, or that folder's, started for as long as it is needed. */
export async function reachRedis(site: { readonly dataDir: string; readonly redisUrl: string }): Promise<{
  readonly location: RedisLocation
  /** Whether something else may work on it at the same time. */
  readonly isShared: boolean
  stop(): Promise<void>
}> {
  const nothing = (): Promise<void> => Promise.resolve()
  if (site.redisUrl !== '') return { location: { url: site.redisUrl }, isShared: true, stop: nothing }
  const running = await runningSocket(site.dataDir)
  if (running !== undefined) return { location: { path: running }, isShared: true, stop: nothing }
  const redis = await startEmbeddedRedis({ dataDir: site.dataDir, log: silentLog })
  return { location: { path: redis.path }, isShared: false, stop: () => redis.stop() }
}
