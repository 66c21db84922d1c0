import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createSender, createSplitter, frame } from '../../connectors/mllp/index.ts'
import { EngineError } from '../../src/core/errors/index.ts'
import type { Acknowledgment, MessageSender } from '../../src/core/ports.ts'
import { createDeliverer } from '../../src/flow/deliver.ts'
import { eventually } from '../support/temporary.ts'
import { aLease, fakeOutbox, type FakeOutbox, keptLog, keptMetrics } from './fakes.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const retry = { firstSeconds: 1, factor: 2, maxSeconds: 8, jitter: 0.2, openAfter: 3 }
type Answer = Acknowledgment['code'] | EngineError

/** A deliverer whose receiver answers as told: one answer for all, or by control ID in turn. AA where nothing is told. */
function delivering(
  answers: Readonly<Record<string, Answer[]>> = {},
  options: {
    sender?: Partial<MessageSender>
    outbox?: FakeOutbox
    address?: { host: string; port: number }
    farewellMilliseconds?: number
  } = {},
) {
  const outbox = options.outbox ?? fakeOutbox()
  const log = keptLog()
  const metrics = keptMetrics()
  const sent: string[] = []
  const bytes: string[] = []
  let at = Date.parse('2026-10-16T08:00:00.000Z')
  const deliverer = createDeliverer({
    destination: { name: 'ris', retry, ...options.address },
    outbox,
    sender: {
      async send(message, controlId) {
        sent.push(controlId)
        bytes.push(Buffer.from(message).toString())
        const answer = (answers[controlId] ?? answers['*'])?.shift() ?? 'AA'
        if (answer instanceof EngineError) throw answer
        return { code: answer, errorCode: '' }
      },
      close: async () => undefined,
      ...options.sender,
    },
    jobs: { wake: () => undefined },
    clock: () => new Date(at).toISOString(),
    log,
    metrics,
    random: () => 0,
    farewellMilliseconds: options.farewellMilliseconds ?? 50,
  })
  cleanups.push(() => deliverer.stop())
  const later = (seconds: number): void => void (at += seconds * 1000)
  return { outbox, log, metrics, sent, bytes, deliverer, later, lease: aLease('deliver:ris') }
}

const away = () => new EngineError('E702', { name: 'ris', address: 'x', seconds: 1 })

test('I7: what is owed is sent in order until the receiver has taken it', async () => {
  const { outbox, sent, deliverer, lease } = delivering()
  for (const id of ['A1', 'B1', 'A2']) outbox.owe(id.slice(0, 1), id)
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1', 'B1', 'A2'])
  expect(outbox.delivered).toEqual(['A1', 'B1', 'A2'])
  expect(outbox.waiting()).toEqual([])
})

test('I7: AE and CE make a dead letter, and the next one of the order is sent', async () => {
  const { outbox, sent, deliverer, lease, log } = delivering({ A1: ['AE'], A2: ['CE'] })
  for (const id of ['A1', 'A2', 'A3']) outbox.owe('A', id)
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1', 'A2', 'A3'])
  expect(outbox.dead).toEqual(['A1', 'A2'])
  expect(outbox.delivered).toEqual(['A3'])
  expect(log.said('warn')).toEqual(['status message is a dead letter', 'status message is a dead letter'])
})

test.each(['AR', 'CR'] as const)(
  'I7: %s holds only its order, and is tried again after a growing pause',
  async (code) => {
    const { outbox, sent, bytes, deliverer, lease, later } = delivering({ A1: [code, code] })
    for (const id of ['A1', 'A2', 'B1']) outbox.owe(id.slice(0, 1), id)
    await deliverer.deliver(lease)
    expect(sent).toEqual(['A1', 'B1'])
    later(0.9)
    await deliverer.deliver(lease)
    expect(sent).toHaveLength(2)
    later(0.2)
    await deliverer.deliver(lease)
    expect(sent).toEqual(['A1', 'B1', 'A1'])
    later(1.9)
    await deliverer.deliver(lease)
    expect(sent).toHaveLength(3)
    later(0.2)
    await deliverer.deliver(lease)
    expect(sent).toEqual(['A1', 'B1', 'A1', 'A1', 'A2'])
    expect(new Set(bytes.filter((text) => text.includes('A1')))).toEqual(new Set(['MSH|A1\r']))
    expect(outbox.waiting()).toEqual([])
  },
)

test('I7: a silent receiver is left alone for a while, for all orders, and nothing is lost or overtaken', async () => {
  const { outbox, sent, deliverer, lease, later, log } = delivering({ '*': [away(), away()] })
  for (const id of ['A1', 'B1']) outbox.owe(id.slice(0, 1), id)
  await deliverer.deliver(lease)
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1'])
  expect(deliverer.held()).toMatchObject({ since: '2026-10-16T08:00:00.000Z', code: 'E702', failures: 1 })
  later(1)
  await deliverer.deliver(lease)
  later(1.9)
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1', 'A1'])
  later(0.2)
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1', 'A1', 'A1', 'B1'])
  expect(deliverer.held()).toBeUndefined()
  expect(log.said('warn')).toEqual(['destination does not take messages'])
  expect(log.said('info')).toEqual(['destination takes messages again'])
})

test('pauses double up to the longest one, and jitter only shortens them', async () => {
  const { outbox, sent, deliverer, lease, later } = delivering({ '*': Array.from({ length: 20 }, away) })
  outbox.owe('A', 'A1')
  const pauses: number[] = []
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const before = sent.length
    let waited = 0
    for (; sent.length === before; waited += 1) {
      await deliverer.deliver(lease)
      if (sent.length === before) later(1)
    }
    pauses.push(waited - 1)
  }
  expect(pauses).toEqual([0, 1, 2, 4, 8, 8, 8, 8])
})

test('many orders that wait do not keep the others waiting', async () => {
  const { outbox, sent, deliverer, lease } = delivering(
    Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`W${n}`, ['AR' as const]])),
  )
  for (let n = 0; n < 1000; n += 1) outbox.owe(`lane ${n}`, `W${n}`)
  await deliverer.deliver(lease)
  sent.length = 0
  outbox.owe('another', 'LAST')
  await deliverer.deliver(lease)
  expect(sent).toEqual(['LAST'])
})

function goesAwayAtSettling(outbox: FakeOutbox): void {
  const { settle } = outbox
  outbox.settle = async () => {
    outbox.away = true
    outbox.settle = settle
    throw new EngineError('E501')
  }
}

test('I7: answered but not settled, because the store went away: settled later, neither lost, overtaken nor sent again', async () => {
  const { outbox, sent, deliverer, lease, later } = delivering({ A1: ['AE'] })
  outbox.owe('A', 'A1')
  outbox.owe('A', 'A2')
  goesAwayAtSettling(outbox)
  await expect(deliverer.deliver(lease)).rejects.toThrow('not available')
  await expect(deliverer.deliver(lease)).rejects.toThrow('not available')
  expect(sent).toEqual(['A1'])
  outbox.away = false
  later(1)
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1', 'A2'])
  expect(outbox.dead).toEqual(['A1'])
  expect(outbox.delivered).toEqual(['A2'])
})

test('I3: a deliverer whose settling is refused gives the role back and sends nothing more', async () => {
  const { outbox, sent, deliverer, lease } = delivering()
  outbox.owe('A', 'A1')
  outbox.owe('A', 'A2')
  outbox.fenced = true
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1'])
  expect(lease.held()).toBe(false)
})

test('nothing is sent once the lease is lost', async () => {
  const { outbox, sent, deliverer, lease } = delivering()
  outbox.owe('A', 'A1')
  lease.lose()
  await deliverer.deliver(lease)
  expect(sent).toEqual([])
})

test('who has lost the role does not say that the receiver is away; who has it next goes on with the same plan', async () => {
  const { outbox, sent, deliverer, lease, later } = delivering({ '*': [away(), away(), away()] })
  outbox.owe('A', 'A1')
  await deliverer.deliver(lease)
  later(1)
  await deliverer.deliver(lease)
  expect(deliverer.held()).toMatchObject({ failures: 2, class: 'ambiguous' })
  lease.lose()
  expect(deliverer.held()).toBeUndefined()

  const next = delivering({ '*': [away()] }, { outbox })
  next.later(1)
  await next.deliverer.deliver(aLease('deliver:ris'))
  later(1.9)
  next.later(1.9)
  await next.deliverer.deliver(aLease('deliver:ris'))
  expect(next.sent).toEqual([])
  next.later(0.2)
  await next.deliverer.deliver(aLease('deliver:ris'))
  expect(next.sent).toEqual(['A1'])
  expect(next.deliverer.held()).toMatchObject({ failures: 3, since: '2026-10-16T08:00:00.000Z' })
  expect(next.deliverer.circuit()).toBe('open')
  expect(sent).toEqual(['A1', 'A1'])
})

test('a circuit opens after so many failures in a row, says so once, and one probe closes it', async () => {
  const { outbox, sent, deliverer, lease, later, log } = delivering({ '*': Array.from({ length: 4 }, away) })
  for (const id of ['A1', 'B1', 'C1']) outbox.owe(id.slice(0, 1), id)
  const states: unknown[] = []
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await deliverer.deliver(lease)
    states.push(deliverer.circuit())
    later(8)
  }
  expect(states).toEqual(['closed', 'closed', 'open', 'open'])
  expect(sent).toEqual(['A1', 'A1', 'A1', 'A1'])
  expect(outbox.plan).toMatchObject({ failures: 4 })
  await deliverer.deliver(lease)
  expect(deliverer.circuit()).toBe('closed')
  expect(outbox.plan).toBeUndefined()
  expect(outbox.delivered).toEqual(['A1', 'B1', 'C1'])
  expect(log.said('info')).toEqual(['circuit opened', 'circuit closed', 'destination takes messages again'])
})

test('a plan for another address says nothing of this one; one by a longer policy asks for no more patience than this', async () => {
  const plan = {
    failures: 9,
    since: '2026-10-16T07:00:00.000Z',
    at: '2026-10-16T08:00:00.000Z',
    next: '2026-10-16T09:00:00.000Z',
    code: 'E701',
    class: 'transient',
  } as const
  const moved = delivering({}, { address: { host: '127.0.0.2', port: 2576 } })
  moved.outbox.plan = { ...plan, address: '127.0.0.2:2575' }
  moved.outbox.owe('A', 'A1')
  await moved.deliverer.deliver(moved.lease)
  expect(moved.outbox.delivered).toEqual(['A1'])
  expect(moved.outbox.plan).toBeUndefined()

  const same = delivering({ '*': [away()] }, { address: { host: '127.0.0.2', port: 2576 } })
  same.outbox.plan = { ...plan, address: '127.0.0.2:2576' }
  same.outbox.owe('A', 'A1')
  same.later(7.9)
  await same.deliverer.deliver(same.lease)
  expect(same.sent).toEqual([])
  same.later(0.2)
  await same.deliverer.deliver(same.lease)
  expect(same.sent).toEqual(['A1'])
  expect(same.outbox.plan).toMatchObject({ failures: 10, address: '127.0.0.2:2576' })
})

test('AR never opens the circuit: a receiver that answers is there', async () => {
  const { outbox, deliverer, lease, later } = delivering({ A1: Array.from({ length: 9 }, () => 'AR' as const) })
  outbox.owe('A', 'A1')
  for (let attempt = 0; attempt < 9; attempt += 1) {
    await deliverer.deliver(lease)
    expect(deliverer.circuit()).toBe('closed')
    later(8)
  }
  outbox.owe('B', 'B1')
  await deliverer.deliver(lease)
  expect(outbox.delivered).toContain('B1')
})

test('a receiver to which nothing is owed any more is not said to be away', async () => {
  const { outbox, deliverer, lease, later } = delivering({ '*': [away()] })
  outbox.owe('A', 'A1')
  await deliverer.deliver(lease)
  expect(outbox.plan).toBeDefined()
  outbox.owed = async () => []
  later(1)
  await deliverer.deliver(lease)
  expect(outbox.plan).toBeUndefined()
})

test('a deliverer that is stopped closes its sender at once when nothing is on the wire', async () => {
  let closed = 0
  const { deliverer, outbox, sent, lease } = delivering({}, { sender: { close: async () => void (closed += 1) } })
  await deliverer.stop()
  outbox.owe('A', 'A1')
  await deliverer.deliver(lease)
  expect({ closed, sent }).toEqual({ closed: 1, sent: [] })
})

test('I7: stopping waits for the acknowledgment of what is on the wire, and no longer than a moment', async () => {
  const answers: ((acknowledgment: Acknowledgment) => void)[] = []
  let fail: (error: EngineError) => void = () => undefined
  const sender: Partial<MessageSender> = {
    send: () =>
      new Promise((resolve, reject) => {
        answers.push(resolve)
        fail = reject
      }),
    close: async () => fail(new EngineError('E704', { name: 'ris' })),
  }
  const first = delivering({}, { sender })
  first.outbox.owe('A', 'A1')
  first.outbox.owe('A', 'A2')
  const turn = first.deliverer.deliver(first.lease)
  await eventually(() => answers.length === 1, 'it is on the wire')
  const stopped = first.deliverer.stop()
  answers[0]?.({ code: 'AA', errorCode: '' })
  await Promise.all([turn, stopped])
  expect({ taken: first.outbox.delivered, waiting: first.outbox.waiting() }).toEqual({ taken: ['A1'], waiting: ['A2'] })

  const silent = delivering({}, { sender })
  silent.outbox.owe('A', 'A1')
  const waiting = silent.deliverer.deliver(silent.lease)
  await eventually(() => answers.length === 2, 'it is on the wire')
  await Promise.all([waiting, silent.deliverer.stop()])
  expect(silent.outbox.waiting()).toEqual(['A1'])
  expect(silent.log.said('warn')).toEqual([])
})

test('I7: stopping waits until the store knows of what was acknowledged: it is not told again after the start', async () => {
  const { outbox, sent, deliverer, lease } = delivering({}, { farewellMilliseconds: 30_000 })
  for (const id of ['A1', 'A2']) outbox.owe('A', id)
  goesAwayAtSettling(outbox)
  await expect(deliverer.deliver(lease)).rejects.toThrow('not available')
  let stopped = false
  const stopping = deliverer.stop().then(() => (stopped = true))
  await expect(deliverer.deliver(lease)).rejects.toThrow('not available')
  expect([sent, stopped]).toEqual([['A1'], false])
  // As its role does, until it is stopped.
  outbox.away = false
  await deliverer.deliver(lease)
  await stopping
  expect([sent, outbox.delivered]).toEqual([['A1'], ['A1']])
  const next = delivering({}, { outbox })
  await next.deliverer.deliver(next.lease)
  expect([next.sent, outbox.delivered]).toEqual([['A2'], ['A1', 'A2']])
})

test('I7: a store that stays away does not keep a deliverer from stopping', async () => {
  const { outbox, deliverer, lease } = delivering()
  outbox.owe('A', 'A1')
  goesAwayAtSettling(outbox)
  await expect(deliverer.deliver(lease)).rejects.toThrow('not available')
  await deliverer.stop()
  expect(outbox.waiting()).toEqual(['A1'])
})

test('I7: over a real connection only the acknowledgment with our control ID counts, and what was not acknowledged comes again, byte for byte', async () => {
  const received: string[] = []
  const answers = [
    // Another message's, then ours: ours counts.
    ['MSH|^~\\&|RIS\rMSA|AA|OTHER\r', 'MSH|^~\\&|RIS\rMSA|AA|A1\r'],
    // Nothing, and the connection is closed: sent again.
    undefined,
    ['MSH|^~\\&|RIS\rMSA|AA|A2\r'],
  ]
  const server = createServer((socket) => {
    const splitter = createSplitter({ maxFrameBytes: 1000 })
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      for (const event of splitter.push(chunk)) {
        if (event.kind !== 'frame') continue
        received.push(Buffer.from(event.bytes).toString())
        const answer = answers.shift()
        if (answer === undefined) socket.destroy()
        else for (const one of answer) socket.write(frame(Buffer.from(one)))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const { port } = server.address() as { port: number }
  const log = keptLog()
  const sender = createSender({ destination: { name: 'ris', host: '127.0.0.1', port, acknowledgmentSeconds: 5 }, log })
  cleanups.unshift(() => sender.close())
  const { outbox, deliverer, lease, later } = delivering({}, { sender })
  outbox.owe('A', 'A1')
  outbox.owe('A', 'A2')
  await deliverer.deliver(lease)
  expect(outbox.delivered).toEqual(['A1'])
  later(2)
  await deliverer.deliver(lease)
  await eventually(() => outbox.waiting().length === 0, 'everything is taken')
  expect(received).toEqual(['MSH|A1\r', 'MSH|A2\r', 'MSH|A2\r'])
})

test('I7: a clock that is set back holds nothing back for longer than the longest pause', async () => {
  const { outbox, sent, deliverer, lease, later } = delivering({ A1: ['AR'], B1: [away()] })
  for (const id of ['A1', 'B1']) outbox.owe(id.slice(0, 1), id)
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1', 'B1'])
  later(-3600)
  await deliverer.deliver(lease)
  expect(outbox.delivered).toEqual(['A1', 'B1'])
})

test('while a person holds the destination nothing is sent, and afterwards everything in its order', async () => {
  const { outbox, sent, deliverer, lease } = delivering()
  outbox.pause = { by: 'night shift', reason: 'RIS update', since: '2026-10-16T08:00:00.000Z' }
  for (const id of ['A1', 'B1', 'A2']) outbox.owe(id.slice(0, 1), id)
  await deliverer.deliver(lease)
  expect(sent).toEqual([])
  expect(outbox.waiting()).toEqual(['A1', 'B1', 'A2'])
  outbox.pause = undefined
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1', 'B1', 'A2'])
})

test('a pause that comes while a message is on the wire lets it end, and nothing follows', async () => {
  const held = delivering(
    {},
    {
      sender: {
        async send(_, controlId) {
          held.sent.push(controlId)
          held.outbox.pause = { by: 'night shift', reason: 'RIS update', since: '2026-10-16T08:00:00.000Z' }
          return { code: 'AA', errorCode: '' }
        },
      },
    },
  )
  const { outbox, sent, deliverer, lease } = held
  for (const id of ['A1', 'B1']) outbox.owe(id.slice(0, 1), id)
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1'])
  expect(outbox.delivered).toEqual(['A1'])
  expect(outbox.waiting()).toEqual(['B1'])
})

test('who resumes a destination that was silent before need not wait for its backoff', async () => {
  const { outbox, sent, deliverer, lease } = delivering({ A1: [away()] })
  outbox.owe('A', 'A1')
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1'])
  expect(outbox.unanswered).toEqual(['A1'])
  outbox.pause = { by: 'night shift', reason: 'RIS update', since: '2026-10-16T08:00:00.000Z' }
  await deliverer.deliver(lease)
  expect(deliverer.held()).toBeUndefined()
  outbox.pause = undefined
  await deliverer.deliver(lease)
  expect(sent).toEqual(['A1', 'A1'])
  expect(outbox.delivered).toEqual(['A1'])
})
