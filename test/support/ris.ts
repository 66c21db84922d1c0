import { createListener } from '../../connectors/mllp/index.ts'
import type { Log } from '../../src/core/ports.ts'
import { acknowledge, compilePath, first, parse } from '../../src/hl7/index.ts'
import type { Message } from '../../src/hl7/types.ts'
import { freePort } from './temporary.ts'

/** One status message as the RIS received it. */
export interface Told {
  /** MSH-10. */
  readonly controlId: string
  /** ORC-1 and ORC-5, such as `SC/IP`. */
  readonly orderStatus: string
  /** OBR-18. */
  readonly accession: string
  readonly bytes: Uint8Array
  /** What it was answered. */
  readonly answer: Answer
}

/** `silence`: no answer at all. `wrong`: AA of a message that was never sent. */
export type Answer = 'AA' | 'AE' | 'AR' | 'silence' | 'wrong'

export interface Ris {
  readonly port: number
  /** Everything that came, repeats too. */
  readonly told: readonly Told[]
  /** `SC/IP`, `SC/CM`, ... of an accession number, each as often as it came. */
  of(accession: string): readonly string[]
  stop(): Promise<void>
  /** Takes connections again, on the same port. */
  resume(): Promise<void>
  /** Closes the port: nobody is there. */
  pause(): Promise<void>
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** A RIS of this process that takes status messages and answers as told; `n` counts from 1. */
export async function startRis(
  options: { readonly answer?: (n: number, message: Omit<Told, 'answer'>) => Answer } = {},
): Promise<Ris> {
  const told: Told[] = []
  const listener = createListener({
    source: {
      name: 'ris',
      // One that nobody else is given while it is closed.
      port: await freePort(),
      bind: '127.0.0.1',
      maxFrameBytes: 1_000_000,
      maxConnections: 20,
      idleSeconds: 0,
    },
    log: silent,
    onMessage(bytes) {
      const parsed = parse(bytes)
      if (parsed.kind !== 'message') throw new Error('the status message is not HL7')
      const { message } = parsed
      const received = {
        controlId: text(message, 'MSH-10'),
        orderStatus: `${text(message, 'ORC-1')}/${text(message, 'ORC-5')}`,
        accession: text(message, 'OBR-18'),
        bytes: Uint8Array.from(bytes),
      }
      const answer = options.answer?.(told.length + 1, received) ?? 'AA'
      told.push({ ...received, answer })
      if (answer === 'silence') return new Promise(() => undefined)
      const { bytes: acknowledgment } = acknowledge(
        message,
        { code: answer === 'wrong' ? 'AA' : answer, faults: [] },
        { now: new Date().toISOString(), controlId: `RIS${told.length}`, application: 'RIS', facility: 'HOSP' },
      )
      const reply = answer === 'wrong' ? renamed(acknowledgment, received.controlId) : acknowledgment
      return Promise.resolve({ kind: 'acknowledge', bytes: reply })
    },
    onOversize: () => Promise.resolve({ kind: 'close' }),
  })
  await listener.start()
  return {
    port: listener.port(),
    told,
    of: (accession) => told.filter((one) => one.accession === accession).map(({ orderStatus }) => orderStatus),
    stop: () => listener.pause(),
    pause: () => listener.pause(),
    resume: () => listener.resume(),
  }
}

function text(message: Message, path: string): string {
  const compiled = compilePath(path)
  return compiled.kind === 'path' ? (first(message, compiled.path)?.text ?? '') : ''
}

/** The same acknowledgment for another message. */
function renamed(acknowledgment: Uint8Array, controlId: string): Uint8Array {
  return Buffer.from(Buffer.from(acknowledgment).toString('latin1').replace(controlId, 'NEVER-SENT'), 'latin1')
}
