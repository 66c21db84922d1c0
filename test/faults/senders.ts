import { openLine, type Line } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { orderBytes, type OrderText } from '../support/message.ts'
import { random } from './random.ts'

/** Start of the step as `yyyymmddhhmm`; `cancelled`: not in the worklist. */
export type Expected = string

export interface Senders {
  /** Messages acknowledged so far, each once. Throws when one was refused: these senders send nothing that may be. */
  acknowledged(): number
  /** How often a message was sent again because nobody knew what had become of it. */
  repeated(): number
  /** What the RIS believes of each accession number: it was told AA for it. */
  readonly expected: ReadonlyMap<string, Expected>
  /** No new messages; resolves when each that was begun is acknowledged. */
  stop(): Promise<void>
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/**
 * A RIS with several connections, each with orders of its own: new ones, updates and
 * cancels. Like a good sender, it sends a message again until it is acknowledged,
 * the same bytes under the same MSH-10, and only then the next.
 */
export function startSenders({
  port,
  connections,
  seed,
}: {
  readonly port: () => number
  readonly connections: number
  readonly seed: number
}): Senders {
  const expected = new Map<string, Expected>()
  let acknowledged = 0
  let repeated = 0
  let failed: unknown
  const stopping = new AbortController()

  async function send(name: string, pick: () => number): Promise<void> {
    let line: Line | undefined
    const open: string[] = []
    for (let n = 1; !stopping.signal.aborted; n++) {
      const { order, result } = next(name, n, open, pick)
      const bytes = orderBytes({ ...order, controlId: `${name}-${n}` })
      for (let attempt = 1; ; attempt++) {
        if (attempt > 1) repeated += 1
        try {
          line ??= await openLine({ host: '127.0.0.1', port: port(), seconds: 20 })
          const answer = readAcknowledgment(await line.exchange(bytes))
          if (answer?.code !== 'AA') throw new TypeError(`${name}-${n} was answered ${answer?.code}`)
          break
        } catch (error) {
          if (error instanceof TypeError) throw error
          line?.close()
          line = undefined
          await pause(20)
        }
      }
      acknowledged += 1
      expected.set(order.accession, result)
    }
    line?.close()
  }

  function next(
    name: string,
    n: number,
    open: string[],
    pick: () => number,
  ): { order: OrderText & { readonly accession: string }; result: Expected } {
    const start = `202703${String(1 + Math.floor(pick() * 28)).padStart(2, '0')}${String(8 + Math.floor(pick() * 10)).padStart(2, '0')}${String(Math.floor(pick() * 60)).padStart(2, '0')}`
    const chance = pick()
    const at = Math.floor(pick() * open.length)
    const known = open[at]
    if (known !== undefined && chance < 0.15) {
      open.splice(at, 1)
      return { order: { control: 'CA', accession: known }, result: 'cancelled' }
    }
    if (known !== undefined && chance < 0.45)
      return { order: { control: 'XO', accession: known, start }, result: start }
    const accession = `${name}${n}`
    open.push(accession)
    return { order: { control: 'NW', accession, start }, result: start }
  }

  const all = Array.from({ length: connections }, (_, at) => send(`S${at}`, random(seed * 100 + at)))
  const done = Promise.all(all)
  done.catch((error: unknown) => (failed = error))
  return {
    acknowledged() {
      if (failed !== undefined) throw failed
      return acknowledged
    },
    repeated: () => repeated,
    expected,
    async stop() {
      stopping.abort()
      await done
    },
  }
}
