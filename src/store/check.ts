import { EngineError, sentence } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'
import type { Connection } from './connection.ts'

type Asked = Pick<Connection, 'ask' | 'redis'>

/**
 * Whether this Redis can keep what is acknowledged (I1). What cannot work is an
 * error; what can lose data is said loudly, since the site may know better: the first of that is answered.
 */
export async function checkServer(connection: Asked, log: Log): Promise<EngineError | undefined> {
  const info = await connection.ask((redis) => redis.info())
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''

  const version = field('redis_version')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < 6 || (major === 6 && minor < 2)) throw new EngineError('E506', { version })
  if (field('cluster_enabled') === '1') throw new EngineError('E507')
  if (field('role') === 'slave') throw new EngineError('E509', { reason: 'READONLY' })

  const concerns: EngineError[] = []
  const warn = (code: 'E504' | 'E505', params: Record<string, string>): void => {
    concerns.push(new EngineError(code, params))
    log.error({ code }, sentence(code, params))
  }
  if (field('aof_enabled') !== '1') warn('E504', { setting: 'appendonly', value: 'no' })
  else {
    const fsync = await setting(connection, 'appendfsync')
    if (fsync !== 'always') warn('E504', { setting: 'appendfsync', value: fsync ?? 'unknown' })
  }
  const policy = field('maxmemory_policy')
  if (policy !== 'noeviction') warn('E505', { policy })
  return concerns[0]
}

/** Undefined where the site's Redis does not let us ask. */
async function setting(connection: Asked, name: string): Promise<string | undefined> {
  try {
    return (await connection.redis.config('GET', name))[1]
  } catch {
    return undefined
  }
}
