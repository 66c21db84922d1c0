import { afterEach, expect, test } from 'vitest'
import type { DicomJson } from '../../src/core/ports.ts'
import { compileQuery } from '../../src/dicom/match.ts'
import { createWorklistIndex, type IndexContext, type WorklistIndex } from '../../src/flow/worklist-index.ts'
import { eventually } from '../support/temporary.ts'
import { fakeStore, item, listeningLog, standingClock, type FakeStore } from './worklist.ts'

const running: WorklistIndex[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((index) => index.stop()))
})

function start(store: FakeStore, options: Partial<IndexContext> = {}): WorklistIndex {
  const index = createWorklistIndex({ store, clock: standingClock(), log: listeningLog(), ...options })
  running.push(index)
  return index
}

const ids = (index: WorklistIndex, query: DicomJson = {}): string[] =>
  index.candidates(compileQuery(query)).map(({ id }) => id)

test('an index is ready when it has read the store to its end, page by page', async () => {
  const store = fakeStore()
  // Seven items of one version: a page ends in the middle of it.
  store.put([item('a', 1), item('b', 2), ...['c', 'd', 'e', 'f', 'g', 'h', 'i'].map((id) => item(id, 3)), item('j', 9)])
  const index = start(store, { pageSize: 8 })
  expect(index.ready()).toBe(false)
  expect(index.lagging()).toBe(true)
  await eventually(() => index.ready(), 'ready')
  expect(index.lagging()).toBe(false)
  expect(index.version()).toBe(9)
  expect(ids(index)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])
})

test('a page that is one version only is not read for ever', async () => {
  const store = fakeStore()
  store.put(['a', 'b', 'c'].map((id) => item(id, 5)))
  const index = start(store, { pageSize: 3 })
  await eventually(() => index.ready(), 'ready')
  expect(index.version()).toBe(5)
})

test('a change is seen at once, and a lost notification at the next look', async () => {
  const store = fakeStore()
  const index = start(store, { catchUpSeconds: 3600 })
  await eventually(() => index.ready(), 'ready')
  store.put([item('a', 1)])
  await eventually(() => ids(index).includes('a'), 'a is seen')

  const patient = start(store, { catchUpSeconds: 0.02 })
  await eventually(() => patient.ready(), 'ready')
  store.put([item('b', 2)], true)
  await eventually(() => ids(patient).includes('b'), 'b is seen')
})

test('an update moves an item, and one that is no longer served leaves', async () => {
  const store = fakeStore()
  store.put([item('a', 1, { step: { ScheduledProcedureStepStartDate: '20261016' } })])
  const index = start(store)
  await eventually(() => index.ready(), 'ready')
  store.put([item('a', 2, { station: 'MR1', step: { ScheduledProcedureStepStartDate: '20261020', Modality: 'MR' } })])
  await eventually(() => index.version() === 2, 'the update')
  const asked = (aet: string, date: string): string[] =>
    ids(index, { '0040,0100': [{ '0040,0001': aet, '0040,0002': date }] })
  expect(asked('CT1', '')).toEqual([])
  expect(asked('', '20261016')).toEqual([])
  expect(asked('MR1', '20261019-')).toEqual(['a'])

  store.put([item('a', 3, { served: false, stepStatus: 'CANCELED' })])
  await eventually(() => index.version() === 3, 'the cancel')
  expect(ids(index)).toEqual([])
  expect(index.get('a')?.stepStatus).toBe('CANCELED')
  expect(index.counts()).toEqual(new Map([['CANCELED', 1]]))
})

test('an older version never takes the place of a newer', async () => {
  const store = fakeStore()
  const index = start(store)
  await eventually(() => index.ready(), 'ready')
  index.put(item('a', 7, { station: 'NEW' }))
  index.put(item('a', 6, { station: 'OLD' }))
  expect(ids(index, { '0040,0100': [{ '0040,0001': 'NEW' }] })).toEqual(['a'])
})

test('items come by start date and time, then id', async () => {
  const store = fakeStore()
  const at = (date: string, time: string) => ({
    step: { ScheduledProcedureStepStartDate: date, ScheduledProcedureStepStartTime: time },
  })
  store.put([
    item('d', 1, at('20261017', '08')),
    item('c', 1, at('20261016', '1015')),
    item('b', 1, at('20261016', '0900')),
    item('a', 1, at('20261016', '1015')),
  ])
  const index = start(store)
  await eventually(() => index.ready(), 'ready')
  expect(ids(index)).toEqual(['b', 'a', 'c', 'd'])
  expect(index.served().map(({ id }) => id)).toEqual(['b', 'a', 'c', 'd'])
})

test('every key that finds candidates finds what scanning would find', async () => {
  const store = fakeStore()
  const items = Array.from({ length: 60 }, (_, n) =>
    item(`i${n}`, n + 1, {
      station: ['CT1', 'CT2', ' MR1 '][n % 3] as string,
      patient: { PatientID: `P${n % 7}` },
      request: { AccessionNumber: `ACC${n % 11}` },
      step: {
        Modality: ['CT', 'CT', 'MR'][n % 3] as string,
        ScheduledProcedureStepStartDate: `202610${10 + (n % 5)}`,
      },
    }),
  )
  store.put(items)
  const index = start(store)
  await eventually(() => index.ready(), 'ready')
  const step = (keys: Record<string, string>): DicomJson => ({ '0040,0100': [keys] })
  const queries: DicomJson[] = [
    step({ '0040,0001': 'MR1' }),
    step({ '0040,0001': 'CT1\\MR1\\CT1' }),
    step({ '0040,0001': 'CT?' }),
    step({ '0008,0060': 'MR' }),
    step({ '0040,0002': '20261011-20261012', '0008,0060': 'CT' }),
    step({ '0040,0002': '2026.10.13' }),
    step({ '0040,0002': '-20261011' }),
    { '0010,0020': 'P3 ' },
    { '0010,0020': 'P3', '0008,0050': 'ACC3\\ACC10' },
    { '0010,0020': 'nobody' },
    {},
  ]
  for (const query of queries) {
    const compiled = compileQuery(query)
    const scanned = items.filter(({ dataset }) => compiled.matches(dataset)).map(({ id }) => id)
    expect({ query, found: ids(index, query).sort() }).toEqual({ query, found: scanned.sort() })
  }
})

test('I10: an index that could not be read for too long says so, and recovers by itself', async () => {
  const store = fakeStore()
  const [clock, log] = [standingClock(), listeningLog()]
  store.put([item('a', 1)])
  const index = start(store, { clock, log, catchUpSeconds: 0.01, maxLagSeconds: 15 })
  await eventually(() => index.ready(), 'ready')
  store.down = true
  await eventually(() => log.lines.length === 1, 'the failure is logged')
  clock.pass(15)
  expect(index.lagging()).toBe(false)
  clock.pass(1)
  expect(index.lagging()).toBe(true)
  expect(index.ready()).toBe(true)
  store.down = false
  await eventually(() => !index.lagging(), 'caught up')
  expect(log.lines.map(({ fields, event }) => [event, fields['code']])).toEqual([
    ['worklist index not kept up', 'E501'],
    ['worklist index kept up again', undefined],
  ])
})

test('I10: a store that is away at the start leaves the index not ready', async () => {
  const store = fakeStore()
  const log = listeningLog()
  store.down = true
  const index = start(store, { log, catchUpSeconds: 0.01 })
  await eventually(() => log.lines.length > 0, 'the failure is logged')
  expect(index.ready()).toBe(false)
  store.down = false
  await eventually(() => index.ready(), 'ready')
})

test('what retention removed is forgotten', async () => {
  const store = fakeStore()
  store.put([item('a', 1), item('b', 2, { served: false, stepStatus: 'COMPLETED' })])
  const index = start(store, { catchUpSeconds: 0.01 })
  await eventually(() => index.ready(), 'ready')
  store.remove('b')
  await eventually(() => index.get('b') === undefined, 'b is forgotten')
  expect(index.get('a')).toBeDefined()
})

test('datasets are kept for a bounded number of items, and only in the version of the entry', async () => {
  const store = fakeStore()
  store.put(['a', 'b', 'c'].map((id, n) => item(id, n + 1)))
  const index = start(store, { datasets: 2 })
  await eventually(() => index.ready(), 'ready')
  const kept = [...index.entries()].filter((entry) => index.dataset(entry) !== undefined).map(({ id }) => id)
  expect(kept).toEqual(['b', 'c'])
  const old = index.get('c')
  index.put(item('c', 9))
  expect(old === undefined ? undefined : index.dataset(old)).toBeUndefined()
})

test('I5, I10: a store that has come back with less than it had is read again from its beginning', async () => {
  const store = fakeStore()
  store.put([item('lost', 9), item('kept', 8)])
  const index = start(store)
  await eventually(() => index.ready() && ids(index).length === 2, 'ready')
  store.rewind()
  expect(index.ready()).toBe(false)
  // A number that was given before, to another change.
  store.put([item('kept', 5), item('new', 9)], true)
  await eventually(() => index.ready(), 'ready again')
  expect(ids(index).toSorted()).toEqual(['kept', 'new'])
  expect(index.get('kept')?.version).toBe(5)
})

test('what is open and served to nobody is counted by its reasons', async () => {
  const store = fakeStore()
  store.put([
    item('served', 1),
    item('held', 2, { served: false, held: true }),
    item('lacking', 3, {
      served: false,
      stepStatus: 'UNSCHEDULED',
      held: true,
      station: '',
      step: { ScheduledProcedureStepStartDate: '' },
    }),
    item('unnamed', 5, { served: false, stepStatus: 'UNSCHEDULED', step: { ScheduledProcedureStepDescription: '' } }),
    item('over', 4, { served: false, stepStatus: 'CANCELED', station: '' }),
  ])
  const index = start(store)
  await eventually(() => index.ready(), 'ready')
  expect(Object.fromEntries(index.hidden())).toEqual({ held: 2, start: 1, modality: 0, station: 1, procedure: 1 })
})

test('what is served is one word: the same for the same items, another for another past', async () => {
  const wordOf = async (...items: Parameters<ReturnType<typeof fakeStore>['put']>[0][]): Promise<string> => {
    const store = fakeStore()
    const index = start(store)
    for (const some of items) {
      store.put(some)
      const version = Math.max(...some.map((one) => one.version))
      await eventually(() => index.ready() && index.version() >= version, 'read')
    }
    return index.contents()
  }
  const [a, b] = [item('a', 1), item('b', 2)]
  const word = await wordOf([a, b])
  expect(await wordOf([b, a])).toBe(word)
  // On another way to the same.
  expect(await wordOf([a], [b, item('c', 3)], [item('c', 4, { served: false })])).toBe(word)
  expect(await wordOf([a, { ...b, updatedAt: '2026-10-17T00:00:00.000Z' }])).not.toBe(word)
  expect(await wordOf([a, item('b', 3)])).not.toBe(word)
  expect(await wordOf([a])).not.toBe(word)
})
