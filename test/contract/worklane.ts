import { acknowledge, checkHeader, parse, scopeText, type Message } from '../../src/hl7/index.ts'
import { createListener, refuseOversize } from '../../connectors/mllp/index.ts'
import type { Fault } from '../../src/core/fault.ts'
import type { Log } from '../../src/core/ports.ts'
import type { Subject } from './subject.ts'

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Our listener with a handler that parses and acknowledges: no store, so that nothing is known of duplicates. */
export const worklane: Subject = {
  name: 'Worklane',
  async start({ maxFrameBytes = 16 * 1024 * 1024 } = {}) {
    const received: string[] = []
    let count = 0
    const newContext = () => {
      count += 1
      return { now: '2026-10-16T08:15:00.000Z', controlId: `W${count}`, application: 'WORKLANE', facility: '' }
    }
    const answer = (message: Message | undefined, code: 'AA' | 'AE' | 'AR', faults: readonly Fault[]) => {
      return { kind: 'acknowledge', bytes: acknowledge(message, { code, faults }, newContext()).bytes } as const
    }
    const refuse = (message: Message | undefined, fault: Fault) =>
      answer(message, fault.hl7Code >= 200 || fault.code === 'E104' ? 'AR' : 'AE', [fault])

    const listener = createListener({
      source: { name: 'ris', bind: '127.0.0.1', port: 0, maxFrameBytes, maxConnections: 50, idleSeconds: 60 },
      log: silent,
      settleMilliseconds: 50,
      async onMessage(bytes) {
        const parsed = parse(bytes)
        if (parsed.kind === 'unreadable') return refuse(parsed.header, parsed.fault)
        const { message } = parsed
        const fault = checkHeader(message)
        if (fault !== undefined) return refuse(message, fault)
        received.push(scopeText(message))
        if (message.segments[0]?.field(5) === 'SLOW') await new Promise((resolve) => setTimeout(resolve, 100))
        return answer(message, 'AA', [])
      },
      onOversize: async (head) => refuseOversize(head, maxFrameBytes, newContext()),
    })
    await listener.start()
    return {
      port: listener.port(),
      received: async () => [...received],
      isAlive: async () => listener.isListening(),
      stop: () => listener.stop({ seconds: 1 }),
    }
  },
}
