/**
 * Hold and release (HL7 table 0119: HD, OH and RL, OE, OR): an order on hold keeps
 * its steps and their statuses, and shows those that wait to nobody.
 */
import type { OrderGroup } from '../core/message.ts'
import type { PatientKey } from '../core/ids.ts'
import type { Hold, Order } from '../core/order.ts'
import type { Tombstone, World } from '../core/world.ts'
import type { Draft } from './draft.ts'
import { control, withFillerNumber } from './group.ts'
import { orderName, orderNames } from './identify.ts'
import { isNewer, newest, sentAt } from './sent.ts'
import { hasEnded, summary } from './steps.ts'

type Ending = { readonly kind: 'applied' } | { readonly kind: 'ignored'; readonly rule: string }

/** A message that says nothing but that the order is on hold, or no longer. */
export function applyHold(draft: Draft, order: Order | undefined, group: OrderGroup, on: boolean): Ending {
  if (order === undefined) {
    rememberHold(draft, group, on)
    return { kind: 'ignored', rule: 'unknown-order' }
  }
  const numbered = withFillerNumber(order, group)
  const refused = hasEnded(order) ? 'order-ended' : isOld(order.hold, sentAt(group.received)) ? older(on) : undefined
  if (refused !== undefined) {
    draft.note(order.id, `${control(group)} changed nothing, ${refused}: ${summary(order)}`)
    if (numbered !== order) draft.put(numbered, order)
    return { kind: 'ignored', rule: refused }
  }
  const sent = newest(order.sentAt, sentAt(group.received))
  const next: Order = {
    ...numbered,
    ...(sent === undefined ? {} : { sentAt: sent }),
    hold: said(draft, order.hold, group, on),
  }
  const what = (order.hold?.on === true) === on ? 'changed nothing' : on ? 'put it on hold' : 'released it'
  draft.note(order.id, `${control(group)} ${what}: ${summary(next)}`)
  draft.put(next, order)
  return { kind: 'applied' }
}

const older = (on: boolean): string => (on ? 'older-than-release' : 'older-than-hold')

/**
 * What an order is after an NW or XO: on hold if it says so (and nobody has released it since), as it was if it says
 * nothing. `isPlannedAgain`: what had ended is planned by a newer message, as an order that nobody holds.
 */
export function holdAfter(
  draft: Draft,
  order: Order,
  group: OrderGroup,
  isPlannedAgain: boolean,
): Pick<Order, 'hold'> | undefined {
  const before =
    isPlannedAgain && hasEnded(order) && order.hold?.on === true ? { ...order.hold, on: false } : order.hold
  const { holds } = group
  const isRefused = holds === undefined || isOld(before, sentAt(group.received))
  const hold = isRefused ? before : said(draft, before, group, holds)
  return hold === undefined ? undefined : { hold }
}

/** A hold or a release that came before its order, and what the message that makes the order says itself. */
export function holdAtBirth(
  draft: Draft,
  group: OrderGroup,
  hours: number,
  whose = group.patient?.key,
): Pick<Order, 'hold'> | undefined {
  const first = orderNames(group.numbers)
    .flatMap((name) => draft.world.tombstone(name)?.hold ?? [])
    .filter((one) => isAbout(draft, whose, one) && cameFirst(draft, group, one, hours))
  const before = first.map(wordOf).reduce<Hold | undefined>(heldLater, undefined)
  const { holds } = group
  const hold = holds === undefined || isOld(before, sentAt(group.received)) ? before : said(draft, before, group, holds)
  return hold === undefined ? undefined : { hold }
}

/** Of what the order knows and what was said under a number that it had not yet, the newer; where nobody can tell, what came later. */
export function heldLater(known: Hold | undefined, first: Hold | undefined): Hold | undefined {
  if (known === undefined || first === undefined) return first ?? known
  const isLater = isNewer(first.sentAt, known.sentAt) === true
  const isUnsure = !isLater && isNewer(known.sentAt, first.sentAt) !== true
  return isLater || (isUnsure && first.at > known.at) ? first : known
}

/** Whether what came before its order is about it: not long ago, and not sent before it. */
export function cameFirst(
  draft: Draft,
  group: OrderGroup,
  { at, sentAt: sent }: Pick<Tombstone, 'at' | 'sentAt'>,
  hours: number,
): boolean {
  const age = Date.parse(draft.at) - Date.parse(at)
  return age <= hours * 3_600_000 && isNewer(sentAt(group.received), sent) !== true
}

/** Whether what came before its order named its patient, or nobody: the same number of somebody else is another order (I11). */
export function isAbout(
  { world }: Pick<Draft, 'world'>,
  whose: PatientKey | undefined,
  { patientKey: named }: Pick<Tombstone, 'patientKey'>,
): boolean {
  if (named === undefined || whose === undefined || named === whose) return true
  return world.patient(whose)?.aliases?.includes(named) === true
}

/** Whom a message names, for its tombstone. */
export function namedIn({ patient }: OrderGroup): Pick<Tombstone, 'patientKey'> {
  return patient === undefined ? {} : { patientKey: patient.key }
}

/** What a tombstone keeps of hold when a cancel is written over it. */
export function heldBefore(world: World, key: string): Pick<Tombstone, 'hold'> {
  const hold = world.tombstone(key)?.hold
  return hold === undefined ? {} : { hold }
}

function rememberHold(draft: Draft, group: OrderGroup, on: boolean): void {
  const key = orderName(group.numbers)
  if (key === undefined) return
  const before = draft.world.tombstone(key)
  if (isOld(before?.hold, sentAt(group.received))) return
  const fresh = { key, cause: draft.seq, at: draft.at, isHoldOnly: true } as const
  // Said again it is said now: it is remembered from then on, of whom it names now.
  const word = said(draft, before?.hold, group, on)
  draft.putTombstone({ ...(before ?? fresh), hold: { ...word, at: draft.at, ...namedIn(group) } })
}

function wordOf({ patientKey: _of, ...hold }: NonNullable<Tombstone['hold']>): Hold {
  return hold
}

function said({ at }: Draft, before: Hold | undefined, group: OrderGroup, on: boolean): Hold {
  const sent = newest(before?.sentAt, sentAt(group.received))
  return { on, at: before?.on === on ? before.at : at, ...(sent === undefined ? {} : { sentAt: sent }) }
}

/** Whether a newer word on hold has been heard. */
function isOld(known: Hold | undefined, sent: string): boolean {
  return isNewer(known?.sentAt, sent) === true
}

/** By hand: the order is held no more. */
export function release(order: Order, at: string): Order {
  return order.hold?.on === true ? { ...order, hold: { ...order.hold, on: false, at } } : order
}
