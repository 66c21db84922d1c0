import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import type { ConfigurationChange, Reloaded } from '../../src/core/configuration.ts'
import { reload } from '../../src/cli/reload.ts'
import { rollback } from '../../src/cli/rollback.ts'
import { aSite, changed } from '../config/a-site.ts'
import { freePort } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const [from, to] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb']
const place = { file: 'config/worklane.yaml', line: 12, column: 5 }
const table: ConfigurationChange = {
  subject: 'table procedures.csv',
  kind: 'changed',
  details: [{ what: 'row X is new' }],
  sources: ['ris-orders'],
  needsRestart: false,
}
const port: ConfigurationChange = {
  subject: 'setting http.port',
  kind: 'changed',
  details: [{ place, what: '8575 becomes 8576' }],
  sources: [],
  needsRestart: true,
}
const planned: Reloaded = { kind: 'planned', from, to, changes: [table], problems: [] }

interface Asked {
  readonly plan?: boolean
  readonly version?: string
  readonly by: string
  readonly reason?: string
}

/** An engine that answers a plan, and then what was done. */
async function engine(plan: { readonly status?: number; readonly body: object }, done: object = {}) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (bytes: Buffer) => (text += bytes.toString()))
    request.on('end', () => {
      const body = JSON.parse(text) as Asked
      asked.push(body)
      const { status = 200, body: answer } = body.plan === true ? plan : { body: done }
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  })
  return { asked, cwd: site((server.address() as { port: number }).port) }
}

function site(httpPort: number): string {
  const http = `bind: 127.0.0.1\nhttp:\n  port: ${httpPort}\n  token: token-of-the-tests`
  const { cwd, remove } = aSite(changed('config/worklane.yaml', 'bind: 127.0.0.1', http))
  cleanups.push(remove)
  return cwd
}

const reloaded: Reloaded = { ...planned, kind: 'reloaded' }
const env = { USER: 'jo' }

test('a person sees the plan and says yes: what was shown is put in force, and nothing else', async () => {
  const { asked, cwd } = await engine({ body: planned }, reloaded)
  const questions: string[] = []
  const confirm = async (question: string): Promise<boolean> => questions.push(question) === 1
  const { code, stdout } = await runVerb(reload, ['--reason', 'a new code'], { cwd, env, confirm })
  expect([code, questions]).toEqual([0, [`Put version ${to} in force?`]])
  expect(stdout).toBe(
    `1 change, from version ${from} to ${to}:\n  table procedures.csv  changed  (ris-orders)\n    row X is new\n` +
      `Version ${to} runs; before, ${from} did. \`worklane rollback\` takes it back.\n`,
  )
  expect(asked).toEqual([
    { by: 'jo', plan: true },
    { by: 'jo', version: to, reason: 'a new code' },
  ])
})

test.each([
  ['a person who says no', [], async () => false],
  ['nobody who can be asked', [], undefined],
  ['nobody who can be asked, and JSON', ['--json'], undefined],
])('%s: nothing is done, exit code 1', async (_, args, confirm) => {
  const { asked, cwd } = await engine({ body: planned })
  for (const verb of [reload, rollback]) {
    const { code, stderr } = await runVerb(verb, args, { cwd, env, ...(confirm === undefined ? {} : { confirm }) })
    expect(code).toBe(1)
    expect(stderr).toContain('Nothing was changed')
  }
  expect(asked.map(({ plan }) => plan)).toEqual([true, true])
})

test.each([
  ['--plan', ['--plan', '--json'], planned],
  ['--yes', ['--yes', '--json'], reloaded],
])('with --json and %s standard output is one JSON document', async (_, args, expected) => {
  const { cwd } = await engine({ body: planned }, reloaded)
  const { code, stdout } = await runVerb(reload, args, { cwd, env })
  expect([code, JSON.parse(stdout)]).toEqual([0, expected])
})

test('what is refused is told line by line: what needs a restart, and what needs none; exit code 1', async () => {
  const title = 'These changes need a restart.'
  const problem = { code: 'E841', title, cure: 'Restart the engine.', changes: [port, table] }
  const { asked, cwd } = await engine({ status: 409, body: problem })
  const { code, stdout, stderr } = await runVerb(reload, ['--yes'], { cwd, env })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toBe(
    '  setting http.port  changed  needs a restart\n    config/worklane.yaml:12:5  8575 becomes 8576\n' +
      '  table procedures.csv  changed  (ris-orders)  needs none\n    row X is new\n' +
      `${title} Restart the engine.\n`,
  )
  const inJson = await runVerb(reload, ['--yes', '--json'], { cwd, env })
  expect([inJson.code, JSON.parse(inJson.stdout)]).toEqual([1, problem])
  expect(asked.every(({ plan }) => plan === true)).toBe(true)
})

test('where no engine answers it is said that one is looked for as the file says now', async () => {
  const cwd = site(await freePort())
  const { code, stdout, stderr } = await runVerb(reload, ['--yes'], { cwd, env })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain('No engine answers')
  expect(stderr).toContain('needs a restart')
})
