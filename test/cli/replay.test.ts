import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { dead } from '../../src/cli/dead.ts'
import { messages } from '../../src/cli/messages.ts'
import { replay } from '../../src/cli/replay.ts'
import type { Verb } from '../../src/cli/output.ts'
import { aSite, changed } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

type Body = Readonly<Record<string, unknown>>
type Answers = Readonly<Record<string, unknown>>

/** A site whose engine answers by method and path, the answers of a list one after the other; what it does not know is 404. */
async function engine(answers: Answers) {
  const posted: [string, Body][] = []
  const asked: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const url = request.url ?? ''
      asked.push(url)
      if (request.method === 'POST') posted.push([url, JSON.parse(body) as Body])
      const found = answers[url] ?? answers[url.split('?', 1)[0] ?? '']
      const answer: unknown = Array.isArray(found) ? found.shift() : found
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer ?? { title: 'There is none.', cure: 'Look.' }))
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
  return { cwd, posted, asked }
}

const env = { USER: 'jo' }
const at = '2026-10-16T08:15:00.000Z'
const group = { kind: 'dead', code: 'E602', endpoint: 'ris-orders', count: 2, oldest: at, newest: at, cure: 'Compare.' }
const groups = { items: [group], total: 1, next: null }
const preview = {
  id: 'M1',
  outcome: 'applied',
  problems: [],
  differences: [],
  orders: [{ id: 'O1', isNew: true }],
  messages: [],
  text: 'MSH|\rPID|',
}
const stale = {
  ...preview,
  outcome: 'stale',
  stale: 'newer-order',
  orders: [],
  differences: [
    {
      about: 'step',
      orderId: 'O1-1',
      step: '1',
      attribute: 'ScheduledStationAETitle',
      now: ['CT1', 'CT2'],
      becomes: null,
    },
    { about: 'patient', attribute: 'PatientName', now: 'Doe^Jane', becomes: 'Doe^Janet' },
  ],
}
const went = { id: 'M1', outcome: 'applied', seq: 9, state: { kind: 'applied' } }

test('dead letters are shown by reason, with what to do; the next page of a list is named', async () => {
  const letter = {
    id: 'M1',
    kind: 'dead',
    code: 'E602',
    title: 'Another patient.',
    cure: 'Compare.',
    endpoint: 'ris',
    controlId: 'C1',
    type: 'ORM^O01',
    at,
    attempts: 2,
  }
  const { cwd, asked } = await engine({
    '/api/dead-letters/groups': groups,
    '/api/dead-letters': { items: [letter], total: 3, next: 'M1' },
  })
  const { code, stdout } = await runVerb(dead, ['--since', '2026-10-16'], { cwd })
  expect(code).toBe(0)
  expect(stdout).toMatch(/2 +dead +E602 +ris-orders +\S+ +\S+ +Compare\./)
  expect(asked).toEqual(['/api/dead-letters/groups?kind=all&since=2026-10-16'])
  const page = await runVerb(dead, ['--list', '--kind', 'dead', '--patient', '4711', '--limit', '1'], { cwd })
  expect(asked.at(-1)).toBe('/api/dead-letters?kind=dead&patientId=4711&limit=1')
  expect(page.stdout).toMatch(/M1 +dead +E602 +ris +\S+ +ORM\^O01 +C1 +2 +Another patient\./)
  expect(page.stdout).toContain('3 dead letters; the next page: --after "M1"')
})

test('a replay shows what it would do, asks, and says what came of it', async () => {
  const { cwd, posted } = await engine({ '/api/messages/M1/replay/preview': preview, '/api/messages/M1/replay': went })
  const asked: string[] = []
  const confirm = async (question: string): Promise<boolean> => asked.push(question) > 1
  const no = await runVerb(replay, ['M1', '--reason', 'x'], { cwd, env, confirm })
  expect(no).toMatchObject({ code: 1, stderr: 'Nothing was changed.\n' })
  expect(no.stdout).toContain('M1 would take effect\n  a new order\n')
  expect(posted.map(([url]) => url)).toEqual(['/api/messages/M1/replay/preview'])
  const yes = await runVerb(replay, ['M1', '--reason', 'x'], { cwd, env, confirm })
  expect(yes).toMatchObject({ code: 0, stderr: '' })
  expect(yes.stdout).toContain('M1: applied, took effect\n')
  expect(posted.at(-1)).toEqual(['/api/messages/M1/replay', { by: 'jo', reason: 'x', force: false }])
})

test('what is stale is shown value by value and left; with --force it is done', async () => {
  const { cwd, posted } = await engine({ '/api/messages/M1/replay/preview': stale, '/api/messages/M1/replay': went })
  const refused = await runVerb(replay, ['M1', '--reason', 'x', '--yes'], { cwd, env })
  expect(refused.code).toBe(1)
  expect(refused.stdout).toMatch(
    /order O1-1 step 1 +ScheduledStationAETitle +CT1, CT2 -> \(nothing\)\n +patient +PatientName +Doe\^Jane -> Doe\^Janet\n/,
  )
  expect(refused.stderr).toContain('--force')
  expect(posted).toHaveLength(1)
  expect((await runVerb(replay, ['M1', '--reason', 'x', '--yes', '--force'], { cwd, env })).code).toBe(0)
  expect(posted.at(-1)?.[1]).toMatchObject({ force: true })
})

test('an edit is sent as fields or as bytes, and nothing else is', async () => {
  const { cwd, posted } = await engine({
    '/api/messages/M1/edit/preview': preview,
    '/api/messages/M1/edit': { ...went, id: 'M2' },
  })
  const set = ['--set', 'PID-5=Doe^Jane', '--set', 'OBX(2)-5=a=b']
  const done = await runVerb(replay, ['M1', ...set, '--reason', 'x', '--yes'], { cwd, env })
  expect(done.stdout).toContain('M1 as M2: applied')
  const fields = [
    { path: 'PID-5', value: 'Doe^Jane' },
    { path: 'OBX(2)-5', value: 'a=b' },
  ]
  expect(posted).toEqual([
    ['/api/messages/M1/edit/preview', { set: fields }],
    ['/api/messages/M1/edit', { by: 'jo', reason: 'x', force: false, set: fields }],
  ])
  const bytes = Buffer.from('MSH|^~\\&|\xfc\rPID|1', 'latin1')
  writeFileSync(join(cwd, 'mended.hl7'), bytes)
  await runVerb(replay, ['M1', '--body', 'mended.hl7', '--reason', 'x', '--yes'], { cwd, env })
  expect(posted.at(-1)?.[1]).toMatchObject({ base64: bytes.toString('base64') })
})

test('many are counted first, then replayed turn by turn; what did not work is named', async () => {
  const problem = { code: 'E602', title: 'Another patient.', cure: 'Compare.' }
  const { cwd, posted } = await engine({
    '/api/dead-letters/groups': groups,
    '/api/dead-letters/replay': [
      { items: [went], total: 2, next: 'M1' },
      { items: [{ id: 'M2', outcome: 'dead', problems: [problem] }], total: 1, next: null },
    ],
  })
  const dry = await runVerb(replay, ['--code', 'E602', '--dry-run'], { cwd, env })
  expect({ code: dry.code, posted }).toEqual({ code: 0, posted: [] })
  expect(dry.stdout).toContain('2 dead letters\n')
  const { code, stdout } = await runVerb(replay, ['--code', 'E602', '--reason', 'x', '--yes'], { cwd, env })
  expect(code).toBe(1)
  expect(stdout).toMatch(/ 1 +applied +took effect\n +1 +dead +/)
  expect(stdout).toContain('M2: dead, it could not be applied, again\n')
  const filter = { kind: 'all', code: 'E602' }
  expect(posted.map(([, body]) => [body['filter'], body['after']])).toEqual([
    [filter, undefined],
    [filter, 'M1'],
  ])
})

test('a replay of many that breaks off says how far it came, and that it may be given again', async () => {
  const { cwd } = await engine({
    '/api/dead-letters/groups': groups,
    '/api/dead-letters/replay': [{ items: [went], total: 2, next: 'M1' }],
  })
  const { code, stderr } = await runVerb(replay, ['--all', '--reason', 'x', '--yes'], { cwd, env })
  expect(code).toBe(1)
  expect(stderr).toContain('1 of 2 were tried; the same command again goes on with the rest.')
})

test('a replay of thousands shows how far it is, and Ctrl-C ends it after the turn that is under way', async () => {
  const turn = (from: number, next: string | null) => ({
    items: Array.from({ length: 50 }, (_, at) => ({ ...went, id: `M${from + at}` })),
    total: 3000,
    next,
  })
  const turns = Array.from({ length: 60 }, (_, at) => turn(at * 50, at === 59 ? null : `M${at * 50 + 49}`))
  const answers = { '/api/dead-letters/groups': { ...groups, items: [{ ...group, count: 3000 }] } }
  const all = ['--all', '--reason', 'x', '--yes']
  const whole = await engine({ ...answers, '/api/dead-letters/replay': [...turns] })
  const done = await runVerb(replay, all, { cwd: whole.cwd, env })
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('3000  applied') as string })
  expect(done.stderr).toMatch(/^1000 of 3000 .*\n2000 of 3000 .*\n$/)

  const broken = await engine({ ...answers, '/api/dead-letters/replay': [...turns] })
  const controller = new AbortController()
  const interrupt = { signal: controller.signal, end: () => undefined }
  const withInterrupt: Verb = (args, io) => {
    const stderr = (text: string): void => {
      if (text.startsWith('1000 of')) controller.abort()
      io.stderr(text)
    }
    return replay(args, { ...io, stderr }, { interrupt })
  }
  const ended = await runVerb(withInterrupt, all, { cwd: broken.cwd, env })
  expect(ended.code).toBe(1)
  expect(ended.stdout).toContain('1000  applied')
  expect(ended.stderr).toContain('Interrupted. 1000 of 3000 were tried; the same command again goes on with the rest.')
})

test('of many, what went wrong for the same reason is explained once, with examples', async () => {
  const problems = [{ code: 'E302', title: 'Modality is missing.', cure: 'Fill it.' }]
  const items = [1, 2, 3, 4, 5].map((n) => ({ id: `M${n}`, outcome: 'invalid', problems }))
  const other = { id: 'M6', outcome: 'dead', problems: [{ code: 'E602', title: 'Another patient.', cure: 'Compare.' }] }
  const { cwd } = await engine({
    '/api/dead-letters/groups': groups,
    '/api/dead-letters/replay': { items: [...items, other], total: 6, next: null },
  })
  const { stdout } = await runVerb(replay, ['--all', '--reason', 'x', '--yes'], { cwd, env })
  expect(stdout).toContain(
    '  5 messages, M1, M2, M3, ...: invalid, the pipeline still refuses it\n  E302  Modality is missing.\n    Fill it.\n' +
      '  M6: dead, it could not be applied, again\n  E602  Another patient.\n    Compare.\n',
  )
  expect(stdout.match(/E302/g)).toHaveLength(1)
})

test('of many, those that are stale show what they would undo', async () => {
  const { cwd } = await engine({
    '/api/dead-letters/groups': groups,
    '/api/dead-letters/replay': { items: [{ id: 'M1', outcome: 'stale' }], total: 1, next: null },
    '/api/messages/M1/replay/preview': stale,
  })
  const { code, stdout } = await runVerb(replay, ['--kind', 'invalid', '--reason', 'x', '--yes'], { cwd, env })
  expect(code).toBe(1)
  expect(stdout).toMatch(/M1: stale, left as it was.*\n.*ScheduledStationAETitle +CT1, CT2 -> \(nothing\)\n/)
})

test('what the pipeline still refuses is explained once', async () => {
  const problems = [{ code: 'E304', title: 'No date.', cure: 'Correct it.' }]
  const invalid = { ...preview, outcome: 'invalid', problems, orders: [] }
  const { cwd } = await engine({
    '/api/messages/M1/replay/preview': invalid,
    '/api/messages/M1/replay': { id: 'M1', outcome: 'invalid', problems },
  })
  const { stdout } = await runVerb(replay, ['M1', '--reason', 'x', '--yes'], { cwd, env })
  expect(stdout).toContain('M1: invalid, the pipeline still refuses it\n')
  expect(stdout.match(/Correct it/g)).toHaveLength(1)
})

test.each([
  [['--reason', 'x']],
  [['M1']],
  [['M1', '--all', '--reason', 'x']],
  [['M1', 'M2', '--set', 'PID-5=x', '--reason', 'x']],
  [['M1', '--set', 'PID-5', '--reason', 'x']],
  [['M1', '--set', 'PID-5=x', '--body', '-', '--reason', 'x']],
  [['M1', '--dry-run']],
])('%j is not understood, and nothing is asked', async (args) => {
  const { cwd, asked } = await engine({})
  expect(await runVerb(replay, args, { cwd, env })).toMatchObject({ code: 2, stdout: '' })
  expect(asked).toEqual([])
})

test('a message shows what was done to it by hand', async () => {
  const acts = [
    { kind: 'replayed', at, by: 'jo', reason: 'merged', was: { kind: 'dead', fault: { code: 'E602' } } },
    { kind: 'outcome', at, outcome: 'stale', seq: 9 },
    { kind: 'edited', at, by: 'jo', reason: 'by phone', as: 'M2', was: { kind: 'dead', fault: { code: 'E602' } } },
  ]
  const shown = {
    id: 'M1',
    at,
    source: 'ris',
    type: 'ORM^O01',
    controlId: 'C1',
    acknowledgmentCode: 'AA',
    state: { kind: 'ignored', rule: 'edited' },
    acts,
    body: 'MSH|',
    acknowledgment: 'MSH|',
  }
  const { cwd } = await engine({ '/api/messages/M1': shown })
  const { stdout } = await runVerb(messages, ['M1'], { cwd })
  expect(stdout).toContain(`  ${at}  replayed, before: dead (E602) by jo, because: merged\n`)
  expect(stdout).toContain(`  ${at}  came of it: stale\n`)
  expect(stdout).toContain(`  ${at}  edited as M2, before: dead (E602) by jo, because: by phone\n`)
})
