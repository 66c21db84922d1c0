/**
 * What Orthanc reports becomes truth: studies are recorded, their series credited
 * to orders, steps started. A contradiction moves nothing (I11).
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { Fault } from '../core/fault.ts'
import type { Instant, OrderId } from '../core/ids.ts'
import type { Order, SeriesFacts, Study } from '../core/order.ts'
import { announceStart, awaitQuiet, studiesOf, whenStable } from './completion.ts'
import type { Draft } from './draft.ts'
import { isEvidence, matchSeries, type Match } from './match.ts'
import { flags, isStarted, isWaiting, move, summary } from './steps.ts'

type ImagesEntry = Extract<InboxEntry, { kind: 'images' }>

export function studyKey(orthanc: string, study: string): string {
  return `${orthanc}/${study}`
}

export function applyImages(draft: Draft, entry: ImagesEntry): void {
  const key = studyKey(entry.orthanc, entry.study)
  const before = draft.world.studies({ by: 'study', key })[0]
  const study = record(before, entry, key)
  if (study === undefined) return
  const matches = news(before, entry)
    .filter(isEvidence)
    .map((facts) => matchSeries(draft.world, facts))
  const credited: Study = { ...study, credit: combine(study.credit, matches) }
  draft.putStudy(credited, before)
  raise(draft, credited, before)
  if (credited.credit.kind === 'mismatch') return
  for (const { order, stepKeys } of hitsOf(matches).values()) {
    const isKnown = before !== undefined && creditsOf(before).includes(order.id)
    const times = { first: entry.at, last: entry.at }
    draft.put(receive(draft, order, stepKeys, credited, { ...times, isKnown, isBorn: false }), order)
  }
  if (entry.event !== 'seen') afterwards(draft, credited, entry.event)
}

/** An order was made or renumbered: studies that waited for it are credited now. `isBorn`: the order is new, its started steps are never served. */
export function adopt(draft: Draft, made: Order, isBorn: boolean): Order {
  let order = made
  for (const before of studiesOf(draft.world, made)) {
    if (!canBeAdopted(before) || isFromBefore(before, made)) continue
    const matches = before.series.filter(isEvidence).map((facts) => matchSeries(draft.world, facts))
    const study: Study = { ...before, credit: combine({ kind: 'unmatched' }, matches) }
    if (study.credit.kind === 'unmatched') continue
    draft.putStudy(study, before)
    raise(draft, study, before)
    const stepKeys = hitsOf(matches).get(order.id)?.stepKeys
    if (study.credit.kind !== 'matched' || stepKeys === undefined) continue
    const times = { first: study.firstImageAt, last: study.lastImageAt }
    order = receive(draft, order, stepKeys, study, { ...times, isKnown: false, isBorn })
    if (study.stable) order = whenStable(draft, order, study)
  }
  return order
}

/**
 * Whether images came days before the appointment that only an accession number would join them to: a number
 * used again, for a patient who came back. Whoever names the study by its UID means these images.
 */
function isFromBefore({ studyInstanceUid, series }: Study, order: Order): boolean {
  if (studyInstanceUid === order.studyInstanceUid) return false
  const newest = Math.max(...series.map((facts) => Date.parse(facts.lastImageAt)).filter(Number.isFinite))
  const starts = order.steps.map(({ attributes }) => dayOf(attributes['ScheduledProcedureStepStartDate']))
  const first = Math.min(...starts.filter((start) => start !== undefined))
  // Two days: whatever zone the site is in, and a patient may come early.
  return Number.isFinite(newest) && Number.isFinite(first) && first - newest > 2 * 86_400_000
}

function dayOf(date: unknown): number | undefined {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(typeof date === 'string' ? date : '') ?? []
  return year === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(day))
}

/** Studies that nobody has been credited with for certain. */
export function canBeAdopted({ deleted, credit }: Study): boolean {
  return !deleted && (credit.kind === 'unmatched' || credit.kind === 'ambiguous')
}

interface Arrival {
  readonly first: Instant
  readonly last: Instant
  /** The study was credited to the order before. */
  readonly isKnown: boolean
  readonly isBorn: boolean
}

/** Images for some steps of an order: waiting ones start, started ones wait on, completed ones are late. */
function receive(draft: Draft, order: Order, keys: ReadonlySet<string>, study: Study, arrival: Arrival): Order {
  const started = move(order, 'start', keys)
  const taking = started.steps.filter((step) => keys.has(step.key) && isStarted(step))
  let next: Order = {
    ...started,
    firstImageAt: order.firstImageAt ?? arrival.first,
    lastImageAt: order.lastImageAt !== undefined && order.lastImageAt > arrival.last ? order.lastImageAt : arrival.last,
  }
  if (started !== order) {
    if (arrival.isBorn) next = neverServed(next, order)
    draft.note(order.id, `${arrival.isBorn ? 'born with images' : 'started by images'}: ${summary(next)}`)
    next = announceStart(draft, next, study)
  }
  if (taking.length > 0) return awaitQuiet(draft, next, study)
  late(draft, next, keys, study, arrival)
  return next
}

function late(draft: Draft, order: Order, keys: ReadonlySet<string>, study: Study, { isKnown }: Arrival): void {
  const named = order.steps.filter((step) => keys.has(step.key))
  const refused = named.find((step) => step.stepStatus !== 'COMPLETED')
  if (refused === undefined) {
    draft.note(order.id, 'late images arrived')
    draft.announce('lateImages', order, study)
    return
  }
  if (isKnown) return
  const { stepStatus } = refused
  draft.note(order.id, `images arrived for a step that is ${stepStatus}: E612`)
  const params = { study: study.key, orderId: order.id, stepStatus }
  draft.notice({ code: 'E612', hl7Code: 207, params }, [order.id], study.key)
}

function neverServed(order: Order, before: Order): Order {
  const waiting = new Set(before.steps.filter(isWaiting).map((step) => step.key))
  const steps = order.steps.map((step) =>
    isStarted(step) && waiting.has(step.key) ? { ...step, flags: [...step.flags, flags.imagesFirst] } : step,
  )
  return { ...order, steps }
}

function afterwards(draft: Draft, study: Study, event: 'stable' | 'deleted'): void {
  for (const id of creditsOf(study)) {
    const order = draft.world.orders({ by: 'order', id })[0]
    if (order === undefined) continue
    if (event === 'deleted') draft.note(id, 'study deleted in Orthanc')
    draft.announce(event, order, study)
    const next = event === 'stable' ? whenStable(draft, awaitQuiet(draft, order, study), study) : order
    if (next !== order) draft.put(next, order)
  }
}

/** Series of this entry that say something new: all that were seen; of a stable study those whose arrival was missed (I6). */
function news(before: Study | undefined, { event, series }: ImagesEntry): readonly SeriesFacts[] {
  if (event === 'deleted') return []
  if (event === 'seen') return series
  return series.filter((facts) => {
    const known = before?.series.find((one) => one.series === facts.series)
    return known === undefined || known.instances < facts.instances
  })
}

/** The study as known after the entry; undefined when nothing was ever seen of it. */
function record(before: Study | undefined, entry: ImagesEntry, key: string): Study | undefined {
  const { event, at, orthanc, series } = entry
  const all = new Map(before?.series.map((facts) => [facts.series, facts]))
  for (const facts of series) all.set(facts.series, facts)
  const told = series[0] ?? before
  if (told === undefined) return undefined
  const { studyInstanceUid, patientId, issuerOfPatientId } = told
  const accessionNumber =
    series.find((facts) => facts.accessionNumber)?.accessionNumber ?? before?.accessionNumber ?? ''
  return {
    key,
    orthanc,
    studyInstanceUid,
    accessionNumber,
    patientId,
    issuerOfPatientId,
    series: [...all.values()],
    stable: event === 'stable',
    deleted: event === 'deleted',
    credit: before?.credit ?? { kind: 'unmatched' },
    firstImageAt: before?.firstImageAt ?? at,
    lastImageAt: news(before, entry).length > 0 || before === undefined ? at : before.lastImageAt,
  }
}

/** A mismatch stays one until a person or another message resolves it; a match outweighs a doubt. */
function combine(known: Study['credit'], matches: readonly Match[]): Study['credit'] {
  const wrong = matches.flatMap((match) => (match.kind === 'mismatch' ? match.orderIds : []))
  if (known.kind === 'mismatch' || wrong.length > 0) {
    return { kind: 'mismatch', orderIds: union(known.kind === 'mismatch' ? known.orderIds : [], wrong) }
  }
  const right = [...hitsOf(matches).keys()]
  if (known.kind === 'matched' || right.length > 0) {
    return { kind: 'matched', orderIds: union(known.kind === 'matched' ? known.orderIds : [], right) }
  }
  const doubtful = matches.flatMap((match) => (match.kind === 'ambiguous' ? match.orderIds : []))
  if (known.kind === 'ambiguous' || doubtful.length > 0) {
    return { kind: 'ambiguous', orderIds: union(known.kind === 'ambiguous' ? known.orderIds : [], doubtful) }
  }
  return { kind: 'unmatched' }
}

/** A person is called once per study, not once per series. */
function raise(draft: Draft, { key, credit }: Study, before: Study | undefined): void {
  if (credit.kind !== 'mismatch' && credit.kind !== 'ambiguous') return
  if (before?.credit.kind === credit.kind) return
  const code = credit.kind === 'mismatch' ? 'E610' : 'E611'
  const params: Fault['params'] =
    credit.kind === 'mismatch' ? { study: key, orderId: credit.orderIds[0] ?? '' } : { study: key }
  draft.notice({ code, hl7Code: 207, params }, credit.orderIds, key)
  for (const id of credit.orderIds) draft.note(id, `images not credited: ${code}`)
}

function creditsOf({ credit }: Study): readonly OrderId[] {
  return credit.kind === 'matched' ? credit.orderIds : []
}

function hitsOf(matches: readonly Match[]): Map<OrderId, { order: Order; stepKeys: Set<string> }> {
  const hits = new Map<OrderId, { order: Order; stepKeys: Set<string> }>()
  for (const match of matches) {
    if (match.kind !== 'matched') continue
    for (const { order, stepKeys } of match.hits) {
      const hit = hits.get(order.id) ?? { order, stepKeys: new Set<string>() }
      for (const key of stepKeys) hit.stepKeys.add(key)
      hits.set(order.id, hit)
    }
  }
  return hits
}

const union = (a: readonly OrderId[], b: readonly OrderId[]): readonly OrderId[] => [...new Set([...a, ...b])].sort()
