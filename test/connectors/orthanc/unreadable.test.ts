/** An Orthanc that answers, but wrongly: in memory, for a real one cannot be brought to it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createOrthancClient, type OrthancChange, type OrthancClient } from '../../../connectors/orthanc/client.ts'
import { createChangeFeed } from '../../../connectors/orthanc/feed.ts'
import { EngineError } from '../../../src/core/errors/index.ts'
import type { SeriesFacts } from '../../../src/core/order.ts'
import { keptLog } from '../../flow/fakes.ts'
import { createFakeInbox } from './fake-inbox.ts'

const start = Date.parse('2026-11-23T08:00:00.000Z')
const broken = (): EngineError => new EngineError('E404', { address: 'a', status: 500, path: '/studies' })
const away = (): EngineError => new EngineError('E402', { address: 'a', reason: 'ECONNREFUSED' })

/** An Orthanc with one image of each study, in this order. */
function anOrthanc(studies: readonly string[]) {
  const wrong = new Map<string, () => EngineError>()
  /** Images of which Orthanc cannot say where they belong. */
  const unknown = new Map<string, () => EngineError>()
  const gone = new Set<string>()
  const stable = new Set<string>()
  const asked: string[] = []
  const rows = studies.map((study, at): OrthancChange => ({
    seq: at + 1,
    type: 'NewInstance',
    level: 'Instance',
    id: `image-${study}`,
    at: new Date(start).toISOString(),
  }))
  const client: Partial<OrthancClient> = {
    identity: async () => 'database',
    lastChange: async () => 0,
    changes: async (since, limit) => {
      const changes = rows.filter(({ seq }) => seq > since).slice(0, limit)
      return {
        changes,
        last: changes.at(-1)?.seq ?? rows.length,
        done: (changes.at(-1)?.seq ?? rows.length) >= rows.length,
      }
    },
    study: async (id) => ({
      isStable: stable.has(id),
      lastUpdate: stable.has(id) ? new Date(start).toISOString() : '',
    }),
    studyOf: async (_, id) => {
      const error = unknown.get(id)
      if (error !== undefined) throw error()
      return id.replace('image-', '')
    },
    studyFacts: async (study) => {
      asked.push(study)
      const error = wrong.get(study)
      if (error !== undefined) throw error()
      if (gone.has(study)) return undefined
      return {
        series: [{ study, series: `series-${study}` } as SeriesFacts],
        instances: new Map([[`image-${study}`, `series-${study}`]]),
      }
    },
    forget: () => undefined,
  }
  return { client: client as OrthancClient, wrong, unknown, gone, stable, asked, rows }
}

function feedOf({ client }: ReturnType<typeof anOrthanc>, inbox = createFakeInbox()) {
  const log = keptLog()
  const time = { now: start }
  const clock = (): string => new Date(time.now).toISOString()
  const feed = createChangeFeed({ name: 'main', client, feeds: inbox, inbox, clock, log })
  const seen = (): string[] => inbox.events.map(({ event, study }) => `${event} ${study}`)
  return { feed, inbox, log, time, seen }
}

test('I6: a study that Orthanc cannot read is waited for; then the others go on, and it is made good when it can be read', async () => {
  const orthanc = anOrthanc(['a', 'b', 'c'])
  const { feed, log, time, seen, inbox } = feedOf(orthanc)
  orthanc.wrong.set('b', broken)
  for (const seconds of [0, 60, 179]) {
    time.now = start + seconds * 1000
    await expect(feed.poll()).rejects.toMatchObject({ code: 'E404' })
  }
  expect([seen(), log.said('warn')]).toEqual([[], []])
  time.now = start + 180_000
  expect(await feed.poll()).toMatchObject({ caughtUp: true })
  expect(seen()).toEqual(['seen a', 'seen c'])
  expect(inbox.rows.map(({ study }) => study)).toEqual(['a', 'b', 'c'])
  expect(log.said('warn')).toEqual(['a study of Orthanc cannot be read'])
  time.now += 20_000
  await feed.poll()
  expect(seen()).toHaveLength(2)

  orthanc.wrong.delete('b')
  time.now += 20_000
  inbox.failNext('before')
  await expect(feed.poll()).rejects.toThrow('store unavailable')
  time.now += 20_000
  await feed.poll()
  expect(inbox.events.at(-1)).toMatchObject({ event: 'seen', study: 'b', series: [{ series: 'series-b' }] })
  time.now += 20_000
  await feed.poll()
  expect([seen().filter((one) => one.endsWith('b')), log.said('warn').length]).toEqual([['seen b'], 1])
})

test('I6: what was passed by is made good by another engine process too, and once', async () => {
  const orthanc = anOrthanc(['a', 'b', 'c', 'd'])
  const first = feedOf(orthanc)
  orthanc.wrong.set('b', broken)
  orthanc.unknown.set('image-c', broken)
  await expect(first.feed.poll()).rejects.toMatchObject({ code: 'E404' })
  first.time.now += 180_000
  await first.feed.poll()
  expect(first.seen()).toEqual(['seen a', 'seen d'])

  // It was started again: nothing of before is in its memory.
  const { feed, time, seen, inbox } = feedOf(orthanc, first.inbox)
  time.now = first.time.now
  for (let looks = 0; looks < 20; looks++) {
    await feed.poll()
    time.now += 20_000
  }
  expect(seen()).toHaveLength(2)
  orthanc.wrong.clear()
  orthanc.unknown.clear()
  for (let looks = 0; looks < 3; looks++) {
    await feed.poll()
    time.now += 20_000
  }
  expect(seen()).toEqual(['seen a', 'seen d', 'seen b', 'seen c'])
  expect(await inbox.passedBy('main', 10)).toEqual([])
})

test('I6: what was passed by and is deleted is not asked for any more', async () => {
  const orthanc = anOrthanc(['a', 'b'])
  const { feed, time, seen, inbox } = feedOf(orthanc)
  orthanc.wrong.set('b', broken)
  await expect(feed.poll()).rejects.toMatchObject({ code: 'E404' })
  time.now += 180_000
  await feed.poll()
  expect(await inbox.passedBy('main', 10)).toEqual(['Study/b'])
  orthanc.wrong.clear()
  orthanc.gone.add('b')
  time.now += 20_000
  await feed.poll()
  expect([seen(), await inbox.passedBy('main', 10)]).toEqual([['seen a'], []])
})

test('I6: a StableStudy that was lost is made good though the clock was ahead when the images came', async () => {
  const orthanc = anOrthanc(['a'])
  const { feed, time, seen } = feedOf(orthanc)
  time.now = start + 2 * 3_600_000
  await feed.poll()
  // The clock is put right; Orthanc stops before StableAge, and no row ever says so.
  time.now = start + 30_000
  orthanc.stable.add('a')
  await feed.poll()
  expect(seen()).toEqual(['seen a'])
  for (let looks = 0; looks < 6; looks++) {
    time.now += 20_000
    await feed.poll()
  }
  expect(seen()).toEqual(['seen a', 'stable a'])
})

test.each([
  ['E417', 400, ['seen a', 'seen c']],
  ['E404', 429, []],
] as const)(
  'I6: %s with %i for one study: what of it is seen after three minutes is %o',
  async (code, status, events) => {
    const orthanc = anOrthanc(['a', 'b', 'c'])
    const { feed, time, seen } = feedOf(orthanc)
    orthanc.wrong.set('b', () => new EngineError(code, { address: 'a', status, path: '/studies' }))
    await expect(feed.poll()).rejects.toMatchObject({ code })
    time.now += 180_000
    await feed.poll().catch(() => undefined)
    expect(seen()).toEqual(events)
  },
)

test('I6: many that cannot be read are waited for together, and do not hold up twice', async () => {
  const orthanc = anOrthanc(['a', 'b', 'c', 'd'])
  const { feed, time, seen } = feedOf(orthanc)
  for (const study of ['a', 'b', 'd']) orthanc.wrong.set(study, broken)
  await expect(feed.poll()).rejects.toMatchObject({ code: 'E404' })
  time.now += 180_000
  await feed.poll()
  expect(seen()).toEqual(['seen c'])
  const more = {
    seq: 5,
    type: 'NewInstance',
    level: 'Instance',
    id: 'image-e',
    at: new Date(start).toISOString(),
  } as const
  orthanc.rows.push({ ...more, id: 'image-a' }, { ...more, seq: 6 })
  await feed.poll()
  expect(seen()).toEqual(['seen c', 'seen e'])
})

test('I6: an Orthanc that is away is waited for without end, and nothing is passed by', async () => {
  const orthanc = anOrthanc(['a', 'b'])
  const { feed, time, seen } = feedOf(orthanc)
  orthanc.wrong.set('a', away)
  for (let hours = 0; hours < 5; hours++) {
    await expect(feed.poll()).rejects.toMatchObject({ code: 'E402' })
    time.now += 3_600_000
  }
  orthanc.wrong.clear()
  await feed.poll()
  expect(seen()).toEqual(['seen a', 'seen b'])
})

const servers: { close(): unknown }[] = []
afterEach(() => {
  for (const one of servers.splice(0)) one.close()
})

test.each([
  '{}',
  '[]',
  '{"Changes":[],"Done":true}',
  '{"Changes":[],"Done":false,"Last":7}',
  '{"Changes":[{"ChangeType":"NewInstance"}],"Done":true,"Last":7}',
  '{"Changes":{},"Done":true,"Last":7}',
  '{"Changes":[],"Done":true,"Last":"7"}',
  '<html>sign in</html>',
])('I6: %s is no page of changes: the feed does not begin again because of it', async (body) => {
  const server = createServer((request, response) => {
    response.statusCode = request.url?.startsWith('/worklane') === true ? 404 : 200
    response.end(body)
  })
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const inbox = createFakeInbox()
  const client = createOrthancClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  await inbox.acceptEvents({
    orthanc: 'main',
    expected: undefined,
    next: { seq: 7, identity: 'database/row' },
    at: '',
    events: [],
    caughtUp: true,
  })
  const log = keptLog()
  const clock = (): string => new Date(start).toISOString()
  const feed = createChangeFeed({ name: 'main', client, feeds: inbox, inbox, clock, log })
  await expect(feed.poll()).rejects.toMatchObject({ code: 'E410' })
  expect([inbox.cursorNow()?.seq, log.said('warn')]).toEqual([7, []])
})
