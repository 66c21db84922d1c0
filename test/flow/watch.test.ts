import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import { acceptDue, createWatch } from '../../src/flow/watch.ts'
import { keptLog, keptMetrics, storeAway } from './fakes.ts'

type Poll = { events: number; caughtUp: boolean } | Error

/** A feed that answers as told, then that nothing is left. */
function watching(...polls: Poll[]) {
  const asked: string[][] = []
  const log = keptLog()
  const metrics = keptMetrics()
  let woken = 0
  const watch = createWatch({
    source: {
      name: 'orthanc',
      async poll(deleted = []) {
        asked.push([...deleted])
        const next = polls.shift() ?? { events: 0, caughtUp: true }
        if (next instanceof Error) throw next
        return next
      },
    },
    log,
    metrics,
    clock: () => '2026-10-16T08:00:00.000Z',
    wake: () => void (woken += 1),
  })
  return { watch, asked, log, metrics, polls, woken: () => woken }
}

const away = () => new EngineError('E402', { address: 'http://127.0.0.1:1', reason: 'ECONNREFUSED' })

test('I6: one look reads to the end, and wakes the drainer for each page with events', async () => {
  const { watch, asked, metrics, woken } = watching(
    { events: 3, caughtUp: false },
    { events: 0, caughtUp: false },
    { events: 2, caughtUp: true },
  )
  await watch.look()
  expect({ pages: asked.length, woken: woken() }).toEqual({ pages: 3, woken: 2 })
  expect(metrics.counted('orthanc_events_total')).toBe(5)
})

test('a look while one is under way joins it, and one more reading follows', async () => {
  const { watch, asked } = watching()
  const first = watch.look()
  await Promise.all([first, watch.look(), watch.look()])
  expect(asked).toHaveLength(2)
})

test('I6: studies that were deleted are told until that is stored', async () => {
  const { watch, asked } = watching(away(), { events: 1, caughtUp: true })
  await watch.look(['S1'])
  await watch.look(['S2'])
  await watch.look()
  expect(asked).toEqual([['S1'], ['S1', 'S2'], []])
})

test('I6: when another process has read the page first, the deleted studies are told again', async () => {
  const { watch, asked } = watching({ events: 0, caughtUp: false }, { events: 1, caughtUp: true })
  await watch.look(['S1'])
  expect(asked).toEqual([['S1'], ['S1']])
})

test('what was stored with the first page is not told again when the second fails', async () => {
  const { watch, asked } = watching({ events: 1, caughtUp: false }, away())
  await watch.look(['S1'])
  await watch.look()
  expect(asked).toEqual([['S1'], [], []])
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
  ['a clock that went back: never beyond now', { a: '2026-10-16T08:30:00.000Z' }, now],
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
