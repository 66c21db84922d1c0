import { expect, test } from 'vitest'
import { loadSite } from '../../src/config/site.ts'
import { EngineError } from '../../src/core/errors/index.ts'
import type { Accepted, NewMessage } from '../../src/core/message.ts'
import type { SourceSettings } from '../../src/core/settings.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { createReceiver } from '../../src/flow/receive.ts'
import type { Plan } from '../../src/mapping/types.ts'
import { aSite } from '../config/a-site.ts'
import { fakeReplies, keptLog, keptMetrics } from './fakes.ts'

const folder = aSite()
const { site } = loadSite({ env: {}, cwd: folder.cwd })
folder.remove()
const source = site?.settings.sources[0] as SourceSettings
const plan = site?.plans.get(source.name) as Plan

function order(changes: { control?: string; code?: string; controlId?: string; name?: string; type?: string } = {}) {
  const { control = 'NW', code = 'CTABD', controlId = 'M1', name = 'Doe^Jane', type = 'ORM^O01' } = changes
  return Buffer.from(
    [
      String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||${type}|${controlId}|P|2.3.1`,
      `PID|1||4711^^^HOSP||${name}||19800214|F`,
      `ORC|${control}|P1|F1`,
      `OBR|1|P1|F1|${code}^CT Abdomen||||||||||||||ACC1|RP1|SPS1||||||||||||||||20260302101500`,
      '',
    ].join('\r'),
  )
}

function receiving(accept?: (message: NewMessage) => Promise<Accepted>, settings: Partial<SourceSettings> = {}) {
  const stored: NewMessage[] = []
  const happened: string[] = []
  const log = keptLog()
  const metrics = keptMetrics()
  const memo = createVerdictMemo()
  const { receive } = createReceiver({
    source: { ...source, ...settings },
    store: fakeReplies(),
    outcomes: { of: () => Promise.reject(new EngineError('E501')) },
    // Of a site whose source says so.
    plan: () => ({ ...plan, reading: { ...source, ...settings } }),
    inbox: {
      async accept(message) {
        happened.push('accept')
        const accepted = await (accept?.(message) ??
          Promise.resolve({ kind: 'stored', seq: 7, messageId: 'M7', reused: false } as const))
        stored.push(message)
        happened.push('stored')
        return accepted
      },
    },
    memo,
    clock: () => '2026-10-16T08:00:00.000Z',
    log,
    metrics,
    timeZone: 'UTC',
    newControlId: () => 'OURS',
    wake: () => void happened.push('wake'),
  })
  const answer = async (bytes: Uint8Array): Promise<string> => {
    const reply = await receive(bytes)
    happened.push('answer')
    return reply.kind === 'acknowledge' ? Buffer.from(reply.bytes).toString() : reply.kind
  }
  return { answer, stored, happened, log, metrics, memo }
}

const storeAway = (): Promise<never> => Promise.reject(new EngineError('E501'))

test('I1: an order is stored with its judgement, then the drainer is woken, then the sender hears AA', async () => {
  const { answer, stored, happened, memo } = receiving()
  const bytes = order()
  expect(await answer(bytes)).toContain('MSA|AA|M1\r')
  expect(happened).toEqual(['accept', 'stored', 'wake', 'answer'])
  expect(stored[0]).toMatchObject({
    source: 'ris-orders',
    controlId: 'M1',
    type: 'ORM^O01',
    pipeline: 'orders',
    planId: plan.id,
    state: { kind: 'waiting' },
    acknowledgmentCode: 'AA',
    keys: { accessionNumbers: ['ACC1'], patientIds: ['4711'] },
  })
  expect(Buffer.from(stored[0]?.body ?? [])).toEqual(bytes)
  expect(Buffer.from(stored[0]?.acknowledgment ?? []).toString()).toContain('MSA|AA|M1')
  expect(memo.take('M7')?.kind).toBe('accepted')
})

test('I1: while the store is away the sender hears nothing and the connection is closed', async () => {
  const { answer, happened, log, metrics, memo } = receiving(storeAway)
  expect(await answer(order())).toBe('close')
  expect(happened).toEqual(['accept', 'answer'])
  expect(log.all()).toBe('[]')
  expect(metrics.counted('messages_not_stored_total')).toBe(1)
  expect(metrics.counted('messages_received_total')).toBe(0)
  expect(memo.take('M7')).toBeUndefined()
})

test('I1: `reject` answers AR 207 instead, whatever the verdict was', async () => {
  for (const bytes of [order(), order({ code: 'XYZZY' }), order({ control: 'ZZ' })]) {
    const { answer } = receiving(storeAway, { whenStoreUnavailable: 'reject' })
    const text = await answer(bytes)
    expect(text).toContain('MSA|AR|M1|')
    expect(text).toMatch(/ERR\|.*207/)
  }
})

test('I1: a defect on the way into the store is no acknowledgment either, and is said without its text', async () => {
  const { answer, log } = receiving(() => Promise.reject(new TypeError('Doe^Jane')))
  expect(await answer(order())).toBe('close')
  expect(log.said('error')).toEqual(['message could not be stored'])
  expect(log.all()).not.toContain('Doe')
})

test.each(['ACK^O01', 'ACK'])(
  '%s is kept to be seen, and not acknowledged: the answer would be answered',
  async (type) => {
    const { answer, stored, happened, metrics } = receiving()
    expect(await answer(order({ type }))).toBe('nothing')
    expect(stored[0]).toMatchObject({ type, pipeline: '', planId: '', state: { kind: 'ignored', rule: 'reply' } })
    expect(happened).not.toContain('wake')
    expect(metrics.counted('messages_received_total')).toBe(1)
    expect(metrics.counted('acknowledgments_total')).toBe(0)

    const again = receiving(async () => ({ kind: 'again', messageId: 'M3', acknowledgment: Buffer.from('MSA|AA|M1') }))
    expect(await again.answer(order({ type }))).toBe('nothing')

    const unreadable = receiving()
    expect(await unreadable.answer(Buffer.from(order({ type }).toString().replace('Doe', '\xFF'), 'latin1'))).toBe(
      'nothing',
    )
  },
)

test('I4: a message that comes again is answered with the bytes of the first time, and nothing happens', async () => {
  const first = Buffer.from('MSH|^~\\&|first time\rMSA|AA|M1\r')
  const { answer, happened, metrics } = receiving(async () => ({
    kind: 'again',
    messageId: 'M3',
    acknowledgment: first,
  }))
  expect(await answer(order())).toBe(first.toString())
  expect(happened).toEqual(['accept', 'stored', 'answer'])
  expect(metrics.counted('messages_repeated_total')).toBe(1)
  expect(metrics.counted('messages_received_total')).toBe(0)
})

test('I4: a control ID with another body is taken, with a warning', async () => {
  const { answer, happened, log } = receiving(async () => ({
    kind: 'stored',
    seq: 8,
    messageId: 'M8',
    reused: true,
  }))
  expect(await answer(order())).toContain('MSA|AA|M1')
  expect(happened).toContain('wake')
  expect(log.said('warn')).toEqual(['control id reused with another body'])
})

const unapplied = [
  ['an unknown code: AE with its place, kept as invalid', { code: 'XYZZY' }, 'AE', 'invalid', /ERR\|.*OBR/],
  ['an order control that is ignored: AA, kept as ignored', { control: 'ZZ' }, 'AA', 'ignored', /MSA\|AA/],
  ['a type that nobody takes: AR, kept as invalid', { type: 'ADT^A01' }, 'AR', 'invalid', /ERR\|.*20[01]/],
  ['no control ID: AR with an empty MSA-2, kept as invalid', { controlId: '' }, 'AR', 'invalid', /MSA\|AR(\||\r)/],
] as const

test.each(unapplied)('I8: %s', async (_, changes, code, state, text) => {
  const { answer, stored, happened, memo } = receiving()
  expect(await answer(order(changes))).toMatch(text)
  expect(happened).toEqual(['accept', 'stored', 'answer'])
  expect(stored[0]).toMatchObject({ acknowledgmentCode: code, state: { kind: state } })
  expect(memo.take('M7')).toBeUndefined()
})

const unreadable: readonly [what: string, bytes: Uint8Array][] = [
  ['bytes that are no HL7', Buffer.from('GET / HTTP/1.1\r\n')],
  ['nothing at all', Buffer.alloc(0)],
  ['NUL bytes', Buffer.alloc(100)],
  ['half an MSH', Buffer.from('MSH|^~')],
]

test.each(unreadable)('I8: %s: refused, and kept as it came', async (_, bytes) => {
  const { answer, stored, log } = receiving()
  expect(await answer(bytes)).toMatch(/MSA\|A[ER]/)
  expect(stored[0]).toMatchObject({ state: { kind: 'invalid' }, pipeline: '', planId: '' })
  expect(Buffer.from(stored[0]?.body ?? [])).toEqual(bytes)
  expect(log.said('warn')).toEqual(['message refused'])
})

test('I9: nothing of a person reaches the log, whatever becomes of the message', async () => {
  const name = 'Featherstone^Quentin'
  const { answer, log } = receiving()
  for (const changes of [{}, { code: 'XYZZY' }, { control: 'ZZ' }, { type: 'ADT^A01' }, { controlId: '' }]) {
    await answer(order({ name, ...changes }))
  }
  expect(log.all()).not.toMatch(/Featherstone|Quentin|4711|ACC1/)
  expect(log.all()).toContain('E301')
})

test('the verdicts that are remembered are bounded, the oldest stay, and what nobody takes is forgotten in time', () => {
  let at = 0
  const memo = createVerdictMemo({ limit: 2, keepMilliseconds: 100, now: () => at })
  const verdict = { kind: 'ignored', rule: '' } as const
  for (const id of ['M1', 'M2', 'M3']) memo.remember(id, verdict)
  expect([memo.take('M1'), memo.take('M1'), memo.take('M3')]).toEqual([verdict, undefined, undefined])
  at = 200
  for (const id of ['M4', 'M5']) memo.remember(id, verdict)
  expect([memo.take('M2'), memo.take('M4'), memo.take('M5')]).toEqual([undefined, verdict, verdict])
})

test('I9: a header that lies is said in the log by code, and the name is read as what it is; who trusts it is not told', async () => {
  const bytes = Buffer.from(order({ name: 'Müller^Jane' }).toString().replace('|P|2.3.1', '|P|2.3.1||||||8859/1'))
  const detecting = receiving()
  expect(await detecting.answer(bytes)).toContain('MSA|AA|M1')
  const verdict = detecting.memo.take('M7')
  expect(verdict).toMatchObject({ groups: [{ patient: { attributes: { PatientName: 'Müller^Jane' } } }] })
  expect(detecting.log.said('warn')).toEqual(['message has warnings'])
  expect(detecting.log.all()).toContain('E111')
  expect(detecting.log.all()).not.toContain('ller')

  const trusting = receiving(undefined, { charset: 'trust' })
  expect(await trusting.answer(bytes)).toContain('MSA|AA|M1')
  expect(trusting.log.said('warn')).toEqual([])
})

test('bytes that are in no charset get AE with their place, and never become an item', async () => {
  const bytes = Buffer.from(order({ name: 'Müller^Jane' }).toString(), 'latin1')
  const { answer, stored, log } = receiving()
  const text = await answer(bytes)
  expect(text).toContain('MSA|AE|M1')
  expect(text).toMatch(/ERR\|PID\^1\^5\^102/)
  expect(stored[0]).toMatchObject({ state: { kind: 'invalid', faults: [{ code: 'E102' }] } })
  expect(Buffer.from(stored[0]?.body ?? [])).toEqual(bytes)
  expect(log.all()).not.toContain('ller')
})
