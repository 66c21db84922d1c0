import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createSender, createSplitter, frame } from '../../../connectors/mllp/index.ts'
import { createDeliverer } from '../../../src/flow/deliver.ts'
import { aLease, fakeOutbox, keptLog, keptMetrics } from '../../flow/fakes.ts'
import { eventually, freePort } from '../../support/temporary.ts'
import { ack } from './peers.ts'

/**
 * Deliverer, circuit and sender against a RIS that does everything that one can do to
 * an acknowledgment. Whatever it does: every message is taken once or refused once, in
 * order per order, and what is sent again is the same to the byte.
 */
const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

interface Received {
  readonly controlId: string
  readonly text: string
  readonly connection: number
}

type Mode = (received: Received, socket: Socket, answer: (controlId: string, code?: string) => void) => void

/** A RIS on a port; `mode` may be changed at any time. */
async function startRis(port: number, first: Mode) {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  let [connections, mode] = [0, first]
  const listen = async (): Promise<Server> => {
    const server = createServer((socket) => {
      const connection = (connections += 1)
      sockets.add(socket)
      const splitter = createSplitter({ maxFrameBytes: 10_000 })
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        for (const event of splitter.push(chunk)) {
          if (event.kind !== 'frame') continue
          const text = Buffer.from(event.bytes).toString()
          const one = { controlId: text.split('|')[1]?.trim() ?? '', text, connection }
          received.push(one)
          mode(one, socket, (controlId, code) => {
            if (!socket.destroyed) socket.write(frame(Buffer.from(ack(controlId, code))))
          })
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return server
  }
  let server: Server | undefined = await listen()
  const close = async (): Promise<void> => {
    const closing = server
    server = undefined
    for (const socket of sockets) socket.destroy()
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve))
  }
  cleanups.push(close)
  return {
    received,
    close,
    open: async () => void (server = await listen()),
    become: (next: Mode) => void (mode = next),
  }
}

const takes: Mode = ({ controlId }, _, answer) => answer(controlId)

/** Long where an answer comes: a machine that does something else for a moment must not make it late. */
async function delivering(first: Mode, acknowledgmentSeconds = 5) {
  const port = await freePort()
  const ris = await startRis(port, first)
  const outbox = fakeOutbox()
  const destination = { name: 'ris', host: '127.0.0.1', port, acknowledgmentSeconds }
  const retry = { firstSeconds: 0.02, factor: 2, maxSeconds: 0.1, jitter: 0.2, openAfter: 3 }
  const lease = aLease('deliver:ris')
  let working: Promise<void> | undefined
  const wake = (): void => {
    working ??= deliverer.deliver(lease).finally(() => (working = undefined))
  }
  const deliverer = createDeliverer({
    destination: { name: 'ris', retry },
    outbox,
    sender: createSender({ destination, log: keptLog() }),
    jobs: { wake },
    clock: () => new Date().toISOString(),
    log: keptLog(),
    metrics: keptMetrics(),
    farewellMilliseconds: 10,
  })
  cleanups.push(async () => {
    await deliverer.stop()
    await working
  })
  for (const id of ['A1', 'B1', 'A2', 'C1', 'B2']) outbox.owe(id.slice(0, 1), id)
  const all = ['A1', 'A2', 'B1', 'B2', 'C1']
  const settled = (): Promise<unknown> =>
    eventually(() => {
      wake()
      return outbox.waiting().length === 0
    }, 'all is settled')
  return { ris, outbox, deliverer, wake, settled, all }
}

/** Of each order, first deliveries in order; every repeat the same bytes. */
function expectOrderAndBytes(received: readonly Received[]): void {
  const first = [...new Set(received.map(({ controlId }) => controlId))]
  for (const lane of ['A', 'B', 'C']) {
    const mine = first.filter((id) => id.startsWith(lane))
    expect(mine).toEqual(mine.toSorted())
  }
  expect(new Set(received.map(({ text }) => text)).size).toBe(first.length)
}

test('I7: closed: nothing is lost, the circuit opens, and all is taken once and in order when it is open again', async () => {
  const { ris, outbox, deliverer, wake, settled, all } = await delivering(takes)
  await ris.close()
  await eventually(() => {
    wake()
    return deliverer.circuit() === 'open'
  }, 'the circuit is open')
  expect(outbox.plan).toMatchObject({ code: 'E701', class: 'transient' })
  await ris.open()
  await settled()
  expect(deliverer.circuit()).toBe('closed')
  expect(outbox.delivered.toSorted()).toEqual(all)
  expect(ris.received.map(({ controlId }) => controlId)).toEqual(['A1', 'B1', 'A2', 'C1', 'B2'])
})

test('I7: AE: a dead letter each, none is sent again, and the circuit stays closed', async () => {
  const { ris, outbox, deliverer, settled, all } = await delivering(({ controlId }, _, answer) =>
    answer(controlId, 'AE'),
  )
  await settled()
  expect(outbox.dead.toSorted()).toEqual(all)
  expect(ris.received).toHaveLength(5)
  expect(deliverer.circuit()).toBe('closed')
})

test('I7: AR of one order holds that order only, until it is taken', async () => {
  let isHard = true
  const { ris, outbox, settled, wake } = await delivering(({ controlId }, _, answer) =>
    answer(controlId, isHard && controlId.startsWith('A') ? 'AR' : 'AA'),
  )
  await eventually(() => {
    wake()
    return outbox.delivered.length === 3
  }, 'the others are taken')
  expect(outbox.delivered).toEqual(['B1', 'C1', 'B2'])
  expect(ris.received.some(({ controlId }) => controlId === 'A2')).toBe(false)
  isHard = false
  await settled()
  expect(outbox.delivered).toEqual(['B1', 'C1', 'B2', 'A1', 'A2'])
  expectOrderAndBytes(ris.received)
})

test('I7: silence holds the endpoint: the same bytes over a fresh connection, and nothing else, until it answers', async () => {
  const { ris, outbox, deliverer, wake, settled, all } = await delivering(() => undefined, 0.15)
  await eventually(() => {
    wake()
    return ris.received.length >= 4
  }, 'it was sent several times')
  expect(new Set(ris.received.map(({ controlId }) => controlId))).toEqual(new Set(['A1']))
  expect(new Set(ris.received.map(({ connection }) => connection)).size).toBe(ris.received.length)
  expect(outbox.plan).toMatchObject({ code: 'E702', class: 'ambiguous' })
  expect(['open', 'half-open']).toContain(deliverer.circuit())
  ris.become(takes)
  await settled()
  expect(outbox.delivered.toSorted()).toEqual(all)
  expectOrderAndBytes(ris.received)
})

test('I7: an acknowledgment that comes too late is credited to no other message, on whatever connection it comes', async () => {
  let late: { readonly controlId: string; readonly socket: Socket } | undefined
  const { ris, outbox, settled } = await delivering((one, socket, answer) => {
    if (late === undefined) {
      late = { controlId: one.controlId, socket }
      return
    }
    // AE of what came before, on the old connection and on the new one, in front of the answer to this one.
    late.socket.write(frame(Buffer.from(ack(late.controlId, 'AE'))))
    if (one.controlId !== late.controlId) answer(late.controlId, 'AE')
    answer(one.controlId)
    if (one.controlId !== late.controlId) late = { controlId: one.controlId, socket }
  }, 1)
  await settled()
  expect(outbox.dead).toEqual([])
  expect(outbox.delivered).toEqual(['A1', 'B1', 'A2', 'C1', 'B2'])
  expect(ris.received.map(({ controlId }) => controlId)).toEqual(['A1', 'A1', 'B1', 'A2', 'C1', 'B2'])
  expectOrderAndBytes(ris.received)
})

test('I7: an acknowledgment with another MSA-2 is none: the message is sent again on a fresh connection', async () => {
  const { ris, outbox, settled, all } = await delivering(
    ({ controlId }, _, answer) => answer(ris.received.length % 2 === 1 ? 'NEVER-SENT' : controlId),
    0.6,
  )
  await settled()
  expect(outbox.delivered.toSorted()).toEqual(all)
  expect(ris.received).toHaveLength(10)
  expectOrderAndBytes(ris.received)
  const [first, second] = ris.received
  expect(second).toMatchObject({ controlId: first?.controlId, text: first?.text })
  expect(second?.connection).not.toBe(first?.connection)
})

test('I7: a connection that is cut instead of an acknowledgment is ambiguous: sent again, same bytes', async () => {
  const { ris, outbox, settled, all } = await delivering(({ controlId }, socket, answer) => {
    if (ris.received.length % 3 === 1) socket.destroy()
    else answer(controlId)
  })
  await settled()
  expect(outbox.delivered.toSorted()).toEqual(all)
  expectOrderAndBytes(ris.received)
})
