/**
 * Which order a group means. The filler order number names it within its
 * authority, else the placer order number; accession number and Study Instance UID
 * only find an order for a group that has neither, or an order that has neither (by accession number). Numbers may come later; numbers
 * that point to two orders are never a guess.
 */
import type { OrderGroup } from '../core/message.ts'
import type { OrderId } from '../core/ids.ts'
import type { Order, OrderNumbers } from '../core/order.ts'
import { appointmentLookups, type Lookup, type World } from '../core/world.ts'

export type Identity =
  | { readonly kind: 'known'; readonly order: Order }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'conflict'; readonly orderIds: readonly OrderId[] }

/** The one order that groups with one number mean. */
export function identifyAll(world: World, groups: readonly OrderGroup[]): Identity {
  const all = groups.map((group) => identify(world, group))
  const [first = { kind: 'unknown' }, ...more] = all
  if (more.length === 0) return first
  const found = all.flatMap((one) =>
    one.kind === 'known' ? [one.order.id] : one.kind === 'conflict' ? one.orderIds : [],
  )
  if (new Set(found).size > 1) return { kind: 'conflict', orderIds: [...new Set(found)] }
  return all.find((one) => one.kind === 'known') ?? first
}

/** By its order numbers, else by the appointment that it is booked for, else by what describes it. */
function identify(world: World, group: OrderGroup): Identity {
  const { fillerOrderNumber, placerOrderNumber } = group.numbers
  const hasNumber = Boolean(fillerOrderNumber || placerOrderNumber)
  const numbered: Identity = hasNumber ? named(world, group) : { kind: 'unknown' }
  if (numbered.kind !== 'unknown') return numbered
  const appointed = byAppointment(world, group)
  if (appointed.kind !== 'unknown') return appointed
  return hasNumber ? numberedAtLast(world, group) : described(world, group)
}

/** An order that had its accession number alone, until now. */
function numberedAtLast(world: World, { numbers, patient, isBooking }: OrderGroup): Identity {
  const { authority, accessionNumber } = numbers
  if (!accessionNumber || isBooking === true) return { kind: 'unknown' }
  const unnumbered = world.orders({ by: 'accessionNumber', value: accessionNumber }).filter((order) => {
    const { authority: own, fillerOrderNumber, placerOrderNumber } = order.numbers
    if (own !== authority || fillerOrderNumber || placerOrderNumber) return false
    // Of an order whose accession number was used again nothing more comes.
    if (order.isBooking === true || order.isUsedAgain === true) return false
    return patient === undefined || patient.key === order.patientKey
  })
  return only(unnumbered)
}

/** Who had this appointment until now, unless the booking names another order. */
function byAppointment(world: World, { numbers }: OrderGroup): Identity {
  const { authority, placerAppointmentId, fillerAppointmentId } = numbers
  const found = (by: 'placerAppointmentId' | 'fillerAppointmentId', value: string | undefined): readonly Order[] =>
    value ? current(world.orders({ by, authority, value })).filter((order) => !isNamedOtherwise(order, numbers)) : []
  const filled = found('fillerAppointmentId', fillerAppointmentId)
  if (filled.length > 0) return only(filled)
  const placed = found('placerAppointmentId', placerAppointmentId)
  return only(fillerAppointmentId ? placed.filter((order) => !order.numbers.fillerAppointmentId) : placed)
}

function isNamedOtherwise({ numbers: known }: Order, said: OrderNumbers): boolean {
  const differ = (a: string | undefined, b: string | undefined): boolean => Boolean(a) && Boolean(b) && a !== b
  return (
    differ(known.fillerOrderNumber, said.fillerOrderNumber) || differ(known.placerOrderNumber, said.placerOrderNumber)
  )
}

function named(world: World, group: OrderGroup): Identity {
  const { authority, fillerOrderNumber, placerOrderNumber } = group.numbers
  if (fillerOrderNumber) {
    const named = current(world.orders({ by: 'fillerOrderNumber', authority, value: fillerOrderNumber }))
    const placed = placerOrderNumber
      ? current(world.orders({ by: 'placerOrderNumber', authority, value: placerOrderNumber }))
      : []
    return named[0] === undefined ? numberedLater(placed) : confirmed(named[0], placed, placerOrderNumber)
  }
  return placerOrderNumber
    ? only(current(world.orders({ by: 'placerOrderNumber', authority, value: placerOrderNumber })))
    : { kind: 'unknown' }
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
  // Messages mean the newest order of a number that was used again.
  const all = current(unique([...(byUid ?? []), ...(byAccession ?? [])]))
  const named = all.filter((order) => byUid?.includes(order))
  const numbered = all.filter((order) => byAccession?.includes(order))
  const both = named.filter((order) => numbered.includes(order))
  if (both.length > 0) return only(both)
  return named.length > 0 && numbered.length > 0 ? conflict(all) : only(all)
}

const unique = (orders: readonly Order[]): readonly Order[] => [
  ...new Map(orders.map((order) => [order.id, order])).values(),
]

function only(orders: readonly Order[]): Identity {
  const [order, ...others] = orders
  if (order === undefined) return { kind: 'unknown' }
  return others.length === 0 ? { kind: 'known', order } : conflict(orders)
}

function conflict(orders: readonly Order[]): Identity {
  return { kind: 'conflict', orderIds: [...new Set(orders.map((order) => order.id))] }
}

/** Without orders whose number was used again, unless nothing else has it. */
function current(orders: readonly Order[]): readonly Order[] {
  const own = orders.filter(({ isUsedAgain }) => isUsedAgain !== true)
  if (own.length > 0 || orders.length < 2) return own.length > 0 ? own : orders
  return [orders.reduce((newest, order) => (order.createdAt > newest.createdAt ? order : newest))]
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
  placerAppointmentId,
  fillerAppointmentId,
}: OrderNumbers): readonly string[] {
  const names: string[] = []
  if (fillerOrderNumber) names.push(`filler ${authority} ${fillerOrderNumber}`)
  if (placerOrderNumber) names.push(`placer ${authority} ${placerOrderNumber}`)
  if (accessionNumber) names.push(`accession ${authority} ${accessionNumber}`)
  if (studyInstanceUid) names.push(`study ${studyInstanceUid}`)
  if (fillerAppointmentId) names.push(`filler appointment ${authority} ${fillerAppointmentId}`)
  if (placerAppointmentId) names.push(`placer appointment ${authority} ${placerAppointmentId}`)
  return names
}

/** Under which name a cancel that comes first is remembered: a booking is called off, not its order. */
export function cancelledName({ numbers, isBooking }: OrderGroup): string | undefined {
  if (isBooking !== true) return orderName(numbers)
  const { authority, placerAppointmentId, fillerAppointmentId } = numbers
  const [own] = orderNames({
    authority,
    ...(placerAppointmentId ? { placerAppointmentId } : {}),
    ...(fillerAppointmentId ? { fillerAppointmentId } : {}),
  })
  return own ?? orderName(numbers)
}

/** All lookups by which `identify` may find the order of a group. */
export function identityLookups({ numbers }: OrderGroup): readonly Lookup[] {
  const { authority, placerOrderNumber, fillerOrderNumber, accessionNumber, studyInstanceUid } = numbers
  const lookups: Lookup[] = []
  if (fillerOrderNumber) lookups.push({ by: 'fillerOrderNumber', authority, value: fillerOrderNumber })
  if (placerOrderNumber) lookups.push({ by: 'placerOrderNumber', authority, value: placerOrderNumber })
  if (studyInstanceUid) lookups.push({ by: 'studyInstanceUid', value: studyInstanceUid })
  if (accessionNumber) lookups.push({ by: 'accessionNumber', value: accessionNumber })
  return [...lookups, ...appointmentLookups({ numbers, steps: [] })]
}
