/**
 * An order was made, renumbered or moved to another patient: studies that waited for
 * it are credited now.
 */
import type { Instant, OrderId } from '../core/ids.ts'
import type { Order, Study } from '../core/order.ts'
import { endIfOver, studiesOf } from './completion.ts'
import { combine, counts, creditOf, hitsOf, judge, raise, type Judged } from './credit.ts'
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
  return adoptThose(draft, made, isBorn, canBeAdopted)
}

/** The order is another patient's now (ADT A40). */
export function adoptAfterMerge(draft: Draft, moved: Order): Order {
  return adoptThose(draft, moved, false, canBeAskedAgain)
}

function adoptThose(draft: Draft, made: Order, isBorn: boolean, canBe: (study: Study) => boolean): Order {
  let order = made
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
    if (all.some(({ facts }) => own.has(facts.series))) raise(draft, study, before)
    draft.putStudy(study, before)
    if (study.credit.kind !== 'matched') continue
    // What this order is no longer may decide for another one.
    for (const [id, hit] of hitsOf(all)) {
      const isMade = id === made.id
      const taken = hit.taken.filter(({ series }) => own.has(series))
      const arrival = { ...timesOf(study, taken), taken, isKnown: false, isBorn: isBorn && isMade }
      const received = receive(draft, isMade ? order : hit.order, study, arrival)
      study = received.study
      draft.putStudy(study, before)
      if (isMade) order = received.order
      else draft.put(received.order, hit.order)
      credited.set(id, study)
    }
  }
  // Asked when all that waited is credited: the end is that of all studies.
  for (const [id, study] of credited) {
    if (id === made.id) order = endIfOver(draft, order, study)
    else for (const other of draft.world.orders({ by: 'order', id })) draft.put(endIfOver(draft, other, study), other)
  }
  return order
}

function isMismatch(all: readonly Judged[]): boolean {
  return all.some(({ match }) => match.kind === 'mismatch')
}
