import { appendFileSync, cpSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { worklane } from '../../src/cli/worklane.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { runVerb } from '../cli/an-io.ts'
import { startEngineProcess, testToken, type EngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { startRedis } from '../support/redis.ts'
import { startRis } from '../support/ris.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

/** Pipelines of one's own; `change` makes another version of them. */
function pipelines() {
  const folder = temporaryFolder()
  undo.push(() => folder.remove())
  const path = join(folder.path, 'pipelines')
  cpSync(join(root, 'pipelines'), path, { recursive: true })
  return { path, folder: folder.path, change: () => appendFileSync(join(path, 'orders/pipeline.yaml'), '# changed\n') }
}

async function anEngine(options: Partial<Parameters<typeof startEngineProcess>[0]>): Promise<EngineProcess> {
  const engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', target: 'none', ...options })
  undo.push(() => engine.kill())
  return engine
}

async function reload(engine: EngineProcess): Promise<{ readonly status: number; readonly body: { code?: string } }> {
  const response = await fetch(`${engine.httpUrl}/api/reload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'test' }),
  })
  return { status: response.status, body: (await response.json()) as { code?: string } }
}

async function versionOf(engine: EngineProcess): Promise<string> {
  const { version } = await engine.api<{ version: string }>('/api/configuration')
  return version
}

async function order(engine: EngineProcess, id: string): Promise<void> {
  const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
  const answer = await line.exchange(orderBytes({ accession: id, controlId: id }))
  line.close()
  expect(readAcknowledgment(Buffer.from(answer))?.code).toBe('AA')
}

/** A person at this engine. */
function at({ httpPort, dataDir }: EngineProcess, token = testToken, more: Readonly<Record<string, string>> = {}) {
  const env = {
    WORKLANE_CONFIG: join(dataDir, '..', 'worklane.yaml'),
    WORKLANE_HTTP_PORT: String(httpPort),
    WORKLANE_DATA_DIR: dataDir,
    WORKLANE_TOKEN: token,
    USER: 'jo',
    ...more,
  }
  return (...args: readonly string[]) => runVerb(worklane, args, { cwd: root, env })
}

test('while Redis is away a reload is refused and the old version goes on; it comes into force once Redis is back', async () => {
  const { path, change } = pipelines()
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  undo.push(() => redis.stop())
  const redisUrl = `redis://127.0.0.1:${port}`
  const engine = await anEngine({ redisUrl, settings: { 'folders.pipelines': path } })
  const before = (await (await fetch(`${engine.httpUrl}/health/ready`)).json()) as {
    configuration: { version: string }
  }
  change()
  await redis.kill()
  const refused = await reload(engine)
  expect([refused.status, refused.body.code]).toEqual([503, 'E501'])
  const during = (await (await fetch(`${engine.httpUrl}/health/ready`)).json()) as typeof before
  expect(during.configuration).toEqual(before.configuration)

  await redis.restart()
  await eventually(async () => (await reload(engine)).status === 200, 'it is put in force')
  expect(await versionOf(engine)).not.toBe(before.configuration.version)
})

test('a store that begins anew under a running engine is told what judges: the plan of the next message can be found again', async () => {
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  undo.push(() => redis.stop())
  const redisUrl = `redis://127.0.0.1:${port}`
  const engine = await anEngine({ redisUrl })
  const version = await versionOf(engine)
  const client = new Redis({ path: redis.path })
  undo.push(() => client.disconnect())
  await client.flushall()
  const health = async (): Promise<string> => (await fetch(`${engine.httpUrl}/health/ready`)).text()
  await eventually(async () => (await health()).includes('E519'), 'the loss is seen')
  const env = { WORKLANE_REDIS_URL: redisUrl }
  expect(await at(engine, testToken, env)('accept-loss', '--reason', 'a test')).toMatchObject({ code: 0 })

  interface History {
    readonly history: readonly { readonly version: string; readonly plans: Readonly<Record<string, string>> }[]
  }
  const newest = async () => (await engine.api<History>('/api/configuration').catch(() => undefined))?.history[0]
  await eventually(async () => (await newest())?.version === version, 'the history begins anew')
  for (const plan of Object.values((await newest())?.plans ?? {}))
    expect(await engine.api(`/api/plans/${plan}`)).toMatchObject({ plan: expect.any(String) as string })
  await order(engine, 'AFTER')
})

test('how often a receiver that is away is tried, and what is logged, change by a reload: what waits already does not wait on', async () => {
  const ris = await startRis()
  undo.push(() => ris.stop())
  await ris.pause()
  const engine = await anEngine({
    risPort: ris.port,
    settings: {
      'destinations.0.retry.firstSeconds': 600,
      'destinations.0.retry.maxSeconds': 600,
      'log.level': 'info',
    },
  })
  await order(engine, 'WAITS')
  const run = at(engine)
  await eventually(async () => {
    const { code } = await run('complete', 'WAITS', '--yes', '--reason', 'done')
    return code === 0
  }, 'it is complete')
  const isAway = (): boolean => engine.lines().some(({ event }) => event === 'destination does not take messages')
  await eventually(isAway, 'the RIS is away')
  await ris.resume()

  const config = join(engine.dataDir, '..', 'worklane.yaml')
  const settings = readFileSync(config, 'utf8')
  const changed = settings
    .replace('firstSeconds: 600', 'firstSeconds: 1')
    .replace('maxSeconds: 600', 'maxSeconds: 1')
    .replace('level: info', 'level: debug')
  writeFileSync(config, changed.replace(/^( +)host: .*$/m, '$1host: 127.0.0.2'))
  const refused = await run('reload', '--yes')
  expect(refused.code).toBe(1)
  const lines = refused.stderr.split('\n')
  expect(lines.filter((line) => line.endsWith('needs a restart'))).toEqual([
    '  setting destinations.ris.host  changed  needs a restart',
  ])
  expect(lines.filter((line) => line.endsWith('needs none'))).toHaveLength(3)
  expect(lines.filter((line) => /^ {4}\S*worklane\.yaml:\d+:\d+ {2}/.test(line))).toHaveLength(4)
  expect(ris.of('WAITS')).toEqual([])

  writeFileSync(config, changed)
  expect(await run('reload', '--yes')).toMatchObject({ code: 0 })
  await eventually(() => ris.of('WAITS').length > 0, 'the RIS is told')
  await eventually(() => engine.lines().some(({ level }) => level === 'debug'), 'more is logged')
})

test('SIGHUP while the engine starts ends nothing: what has changed since comes into force when it runs', async () => {
  const { path, change } = pipelines()
  const engine = await anEngine({ settings: { 'folders.pipelines': path } })
  const before = await versionOf(engine)
  const said = engine.logs().length
  const restarted = engine.restart()
  await eventually(() => engine.logs().slice(said).includes('store connected'), 'it has read its files')
  change()
  process.kill(engine.pid, 'SIGHUP')
  await restarted
  await eventually(async () => (await versionOf(engine)) !== before, 'the other version runs')
})

test('a folder of pipelines behind a link is another version when the link leads elsewhere, and can be taken back', async () => {
  const { path, folder, change } = pipelines()
  const [first, second, current] = ['first', 'second', 'current'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  cpSync(path, first, { recursive: true })
  change()
  cpSync(path, second, { recursive: true })
  symlinkSync(first, current)
  const engine = await anEngine({ settings: { 'folders.pipelines': current } })
  const before = await versionOf(engine)
  unlinkSync(current)
  symlinkSync(second, current)
  const run = at(engine)
  expect(await run('reload', '--yes')).toMatchObject({ code: 0 })
  expect(await versionOf(engine)).not.toBe(before)
  unlinkSync(current)
  // The files of that version are nowhere any more: the store has them.
  expect(await run('rollback', '--yes')).toMatchObject({ code: 0 })
  expect(await versionOf(engine)).toBe(before)
  await order(engine, 'AFTER')
})

test('with the wrong token nothing is shown and nothing is done: exit code 1, and the reason', async () => {
  const engine = await anEngine({})
  const run = at(engine, 'another-token-of-the-tests')
  for (const args of [
    ['reload', '--yes'],
    ['reload', '--plan', '--json'],
    ['rollback', '--yes', '--json'],
    ['configuration'],
  ]) {
    const { code, stdout, stderr } = await run(...args)
    expect({ args, code }).toEqual({ args, code: 1 })
    expect(stdout === '' || (JSON.parse(stdout) as { code?: string }).code !== undefined).toBe(true)
    expect(stderr).toMatch(/token/i)
  }
})
