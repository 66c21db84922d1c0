import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import { authorization, changed, fake } from './fakes.ts'

const find = {
  method: 'POST',
  url: '/worklist/find',
  headers: { authorization },
} as const
const asked = {
  query: { '0010,0010': 'DOE*', '0040,0100': [{ '0008,0060': 'CT' }] },
  callingAeTitle: 'CT1',
  calledAeTitle: 'ORTHANC',
}

function unframe(body: Buffer): string[] {
  const items: string[] = []
  for (let at = 0; at < body.length;) {
    const length = body.readUInt32BE(at)
    items.push(body.subarray(at + 4, at + 4 + length).toString())
    at += 4 + length
  }
  return items
}

test('a C-FIND is answered by the files, each after its length', async () => {
  const { app, finds, counted } = fake()
  const answer = await app.inject({ ...find, body: { ...asked, remoteIp: '127.0.0.9' } })
  expect(answer.statusCode).toBe(200)
  expect(answer.headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'x-worklane-version': '7',
    'x-worklane-count': '2',
    'content-length': '16',
  })
  expect(unframe(answer.rawPayload)).toEqual(['one', 'three'])
  expect(finds).toEqual([
    { query: asked.query, caller: { callingAeTitle: 'CT1', calledAeTitle: 'ORTHANC', remoteIp: '127.0.0.9' } },
  ])
  expect(counted).toContain('worklist_finds_total {"result":"answered"}')
})

test('no items are an empty body', async () => {
  const { app } = fake({ answerer: { find: () => Promise.resolve([]) } })
  const answer = await app.inject({ ...find, body: asked })
  expect(answer.statusCode).toBe(200)
  expect(answer.rawPayload).toHaveLength(0)
})

test('I10: an index that is not loaded is a failure, never an empty list', async () => {
  const away = () => Promise.reject(new EngineError('E406'))
  const { app, counted } = fake({ answerer: { find: away, snapshot: away } })
  const found = await app.inject({ ...find, body: asked })
  expect(found.statusCode).toBe(503)
  expect(found.json()).toMatchObject({ code: 'E406', status: 503 })
  expect(counted).toContain('worklist_finds_total {"result":"unavailable"}')
  const snapshot = await app.inject({ url: '/worklist/snapshot', headers: { authorization } })
  expect(snapshot.statusCode).toBe(503)
})

test('I10: an index that lags does not confirm the snapshot that the plugin has', async () => {
  const current = await fake().app.inject({ url: '/worklist/snapshot', headers: { authorization } })
  const version = () => {
    throw new EngineError('E406')
  }
  const headers = { authorization, 'if-none-match': current.headers['etag'] as string }
  const lagging = await fake({ answerer: { version } }).app.inject({ url: '/worklist/snapshot', headers })
  expect(lagging.statusCode).toBe(503)
  expect(lagging.json()).toMatchObject({ code: 'E406' })
})

test.each([
  ['no query', {}],
  ['a list', []],
  ['a query that is a list', { ...asked, query: [] }],
  ['a key that is no tag', { ...asked, query: { PatientName: 'DOE' } }],
  ['a number', { ...asked, query: { '0010,0010': 1 } }],
  ['null in a sequence', { ...asked, query: { '0040,0100': [null] } }],
])('I10: %s is refused: a key that is not understood must not widen the answer', async (_name, body) => {
  const { app, finds } = fake()
  const answer = await app.inject({ ...find, body })
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({ code: 'E804' })
  expect(finds).toEqual([])
})

test('a body that is not JSON, of another type or too large is refused', async () => {
  const { app } = fake()
  const post = (body: string, type: string) =>
    app.inject({ ...find, headers: { authorization, 'content-type': type }, body })
  expect((await post('{', 'application/json')).statusCode).toBe(400)
  expect((await post('{}', 'text/plain')).statusCode).toBe(415)
  const large = await post(JSON.stringify({ query: 'x'.repeat(1024 * 1024) }), 'application/json')
  expect(large.statusCode).toBe(413)
  expect(large.json()).toMatchObject({ code: 'E806' })
})

test('a snapshot is sent once, and again only when something has changed', async () => {
  let [version, contents] = [7, 'c7']
  const { app } = fake({
    answerer: {
      version: () => version,
      contents: () => contents,
      snapshot: () => Promise.resolve({ version, contents, items: [Buffer.from(`v${version}`)] }),
    },
  })
  const get = (tag?: string) =>
    app.inject({
      url: '/worklist/snapshot',
      headers: { authorization, ...(tag === undefined ? {} : { 'if-none-match': tag }) },
    })
  const first = await get()
  expect(unframe(first.rawPayload)).toEqual(['v7'])
  const tag = first.headers['etag'] as string
  const again = await get(tag)
  expect(again.statusCode).toBe(304)
  expect(again.rawPayload).toHaveLength(0)
  expect((await get(`"other", W/${tag}`)).statusCode).toBe(304)
  version = 8
  const next = await get(tag)
  expect(next.statusCode).toBe(200)
  expect(unframe(next.rawPayload)).toEqual(['v8'])
  expect(next.headers['x-worklane-version']).toBe('8')
  // The store was put back to an older state, and has come as far again with other orders.
  contents = 'c8'
  expect((await get(next.headers['etag'] as string)).statusCode).toBe(200)
})

test('a snapshot of another engine version is another one: its bytes may differ', async () => {
  const tag = (await fake().app.inject({ url: '/worklist/snapshot', headers: { authorization } })).headers[
    'etag'
  ] as string
  const newer = fake({ version: { worklane: '2.0.0', node: 'v24' } })
  const answer = await newer.app.inject({ url: '/worklist/snapshot', headers: { authorization, 'if-none-match': tag } })
  expect(answer.statusCode).toBe(200)
})

test('a nudge is heard, with or without saying what changed', async () => {
  const { app, nudges } = fake()
  const nudge = { method: 'POST', url: '/orthanc/nudge', headers: { authorization } } as const
  const full = { orthanc: 'orthanc', change: 'StableStudy', resource: 'abc', level: 'Study' }
  expect((await app.inject({ ...nudge, body: full })).statusCode).toBe(204)
  expect((await app.inject(nudge)).statusCode).toBe(204)
  expect(nudges).toEqual([full, { orthanc: '', change: '', resource: '', level: '' }])
})

const events = { method: 'POST', url: '/orthanc/events', headers: { authorization } } as const
const spooled = {
  database: 'd1',
  spool: 's1',
  rows: [
    { number: 3, change: 'Deleted', level: 'Study', resource: 'abc', at: '2026-10-16T08:15:00.123Z' },
    { number: 7, change: 'OrthancStopped', at: '2026-10-16T08:15:01Z' },
  ],
}

test('what only the plugin sees is taken', async () => {
  const { app, brought } = fake()
  const answer = await app.inject({ ...events, body: spooled })
  expect([answer.statusCode, answer.body]).toEqual([204, ''])
  expect(brought).toEqual([
    {
      database: 'd1',
      spool: 's1',
      rows: [
        { ...spooled.rows[0], study: '' },
        { number: 7, change: 'OrthancStopped', level: '', resource: '', study: '', at: '2026-10-16T08:15:01.000Z' },
      ],
    },
  ])
})

test('I6: what could not be stored is not said to be', async () => {
  const bring = () => Promise.reject(new EngineError('E501'))
  const answer = await fake({ bring }).app.inject({ ...events, body: spooled })
  expect(answer.statusCode).toBe(503)
})

const row = { number: 1, change: 'Deleted', level: 'Study', resource: 'abc', at: '2026-10-16T08:15:00Z' }
test.each([
  ['nothing', {}],
  ['no spool', { ...spooled, spool: '' }],
  ['rows that are no list', { ...spooled, rows: {} }],
  [
    'more rows than one entry may have',
    { ...spooled, rows: Array.from({ length: 1001 }, (_, number) => ({ ...row, number })) },
  ],
  ['a row that is text', { ...spooled, rows: ['x'] }],
  ['an unknown change', { ...spooled, rows: [{ ...row, change: 'Exploded' }] }],
  ['an unknown level', { ...spooled, rows: [{ ...row, level: 'Ward' }] }],
  ['no moment', { ...spooled, rows: [{ ...row, at: 'yesterday' }] }],
  ['a number that is none', { ...spooled, rows: [{ ...row, number: 1.5 }] }],
  ['numbers that do not ascend', { ...spooled, rows: [row, row] }],
])('%s is not taken for changes', async (_name, body) => {
  const { app, brought } = fake()
  const answer = await app.inject({ ...events, body })
  expect(answer.statusCode).toBe(400)
  expect(brought).toEqual([])
})

test('the newest changes of the Orthancs are listed', async () => {
  const { app } = fake()
  const list = (query: string) => app.inject({ url: `/api/orthanc-changes${query}`, headers: { authorization } })
  expect((await list('?limit=7')).json()).toEqual({ items: [{ ...changed, cause: 7 }] })
  expect((await list('')).json()).toMatchObject({ items: [{ cause: 50 }] })
  expect((await list('?limit=501')).statusCode).toBe(400)
})
