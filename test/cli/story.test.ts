import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { pause } from '../../src/cli/pause.ts'
import { story } from '../../src/cli/story.ts'
import { aSite, changed } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** A site whose engine answers by path; what it does not know is 404. */
async function engine(answers: Readonly<Record<string, unknown>>) {
  const posted: unknown[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (request.method === 'POST') posted.push(JSON.parse(body))
      const answer = answers[(request.url ?? '').replace(/&limit=.*/, '')]
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer ?? { title: 'There is no order with this id.', cure: 'Look.' }))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  const { port } = server.address() as { port: number }
  const http = `bind: 127.0.0.1\nhttp:\n  port: ${port}\n  token: token-of-the-tests`
  const { cwd, remove } = aSite(changed('config/worklane.yaml', 'bind: 127.0.0.1', http))
  cleanups.push(remove)
  return { cwd, posted }
}

const page = (...ids: string[]) => ({ items: ids.map((id) => ({ id })), total: ids.length, next: null })

const told = (id: string, ...at: string[]) => ({
  order: {
    id,
    source: 'ris-orders',
    numbers: { authority: 'ris', accessionNumber: 'A1' },
    studyInstanceUid: '1.2.3',
    steps: [{ key: '1', stepStatus: 'SCHEDULED', stations: ['CT1'], modality: 'CT', start: '20261025', flags: [] }],
    told: [],
    studies: [],
    deadlines: [],
  },
  timeZone: 'Europe/Berlin',
  lines: at.map((one, n) => ({ at: one, cause: n + 1, causedBy: 'message', messageId: `M${n + 1}`, what: 'came' })),
})

test('each order of a number is told, the oldest first, once, though several of its numbers are the same', async () => {
  const { cwd } = await engine({
    '/api/orders?accession=A1': page('O7-0', 'O3-0'),
    '/api/orders?orderNumber=A1': page('O7-0'),
    '/api/orders/O3-0/story': told('O3-0', '2026-10-16T08:15:00.000Z'),
    '/api/orders/O7-0/story': told('O7-0', '2026-10-16T08:15:00.000Z'),
  })
  const { code, stdout, stderr } = await runVerb(story, ['A1'], { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.match(/^order \S+/gm)).toEqual(['order O3-0', 'order O7-0'])
  const { stdout: text } = await runVerb(story, ['A1', '--json'], { cwd })
  expect((JSON.parse(text) as unknown[]).length).toBe(2)
})

test('an order on hold, and a step that lacks something, say so', async () => {
  const { order, ...rest } = told('O7-0', '2026-10-16T08:15:00.000Z')
  const [step] = order.steps
  const held = { ...order, held: true, steps: [{ ...step, stations: [], lacks: ['station'] }] }
  const { cwd } = await engine({ '/api/orders/O7-0/story': { ...rest, order: held } })
  const { stdout } = await runVerb(story, ['O7-0'], { cwd })
  expect(stdout).toMatch(/\n {2}on hold +hidden until it is released\n/)
  expect(stdout).toMatch(/\n {2}step 1 +SCHEDULED +CT {2}20261025 {2}lacks station\n/)
})

test('a number of more orders than are told at once says how many are missing', async () => {
  const { cwd } = await engine({
    '/api/orders?accession=A1': { ...page('O7-0'), total: 10_000 },
    '/api/orders?orderNumber=A1': page(),
    '/api/orders/O7-0/story': told('O7-0', '2026-10-16T08:15:00.000Z'),
  })
  const { code, stderr } = await runVerb(story, ['A1'], { cwd })
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^9999 older orders have this number too/)])
})

test('in the night in which the clocks are put back, the offset tells the two hours apart', async () => {
  const lines = ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.007Z']
  const { cwd } = await engine({ '/api/orders/O3-0/story': told('O3-0', ...lines) })
  const { stdout } = await runVerb(story, ['O3-0'], { cwd })
  expect(stdout.match(/^2026-.*$/gm)).toEqual([
    '2026-10-25 02:30:00.000 +02:00  1      message  M1       -       came',
    '2026-10-25 02:30:00.007 +01:00  2      message  M2       -       came',
  ])
})

test('a number that only messages name says so; one that nothing names too; an id that is not kept', async () => {
  const none = { '/api/orders?accession=A1': page(), '/api/orders?orderNumber=A1': page() }
  const named = await engine({
    ...none,
    '/api/messages?accession=A1': { ...page('M1'), total: 2 },
    '/api/messages?orderNumber=A1': page(),
  })
  const some = await runVerb(story, ['A1'], { cwd: named.cwd })
  expect([some.code, some.stderr]).toEqual([
    1,
    expect.stringMatching(/^No order has this number, but 2 messages name it/),
  ])
  const nobody = await engine({ ...none, '/api/messages?accession=A1': page(), '/api/messages?orderNumber=A1': page() })
  expect((await runVerb(story, ['A1'], { cwd: nobody.cwd })).stderr).toBe('No order and no message has this number.\n')
  expect((await runVerb(story, ['O9-0'], { cwd: nobody.cwd })).stderr).toBe('There is no order with this id. Look.\n')
  expect((await runVerb(story, [], { cwd: nobody.cwd })).code).toBe(2)
})

test('who pauses is the user of the machine, unless the line says otherwise', async () => {
  const answer = { name: 'ris', waiting: 1, changed: true, paused: { by: 'ada', reason: 'x', since: 'then' } }
  const { cwd, posted } = await engine({ '/api/destinations/ris/pause': answer })
  const { stdout } = await runVerb(pause, ['ris', '--reason', 'update'], { cwd, env: { USER: 'ada' } })
  expect(stdout).toBe('ris is paused by ada since then; 1 message waiting.\n')
  await runVerb(pause, ['ris', '--reason', 'update', '--by', 'eve'], { cwd, env: { USER: 'ada' } })
  expect(posted).toEqual([
    { by: 'ada', reason: 'update' },
    { by: 'eve', reason: 'update' },
  ])
  expect((await runVerb(pause, ['ris', '--reason', ' '], { cwd })).code).toBe(2)
})
