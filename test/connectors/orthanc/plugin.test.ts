import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOrthancClient } from '../../../connectors/orthanc/client.ts'
import { createPluginTarget } from '../../../connectors/orthanc/plugin-target.ts'
import { FindFailed, findWorklist, makeImage, storeImages } from '../../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../../support/orthanc.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { part10 } from './items.ts'
import { startStubEngine, type StubEngine } from './stub-engine.ts'

const step = 'ScheduledProcedureStepSequence[0]'
const accessionNumbers = (items: readonly { [keyword: string]: unknown }[]): unknown[] =>
  items.map((item) => item['AccessionNumber'])

describe('a modality asks, and the engine', () => {
  let engine: StubEngine
  let orthanc: RunningOrthanc
  const folder = temporaryFolder()
  const snapshotFile = join(folder.path, 'snapshot')
  const find = (keys: readonly string[] = [], calling = 'CT1') =>
    findWorklist({ port: orthanc.dicomPort, calling, keys })
  const status = async () =>
    (await (await fetch(`${orthanc.httpUrl}/worklane/status`)).json()) as {
      engine: { reachable: boolean; detail: string; circuit: string }
      snapshot: { valid: boolean; version: string; count: number | null; ageSeconds: number | null }
    }
  const env = (more: Record<string, string> = {}) => ({
    WORKLANE_URL: engine.url,
    WORKLANE_TOKEN: 'secret-of-the-test',
    WORKLANE_SNAPSHOT_PATH: snapshotFile,
    WORKLANE_SNAPSHOT_SECONDS: '0.2',
    WORKLANE_CIRCUIT_SECONDS: '1.5',
    WORKLANE_SNAPSHOT_MAX_AGE_SECONDS: '43200',
    ...more,
  })
  const snapshotTaken = (version: string) =>
    eventually(async () => {
      const [head = ''] = readFileSync(snapshotFile, 'latin1').split('\n', 1)
      return (await status()).snapshot.version === version && head.includes(`"version": "${version}"`)
    }, `snapshot ${version} is taken and written`)
  const circuitClosed = () => eventually(async () => (await status()).engine.circuit === 'closed', 'circuit closes')

  beforeAll(async () => {
    engine = await startStubEngine()
    orthanc = await startOrthanc({ plugin: 'worklane', env: env() })
  })
  beforeEach(async () => {
    engine.found = []
    engine.httpStatus = 200
    engine.delayMilliseconds = 0
    engine.queries.length = 0
    await circuitClosed()
  })
  afterAll(async () => {
    await orthanc.kill()
    await engine.stop()
    folder.remove()
  })

  test('answers: the modality gets exactly its items', async () => {
    engine.found = [part10({ AccessionNumber: 'A1' }), part10({ AccessionNumber: 'A2' })]
    expect(accessionNumbers(await find())).toEqual(['A1', 'A2'])
  })

  test('sees the decoded query and who asks', async () => {
    await find(['PatientName=Dö*', `${step}.Modality=CT`], 'ROOM7')
    expect(engine.queries[0]).toMatchObject({
      callingAeTitle: 'ROOM7',
      calledAeTitle: 'ORTHANC',
      query: { '0010,0010': 'Dö*', '0008,0050': '', '0040,0100': [{ '0008,0060': 'CT' }] },
    })
    expect([...engine.tokens]).toEqual(['Bearer secret-of-the-test'])
  })

  test.each(['Müller^Jürgen', 'Иванов^Иван', 'Yamada^Tarou=山田^太郎=やまだ^たろう', 'Παπαδόπουλος^Γιώργος'])(
    'names a patient %s',
    async (name) => {
      engine.found = [part10({ PatientName: name })]
      expect(await find()).toMatchObject([{ SpecificCharacterSet: 'ISO_IR 192', PatientName: name }])
    },
  )

  test('has nothing for it: Success without items', async () => {
    expect(await find()).toEqual([])
  })

  test('hears a wildcard date as no date, an unknown level not at all', async () => {
    engine.found = [part10()]
    const keys = [`${step}.ScheduledProcedureStepStartDate=*`, 'PatientBirthDate=*', 'QueryRetrieveLevel=PATIENT']
    expect(await find(keys)).toHaveLength(1)
    expect(engine.queries[0]).toMatchObject({ query: { '0010,0030': '', '0040,0100': [{ '0040,0002': '' }] } })
    expect(engine.queries[0]?.['query']).not.toHaveProperty('0008,0052')
  })

  test('is asked over one connection that stays open', async () => {
    await find()
    const before = engine.connections()
    for (let n = 0; n < 10; n++) await find()
    // The threads of snapshot and nudges may have opened one of their own meanwhile.
    expect(engine.connections() - before).toBeLessThan(4)
  })

  test('I10: is away, and the snapshot answers with what matches', async () => {
    engine.snapshot = {
      version: 'away',
      items: [
        part10({ AccessionNumber: 'A1' }, { Modality: 'CT' }),
        part10({ AccessionNumber: 'A2' }, { Modality: 'MR' }),
      ],
    }
    await snapshotTaken('away')
    await engine.stop()
    expect(accessionNumbers(await find([`${step}.Modality=MR`]))).toEqual(['A2'])
    expect(await status()).toMatchObject({
      engine: { reachable: false, detail: 'connection refused', circuit: 'open' },
    })
    await engine.start()
    await circuitClosed()
    engine.found = [part10({ AccessionNumber: 'LIVE' })]
    expect(accessionNumbers(await find())).toEqual(['LIVE'])
  })

  test('I10: is too slow, and the snapshot answers in its place; then it is left alone for a while', async () => {
    engine.snapshot = { version: 'slow', items: [part10({ AccessionNumber: 'S1' })] }
    await snapshotTaken('slow')
    engine.found = [part10({ AccessionNumber: 'LATE' })]
    engine.delayMilliseconds = 20_000
    expect(accessionNumbers(await find())).toEqual(['S1'])
    expect(await status()).toMatchObject({ engine: { circuit: 'open' } })
    expect(accessionNumbers(await find())).toEqual(['S1'])
    expect(engine.queries).toHaveLength(1)
  })

  test.each([503, 500, 401, 400])('I10: answers %i, and the snapshot answers in its place', async (httpStatus) => {
    engine.snapshot = { version: `status ${httpStatus}`, items: [part10({ AccessionNumber: 'S2' })] }
    await snapshotTaken(engine.snapshot.version)
    engine.httpStatus = httpStatus
    expect(accessionNumbers(await find())).toEqual(['S2'])
  })

  test('I10: is another server that says 200 and nothing: the snapshot answers, and stays', async () => {
    engine.snapshot = { version: 'stranger', items: [part10({ AccessionNumber: 'S3' })] }
    await snapshotTaken('stranger')
    engine.isStranger = true
    expect(accessionNumbers(await find())).toEqual(['S3'])
    await eventually(
      async () => (await status()).engine.detail === 'its answer is not that of an engine',
      'the plugin notices',
    )
    expect(await status()).toMatchObject({ snapshot: { version: 'stranger', count: 1 } })
    engine.isStranger = false
  })

  test('I10: confirms an empty worklist: Success without items, also when it is away later', async () => {
    engine.snapshot = { version: 'empty', items: [] }
    await snapshotTaken('empty')
    await engine.stop()
    expect(await find()).toEqual([])
    await engine.start()
  })

  test('the snapshot is fetched once per version, and is for the eyes of Orthanc only', async () => {
    engine.snapshot = { version: 'once', items: [part10()] }
    await snapshotTaken('once')
    const before = engine.snapshotRequests()
    await eventually(() => engine.snapshotRequests().unchanged > before.unchanged + 2, 'it is confirmed')
    const after = engine.snapshotRequests()
    expect(after.all - after.unchanged).toBe(before.all - before.unchanged)
    expect(statSync(snapshotFile).mode & 0o777).toBe(0o600)
  })

  test('is nudged when images come', async () => {
    engine.nudges.length = 0
    const images = temporaryFolder()
    await storeImages(orthanc.dicomPort, [await makeImage({ dir: images.path })])
    images.remove()
    await eventually(() => engine.nudges.some((nudge) => 'change' in nudge), 'it is nudged')
  })

  test('the probe says what is wrong', async () => {
    const target = createPluginTarget({ client: createOrthancClient({ url: orthanc.httpUrl }) })
    await eventually(async () => (await status()).engine.reachable, 'the plugin has found the engine')
    await target.probe()
    engine.httpStatus = 401
    await eventually(async () => !(await status()).engine.reachable, 'the plugin notices')
    await expect(target.probe()).rejects.toMatchObject({
      code: 'E411',
      params: { reason: 'it does not accept WORKLANE_TOKEN' },
    })
    engine.httpStatus = 200
    await eventually(async () => (await status()).engine.reachable, 'the plugin notices')
    await fetch(`${orthanc.httpUrl}/tools/default-encoding`, { method: 'PUT', body: 'Latin1' })
    await expect(target.probe()).rejects.toMatchObject({ code: 'E408', params: { encoding: 'Latin1' } })
    await fetch(`${orthanc.httpUrl}/tools/default-encoding`, { method: 'PUT', body: 'Utf8' })
  })

  test('I9: neither the log nor the status names a patient', async () => {
    engine.found = [part10({ PatientName: 'Geheim^Anna', PatientID: 'PID-GEHEIM' })]
    await find(['PatientName=Geheim*'])
    engine.snapshot = { version: 'secret', items: [part10({ PatientName: 'Geheim^Anna' })] }
    await snapshotTaken('secret')
    await engine.stop()
    await find(['PatientName=Geheim*'])
    await engine.start()
    expect(`${orthanc.logs()}${JSON.stringify(await status())}`).not.toMatch(/geheim/i)
  })

  describe('after a restart of Orthanc without the engine', () => {
    afterEach(async () => {
      await engine.start()
      await orthanc.restart(env())
    })

    test('I10: the snapshot is still there', async () => {
      engine.snapshot = { version: 'kept', items: [part10({ AccessionNumber: 'K1' })] }
      await snapshotTaken('kept')
      await engine.stop()
      await orthanc.restart()
      expect(accessionNumbers(await find())).toEqual(['K1'])
    })

    test('I10: what the snapshot held before is not shown while the engine, known by its name, is there', async () => {
      engine.snapshot = { version: 'before', items: [part10({ AccessionNumber: 'OLD' })] }
      await snapshotTaken('before')
      engine.snapshot = { version: 'now', items: [part10({ AccessionNumber: 'NEW' })] }
      engine.found = engine.snapshot.items
      await orthanc.restart({ WORKLANE_URL: `http://localhost:${engine.port}` })
      expect(accessionNumbers(await find())).toEqual(['NEW'])
      expect(await status()).toMatchObject({ snapshot: { version: 'now' }, engine: { circuit: 'closed' } })
      await engine.stop()
    })

    test('I10: a snapshot that is too old fails the C-FIND', async () => {
      await engine.stop()
      await orthanc.restart({ WORKLANE_SNAPSHOT_MAX_AGE_SECONDS: '0' })
      await expect(find()).rejects.toThrow(FindFailed)
      expect(await status()).toMatchObject({ snapshot: { valid: false } })
    })

    test('I10: a missing snapshot fails the C-FIND', async () => {
      await engine.stop()
      await orthanc.restart({ WORKLANE_SNAPSHOT_PATH: join(folder.path, 'nothing') })
      await expect(find()).rejects.toThrow(FindFailed)
      expect(await status()).toMatchObject({ snapshot: { valid: false, count: null } })
    })

    test('I10: a damaged snapshot fails the C-FIND', async () => {
      await engine.stop()
      const bytes = readFileSync(snapshotFile)
      writeFileSync(snapshotFile, bytes.subarray(0, bytes.length - 10))
      await orthanc.restart()
      await expect(find()).rejects.toThrow(FindFailed)
    })
  })
})
