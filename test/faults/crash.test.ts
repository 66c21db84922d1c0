import { expect, test } from 'vitest'
import { disagreements, runRounds } from './rounds.ts'

/** A few kills in each run of the tests; `npm run test:faults` makes many. */
const seed = Math.floor(Math.random() * 1_000_000)

test.each([
  { victim: 'engine', target: 'plugin', kills: 4 },
  { victim: 'engine', target: 'folder', kills: 2 },
  { victim: 'redis', target: 'plugin', kills: 4 },
] as const)(
  `I1, I4: $victim killed under a stream of orders: each acknowledged order is shown exactly once ($target, seed ${seed})`,
  async (given) => {
    const outcome = await runRounds({ ...given, seed })
    expect(disagreements(outcome)).toEqual([])
    expect(outcome.expected.length).toBeGreaterThan(10)
    expect(outcome.repeated, 'nobody was interrupted').toBeGreaterThan(0)
  },
)
