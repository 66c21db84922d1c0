import { expect, test } from 'vitest'
import { takeOver } from './takeover.ts'

// The one time that is promised (docs/how-to/two-engines.md), and measured by `node test/queue/takeover.ts`.
test.each([
  ['killed', false],
  ['frozen', true],
])(
  'I3, I7: the work of an engine that is %s is done by the other within ten seconds',
  { timeout: 150_000 },
  async (_, freeze) => {
    const outcomes = await takeOver({ times: 2, freeze })
    expect(outcomes).toHaveLength(2)
    for (const { applied, told } of outcomes) expect(Math.max(applied, told)).toBeLessThan(10_000)
  },
)
