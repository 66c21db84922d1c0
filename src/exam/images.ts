/**
 * What Orthanc reports becomes truth: studies are recorded, their series credited
 * to orders, steps started. A contradiction moves nothing (I11).
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { SeriesFacts, Study } from '../core/order.ts'
import { awaitQuiet, endIfOver, latest, soundTime } from './completion.ts'
import { shownBy, twinsOf, withMakers } from './copies.ts'
import { combine, counts, creditOf, creditsOf, hitsOf, judge, raise, raiseDoubt, type Judged } from './credit.ts'
import type { Draft } from './draft.ts'
import { credited, receive } from './receive.ts'
import { isStarted, isWaiting } from './steps.ts'

type ImagesEntry = Extract<InboxEntry, { kind: 'images' }>

export function studyKey(orthanc: string, study: string): string {
  return `${orthanc}/${study}`
}

export function applyImages(draft: Draft, given: ImagesEntry): void {
  const key = studyKey(given.orthanc, given.study)
  const before = draft.world.studies({ by: 'study', key })[0]
  const told = given.series[0] ?? before
  // Nothing was ever seen of it.
  if (told === undefined) return
  const { studyInstanceUid, patientId } = told
  const twins = twinsOf(draft.world, { orthanc: given.orthanc, studyInstanceUid, patientId })
  const entry: ImagesEntry = { ...given, series: withMakers(twins, given.series) }
  const recorded = record(before ?? inherited(twins), before, entry, told)
  const seen = news(before, entry).filter((facts) => counts(recorded, facts))
  const fresh = seen.filter((facts) => shownBy(twins, facts) === undefined)
  // What a person has linked is one study, whatever Orthanc shows a series of it.
  const everywhere = { ...recorded, series: [recorded, ...twins].flatMap((one) => one.series) }
  const judged = judge(draft.world, everywhere, fresh)
  const copied = seen.flatMap((facts) => shownBy(twins, facts)?.credit ?? [])
  let study: Study = { ...recorded, credit: combine(recorded.credit, [...judged.map(creditOf), ...copied]) }
  if (fresh.length > 0) raise(draft, study, before)
  if (study.credit.kind !== 'mismatch') {
    const hits = hitsOf(judged)
    const known = before === undefined ? [] : creditsOf(before)
    for (const { order, taken } of hits.values()) {
      const arrival = { taken, first: entry.at, last: entry.at, isKnown: known.includes(order.id), isBorn: false }
      const received = receive(draft, order, study, arrival)
      draft.put(awaitQuiet(draft, received.order, study), order)
      study = received.study
    }
    for (const id of creditsOf(study)) {
      if (known.includes(id) || hits.has(id)) continue
      for (const order of draft.world.orders({ by: 'order', id })) draft.put(credited(order, study), order)
    }
    study = waitOn(draft, study, judged)
  }
  study = raiseTaken(draft, study, fresh)
  draft.putStudy(study, before)
  const isToldAgain = entry.event === 'deleted' && before?.deleted === true
  if (entry.event !== 'seen' && !isToldAgain) afterwards(draft, study, entry.event)
}

/** What comes to a study of an order and tells nobody's, or several orders', starts nothing, but the exam is not over. */
function waitOn(draft: Draft, study: Study, judged: readonly Judged[]): Study {
  const untold = judged.filter(({ match }) => match.kind === 'ambiguous' || match.kind === 'unmatched')
  if (untold.length === 0) return study
  for (const id of creditsOf(study)) {
    for (const order of draft.world.orders({ by: 'order', id })) {
      const { lastImageAt } = order
      if (lastImageAt === undefined || !order.steps.some(isStarted)) continue
      const last = latest(soundTime(draft, lastImageAt), soundTime(draft, draft.at))
      draft.put(awaitQuiet(draft, { ...order, lastImageAt: last }, study), order)
    }
  }
  if (study.credit.kind !== 'matched') return study
  return raiseDoubt(
    draft,
    study,
    untold.flatMap(({ match }) => (match.kind === 'ambiguous' ? match.orderIds : [])),
  )
}

/**
 * A person took the study from an order that is on the worklist again. Whoever is examined by its entry comes to the
 * same study, and is somebody else.
 */
function raiseTaken(draft: Draft, study: Study, fresh: readonly SeriesFacts[]): Study {
  const { unlinked, linked: _linked, ...known } = study
  if (unlinked === undefined || fresh.length === 0) return study
  const taken = judge(draft.world, { ...known, unlinked: [] }, fresh)
    .flatMap(({ match }) => (match.kind === 'matched' ? match.hits.map(({ order }) => order) : []))
    .filter(({ id, steps }) => unlinked.includes(id) && steps.some(isWaiting))
  return taken.length === 0 ? study : raiseDoubt(draft, study, [...taken.map(({ id }) => id), ...creditsOf(study)])
}

function afterwards(draft: Draft, study: Study, event: 'stable' | 'deleted'): void {
  for (const id of creditsOf(study)) {
    const order = draft.world.orders({ by: 'order', id })[0]
    if (order === undefined) continue
    if (event === 'deleted') draft.note(id, 'study deleted in Orthanc')
    draft.announce(event, order, study)
    const next = event === 'stable' ? endIfOver(draft, order, study) : order
    if (next !== order) draft.put(next, order)
  }
}

/**
 * Series of this entry of which images came that nobody knew. What is told again says nothing new (I4); a
 * stable study may have some whose arrival was missed (I6).
 */
function news(before: Study | undefined, { event, series }: ImagesEntry): readonly SeriesFacts[] {
  if (event === 'deleted') return []
  return series.filter((facts) => {
    const known = before?.series.find((one) => one.series === facts.series)
    return known === undefined || known.instances < facts.instances || known.lastImageAt < facts.lastImageAt
  })
}

/** What a person has said of the study in another Orthanc. */
function inherited(twins: readonly Study[]): Pick<Study, 'linked' | 'linkedSteps' | 'unlinked'> {
  const { linked, linkedSteps, unlinked } =
    twins.find((twin) => twin.linked !== undefined || twin.unlinked !== undefined) ?? {}
  return {
    ...(linked === undefined ? {} : { linked }),
    ...(linkedSteps === undefined ? {} : { linkedSteps }),
    ...(unlinked === undefined ? {} : { unlinked }),
  }
}

/** The study as known after the entry. */
function record(
  kept: Partial<Study>,
  before: Study | undefined,
  entry: ImagesEntry,
  { studyInstanceUid, patientId, issuerOfPatientId }: SeriesFacts | Study,
): Study {
  const { event, at, orthanc, series } = entry
  const fresh = news(before, entry)
  const all = new Map(before?.series.map((facts) => [facts.series, facts]))
  for (const facts of series) {
    const known = all.get(facts.series)
    const seenAt = fresh.includes(facts) ? at : known?.seenAt
    // What was told once is no news when it is told again, though fewer were told in between.
    const most = known === undefined ? facts : { ...facts, ...mostOf(facts, known) }
    all.set(facts.series, seenAt === undefined ? most : { ...most, seenAt })
  }
  return {
    ...kept,
    key: studyKey(orthanc, entry.study),
    orthanc,
    studyInstanceUid,
    accessionNumber: series.find((facts) => facts.accessionNumber)?.accessionNumber ?? before?.accessionNumber ?? '',
    patientId,
    issuerOfPatientId,
    series: [...all.values()],
    stable: event === 'stable' || (event === 'seen' && fresh.length === 0 && before?.stable === true),
    deleted: event === 'deleted',
    credit: before?.credit ?? { kind: 'unmatched' },
    firstImageAt: before?.firstImageAt ?? at,
    lastImageAt: fresh.length > 0 || before === undefined ? at : before.lastImageAt,
  }
}

function mostOf(a: SeriesFacts, b: SeriesFacts): Pick<SeriesFacts, 'instances' | 'lastImageAt'> {
  const lastImageAt = a.lastImageAt > b.lastImageAt ? a.lastImageAt : b.lastImageAt
  return { instances: Math.max(a.instances, b.instances), lastImageAt }
}
