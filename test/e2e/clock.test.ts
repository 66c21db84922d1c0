import { expect, test } from 'vitest'
import { createClock } from '../faults/inject/clock.ts'
import { startHospital } from '../support/hospital.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

test.each([
  { jump: 'forward by two hours', seconds: 7200 },
  { jump: 'forward by a day', seconds: 86_400 },
  { jump: 'back by two hours and right again', seconds: -7200 },
])('a clock that is set $jump completes no exam before its quiet time', async ({ seconds }) => {
  const folder = temporaryFolder()
  const clock = createClock(folder.path, 'engine')
  const quietSeconds = 6
  const hospital = await startHospital({ quietSeconds, env: clock.env })
  try {
    const { engine, ris } = hospital
    expect(await hospital.order({ accession: 'A1', placer: 'P1', filler: 'F1' })).toBe('AA')
    const [item] = await eventually(async () => {
      const found = await hospital.found('A1')
      return found.length > 0 ? found : undefined
    }, 'it is on the worklist')
    // Before the last image: it is not known how long its way to the engine takes.
    const since = performance.now()
    await hospital.scan(item ?? {})
    await eventually(() => ris.of('A1').includes('SC/IP'), 'it has begun')
    clock.setOffset(seconds)
    await eventually(() => engine.lines().some(({ event }) => event === 'clock jumped'), 'the jump is said')
    if (seconds < 0) clock.setOffset(0)
    await eventually(() => ris.of('A1').includes('SC/CM'), 'it is completed')
    // The jump was soon after the last image, and nothing came since.
    expect((performance.now() - since) / 1000).toBeGreaterThan(quietSeconds - 1)
    const parts = (await (await fetch(`${engine.httpUrl}/health/ready`)).json()) as {
      parts: { name: string; state: string; code?: string }[]
    }
    expect(parts.parts.find(({ name }) => name === 'clock')).toMatchObject({ state: 'degraded', code: 'E681' })
  } finally {
    await hospital.end()
    folder.remove()
  }
})
