/**
 * I3: what the drainer and Redis make of a stream, in batches of any size and with
 * crashes before and after commits, is what apply makes of it entry by entry in memory.
 */
import * as fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { Seq } from '../../src/core/ids.ts'
import type { WorklistItem } from '../../src/core/order.ts'
import type { Ledger, Store } from '../../src/core/ports.ts'
import type { Change, ExamRules, Lookup } from '../../src/core/world.ts'
import { apply, createOverlay } from '../../src/exam/index.ts'
import { createDrainer, type DrainContext } from '../../src/flow/drain.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { longLives, rulesOf, type Happening } from '../exam/happenings.ts'
import { keys } from '../../src/store/keys.ts'
import { nothing } from '../stories/support.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { message, openStore, silent } from './support.ts'

let redis: TestRedis
let raw: Redis
beforeAll(async () => {
  redis = await startRedis({ aof: false })
  raw = new Redis(redis.path)
})
afterAll(async () => {
  raw.disconnect()
  await redis.stop()
})

type Crash = 'before' | 'after' | undefined
const turns = fc.record({
  batches: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
  crashes: fc.array(fc.constantFrom<Crash>(undefined, undefined, 'before', 'after'), { minLength: 1, maxLength: 8 }),
})

const start = Date.UTC(2026, 9, 16, 8)

/** Each happening as the entry of a message that the store has accepted; orders are named by the messages that made them. */
async function accept(
  store: Store,
  list: readonly (readonly [Happening, number])[],
): Promise<ReadonlyMap<Seq, { readonly entry: InboxEntry; readonly happening: Happening }>> {
  const accepted: { readonly seq: Seq; readonly messageId: string }[] = []
  for (const index of list.keys()) {
    const stored = await store.accept(message({ controlId: String(index) }))
    if (stored.kind === 'stored') accepted.push(stored)
  }
  let minutes = 0
  return new Map(
    accepted.map(({ seq, messageId }, index) => {
      const [happening, pause] = list[index] as readonly [Happening, number]
      minutes += pause
      const entry = happening.entry(seq, new Date(start + minutes * 60_000).toISOString())
      const named = JSON.stringify(entry).replaceAll(/O1(\d{3})-/g, (_, at: string) => `O${accepted[Number(at)]?.seq}-`)
      const own = JSON.parse(named) as InboxEntry
      return [seq, { entry: own.kind === 'message' ? { ...own, messageId } : own, happening }]
    }),
  )
}

/** Items that nobody is served keep the name they had: what they show may be older than their patient. */
function seen(item: WorklistItem): unknown {
  const { dataset: _unseen, ...rest } = item
  return item.served ? item : rest
}

/** What is known at last, by the last change of everything. */
function known(changes: readonly Change[]): ReadonlyMap<string, unknown> {
  const all = new Map<string, unknown>()
  for (const change of changes) {
    if (change.kind === 'patient') all.set(`patient ${change.patient.key}`, change.patient)
    if (change.kind === 'study') all.set(`study ${change.study.key}`, change.study)
    if (change.kind === 'tombstone') all.set(`tombstone ${change.tombstone.key}`, change.tombstone)
    if (change.kind === 'deadline') all.set(`deadline ${change.subject}`, change.due)
    if (change.kind === 'state') all.set(`state ${change.messageId}`, change.state.kind)
    if (change.kind !== 'order') continue
    all.set(`order ${change.order.id}`, change.order)
    for (const item of change.items) all.set(`item ${item.id}`, seen(item))
    for (const id of change.withdrawn) all.set(`item ${id}`, 'withdrawn')
  }
  return all
}

async function stored(store: Store, names: Iterable<string>): Promise<ReadonlyMap<string, unknown>> {
  const all = new Map<string, unknown>()
  const { items: messages } = await store.messages({ limit: 100 })
  for (const name of names) {
    const [kind = '', ...rest] = name.split(' ')
    const key = rest.join(' ')
    if (kind === 'order') all.set(name, await store.order(key))
    else if (kind === 'state') all.set(name, messages.find(({ id }) => id === key)?.state.kind)
    else if (kind === 'deadline') {
      const due = await raw.zscore(keys.deadlines(key), key)
      all.set(name, due === null ? null : new Date(Number(due)).toISOString())
    } else if (kind === 'item') {
      const item = await store.item(key)
      all.set(name, item !== undefined && Object.keys(item.dataset).length === 0 ? 'withdrawn' : item && seen(item))
    } else {
      const by = (kind === 'patient' ? { by: 'patientRecord', key } : { by: kind, key }) as Lookup
      const world = await store.load([by])
      const found = { patient: () => world.patient(key), tombstone: () => world.tombstone(key) } as const
      all.set(name, kind === 'study' ? world.studies(by)[0] : found[kind as 'patient']())
    }
  }
  return all
}

test('I3: batches of any size and crashes in between make the same orders, items, patients and studies as one entry after the other', async () => {
  await fc.assert(
    fc.asyncProperty(longLives, turns, async (life, { batches, crashes }) => {
      await raw.flushall()
      const store = await openStore(redis.path)
      try {
        const entries = await accept(store, life.happenings)
        const rules: ExamRules = rulesOf(life.policy, life.other)
        const truth = createOverlay(nothing)
        const expected: Change[] = []
        for (const { entry, happening } of entries.values()) {
          const changes = apply(truth, entry, happening.groups, rules, happening.patients)
          truth.fold(changes)
          expected.push(...changes)
        }
        let turn = 0
        const away = (): never => {
          throw new EngineError('E501')
        }
        const ledger: Ledger = {
          ...store,
          pending: async (after, limit) =>
            (await store.pending(after, limit)).map(({ seq }) => entries.get(seq)?.entry as InboxEntry),
          async commit(...args) {
            const crash = crashes[turn++]
            if (crash === 'before') away()
            const outcome = await store.commit(...args)
            return crash === 'after' ? away() : outcome
          },
        }
        const last = [...entries.keys()].at(-1) ?? 0
        const parked: string[] = []
        for (let life = 0; (await store.applied()) < last && life < 100; life++) {
          const lease = await store.lease('drain', { takeOver: true })
          if (lease === undefined) continue
          const memo = createVerdictMemo()
          for (const { entry, happening } of entries.values()) {
            const { groups, patients = [] } = happening
            if (entry.kind === 'message')
              memo.remember(entry.messageId, { kind: 'accepted', groups, patients, warnings: [] })
          }
          const drain = createDrainer({
            ledger,
            rules,
            memo,
            plan: () => Promise.resolve(undefined),
            reading: () => ({}),
            log: { ...silent, error: (_, event) => void parked.push(event) },
            metrics: { count: () => {}, observe: () => {}, set: () => {} } as unknown as DrainContext['metrics'],
            committed: () => {},
            batch: batches[life % batches.length] ?? 1,
            gapMilliseconds: 0,
          })
          await drain(lease).catch((error: unknown) => {
            if (!(error instanceof EngineError) || error.code !== 'E501') throw error
          })
          await lease.release()
        }
        expect(parked).toEqual([])
        const names = known(expected)
        expect(await stored(store, names.keys())).toEqual(names)
        expect(await store.applied()).toBeGreaterThanOrEqual(last)
      } finally {
        await store.close()
      }
    }),
    { numRuns: Number(process.env['RUNS'] ?? 40) },
  )
})
