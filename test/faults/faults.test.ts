import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planRound, planText, type PlanOptions } from './plan.ts'
import { runRound } from './round.ts'

/** A few rounds in each run of the tests; `npm run test:faults` makes many. */
const seed = Math.floor(Math.random() * 1_000_000)

const short: readonly Omit<PlanOptions, 'seed'>[] = [
  { round: 1, engines: 1, target: 'plugin', only: ['engine killed', 'redis killed', 'line'], most: 3 },
  { round: 2, engines: 2, target: 'folder', only: ['engine killed', 'ris', 'line'], most: 3 },
  { round: 3, engines: 2, target: 'plugin', only: ['frozen in its work'], most: 1, pace: 'fast' },
  { round: 4, engines: 2, target: 'plugin', only: ['engine killed', 'redis killed', 'orthanc stopped'], most: 3 },
]

test.each(short)(
  `I1, I3 to I8: whatever fails, the worklist and the RIS are what was acknowledged (seed ${seed}, round $round)`,
  async (given) => {
    const plan = planRound({ ...given, seed })
    const { wrong, messages, happened } = await runRound({ plan, keepIn: join(tmpdir(), 'worklane-faults') })
    expect({ round: planText(plan), wrong }).toEqual({ round: planText(plan), wrong: [] })
    expect(messages).toBeGreaterThan(100)
    expect(happened.length).toBeGreaterThan(0)
  },
  900_000,
)
