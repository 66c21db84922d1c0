import { expect, test } from 'vitest'
import { EngineError } from '../../../src/core/errors/index.ts'
import type { Caller, DicomJson, WorklistAnswerer } from '../../../src/core/ports.ts'
import type { Brought, Nudge } from '../../../src/http/plugin.ts'
import { fake, token } from '../../http/fakes.ts'
import { findWorklist, makeImage, storeImages } from '../../support/dcmtk.ts'
import { startOrthanc } from '../../support/orthanc.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { part10 } from './items.ts'

test("the plugin and the engine's HTTP API understand each other", async () => {
  const asked: { query: DicomJson; caller: Caller }[] = []
  const nudges: Nudge[] = []
  const brought: Brought[] = []
  let isLoaded = true
  const worklist: WorklistAnswerer = {
    find(query, caller) {
      asked.push({ query, caller })
      return isLoaded ? Promise.resolve([part10({ AccessionNumber: 'LIVE' })]) : Promise.reject(new EngineError('E406'))
    },
    snapshot: () => Promise.resolve({ version: 42, contents: 'c', items: [part10({ AccessionNumber: 'SNAPSHOT' })] }),
    version: () => 42,
    contents: () => 'c',
    search: () => Promise.reject(new Error('not asked in this test')),
  }
  const server = fake({
    worklist,
    nudge: (nudge) => void nudges.push(nudge),
    bring: async (one) => void brought.push(one),
  })
  const { port } = await server.start()
  const env = {
    WORKLANE_URL: `http://localhost:${port}`,
    WORKLANE_TOKEN: token,
    WORKLANE_SNAPSHOT_SECONDS: '0.2',
    WORKLANE_TIMEOUT_MS: '2000',
  }
  const orthanc = await startOrthanc({ plugin: 'worklane', env })
  const folder = temporaryFolder()
  try {
    const status = async () => (await fetch(`${orthanc.httpUrl}/worklane/status`)).json()
    await eventually(async () => JSON.stringify(await status()).includes('"version":"42"'), 'the snapshot is taken')
    const find = () => findWorklist({ port: orthanc.dicomPort, calling: 'CT1', keys: ['PatientName=D*'] })
    expect(await find()).toMatchObject([{ AccessionNumber: 'LIVE' }])
    expect(asked[0]).toMatchObject({
      query: { '0010,0010': 'D*' },
      caller: { callingAeTitle: 'CT1', calledAeTitle: 'ORTHANC' },
    })
    isLoaded = false
    expect(await find()).toMatchObject([{ AccessionNumber: 'SNAPSHOT' }])
    await storeImages(orthanc.dicomPort, [await makeImage({ dir: folder.path })])
    await eventually(() => nudges.some(({ change }) => change !== ''), 'the engine is nudged')
    const [study] = (await (await fetch(`${orthanc.httpUrl}/studies`)).json()) as [string]
    await fetch(`${orthanc.httpUrl}/studies/${study}`, { method: 'DELETE' })
    await eventually(() => brought.some(({ rows }) => rows.some(({ resource }) => resource === study)), 'it is brought')
    const { identity } = (await (await fetch(`${orthanc.httpUrl}/worklane/identity`)).json()) as { identity: string }
    expect(new Set(brought.map(({ database }) => database))).toEqual(new Set([identity]))
  } finally {
    await orthanc.kill()
    await server.stop()
    folder.remove()
  }
})
