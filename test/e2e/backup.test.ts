import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { worklane } from '../../src/cli/worklane.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { runVerb } from '../cli/an-io.ts'
import { commandsOf, page } from '../docs/pages.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { startRedis } from '../support/redis.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')
const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function aFolder(): string {
  const { path, remove } = temporaryFolder()
  cleanups.push(remove)
  return path
}

async function anEngine(options: Partial<Parameters<typeof startEngineProcess>[0]> = {}): Promise<EngineProcess> {
  const engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', target: 'none', ...options })
  cleanups.push(() => engine.kill())
  return engine
}

/** The commands of the page, in their order, as a person types them; `file` is the backup that the page names. */
const typed = commandsOf(page('docs/how-to/backup.md'))
  .filter((line) => line.startsWith('npm run -s worklane -- '))
  .map((line) => line.slice('npm run -s worklane -- '.length))

function type(verb: string, at: { folder: string; file?: string; dataDir: string; redisUrl?: string }) {
  const line = typed.find((one) => one.startsWith(`${verb} `)) ?? ''
  const there = line
    .replace('/var/backups/worklane/worklane-20261016T081500Z.backup', at.file ?? '')
    .replace('/var/backups/worklane', at.folder)
  const args = [...there.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const env = { WORKLANE_DATA_DIR: at.dataDir, WORKLANE_REDIS_URL: at.redisUrl ?? '' }
  return runVerb(worklane, args, { cwd: root, env })
}

async function send(engine: EngineProcess, accession: string): Promise<string> {
  const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
  try {
    return readAcknowledgment(await line.exchange(orderBytes({ accession, controlId: accession })))?.code ?? ''
  } finally {
    line.close()
  }
}

const isKnown = async (engine: EngineProcess, accession: string): Promise<boolean> =>
  (await engine.api<{ total: number }>(`/api/worklist?accession=${accession}`)).total === 1

test('the page on backups is right: orders go on while the backup is made, and a new data folder has all that was acknowledged before', async () => {
  expect(typed.map((line) => line.split(' ')[0])).toEqual(['backup', 'restore', 'accept-loss'])
  // Nobody has made the folder of backups yet.
  const [folder, home] = [join(aFolder(), 'nightly'), aFolder()]
  const engine = await anEngine()
  const acknowledged: string[] = []
  const progress = { ended: false }
  const load = Array.from({ length: 3 }, async (_, sender) => {
    for (let n = 0; !progress.ended; n++) {
      const accession = `B${sender}N${n}`
      if ((await send(engine, accession)) === 'AA') acknowledged.push(accession)
    }
  })
  await eventually(() => acknowledged.length > 60, 'it is under load')
  const before = [...acknowledged]
  const made = await type('backup', { folder, dataDir: engine.dataDir })
  progress.ended = true
  await Promise.all(load)
  expect(made).toMatchObject({ code: 0, stderr: '' })
  const [name = '', ...others] = readdirSync(folder)
  expect(name).toMatch(/^worklane-\d{8}T\d{6}Z\.backup$/)
  expect(others).toEqual([])
  const file = join(folder, name)
  expect([folder, file].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600])
  expect(made.stdout).toMatch(/^\S+: \d+ messages and \d+ orders, \d+\.\d MB in \d+\.\d s\. It is patient data\.\n$/)
  expect(await type('restore', { folder, file, dataDir: engine.dataDir })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^E525 /) as string,
  })
  await engine.stop()

  const dataDir = join(home, 'data')
  expect(await type('restore', { folder, file, dataDir })).toMatchObject({ code: 0, stderr: '' })
  expect(await type('restore', { folder, file, dataDir })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^E522 /) as string,
  })
  const second = await anEngine({ dataDir })
  const waits = async (): Promise<number> => (await second.api<{ total: number }>('/api/messages?state=waiting')).total
  await eventually(async () => (await waits()) === 0, 'what waited is applied')
  const { total } = await second.api<{ total: number }>('/api/worklist?limit=1')
  expect(total).toBeGreaterThanOrEqual(before.length)
  for (const accession of [before[0], before.at(-1)]) expect(await isKnown(second, accession ?? '')).toBe(true)
  // It goes on: the same message is known again, a new one is taken.
  expect(await send(second, before[0] ?? '')).toBe('AA')
  expect(await send(second, 'AFTER')).toBe('AA')
  await eventually(() => isKnown(second, 'AFTER'), 'a new order is in the worklist')
  const after = await second.api<{ total: number }>('/api/worklist?limit=1')
  expect(after.total).toBe(total + 1)
})

test('I10: a site Redis that is wiped answers no modality with an empty list and takes no order, until a person says so', async () => {
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  cleanups.push(() => redis.stop())
  const redisUrl = `redis://127.0.0.1:${port}`
  const engine = await anEngine({ redisUrl })
  expect(await send(engine, 'KEPT')).toBe('AA')
  const find = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ query: {}, callingAeTitle: 'CT1', calledAeTitle: 'ORTHANC' })
    return (await fetch(`${engine.httpUrl}/worklist/find`, { method: 'POST', headers, body })).status
  }
  await eventually(async () => (await find()) === 200, 'modalities are answered')
  const client = new Redis({ path: redis.path })
  cleanups.push(() => client.disconnect())
  await client.flushall()
  await eventually(async () => (await find()) === 503, 'no modality is answered')
  const ready = await fetch(`${engine.httpUrl}/health/ready`)
  expect({ status: ready.status, body: await ready.text() }).toMatchObject({
    status: 503,
    body: expect.stringContaining('E519') as string,
  })
  await expect(send(engine, 'DURING')).rejects.toThrow()

  // Nor after a start: that one refuses, in one sentence.
  await engine.stop()
  await expect(engine.restart()).rejects.toThrow(/E519/)
  expect(await client.keys('wl:*')).toEqual([])
  const accepted = await type('accept-loss', { folder: '', dataDir: engine.dataDir, redisUrl })
  expect(accepted).toMatchObject({ code: 0, stderr: '' })
  await engine.restart()
  expect(await send(engine, 'KEPT')).toBe('AA')
  await eventually(() => isKnown(engine, 'KEPT'), 'sent again, it is in the worklist')
})
