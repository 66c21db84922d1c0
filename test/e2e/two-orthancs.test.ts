import { afterEach, expect, test } from 'vitest'
import type { KeptRow } from '../../src/core/ports.ts'
import { testToken } from '../support/engine.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { findWorklist } from '../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../support/orthanc.ts'
import { eventually, freePort } from '../support/temporary.ts'

/** One engine with two Orthancs, of which one stands still, is away, or is made anew. */
let hospital: Hospital
let second: RunningOrthanc
afterEach(async () => {
  second?.resume()
  await second?.kill()
  await hospital?.end()
})

/** The hospital's own Orthanc is called `orthanc`; the one that stands still is the first of the list. */
async function startTwo(): Promise<void> {
  const httpPort = await freePort()
  second = await startOrthanc({
    plugin: 'worklane',
    env: { WORKLANE_URL: `http://127.0.0.1:${httpPort}`, WORKLANE_TOKEN: testToken },
  })
  second.pause()
  hospital = await startHospital({
    httpPort,
    settings: { 'orthancs.1': { name: 'other', url: second.httpUrl, target: 'plugin', pollSeconds: 1 } },
  })
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
  await startTwo()
  expect(await hospital.order({ accession: 'T1' })).toBe('AA')
  const [item = {}] = await eventually(async () => {
    const found = await hospital.found('T1')
    return found.length === 1 ? found : undefined
  }, 'it is on the worklist')
  await hospital.scan(item)
  await eventually(() => String(hospital.ris.of('T1')) === 'SC/IP,SC/CM', 'the RIS is told of all of it', 20)
  const study = await fetch(`${hospital.orthanc.httpUrl}/studies`).then((answer) => answer.json() as Promise<string[]>)
  await fetch(`${hospital.orthanc.httpUrl}/studies/${study[0]}`, { method: 'DELETE' })
  await eventually(async () => (await told('orthanc')).includes('Deleted'), 'what its plugin saw is told', 15)
  await eventually(async () => String(await states()) === 'orthanc orthanc up,orthanc other down', 'health says which')

  // When it goes on, it is asked by its own modalities, and its images are told of as well.
  expect(await hospital.order({ accession: 'T2' })).toBe('AA')
  second.resume()
  const [later = {}] = await eventually(async () => {
    const found = await findWorklist({ port: second.dicomPort, keys: ['AccessionNumber=T2'] })
    return found.length === 1 ? found : undefined
  }, 'it answers what came meanwhile')
  await hospital.store(
    {
      PatientID: later['PatientID'] ?? '',
      PatientName: later['PatientName'] ?? '',
      AccessionNumber: 'T2',
      StudyInstanceUID: later['StudyInstanceUID'] ?? '',
    },
    { port: second.dicomPort },
  )
  await eventually(() => String(hospital.ris.of('T2')) === 'SC/IP,SC/CM', 'the RIS is told of its exam too')
})
