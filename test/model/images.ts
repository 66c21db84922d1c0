/** "Images": whose they are, per series, and what they start. */
import type { SeriesFacts } from '../../src/core/order.ts'
import { day, momentOf } from './dates.ts'
import { agrees, orderOf, type ModelOrder, type ModelStep, type ModelStudy, type Site, type State } from './state.ts'
import { begin, completeQuiet, completeStable } from './telling.ts'

/** "SR, KO, PR, DOC, SEG, OT, registration, radiotherapy plans and the like." */
const notAcquired = ['SR', 'KO', 'PR', 'DOC', 'SEG', 'OT', 'REG', 'RTPLAN', 'RTSTRUCT', 'RTDOSE']

const isReport = ({ modality }: SeriesFacts): boolean => notAcquired.includes(modality)

/** "Images whose Origin is not DicomProtocol (anonymised, modified, uploaded); an unknown origin counts as acquired." */
const isMade = ({ origin, isCopy }: SeriesFacts): boolean =>
  isCopy === true || (origin !== '' && origin !== 'DicomProtocol')

/** "A second Orthanc": the same series elsewhere, with no fewer instances. */
function isElsewhere(state: State, study: ModelStudy, series: SeriesFacts): boolean {
  return state.studies.some(
    (other) =>
      other.orthanc !== study.orthanc &&
      other.patientId === study.patientId &&
      other.series.some(
        (one) =>
          !isReport(one) &&
          (!isMade(one) || other.linked.length > 0) &&
          one.studyInstanceUid === series.studyInstanceUid &&
          one.seriesInstanceUid === series.seriesInstanceUid &&
          one.instances >= series.instances,
      ),
  )
}

/** The study of another Orthanc that has shown this series already. */
function shownElsewhere(state: State, study: ModelStudy, series: SeriesFacts): ModelStudy | undefined {
  return state.studies.find(
    (other) =>
      other !== study &&
      other.patientId === study.patientId &&
      other.uid === study.uid &&
      other.series.some(({ seriesInstanceUid }) => seriesInstanceUid === series.seriesInstanceUid),
  )
}

interface Pair {
  readonly order: ModelOrder
  readonly step: ModelStep
}

type Whose =
  | { readonly kind: 'matched'; readonly orders: readonly ModelOrder[]; readonly pairs: readonly Pair[] }
  | { readonly kind: 'mismatch'; readonly with: readonly ModelOrder[] }
  | { readonly kind: 'ambiguous'; readonly between: readonly ModelOrder[] }
  | { readonly kind: 'unmatched' }

const matched = (pairs: readonly Pair[]): Whose => ({
  kind: 'matched',
  orders: [...new Set(pairs.map(({ order }) => order))],
  pairs,
})

const pairsOf = (orders: readonly ModelOrder[]): Pair[] =>
  orders.flatMap((order) => order.steps.map((step) => ({ order, step })))

/** "CR, DX and RG are alike, so are XA and RF." */
function kindOf(modality: string): string {
  if (['CR', 'DX', 'RG'].includes(modality)) return 'radiography'
  return ['XA', 'RF'].includes(modality) ? 'fluoroscopy' : modality
}

export interface Clues {
  readonly accessionNumber: string
  readonly modality: string
  readonly stations: readonly string[]
}

/** Those that fit, if any do. */
function narrowed(from: readonly Pair[], fits: (pair: Pair) => boolean): readonly Pair[] {
  const left = from.filter(fits)
  return left.length === 0 ? from : left
}

const isCalledOff = ({ step }: Pair): boolean => ['CANCELED', 'EXPIRED', 'DISCONTINUED'].includes(step.status)

/**
 * "An order of one step takes the series whatever its modality. Several steps or orders are told apart by the accession
 * number, by modality, then by station." What tells nobody apart is passed over; a
 * series that fits neither the modality nor the station of any of them begins none.
 */
export function tellApart(pairs: readonly Pair[], clues: Clues): Pair[] {
  const byNumber = narrowed(pairs, ({ order }) => order.accession !== '' && order.accession === clues.accessionNumber)
  if (byNumber.length === 1) return [...byNumber]
  const fitsKind = ({ step }: Pair): boolean => kindOf(step.modality) === kindOf(clues.modality)
  const fitsStation = ({ step }: Pair): boolean =>
    clues.stations.some((station) => station !== '' && [...step.stations, step.stationName].includes(station))
  if (!byNumber.some((pair) => fitsKind(pair) || fitsStation(pair))) return []
  // Between those that nothing tells apart, what was called off is asked last.
  return [...narrowed(narrowed(narrowed(byNumber, fitsKind), fitsStation), (pair) => !isCalledOff(pair))]
}

const cluesOf = (series: SeriesFacts): Clues => ({
  accessionNumber: series.accessionNumber,
  modality: series.modality,
  stations: [series.remoteAet, series.stationName],
})

/** Several steps of one order begin together; several orders are ambiguous. */
function judged(pairs: readonly Pair[], clues: Clues): Whose {
  const left = tellApart(pairs, clues)
  const isOne = new Set(left.map(({ order }) => order)).size === 1
  const between = (left.length === 0 ? pairs : left).map(({ order }) => order)
  return isOne ? matched(left) : { kind: 'ambiguous', between }
}

/** Request Attributes: "every item … among the orders of this patient". */
export function named(
  orders: readonly ModelOrder[],
  items: readonly { readonly requestedProcedureId: string; readonly scheduledStepId: string }[],
): Pair[] {
  return pairsOf(orders).filter(({ order, step }) =>
    items.some(
      (item) =>
        item.requestedProcedureId !== '' &&
        item.requestedProcedureId === order.procedureId &&
        (item.scheduledStepId === '' || item.scheduledStepId === step.stepId),
    ),
  )
}

/** "Found under the Patient IDs that the order itself was known by", or by study or accession number. */
export function isKnownAs({ patient, knownAs }: ModelOrder, patientId: string): boolean {
  return [patient, ...knownAs].some((key) => key.split('^^^')[0] === patientId)
}

const hasNumberOf = ({ uid, accession }: ModelOrder, series: SeriesFacts): boolean =>
  uid === series.studyInstanceUid || (accession !== '' && accession === series.accessionNumber)

/** Where one's number was used again: "the order that the study is credited with already, then those whose number was not used again". */
function notUsedAgain(study: ModelStudy, pairs: readonly Pair[]): readonly Pair[] {
  if (!pairs.some(({ order }) => order.usedAgainBy.length > 0)) return pairs
  const credited = narrowed(pairs, (pair) => study.credits.some(({ order }) => order === pair.order.id))
  return narrowed(credited, ({ order }) => order.usedAgainBy.length === 0)
}

/** An item that fits steps of several orders names none of them, unless study or accession number tell which. */
function namedApart(orders: readonly ModelOrder[], study: ModelStudy, series: SeriesFacts): Whose | undefined {
  const meant: Pair[] = []
  const unclear: ModelOrder[] = []
  for (const item of series.requestAttributes) {
    const pairs = named(orders, [item])
    const sameUid = narrowed(pairs, ({ order }) => order.uid === series.studyInstanceUid)
    const number = item.accessionNumber === '' ? series.accessionNumber : item.accessionNumber
    const sameNumber = narrowed(sameUid, ({ order }) => order.accession !== '' && order.accession === number)
    const best = notUsedAgain(study, sameNumber)
    const told = item.scheduledStepId === '' && best.length > 0 ? tellApart(best, cluesOf(series)) : best
    if (new Set(told.map(({ order }) => order)).size > 1) unclear.push(...told.map(({ order }) => order))
    else meant.push(...told)
  }
  if (meant.length > 0) return matched(meant)
  return unclear.length > 0 ? { kind: 'ambiguous', between: unclear } : undefined
}

/** "More than two days before the appointment", of images that came before their order: both by the hospital's calendar. */
function isTooEarly(order: ModelOrder, { lastImageAt }: SeriesFacts, isAsked = false): boolean {
  if (!isAsked && order.createdAt <= Date.parse(lastImageAt)) return false
  const starts = order.steps.flatMap(({ startDate }) => (startDate === '' ? [] : [momentOf(startDate)]))
  const came = momentOf(lastImageAt.slice(0, 10).replaceAll('-', ''))
  return starts.length > 0 && Math.min(...starts) - came > 2 * day
}

/** "Whose images they are, per series, in this order." */
function whose(state: State, study: ModelStudy, series: SeriesFacts, isAsked = false): Whose {
  const orders = state.orders.filter(({ id }) => !study.unlinked.includes(id))
  const isTheirs = (order: ModelOrder): boolean =>
    agrees(state, series.patientId, series.issuerOfPatientId, order.patient)

  // 1. By hand.
  if (study.linked.length > 0) {
    const linked = study.linked.flatMap((id) => orderOf(state, id) ?? [])
    const all = everywhere(state, study).flatMap((one) => one.series)
    const pairs = linked.flatMap((order) => linkedPairs(study, order, [...all, series], series))
    return { kind: 'matched', orders: linked, pairs }
  }

  // 2. Another patient.
  const sameUid = orders.filter(({ uid }) => uid === series.studyInstanceUid)
  // Such an order is no candidate, neither to be credited nor for a mismatch.
  const near = orders.filter((order) => order.uid === series.studyInstanceUid || !isTooEarly(order, series, isAsked))
  const sameNumber = near.filter(
    ({ accession }) => series.accessionNumber !== '' && accession === series.accessionNumber,
  )
  const numberOfAnother = sameNumber.length > 0 && !sameNumber.some(isTheirs)
  if (!sameUid.every(isTheirs)) return { kind: 'mismatch', with: sameUid.filter((order) => !isTheirs(order)) }
  const isUnder = !sameUid.some((order) => sameNumber.includes(order)) && !sameNumber.every(isTheirs)
  if (sameUid.length > 0 && (numberOfAnother || isUnder)) return { kind: 'mismatch', with: [...sameUid, ...sameNumber] }

  // 3. Request Attributes Sequence.
  const asked = namedApart(
    near.filter((order) => isTheirs(order) && (isKnownAs(order, series.patientId) || hasNumberOf(order, series))),
    study,
    series,
  )
  if (asked !== undefined) return asked

  // "The accession number of another order of this patient, and no order of the study has it."
  const theirs = sameNumber.filter(isTheirs)
  const isOther = theirs.length > 0 && !sameUid.some((order) => sameNumber.includes(order))
  if (sameUid.length > 0 && isOther) return { kind: 'ambiguous', between: [...sameUid, ...theirs] }

  // 4. Study Instance UID.
  if (sameUid.length > 0) return judged(pairsOf(sameUid), cluesOf(series))

  // 5. Accession number and patient.
  if (numberOfAnother) return { kind: 'mismatch', with: sameNumber }
  return theirs.length === 0 ? { kind: 'unmatched' } : judged(pairsOf(theirs), cluesOf(series))
}

/** "The named step, else those that the series tell apart, else those that have begun, else all"; and so for "what will come to it". */
function linkedPairs(
  study: ModelStudy,
  order: ModelOrder,
  all: readonly SeriesFacts[],
  one: SeriesFacts,
  begun: readonly Pair[] = begunOf(order),
): Pair[] {
  const told = linkedTold(study, order, one)
  if (told.length > 0) return told
  if (all.some((series) => !isReport(series) && linkedTold(study, order, series).length > 0)) return []
  return begun.length > 0 ? [...begun] : pairsOf([order])
}

const begunOf = (order: ModelOrder): Pair[] =>
  pairsOf([order]).filter(({ step }) => ['STARTED', 'COMPLETED'].includes(step.status))

function linkedTold(study: ModelStudy, order: ModelOrder, series: SeriesFacts): Pair[] {
  const name = study.linkedSteps.find((one) => one.order === order.id)?.step
  const chosen = pairsOf([order]).filter(({ step }) => step.key === name)
  if (chosen.length > 0) return chosen
  const asked = named(
    [order],
    series.requestAttributes.filter(({ scheduledStepId }) => scheduledStepId !== ''),
  )
  return asked.length > 0 ? asked : tellApart(pairsOf([order]), cluesOf(series))
}

/** "Late images, of a series whose steps are COMPLETED: once for each series of a study and order." */
function tellLate(
  state: State,
  study: ModelStudy,
  order: ModelOrder,
  { series }: SeriesFacts,
  steps: readonly ModelStep[],
): void {
  // What tells none of the steps of an order that it is linked to is of those that have begun.
  const its = steps.length === 0 ? begunOf(order).map(({ step }) => step) : steps
  if (its.length === 0 || !its.every(({ status }) => status === 'COMPLETED')) return
  if (study.late.some((one) => one.order === order.id && one.series === series)) return
  study.late.push({ order: order.id, series })
  // "Once for those that come together."
  if (state.lateNow.includes(order.id)) return
  state.lateNow.push(order.id)
  state.events.push({ order: order.id, kind: 'lateImages' })
}

export const isAcquired = (series: SeriesFacts): boolean => !isReport(series) && !isMade(series)

/** "Once each time it becomes so", of a study that has evidence; a copy "is never raised". */
export function announce(state: State): void {
  for (const study of state.studies) {
    if (study.asked !== '') tellCredit(state, study, study.asked === 'yes')
    study.asked = ''
  }
}

function tellCredit(state: State, study: ModelStudy, isRaised: boolean): void {
  if (study.announced === study.credit) return
  study.announced = study.credit
  if (isRaised && study.credit !== 'matched') state.events.push({ order: study.key, kind: study.credit })
}

/** What a series does to whose it is: credit, and a beginning if it is evidence. */
function credit(
  state: State,
  study: ModelStudy,
  series: SeriesFacts,
  orders: readonly ModelOrder[],
  pairs: readonly Pair[],
  evidence: 'yes' | 'no' | 'copy',
  isNew = false,
  isFirst = false,
): void {
  study.credit = 'matched'
  for (const order of orders) {
    let entry = study.credits.find((one) => one.order === order.id)
    if (entry === undefined) {
      entry = { order: order.id, lastImageAt: undefined, isCopy: false }
      study.credits.push(entry)
    }
    if (!order.had.includes(study.key)) order.had.push(study.key)
    if (evidence === 'copy') entry.isCopy = true
    if (evidence !== 'yes') continue
    const at = Date.parse(series.lastImageAt)
    entry.lastImageAt = Math.max(entry.lastImageAt ?? at, at)
    order.lastImageAt = Math.max(order.lastImageAt ?? at, at)
    const steps = pairs.filter((pair) => pair.order === order).map((pair) => pair.step)
    if (isNew) tellLate(state, study, order, series, steps)
    // "The first acquired series of its order after that, or older images that are credited to it since."
    for (const step of order.steps) if (at > step.begunAt || steps.includes(step)) step.begunWithoutImages = ''
    // "The steps with which it is born STARTED are never served."
    begin(state, order, steps, 'exam', '', isFirst && order.createdAt === state.now)
  }
}

export interface Images {
  readonly orthanc: string
  readonly study: string
  readonly series: readonly SeriesFacts[]
}

function studyOf(state: State, { orthanc, study, series }: Images): ModelStudy | undefined {
  const key = `${orthanc}/${study}`
  const known = state.studies.find((one) => one.key === key)
  const first = series[0]
  if (known !== undefined || first === undefined) return known
  const elsewhere = state.studies.find(
    ({ uid, patientId }) => uid === first.studyInstanceUid && patientId === first.patientId,
  )
  const made: ModelStudy = {
    key,
    orthanc,
    uid: first.studyInstanceUid,
    accession: first.accessionNumber,
    patientId: first.patientId,
    issuer: first.issuerOfPatientId,
    series: [],
    stable: false,
    deleted: false,
    linked: [...(elsewhere?.linked ?? [])],
    linkedSteps: [...(elsewhere?.linkedSteps ?? [])],
    contradicts: [],
    late: [],
    asked: '',
    announced: '',
    unlinked: [...(elsewhere?.unlinked ?? [])],
    credit: 'unmatched',
    credits: [],
  }
  state.studies.push(made)
  return made
}

/** Images of these series have arrived. The same again, with nothing more in it, is no news. */
export function seen(state: State, images: Images): void {
  const study = studyOf(state, images)
  if (study === undefined) return
  // "A study that was deleted and is there again is stable when Orthanc says so again."
  if (study.deleted) study.stable = false
  study.deleted = false
  const [first] = images.series
  if (first !== undefined) study.issuer = first.issuerOfPatientId
  const untold: number[] = []
  for (const told of images.series) {
    const before = study.series.find((one) => one.series === told.series)
    const lastImageAt = [before?.lastImageAt ?? '', told.lastImageAt].toSorted()[1] ?? told.lastImageAt
    const series = { ...told, lastImageAt, instances: Math.max(before?.instances ?? 0, told.instances) }
    if (before !== undefined && before.instances >= told.instances && before.lastImageAt >= told.lastImageAt) {
      // "What they say of themselves counts as it was said last."
      study.series = study.series.map((one) => (one === before ? series : one))
      continue
    }
    const evidence = evidenceOf(state, study, series)
    study.series = [...study.series.filter((one) => one !== before), series]
    study.stable = false
    if (ask(state, study, series, evidence).length === 0 && evidence === 'yes')
      untold.push(Date.parse(series.lastImageAt))
  }
  if (study.credit === 'matched') for (const at of untold) waitOn(state, study, at)
}

/** "What comes to a study that an order has, and tells no order, starts nothing, but the exam is not over." */
function waitOn(state: State, study: ModelStudy, at: number): void {
  for (const order of study.credits.flatMap((one) => orderOf(state, one.order) ?? [])) {
    if (order.lastImageAt === undefined || !order.steps.some(({ status }) => status === 'STARTED')) continue
    order.lastImageAt = Math.max(order.lastImageAt, at)
    for (const step of order.steps) if (at > step.begunAt) step.begunWithoutImages = ''
  }
}

function evidenceOf(state: State, study: ModelStudy, series: SeriesFacts): 'yes' | 'no' | 'copy' {
  // "SR and the like, but uploads and copies too" start what a person linked them to.
  if (isReport(series) || (isMade(series) && study.linked.length === 0)) return 'no'
  return isElsewhere(state, study, series) ? 'copy' : 'yes'
}

function ask(
  state: State,
  study: ModelStudy,
  series: SeriesFacts,
  evidence: 'yes' | 'no' | 'copy',
  only?: readonly ModelOrder[],
  isMerge = false,
): ModelOrder[] {
  // What no modality acquired is recorded, and tells nothing.
  if (evidence === 'no') return []
  // What became a mismatch just now, by a copy, is one by what is none as well.
  if (study.asked === 'copy') study.asked = evidence
  // "Nothing moves and nothing is sent, now or later, for this study, unless a merge shows … or a person links it."
  if (study.credit === 'mismatch' && !isMerge) {
    // "It stays one if it names other orders too (of any of its series, later ones too)."
    if (evidence === 'copy') return []
    const also = whose(state, study, series, only !== undefined)
    const ids = also.kind === 'mismatch' ? also.with.map(({ id }) => id) : []
    study.contradicts = [...new Set([...study.contradicts, ...ids])]
    return []
  }
  if (evidence === 'yes' || study.asked === '') study.asked = evidence
  // A copy is "credited like the first".
  const first = evidence === 'copy' ? shownElsewhere(state, study, series) : undefined
  const answer =
    first === undefined || only !== undefined
      ? whose(state, study, { ...series, lastImageAt: original(first, series).lastImageAt }, only !== undefined)
      : likeFirst(state, first)
  if (answer.kind === 'matched') {
    const { orders } = answer
    if (orders.length > 0)
      credit(state, study, series, orders, answer.pairs, evidence, true, only !== undefined && !isMerge)
    return [...orders]
  }
  if (isMerge && study.credit === 'mismatch' && answer.kind === 'ambiguous') study.credit = 'unmatched'
  if (answer.kind === 'mismatch') {
    study.credit = 'mismatch'
    study.contradicts = answer.with.map(({ id }) => id)
  }
  // "Ambiguous, nothing moves, until a series does tell": what a series has told before stays told.
  if (answer.kind === 'ambiguous' && ['unmatched', 'ambiguous'].includes(study.credit)) {
    const before = study.credit === 'ambiguous' ? study.contradicts : []
    study.contradicts = [...new Set([...before, ...answer.between.map(({ id }) => id)])]
    study.credit = 'ambiguous'
  }
  return []
}

/** "A copy came when its original did." */
function original(first: ModelStudy | undefined, copy: SeriesFacts): SeriesFacts {
  return first?.series.find(({ seriesInstanceUid }) => seriesInstanceUid === copy.seriesInstanceUid) ?? copy
}

function likeFirst(state: State, { credit: kind, credits, contradicts }: ModelStudy): Whose {
  const of = (ids: readonly string[]): ModelOrder[] => ids.flatMap((id) => orderOf(state, id) ?? [])
  if (kind === 'matched') return { kind, orders: of(credits.map(({ order }) => order)), pairs: [] }
  if (kind === 'mismatch') return { kind, with: of(contradicts) }
  return kind === 'ambiguous' ? { kind, between: of(contradicts) } : { kind }
}

/** "A stable study with series that were never seen starts the exam as if they had been." */
export function stable(state: State, site: Site, images: Images): void {
  seen(state, images)
  const study = studyOf(state, images)
  if (study === undefined) return
  study.stable = true
  // "Nothing moves and nothing is sent … for this study."
  if (study.credit === 'mismatch') return
  for (const { order } of study.credits) state.events.push({ order, kind: 'stable' })
  for (const { order } of study.credits) {
    const found = orderOf(state, order)
    if (found !== undefined) completeStable(state, site, found)
  }
}

/** "A deleted study … neither moves a step." */
export function deleted(state: State, images: Images): void {
  const study = studyOf(state, images)
  if (study === undefined || study.deleted) return
  study.deleted = true
  if (study.credit === 'mismatch') return
  for (const { order } of study.credits) state.events.push({ order, kind: 'deleted' })
}

/**
 * "An order that comes after its images is born STARTED, or COMPLETED if its policy
 * says that it is over"; and what a merge asks again.
 */
export function askAgain(state: State, site: Site, orders: readonly ModelOrder[], why: 'order' | 'merge'): void {
  const reached = new Set<ModelOrder>()
  const isAsked = ({ deleted, linked, credit }: ModelStudy): boolean =>
    !deleted && linked.length === 0 && credit !== 'matched' && (why === 'merge' || credit !== 'mismatch')
  // What nobody can find by Study Instance UID or accession number is not asked again.
  const isFound = (study: ModelStudy): boolean => orders.some((order) => finds(order, study))
  // What still contradicts stays as it is, whatever other series say.
  const isStill = (study: ModelStudy): boolean =>
    study.credit === 'mismatch' &&
    study.series.some(
      (one) => againEvidence(state, study, one, orders) !== 'no' && whose(state, study, one).kind === 'mismatch',
    )
  for (const study of state.studies.filter((one) => isAsked(one) && isFound(one) && !isStill(one))) {
    for (const series of study.series) {
      const evidence = againEvidence(state, study, series, orders)
      for (const order of ask(state, study, series, evidence, orders, why === 'merge')) reached.add(order)
    }
  }
  for (const order of reached) {
    completeStable(state, site, order)
    completeQuiet(state, site, order)
  }
}

/** By Study Instance UID or accession number; "an order keeps the studies it is credited with". */
const finds = ({ id, uid, accession }: ModelOrder, { series, credits }: ModelStudy): boolean =>
  credits.some(({ order }) => order === id) ||
  series.some((one) => one.studyInstanceUid === uid || (accession !== '' && one.accessionNumber === accession))

/** "Also when both are asked again for an order": a copy of a series that was seen earlier elsewhere and is still there. */
function againEvidence(
  state: State,
  study: ModelStudy,
  series: SeriesFacts,
  orders: readonly ModelOrder[],
): 'yes' | 'no' | 'copy' {
  const before = state.studies.slice(0, state.studies.indexOf(study))
  const areBothAsked = (other: ModelStudy): boolean =>
    orders.some((order) => finds(order, study) && finds(order, other))
  const earlier = before.filter((one) => !one.deleted && areBothAsked(one))
  return evidenceOf({ ...state, studies: [...earlier, study] }, study, series)
}

/** The study is one in every Orthanc. */
export function everywhere(state: State, study: ModelStudy): ModelStudy[] {
  return state.studies.filter(({ uid, patientId }) => uid === study.uid && patientId === study.patientId)
}

/** *link*: "its images, except SR and the like, start the named step, else those that the series tell apart, else all." */
export function link(state: State, site: Site, named: ModelStudy, order: ModelOrder, step: string | undefined): void {
  const studies = everywhere(state, named)
  // The same said again is no news.
  const stepOf = (study: ModelStudy): string | undefined =>
    study.linkedSteps.find((one) => one.order === order.id)?.step
  if (studies.every((study) => study.linked.includes(order.id) && stepOf(study) === step)) return
  // Of what came while the study was a mismatch the order had nothing.
  const known = studies.filter(
    ({ credit: kind, credits }) => kind === 'matched' && credits.some((one) => one.order === order.id),
  )
  for (const study of studies) mark(study, order, step)
  const series = studies.flatMap((study) => study.series.filter((one) => !isReport(one)).map((one) => ({ study, one })))
  const all = series.map(({ one }) => one)
  const begun = begunOf(order)
  const late: { study: ModelStudy; one: SeriesFacts }[] = []
  for (const { study, one } of series) {
    const evidence = isElsewhere({ ...state, studies: studies.slice(0, studies.indexOf(study)) }, study, one)
      ? 'copy'
      : 'yes'
    credit(state, study, one, [order], linkedPairs(study, order, all, one, begun), evidence)
    if (evidence === 'yes' && !known.includes(study)) late.push({ study, one })
  }
  // "As they are after the link": what it has started is not late.
  for (const { study, one } of late)
    tellLate(
      state,
      study,
      order,
      one,
      linkedTold(study, order, one).map(({ step: its }) => its),
    )
  // Reports complete nothing.
  if (series.length > 0) completeStable(state, site, order)
}

function mark(study: ModelStudy, order: ModelOrder, step: string | undefined): void {
  study.unlinked = study.unlinked.filter((id) => id !== order.id)
  // "Orders it is credited to then keep it, as if they had been linked; a mismatch is credited to nobody."
  if (study.credit === 'mismatch') study.credits = []
  const keeping = study.credits.map((one) => one.order)
  study.linked = [...new Set([...study.linked, ...keeping, order.id])]
  study.linkedSteps = study.linkedSteps.filter((one) => one.order !== order.id)
  if (step !== undefined) study.linkedSteps.push({ order: order.id, step })
  for (const id of study.linked.filter((one) => !keeping.includes(one)))
    study.credits.push({ order: id, lastImageAt: undefined, isCopy: false })
  study.credit = 'matched'
  study.announced = 'matched'
}

/** The study's credit is taken back; true when it was credited. */
export function unlink(study: ModelStudy, order: ModelOrder): boolean {
  const wasCredited = study.credits.some((one) => one.order === order.id)
  order.had = order.had.filter((key) => key !== study.key)
  study.linked = study.linked.filter((id) => id !== order.id)
  if (!study.unlinked.includes(order.id)) study.unlinked.push(order.id)
  study.credits = study.credits.filter((one) => one.order !== order.id)
  study.late = study.late.filter((one) => one.order !== order.id)
  if (study.credit === 'matched' && study.credits.length === 0) study.credit = 'unmatched'
  // "And so is a mismatch or an ambiguity with this order."
  study.contradicts = study.contradicts.filter((id) => id !== order.id)
  if (['mismatch', 'ambiguous'].includes(study.credit) && study.contradicts.length === 0) study.credit = 'unmatched'
  return wasCredited
}
