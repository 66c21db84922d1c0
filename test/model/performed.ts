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
    if (said.state === 'DISCONTINUED' && said.discontinuationReason === incorrectEntry) takeBack(state, order, record)
    const steps = order.steps.filter(({ key }) => record.stepKeys.includes(key))
    judge(state, site, order, steps, said.sopInstanceUid)
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
    const isOne = new Set(told.map(({ order }) => order)).size === 1
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
function takeBack(state: State, order: ModelOrder, record: ModelOrder['performed'][number]): void {
  const isFalse = (step: ModelStep): boolean =>
    record.stepKeys.includes(step.key) && (isWaiting(step) || step.begunWithoutImages !== '')
  const falsely = order.steps.filter(isFalse)
  record.stepKeys = record.stepKeys.filter((key) => !falsely.some((step) => step.key === key))
  const isLeft = (step: ModelStep): boolean => order.performed.some(({ stepKeys }) => stepKeys.includes(step.key))
  const again = falsely.filter(
    (step) => step.status === 'STARTED' && step.begunWithoutImages !== 'ris' && !isLeft(step),
  )
  for (const step of again) {
    step.status = planned(step)
    step.begunWithoutImages = ''
    step.begunBy = ''
  }
  if (again.length === 0) return
  const hasBegun = order.steps.some(({ status }) => ['STARTED', 'COMPLETED', 'DISCONTINUED'].includes(status))
  if (!hasBegun) order.told = order.told.filter((word) => word !== 'IP')
  state.events.push({ order: order.id, kind: 'reopened' })
}

function judge(state: State, site: Site, order: ModelOrder, steps: readonly ModelStep[], sop: string): void {
  // "IN PROGRESS starts the steps, under every policy"; an end "starts what had not begun".
  begin(state, order, steps, 'exam', sop)
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
