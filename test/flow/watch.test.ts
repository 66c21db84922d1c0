import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import type { SpooledChanges } from '../../src/core/inbox.ts'
import type { OrthancChangeRow, OrthancChangeType } from '../../src/core/orthanc-change.ts'
import { acceptDue, createWatch, watchOf } from '../../src/flow/watch.ts'
import { keptLog, keptMetrics, storeAway } from './fakes.ts'

type Poll = { events: number; rows?: readonly OrthancChangeRow[]; caughtUp: boolean } | Error | 'silence'

const row = (change: OrthancChangeType, resource = 'x'): OrthancChangeRow => ({
  change,
  level: 'Study',
  resource,
  study: '',
  at: '2026-10-16T08:00:00.000Z',
})

/** A feed that answers as told, then that nothing is left. */
function watching(...polls: Poll[]) {
  /** What was done, in order. */
  const asked: string[] = []
  const taken: SpooledChanges[] = []
  let known = 0
  const completions: Error[] = []
  const log = keptLog()
  const metrics = keptMetrics()
  let woken = 0
  let at = Date.parse('2026-10-16T08:00:00.000Z')
  const watch = createWatch({
    retry: { firstSeconds: 1, factor: 2, maxSeconds: 8, jitter: 0.2, openAfter: 3 },
    random: () => 0,
    source: {
      name: 'orthanc',
      async poll() {
        asked.push('poll')
        const next = polls.shift() ?? { events: 0, caughtUp: true }
        if (next instanceof Error) throw next
        if (next === 'silence') return new Promise(() => {})
        return { rows: [], ...next }
      },
      identity: async () => 'database-1',
      async complete(rows) {
        asked.push('complete')
        const next = completions.shift()
        if (next !== undefined) throw next
        return { rows: rows.map((one) => ({ ...one, study: `study of ${one.resource}` })), restored: ['R'] }
      },
    },
    inbox: {
      async acceptChanges(spooled) {
        asked.push('store')
        taken.push(spooled)
        const news = spooled.rows.filter(({ number }) => number > known).length
        known = spooled.rows.at(-1)?.number ?? known
        return news
      },
    },
    feedMilliseconds: 50,
    pageMilliseconds: 200,
    log,
    metrics,
    clock: () => new Date(at).toISOString(),
    wake: () => void (woken += 1),
  })
  const later = (seconds: number): void => void (at += seconds * 1000)
  return { later, watch, asked, taken, completions, log, metrics, polls, woken: () => woken }
}

const away = () => new EngineError('E402', { address: 'http://127.0.0.1:1', reason: 'ECONNREFUSED' })

test('an Orthanc that is away is asked less and less often by the schedule, and the circuit opens', async () => {
  const { watch, asked, later, log } = watching(...Array.from({ length: 5 }, away))
  const askedAt: number[] = []
  for (let second = 0; asked.length < 6; second += 1) {
    const before = asked.length
    await watch.poll()
    if (asked.length > before) askedAt.push(second)
    if (asked.length === 5) expect(watch.circuit()).toBe('open')
    later(1)
  }
  expect(askedAt).toEqual([0, 1, 3, 7, 15, 23])
  expect(watch.circuit()).toBe('closed')
  expect(watch.failure()).toBeUndefined()
  expect(log.said('warn')).toEqual(['change feed could not be read'])
  expect(log.said('info')).toEqual(['circuit opened', 'circuit closed', 'change feed is read again'])
})

test('a sign of life cuts the wait short, and many signs do not storm an Orthanc that cannot be read', async () => {
  const { watch, asked, later } = watching(...Array.from({ length: 6 }, away))
  for (let n = 0; n < 4; n += 1) {
    await watch.poll()
    later(8)
  }
  await watch.poll()
  expect(asked).toHaveLength(5)
  for (let n = 0; n < 100; n += 1) await watch.nudge()
  expect(asked).toHaveLength(5)
  later(1)
  await watch.nudge()
  expect(asked).toHaveLength(6)
})

test('what a person must change is asked for at the longest wait only, and what a server asks for is kept', async () => {
  const refused = new EngineError('E403', { address: 'x' })
  const first = watching(refused)
  await first.watch.poll()
  expect(first.watch.plan()).toMatchObject({ class: 'permanent', next: '2026-10-16T08:00:08.000Z' })
  const busy = new EngineError('E404', { address: 'x', path: '/changes', status: 429, retryAfterSeconds: 120 })
  const second = watching(busy)
  await second.watch.poll()
  expect(second.watch.plan()).toMatchObject({ class: 'transient', next: '2026-10-16T08:02:00.000Z' })
})

test('I6: a look that never ends is given up, said once, and begun anew', async () => {
  const { watch, asked, later, log } = watching('silence', 'silence')
  for (let n = 0; n < 2; n += 1) {
    await watch.poll()
    expect(watch.failure()?.error.code).toBe('E419')
    later(8)
  }
  await watch.poll()
  expect(asked).toEqual(['poll', 'poll', 'poll'])
  expect(watch.failure()).toBeUndefined()
  expect(log.said('warn')).toEqual(['change feed could not be read'])
  expect(log.said('info')).toEqual(['change feed is read again'])
})

test('an Orthanc that is away is said, also where the store was away before it', async () => {
  const { watch, later, log } = watching(new EngineError('E501'), away())
  await watch.look()
  expect(log.said('warn')).toEqual([])
  await watch.look()
  expect(log.said('warn')).toEqual(['change feed could not be read'])
  later(8)
  await watch.look()
  expect(log.said('info')).toEqual(['change feed is read again'])
})

test('a store that is away is no failure of Orthanc', async () => {
  const { watch } = watching(new EngineError('E501'))
  await watch.poll()
  expect({ circuit: watch.circuit(), plan: watch.plan() }).toEqual({ circuit: 'closed', plan: undefined })
})

test('I6: one look reads to the end, and wakes the drainer for each page with events', async () => {
  const { watch, asked, metrics, woken } = watching(
    { events: 1, rows: [row('NewInstance'), row('NewInstance'), row('NewStudy')], caughtUp: false },
    { events: 0, caughtUp: false },
    { events: 0, rows: [row('StableSeries')], caughtUp: true },
  )
  await watch.look()
  expect({ pages: asked.length, woken: woken() }).toEqual({ pages: 3, woken: 2 })
  expect(metrics.counted('orthanc_events_total orthanc NewInstance')).toBe(2)
  expect(metrics.counted('orthanc_events_total')).toBe(4)
})

test('a look while one is under way joins it, and one more reading follows', async () => {
  const { watch, asked } = watching()
  const first = watch.look()
  await Promise.all([first, watch.look(), watch.look()])
  expect(asked).toHaveLength(2)
})

const brought = (...numbers: number[]) => ({
  spool: 's1',
  rows: numbers.map((number) => ({ ...row('Deleted', `r${number}`), number })),
})

test('I6: what the plugin brings is stored behind what the feed shows, as Orthanc completes it', async () => {
  const { watch, asked, taken, woken } = watching()
  await watch.take(brought(1, 2))
  expect(asked).toEqual(['poll', 'complete', 'store'])
  expect(taken).toMatchObject([
    { orthanc: 'orthanc', spool: 's1', rows: [{ number: 1, study: 'study of r1' }, { number: 2 }], restored: ['R'] },
  ])
  expect(woken()).toBe(1)
})

test('I6: an Orthanc that can be read no more does not hold up what its plugin brings', async () => {
  const { watch, asked } = watching(away())
  await watch.take(brought(1))
  expect(asked).toEqual(['poll', 'complete', 'store'])
})

test('I6: a feed that does not come to its end is waited for only a while', async () => {
  const { watch, taken } = watching('silence')
  await watch.take(brought(1))
  expect(taken).toHaveLength(1)
})

test('I6: what cannot be completed is not stored, so that the plugin brings it again', async () => {
  const { watch, completions, taken } = watching()
  completions.push(away())
  await expect(watch.take(brought(1))).rejects.toMatchObject({ code: 'E402' })
  expect(taken).toEqual([])
  await watch.take(brought(1))
  expect(taken).toHaveLength(1)
})

test('what was brought before is neither counted again nor a reason to wake', async () => {
  const { watch, metrics, woken } = watching()
  await watch.take(brought(1, 2))
  await watch.take(brought(1, 2))
  await watch.take(brought(2, 3))
  expect(metrics.counted('orthanc_events_total')).toBe(3)
  expect(woken()).toBe(2)
})

test.each([
  ['the only Orthanc', 1, 'unknown', 'orthanc'],
  ['the one whose database it is', 2, 'database-1', 'orthanc'],
  ['none: E415', 2, 'unknown', 'E415'],
  ['none that says so: E415', 2, '', 'E415'],
])('the plugin that brings something is that of %s', async (_, count, database, expected) => {
  const watches = Array.from({ length: count }, () => watching().watch)
  const found = await watchOf(watches, database).catch((error: EngineError) => ({ name: error.code }))
  expect(found.name).toBe(expected)
})

test('an Orthanc that is away is said once, shown, and said to be back', async () => {
  const { watch, log } = watching(away(), away())
  await watch.look()
  await watch.look()
  expect(watch.failure()).toMatchObject({ since: '2026-10-16T08:00:00.000Z', error: { code: 'E402' } })
  expect(log.said('warn')).toEqual(['change feed could not be read'])
  await watch.look()
  expect(watch.failure()).toBeUndefined()
  expect(log.said('info')).toEqual(['change feed is read again'])
})

test('I9: what breaks while reading is shown without its text, which may quote an answer', async () => {
  const { watch, log } = watching(new SyntaxError('Unexpected token, "Doe^Jane" is not valid JSON'))
  await watch.look()
  expect(watch.failure()?.error).toMatchObject({ code: 'E413' })
  expect(`${log.all()} ${watch.failure()?.error.message}`).not.toContain('Doe')
})

test('an absent store is not said to be an absent Orthanc', async () => {
  const { watch, log } = watching(storeAway())
  await watch.look()
  expect(log.said('warn')).toEqual([])
})

const now = '2026-10-16T08:00:00.000Z'
const feeds: readonly [what: string, cursors: Record<string, string | undefined>, upTo: string][] = [
  ['no Orthanc at all: up to now', {}, now],
  ['one that is read: up to when it was', { a: '2026-10-16T07:59:58.000Z' }, '2026-10-16T07:59:58.000Z'],
  [
    'two: the slower one counts',
    { a: '2026-10-16T07:59:58.000Z', b: '2026-10-16T03:00:00.000Z' },
    '2026-10-16T03:00:00.000Z',
  ],
  ['one that was never read: none at all', { a: now, b: undefined }, '1970-01-01T00:00:00.000Z'],
  ['another engine whose clock is a little ahead: never beyond now', { a: '2026-10-16T08:00:30.000Z' }, now],
  [
    'one that was not read since the clock was set back: none at all',
    { a: '2026-10-16T08:30:00.000Z' },
    '1970-01-01T00:00:00.000Z',
  ],
]

test.each(feeds)(
  'I6: quiet exams end only up to where every change feed has been read; %s',
  async (_, cursors, upTo) => {
    const asked: string[][] = []
    const count = await acceptDue({
      inbox: {
        async acceptDeadlines(at, quietUpTo) {
          asked.push([at, quietUpTo])
          return 3
        },
      },
      feeds: { cursor: async (name) => ({ seq: 1, identity: 'x', caughtUpAt: cursors[name] }) },
      orthancs: Object.keys(cursors),
      clock: () => now,
    })
    expect({ count, asked }).toEqual({ count: 3, asked: [[now, upTo]] })
  },
)

test('I6: an Orthanc whose feed has no cursor yet lets no exam end', async () => {
  let upTo = ''
  await acceptDue({
    inbox: { acceptDeadlines: async (_, quiet) => Number((upTo = quiet)) || 0 },
    feeds: { cursor: async () => undefined },
    orthancs: ['a'],
    clock: () => now,
  })
  expect(upTo).toBe('1970-01-01T00:00:00.000Z')
})
