import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { OrderNumbers, Step } from '../../src/core/order.ts'
import type { Store } from '../../src/core/ports.ts'
import type { Lookup } from '../../src/core/world.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { apply, message, openStore, order } from './support.ts'

let redis: TestRedis
let store: Store
beforeEach(async () => {
  redis = await startRedis({ aof: false })
  store = await openStore(redis.path)
})
afterEach(async () => {
  await store.close()
  await redis.stop()
})

const byAppointment = (
  by: 'placerAppointmentId' | 'fillerAppointmentId',
  value: string,
  authority = 'ris',
): Lookup => ({
  by,
  authority,
  value,
})

let count = 0

async function write(numbers: Omit<OrderNumbers, 'authority'>, steps: readonly Step[] = []): Promise<void> {
  await store.accept(message({ controlId: String(++count) }))
  const by: Lookup = { by: 'order', id: 'O1-1' }
  const change = (seq: number) => ({
    kind: 'order' as const,
    order: order('O1-1', seq, { numbers: { authority: 'ris', ...numbers }, steps }),
    items: [],
    withdrawn: [],
  })
  expect(await apply(store, ([seq = 0]) => [change(seq)], [by])).toBe('committed')
}

const ids = async (lookup: Lookup): Promise<readonly string[]> => (await store.orders(lookup)).map(({ id }) => id)

test('an order is found by its appointments, each a number space of its own in its authority', async () => {
  await write({ fillerOrderNumber: 'F1', placerAppointmentId: 'B1', fillerAppointmentId: 'A1' })
  expect(await ids(byAppointment('fillerAppointmentId', 'A1'))).toEqual(['O1-1'])
  expect(await ids(byAppointment('placerAppointmentId', 'B1'))).toEqual(['O1-1'])
  for (const other of [
    byAppointment('fillerAppointmentId', 'B1'),
    byAppointment('placerAppointmentId', 'A1'),
    byAppointment('fillerAppointmentId', 'A1', 'other'),
    byAppointment('fillerAppointmentId', 'F1'),
    { by: 'fillerOrderNumber', authority: 'ris', value: 'A1' } as const,
  ])
    expect(await ids(other)).toEqual([])
  for (const orderNumber of ['A1', 'B1', 'F1']) {
    expect((await store.findOrders({ orderNumber, limit: 10 })).items.map(({ id }) => id)).toEqual(['O1-1'])
  }
})

test('an order with several appointments is found by each, and no longer by one that it has lost', async () => {
  const booked = (fillerAppointmentId: string): Step => ({
    key: fillerAppointmentId,
    stepStatus: 'SCHEDULED',
    stations: [],
    attributes: {},
    flags: [],
    booked: { sentAt: '', keywords: [], fillerAppointmentId },
  })
  await write({ fillerAppointmentId: 'A2' }, [booked('A1'), booked('A2')])
  expect(await ids(byAppointment('fillerAppointmentId', 'A1'))).toEqual(['O1-1'])
  expect(await ids(byAppointment('fillerAppointmentId', 'A2'))).toEqual(['O1-1'])
  await write({ fillerAppointmentId: 'A2' }, [booked('A2')])
  expect(await ids(byAppointment('fillerAppointmentId', 'A1'))).toEqual([])
})

test('a message is found by the appointment IDs that it names', async () => {
  const keys = {
    patientIds: [],
    accessionNumbers: [],
    placerOrderNumbers: [],
    fillerOrderNumbers: [],
    appointmentIds: ['A1'],
  }
  await store.accept(message({ controlId: 'siu', keys }))
  expect((await store.messages({ orderNumber: 'A1', limit: 10 })).items.map(({ controlId }) => controlId)).toEqual([
    'siu',
  ])
})

test('an order of an engine that knew no appointments works as it is: nothing is entered anew, and its first booking is found', async () => {
  await write({ fillerOrderNumber: 'F1' })
  const client = new Redis({ path: redis.path })
  try {
    const before = await client.keys('wl:x:*')
    const indexed = await client.get('wl:indexed')
    const upgraded = await openStore(redis.path)
    await upgraded.close()
    expect((await client.keys('wl:x:*')).sort()).toEqual(before.sort())
    expect(await client.get('wl:indexed')).toBe(indexed)
  } finally {
    client.disconnect()
  }
  await write({ fillerOrderNumber: 'F1', fillerAppointmentId: 'A1' })
  expect(await ids(byAppointment('fillerAppointmentId', 'A1'))).toEqual(['O1-1'])
  expect(await ids({ by: 'fillerOrderNumber', authority: 'ris', value: 'F1' })).toEqual(['O1-1'])
})
