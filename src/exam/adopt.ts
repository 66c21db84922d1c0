/**
 * An order was made, renumbered or moved to another patient: studies that waited for
 * it are credited now.
 */
import type { Instant, OrderId } from '../core/ids.ts'
import type { Order, Study } from '../core/order.ts'
import { endIfOver, studiesOf } from './completion.ts'
import { combine, counts, creditOf, hitsOf, judge, type Judged } from './credit.ts'
import type { Draft } from './draft.ts'
import { withoutCopies } from './copies.ts'
import { receive, timesOf } from './receive.ts'

/** Studies that nobody has been credited with for certain. */
export function canBeAdopted({ deleted, credit }: Study): boolean {
  return !deleted && (credit.kind === 'unmatched' || credit.kind === 'ambiguous')
}

/** After a merge, what contradicted an order may agree. */
export function canBeAskedAgain({ deleted, credit }: Study): boolean {
  return !deleted && credit.kind !== 'matched'
}

/** `isBorn`: the order is new, its started steps are never served. */
export function adopt(draft: Draft, made: Order, isBorn: boolean): Order {
  endAll(draft, adoptThose(draft, made, isBorn, canBeAdopted))
  return draft.world.orders({ by: 'order', id: made.id })[0] ?? made
}

/** Orders whose patients are one now (ADT A40): a study that contradicted, doubted or missed one of them may be its own. */
export function adoptAfterMerge(draft: Draft, orders: readonly Order[]): void {
  const credited = new Map<OrderId, Study>()
  for (const one of orders) {
    // As it is now: what was decided for another order may have decided for this one.
    const [order = one] = credited.has(one.id) ? draft.world.orders({ by: 'order', id: one.id }) : []
    for (const [id, study] of adoptThose(draft, order, false, canBeAskedAgain)) credited.set(id, study)
  }
  endAll(draft, credited)
}

/** Asked when all that waited is credited: the end is that of all studies. */
function endAll(draft: Draft, credited: ReadonlyMap<OrderId, Study>): void {
  for (const [id, study] of credited) {
    for (const order of draft.world.orders({ by: 'order', id })) draft.put(endIfOver(draft, order, study), order)
  }
}

/** Answers the orders that were credited, each with the last study that it got. */
function adoptThose(
  draft: Draft,
  made: Order,
  isBorn: boolean,
  canBe: (study: Study) => boolean,
): ReadonlyMap<OrderId, Study> {
  const credited = new Map<OrderId, Study>()
  const kept = studiesOf(draft.world, made).filter(({ deleted }) => !deleted)
  const cameAt = new Map<string, Instant>()
  for (const { study: before, own } of withoutCopies(kept)) {
    // A copy is whose the original is, however late it was sent on.
    const series = before.series.map((facts) => {
      const { seriesInstanceUid: uid, lastImageAt } = facts
      if (own.has(facts.series)) cameAt.set(uid, lastImageAt)
      return own.has(facts.series) ? facts : { ...facts, lastImageAt: cameAt.get(uid) ?? lastImageAt }
    })
    if (!canBe(before)) continue
    const evidence = series.filter((facts) => counts(before, facts))
    // Nothing but a merge resolves a mismatch.
    if (before.credit.kind === 'mismatch' && isMismatch(judge(draft.world, before, evidence))) continue
    const all = judge(draft.world, before, evidence, true)
    let study: Study = { ...before, credit: combine({ kind: 'unmatched' }, all.map(creditOf)) }
    if (study.credit.kind === 'unmatched') continue
    if (all.some(({ facts }) => own.has(facts.series))) draft.doubt(study)
    draft.putStudy(study, before)
    if (study.credit.kind !== 'matched') continue
    // What this order is no longer may decide for another one.
    for (const [id, hit] of hitsOf(all)) {
      const taken = hit.taken.filter(({ series: one }) => own.has(one))
      const arrival = { ...timesOf(study, taken), taken, isKnown: false, isBorn: isBorn && id === made.id }
      const received = receive(draft, hit.order, study, arrival)
      study = received.study
      draft.putStudy(study, before)
      draft.put(received.order, hit.order)
      credited.set(id, study)
    }
  }
  return credited
}

function isMismatch(all: readonly Judged[]): boolean {
  return all.some(({ match }) => match.kind === 'mismatch')
}
