import { EngineError } from '../core/errors/index.ts'
import type { Instant } from '../core/ids.ts'
import type { Clock, Ledger, Log, PartHealth } from '../core/ports.ts'
import { inTime } from './in-time.ts'
import { pause } from './pause.ts'
import type { Role } from './role.ts'

export interface InboxWatchContext {
  readonly ledger: Pick<Ledger, 'applied' | 'pending'>
  /** Of the drainer in this process. */
  readonly role: Pick<Role, 'held' | 'failure'>
  readonly clock: Clock
  readonly log: Log
  /** So long nothing is applied though something waits: then it is said; default 15. */
  readonly stallSeconds?: number
  readonly lookMilliseconds?: number
}

export interface InboxWatch {
  part(): PartHealth
  stalled(): boolean
  stop(): Promise<void>
}

/** The store answers in milliseconds; one that is frozen must not keep the watch from saying so. */
const askMilliseconds = 2000

/**
 * Says that the inbox cannot go on: something waits in it, and nothing is applied by any
 * engine. What a single message may do wrong never gets here, it is parked; this is the store
 * that is away or full, work that always fails, a role that nobody has or a holder that stands still.
 */
export function watchInbox(context: InboxWatchContext): InboxWatch {
  const { ledger, role, clock, log, stallSeconds = 15, lookMilliseconds = 1000 } = context
  const stopped = new AbortController()
  let reached = -1
  /** Time that only grows: the clock may jump just now. */
  let movedAt = performance.now()
  let stall: { readonly since: Instant; readonly error: EngineError } | undefined

  async function look(): Promise<void> {
    try {
      const { applied, waits } = await inTime(askMilliseconds, read())
      if (applied === reached && waits) return said(reasonOf())
      reached = applied
      movedAt = performance.now()
      if (stall !== undefined) log.info({ code: stall.error.code, since: stall.since }, 'inbox goes on')
      stall = undefined
    } catch {
      // Whether something waits is not known either: nothing can be applied.
      said(() => new EngineError('E501'))
    }
  }

  async function read(): Promise<{ applied: number; waits: boolean }> {
    const applied = await ledger.applied()
    return { applied, waits: (await ledger.pending(applied, 1)).length > 0 }
  }

  function reasonOf(): (seconds: number) => EngineError {
    const failure = role.failure()
    if (failure !== undefined) return (seconds) => new EngineError('E680', { seconds, why: failure.code })
    return (seconds) => new EngineError(role.held() ? 'E684' : 'E683', { seconds })
  }

  function said(why: (seconds: number) => EngineError): void {
    const seconds = (performance.now() - movedAt) / 1000
    if (seconds < stallSeconds) return
    const error = why(Math.round(seconds))
    const since = stall?.since ?? new Date(Date.parse(clock()) - seconds * 1000).toISOString()
    if (stall?.error.code !== error.code) log.error({ code: error.code, since }, 'inbox stalled')
    stall = { since, error }
  }

  const life = (async () => {
    while (!stopped.signal.aborted) {
      await look()
      await pause(lookMilliseconds, stopped.signal)
    }
  })()

  return {
    part() {
      const name = 'inbox'
      if (stall === undefined) return { name, state: 'up' }
      const { error, since } = stall
      return { name, state: 'down', detail: error.message, code: error.code, cure: error.cure, since }
    },
    stalled: () => stall !== undefined,
    async stop() {
      stopped.abort()
      await life
    },
  }
}
