import { expect, test } from 'vitest'
import type { CounterDifference } from '../../src/core/ports.ts'
import { checkCounters, withAges } from '../../src/flow/count.ts'
import { keptLog, storeAway } from './fakes.ts'

const check = async (differences: readonly CounterDifference[]) => {
  const log = keptLog()
  const wrong = await checkCounters({ store: { recount: async () => differences }, log })
  return { wrong, log }
}

test('counters that agree are not mentioned; wrong ones are said loudly, each', async () => {
  const well = await check([])
  expect([well.wrong, well.log.all()]).toEqual([0, '[]'])
  const { wrong, log } = await check([
    { source: 'ris', what: 'applied', counted: 6, found: 1 },
    { destination: 'told', what: 'queued', counted: 7, found: 1 },
  ])
  expect([wrong, log.said('error')]).toEqual([2, ['counter was wrong', 'counter was wrong']])
  expect(log.all()).toContain('"E682"')
})

test('too many messages to be counted by the way: a person is told', async () => {
  const { log } = await check([{ source: '', what: 'sums', counted: 300_000, found: 0 }])
  expect(log.said('error')).toEqual(['counters do not add up'])
})

test('figures that cannot be had hold up nothing: neither a start nor health', async () => {
  const log = keptLog()
  expect(await checkCounters({ store: { recount: () => Promise.reject(storeAway()) }, log })).toBe(0)
  const parts = [{ name: 'source ris', state: 'up' }] as const
  const clock = (): string => '2026-10-16T08:15:00.000Z'
  const away = { counters: () => Promise.reject(storeAway()) }
  expect(await withAges(parts, { store: away, clock })).toEqual(parts)
})

test('sources and destinations are shown with what waits for them, and for how long', async () => {
  const counts = { received: 9, applied: 6, ignored: 0, invalid: 0, dead: 0 }
  const told = { queued: 3, delivered: 1, dead: 0, discarded: 0 }
  const store = {
    counters: async () => ({
      sources: [{ source: 'ris', ...counts, waiting: 3, oldestSeconds: 4 }],
      destinations: [{ destination: 'told', ...told, waiting: 2, oldest: '2026-10-16T08:14:00.000Z' }],
      notices: new Map(),
    }),
  }
  const parts = [
    { name: 'source ris', state: 'up' },
    { name: 'destination told', state: 'up' },
    { name: 'worklist', state: 'up' },
  ] as const
  expect(await withAges(parts, { store, clock: () => '2026-10-16T08:15:00.000Z' })).toEqual([
    { name: 'source ris', state: 'up', waiting: 3, oldestSeconds: 4 },
    { name: 'destination told', state: 'up', waiting: 2, oldestSeconds: 60 },
    { name: 'worklist', state: 'up' },
  ])
})
