import { expect, test } from 'vitest'
import type { SourceSettings } from '../../src/core/settings.ts'
import { createReceiver, type Received } from '../../src/flow/receive.ts'
import type { Later } from '../../src/flow/replies.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { aSource, aPlan } from '../contract/worklane.ts'
import { memoryStore, type MemoryStore } from '../support/memory-store.ts'
import { keptLog, keptMetrics } from './fakes.ts'

interface Given {
  readonly asks?: string
  readonly application?: string
  readonly sender?: string
}

function message(id: string, { asks = '/', application = 'WORKLANE', sender = 'RIS' }: Given = {}): string {
  const [accept, forApplication] = asks.split('/')
  return [
    String.raw`MSH|^~\&|${sender}|HOSP|${application}|RAD|20260301||ORM^O01|${id}|P|2.5.1|||${accept}|${forApplication}`,
    'PID|1||4711',
    '',
  ].join('\r')
}

interface Heard {
  /** In the turn of the frame; `later` while it is not known. */
  readonly first: string
  readonly also: readonly Later[]
}

function receiving(settings: Partial<SourceSettings> = {}, store: MemoryStore = memoryStore(), plan = aPlan) {
  const log = keptLog()
  const metrics = keptMetrics()
  let ids = 0
  const at = { now: '2026-10-16T08:15:00.000Z' }
  const receiver = createReceiver({
    source: aSource(settings),
    plan: () => plan,
    inbox: store.inbox,
    store: store.replies,
    outcomes: store.outcomes,
    memo: createVerdictMemo(),
    clock: () => at.now,
    log,
    metrics,
    timeZone: 'UTC',
    newControlId: () => `W${++ids}`,
    wake: () => undefined,
  })
  return {
    ...receiver,
    store,
    log,
    metrics,
    at,
    async hear(text: string, from: object = {}): Promise<Heard> {
      return heard(await receiver.receive(Buffer.from(text), from))
    },
  }
}

function heard(received: Received): Heard {
  const also = received.kind === 'close' ? [] : (received.also ?? [])
  return { first: received.kind === 'acknowledge' ? codes(received.bytes) : received.kind, also }
}

function codes(bytes: Uint8Array | undefined): string {
  const found = Buffer.from(bytes ?? [])
    .toString()
    .matchAll(/MSA\|(\w+)\|([^|\r]*)/g)
  return [...found].map(([, code, id]) => `${code} ${id}`).join(', ')
}

async function said(also: readonly Later[], isDelivered = true): Promise<readonly string[]> {
  const all: string[] = []
  for (const later of also) {
    all.push(codes(await later.bytes))
    later.end(isDelivered)
  }
  await new Promise((resolve) => setImmediate(resolve))
  return all
}

const both = { asks: 'AL/AL' } as const

test('I1: the commit comes after the store, the application behind it, and then nothing is owed', async () => {
  const { hear, store } = receiving()
  const { first, also } = await hear(message('ONE', both))
  expect(first).toBe('CA ONE')
  expect(store.kept[0]).toMatchObject({ acknowledgmentCode: 'CA', owedTo: 'RIS|HOSP', state: { kind: 'waiting' } })
  expect(store.owed()).toEqual(['RIS|HOSP ONE'])
  expect(await said(also)).toEqual(['AA ONE'])
  expect(store.owed()).toEqual([])
})

test('an application acknowledgment that was not heard is said on the next connection of its sender, with the same bytes', async () => {
  const { hear, store } = receiving()
  const { also } = await hear(message('ONE', both))
  const [first] = await Promise.all(also.map(({ bytes }) => bytes))
  await said(also, false)
  expect(store.owed()).toEqual(['RIS|HOSP ONE'])

  expect((await hear(message('OTHER', { ...both, sender: 'LAB' }))).also).toHaveLength(1)
  const next = await hear(message('TWO', both))
  expect(next.first).toBe('CA TWO')
  expect(await next.also[0]?.bytes).toEqual(first)
  expect(await said(next.also)).toEqual(['AA ONE', 'AA TWO'])
})

test('I1: killed between commit and application, the next process says what is owed', async () => {
  const store = memoryStore()
  const before = receiving({}, store)
  await before.hear(message('ONE', both))
  await before.hear(message('BAD', { ...both, application: 'REFUSE' }))

  const after = receiving({}, store)
  after.at.now = '2026-10-16T08:15:02.000Z'
  // Another process may be saying them at this moment.
  expect(await said((await after.hear(message('TWO', both))).also)).toEqual(['AA TWO'])
  after.at.now = '2026-10-16T08:15:10.000Z'
  expect(await said((await after.hear(message('SIX', both))).also)).toEqual(['AA ONE', 'AE BAD', 'AA SIX'])
  expect(store.owed()).toEqual([])
})

test('a sender in original mode on the same port is never told what another message is owed', async () => {
  const { hear, store, at } = receiving()
  await said((await hear(message('ONE', both))).also, false)
  at.now = '2026-10-17T00:00:00.000Z'
  for (const asks of ['/', 'NE/AL', 'ER/ER']) expect((await hear(message(`X${asks}`, { asks }))).also).toEqual([])
  expect(store.owed()).toEqual(['RIS|HOSP ONE'])
})

test('a sender that fills MSH-15 and MSH-16 and expects one AA gets it where the source says so', async () => {
  const { hear, store } = receiving({ acknowledgmentMode: 'original' })
  const heard = [
    await hear(message('ONE', both)),
    await hear(message('TWO', { asks: 'NE/NE' })),
    await hear(message('BAD', { asks: 'AL/NE', application: 'REFUSE' })),
  ]
  expect(heard.map(({ first, also }) => [first, also.length])).toEqual([
    ['AA ONE', 0],
    ['AA TWO', 0],
    ['AE BAD', 0],
  ])
  expect(store.owed()).toEqual([])
})

test('I4: a repetition gets the bytes of its commit and of its application again', async () => {
  const { receive, hear } = receiving()
  const bytes = Buffer.from(message('ONE', both))
  const [one, two] = [await receive(bytes, {}), await receive(bytes, {})]
  expect(one.kind === 'acknowledge' && two.kind === 'acknowledge' && one.bytes).toEqual(
    two.kind === 'acknowledge' && two.bytes,
  )
  expect(heard(two).also).toEqual([])
  const first = await heard(one).also[0]?.bytes
  await said(heard(one).also)
  const third = await hear(bytes.toString())
  expect(await third.also[0]?.bytes).toEqual(first)
})

test('I4: what was refused by its application is judged afresh', async () => {
  const { hear, store } = receiving()
  const text = message('BAD', { ...both, application: 'REFUSE' })
  await said((await hear(text)).also)
  await said((await hear(text)).also)
  expect(store.kept.map(({ state }) => state.kind)).toEqual(['invalid', 'invalid'])
})

test.each([
  ['AL/NE', 'CE BAD'],
  ['AL/AL', 'CA BAD'],
  ['ER/NE', 'CE BAD'],
  ['NE/ER', 'AE BAD'],
  ['NE/NE', 'nothing'],
])('what is wrong, with MSH-15/16 %s: %s, and it is kept as invalid', async (asks, first) => {
  const { hear, store, log } = receiving()
  const { first: said } = await hear(message('BAD', { asks, application: 'REFUSE' }))
  expect(said).toBe(first)
  expect(store.kept[0]?.state.kind).toBe('invalid')
  expect(log.said('warn')).toEqual(['message refused'])
})

test('CE names the place as AE does', async () => {
  const { receive } = receiving()
  const reply = await receive(Buffer.from(message('BAD', { asks: 'AL/NE', application: 'REFUSE' })))
  const text = reply.kind === 'acknowledge' ? Buffer.from(reply.bytes).toString() : ''
  expect(text).toMatch(/MSA\|CE\|BAD\|[^\r]+\rERR\|\|OBR\^1\^4(\^1)?\|103\^/)
})

test('I1: while nothing can be stored there is no answer, or CR where AR is wanted, and silence is never taken for a yes', async () => {
  const store = memoryStore()
  store.away = true
  const noAck = receiving({}, store)
  const reject = receiving({ whenStoreUnavailable: 'reject' }, store)
  for (const asks of ['AL/AL', 'AL/NE', 'NE/NE', '/'])
    expect((await noAck.hear(message('ONE', { asks }))).first).toBe('close')
  const answers = [
    ['AL/NE', 'CR ONE'],
    ['NE/AL', 'AR ONE'],
    ['/', 'AR ONE'],
    ['NE/NE', 'close'],
    ['SU/SU', 'close'],
  ] as const
  for (const [asks, answer] of answers) expect((await reject.hear(message('ONE', { asks }))).first).toBe(answer)
})

test('ack: applied answers when the effect is there; a dead letter is AE, and judged afresh when it comes again', async () => {
  const { receive, store } = receiving({ ack: 'applied' })
  const frames = ['ONE', 'BAD', 'SIX'].map((id) => Buffer.from(message(id)))
  const replies = await Promise.all(frames.map((bytes) => receive(bytes)))
  expect(replies.map(({ kind }) => kind)).toEqual(['later', 'later', 'later'])
  const repeated = await receive(frames[0] as Buffer)
  store.apply(['BAD'])
  const answers = await Promise.all(
    [...replies, repeated].map(async (one) => (one.kind === 'later' ? heard(await one.answer).first : '')),
  )
  expect(answers).toEqual(['AA ONE', 'AE BAD', 'AA SIX', 'AA ONE'])

  const again = await receive(frames[1] as Buffer)
  store.apply()
  expect(again.kind === 'later' && heard(await again.answer).first).toBe('AA BAD')
  expect(store.kept.map(({ controlId, state }) => `${controlId} ${state.kind}`)).toEqual([
    'ONE applied',
    'BAD dead',
    'SIX applied',
    'BAD applied',
  ])
})

test('ack: applied in enhanced mode: CA at once, the application with the effect', async () => {
  const { hear, store } = receiving({ ack: 'applied' })
  const all = [
    await hear(message('ONE', both)),
    await hear(message('BAD', both)),
    await hear(message('QUIET', { asks: 'AL/ER' })),
  ]
  expect(all.map(({ first }) => first)).toEqual(['CA ONE', 'CA BAD', 'CA QUIET'])
  store.apply(['BAD'])
  expect(await said(all.flatMap(({ also }) => also))).toEqual(['AA ONE', 'AE BAD', ''])
  expect(store.owed()).toEqual([])
})

test('ack: stored answers AA whatever is wrong, keeps it as invalid, and refuses only what cannot be matched', async () => {
  const { hear, store } = receiving({ ack: 'stored' })
  expect((await hear(message('BAD', { application: 'REFUSE' }))).first).toBe('AA BAD')
  expect((await hear(message('BAD2', { asks: 'AL/NE', application: 'REFUSE' }))).first).toBe('CA BAD2')
  expect((await hear(message(''))).first).toBe('AR ')
  expect(await hear('PID|1')).toMatchObject({ first: expect.stringMatching(/^A[ER] $/) as string })
  expect(store.kept.map(({ state }) => state.kind)).toEqual(['invalid', 'invalid', 'invalid', 'invalid'])
})

const batch = (messages: readonly string[], count = messages.length) =>
  [
    String.raw`BHS|^~\&|RIS|HOSP|WORKLANE|RAD|||||B1`,
    ...messages.map((text) => text.slice(0, -1)),
    `BTS|${count}`,
    '',
  ].join('\r')

test('I1: a batch is answered when all of its messages are stored, each by itself', async () => {
  const { hear, store, metrics } = receiving()
  const { first, also } = await hear(
    batch([
      message('ONE'),
      message('BAD', { application: 'REFUSE' }),
      message('TWO', { asks: 'AL/AL' }),
      message('SIX', { asks: 'ER/ER' }),
    ]),
  )
  expect(first).toBe('AA ONE, AE BAD, CA TWO')
  expect(await said(also)).toEqual(['AA TWO'])
  expect(store.kept.map(({ controlId, state }) => `${controlId} ${state.kind}`)).toEqual([
    'ONE waiting',
    'BAD invalid',
    'TWO waiting',
    'SIX waiting',
  ])
  expect(metrics.counted('messages_received_total')).toBe(4)
})

test('I1, I4: a store that goes away in the middle of a batch is no answer; when it comes again what was stored is known', async () => {
  let left = 2
  const store: MemoryStore = memoryStore({
    beforeAccept: async () => {
      store.away = left-- <= 0
    },
  })
  const { hear } = receiving({}, store)
  const text = batch(['ONE', 'TWO', 'SIX'].map((id) => message(id)))
  expect((await hear(text)).first).toBe('close')
  expect(store.kept.map(({ controlId }) => controlId)).toEqual(['ONE', 'TWO'])
  left = 100
  expect((await hear(text)).first).toBe('AA ONE, AA TWO, AA SIX')
  expect(store.kept.map(({ controlId }) => controlId)).toEqual(['ONE', 'TWO', 'SIX'])
})

test('I8: a batch that counts wrongly is taken, told to its sender, and kept as invalid without its messages', async () => {
  const { hear, store, log } = receiving()
  expect((await hear(batch([message('ONE')], 2))).first).toBe('AA ONE, AE B1')
  expect(store.kept.map(({ type, controlId }) => [type, controlId])).toEqual([
    ['ORM^O01', 'ONE'],
    ['BHS', 'B1'],
  ])
  expect(Buffer.from(store.kept[1]?.body ?? []).toString()).not.toContain('4711')
  expect(store.kept[1]?.state).toMatchObject({ kind: 'invalid', faults: [{ code: 'E128' }] })
  expect(log.said('warn')).toEqual(['message refused'])
})

test('ack: applied holds the answer of a batch until all of it has taken effect', async () => {
  const { receive, store } = receiving({ ack: 'applied' })
  const reply = await receive(
    Buffer.from(batch([message('ONE'), message('BAD'), message('NO', { application: 'REFUSE' })])),
  )
  expect(reply.kind).toBe('later')
  store.apply(['BAD'])
  expect(reply.kind === 'later' && heard(await reply.answer).first).toBe('AA ONE, AE BAD, AE NO')
})

test('I8: an oversize frame is kept as invalid with its beginning, and found by MSH-10 and by what it is about', async () => {
  const { receiveOversize, store, metrics } = receiving()
  const head = Buffer.from(`${message('BIG')}OBX|1|ED|${'x'.repeat(100)}`)
  const reply = await receiveOversize(head, 20_000_000)
  expect(heard(reply).first).toBe('AR BIG')
  expect(store.kept[0]).toMatchObject({
    controlId: 'BIG',
    size: 20_000_000,
    acknowledgmentCode: 'AR',
    state: { kind: 'invalid', faults: [{ code: 'E108' }] },
  })
  expect(store.kept[0]?.keys.patientIds).toEqual(['4711'])
  expect(Buffer.from(store.kept[0]?.body ?? [])).toEqual(head)
  expect(metrics.counted('messages_received_total')).toBe(1)
  expect(heard(await receiveOversize(Buffer.from(message('BIG', { asks: 'AL/NE' })), 20_000_000)).first).toBe('CR BIG')
  expect(heard(await receiveOversize(Buffer.from('x'.repeat(100)), 20_000_000)).first).toBe('AR ')
  expect(heard(await receiveOversize(Buffer.from(batch([message('ONE')])), 20_000_000)).first).toBe('AR B1')
})

test('I3: the machine that sent a message is kept with it, alone, in a batch, and beyond the limit', async () => {
  const asked: (string | undefined)[] = []
  const plan: typeof aPlan = { ...aPlan, judge: (read, sender) => (asked.push(sender), aPlan.judge(read, sender)) }
  const { hear, receiveOversize, store } = receiving({}, memoryStore(), plan)
  const peer = { address: '::ffff:10.1.2.3', connection: 1 }
  await hear(message('ONE'), peer)
  await hear(batch([message('TWO'), message('SIX')], 3), peer)
  await receiveOversize(Buffer.from(message('BIG')), 20_000_000, peer)
  await hear(message('NOBODY'))
  expect(asked).toEqual([...Array<string>(4).fill('10.1.2.3'), ''])
  expect(store.kept.map(({ controlId, sender }) => [controlId, sender])).toEqual([
    ['ONE', '10.1.2.3'],
    ['TWO', '10.1.2.3'],
    ['SIX', '10.1.2.3'],
    ['B1', '10.1.2.3'],
    ['BIG', '10.1.2.3'],
    ['NOBODY', undefined],
  ])
})
