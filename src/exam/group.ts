/** What is read of an order group besides its numbers. */
import type { OrderGroup } from '../core/message.ts'
import type { Order } from '../core/order.ts'

/** The text that status messages quote; an ORC alone has too little to quote. */
export function quoted(order: Order, group: OrderGroup): string {
  return group.received.includes('\rOBR') ? group.received : order.received
}

/** ORC-1 and ORC-5 as the history shows them: codes, whatever was sent. */
export function control(group: OrderGroup): string {
  return group.orderControl.replaceAll(/[^A-Za-z0-9()]/g, '').slice(0, 12) || group.effect
}
