import { expect, test } from 'vitest'
import { EngineError, type ErrorCode } from '../../src/core/errors/index.ts'
import type { Replayed } from '../../src/core/replay.ts'
import { authorization, fake, letter, refusedLetter, stalePreview } from './fakes.ts'

const headers = { authorization }
const hand = { by: 'jo', reason: 'the table was mended' }

test('I8: dead letters of both directions are listed with their reason, and without their text', async () => {
  const { app, letterQueries } = fake()
  const answer = await app.inject({ url: '/api/dead-letters?accession=A1&code=E603&limit=10', headers })
  expect(letterQueries).toEqual([{ kinds: ['dead', 'refused'], accessionNumber: 'A1', code: 'E603', limit: 10 }])
  expect(answer.json()).toMatchObject({ total: 2, next: 'M1' })
  const [dead, refused] = answer.json<{ items: object[] }>().items
  expect(dead).toMatchObject({
    id: 'M1',
    kind: 'dead',
    code: 'E603',
    source: 'ris-orders',
    seq: 1,
    state: letter.state,
  })
  expect(dead).toHaveProperty('cure')
  expect(refused).toMatchObject({ id: refusedLetter.id, kind: 'refused', destination: 'ris', answer: 'AE 101' })
})

test.each([
  ['kind=all', { kinds: ['dead', 'invalid', 'refused'] }],
  ['kind=invalid&endpoint=ris', { kinds: ['invalid'], endpoint: 'ris' }],
  ['kind=refused&answer=AE%20101', { kinds: ['refused'], answer: 'AE 101' }],
  [
    'since=2026-10-16&until=2026-10-17T02:00:00%2B02:00',
    { since: '2026-10-16T00:00:00.000Z', until: '2026-10-17T00:00:00.000Z' },
  ],
  ['since=2026-10-16T08:15', { since: '2026-10-16T08:15:00.000Z' }],
])('the groups of %s', async (query, asked) => {
  const { app, letterQueries } = fake()
  const answer = await app.inject({ url: `/api/dead-letters/groups?${query}`, headers })
  expect(letterQueries).toEqual([{ kinds: ['dead', 'refused'], ...asked }])
  expect(answer.json()).toMatchObject({ items: [{ kind: 'dead', code: 'E603', count: 2 }], total: 1, next: null })
})

test.each(['kind=lost', 'code=E999', 'code=E602%0A', 'since=yesterday', 'since=2026-13-01', 'name=Doe'])(
  'a filter that is not understood is refused, not left out: %s',
  async (query) => {
    const { app, letterQueries } = fake()
    const answer = await app.inject({ url: `/api/dead-letters?${query}`, headers })
    expect({ status: answer.statusCode, letterQueries }).toEqual({ status: 400, letterQueries: [] })
  },
)

test('a refused status message is shown with its text; what is no dead letter is not found', async () => {
  const { app } = fake()
  const found = await app.inject({ url: `/api/dead-letters/${refusedLetter.id}`, headers })
  expect(found.json()).toMatchObject({ id: refusedLetter.id, body: 'MSH|', acts: [] })
  const lost = await app.inject({ url: '/api/dead-letters/ris.6-000000', headers })
  expect(lost.json()).toMatchObject({ status: 404, code: 'E831' })
})

test.each([
  ['/api/messages/M1/replay', hand, ['replay', 'M1', { ...hand, force: false }]],
  ['/api/messages/M1/replay', { ...hand, force: true }, ['replay', 'M1', { ...hand, force: true }]],
  [
    '/api/messages/M1/edit',
    { ...hand, body: 'MSH|' },
    ['edit', 'M1', { kind: 'text', text: 'MSH|' }, { ...hand, force: false }],
  ],
  [
    '/api/messages/M1/edit',
    { ...hand, base64: 'TVNIfA==' },
    ['edit', 'M1', { kind: 'body', bytes: Buffer.from('MSH|') }, { ...hand, force: false }],
  ],
  [
    '/api/messages/M1/edit',
    { ...hand, set: [{ path: 'PID-5.1', value: 'Doe' }] },
    ['edit', 'M1', { kind: 'fields', set: [{ path: 'PID-5.1', value: 'Doe' }] }, { ...hand, force: false }],
  ],
  ['/api/dead-letters/ris.5-000000/replay', hand, ['replay', 'ris.5-000000', { ...hand, force: false }]],
  ['/api/dead-letters/M1/discard', hand, ['discard', 'M1', hand]],
  [
    '/api/dead-letters/replay',
    { ...hand, filter: { kind: 'dead', code: 'E602' }, limit: 7, after: 'M0' },
    ['replayAll', { kinds: ['dead'], code: 'E602' }, { ...hand, force: false }, { limit: 7, after: 'M0' }],
  ],
] as const)('POST %s', async (url, body, asked) => {
  const { app, replays } = fake()
  const answer = await app.inject({ method: 'POST', url, headers, body })
  expect({ status: answer.statusCode, replays }).toEqual({ status: 200, replays: [asked] })
})

test.each([
  ['/api/messages/M1/replay', { by: 'jo' }],
  ['/api/messages/M1/replay', { reason: 'none' }],
  ['/api/messages/M1/replay', { ...hand, force: 'yes' }],
  ['/api/messages/M1/replay', { ...hand, forced: true }],
  ['/api/messages/M1/edit', hand],
  ['/api/messages/M1/edit', { ...hand, body: 'MSH|', set: [] }],
  ['/api/messages/M1/edit', { ...hand, set: [{ path: 'PID-5' }] }],
  ['/api/messages/M1/edit', { ...hand, base64: 'not base64!' }],
  ['/api/dead-letters/replay', hand],
  ['/api/dead-letters/replay', { ...hand, filter: { kind: 'lost' } }],
  ['/api/dead-letters/replay', { ...hand, filter: {}, limit: 501 }],
  ['/api/dead-letters/ris.5-000000/discard', { by: 'jo' }],
])('what is not understood replays nothing: POST %s %j', async (url, body) => {
  const { app, replays } = fake()
  const answer = await app.inject({ method: 'POST', url, headers, body })
  expect({ status: answer.statusCode, replays }).toEqual({ status: 400, replays: [] })
})

test('I8: a stale replay is refused as a problem that shows the difference', async () => {
  const { app } = fake({
    replayer: { ...fakeReplayer(), replay: async () => ({ id: 'M1', outcome: 'stale', preview: stalePreview }) },
  })
  const answer = await app.inject({ method: 'POST', url: '/api/messages/M1/replay', headers, body: hand })
  expect(answer.headers['content-type']).toBe('application/problem+json')
  const { differences } = stalePreview
  expect(answer.json()).toMatchObject({ status: 409, code: 'E830', id: 'M1', stale: 'newer-order', differences })
})

test.each([
  [{ id: 'M1', outcome: 'waiting', seq: 4 }, 202, undefined],
  [{ id: 'M1', outcome: 'changed' }, 409, 'E836'],
  [{ id: 'M1', outcome: 'gone' }, 404, 'E805'],
  [{ id: 'ris.5-000000', outcome: 'gone' }, 404, 'E831'],
  [{ id: 'ris.5-000000', outcome: 'stale' }, 409, 'E839'],
] as const)('an outcome %j is answered %d', async (outcome: Replayed, status, code) => {
  const { app } = fake({ replayer: { ...fakeReplayer(), replay: async () => outcome } })
  const answer = await app.inject({ method: 'POST', url: '/api/dead-letters/M1/replay', headers, body: hand })
  expect({ status: answer.statusCode, code: answer.json<{ code?: string }>().code }).toEqual({ status, code })
})

test.each([
  ['E805', 404],
  ['E832', 409],
  ['E833', 409],
  ['E834', 400],
  ['E835', 400],
  ['E838', 400],
  ['E501', 503],
] as const)('the refusal %s is answered %d', async (code: ErrorCode, status) => {
  const no = (): never => {
    throw new EngineError(code)
  }
  const { app } = fake({ replayer: { ...fakeReplayer(), preview: no } })
  const answer = await app.inject({ method: 'POST', url: '/api/messages/M1/replay/preview', headers, body: {} })
  expect(answer.json()).toMatchObject({ status, code })
})

test('who replays, and why, is in no log line (I9)', async () => {
  const { app, logged } = fake()
  await app.inject({ method: 'POST', url: '/api/messages/M1/replay', headers, body: { by: 'DOE', reason: 'DOE' } })
  expect(JSON.stringify(logged)).not.toContain('DOE')
})

function fakeReplayer() {
  const no = (): never => {
    throw new Error('not asked')
  }
  return { preview: no, replay: no, edit: no, discard: no, replayAll: no }
}
