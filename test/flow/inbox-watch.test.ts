import { afterEach, expect, test } from 'vitest'
import type { InboxEntry } from '../../src/core/inbox.ts'
import { watchInbox, type InboxWatch } from '../../src/flow/inbox-watch.ts'
import { eventually } from '../support/temporary.ts'
import { keptLog, storeAway } from './fakes.ts'

const watches: InboxWatch[] = []
afterEach(async () => {
  for (const one of watches.splice(0)) await one.stop()
})

const entry: InboxEntry = { seq: 8, at: '2026-10-16T08:00:00.000Z', kind: 'deadline', subject: 's', due: '' }

function watching() {
  const state = {
    applied: 7,
    waits: true,
    answers: (): Promise<void> => Promise.resolve(),
    held: true,
    failing: undefined as { code: string } | undefined,
  }
  const log = keptLog()
  const watch = watchInbox({
    ledger: {
      async applied() {
        await state.answers()
        return state.applied
      },
      pending: async () => (state.waits ? [entry] : []),
    },
    role: { held: () => state.held, failure: () => state.failing },
    clock: () => '2026-10-16T08:15:00.000Z',
    log,
    stallSeconds: 0.05,
    lookMilliseconds: 5,
  })
  watches.push(watch)
  return { state, log, watch }
}

test.each([
  { why: 'work that always fails', set: { failing: { code: 'E514' } }, code: 'E680' },
  { why: 'a role that nobody here has', set: { held: false }, code: 'E683' },
  { why: 'one batch that does not end', set: {}, code: 'E684' },
  { why: 'a store that is away', set: { answers: () => Promise.reject(storeAway()) }, code: 'E501' },
])('an inbox that cannot go on says so, with what helps: $why', async ({ set, code }) => {
  const { state, log, watch } = watching()
  Object.assign(state, set)
  await eventually(() => watch.stalled(), 'it is said')
  expect(watch.part()).toMatchObject({ name: 'inbox', state: 'down', code })
  expect(watch.part().cure).toMatch(/\.$/)
  Object.assign(state, { answers: () => Promise.resolve(), applied: 8, waits: false })
  await eventually(() => !watch.stalled(), 'it goes on')
  expect(watch.part()).toEqual({ name: 'inbox', state: 'up' })
  expect([log.said('error'), log.said('info')]).toEqual([['inbox stalled'], ['inbox goes on']])
})

test('an inbox that is empty, or moves, is well', async () => {
  const { state, log, watch } = watching()
  state.waits = false
  const busy = setInterval(() => (state.applied += 1), 2)
  let looks = 0
  state.answers = async () => void (looks += 1)
  await eventually(() => looks > 30, 'it was looked at')
  state.waits = true
  await eventually(() => looks > 60, 'it was looked at')
  clearInterval(busy)
  expect(log.all()).toBe('[]')
  expect(watch.part().state).toBe('up')
})
