import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { OrderQuery, Store } from '../../src/core/ports.ts'
import type { MessageState } from '../../src/core/message.ts'
import type { Order, StepStatus, Study } from '../../src/core/order.ts'
import type { Change } from '../../src/core/world.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually } from '../support/temporary.ts'
import { apply, item, message, now, openStore, order, otherLimits } from './support.ts'

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

const fault = { code: 'E501', hl7Code: 207, params: {} } as const
const settled = (seq: number, state: MessageState): Change => ({
  kind: 'state',
  messageId: `M${seq}`,
  source: 'ris',
  state,
})

test('a commit shows everywhere at once: order, item, history, outbox, mark, state, inbox', async () => {
  const changed: number[] = []
  store.onChange((version) => changed.push(version))
  await store.accept(message({ controlId: '1' }))
  let seq = 0
  await apply(store, ([first = 0]) => {
    seq = first
    const o = order('O1', seq)
    return [
      {
        kind: 'patient',
        patient: { key: '4711^^^HOSP', patientId: '4711', issuerOfPatientId: 'HOSP', attributes: {} },
      },
      { kind: 'order', order: o, items: [item(o)], withdrawn: [] },
      { kind: 'history', orderId: 'O1', cause: seq, at: now, what: 'created', messageId: `M${seq}` },
      { kind: 'send', endpoint: 'ris', lane: 'O1', controlId: 'C1', bytes: Buffer.from([0, 255]), at: now },
      { kind: 'tombstone', tombstone: { key: 't', cause: seq, at: now } },
      { kind: 'notice', fault, orderIds: ['O1'] },
      settled(seq, { kind: 'applied' }),
    ]
  })
  expect(await store.itemsSince(0, 10)).toEqual([item(order('O1', seq))])
  expect(await store.itemsSince(seq, 10)).toEqual([])
  expect(await store.history('O1')).toEqual([{ cause: seq, at: now, what: 'created', messageId: `M${seq}` }])
  expect(await store.dirty('folder', 10)).toEqual([{ id: 'O1-1-CT1', version: seq }])
  expect(await store.servedIds()).toEqual(['O1-1-CT1'])
  expect(await store.owed('ris', 10)).toMatchObject([{ lane: 'O1', controlId: 'C1', attempts: 0 }])
  expect([...((await store.owed('ris', 10))[0]?.bytes ?? [])]).toEqual([0, 255])
  expect(await store.pending(0, 10)).toEqual([])
  expect(await store.message(`M${seq}`)).toMatchObject({ state: { kind: 'applied' } })
  const world = await store.load([
    { by: 'patientRecord', key: '4711^^^HOSP' },
    { by: 'patient', key: '4711^^^HOSP' },
    { by: 'tombstone', key: 't' },
    { by: 'fillerOrderNumber', authority: 'ris', value: 'FO1' },
    { by: 'fillerOrderNumber', authority: 'his', value: 'FO1' },
  ])
  expect(world.patient('4711^^^HOSP')?.patientId).toBe('4711')
  expect(world.tombstone('t')?.cause).toBe(seq)
  expect(world.orders({ by: 'patient', key: '4711^^^HOSP' })).toEqual([order('O1', seq)])
  expect(world.orders({ by: 'fillerOrderNumber', authority: 'his', value: 'FO1' })).toEqual([])
  expect(world.has({ by: 'tombstone', key: 'u' })).toBe(false)
  await eventually(() => changed.includes(seq), 'other parts were told')
})

test('an order is found by its numbers as they are now, not as they were', async () => {
  const numbers = (accessionNumber: string) => ({ numbers: { authority: 'ris', accessionNumber } })
  await store.accept(message({ controlId: '1' }))
  await apply(store, ([seq = 0]) => [
    { kind: 'order', order: order('O1', seq, numbers('OLD')), items: [], withdrawn: [] },
  ])
  await store.accept(message({ controlId: '2' }))
  await apply(
    store,
    ([seq = 0]) => [
      { kind: 'order', order: order('O1', seq, { ...numbers('NEW'), patientKey: '1^^^' }), items: [], withdrawn: [] },
    ],
    [{ by: 'accessionNumber', value: 'OLD' }],
  )
  const found = async (value: string): Promise<number> => (await store.orders({ by: 'accessionNumber', value })).length
  expect([await found('OLD'), await found('NEW')]).toEqual([0, 1])
  expect(await store.orders({ by: 'patient', key: '4711^^^HOSP' })).toEqual([])
  expect(await store.orders({ by: 'patient', key: '1^^^' })).toHaveLength(1)
})

test('I5: what is withdrawn or no longer served is told with its new version, and marked until it is brought', async () => {
  await store.accept(message({ controlId: '1' }))
  let first = 0
  await apply(store, ([seq = 0]) => {
    first = seq
    const o = order('O1', seq)
    return [{ kind: 'order', order: o, items: [item(o), item(o, { id: 'O1-2-MR1' })], withdrawn: [] }]
  })
  await store.accept(message({ controlId: '2' }))
  let second = 0
  await apply(
    store,
    ([seq = 0]) => {
      second = seq
      const o = order('O1', seq)
      return [{ kind: 'order', order: o, items: [item(o, { served: false })], withdrawn: ['O1-2-MR1'] }]
    },
    [{ by: 'order', id: 'O1' }],
  )
  const since = await store.itemsSince(first, 10)
  expect(since.map(({ id, served, version }) => [id, served, version])).toEqual([
    ['O1-1-CT1', false, second],
    ['O1-2-MR1', false, second],
  ])
  expect(await store.servedIds()).toEqual([])
  await store.clean('folder', 'O1-1-CT1', first)
  expect(await store.dirty('folder', 10)).toHaveLength(2)
  await store.clean('folder', 'O1-1-CT1', second)
  await store.clean('folder', 'O1-2-MR1', second)
  expect(await store.dirty('folder', 10)).toEqual([])
  await store.soil('folder')
  expect(await store.dirty('folder', 10)).toHaveLength(2)
  // A page never ends within a version: who asks for the next page would miss the rest.
  expect(await store.itemsSince(first, 1)).toHaveLength(2)
})

test('all or nothing: a commit behind, beside or without the lease changes nothing', async () => {
  await store.accept(message({ controlId: '1' }))
  const after = await store.applied()
  const [entry] = await store.pending(after, 10)
  const upTo = entry?.seq ?? 0
  const old = await store.lease('drain')
  const lease = await store.lease('drain', { takeOver: true })
  if (old === undefined || lease === undefined) throw new Error('no lease')
  const changes: Change[] = [
    { kind: 'order', order: order('O1', upTo), items: [], withdrawn: [] },
    settled(upTo, { kind: 'applied' }),
  ]
  const world = await store.load([])
  expect(await store.commit(old, after, upTo, changes, world)).toBe('fenced')
  expect(await store.commit(lease, after - 1, upTo, changes, world)).toBe('stale')
  expect(await store.order('O1')).toBeUndefined()
  expect((await store.counts())[0]).toMatchObject({ waiting: 1, applied: 0 })
  expect(await store.commit(lease, after, upTo, changes, world)).toBe('committed')
  // The answer got lost and the drainer tries again: once is once.
  expect(await store.commit(lease, after, upTo, changes, await store.load([]))).toBe('stale')
  expect((await store.counts())[0]).toMatchObject({ received: 1, waiting: 0, applied: 1 })
})

test('I8: received = waiting + applied + ignored + invalid + dead, through random kills', async () => {
  const seed = Date.now() % 1_000_000
  let state = seed
  const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below
  const outcomes: MessageState[] = [
    { kind: 'applied' },
    { kind: 'dead', fault, attempts: 1 },
    { kind: 'ignored', rule: 'r' },
    { kind: 'applied' },
  ]
  const progress = { sent: 0 }
  const accepting = (async () => {
    for (let n = 0; n < 120; n++) {
      // An invalid one is judged afresh when it comes again: it would count twice.
      const born: MessageState = n % 7 === 0 ? { kind: 'ignored', rule: 'r' } : { kind: 'waiting' }
      await eventually(() => store.accept(message({ controlId: String(n), state: born })), 'accepted')
      progress.sent += 1
    }
  })()
  const draining = (async () => {
    while (progress.sent < 120 || (await store.pending(0, 1).catch(() => [{}])).length > 0) {
      await apply(store, (seqs) => seqs.map((seq) => settled(seq, outcomes[random(4)] ?? fail()))).catch(() => {})
    }
  })()
  for (let kills = 0; kills < 4; kills++) {
    await eventually(() => progress.sent >= kills * 25 + random(20), 'some were sent')
    await redis.kill()
    await redis.restart()
  }
  await Promise.all([accepting, draining])
  const [counts] = await store.counts()
  const { received = 0, waiting = 0, applied = 0, ignored = 0, invalid = 0, dead = 0 } = counts ?? {}
  expect({ seed, received, sum: waiting + applied + ignored + invalid + dead, waiting }).toEqual({
    seed,
    received: 120,
    sum: 120,
    waiting: 0,
  })
  for (const kind of ['applied', 'ignored', 'invalid', 'dead'] as const) {
    const { total } = await store.messages({ state: kind, limit: 1 })
    expect({ seed, kind, total }).toEqual({ seed, kind, total: counts?.[kind] })
  }
})

function fail(): never {
  throw new Error('no outcome')
}

test('I7: an owed message stays until it is settled under the lease of its deliverer', async () => {
  await store.accept(message({ controlId: '1' }))
  await apply(store, ([seq = 0]) => [
    { kind: 'order', order: order('O1', seq), items: [], withdrawn: [] },
    { kind: 'send', endpoint: 'ris', lane: 'O1', controlId: 'C1', bytes: Buffer.from('1'), at: now },
    { kind: 'send', endpoint: 'ris', lane: 'O1', controlId: 'C2', bytes: Buffer.from('2'), at: now },
  ])
  const old = await store.lease('deliver:ris')
  const lease = await store.lease('deliver:ris', { takeOver: true })
  if (old === undefined || lease === undefined) throw new Error('no lease')
  const [one, two] = await store.owed('ris', 10)
  const delivered = { kind: 'delivered', at: now, acknowledgmentCode: 'AA' } as const
  expect(await store.settle(old, one?.id ?? '', delivered)).toBe('fenced')
  expect(await store.settle(lease, one?.id ?? '', { kind: 'retry', at: now, notBefore: now, reason: 'AR' })).toBe(
    'settled',
  )
  expect((await store.owed('ris', 10))[0]).toMatchObject({ controlId: 'C1', attempts: 1, notBefore: now })
  await store.settle(lease, one?.id ?? '', delivered)
  await store.settle(lease, two?.id ?? '', { kind: 'refused', at: now, acknowledgmentCode: 'AE', reason: '207' })
  expect(await store.owed('ris', 10)).toEqual([])
  expect(await store.state('ris')).toEqual({ waiting: 0, delivered: 1, dead: 1 })
  const cause = (await store.order('O1'))?.version
  expect(await store.history('O1')).toEqual([
    { cause, at: now, what: 'ris took it: AA', controlId: 'C1', causedBy: 'delivery' },
    { cause, at: now, what: 'ris refused it: AE', controlId: 'C2', causedBy: 'delivery' },
  ])
})

test('what was told of an order is kept with it, without bytes, and goes with it', async () => {
  await store.accept(message({ controlId: '1' }))
  await apply(store, ([seq = 0]) => [
    // The order comes behind what is sent for it when a batch is collapsed.
    ...['C1', 'C2', 'C3'].map((controlId): Change => ({ ...send(controlId), event: 'started', pipeline: 'status' })),
    { ...send('X1'), lane: 'orthanc main' },
    { kind: 'order', order: order('O1', seq), items: [], withdrawn: [] },
  ])
  const cause = (await store.order('O1'))?.version
  const lease = await store.lease('deliver:ris')
  if (lease === undefined) throw new Error('no lease')
  const [one, two, , unordered] = await store.owed('ris', 10)
  await store.settle(lease, one?.id ?? '', { kind: 'unanswered', at: now, reason: 'E702' })
  await store.settle(lease, one?.id ?? '', { kind: 'retry', at: now, notBefore: now, reason: 'AR' })
  await store.settle(lease, one?.id ?? '', { kind: 'delivered', at: now, acknowledgmentCode: 'AA' })
  const refused = { kind: 'refused', at: now, acknowledgmentCode: 'AE', reason: 'AE 101' } as const
  await store.settle(lease, two?.id ?? '', refused)
  await store.settle(lease, unordered?.id ?? '', { kind: 'delivered', at: now, acknowledgmentCode: 'AA' })
  const decided = { endpoint: 'ris', at: now, cause, event: 'started', pipeline: 'status' }
  const told = [
    { ...decided, controlId: 'C1', state: 'delivered', attempts: 3, settledAt: now, acknowledgmentCode: 'AA' },
    {
      ...decided,
      controlId: 'C2',
      state: 'refused',
      attempts: 1,
      settledAt: now,
      acknowledgmentCode: 'AE',
      reason: 'AE 101',
    },
    { ...decided, controlId: 'C3', state: 'waiting', attempts: 0 },
  ]
  expect(await store.sent('O1')).toEqual(told)
  expect(await store.sent('orthanc main')).toEqual([])
  expect(await bytesKept()).toBe(2)

  // Dead letters are as old as messages may be, the order is not.
  const limits = { ...otherLimits, messageDays: 30, messageCount: 1000, orderDays: 365, orderCount: 1000 }
  await store.retain('2026-12-16T08:15:00.000Z', limits)
  expect(await store.state('ris')).toMatchObject({ dead: 0, waiting: 1 })
  expect(await store.sent('O1')).toEqual(told)
  expect(await bytesKept()).toBe(1)
  const [three] = await store.owed('ris', 10)
  await store.settle(lease, three?.id ?? '', { kind: 'delivered', at: now, acknowledgmentCode: 'AA' })
  await store.retain('2027-12-16T08:15:00.000Z', limits)
  expect(await store.order('O1')).toBeUndefined()
  expect(await store.sent('O1')).toEqual([])
  expect(await sendKeys()).toEqual([])
})

function send(controlId: string): Extract<Change, { kind: 'send' }> {
  return { kind: 'send', endpoint: 'ris', lane: 'O1', controlId, bytes: Buffer.from(controlId), at: now }
}

/** Of how many messages the bytes are still there. */
async function bytesKept(): Promise<number> {
  return looking(async (client) => {
    const kept = await Promise.all((await client.keys('wl:send:*')).map((key) => client.hexists(key, 'bytes')))
    return kept.filter((there) => there === 1).length
  })
}

/** Whatever is kept of messages to be sent, and of the stories of orders. */
function sendKeys(): Promise<readonly string[]> {
  return looking(async (client) =>
    (await client.keys('wl:*')).filter((key) => /^wl:(send|told|h|leftout)(:|$)/.test(key)),
  )
}

async function looking<T>(work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ path: redis.path })
  try {
    return await work(client)
  } finally {
    client.disconnect()
  }
}

test('an order that lives long keeps its first lines and its newest, and says how many are gone', async () => {
  await store.accept(message({ controlId: '1' }))
  await apply(store, ([seq = 0]) => [
    { kind: 'order', order: order('O1', seq), items: [], withdrawn: [] },
    ...Array.from({ length: 250 }, (_, n): Change => ({
      kind: 'history',
      orderId: 'O1',
      cause: seq,
      at: now,
      what: `line ${n}`,
      ...(n === 0 ? { messageId: `M${seq}`, causedBy: 'message' } : {}),
    })),
    ...Array.from({ length: 203 }, (_, n) => send(`C${n}`)),
  ])
  const history = await store.history('O1')
  expect(history).toHaveLength(201)
  expect(history[0]).toMatchObject({ what: 'line 0', causedBy: 'message' })
  expect(history.slice(18, 23).map(({ what }) => what)).toEqual([
    'line 18',
    'line 19',
    '50 lines are left out here',
    'line 70',
    'line 71',
  ])
  expect(history.at(-1)?.what).toBe('line 249')
  // What waits is sent even if its line is gone.
  expect((await store.sent('O1')).map(({ controlId }) => controlId).slice(18, 22)).toEqual(['C18', 'C19', 'C23', 'C24'])
  expect((await store.state('ris')).waiting).toBe(203)
})

test('what was sent after its line was gone leaves nothing behind', async () => {
  await store.accept(message({ controlId: '1' }))
  await apply(store, ([seq = 0]) => [
    { kind: 'order', order: order('O1', seq), items: [], withdrawn: [] },
    ...Array.from({ length: 205 }, (_, n) => send(`C${n}`)),
  ])
  const lease = await store.lease('deliver:ris')
  if (lease === undefined) throw new Error('no lease')
  const answer = { at: now, acknowledgmentCode: 'AE', reason: 'AE' } as const
  for (const { id, controlId } of await store.owed('ris', 205))
    await store.settle(lease, id, { ...answer, kind: controlId === 'C22' ? 'refused' : 'delivered' })
  const kept = async (): Promise<number> => (await sendKeys()).filter((key) => key.startsWith('wl:send:')).length
  // Those of the story, and the dead letter.
  expect([await kept(), (await store.sent('O1')).length]).toEqual([201, 200])
  await store.retain('2026-12-16T08:15:00.000Z', {
    ...otherLimits,
    messageDays: 30,
    messageCount: 1000,
    orderDays: 365,
    orderCount: 1000,
  })
  expect([await kept(), (await store.state('ris')).dead]).toEqual([200, 0])
})

test('orders are found by what people know of them, newest first, page by page', async () => {
  await store.accept(message({ controlId: '1' }))
  const step = (key: string, stepStatus: StepStatus) => ({
    key,
    stepStatus,
    stations: ['CT1'],
    attributes: {},
    flags: [],
  })
  const made = (id: string, fields: Partial<Order>): Change => ({
    kind: 'order',
    order: order(id, 1, fields),
    items: [],
    withdrawn: [],
  })
  const numbers = { authority: 'ris', placerOrderNumber: 'P', accessionNumber: 'A' }
  await apply(store, () => [
    made('O2-0', { numbers, steps: [step('1', 'EXPIRED'), step('2', 'COMPLETED')] }),
    made('O10-0', { numbers: { ...numbers, authority: 'other' }, steps: [step('1', 'EXPIRED')] }),
    made('O10-1', { patientKey: '4712^^^OTHER', steps: [step('1', 'SCHEDULED')] }),
  ])
  const found = async (query: Partial<OrderQuery>): Promise<string[]> =>
    (await store.findOrders({ limit: 10, ...query })).items.map(({ id }) => id)
  expect(await found({})).toEqual(['O10-1', 'O10-0', 'O2-0'])
  expect(await found({ stepStatus: 'EXPIRED' })).toEqual(['O10-0', 'O2-0'])
  expect(await found({ orderNumber: 'P', accessionNumber: 'A' })).toEqual(['O10-0', 'O2-0'])
  expect(await found({ patientId: '4712' })).toEqual(['O10-1'])
  expect(await found({ patientId: '4712', stepStatus: 'EXPIRED' })).toEqual([])
  expect(await found({ studyInstanceUid: '1.2.2-0' })).toEqual(['O2-0'])
  const first = await store.findOrders({ limit: 2 })
  expect(first).toMatchObject({ total: 3, next: 'O10-0' })
  expect(await store.findOrders({ limit: 2, after: 'O10-0' })).toMatchObject({ items: [{ id: 'O2-0' }], next: null })

  // Numbers and statuses are those of now.
  await apply(store, () => [made('O2-0', { numbers: { authority: 'ris' }, steps: [step('1', 'SCHEDULED')] })], [
    { by: 'order', id: 'O2-0' },
  ])
  expect(await found({ stepStatus: 'EXPIRED' })).toEqual(['O10-0'])
  expect(await found({ orderNumber: 'P' })).toEqual(['O10-0'])
})

test('orders and studies of an older engine are found by everything that today are', async () => {
  await store.accept(message({ controlId: '1' }))
  await apply(store, ([seq = 0]) => [
    {
      kind: 'order',
      order: order('O1', seq, { numbers: { authority: 'ris', placerOrderNumber: 'P' } }),
      items: [],
      withdrawn: [],
    },
    { kind: 'study', study: studyOf('O1') },
  ])
  await looking(async (client) => {
    const sets = await client.keys('wl:[xy]:*')
    expect(sets.length).toBeGreaterThan(4)
    await client.del('wl:indexed', ...sets)
  })
  expect((await store.findOrders({ orderNumber: 'P', limit: 10 })).total).toBe(0)
  const upgraded = await openStore(redis.path)
  try {
    for (const query of [{ orderNumber: 'P' }, { patientId: '4711' }, { studyInstanceUid: '1.2.1' }])
      expect((await upgraded.findOrders({ ...query, limit: 10 })).total).toBe(1)
    expect(await upgraded.studiesOf('O1')).toEqual([studyOf('O1')])
  } finally {
    await upgraded.close()
  }
})

function studyOf(orderId: string): Study {
  return {
    key: 'main/s1',
    orthanc: 'main',
    studyInstanceUid: '9.9',
    accessionNumber: 'other',
    patientId: '4711',
    issuerOfPatientId: '',
    series: [],
    stable: false,
    deleted: false,
    credit: { kind: 'mismatch', orderIds: [orderId] },
    firstImageAt: now,
    lastImageAt: now,
  }
}

test('an order has its deadlines and its studies, credited for certain or not', async () => {
  const due = '2026-10-16T09:00:00.000Z'
  const study = studyOf('O1')
  await store.accept(message({ controlId: '1' }))
  await apply(store, ([seq = 0]) => [
    { kind: 'order', order: order('O1', seq), items: [], withdrawn: [] },
    { kind: 'deadline', subject: 'quiet:O1', due },
    { kind: 'deadline', subject: 'expire:O2', due },
    { kind: 'study', study },
  ])
  expect(await store.deadlinesOf('O1')).toEqual([{ kind: 'quiet', due }])
  expect(await store.deadlinesOf('O2')).toEqual([{ kind: 'expire', due }])
  expect(await store.studiesOf('O1')).toEqual([study])
  expect(await store.studiesOf('O2')).toEqual([])
})

test('a pause is there for every process and every restart, until it is taken back; who and why is kept', async () => {
  await store.accept(message({ controlId: '1' }))
  await apply(store, ([seq = 0]) => [
    { kind: 'order', order: order('O1', seq), items: [], withdrawn: [] },
    send('C1'),
    send('C2'),
  ])
  const pause = { paused: true, by: 'night shift', reason: 'RIS update', at: now }
  expect(await store.pause('ris', pause)).toBe(true)
  expect(await store.pause('ris', { ...pause, by: 'somebody else' })).toBe(false)
  expect(await store.pause('archive', { ...pause, paused: false })).toBe(false)
  const other = await openStore(redis.path)
  try {
    const paused = { by: 'night shift', reason: 'RIS update', since: now }
    expect(await other.paused('ris')).toEqual(paused)
    expect(await other.paused('archive')).toBeUndefined()
    expect(await other.state('ris')).toEqual({ waiting: 2, delivered: 0, dead: 0, oldest: now, paused })
    const lease = await other.lease('deliver:ris')
    const [one, two] = await other.owed('ris', 10)
    if (lease === undefined) throw new Error('no lease')
    const delivered = { kind: 'delivered', at: now, acknowledgmentCode: 'AA' } as const
    expect(await other.settle(lease, one?.id ?? '', delivered)).toBe('paused')
    const resumed = { paused: false, by: 'day shift', reason: '', at: now }
    expect(await other.pause('ris', resumed)).toBe(true)
    expect(await store.paused('ris')).toBeUndefined()
    expect(await other.settle(lease, two?.id ?? '', delivered)).toBe('settled')
    expect(await store.pauses('ris')).toEqual([pause, resumed])
  } finally {
    await other.close()
  }
})

test('deadlines that are due enter the inbox once; quiet ones only as far as the feed was read', async () => {
  const due = '2026-10-16T08:00:00.000Z'
  await store.accept(message({ controlId: '1' }))
  await apply(store, () => [
    { kind: 'deadline', subject: 'quiet:O1', due },
    { kind: 'deadline', subject: 'other:O1', due },
    { kind: 'deadline', subject: 'gone:O1', due },
    { kind: 'deadline', subject: 'gone:O1', due: null },
  ])
  expect(await store.acceptDeadlines(now, '2026-10-16T07:00:00.000Z')).toBe(1)
  expect(await store.acceptDeadlines(now, now)).toBe(1)
  expect(await store.acceptDeadlines(now, now)).toBe(0)
  const entries = await store.pending(await store.applied(), 10)
  expect(entries.map((entry) => entry.kind === 'deadline' && [entry.subject, entry.due, entry.at])).toEqual([
    ['other:O1', due, now],
    ['quiet:O1', due, now],
  ])
})

test('I6: a study that is not stable is found until it is', async () => {
  const study = (stable: boolean): Study => ({
    key: 'pacs/st1',
    orthanc: 'pacs',
    studyInstanceUid: '1.2',
    accessionNumber: 'A1',
    patientId: '4711',
    issuerOfPatientId: '',
    series: [],
    stable,
    deleted: false,
    credit: { kind: 'unmatched' },
    firstImageAt: now,
    lastImageAt: now,
  })
  await store.accept(message({ controlId: '1' }))
  await apply(store, () => [{ kind: 'study', study: study(false) }])
  expect(await store.unstableStudies('pacs', '2026-10-16T09:00:00.000Z', 10)).toEqual(['st1'])
  expect(await store.unstableStudies('pacs', now, 10)).toEqual([])
  expect(await store.unstableStudiesAfter('pacs', '2026-10-16T08:00:00.000Z', 10)).toEqual(['st1'])
  expect(await store.unstableStudiesAfter('pacs', now, 10)).toEqual([])
  expect(await store.studies({ by: 'accessionNumber', value: 'A1' })).toEqual([study(false)])
  await store.accept(message({ controlId: '2' }))
  await apply(store, () => [{ kind: 'study', study: study(true) }], [{ by: 'study', key: 'pacs/st1' }])
  expect(await store.unstableStudies('pacs', '2026-10-16T09:00:00.000Z', 10)).toEqual([])
})

test('retention removes what is old or too much, never what waits, is owed or served', async () => {
  await store.remember('plan', 'text')
  for (let n = 0; n < 6; n++) await store.accept(message({ controlId: String(n) }))
  await apply(store, (seqs) => [
    ...seqs.map((seq) => settled(seq, { kind: 'applied' })),
    ...['O1', 'O2', 'O3'].map((id): Change => {
      const o = order(id, seqs[0] ?? 0)
      return { kind: 'order', order: o, items: [item(o, { served: id === 'O2' })], withdrawn: [] }
    }),
    { kind: 'send', endpoint: 'ris', lane: 'O3', controlId: 'C', bytes: Buffer.from('x'), at: now },
  ])
  for (const { id, version } of await store.dirty('folder', 10)) await store.clean('folder', id, version)
  const waits = await store.accept(message({ controlId: 'waits' }))
  const limits = { ...otherLimits, messageDays: 30, messageCount: 3, orderDays: 30, orderCount: 1000 }
  expect(await store.retain(now, limits)).toEqual({ messages: 4, orders: 0, expired: 0 })
  expect(await store.retain('2027-10-16T08:15:00.000Z', limits)).toEqual({ messages: 2, orders: 1, expired: 1 })
  expect((await store.messages({ limit: 10 })).items.map(({ id }) => id)).toEqual([waits.messageId])
  expect(await store.order('O1')).toBeUndefined()
  expect(await store.orders({ by: 'accessionNumber', value: 'AO1' })).toEqual([])
  expect(await store.item('O1-1-CT1')).toBeUndefined()
  expect(await store.orders({ by: 'patient', key: '4711^^^HOSP' })).toHaveLength(2)
  expect(await store.owed('ris', 10)).toHaveLength(1)
  expect(await store.recall('plan')).toBe('text')
  expect((await store.counts())[0]).toMatchObject({ received: 7, applied: 6, waiting: 1 })
  // The duplicate check outlives the message (I4).
  expect(await store.accept(message({ controlId: '0' }))).toMatchObject({ kind: 'again' })
})

test('a world of which retention removed something is read again; whatever else it removed disturbs nobody', async () => {
  for (const controlId of ['1', '2']) await store.accept(message({ controlId }))
  await apply(store, ([first = 0, second = 0]) => [
    { kind: 'order', order: order('O1', first), items: [], withdrawn: [] },
    { kind: 'order', order: order('O2', second, { changedAt: '2026-10-17T00:00:00.000Z' }), items: [], withdrawn: [] },
  ])
  for (const controlId of ['3', '4']) await store.accept(message({ controlId }))
  const lease = await store.lease('drain')
  if (lease === undefined) throw new Error('no lease')
  const after = await store.applied()
  const [third, fourth] = await store.pending(after, 2)
  const one = await store.load([{ by: 'order', id: 'O1' }])
  const other = await store.load([{ by: 'order', id: 'O2' }])
  const limits = { ...otherLimits, messageDays: 30, messageCount: 30, orderDays: 30, orderCount: 1 }
  expect((await store.retain(now, limits)).orders).toBe(1)
  expect(await store.commit(lease, after, third?.seq ?? 0, [], one)).toBe('stale')
  expect(await store.commit(lease, after, third?.seq ?? 0, [], other)).toBe('committed')
  expect(lease.held()).toBe(true)
  const again = await store.load([{ by: 'order', id: 'O1' }])
  expect(await store.commit(lease, third?.seq ?? 0, fourth?.seq ?? 0, [], again)).toBe('committed')
})

test('an order that is still served long after its day is expired by way of the inbox, then it may be removed', async () => {
  await store.accept(message({ controlId: '1' }))
  const step = (day: string, stepStatus: 'SCHEDULED' | 'EXPIRED' = 'SCHEDULED') => ({
    steps: [
      {
        key: '1',
        stepStatus,
        stations: ['CT1'],
        attributes: { ScheduledProcedureStepStartDate: day },
        flags: [],
      },
    ],
  })
  await apply(store, ([seq = 0]) =>
    ['O1', 'O2'].map((id): Change => {
      const o = order(id, seq, step(id === 'O1' ? '20261017' : '20270110'))
      return { kind: 'order', order: o, items: [item(o)], withdrawn: [] }
    }),
  )
  for (const { id, version } of await store.dirty('folder', 10)) await store.clean('folder', id, version)
  const limits = { ...otherLimits, messageDays: 30, messageCount: 30, orderDays: 30, orderCount: 100 }
  expect(await store.retain('2026-11-10T00:00:00.000Z', limits)).toMatchObject({ orders: 0, expired: 0 })
  // Too many: those whose day has been over for a week go first, and only those.
  expect(await store.retain('2026-10-20T00:00:00.000Z', { ...limits, orderCount: 1 })).toMatchObject({ expired: 0 })
  expect(await store.retain('2026-11-10T00:00:00.000Z', { ...limits, orderCount: 1 })).toMatchObject({ expired: 1 })
  const [entry] = await store.pending(await store.applied(), 10)
  expect(entry).toMatchObject({ kind: 'manual', by: 'retention', command: { kind: 'expire', orderId: 'O1' } })
  // As apply does it.
  await apply(
    store,
    ([seq = 0]) => {
      const o = order('O1', seq, { ...step('20261017', 'EXPIRED'), changedAt: '2026-11-10T00:00:00.000Z' })
      const expired = item(o, { version: seq, served: false, stepStatus: 'EXPIRED' })
      return [{ kind: 'order', order: o, items: [expired], withdrawn: [] }]
    },
    [{ by: 'order', id: 'O1' }],
  )
  expect(await store.dirty('folder', 10)).toMatchObject([{ id: 'O1-1-CT1' }])
  await store.clean('folder', 'O1-1-CT1', Number.MAX_SAFE_INTEGER)
  expect(await store.servedIds()).toEqual(['O2-1-CT1'])
  expect(await store.retain('2026-12-20T00:00:00.000Z', limits)).toMatchObject({ orders: 1, expired: 0 })
  expect(await store.order('O2')).toBeDefined()
})

test('a clock that jumps a year ahead removes nothing at once', async () => {
  await store.accept(message({ controlId: '1', state: { kind: 'ignored', rule: 'r' } }))
  const careful = await openStore(redis.path, { retentionStepMilliseconds: 6 * 3_600_000 })
  const limits = { ...otherLimits, messageDays: 1, messageCount: 30, orderDays: 30, orderCount: 100 }
  expect(await careful.retain(now, limits)).toMatchObject({ messages: 0 })
  const later = '2027-10-16T08:15:00.000Z'
  expect(await careful.retain(later, limits)).toMatchObject({ messages: 0 })
  const removed: number[] = []
  for (let run = 0; run < 5; run++) removed.push((await careful.retain(later, limits)).messages)
  expect(removed).toEqual([0, 0, 0, 1, 0])
  await careful.close()
})
