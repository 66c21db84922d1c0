import { expect, test } from 'vitest'
import { takeOver } from './takeover.ts'

// How long it takes, of twenty each: `node test/queue/takeover.ts`; promised are ten seconds (docs/how-to/two-engines.md).
test(
  'I3, I7: the work of an engine that is killed or frozen is done by the other; of a killed one, before its lease ends',
  { timeout: 170_000 },
  async () => {
    const killed = await takeOver({ times: 2, freeze: false })
    const frozen = await takeOver({ times: 1, freeze: true })
    expect([killed.length, frozen.length]).toEqual([2, 1])
    // Who is frozen keeps its connection, and so its role until the lease ends.
    const soonest = Math.min(...killed.map(({ applied }) => applied))
    expect(soonest).toBeLessThan(Math.min(...frozen.map(({ applied }) => applied)))
  },
)
