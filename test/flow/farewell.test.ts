import { expect, test } from 'vitest'
import { sayFarewell } from '../../src/flow/farewell.ts'
import { keptLog } from './fakes.ts'

function ending(waiting: number, owed: number) {
  const state = { waiting, owed, applied: 0, up: true, tellable: true, drains: true, answers: true }
  const log = keptLog()
  const never = new Promise<never>(() => undefined)
  const sources = () => [
    {
      source: 'ris',
      received: 9,
      applied: 0,
      ignored: 0,
      invalid: 0,
      dead: 0,
      waiting: state.waiting,
      oldestSeconds: 1,
    },
  ]
  const destinations = () => [
    { destination: 'told', queued: 9, delivered: 0, dead: 0, discarded: 0, waiting: state.owed, oldest: undefined },
  ]
  let stopped = 0
  const run = (seconds: number): Promise<void> =>
    sayFarewell({
      store: {
        isUp: () => state.up,
        applied: async () => (state.answers ? state.applied : never),
        pending: async () => (state.waiting > 0 ? [{ seq: 1, at: '', kind: 'deadline', subject: 's', due: '' }] : []),
        counters: async () => ({ sources: sources(), destinations: destinations(), notices: new Map() }),
      },
      listeners: [{ stop: async () => void (stopped += 1) }],
      drainer: { held: () => state.drains },
      destinations: new Map([['told', () => state.tellable]]),
      log,
      seconds,
      patienceMilliseconds: 200,
    })
  return { state, log, run, stopped: () => stopped }
}

test('what goes on is waited for, and nothing is left', async () => {
  const { state, log, run, stopped } = ending(3, 2)
  const work = setInterval(() => {
    if (state.waiting > 0) state.waiting -= 1
    else if (state.owed > 0) state.owed -= 1
    state.applied += 1
  }, 20)
  await run(30)
  clearInterval(work)
  expect([stopped(), state.waiting + state.owed, log.said('info')]).toEqual([1, 0, ['nothing is left']])
})

test.each([
  { why: 'comes no further', set: {} },
  { why: 'is of another engine, and of a receiver that is silent', set: { drains: false, tellable: false } },
])('what $why is not waited for, and said', async ({ set }) => {
  const { state, log, run } = ending(3, 2)
  Object.assign(state, set)
  const since = performance.now()
  await run(600)
  expect(performance.now() - since).toBeLessThan(60_000)
  expect(log.said('info')).toEqual(['what is left is safe in the store'])
  expect(log.all()).toContain('"waiting":3,"count":2')
})

test.each([
  { why: 'away', set: { up: false } },
  { why: 'frozen', set: { answers: false } },
])('with a store that is $why the end is not held up', async ({ set }) => {
  const { state, log, run } = ending(3, 2)
  Object.assign(state, set)
  await run(600)
  expect(log.said('warn')).toEqual(['what is left is not known, and safe in the store'])
})
