import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import type { Patient } from '../../src/core/order.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, message, openStore, order, otherLimits } from './support.ts'

let redis: TestRedis
let store: Store
beforeEach(async () => {
  redis = await startRedis()
  store = await openStore(redis.path)
})
afterEach(async () => {
  await store.close()
  await redis.stop()
})

const patient = (patientId: string, more: Partial<Patient> = {}): Patient => ({
  key: `${patientId}^^^HOSP`,
  patientId,
  issuerOfPatientId: 'HOSP',
  attributes: { PatientName: 'MUELLER^ANNA' },
  ...more,
})
const recordOf = async (key: string): Promise<Patient | undefined> =>
  (await store.load([{ by: 'patientRecord', key }])).patient(key)

test('retention keeps who was merged, and into whom, also when all orders of the patient are gone', async () => {
  for (const controlId of ['1', '2']) await store.accept(message({ controlId }))
  await apply(store, ([first = 0, second = 0]) => [
    { kind: 'patient', patient: patient('4711', { aliases: ['4712^^^HOSP'] }) },
    { kind: 'patient', patient: patient('4712', { attributes: {}, mergedInto: '4711^^^HOSP' }) },
    { kind: 'patient', patient: patient('4713') },
    { kind: 'order', order: order('O1', first, { patientKey: '4711^^^HOSP' }), items: [], withdrawn: [] },
    { kind: 'order', order: order('O2', second, { patientKey: '4713^^^HOSP' }), items: [], withdrawn: [] },
  ])
  const limits = { ...otherLimits, messageDays: 30, messageCount: 30, orderDays: 30, orderCount: 30 }
  expect(await store.retain('2027-10-16T08:15:00.000Z', limits)).toMatchObject({ orders: 2 })
  expect(await recordOf('4711^^^HOSP')).toMatchObject({
    aliases: ['4712^^^HOSP'],
    attributes: { PatientName: 'MUELLER^ANNA' },
  })
  expect(await recordOf('4712^^^HOSP')).toMatchObject({ mergedInto: '4711^^^HOSP' })
  expect(await recordOf('4713^^^HOSP')).toBeUndefined()
})

test('an order that moves is found by its patient, and by its requested procedure under the old ID, too', async () => {
  await store.accept(message({ controlId: '1' }))
  const numbers = { authority: 'ris', fillerOrderNumber: 'F1', requestedProcedureId: 'RP1' }
  await apply(store, ([seq = 0]) => [
    { kind: 'order', order: order('O1', seq, { numbers, patientKey: '4712^^^HOSP' }), items: [], withdrawn: [] },
  ])
  await store.accept(message({ controlId: '2' }))
  const moved = { numbers, patientKey: '4711^^^HOSP', formerPatientKeys: ['4712^^^HOSP'] }
  await apply(store, ([seq = 0]) => [{ kind: 'order', order: order('O1', seq, moved), items: [], withdrawn: [] }], [
    { by: 'order', id: 'O1' },
  ])
  const found = async (key: string): Promise<number> => (await store.orders({ by: 'patient', key })).length
  expect([await found('4711^^^HOSP'), await found('4712^^^HOSP')]).toEqual([1, 0])
  for (const patientId of ['4711', '4712']) {
    expect(await store.orders({ by: 'requestedProcedure', patientId, value: 'RP1' })).toHaveLength(1)
  }
})
