/**
 * An order receives images: waiting steps start, started ones wait on, and what has
 * ended gets late images, which are reported once for each series. Whether it is over
 * is asked when it has all its images.
 */
import type { Instant } from '../core/ids.ts'
import type { Order, SeriesFacts, Study } from '../core/order.ts'
import { announceStart, latest, soundTime } from './completion.ts'
import type { Taken } from './credit.ts'
import type { Draft } from './draft.ts'
import { flags, hasBegun, isStarted, isWaiting, move, summary, withImages } from './steps.ts'

export interface Arrival {
  readonly taken: readonly Taken[]
  readonly first: Instant
  readonly last: Instant
  /** The study was credited to the order before. */
  readonly isKnown: boolean
  /** The order is new: its started steps are never served. */
  readonly isBorn: boolean
  /** False where nothing is late, or whoever calls asks that when all images are in. */
  readonly isNews?: boolean
}

/** The order with the images, and the study with what it was late with. */
export function receive(
  draft: Draft,
  order: Order,
  study: Study,
  arrival: Arrival,
): { readonly order: Order; readonly study: Study } {
  const { taken, first, isBorn } = arrival
  // Of a clock that was ahead: what comes now is newer.
  const last = soundTime(draft, arrival.last)
  const { lastImageAt = last } = order
  // Copies are credited, and say nothing new.
  if (taken.length === 0) return { order: credited(order, study), study }
  const keys = new Set(taken.flatMap(({ stepKeys }) => [...stepKeys]))
  const started = move(order, 'start', keys)
  let next: Order = {
    ...credited(withImages(started, keys), study),
    firstImageAt: order.firstImageAt ?? first,
    lastImageAt: latest(soundTime(draft, lastImageAt), last),
  }
  if (started !== order) {
    if (isBorn) next = neverServed(next, order)
    draft.note(order.id, `${isBorn ? 'born with images' : 'started by images'}: ${summary(next)}`)
    next = announceStart(draft, next, study)
  }
  return { order: next, study: arrival.isNews === false ? study : withLate(draft, next, study, arrival) }
}

/** The study with what it is late with, as the steps of the order are now; it is raised if that is news. */
export function withLate(draft: Draft, next: Order, study: Study, arrival: Pick<Arrival, 'taken' | 'isKnown'>): Study {
  const { taken } = arrival
  const open = new Set(next.steps.filter(isStarted).map((step) => step.key))
  // What tells none of the steps of an order that it is linked to is of those that have begun.
  const begun = new Set(next.steps.filter(hasBegun).map((step) => step.key))
  const ofSteps = taken.map((one) => (one.stepKeys.size > 0 ? one : { ...one, stepKeys: begun }))
  const late = ofSteps.filter(({ stepKeys }) => ![...stepKeys].some((key) => open.has(key)))
  return reportLate(draft, next, study, { ...arrival, taken: late })
}

/** When the images that an order takes came, as the engine learned of them. */
export function timesOf(study: Study, taken: readonly Taken[]): Pick<Arrival, 'first' | 'last'> {
  const own = new Set(taken.map(({ series }) => series))
  const cameAt = ({ seenAt }: SeriesFacts): Instant => seenAt ?? study.lastImageAt
  const times = study.series
    .filter(({ series }) => own.has(series))
    .map(cameAt)
    .sort()
  return { first: times[0] ?? study.firstImageAt, last: times.at(-1) ?? study.lastImageAt }
}

/** The order as one that has the study. */
export function credited(order: Order, { key }: Study): Order {
  return order.studies?.includes(key) ? order : { ...order, studies: [...(order.studies ?? []), key].sort() }
}

function reportLate(
  draft: Draft,
  order: Order,
  study: Study,
  { taken, isKnown }: Pick<Arrival, 'taken' | 'isKnown'>,
): Study {
  const ofSteps = taken.filter(({ stepKeys }) => stepKeys.size > 0)
  const ended = ofSteps.map(({ series, stepKeys }) => ({
    series,
    refused: order.steps.find((step) => stepKeys.has(step.key) && step.stepStatus !== 'COMPLETED'),
  }))
  const refused = ended.find((one) => one.refused !== undefined)?.refused
  if (refused !== undefined && !isKnown) {
    const { stepStatus } = refused
    draft.note(order.id, `images arrived for a step that is ${stepStatus}: E612`)
    const params = { study: study.key, orderId: order.id, stepStatus }
    draft.notice({ code: 'E612', hl7Code: 207, params }, [order.id], study.key)
  }
  const reported = study.late?.[order.id] ?? []
  const late = ended.filter((one) => one.refused === undefined && !reported.includes(one.series))
  if (late.length === 0) return study
  // Once for all that come together, whatever studies they are in.
  if (!draft.hasAnnounced('lateImages', order)) {
    draft.note(order.id, 'late images arrived')
    draft.announce('lateImages', order, study)
  }
  return { ...study, late: { ...study.late, [order.id]: [...reported, ...late.map((one) => one.series)] } }
}

function neverServed(order: Order, before: Order): Order {
  const waiting = new Set(before.steps.filter(isWaiting).map((step) => step.key))
  const steps = order.steps.map((step) =>
    isStarted(step) && waiting.has(step.key) ? { ...step, flags: [...step.flags, flags.imagesFirst] } : step,
  )
  return { ...order, steps }
}
