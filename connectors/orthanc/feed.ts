import type { Cursor, FeedAdvance, ImageEvent } from '../../src/core/inbox.ts'
import type { Instant } from '../../src/core/ids.ts'
import type { SeriesFacts } from '../../src/core/order.ts'
import type { Clock, Feeds, Inbox, Log } from '../../src/core/ports.ts'
import type { ChangePage, OrthancChange, OrthancClient, StudyFacts } from './client.ts'
import { findStart } from './start.ts'
import { after, brokenBy, cursorOf, positionOf, type Position } from './position.ts'

/**
 * What happens in one Orthanc, as events in the inbox.
 *
 * Each poll reads one page of /changes behind the durable cursor and puts what it
 * means into the inbox together with the cursor's move (I6): a crash before repeats
 * the page, a crash after has lost nothing, two processes never both store it.
 * Rows are only hints: of each study they name, the facts are read as they are now.
 */
export interface ChangeFeed {
  readonly name: string
  /**
   * Reads one page. Call it again while `caughtUp` is false. `deleted` are Orthanc
   * identifiers of studies that the plugin says were deleted, which /changes never tells.
   * Throws E4xx (Orthanc) or E501 (store); then nothing was stored.
   */
  poll(deleted?: readonly string[]): Promise<{ readonly events: number; readonly caughtUp: boolean }>
}

export interface ChangeFeedOptions {
  /** Name of the Orthanc in the settings. */
  readonly name: string
  readonly client: OrthancClient
  readonly feeds: Feeds
  readonly inbox: Pick<Inbox, 'acceptEvents'>
  readonly clock: Clock
  readonly log: Log
  /** Rows per page. */
  readonly limit?: number
  /** How far back the very first poll begins (see start.ts); default 24. */
  readonly firstHours?: number
  /**
   * How long a study may wait for its StableStudy before it is looked at; default 60, as
   * Orthanc's own StableAge. After a restart Orthanc calls every study stable at once,
   * also one whose images are still coming.
   */
  readonly stableGraceSeconds?: number
}

type FeedEvent = FeedAdvance['events'][number]

/** What a page says of one study. */
interface Happened {
  readonly events: readonly ImageEvent[]
  /** Series that images came to. */
  readonly touched: ReadonlySet<string>
  readonly facts?: StudyFacts
}

export function createChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  const { name, client, feeds, inbox, clock, log, limit = 1000, firstHours = 24, stableGraceSeconds = 60 } = options
  /** Studies whose stability has been told, with the update it was told for: a lagging drainer must not make us tell it twice. */
  const toldStable = new Map<string, Instant>()
  let nextLook = ''

  async function poll(deleted: readonly string[] = []): Promise<{ events: number; caughtUp: boolean }> {
    // Before anything is read: what happens from now on is not promised to be in this advance.
    const at = clock()
    const expected = await feeds.cursor(name)
    const database = (await client.identity()) ?? ''
    const read = await readOn(expected, database, at)
    const lost = read.page.done ? await lostStudies(at) : { stable: [], gone: [] }
    // Asked for before this page was read, a StableStudy that is merely on its way is in the page.
    const page = read.page.done && lost.stable.length > 0 ? await client.changes(sinceOf(read.from), limit) : read.page
    const events = await eventsOf(rowsAfter(read.from, page), {
      lost: lost.stable,
      gone: [...deleted, ...lost.gone],
    })
    const next = cursorOf(after(read.from, page, database))
    const outcome = await inbox.acceptEvents({
      orthanc: name,
      expected: expected === undefined ? undefined : { seq: expected.seq, identity: expected.identity },
      next,
      at,
      events,
      caughtUp: page.done,
    })
    if (outcome === 'moved') return { events: 0, caughtUp: false }
    for (const { event, study, series } of events) {
      if (event === 'stable') remember(study, newest(series))
    }
    if (page.done) nextLook = later(at, Math.min(15, stableGraceSeconds))
    return { events: events.length, caughtUp: page.done }
  }

  /** The next page, and the position that it continues: the start again where the database is another one. */
  async function readOn(
    cursor: Cursor | undefined,
    database: string,
    at: Instant,
  ): Promise<{ from: Position; page: ChangePage }> {
    const from = cursor === undefined ? await findStart({ client, at, firstHours, database }) : positionOf(cursor)
    const page = await client.changes(sinceOf(from), limit)
    const reason = brokenBy(from, page, database)
    if (reason === undefined) return { from, page }
    log.warn({ orthanc: name, reason }, 'change feed started again')
    return { from: { seq: 0, database, row: '' }, page: await client.changes(0, limit) }
  }

  /**
   * Studies that wait for a StableStudy. Orthanc forgets it when it stops before
   * StableAge: after the restart the study is stable and no row ever says so.
   */
  async function lostStudies(at: Instant): Promise<{ stable: readonly string[]; gone: readonly string[] }> {
    const stable: string[] = []
    const gone: string[] = []
    if (at < nextLook) return { stable, gone }
    for (const study of await feeds.unstableStudies(name, later(at, -stableGraceSeconds), 100)) {
      const state = await client.study(study)
      if (state === undefined) gone.push(study)
      else if (state.isStable && (toldStable.get(study) ?? '') < state.lastUpdate) stable.push(study)
    }
    return { stable, gone }
  }

  async function eventsOf(
    rows: readonly OrthancChange[],
    also: { readonly lost: readonly string[]; readonly gone: readonly string[] },
  ): Promise<readonly FeedEvent[]> {
    const happened = await byStudy(rows)
    for (const study of also.lost) {
      if (!happened.has(study)) happened.set(study, { events: ['stable'], touched: new Set() })
    }
    for (const study of also.gone) {
      if (!happened.has(study)) happened.set(study, { events: [], touched: new Set() })
    }
    const all: FeedEvent[] = []
    for (const [study, { events, touched, facts }] of happened) {
      const found = facts ?? (await client.studyFacts(study))
      if (found === undefined) {
        // Gone while its rows were read: if it was known, the next look for studies that wait finds it.
        if (also.gone.includes(study)) all.push({ event: 'deleted', study, series: [] })
        continue
      }
      for (const event of events) {
        const series = event === 'seen' ? found.series.filter((one) => touched.has(one.series)) : found.series
        if (series.length > 0) all.push({ event, study, series })
      }
    }
    return all
  }

  /** What the rows say of each study: `seen` once, `stable` only where no image came after it. */
  async function byStudy(rows: readonly OrthancChange[]): Promise<Map<string, Happened>> {
    const happened = new Map<string, Happened>()
    const places = new Map<string, { readonly study: string; readonly series: string }>()
    // Series and studies are new together with their first image: the images' rows say it all.
    const images = rows.filter((row) => row.type === 'NewInstance')
    for (const { id } of images) client.forget(id)
    for (const row of rows) {
      if (row.type === 'StableStudy') {
        const before = happened.get(row.id)
        happened.set(row.id, { touched: new Set(), ...before, events: [...(before?.events ?? []), 'stable'] })
      }
      if (row.type !== 'NewInstance') continue
      const study = places.get(row.id)?.study ?? (await client.studyOf('Instance', row.id))
      if (study === undefined) continue
      const before = happened.get(study)
      const facts = before?.facts ?? (await client.studyFacts(study))
      if (facts === undefined) continue
      for (const [instance, series] of facts.instances) places.set(instance, { study, series })
      const series = places.get(row.id)?.series
      const touched = new Set([...(before?.touched ?? []), ...(series === undefined ? [] : [series])])
      happened.set(study, { events: ['seen'], touched, facts })
    }
    return happened
  }

  function remember(study: string, lastUpdate: Instant): void {
    const oldest = toldStable.keys().next().value
    if (toldStable.size >= 1000 && oldest !== undefined) toldStable.delete(oldest)
    toldStable.set(study, lastUpdate)
  }

  return { name, poll }
}

/** One row early: the row at the cursor shows whether the feed is still the same. */
function sinceOf(position: Position): number {
  return position.row === '' ? position.seq : position.seq - 1
}

function rowsAfter(position: Position, page: ChangePage): readonly OrthancChange[] {
  return page.changes.filter((change) => change.seq > position.seq)
}

function newest(series: readonly SeriesFacts[]): Instant {
  return series.reduce((last, facts) => (facts.lastImageAt > last ? facts.lastImageAt : last), '')
}

function later(at: Instant, seconds: number): Instant {
  return new Date(Date.parse(at) + seconds * 1000).toISOString()
}
