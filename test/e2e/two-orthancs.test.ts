import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { KeptRow } from '../../src/core/ports.ts'
import { testToken } from '../support/engine.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { findWorklist } from '../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../support/orthanc.ts'
import { eventually, freePort } from '../support/temporary.ts'

/** One engine with two Orthancs, of which one stands still, is away, or is made anew. */
let hospital: Hospital
let second: RunningOrthanc | undefined
afterEach(async () => {
  second?.resume()
  await second?.kill()
  second = undefined
  await hospital?.end()
})

/** The hospital's own Orthanc is called `orthanc`; `other` stands still. */
async function startTwo(): Promise<RunningOrthanc> {
  const httpPort = await freePort()
  const other = await startOrthanc({
    plugin: 'worklane',
    env: { WORKLANE_URL: `http://127.0.0.1:${httpPort}`, WORKLANE_TOKEN: testToken },
  })
  second = other
  other.pause()
  hospital = await startHospital({
    httpPort,
    settings: { 'orthancs.1': { name: 'other', url: other.httpUrl, target: 'plugin', pollSeconds: 1 } },
  })
  return other
}

const told = async (orthanc: string): Promise<readonly string[]> =>
  (await hospital.engine.api<{ items: KeptRow[] }>('/api/orthanc-changes?limit=500')).items
    .filter((row) => row.orthanc === orthanc)
    .map(({ change }) => change)
    .toReversed()

const states = async (): Promise<readonly string[]> => {
  const answer = await fetch(`${hospital.engine.httpUrl}/health/ready`)
  const { parts } = (await answer.json()) as { parts: { name: string; state: string }[] }
  return parts.filter(({ name }) => name.startsWith('orthanc ')).map(({ name, state }) => `${name} ${state}`)
}

test('I6: an Orthanc that stands still holds up no order, image, status or deletion of the other', async () => {
  const other = await startTwo()
  expect(await hospital.order({ accession: 'T1' })).toBe('AA')
  const [item = {}] = await eventually(async () => {
    const found = await hospital.found('T1')
    return found.length === 1 ? found : undefined
  }, 'it is on the worklist')
  await hospital.scan(item)
  await eventually(() => String(hospital.ris.of('T1')) === 'SC/IP,SC/CM', 'the RIS is told of all of it')
  const study = await fetch(`${hospital.orthanc.httpUrl}/studies`).then((answer) => answer.json() as Promise<string[]>)
  await fetch(`${hospital.orthanc.httpUrl}/studies/${study[0]}`, { method: 'DELETE' })
  await eventually(async () => (await told('orthanc')).includes('Deleted'), 'what its plugin saw is told')
  await eventually(async () => String(await states()) === 'orthanc orthanc up,orthanc other down', 'health says which')

  // When it goes on, it is asked by its own modalities, and its images are told of as well.
  expect(await hospital.order({ accession: 'T2' })).toBe('AA')
  other.resume()
  const [later = {}] = await eventually(async () => {
    const found = await findWorklist({ port: other.dicomPort, keys: ['AccessionNumber=T2'] })
    return found.length === 1 ? found : undefined
  }, 'it answers what came meanwhile')
  await hospital.store(
    {
      PatientID: later['PatientID'] ?? '',
      PatientName: later['PatientName'] ?? '',
      AccessionNumber: 'T2',
      StudyInstanceUID: later['StudyInstanceUID'] ?? '',
    },
    { port: other.dicomPort },
  )
  await eventually(() => String(hospital.ris.of('T2')) === 'SC/IP,SC/CM', 'the RIS is told of its exam too')
})

const shown = (accession: string) =>
  eventually(async () => (await hospital.found(accession))[0], `${accession} is on the worklist`)

test('I6: an Orthanc that is made anew is read from its beginning, and nobody is told anything twice', async () => {
  hospital = await startHospital()
  await hospital.order({ accession: 'N1' })
  const item = await shown('N1')
  await hospital.scan(item)
  await eventually(() => hospital.ris.of('N1').includes('SC/CM'), 'the first exam is told')
  await hospital.order({ accession: 'N2' })
  const next = await shown('N2')
  process.kill(hospital.orthanc.pid, 'SIGKILL')
  await eventually(() => states().then((all) => String(all) === 'orthanc orthanc down'), 'it is away')
  rmSync(join(hospital.orthanc.dir, 'db'), { recursive: true })
  await hospital.orthanc.restart()
  // The archive gives back what was there; a modality goes on.
  await hospital.scan(item)
  await hospital.scan(next)
  await eventually(() => hospital.ris.of('N2').includes('SC/CM'), 'the exam of after is told')
  expect([hospital.ris.of('N1'), hospital.ris.of('N2')]).toEqual([
    ['SC/IP', 'SC/CM'],
    ['SC/IP', 'SC/CM'],
  ])
})

test('I6: images that came while the engine was away, and whose rows were cleared, are told', async () => {
  hospital = await startHospital()
  await hospital.order({ accession: 'L1' })
  await hospital.order({ accession: 'L2' })
  const [first, missed] = [await shown('L1'), await shown('L2')]
  await hospital.scan(first)
  await eventually(() => hospital.ris.of('L1').includes('SC/CM'), 'the first exam is told')
  // Killed before it has noted the answer, the engine would rightly tell it once more (I7).
  await eventually(async () => {
    const { items } = await hospital.engine.api<{ items: { waiting: number }[] }>('/api/destinations')
    return items.every(({ waiting }) => waiting === 0)
  }, 'the answer is noted')
  await hospital.engine.crash()
  await hospital.scan(missed)
  await fetch(`${hospital.orthanc.httpUrl}/changes`, { method: 'DELETE' })
  await hospital.engine.restart()
  await eventually(() => hospital.ris.of('L2').includes('SC/CM'), 'the exam of meanwhile is told')
  expect([hospital.ris.of('L1'), hospital.ris.of('L2')]).toEqual([
    ['SC/IP', 'SC/CM'],
    ['SC/IP', 'SC/CM'],
  ])
})

test('I10: after an engine was away Orthanc shows what is true now', async () => {
  hospital = await startHospital({ orthancEnv: { WORKLANE_SNAPSHOT_SECONDS: '1' } })
  await hospital.order({ accession: 'S1' })
  await shown('S1')
  await eventually(async () => {
    const status = await fetch(`${hospital.orthanc.httpUrl}/worklane/status`)
    return ((await status.json()) as { snapshot: { count: number } }).snapshot.count === 1
  }, 'the plugin has its snapshot')
  // The engine is alone for a while: its Orthanc stands still, sees nothing, and wakes when the engine is gone.
  hospital.orthanc.pause()
  await hospital.order({ accession: 'S1', control: 'CA', controlId: 'CA-S1' })
  await hospital.order({ accession: 'S2' })
  await hospital.engine.crash()
  hospital.orthanc.resume()
  expect((await hospital.worklist()).map((item) => item['AccessionNumber'])).toEqual(['S1'])
  await hospital.engine.restart()
  await eventually(
    async () => (await hospital.worklist()).every((item) => item['AccessionNumber'] === 'S2'),
    'it shows what is true now',
  )
})
