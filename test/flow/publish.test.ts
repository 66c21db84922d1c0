import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createFolderTarget } from '../../connectors/orthanc/index.ts'
import type { Dataset } from '../../src/core/dataset.ts'
import { EngineError } from '../../src/core/errors/index.ts'
import type { ItemId, Seq } from '../../src/core/ids.ts'
import type { WorklistItem } from '../../src/core/order.ts'
import type { HeldItem, WorklistTarget } from '../../src/core/ports.ts'
import { createPublisher, type PublishContext } from '../../src/flow/publish.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'
import { keptLog, keptMetrics, storeAway } from './fakes.ts'
import { item } from './worklist.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** The store's side: items, and marks with the version that made them. */
function aLedger() {
  const items = new Map<ItemId, WorklistItem>()
  const marks = new Map<ItemId, Seq>()
  const ledger = {
    items,
    marks,
    away: false,
    put(...changed: WorklistItem[]) {
      for (const one of changed) {
        items.set(one.id, one)
        marks.set(one.id, one.version)
      }
    },
    store: {
      async item(id: ItemId) {
        if (ledger.away) throw storeAway()
        return items.get(id)
      },
      items: async (ids: readonly ItemId[]) => ids.map((id) => items.get(id)),
      dirty: async (_: string, limit: number) => [...marks].slice(0, limit).map(([id, version]) => ({ id, version })),
      async clean(_: string, id: ItemId, version: Seq) {
        if ((marks.get(id) ?? Infinity) <= version) marks.delete(id)
      },
      async soil(_: string, ids?: readonly ItemId[]) {
        for (const id of ids ?? []) marks.set(id, Math.max(marks.get(id) ?? 0, items.get(id)?.version ?? 0))
      },
      servedIds: async () => [...items.values()].filter(({ served }) => served).map(({ id }) => id),
    } satisfies PublishContext['store'],
  }
  return ledger
}

/** A target in memory that fails as told. */
function aTarget() {
  const held = new Map<ItemId, Seq>()
  const target = {
    held,
    fails: undefined as ((item: WorklistItem) => Error | undefined | void) | undefined,
    port: {
      name: 'folder',
      async bring(one: WorklistItem) {
        const error = target.fails?.(one)
        if (error !== undefined) throw error
        if (one.served) held.set(one.id, one.version)
        else held.delete(one.id)
      },
      async *held(): AsyncIterable<HeldItem> {
        for (const [id, version] of held) yield { id, version }
      },
      probe: async () => undefined,
    } satisfies WorklistTarget,
  }
  return target
}

function publishing(target: WorklistTarget, ledger = aLedger()) {
  const log = keptLog()
  const jobs: ItemId[] = []
  let at = Date.parse('2026-10-16T08:00:00.000Z')
  const publisher = createPublisher({
    target,
    retry: { firstSeconds: 1, factor: 2, maxSeconds: 8, jitter: 0.2, openAfter: 3 },
    random: () => 0,
    store: ledger.store,
    jobs: { publish: async (_, ids) => void jobs.push(...ids) },
    clock: () => new Date(at).toISOString(),
    log,
    metrics: keptMetrics(),
  })
  cleanups.push(() => publisher.stop())
  const later = (seconds: number): void => void (at += seconds * 1000)
  /** What the queue would do: each job once. */
  const work = async (): Promise<void> => {
    for (const id of jobs.splice(0)) await publisher.bring(id).catch(() => undefined)
  }
  return { publisher, ledger, log, jobs, work, later }
}

const away = () => new EngineError('E407', { folder: '/x', reason: 'EACCES' })

test('I5: an item is brought in its newest version, and its mark goes', async () => {
  const target = aTarget()
  const { publisher, ledger } = publishing(target.port)
  ledger.put(item('A', 1))
  ledger.put(item('A', 2))
  await publisher.bring('A')
  expect(Object.fromEntries(target.held)).toEqual({ A: 2 })
  expect(ledger.marks.size).toBe(0)
})

test('I5: an item that changes while it is brought keeps its mark', async () => {
  const target = aTarget()
  const { publisher, ledger } = publishing(target.port)
  ledger.put(item('A', 1))
  target.fails = () => ledger.put(item('A', 2))
  await publisher.bring('A')
  expect(Object.fromEntries(ledger.marks)).toEqual({ A: 2 })
})

test('I5: the sweep finds what a lost job left behind', async () => {
  const target = aTarget()
  const { publisher, ledger, work } = publishing(target.port)
  ledger.put(item('A', 1), item('B', 1, { served: false }))
  await publisher.sweep()
  await work()
  expect([...target.held.keys()]).toEqual(['A'])
  expect(ledger.marks.size).toBe(0)
})

test('a target that is away is said once, left alone for a while, and said to be back', async () => {
  const target = aTarget()
  const { publisher, ledger, log, work, later, jobs } = publishing(target.port)
  ledger.put(item('A', 1), item('B', 2))
  let tries = 0
  target.fails = () => {
    tries += 1
    return away()
  }
  await expect(publisher.bring('A')).rejects.toThrow('EACCES')
  await publisher.bring('B')
  await publisher.sweep()
  expect({ tries, jobs, marks: ledger.marks.size }).toEqual({ tries: 1, jobs: [], marks: 2 })
  expect(publisher.failure()?.code).toBe('E407')
  expect(log.said('warn')).toEqual(['target could not be brought up to date'])
  target.fails = undefined
  later(1)
  await publisher.sweep()
  await work()
  expect([...target.held.keys()]).toEqual(['A', 'B'])
  expect(publisher.failure()).toBeUndefined()
  expect(log.said('info')).toEqual(['target is brought up to date again'])
})

test('a target that stays away is shown one item at a time; when it is back all are brought', async () => {
  const target = aTarget()
  const { publisher, ledger, log, work, later, jobs } = publishing(target.port)
  for (let n = 0; n < 500; n += 1) ledger.put(item(`I${n}`, n + 1))
  let tries = 0
  target.fails = () => {
    tries += 1
    return away()
  }
  const states: string[] = []
  for (let round = 0; round < 5; round += 1) {
    await publisher.sweep()
    await Promise.all(jobs.splice(0).map((id) => publisher.bring(id).catch(() => undefined)))
    states.push(publisher.circuit())
    later(8)
  }
  // The first time it was not known to be away.
  expect({ tries: tries - 500, states }).toEqual({ tries: 4, states: ['closed', 'closed', 'open', 'open', 'open'] })
  expect(publisher.plan()).toMatchObject({ failures: 5, code: 'E407' })
  target.fails = undefined
  await publisher.sweep()
  await work()
  expect(publisher.circuit()).toBe('closed')
  await eventually(() => jobs.length > 0, 'the sweep after the first success')
  await work()
  expect(target.held.size).toBe(500)
  expect(ledger.marks.size).toBe(0)
  expect(log.said('info').toSorted()).toEqual([
    'circuit closed',
    'circuit opened',
    'target is brought up to date again',
  ])
})

test('a target that was found away by comparing is asked whether it is back, for nothing else would show it', async () => {
  const target = aTarget()
  let isAway = true
  const answer = async (): Promise<void> => {
    if (isAway) throw away()
  }
  const port: WorklistTarget = {
    ...target.port,
    probe: answer,
    async *held() {
      await answer()
      yield* []
    },
  }
  const { publisher, later } = publishing(port)
  await expect(publisher.reconcile()).rejects.toThrow('EACCES')
  await publisher.reconcile()
  later(1)
  await publisher.sweep()
  expect(publisher.plan()).toMatchObject({ failures: 2 })
  isAway = false
  later(2)
  await publisher.sweep()
  expect(publisher.failure()).toBeUndefined()
  expect(publisher.plan()).toBeUndefined()
})

test('unfit items at the front do not keep a target from being found back', async () => {
  const target = aTarget()
  const { publisher, ledger, work, later } = publishing(target.port)
  ledger.put(item('BAD', 1), item('GOOD', 2))
  target.fails = away
  await publisher.bring('GOOD').catch(() => undefined)
  target.fails = ({ id }) => (id === 'BAD' ? new TypeError('no') : undefined)
  later(1)
  await publisher.sweep()
  await work()
  expect([...target.held.keys()]).toEqual(['GOOD'])
  expect(publisher.circuit()).toBe('closed')
})

test.each([
  ['a defect', () => new TypeError('Doe^Jane')],
  [
    'an item that breaks a rule',
    () => new EngineError('E903', { keyword: 'PatientName', length: 99, max: 64, vr: 'PN' }),
  ],
])('an item that cannot be written (%s) is said once, stays marked, and holds up nobody', async (_, error) => {
  const target = aTarget()
  const { publisher, ledger, log, work } = publishing(target.port)
  ledger.put(item('BAD', 1), item('GOOD', 2))
  target.fails = ({ id, version }) => (id === 'BAD' && version === 1 ? error() : undefined)
  for (let round = 0; round < 3; round += 1) {
    await publisher.sweep()
    await work()
  }
  expect([...target.held.keys()]).toEqual(['GOOD'])
  expect([...ledger.marks.keys()]).toEqual(['BAD'])
  expect(log.said('error')).toEqual(['item is unfit'])
  expect(log.all()).not.toContain('Doe')
  expect(publisher.failure()).toBeDefined()
  ledger.put(item('BAD', 3))
  await publisher.sweep()
  await work()
  expect([...target.held.keys()].toSorted()).toEqual(['BAD', 'GOOD'])
  expect(publisher.failure()).toBeUndefined()
})

test('a store that is away leaves the mark and is no failure of the target', async () => {
  const target = aTarget()
  const { publisher, ledger } = publishing(target.port)
  ledger.put(item('A', 1))
  ledger.away = true
  await expect(publisher.bring('A')).rejects.toThrow('not available')
  expect(publisher.failure()).toBeUndefined()
  expect(ledger.marks.size).toBe(1)
})

test('I5: drift is found: what is missing, what is old, what nobody knows', async () => {
  const target = aTarget()
  const { publisher, ledger, log, jobs, work } = publishing(target.port)
  ledger.put(item('MISSING', 1), item('OLD', 5), item('RIGHT', 3), item('ENDED', 4, { served: false }))
  ledger.marks.clear()
  for (const [id, version] of Object.entries({ OLD: 2, RIGHT: 3, ENDED: 2, FOREIGN: 1 })) target.held.set(id, version)
  await publisher.reconcile()
  expect(jobs.toSorted()).toEqual(['ENDED', 'FOREIGN', 'MISSING', 'OLD'])
  expect(log.said('info')).toEqual(['target had drifted'])
  await work()
  expect(Object.fromEntries(target.held)).toEqual({ OLD: 5, RIGHT: 3, MISSING: 1 })
  expect(ledger.marks.size).toBe(0)
  await publisher.reconcile()
  expect(jobs).toEqual([])
})

test('what is merely on its way to the target is no drift', async () => {
  const target = aTarget()
  const { publisher, ledger, jobs } = publishing(target.port)
  ledger.put(item('A', 1))
  const { servedIds } = ledger.store
  ledger.store.servedIds = async () => {
    // Published between the look at the target and the look at the store.
    target.held.set('A', 1)
    return servedIds()
  }
  await publisher.reconcile()
  expect(jobs).toEqual([])
})

test('I5: with a real folder: an item that the store has forgotten goes, and comes back when it is made again', async () => {
  const folder = temporaryFolder()
  cleanups.push(() => folder.remove())
  const part10 = () => Buffer.from('DICM')
  const { publisher, ledger, work } = publishing(createFolderTarget({ dir: folder.path, part10 }))
  const files = (): string[] => readdirSync(folder.path).filter((name) => name.endsWith('.wl'))
  ledger.put(item('O1-1.1.CT01', 5))
  await publisher.bring('O1-1.1.CT01')
  writeFileSync(join(folder.path, 'foreign.wl'), 'not ours')
  expect(files().toSorted()).toEqual(['foreign.wl', 'worklane-O1-1.1.CT01.wl'])

  ledger.items.clear()
  await publisher.reconcile()
  await work()
  expect(files()).toEqual(['foreign.wl'])
  expect(ledger.marks.size).toBe(0)

  ledger.put(item('O1-1.1.CT01', 6))
  await publisher.bring('O1-1.1.CT01')
  expect(files().toSorted()).toEqual(['foreign.wl', 'worklane-O1-1.1.CT01.wl'])
  rmSync(join(folder.path, 'worklane-O1-1.1.CT01.wl'))
  await publisher.reconcile()
  await work()
  expect(files()).toContain('worklane-O1-1.1.CT01.wl')
})

test('I5: with a real folder: after the store was put back to an older state, the folder follows it back', async () => {
  const folder = temporaryFolder()
  cleanups.push(() => folder.remove())
  const part10 = ({ PatientName }: Dataset) => Buffer.from(PatientName as string)
  const { publisher, ledger, work } = publishing(createFolderTarget({ dir: folder.path, part10 }))
  const named = (name: string) => ({ patient: { PatientName: name } })
  const inFolder = (): string[] =>
    readdirSync(folder.path)
      .filter((name) => name.endsWith('.wl'))
      .map((name) => readFileSync(join(folder.path, name), 'latin1').split('\u{fc}')[0] ?? '')
      .toSorted()
  for (const id of ['KEPT', 'ENDED', 'NEW']) {
    ledger.put(item(id, 9, named(`${id} LATER`)))
    await publisher.bring(id)
  }
  expect(inFolder()).toEqual(['ENDED LATER', 'KEPT LATER', 'NEW LATER'])

  ledger.items.clear()
  ledger.put(item('KEPT', 5, named('KEPT BEFORE')), item('ENDED', 4, { served: false }))
  await publisher.reconcile()
  await work()
  expect(inFolder()).toEqual(['KEPT BEFORE'])
})

test('I5: an item that is made again while it is being removed is brought, and its mark is not lost', async () => {
  const target = aTarget()
  const { publisher, ledger } = publishing(target.port)
  ledger.marks.set('A', 0)
  target.held.set('A', 1)
  target.fails = ({ served }) => (served ? undefined : ledger.put(item('A', 9)))
  await publisher.bring('A')
  expect(Object.fromEntries(target.held)).toEqual({ A: 9 })
  expect(ledger.marks.size).toBe(0)
})
