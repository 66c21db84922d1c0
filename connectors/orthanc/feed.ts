import type { Cursor } from '../../src/core/inbox.ts'
import type { Instant } from '../../src/core/ids.ts'
import type { SeriesFacts } from '../../src/core/order.ts'
import type { OrthancChangeRow } from '../../src/core/orthanc-change.ts'
import type { ChangeFeed, Clock, Feeds, Inbox, Log } from '../../src/core/ports.ts'
import type { ChangePage, OrthancChange, OrthancClient } from './client.ts'
import { createPageReader, type Also } from './reading.ts'
import { changedStudies, rowsAreMissing } from './missing.ts'
import { findStart } from './start.ts'
import { after, brokenBy, cursorOf, positionOf, startAgain, type Position } from './position.ts'

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

export function createChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  const { name, client, feeds, inbox, clock, log, limit = 1000, firstHours = 24, stableGraceSeconds = 60 } = options
  /** Studies whose stability has been told, with the update it was told for: a lagging drainer must not make us tell it twice. */
  const toldStable = new Map<string, Instant>()
  /** Studies that are read because the rows that told of them are gone; the cursor waits for them. */
  let listed: { readonly seq: number; readonly left: string[] } | undefined
  let nextLook = ''
  /** Studies that were seen when the clock was ahead, and since when they are known to be. */
  const aheadSince = new Map<string, Instant>()
  const reader = createPageReader({
    client,
    clock,
    unreadable: (resource, { code }) =>
      log.warn({ orthanc: name, subject: resource, code }, 'a study of Orthanc cannot be read'),
  })

  async function poll(): ReturnType<ChangeFeed['poll']> {
    // Before anything is read: what happens from now on is not promised to be in this advance.
    const at = clock()
    const expected = await feeds.cursor(name)
    const database = (await client.identity()) ?? ''
    const read = await readOn(expected, database, at)
    if (listed !== undefined && listed.seq === read.from.seq && listed.left.length > 0)
      return readListed(expected, listed.left, at)
    const lost = read.page.done ? await lostStudies(at) : { at, stable: [], gone: [], back: [], madeGood: [] }
    // Asked for before this page was read, a StableStudy that is merely on its way is in the page.
    const page = read.page.done && lost.stable.length > 0 ? await client.changes(sinceOf(read.from), limit) : read.page
    const { events, rows, passed } = await reader.read(rowsAfter(read.from, page), lost)
    const news = rows.filter((row) => row.at >= read.from.toldBefore)
    const outcome = await inbox.acceptEvents({
      orthanc: name,
      expected: expected === undefined ? undefined : { seq: expected.seq, identity: expected.identity },
      next: cursorOf(after(read.from, page, database)),
      at,
      events,
      rows: news,
      passed,
      madeGood: lost.madeGood,
      caughtUp: page.done,
    })
    if (outcome === 'moved') return { events: 0, rows: [], caughtUp: false }
    for (const { event, study, series } of events) {
      if (event === 'stable') remember(study, newest(series))
    }
    if (page.done && at >= nextLook) nextLook = afterLook(at)
    return { events: events.length, rows: news, caughtUp: page.done }
  }

  /** They are seen; that they are stable is found as with any other whose StableStudy was lost. */
  async function readListed(expected: Cursor | undefined, left: string[], at: Instant): ReturnType<ChangeFeed['poll']> {
    const back = left.slice(0, listedAtOnce)
    const { events, passed } = await reader.read([], { at, stable: [], gone: [], back })
    const here = expected === undefined ? undefined : { seq: expected.seq, identity: expected.identity }
    if (here === undefined) return { events: 0, rows: [], caughtUp: false }
    const outcome = await inbox.acceptEvents({
      orthanc: name,
      expected: here,
      next: here,
      at,
      events,
      rows: [],
      passed,
      caughtUp: false,
    })
    if (outcome === 'moved') listed = undefined
    else left.splice(0, back.length)
    return { events: events.length, rows: [], caughtUp: false }
  }

  /** Behind the rows that are gone; where some were of studies that are still there, those are listed first. */
  async function withoutMissing(from: Position, page: ChangePage): Promise<{ from: Position; page: ChangePage }> {
    if (!(await rowsAreMissing(client, from, page))) return { from, page }
    if (listed?.seq !== from.seq) {
      const [since = ''] = from.row.split(' ')
      listed = { seq: from.seq, left: [...(await changedStudies(client, since))] }
      log.info({ orthanc: name, count: listed.left.length }, 'rows of the change feed are gone, studies are listed')
    }
    if (listed.left.length > 0) return { from, page }
    const seq = (page.changes[0]?.seq ?? page.last + 1) - 1
    return { from: { ...from, seq, row: '' }, page }
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
    if (reason === undefined) return cursor === undefined ? { from, page } : withoutMissing(from, page)
    log.warn({ orthanc: name, reason }, 'change feed started again')
    return { from: startAgain(from, database), page: await client.changes(0, limit) }
  }

  /**
   * Studies that wait for a StableStudy. Orthanc forgets it when it stops before
   * StableAge: after the restart the study is stable and no row ever says so.
   */
  async function lostStudies(at: Instant): Promise<Also & { readonly madeGood: readonly string[] }> {
    const stable: string[] = []
    const gone: string[] = []
    // After a start the drainer has yet to apply what was told before: of that it would be told again.
    if (nextLook === '') nextLook = afterLook(at)
    // Further away than any look is: the clock was set back.
    if (at < nextLook && nextLook <= afterLook(at)) return { at, stable, gone, back: [], madeGood: [] }
    const waiting = await feeds.unstableStudies(name, later(at, -stableGraceSeconds), mostLookedAt)
    for (const study of [...waiting, ...(await seenAhead(at))]) {
      const state = await client.study(study)
      if (state === undefined) gone.push(study)
      else if (state.isStable && (toldStable.get(study) ?? '') < state.lastUpdate) stable.push(study)
    }
    const { studies, madeGood } = await reader.back(await feeds.passedBy(name, mostAskedAgain))
    return { at, stable, gone, back: studies, madeGood }
  }

  /** Seen when the clock was ahead, which is put right: they have waited since they are found to be so. */
  async function seenAhead(at: Instant): Promise<readonly string[]> {
    const found = await feeds.unstableStudiesAfter(name, later(at, agreeSeconds), mostLookedAt)
    for (const study of aheadSince.keys()) if (!found.includes(study)) aheadSince.delete(study)
    return found.filter((study) => {
      const since = aheadSince.get(study) ?? at
      aheadSince.set(study, since > at ? at : since)
      return since <= later(at, -stableGraceSeconds)
    })
  }

  function afterLook(at: Instant): Instant {
    return later(at, Math.min(15, stableGraceSeconds))
  }

  function remember(study: string, lastUpdate: Instant): void {
    const oldest = toldStable.keys().next().value
    if (toldStable.size >= 1000 && oldest !== undefined) toldStable.delete(oldest)
    toldStable.set(study, lastUpdate)
  }

  async function complete<R extends OrthancChangeRow>(rows: readonly R[]): Promise<{ rows: R[]; restored: string[] }> {
    // Each series and study is asked for once: a thousand images are rows of one series.
    const ofSeries = new Map<string, string>()
    const isThere = new Map<string, boolean>()
    const series = rows.filter(({ change, level }) => change === 'NewChildInstance' && level === 'Series')
    const deleted = rows.filter(({ change, level }) => change === 'Deleted' && level === 'Study')
    const resources = (some: readonly R[]): readonly string[] => [...new Set(some.map(({ resource }) => resource))]
    await sideBySide(resources(series), async (id) => void ofSeries.set(id, await reader.studyOfSeries(id)))
    await sideBySide(resources(deleted), async (id) => void isThere.set(id, (await client.study(id)) !== undefined))
    return {
      rows: rows.map((row) => {
        const study = row.level === 'Study' ? row.resource : row.level === 'Series' ? ofSeries.get(row.resource) : ''
        return { ...row, study: study ?? '' }
      }),
      restored: [...isThere].flatMap(([study, is]) => (is ? [study] : [])),
    }
  }

  return { name, poll, identity: () => client.identity(), complete }
}

const listedAtOnce = 50
const mostLookedAt = 100
/** Of what was passed by, at each look. */
const mostAskedAgain = 20
/** The clocks of a site agree by this. */
const agreeSeconds = 60

/** Orthanc answers several at once, and the plugin waits no longer than 30 s for an answer. */
async function sideBySide(ids: readonly string[], ask: (id: string) => Promise<void>): Promise<void> {
  for (let at = 0; at < ids.length; at += 8) await Promise.all(ids.slice(at, at + 8).map(ask))
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
