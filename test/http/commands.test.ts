import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import { authorization, fake, order, study, type Faked } from './fakes.ts'

const post = (server: Faked, url: string, body: object) =>
  server.app.inject({ method: 'POST', url, headers: { authorization }, body })

const why = { by: 'mtra3', reason: 'the contrast pause was long' }

test('a command by hand is in the inbox when it is answered, and the drainer is woken', async () => {
  const server = fake()
  const answer = await post(server, `/api/orders/${order.id}/complete`, { ...why, step: '1' })
  expect(answer.statusCode).toBe(202)
  expect(answer.json()).toEqual({ seq: 1, applied: false })
  expect(server.accepted).toEqual([
    { ...why, command: { kind: 'complete', orderId: order.id, step: '1' }, at: '2026-10-16T08:40:00.000Z' },
  ])
  expect(server.woken).toEqual(['drain'])
})

test.each([
  ['cancel', {}, { kind: 'cancel', orderId: order.id }],
  ['reopen', { step: '1' }, { kind: 'reopen', orderId: order.id, step: '1' }],
  ['link', { study: study.key, step: '1' }, { kind: 'link', orderId: order.id, study: study.key, step: '1' }],
  ['unlink', { study: study.key }, { kind: 'unlink', orderId: order.id, study: study.key }],
])('%s becomes its command', async (kind, fields, command) => {
  const server = fake()
  const answer = await post(server, `/api/orders/${order.id}/${kind}`, { ...why, ...fields })
  expect(answer.statusCode).toBe(202)
  expect(server.accepted).toEqual([{ ...why, command, at: '2026-10-16T08:40:00.000Z' }])
})

test('who waits is answered with the steps as they are then; who waits too long is told that it is not applied yet', async () => {
  const server = fake()
  const url = `/api/orders/${order.id}/complete?wait=true`
  const first = await post(server, url, why)
  expect(first.statusCode).toBe(200)
  expect(first.json()).toEqual({
    seq: 1,
    applied: true,
    order: { id: order.id, version: order.version, steps: [{ key: '1', stepStatus: 'STARTED' }] },
  })
  const second = await post(server, url, why)
  expect(second.statusCode).toBe(202)
  expect(second.json()).toEqual({ seq: 2, applied: false })
})

test('a preview shows what would happen and stores nothing', async () => {
  const server = fake()
  const answer = await post(server, `/api/orders/${order.id}/complete/preview`, why)
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toMatchObject({ messages: [{ endpoint: 'ris', event: 'completed' }] })
  expect(server.accepted).toEqual([])
})

const long = 'x'.repeat(501)

test.each([
  ['no reason', 'complete', { by: 'a' }, 400, 'E823'],
  ['an empty reason', 'complete', { by: 'a', reason: '  ' }, 400, 'E823'],
  ['a reason that is too long', 'complete', { by: 'a', reason: long }, 400, 'E823'],
  ['a reason of two lines', 'complete', { by: 'a', reason: 'one\ntwo' }, 400, 'E823'],
  ['a reason that is no text', 'complete', { by: 'a', reason: 7 }, 400, 'E823'],
  ['nobody who does it', 'complete', { reason: 'r' }, 400, 'E823'],
  ['a field that is not known', 'complete', { ...why, stepp: '1' }, 400, 'E822'],
  ['a study where none belongs', 'complete', { ...why, study: study.key }, 400, 'E822'],
  ['a step where none belongs', 'unlink', { ...why, study: study.key, step: '1' }, 400, 'E822'],
  ['a list for a body', 'complete', [], 400, 'E804'],
  ['a link without its study', 'link', why, 400, 'E823'],
  ['a step that the order does not have', 'complete', { ...why, step: '9' }, 404, 'E824'],
  ['a study that nobody has seen', 'link', { ...why, study: 'main/none' }, 404, 'E825'],
])('%s is refused, and nothing is stored', async (_, kind, body, status, code) => {
  const server = fake()
  for (const url of [`/api/orders/${order.id}/${kind}`, `/api/orders/${order.id}/${kind}/preview`]) {
    const answer = await post(server, url, body)
    expect(answer.json()).toMatchObject({ status, code })
  }
  expect(server.accepted).toEqual([])
})

test('an order that is not kept is refused', async () => {
  const server = fake()
  const answer = await post(server, '/api/orders/O9-9/cancel', why)
  expect(answer.json()).toMatchObject({ status: 404, code: 'E820' })
})

test('a store that is away is answered 503: it may be tried again', async () => {
  const away = fake({
    hand: {
      store: {
        order: () => Promise.reject(new EngineError('E501')),
        studies: () => Promise.resolve([]),
        findStudies: () => Promise.reject(new EngineError('E501')),
        acceptManual: () => Promise.reject(new EngineError('E501')),
        acceptPerformed: () => Promise.reject(new EngineError('E501')),
        applied: () => Promise.resolve(0),
      },
      preview: () => Promise.reject(new EngineError('E501')),
      clock: () => '',
      log: { debug() {}, info() {}, warn() {}, error() {} },
      wake: () => undefined,
    },
  })
  expect((await post(away, `/api/orders/${order.id}/cancel`, why)).statusCode).toBe(503)
  const performed = { sopInstanceUid: '1.2', state: 'COMPLETED' }
  expect((await post(away, '/api/performed-procedure-steps', performed)).statusCode).toBe(503)
})

test('I9: neither the reason nor who gave it is logged', async () => {
  const server = fake()
  await post(server, `/api/orders/${order.id}/complete`, { by: 'DrSecret', reason: 'Jane Doe was moved' })
  await post(server, `/api/orders/${order.id}/complete`, { by: 'DrSecret', reason: 'Jane Doe was moved', x: 1 })
  expect(server.logged.length).toBeGreaterThan(0)
  expect(JSON.stringify(server.logged)).not.toMatch(/Secret|Jane|moved/)
})

test('studies are found by what is wrong with them, and by their key', async () => {
  const server = fake()
  const get = async (url: string) => (await server.app.inject({ url, headers: { authorization } })).json<unknown>()
  expect(await get('/api/studies?credit=unmatched&patientId=4711&limit=5')).toMatchObject({
    items: [{ key: study.key, credit: 'matched', orderIds: ['O1-0'], series: 0, instances: 0 }],
  })
  expect(server.studyQueries).toEqual([{ credit: 'unmatched', patientId: '4711', limit: 5 }])
  expect(await get(`/api/studies?key=${encodeURIComponent(study.key)}`)).toMatchObject({ total: 1 })
  expect(await get('/api/studies?key=main/none')).toEqual({ items: [], total: 0, next: null })
  expect(await get('/api/studies?credit=matched')).toMatchObject({ status: 400, code: 'E803' })
})
