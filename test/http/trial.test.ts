import { expect, test } from 'vitest'
import { authorization, fake, stored } from './fakes.ts'

const headers = { authorization }
const order = Buffer.from('MSH|^~\\&|RIS').toString('base64')

async function post(payload: object, over?: Parameters<typeof fake>[0]) {
  const http = fake(over)
  const answer = await http.app.inject({ method: 'POST', url: '/api/trial', headers, payload })
  return { http, answer }
}

test('kept messages are given with their bytes as they came, by time and source, page by page', async () => {
  const http = fake()
  const url = '/api/traffic?source=ris-orders&since=2026-10-16&until=2026-10-17T08:00:00&limit=2&after=M7'
  const answer = await http.app.inject({ url, headers })
  expect(http.queries).toEqual([
    {
      source: 'ris-orders',
      since: '2026-10-16T00:00:00.000Z',
      until: '2026-10-17T08:00:00.000Z',
      limit: 2,
      after: 'M7',
    },
  ])
  expect(answer.json()).toMatchObject({ total: 3, looked: 2, next: 'M1', items: [{ id: 'M1', planId: 'p' }] })
  const [{ base64 }] = answer.json<{ items: [{ base64: string }] }>().items
  expect(Buffer.from(base64, 'base64')).toEqual(Buffer.from(stored.body))
})

test('a page that begins at nothing is refused', async () => {
  const answer = await fake().app.inject({ url: '/api/traffic?after=O1', headers })
  expect(answer.json()).toMatchObject({ status: 400, code: 'E803' })
})

test('a plan is given as it was kept; one that is gone is 404', async () => {
  const http = fake()
  expect((await http.app.inject({ url: '/api/plans/abc1', headers })).json()).toEqual({ id: 'abc1', plan: 'all of it' })
  const gone = await http.app.inject({ url: '/api/plans/abc2', headers })
  expect(gone.json()).toMatchObject({ status: 404, code: 'E850' })
})

test('what messages would change is answered for each of them, faults in words', async () => {
  const { http, answer } = await post({ source: 'ris-orders', messages: [order, order], plan: '{}' })
  expect(http.replays).toMatchObject([['try', { source: 'ris-orders', plan: '{}' }]])
  expect(answer.json()).toMatchObject({
    items: [
      { outcome: 'applied', items: [{ kind: 'changed', differences: [{ attribute: 'PatientName' }] }] },
      { outcome: 'invalid', problems: [{ code: 'E603' }] },
    ],
  })
})

test('messages may be tried as if a machine had sent them, whose address has one form', async () => {
  const { http } = await post({ source: 'ris-orders', messages: [order], sender: '::ffff:10.1.2.3' })
  expect(http.replays).toMatchObject([['try', { source: 'ris-orders', sender: '10.1.2.3' }]])
})

test.each([
  ['no messages', { source: 'a', messages: [] }],
  ['what is no base64', { source: 'a', messages: ['MSH|'] }],
  ['more than a hundred', { source: 'a', messages: Array.from({ length: 101 }, () => order) }],
  ['a plan that is no text', { source: 'a', messages: [order], plan: {} }],
  ['no source', { messages: [order] }],
  ['a sender that is no address', { source: 'a', messages: [order], sender: 'ct-room' }],
])('%s is refused, and nothing is tried', async (_, payload) => {
  const { http, answer } = await post(payload)
  expect(answer.statusCode).toBe(400)
  expect(http.replays).toEqual([])
})

test('without a token nobody learns anything of messages or plans', async () => {
  const { app } = fake()
  for (const url of ['/api/traffic', '/api/plans/abc1']) expect((await app.inject({ url })).statusCode).toBe(401)
})
