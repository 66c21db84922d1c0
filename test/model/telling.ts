/** "Beginning and end": when the RIS is told, and when a step is over. */
import type { CompletionPolicy } from '../../src/core/world.ts'
import {
  hasEnded,
  isOver,
  isWaiting,
  orderOf,
  type ModelOrder,
  type ModelStep,
  type ModelStudy,
  type Site,
  type State,
} from './state.ts'

/** Who did it: what the RIS did itself counts as told. */
export type Doer = 'ris' | 'exam' | 'hand'

/** "That of the first rule of the site whose modalities and stations fit what the step was planned for, else the site's own." */
export function policyOf(site: Site, step: ModelStep): CompletionPolicy {
  const fits = (list: readonly string[] | undefined, values: readonly string[]): boolean =>
    list === undefined || list.length === 0 || values.some((value) => list.includes(value))
  const rule = site.completion.rules?.find(
    ({ modalities, stations }) => fits(modalities, [step.modality]) && fits(stations, step.stations),
  )
  return rule ?? site.completion
}

/**
 * "IP once per order, at its first started step." A step that the RIS or MPPS began "waits for
 * the first acquired series of its order after that": `without` says who began it without images.
 */
export function begin(
  state: State,
  order: ModelOrder,
  steps: readonly ModelStep[],
  by: Doer,
  without: ModelStep['begunWithoutImages'] = '',
  isFirst = false,
): void {
  const starting = steps.filter(isWaiting)
  for (const step of starting) {
    step.status = 'STARTED'
    step.begunWithoutImages = without
    step.begunAt = state.now
    step.begunBy = without
    step.imagesFirst = isFirst
  }
  if (starting.length === 0 || order.told.includes('IP')) return
  order.told.push('IP')
  if (by !== 'ris') state.events.push({ order: order.id, kind: 'started' })
}

/**
 * "CM once per order, when all steps have ended and at least one is COMPLETED." By hand: "if nothing of the
 * order was COMPLETED or DISCONTINUED and all of it has ended, the event is `canceled`".
 */
export function end(state: State, order: ModelOrder, by: Doer): void {
  if (!isOver(order)) return
  const has = (status: string): boolean => order.steps.some((step) => step.status === status)
  if (has('COMPLETED')) return tell(state, order, 'CM', 'completed', by)
  if (!has('DISCONTINUED') && by === 'hand') state.events.push({ order: order.id, kind: 'canceled' })
}

/** "A step that this discontinues makes it `discontinued` (DC, once)." */
export function discontinued(state: State, order: ModelOrder, by: Doer): void {
  tell(state, order, 'DC', 'discontinued', by)
}

function tell(state: State, order: ModelOrder, word: 'CM' | 'DC', kind: 'completed' | 'discontinued', by: Doer): void {
  if (order.told.includes(word)) return
  order.told.push(word)
  if (by !== 'ris') state.events.push({ order: order.id, kind })
}

/** When this step will have been quiet long enough; "the quiet time begins at the reopening, if that is later". */
export function quietDue(site: Site, order: ModelOrder, step: ModelStep): number | undefined {
  const policy = policyOf(site, step)
  if (step.status !== 'STARTED' || policy.policy !== 'quiet' || step.begunWithoutImages !== '') return undefined
  if (order.lastImageAt === undefined) return undefined
  return Math.max(order.lastImageAt, order.reopenedAt ?? 0, order.doubtedAt ?? 0) + policy.quietSeconds * 1000
}

/** "`stable`: a started step is completed when all studies credited to its order that still exist are stable." */
export function completeStable(state: State, site: Site, order: ModelOrder): void {
  const studies = existing(state, order)
  if (isInDoubt(state, order)) return
  if (studies.length === 0 || !studies.every(({ stable }) => stable)) return
  const over = order.steps.filter(
    (step) => step.status === 'STARTED' && step.begunWithoutImages === '' && policyOf(site, step).policy === 'stable',
  )
  for (const step of over) step.status = 'COMPLETED'
  if (over.length > 0) end(state, order, 'exam')
}

/** "All studies with images": a study of reports alone holds nothing. */
function existing(state: State, order: ModelOrder): ModelStudy[] {
  const hasImagesOf = ({ credits }: ModelStudy): boolean =>
    credits.some((one) => one.order === order.id && (one.lastImageAt !== undefined || one.isCopy))
  return state.studies.filter((study) => !study.deleted && study.credit === 'matched' && hasImagesOf(study))
}

export function completeQuiet(state: State, site: Site, order: ModelOrder): void {
  const over = order.steps.filter((step) => (quietDue(site, order, step) ?? Infinity) <= state.now)
  if (over.length > 0 && isInDoubt(state, order)) {
    order.doubtedAt = state.now
    return
  }
  for (const step of over) step.status = 'COMPLETED'
  if (over.length > 0) end(state, order, 'exam')
}

/** "While one of the studies that it was credited with is its own no more, and still exists." */
function isInDoubt(state: State, order: ModelOrder): boolean {
  const { id, had, uid, accession } = order
  const isOwn = ({ credit, credits }: ModelStudy): boolean =>
    credit === 'matched' && credits.some((one) => one.order === id)
  const there = state.studies.filter((study) => !study.deleted)
  if (there.some((study) => had.includes(study.key) && !isOwn(study))) return true
  // "Or its images do not exist any more while a mismatch with the order does."
  const isFound = ({ series }: ModelStudy): boolean =>
    series.some((one) => one.studyInstanceUid === uid || (accession !== '' && one.accessionNumber === accession))
  const isAgainst = (study: ModelStudy): boolean => study.credit === 'mismatch' && study.contradicts.includes(id)
  return existing(state, order).length === 0 && there.some((study) => isAgainst(study) && isFound(study))
}

/** The order has images that count. */
export function hasImages(state: State, order: ModelOrder): boolean {
  return lastImageOf(state, order) !== undefined
}

export function lastImageOf(state: State, order: ModelOrder): number | undefined {
  const times = state.studies.flatMap(({ credits }) =>
    credits.flatMap((one) => (one.order === order.id && one.lastImageAt !== undefined ? [one.lastImageAt] : [])),
  )
  return times.length === 0 ? undefined : Math.max(...times)
}

/** The named steps that the order has, else all. */
export function meant(order: ModelOrder, names: readonly string[]): ModelStep[] {
  const named = order.steps.filter(({ key }) => names.includes(key))
  return named.length > 0 ? named : order.steps
}

/** "CA and DC do the same to a step: waiting → CANCELED, STARTED → DISCONTINUED." */
export function callOff(state: State, order: ModelOrder, steps: readonly ModelStep[], by: Doer): boolean {
  const open = steps.filter((step) => !hasEnded(step))
  const started = open.filter(({ status }) => status === 'STARTED')
  for (const step of open) step.status = step.status === 'STARTED' ? 'DISCONTINUED' : 'CANCELED'
  if (started.length > 0) discontinued(state, order, by)
  return open.length > 0
}

export function ordersOf(state: State, ids: readonly string[]): ModelOrder[] {
  return ids.flatMap((id) => orderOf(state, id) ?? [])
}
