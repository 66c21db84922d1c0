import { createListener } from '../../connectors/mllp/index.ts'
import type { Log } from '../../src/core/ports.ts'
import { acknowledge, compilePath, first, parse, scopeText } from '../../src/hl7/index.ts'
import type { Message } from '../../src/hl7/types.ts'

/** A status message as the RIS received and acknowledged it. */
export interface Told {
  /** ORC-5. */
  readonly orderStatus: string
  /** OBR-18. */
  readonly accessionNumber: string
  readonly segments: readonly string[]
}

export interface DemoRis {
  /** Resolves with the first message of this order status for this accession number, come or to come. */
  told(orderStatus: string, accessionNumber: string): Promise<Told>
  /** Hears every message from now on. */
  onTold(listener: (told: Told) => void): void
  stop(): Promise<void>
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** The RIS's other ear: takes status messages over MLLP and answers AA to each. */
export async function startRis(port: number): Promise<DemoRis> {
  const all: Told[] = []
  const listeners = new Set<(told: Told) => void>()
  const listener = createListener({
    source: { name: 'ris', port, bind: '127.0.0.1', maxFrameBytes: 1_000_000, maxConnections: 5, idleSeconds: 0 },
    log: silent,
    onMessage(bytes) {
      const parsed = parse(bytes)
      const message = parsed.kind === 'message' ? parsed.message : undefined
      if (message !== undefined) {
        const segments = scopeText(message)
          .split('\r')
          .filter((segment) => segment !== '')
        const told = {
          orderStatus: textOf(message, 'ORC-5'),
          accessionNumber: textOf(message, 'OBR-18'),
          segments,
        }
        all.push(told)
        for (const hear of listeners) hear(told)
      }
      const acknowledgment = acknowledge(
        message,
        { code: 'AA', faults: [] },
        { now: new Date().toISOString(), controlId: `RIS${Date.now()}`, application: 'RIS', facility: 'HOSPITAL' },
      )
      return Promise.resolve({ kind: 'acknowledge', bytes: acknowledgment.bytes })
    },
    onOversize: () => Promise.resolve({ kind: 'close' }),
  })
  await listener.start()
  return {
    told(orderStatus, accessionNumber) {
      const isMeant = (one: Told): boolean => one.orderStatus === orderStatus && one.accessionNumber === accessionNumber
      return new Promise((resolve) => {
        const hear = (told: Told): void => {
          if (!isMeant(told)) return
          listeners.delete(hear)
          resolve(told)
        }
        const come = all.find(isMeant)
        if (come === undefined) listeners.add(hear)
        else resolve(come)
      })
    },
    onTold: (listener) => void listeners.add(listener),
    stop: () => listener.stop({ seconds: 1 }),
  }
}

function textOf(message: Message, path: string): string {
  const compiled = compilePath(path)
  return compiled.kind === 'path' ? (first(message, compiled.path)?.text ?? '') : ''
}
