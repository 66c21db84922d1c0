import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createSender, frame } from '../../connectors/mllp/index.ts'
import type { Log } from '../../src/core/ports.ts'
import { outgoing, parse, pathOf, textAt } from '../../src/hl7/index.ts'
import { anEvent, anOrder, statusPlan } from '../mapping/status-support.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** A RIS that knows one charset, whatever MSH-18 says, and answers in it. */
async function risOf(charset: string) {
  const read: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      const end = bytes.indexOf('\x1c\r')
      if (end === -1) return
      const parsed = parse(bytes.subarray(1, end), { charset: 'trust' })
      bytes = bytes.subarray(end + 2)
      if (parsed.kind !== 'message') return
      read.push(
        [18, 20].map((at) => parsed.message.segments[0]?.field(at)).join(' '),
        textAt(parsed.message, pathOf('PID-5')),
      )
      const words = textAt(parsed.message, pathOf('PID-5'))
      const answer = `MSH|^~\\&|RIS||W||2026||ACK|A1|P|2.5||||||${charset}\rMSA|AA|${textAt(parsed.message, pathOf('MSH-10'))}|${words}\r`
      socket.write(frame(Buffer.from(outgoing(charset).encode(answer) ?? [])))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resolve())
    })
  return { port: (server.address() as AddressInfo).port, read, stop }
}

test.each([
  { charset: '8859/1', name: 'Müller', declared: '8859/1 ' },
  { charset: 'SHIFT_JIS', name: '表', declared: 'SHIFT_JIS ' },
  { charset: 'ISO IR87', name: '大宮', declared: 'ISO IR6~ISO IR87 ISO 2022-1994' },
])('a RIS of $charset reads a status and answers in its charset, and the answer counts', async (ris) => {
  const status = statusPlan(
    ['pipeline: p\nfrom: any\nto: ris\non: { started: { message: ORM^O01 } }\nmap: { PID-5: order.PID-5 }\n'],
    { receivers: { ris: { charset: ris.charset } } },
  )
  const received = anOrder().received.replace('Doe', ris.name)
  const [message] = status.render(anEvent('started', { order: anOrder({ received }) }))
  const server = await risOf(ris.charset)
  const destination = { name: 'ris', host: '127.0.0.1', port: server.port, acknowledgmentSeconds: 20 }
  const sender = createSender({ destination, log: silent })
  try {
    const answer = await sender.send(message?.bytes ?? new Uint8Array(0), message?.controlId ?? '')
    expect(answer.code).toBe('AA')
    expect(server.read).toEqual([ris.declared, ris.name])
  } finally {
    await sender.close()
    await server.stop()
  }
})
