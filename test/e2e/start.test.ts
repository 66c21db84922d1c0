import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { main, startEngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')
/** Nobody listens there. */
const noOrthanc = 'http://127.0.0.1:1'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** An engine that is expected to end by itself. */
function runEngine(env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [main], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'], TZ: 'UTC', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), 90_000)
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (bytes: Buffer) => (said.stdout += String(bytes)))
    child.stderr.on('data', (bytes: Buffer) => (said.stderr += String(bytes)))
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      done({ code, ...said })
    })
  })
}

/** The shipped site, with mistakes. */
function site(mistakes: Readonly<Record<string, (text: string) => string>>): string {
  for (const part of ['config', 'pipelines']) cpSync(join(root, part), join(folder.path, part), { recursive: true })
  for (const [name, edit] of Object.entries(mistakes)) {
    const file = join(folder.path, name)
    const before = readFileSync(file, 'utf8')
    const after = edit(before)
    expect(after).not.toBe(before)
    writeFileSync(file, after)
  }
  return join(folder.path, 'config/worklane.yaml')
}

test('every mistake of a site is said with file, line and column, and nothing is started', async () => {
  const config = site({
    'config/worklane.yaml': (text) => text.replace('ack: checked', 'ack: perhaps').replace('\nbind:', '\nbnid:'),
    'pipelines/orders/pipeline.yaml': (text) => text.replace('PatientName: PID-5', 'PatientNaem: PID-5'),
    'config/tables/stations.csv': (text) => text.replace('station_ae', 'station'),
  })
  const [mllpPort, dataDir] = [await freePort(), join(folder.path, 'data')]
  const { code, stdout, stderr } = await runEngine({
    WORKLANE_CONFIG: config,
    WORKLANE_DATA_DIR: dataDir,
    WORKLANE_MLLP_PORT: String(mllpPort),
  })
  expect(code).toBe(1)
  const places = stderr.split('\n').filter((line) => /:\d+:\d+ {2}E\d{3} {2}\S/.test(line))
  for (const file of ['config/worklane.yaml', 'pipelines/orders/pipeline.yaml'])
    expect(places.some((line) => line.startsWith(file))).toBe(true)
  expect(places.filter((line) => line.startsWith('config/worklane.yaml')).length).toBeGreaterThanOrEqual(2)
  expect(stderr).toMatch(/\d+ errors/)
  expect(stdout).not.toContain('ready')
  expect(existsSync(dataDir), 'a Redis would have made its folder').toBe(false)
})

test.each([
  ['its MLLP port is taken', 'WORKLANE_MLLP_PORT', 'E120'],
  ['its HTTP port is taken', 'WORKLANE_HTTP_PORT', 'E811'],
])('one sentence says that %s, and its Redis is ended again', async (_, name, code) => {
  const engine = await startEngineProcess({ orthancUrl: noOrthanc })
  try {
    const dataDir = join(folder.path, 'data')
    const ended = await runEngine({
      WORKLANE_CONFIG: join(root, 'config/worklane.yaml'),
      WORKLANE_DATA_DIR: dataDir,
      WORKLANE_MLLP_PORT: String(await freePort()),
      WORKLANE_HTTP_PORT: String(await freePort()),
      [name]: String(name === 'WORKLANE_MLLP_PORT' ? engine.mllpPort : engine.httpPort),
    })
    expect(ended.code).toBe(1)
    expect(ended.stderr.split('\n').filter((line) => line.startsWith(`${code} `))).toHaveLength(1)
    expect(await canConnect(join(dataDir, 'redis/redis.sock'))).toBe(false)
  } finally {
    await engine.kill()
  }
})

test('a second engine on one data folder refuses in one sentence, and the first goes on', async () => {
  const engine = await startEngineProcess({ orthancUrl: noOrthanc })
  try {
    const ended = await runEngine({
      WORKLANE_CONFIG: join(root, 'config/worklane.yaml'),
      WORKLANE_DATA_DIR: engine.dataDir,
      WORKLANE_MLLP_PORT: String(await freePort()),
      WORKLANE_HTTP_PORT: String(await freePort()),
    })
    expect(ended.code).toBe(1)
    expect(ended.stderr.trim().split('\n')).toEqual([expect.stringMatching(/^E502 {2}/)])
    expect(await send(engine.mllpPort, orderBytes({ accession: 'FIRST' }))).toBe('AA')
  } finally {
    await engine.kill()
  }
})

test('I1: SIGTERM answers what is under way, ends with 0, and what was acknowledged is there at the next start', async () => {
  const engine = await startEngineProcess({ orthancUrl: noOrthanc })
  try {
    const acknowledged: string[] = []
    let signalled: Promise<number | null> | undefined
    const senders = Array.from({ length: 4 }, async (_, sender) => {
      const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
      try {
        for (let n = 0; n < 500; n++) {
          const accession = `D${sender}-${n}`
          const answer = await line.exchange(orderBytes({ accession, controlId: accession }))
          expect(readAcknowledgment(answer)?.code).toBe('AA')
          acknowledged.push(accession)
          if (acknowledged.length === 200) signalled = engine.stop()
        }
      } catch {
        // The engine has stopped; what was not acknowledged is the sender's still.
      }
      line.close()
    })
    await Promise.all(senders)
    expect(await signalled).toBe(0)
    expect(acknowledged.length).toBeGreaterThanOrEqual(200)
    expect(engine.lines().at(-1)?.event).toBe('engine stopped')
    expect(await canConnect(join(engine.dataDir, 'redis/redis.sock'))).toBe(false)
    await engine.restart()
    const counted = (state: string): Promise<number> =>
      engine.api<{ total: number }>(`/api/messages?state=${state}&limit=1`).then(({ total }) => total)
    await eventually(async () => (await counted('waiting')) === 0, 'all are applied')
    expect(await counted('applied')).toBe(acknowledged.length)
  } finally {
    await engine.kill()
  }
})

test('the token is made at the first start and kept, for its owner only', async () => {
  const dataDir = join(folder.path, 'data')
  mkdirSync(dataDir)
  const engine = await startEngineProcess({ orthancUrl: noOrthanc, dataDir, env: { WORKLANE_TOKEN: '' } })
  try {
    const ask = async (token: string): Promise<number> =>
      (await fetch(`${engine.httpUrl}/api/worklist`, { headers: { authorization: `Bearer ${token}` } })).status
    const made = readFileSync(join(dataDir, 'token'), 'utf8').trim()
    expect([await ask(made), await ask('another-token-of-16')]).toEqual([200, 401])
    await engine.restart()
    expect(readFileSync(join(dataDir, 'token'), 'utf8').trim()).toBe(made)
    expect(await ask(made)).toBe(200)
  } finally {
    await engine.kill()
  }
})

async function send(port: number, bytes: Uint8Array): Promise<string | undefined> {
  const line = await openLine({ host: '127.0.0.1', port })
  try {
    return readAcknowledgment(await line.exchange(bytes))?.code
  } finally {
    line.close()
  }
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    socket.once('error', () => done(false))
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
  })
}
