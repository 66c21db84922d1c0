import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { parse } from '../../src/hl7/index.ts'
import { newUid } from '../support/dcmtk.ts'
import { startHospital, stepOf, type Hospital } from '../support/hospital.ts'
import { eventually } from '../support/temporary.ts'
import { field, hasMesa, mesa, type FilledIn } from './mesa.ts'

/**
 * The stories of IHE's connectathon tests, with this engine and a real Orthanc as their
 * image manager, and images made by DCMTK. Their messages lie beside the repository.
 */
/** The files name no time; what is on no worklist cannot be looked for there, so an appointment is filled in where a story needs one. */
const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
const start = `${today}2300`

interface Kept {
  readonly controlId: string
  readonly state: { readonly kind: string; readonly rule?: string }
}

interface Known {
  readonly id: string
  readonly patientId: string
  readonly told: readonly string[]
  readonly steps: readonly { readonly stepStatus: string; readonly flags: readonly string[] }[]
}

interface Seen {
  readonly credit: string
  readonly orderIds: readonly string[]
  readonly series: number
}

/** What a test does and sees at one hospital. */
function at(hospital: () => Hospital) {
  const api = async <T>(path: string): Promise<readonly T[]> =>
    (await hospital().engine.api<{ items: readonly T[] }>(path)).items

  /** Sends a message of the test plan, and waits until it has taken effect. */
  async function send(name: string, filledIn: FilledIn = {}): Promise<void> {
    expect(readAcknowledgment(Buffer.from(await hospital().send(mesa(name, filledIn))))?.code).toBe('AA')
    await applied()
  }
  const applied = (): Promise<unknown> =>
    eventually(async () => (await api('/api/messages?state=waiting')).length === 0, 'everything has taken effect')

  async function became(controlId: string): Promise<string> {
    const [message] = await api<Kept>(`/api/messages?controlId=${controlId}`)
    const { kind, rule = '' } = message?.state ?? { kind: 'unknown' }
    return `${kind} ${rule}`.trim()
  }

  const shown = (accession: string, is: Dataset = {}): Promise<Dataset> =>
    eventually(
      async () => {
        const [item, ...others] = await hospital().found(accession)
        if (item === undefined || others.length > 0) return undefined
        const all = { ...stepOf(item), ...item }
        return Object.entries(is).every(([keyword, value]) => all[keyword] === value) ? item : undefined
      },
      `${accession} is shown ${JSON.stringify(is)}`,
    )
  const gone = (accession: string): Promise<unknown> =>
    eventually(async () => (await hospital().found(accession)).length === 0, `${accession} is gone`)

  /** Its one order, whoever asks for it. */
  async function order(accession: string): Promise<Known> {
    const [one, ...others] = await api<Known>(`/api/orders?accession=${accession}`)
    if (one === undefined || others.length > 0) throw new Error(`${accession}: ${others.length} others`)
    return one
  }
  const stepStatuses = async (accession: string): Promise<readonly string[]> =>
    (await order(accession)).steps.map(({ stepStatus }) => stepStatus)
  const studies = (studyInstanceUid: string): Promise<readonly Seen[]> =>
    api<Seen>(`/api/studies?studyInstanceUid=${studyInstanceUid}`)

  /** Resolves when Orthanc has told of so many series of the study, over all patients that it is stored under. */
  const series = (studyInstanceUid: string, count: number): Promise<unknown> =>
    eventually(
      async () => (await studies(studyInstanceUid)).reduce((sum, one) => sum + one.series, 0) === count,
      `${count} series are known`,
    )
  const heard = (accession: string, ...words: string[]): Promise<unknown> =>
    eventually(() => hospital().ris.of(accession).join(' ') === words.join(' '), `the RIS heard ${words.join(' ')}`)

  /** What a person was told to look at. */
  const raised = (): readonly unknown[] =>
    hospital()
      .engine.lines()
      .filter(({ event, level }) => event === 'someone should look' || level === 'error')
      .map(({ event, code }) => code ?? event)
  /** Messages that were refused or could not be applied. */
  const lost = async (): Promise<readonly string[]> =>
    [...(await api<Kept>('/api/messages?state=dead')), ...(await api<Kept>('/api/messages?state=invalid'))].map(
      ({ controlId }) => controlId,
    )
  return { send, became, shown, gone, order, stepStatuses, studies, series, heard, raised, lost }
}

const settings = { 'defaults.stationAeTitle': 'MESA_MOD' }

describe.skipIf(!hasMesa)('exams that end by silence (needs the corpus)', () => {
  let hospital: Hospital
  beforeAll(async () => {
    hospital = await startHospital({ settings })
  })
  afterAll(() => hospital.end())
  const { send, became, shown, gone, order, stepStatuses, studies, series, heard, raised, lost } = at(() => hospital)

  test('MESA 101, WHITE: the order has no time, so it is held; images with its study are the exam all the same', async () => {
    const study = newUid()
    await send('sched 101.106', { study })
    expect([await stepStatuses('ACC-B101Z'), await hospital.found('ACC-B101Z')]).toEqual([['UNSCHEDULED'], []])
    // He is admitted, and goes home again: the first may say something of him, the second does not.
    await send('adt 101.128')
    await send('adt 101.132')
    expect([await became('101128'), await became('101132')]).toEqual([
      'applied',
      'ignored patients: triggerEvent.otherwise',
    ])
    await hospital.store({ PatientID: '583020', PatientName: 'WHITE^CHARLES', StudyInstanceUID: study, Modality: 'MR' })
    await heard('ACC-B101Z', 'SC/IP', 'SC/CM')
    expect(await stepStatuses('ACC-B101Z')).toEqual(['COMPLETED'])
  })

  test('MESA 101, DOE: the exam comes first, under two IDs, then who it is, then the order, then who it really is', async () => {
    // Nobody knows him: the modality gives him a number of its own, and begins.
    const study = newUid()
    const images = { StudyInstanceUID: study, Modality: 'MR' }
    const temporary = { ...images, PatientID: 'T9020', IssuerOfPatientID: 'OF1', PatientName: 'SUNDAY^J1' }
    await hospital.store(temporary)
    await series(study, 1)
    expect((await studies(study)).map(({ credit }) => credit)).toEqual(['unmatched'])

    // The hospital registers him as DOE, J2; the rest of the exam is made under that.
    await send('adt 101.161')
    const doe = { ...images, PatientID: '583220', PatientName: 'DOE^J2' }
    await hospital.store(doe)
    await series(study, 2)

    // Only now it is ordered, for the time of the exam and with its study: nobody is to be called for it.
    await send('sched 101.165', { study, start })
    expect(await hospital.found('ACC-B101Y')).toEqual([])
    await heard('ACC-B101Y', 'SC/IP', 'SC/CM')
    const { id, steps } = await order('ACC-B101Y')
    expect(steps).toMatchObject([{ stepStatus: 'COMPLETED', flags: ['images-first'] }])
    expect((await studies(study)).map(({ orderIds }) => orderIds)).toEqual([[id], [id]])

    // DOE was WHITE all the time. What still comes from the modality has the old numbers.
    await send('adt 101.168')
    expect(await order('ACC-B101Y')).toMatchObject({ id, patientId: '583020' })
    await hospital.store(temporary)
    await hospital.store(doe)
    await series(study, 4)
    // So it does in a study that nobody has heard of.
    const another = newUid()
    await hospital.store({ ...temporary, StudyInstanceUID: another, AccessionNumber: 'ACC-B101Y' })
    await series(another, 1)
    for (const one of [...(await studies(study)), ...(await studies(another))])
      expect(one).toMatchObject({ credit: 'matched', orderIds: [id] })
    expect(hospital.ris.of('ACC-B101Y')).toEqual(['SC/IP', 'SC/CM'])
    expect(await hospital.worklist('PatientID=583220')).toEqual([])
  })

  test('MESA 101, P21 and P22: cancelled by its placer with nothing but ORC, and by the filler; another procedure instead', async () => {
    await send('sched 101.184', { start })
    expect(await shown('ACC-B101X')).toMatchObject({
      PatientName: 'WHITE^CHARLES',
      PatientID: '583020',
      StudyInstanceUID: '1.113654.100.101.3',
      RequestedProcedureDescription: 'Procedure 21',
    })
    await send('order 101.188')
    await gone('ACC-B101X')
    await send('sched 101.190')
    // Its copy from another queue must not bring it back; a person is told (E636).
    await send('sched 101.184', { start: `${today}2301` })
    expect([await stepStatuses('ACC-B101X'), await hospital.found('ACC-B101X')]).toEqual([['CANCELED'], []])

    const study = newUid()
    await send('sched 101.194', { study, start })
    const item = await shown('ACC-B101W')
    expect(item).toMatchObject({ PatientID: '583020', StudyInstanceUID: study, RequestedProcedureID: 'RP-B101W' })
    expect(stepOf(item)).toMatchObject({ Modality: 'RT', ScheduledStationAETitle: 'MESA_MOD' })
    expect(hospital.ris.told.filter(({ accession }) => /X$|W$/.test(accession))).toEqual([])
  })

  test('MESA 105: an emergency is examined under a name that is none, ordered afterwards, and named in the end', async () => {
    const study = newUid()
    const images = { PatientID: '583085', StudyInstanceUID: study, Modality: 'MR' }
    await hospital.store({ ...images, PatientName: 'DOE^J105' })
    await series(study, 1)
    await send('sched 105.118', { study, start })
    expect(await hospital.found('ACC-B105Z')).toEqual([])
    await heard('ACC-B105Z', 'SC/IP', 'SC/CM')
    await send('adt 105.122')
    expect(await became('105122')).toBe('applied')
    await hospital.store({ ...images, PatientName: 'MUSTARD^STEPHEN' })
    await series(study, 2)
    const { id } = await order('ACC-B105Z')
    for (const one of await studies(study)) expect(one).toMatchObject({ credit: 'matched', orderIds: [id] })
    expect(hospital.ris.of('ACC-B105Z')).toEqual(['SC/IP', 'SC/CM'])
  })

  test('MESA 106, the group case: one acquisition for two orders of one patient, of which none had a time', async () => {
    // The corpus has none of its messages: these are two orders of the same kind.
    const common = { patientId: '583106^^^ADT1', name: 'GREEN^GROUP', modality: 'MR', start: '' }
    for (const accession of ['G1', 'G2']) expect(await hospital.order({ accession, ...common })).toBe('AA')
    const asked = (accession: string): Dataset => ({
      RequestedProcedureID: `RP-${accession}`,
      ScheduledProcedureStepID: `SPS-${accession}`,
    })
    const RequestAttributesSequence = [asked('G1'), asked('G2')]
    await hospital.store({ PatientID: '583106', PatientName: 'GREEN^GROUP', Modality: 'MR', RequestAttributesSequence })
    await heard('G1', 'SC/IP', 'SC/CM')
    await heard('G2', 'SC/IP', 'SC/CM')
  })

  test('of all this no message is lost, and nobody has to look but at the order that came again after its cancel', async () => {
    expect([await lost(), raised()]).toEqual([[], ['E636']])
  })
})

describe.skipIf(!hasMesa)('exams that end when the RIS says so (needs the corpus)', () => {
  let hospital: Hospital
  beforeAll(async () => {
    hospital = await startHospital({ settings: { ...settings, 'completion.policy': 'ris' } })
  })
  afterAll(() => hospital.end())
  const { send, shown, gone, order, stepStatuses, studies, series, heard, raised, lost } = at(() => hospital)

  test('MESA 107: the RIS says by ORC alone that the exam goes on, and that it is over; it never hears its own words', async () => {
    await send('sched 107.106', { start })
    const item = await shown('ACC-B107Z', { ScheduledProcedureStepStatus: 'SCHEDULED' })
    expect(item).toMatchObject({ PatientName: 'ROSE^CARL', PatientID: '583060', StudyInstanceUID: '1.113654.3.107.1' })
    await send('status 107.112')
    await shown('ACC-B107Z', { ScheduledProcedureStepStatus: 'STARTED' })
    await hospital.scan(item)
    await series('1.113654.3.107.1', 1)
    await send('status 107.116')
    await gone('ACC-B107Z')
    expect(await order('ACC-B107Z')).toMatchObject({ told: ['IP', 'CM'], steps: [{ stepStatus: 'COMPLETED' }] })
  })

  test('MESA 103: who is examined as DOE is shown as SILVERHEELS from then on, and keeps the images', async () => {
    const study = newUid()
    await send('sched 103.106', { study, start })
    const item = await shown('B103Z')
    expect(item).toMatchObject({ PatientName: 'DOE^J1', PatientID: '583295', PatientBirthDate: '' })
    await hospital.scan(item)
    await shown('B103Z', { ScheduledProcedureStepStatus: 'STARTED' })
    await send('adt 103.132')
    const silverheels = { PatientName: 'SILVERHEELS^JAY', PatientBirthDate: '19000102', PatientID: '583295' }
    const named = await shown('B103Z', { ...silverheels, ScheduledProcedureStepStatus: 'STARTED' })
    // One modality had loaded its worklist before, another did afterwards.
    await hospital.scan(item)
    await hospital.scan(named)
    await series(study, 3)
    const { id } = await order('B103Z')
    for (const one of await studies(study)) expect(one).toMatchObject({ credit: 'matched', orderIds: [id] })
    await heard('B103Z', 'SC/IP')
    expect(await stepStatuses('B103Z')).toEqual(['STARTED'])
  })

  test('MESA 101, were it known in the middle of the exam: DOE’s exam begins, WHITE’s is completed', async () => {
    const study = newUid()
    await send('sched 101.165', { study, start })
    const item = await shown('ACC-B101Y', { PatientName: 'DOE^J2', PatientID: '583220' })
    await hospital.scan(item)
    await heard('ACC-B101Y', 'SC/IP')
    await send('adt 101.168')
    const white = { PatientName: 'WHITE^CHARLES', PatientID: '583020', PatientBirthDate: '19980704' }
    await shown('ACC-B101Y', { ...white, ScheduledProcedureStepStatus: 'STARTED' })
    expect(await hospital.worklist('PatientID=583220')).toEqual([])
    await hospital.scan(item)
    await series(study, 2)
    const { id } = await order('ACC-B101Y')
    expect(await studies(study)).toMatchObject([{ credit: 'matched', orderIds: [id] }])
    const answer = await fetch(`${hospital.engine.httpUrl}/api/orders/${id}/complete?wait=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hospital.engine.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ by: 'meier', reason: 'the RIS was away' }),
    })
    expect(answer.status).toBe(200)
    await heard('ACC-B101Y', 'SC/IP', 'SC/CM')
    await gone('ACC-B101Y')
    const told = hospital.ris.told.filter(({ accession }) => accession === 'ACC-B101Y')
    expect(told.map(({ bytes }) => [field(bytes, 'PID-3.1'), field(bytes, 'PID-5.1')])).toEqual([
      ['583220', 'DOE'],
      ['583020', 'WHITE'],
    ])
  })

  test('of all this no message is lost, nobody has to look, and the RIS has heard no more than that', async () => {
    expect([await lost(), raised()]).toEqual([[], []])
    expect(hospital.ris.told.map(({ accession, orderStatus }) => `${accession} ${orderStatus}`)).toEqual([
      'B103Z SC/IP',
      'ACC-B101Y SC/IP',
      'ACC-B101Y SC/CM',
    ])
  })
})

describe.skipIf(!hasMesa)('exams told in the words of the test (needs the corpus)', () => {
  let hospital: Hospital
  beforeAll(async () => {
    hospital = await startHospital({ settings: { ...settings, 'destinations.0.status': 'status-orm-minimal' } })
  })
  afterAll(() => hospital.end())

  test('MESA 107: the order placer is told that the exam goes on, and that it is over', async () => {
    const { send } = at(() => hospital)
    await send('sched 107.106')
    // It names no time: it is on no worklist, and the modality has taken its numbers from paper.
    const images = { AccessionNumber: 'ACC-B107Z', StudyInstanceUID: '1.113654.3.107.1', PatientID: '583060' }
    await hospital.store({ ...images, PatientName: 'ROSE^CARL', Modality: 'MR' })
    await eventually(() => hospital.ris.told.length >= 2, 'its beginning and its end are told')
    expect(hospital.ris.told.map(({ bytes }) => saidBy(bytes))).toEqual([
      saidBy(mesa('status 107.112')),
      saidBy(mesa('status 107.116')),
    ])
  })
})

/** What kind of message it is, and the segments behind its header. */
function saidBy(bytes: Uint8Array): readonly string[] {
  const parsed = parse(bytes)
  if (parsed.kind !== 'message') throw new Error('unreadable')
  const [, ...segments] = parsed.message.segments
  const type = [1, 2].map((component) => field(bytes, `MSH-9.${component}`)).join('^')
  return [`${type} ${field(bytes, 'MSH-12')}`, ...segments.map(({ raw }) => raw)]
}
