import { expect, test } from 'vitest'
import { freezeDrainer } from './frozen.ts'

const seed = Math.floor(Math.random() * 1_000_000)

test(`I3: an engine that was frozen in its work and wakes after another took over changes nothing (seed ${seed})`, async () => {
  const { expected, shown, takenOver } = await freezeDrainer({ rounds: 2, seed })
  expect(takenOver).toBe(2)
  expect(expected.length).toBeGreaterThan(20)
  for (const list of shown) expect(list).toEqual(expected)
})
