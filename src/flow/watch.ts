import { EngineError } from '../core/errors/index.ts'
import type { Instant } from '../core/ids.ts'
import type { Clock, Feeds, Inbox, Log } from '../core/ports.ts'
import { failureOf } from './failure.ts'
import type { FlowMetrics } from './metrics.ts'

/** One Orthanc's change feed, as `connectors/orthanc` reads it. */
export interface ChangeSource {
  readonly name: string
  poll(deleted?: readonly string[]): Promise<{ readonly events: number; readonly caughtUp: boolean }>
}

export interface WatchContext {
  readonly source: ChangeSource
  readonly log: Log
  readonly metrics: FlowMetrics
  readonly clock: Clock
  /** Something has come into the inbox. */
  wake(): void
}

export interface Watch {
  readonly name: string
  /** Reads the feed to its end; joins a reading that is under way, and reads once more after it. */
  look(deleted?: readonly string[]): Promise<void>
  /** Set while Orthanc does not answer. */
  failure(): { readonly since: Instant; readonly error: EngineError } | undefined
}

/** Reads one Orthanc's changes: at intervals, and at once when its plugin nudges. */
export function createWatch({ source, log, metrics, clock, wake }: WatchContext): Watch {
  let reading: Promise<void> | undefined
  let again = false
  const deleted = new Set<string>()
  let failure: { since: Instant; error: EngineError } | undefined

  async function read(): Promise<void> {
    do {
      again = false
      try {
        await readToEnd()
      } catch (error) {
        fail(error)
        return
      }
      if (failure !== undefined) log.info({ orthanc: source.name, since: failure.since }, 'change feed is read again')
      failure = undefined
    } while (again)
  }

  function fail(error: unknown): void {
    const found = failureOf(error)
    // An absent store is said once, by the store.
    if (failure === undefined && found.code !== 'E501')
      log.warn({ orthanc: source.name, ...found }, 'change feed could not be read')
    const known =
      error instanceof EngineError ? error : new EngineError('E413', { orthanc: source.name }, { cause: error })
    failure = { since: failure?.since ?? clock(), error: known }
  }

  async function readToEnd(): Promise<void> {
    for (;;) {
      const gone = [...deleted]
      const { events, caughtUp } = await source.poll(gone)
      // Neither events nor the end: another process may have been faster, and nothing was stored.
      if (events > 0 || caughtUp) for (const id of gone) deleted.delete(id)
      if (events > 0) {
        metrics.count('orthanc_events_total', { orthanc: source.name, event: 'any' }, events)
        log.debug({ orthanc: source.name, count: events }, 'changes of Orthanc stored')
        wake()
      }
      if (caughtUp) return
    }
  }

  return {
    name: source.name,
    look(ids = []) {
      for (const id of ids) deleted.add(id)
      again = true
      reading ??= read().finally(() => {
        reading = undefined
      })
      return reading
    },
    failure: () => failure,
  }
}

/**
 * Moves what is due into the inbox. A quiet deadline only counts up to the moment
 * to which every change feed has been read: an Orthanc that was away may hold
 * images that would have restarted the timer.
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
  for (const orthanc of orthancs) {
    const caughtUpAt = (await feeds.cursor(orthanc))?.caughtUpAt ?? new Date(0).toISOString()
    if (caughtUpAt < quietUpTo) quietUpTo = caughtUpAt
  }
  return inbox.acceptDeadlines(now, quietUpTo)
}
