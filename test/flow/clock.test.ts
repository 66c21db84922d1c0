import { afterEach, expect, test } from 'vitest'
import type { SiteMemory } from '../../src/core/ports.ts'
import { createEngineClock, type EngineClock } from '../../src/flow/clock.ts'
import { examRules, rulesSince } from '../../src/flow/exam-rules.ts'
import { eventually } from '../support/temporary.ts'
import { keptLog, keptMetrics, storeAway } from './fakes.ts'

const clocks: EngineClock[] = []
afterEach(() => {
  for (const one of clocks.splice(0)) one.stop()
})

const minute = 60_000
const hour = 60 * minute

const settings = {
  completion: { policy: 'quiet', quietSeconds: 1800, rules: [] },
  noShow: { days: 7 },
  timeZone: 'UTC',
} as const

/** A machine whose times move as they are told, and its memory. */
function machine(beatMilliseconds = 1_000_000) {
  const kept = new Map<string, string>()
  const now = { wall: Date.parse('2026-10-16T08:00:00.000Z'), mono: 5, uptime: 1_000_000, boot: 'first' }
  const site = { away: false, order: [] as string[] }
  const store: SiteMemory = {
    remembered: async (name) => kept.get(name),
    async rememberOfSite(name, value) {
      if (site.away) throw storeAway()
      site.order.push(name)
      kept.set(name, value)
    },
  }
  const log = keptLog()
  const metrics = keptMetrics()
  async function start(): Promise<EngineClock> {
    const clock = createEngineClock({
      wall: () => now.wall,
      monotonic: () => now.mono,
      uptime: () => now.uptime,
      boot: now.boot,
      beatMilliseconds,
    })
    clocks.push(clock)
    await clock.keep({ store, log, metrics })
    return clock
  }
  /** Time passes: on all clocks, or on some. */
  function pass(milliseconds: number, on: readonly ('wall' | 'mono' | 'uptime')[] = ['wall', 'mono', 'uptime']): void {
    for (const one of on) now[one] += milliseconds
  }
  return { now, store, site, log, metrics, start, pass }
}

test.each([
  { jump: 2 * hour, code: 7200 },
  { jump: 24 * hour, code: 86_400 },
  { jump: -2 * hour, code: -7200 },
])('a jump of $code s is said, and time counts from then on', async ({ jump, code }) => {
  const { log, metrics, start, pass } = machine()
  const clock = await start()
  pass(20 * minute)
  clock.clock()
  pass(jump, ['wall'])
  const at = clock.clock()
  // What was stamped before a jump back lies ahead of now, up to here.
  const shown = new Date(Date.parse(at) - jump).toISOString()
  expect(await clock.steady()).toEqual({ since: at, seconds: code, ...(jump < 0 ? { ahead: shown } : {}) })
  expect(clock.setBackMark()).toBe(jump < 0 ? at : '')
  expect(log.said('warn')).toEqual(['clock jumped'])
  expect(log.all()).toContain(`"seconds":${code}`)
  expect(metrics.counted('clock_jumps_total')).toBe(1)
  pass(hour)
  clock.clock()
  expect((await clock.steady())?.since).toBe(at)
  expect(clock.part(12)).toMatchObject({ name: 'clock', state: 'degraded', code: 'E681' })
  pass(12 * hour)
  expect(clock.part(12)).toEqual({ name: 'clock', state: 'up' })
})

test('who waits by stamps of before is told that the clock was set back, and only then', async () => {
  const { start, pass } = machine()
  const clock = await start()
  let told = 0
  clock.onSetBack(() => void (told += 1))
  pass(hour, ['wall'])
  clock.clock()
  pass(-hour, ['wall'])
  clock.clock()
  await eventually(() => told > 0, 'told')
  expect(told).toBe(1)
})

test('how far the clock was ahead is remembered through later jumps', async () => {
  const { start, pass } = machine()
  const clock = await start()
  const shown = clock.clock()
  pass(-2 * hour, ['wall'])
  clock.clock()
  pass(minute)
  clock.clock()
  pass(hour, ['wall'])
  const since = clock.clock()
  const steady = await clock.steady()
  expect(steady).toEqual({ since, seconds: 3600, ahead: shown })
  const rules = examRules(settings, { render: () => [] })
  expect(rulesSince(rules, steady, 12)).toMatchObject({ steadySince: since, aheadUntil: shown })
  expect(clock.setBackMark()).toBe('')
})

test.each([
  { what: 'time that passes', on: ['wall', 'mono', 'uptime'] },
  { what: 'a machine that slept', on: ['wall', 'uptime'] },
] as const)('$what is no jump', async ({ on }) => {
  const { log, start, pass } = machine()
  const clock = await start()
  for (let n = 0; n < 5; n += 1) {
    pass(hour, on)
    clock.clock()
  }
  expect(await clock.steady()).toBeUndefined()
  expect(log.all()).toBe('[]')
})

test('a process that was stopped between two questions has seen no jump', async () => {
  const { now, store, log, metrics } = machine()
  let stopsFor = 0
  const clock = createEngineClock({
    wall: () => {
      now.wall += stopsFor
      now.mono += stopsFor
      now.uptime += stopsFor
      stopsFor = 0
      return now.wall
    },
    monotonic: () => now.mono,
    uptime: () => now.uptime,
    boot: 'first',
  })
  clocks.push(clock)
  await clock.keep({ store, log, metrics })
  stopsFor = hour
  clock.clock()
  expect(log.all()).toBe('[]')
})

test('the store knows of a jump before anything that is accepted after it', async () => {
  const { site, start, pass, store } = machine()
  const clock = await start()
  site.order.length = 0
  pass(2 * hour, ['wall'])
  clock.clock()
  void store.rememberOfSite('accepted', 'x')
  expect(site.order).toEqual(['clock', 'accepted'])
})

test('a jump while the store is away is kept until it is back', async () => {
  const { site, start, pass, store } = machine(5)
  const clock = await start()
  site.away = true
  pass(2 * hour, ['wall'])
  const at = clock.clock()
  expect((await clock.steady())?.since).toBe(at)
  expect(await store.remembered('clock')).toBeUndefined()
  site.away = false
  const kept = await eventually(() => store.remembered('clock'), 'the next beat keeps it')
  expect(JSON.parse(kept)).toEqual({ since: at, seconds: 7200 })
})

test('after a restart of the engine, the machine says how much time has passed', async () => {
  const { log, start, pass, now } = machine()
  await start()
  pass(5 * hour)
  now.mono = 0
  expect(await (await start()).steady()).toBeUndefined()
  pass(5 * hour)
  pass(26 * hour, ['wall'])
  now.mono = 0
  const clock = await start()
  expect(await clock.steady()).toEqual({ since: clock.clock(), seconds: 26 * 3600 })
  expect(log.said('warn')).toEqual(['clock jumped'])
})

test('after a restart of the machine only its clock is there, and nothing is believed to have waited', async () => {
  const { log, start, pass, now } = machine()
  await start()
  pass(3 * hour, ['wall'])
  Object.assign(now, { boot: 'second', mono: 0, uptime: 30_000 })
  const clock = await start()
  expect(await clock.steady()).toEqual({ since: clock.clock(), seconds: 0 })
  expect(clock.part(12).state, 'nobody has to do anything').toBe('up')
  pass(-3 * hour, ['wall'])
  Object.assign(now, { boot: 'third', mono: 0, uptime: 30_000 })
  expect(await (await start()).steady()).toMatchObject({ seconds: -3 * 3600 })
  expect(log.said('warn')).toEqual(['clock jumped'])
})

test('what is damaged in the store says nothing, and nothing fails by it', async () => {
  const { store, start } = machine()
  for (const name of ['clock', 'beat', 'beat first']) await store.rememberOfSite(name, '{"since":')
  const clock = await start()
  await store.rememberOfSite('clock', 'null')
  expect(await clock.steady()).toBeUndefined()
})

test('another machine whose clock agrees continues the time of the first', async () => {
  const { start, now, pass } = machine()
  await start()
  pass(20_000, ['wall'])
  Object.assign(now, { boot: 'another', mono: 0, uptime: 77 })
  expect(await (await start()).steady()).toBeUndefined()
})

test('rules after a jump: quiet times and no-shows wait', () => {
  const rules = examRules(settings, { render: () => [] })
  expect(rulesSince(rules, undefined, 12)).toBe(rules)
  const since = '2026-10-16T08:00:00.000Z'
  expect(rulesSince(rules, { since, seconds: 7200 }, 12)).toMatchObject({
    steadySince: since,
    noShow: { days: 7, timeZone: 'UTC', notBefore: '2026-10-16T20:00:00.000Z' },
  })
  expect(rulesSince(rules, { since, seconds: 0 }, 12).noShow?.notBefore).toBe('2026-10-16T09:00:00.000Z')
  const never = examRules({ ...settings, noShow: { days: 0 } }, { render: () => [] })
  expect(rulesSince(never, { since, seconds: 7200 }, 12)).not.toHaveProperty('noShow')
})
