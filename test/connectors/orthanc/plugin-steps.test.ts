import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FindFailed, findWorklist } from '../../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../../support/orthanc.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { part10 } from './items.ts'
import { startStubEngine, type StubEngine } from './stub-engine.ts'

/**
 * Orthanc leaves out of an answer the steps that do not match by its own rules, which
 * are not DICOM's: a modality would get a patient without a station, a date and a
 * modality. The request filter takes these keys out of Orthanc's sight.
 */
const inStep = (...keys: readonly string[]): readonly string[] =>
  keys.map((key) => `ScheduledProcedureStepSequence[0].${key}`)

const item = (): Uint8Array =>
  part10(
    {},
    {
      ScheduledPerformingPhysicianName: 'TECH^TINA',
      ScheduledStationName: '',
      ScheduledProtocolCodeSequence: [{ CodeValue: 'C1', CodingSchemeDesignator: '99', CodeMeaning: 'Head' }],
    },
  )

/** All of them ask for the item: CT at CT1 on 2026-10-16 at 10:15:00. */
const asking: readonly (readonly [string, readonly string[]])[] = [
  ['an AE title with spaces', inStep('ScheduledStationAETitle= CT1 ')],
  ['a wildcard in the AE title', inStep('ScheduledStationAETitle=CT*')],
  ['one of two AE titles', inStep(String.raw`ScheduledStationAETitle=CT9\CT1`)],
  ['one of two modalities', inStep(String.raw`Modality=MR\CT`)],
  [
    'a period over midnight',
    inStep('ScheduledProcedureStepStartDate=20261015-20261016', 'ScheduledProcedureStepStartTime=220000-120000'),
  ],
  ['a time without seconds', inStep('ScheduledProcedureStepStartTime=1015')],
  ['a range of hours', inStep('ScheduledProcedureStepStartTime=08-10')],
  ['the hours of a night', inStep('ScheduledProcedureStepStartTime=090000-110000')],
  ['a name in other letters', inStep('ScheduledPerformingPhysicianName=tech^Tina^*')],
  ['a key that no worklist has', inStep('ScheduledProcedureStepEndDate=20261016')],
  ['any text in an empty key', inStep('ScheduledStationName=*')],
  ['any text in a key that the item lacks', inStep('RequestedContrastAgent=*')],
  ['a patient in small letters', ['PatientName=do*^jane']],
  ['a patient by number and birth date', ['PatientID=471?', 'PatientBirthDate=*', 'PregnancyStatus=0']],
  ['a key of another service', ['StudyDescription=Chest', 'QueryRetrieveLevel=STUDY']],
  ['a code', inStep('ScheduledProtocolCodeSequence[0].CodeValue=C1')],
]

const notAsking: readonly (readonly [string, readonly string[]])[] = [
  ['another station', inStep('ScheduledStationAETitle=CT2')],
  ['another modality', inStep('Modality=MR')],
  ['another day', inStep('ScheduledProcedureStepStartDate=20261017')],
  ['a night', inStep('ScheduledProcedureStepStartTime=220000-060000')],
  [
    'a period that ends before',
    inStep('ScheduledProcedureStepStartDate=20261015-20261016', 'ScheduledProcedureStepStartTime=220000-080000'),
  ],
  ['another patient', ['PatientName=Doe']],
  ['another accession number', ['AccessionNumber=A2']],
  ['an order number that the item lacks', ['PlacerOrderNumberImagingServiceRequest=P1']],
  ['another name', inStep('ScheduledPerformingPhysicianName=TECH')],
  ['another code', inStep('ScheduledProtocolCodeSequence[0].CodeValue=C2')],
  ['a value of a key that the item lacks', inStep('RequestedContrastAgent=Gadolinium')],
]

const complete = [
  { AccessionNumber: 'A1', ScheduledProcedureStepSequence: [{ Modality: 'CT', ScheduledStationAETitle: 'CT1' }] },
]

describe('a modality that asks for', () => {
  let engine: StubEngine
  let orthanc: RunningOrthanc
  const folder = temporaryFolder()
  const env = (snapshot: string) => ({
    WORKLANE_URL: engine.url,
    WORKLANE_TOKEN: 'secret-of-the-test',
    WORKLANE_SNAPSHOT_PATH: join(folder.path, snapshot),
    WORKLANE_SNAPSHOT_SECONDS: '0.2',
    WORKLANE_CIRCUIT_SECONDS: '0.2',
  })
  const status = async (of = orthanc) =>
    (await (await fetch(`${of.httpUrl}/worklane/status`)).json()) as {
      requestFilter: boolean
      snapshot: { version: string }
    }
  const find = (keys: readonly string[], of = orthanc) => findWorklist({ port: of.dicomPort, keys })

  beforeAll(async () => {
    engine = await startStubEngine()
    engine.found = [item()]
    engine.snapshot = { version: 'all', items: [item()] }
    orthanc = await startOrthanc({ plugin: 'worklane', env: env('one') })
    await eventually(async () => (await status()).snapshot.version === 'all', 'the snapshot is taken')
  })
  afterAll(async () => {
    await orthanc.kill()
    await engine.stop()
    folder.remove()
  })

  test.each(asking)('I10: %s gets the step with its item', async (_, keys) => {
    engine.queries.length = 0
    expect(await find(keys)).toMatchObject(complete)
    expect(engine.queries).toHaveLength(1)
    expect(engine.queries[0]?.['query']).not.toHaveProperty('0040,a160')
  })

  test('and more gets nothing that it did not ask for', async () => {
    const [found] = await find([...inStep('Modality=CT'), 'TextValue='])
    expect(found).not.toHaveProperty('TextValue')
    expect(await status()).toMatchObject({ requestFilter: true })
  })

  describe('while the engine is away,', () => {
    beforeAll(() => engine.stop())
    afterAll(() => engine.start())

    test.each(asking)('I10: %s gets the step with its item from the snapshot', async (_, keys) => {
      expect(await find(keys)).toMatchObject(complete)
    })

    test.each(notAsking)('%s gets nothing', async (_, keys) => {
      expect(await find(keys)).toEqual([])
    })
  })

  test('I10: days and hours fails where the request filter is not loaded and the engine is away', async () => {
    const bare = await startOrthanc({
      plugin: 'none',
      env: env('two'),
      settings: {
        Plugins: ['/usr/share/orthanc/plugins/libOrthancPython.so'],
        PythonScript: resolve(import.meta.dirname, '../../../connectors/orthanc/plugin/worklane.py'),
        DicomAlwaysAllowFindWorklist: true,
      },
    })
    try {
      await eventually(async () => (await status(bare)).snapshot.version === 'all', 'the snapshot is taken')
      expect(await find(inStep('Modality=CT'), bare)).toMatchObject(complete)
      expect(await status(bare)).toMatchObject({ requestFilter: false })
      await engine.stop()
      const [, period = []] = asking.find(([name]) => name === 'a period over midnight') ?? []
      await expect(find(period, bare)).rejects.toThrow(FindFailed)
    } finally {
      await bare.kill()
      await engine.start()
    }
  })
})
