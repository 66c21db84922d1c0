/**
 * `apply` and the model say the same of every step, every event and every message
 * (docs/explanation/exam.md). More stories, or those of another seed: `npm run test:model -- --stories N --seed S`.
 */
import { expect, test } from 'vitest'
import { missing } from './coverage.ts'
import { tellMany } from './tell-many.ts'

const stories = 3000

test(`apply and the model agree on ${stories} random stories`, { timeout: 900_000 }, () => {
  const { difference, coverage } = tellMany({ stories, seed: 20_261_123 })
  expect(difference).toBeUndefined()
  expect(missing(coverage, stories)).toEqual([])
})
