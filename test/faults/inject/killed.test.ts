import { expect, test } from 'vitest'
import { order } from '../../support/message.ts'
import { eventually } from '../../support/temporary.ts'
import { engineFrozen, engineKilled, enginesKilled } from './engines.ts'
import { embeddedRedisOf, isAlive } from './processes.ts'
import { redisFrozen, redisKilled } from './redis.ts'
import { startWorld } from './world.ts'
import { insist, openWire } from './wire.ts'

const first = (): number => 0

test.each([{ redis: 'own' }, { redis: 'site' }] as const)(
  'engine and Redis ($redis) are killed or frozen: nobody is answered meanwhile, and all work again when healed',
  async ({ redis }) => {
    const world = await startWorld({ redis })
    try {
      const [engine] = world.engines
      if (engine === undefined) throw new Error('no engine')
      const enginePid = (): number => engine.process.pid
      const redisPid = (): number => world.redis?.pid ?? embeddedRedisOf(enginePid()) ?? 0
      for (const { fault, victim } of [
        { fault: engineKilled, victim: enginePid },
        { fault: redisKilled, victim: redisPid },
        { fault: engineFrozen, victim: undefined },
        { fault: redisFrozen, victim: undefined },
      ]) {
        const pid = victim?.()
        const { heal } = await fault.inject(world, first)
        // An engine starts its own Redis again at once; everything else waits for somebody.
        if (pid !== undefined) expect(isAlive(pid)).toBe(false)
        const takesNothing = fault !== redisKilled || redis === 'site'
        const text = order({ accession: `A${fault.name.length}` })
        const during = openWire(engine.line.port).then((wire) => wire.exchange(text, 1).finally(() => wire.close()))
        if (takesNothing) await expect(during).rejects.toThrow()
        else await during.catch(() => undefined)
        await heal()
        expect((await insist(engine.line.port, text)).code).toBe('AA')
      }
    } finally {
      await world.end()
    }
  },
)

test('two engines on one Redis: all are killed at once, and both take orders again', async () => {
  const world = await startWorld({ engines: 2 })
  try {
    const { heal } = await enginesKilled.inject(world, first)
    expect(world.engines.map(({ process }) => isAlive(process.pid))).toEqual([false, false])
    await Promise.all([heal(), heal()])
    for (const [at, { line }] of world.engines.entries())
      expect((await insist(line.port, order({ accession: `E${at}` }))).code).toBe('AA')
    const [engine] = world.engines
    const applied = async (): Promise<boolean> =>
      (await engine?.process.api<{ total: number }>('/api/messages?state=applied&limit=1'))?.total === 2
    await eventually(applied, 'both orders are applied')
  } finally {
    await world.end()
  }
})
