import type { Cursor, FeedAdvance } from '../../../src/core/inbox.ts'
import type { Instant } from '../../../src/core/ids.ts'
import type { OrthancChangeRow } from '../../../src/core/orthanc-change.ts'
import type { Feeds, Inbox, Log } from '../../../src/core/ports.ts'

export type StoredEvent = FeedAdvance['events'][number]

/**
 * The store's two ports that a change feed uses, in memory (the real ones are Redis
 * scripts, tested in test/store): the cursor moves only with its events, and only from
 * where the reader thinks it is.
 */
export interface FakeInbox extends Feeds, Pick<Inbox, 'acceptEvents'> {
  readonly events: StoredEvent[]
  readonly rows: OrthancChangeRow[]
  readonly advances: FeedAdvance[]
  cursorNow(): Cursor | undefined
  /** The next `acceptEvents` throws, before or after it has stored. */
  failNext(when: 'before' | 'after'): void
}

export function createFakeInbox(): FakeInbox {
  let cursor: (Cursor & { caughtUpAt: Instant | undefined }) | undefined
  let failing: 'before' | 'after' | undefined
  const unstable = new Map<string, Instant>()
  const passedBy = new Set<string>()
  const events: StoredEvent[] = []
  const rows: OrthancChangeRow[] = []
  const advances: FeedAdvance[] = []
  return {
    events,
    rows,
    advances,
    cursorNow: () => cursor,
    failNext: (when) => void (failing = when),
    cursor: () => Promise.resolve(cursor),
    unstableStudies: (_orthanc, before, limit) =>
      Promise.resolve(
        [...unstable]
          .filter(([, at]) => at < before)
          .map(([study]) => study)
          .slice(0, limit),
      ),
    unstableStudiesAfter: (_orthanc, after, limit) =>
      Promise.resolve(
        [...unstable]
          .filter(([, at]) => at > after)
          .map(([study]) => study)
          .slice(0, limit),
      ),
    passedBy: (_orthanc, limit) => Promise.resolve([...passedBy].slice(0, limit)),
    acceptEvents(advance) {
      const fails = failing
      failing = undefined
      if (fails === 'before') return Promise.reject(new Error('store unavailable'))
      if (advance.expected?.seq !== cursor?.seq || advance.expected?.identity !== cursor?.identity) {
        return Promise.resolve('moved')
      }
      cursor = { ...advance.next, caughtUpAt: advance.caughtUp ? advance.at : cursor?.caughtUpAt }
      advances.push(advance)
      rows.push(...(advance.rows ?? []))
      for (const one of advance.madeGood ?? []) passedBy.delete(one)
      for (const one of advance.passed ?? []) passedBy.add(one)
      for (const event of advance.events) {
        events.push(event)
        if (event.event === 'seen') unstable.set(event.study, advance.at)
        else unstable.delete(event.study)
      }
      return fails === 'after' ? Promise.reject(new Error('store unavailable')) : Promise.resolve('stored')
    },
  }
}

/** A log that keeps its lines for the test. */
export function createTestLog(): Log & { readonly lines: { readonly level: string; readonly event: string }[] } {
  const lines: { level: string; event: string }[] = []
  const keep = (level: string) => (_fields: unknown, event: string) => void lines.push({ level, event })
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') }
}
