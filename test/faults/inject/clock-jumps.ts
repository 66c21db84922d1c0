import { oneOf } from './processes.ts'
import type { Fault } from './types.ts'

const hours = 3600

/** Somebody sets the clock, or a server of the time does: two hours on or back, on one engine, and right again. */
export const clockJumps: readonly Fault[] = [2, -2].map((by) => ({
  name: `clock ${by > 0 ? 'forward' : 'back'}`,
  fits: () => true,
  inject({ engines }, pick) {
    const engine = oneOf(engines, pick)
    engine.clock.setOffset(by * hours)
    return Promise.resolve({
      what: `${engine.name} by ${by} h`,
      heal: () => {
        engine.clock.setOffset(0)
        return Promise.resolve()
      },
    })
  },
}))
