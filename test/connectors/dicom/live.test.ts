import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ProbeOptions } from '../../../src/cli/check.ts'
import { systemProbe } from '../../../src/cli/probe-orthanc.ts'
import { probesOf } from '../../../src/cli/probes.ts'
import type { Site } from '../../../src/config/site.ts'
import { EngineError } from '../../../src/core/errors/index.ts'
import { startOrthanc, type OrthancOptions, type RunningOrthanc } from '../../support/orthanc.ts'
import { startRedis } from '../../support/redis.ts'
import { eventually, freePort, temporaryFolder } from '../../support/temporary.ts'
import { part10 } from '../orthanc/items.ts'
import { startStubEngine, type StubEngine } from '../orthanc/stub-engine.ts'

/** What `check --live` says of an Orthanc in which one thing is wrong. */
const plugins = '/usr/share/orthanc/plugins'
const python = `${plugins}/libOrthancPython.so`
const own = `${plugins}/libModalityWorklists.so`
const script = resolve(import.meta.dirname, '../../../connectors/orthanc/plugin/worklane.py')
const folder = temporaryFolder()
const worklistDir = join(folder.path, 'worklist')
const other = join(folder.path, 'other.py')

let engine: StubEngine
let orthanc: RunningOrthanc | undefined
beforeAll(async () => {
  engine = await startStubEngine()
  engine.found = [part10({ AccessionNumber: 'A1' })]
  mkdirSync(worklistDir)
  writeFileSync(other, 'import orthanc\n')
  writeFileSync(join(worklistDir, 'lockfile'), '')
  writeFileSync(join(worklistDir, 'a.wl'), part10({ AccessionNumber: 'A1' }))
})
afterEach(async () => {
  await orthanc?.kill()
  orthanc = undefined
})
afterAll(async () => {
  await engine.stop()
  folder.remove()
})

type Settings = Readonly<Record<string, unknown>>

interface Given {
  readonly target?: 'plugin' | 'folder'
  readonly worklistDir?: string
  readonly stationAeTitle?: string
  readonly ask?: ProbeOptions
}

/** Of each endpoint that is not well, its code, and whether it works all the same. */
async function said(given: Given = {}, url = orthanc?.httpUrl ?? ''): Promise<Readonly<Record<string, string>>> {
  const { target = 'plugin', stationAeTitle = '', ask = {} } = given
  const settings = {
    redisUrl: '',
    orthancs: [{ name: 'main', url, user: '', password: '', target, worklistDir: given.worklistDir ?? worklistDir }],
    destinations: [],
    defaults: { stationAeTitle },
  }
  return told({ settings }, ask)
}

async function told(site: object, ask: ProbeOptions = {}): Promise<Readonly<Record<string, string>>> {
  const all: Record<string, string> = {}
  for (const probe of probesOf(site as Site, ask)) {
    try {
      const reply = await probe.ask(AbortSignal.timeout(30_000))
      const codes = typeof reply === 'string' ? [] : reply.warnings.map(({ code }) => `${code} warning`)
      if (codes.length > 0) all[probe.endpoint] = codes.join(', ')
    } catch (error) {
      all[probe.endpoint] = error instanceof EngineError ? error.code : String(error)
    }
  }
  return all
}

async function ours(settings: Settings = {}, env: OrthancOptions['env'] = {}): Promise<RunningOrthanc> {
  orthanc = await startOrthanc({
    plugin: 'none',
    env: { WORKLANE_URL: engine.url, WORKLANE_TOKEN: 'secret-of-the-test', ...env },
    settings: { Plugins: [python], PythonScript: script, DicomAlwaysAllowFindWorklist: true, ...settings },
  })
  return orthanc
}

async function theirs(settings: Settings = {}, env: OrthancOptions['env'] = {}): Promise<RunningOrthanc> {
  const Worklists = { Enable: true, Database: worklistDir }
  orthanc = await startOrthanc({
    plugin: 'none',
    env,
    settings: { Plugins: [own], Worklists, DicomAlwaysAllowFindWorklist: true, ...settings },
  })
  return orthanc
}

test('of an Orthanc in which all is well, nothing is said, with either target', async () => {
  await ours()
  await eventually(async () => Object.keys(await said()).length === 0, 'the plugin has found the engine')
  await orthanc?.kill()
  await theirs()
  expect(await said({ target: 'folder' })).toEqual({})
})

const noModality = { DicomAlwaysAllowFindWorklist: false }
const nobody = { ...noModality, DicomAlwaysAllowStore: false, DicomAlwaysAllowEcho: false, DicomAlwaysAllowFind: false }
const ct = (more: Settings = {}) => ({
  DicomModalities: { ct: { AET: 'CT01', Host: '127.0.0.1', Port: 104, ...more } },
})

type Case = readonly [what: string, settings: Settings, env: Readonly<Record<string, string>>, said: Said, given: Given]
type Said = Readonly<Record<string, string>>
const usual: Given = {}

test.each<Case>([
  ['the plugin of Python is missing', { Plugins: [] }, {}, { 'main plugin': 'E405', 'main worklist': 'E423' }, usual],
  [
    'another script of Python is loaded',
    { PythonScript: other },
    {},
    { 'main plugin': 'E405', 'main worklist': 'E423' },
    usual,
  ],
  [
    'its own plugin answers instead',
    { Plugins: [own, python], Worklists: { Enable: true, Database: worklistDir } },
    {},
    { 'main plugin': 'E414' },
    usual,
  ],
  [
    'it answers in Latin1',
    { DefaultEncoding: 'Latin1' },
    {},
    { 'main plugin': 'E408', 'main worklist': 'E408' },
    usual,
  ],
  ['TCP_NODELAY is not set', {}, { TCP_NODELAY: '' }, { 'main worklist': 'E425 warning' }, usual],
  ['no modality may ask', noModality, {}, { 'main plugin': 'E431 warning', 'main worklist': 'E422' }, usual],
  ['nobody may connect', nobody, {}, { 'main plugin': 'E431 warning', 'main worklist': 'E422' }, usual],
  [
    'the modality that it knows may not ask',
    { ...noModality, ...ct({ AllowFindWorklist: false }) },
    {},
    { 'main plugin': 'E431 warning', 'main worklist': 'E422' },
    { stationAeTitle: 'CT01' },
  ],
  ['only a modality that it knows may ask', { ...nobody, ...ct() }, {}, {}, usual],
  [
    'the one that we ask as is not known',
    { ...nobody, ...ct() },
    {},
    { 'main worklist': 'E422' },
    { ask: { as: 'MR99' } },
  ],
  [
    'it does not find the engine',
    {},
    { WORKLANE_URL: 'http://127.0.0.1:1' },
    { 'main plugin': 'E411', 'main worklist': 'E424' },
    usual,
  ],
])('target plugin: %s', async (_, settings, env, wanted, given) => {
  await ours(settings, env)
  // The plugin looks around in its first second.
  let found: Readonly<Record<string, string>> = {}
  await eventually(async () => isDeepStrictEqual((found = await said(given)), wanted), 'it is said', 30).catch(
    () => undefined,
  )
  expect(found).toEqual(wanted)
})

test.each<readonly [what: string, settings: Settings, said: Said]>([
  ['its plugin is missing', { Plugins: [] }, { 'main worklist': 'E423' }],
  ['its plugin is not enabled', { Worklists: { Enable: false } }, { 'main worklist': 'E423' }],
  ['it answers in Latin1', { DefaultEncoding: 'Latin1' }, { 'main plugins': 'E408', 'main worklist': 'E408' }],
  ['worklane.py is loaded too', { Plugins: [own, python], PythonScript: script }, { 'main plugins': 'E428' }],
  [
    'it serves another folder',
    { Worklists: { Enable: true, Database: join(folder.path, 'other') } },
    { 'main worklist': 'E427' },
  ],
])('target folder: %s', async (_, settings, wanted) => {
  mkdirSync(join(folder.path, 'other'), { recursive: true })
  await theirs(settings)
  expect(await said({ target: 'folder' })).toEqual(wanted)
})

test('a token that the engine does not take is told, while the last worklist still answers', async () => {
  await ours()
  await eventually(async () => Object.keys(await said()).length === 0, 'the plugin has found the engine')
  engine.httpStatus = 401
  try {
    await eventually(async () => (await said())['main plugin'] === 'E411', 'it is said')
  } finally {
    engine.httpStatus = 200
  }
})

test('its AE title is another one than modalities know: seen where Orthanc checks it', async () => {
  const { dicomPort, httpUrl } = await ours({ DicomCheckCalledAet: true, DicomAet: 'PACS' })
  await eventually(async () => Object.keys(await said()).length === 0, 'it is called by the name that it tells')
  // A proxy in front of it, or another Orthanc behind the same port.
  const other = await startOrthanc({ plugin: 'none', settings: { DicomAet: 'OTHER' } })
  try {
    expect(await said({ ask: { dicom: `127.0.0.1:${dicomPort}` } }, other.httpUrl)).toMatchObject({
      'main worklist': 'E421',
    })
  } finally {
    await other.kill()
  }
  expect(httpUrl).not.toBe(other.httpUrl)
})

test('a DICOM port that is closed and one that is no DICOM are told apart', async () => {
  await ours()
  const port = await freePort()
  expect(await said({ ask: { dicom: `127.0.0.1:${port}` } })).toMatchObject({ 'main worklist': 'E420' })
  const hangsUp = createServer((socket) => void socket.end('HTTP/1.1 400\r\n\r\n'))
  try {
    await listening(hangsUp, port)
    expect(await said({ ask: { dicom: `127.0.0.1:${port}` } })).toMatchObject({ 'main worklist': 'E429' })
  } finally {
    hangsUp.close()
  }
})

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
}

test('a clock that differs is told, by how much', async () => {
  const { httpUrl } = await theirs()
  const at = { name: 'main', url: httpUrl, user: '', password: '', target: 'folder', worklistDir } as never
  const late = await systemProbe(at, () => Date.now() + 90_000).ask(AbortSignal.timeout(30_000))
  expect(late).toMatchObject({ warnings: [{ code: 'E426' }] })
  expect((late as { warnings: readonly EngineError[] }).warnings[0]?.params['seconds']).toBeLessThan(-80)
})

test('a folder is looked at and not made; one that cannot be used is told', async () => {
  await theirs()
  const missing = join(folder.path, 'not/there')
  expect(await said({ target: 'folder', worklistDir: missing })).toEqual({})
  expect(readdirSync(folder.path)).not.toContain('not')
  const file = join(folder.path, 'a-file')
  writeFileSync(file, '')
  expect(await said({ target: 'folder', worklistDir: file })).toMatchObject({ 'main folder': 'E407' })
  rmSync(file)
  if (process.getuid?.() === 0) return
  const closed = join(folder.path, 'closed')
  mkdirSync(closed)
  chmodSync(closed, 0o500)
  expect(await said({ target: 'folder', worklistDir: closed })).toMatchObject({ 'main folder': 'E407' })
})

test('nothing changes in Orthanc by being asked', async () => {
  const { httpUrl } = await theirs()
  const state = async () =>
    Promise.all(
      ['/changes?last', '/statistics', '/modalities?expand', '/tools/default-encoding', '/jobs'].map(async (path) =>
        (await fetch(httpUrl + path)).text(),
      ),
    )
  const [before, files] = [await state(), readdirSync(worklistDir)]
  await said({ target: 'folder' })
  expect([await state(), readdirSync(worklistDir)]).toEqual([before, files])
})

test('a Redis that keeps nothing works, and is warned of; one that is away does not', async () => {
  const port = await freePort()
  const redis = await startRedis({ aof: false, settings: ['--port', String(port)] })
  const site = { settings: { redisUrl: `redis://127.0.0.1:${port}`, orthancs: [], destinations: [] } }
  try {
    expect(await told(site)).toEqual({ redis: 'E504 warning' })
    const [probe] = probesOf(site as unknown as Site)
    const reply = await probe?.ask(AbortSignal.timeout(30_000))
    expect(reply).toMatchObject({ warnings: [{ message: expect.stringContaining('appendonly is no') as string }] })
    const connection = new Redis({ port })
    await connection.config('SET', 'requirepass', 'of-the-test')
    connection.disconnect()
    expect(await told(site)).toEqual({ redis: 'E433' })
    const wrong = { settings: { ...site.settings, redisUrl: `redis://:other@127.0.0.1:${port}` } }
    expect(await told(wrong)).toEqual({ redis: 'E433' })
  } finally {
    await redis.stop()
  }
  expect(await told(site)).toEqual({ redis: 'E516' })
})

test('a RIS that is away does not work; of one that refuses messages the engine has to tell', async () => {
  const port = await freePort()
  const ris = { name: 'ris', host: '127.0.0.1', port, tls: false, acknowledgmentSeconds: 5 }
  const site = { settings: { redisUrl: '', orthancs: [], destinations: [ris] } }
  expect(await told(site)).toEqual({ ris: 'E701' })
  const server = createServer()
  try {
    await listening(server, port)
    expect(await told(site)).toEqual({})
    const destinations = async (): Promise<string> => 'the oldest message is refused for now (AR)'
    expect(await told(site, { destinations })).toEqual({ ris: 'E432 warning' })
  } finally {
    server.close()
  }
})
