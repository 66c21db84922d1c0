import { EngineError } from '../core/errors/index.ts'
import type { Instant } from '../core/ids.ts'
import type { SpooledChanges } from '../core/inbox.ts'
import type { OrthancChangeRow } from '../core/orthanc-change.ts'
import type { ChangeFeed, Clock, Feeds, Inbox, Log } from '../core/ports.ts'
import type { CircuitState, RetryPlan, RetryPolicy } from '../core/retry.ts'
import { createCircuit } from './circuit.ts'
import { failureOf } from './failure.ts'
import type { FlowMetrics } from './metrics.ts'
import { pause } from './pause.ts'

export interface WatchContext {
  readonly source: ChangeFeed
  readonly inbox: Pick<Inbox, 'acceptChanges'>
  readonly log: Log
  readonly metrics: FlowMetrics
  readonly clock: Clock
  /** How long rows of the plugin wait for what the feed shows; an Orthanc that is ending answers nothing. */
  readonly feedMilliseconds?: number
  /** How it is read again while it is away. */
  readonly retry: RetryPolicy
  /**
   * How long one page may take, however slow Orthanc is: each question has a limit of its own, so
   * only what nobody thought of takes longer. A reading that never ends would be the last one.
   */
  readonly pageMilliseconds?: number
  readonly random?: () => number
  /** Something has come into the inbox. */
  wake(): void
}

export interface Watch {
  readonly name: string
  /** Reads the feed to its end; joins a reading that is under way, and reads once more after it. */
  look(): Promise<void>
  /** The same, unless Orthanc is away and is not to be asked yet. */
  poll(): Promise<void>
  /** The same, when there is a sign of life from it: the wait is cut short, once per first wait. */
  nudge(): Promise<void>
  /** Takes what only the plugin sees, behind what the feed shows now. Resolved, it is stored; rejected, it may be brought again. */
  take(spooled: Pick<SpooledChanges, 'spool' | 'rows'>): Promise<void>
  /** Whether it is this Orthanc whose database has this identity. */
  isOf(database: string): Promise<boolean>
  /** Set while Orthanc does not answer. */
  failure(): { readonly since: Instant; readonly error: EngineError } | undefined
  circuit(): CircuitState
  /** How it is being tried again, while it is away. */
  plan(): RetryPlan | undefined
}

/** Reads one Orthanc's changes: at intervals, and at once when its plugin nudges. */
export function createWatch(context: WatchContext): Watch {
  const { source, inbox, log, metrics, clock, wake, feedMilliseconds = 3000, pageMilliseconds = 600_000 } = context
  const circuit = createCircuit({
    policy: () => context.retry,
    clock,
    log,
    subject: { orthanc: source.name },
    ...(context.random === undefined ? {} : { random: context.random }),
  })
  let reading: Promise<void> | undefined
  let again = false
  let failure: { since: Instant; error: EngineError } | undefined
  let isSaid = false

  async function read(): Promise<void> {
    do {
      again = false
      const trial = circuit.admitAnyhow()
      try {
        await readToEnd()
        trial.succeeded()
      } catch (error) {
        // A store that is away says nothing of Orthanc.
        if (failureOf(error).code === 'E501') trial.abandoned()
        else trial.failed(error, 'E413')
        fail(error)
        return
      }
      if (isSaid) log.info({ orthanc: source.name, since: failure?.since }, 'change feed is read again')
      isSaid = false
      failure = undefined
    } while (again)
  }

  function fail(error: unknown): void {
    const found = failureOf(error)
    // An absent store is said once, by the store.
    if (!isSaid && found.code !== 'E501') {
      isSaid = true
      log.warn({ orthanc: source.name, ...found }, 'change feed could not be read')
    }
    const known =
      error instanceof EngineError ? error : new EngineError('E413', { orthanc: source.name }, { cause: error })
    failure = { since: failure?.since ?? clock(), error: known }
  }

  async function readToEnd(): Promise<void> {
    for (;;) {
      const { events, rows, caughtUp } = await page()
      // Neither: nothing happened, or another process was faster and has stored it.
      if (events + rows.length > 0) stored(rows)
      if (caughtUp) return
    }
  }

  async function page(): ReturnType<ChangeFeed['poll']> {
    const enough = new AbortController()
    const limit = pause(pageMilliseconds, enough.signal).then(() => {
      throw new EngineError('E419', { orthanc: source.name, seconds: pageMilliseconds / 1000 })
    })
    // What is left of an old reading moves no cursor that a new one has moved (I6).
    try {
      return await Promise.race([source.poll(), limit])
    } finally {
      enough.abort()
      limit.catch(() => undefined)
    }
  }

  function stored(rows: readonly OrthancChangeRow[]): void {
    const counts = new Map<string, number>()
    for (const { change } of rows) counts.set(change, (counts.get(change) ?? 0) + 1)
    for (const [event, count] of counts) metrics.count('orthanc_events_total', { orthanc: source.name, event }, count)
    log.debug({ orthanc: source.name, count: rows.length }, 'changes of Orthanc stored')
    wake()
  }

  function look(): Promise<void> {
    again = true
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  const poll = async (): Promise<void> => (circuit.isWaiting() ? undefined : look())

  return {
    name: source.name,
    look,
    poll,
    nudge() {
      circuit.hint()
      return poll()
    },
    async take({ spool, rows }) {
      const enough = new AbortController()
      await Promise.race([look(), pause(feedMilliseconds, enough.signal)])
      enough.abort()
      const { rows: completed, restored } = await source.complete(rows)
      const taken = { orthanc: source.name, spool, rows: completed, restored, at: clock() }
      const news = await inbox.acceptChanges(taken)
      if (news > 0) stored(completed.slice(-news))
    },
    isOf: async (database) => (await source.identity()) === database,
    failure: () => failure,
    circuit: () => circuit.state(),
    plan: () => circuit.plan(),
  }
}

/** The Orthanc whose plugin says that its database has this identity. An only one is it, whatever it says. */
export async function watchOf(watches: readonly Watch[], database: string): Promise<Watch> {
  if (watches.length === 1 && watches[0] !== undefined) return watches[0]
  if (database === '') throw new EngineError('E415')
  try {
    // All at once: one that stands still must not keep the one that speaks from being known.
    // One that is away is not the one that speaks, or it will speak again.
    return await Promise.any(
      watches.map(async (one) => {
        if (!(await one.isOf(database))) throw new EngineError('E415')
        return one
      }),
    )
  } catch {
    throw new EngineError('E415')
  }
}

const never = new Date(0).toISOString()
/** The clocks of the engines of a site agree by this. */
const agreeMilliseconds = 60_000

/**
 * Moves what is due into the inbox. A quiet deadline only counts up to the moment to
 * which the change feeds have been read: an Orthanc that was away may hold images that
 * would have restarted the timer. It holds up the exams that it has images of, no others.
 */
export async function acceptDue({
  inbox,
  feeds,
  orthancs,
  clock,
}: {
  readonly inbox: Pick<Inbox, 'acceptDeadlines'>
  readonly feeds: Pick<Feeds, 'cursor'>
  readonly orthancs: readonly string[]
  readonly clock: Clock
}): Promise<number> {
  const now = clock()
  let quietUpTo = now
  const readUpTo = new Map<string, Instant>()
  for (const orthanc of orthancs) {
    const told = (await feeds.cursor(orthanc))?.caughtUpAt ?? never
    // Read by a clock that was ahead: it has not been read since that was put right.
    const caughtUpAt = Date.parse(told) > Date.parse(now) + agreeMilliseconds ? never : told
    readUpTo.set(orthanc, caughtUpAt)
    if (caughtUpAt < quietUpTo) quietUpTo = caughtUpAt
  }
  return inbox.acceptDeadlines(now, quietUpTo, readUpTo)
}
