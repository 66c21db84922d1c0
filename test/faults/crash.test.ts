import { expect, test } from 'vitest'
import { disagreements, runRounds } from './rounds.ts'

/** A few kills in each run of the tests; `npm run test:faults` makes many. */
const seed = Math.floor(Math.random() * 1_000_000)

test.each([
  { victim: 'engine', target: 'plugin' },
  { victim: 'engine', target: 'folder' },
  { victim: 'redis', target: 'plugin' },
] as const)(
  `I1, I4: $victim killed under a stream of orders: each acknowledged order is shown exactly once ($target, seed ${seed})`,
  async ({ victim, target }) => {
    const outcome = await runRounds({ kills: 4, seed, victim, target })
    expect(disagreements(outcome)).toEqual([])
    expect(outcome.expected.length).toBeGreaterThan(10)
    expect(outcome.repeated, 'nobody was interrupted').toBeGreaterThan(0)
  },
)
