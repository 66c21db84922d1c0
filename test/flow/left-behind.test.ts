import { expect, test } from 'vitest'
import { findLeftBehind, type LeftBehindContext } from '../../src/flow/left-behind.ts'
import { eventually } from '../support/temporary.ts'
import { keptLog, storeAway } from './fakes.ts'

/** A store with open orders by source and owed messages by destination, which remembers what it is given. */
function aStore(orders: Readonly<Record<string, number>>, owed: Readonly<Record<string, number>> = {}) {
  const kept = new Map<string, string>()
  const seen = { away: 0, counted: 0 }
  const left = { orders, owed }
  const store: LeftBehindContext['store'] = {
    remembered: async (name) => {
      if (seen.away-- > 0) throw storeAway()
      return kept.get(name)
    },
    rememberOfSite: async (name, value) => void kept.set(name, value),
    openOrdersBySource: async () => {
      seen.counted += 1
      return new Map(Object.entries(left.orders))
    },
    state: async (endpoint) => ({
      waiting: left.owed[endpoint] ?? 0,
      delivered: 0,
      dead: 0,
      oldest: undefined,
      paused: undefined,
      retry: undefined,
    }),
  }
  return { store, kept, seen, left }
}

async function start(
  store: LeftBehindContext['store'],
  sources: readonly string[],
  destinations: readonly string[] = ['ris'],
) {
  const log = keptLog()
  const found = findLeftBehind({ store, sources, destinations, log, pauseMilliseconds: 1 })
  await found.looked
  return { log, found, details: () => found.parts().map(({ name, detail }) => `${name}: ${detail}`) }
}

test('nothing is said, and no order read, while all sources are there', async () => {
  const { store, seen } = aStore({ a: 3, b: 2 })
  await (await start(store, ['a', 'b'])).found.stop()
  const { log, found, details } = await start(store, ['a', 'b', 'c'])
  await found.stop()
  expect([seen.counted, details(), log.said('warn')]).toEqual([1, [], []])
})

test('open orders of a source that was renamed are counted in the log and in health, at each start until they have ended', async () => {
  const { store, left } = aStore({ a: 3, b: 2 })
  await (await start(store, ['a', 'b'])).found.stop()
  for (const _ of [1, 2]) {
    const { log, found, details } = await start(store, ['a', 'new'])
    expect(log.said('warn')).toEqual(['open orders of a source that is gone'])
    expect(log.all()).toContain('"fields":{"source":"b","count":2,"code":"E278"}')
    expect(details()).toEqual([expect.stringMatching(/^source b: 2 open orders are of the source "b"/)])
    await found.stop()
  }
  left.orders = { a: 3 }
  const { found, log } = await start(store, ['a', 'new'])
  await found.stop()
  expect([found.parts(), log.said('warn')]).toEqual([[], []])
})

test('a store of an engine that remembered no names is read once', async () => {
  const { store } = aStore({ old: 1 })
  const { found, details } = await start(store, ['new'])
  await found.stop()
  expect(details()).toEqual([expect.stringContaining('source old: 1 open orders')])
})

test('health says no more of what has been ended since', async () => {
  const { store, left } = aStore({ old: 1 })
  const { found, details } = await start(store, ['new'])
  left.orders = {}
  await eventually(() => details().length === 0, 'nothing is left')
  await found.stop()
})

test('what is owed to a destination that was removed is counted', async () => {
  const { store } = aStore({}, { ris: 4, other: 7 })
  await (await start(store, ['a'], ['ris', 'other'])).found.stop()
  const { found, log, details } = await start(store, ['a'], ['other'])
  await found.stop()
  expect(log.said('warn')).toEqual(['status messages of a destination that is gone'])
  expect(details()).toEqual([expect.stringContaining('4 status messages wait for the destination "ris"')])
})

test('a store that is away at first is asked again', async () => {
  const { store, seen } = aStore({ old: 1 })
  seen.away = 3
  const { found, details } = await start(store, ['new'])
  await found.stop()
  expect(details()).toHaveLength(1)
})
