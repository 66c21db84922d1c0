/** "Which order a message means", "NW and XO", "No way back", "Cancels". */
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { OrderNumbers, StepStatus } from '../../src/core/order.ts'
import type { Effect, OrderGroup, PlannedStep } from '../../src/core/message.ts'
import type { ErrorCode } from '../../src/core/errors/index.ts'
import { atSite, day, isLater } from './dates.ts'
import { buryHold, namesOf, overtakenHold, sayHold } from './hold.ts'
import { askAgain } from './images.ts'
import { describe, known, saidOf } from './patients.ts'
import {
  agrees,
  hasEnded,
  isOfPatient,
  isOver,
  isWaiting,
  lacks,
  planned,
  survivor,
  type Answer,
  type ModelOrder,
  type ModelStep,
  type Site,
  type State,
} from './state.ts'
import { begin, callOff, end, hasImages, meant } from './telling.ts'

const applied: Answer = { kind: 'applied' }
const unknownOrder: Answer = { kind: 'ignored', rule: 'unknown-order' }
const dead = (...codes: ErrorCode[]): Answer => ({ kind: 'dead', codes })

/** "If one order group of a message is dead, the whole message is." */
export function orderMessage(
  state: State,
  site: Site,
  entry: InboxEntry & { kind: 'message' },
  groups: readonly OrderGroup[],
): Answer {
  const before = structuredClone(state)
  const outcomes: Answer[] = []
  for (const { group, at } of together(groups)) {
    const outcome = orderGroup(state, site, group, `O${entry.seq}-${at + 1}`)
    if (outcome.kind === 'dead') {
      Object.assign(state, before)
      return outcome
    }
    outcomes.push(outcome)
  }
  const ignored = outcomes.find((one) => one.kind === 'ignored')
  return ignored === undefined || outcomes.some((one) => one.kind === 'applied') ? { kind: 'applied' } : ignored
}

/** An order group with every Study Instance UID and accession number that the message has for its order. */
type Group = OrderGroup & { readonly uids: readonly string[]; readonly accessions: readonly string[] }

/** "Several order groups of one message with one number are one order with all their steps." */
function together(groups: readonly OrderGroup[]): { group: Group; at: number }[] {
  const result: { group: Group; at: number }[] = []
  for (const [at, group] of groups.entries()) {
    // Of those that call off or tell a status each says for itself what it means: without steps, all of the order.
    const states = group.effect === 'create' || group.effect === 'update'
    const same = result.find((one) => states && one.group.effect === group.effect && isOneOrder(one.group, group))
    const uid = group.numbers.studyInstanceUid
    const uids = uid === undefined ? [] : [uid]
    const { accessionNumber } = group.numbers
    const accessions = accessionNumber === undefined ? [] : [accessionNumber]
    if (same === undefined) result.push({ group: { ...group, uids, accessions }, at })
    else {
      const { numbers, request, steps } = same.group
      same.group = {
        ...group,
        numbers: bestOf(numbers, group.numbers),
        request: { ...request, ...group.request },
        steps: [...steps.filter(({ key }) => !group.steps.some((step) => step.key === key)), ...group.steps],
        uids: [...same.group.uids, ...uids],
        accessions: [...same.group.accessions, ...accessions],
      }
    }
  }
  return result
}

/** "Such a stand-in never replaces a number that is known better." */
function bestOf(before: OrderNumbers, now: OrderNumbers): OrderNumbers {
  const isStandIn = [now.fillerOrderNumber, now.placerOrderNumber].includes(now.accessionNumber)
  const accessionNumber = isStandIn ? (before.accessionNumber ?? now.accessionNumber) : now.accessionNumber
  return { ...before, ...now, ...(accessionNumber === undefined ? {} : { accessionNumber }) }
}

function isOneOrder({ numbers: one }: OrderGroup, { numbers: other }: OrderGroup): boolean {
  const isSame = (a: string | undefined, b: string | undefined): boolean => a !== undefined && a === b
  if (one.fillerOrderNumber !== undefined && other.fillerOrderNumber !== undefined)
    return isSame(one.fillerOrderNumber, other.fillerOrderNumber)
  if (one.placerOrderNumber !== undefined && other.placerOrderNumber !== undefined)
    return isSame(one.placerOrderNumber, other.placerOrderNumber)
  const hasNumber = ({ fillerOrderNumber, placerOrderNumber }: OrderGroup['numbers']): boolean =>
    fillerOrderNumber !== undefined || placerOrderNumber !== undefined
  if (hasNumber(one) && hasNumber(other)) return false
  if (one.accessionNumber !== undefined && other.accessionNumber !== undefined)
    return isSame(one.accessionNumber, other.accessionNumber)
  return isSame(one.studyInstanceUid, other.studyInstanceUid)
}

function orderGroup(state: State, site: Site, group: Group, id: string): Answer {
  if (group.effect === 'number') return number(state, group)
  const patient = group.patient === undefined ? undefined : survivor(state, group.patient.key)
  const found = find(state, group, patient)
  if (found === 'two') return dead('E601')
  const sentAt = sentAtOf(group)

  if (found !== undefined && isAnotherExam(state, site, found, group, patient, sentAt)) {
    found.usedAgainBy.push(id)
    return create(state, site, group, patient, sentAt, id)
  }
  // "A message that names another patient than its order is dead (E602), whatever it wants to do."
  if (found !== undefined && patient !== undefined && patient !== found.patient)
    return dead('E602', ...contradictions(state, group, patient, found))

  const { effect } = group
  if (effect === 'create' || effect === 'update') {
    if (found !== undefined) return update(state, site, found, group, sentAt)
    if (effect === 'create') return create(state, site, group, patient, sentAt, id)
    const faults = contradictions(state, group, patient, undefined)
    if (faults.length > 0) return dead(...faults)
    // "XO for an unknown order makes it when it has a patient and steps, else it is ignored."
    if (patient === undefined || group.steps.length === 0) return unknownOrder
    return create(state, site, group, patient, sentAt, id)
  }
  if (found !== undefined) return status(state, found, group, sentAt)
  if (effect === 'cancel' || effect === 'discontinue') bury(state, group, sentAt)
  if (effect === 'hold' || effect === 'release')
    buryHold(state, namesOf(group.numbers)[0], effect === 'hold', sentAt, group.patient?.key)
  return unknownOrder
}

/**
 * NA: "brings the placer number to the order that the filler number names, or the filler number to
 * the order that the placer number names, and nothing else".
 */
function number(state: State, group: Group): Answer {
  const { authority, fillerOrderNumber: filler, placerOrderNumber: placer } = group.numbers
  const patient = group.patient === undefined ? undefined : survivor(state, group.patient.key)
  if (filler === undefined || placer === undefined) {
    const named = find(state, group, patient)
    if (named === 'two') return dead('E601')
    // "Dead (E602), whatever it wants to do."
    if (named !== undefined && patient !== undefined && patient !== named.patient) return dead('E602')
    return { kind: 'ignored', rule: 'no-number' }
  }
  const mine = state.orders.filter((order) => order.authority === authority)
  const [ofFiller, ofPlacer] = [
    newestOf(mine.filter((order) => order.filler === filler)),
    newestOf(mine.filter((order) => order.placer === placer)),
  ]
  const nameless = withoutNumber(state, group, patient)
  // "Of an unknown filler number NA means only an order that has none yet."
  const open = ofPlacer.filter((order) => order.filler === '')
  const unnamed = open.length > 0 ? one(open) : nameless
  if (ofFiller.length === 0 && unnamed === 'two') return dead('E601')
  const found = ofFiller[0] ?? (unnamed === 'two' ? undefined : unnamed)
  if (found === undefined) return unknownOrder
  const faults: ErrorCode[] = []
  // "An order that the numbers name and that has another number of that kind is a contradiction, as are
  // an order by each number of which neither has the other."
  const isOther = found.placer !== '' && found.placer !== placer
  const isOfTwo = found.placer === '' && open.some((order) => order !== found)
  if (isOther || isOfTwo) faults.push('E601')
  if (patient !== undefined && patient !== found.patient) faults.push('E602')
  if (faults.length > 0) return dead(...faults)
  const sentAt = sentAtOf(group)
  const before = namesOfOrder(found)
  takeNumbers(found, group)
  overtaken(state, found, before, sentAt)
  return applied
}

/** "Messages mean the new one from then on", where one fits. */
function newestOf(orders: ModelOrder[]): ModelOrder[] {
  const left = orders.filter(({ usedAgainBy }) => usedAgainBy.length === 0)
  return left.length === 0 ? orders : left
}

/** MSH-7 as sent. */
function sentAtOf({ received }: OrderGroup): string | undefined {
  const sent = received.split('\r')[0]?.split('|')[6]
  return sent === undefined || sent === '' ? undefined : sent
}

/** "The filler order number names the order, else the placer order number, both within the assigning authority of the source." */
function find(state: State, group: Group, patient: string | undefined): ModelOrder | undefined | 'two' {
  const { numbers } = group
  const { authority, fillerOrderNumber: filler = '', placerOrderNumber: placer = '' } = numbers
  const mine = state.orders.filter((order) => order.authority === authority)
  const byPlacer = placer === '' ? [] : newestOf(mine.filter((order) => order.placer === placer))
  if (filler !== '') {
    const named = newestOf(mine.filter((order) => order.filler === filler))[0]
    // An order known by its placer number takes its filler number; "their filler numbers keep them apart".
    const open = byPlacer.filter((order) => order.filler === '')
    if (named === undefined) return open.length === 0 ? withoutNumber(state, group, patient) : one(open)
    // "Numbers that point to two orders": the placer number that the order does not have is another's.
    const others = byPlacer.filter((order) => order !== named)
    const isOwn = placer === '' || named.placer === placer
    if (!isOwn && (named.placer === '' ? open.length > 0 : others.length > 0)) return 'two'
    return named
  }
  if (placer !== '') return byPlacer.length === 0 ? withoutNumber(state, group, patient) : one(byPlacer)
  // "Accession number and Study Instance UID find an order only for a message that has neither number, and the
  // accession number only together with the patient (if the message names one)."
  const { accessionNumber = '', studyInstanceUid = '' } = numbers
  const ofNumber = state.orders.filter(
    (order) =>
      accessionNumber !== '' &&
      order.accession === accessionNumber &&
      (patient === undefined || order.patient === patient),
  )
  const ofUid = state.orders.filter((order) => studyInstanceUid !== '' && order.uid === studyInstanceUid)
  const left = newestOf([...new Set([...ofNumber, ...ofUid])])
  const both = left.filter((order) => ofNumber.includes(order) && ofUid.includes(order))
  return one(both.length === 0 ? left : both)
}

/** "The first message that has an order number and its accession number, and names no other patient, means it too." */
function withoutNumber(
  state: State,
  { numbers: { authority }, accessions }: Group,
  patient: string | undefined,
): ModelOrder | undefined | 'two' {
  return one(
    state.orders.filter(
      (order) =>
        order.authority === authority &&
        order.filler === '' &&
        order.placer === '' &&
        order.usedAgainBy.length === 0 &&
        order.accession !== '' &&
        accessions.includes(order.accession) &&
        (patient === undefined || order.patient === patient),
    ),
  )
}

const one = (orders: readonly ModelOrder[]): ModelOrder | undefined | 'two' => (orders.length > 1 ? 'two' : orders[0])

/** The appointments of these steps. */
function starts(site: Site, steps: readonly Pick<ModelStep, 'startDate' | 'startTime'>[]): number[] {
  return steps.flatMap(({ startDate, startTime }) =>
    startDate === '' ? [] : [atSite(startDate, startTime, site.noShow?.timeZone ?? 'UTC')],
  )
}

/**
 * "A newer NW for an order that has ended, with a later start than the old one, is another
 * exam if the old one took place or if it names another patient."
 */
function isAnotherExam(
  state: State,
  site: Site,
  order: ModelOrder,
  group: Group,
  patient: string | undefined,
  sentAt: string | undefined,
): boolean {
  if (group.effect !== 'create' || !isOver(order) || !isLater(sentAt, order.sentAt)) return false
  // Every start of the new one is later than every start of the old one.
  const [before, now] = [starts(site, order.steps), starts(site, group.steps.map(asStep))]
  if (before.length === 0 || now.length === 0 || Math.min(...now) <= Math.max(...before)) return false
  if (patient === undefined || group.steps.length === 0) return false
  return tookPlace(state, order) || patient !== order.patient
}

/** Something of it was performed, or images came for what was called off. */
function tookPlace(state: State, order: ModelOrder): boolean {
  const isDone = order.steps.some((step) => step.status === 'COMPLETED' || step.status === 'DISCONTINUED')
  return isDone || hasImages(state, order)
}

function asStep(plan: PlannedStep): ModelStep {
  const step: ModelStep = {
    key: plan.key,
    status: 'UNSCHEDULED',
    stations: plan.stations,
    modality: '',
    stepId: '',
    stationName: '',
    startDate: '',
    startTime: '',
    begunWithoutImages: '',
    begunAt: 0,
    begunBy: '',
    imagesFirst: false,
  }
  replan(step, plan)
  return step
}

/** "Absent keeps, `""` empties." */
function replan(step: ModelStep, { attributes, stations }: PlannedStep): void {
  const text = (keyword: string, before: string): string => {
    const value = attributes[keyword]
    return typeof value === 'string' ? value : before
  }
  const modality = text('Modality', step.modality)
  // "Where an update changes the modality and names no station, the old station goes."
  if (stations.length > 0 || modality !== step.modality) step.stations = stations
  step.modality = modality
  step.stepId = text('ScheduledProcedureStepID', step.stepId)
  step.stationName = text('ScheduledStationName', step.stationName)
  step.startDate = text('ScheduledProcedureStepStartDate', step.startDate)
  step.startTime = text('ScheduledProcedureStepStartTime', step.startTime)
}

/** "A study of its own, whatever Study Instance UID the message repeats." */
function isOfUsedAgain(state: State, uid: string): boolean {
  return state.orders.some((order) => order.usedAgainBy.length > 0 && order.uid === uid)
}

/** "A Study Instance UID in use for another patient, by an order or by images, is dead (E604)." */
function isUidOfAnother(state: State, uid: string, patient: string): boolean {
  return (
    state.orders.some((order) => order.uid === uid && order.patient !== patient) ||
    state.studies.some(
      (study) =>
        study.uid === uid &&
        !study.deleted &&
        study.patientId !== '' &&
        !agrees(state, study.patientId, study.issuer, patient),
    )
  )
}

/** What a message says that cannot be true beside what is known (I11). */
function contradictions(
  state: State,
  group: Group,
  patient: string | undefined,
  order: ModelOrder | undefined,
): ErrorCode[] {
  const owner = patient ?? order?.patient
  if (owner === undefined) return []
  const isOwn = (uid: string): boolean => uid === order?.uid && owner === order.patient
  const uidOfAnother = group.uids.some((uid) => !isOwn(uid) && isUidOfAnother(state, uid, owner))
  // An NW is somebody else's while others are open, which would get a wrong name; "so is such an XO: … its order
  // would keep the name that it contradicts".
  const hasOpen = state.orders.some((one) => one !== order && one.patient === owner && !isOver(one))
  const isWrong = group.effect === 'update' || (group.effect === 'create' && hasOpen)
  // Who is named by a merged ID changes nothing of the survivor, and is told as the survivor's record has it.
  const isAlias = group.patient !== undefined && group.patient.key !== owner
  const isSomebody = isWrong && !isAlias && isSomebodyElse(state, group, owner)
  return [...(uidOfAnother ? (['E604'] as const) : []), ...(isSomebody ? (['E605'] as const) : [])]
}

function create(
  state: State,
  site: Site,
  group: Group,
  patient: string | undefined,
  sentAt: string | undefined,
  id: string,
): Answer {
  // "NW without patient or steps is dead (E603): an order that is lost must be loud."
  const { numbers } = group
  const uid = numbers.studyInstanceUid ?? ''
  const faults = contradictions(state, group, patient, undefined)
  if (patient === undefined || group.patient === undefined || group.steps.length === 0) return dead('E603', ...faults)
  if (faults.length > 0) return dead(...faults)

  const order: ModelOrder = {
    id,
    createdAt: state.now,
    authority: numbers.authority,
    placer: numbers.placerOrderNumber ?? '',
    filler: numbers.fillerOrderNumber ?? '',
    accession: numbers.accessionNumber ?? '',
    uid: uid === '' || isOfUsedAgain(state, uid) ? `made:${id}` : uid,
    procedureId: numbers.requestedProcedureId ?? '',
    visit: visitOf(group, ''),
    patient,
    knownAs: [group.patient.key],
    steps: [],
    sentAt,
    told: [],
    usedAgainBy: [],
    lastImageAt: undefined,
    reopenedAt: undefined,
    doubtedAt: undefined,
    had: [],
    plannedAt: state.now,
    performed: [],
    hold: undefined,
  }
  for (const plan of group.steps) planStep(order, plan)
  state.orders.push(order)
  // "Only NW changes the patient record", though an XO makes an unknown patient known.
  if (isToDescribe(state, group, patient)) describe(state, group.patient)

  const buried = state.tombstones.find(
    ({ number, at, sentAt: cancelled, patient: of }) =>
      namesOf(numbers).includes(number) &&
      isOfPatient(state, order, { patient: of }) &&
      state.now - at <= day &&
      !isLater(sentAt, cancelled),
  )
  if (buried !== undefined) {
    for (const step of order.steps) step.status = 'CANCELED'
    // The cancel is a message that the order has seen, before this one.
    order.sentAt = buried.sentAt
    hear(order, sentAt)
  }
  overtakenHold(state, order, namesOf(numbers), sentAt)
  // "An NW or XO that says that its order is on hold does both."
  if (group.holds !== undefined) sayHold(state, order, group.holds, sentAt)
  askAgain(state, site, [order], 'order')
  return applied
}

/** "Of orders, only NW changes the patient record"; under a merged ID not even that, where the survivor is known. */
function isToDescribe(state: State, { effect, patient }: OrderGroup, key: string): boolean {
  return known(state, key) === undefined ? patient !== undefined : effect === 'create' && patient?.key === key
}

function planStep(order: ModelOrder, plan: PlannedStep): void {
  const same = order.steps.find(({ key }) => key === plan.key)
  if (same !== undefined) {
    replan(same, plan)
    same.status = planned(same)
    return
  }
  const step = asStep(plan)
  step.status = planned(step)
  order.steps.push(step)
}

/** "Whose name, birth date and sex *all* differ from what is known under its Patient ID." */
function isSomebodyElse(state: State, { patient }: OrderGroup, key: string): boolean {
  const before = known(state, key)
  if (patient === undefined || before === undefined) return false
  const said = saidOf(patient)
  const differs = (value: string | undefined, known: string): boolean =>
    value !== undefined && value !== '' && known !== '' && value !== known
  return differs(said.name, before.name) && differs(said.birthDate, before.birthDate) && differs(said.sex, before.sex)
}

function visitOf({ request }: OrderGroup, before: string): string {
  const said = request['AdmissionID']
  return typeof said === 'string' ? said : before
}

/** "Numbers may come later." */
function takeNumbers(order: ModelOrder, { numbers }: OrderGroup): void {
  if (order.filler === '') order.filler = numbers.fillerOrderNumber ?? ''
  if (order.placer === '') order.placer = numbers.placerOrderNumber ?? ''
}

function update(state: State, site: Site, order: ModelOrder, group: Group, sentAt: string | undefined): Answer {
  const { numbers } = group
  const uid = numbers.studyInstanceUid ?? ''
  const faults = contradictions(state, group, order.patient, order)
  if (faults.length > 0) return dead(...faults)
  const isNewer = isLater(sentAt, order.sentAt)
  const before = namesOfOrder(order)
  takeNumbers(order, group)
  if (numbers.placerOrderNumber !== undefined) order.placer = numbers.placerOrderNumber
  const accession = numbers.accessionNumber ?? ''
  // A stand-in "never replaces a number that is known".
  const isStandIn = accession === order.filler || accession === order.placer
  if (accession !== '' && (!isStandIn || order.accession === '')) order.accession = accession
  order.procedureId = numbers.requestedProcedureId ?? order.procedureId
  order.visit = visitOf(group, order.visit)
  // "A sender may name the study later, until the first image."
  if (uid !== '' && !hasImages(state, order) && !isOfUsedAgain(state, uid)) order.uid = uid
  if (group.patient !== undefined && isToDescribe(state, group, order.patient)) describe(state, group.patient)
  if (updateSteps(order, group, isNewer)) order.plannedAt = state.now
  // The cancel was accepted before this message.
  overtaken(state, order, before, sentAt)
  hear(order, sentAt)
  if (group.holds !== undefined) sayHold(state, order, group.holds, sentAt)
  end(state, order, 'exam')
  askAgain(state, site, [order], 'order')
  return applied
}

/** True when something that had ended is planned again. */
function updateSteps(order: ModelOrder, { steps }: OrderGroup, isNewer: boolean): boolean {
  if (steps.length === 0) return false
  const [hadEnded, wasOver] = [order.steps.some(hasEnded), isOver(order)]
  // "The only step of an update is the only step of its order if either of them has no ID."
  const [only, mine] = [steps[0], order.steps[0]]
  const isOnly = steps.length === 1 && order.steps.length === 1 && (only?.key === '1' || mine?.key === '1')
  const names = isOnly ? [mine?.key] : steps.map(({ key }) => key)
  // "Steps no longer named are CANCELED while they wait; a started one stays."
  for (const step of order.steps) if (!names.includes(step.key) && isWaiting(step)) step.status = 'CANCELED'
  for (const [at, plan] of steps.entries()) {
    const step = order.steps.find(({ key }) => key === names[at])
    if (step === undefined) {
      // An order that has ended takes new steps only from a newer message.
      if (isNewer || !wasOver) planStep(order, plan)
      continue
    }
    const day = step.startDate
    replan(step, plan)
    // "What is CANCELED or EXPIRED is planned again only by an NW or XO that names the step and whose MSH-7 is later."
    const comesBack = isNewer && (step.status === 'CANCELED' || step.status === 'EXPIRED')
    // "Who is here came for the day that it was."
    const isMoved = isWaiting(step) && step.startDate !== day
    const isHeld = isWaiting(step) && (lacks(step) || step.status === 'UNSCHEDULED')
    if (comesBack || isHeld || isMoved) step.status = planned(step)
  }
  return isNewer && hadEnded
}

function hear(order: ModelOrder, sentAt: string | undefined): void {
  // The newest is the one that came last, unless it is older: of equal ones nobody can tell.
  if (sentAt !== undefined && !isLater(order.sentAt, sentAt)) order.sentAt = sentAt
}

/** CA, DC and SC. "If the message names steps that the order has, only those; else all." */
function status(state: State, order: ModelOrder, group: Group, sentAt: string | undefined): Answer {
  const before = namesOfOrder(order)
  if (order.filler === '') order.filler = group.numbers.fillerOrderNumber ?? ''
  const { effect } = group
  if (effect === 'hold' || effect === 'release') {
    const answer = sayHold(state, order, effect === 'hold', sentAt)
    if (answer.kind === 'applied') hear(order, sentAt)
    return answer
  }
  // "An arrival".
  if (effect === 'arrive' || effect === 'ready') overtaken(state, order, before, sentAt)
  const steps = meant(
    order,
    group.steps.map(({ key }) => key),
  )
  change(state, order, group.effect, steps)
  hear(order, sentAt)
  return applied
}

function change(state: State, order: ModelOrder, effect: Effect, steps: readonly ModelStep[]): void {
  if (effect === 'arrive' || effect === 'ready') {
    const from: StepStatus[] = effect === 'arrive' ? ['SCHEDULED'] : ['SCHEDULED', 'ARRIVED']
    for (const step of steps) if (from.includes(step.status)) step.status = effect === 'arrive' ? 'ARRIVED' : 'READY'
    return
  }
  if (effect === 'start') {
    begin(state, order, steps, 'ris', 'ris')
    return
  }
  if (effect === 'complete') {
    const open = steps.filter((step) => !hasEnded(step))
    for (const step of open) step.status = 'COMPLETED'
    if (open.length > 0) end(state, order, 'ris')
    return
  }
  // The RIS called it off, but it did not say that the rest of the exam is completed: that is news to it.
  if (!callOff(state, order, steps, 'ris')) return
  end(state, order, order.steps.some((step) => step.status === 'COMPLETED') ? 'exam' : 'ris')
}

/** "Leaves a tombstone under the order's number." */
function bury(state: State, { numbers, patient }: OrderGroup, sentAt: string | undefined): void {
  const number = namesOf(numbers)[0]
  if (number === undefined) return
  state.tombstones = [
    ...state.tombstones.filter((tomb) => tomb.number !== number),
    { number, at: state.now, sentAt, patient: patient?.key },
  ]
}

/**
 * "So does a cancel of a number that an order has not yet: when a message that is not later
 * than it brings that number to the order, within 24 hours, it counts then."
 */
function overtaken(state: State, order: ModelOrder, before: readonly string[], sentAt: string | undefined): void {
  const kindOf = (name: string): string | undefined => /^\S* (filler|placer|accession)/.exec(name)?.[1]
  const hadKinds = before.map(kindOf)
  // "That an order has not yet, nor another one of that kind."
  const brought = namesOfOrder(order).filter((name) => !hadKinds.includes(kindOf(name)))
  const buried = state.tombstones.filter(
    (tomb) =>
      brought.includes(tomb.number) &&
      isOfPatient(state, order, tomb) &&
      state.now - tomb.at <= day &&
      !isLater(sentAt, tomb.sentAt),
  )
  for (const tomb of buried) {
    const steps = order.steps
    if (callOff(state, order, steps, 'ris'))
      end(state, order, steps.some(({ status: its }) => its === 'COMPLETED') ? 'exam' : 'ris')
    hear(order, tomb.sentAt)
  }
  overtakenHold(state, order, brought, sentAt)
}

/** "A number (filler, placer or accession)". */
const namesOfOrder = ({ authority, filler, placer, accession }: ModelOrder): string[] => [
  ...(filler === '' ? [] : [`${authority} filler ${filler}`]),
  ...(placer === '' ? [] : [`${authority} placer ${placer}`]),
  ...(accession === '' ? [] : [`${authority} accession ${accession}`]),
]
