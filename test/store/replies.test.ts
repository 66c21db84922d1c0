import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { createOutcomes } from '../../src/flow/outcomes.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { message, openStore } from './support.ts'

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

const fault = { code: 'E601', hl7Code: 207, params: {} } as const

async function apply(id: string, state: 'applied' | 'dead'): Promise<void> {
  const lease = await store.lease('drain')
  if (lease === undefined) throw new Error('no lease')
  const after = await store.applied()
  const next = state === 'applied' ? ({ kind: state } as const) : ({ kind: state, fault, attempts: 1 } as const)
  const changes = [{ kind: 'state', messageId: id, source: 'ris', state: next } as const]
  await store.commit(lease, after, Number(id.slice(1)), changes, await store.load([]))
  await lease.release()
}

test('what a sender is owed is written down with its message, oldest first, until it is settled', async () => {
  const ids: string[] = []
  for (const controlId of ['1', '2', '3']) {
    const { messageId } = await store.accept(message({ controlId, owedTo: 'RIS|HOSP', acknowledgmentCode: 'CA' }))
    ids.push(messageId)
  }
  await store.accept(message({ controlId: '4' }))
  await store.accept(message({ controlId: '5', owedTo: 'LAB|HOSP' }))
  await store.accept(message({ controlId: '6', source: 'his', owedTo: 'RIS|HOSP' }))
  expect(await store.owedReplies('ris', 'RIS|HOSP', 10)).toEqual(ids)
  expect(await store.owedReplies('ris', 'RIS|HOSP', 2)).toEqual(ids.slice(0, 2))
  await store.settleReplies('ris', 'RIS|HOSP', ids.slice(0, 2))
  await store.settleReplies('ris', 'RIS|HOSP', [])
  expect(await store.owedReplies('ris', 'RIS|HOSP', 10)).toEqual(ids.slice(2))
  expect((await store.messages({ controlId: '1', limit: 1 })).items[0]?.acknowledgmentCode).toBe('CA')
})

test('I4: a repetition writes nothing down again', async () => {
  const one = message({ controlId: '1', owedTo: 'RIS|HOSP' })
  const { messageId } = await store.accept(one)
  await store.settleReplies('ris', 'RIS|HOSP', [messageId])
  expect(await store.accept(one)).toMatchObject({ kind: 'again', messageId })
  expect(await store.owedReplies('ris', 'RIS|HOSP', 10)).toEqual([])
})

test('I4: what was committed and is wrong is judged afresh; so is what a dead letter was said to be', async () => {
  const invalid = message({ controlId: '1', state: { kind: 'invalid', faults: [fault] }, acknowledgmentCode: 'CA' })
  await store.accept(invalid)
  expect((await store.accept(invalid)).kind).toBe('stored')

  const waiting = message({ controlId: '2' })
  const { messageId } = await store.accept(waiting)
  await store.forgetMessage(waiting, 'M1')
  expect((await store.accept(waiting)).kind).toBe('again')
  await store.forgetMessage(waiting, messageId)
  expect((await store.accept(waiting)).kind).toBe('stored')
})

test('the outcome of a message is told when it has been applied, to all who wait, whoever applied it', async () => {
  const outcomes = createOutcomes({ store, pollMilliseconds: 2 })
  const [one, two] = [await store.accept(message({ controlId: '1' })), await store.accept(message({ controlId: '2' }))]
  const told: string[] = []
  const wait = async (id: string): Promise<void> => void told.push(`${id} ${(await outcomes.of(id))?.kind}`)
  const all = [wait(one.messageId), wait(two.messageId), wait(one.messageId)]
  expect(await store.messageStates([one.messageId, 'M1'])).toEqual([{ kind: 'waiting' }, undefined])
  await apply(one.messageId, 'applied')
  await Promise.all([all[0], all[2]])
  expect(told).toEqual([`${one.messageId} applied`, `${one.messageId} applied`])
  await apply(two.messageId, 'dead')
  await all[1]
  expect(await store.messageStates([two.messageId])).toEqual([{ kind: 'dead', fault, attempts: 1 }])
})

test('what this process has applied is told at once, without a look at the store', async () => {
  const never = () => new Promise<never>(() => undefined)
  const outcomes = createOutcomes({ store: { applied: never, messageStates: never } })
  const waiting = [outcomes.of('M1'), outcomes.of('M1')]
  outcomes.became('M2', { kind: 'applied' })
  outcomes.became('M1', { kind: 'waiting' })
  outcomes.became('M1', { kind: 'dead', fault, attempts: 1 })
  expect((await Promise.all(waiting)).map((state) => state?.kind)).toEqual(['dead', 'dead'])
})

test('whoever waits for an outcome is told when the store goes away', async () => {
  const outcomes = createOutcomes({ store, pollMilliseconds: 2 })
  const { messageId } = await store.accept(message({ controlId: '1' }))
  // Listened to before the stop: the rejection comes while Redis is still being waited for.
  const told = outcomes.of(messageId).then(
    () => 'an outcome',
    (error: unknown) => error,
  )
  await redis.stop()
  expect(await told).toMatchObject({ code: 'E501' })
})
