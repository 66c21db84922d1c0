import type { OrderId, Seq } from '../core/ids.ts'
import type { Clock, Log, Store } from '../core/ports.ts'
import { pause } from './pause.ts'

export interface ReconsiderContext {
  readonly store: Pick<Store, 'remembered' | 'rememberOfSite' | 'openOrders' | 'acceptManual' | 'applied'>
  /** Of today's rules (`rulesMark`). */
  readonly mark: string
  readonly clock: Clock
  readonly log: Log
  readonly wake: () => void
  /** The end of one that may be under way for older rules. Then all are judged, whatever the store remembers: some were by those. */
  readonly before?: Promise<void>
  /** Between two looks at how far the inbox has been applied, and between two attempts. */
  readonly pauseMilliseconds?: number
}

/** How long others wait for the inbox because of this: a few milliseconds. */
const atOnce = 50

/**
 * After the site has changed its rules (when an exam is over, when a patient counts as
 * absent), every order that is still open is judged by the new ones. The store remembers
 * the rules only when all orders are in the inbox: after a crash it is done again,
 * which is harmless. Nobody waits for it; what a RIS sends meanwhile goes in between.
 */
export function reconsiderAll(context: ReconsiderContext): { readonly done: Promise<void>; stop(): Promise<void> } {
  const { store, mark, log, pauseMilliseconds = 200 } = context
  const stopped = new AbortController()
  const { signal } = stopped

  async function run(): Promise<void> {
    await context.before
    while (!signal.aborted) {
      try {
        if (context.before === undefined && (await store.remembered('rules')) === mark) return
        // From here on some are judged by these rules: the old ones would have to be begun anew too.
        await store.rememberOfSite('rules', '')
        const count = await giveAll()
        if (signal.aborted) return
        await store.rememberOfSite('rules', mark)
        if (count > 0) log.info({ count }, 'open orders are judged by the changed rules')
        return
      } catch {
        // The store is away, and has said so itself.
        await pause(5 * pauseMilliseconds, signal)
      }
    }
  }

  async function giveAll(): Promise<number> {
    let count = 0
    for (let after: string | undefined; !signal.aborted;) {
      const { ids, next } = await store.openOrders(after)
      for (let at = 0; at < ids.length && !signal.aborted; at += atOnce) {
        const some = ids.slice(at, at + atOnce)
        count += some.length
        await isApplied(Math.max(...(await Promise.all(some.map(give)))))
      }
      if (next === null) break
      after = next
    }
    return count
  }

  function give(orderId: OrderId): Promise<Seq> {
    const command = { kind: 'reconsider', orderId } as const
    return store.acceptManual({
      by: 'worklane',
      reason: 'the rules of the site have changed',
      command,
      at: context.clock(),
    })
  }

  async function isApplied(seq: Seq): Promise<void> {
    context.wake()
    while (!signal.aborted && (await store.applied()) < seq) await pause(pauseMilliseconds, signal)
  }

  const done = run()
  return {
    done,
    async stop() {
      stopped.abort()
      await done
    },
  }
}
