/**
 * The rules of docs/explanation/exam.md said a second time, by somebody who has not read
 * `apply`: plain, slow, without lookups, items or versions. `agreement.test.ts` feeds both the same stories.
 */
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { OrderGroup, PatientAct } from '../../src/core/message.ts'
import { day, endOfDay } from './dates.ts'
import { byHand } from './hand.ts'
import { announce, deleted, seen, stable } from './images.ts'
import { orderMessage } from './orders.ts'
import { patientActs } from './patients.ts'
import { performed } from './performed.ts'
import { isOver, type ModelOrder, type ModelStep, type Site, type State } from './state.ts'
import { completeQuiet, end, quietDue } from './telling.ts'

/** One entry of the inbox takes effect. Deadlines need none: `passTime` knows what is due. */
export function happen(
  state: State,
  site: Site,
  entry: InboxEntry,
  groups: readonly OrderGroup[],
  patients: readonly PatientAct[],
): void {
  state.now = Date.parse(entry.at)
  state.lateNow = []
  takeEffect(state, site, entry, groups, patients)
  announce(state)
  holdNoMore(state)
}

/** "An order of which everything has ended is held no more." */
function holdNoMore(state: State): void {
  for (const order of state.orders) if (order.hold?.on === true && isOver(order)) order.hold.on = false
}

function takeEffect(
  state: State,
  site: Site,
  entry: InboxEntry,
  groups: readonly OrderGroup[],
  patients: readonly PatientAct[],
): void {
  switch (entry.kind) {
    case 'message': {
      const answer = patients.length > 0 ? patientActs(state, site, patients) : orderMessage(state, site, entry, groups)
      state.messages.push({ id: entry.messageId, answer })
      return
    }
    case 'images': {
      if (entry.event === 'seen') return seen(state, entry)
      return entry.event === 'stable' ? stable(state, site, entry) : deleted(state, entry)
    }
    case 'performed':
      return performed(state, site, entry.performed)
    case 'manual':
      return byHand(state, site, entry.command)
    case 'changes':
    case 'deadline':
      return
  }
}

/** What becomes due until then happens, in its order. */
export function passTime(state: State, site: Site, until: number): void {
  for (;;) {
    const due = state.orders.flatMap((order) => nextDue(site, order)).filter((at) => at <= until)
    if (due.length === 0) break
    state.now = Math.max(state.now, Math.min(...due))
    for (const order of state.orders) {
      completeQuiet(state, site, order)
      expire(state, site, order)
    }
    holdNoMore(state)
  }
  state.now = until
}

function nextDue(site: Site, order: ModelOrder): number[] {
  return order.steps.flatMap((step) => [quietDue(site, order, step) ?? [], expiryDue(site, order, step) ?? []].flat())
}

/** "EXPIRED when its scheduled day, in the site's zone, has been over for `noShow.days` days." */
function expiryDue({ noShow }: Site, order: ModelOrder, step: ModelStep): number | undefined {
  // "Held steps do not expire as no-shows: nobody was expected."
  if (order.hold?.on === true) return undefined
  if (noShow === undefined || !['SCHEDULED', 'ARRIVED', 'READY'].includes(step.status)) return undefined
  return Math.max(endOfDay(step.startDate, noShow.timeZone), order.plannedAt) + noShow.days * day
}

function expire(state: State, site: Site, order: ModelOrder): void {
  const over = order.steps.filter((step) => (expiryDue(site, order, step) ?? Infinity) <= state.now)
  if (over.length === 0) return
  for (const step of over) step.status = 'EXPIRED'
  state.events.push({ order: order.id, kind: 'expired' })
  // "If this ends an order of which another step is COMPLETED, that is its CM."
  end(state, order, 'exam')
}
