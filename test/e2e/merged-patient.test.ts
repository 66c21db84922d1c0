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
