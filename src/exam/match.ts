/**
 * To which order and steps a series belongs (design: Images and orders). In this
 * order: what the images say they were requested by, the Study Instance UID, the
 * accession number; always with the patient, who must agree (I11).
 */
import type { Dataset } from '../core/dataset.ts'
import type { OrderId } from '../core/ids.ts'
import type { Order, SeriesFacts, Step, Study } from '../core/order.ts'
import type { Lookup, World } from '../core/world.ts'
import { agreesWith } from './patients.ts'
import { hasBegun } from './steps.ts'

export interface Hit {
  readonly order: Order
  readonly stepKeys: readonly string[]
}

export type Match =
  | { readonly kind: 'matched'; readonly hits: readonly Hit[] }
  | { readonly kind: 'unmatched' }
  | { readonly kind: 'mismatch'; readonly orderIds: readonly OrderId[] }
  | { readonly kind: 'ambiguous'; readonly orderIds: readonly OrderId[] }

/** Made after, about or around the exam: none of them is its images (PS3.3 C.7.3.1.1.1). */
const madeElsewhere: ReadonlySet<string> = new Set(
  [
    'SR KO PR DOC SEG OT REG FID RWV ANN SMR M3D PLAN STAIN TEXTUREMAP AU HC ASMT POS CTPROTOCOL XAPROTOCOL',
    'RTSTRUCT RTPLAN RTDOSE RTRECORD RTINTENT RTSEGANN RTRAD',
  ].flatMap((line) => line.split(' ')),
)

/** Received from a modality, as far as anybody knows: copies, anonymised and uploaded studies are none. */
const acquired: ReadonlySet<string> = new Set(['DicomProtocol', 'Unknown', ''])

/** Whether a series is evidence of the exam. */
export function isEvidence({ modality, origin, isAcquired, isCopy }: SeriesFacts): boolean {
  return (isAcquired ?? acquired.has(origin)) && isCopy !== true && isOfExam({ modality })
}

/** Images of a patient, whoever brought them: what a person links needs no more. */
export function isOfExam({ modality }: Pick<SeriesFacts, 'modality'>): boolean {
  return !madeElsewhere.has(modality)
}

/** Modalities that stand for each other: a worklist says CR, the detector writes DX. */
const alike: readonly (readonly string[])[] = [
  ['CR', 'DX', 'RG'],
  ['XA', 'RF'],
]

/** What a person has said of the study counts before what its images say. */
export function matchSeries(world: World, facts: SeriesFacts, study: Known = {}, isAskedAgain = false): Match {
  const { linked, linkedSteps, unlinked = [] } = study
  if (linked !== undefined) {
    const orders = linked.flatMap((id) => world.orders({ by: 'order', id }))
    const all = (study.series ?? []).filter(isOfExam)
    return { kind: 'matched', hits: orders.map((order) => hitOf(order, facts, all, linkedSteps?.[order.id])) }
  }
  const find = (by: Lookup): readonly Order[] => world.orders(by).filter(({ id }) => !unlinked.includes(id))
  const isOurs = (order: Order): boolean => agreesWith(world, order, facts)
  const { studyInstanceUid, accessionNumber } = facts
  const byUid = studyInstanceUid ? find({ by: 'studyInstanceUid', value: studyInstanceUid }) : []
  const foreign = byUid.filter((order) => !isOurs(order))
  if (foreign.length > 0) return { kind: 'mismatch', orderIds: ids(foreign) }
  // The same number of another issuer is another number.
  const byAccession = accessionNumber
    ? find({ by: 'accessionNumber', value: accessionNumber }).filter(
        (order) => isOfIssuer(order, facts) && !isFromBefore(facts, study, order, isAskedAgain),
      )
    : []
  const ours = byAccession.filter(isOurs)
  // The study of one patient under the accession number of another: one of the two is wrong, and nobody knows which.
  const isContradicted =
    byAccession.length > ours.length && !byUid.some((order) => order.numbers.accessionNumber === accessionNumber)
  if (byUid.length > 0 && isContradicted) {
    const contradicting = byAccession.filter((order) => !isOurs(order))
    return { kind: 'mismatch', orderIds: ids([...byUid, ...contradicting]) }
  }
  const named = requestLookups(facts)
    .flatMap(find)
    .filter((order) => isOurs(order) && !isFromBefore(facts, study, order, isAskedAgain))
  const requested = byRequest(unique([...byUid, ...ours, ...named]), facts, study.credit)
  if (requested !== undefined) return requested
  // The study of one order under the accession number of another one of the same patient: nobody knows which was done.
  const hasNumber = byUid.some((order) => order.numbers.accessionNumber === accessionNumber)
  if (byUid.length > 0 && ours.length > 0 && !hasNumber) {
    return { kind: 'ambiguous', orderIds: ids([...byUid, ...ours]) }
  }
  if (byUid.length > 0) return choose(byUid, facts)
  if (ours.length > 0) return choose(ours, facts)
  return byAccession.length > 0 ? { kind: 'mismatch', orderIds: ids(byAccession) } : { kind: 'unmatched' }
}

/** Whether the accession numbers of both have one issuer; one that either side lacks agrees with any. */
function isOfIssuer({ request }: Order, { accessionIssuer }: SeriesFacts): boolean {
  const issuers = request['IssuerOfAccessionNumberSequence']
  const [issuer] = Array.isArray(issuers) ? (issuers as readonly Dataset[]) : []
  if (issuer === undefined || accessionIssuer === undefined) return true
  const pairs = [
    [text(issuer['LocalNamespaceEntityID']), accessionIssuer.localNamespace],
    [text(issuer['UniversalEntityID']), accessionIssuer.universal],
  ].filter((pair) => !pair.includes(''))
  return pairs.length === 0 || pairs.some(([ordered, shown]) => ordered === shown)
}

/** What is known of the study of a series: what a person has said of it, what it is credited to, and its other series. */
type Known = Partial<Pick<Study, 'key' | 'linked' | 'linkedSteps' | 'unlinked' | 'credit' | 'series'>>

/**
 * The steps of an order that is known to have these images: the one that was named, else those that the series
 * tells apart, else those that have begun, else all. Where another series of the study tells, one that tells
 * nothing starts nothing.
 */
function hitOf(order: Order, facts: SeriesFacts, all: readonly SeriesFacts[], stepKey: string | undefined): Hit {
  const named = order.steps.filter((step) => step.key === stepKey)
  if (named.length > 0) return { order, stepKeys: keys(named) }
  const own = toldBy(order, facts)
  if (own.length > 0) return { order, stepKeys: own }
  if (all.some((one) => toldBy(order, one).length > 0)) return { order, stepKeys: [] }
  const begun = order.steps.filter(hasBegun)
  return { order, stepKeys: keys(begun.length > 0 ? begun : order.steps) }
}

function toldBy(order: Order, facts: SeriesFacts): readonly string[] {
  const told = byRequest([order], facts) ?? choose([order], facts)
  return told.kind === 'matched' ? told.hits.flatMap((hit) => hit.stepKeys) : []
}

/**
 * Whether images came before their order and days before its appointment: a number used again, for a patient who
 * came back. Whoever names the study by its UID means these images. What is asked again was there before; an order
 * that was credited with the study has not got it from somebody's earlier visit.
 */
function isFromBefore(
  { studyInstanceUid, lastImageAt }: SeriesFacts,
  { key = '' }: Known,
  order: Order,
  isAskedAgain: boolean,
): boolean {
  if (studyInstanceUid === order.studyInstanceUid || order.studies?.includes(key) === true) return false
  if (!isAskedAgain && Date.parse(order.createdAt) <= Date.parse(lastImageAt)) return false
  const came = Date.parse(lastImageAt.slice(0, 10))
  const starts = order.steps.map(({ attributes }) => dayOf(attributes['ScheduledProcedureStepStartDate']))
  const first = Math.min(...starts.filter((start) => start !== undefined))
  // Two days: whatever zone the site is in, and a patient may come early.
  return Number.isFinite(came) && Number.isFinite(first) && first - came > 2 * 86_400_000
}

function dayOf(date: unknown): number | undefined {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(typeof date === 'string' ? date : '') ?? []
  return year === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(day))
}

/** Request Attributes Sequence, every item: one acquisition may serve several orders. Undefined when it names none of ours. */
function byRequest(orders: readonly Order[], facts: SeriesFacts, credit?: Study['credit']): Match | undefined {
  const hits: Hit[] = []
  const doubtful: Order[] = []
  for (const { requestedProcedureId, scheduledStepId, accessionNumber } of facts.requestAttributes) {
    if (!requestedProcedureId) continue
    let named: readonly Order[] = orders.filter(
      (order) => procedureId(order) === requestedProcedureId && stepsOf(order, scheduledStepId).length > 0,
    )
    named = prefer(named, (order) => order.studyInstanceUid === facts.studyInstanceUid)
    const accession = accessionNumber || facts.accessionNumber
    named = prefer(named, (order) => accession !== '' && order.numbers.accessionNumber === accession)
    // Of a number that was used again, the new order is meant, unless the study is the old one's.
    if (named.some(({ isUsedAgain }) => isUsedAgain === true)) {
      named = prefer(named, ({ id }) => credit?.kind === 'matched' && credit.orderIds.includes(id))
      named = prefer(named, ({ isUsedAgain }) => isUsedAgain !== true)
    }
    const [order, ...others] = named
    if (order === undefined) continue
    if (others.length > 0) doubtful.push(...named)
    else if (scheduledStepId) hits.push({ order, stepKeys: keys(stepsOf(order, scheduledStepId)) })
    else {
      const chosen = choose([order], facts)
      if (chosen.kind === 'matched') hits.push(...chosen.hits)
      else doubtful.push(order)
    }
  }
  if (hits.length > 0) return { kind: 'matched', hits }
  return doubtful.length > 0 ? { kind: 'ambiguous', orderIds: ids(doubtful) } : undefined
}

/**
 * Among the steps of orders that fit, those that the series tells apart: by accession number, by modality, then by
 * station. A step that has ended is told apart like any other, or late images of it would start another one; only
 * where nothing tells, what was called off takes no images that something else could have.
 */
function choose(orders: readonly Order[], facts: SeriesFacts): Match {
  const { accessionNumber } = facts
  let fitting: readonly { order: Order; step: Step }[] = prefer(
    orders.flatMap((order) => order.steps.map((step) => ({ order, step }))),
    ({ order }) => accessionNumber !== '' && order.numbers.accessionNumber === accessionNumber,
  )
  if (fitting.length > 1) {
    const ofModality = fitting.filter(({ step }) => isAlike(step, facts.modality))
    const atStation = (ofModality.length > 0 ? ofModality : fitting).filter(({ step }) => isAt(step, facts))
    fitting = prefer(atStation.length > 0 ? atStation : ofModality, ({ step }) => !isCalledOff(step))
  }
  const [first] = fitting
  // Steps of one order that nothing tells apart are one visit to one machine: they begin together.
  if (first === undefined || fitting.some(({ order }) => order.id !== first.order.id)) {
    return { kind: 'ambiguous', orderIds: ids(orders) }
  }
  return { kind: 'matched', hits: [{ order: first.order, stepKeys: keys(fitting.map(({ step }) => step)) }] }
}

function isCalledOff({ stepStatus }: Step): boolean {
  return stepStatus === 'CANCELED' || stepStatus === 'DISCONTINUED' || stepStatus === 'EXPIRED'
}

function isAlike(step: Step, modality: string): boolean {
  const planned = text(step.attributes['Modality'])
  return planned === modality || alike.some((group) => group.includes(planned) && group.includes(modality))
}

function isAt(step: Step, { stationName, remoteAet }: SeriesFacts): boolean {
  const { ScheduledStationName: given = '' } = step.attributes
  const own: readonly unknown[] = Array.isArray(given) ? given : [given]
  const names = [...step.stations, ...own.map(text)].filter((name) => name !== '')
  return names.includes(stationName) || names.includes(remoteAet)
}

/** By what the orders of a series are found. */
export function seriesLookups(facts: SeriesFacts): readonly Lookup[] {
  const { studyInstanceUid, accessionNumber } = facts
  const lookups: Lookup[] = [...requestLookups(facts)]
  if (studyInstanceUid) lookups.push({ by: 'studyInstanceUid', value: studyInstanceUid })
  if (accessionNumber) lookups.push({ by: 'accessionNumber', value: accessionNumber })
  return lookups
}

/** Orders of this patient that the images say they were requested by. */
function requestLookups({ patientId, requestAttributes }: SeriesFacts): readonly Lookup[] {
  const id = patientId.trim()
  if (id === '' || requestAttributes.length === 0) return []
  const named = new Set(requestAttributes.map((item) => item.requestedProcedureId))
  return [...named].filter((value) => value !== '').map((value) => ({ by: 'requestedProcedure', patientId: id, value }))
}

function procedureId(order: Order): string {
  return order.numbers.requestedProcedureId ?? text(order.request['RequestedProcedureID'])
}

/** Without a Scheduled Procedure Step ID: all of them. */
function stepsOf(order: Order, scheduledStepId: string): readonly Step[] {
  if (!scheduledStepId) return order.steps
  return order.steps.filter((step) => text(step.attributes['ScheduledProcedureStepID']) === scheduledStepId)
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const keys = (steps: readonly Step[]): readonly string[] => steps.map((step) => step.key)
const ids = (orders: readonly Order[]): readonly OrderId[] => [...new Set(orders.map((order) => order.id))].sort()
const unique = (orders: readonly Order[]): readonly Order[] => [
  ...new Map(orders.map((order) => [order.id, order])).values(),
]

/** Those that pass, or all when none does. */
function prefer<T>(all: readonly T[], passes: (one: T) => boolean): readonly T[] {
  const some = all.filter(passes)
  return some.length > 0 ? some : all
}
