import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, pathOf, textAt } from '../../src/hl7/index.ts'
import { newUid } from '../support/dcmtk.ts'
import { daysLater } from '../support/engine.ts'
import { askOrthanc, studyIn, watchExams } from '../support/exam.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { startRis, type Ris } from '../support/ris.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

/** A status pipeline of the site that listens to every event which the engine derives, with a real Orthanc. */
const events = [
  ['started', 'completed', 'discontinued', 'canceled', 'expired', 'reopened', 'stable', 'lateImages', 'deleted'],
  ['unmatched', 'ambiguous', 'mismatch'],
].flat()

const pipeline = `pipeline: watch
from: any
to: monitor
version: 2.5.1
on:
${events.map((kind) => `  ${kind}: { message: ORU^R01 }`).join('\n')}
map:
  MSH-3: { value: WORKLANE }
  OBR-4: event.kind
  OBR-18: [item.AccessionNumber, study.AccessionNumber]
  OBX-5: study.StudyInstanceUID
`

const folder = temporaryFolder()
let monitor: Ris
let hospital: Hospital
let exams: ReturnType<typeof watchExams>
beforeAll(async () => {
  const pipelines = join(folder.path, 'pipelines')
  cpSync(resolve(import.meta.dirname, '../../pipelines'), pipelines, { recursive: true })
  mkdirSync(join(pipelines, 'watch'))
  writeFileSync(join(pipelines, 'watch/pipeline.yaml'), pipeline)
  monitor = await startRis()
  const retry = { firstSeconds: 1, maxSeconds: 1 }
  hospital = await startHospital({
    completion: 'stable',
    settings: {
      'folders.pipelines': pipelines,
      'completion.rules': [{ modalities: ['XA'], policy: 'ris' }],
      'sources.0.destination': 'ris',
      'destinations.1': { name: 'monitor', host: '127.0.0.1', port: monitor.port, retry },
    },
  })
  exams = watchExams(hospital)
})
afterAll(async () => {
  await hospital.end()
  await monitor.stop()
  folder.remove()
})

/** What the monitor heard of an accession number, oldest first. */
function heard(accession: string): readonly string[] {
  return monitor.told.flatMap(({ bytes }) => {
    const parsed = parse(bytes)
    const field = (path: string): string =>
      parsed.kind === 'message' ? textAt(parsed.message, pathOf(path)) : 'unreadable'
    return field('OBR-18') === accession ? [field('OBR-4')] : []
  })
}

const hears = (accession: string, ...kinds: readonly string[]): Promise<unknown> =>
  eventually(() => heard(accession).join(' ') === kinds.join(' '), `${accession}: ${kinds.join(' ')}`)

async function byHand(accession: string, verb: 'cancel' | 'reopen'): Promise<void> {
  const { id } = await exams.known(accession)
  const answer = await fetch(`${hospital.engine.httpUrl}/api/orders/${id}/${verb}?wait=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hospital.engine.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'meier', reason: 'a test' }),
  })
  expect(answer.status).toBe(200)
}

test('started, stable, completed, lateImages, deleted: one exam from its first image to its end and after', async () => {
  const booking = await exams.scheduled('EVENT1')
  await hospital.store({ ...booking, Modality: 'MR' })
  await hears('EVENT1', 'started', 'stable', 'completed')
  await hospital.store({ ...booking, Modality: 'MR' })
  await hears('EVENT1', 'started', 'stable', 'completed', 'lateImages', 'stable')
  const study = await studyIn(hospital.orthanc, booking.StudyInstanceUID)
  await askOrthanc(hospital.orthanc, 'DELETE', `/studies/${study}`)
  await hears('EVENT1', 'started', 'stable', 'completed', 'lateImages', 'stable', 'deleted')
  expect(hospital.ris.of('EVENT1')).toEqual(['SC/IP', 'SC/CM'])
})

test('canceled, reopened, discontinued: by hand; what the RIS did itself is no event', async () => {
  const ours = await exams.scheduled('EVENT2', { modality: 'XA' })
  await byHand('EVENT2', 'cancel')
  await byHand('EVENT2', 'reopen')
  await hears('EVENT2', 'canceled', 'reopened')
  const theirs = await exams.scheduled('EVENT3', { modality: 'XA' })
  for (const booking of [ours, theirs]) await hospital.store({ ...booking, Modality: 'XA' })
  await eventually(() => heard('EVENT3').includes('started'), 'both have begun')
  await hospital.order({ accession: 'EVENT3', patientId: 'P-EVENT3^^^HOSP^MR', control: 'CA' })
  await exams.becomes('EVENT3', { seen: [], steps: ['XA-STEP DISCONTINUED'], heard: ['SC/IP'], raised: [] })
  await byHand('EVENT2', 'cancel')
  const over = ['SC/CA', 'SC/SC', 'SC/IP', 'SC/DC']
  await exams.becomes('EVENT2', { seen: [], steps: ['XA-STEP DISCONTINUED'], heard: over, raised: [] })
  const unstable = (accession: string) => heard(accession).filter((kind) => kind !== 'stable')
  await eventually(() => unstable('EVENT2').includes('discontinued'), 'the monitor is told')
  expect(unstable('EVENT2')).toEqual(['canceled', 'reopened', 'started', 'discontinued'])
  expect(unstable('EVENT3')).toEqual(['started'])
})

test('unmatched, ambiguous, mismatch: once for each study, with its number and its UID', async () => {
  const patientId = 'P-EVENT4^^^HOSP^MR'
  const booking = await exams.scheduled('EVENT4', { patientId })
  const uid = newUid()
  for (let series = 0; series < 2; series++) {
    await hospital.store({ PatientID: 'P-NOBODY', AccessionNumber: 'NOBODYS', StudyInstanceUID: uid, Modality: 'MR' })
    await hospital.store({ ...booking, PatientID: 'P-OTHER', Modality: 'MR' })
  }
  const twins = { patientId, studyInstanceUid: newUid() }
  for (const accession of ['EVENT5', 'EVENT6']) await exams.scheduled(accession, twins)
  const either = { PatientID: 'P-EVENT4', AccessionNumber: 'EITHER', StudyInstanceUID: twins.studyInstanceUid }
  await hospital.store({ ...either, Modality: 'MR' })
  await hears('EITHER', 'ambiguous')
  await hears('NOBODYS', 'unmatched')
  await hears('EVENT4', 'mismatch')
  await exams.passed()
  expect(['EVENT4', 'EVENT5', 'EVENT6', 'NOBODYS', 'EITHER'].map((one) => heard(one).length)).toEqual([1, 0, 0, 1, 1])
  expect(
    monitor.told.some(({ bytes }) => Buffer.from(bytes).includes(`unmatched`) && Buffer.from(bytes).includes(uid)),
  ).toBe(true)
})

// Last: for this engine it is another day from here on.
test('expired: nobody came, and nobody but the monitor is told', async () => {
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  await exams.scheduled('EVENT7', { start: `${today}101500` })
  await hospital.engine.restart(daysLater(9))
  await hears('EVENT7', 'expired')
  await exams.becomes('EVENT7', { seen: [], steps: ['MR-STEP EXPIRED'], heard: [], raised: [] })
})
