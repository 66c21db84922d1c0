/** "Images": whose they are, per series, and what they start. */
import type { SeriesFacts } from '../../src/core/order.ts'
import { day, momentOf } from './dates.ts'
import { agrees, orderOf, type ModelOrder, type ModelStep, type ModelStudy, type Site, type State } from './state.ts'
import { begin, completeQuiet, completeStable } from './telling.ts'

/** "SR, KO, PR, DOC, SEG, OT, registration, radiotherapy plans and the like." */
const notAcquired = ['SR', 'KO', 'PR', 'DOC', 'SEG', 'OT', 'REG', 'RTPLAN', 'RTSTRUCT', 'RTDOSE']

export const isReport = ({ modality }: SeriesFacts): boolean => notAcquired.includes(modality)

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
          !isMade(one) &&
          one.studyInstanceUid === series.studyInstanceUid &&
          one.seriesInstanceUid === series.seriesInstanceUid &&
          one.instances >= series.instances,
      ),
  )
}

interface Pair {
  readonly order: ModelOrder
  readonly step: ModelStep
}

type Whose =
  | { readonly kind: 'matched'; readonly orders: readonly ModelOrder[]; readonly pairs: readonly Pair[] }
  | { readonly kind: 'mismatch'; readonly with: readonly ModelOrder[] }
  | { readonly kind: 'unmatched' | 'ambiguous' }

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
  return isOne ? matched(left) : { kind: 'ambiguous' }
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

/** An item that fits steps of several orders names none of them, unless study or accession number tell which. */
function namedApart(orders: readonly ModelOrder[], series: SeriesFacts): Whose | undefined {
  const meant: Pair[] = []
  let isUnclear = false
  for (const item of series.requestAttributes) {
    const pairs = named(orders, [item])
    const sameUid = narrowed(pairs, ({ order }) => order.uid === series.studyInstanceUid)
    const best = narrowed(sameUid, ({ order }) => order.accession !== '' && order.accession === series.accessionNumber)
    const told = item.scheduledStepId === '' && best.length > 0 ? tellApart(best, cluesOf(series)) : best
    if (new Set(told.map(({ order }) => order)).size > 1) isUnclear = true
    else meant.push(...told)
  }
  if (meant.length > 0) return matched(meant)
  return isUnclear ? { kind: 'ambiguous' } : undefined
}

/** "More than two days before the appointment", of images that came before their order: both by the hospital's calendar. */
function isTooEarly(order: ModelOrder, { lastImageAt }: SeriesFacts, isAsked: boolean): boolean {
  if (!isAsked && order.createdAt <= Date.parse(lastImageAt)) return false
  const starts = order.steps.flatMap(({ startDate }) => (startDate === '' ? [] : [momentOf(startDate)]))
  const came = momentOf(lastImageAt.slice(0, 10).replaceAll('-', ''))
  return starts.length > 0 && Math.min(...starts) - came > 2 * day
}

/** "Whose images they are, per series, in this order." */
function whose(state: State, study: ModelStudy, series: SeriesFacts, asking: readonly ModelOrder[] = []): Whose {
  const orders = state.orders.filter(({ id }) => !study.unlinked.includes(id))
  const isTheirs = (order: ModelOrder): boolean =>
    agrees(state, series.patientId, series.issuerOfPatientId, order.patient)

  // 1. By hand.
  if (study.linked.length > 0) {
    const pairs = study.linked.flatMap((id) => {
      const order = orderOf(state, id)
      const told = order === undefined ? [] : linkedPairs(study, order, series)
      return order !== undefined && told.length === 0 ? pairsOf([order]) : told
    })
    return matched(pairs)
  }

  // 2. Another patient.
  const sameUid = orders.filter(({ uid }) => uid === series.studyInstanceUid)
  const sameNumber = orders.filter(
    ({ accession }) => series.accessionNumber !== '' && accession === series.accessionNumber,
  )
  const numberOfAnother = sameNumber.length > 0 && !sameNumber.some(isTheirs)
  if (!sameUid.every(isTheirs)) return { kind: 'mismatch', with: sameUid.filter((order) => !isTheirs(order)) }
  const isUnder = !sameUid.some((order) => sameNumber.includes(order)) && !sameNumber.every(isTheirs)
  if (sameUid.length > 0 && (numberOfAnother || isUnder)) return { kind: 'mismatch', with: sameNumber }

  // 3. Request Attributes Sequence.
  const asked = namedApart(orders.filter(isTheirs), series)
  if (asked !== undefined) return asked

  // 4. Study Instance UID.
  if (sameUid.length > 0) return judged(pairsOf(sameUid), cluesOf(series))

  // 5. Accession number and patient.
  if (numberOfAnother) return { kind: 'mismatch', with: sameNumber }
  const near = sameNumber.filter(isTheirs).filter((order) => !isTooEarly(order, series, asking.includes(order)))
  return near.length === 0 ? { kind: 'unmatched' } : judged(pairsOf(near), cluesOf(series))
}

/** "The named step, else those that the series tell apart, else all"; and so for "what will come to it". */
function linkedPairs(study: ModelStudy, order: ModelOrder, series: SeriesFacts): Pair[] {
  const name = study.linkedSteps.find((one) => one.order === order.id)?.step
  const chosen = pairsOf([order]).filter(({ step }) => step.key === name)
  if (chosen.length > 0) return chosen
  const asked = named(
    [order],
    series.requestAttributes.filter(({ scheduledStepId }) => scheduledStepId !== ''),
  )
  return asked.length > 0 ? asked : tellApart(pairsOf([order]), cluesOf(series))
}

/** What a series does to whose it is: credit, and a beginning if it is evidence. */
function credit(
  state: State,
  study: ModelStudy,
  series: SeriesFacts,
  orders: readonly ModelOrder[],
  pairs: readonly Pair[],
  evidence: 'yes' | 'no' | 'copy',
): void {
  study.credit = 'matched'
  for (const order of orders) {
    let entry = study.credits.find((one) => one.order === order.id)
    if (entry === undefined) {
      entry = { order: order.id, lastImageAt: undefined, isCopy: false }
      study.credits.push(entry)
    }
    if (evidence === 'copy') entry.isCopy = true
    if (evidence !== 'yes') continue
    const at = Date.parse(series.lastImageAt)
    entry.lastImageAt = Math.max(entry.lastImageAt ?? at, at)
    order.lastImageAt = Math.max(order.lastImageAt ?? at, at)
    for (const step of order.steps) step.begunWithoutImages = ''
    begin(
      state,
      order,
      pairs.filter((pair) => pair.order === order).map((pair) => pair.step),
      'exam',
    )
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
  study.deleted = false
  for (const series of images.series) {
    const before = study.series.find((one) => one.series === series.series)
    if (before !== undefined && before.instances >= series.instances && before.lastImageAt >= series.lastImageAt)
      continue
    const evidence = evidenceOf(state, study, series)
    study.series = [...study.series.filter((one) => one !== before), series]
    if (evidence === 'yes') study.stable = false
    ask(state, study, series, evidence)
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
  // "Nothing moves and nothing is sent, now or later, for this study, unless a merge shows … or a person links it."
  if (study.credit === 'mismatch' && !isMerge) return []
  // What no modality acquired is recorded, and tells nothing.
  if (evidence === 'no') return []
  const answer = whose(state, study, series, isMerge ? [] : only)
  if (answer.kind === 'matched') {
    const { orders } = answer
    // A merge is asked for the orders of both.
    if (only !== undefined && isMerge && !orders.some((order) => only.includes(order))) return []
    if (orders.length > 0) credit(state, study, series, orders, answer.pairs, evidence)
    return [...orders]
  }
  if (answer.kind === 'mismatch') {
    study.credit = 'mismatch'
    study.contradicts = answer.with.map(({ id }) => id)
  }
  // "Ambiguous, nothing moves, until a series does tell": what a series has told before stays told.
  if (answer.kind === 'ambiguous' && study.credit === 'unmatched') study.credit = 'ambiguous'
  return []
}

/** "A stable study with series that were never seen starts the exam as if they had been." */
export function stable(state: State, site: Site, images: Images): void {
  seen(state, images)
  const study = studyOf(state, images)
  if (study === undefined) return
  study.stable = true
  for (const { order } of study.credits) {
    const found = orderOf(state, order)
    if (found !== undefined) completeStable(state, site, found)
  }
}

/** "A deleted study … neither moves a step." */
export function deleted(state: State, images: Images): void {
  const study = studyOf(state, images)
  if (study !== undefined) study.deleted = true
}

/**
 * "An order that comes after its images is born STARTED, or COMPLETED if its policy
 * says that it is over"; and what a merge asks again.
 */
export function askAgain(state: State, site: Site, orders: readonly ModelOrder[], why: 'order' | 'merge'): void {
  const reached = new Set<ModelOrder>()
  const isAsked = ({ deleted, linked, credit }: ModelStudy): boolean =>
    !deleted && linked.length === 0 && credit !== 'matched' && (why === 'merge' || credit !== 'mismatch')
  for (const study of state.studies.filter(isAsked))
    for (const series of study.series) {
      const evidence = againEvidence(state, study, series)
      // What nobody can find by Study Instance UID or accession number is not asked again.
      const mine = orders.filter(
        ({ uid, accession }) => uid === study.uid || (accession !== '' && accession === study.accession),
      )
      if (mine.length === 0) continue
      for (const order of ask(state, study, series, evidence, orders, why === 'merge')) reached.add(order)
    }
  for (const order of reached) {
    completeStable(state, site, order)
    completeQuiet(state, site, order)
  }
}

/** Asked later, only a copy of a series that was seen earlier elsewhere, and is still there, is a copy. */
function againEvidence(state: State, study: ModelStudy, series: SeriesFacts): 'yes' | 'no' | 'copy' {
  const earlier = state.studies.slice(0, state.studies.indexOf(study)).filter(({ deleted: gone }) => !gone)
  return evidenceOf({ ...state, studies: [...earlier, study] }, study, series)
}

/** The study is one in every Orthanc. */
export function everywhere(state: State, study: ModelStudy): ModelStudy[] {
  return state.studies.filter(({ uid, patientId }) => uid === study.uid && patientId === study.patientId)
}

/** *link*: "its images, except SR and the like, start the named step, else those that the series tell apart, else all." */
export function link(state: State, site: Site, named: ModelStudy, order: ModelOrder, step: string | undefined): void {
  const studies = everywhere(state, named)
  for (const study of studies) mark(study, order, step)
  const series = studies.flatMap((study) => study.series.filter((one) => !isReport(one)).map((one) => ({ study, one })))
  const isTold = series.some(({ study, one }) => linkedPairs(study, order, one).length > 0)
  for (const { study, one } of series) {
    const told = linkedPairs(study, order, one)
    const evidence = isElsewhere({ ...state, studies: studies.slice(0, studies.indexOf(study)) }, study, one)
      ? 'copy'
      : 'yes'
    credit(state, study, one, [order], isTold ? told : pairsOf([order]), evidence)
  }
  completeStable(state, site, order)
}

function mark(study: ModelStudy, order: ModelOrder, step: string | undefined): void {
  study.unlinked = study.unlinked.filter((id) => id !== order.id)
  // "Orders it was credited to keep it, as if they had been linked."
  const keeping = study.credits.map((one) => one.order)
  study.linked = [...new Set([...study.linked, ...keeping, order.id])]
  study.linkedSteps = study.linkedSteps.filter((one) => one.order !== order.id)
  if (step !== undefined) study.linkedSteps.push({ order: order.id, step })
  study.credit = 'matched'
}

/** The study's credit is taken back; true when it was credited. */
export function unlink(study: ModelStudy, order: ModelOrder): boolean {
  const wasCredited = study.credits.some((one) => one.order === order.id)
  study.linked = study.linked.filter((id) => id !== order.id)
  if (!study.unlinked.includes(order.id)) study.unlinked.push(order.id)
  study.credits = study.credits.filter((one) => one.order !== order.id)
  if (study.credit === 'matched' && study.credits.length === 0) study.credit = 'unmatched'
  // "And so is a mismatch or an ambiguity with this order."
  study.contradicts = study.contradicts.filter((id) => id !== order.id)
  if (study.credit === 'mismatch' && study.contradicts.length === 0) study.credit = 'unmatched'
  return wasCredited
}
