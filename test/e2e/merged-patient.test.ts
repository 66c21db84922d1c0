import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { adt, order } from '../support/message.ts'
import { eventually } from '../support/temporary.ts'

/** As an emergency department registers somebody who cannot speak (MESA 101). */
const doe = { patientId: '9020^^^HOSP^MR', name: 'Doe^J2', birthDate: '19000101', sex: 'M' }
const white = { patientId: '3020^^^HOSP^MR', name: 'White^Charles', birthDate: '19980704', sex: 'M' }
const shown = { PatientID: '3020', PatientName: 'White^Charles', PatientBirthDate: '19980704' }

let hospital: Hospital
beforeAll(async () => {
  hospital = await startHospital()
})
afterAll(() => hospital.end())

async function send(text: string): Promise<string> {
  return readAcknowledgment(Buffer.from(await hospital.send(Buffer.from(text))))?.code ?? 'none'
}

test('RAD-12: A40 over MLLP changes the patient that a modality sees, and images under the old ID complete the exam', async () => {
  expect(await hospital.order({ ...doe, accession: 'M1' })).toBe('AA')
  const [before] = await eventually(async () => {
    const found = await hospital.found('M1')
    return found.length === 1 ? found : undefined
  }, 'the order of the unknown patient is shown')
  expect(before).toMatchObject({ PatientID: '9020', PatientName: 'Doe^J2' })

  expect(await send(adt({ ...white, event: 'A40', prior: doe.patientId }))).toBe('AA')
  const [after] = await eventually(async () => {
    const found = await hospital.worklist('AccessionNumber=M1', 'PatientID=3020')
    return found.length === 1 ? found : undefined
  }, 'the modality sees who it is')
  expect(after).toMatchObject({ ...shown, StudyInstanceUID: before?.['StudyInstanceUID'] })
  expect(await hospital.worklist('PatientID=9020')).toEqual([])

  // The modality had loaded its worklist before.
  await hospital.scan(before ?? {})
  await eventually(() => hospital.ris.of('M1').includes('SC/CM'), 'the exam is told')
  expect(hospital.ris.of('M1')).toEqual(['SC/IP', 'SC/CM'])
})

test('RAD-12: an order that comes late under the old ID is the survivor’s, and A08 corrects both', async () => {
  expect(await hospital.order({ ...doe, accession: 'M2' })).toBe('AA')
  const [late] = await eventually(async () => {
    const found = await hospital.found('M2')
    return found.length === 1 ? found : undefined
  }, 'the late order is shown')
  expect(late).toMatchObject(shown)
  expect(await send(adt({ ...white, name: 'White^Charlotte', event: 'A08' }))).toBe('AA')
  await eventually(async () => {
    const [item] = await hospital.found('M2')
    return item?.['PatientName'] === 'White^Charlotte'
  }, 'the modality sees the new name')
})

test('RAD-12: A37 undoes the merge, and each order is seen under its own patient', async () => {
  const roe = { patientId: '9021^^^HOSP^MR', name: 'Roe^Richard', birthDate: '19010101', sex: 'M' }
  const black = { patientId: '3021^^^HOSP^MR', name: 'Black^Berta', birthDate: '19700131', sex: 'F' }
  const seen = async (accession: string, patientId: string): Promise<Readonly<Record<string, unknown>>> =>
    eventually(async () => {
      const [item] = await hospital.worklist(`AccessionNumber=${accession}`, `PatientID=${patientId}`)
      return item
    }, `${accession} is seen under ${patientId}`)
  expect(await hospital.order({ ...roe, accession: 'U1' })).toBe('AA')
  expect(await hospital.order({ ...black, accession: 'U2' })).toBe('AA')
  expect(await send(adt({ ...black, event: 'A40', prior: roe.patientId }))).toBe('AA')
  expect(await seen('U1', '3021')).toMatchObject({ PatientName: 'Black^Berta' })

  expect(await send(adt({ ...black, event: 'A37', other: roe }))).toBe('AA')
  const item = await seen('U1', '9021')
  expect(item).toMatchObject({ PatientName: 'Roe^Richard', PatientBirthDate: '19010101' })
  expect(await seen('U2', '3021')).toMatchObject({ PatientName: 'Black^Berta' })
  await hospital.scan(item as Parameters<Hospital['scan']>[0])
  await eventually(() => hospital.ris.of('U1').includes('SC/CM'), 'the exam is told')
  expect(hospital.ris.of('U1')).toEqual(['SC/IP', 'SC/CM'])
  expect(hospital.ris.of('U2')).toEqual([])
})

test('RAD-12: A10 shows the modality who has arrived, A11 takes it back and leaves the order', async () => {
  const status = async (accession: string): Promise<unknown> => {
    const [item] = await hospital.found(accession)
    const steps = item?.['ScheduledProcedureStepSequence'] as readonly Readonly<Record<string, unknown>>[] | undefined
    return steps?.[0]?.['ScheduledProcedureStepStatus']
  }
  const green = { patientId: '3022^^^HOSP^MR', name: 'Green^Gina', birthDate: '19700131', sex: 'F', visit: 'V0815' }
  expect(await hospital.order({ ...green, accession: 'A10' })).toBe('AA')
  expect(await send(adt({ ...green, event: 'A10' }))).toBe('AA')
  await eventually(async () => (await status('A10')) === 'ARRIVED', 'the modality sees that the patient is there')
  expect(await send(adt({ ...green, event: 'A11' }))).toBe('AA')
  await eventually(async () => (await status('A10')) === 'SCHEDULED', 'not after all')
  expect(await send(adt({ ...green, event: 'A43' }))).toBe('AR')
})

test('I8: a RIS that forwards all its ADT gets no errors, and what is not about us is ignored by a rule', async () => {
  for (const event of ['A01', 'A02', 'A03', 'A08', 'A11', 'A12', 'A13', 'A24', 'A31', 'A60'])
    expect(await send(adt({ ...white, patientId: `88${event}^^^HOSP^MR`, event }))).toBe('AA')
  expect(await send(order({ accession: 'M3' }))).toBe('AA')
  await eventually(async () => (await hospital.found('M3')).length === 1, 'orders go on')
  const { items, total } = await hospital.engine.api<{
    items: readonly { state: { rule: string } }[]
    total: number
  }>('/api/messages?state=ignored&limit=100')
  expect(total).toBe(10)
  expect(new Set(items.map(({ state }) => state.rule))).toEqual(
    new Set(['unknown-patient', 'patients: triggerEvent.otherwise']),
  )
})
