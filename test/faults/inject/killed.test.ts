import { expect, test } from 'vitest'
import { orderBytes } from '../../support/message.ts'
import { openSender } from '../sender.ts'
import { engineFrozen, engineKilled } from './engines.ts'
import { redisKilled } from './redis.ts'
import { isAlive } from './processes.ts'
import { startWorld } from './world.ts'

test('an engine and its own Redis are killed, and take orders again when healed', async () => {
  const world = await startWorld()
  try {
    const [engine] = world.engines
    if (engine === undefined) throw new Error('no engine')
    const sender = openSender({ port: engine.line.port })
    await sender.send(orderBytes({ accession: 'A1' }))
    for (const fault of [engineKilled, redisKilled, engineFrozen]) {
      const before = engine.process.pid
      const { heal } = await fault.inject(world, () => 0)
      if (fault === engineKilled) expect(isAlive(before)).toBe(false)
      const sent = sender.send(orderBytes({ accession: `A${fault.name.length}` }))
      await heal()
      await sent
    }
    sender.close()
  } finally {
    await world.end()
  }
})
