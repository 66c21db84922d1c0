/** "MPPS": what a modality says of the steps that it performs. */
import type { PerformedProcedureStep } from '../../src/core/order.ts'
import { isKnownAs, named, tellApart } from './images.ts'
import {
  agrees,
  hasEnded,
  isWaiting,
  planned,
  type ModelOrder,
  type ModelStep,
  type Site,
  type State,
} from './state.ts'
import { begin, discontinued, end, policyOf } from './telling.ts'

export function performed(state: State, site: Site, said: PerformedProcedureStep): void {
  const known = state.orders.filter((order) => order.performed.some(({ sop }) => sop === said.sopInstanceUid))
  const orders = known.length > 0 ? known : meantBy(state, said)
  for (const order of orders) {
    const record = order.performed.find(({ sop }) => sop === said.sopInstanceUid)
    // "The first IN PROGRESS and the first end count; the same again, and whatever is said after an end, changes nothing."
    const isNews = known.length === 0 || (record?.state === 'IN PROGRESS' && said.state !== 'IN PROGRESS')
    if (record === undefined || !isNews) continue
    record.state = said.state
    const isWrongEntry = said.state === 'DISCONTINUED' && said.discontinuationReason === incorrectEntry
    const falsely = isWrongEntry ? takeBack(state, order, record) : []
    const steps = order.steps.filter(({ key }) => record.stepKeys.includes(key))
    judge(state, site, order, steps, said.sopInstanceUid)
    if (!isWrongEntry) continue
    // What others have said of those steps counts without it, if it kept them from ending.
    if (known.length > 0 && order.reopenedAt === undefined) endPerformed(state, site, order, falsely)
    // "From then on it is a performed step of none."
    record.stepKeys = []
    for (const step of order.steps) if (step.begunBy === said.sopInstanceUid) step.begunBy = ''
  }
}

/** "Each item names its order and step as Request Attributes do, else by Study Instance UID, else by accession number, the patient agreeing." */
function meantBy(state: State, said: PerformedProcedureStep): ModelOrder[] {
  const theirs = state.orders.filter(({ patient }) => agrees(state, said.patientId, said.issuerOfPatientId, patient))
  const meant: { order: ModelOrder; step: ModelStep }[] = []
  for (const item of said.scheduledSteps) {
    // "Another patient than that of an order named: nothing moves."
    const isNamed = ({ uid, accession }: ModelOrder): boolean =>
      (item.studyInstanceUid !== '' && uid === item.studyInstanceUid) ||
      (item.accessionNumber !== '' && accession === item.accessionNumber)
    if (!theirs.some(isNamed) && state.orders.some(isNamed)) return []
    const known = theirs.filter((order) => isKnownAs(order, said.patientId) || isNamed(order))
    const fitting = named(known, [item])
    const exact = fitting.filter(({ order }) => isNamed(order))
    const best = exact.length > 0 ? exact : fitting
    const clues = { accessionNumber: item.accessionNumber, modality: said.modality, stations: [said.stationAeTitle] }
    const isClear = new Set(best.map(({ order }) => order)).size === 1
    const apart = item.scheduledStepId === '' ? tellApart(best, clues) : best
    const asked = isClear ? apart : []
    const sameUid = theirs.filter(({ uid }) => item.studyInstanceUid !== '' && uid === item.studyInstanceUid)
    const sameNumber = theirs.filter(
      ({ accession }) => item.accessionNumber !== '' && accession === item.accessionNumber,
    )
    const candidates = sameUid.length > 0 ? sameUid : sameNumber
    const told = tellApart(
      candidates.flatMap((order) => order.steps.map((step) => ({ order, step }))),
      clues,
    )
    // "The accession number of another order of this patient, and no order of the study has it": as with images.
    const isOther = sameUid.length > 0 && sameNumber.length > 0 && !sameUid.some((order) => sameNumber.includes(order))
    const isOne = !isOther && new Set(told.map(({ order }) => order)).size === 1
    meant.push(...(fitting.length > 0 ? asked : isOne ? told : []))
  }
  for (const { order, step } of meant) {
    const record = order.performed.find(({ sop }) => sop === said.sopInstanceUid)
    if (record === undefined)
      order.performed.push({ sop: said.sopInstanceUid, state: said.state, stepKeys: [step.key] })
    else if (!record.stepKeys.includes(step.key)) record.stepKeys.push(step.key)
  }
  return [...new Set(meant.map(({ order }) => order))]
}

/** "Incorrect worklist entry selected", DICOM CID 9300. */
const incorrectEntry = '110514'

/**
 * "What the performed step said of steps that have no images since they began was never so.
 * Those that MPPS alone began, and of which no other performed step is left, are SCHEDULED
 * again; the event is `reopened`, and IP may be told again if no other step of the order has begun."
 */
function takeBack(state: State, order: ModelOrder, record: ModelOrder['performed'][number]): ModelStep[] {
  const isFalse = (step: ModelStep): boolean =>
    record.stepKeys.includes(step.key) && (isWaiting(step) || step.begunWithoutImages !== '')
  const falsely = order.steps.filter(isFalse)
  record.stepKeys = record.stepKeys.filter((key) => !falsely.some((step) => step.key === key))
  const isLeft = (step: ModelStep): boolean => order.performed.some(({ stepKeys }) => stepKeys.includes(step.key))
  const again = falsely.filter(
    (step) => step.status === 'STARTED' && !['ris', 'reopened'].includes(step.begunWithoutImages) && !isLeft(step),
  )
  for (const step of again) {
    step.status = planned(step)
    step.begunWithoutImages = ''
    step.begunBy = ''
  }
  const left = falsely.filter((step) => !isWaiting(step) && isLeft(step))
  if (again.length === 0) return left
  const hasBegun = order.steps.some(({ status }) => ['STARTED', 'COMPLETED', 'DISCONTINUED'].includes(status))
  if (!hasBegun) order.told = order.told.filter((word) => word !== 'IP')
  state.events.push({ order: order.id, kind: 'reopened' })
  return left
}

function judge(state: State, site: Site, order: ModelOrder, steps: readonly ModelStep[], sop: string): void {
  // "IN PROGRESS starts the steps, under every policy"; an end "starts what had not begun".
  begin(state, order, steps, 'exam', sop)
  endPerformed(state, site, order, steps)
}

/** "Every open order judged by them … nor does any performed step of an order that was opened again." */
export function reconsiderPerformed(state: State, site: Site, order: ModelOrder): void {
  if (order.reopenedAt !== undefined) return
  const isPerformed = ({ key }: ModelStep): boolean => order.performed.some(({ stepKeys }) => stepKeys.includes(key))
  endPerformed(
    state,
    site,
    order,
    order.steps.filter((step) => step.status === 'STARTED' && isPerformed(step)),
  )
}

function endPerformed(state: State, site: Site, order: ModelOrder, steps: readonly ModelStep[]): void {
  let hasMoved = false
  for (const step of steps.filter((one) => !hasEnded(one) && policyOf(site, one).policy === 'mpps')) {
    const states = order.performed.filter(({ stepKeys }) => stepKeys.includes(step.key)).map((one) => one.state)
    // "COMPLETED completes them once no other performed step of theirs is IN PROGRESS; DISCONTINUED … if none is IN PROGRESS or COMPLETED."
    if (states.includes('IN PROGRESS')) continue
    step.status = states.includes('COMPLETED') ? 'COMPLETED' : 'DISCONTINUED'
    if (step.status === 'DISCONTINUED') discontinued(state, order, 'exam')
    hasMoved = true
  }
  if (hasMoved) end(state, order, 'exam')
}
