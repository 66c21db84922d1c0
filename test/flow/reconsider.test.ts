import { aSource } from '../contract/worklane.ts'
import { expect, test } from 'vitest'
import type { ReconsiderContext } from '../../src/flow/reconsider.ts'
import { examRules, rulesMark } from '../../src/flow/exam-rules.ts'
import { reconsiderAll } from '../../src/flow/reconsider.ts'
import { eventually } from '../support/temporary.ts'
import { keptLog, storeAway } from './fakes.ts'

const silent = { render: () => [] }
const settings = {
  completion: { policy: 'quiet', quietSeconds: 1800, rules: [] },
  noShow: { days: 7 },
  timeZone: 'Europe/Berlin',
} as const

/** A store with so many open orders, which remembers what it is given. */
function aStore(openOrders: number, pageSize = 200) {
  const ids = Array.from({ length: openOrders }, (_, at) => `O${at + 1}-0`)
  const memory = new Map<string, string>()
  const given: string[] = []
  const seen = { away: 0, behind: 0, most: 0 }
  let applied = 0
  const store: ReconsiderContext['store'] = {
    remembered: async (name) => {
      if (seen.away-- > 0) throw storeAway()
      return memory.get(name)
    },
    rememberOfSite: async (name, value) => void memory.set(name, value),
    openOrders: async (after) => {
      const from = Number(after ?? 0)
      const next = from + pageSize
      return { ids: ids.slice(from, next), next: next >= ids.length ? null : String(next) }
    },
    acceptManual: async ({ command }) => {
      seen.most = Math.max(seen.most, given.length + 1 - applied)
      return given.push(command.kind === 'reconsider' ? command.orderId : 'something else')
    },
    applied: async () => {
      if (seen.behind > 0) seen.behind -= 1
      else applied = given.length
      return applied
    },
  }
  return { store, memory, given, seen, ids }
}

const start = (store: ReconsiderContext['store'], mark: string, log = keptLog()) =>
  reconsiderAll({
    store,
    mark,
    clock: () => '2026-10-16T08:15:00.000Z',
    log,
    wake: () => undefined,
    pauseMilliseconds: 1,
  })

test('after the rules have changed every open order is judged again, once', async () => {
  const { store, given, ids, memory } = aStore(450)
  const log = keptLog()
  await start(store, 'new', log).done
  expect(given).toEqual(ids)
  expect(memory.get('rules')).toBe('new')
  expect(log.said('info')).toEqual(['open orders are judged by the changed rules'])
  await start(store, 'new').done
  expect(given).toHaveLength(450)
  await start(store, 'newer').done
  expect(given).toHaveLength(900)
})

test('others wait for a handful of them at most: the next come when those are applied', async () => {
  const { store, seen } = aStore(450)
  seen.behind = 20
  await start(store, 'new').done
  expect(seen.most).toBeLessThanOrEqual(50)
})

test('a store that is away is asked again; what was cut short is done again as a whole', async () => {
  const { store, given, ids, seen, memory } = aStore(60)
  seen.away = 2
  seen.behind = Number.POSITIVE_INFINITY
  const first = start(store, 'new')
  await eventually(() => given.length === 50, 'the first orders')
  await first.stop()
  expect(memory.get('rules')).toBe('')
  seen.behind = 0
  await start(store, 'new').done
  expect(new Set(given)).toEqual(new Set(ids))
  expect(given.slice(50)).toEqual(ids)
})

test('a first start with nothing to judge says nothing', async () => {
  const { store, memory } = aStore(0)
  const log = keptLog()
  await start(store, 'new', log).done
  expect([log.all(), memory.get('rules')]).toEqual(['[]', 'new'])
})

test('the mark changes with every rule, and with nothing else', () => {
  const mark = (changes: object = {}) => rulesMark(examRules({ ...settings, ...changes }, silent))
  const rules = [{ modalities: ['US'], policy: 'quiet', quietSeconds: 60 }] as const
  const others = [
    { completion: { ...settings.completion, policy: 'ris' } },
    { completion: { ...settings.completion, quietSeconds: 900 } },
    { completion: { ...settings.completion, rules } },
    { completion: { ...settings.completion, rules: [{ ...rules[0], stations: ['US1'] }] } },
    { noShow: { days: 0 } },
    { noShow: { days: 8 } },
    { timeZone: 'Europe/Lisbon' },
    { sources: [aSource({ name: 'south', timeZone: 'Europe/Lisbon' })] },
    { sources: [aSource({ name: 'north', timeZone: 'Europe/Lisbon' })] },
  ]
  expect(new Set([mark(), ...others.map((change) => mark(change))]).size).toBe(others.length + 1)
  expect(mark({ completion: { ...settings.completion, rules: [{ ...rules[0], stations: [] }] } })).toBe(
    mark({ completion: { ...settings.completion, rules } }),
  )
  expect(mark({ sources: [aSource({ timeZone: 'Europe/Berlin' }), aSource()] })).toBe(mark())
  expect(mark({ noShow: { days: 0 }, timeZone: 'Europe/Lisbon' })).toBe(mark({ noShow: { days: 0 } }))
})

test('no-show after 0 days is no rule at all', () => {
  expect(examRules({ ...settings, noShow: { days: 0 } }, silent)).not.toHaveProperty('noShow')
  expect(examRules(settings, silent).noShow).toEqual({ days: 7, timeZone: 'Europe/Berlin' })
})
