import { afterEach, expect, test } from 'vitest'
import { createSender } from '../../../connectors/mllp/index.ts'
import type { MessageSender } from '../../../src/core/ports.ts'
import { orderBytes } from '../../support/message.ts'
import { eventually, freePort } from '../../support/temporary.ts'
import { ack, memoryLog, receiver } from './peers.ts'

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0).toReversed()) await stop()
})

type Behaviour = Parameters<typeof receiver>[0]

async function setUp(behaviour: Behaviour, acknowledgmentSeconds = 20) {
  const ris = await receiver(behaviour)
  running.push(() => ris.stop())
  return { ris, ...senderTo(ris.port, acknowledgmentSeconds) }
}

function senderTo(port: number, acknowledgmentSeconds = 20) {
  const log = memoryLog()
  const destination = { name: 'ris', host: '127.0.0.1', port, acknowledgmentSeconds }
  const sender = createSender({ destination, log })
  running.push(() => sender.close())
  return { sender, log }
}

function send(sender: MessageSender, controlId: string) {
  return sender.send(orderBytes({ controlId }), controlId)
}

test('messages go one after the other over one kept connection', async () => {
  let onTheWire = 0
  let most = 0
  const { ris, sender } = await setUp((controlId, answer) => {
    onTheWire += 1
    most = Math.max(most, onTheWire)
    setImmediate(() => {
      onTheWire -= 1
      answer(ack(controlId))
    })
  })
  const codes = await Promise.all(['A', 'B', 'C', 'D'].map((controlId) => send(sender, controlId)))
  expect(codes.map(({ code }) => code)).toEqual(['AA', 'AA', 'AA', 'AA'])
  expect(ris.connections()).toBe(1)
  expect(most).toBe(1)
})

const answers = [
  {
    what: 'a refusal with ERR of 2.5',
    text: ack('X', 'AE', 'ERR||OBR^1^4|204^Unknown key identifier^HL70357|E\r'),
    errorCode: '204',
    code: 'AE',
  },
  {
    what: 'a refusal with ERR of 2.3.1',
    text: ack('X', 'AR', 'ERR|OBR^1^4^207&Application internal error&HL70357\r'),
    errorCode: '207',
    code: 'AR',
  },
  { what: 'a commit acknowledgment', text: ack('X', 'CA'), errorCode: '', code: 'CA' },
  { what: 'segments that end with LF', text: ack('X').replaceAll('\r', '\n'), errorCode: '', code: 'AA' },
] as const
test.each(answers)('the answer is read: $what', async ({ text, errorCode, code }) => {
  const { sender } = await setUp((_, answer) => answer(text))
  await expect(send(sender, 'X')).resolves.toEqual({ code, errorCode })
})

test('I7: an acknowledgment of another message is dropped and logged, the own one counts', async () => {
  const { sender, log } = await setUp((controlId, answer) => {
    answer(ack('SOMEBODY'))
    answer('not HL7')
    answer(ack(controlId, 'AR'))
  })
  await expect(send(sender, 'X')).resolves.toMatchObject({ code: 'AR' })
  expect(log.lines).toEqual(['warn E707 answer dropped', 'debug E707 answer dropped'])
})

test('I7: silence is ambiguous, and a late acknowledgment cannot be credited to the next message', async () => {
  const late: (() => void)[] = []
  const { ris, sender } = await setUp((controlId, answer, _, count) => {
    // The first message is answered together with the second one.
    if (count === 1) late.push(() => answer(ack(controlId)))
    else {
      for (const say of late) say()
      answer(ack(controlId))
    }
  }, 0.2)
  await expect(send(sender, 'X')).rejects.toMatchObject({ code: 'E702', class: 'ambiguous' })
  await expect(send(sender, 'Y')).resolves.toMatchObject({ code: 'AA' })
  expect(ris.connections()).toBe(2)
})

test('I7: a receiver that closes instead of answering is ambiguous; the next message finds a new connection', async () => {
  const { ris, sender } = await setUp((controlId, answer, socket, count) => {
    if (count === 1) socket.destroy()
    else answer(ack(controlId))
  })
  await expect(send(sender, 'X')).rejects.toMatchObject({ code: 'E703', class: 'ambiguous' })
  await expect(send(sender, 'X')).resolves.toMatchObject({ code: 'AA' })
  expect(ris.connections()).toBe(2)
})

test('a receiver that closes after each answer is reached each time', async () => {
  const { ris, sender } = await setUp((controlId, answer, socket) => {
    answer(ack(controlId))
    socket.end()
  })
  for (const controlId of ['A', 'B', 'C']) {
    await expect(send(sender, controlId)).resolves.toMatchObject({ code: 'AA' })
    await eventually(() => ris.open() === 0, 'both sides have closed')
  }
})

test('I7: nobody listens: a transient error that names the address, for messages and for a probe', async () => {
  const { sender } = senderTo(await freePort())
  await expect(send(sender, 'X')).rejects.toMatchObject({ code: 'E701', class: 'transient' })
  await expect(sender.probe()).rejects.toThrow(/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)/)
})

test('a probe opens the connection that the next message uses', async () => {
  const { ris, sender } = await setUp((controlId, answer) => answer(ack(controlId)))
  await sender.probe()
  await send(sender, 'X')
  expect(ris.connections()).toBe(1)
})

test('closing ends the message that waits, and takes no more', async () => {
  let arrived = (): void => undefined
  const isThere = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const { sender } = await setUp(() => arrived())
  const sent = send(sender, 'X').catch((error: unknown) => error)
  await isThere
  await sender.close()
  expect(await sent).toMatchObject({ code: 'E704' })
  await expect(send(sender, 'Y')).rejects.toMatchObject({ code: 'E704' })
})
