import type { FeedAdvance, ImageEvent } from '../../src/core/inbox.ts'
import type { Instant } from '../../src/core/ids.ts'
import { orthancChanges, type OrthancChangeRow, type OrthancChangeType } from '../../src/core/orthanc-change.ts'
import type { OrthancChange, OrthancClient, StudyFacts } from './client.ts'

export type FeedEvent = FeedAdvance['events'][number]

/** What the rows of a page mean: the events of each study, and the rows themselves with the study they belong to. */
export interface Reading {
  readonly events: readonly FeedEvent[]
  readonly rows: readonly OrthancChangeRow[]
}

export interface PageReader {
  /** `also`: studies that are stable, or gone, though no row says so. */
  read(rows: readonly OrthancChange[], also: Also): Promise<Reading>
  /** The study of a series, asked for once. */
  studyOfSeries(series: string): Promise<string>
}

export interface Also {
  /** When that was found. */
  readonly at: Instant
  readonly stable: readonly string[]
  readonly gone: readonly string[]
}

/** What a page says of one study. */
interface Happened {
  events: readonly ImageEvent[]
  /** Series that images came to. */
  readonly touched: Set<string>
}

const keptSeries = 5000
const sideBySide = 8
const known: ReadonlySet<string> = new Set(orthancChanges)

/**
 * Reads of Orthanc what its rows are about. Rows are only hints: of each study they
 * name, the facts are read once per page, as they are now.
 *
 * The facts of a study name its series and instances, so a page of a thousand images
 * asks for one of them, and for what its study holds.
 */
export function createPageReader(client: OrthancClient): PageReader {
  const seriesPlaces = new Map<string, string>()

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

    async function factsOf(study: string): Promise<StudyFacts | undefined> {
      if (facts.has(study)) return facts.get(study)
      const found = await client.studyFacts(study)
      facts.set(study, found)
      for (const instance of found?.instances.keys() ?? []) places.set(instance, study)
      for (const { series } of found?.series ?? []) keepSeries(series, study)
      return found
    }

    /** `''` where it is gone, or of a patient. */
    async function studyOf({ level, id }: OrthancChange): Promise<string> {
      if (level === 'Patient') return ''
      if (level === 'Study') return id
      if (level === 'Series') return studyOfSeries(id)
      const study = places.get(id) ?? (await client.studyOf('Instance', id)) ?? ''
      if (study !== '') await factsOf(study)
      return study
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
    return { events, rows: told }
  }

  return { read, studyOfSeries }
}

/** Types that a later Orthanc may add have no meaning here yet. */
function isKnown(type: string): type is OrthancChangeType {
  return known.has(type)
}
