import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { makeImage, newUid, storeImages } from '../support/dcmtk.ts'
import { startHospital, stepOf, type Hospital } from '../support/hospital.ts'
import { startOrthanc, type RunningOrthanc } from '../support/orthanc.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

/** Which images belong to which order, with real images, in an Orthanc that the modalities send to and one that keeps copies. */
let hospital: Hospital
let archive: RunningOrthanc
const folder = temporaryFolder()
beforeAll(async () => {
  archive = await startOrthanc({ plugin: 'none' })
  const second = { name: 'archive', url: archive.httpUrl, target: 'none', pollSeconds: 1 }
  hospital = await startHospital({ quietSeconds: 2, settings: { 'orthancs.1': second } })
})
afterAll(async () => {
  await hospital.end()
  await archive.kill()
  folder.remove()
})

const heard = (accession: string, ...words: string[]): Promise<unknown> =>
  eventually(() => hospital.ris.of(accession).join(' ') === words.join(' '), `the RIS heard ${words.join(' ')}`)

interface Known {
  readonly id: string
  readonly steps: readonly { readonly stepStatus: string }[]
}

async function known(accession: string): Promise<Known> {
  const { items } = await hospital.engine.api<{ items: readonly Known[] }>(`/api/orders?accession=${accession}`)
  if (items[0] === undefined) throw new Error(`${accession} is not known`)
  return items[0]
}

const stepStatuses = async (accession: string): Promise<readonly string[]> =>
  (await known(accession)).steps.map(({ stepStatus }) => stepStatus)

async function scheduled(accession: string, more: Partial<Parameters<Hospital['order']>[0]> = {}): Promise<Dataset> {
  expect(await hospital.order({ accession, ...more })).toBe('AA')
  return eventually(async () => (await hospital.found(accession))[0], `${accession} is shown`)
}

/** One image, as a file that can be sent to whoever. */
const image = (tags: Dataset): Promise<string> => makeImage({ dir: folder.path, tags })

const asked = (item: Dataset): Dataset => ({
  RequestedProcedureID: item['RequestedProcedureID'] ?? '',
  ScheduledProcedureStepID: stepOf(item)['ScheduledProcedureStepID'] ?? '',
})

function uidOf({ StudyInstanceUID: uid }: Dataset): string {
  return typeof uid === 'string' ? uid : ''
}

async function orthancStudy(studyInstanceUid: string): Promise<string> {
  const found = await eventually(async () => {
    const answer = await fetch(`${hospital.orthanc.httpUrl}/tools/lookup`, { method: 'POST', body: studyInstanceUid })
    const list = (await answer.json()) as readonly { readonly ID: string; readonly Type: string }[]
    return list.find(({ Type }) => Type === 'Study')?.ID
  }, 'Orthanc has the study')
  return found
}

describe('one acquisition, one order or several', () => {
  test('MESA 106, the group case: two orders with numbers of their own begin and end with one acquisition', async () => {
    const first = await scheduled('G1', { requestedProcedure: 'RPG1', stepId: 'SG1' })
    const second = await scheduled('G2', { requestedProcedure: 'RPG2', stepId: 'SG2' })
    expect(first['StudyInstanceUID']).not.toBe(second['StudyInstanceUID'])
    await hospital.scan(first, { RequestAttributesSequence: [asked(first), asked(second)] })
    await heard('G1', 'SC/IP', 'SC/CM')
    await heard('G2', 'SC/IP', 'SC/CM')
  })

  test('a modality that made its own Study Instance UID, and split the exam over two studies: one exam', async () => {
    const item = await scheduled('S1')
    const own = { RequestAttributesSequence: '' }
    await hospital.scan(item, { ...own, StudyInstanceUID: newUid() })
    await heard('S1', 'SC/IP')
    await hospital.scan(item, { ...own, StudyInstanceUID: newUid() })
    await heard('S1', 'SC/IP', 'SC/CM')
  })

  test('I11: the study of an order under another Patient ID moves nothing, until a person links it', async () => {
    const item = await scheduled('X1')
    await hospital.scan(item, { PatientID: '4799' })
    await eventually(
      () => hospital.engine.lines().some(({ event, code }) => event === 'someone should look' && code === 'E610'),
      'the mismatch is raised',
    )
    expect([await stepStatuses('X1'), hospital.ris.of('X1')]).toEqual([['SCHEDULED'], []])
    const study = await orthancStudy(uidOf(item))
    const answer = await fetch(`${hospital.engine.httpUrl}/api/orders/${(await known('X1')).id}/link?wait=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hospital.engine.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ study: `orthanc/${study}`, by: 'meier', reason: 'the ID was typed at the console' }),
    })
    expect(answer.status).toBe(200)
    await heard('X1', 'SC/IP', 'SC/CM')
  })
})

describe('what is no new image', () => {
  test('images of the next visit to the machine, after CM, are told to nobody; deleting the study neither', async () => {
    const item = await scheduled('L1')
    await hospital.scan(item)
    await heard('L1', 'SC/IP', 'SC/CM')
    await hospital.scan(item)
    const study = await orthancStudy(uidOf(item))
    await fetch(`${hospital.orthanc.httpUrl}/studies/${study}`, { method: 'DELETE' })
    // Another exam shows that all of it has been read.
    await hospital.scan(await scheduled('L2'))
    await heard('L2', 'SC/IP', 'SC/CM')
    expect([await stepStatuses('L1'), hospital.ris.of('L1')]).toEqual([['COMPLETED'], ['SC/IP', 'SC/CM']])
  })

  test('an anonymised copy that keeps its Study Instance UID, and one with the number of another order, are of nobody', async () => {
    const item = await scheduled('C1')
    await scheduled('C2')
    await hospital.scan(item)
    await heard('C1', 'SC/IP', 'SC/CM')
    const study = await orthancStudy(uidOf(item))
    const before = hospital.engine.lines().filter(({ event }) => event === 'someone should look').length
    for (const [how, body] of [
      ['anonymize', { Keep: ['StudyInstanceUID', 'AccessionNumber'], Force: true }],
      ['modify', { Replace: { AccessionNumber: 'C2' } }],
    ] as const) {
      const answer = await fetch(`${hospital.orthanc.httpUrl}/studies/${study}/${how}`, {
        method: 'POST',
        body: JSON.stringify(body),
      })
      expect(answer.status).toBe(200)
    }
    await hospital.scan(await scheduled('C3'))
    await heard('C3', 'SC/IP', 'SC/CM')
    expect([await stepStatuses('C2'), hospital.ris.of('C2')]).toEqual([['SCHEDULED'], []])
    expect(hospital.engine.lines().filter(({ event }) => event === 'someone should look')).toHaveLength(before)
  })

  test('a second Orthanc holding a copy: one IP, one CM, whichever of the two has it first', async () => {
    for (const [accession, ports] of [
      ['D1', [hospital.orthanc.dicomPort, archive.dicomPort]],
      ['D2', [archive.dicomPort, hospital.orthanc.dicomPort]],
    ] as const) {
      const item = await scheduled(accession)
      const file = await image({
        PatientID: item['PatientID'] ?? '',
        AccessionNumber: accession,
        StudyInstanceUID: item['StudyInstanceUID'] ?? '',
      })
      for (const port of ports) {
        await storeImages(port, [file])
        await heard(accession, 'SC/IP')
      }
      await heard(accession, 'SC/IP', 'SC/CM')
      await eventually(async () => {
        const { items } = await hospital.engine.api<{ items: readonly { readonly key: string }[] }>(
          `/api/studies?studyInstanceUid=${uidOf(item)}`,
        )
        return items.length === 2
      }, 'both have it')
    }
  })
})
