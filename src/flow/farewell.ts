import type { Counters, Ledger, Log } from '../core/ports.ts'
import { inTime } from './in-time.ts'
import { pause } from './pause.ts'
import type { Role } from './role.ts'

export interface FarewellContext {
  readonly store: Pick<Ledger, 'applied' | 'pending'> & Pick<Counters, 'counters'> & { isUp(): boolean }
  readonly listeners: readonly { stop(options: { readonly seconds: number }): Promise<void> }[]
  /** Who applies, in this process. */
  readonly drainer: Pick<Role, 'held'>
  /** By the name of the destination: whether this process tells it, and could now. */
  readonly destinations: ReadonlyMap<string, () => boolean>
  readonly log: Log
  readonly seconds: number
  /** What does not come further for so long is not waited for; default 1,500. */
  readonly patienceMilliseconds?: number
}

const lookMilliseconds = 50
const askMilliseconds = 1000

/**
 * The end of an engine, first part: takes nothing new, answers what it has in hand, applies what waits and tells what
 * is owed, as long as that goes on and the time allows. What is left then is safe in the store, and said in one line.
 */
export async function sayFarewell(context: FarewellContext): Promise<void> {
  const { store, listeners, log, seconds, patienceMilliseconds = 1500 } = context
  const until = performance.now() + seconds * 1000
  const closing = Promise.allSettled(listeners.map((one) => one.stop({ seconds })))
  await inTime(seconds * 1000 + 500, closing).catch(() => undefined)
  let left = await look(context)
  let before = ''
  let since = performance.now()
  while (left !== undefined && left.mine > 0 && performance.now() < until) {
    const now = JSON.stringify(left)
    if (now !== before) since = performance.now()
    else if (performance.now() - since > patienceMilliseconds) break
    before = now
    await pause(lookMilliseconds)
    left = await look(context)
  }
  if (left === undefined) {
    log.warn({ state: store.isUp() ? 'up' : 'down' }, 'what is left is not known, and safe in the store')
    return
  }
  const { waiting, owed } = left
  log.info({ waiting, count: owed }, waiting + owed === 0 ? 'nothing is left' : 'what is left is safe in the store')
}

interface Left {
  /** Messages that are not applied. */
  readonly waiting: number
  /** Status messages that are not told. */
  readonly owed: number
  /** What this process could still do something about. */
  readonly mine: number
  /** Changes while something is done. */
  readonly applied: number
}

async function look({ store, drainer, destinations }: FarewellContext): Promise<Left | undefined> {
  if (!store.isUp()) return undefined
  try {
    return await inTime(askMilliseconds, ask())
  } catch {
    return undefined
  }

  async function ask(): Promise<Left> {
    const applied = await store.applied()
    const [next, counters] = await Promise.all([store.pending(applied, 1), store.counters()])
    const waiting = counters.sources.reduce((all, one) => all + one.waiting, 0)
    const owed = counters.destinations.reduce((all, one) => all + one.waiting, 0)
    const tellable = counters.destinations.filter(({ destination }) => destinations.get(destination)?.() === true)
    const mine = (drainer.held() ? next.length : 0) + tellable.reduce((all, one) => all + one.waiting, 0)
    return { waiting, owed, mine, applied }
  }
}
