import { setTimeout as pause } from 'node:timers/promises'
import { oneOf } from './inject/processes.ts'
import type { EngineInWorld, Fault } from './inject/types.ts'

/**
 * The engine that applies orders is frozen while an answer of Redis is on its way to it: it wakes with a
 * world in its hands that the other engine has changed since, and writes what it makes of it (I3). Redis
 * stands still for a moment first, so that whatever the engine asks then is under way.
 */
export const engineCaught: Fault = {
  name: 'engine frozen in its work',
  fits: ({ engines, redis }) => engines.length > 1 && redis !== undefined,
  async inject({ engines, redis, leaseMilliseconds }, pick) {
    const engine = engines.find((one) => one.name === holderOf(engines)) ?? oneOf(engines, pick)
    const pid = redis?.pid ?? 0
    if (pid > 0) process.kill(pid, 'SIGSTOP')
    await pause(10 + pick() * 80)
    engine.process.freeze()
    const since = performance.now()
    if (pid > 0) process.kill(pid, 'SIGCONT')
    return {
      what: engine.name,
      heal: async () => {
        await pause(Math.max(0, since + leaseMilliseconds * 1.2 - performance.now()))
        engine.process.thaw()
      },
    }
  },
}

/** By the logs: who took the role of applying orders last. */
function holderOf(engines: readonly EngineInWorld[], before = Number.POSITIVE_INFINITY): string | undefined {
  const taken = engines.flatMap(({ name, process }) =>
    process
      .lines()
      .filter(({ event, role }) => event === 'role taken' && role === 'drain')
      .map(({ time }) => ({ name, at: Date.parse(String(time)) })),
  )
  return taken
    .filter(({ at }) => at < before)
    .sort((a, b) => a.at - b.at)
    .at(-1)?.name
}
