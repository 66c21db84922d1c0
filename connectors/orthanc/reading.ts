import { EngineError } from '../../src/core/errors/index.ts'
import type { FeedAdvance, ImageEvent } from '../../src/core/inbox.ts'
import type { Instant } from '../../src/core/ids.ts'
import { orthancChanges, type OrthancChangeRow, type OrthancChangeType } from '../../src/core/orthanc-change.ts'
import type { Clock } from '../../src/core/ports.ts'
import type { OrthancChange, OrthancClient, StudyFacts } from './client.ts'

export type FeedEvent = FeedAdvance['events'][number]

/** What the rows of a page mean: the events of each study, and the rows themselves with the study they belong to. */
export interface Reading {
  readonly events: readonly FeedEvent[]
  readonly rows: readonly OrthancChangeRow[]
  /** What was passed by: it could not be read for too long. */
  readonly passed: readonly Passed[]
}

/** `Study/<id>`, `Series/<id>` or `Instance/<id>`. */
export type Passed = string

export interface PageReader {
  /** `also`: studies that are stable, or gone, though no row says so. */
  read(rows: readonly OrthancChange[], also: Also): Promise<Reading>
  /** Of what was passed by: studies that can be read again, and what of it need not be asked for any more. */
  back(
    passed: readonly Passed[],
  ): Promise<{ readonly studies: readonly string[]; readonly madeGood: readonly Passed[] }>
  /** The study of a series, asked for once. */
  studyOfSeries(series: string): Promise<string>
}

export interface PageReaderOptions {
  readonly client: OrthancClient
  readonly clock: Clock
  /** Called once when a study or an image is passed by. */
  readonly unreadable: (id: string, error: EngineError) => void
}

export interface Also {
  /** When that was found. */
  readonly at: Instant
  readonly stable: readonly string[]
  readonly gone: readonly string[]
  /** Studies that were passed by: all of them is seen now. */
  readonly back: readonly string[]
}

/** What a page says of one study. */
interface Happened {
  events: readonly ImageEvent[]
  /** Series that images came to. */
  readonly touched: Set<string>
}

const keptSeries = 5000
/** An Orthanc that is merely overloaded answers again within this time. */
const patienceMilliseconds = 180_000
const sideBySide = 8
const known: ReadonlySet<string> = new Set(orthancChanges)

/** Answers about one resource that it cannot be read; too many questions (429) are no fault of it. */
const unusable: ReadonlySet<string> = new Set(['E404', 'E410', 'E417'])

/**
 * Reads of Orthanc what its rows are about. Rows are only hints: of each study they
 * name, the facts are read once per page, as they are now.
 *
 * The facts of a study name its series and instances, so a page of a thousand images
 * asks for one of them, and for what its study holds.
 *
 * What Orthanc cannot read itself (500: a file is lost, a disk is broken) is asked for
 * again with the page, for a while; then it is passed by, so that one study does not
 * hold up those of all other patients, and looked at until it can be read: the store keeps
 * what was passed by together with the cursor that has passed it.
 */
export function createPageReader({ client, clock, unreadable }: PageReaderOptions): PageReader {
  const seriesPlaces = new Map<string, string>()
  /** What could not be read, and since when (milliseconds). */
  const failing = new Map<string, { readonly since: number; passed: boolean }>()
  /** `holdUp`: what is to be thrown in the end, when all of the page has been asked for. */
  async function patiently<T>(
    id: string,
    holdUp: (error: EngineError) => void,
    ask: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      const answer = await ask()
      failing.delete(id)
      return answer
    } catch (error) {
      // An Orthanc that does not answer at all, or lets nobody in, is waited for.
      if (!(error instanceof EngineError) || !unusable.has(error.code) || error.params['status'] === 429) throw error
      const now = Date.parse(clock())
      const known = failing.get(id) ?? { since: now, passed: false }
      // Again as the newest, so that what is asked for is not the first to be forgotten.
      failing.delete(id)
      const oldest = failing.keys().next().value
      if (failing.size >= keptSeries && oldest !== undefined) failing.delete(oldest)
      failing.set(id, known)
      if (!known.passed && Math.abs(now - known.since) < patienceMilliseconds) holdUp(error)
      else if (!known.passed) {
        known.passed = true
        unreadable(id, error)
      }
      return undefined
    }
  }

  function keepSeries(series: string, study: string): void {
    const oldest = seriesPlaces.keys().next().value
    if (seriesPlaces.size >= keptSeries && oldest !== undefined) seriesPlaces.delete(oldest)
    seriesPlaces.set(series, study)
  }

  async function studyOfSeries(series: string): Promise<string> {
    const kept = seriesPlaces.get(series)
    if (kept !== undefined) return kept
    const study = await client.studyOf('Series', series)
    if (study !== undefined) keepSeries(series, study)
    return study ?? ''
  }

  async function read(rows: readonly OrthancChange[], also: Also): Promise<Reading> {
    const happened = new Map<string, Happened>()
    const facts = new Map<string, StudyFacts | undefined>()
    const places = new Map<string, string>()
    const passed = new Set<Passed>()
    let heldUp: EngineError | undefined
    const holdUp = (error: EngineError): void => void (heldUp ??= error)

    async function factsOf(study: string): Promise<StudyFacts | undefined> {
      if (facts.has(study)) return facts.get(study)
      const found = await patiently(study, holdUp, () => client.studyFacts(study))
      facts.set(study, found)
      passBy('Study', study)
      for (const instance of found?.instances.keys() ?? []) places.set(instance, study)
      for (const { series } of found?.series ?? []) keepSeries(series, study)
      return found
    }

    /** `''` where it is gone, or of a patient. */
    async function studyOf({ level, id }: OrthancChange): Promise<string> {
      if (level === 'Patient') return ''
      if (level === 'Study') return id
      const ask = (): Promise<string | undefined> =>
        level === 'Series' ? studyOfSeries(id) : client.studyOf('Instance', id)
      const study = places.get(id) ?? (await patiently(id, holdUp, ask)) ?? ''
      passBy(level, id)
      if (study !== '' && level === 'Instance') await factsOf(study)
      return study
    }

    function passBy(level: OrthancChange['level'], id: string): void {
      if (failing.get(id)?.passed === true) passed.add(`${level}/${id}`)
    }

    function happen(study: string): Happened {
      const found = happened.get(study) ?? { events: [], touched: new Set() }
      happened.set(study, found)
      return found
    }

    // Their tags may have changed: they were received (again).
    for (const { type, id } of rows) if (type === 'NewInstance') client.forget(id)
    // Orthanc answers several at once: the first exam of a busy page need not wait for each of the others in turn.
    const named = [...new Set(rows.flatMap(({ level, id }) => (level === 'Study' ? [id] : [])))]
    for (let at = 0; at < named.length; at += sideBySide)
      await Promise.all(named.slice(at, at + sideBySide).map(factsOf))
    const told: OrthancChangeRow[] = []
    for (const row of rows) {
      const study = await studyOf(row)
      if (isKnown(row.type)) told.push({ change: row.type, level: row.level, resource: row.id, study, at: row.at })
      if (row.type === 'StableStudy') {
        const here = happen(study)
        here.events = [...here.events, 'stable']
      }
      // Series and studies are new together with their first image: the images' rows say it all.
      if (row.type !== 'NewInstance' || study === '' || (await factsOf(study)) === undefined) continue
      const here = happen(study)
      // A study is stable only where no image came after it.
      here.events = ['seen']
      const series = facts.get(study)?.instances.get(row.id)
      if (series !== undefined) here.touched.add(series)
    }
    for (const study of also.stable) {
      if (happened.has(study)) continue
      happen(study).events = ['stable']
      // The row that Orthanc forgot: who listens to it shall not have to know that.
      if ((await factsOf(study)) !== undefined)
        told.push({ change: 'StableStudy', level: 'Study', resource: study, study, at: also.at })
    }
    for (const study of also.gone) happen(study)
    for (const study of also.back) {
      const here = happen(study)
      if (!here.events.includes('seen')) here.events = ['seen', ...here.events]
      for (const { series } of (await factsOf(study))?.series ?? []) here.touched.add(series)
    }

    const events: FeedEvent[] = []
    for (const [study, { events: all, touched }] of happened) {
      const found = await factsOf(study)
      if (found === undefined) {
        // Gone while its rows were read: if it was known, the next look for studies that wait finds it.
        if (also.gone.includes(study)) events.push({ event: 'deleted', study, series: [] })
        continue
      }
      for (const event of all) {
        const series = event === 'seen' ? found.series.filter((one) => touched.has(one.series)) : found.series
        if (series.length > 0) events.push({ event, study, series })
      }
    }
    if (heldUp !== undefined) throw heldUp
    return { events, rows: told, passed: [...passed] }
  }

  async function back(passed: readonly Passed[]): ReturnType<PageReader['back']> {
    const studies = new Set<string>()
    const madeGood: Passed[] = []
    for (const one of passed) {
      const [level, id = ''] = one.split('/')
      const study = await patiently(
        id,
        () => undefined,
        async () => {
          if (level === 'Series' || level === 'Instance') return client.studyOf(level, id)
          return (await client.studyFacts(id)) === undefined ? undefined : id
        },
      )
      if (failing.has(id)) continue
      madeGood.push(one)
      // Nothing is there any more: whoever deleted it has said so.
      if (study !== undefined) studies.add(study)
    }
    return { studies: [...studies], madeGood }
  }

  return { read, back, studyOfSeries }
}

/** Types that a later Orthanc may add have no meaning here yet. */
function isKnown(type: string): type is OrthancChangeType {
  return known.has(type)
}
