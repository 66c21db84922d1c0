import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { worklane } from '../../src/cli/worklane.ts'
import { runVerb } from '../cli/an-io.ts'
import { main, startEngineProcess, testToken, type EngineProcess } from '../support/engine.ts'
import { order } from '../support/message.ts'
import { startRedis } from '../support/redis.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')
const noOrthanc = 'http://127.0.0.1:1'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function folder(): string {
  const { path, remove } = temporaryFolder()
  cleanups.push(remove)
  return path
}

async function anEngine(options: Partial<Parameters<typeof startEngineProcess>[0]> = {}): Promise<EngineProcess> {
  const engine = await startEngineProcess({ orthancUrl: noOrthanc, target: 'none', ...options })
  cleanups.push(() => engine.kill())
  return engine
}

/** The command line of the person at this engine. */
function atEngine({ httpPort, mllpPort, dataDir }: EngineProcess, env: Record<string, string> = {}) {
  const all = {
    WORKLANE_HTTP_PORT: String(httpPort),
    WORKLANE_MLLP_PORT: String(mllpPort),
    WORKLANE_DATA_DIR: dataDir,
    WORKLANE_TOKEN: testToken,
    ...env,
  }
  return (args: readonly string[], input = '') =>
    runVerb(worklane, args, { cwd: root, env: all, stdin: () => Buffer.from(input) })
}

/** An engine that is expected to end by itself. */
function runEngine(env: Readonly<Record<string, string>>): Promise<{ code: number | null; stderr: string }> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [main], {
      cwd: root,
      env: { PATH: process.env['PATH'], TZ: 'UTC', WORKLANE_LOG_LEVEL: 'error', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), 90_000)
    let stderr = ''
    child.stderr.on('data', (bytes: Buffer) => (stderr += String(bytes)))
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      done({ code, stderr })
    })
  })
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(path)
    socket.once('error', () => answer(false))
    socket.once('connect', () => {
      socket.destroy()
      answer(true)
    })
  })
}

test('what is sent from the command line is found with the command line', async () => {
  const engine = await anEngine()
  const run = atEngine(engine)
  const sent = await run(
    ['send', '-'],
    order({ accession: 'CLI1', controlId: 'C1' }) + order({ control: 'ZZ', controlId: 'C2' }),
  )
  expect(sent).toMatchObject({ code: 0, stderr: '' })
  expect(sent.stdout).toMatch(/^AA {2}- {2}C1\nAA {2}- {2}C2\n/)
  await eventually(async () => (await run(['items', '--accession', 'CLI1'])).stdout.includes('1 item\n'), 'the item')
  expect((await run(['items', '--accession', 'CLI1', '--step-status', 'SCHEDULED'])).stdout).toMatch(/SCHEDULED .*CLI1/)
  expect((await run(['items', '--accession', 'OTHER'])).stdout).toBe('0 items\n')
  expect((await run(['messages', '--state', 'ignored'])).stdout).toMatch(/ C2 .*ignored \(.*\)\n1 message\n$/)
  const { stdout } = await run(['messages', '--accession', 'CLI1', '--json'])
  const [message] = (JSON.parse(stdout) as { items: { id: string }[] }).items
  const shown = await run(['messages', message?.id ?? ''])
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toMatch(/\|CLI1\|[^]*\nanswered:\nMSH[^]*\nMSA\|AA\|C1\n$/)
  expect(await run(['messages', 'M1'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/no message with this id/) as string,
  })
  expect(await run(['items', '--date', 'tomorrow'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^--date must be a day/) as string,
  })

  const stranger = atEngine(engine, { WORKLANE_TOKEN: 'another-token-than-the-engine' })
  expect(await stranger(['items'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^The token is missing or wrong\. /) as string,
  })
  await engine.crash()
  expect(await run(['messages'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^No engine answers at http:/) as string,
  })
  expect(await run(['send', '-'], order())).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Nobody takes messages at /) as string,
  })
})

test('a Redis that does not answer, or a data folder that cannot be one, is one sentence at the start', async () => {
  const env = {
    WORKLANE_CONFIG: join(root, 'config/worklane.yaml'),
    WORKLANE_MLLP_PORT: String(await freePort()),
    WORKLANE_HTTP_PORT: String(await freePort()),
  }
  const port = await freePort()
  const noRedis = runEngine({
    ...env,
    WORKLANE_DATA_DIR: folder(),
    WORKLANE_REDIS_URL: `redis://:secret-word@127.0.0.1:${port}`,
  })
  const aFile = await runEngine({ ...env, WORKLANE_DATA_DIR: join(root, 'package.json') })
  expect(aFile).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^E512 {2}The data folder \S+ cannot be used .*\n$/) as string,
  })
  const { code, stderr } = await noRedis
  expect(code).toBe(1)
  expect(stderr).toMatch(new RegExp(`^E516 {2}Redis at 127\\.0\\.0\\.1:${port} does not answer\\. .*\n$`))
})

test.each([
  ['an exception', "throw new TypeError('Do' + 'e^Jane')"],
  ['a rejection', "Promise.reject(new TypeError('Do' + 'e^Jane'))"],
])(
  '%s that nobody caught ends the engine with one line that names its class, and its Redis with it',
  async (_, defect) => {
    const preload = `process.once('SIGUSR2', () => { ${defect} })`
    const nodeOptions = `--import=data:text/javascript,${encodeURIComponent(preload)}`
    const engine = await anEngine({ env: { NODE_OPTIONS: nodeOptions } })
    process.kill(engine.pid, 'SIGUSR2')
    await eventually(() => engine.lines().some(({ event }) => event === 'engine failed'), 'it is said')
    expect(await engine.stop()).toBe(1)
    expect(engine.lines().filter(({ event }) => event === 'engine failed')).toEqual([
      expect.objectContaining({ level: 'error', error: 'TypeError' }),
    ])
    expect(engine.logs()).not.toContain('Doe')
    await eventually(async () => !(await canConnect(join(engine.dataDir, 'redis/redis.sock'))), 'its Redis has ended')
  },
)

test('check --live asks the Redis of the site too, and says what it may lose', async () => {
  const redisPort = await freePort()
  const redis = await startRedis({ aof: false, settings: ['--port', String(redisPort)] })
  cleanups.push(() => redis.stop())
  const env = {
    WORKLANE_REDIS_URL: `redis://:secret-word@127.0.0.1:${redisPort}`,
    WORKLANE_ORTHANC_URL: noOrthanc,
    WORKLANE_ORTHANC_TARGET: 'none',
  }
  const protectedRun = await runVerb(worklane, ['check', '--live'], { cwd: root, env })
  expect(protectedRun.code).toBe(1)
  const open = { ...env, WORKLANE_REDIS_URL: `redis://127.0.0.1:${redisPort}` }
  const { stdout } = await runVerb(worklane, ['check', '--live'], { cwd: root, env: open })
  expect(stdout).toMatch(
    new RegExp(
      `redis +127\\.0\\.0\\.1:${redisPort} +answers +Redis \\d\\S+\\n +E504 \\(warning\\) +Redis may lose.*appendonly`,
    ),
  )
  expect(stdout).toMatch(/orthanc .*does not work\n +E402/)
  await redis.kill()
  const away = await runVerb(worklane, ['check', '--live'], { cwd: root, env: open })
  expect(away.stdout).toMatch(/redis .*does not work/)
  expect(`${protectedRun.stdout}${away.stdout}`).not.toContain('secret-word')
})
