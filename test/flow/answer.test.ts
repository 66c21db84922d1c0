import { afterEach, expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import type { Answerer } from '../../src/flow/answer.ts'
import type { Dataset } from '../../src/core/dataset.ts'
import type { DicomJson, Part10 } from '../../src/core/ports.ts'
import { createAnswerer } from '../../src/flow/answer.ts'
import { createWorklistIndex, type WorklistIndex } from '../../src/flow/worklist-index.ts'
import { eventually } from '../support/temporary.ts'
import { fakeStore, item, listeningLog, standingClock, type FakeStore } from './worklist.ts'
import { anOrder } from '../mapping/status-support.ts'

const running: WorklistIndex[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((index) => index.stop()))
})

const caller = { callingAeTitle: 'CT1', calledAeTitle: 'ORTHANC' }
const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
/** The patient's ID stands for the file; `BAD` cannot be written. */
const asId: Part10 = (dataset: Dataset) => {
  const id = dataset['PatientID']
  if (id === 'BAD') throw new EngineError('E904', { keyword: 'PatientID', vr: 'LO' })
  return Buffer.from(typeof id === 'string' ? id : '')
}

interface Bench {
  readonly store: FakeStore
  readonly index: WorklistIndex
  readonly answerer: Answerer
  readonly clock: ReturnType<typeof standingClock>
  readonly log: ReturnType<typeof listeningLog>
  readonly written: Dataset[]
  readonly counted: Readonly<Record<string, string>>[]
  readonly found: (query?: DicomJson) => Promise<string[]>
}

function bench(store = fakeStore(), options: { datasets?: number; maxBytes?: number } = {}): Bench {
  const [clock, log] = [standingClock(), listeningLog()]
  const { datasets, maxBytes } = options
  const index = createWorklistIndex({
    store,
    clock,
    log,
    catchUpSeconds: 3600,
    ...(datasets === undefined ? {} : { datasets }),
  })
  running.push(index)
  const written: Dataset[] = []
  const counted: Readonly<Record<string, string>>[] = []
  const answerer = createAnswerer({
    store,
    index,
    log,
    part10(dataset) {
      written.push(dataset)
      return asId(dataset)
    },
    metrics: { count: (_name, labels) => void counted.push(labels), observe: () => {} },
    ...(maxBytes === undefined ? {} : { maxBytes }),
  })
  const found = async (query: DicomJson = {}) => (await answerer.find(query, caller)).map(nameOf)
  return { store, index, answerer, clock, log, written, counted, found }
}

const person = (id: string, rest: Parameters<typeof item>[2] = {}): Parameters<typeof item>[2] => ({
  ...rest,
  patient: { PatientID: id },
})

test('a query is answered with the files of the items that match, by their start', async () => {
  const store = fakeStore()
  store.put([
    item('a', 1, person('P1', { step: { ScheduledProcedureStepStartTime: '1100' } })),
    item('b', 2, person('P2', { step: { ScheduledProcedureStepStartTime: '0900' } })),
    item('c', 3, person('P3', { station: 'MR1' })),
    item('d', 4, person('P4', { served: false, stepStatus: 'COMPLETED' })),
  ])
  const { index, found } = bench(store)
  await eventually(() => index.ready(), 'ready')
  expect(await found({ '0040,0100': [{ '0040,0001': 'CT1' }] })).toEqual(['P2', 'P1'])
  expect(await found({ '0010,0020': 'P4' })).toEqual([])
  expect(await found({ '0010,0030': '19700131' })).toEqual(['P2', 'P3', 'P1'])
  expect(await found({ '0010,0030': '19700201' })).toEqual([])
})

test('I10: while the index is not loaded or lags there is no answer, not an empty one', async () => {
  const store = fakeStore()
  store.down = true
  const { index, answerer, clock, found } = bench(store)
  await expect(found()).rejects.toMatchObject({ code: 'E406' })
  await expect(answerer.snapshot()).rejects.toMatchObject({ code: 'E406' })
  await expect(answerer.search({ limit: 1 })).rejects.toMatchObject({ code: 'E406' })
  store.down = false
  store.put([item('a', 1, person('P1'))])
  await eventually(() => index.ready(), 'ready')
  expect(await found()).toEqual(['P1'])
  store.down = true
  clock.pass(60)
  await expect(found()).rejects.toMatchObject({ code: 'E406' })
  await expect(answerer.snapshot()).rejects.toMatchObject({ code: 'E406' })
})

test('I10: after a leap of the clock, or a sleep, the first answer is a failure, and the next one is the truth', async () => {
  const store = fakeStore()
  const { index, clock, found } = bench(store)
  await eventually(() => index.ready(), 'ready')
  store.put([item('a', 1, person('P1'))], true)
  clock.pass(3_600)
  await expect(found()).rejects.toMatchObject({ code: 'E406' })
  await eventually(async () => String(await found()) === 'P1', 'what happened meanwhile is known')
})

test('I10: a store that fails in the middle of an answer fails the answer', async () => {
  const store = fakeStore()
  store.put([item('a', 1, person('P1'))])
  const { index, found } = bench(store, { datasets: 0 })
  await eventually(() => index.ready(), 'ready')
  store.down = true
  await expect(found()).rejects.toMatchObject({ code: 'E501' })
})

test('bytes are made once for each version', async () => {
  const store = fakeStore()
  store.put([item('a', 1, person('P1'))])
  const { index, found, written } = bench(store)
  await eventually(() => index.ready(), 'ready')
  await found()
  await found()
  expect(written).toHaveLength(1)
  store.put([item('a', 2, person('P1 corrected'))])
  await eventually(() => index.version() === 2, 'the update')
  expect(await found()).toEqual(['P1 corrected'])
  expect(written).toHaveLength(2)
})

test('items that memory does not hold are read from the store, whatever was evicted', async () => {
  const store = fakeStore()
  const people = Array.from({ length: 120 }, (_, n) => `P${1000 + n}`)
  store.put(people.map((id, n) => item(`i${1000 + n}`, n + 1, person(id))))
  const { index, found } = bench(store, { datasets: 10, maxBytes: 1_000 })
  await eventually(() => index.ready(), 'ready')
  const answers = await Promise.all([found(), found({ '0010,0040': 'F' }), found()])
  for (const answer of answers) expect(answer).toEqual(people)
})

test('where the store is ahead of the index, the item counts as it is now', async () => {
  const store = fakeStore()
  store.put([
    item('a', 1, person('P1')),
    item('b', 2, person('P2')),
    item('c', 3, person('P3')),
    item('d', 4, person('P4')),
  ])
  const { index, found } = bench(store, { datasets: 0 })
  await eventually(() => index.ready(), 'ready')
  store.put([item('a', 5, person('P1', { station: 'MR1' }))], true)
  store.put([item('b', 6, person('P2', { served: false, stepStatus: 'CANCELED' }))], true)
  store.put([item('c', 7, person('P3 corrected'))], true)
  store.remove('d')
  expect(await found({ '0040,0100': [{ '0040,0001': 'CT1' }] })).toEqual(['P3 corrected'])
  expect(index.get('d')).toBeUndefined()
})

test('an item that cannot be written is left out, said once, and hides nobody else', async () => {
  const store = fakeStore()
  store.put([item('a', 1, person('P1')), item('b', 2, person('BAD'))])
  const { index, found, log, counted } = bench(store)
  await eventually(() => index.ready(), 'ready')
  expect(await found()).toEqual(['P1'])
  expect(await found()).toEqual(['P1'])
  expect(log.lines).toEqual([{ fields: { itemId: 'b', code: 'E904' }, event: 'worklist item left out' }])
  expect(counted).toEqual([{ code: 'E904' }])
})

test('I10: a query that only items match which cannot be written fails', async () => {
  const store = fakeStore()
  store.put([item('a', 1, person('P1')), item('b', 2, person('BAD'))])
  const { index, found } = bench(store)
  await eventually(() => index.ready(), 'ready')
  await expect(found({ '0010,0020': 'BAD' })).rejects.toMatchObject({ code: 'E904' })
})

test('a snapshot holds all served items and the version that it is of', async () => {
  const store = fakeStore()
  store.put([item('a', 1, person('P1')), item('b', 2, person('P2')), item('c', 3, person('P3', { served: false }))])
  const { index, answerer } = bench(store)
  await eventually(() => index.ready(), 'ready')
  const { version, items } = await answerer.snapshot()
  expect(version).toBe(3)
  expect(answerer.version()).toBe(3)
  expect(items.map(nameOf)).toEqual(['P1', 'P2'])
})

test('people find items of every status by what they know', async () => {
  const store = fakeStore()
  store.put([
    item('a', 1, person('P1', { request: { AccessionNumber: 'ACC1', PlacerOrderNumberImagingServiceRequest: 'PL1' } })),
    item('b', 2, person('P2', { request: { AccessionNumber: 'ACC2', FillerOrderNumberImagingServiceRequest: 'FO1' } })),
    item(
      'c',
      3,
      person('P2', { station: 'MR1', step: { Modality: 'MR', ScheduledProcedureStepStartDate: '20261018' } }),
    ),
    item('d', 4, person('P3', { served: false, stepStatus: 'COMPLETED' })),
  ])
  store.histories.set('O-b', [
    { cause: 2, at: '2026-10-16T08:00:00.000Z', what: 'created', messageId: 'M2' },
    { cause: 5, at: '2026-10-16T08:00:00.000Z', what: 'first image' },
    { cause: 9, at: '2026-10-16T08:00:00.000Z', what: 'updated', messageId: 'M9' },
    { cause: 9, at: '2026-10-16T08:00:00.000Z', what: 'told', messageId: 'M9' },
  ])
  const { index, answerer } = bench(store)
  await eventually(() => index.ready(), 'ready')
  const found = async (query: object): Promise<string[]> =>
    (await answerer.search({ limit: 100, ...query })).items.map(({ id }) => id)
  expect(await found({})).toEqual(['a', 'b', 'd', 'c'])
  expect(await found({ accession: 'ACC2' })).toEqual(['b'])
  expect(await found({ accession: 'ACC*', patientId: 'P2' })).toEqual(['b', 'c'])
  expect(await found({ orderNumber: 'PL1' })).toEqual(['a'])
  expect(await found({ orderNumber: 'FO1' })).toEqual(['b'])
  // An appointment ID is a number of the order, and in no item.
  store.orders = [anOrder({ id: item('c', 1).orderId })]
  expect(await found({ orderNumber: 'B-77' })).toEqual(['c'])
  expect(await found({ studyInstanceUid: '1.2.840.1', modality: 'MR' })).toEqual(['c'])
  expect(await found({ stationAeTitle: 'CT1', stepStatus: 'COMPLETED' })).toEqual(['d'])
  expect(await found({ date: '20261017-20261019' })).toEqual(['c'])
  expect(await found({ date: 'soon' })).toEqual([])
  const [b] = (await answerer.search({ limit: 1, accession: 'ACC2' })).items
  expect(b).toMatchObject({ id: 'b', messages: ['M2', 'M9'], dataset: { AccessionNumber: 'ACC2' } })
})

test('pages follow one another, whatever comes or goes in between', async () => {
  const store = fakeStore()
  const at = (hour: number) => ({ step: { ScheduledProcedureStepStartTime: `${hour}00` } })
  store.put([10, 12, 14, 16, 18].map((hour, n) => item(`i${hour}`, n + 1, at(hour))))
  const { index, answerer } = bench(store)
  await eventually(() => index.ready(), 'ready')
  const first = await answerer.search({ limit: 2 })
  expect(first).toMatchObject({ total: 5, items: [{ id: 'i10' }, { id: 'i12' }] })
  store.put([item('i11', 8, at(11)), item('i13', 9, at(13))])
  await eventually(() => index.version() === 9, 'the changes')
  const second = await answerer.search({ limit: 3, after: first.next ?? '' })
  expect(second).toMatchObject({ total: 7, items: [{ id: 'i13' }, { id: 'i14' }, { id: 'i16' }] })
  const third = await answerer.search({ limit: 3, after: second.next ?? '' })
  expect(third.items.map(({ id }) => id)).toEqual(['i18'])
  expect(third.next).toBeNull()
})

test('a search leaves out what retention has removed', async () => {
  const store = fakeStore()
  store.put([item('a', 1), item('b', 2)])
  const { index, answerer } = bench(store)
  await eventually(() => index.ready(), 'ready')
  store.remove('a')
  expect(await answerer.search({ limit: 5 })).toMatchObject({ total: 1, next: null, items: [{ id: 'b' }] })
  expect(index.get('a')).toBeUndefined()
})

test('a search leaves out what is left of an item whose station its order no longer has', async () => {
  const store = fakeStore()
  store.put([item('a', 1), { ...item('b', 2), served: false, stepStatus: 'CANCELED', dataset: {} }])
  const { index, answerer } = bench(store)
  await eventually(() => index.ready(), 'ready')
  expect(await answerer.search({ limit: 5 })).toMatchObject({ total: 1, items: [{ id: 'a' }] })
})

test('what is served is written ahead, once, and a query writes only what came after', async () => {
  const store = fakeStore()
  store.put(Array.from({ length: 120 }, (_, at) => item(`i${at}`, at + 1, person(`P${at}`))))
  const { answerer, written, found } = bench(store, { datasets: 50 })
  const signal = new AbortController().signal
  expect(await answerer.warm(signal)).toBe(120)
  expect(written).toHaveLength(120)
  expect(await found()).toHaveLength(120)
  expect(written).toHaveLength(120)
  expect(await answerer.warm(signal)).toBe(0)
})

test('no more is written ahead than is kept', async () => {
  const store = fakeStore()
  store.put(Array.from({ length: 200 }, (_, at) => item(`i${at}`, at + 1, person(`P${at}`))))
  const { answerer, written } = bench(store, { maxBytes: 10_000 })
  await answerer.warm(new AbortController().signal)
  expect(written.length).toBeGreaterThan(10)
  expect(written.length).toBeLessThan(80)
})

test('what is written ahead ends when the engine stops', async () => {
  const store = fakeStore()
  store.down = true
  const stopping = new AbortController()
  const warmed = bench(store).answerer.warm(stopping.signal)
  stopping.abort()
  expect(await warmed).toBe(0)
})
