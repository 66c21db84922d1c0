import { oneOf } from './processes.ts'
import type { Fault } from './types.ts'

const hours = 3600
const jumps = [
  { name: 'forward', seconds: 2 * hours },
  { name: 'back', seconds: -2 * hours },
]

/** Somebody sets the clock, or a server of the time does: two hours on or back, and right again. */
export const clockJumps: readonly Fault[] = jumps.flatMap(({ name, seconds }): readonly Fault[] => [
  {
    name: `clock of an engine ${name}`,
    fits: () => true,
    inject({ engines }, pick) {
      const engine = oneOf(engines, pick)
      engine.clock.setOffset(seconds)
      return Promise.resolve({
        what: `${engine.name} by ${seconds / hours} h`,
        heal: () => {
          engine.clock.setOffset(0)
          return Promise.resolve()
        },
      })
    },
  },
  {
    name: `clock of the machine ${name}`,
    fits: ({ redisClock }) => redisClock !== undefined,
    inject({ engines, redisClock }) {
      const clocks = [...engines.map(({ clock }) => clock), ...(redisClock === undefined ? [] : [redisClock])]
      for (const clock of clocks) clock.setOffset(seconds)
      return Promise.resolve({
        what: `engines and Redis by ${seconds / hours} h`,
        heal: () => {
          for (const clock of clocks) clock.setOffset(0)
          return Promise.resolve()
        },
      })
    },
  },
])
