import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import type { Order, PerformedProcedureStep } from '../../src/core/order.ts'
import { watchExams } from '../support/exam.ts'
import { startHospital, stepOf, type Hospital } from '../support/hospital.ts'
import { eventually } from '../support/temporary.ts'

/**
 * When an exam is over: by silence (CT), by a stable study (MR), by what the modality
 * says (US) or by the RIS alone (XA), side by side in one site, with a real Orthanc.
 */
let hospital: Hospital
beforeAll(async () => {
  const rules = [
    { modalities: ['MR'], policy: 'stable' },
    { modalities: ['US'], policy: 'mpps' },
    { modalities: ['XA'], policy: 'ris' },
    // Long enough to end the engine meanwhile.
    { modalities: ['CR'], policy: 'quiet', quietSeconds: 4 },
  ]
  hospital = await startHospital({ settings: { 'completion.rules': rules } })
})
afterAll(() => hospital.end())

const shown = (accession: string, stepStatus?: string): Promise<Dataset> =>
  eventually(
    async () => {
      const [item] = await hospital.found(accession)
      if (item === undefined || stepStatus === undefined) return item
      return stepOf(item)['ScheduledProcedureStepStatus'] === stepStatus ? item : undefined
    },
    `${accession} is shown ${stepStatus ?? ''}`,
  )
const gone = (accession: string): Promise<unknown> =>
  eventually(async () => (await hospital.found(accession)).length === 0, `${accession} is gone`)
const heard = (accession: string, ...words: string[]): Promise<unknown> =>
  eventually(() => hospital.ris.of(accession).join(' ') === words.join(' '), `the RIS heard ${words.join(' ')}`)

/** The order's item, scheduled by the RIS. */
async function scheduled(accession: string, modality: string): Promise<Dataset> {
  expect(await hospital.order({ accession, modality })).toBe('AA')
  return shown(accession)
}

interface Known {
  readonly id: string
  readonly stepStatus: string
}

async function known(accession: string): Promise<Known> {
  const { items } = await hospital.engine.api<{ items: readonly Known[] }>(`/api/worklist?accession=${accession}`)
  if (items[0] === undefined) throw new Error(`${accession} is not known`)
  return items[0]
}

async function post(path: string, body: unknown): Promise<{ readonly order?: Pick<Order, 'steps'> }> {
  const answer = await fetch(`${hospital.engine.httpUrl}${path}?wait=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hospital.engine.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as { readonly order?: Pick<Order, 'steps'> }
}

async function byHand(
  accession: string,
  kind: 'complete' | 'cancel' | 'reopen',
  reason: string,
): Promise<readonly string[]> {
  const [orderId] = (await known(accession)).id.split('.')
  const { order } = await post(`/api/orders/${orderId}/${kind}`, { by: 'meier', reason })
  return (order?.steps ?? []).map(({ stepStatus }) => stepStatus)
}

/** What a modality says of an item that it took from the worklist. */
const performed = (
  item: Dataset,
  said: Pick<PerformedProcedureStep, 'sopInstanceUid' | 'state'> & Partial<PerformedProcedureStep>,
): Promise<unknown> =>
  post('/api/performed-procedure-steps', {
    patientId: item['PatientID'],
    modality: stepOf(item)['Modality'],
    scheduledSteps: [
      {
        studyInstanceUid: item['StudyInstanceUID'],
        accessionNumber: item['AccessionNumber'],
        requestedProcedureId: item['RequestedProcedureID'],
        scheduledStepId: stepOf(item)['ScheduledProcedureStepID'],
      },
    ],
    ...said,
  })

describe('each modality by its own rule', () => {
  test('CT ends by silence, MR when Orthanc calls its study stable', async () => {
    await hospital.scan(await scheduled('E1', 'CT'))
    await hospital.scan(await scheduled('E2', 'MR'))
    await heard('E1', 'SC/IP', 'SC/CM')
    await heard('E2', 'SC/IP', 'SC/CM')
    await gone('E1')
    await gone('E2')
  })

  test('XA ends when the RIS says so, however stable and quiet it is; the RIS does not hear its own words', async () => {
    await hospital.scan(await scheduled('E3', 'XA'))
    await hospital.scan(await scheduled('E4', 'MR'))
    await heard('E4', 'SC/IP', 'SC/CM')
    await shown('E3', 'STARTED')
    expect(await hospital.order({ accession: 'E3', control: 'SC', orderStatus: 'CM' })).toBe('AA')
    await gone('E3')
    expect(hospital.ris.of('E3')).toEqual(['SC/IP'])
  })

  test('the time that an exam waits survives the engine, as do the images of meanwhile', async () => {
    const item = await scheduled('E13', 'CR')
    await hospital.scan(item)
    await shown('E13', 'STARTED')
    // Killed before it knows that the RIS has taken IP, it would say it again (I7).
    await watchExams(hospital).settled()
    await hospital.engine.crash()
    await hospital.scan(item)
    await hospital.engine.restart()
    await heard('E13', 'SC/IP', 'SC/CM')
    await gone('E13')
  })

  test('RAD-6, RAD-7: US begins and ends as its modality says, whatever its images do', async () => {
    const item = await scheduled('E5', 'US')
    await performed(item, { sopInstanceUid: '1.2.3.5', state: 'IN PROGRESS' })
    await shown('E5', 'STARTED')
    await heard('E5', 'SC/IP')
    await hospital.scan(item)
    await hospital.scan(await scheduled('E6', 'MR'))
    await heard('E6', 'SC/IP', 'SC/CM')
    await shown('E5', 'STARTED')
    await performed({}, { sopInstanceUid: '1.2.3.5', state: 'COMPLETED', scheduledSteps: [] })
    await gone('E5')
    await heard('E5', 'SC/IP', 'SC/CM')
  })

  test('RAD-7: the incorrect worklist entry was selected: the patient is back on the worklist', async () => {
    const item = await scheduled('E7', 'CT')
    await performed(item, { sopInstanceUid: '1.2.3.7', state: 'IN PROGRESS' })
    await shown('E7', 'STARTED')
    const discontinuationReason = '110514'
    await performed(item, { sopInstanceUid: '1.2.3.7', state: 'DISCONTINUED', discontinuationReason })
    await hospital.scan(await shown('E7', 'SCHEDULED'))
    await eventually(() => hospital.ris.of('E7').at(-1) === 'SC/CM', 'the real exam is told')
  })

  test('I11: a modality that examines another patient under this order moves nothing', async () => {
    const item = await scheduled('E8', 'US')
    await performed(item, { sopInstanceUid: '1.2.3.8', state: 'IN PROGRESS', patientId: '9999' })
    expect([await known('E8'), hospital.ris.of('E8')]).toMatchObject([{ stepStatus: 'SCHEDULED' }, []])
    expect(hospital.engine.lines()).toContainEqual(
      expect.objectContaining({ event: 'someone should look', code: 'E613' }),
    )
  })
})

describe('by hand', () => {
  test('an exam that ended too early is opened again, is served again, and ends again', async () => {
    await hospital.scan(await scheduled('E9', 'MR'))
    await heard('E9', 'SC/IP', 'SC/CM')
    expect(await byHand('E9', 'reopen', 'the second phase is still to come')).toEqual(['STARTED'])
    await hospital.scan(await shown('E9', 'STARTED'))
    await gone('E9')
    await eventually(() => hospital.ris.of('E9').filter((word) => word === 'SC/CM').length === 2, 'CM again')
  })

  test('an exam of which Orthanc saw nothing is completed; one that nobody wants is cancelled', async () => {
    await scheduled('E10', 'CT')
    expect(await byHand('E10', 'complete', 'done on the old machine')).toEqual(['COMPLETED'])
    await heard('E10', 'SC/CM')
    await scheduled('E11', 'CT')
    expect(await byHand('E11', 'cancel', 'patient went home')).toEqual(['CANCELED'])
    await gone('E11')
  })

  test('an exam that had begun is broken off: DC, once', async () => {
    await hospital.scan(await scheduled('E12', 'XA'))
    await shown('E12', 'STARTED')
    expect(await byHand('E12', 'cancel', 'patient felt unwell')).toEqual(['DISCONTINUED'])
    expect(await byHand('E12', 'cancel', 'again')).toEqual(['DISCONTINUED'])
    await gone('E12')
    await heard('E12', 'SC/IP', 'SC/DC')
  })
})
