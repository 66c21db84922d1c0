import { Redis } from 'ioredis'
import { EngineError, errors, type ErrorCode } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'
import { checkServer } from '../store/check.ts'
import { redisOptions } from '../store/index.ts'
import type { Probe } from './check.ts'

/** The site's Redis, asked without writing anything: what it is, and whether it can keep what is acknowledged. */
export function redisProbe(url: string): Probe {
  return {
    endpoint: 'redis',
    // Not the whole of it: it may hold a password.
    address: new URL(url).host,
    async ask() {
      const redis = new Redis({
        ...redisOptions({ url }),
        protocol: 2,
        lazyConnect: true,
        connectTimeout: 3000,
        retryStrategy: () => null,
      })
      // What goes wrong rejects the call that it goes wrong with.
      redis.on('error', () => undefined)
      const warnings: EngineError[] = []
      const keep: Log['error'] = ({ code, setting, value, policy }) => {
        const params = { setting: String(setting), value: String(value), policy: String(policy) }
        if (typeof code === 'string' && code in errors) warnings.push(new EngineError(code as ErrorCode, params))
      }
      const log: Log = { debug() {}, info() {}, warn: keep, error: keep }
      try {
        await redis.connect()
        await checkServer({ redis, ask: (work) => work(redis) }, log)
        const version = /^redis_version:(\S+)/m.exec(await redis.info('server'))?.[1] ?? ''
        return { detail: `Redis ${version}`, warnings }
      } finally {
        redis.disconnect()
      }
    },
  }
}
