/**
 * `apply` and the model say the same of every step, every event and every message
 * (docs/explanation/exam.md). More stories, or those of another seed: `npm run test:model -- --stories N --seed S`.
 */
import { expect, test } from 'vitest'
import { missing } from './coverage.ts'
import type { Switch } from './story.ts'
import { tellMany } from './tell-many.ts'

const stories = 1500

const runs: readonly { readonly told: string; readonly seed: number; readonly without: readonly Switch[] }[] = [
  {
    told: 'orders under any of their numbers, images, MPPS, arrivals and hands',
    seed: 20_261_123,
    without: ['hold'],
  },
  { told: 'orders on hold, images, MPPS, arrivals and hands', seed: 20_261_124, without: ['partNumbers'] },
]

test.each(runs)(
  `apply and the model agree on ${stories} random stories of $told`,
  { timeout: 120_000 },
  ({ seed, without }) => {
    const { difference, coverage } = tellMany({ stories, seed, without })
    expect(difference).toBeUndefined()
    expect(missing(coverage, stories, without)).toEqual([])
  },
)
