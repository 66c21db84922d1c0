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
      // The call that fails says only that the connection is closed; why it was is told beside it.
      let reason: unknown
      redis.on('error', (error: unknown) => (reason ??= error))
      const warnings: EngineError[] = []
      const keep: Log['error'] = ({ code }, sentence) => {
        const [, setting = '', value = ''] = /: (\S+) is (\S+)\.$/.exec(sentence) ?? []
        const params = { setting, value, policy: value }
        if (typeof code === 'string' && code in errors) warnings.push(new EngineError(code as ErrorCode, params))
      }
      const log: Log = { debug() {}, info() {}, warn: keep, error: keep }
      try {
        await redis.connect()
        await checkServer({ redis, ask: (work) => work(redis) }, log)
        const version = /^redis_version:(\S+)/m.exec(await redis.info('server'))?.[1] ?? ''
        return { detail: `Redis ${version}`, warnings }
      } catch (error) {
        throw error instanceof EngineError ? error : refusal(reason ?? error, new URL(url).host)
      } finally {
        redis.disconnect()
      }
    },
  }
}

/** Away, or there and not for us. */
function refusal(error: unknown, address: string): EngineError {
  const text = error instanceof Error ? error.message : ''
  if (/NOAUTH|WRONGPASS|invalid password|without any password|NOPERM/i.test(text))
    return new EngineError('E433', { address })
  return new EngineError('E516', { address })
}
