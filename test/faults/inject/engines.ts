import { setTimeout as pause } from 'node:timers/promises'
import type { EngineInWorld, Fault } from './types.ts'
import { isAlive, oneOf } from './processes.ts'

/** Power off, out of memory, `kill -9`: nothing is said to anybody. */
export const engineKilled: Fault = {
  name: 'engine killed',
  fits: () => true,
  async inject({ engines }, pick) {
    const engine = oneOf(engines, pick)
    await engine.process.crash()
    return { what: engine.name, heal: () => startAgain(engine) }
  },
}

/** All of them at once, as when the machine loses power. */
export const enginesKilled: Fault = {
  name: 'all engines killed',
  fits: ({ engines }) => engines.length > 1,
  async inject({ engines }) {
    await Promise.all(engines.map(({ process }) => process.crash()))
    return {
      what: `${engines.length} engines`,
      heal: async () => {
        await Promise.all(engines.map(startAgain))
      },
    }
  },
}

/** It sleeps for longer than its roles last, and wakes with what it had in its hands. */
export const engineFrozen: Fault = {
  name: 'engine frozen',
  fits: () => true,
  inject({ engines, leaseMilliseconds }, pick) {
    const engine = oneOf(engines, pick)
    const since = performance.now()
    engine.process.freeze()
    return Promise.resolve({
      what: engine.name,
      heal: async () => {
        await pause(Math.max(0, since + leaseMilliseconds * 1.2 - performance.now()))
        engine.process.thaw()
      },
    })
  },
}

const starting = new WeakMap<EngineInWorld, Promise<void>>()

/** As a service manager does: again and again until it stays, since what it needs may be away too. */
export function startAgain(engine: EngineInWorld): Promise<void> {
  const begun = starting.get(engine) ?? attempts(engine).finally(() => starting.delete(engine))
  starting.set(engine, begun)
  return begun
}

async function attempts({ process }: EngineInWorld, seconds = 120): Promise<void> {
  const until = performance.now() + seconds * 1000
  while (!isAlive(process.pid)) {
    try {
      await process.restart()
    } catch (error) {
      if (performance.now() > until) throw error
      await pause(500)
    }
  }
}
