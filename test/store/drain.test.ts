import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Ledger, Log, LogFields, Store } from '../../src/core/ports.ts'
import { createDrainer, type DrainContext } from '../../src/flow/drain.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { message, openStore, order } from './support.ts'

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

const said: { fields: LogFields; event: string }[] = []
const keep = (fields: LogFields, event: string): void => void said.push({ fields, event })
const log: Log = { debug: () => {}, info: keep, warn: keep, error: keep }
const nothing = () => {}

function drainer(changes: Partial<DrainContext>) {
  said.length = 0
  return createDrainer({
    ledger: store,
    rules: { status: { render: () => [] }, completion: { policy: 'quiet', quietSeconds: 1800 } },
    memo: createVerdictMemo(),
    plan: () => Promise.resolve(undefined),
    reading: () => ({}),
    log,
    metrics: { count: nothing, observe: nothing, set: nothing } as unknown as DrainContext['metrics'],
    committed: nothing,
    ...changes,
  })
}

async function drain(changes: Partial<DrainContext>): Promise<void> {
  const lease = await store.lease('drain')
  if (lease === undefined) throw new Error('no lease')
  await drainer(changes)(lease)
  expect(lease.held()).toBe(true)
  await lease.release()
}

async function states(): Promise<Record<string, string>> {
  const { items } = await store.messages({ limit: 100 })
  return Object.fromEntries(
    items.map(({ controlId, state }) => [
      controlId,
      state.kind === 'dead' ? `dead ${state.fault.code} ${state.fault.params['error'] ?? ''}`.trim() : state.kind,
    ]),
  )
}

/** Verdicts as the accepting process remembers them: nothing to do, or what breaks whoever looks at it. */
async function accept(controlIds: readonly string[], poison: string): Promise<VerdictMemoOf> {
  const memo = createVerdictMemo()
  const broken = new Set<string>()
  for (const controlId of controlIds) {
    const { messageId } = await store.accept(message({ controlId }))
    memo.remember(messageId, { kind: 'accepted', groups: [], warnings: [] })
    if (controlId === poison) broken.add(messageId)
  }
  return { memo, broken }
}
interface VerdictMemoOf {
  readonly memo: ReturnType<typeof createVerdictMemo>
  readonly broken: ReadonlySet<string>
}

test('I3, I8: an entry that breaks the drainer is a dead letter, and the ones before and behind it are applied', async () => {
  const { memo, broken } = await accept(['1', '2', '3', '4'], '2')
  const take: DrainContext['memo'] = {
    remember: memo.remember,
    take(id) {
      if (broken.has(id)) throw new RangeError('of a patient with a name')
      return { kind: 'accepted', groups: [], warnings: [] }
    },
  }
  await drain({ memo: take })
  expect(await states()).toEqual({ 1: 'ignored', 2: 'dead E699 RangeError', 3: 'ignored', 4: 'ignored' })
  expect(JSON.stringify(said)).not.toContain('patient with a name')
  expect((await store.counts())[0]).toMatchObject({ received: 4, waiting: 0, ignored: 3, dead: 1 })
})

test('I3: changes that the store could not write whole are not begun, and cost only their entry', async () => {
  const { broken } = await accept(['1', '2', '3'], '3')
  const memo: DrainContext['memo'] = {
    remember: nothing,
    take: () => ({ kind: 'accepted', groups: [], warnings: [] }),
  }
  const ledger: Ledger = {
    ...store,
    commit(lease, after, upTo, changes, known) {
      const poisoned = changes.some((change) => change.kind === 'state' && broken.has(change.messageId))
      const parks = changes.some((change) => change.kind === 'state' && change.state.kind === 'dead')
      const bad = order('O1', Number.NaN)
      return store.commit(
        lease,
        after,
        upTo,
        poisoned && !parks ? [...changes, { kind: 'order', order: bad, items: [], withdrawn: [] }] : changes,
        known,
      )
    },
  }
  await drain({ memo, ledger })
  const found = await states()
  expect(found['3']).toBe('dead E699 TypeError')
  expect((await store.counts())[0]).toMatchObject({ received: 3, waiting: 0 })
  expect(await store.order('O1')).toBeUndefined()
})

test('I3: retention that removes orders all the time neither stops the drainer nor takes its role', async () => {
  const { memo } = await accept(['1', '2', '3'], '')
  let turns = 0
  const ledger: Ledger = {
    ...store,
    async commit(...args) {
      turns += 1
      if (turns <= 3) return 'stale'
      return store.commit(...args)
    },
  }
  await drain({ memo, ledger })
  expect((await store.counts())[0]).toMatchObject({ received: 3, waiting: 0 })
  expect(said.filter(({ event }) => event.includes('another process'))).toEqual([])
})

test('a store that is away ends the turn and parks nothing', async () => {
  const { memo } = await accept(['1'], '')
  const lease = await store.lease('drain')
  if (lease === undefined) throw new Error('no lease')
  const ledger: Ledger = { ...store, load: async (...args) => (await redis.kill(), store.load(...args)) }
  await expect(drainer({ memo, ledger })(lease)).rejects.toMatchObject({ code: 'E501' })
  expect(said.filter(({ event }) => event === 'entry parked')).toEqual([])
})
