import { eventually } from '../../support/temporary.ts'
import { startAgain } from './engines.ts'
import { embeddedRedisOf, isAlive, oneOf } from './processes.ts'
import type { Fault, World } from './types.ts'

/** The redis-server dies; what it had answered is on the disk. The site starts its own again; an engine starts its own by itself. */
export const redisKilled: Fault = {
  name: 'redis killed',
  fits: () => true,
  async inject({ engines, redis }, pick) {
    if (redis !== undefined) {
      await redis.kill()
      return { what: 'redis of the site', heal: () => redis.start() }
    }
    const engine = oneOf(engines, pick)
    const pid = embeddedRedisOf(engine.process.pid)
    if (pid === undefined) return { what: 'no redis was running', heal: () => Promise.resolve() }
    process.kill(pid, 'SIGKILL')
    await eventually(() => !isAlive(pid), 'the redis-server has ended')
    return { what: `redis of ${engine.name}`, heal: () => redisRuns({ engines, redis }) }
  },
}

/** A redis-server that does not answer, and does not refuse either: a slow disk, a stopped machine. */
export const redisFrozen: Fault = {
  name: 'redis frozen',
  fits: () => true,
  inject({ engines, redis }, pick) {
    const pid = redis?.pid ?? embeddedRedisOf(oneOf(engines, pick).process.pid)
    if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGSTOP')
    return Promise.resolve({
      what: pid === undefined ? 'no redis was running' : 'redis',
      heal: () => {
        if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGCONT')
        return Promise.resolve()
      },
    })
  },
}

/** Resolves when each engine has a Redis: the site's, or its own. An engine that has ended over it is started again. */
export async function redisRuns({ engines, redis }: Pick<World, 'engines' | 'redis'>): Promise<void> {
  await redis?.start()
  for (const engine of engines) {
    if (!isAlive(engine.process.pid)) await startAgain(engine)
    if (redis === undefined) {
      const runs = (): boolean => embeddedRedisOf(engine.process.pid) !== undefined
      await eventually(runs, `the redis-server of ${engine.name} runs again`, 60)
    }
  }
}
