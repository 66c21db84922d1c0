import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOrthancClient } from '../../../connectors/orthanc/client.ts'
import { createPluginTarget } from '../../../connectors/orthanc/plugin-target.ts'
import { FindFailed, findWorklist, makeImage, newUid, storeImages } from '../../support/dcmtk.ts'
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

  describe('has what /changes never shows', () => {
    const brought = () => engine.brought.flatMap(({ rows }) => rows)
    const has = (resource: string) =>
      eventually(() => brought().some((row) => row.resource === resource && row.level === 'Study'), 'it has it')
    const spool = async () =>
      ((await status()) as unknown as { spool: { waiting: number; dropped: number; detail: string } }).spool
    /** Stores an image and deletes its study; answers the study's identifier. */
    const pass = async (): Promise<string> => {
      const images = temporaryFolder()
      const StudyInstanceUID = newUid()
      await storeImages(orthanc.dicomPort, [await makeImage({ dir: images.path, tags: { StudyInstanceUID } })])
      images.remove()
      const answer = await fetch(`${orthanc.httpUrl}/tools/lookup`, { method: 'POST', body: StudyInstanceUID })
      const study = ((await answer.json()) as { ID: string; Type: string }[]).find(({ Type }) => Type === 'Study')?.ID
      await fetch(`${orthanc.httpUrl}/studies/${study}`, { method: 'DELETE' })
      return study ?? ''
    }
    const identity = async () =>
      ((await (await fetch(`${orthanc.httpUrl}/worklane/identity`)).json()) as { identity: string }).identity

    beforeEach(() => {
      engine.brought.length = 0
      engine.isDumb = false
    })

    test('I6: in the order in which it happened, numbered, with the identity of the database', async () => {
      const study = await pass()
      await eventually(
        () => brought().some(({ change, resource }) => change === 'Deleted' && resource === study),
        'all of it is brought, in one piece or in several',
      )
      const numbers = brought().map(({ number }) => number)
      expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other))
      expect(brought().filter((row) => row.resource === study)).toMatchObject([
        { change: 'NewChildInstance', level: 'Study' },
        { change: 'Deleted', level: 'Study', at: expect.stringMatching(/^\d{4}-.*Z$/) as string },
      ])
      expect(new Set(engine.brought.map(({ database }) => database))).toEqual(new Set([await identity()]))
      await eventually(async () => (await spool()).waiting === 0, 'nothing waits')
    })

    test('I6: that happened while it was away, and it is said that something waits', async () => {
      await engine.stop()
      const study = await pass()
      await eventually(async () => (await spool()).waiting > 0, 'it waits')
      await eventually(async () => (await spool()).detail !== '', 'it is said')
      expect(await spool()).toMatchObject({ detail: 'the engine is away: connection refused', dropped: 0 })
      await engine.start()
      await has(study)
      await eventually(async () => (await spool()).waiting === 0, 'nothing waits')
      expect((await spool()).detail).toBe('')
    })

    test('I6: again under the same numbers, when it stored them and did not say so', async () => {
      engine.isDumb = true
      const study = await pass()
      await has(study)
      const [first] = brought().filter((row) => row.resource === study)
      engine.isDumb = false
      const spoolId = engine.brought[0]?.spool
      engine.brought.length = 0
      await has(study)
      expect(brought().find((row) => row.resource === study)).toEqual(first)
      expect(engine.brought[0]?.spool).toBe(spoolId)
    })

    test('I6: not yet, as long as it cannot store it', async () => {
      engine.httpStatus = 503
      const study = await pass()
      await eventually(async () => (await spool()).detail !== '', 'it is said')
      expect((await spool()).detail).toBe('the engine answered 503 to /orthanc/events')
      engine.httpStatus = 200
      await has(study)
    })

    test('I6: also of an Orthanc that was killed before it could tell', async () => {
      await engine.stop()
      const study = await pass()
      const file = join(orthanc.dir, 'db/worklane-spool')
      const deletion = new RegExp(`"Deleted", "level": "Study", "resource": "${study}"`)
      await eventually(() => deletion.test(readFileSync(file, 'utf8')), 'the plugin has heard of it')
      await orthanc.restart()
      await engine.start()
      await has(study)
      await eventually(() => brought().some(({ change }) => change === 'OrthancStarted'), 'the start too')
      expect(brought().filter((row) => row.resource === study && row.change === 'Deleted')).toHaveLength(1)
      expect(brought().at(-1)?.change).toBe('OrthancStarted')
    })

    test('I6: the end of an Orthanc, at the latest with its next start', async () => {
      await orthanc.terminate()
      await orthanc.restart()
      const changes = () => brought().map(({ change }) => change)
      await eventually(() => changes().includes('OrthancStarted'), 'it has started')
      expect([...new Set(changes())]).toEqual(['OrthancStopped', 'OrthancStarted'])
    })
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
