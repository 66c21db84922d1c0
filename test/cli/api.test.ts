import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ask } from '../../src/cli/api.ts'
import { dead } from '../../src/cli/dead.ts'
import { items } from '../../src/cli/items.ts'
import { map } from '../../src/cli/map.ts'
import { messages } from '../../src/cli/messages.ts'
import type { Verb } from '../../src/cli/output.ts'
import { replay } from '../../src/cli/replay.ts'
import { aSite, changed } from '../config/a-site.ts'
import { freePort } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const token = 'token-of-the-tests'

/** A site whose engine answers as told. */
async function engine(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: { url: string; authorization: string | undefined }[] = []
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization })
    answer(request, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  const { port } = server.address() as { port: number }
  return { asked, port, cwd: site(port) }
}

function site(port: number, files: Record<string, string> = {}, configured = token): string {
  const http = `bind: 127.0.0.1\nhttp:\n  port: ${port}\n  token: ${configured}`
  const { cwd, remove } = aSite({ ...changed('config/worklane.yaml', 'bind: 127.0.0.1', http), ...files })
  cleanups.push(remove)
  return cwd
}

const json =
  (body: unknown, status = 200) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

const anItem = {
  id: 'O1-1.SPS-1.CT01',
  stepStatus: 'SCHEDULED',
  dataset: {
    AccessionNumber: 'ACC1',
    PatientID: '4711',
    PatientName: 'Doe^Jane',
    ScheduledProcedureStepSequence: [
      { Modality: 'CT', ScheduledStationAETitle: 'CT01', ScheduledProcedureStepStartDate: '20261016' },
    ],
  },
}

test('an item that nobody is served says why', async () => {
  const held = { ...anItem, held: true, lacks: [] }
  const lacking = { ...anItem, stepStatus: 'UNSCHEDULED', held: false, lacks: ['start', 'station'] }
  const { cwd } = await engine(json({ items: [held, lacking], total: 2, next: null }))
  const { stdout } = await runVerb(items, [], { cwd })
  expect(stdout).toMatch(/\nSCHEDULED; held +20261016/)
  expect(stdout).toMatch(/\nUNSCHEDULED; lacks start, station +20261016/)
})

test('items are asked for by what the person says, and shown as a table', async () => {
  const { asked, cwd } = await engine(json({ items: [anItem], total: 2, next: 'abc' }))
  const args = ['--accession', 'A&B', '--date', '20261016-20261018', '--step-status', 'SCHEDULED', '--limit', '1']
  const { code, stdout, stderr } = await runVerb(items, args, { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(asked).toEqual([
    {
      url: '/api/worklist?accession=A%26B&date=20261016-20261018&stepStatus=SCHEDULED&limit=1',
      authorization: `Bearer ${token}`,
    },
  ])
  expect(stdout).toMatch(/^STEP STATUS +START +STATION/)
  expect(stdout).toMatch(/\nSCHEDULED +20261016 +CT01 +CT +ACC1 +4711 Doe\^Jane +O1-1\.SPS-1\.CT01\n/)
  expect(stdout).toMatch(/2 items; the next page: --after "abc"\n$/)
})

test('nothing found is said, without a table', async () => {
  const { cwd } = await engine(json({ items: [], total: 0, next: null }))
  expect(await runVerb(items, [], { cwd })).toEqual({ code: 0, stdout: '0 items\n', stderr: '' })
  expect(await runVerb(messages, [], { cwd })).toEqual({ code: 0, stdout: '0 messages\n', stderr: '' })
})

const aMessage = {
  id: 'M17',
  at: '2026-10-16T08:15:00.000Z',
  source: 'ris-orders',
  type: 'ORM^O01',
  controlId: 'C1',
  acknowledgmentCode: 'AE',
  state: { kind: 'invalid', faults: [{ code: 'E301' }, { code: 'E302' }] },
}

test('messages are listed with their state and why', async () => {
  const { asked, cwd } = await engine(json({ items: [aMessage], total: 1, next: null }))
  const { code, stdout } = await runVerb(messages, ['--state', 'invalid', '--order-number', 'P1'], { cwd })
  expect(code).toBe(0)
  expect(asked[0]?.url).toBe('/api/messages?state=invalid&orderNumber=P1')
  expect(stdout).toMatch(
    /M17 +2026-10-16T08:15:00\.000Z +ris-orders +ORM\^O01 +C1 +AE +invalid \(E301 E302\)\n1 message\n$/,
  )
})

test('one message is shown as it came', async () => {
  const { asked, cwd } = await engine(
    json({ ...aMessage, body: 'MSH|a\rPID|b\r', acknowledgment: 'MSH|c\rMSA|AE|d\r' }),
  )
  const { code, stdout } = await runVerb(messages, ['M17/..'], { cwd })
  expect(code).toBe(0)
  expect(asked[0]?.url).toBe('/api/messages/M17%2F..')
  expect(stdout).toMatch(/\n\nMSH\|a\nPID\|b\n\nanswered:\nMSH\|c\nMSA\|AE\|d\n$/)
})

test.each([
  [items, 'stepStatus', ['--step-status', 'x'], '--step-status'],
  [items, 'stationAeTitle', ['--station', ''], '--station'],
  [items, 'date', ['--date', 'x'], '--date'],
  [messages, 'patientId', ['--patient', ''], '--patient'],
  [messages, 'controlId', ['--control-id', ''], '--control-id'],
  [dead, 'kind', ['--kind', 'x'], '--kind'],
  [replay, 'since', ['--dry', '--since', 'x'], '--since'],
])('what the engine says of a parameter names the option of the line %#', async (verb, name, args, option) => {
  const problem = { title: `The query parameter "${name}" must be good.`, cure: 'Mend it.', code: 'E803' }
  const { cwd } = await engine(json(problem, 400))
  expect(await runVerb(verb, args, { cwd })).toEqual({
    code: 1,
    stdout: '',
    stderr: `${option} must be good. Mend it.\n`,
  })
})

test.each([
  [messages, ['M1', '--state', 'applied'], '--state chooses among all'],
  [dead, ['M1', '--kind', 'dead'], '--kind chooses among all'],
  [dead, ['M1', '--list'], '--list chooses among all'],
  [dead, ['--reason', 'x'], '--reason goes with --discard'],
  [dead, ['--discard', '--reason', 'x', '--code', 'E602'], 'Give the ID'],
])('an option that would do nothing is said %#', async (verb, args, said) => {
  const { cwd, asked } = await engine(json({}))
  const { code, stderr } = await runVerb(verb, args, { cwd })
  expect({ code, asked }).toEqual({ code: 2, asked: [] })
  expect(stderr).toContain(said)
})

test('of a segment that fills screens the beginning is shown; --json has all', async () => {
  const { cwd } = await engine(json({ ...aMessage, body: `MSH|a\rOBX|${'x'.repeat(70_000)}\r`, acknowledgment: '' }))
  const { stdout } = await runVerb(messages, ['M17'], { cwd })
  expect(stdout.length).toBeLessThan(4000)
  expect(stdout).toContain('… (68004 characters more; --json has all)\n')
  expect((await runVerb(messages, ['M17', '--json'], { cwd })).stdout.length).toBeGreaterThan(70_000)
})

test('an engine that does not answer, or breaks off, is not said to be none', async () => {
  const asking =
    (cwd: string): Verb =>
    async (_, io) => {
      const answer = await ask({ ...io, cwd }, '/api/worklist', {}, { expects: 'items', seconds: 0.2 })
      io.stdout(answer.kind === 'failed' ? answer.reason : 'answered')
      return 0
    }
  const silent = await engine(() => undefined)
  expect((await runVerb(asking(silent.cwd), [])).stdout).toBe(
    `The engine at http://127.0.0.1:${silent.port} did not answer within 0.2 s. \`worklane status\` may say why.`,
  )
  const broken = await engine((_, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('{"items": [')
    setImmediate(() => response.destroy())
  })
  expect((await runVerb(asking(broken.cwd), [])).stdout).toMatch(/broke off|No engine answers/)
})

test('map --diff of thousands shows how far it is', async () => {
  const unchanged = { outcome: 'unchanged', problems: [], orders: [], items: [], messages: [] }
  const { cwd, asked } = await engine((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const { messages: some } = JSON.parse(text) as { readonly messages: readonly string[] }
      json({ items: some.map(() => unchanged) })(request, response)
    })
  })
  const one = String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|C1|P|2.3.1` + '\rORC|SN|P1|F1\r'
  writeFileSync(join(cwd, 'many.hl7'), one.repeat(1100))
  const { code, stderr, stdout } = await runVerb(map, ['orders', 'many.hl7', '--diff'], { cwd })
  expect(code).toBe(0)
  expect(asked).toHaveLength(11)
  expect(stderr).toMatch(/^1000 of 1100 .*\n$/)
  expect(stdout).toContain('1100 messages; items: 0 new')
})

test('an acknowledgment that came is shown as not answered', async () => {
  const ack = { ...aMessage, type: 'ACK^O01', acknowledgmentCode: 'AA', state: { kind: 'ignored', rule: 'reply' } }
  const listed = await engine(json({ items: [ack], total: 1, next: null }))
  expect((await runVerb(messages, [], { cwd: listed.cwd })).stdout).toMatch(/ACK\^O01 +C1 +- +ignored \(reply\)\n/)
  const shown = await engine(json({ ...ack, body: 'MSH|a\r', acknowledgment: 'MSH|c\rMSA|AA|d\r' }))
  expect((await runVerb(messages, ['M17'], { cwd: shown.cwd })).stdout).toMatch(/\n\nMSH\|a\n\nnot answered\n$/)
})

test('a message that was refused says where, by which rule, and what helps', async () => {
  const problems = [
    {
      code: 'E303',
      title: 'Too long.',
      field: 'OBR-18',
      rule: 'pipelines/orders/pipeline.yaml:120',
      cure: 'Shorten it.',
    },
    { code: 'E9999', title: 'What a newer engine knows.', cure: 'Ask it.' },
  ]
  const { cwd } = await engine(json({ ...aMessage, problems, body: 'MSH|a\r', acknowledgment: 'MSH|c\r' }))
  const { stdout } = await runVerb(messages, ['M17'], { cwd })
  expect(stdout).toContain(
    '  E303  Too long. at OBR-18  pipelines/orders/pipeline.yaml:120\n    Shorten it.\n' +
      '  E9999  What a newer engine knows.\n    Ask it.\n',
  )
})

test('--json gives the answer as it came', async () => {
  const body = { items: [anItem], total: 1, next: null }
  const { cwd } = await engine(json(body))
  expect(JSON.parse((await runVerb(items, ['--json'], { cwd })).stdout)).toEqual(body)
})

const both = [
  ['items', items],
  ['messages', messages],
] as const

test.each(both)('%s: an engine that is away is one clear sentence', async (_, verb) => {
  const port = await freePort()
  expect(await runVerb(verb, [], { cwd: site(port) })).toEqual({
    code: 1,
    stdout: '',
    stderr: `No engine answers at http://127.0.0.1:${port}. Is it running, and is this its HTTP port?\n`,
  })
})

test.each(both)('%s: what the engine refuses is told with its cure', async (_, verb) => {
  const problem = { title: 'The token is missing or wrong.', status: 401, code: 'E801', cure: 'Send another.' }
  const { cwd } = await engine(json(problem, 401))
  const { code, stderr } = await runVerb(verb, [], { cwd })
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'The token is missing or wrong. Send another.\n' })
})

const strangers: readonly [what: string, answer: (request: IncomingMessage, response: ServerResponse) => void][] = [
  ['a web page', (_, response) => void response.end('<html></html>')],
  ['a page that is not there', (_, response) => void response.writeHead(404).end('<html></html>')],
  ['other JSON', json({ Version: '1.12.1' })],
  ['what Orthanc says of a page it has not', json({ HttpError: 'Not Found', HttpStatus: 404 }, 404)],
  ['a list', json([1])],
  ['nothing', (_, response) => void response.end()],
]

test.each(strangers)('something else on the port, answering %s, is not taken for an engine', async (_, answer) => {
  const { cwd } = await engine(answer)
  for (const [, verb] of both) {
    const { code, stdout, stderr } = await runVerb(verb, [], { cwd })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^What answers at http:\/\/127\.0\.0\.1:\d+ is not a Worklane engine\. .*\n$/)
  }
})

test('without a token in the settings that of the data folder is used', async () => {
  const { asked, port } = await engine(json({ items: [], total: 0, next: null }))
  const other = site(port, { 'data/token': 'from-the-data-folder\n' }, `''\ndataDir: data`)
  expect((await runVerb(items, [], { cwd: other })).code).toBe(0)
  expect(asked[0]?.authorization).toBe('Bearer from-the-data-folder')
})

test('a data folder without a token is said', async () => {
  const { code, stderr } = await runVerb(items, [], { cwd: site(1, {}, `''\ndataDir: nothing`) })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^There is no token that can be read in .*nothing\. Has an engine been started/)
})

test('a site with mistakes is said to have them', async () => {
  const { cwd, remove } = aSite({ 'config/worklane.yaml': 'sources: []\n' })
  cleanups.push(remove)
  const { code, stderr } = await runVerb(items, [], { cwd })
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'The configuration has mistakes; `worklane check` tells them.\n',
  })
})

// Who may do everything may read everything.
test.skipIf(process.getuid?.() === 0)('a token that is another user’s is said to be so', async () => {
  const cwd = site(await freePort(), { '.worklane/token': `${token}\n` }, '""')
  chmodSync(join(cwd, '.worklane/token'), 0)
  const { code, stderr } = await runVerb(items, [], { cwd })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^The token in .+ is for the user of the engine alone\. .*WORKLANE_TOKEN\.\n$/)
})
