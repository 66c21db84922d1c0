import { expect, test } from 'vitest'
import { createStage, framingCases } from './framing-cases.ts'
import { worklane } from './worklane.ts'

test.each(framingCases)('I2: $name', async (framing) => {
  const { maxFrameBytes } = framing
  const server = await worklane.start(maxFrameBytes === undefined ? {} : { maxFrameBytes })
  const stage = createStage(server, { gapMilliseconds: 0, patienceMilliseconds: 20_000 })
  try {
    await framing.run(stage)
  } finally {
    stage.close()
    await server.stop()
  }
})

test('the suite has the cases that were promised', () => {
  expect(framingCases.length).toBeGreaterThanOrEqual(25)
  expect(new Set(framingCases.map(({ name }) => name)).size).toBe(framingCases.length)
})
