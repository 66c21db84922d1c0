import { expect, test } from 'vitest'
import { createTrial, type TrialContext } from '../../src/flow/trial.ts'
import type { Plan } from '../../src/mapping/types.ts'

test('a plan that is given again and again is compiled once; another one anew', async () => {
  const asked: string[] = []
  const context: Partial<TrialContext> = {
    store: {
      applied: async () => 0,
      load: async () => ({}) as never,
      items: async () => [],
    },
    plans: new Map(),
    compile: async (stored) => {
      asked.push(stored)
      return { id: stored } as Plan
    },
  }
  const tryMessages = createTrial(context as TrialContext)
  for (const plan of ['a', 'a', 'b', 'a']) await tryMessages({ source: 'ris', messages: [], plan })
  expect(asked).toEqual(['a', 'b', 'a'])
})
