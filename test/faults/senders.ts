import { orderBytes, type OrderText } from '../support/message.ts'
import { random } from './random.ts'
import { openSender } from './sender.ts'

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

/**
 * A RIS with several connections, each with orders of its own: new ones, updates and
 * cancels.
 */
export function startSenders({
  port,
  connections,
  seed,
}: {
  readonly port: number
  readonly connections: number
  readonly seed: number
}): Senders {
  const expected = new Map<string, Expected>()
  let acknowledged = 0
  let repeated = 0
  let failed: unknown
  const stopping = new AbortController()

  async function send(name: string, pick: () => number): Promise<void> {
    const sender = openSender({ port, repeated: () => (repeated += 1) })
    const open: string[] = []
    for (let n = 1; !stopping.signal.aborted; n++) {
      const { order, result } = next(name, n, open, pick)
      const bytes = orderBytes({ ...order, controlId: `${name}-${n}` })
      await sender.send(bytes)
      acknowledged += 1
      expected.set(order.accession, result)
    }
    sender.close()
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
