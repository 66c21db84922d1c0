/**
 * How an exam begins and ends (design: Completion), and what the RIS is told: IP
 * once per order at its first started step, CM once when all steps have ended and
 * one of them was completed. It is never told what it said itself.
 */
import type { Instant } from '../core/ids.ts'
import type { Order, Step, Study } from '../core/order.ts'
import type { Completion, CompletionPolicy, CompletionRule, Lookup, World } from '../core/world.ts'
import { counts } from './credit.ts'
import type { Draft } from './draft.ts'
import { hasEnded, isStarted, move, summary } from './steps.ts'

export type Told = Order['told'][number]

export function quietSubject(order: Order): string {
  return `quiet:${order.id}`
}

/** The policy of an order has become `stable`: whether it is over is asked once Orthanc has been read. Waits as quiet times do. */
export function stableSubject(order: Order): string {
  return `quiet:stable:${order.id}`
}

/** The order that a deadline is about, if it is one of ours. */
export function quietOrderId(subject: string): string | undefined {
  return /^quiet:(?:stable:)?(.+)$/.exec(subject)?.[1]
}

/** When an order is over if no more images come. */
export function quietDue(lastImageAt: Instant, quietSeconds: number): Instant {
  const due = new Date(Date.parse(lastImageAt) + quietSeconds * 1000)
  return Number.isNaN(due.getTime()) ? lastImageAt : due.toISOString()
}

export function tell(order: Order, what: Told): Order {
  return order.told.includes(what) ? order : { ...order, told: [...order.told, what] }
}

/** IP, unless the RIS knows. */
export function announceStart(draft: Draft, order: Order, study: Study | undefined): Order {
  if (order.told.includes('IP')) return order
  const told = tell(order, 'IP')
  draft.announce('started', told, study)
  return told
}

/** DC, unless the RIS knows. */
export function announceStop(draft: Draft, order: Order, study: Study | undefined): Order {
  if (order.told.includes('DC')) return order
  const told = tell(order, 'DC')
  draft.announce('discontinued', told, study)
  return told
}

/** The policy of a step: that of the site's first rule that fits what it was planned for, else the site's. */
export function policyOf(step: Step, completion: Completion): CompletionPolicy {
  return completion.rules?.find((rule) => fits(rule, step)) ?? completion
}

function fits({ modalities = [], stations = [] }: CompletionRule, step: Step): boolean {
  const planned = step.attributes['Modality']
  const isOfModality = modalities.length === 0 || (typeof planned === 'string' && modalities.includes(planned))
  return isOfModality && (stations.length === 0 || step.stations.some((station) => stations.includes(station)))
}

/**
 * CM if the order is over and the RIS does not know. The quiet deadline is what the steps
 * wait for now: an update may have given them another policy; what has ended keeps none.
 */
export function settle(draft: Draft, order: Order, study: Study | undefined): Order {
  if (quietSince(draft, order) !== undefined && isQuietUsed(draft.rules.completion)) {
    const dues = [...quietTimes(draft, order).values()]
    draft.deadline(quietSubject(order), dues.length === 0 ? null : earliest(dues))
  }
  if (!isOver(order) || order.told.includes('CM')) return order
  const told = tell(order, 'CM')
  draft.announce('completed', told, study)
  return told
}

/** All of the order has ended, and something of it took place. */
export function isOver(order: Order): boolean {
  return hasEnded(order) && order.steps.some((step) => step.stepStatus === 'COMPLETED')
}

/**
 * What images of an order are a reason to wait for: silence, for the steps of that policy. Over already: completed now,
 * unless one of its studies contradicts: then the time begins again.
 */
export function awaitQuiet(draft: Draft, order: Order, study: Study | undefined): Order {
  const times = quietTimes(draft, order)
  const over = [...times].filter(([, due]) => Date.parse(due) <= Date.parse(draft.at)).map(([key]) => key)
  if (over.length > 0 && isInDoubt(draft, order)) {
    const doubted: Order = { ...order, doubtedAt: draft.at }
    if (order.doubtedAt === undefined) draft.note(order.id, 'quiet, not completed: its images are in doubt')
    draft.deadline(quietSubject(order), earliest([...quietTimes(draft, doubted).values()]))
    return doubted
  }
  const next = [...times].filter(([key]) => !over.includes(key)).map(([, due]) => due)
  if (next.length > 0) draft.deadline(quietSubject(order), earliest(next))
  return over.length > 0 ? finish(draft, order, study, 'quiet', new Set(over)) : order
}

/** Whether an order that was credited with images of before is over, now that it has all of them. */
export function endIfOver(draft: Draft, order: Order, study: Study | undefined): Order {
  return whenStable(draft, awaitQuiet(draft, order, study), study)
}

/** A study is stable: the end for steps of that policy, if all studies of the order that still exist are stable. */
function whenStable(draft: Draft, order: Order, study: Study | undefined): Order {
  const keys = stableSteps(draft, order)
  return keys.size > 0 ? finish(draft, order, study, 'stable study', keys) : order
}

/** The started steps named, or all of them, are completed. */
export function finish(
  draft: Draft,
  order: Order,
  study: Study | undefined,
  why: string,
  keys?: ReadonlySet<string>,
): Order {
  const finished = move(order, 'finish', keys)
  if (finished === order) return order
  draft.note(order.id, `completed by ${why}: ${summary(finished)}`)
  return settle(draft, finished, study)
}

/**
 * A quiet deadline. One that fires before its order has been quiet for long enough
 * (images came while it waited, the setting was raised) is set anew.
 */
export function applyDeadline(draft: Draft, subject: string): void {
  const id = quietOrderId(subject)
  const order = id === undefined ? undefined : draft.world.orders({ by: 'order', id })[0]
  if (order === undefined) return
  const study = creditedStudies(draft, order)[0]
  const isStable = subject === stableSubject(order) && hasImagesSinceReopening(draft, order)
  const next = isStable ? whenStable(draft, order, study) : awaitQuiet(draft, order, study)
  if (next !== order) draft.put(next, order)
}

/** The settings may have changed: what the rules of today say of a started exam is asked once Orthanc has been read. */
export function reconsiderCompletion(draft: Draft, order: Order): void {
  if (hasImagesSinceReopening(draft, order) && stableSteps(draft, order).size > 0)
    draft.deadline(stableSubject(order), draft.at)
  const dues = [...quietTimes(draft, order).values()]
  if (dues.length === 0) return
  const due = earliest(dues)
  draft.deadline(quietSubject(order), Date.parse(due) < Date.parse(draft.at) ? draft.at : due)
}

/** The clocks of a site agree by this. */
const agreeMilliseconds = 60_000

/** When it was, at the latest: a stamp that lies ahead is of a clock that was ahead, and was put right after it. */
export function soundTime({ at, rules }: Pick<Draft, 'at' | 'rules'>, stamp: Instant): Instant {
  const { steadySince, aheadUntil = '' } = rules
  if (steadySince === undefined || stamp > aheadUntil) return stamp
  return Date.parse(stamp) > Date.parse(at) + agreeMilliseconds ? steadySince : stamp
}

/** When each started step of the policy `quiet` is over if no more images come. */
function quietTimes(draft: Draft, order: Order): ReadonlyMap<string, Instant> {
  const last = quietSince(draft, order)
  const times = new Map<string, Instant>()
  if (last === undefined) return times
  const { steadySince = last } = draft.rules
  const since = latest(last, steadySince)
  for (const step of order.steps) {
    if (!isStarted(step) || !hasImagesSince(draft, order, step)) continue
    const { policy, quietSeconds } = policyOf(step, draft.rules.completion)
    if (policy === 'quiet') times.set(step.key, quietDue(since, quietSeconds))
  }
  return times
}

/** The newest image, or a reopening or a doubt after it; an order without images is not quiet but has not begun. */
function quietSince(draft: Draft, { lastImageAt, reopenedAt, doubtedAt }: Order): Instant | undefined {
  if (lastImageAt === undefined) return undefined
  const stamps = [lastImageAt, reopenedAt ?? lastImageAt, doubtedAt ?? lastImageAt]
  return stamps.map((stamp) => soundTime(draft, stamp)).reduce(latest)
}

/**
 * A study that the order was credited with contradicts it now, or is another order's; or its images are gone, and what
 * contradicts it is there: a person says whose they are.
 */
function isInDoubt(draft: Draft, order: Order): boolean {
  const { id, studies = [] } = order
  const isNamed = ({ credit }: Study): boolean => credit.kind !== 'unmatched' && credit.orderIds.includes(id)
  const existing = studiesOf(draft.world, order).filter(({ deleted }) => !deleted)
  if (existing.some((study) => studies.includes(study.key) && !(study.credit.kind === 'matched' && isNamed(study)))) {
    return true
  }
  return imagesOf(draft, order).length === 0 && existing.some((one) => one.credit.kind === 'mismatch' && isNamed(one))
}

/** Studies of the order that still exist; one of reports alone is none. */
function imagesOf(draft: Draft, order: Order): readonly Study[] {
  return creditedStudies(draft, order).filter(
    (study) => !study.deleted && study.series.some((facts) => counts(study, facts)),
  )
}

export function latest(one: Instant, other: Instant): Instant {
  return one > other ? one : other
}

/** A step that the RIS or MPPS began is over when its images are: those of before are of another one. */
export function hasImagesSince(draft: Draft, { lastImageAt }: Order, { begun }: Step): boolean {
  if (lastImageAt === undefined) return false
  if (begun === undefined || begun.hasImages === true || begun.at <= lastImageAt) return true
  // Begun by a clock that was ahead, and images came by one that was put right: they are newer, whatever the stamps say.
  const at = soundTime(draft, begun.at)
  return at !== begun.at && at <= lastImageAt && soundTime(draft, lastImageAt) === lastImageAt
}

/** Started steps of the policy `stable` that are over. */
function stableSteps(draft: Draft, order: Order): ReadonlySet<string> {
  const keys = order.steps
    .filter((step) => isStarted(step) && policyOf(step, draft.rules.completion).policy === 'stable')
    .filter((step) => hasImagesSince(draft, order, step))
    .map((step) => step.key)
  if (keys.length === 0 || isInDoubt(draft, order)) return new Set()
  const studies = imagesOf(draft, order)
  return new Set(studies.length > 0 && studies.every((study) => study.stable) ? keys : [])
}

/** Stable studies of before a reopening do not end what a person has opened again. */
function hasImagesSinceReopening(draft: Draft, { lastImageAt, reopenedAt }: Order): boolean {
  if (lastImageAt === undefined || reopenedAt === undefined) return lastImageAt !== undefined
  return soundTime(draft, lastImageAt) > soundTime(draft, reopenedAt)
}

function isQuietUsed({ policy, rules = [] }: Completion): boolean {
  return policy === 'quiet' || rules.some((rule) => rule.policy === 'quiet')
}

function earliest(dues: readonly Instant[]): Instant {
  return dues.reduce((first, due) => (due < first ? due : first))
}

/** Where the studies of an order are found: those that it is credited with, whatever their numbers are now, and those that have its numbers. */
export function studyLookupsOf(order: Order): readonly Lookup[] {
  const { accessionNumber } = order.numbers
  const lookups: Lookup[] = [{ by: 'studyInstanceUid', value: order.studyInstanceUid }]
  if (accessionNumber) lookups.push({ by: 'accessionNumber', value: accessionNumber })
  for (const key of order.studies ?? []) lookups.push({ by: 'study', key })
  return lookups
}

/** Studies that may hold the order's images. A Study Instance UID that was made by this very entry was asked for by nobody: nothing has it. */
export function studiesOf(world: World, order: Order): readonly Study[] {
  const found = new Map<string, Study>()
  for (const lookup of studyLookupsOf(order)) {
    if (!world.has(lookup)) continue
    for (const study of world.studies(lookup)) found.set(study.key, study)
  }
  return [...found.values()]
}

/** Studies whose images were credited to the order, newest images first. */
export function creditedStudies(draft: Draft, order: Order): readonly Study[] {
  return studiesOf(draft.world, order)
    .filter(({ credit }) => credit.kind === 'matched' && credit.orderIds.includes(order.id))
    .sort((a, b) => (a.lastImageAt < b.lastImageAt ? 1 : -1))
}
