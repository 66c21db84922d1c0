/**
 * What a modality says by MPPS (PS3.4 F.7; IHE RAD-6, RAD-7) becomes truth: it starts
 * steps under every policy, and ends them where the policy is `mpps`. Of each performed
 * step only the first word of an end counts, and nothing follows it (PS3.4 F.7.2.2).
 */
import type { Fault } from '../core/fault.ts'
import type { InboxEntry } from '../core/inbox.ts'
import type { OrderId } from '../core/ids.ts'
import type { Order, PerformedProcedureStep, PerformedState, SeriesFacts } from '../core/order.ts'
import type { World } from '../core/world.ts'
import { announceStart, announceStop, creditedStudies, hasImagesSince, policyOf, settle } from './completion.ts'
import type { Draft } from './draft.ts'
import { matchSeries } from './match.ts'
import { isEnded, isStarted, isStopped, move, summary, takeBack } from './steps.ts'

export type PerformedEntry = Extract<InboxEntry, { kind: 'performed' }>

/** (110514, DCM) Incorrect worklist entry selected, of CID 9300 (PS3.16): what it says of its steps never happened. */
const wrongEntry = '110514'

export function applyPerformed(draft: Draft, { endpoint, performed }: PerformedEntry): void {
  const raise = (code: Fault['code'], orderIds: readonly OrderId[], params: Fault['params'] = {}): void => {
    draft.notice({ code, hl7Code: 207, params: { endpoint, ...params } }, orderIds)
    for (const id of orderIds) draft.note(id, `MPPS ${performed.state}: ${code}`)
  }
  const found = findSteps(draft.world, performed)
  if (found.mismatched.length > 0) {
    raise('E613', found.mismatched, { orderId: found.mismatched[0] ?? '' })
    return
  }
  if (found.ambiguous.length > 0) raise('E615', found.ambiguous)
  else if (found.steps.size === 0) raise('E614', [])
  for (const { order, keys } of found.steps.values()) {
    const known = order.performed?.[performed.sopInstanceUid]?.state
    if (known !== undefined && (known !== 'IN PROGRESS' || performed.state === 'IN PROGRESS')) continue
    const refused = order.steps.find((step) => keys.has(step.key) && isEnded(step) && step.stepStatus !== 'COMPLETED')
    if (refused !== undefined && known === undefined) {
      raise('E616', [order.id], { orderId: order.id, stepStatus: refused.stepStatus })
    }
    draft.put(perform(draft, order, keys, performed), order)
  }
}

/** The policy of an order may have become `mpps`: what was said of its started steps counts now. */
export function reconsiderPerformed(draft: Draft, order: Order): Order {
  if (order.performed === undefined || order.reopenedAt !== undefined) return order
  const keys = new Set(order.steps.filter(isStarted).map((step) => step.key))
  const next = end(draft, order, keys)
  if (next === order) return order
  draft.note(order.id, `what MPPS said counts now: ${summary(next)}`)
  const study = creditedStudies(draft, next)[0]
  return settle(draft, isStopped(next, order) ? announceStop(draft, next, study) : next, study)
}

function perform(draft: Draft, order: Order, keys: ReadonlySet<string>, said: PerformedProcedureStep): Order {
  const { sopInstanceUid, state } = said
  const isMistake = state === 'DISCONTINUED' && said.discontinuationReason === wrongEntry
  const counted = new Set([...keys].filter((key) => !isMistake || hasImages(draft, order, key)))
  const known: Order = {
    ...order,
    performed: { ...order.performed, [sopInstanceUid]: { state, stepKeys: [...counted].sort() } },
  }
  const study = creditedStudies(draft, order)[0]
  const back = isMistake ? takeBack(known, mistaken(draft, known, keys)) : known
  const started = isMistake ? back : move(back, 'start', counted, { at: draft.at, performed: sopInstanceUid })
  // Each event is told as things were at that moment: an end whose beginning was lost begins first.
  let begun = started === back ? back : announceStart(draft, started, study)
  if (back !== known) {
    begun = untold(begun)
    draft.announce('reopened', begun, study)
  }
  // A mistake that was never in progress kept nothing from its end; what is open again by hand it does not end.
  const keptOpen = order.performed?.[sopInstanceUid] !== undefined && order.reopenedAt === undefined
  const endable = isMistake && !keptOpen ? counted : keys
  const judged = state === 'IN PROGRESS' ? begun : end(draft, begun, endable)
  const ended = isMistake ? { ...judged, performed: { ...judged.performed, [sopInstanceUid]: ofNone } } : judged
  draft.note(order.id, `MPPS ${state}${isMistake ? ', incorrect worklist entry' : ''}: ${summary(ended)}`)
  return settle(draft, isStopped(ended, begun) ? announceStop(draft, ended, study) : ended, study)
}

/** What was a mistake is remembered, so that it is not said again, and is of no step. */
const ofNone = { state: 'DISCONTINUED', stepKeys: [] } as const

/** Steps of the policy `mpps` among these of which nothing is in progress: COMPLETED if any performed step of theirs is, else DISCONTINUED. */
function end(draft: Draft, order: Order, keys: ReadonlySet<string>): Order {
  const completed = new Set<string>()
  const stopped = new Set<string>()
  for (const step of order.steps) {
    if (!keys.has(step.key) || policyOf(step, draft.rules.completion).policy !== 'mpps') continue
    const states = statesOf(order, step.key)
    if (states.length === 0 || states.includes('IN PROGRESS')) continue
    if (states.includes('COMPLETED')) completed.add(step.key)
    else stopped.add(step.key)
  }
  return move(move(order, 'complete', completed), 'cancel', stopped)
}

function statesOf({ performed = {} }: Order, key: string): readonly PerformedState[] {
  return Object.values(performed)
    .filter(({ stepKeys }) => stepKeys.includes(key))
    .map(({ state }) => state)
}

/** Steps that began by MPPS alone, and that no performed step is left of. */
function mistaken(draft: Draft, order: Order, keys: ReadonlySet<string>): ReadonlySet<string> {
  const steps = order.steps.filter(
    ({ key, begun }) =>
      keys.has(key) &&
      begun?.performed !== undefined &&
      !hasImages(draft, order, key) &&
      statesOf(order, key).length === 0,
  )
  return new Set(steps.map((step) => step.key))
}

/** Whether a started step began with images, or images of its order have come since. */
function hasImages(draft: Draft, order: Order, key: string): boolean {
  const step = order.steps.find((one) => one.key === key)
  return step !== undefined && isStarted(step) && (step.begun === undefined || hasImagesSince(draft, order, step))
}

/** IP is told again, if nothing else of the order took place. */
function untold(order: Order): Order {
  const isBegun = order.steps.some(({ stepStatus }) => ['STARTED', 'COMPLETED', 'DISCONTINUED'].includes(stepStatus))
  return isBegun ? order : { ...order, told: order.told.filter((what) => what !== 'IP') }
}

interface Found {
  readonly steps: ReadonlyMap<OrderId, { readonly order: Order; readonly keys: ReadonlySet<string> }>
  readonly mismatched: readonly OrderId[]
  readonly ambiguous: readonly OrderId[]
}

/** The steps that this performed step was said of before, else those that its Scheduled Step Attributes name. */
function findSteps(world: World, performed: PerformedProcedureStep): Found {
  const { sopInstanceUid } = performed
  const steps = new Map<OrderId, { order: Order; keys: Set<string> }>()
  for (const order of world.orders({ by: 'performed', value: sopInstanceUid })) {
    steps.set(order.id, { order, keys: new Set(order.performed?.[sopInstanceUid]?.stepKeys) })
  }
  if (steps.size > 0) return { steps, mismatched: [], ambiguous: [] }
  const mismatched = new Set<OrderId>()
  const ambiguous = new Set<OrderId>()
  for (const facts of asSeries(performed)) {
    const match = matchSeries(world, facts, {})
    if (match.kind === 'mismatch') for (const id of match.orderIds) mismatched.add(id)
    if (match.kind === 'ambiguous') for (const id of match.orderIds) ambiguous.add(id)
    if (match.kind !== 'matched') continue
    for (const { order, stepKeys } of match.hits) {
      const { keys } = steps.get(order.id) ?? { keys: new Set<string>() }
      for (const key of stepKeys) keys.add(key)
      steps.set(order.id, { order, keys })
    }
  }
  return { steps, mismatched: [...mismatched].sort(), ambiguous: [...ambiguous].sort() }
}

/** Each scheduled step as the series that will be made for it: whose it is, the same rules say. */
export function asSeries(performed: PerformedProcedureStep): readonly SeriesFacts[] {
  const { patientId, issuerOfPatientId, modality, stationAeTitle } = performed
  return performed.scheduledSteps.map((item) => ({
    study: '',
    series: '',
    studyInstanceUid: item.studyInstanceUid,
    seriesInstanceUid: '',
    accessionNumber: item.accessionNumber,
    patientId,
    issuerOfPatientId,
    modality,
    stationName: '',
    remoteAet: stationAeTitle,
    origin: '',
    requestAttributes: [item],
    instances: 0,
    lastImageAt: '',
  }))
}
