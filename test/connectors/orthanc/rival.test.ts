import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createOrthancClient } from '../../../connectors/orthanc/client.ts'
import { createPluginTarget } from '../../../connectors/orthanc/plugin-target.ts'
import { probesOf } from '../../../src/cli/probes.ts'
import type { Site } from '../../../src/config/site.ts'
import { findWorklist } from '../../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../../support/orthanc.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { part10 } from './items.ts'
import { startStubEngine, type StubEngine } from './stub-engine.ts'

/**
 * Orthanc gives worklist queries to the first plugin that wants them. The second gets
 * no error: modalities would be answered from an empty folder, and all would look well.
 */
const folder = temporaryFolder()
const plugins = '/usr/share/orthanc/plugins'
const python = `${plugins}/libOrthancPython.so`
const own = `${plugins}/libModalityWorklists.so`
const warning = /worklane: worklist queries are answered by the plugin ModalityWorklists/g

let engine: StubEngine
let orthanc: RunningOrthanc | undefined
beforeAll(async () => {
  engine = await startStubEngine()
  engine.found = [part10({ AccessionNumber: 'A1' })]
})
afterEach(async () => {
  await orthanc?.kill()
  orthanc = undefined
})
afterAll(async () => {
  await engine.stop()
  folder.remove()
})

async function start(settings: Readonly<Record<string, unknown>>): Promise<RunningOrthanc> {
  orthanc = await startOrthanc({
    plugin: 'none',
    env: {
      WORKLANE_URL: engine.url,
      WORKLANE_TOKEN: 'secret-of-the-test',
      WORKLANE_SNAPSHOT_PATH: join(folder.path, 'snapshot'),
    },
    settings: {
      PythonScript: resolve(import.meta.dirname, '../../../connectors/orthanc/plugin/worklane.py'),
      DicomAlwaysAllowFindWorklist: true,
      ...settings,
    },
  })
  await eventually(async () => (await status()).engineReachable, 'the plugin has found the engine')
  return orthanc
}

async function status() {
  const found = await createOrthancClient({ url: orthanc?.httpUrl ?? '' }).pluginStatus()
  if (found === undefined) throw new Error('no status')
  return found
}

const probe = () => createPluginTarget({ client: createOrthancClient({ url: orthanc?.httpUrl ?? '' }) }).probe()

/** What `check --live` says of the plugin. */
async function detail(): Promise<string | undefined> {
  const settings = {
    redisUrl: '',
    orthancs: [
      { name: 'main', url: orthanc?.httpUrl ?? '', user: '', password: '', target: 'plugin', worklistDir: '' },
    ],
    destinations: [],
    defaults: { stationAeTitle: '' },
  }
  const probes = probesOf({ settings } as unknown as Site)
  const reply = await probes.find(({ endpoint }) => endpoint === 'main plugin')?.ask(new AbortController().signal)
  if (reply === undefined || typeof reply === 'string') return reply
  return [reply.detail, ...reply.warnings.map(({ message }) => message)].join('; ')
}

const enabled = { Enable: true, Database: folder.path }

test('I10: Orthanc lets its own worklist plugin answer: the log says so once, and the probe fails', async () => {
  const { dicomPort, logs } = await start({ Plugins: [own, python], Worklists: enabled })
  await eventually(() => logs().match(warning) !== null, 'it says so')
  expect(await findWorklist({ port: dicomPort })).toEqual([])
  expect(await status()).toMatchObject({ isAsked: false })
  await expect(probe()).rejects.toMatchObject({ code: 'E414' })
  await expect(detail()).rejects.toMatchObject({ code: 'E414' })
  expect(logs().match(warning)).toHaveLength(1)
})

test.each([
  ['is not enabled', { Plugins: [own, python], Worklists: { Enable: false } }, []],
  ['is enabled, but not loaded', { Plugins: [python], Worklists: enabled }, []],
  [
    'comes second',
    { Plugins: [python, own], Worklists: enabled },
    ['Worklists is enabled in Orthanc too: it is second only by the order of loading'],
  ],
])("I10: Orthanc's own worklist plugin %s: the engine answers", async (_, settings, hints) => {
  const { dicomPort, logs } = await start(settings)
  expect(await findWorklist({ port: dicomPort })).toMatchObject([{ AccessionNumber: 'A1' }])
  await eventually(async () => isDeepStrictEqual((await status()).hints, hints), 'it has looked around')
  expect(await status()).toMatchObject({ isAsked: true })
  await probe()
  expect(logs()).not.toMatch(warning)
})

test('where Orthanc lets no modality ask, the check gives a hint and does not fail', async () => {
  const refused = { AET: 'CT1', Host: '127.0.0.1', Port: 104, AllowFindWorklist: false }
  const { httpUrl } = await start({
    Plugins: [python],
    DicomAlwaysAllowFindWorklist: false,
    DicomModalities: { ct: refused },
  })
  expect(await detail()).toMatch(/^asks the engine; .* says: Orthanc lets no modality ask for it: see DicomModalities/)
  await fetch(`${httpUrl}/modalities/mr`, { method: 'PUT', body: '["MR1", "127.0.0.1", 104]' })
  expect(await detail()).toBe('asks the engine')
})
