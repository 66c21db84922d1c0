import { afterEach, expect, test } from 'vitest'
import { createSender } from '../../connectors/mllp/index.ts'
import type { MessageSender } from '../../src/core/ports.ts'
import type { ServerUnderTest } from '../contract/subject.ts'
import { silent } from '../contract/worklane.ts'
import { orderBytes } from '../support/message.ts'
import { nodeHl7Server } from './node-hl7-server.ts'

const running: (ServerUnderTest | { stop(): Promise<void> })[] = []
afterEach(async () => {
  for (const one of running.splice(0).toReversed()) await one.stop()
})

function senderTo(port: number): MessageSender {
  const destination = { name: 'ris', host: '127.0.0.1', port, acknowledgmentSeconds: 20 }
  const sender = createSender({ destination, log: silent })
  running.push({ stop: () => sender.close() })
  return sender
}

test('I7: a receiver that answers old messages again with each new one confuses nobody', async () => {
  const server = await nodeHl7Server.start()
  running.push(server)
  const sender = senderTo(server.port)

  for (let i = 1; i <= 20; i++) {
    const controlId = `S${i}`
    await expect(sender.send(orderBytes({ controlId }), controlId)).resolves.toEqual({ code: 'AA', errorCode: '' })
  }

  // The receiver really did answer more than it was asked: it handled old messages again.
  expect((await server.received()).length).toBeGreaterThan(20)
})

test('I7: a receiver whose process ends is reached again on a new connection', async () => {
  const first = await nodeHl7Server.start()
  const sender = senderTo(first.port)
  await sender.send(orderBytes({ controlId: 'S1' }), 'S1')
  await first.stop()

  await expect(sender.send(orderBytes({ controlId: 'S2' }), 'S2')).rejects.toMatchObject({ class: 'transient' })
})
