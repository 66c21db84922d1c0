import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Redis } from 'ioredis'
import type { Lease, Store } from '../../src/core/ports.ts'
import { createStoryteller } from '../../src/flow/story.ts'
import { adt, order } from '../support/message.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { createDesk, shippedSite, type Desk } from './replay-desk.ts'
import { openStore } from './support.ts'

const site = shippedSite()
let redis: TestRedis
let store: Store
let desk: Desk
beforeAll(async () => {
  redis = await startRedis({ aof: false })
})
afterAll(() => redis.stop())
beforeEach(async () => {
  const server = new Redis({ path: redis.path })
  await server.flushall()
  server.disconnect()
  store = await openStore(redis.path)
  desk = createDesk(store, site)
})
afterEach(() => store.close())

const hand = { by: 'jo', reason: 'the table was mended', force: false }
const forced = { ...hand, force: true }

/** The start day of the one item of an accession number. */
async function day(accession: string): Promise<unknown> {
  const [found] = await store.orders({ by: 'accessionNumber', value: accession })
  return found?.steps[0]?.attributes['ScheduledProcedureStepStartDate']
}

const at = (start: string, sent: string, more: object = {}): string => order({ accession: 'A1', start, sent, ...more })

/** An order whose table had no row when it came. */
async function invalid(text = at('20260302101500', '20260301090000')): Promise<string> {
  desk.mend(() => true)
  const id = await desk.receive(text)
  desk.mend(undefined)
  return id
}

test('I8: an invalid message is replayed through the pipeline of today, and is one message all the time', async () => {
  const id = await invalid()
  expect(await desk.counted()).toMatchObject({ received: 1, invalid: 1 })
  const went = await desk.replayer.replay(id, hand)
  expect(went).toMatchObject({ id, outcome: 'applied', state: { kind: 'applied' } })
  expect(await day('A1')).toBe('20260302')
  expect(await desk.counted()).toEqual({ received: 1, sum: 1, waiting: 0, applied: 1, ignored: 0, invalid: 0, dead: 0 })
  expect(await desk.letters()).toEqual([])
})

test('I8: a pipeline that still refuses it leaves it invalid, with the fault of today', async () => {
  const id = await invalid()
  desk.mend(() => true)
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'invalid', state: { kind: 'invalid' } })
  expect(await desk.counted()).toMatchObject({ received: 1, sum: 1, invalid: 1 })
})

test('I11: of a message that was too large a part is kept, and no order is made of a part', async () => {
  const whole = at('20260302101500', '20260301090000')
  const id = await desk.receiveOversize(whole, 20_000_000)
  const refused = { outcome: 'invalid', faults: [{ code: 'E849', params: { kept: whole.length, bytes: 20_000_000 } }] }
  expect(await desk.replayer.preview(id)).toMatchObject(refused)
  expect(await desk.replayer.replay(id, hand)).toMatchObject({
    outcome: 'invalid',
    state: { kind: 'invalid', faults: [{ code: 'E849' }] },
  })
  const all = await desk.replayer.replayAll({ kinds: ['invalid'] }, hand, { limit: 10 })
  expect(all.items).toMatchObject([{ id, outcome: 'invalid' }])
  const fields = { kind: 'fields', set: [{ path: 'PID-5', value: 'Doe^Jane' }] } as const
  await expect(desk.replayer.edit(id, fields, hand)).rejects.toMatchObject({ code: 'E849' })
  expect(await store.orders({ by: 'accessionNumber', value: 'A1' })).toEqual([])

  const body = { kind: 'body', bytes: Buffer.from(`${whole}\rNTE|1||whole`) } as const
  expect(await desk.replayer.edit(id, body, hand)).toMatchObject({ outcome: 'applied' })
  expect(await day('A1')).toBe('20260302')
})

test('I4: a replay of what was resent and applied in the meantime changes nothing, and says so', async () => {
  const id = await invalid()
  await desk.receive(at('20260302101500', '20260301091500'))
  await desk.drain()
  const [before] = await store.orders({ by: 'accessionNumber', value: 'A1' })
  expect(await desk.replayer.replay(id, hand)).toMatchObject({
    outcome: 'already-applied',
    state: { kind: 'ignored', rule: 'already-applied' },
  })
  expect(await store.orders({ by: 'accessionNumber', value: 'A1' })).toEqual([before])
})

test('I4: an applied message is replayed as often as anybody likes, and stays applied', async () => {
  const id = await desk.receive(at('20260302101500', '20260301090000'))
  await desk.drain()
  const [before] = await store.orders({ by: 'accessionNumber', value: 'A1' })
  for (let n = 0; n < 2; n++)
    expect(await desk.replayer.replay(id, hand)).toMatchObject({
      outcome: 'already-applied',
      state: { kind: 'applied' },
    })
  expect(await store.orders({ by: 'accessionNumber', value: 'A1' })).toEqual([before])
  expect(await desk.counted()).toMatchObject({ received: 1, sum: 1, applied: 1 })
})

/** What came after the message, and would be undone by it. */
const newer: [string, () => Promise<unknown>, string][] = [
  ['a later message of the same order', () => desk.receive(at('20260305101500', '20260301100000')), 'newer-order'],
  [
    'a later message of the same order that says when it was sent in no way',
    () => desk.receive(at('20260305101500', '')),
    'newer-order',
  ],
]
test.each(newer)('I8: a replay that would undo %s is stale, unless it is forced', async (_what, happen, why) => {
  const id = await invalid()
  await happen()
  await desk.drain()
  const refused = await desk.replayer.replay(id, hand)
  expect(refused).toMatchObject({ outcome: 'stale', preview: { stale: why } })
  expect(refused.preview?.differences).toContainEqual({
    about: 'step',
    orderId: expect.any(String) as string,
    step: 'SPS-A1',
    attribute: 'ScheduledProcedureStepStartDate',
    now: '20260305',
    becomes: '20260302',
  })
  expect(await desk.state(id)).toMatchObject({ kind: 'invalid' })
  expect(await day('A1')).toBe('20260305')
  expect(await desk.replayer.replay(id, forced)).toMatchObject({ outcome: 'applied' })
  expect(await day('A1')).toBe('20260302')
})

test('I8: a cancel of before the images came, replayed, would end the exam: it is stale', async () => {
  await desk.receive(at('20260302101500', '20260301090000'))
  await desk.drain()
  const id = await invalid(at('20260302101500', '20260301093000', { control: 'CA' }))
  const [known] = await store.orders({ by: 'accessionNumber', value: 'A1' })
  const command = { kind: 'complete', orderId: known?.id ?? '' } as const
  await store.acceptManual({ by: 'jo', reason: 'seen', command, at: new Date().toISOString() })
  await store.acceptManual({
    by: 'jo',
    reason: 'no',
    command: { ...command, kind: 'reopen' },
    at: new Date().toISOString(),
  })
  await desk.drain()
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'stale', preview: { stale: 'newer-order' } })
})

test('I8: what comes between the look and the turn makes a replay stale even so, and it is again what it was', async () => {
  const id = await invalid()
  const kept = await store.message(id)
  if (kept === undefined) throw new Error('gone')
  await desk.receive(at('20260305101500', '20260301100000'))
  const judged = { state: { kind: 'waiting' }, type: kept.type, pipeline: kept.pipeline, planId: kept.planId } as const
  const keys = { patientIds: ['4711'], accessionNumbers: ['A1'], placerOrderNumbers: [], fillerOrderNumbers: [] }
  await store.replayMessage(kept, { ...judged, keys }, { by: 'jo', reason: 'x', at: new Date().toISOString() })
  expect(await desk.counted()).toMatchObject({ received: 2, sum: 2, waiting: 2 })
  await desk.drain()
  expect(await desk.state(id)).toEqual(kept.state)
  expect(await desk.counted()).toMatchObject({ received: 2, sum: 2, invalid: 1, applied: 1 })
  const [acts = []] = await store.acts([id])
  expect(acts).toMatchObject([{ kind: 'replayed' }, { kind: 'outcome', outcome: 'stale' }])
})

test('I8: a merge of the patient is nothing newer of the order: what was dead because of it is replayed', async () => {
  await desk.receive(at('20260302101500', '20260301090000', { patientId: 'OLD^^^HOSP^MR' }))
  const id = await desk.receive(at('20260304101500', '20260301091000', { control: 'XO', patientId: 'NEW^^^HOSP^MR' }))
  await desk.drain()
  expect(await desk.state(id)).toMatchObject({ kind: 'dead', fault: { code: 'E602' } })
  const merge = adt({ event: 'A40', patientId: 'NEW^^^HOSP^MR', prior: 'OLD^^^HOSP^MR', sent: '20260301092000' })
  await desk.receive(merge)
  await desk.drain()
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'applied' })
  expect(await day('A1')).toBe('20260304')
})

test('I8: a replay that would give a patient an older name is stale', async () => {
  const id = await invalid()
  await desk.receive(order({ accession: 'B1', name: 'Smith^Jane', sent: '20260301100000' }))
  await desk.drain()
  const { preview, outcome } = await desk.replayer.replay(id, hand)
  expect({ outcome, stale: preview?.stale }).toEqual({ outcome: 'stale', stale: 'newer-patient' })
  expect(preview?.differences.map(({ about, attribute }) => [about, attribute])).toEqual([['patient', 'PatientName']])
})

test('I8: an order that was applied and removed since is not made anew by a replay', async () => {
  const id = await desk.receive(at('20260302101500', '20260301090000'))
  await desk.drain()
  const later = (years: number): string => new Date(Date.now() + years * 365 * 86_400_000).toISOString()
  const limits = { ...site.settings.retention, messageDays: 9999, orderDays: 1 }
  await store.retain(later(2), limits)
  await desk.drain()
  await store.soil('folder', [])
  for (const { id: item, version } of await store.dirty('folder', 10)) await store.clean('folder', item, version)
  await store.retain(later(4), limits)
  expect(await store.orders({ by: 'accessionNumber', value: 'A1' })).toEqual([])
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'stale', preview: { stale: 'order-gone' } })
})

test('I3, I8: dead letters of one order are replayed in their order, and end as if nothing had been wrong', async () => {
  const texts = [
    at('20260302101500', '20260301090000'),
    at('20260303101500', '20260301090100', { control: 'XO' }),
    at('20260304101500', '20260301090200', { control: 'XO' }),
    order({ accession: 'B1' }),
  ]
  const ids: string[] = []
  for (const text of texts) ids.push(await invalid(text))
  expect(await desk.letters()).toHaveLength(4)
  const query = { kinds: ['invalid'] } as const
  const first = await desk.replayer.replayAll(query, hand, { limit: 2 })
  expect(first).toMatchObject({
    total: 4,
    items: [
      { id: ids[0], outcome: 'applied' },
      { id: ids[1], outcome: 'applied' },
    ],
  })
  const rest = await desk.replayer.replayAll(query, hand, { limit: 9, after: first.next ?? '' })
  expect(rest.items.map(({ outcome }) => outcome)).toEqual(['applied', 'applied'])
  expect(rest.next).toBeNull()
  expect(await day('A1')).toBe('20260304')
  expect(await desk.counted()).toMatchObject({ received: 4, sum: 4, applied: 4 })
})

test('I4: a replay of many that is done again tries only what is still a dead letter', async () => {
  await invalid()
  await invalid(order({ accession: 'B1' }))
  const query = { kinds: ['invalid'] } as const
  await desk.replayer.replayAll(query, hand, { limit: 1 })
  const again = await desk.replayer.replayAll(query, hand, { limit: 9 })
  expect(again).toMatchObject({ total: 1, items: [{ outcome: 'applied' }], next: null })
})

test('I8: an edit is a message of its own; the original stays as it came, and both say who and why', async () => {
  const id = await invalid(at('20260302101500', '20260301090000', { procedure: 'WRONG^Wrong^99HOSP' }))
  const body = (await store.message(id))?.body
  const edit = {
    kind: 'fields',
    set: [
      { path: 'OBR-4.1', value: 'CTABD' },
      { path: 'PID-5', value: 'Doe^Janet' },
    ],
  } as const
  const shown = await desk.replayer.preview(id, edit)
  expect(shown).toMatchObject({ outcome: 'applied', orders: [{ isNew: true }] })
  expect(shown.text).toContain('|Doe^Janet|')
  const went = await desk.replayer.edit(id, edit, hand)
  expect(went).toMatchObject({ outcome: 'applied', state: { kind: 'applied' } })
  expect(went.id).not.toBe(id)
  expect((await store.message(id))?.body).toEqual(body)
  expect(await desk.state(id)).toEqual({ kind: 'ignored', rule: 'edited' })
  const made = await store.message(went.id)
  expect(made).toMatchObject({ editOf: id, controlId: (await store.message(id))?.controlId })
  expect(Buffer.from(made?.body ?? []).toString()).toContain('OBR|1|P-A1^CPOE|F-A1^RIS|CTABD^Wrong^99HOSP')
  expect(await store.acts([id, went.id])).toMatchObject([
    [{ kind: 'edited', as: went.id, by: 'jo', reason: hand.reason, was: { kind: 'invalid' } }],
    [
      { kind: 'editOf', of: id, by: 'jo', reason: hand.reason },
      { kind: 'outcome', outcome: 'applied' },
    ],
  ])
  expect(await desk.counted()).toMatchObject({ received: 2, sum: 2, applied: 1, ignored: 1 })
  expect(await desk.replayer.edit(id, edit, hand)).toMatchObject({ id: went.id })
  expect(await desk.counted()).toMatchObject({ received: 2, sum: 2 })
})

test.each([
  ['E835', { kind: 'fields', set: [{ path: 'ORC-1', value: 'NW' }] }],
  ['E834', { kind: 'fields', set: [{ path: 'PID', value: 'PID|1\rPID|2' }] }],
  ['E834', { kind: 'fields', set: [{ path: 'MSH-2', value: '|' }] }],
  ['E834', { kind: 'fields', set: [{ path: 'Doe', value: 'x' }] }],
] as const)('an edit that is none is refused, %s', async (code, edit) => {
  const id = await invalid()
  await expect(desk.replayer.edit(id, edit, hand)).rejects.toMatchObject({ code })
  expect(await desk.counted()).toMatchObject({ received: 1, invalid: 1 })
})

test('I8: an edit that is stale when its turn comes is a dead letter of its own, and can be forced then', async () => {
  const id = await invalid()
  const original = await store.message(id)
  if (original === undefined) throw new Error('gone')
  await desk.receive(at('20260305101500', '20260301100000'))
  const made = await store.editMessage(
    original,
    {
      ...original,
      body: Buffer.from(at('20260303101500', '20260301090000')),
      fingerprint: 'edited',
      state: { kind: 'waiting' },
      keys: { patientIds: ['4711'], accessionNumbers: ['A1'], placerOrderNumbers: [], fillerOrderNumbers: [] },
    },
    { by: 'jo', reason: 'x', at: new Date().toISOString() },
  )
  await desk.drain()
  const [letter] = await desk.letters()
  expect(letter).toMatchObject({ id: made.kind === 'stored' && made.messageId, kind: 'dead', fault: { code: 'E830' } })
  expect(await day('A1')).toBe('20260305')
  expect(await desk.replayer.replay(letter?.id ?? '', forced)).toMatchObject({ outcome: 'applied' })
  expect(await day('A1')).toBe('20260303')
})

test('I8: what is discarded is no dead letter any more, is counted as ignored, and keeps who and why', async () => {
  const id = await invalid()
  expect(await desk.replayer.discard(id, hand)).toMatchObject({ outcome: 'ignored' })
  expect(await desk.state(id)).toEqual({ kind: 'ignored', rule: 'discarded' })
  expect(await desk.letters()).toEqual([])
  expect(await desk.counted()).toMatchObject({ received: 1, sum: 1, ignored: 1 })
  await expect(desk.replayer.discard(id, hand)).rejects.toMatchObject({ code: 'E837' })
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'applied' })
})

test('letters are grouped by reason and endpoint, and found by what identifies them', async () => {
  await desk.receive(order({ accession: 'X1', placer: 'PX1^CPOE', filler: 'FX1^RIS' }))
  await desk.receive(order({ accession: 'X2', placer: 'PX2^CPOE', filler: 'FX2^RIS' }))
  const dead = await desk.receive(order({ control: 'XO', accession: 'X3', placer: 'PX1^CPOE', filler: 'FX2^RIS' }))
  await desk.drain()
  const [first, second] = [
    await invalid(order({ accession: 'A1' })),
    await invalid(order({ accession: 'A2', patientId: '1^^^H^MR' })),
  ]
  const groups = await store.letterGroups({ kinds: ['dead', 'invalid', 'refused'] })
  expect(groups.map(({ kind, code, count }) => [kind, code, count])).toEqual([
    ['invalid', 'E301', 2],
    ['dead', 'E601', 1],
  ])
  const ids = async (query: Parameters<Desk['letters']>[0]): Promise<string[]> =>
    (await desk.letters(query)).map(({ id }) => id)
  expect(await ids({})).toEqual([second, first, dead])
  expect(await ids({ code: 'E601' })).toEqual([dead])
  expect(await ids({ accessionNumber: 'A2' })).toEqual([second])
  expect(await ids({ patientId: '1' })).toEqual([second])
  expect(await ids({ orderNumber: 'PX1' })).toEqual([dead])
  expect(await ids({ endpoint: 'nobody' })).toEqual([])
  expect(await ids({ kinds: ['refused'] })).toEqual([])
  expect(await ids({ since: '2100-01-01T00:00:00.000Z' })).toEqual([])
  const page = await store.letters({ kinds: ['dead', 'invalid'] }, { limit: 2 })
  expect(page).toMatchObject({ total: 3, items: [{ id: second }, { id: first }], next: first })
  expect(await store.letters({ kinds: ['dead', 'invalid'] }, { limit: 2, after: first })).toMatchObject({
    items: [{ id: dead }],
    next: null,
  })
})

test('nobody, no name and no reason stands in a log line (I9)', async () => {
  const id = await invalid()
  await desk.replayer.replay(id, { by: 'JODOE', reason: 'WHYDOE', force: false })
  expect(desk.logged.length).toBeGreaterThan(0)
  expect(JSON.stringify(desk.logged)).not.toMatch(/JODOE|WHYDOE|Doe|4711/)
})

test('I8: the story of an order tells every replay: who, why, what it was before and what came of it', async () => {
  const id = await invalid()
  await desk.replayer.replay(id, hand)
  const [found] = await store.orders({ by: 'accessionNumber', value: 'A1' })
  const story = await createStoryteller({ store })(found?.id ?? '')
  const told = story?.lines.filter(({ by }) => by === 'jo').map(({ what, messageId }) => [messageId, what])
  expect(told).toEqual([
    [id, 'replayed; before: refused (E301)'],
    [id, expect.stringMatching(/^NW\(SC\) created/)],
  ])
})

/** What the RIS is told first of an order, refused; it is owed more of it. */
async function refused(): Promise<{ id: string; controlId: string; bytes: Uint8Array; lane: string; lease: Lease }> {
  await desk.receive(at('20260302101500', '20260301090000'))
  await desk.drain()
  const [known] = await store.orders({ by: 'accessionNumber', value: 'A1' })
  const orderId = known?.id ?? ''
  const when = new Date().toISOString()
  await store.acceptManual({ by: 'jo', reason: 'seen', command: { kind: 'complete', orderId }, at: when })
  await desk.drain()
  const lease = await store.lease('deliver:ris', { takeOver: true })
  if (lease === undefined) throw new Error('no lease')
  const [owed] = await store.owed('ris', 1)
  if (owed === undefined) throw new Error('nothing is owed')
  const outcome = { kind: 'refused', at: when, acknowledgmentCode: 'AE', reason: 'AE 101' } as const
  await store.settle(lease, owed.id, outcome)
  for (const kind of ['reopen', 'complete'] as const)
    await store.acceptManual({ by: 'jo', reason: 'seen', command: { kind, orderId }, at: when })
  await desk.drain()
  return { id: `ris.${owed.id}`, controlId: owed.controlId, bytes: owed.bytes, lane: owed.lane, lease }
}

test('I7, I8: a refused status message is owed again, with its MSH-10, its bytes and its place', async () => {
  const { id, controlId, bytes, lane } = await refused()
  const waiting = (await store.owed('ris', 10)).map((one) => one.controlId)
  expect(await desk.letters({ kinds: ['refused'] })).toMatchObject([{ id, controlId, answer: 'AE 101', orderId: lane }])
  expect(await desk.letters({ kinds: ['refused'], accessionNumber: 'A1', orderNumber: 'F-A1' })).toHaveLength(1)
  expect(await desk.letters({ kinds: ['refused'], accessionNumber: 'A2' })).toEqual([])
  expect(await store.letterGroups({ kinds: ['refused'] })).toMatchObject([{ code: 'E705', answer: 'AE 101', count: 1 }])
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'sent' })
  const owed = await store.owed('ris', 10)
  expect(owed.map((one) => one.controlId)).toEqual([controlId, ...waiting])
  expect(owed[0]?.bytes).toEqual(bytes)
  expect(await desk.letters()).toEqual([])
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'gone' })
  expect(await store.recount('look')).toEqual([])
  const story = await createStoryteller({ store })(lane)
  expect(story?.lines).toContainEqual(
    expect.objectContaining({ what: 'ris is sent it again by hand', by: 'jo', reason: hand.reason, controlId }),
  )
})

test('I7: older news is not told after newer news of the same order, unless it is forced', async () => {
  const { id, lease } = await refused()
  const later = await store.owed('ris', 10)
  expect(later.length).toBeGreaterThan(0)
  const at = new Date().toISOString()
  for (const one of later) await store.settle(lease, one.id, { kind: 'delivered', at, acknowledgmentCode: 'AA' })
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'stale' })
  expect(await store.owed('ris', 10)).toEqual([])
  expect(await desk.replayer.replay(id, forced)).toMatchObject({ outcome: 'sent' })
  expect(await store.owed('ris', 10)).toHaveLength(1)
})

test('I8: a discarded status message is owed no more; its line stays in the story, and the figures are even', async () => {
  const { id, lane } = await refused()
  expect(await desk.replayer.discard(id, hand)).toMatchObject({ outcome: 'ignored' })
  expect(await desk.letters()).toEqual([])
  expect(await desk.replayer.replay(id, hand)).toMatchObject({ outcome: 'gone' })
  expect((await store.sent(lane)).map(({ state }) => state)).toContain('discarded')
  expect(await store.recount('look')).toEqual([])
})

test('what is still owed cannot be discarded', async () => {
  await refused()
  const [owed] = await store.owed('ris', 1)
  expect(await desk.replayer.discard(`ris.${owed?.id ?? ''}`, hand)).toMatchObject({ outcome: 'gone' })
  expect(await store.owed('ris', 1)).toHaveLength(1)
})
