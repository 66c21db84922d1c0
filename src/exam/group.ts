/** What is read of an order group besides its numbers. */
import type { Seq } from '../core/ids.ts'
import type { OrderGroup } from '../core/message.ts'
import type { Order } from '../core/order.ts'

/** The text that status messages quote, and whose it is; an ORC alone has too little to quote. */
export function quoted(order: Order, { received }: OrderGroup, seq: Seq): Pick<Order, 'received' | 'receivedBy'> {
  return received.includes('\rOBR') && received !== order.received
    ? { received, receivedBy: seq }
    : { received: order.received }
}

/** ORC-1 and ORC-5 as the history shows them: codes of HL7 tables 0119 and 0038, or of the site; what is no code might be anything (I9). */
export function control(group: OrderGroup): string {
  return /^[A-Z0-9]{1,3}(\([A-Z0-9_-]{1,20}\))?$/.test(group.orderControl) ? group.orderControl : group.effect
}

/** The RIS is told its own numbers, however long they are. */
export function keptLong(order: Order | undefined, { shortened }: OrderGroup): Pick<Order, 'shortened'> {
  return shortened === undefined ? {} : { shortened: { ...order?.shortened, ...shortened } }
}

/** An order that was known by its placer or accession number takes its filler number from whatever names both. */
export function withFillerNumber(order: Order, { numbers: { fillerOrderNumber } }: OrderGroup): Order {
  if (order.numbers.fillerOrderNumber || !fillerOrderNumber) return order
  return { ...order, numbers: { ...order.numbers, fillerOrderNumber } }
}
