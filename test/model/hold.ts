/** "Hold, release": whether the steps of an order that wait are shown. */
import type { OrderNumbers } from '../../src/core/order.ts'
import { day, isLater } from './dates.ts'
import { isOfPatient, isOver, type Answer, type ModelOrder, type State } from './state.ts'

/** HD and OH, RL, OE and OR: "the newest word counts". */
export function sayHold(
  state: State,
  order: ModelOrder,
  on: boolean,
  sentAt: string | undefined,
  saidAt = state.now,
): Answer {
  if (isOver(order)) return { kind: 'ignored', rule: 'order-ended' }
  const before = order.hold
  // "Where nobody can tell, the one that came later counts."
  if (before !== undefined && isLater(before.sentAt, sentAt))
    return { kind: 'ignored', rule: on ? 'older-than-release' : 'older-than-hold' }
  // "Or released (for the first time or from a hold)".
  if (!on && before?.on !== false) order.plannedAt = state.now
  // A word without a date takes nothing of what is known: "a release sent before a hold does not show it".
  order.hold = { on, sentAt: sentAt ?? before?.sentAt, at: before?.on === on ? before.at : saidAt }
  return { kind: 'applied' }
}

/** "After the release they have their days again." */
export function release(state: State, order: ModelOrder): void {
  if (order.hold?.on !== true) return
  order.hold = { ...order.hold, on: false }
  order.plannedAt = state.now
}

/** "A hold for an unknown order leaves a tombstone …; a release that overtook both takes that back." */
export function buryHold(
  state: State,
  number: string | undefined,
  on: boolean,
  sentAt: string | undefined,
  patient: string | undefined,
): void {
  if (number === undefined) return
  const before = state.buriedHolds.find((one) => one.number === number)
  if (before !== undefined && isLater(before.sentAt, sentAt)) return
  state.buriedHolds = [
    ...state.buriedHolds.filter((one) => one.number !== number),
    { number, at: state.now, on, sentAt: sentAt ?? before?.sentAt, patient },
  ]
}

/** "The order that arrives within 24 hours and was not sent later than the hold is born held." */
export function overtakenHold(
  state: State,
  order: ModelOrder,
  names: readonly string[],
  sentAt: string | undefined,
): void {
  const words = state.buriedHolds.filter(
    (one) =>
      names.includes(one.number) &&
      isOfPatient(state, order, one) &&
      state.now - one.at <= day &&
      !isLater(sentAt, one.sentAt),
  )
  for (const { on, sentAt: said, at } of words) {
    // "Where nobody can tell, the one that came later counts": what came first is told now.
    const cameLater = order.hold === undefined || isLater(said, order.hold.sentAt) || at > order.hold.at
    if (cameLater && !isOver(order)) sayHold(state, order, on, said, at)
  }
}

/** By what an order may be known, the best first. */
export function namesOf(numbers: OrderNumbers): string[] {
  const { authority, fillerOrderNumber, placerOrderNumber, accessionNumber, studyInstanceUid } = numbers
  return [
    fillerOrderNumber === undefined ? [] : `${authority} filler ${fillerOrderNumber}`,
    placerOrderNumber === undefined ? [] : `${authority} placer ${placerOrderNumber}`,
    accessionNumber === undefined ? [] : `${authority} accession ${accessionNumber}`,
    studyInstanceUid === undefined ? [] : `${authority} study ${studyInstanceUid}`,
  ].flat()
}
