import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newUid } from '../support/dcmtk.ts'
import { daysLater } from '../support/engine.ts'
import { watchExams } from '../support/exam.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { eventually } from '../support/temporary.ts'

/**
 * When an exam is over, in the cases that `end-of-exam.test.ts` leaves: by station, by the
 * pauses within it, by a cancel, and by nobody coming. `cases.test.ts` says where each case is tested.
 */
let hospital: Hospital
let exams: ReturnType<typeof watchExams>
beforeAll(async () => {
  hospital = await startHospital({
    quietSeconds: 3600,
    settings: {
      'completion.rules': [
        { stations: ['DX01'], policy: 'stable' },
        { modalities: ['DX', 'CR'], policy: 'quiet', quietSeconds: 3000 },
        { modalities: ['US'], policy: 'quiet', quietSeconds: 3 },
      ],
      'noShow.days': 2,
    },
  })
  exams = watchExams(hospital)
})
afterAll(() => hospital.end())

const untouched = { seen: ['MR-STEP SCHEDULED'], steps: ['MR-STEP SCHEDULED'], heard: [], raised: [] }
const started = { seen: ['MR-STEP STARTED'], steps: ['MR-STEP STARTED'], heard: ['SC/IP'], raised: [] }

const patientOf = (accession: string) => ({ accession, patientId: `P-${accession}^^^HOSP^MR`, modality: 'MR' })

describe('completion', () => {
  test('policies per modality and station: the first rule that fits counts', async () => {
    const digital = await exams.scheduled('WHERE1', { modality: 'DX' })
    const plates = await exams.scheduled('WHERE2', { modality: 'CR' })
    await hospital.store({ ...plates, Modality: 'CR' })
    await hospital.store({ ...digital, Modality: 'DX' })
    await exams.becomes('WHERE1', { seen: [], steps: ['DX-STEP COMPLETED'], heard: ['SC/IP', 'SC/CM'], raised: [] })
    const now = ['CR-STEP STARTED']
    await exams.stays('WHERE2', { seen: now, steps: now, heard: ['SC/IP'], raised: [] })
    const { lastImageAt = '' } = await exams.known('WHERE2')
    expect(Date.parse((await exams.quietDue('WHERE2')) ?? '') - Date.parse(lastImageAt)).toBe(3000 * 1000)
  })

  test('new images restart the timer; a stable study, a killed engine and a killed Orthanc do not', async () => {
    const booking = await exams.scheduled('PAUSE1')
    const studyInstanceUid = booking.StudyInstanceUID
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('PAUSE1', started)
    const first = (await exams.quietDue('PAUSE1')) ?? ''
    // The contrast pause: Orthanc calls the study stable, and nothing is over.
    await eventually(async () => (await exams.studies({ studyInstanceUid }))[0]?.stable, 'it is stable')
    await exams.settled()
    await hospital.engine.restart()
    await hospital.orthanc.restart()
    await exams.stays('PAUSE1', started)
    expect(await exams.quietDue('PAUSE1')).toBe(first)
    await hospital.store({ ...booking, Modality: 'MR' })
    await eventually(async () => ((await exams.quietDue('PAUSE1')) ?? '') > first, 'the timer begins anew')
    await exams.stays('PAUSE1', started)
  })

  test('a timer that ended while the engine was away: images of meanwhile are of the exam, not late for it', async () => {
    const booking = await exams.scheduled('PAUSE2', { modality: 'US' })
    await hospital.store({ ...booking, Modality: 'US' })
    await eventually(() => hospital.ris.of('PAUSE2').includes('SC/IP'), 'the timer runs')
    await exams.settled()
    await hospital.engine.crash()
    const ended = Date.now() + 3000
    await eventually(() => Date.now() > ended, 'it would have ended')
    await hospital.store({ ...booking, Modality: 'US' })
    await hospital.engine.restart()
    const over = { seen: [], steps: ['US-STEP COMPLETED'], heard: ['SC/IP', 'SC/CM'], raised: [] }
    await exams.becomes('PAUSE2', over)
    expect(await exams.studies({ studyInstanceUid: booking.StudyInstanceUID })).toMatchObject([{ series: 2 }])
    expect(await exams.story('PAUSE2')).not.toContain('late images arrived')
  })

  test('discontinued when a CA comes after the first image; the RIS does not hear its own words', async () => {
    const booking = await exams.scheduled('STOP1')
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('STOP1', started)
    expect(await hospital.order({ ...patientOf('STOP1'), control: 'CA' })).toBe('AA')
    const over = { seen: [], steps: ['MR-STEP DISCONTINUED'], heard: ['SC/IP'], raised: [] }
    await exams.becomes('STOP1', over)
    // The rest of the series that was being sent.
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.stays('STOP1', over)
    expect(await exams.quietDue('STOP1')).toBeUndefined()
  })

  test('images for a step that was cancelled before them start nothing and are raised (E612)', async () => {
    const booking = await exams.scheduled('STOP2')
    expect(await hospital.order({ ...patientOf('STOP2'), control: 'CA' })).toBe('AA')
    const canceled = { seen: [], steps: ['MR-STEP CANCELED'], heard: [], raised: [] }
    await exams.becomes('STOP2', canceled)
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('STOP2', { ...canceled, raised: ['E612'] })
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.stays('STOP2', { ...canceled, raised: ['E612'] })
  })
})

// Last: for this engine it is another day from here on.
describe('no-show', () => {
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  const inDays = (days: number): string =>
    new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '')

  test('expiry of steps never started: after the scheduled day plus a configurable time EXPIRED, hidden, listed', async () => {
    await exams.scheduled('NOSHOW1', { start: `${today}101500` })
    await exams.scheduled('NOSHOW2', { start: '20200101101500' })
    const begun = await exams.scheduled('NOSHOW3', { start: `${today}101500` })
    await exams.scheduled('NOSHOW4', { start: `${inDays(3)}101500` })
    await hospital.store({ ...begun, Modality: 'MR' })
    await exams.becomes('NOSHOW3', started)
    // A day long past: nobody could have come before the order was there.
    await exams.becomes('NOSHOW2', untouched)

    await exams.settled()
    await hospital.engine.restart(daysLater(4))
    for (const accession of ['NOSHOW1', 'NOSHOW2']) {
      await exams.becomes(accession, { ...untouched, seen: [], steps: ['MR-STEP EXPIRED'] })
    }
    const { items } = await hospital.engine.api<{ items: readonly { id: string }[] }>('/api/orders?stepStatus=EXPIRED')
    const listed = await Promise.all(['NOSHOW1', 'NOSHOW2'].map(exams.known))
    expect(items.map(({ id }) => id).sort()).toEqual(listed.map(({ id }) => id).sort())
    await exams.becomes('NOSHOW4', untouched)
    // What has begun ends by its own rule.
    await exams.becomes('NOSHOW3', {
      seen: [],
      steps: ['MR-STEP COMPLETED'],
      heard: ['SC/IP', 'SC/CM'],
      raised: [],
    })
  })

  test('images for a step that has expired start nothing and are raised (E612), until the RIS plans it again', async () => {
    const { studyInstanceUid } = await exams.known('NOSHOW1')
    await hospital.store({ PatientID: 'P-NOSHOW1', StudyInstanceUID: studyInstanceUid, Modality: 'MR' })
    const expired = { seen: [], steps: ['MR-STEP EXPIRED'], heard: [], raised: ['E612'] }
    await exams.becomes('NOSHOW1', expired)
    const again = { ...patientOf('NOSHOW1'), stepId: 'MR-STEP', control: 'XO', start: `${inDays(5)}080000` }
    expect(await hospital.order({ ...again, sent: `${inDays(4)}093000` })).toBe('AA')
    await exams.becomes('NOSHOW1', { ...untouched, raised: ['E612'] })
    await hospital.store({
      PatientID: 'P-NOSHOW1',
      AccessionNumber: 'NOSHOW1',
      StudyInstanceUID: newUid(),
      Modality: 'MR',
    })
    await exams.becomes('NOSHOW1', { ...started, raised: ['E612'] })
  })
})
