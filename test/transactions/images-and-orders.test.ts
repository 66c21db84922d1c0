import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { makeImage, newUid, storeImages } from '../support/dcmtk.ts'
import { documentKinds, makeDocument } from '../support/documents.ts'
import { askOrthanc, studyIn, watchExams, type Booking } from '../support/exam.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { adt } from '../support/message.ts'
import { startOrthanc, type RunningOrthanc } from '../support/orthanc.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

/**
 * Which images belong to which order, case by case and per series: what a modality is
 * shown, what the engine says, what the RIS was told, and what a person was told to look at.
 * `cases.test.ts` says where each case is tested.
 *
 * An exam ends only where its case is about that: the others stay STARTED.
 */
let hospital: Hospital
let archive: RunningOrthanc
let exams: ReturnType<typeof watchExams>
const folder = temporaryFolder()
beforeAll(async () => {
  archive = await startOrthanc({ plugin: 'none' })
  hospital = await startHospital({
    quietSeconds: 3600,
    settings: {
      'completion.rules': [{ modalities: ['CT', 'PT', 'US'], policy: 'quiet', quietSeconds: 3 }],
      'orthancs.1': {
        name: 'archive',
        url: archive.httpUrl,
        target: 'none',
        pollSeconds: 1,
        origins: ['DicomProtocol', 'RestApi'],
      },
    },
  })
  exams = watchExams(hospital)
})
afterAll(async () => {
  await hospital.end()
  await archive.kill()
  folder.remove()
})

const asked = (accession: string, stepId: string): Dataset => ({
  RequestedProcedureID: `RP-${accession}`,
  ScheduledProcedureStepID: stepId,
})

/** Of this patient, and of no order that anything but the Request Attributes Sequence or the accession number would tell. */
const ownStudy = ({ PatientID }: Booking): Dataset => ({ PatientID, StudyInstanceUID: newUid() })
/** The study that was ordered, under no number. */
const orderedStudy = ({ PatientID, StudyInstanceUID }: Booking): Dataset => ({ PatientID, StudyInstanceUID })

const untouched = { seen: ['MR-STEP SCHEDULED'], steps: ['MR-STEP SCHEDULED'], heard: [], raised: [] }
const started = { seen: ['MR-STEP STARTED'], steps: ['MR-STEP STARTED'], heard: ['SC/IP'], raised: [] }

describe('per series', () => {
  test('Request Attributes Sequence: every item starts its step, and no other step', async () => {
    const booking = await exams.scheduled('RAS1', { stepId: 'A' }, { stepId: 'B' }, { stepId: 'C' })
    await hospital.store({
      ...ownStudy(booking),
      Modality: 'MR',
      RequestAttributesSequence: [asked('ELSEWHERE', 'A'), asked('RAS1', 'A'), asked('RAS1', 'B')],
    })
    const now = ['A STARTED', 'B STARTED', 'C SCHEDULED']
    await exams.becomes('RAS1', { seen: now, steps: now, heard: ['SC/IP'], raised: [] })
    await hospital.store({
      ...ownStudy(booking),
      Modality: 'SC',
      RequestAttributesSequence: [asked('RAS1', 'C')],
    })
    const all = ['A STARTED', 'B STARTED', 'C STARTED']
    await exams.becomes('RAS1', { seen: all, steps: all, heard: ['SC/IP'], raised: [] })
  })

  test('Study Instance UID + modality/station: of the steps of a study those that the series tells apart', async () => {
    const modalities = ['CR', 'DX', 'MR', 'RG']
    const booking = await exams.scheduled('UID1', ...modalities.map((modality) => ({ modality })))
    const becomes = (...begun: readonly string[]): Promise<void> => {
      const now = modalities.map((one) => `${one}-STEP ${begun.includes(one) ? 'STARTED' : 'SCHEDULED'}`)
      return exams.becomes('UID1', { seen: now, steps: now, heard: ['SC/IP'], raised: [] })
    }
    await hospital.store({ ...orderedStudy(booking), Modality: 'MR', StationName: 'ELSEWHERE' })
    await becomes('MR')
    // The detector writes DX, whatever of the three the worklist said: the station is what tells.
    await hospital.store({ ...orderedStudy(booking), Modality: 'DX', StationName: 'CR01' })
    await becomes('MR', 'CR')
    // A station may call itself something else, and still store by its AE title.
    await hospital.store({ ...orderedStudy(booking), Modality: 'CR', StationName: 'ROOM 7' }, { calling: 'DX01' })
    await becomes('MR', 'CR', 'DX')
  })

  test.each([
    ['that agrees', 'HOSP'],
    ['that the images lack', ''],
  ])('accession + issuer + patient: an issuer %s', async (_, issuer) => {
    const accession = issuer === '' ? 'ACC1' : 'ACC2'
    const booking = await exams.scheduled(accession)
    const typed = { ...ownStudy(booking), AccessionNumber: accession, IssuerOfPatientID: issuer }
    await hospital.store({ ...typed, Modality: 'MR' })
    await exams.becomes(accession, started)
  })

  test('accession + issuer + patient: the same Patient ID of another issuer is another patient, a mismatch (E610)', async () => {
    const booking = await exams.scheduled('ACC3')
    const uid = newUid()
    await hospital.store({
      ...booking,
      StudyInstanceUID: uid,
      IssuerOfPatientID: 'CLINIC',
      Modality: 'MR',
    })
    await exams.becomes('ACC3', { ...untouched, raised: ['E610'] })
    await exams.stays('ACC3', { ...untouched, raised: ['E610'] })
    expect(await exams.studies({ studyInstanceUid: uid })).toMatchObject([{ credit: 'mismatch' }])
  })

  test('I11: mismatch: the study of one order under the accession number of another patient starts neither (E610)', async () => {
    const right = await exams.scheduled('MIS1')
    await exams.scheduled('MIS2')
    await hospital.store({ ...right, AccessionNumber: 'MIS2', Modality: 'MR' })
    await exams.becomes('MIS1', { ...untouched, raised: ['E610'] })
    // Nor do later series that would agree: one of the two patients is wrong, and nobody knows which.
    await hospital.store({ ...right, Modality: 'MR' })
    await exams.stays('MIS1', { ...untouched, raised: ['E610'] })
    await exams.stays('MIS2', { ...untouched, raised: ['E610'] })
  })

  test('mismatch: images under a Patient ID that was mistyped start nothing, until a person links their study', async () => {
    const booking = await exams.scheduled('MIS3')
    await hospital.store({ ...booking, PatientID: 'P-MIS33', Modality: 'MR' })
    await exams.becomes('MIS3', { ...untouched, raised: ['E610'] })
    const study = `orthanc/${await studyIn(hospital.orthanc, booking.StudyInstanceUID)}`
    const { httpUrl, token } = hospital.engine
    const answer = await fetch(`${httpUrl}/api/orders/${(await exams.known('MIS3')).id}/link?wait=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ study, by: 'meier', reason: 'typed at the console' }),
    })
    expect(answer.status).toBe(200)
    await exams.becomes('MIS3', { ...started, raised: ['E610'] })
  })

  test('ambiguous: two orders that nothing tells apart: neither starts (E611), until a series does tell', async () => {
    const studyInstanceUid = newUid()
    const patientId = 'P-AMB^^^HOSP^MR'
    const booking = await exams.scheduled('AMB1', { studyInstanceUid, patientId })
    await exams.scheduled('AMB2', { studyInstanceUid, patientId })
    await hospital.store({ ...orderedStudy(booking), Modality: 'MR', StationName: 'ELSEWHERE' })
    await exams.becomes('AMB1', { ...untouched, raised: ['E611'] })
    await exams.stays('AMB2', { ...untouched, raised: ['E611'] })
    expect(await exams.studies({ studyInstanceUid, credit: 'ambiguous' })).toHaveLength(1)
    await hospital.store({ ...orderedStudy(booking), AccessionNumber: 'AMB1', Modality: 'MR' })
    await exams.becomes('AMB1', { ...started, raised: ['E611'] })
    await exams.stays('AMB2', { ...untouched, raised: ['E611'] })
  })

  test('ambiguous: the study of one order under the accession number of another one of the patient: neither starts (E611)', async () => {
    const patientId = 'P-AMB3^^^HOSP^MR'
    const booking = await exams.scheduled('AMB3', { patientId })
    await exams.scheduled('AMB4', { patientId })
    await hospital.store({ ...booking, AccessionNumber: 'AMB4', Modality: 'MR' })
    await exams.becomes('AMB3', { ...untouched, raised: ['E611'] })
    await exams.stays('AMB4', { ...untouched, raised: ['E611'] })
  })

  test('ambiguous: what nothing tells apart, of an exam that goes on, is no pause of it', async () => {
    const twins = { patientId: 'P-AMB5^^^HOSP^MR', studyInstanceUid: newUid() }
    const booking = await exams.scheduled('AMB5', twins)
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('AMB5', started)
    await exams.scheduled('AMB6', twins)
    const before = (await exams.quietDue('AMB5')) ?? ''
    await hospital.store({ ...orderedStudy(booking), Modality: 'MR' })
    await exams.becomes('AMB5', { ...started, raised: ['E611'] })
    expect(((await exams.quietDue('AMB5')) ?? '') > before).toBe(true)
    await exams.becomes('AMB6', { ...untouched, raised: ['E611'] })
  })

  test('unmatched: images of a patient who has another order start nothing, and are listed', async () => {
    const booking = await exams.scheduled('UNM1')
    const study = { ...ownStudy(booking), AccessionNumber: 'TYPED-WRONG' }
    await hospital.store({ ...study, Modality: 'MR' })
    await exams.stays('UNM1', untouched)
    const listed = await exams.studies({ credit: 'unmatched', accession: 'TYPED-WRONG' })
    expect(listed).toMatchObject([{ credit: 'unmatched', orderIds: [], modalities: ['MR'] }])
  })

  test('non-image modalities (SR, KO, PR, DOC, SEG, OT) neither start an exam, nor delay its end, nor end it', async () => {
    const booking = await exams.scheduled('DOC1')
    const studyInstanceUid = booking.StudyInstanceUID
    const storeDocuments = async (): Promise<void> => {
      const files = await Promise.all(documentKinds.map((kind) => makeDocument(folder.path, kind, { ...booking })))
      await storeImages(hospital.orthanc.dicomPort, files)
    }
    await storeDocuments()
    await exams.stays('DOC1', untouched)
    const recorded = { credit: 'unmatched', modalities: ['DOC', 'KO', 'OT', 'PR', 'SEG', 'SR'], instances: 6 }
    expect(await exams.studies({ studyInstanceUid })).toMatchObject([recorded])

    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('DOC1', started)
    const due = await exams.quietDue('DOC1')
    expect(due).toBeDefined()
    await storeDocuments()
    await exams.stays('DOC1', started)
    expect(await exams.quietDue('DOC1')).toBe(due)

    await hospital.order({ accession: 'DOC1', control: 'SC', orderStatus: 'CM', patientId: 'P-DOC1^^^HOSP^MR' })
    await storeDocuments()
    await exams.stays('DOC1', { ...started, seen: [], steps: ['MR-STEP COMPLETED'] })
    expect(await exams.studies({ studyInstanceUid })).toMatchObject([{ credit: 'matched', instances: 19 }])
    expect(await exams.story('DOC1')).not.toContain('late images arrived')
  })
})

const completed = { seen: [], steps: ['CT-STEP COMPLETED'], heard: ['SC/IP', 'SC/CM'], raised: [] }

describe('one acquisition and several orders, one order and several studies', () => {
  test('MESA 106, the group case: one acquisition, two orders with studies of their own: both begin and end with it', async () => {
    const given = { patientId: 'P-GROUP^^^HOSP^MR', modality: 'CT' }
    const booking = await exams.scheduled('GROUP1', given)
    await exams.scheduled('GROUP2', given)
    await hospital.store({
      ...booking,
      Modality: 'CT',
      RequestAttributesSequence: [asked('GROUP1', 'CT-STEP'), asked('GROUP2', 'CT-STEP')],
    })
    for (const accession of ['GROUP1', 'GROUP2']) await exams.becomes(accession, completed)
    const orders = await Promise.all(['GROUP1', 'GROUP2'].map(exams.known))
    const [study] = await exams.studies({ studyInstanceUid: booking.StudyInstanceUID })
    expect(study?.orderIds).toEqual(orders.map(({ id }) => id).sort())
  })

  test('PET/CT: two steps, one UID: each begins with its own images; one IP, one CM', async () => {
    const booking = await exams.scheduled('PETCT1', { modality: 'PT' }, { modality: 'CT' })
    const both = ['CT-STEP SCHEDULED', 'PT-STEP SCHEDULED']
    await exams.becomes('PETCT1', { seen: both, steps: both, heard: [], raised: [] })
    const items = await hospital.found('PETCT1')
    expect(new Set(items.map(({ StudyInstanceUID }) => StudyInstanceUID))).toEqual(new Set([booking.StudyInstanceUID]))
    await hospital.store({ ...booking, Modality: 'CT' })
    await eventually(() => hospital.ris.of('PETCT1').includes('SC/IP'), 'the first part has begun')
    const { seen, steps } = await exams.exam('PETCT1')
    for (const shown of [seen, steps]) expect(shown).toContain('PT-STEP SCHEDULED')
    await hospital.store({ ...booking, Modality: 'PT' })
    const over = ['CT-STEP COMPLETED', 'PT-STEP COMPLETED']
    await exams.becomes('PETCT1', { seen: [], steps: over, heard: ['SC/IP', 'SC/CM'], raised: [] })
  })

  test('append and late images: what comes before the end is of the exam, what comes after it is recorded and told to nobody', async () => {
    const booking = await exams.scheduled('LATE1', { modality: 'US' })
    const series = { ...booking, Modality: 'US', SeriesInstanceUID: newUid() }
    await hospital.store(series)
    await eventually(() => hospital.ris.of('LATE1').includes('SC/IP'), 'the exam has begun')
    await hospital.store({ ...series, InstanceNumber: '2' })
    const over = { seen: [], steps: ['US-STEP COMPLETED'], heard: ['SC/IP', 'SC/CM'], raised: [] }
    await exams.becomes('LATE1', over)
    const studyInstanceUid = booking.StudyInstanceUID
    expect(await exams.studies({ studyInstanceUid })).toMatchObject([{ credit: 'matched', series: 1, instances: 2 }])
    // Once more to the same series, and a series of its own.
    await hospital.store({ ...series, InstanceNumber: '3' })
    await hospital.store({ ...booking, Modality: 'US' })
    await exams.stays('LATE1', over)
    expect(await exams.studies({ studyInstanceUid })).toMatchObject([{ credit: 'matched', series: 2, instances: 4 }])
    expect(await exams.story('LATE1')).toContain('late images arrived')
  })

  test('images split over two studies, of a modality that made its own UID: both are of the one exam', async () => {
    const booking = await exams.scheduled('SPLIT1')
    for (const n of [1, 2]) {
      await hospital.store({ ...booking, StudyInstanceUID: newUid(), SeriesNumber: String(n), Modality: 'MR' })
      await exams.becomes('SPLIT1', started)
    }
    await exams.stays('SPLIT1', started)
    const { id } = await exams.known('SPLIT1')
    expect(await exams.studies({ orderId: id })).toMatchObject([{ credit: 'matched' }, { credit: 'matched' }])
  })

  test('a study deleted: the exam goes on, and its story says so; nobody else is told', async () => {
    const booking = await exams.scheduled('DEL1')
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('DEL1', started)
    const { orthanc } = hospital
    await askOrthanc(orthanc, 'DELETE', `/studies/${await studyIn(orthanc, booking.StudyInstanceUID)}`)
    await eventually(async () => (await exams.story('DEL1')).includes('study deleted in Orthanc'), 'it is known')
    await exams.stays('DEL1', started)
    const studyInstanceUid = booking.StudyInstanceUID
    expect(await exams.studies({ studyInstanceUid })).toMatchObject([{ credit: 'matched', deleted: true }])
    await hospital.store({ ...booking, Modality: 'MR' })
    await eventually(async () => (await exams.studies({ studyInstanceUid }))[0]?.deleted === false, 'it is there again')
    await exams.stays('DEL1', started)
  })

  test('an order after its images: it is born STARTED, is never shown, and told as usual', async () => {
    const uid = newUid()
    await hospital.store({ PatientID: 'P-BORN1', StudyInstanceUID: uid, AccessionNumber: 'BORN1', Modality: 'MR' })
    await eventually(async () => (await exams.studies({ studyInstanceUid: uid })).length === 1, 'the images are known')
    await exams.scheduled('BORN1', { studyInstanceUid: uid })
    await exams.becomes('BORN1', { ...started, seen: [] })
    expect((await exams.known('BORN1')).steps).toMatchObject([{ flags: ['images-first'] }])
    // Known by its accession number alone, as a modality has it from paper.
    await hospital.store({ PatientID: 'P-BORN2', AccessionNumber: 'BORN2', Modality: 'US' })
    await eventually(async () => (await exams.studies({ accession: 'BORN2' })).length === 1, 'the images are known')
    await exams.scheduled('BORN2', { modality: 'US' })
    await exams.becomes('BORN2', { seen: [], steps: ['US-STEP COMPLETED'], heard: ['SC/IP', 'SC/CM'], raised: [] })
  })
})

describe('copies', () => {
  /** Copies with all that an order is found by: only Orthanc's metadata tell that it made them itself. */
  async function copy(orthanc: RunningOrthanc, booking: Booking, other: Dataset): Promise<void> {
    const study = await studyIn(orthanc, booking.StudyInstanceUID)
    const replaced = { PatientID: booking.PatientID }
    const anonymised = { Keep: ['StudyInstanceUID', 'AccessionNumber'], Replace: replaced, Force: true }
    await askOrthanc(orthanc, 'POST', `/studies/${study}/anonymize`, anonymised)
    await askOrthanc(orthanc, 'POST', `/studies/${study}/modify`, { Replace: other })
  }

  test('anonymised or modified copies and uploads (Orthanc’s Origin metadata) are of no exam, whatever numbers they have', async () => {
    const { orthanc } = hospital
    const booking = await exams.scheduled('COPY1')
    await exams.scheduled('COPY2', { patientId: 'P-COPY1^^^HOSP^MR' })
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('COPY1', started)
    const due = await exams.quietDue('COPY1')
    const other = { AccessionNumber: 'COPY2' }
    await copy(orthanc, booking, other)
    const uploaded = await makeImage({ dir: folder.path, tags: { ...ownStudy(booking), ...other, Modality: 'MR' } })
    await askOrthanc(orthanc, 'POST', '/instances', readFileSync(uploaded))
    await exams.stays('COPY1', started)
    await exams.stays('COPY2', untouched)
    expect(await exams.quietDue('COPY1')).toBe(due)
    const copies = await exams.studies({ patientId: booking.PatientID, accession: 'COPY2' })
    expect(copies).toMatchObject([{ credit: 'unmatched' }, { credit: 'unmatched' }])
  })

  test('anonymised or modified copies are of no exam where modalities store by HTTP, and uploads are of one', async () => {
    const booking = await exams.scheduled('COPY3')
    await exams.scheduled('COPY4', { patientId: 'P-COPY3^^^HOSP^MR' })
    const uploaded = await makeImage({ dir: folder.path, tags: { ...booking, Modality: 'MR' } })
    await askOrthanc(archive, 'POST', '/instances', readFileSync(uploaded))
    await exams.becomes('COPY3', started)
    const due = await exams.quietDue('COPY3')
    await copy(archive, booking, { AccessionNumber: 'COPY4' })
    await exams.stays('COPY3', started, archive)
    await exams.stays('COPY4', untouched)
    expect(await exams.quietDue('COPY3')).toBe(due)
  })

  test('modified copies that are forwarded by C-STORE are of no exam in the second Orthanc either', async () => {
    const { orthanc } = hospital
    const booking = await exams.scheduled('COPY5')
    await exams.scheduled('COPY6', { patientId: 'P-COPY5^^^HOSP^MR' })
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('COPY5', started)
    const due = await exams.quietDue('COPY5')
    const study = await studyIn(orthanc, booking.StudyInstanceUID)
    await copy(orthanc, booking, { AccessionNumber: 'COPY6' })
    await exams.passed()
    await askOrthanc(orthanc, 'PUT', '/modalities/archive', ['ORTHANC', '127.0.0.1', archive.dicomPort])
    const query = { Level: 'Study', Query: { AccessionNumber: 'COPY6' } }
    const copies = await askOrthanc<readonly string[]>(orthanc, 'POST', '/tools/find', query)
    expect(copies).toHaveLength(1)
    for (const one of [study, ...copies]) await askOrthanc(orthanc, 'POST', '/modalities/archive/store', one)
    await exams.stays('COPY5', started, archive)
    await exams.stays('COPY6', untouched)
    expect(await exams.quietDue('COPY5')).toBe(due)
    const known = await exams.studies({ accession: 'COPY6' })
    expect(known.map((one) => `${one.orthanc} ${one.credit}`).sort()).toEqual([
      'archive unmatched',
      'orthanc unmatched',
    ])
  })

  test('a second Orthanc holding a copy: one IP, one CM, whichever of the two has it first', async () => {
    const { orthanc } = hospital
    const roads = [
      ['FIRST1', orthanc, archive],
      ['FIRST2', archive, orthanc],
    ] as const
    for (const [accession, first, then] of roads) {
      const booking = await exams.scheduled(accession, { modality: 'CT' })
      const file = await makeImage({ dir: folder.path, tags: { ...booking, Modality: 'CT' } })
      await storeImages(first.dicomPort, [file])
      await eventually(() => hospital.ris.of(accession).includes('SC/IP'), 'the exam has begun')
      await storeImages(then.dicomPort, [file])
    }
    for (const [accession] of roads) {
      await exams.becomes(accession, completed)
      const { id } = await exams.known(accession)
      const both = { credit: 'matched', orderIds: [id] }
      await eventually(async () => (await exams.studies({ orderId: id })).length === 2, 'both have it')
      expect(await exams.studies({ orderId: id })).toMatchObject([both, both])
    }
    await exams.passed(archive)
    for (const [accession] of roads) await exams.stays(accession, completed)
  })

  test('a second Orthanc holding a copy, forwarded by C-STORE: it starts nothing and restarts no timer', async () => {
    const booking = await exams.scheduled('FWD1')
    await hospital.store({ ...booking, Modality: 'MR' })
    await exams.becomes('FWD1', started)
    const due = await exams.quietDue('FWD1')
    const { orthanc } = hospital
    const study = await studyIn(orthanc, booking.StudyInstanceUID)
    await askOrthanc(orthanc, 'PUT', '/modalities/archive', ['ORTHANC', '127.0.0.1', archive.dicomPort])
    await askOrthanc(orthanc, 'POST', '/modalities/archive/store', study)
    const credits = async (): Promise<readonly string[]> =>
      (await exams.studies({ studyInstanceUid: booking.StudyInstanceUID }))
        .map((one) => `${one.orthanc} ${one.credit}`)
        .sort()
    await eventually(async () => (await credits()).length === 2, 'both have it')
    expect(await credits()).toEqual(['archive matched', 'orthanc matched'])
    await exams.stays('FWD1', started, archive)
    expect(await exams.quietDue('FWD1')).toBe(due)
    // A copy that stays behind says nothing either.
    await askOrthanc(orthanc, 'DELETE', `/studies/${study}`)
    await eventually(async () => (await exams.story('FWD1')).includes('study deleted in Orthanc'), 'it is known')
    await exams.stays('FWD1', started)
  })
})

describe('a merge between order and images (RAD-12, ADT^A40)', () => {
  const merge = (accession: string): Promise<string> =>
    hospital.send(
      Buffer.from(adt({ event: 'A40', patientId: `NEW-${accession}^^^HOSP^MR`, prior: `P-${accession}^^^HOSP^MR` })),
    )
  const shownAs = (accession: string): Promise<unknown> =>
    eventually(
      async () => (await hospital.found(accession))[0]?.['PatientID'] === `NEW-${accession}`,
      'the modality sees who it is',
    )

  test.each([
    ['old', 'MRG1', 'P-MRG1'],
    ['new', 'MRG2', 'NEW-MRG2'],
  ])(
    'images under the %s Patient ID are of the order, by its study or its accession number',
    async (_, accession, PatientID) => {
      const booking = await exams.scheduled(accession, { stepId: 'MR-STEP' }, { modality: 'CR' })
      expect(await merge(accession)).toContain('MSA|AA|')
      await shownAs(accession)
      await hospital.store({ ...orderedStudy(booking), PatientID, Modality: 'MR' })
      const first = ['CR-STEP SCHEDULED', 'MR-STEP STARTED']
      await exams.becomes(accession, { seen: first, steps: first, heard: ['SC/IP'], raised: [] })
      await hospital.store({ PatientID, AccessionNumber: accession, StudyInstanceUID: newUid(), Modality: 'CR' })
      const second = ['CR-STEP STARTED', 'MR-STEP STARTED']
      await exams.becomes(accession, { seen: second, steps: second, heard: ['SC/IP'], raised: [] })
    },
  )

  test('images under the new Patient ID before the merge contradict the order (E610), until the merge shows that the two are one', async () => {
    const booking = await exams.scheduled('MRG3')
    await hospital.store({ ...booking, PatientID: 'NEW-MRG3', IssuerOfPatientID: '', Modality: 'MR' })
    await exams.becomes('MRG3', { ...untouched, raised: ['E610'] })
    expect(await merge('MRG3')).toContain('MSA|AA|')
    await exams.becomes('MRG3', { ...started, raised: ['E610'] })
  })
})
