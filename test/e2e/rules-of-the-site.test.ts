import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { makeImage } from '../support/dcmtk.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

async function aHospital(settings: Readonly<Record<string, unknown>>): Promise<Hospital> {
  const hospital = await startHospital({ quietSeconds: 3600, settings })
  undo.push(() => hospital.end())
  return hospital
}

const told = ({ ris }: Hospital, accession: string): string => ris.of(accession).join(' ')

/** An order that a modality sees. */
async function ordered(hospital: Hospital, accession: string, modality: string) {
  await hospital.order({ accession, modality, patientId: `P-${accession}^^^HOSP^MR` })
  return eventually(async () => (await hospital.found(accession))[0], `the item of ${accession}`)
}

test('an ultrasound is over soon, by its rule; a CT waits for its own quiet time', async () => {
  const hospital = await aHospital({
    'completion.rules': [{ modalities: ['US'], policy: 'quiet', quietSeconds: 1 }],
  })
  const ct = await ordered(hospital, 'RULECT', 'CT')
  const us = await ordered(hospital, 'RULEUS', 'US')
  await hospital.scan(ct)
  await hospital.scan(us)
  await eventually(() => told(hospital, 'RULEUS') === 'SC/IP SC/CM', 'the ultrasound is over')
  await eventually(() => told(hospital, 'RULECT') === 'SC/IP', 'the CT has begun')
})

/** Stores an image as STOW-RS and uploads do: by HTTP. */
async function upload({ orthanc }: Hospital, tags: Parameters<typeof makeImage>[0]['tags']): Promise<void> {
  const folder = temporaryFolder()
  try {
    const file = await makeImage({ dir: folder.path, ...(tags === undefined ? {} : { tags }) })
    const answer = await fetch(`${orthanc.httpUrl}/instances`, { method: 'POST', body: readFileSync(file) })
    expect(answer.status).toBe(200)
  } finally {
    folder.remove()
  }
}

test.each([
  ['starts the exam where the site says that modalities store so', ['DicomProtocol', 'RestApi'], 'STARTED'],
  ['starts nothing otherwise', ['DicomProtocol'], 'SCHEDULED'],
])('what comes by HTTP %s', async (_, origins, expected) => {
  const hospital = await aHospital({ 'orthancs.0.origins': origins })
  const item = await ordered(hospital, 'BYHTTP', 'CT')
  await upload(hospital, {
    PatientID: item['PatientID'] ?? '',
    PatientName: item['PatientName'] ?? '',
    AccessionNumber: 'BYHTTP',
    StudyInstanceUID: item['StudyInstanceUID'] ?? '',
    Modality: 'CT',
  })
  interface Orders {
    readonly items: readonly { readonly id: string; readonly steps: readonly { readonly stepStatus: string }[] }[]
  }
  const seen = async (): Promise<number> =>
    (await hospital.engine.api<{ total: number }>('/api/studies?accession=BYHTTP')).total
  await eventually(async () => (await seen()) === 1, 'the study is known')
  const { items } = await hospital.engine.api<Orders>('/api/orders?accession=BYHTTP')
  expect(items.map(({ steps }) => steps.map(({ stepStatus }) => stepStatus))).toEqual([[expected]])
})
