/**
 * Which order a group means. The filler order number names it within its
 * authority, else the placer order number; accession number and Study Instance UID
 * only find an order for a group that has neither. Numbers may come later; numbers
 * that point to two orders are never a guess.
 */
import type { OrderGroup } from '../core/message.ts'
import type { OrderId } from '../core/ids.ts'
import type { Order, OrderNumbers } from '../core/order.ts'
import type { Lookup, World } from '../core/world.ts'

export type Identity =
  | { readonly kind: 'known'; readonly order: Order }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'conflict'; readonly orderIds: readonly OrderId[] }

export function identify(world: World, group: OrderGroup): Identity {
  const { authority, fillerOrderNumber, placerOrderNumber } = group.numbers
  if (fillerOrderNumber) {
    const named = generations(world.orders({ by: 'fillerOrderNumber', authority, value: fillerOrderNumber }))
    const placed = placerOrderNumber
      ? generations(world.orders({ by: 'placerOrderNumber', authority, value: placerOrderNumber }))
      : []
    return named[0] === undefined ? numberedLater(placed) : confirmed(named[0], placed, placerOrderNumber)
  }
  if (placerOrderNumber) {
    return only(generations(world.orders({ by: 'placerOrderNumber', authority, value: placerOrderNumber })))
  }
  return described(world, group)
}

/** An order that the placer made before the filler numbered it; those with another filler number only share the placer's. */
function numberedLater(placed: readonly Order[]): Identity {
  return only(placed.filter((order) => !order.numbers.fillerOrderNumber))
}

/** The order that the filler number names, unless the placer number means another one. */
function confirmed(order: Order, placed: readonly Order[], placerOrderNumber: string | undefined): Identity {
  const known = order.numbers.placerOrderNumber
  if (!placerOrderNumber || known === placerOrderNumber) return { kind: 'known', order }
  const rivals = placed.filter((other) => other.id !== order.id && (known || !other.numbers.fillerOrderNumber))
  return rivals.length === 0 ? { kind: 'known', order } : conflict([order, ...rivals])
}

function described(world: World, { numbers, patient }: OrderGroup): Identity {
  const { authority, accessionNumber, studyInstanceUid } = numbers
  const ours = (order: Order): boolean => order.numbers.authority === authority
  const byUid = studyInstanceUid
    ? world.orders({ by: 'studyInstanceUid', value: studyInstanceUid }).filter(ours)
    : undefined
  // Accession numbers are given again after years: they find an order only together with its patient.
  const byAccession = accessionNumber
    ? world
        .orders({ by: 'accessionNumber', value: accessionNumber })
        .filter((order) => ours(order) && (patient === undefined || patient.key === order.patientKey))
    : undefined
  if (byUid === undefined || byUid.length === 0) return only(generations(byAccession ?? []))
  if (byAccession === undefined || byAccession.length === 0) return only(generations(byUid))
  const both = byUid.filter((order) => byAccession.some((other) => other.id === order.id))
  return both.length === 0 ? conflict([...byUid, ...byAccession]) : only(generations(both))
}

function only(orders: readonly Order[]): Identity {
  const [order, ...others] = orders
  if (order === undefined) return { kind: 'unknown' }
  return others.length === 0 ? { kind: 'known', order } : conflict(orders)
}

function conflict(orders: readonly Order[]): Identity {
  return { kind: 'conflict', orderIds: [...new Set(orders.map((order) => order.id))] }
}

/** Of orders with the same name only the newest: its number was used again after the others had ended. */
function generations(orders: readonly Order[]): readonly Order[] {
  if (orders.length < 2) return orders
  const newest = new Map<string, Order>()
  for (const order of orders) {
    const name = orderName(order.numbers) ?? order.id
    const other = newest.get(name)
    if (other === undefined || isYounger(order, other)) newest.set(name, order)
  }
  return [...newest.values()]
}

function isYounger(order: Order, than: Order): boolean {
  return compareIds(order.id, than.id) > 0
}

/** Order ids hold the sequence number that made them. */
function compareIds(a: OrderId, b: OrderId): number {
  const [seqA = 0, groupA = 0] = a.slice(1).split('-').map(Number)
  const [seqB = 0, groupB = 0] = b.slice(1).split('-').map(Number)
  return seqA - seqB || groupA - groupB
}

/** What names an order; undefined where it has no number at all. */
export function orderName(numbers: OrderNumbers): string | undefined {
  return orderNames(numbers)[0]
}

/** The name, and the names it may have had before; a cancel that came first left its tombstone under one of them. */
export function orderNames({
  authority,
  fillerOrderNumber,
  placerOrderNumber,
  accessionNumber,
  studyInstanceUid,
}: OrderNumbers): readonly string[] {
  const names: string[] = []
  if (fillerOrderNumber) names.push(`filler ${authority} ${fillerOrderNumber}`)
  if (placerOrderNumber) names.push(`placer ${authority} ${placerOrderNumber}`)
  if (accessionNumber) names.push(`accession ${authority} ${accessionNumber}`)
  if (studyInstanceUid && names.length === 0) names.push(`study ${studyInstanceUid}`)
  return names
}

/** All lookups by which `identify` may find the order of a group. */
export function identityLookups({ numbers }: OrderGroup): readonly Lookup[] {
  const { authority, placerOrderNumber, fillerOrderNumber, accessionNumber, studyInstanceUid } = numbers
  const lookups: Lookup[] = []
  if (fillerOrderNumber) lookups.push({ by: 'fillerOrderNumber', authority, value: fillerOrderNumber })
  if (placerOrderNumber) lookups.push({ by: 'placerOrderNumber', authority, value: placerOrderNumber })
  if (studyInstanceUid) lookups.push({ by: 'studyInstanceUid', value: studyInstanceUid })
  if (accessionNumber) lookups.push({ by: 'accessionNumber', value: accessionNumber })
  return lookups
}
