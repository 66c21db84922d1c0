/**
 * What a person says of a study and an order: these images are of it, or they are
 * not. It counts before all that the images say themselves, now and later, and for
 * the copies of the study in other Orthancs.
 */
import type { Command } from '../core/inbox.ts'
import type { OrderId } from '../core/ids.ts'
import type { Order, Step, Study } from '../core/order.ts'
import { creditedStudies, endIfOver, quietSubject, studiesOf } from './completion.ts'
import { twinsOf, withoutCopies } from './copies.ts'
import { counts, creditsOf, hitsOf, judge, raise, type Taken } from './credit.ts'
import type { Draft } from './draft.ts'
import { credited, receive, timesOf, withLate } from './receive.ts'
import { isStarted, summary, takeBack, waitForImages } from './steps.ts'

type Link = Extract<Command, { kind: 'link' }>
type Unlink = Extract<Command, { kind: 'unlink' }>

/** `by` as the history shows it. */
export function applyLink(draft: Draft, order: Order, command: Link | Unlink, by: string): void {
  const study = draft.world.studies({ by: 'study', key: command.study })[0]
  const refused = study === undefined ? 'E622' : isStepUnknown(order, command) ? 'E621' : undefined
  if (refused === undefined && study !== undefined) {
    if (command.kind === 'link') link(draft, order, study, command.step, by)
    else unlink(draft, order, study, by)
    return
  }
  const code = refused ?? 'E622'
  draft.note(order.id, `${command.kind} by ${by} refused: ${code}`)
  draft.notice({ code, hl7Code: 207, params: { orderId: order.id } }, [order.id])
}

function isStepUnknown({ steps }: Order, command: Link | Unlink): boolean {
  return command.kind === 'link' && command.step !== undefined && !steps.some(({ key }) => key === command.step)
}

function link(draft: Draft, order: Order, study: Study, step: string | undefined, by: string): void {
  const all = [study, ...twinsOf(draft.world, study)]
  if (all.every((one) => one.linked?.includes(order.id) && one.linkedSteps?.[order.id] === step)) {
    draft.note(order.id, `link of study ${study.key} by ${by} changed nothing: ${summary(order)}`)
    return
  }
  draft.note(order.id, `study ${study.key} linked by ${by}`)
  const now = all.map((one) => linked(one, order.id, step))
  for (const [index, one] of now.entries()) draft.putStudy(one, all[index])
  let next = now.reduce((known, one) => credited(known, one), order)
  let hasImages = false
  const news: { study: Study; taken: readonly Taken[] }[] = []
  const series = now.flatMap((one) => one.series)
  for (const { study: one, own } of withoutCopies(now)) {
    const judged = judge(
      draft.world,
      { ...one, series },
      one.series.filter((facts) => own.has(facts.series) && counts(one, facts)),
    )
    const taken = hitsOf(judged).get(order.id)?.taken ?? []
    if (taken.length === 0) continue
    hasImages = true
    const isKnown = all.some((before) => before.key === one.key && creditsOf(before).includes(order.id))
    const arrival = { ...timesOf(one, taken), taken, isKnown, isBorn: false, isNews: false }
    next = receive(draft, next, one, arrival).order
    if (!isKnown) news.push({ study: one, taken })
  }
  // What the link itself has started in one study is late in none.
  for (const { study: one, taken } of news) draft.putStudy(withLate(draft, next, one, { taken, isKnown: false }), one)
  draft.put(hasImages ? endIfOver(draft, next, creditedStudies(draft, next)[0]) : next, order)
}

/** Orders that it was credited to keep it, as if they had been linked. */
function linked(study: Study, id: OrderId, step: string | undefined): Study {
  const { [id]: _before, ...others } = study.linkedSteps ?? {}
  const linkedSteps = step === undefined ? others : { ...others, [id]: step }
  const ids = [...new Set([...(study.linked ?? []), ...creditsOf(study), id])].sort()
  const unlinked = study.unlinked?.filter((one) => one !== id)
  return {
    ...study,
    linked: ids,
    linkedSteps,
    ...(unlinked === undefined ? {} : { unlinked }),
    credit: { kind: 'matched', orderIds: ids },
  }
}

function unlink(draft: Draft, order: Order, study: Study, by: string): void {
  if (study.unlinked?.includes(order.id)) {
    draft.note(order.id, `unlink of study ${study.key} by ${by} changed nothing: ${summary(order)}`)
    return
  }
  const all = [study, ...twinsOf(draft.world, study)]
  for (const { study: one, own } of withoutCopies(all)) {
    const now = unlinked(one, order.id)
    draft.putStudy(now, one)
    if (now.series.some((facts) => own.has(facts.series) && counts(now, facts))) raise(draft, now, one)
  }
  // A study that has become a mismatch is the order's all the same.
  const isOurs = (one: Study): boolean => creditsOf(one).includes(order.id) || order.studies?.includes(one.key) === true
  const left = all.some(isOurs) ? without(draft, order, all) : order
  draft.note(order.id, `study ${study.key} unlinked by ${by}: ${summary(left)}`)
  const isReopened = left.steps.some(({ stepStatus }, index) => stepStatus !== order.steps[index]?.stepStatus)
  if (isReopened) draft.announce('reopened', left, study)
  draft.put(left, order)
}

function unlinked(study: Study, id: OrderId): Study {
  const { linked: before, linkedSteps, isDoubted: _doubt, ...rest } = study
  const { [id]: _step, ...steps } = linkedSteps ?? {}
  const { [id]: _late, ...late } = study.late ?? {}
  const linked = (before ?? []).filter((one) => one !== id)
  const { credit } = study
  const orderIds = credit.kind === 'unmatched' ? [] : credit.orderIds.filter((one) => one !== id)
  return {
    ...rest,
    ...(linked.length > 0 ? { linked, linkedSteps: steps } : {}),
    unlinked: [...new Set([...(study.unlinked ?? []), id])].sort(),
    ...(study.late === undefined ? {} : { late }),
    credit: credit.kind === 'unmatched' || orderIds.length === 0 ? { kind: 'unmatched' } : { ...credit, orderIds },
  }
}

/** The order without these studies: as before its first image, if it has no others. What has ended stays so. */
function without(draft: Draft, order: Order, gone: readonly Study[]): Order {
  const keys = new Set(gone.map(({ key }) => key))
  const next: Order = { ...order, studies: (order.studies ?? []).filter((key) => !keys.has(key)) }
  // Of a study that has become a mismatch a person has not said yet whose it is.
  const isOurs = ({ key, credit }: Study): boolean =>
    credit.kind === 'mismatch' ? next.studies?.includes(key) === true : creditsOf({ credit }).includes(order.id)
  const hasImages = studiesOf(draft.world, next)
    .filter(isOurs)
    .some((study) => study.series.some((facts) => counts(study, facts)))
  if (hasImages) return next
  const { firstImageAt: _first, lastImageAt: _last, ...rest } = next
  draft.deadline(quietSubject(order), null)
  const back = waitForImages(takeBack(rest, begunByImages(order)), draft.at)
  return { ...back, told: back.steps.some(isStarted) ? back.told : back.told.filter((what) => what !== 'IP') }
}

/** Started steps that neither the RIS nor MPPS began, or only a performed step that is of none any more (110514). */
function begunByImages({ steps, performed }: Order): ReadonlySet<string> {
  const others = new Set(Object.values(performed ?? {}).flatMap(({ stepKeys }) => stepKeys))
  const isByRis = ({ begun }: Step): boolean => begun !== undefined && begun.performed === undefined
  const own = steps.filter((step) => isStarted(step) && !isByRis(step) && !others.has(step.key))
  return new Set(own.map((step) => step.key))
}
