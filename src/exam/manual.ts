/** What a person does to an order by hand. The RIS did not do it, so it is told. */
import type { Command } from '../core/inbox.ts'
import type { Order } from '../core/order.ts'
import { creditedStudies, quietSubject, settle, tell } from './completion.ts'
import type { Draft } from './draft.ts'
import { isStarted, move, summary } from './steps.ts'

export function applyCommand(draft: Draft, { kind, orderId }: Command, by: string): void {
  const order = draft.world.orders({ by: 'order', id: orderId })[0]
  if (order === undefined) {
    draft.notice({ code: 'E620', hl7Code: 207, params: { orderId } }, [orderId])
    return
  }
  if (kind === 'expire') {
    expire(draft, order)
    return
  }
  const moved = kind === 'cancel' ? move(order, 'cancel') : complete(order)
  const who = by.replaceAll(/[^A-Za-z0-9_.@-]/g, '').slice(0, 40)
  if (moved === order) {
    draft.note(orderId, `${kind} by ${who} changed nothing: ${summary(order)}`)
    return
  }
  draft.note(orderId, `${kind} by ${who}: ${summary(moved)}`)
  const study = creditedStudies(draft, order)[0]
  let next = moved
  const isDiscontinued = moved.steps.some((step) => step.stepStatus === 'DISCONTINUED')
  if (isDiscontinued && !order.told.includes('DC')) {
    next = tell(moved, 'DC')
    draft.announce('discontinued', next, study)
  }
  draft.put(settle(draft, next, study), order)
}

/** What has started is completed and the rest called off; an exam of which nothing was seen is completed as a whole. */
function complete(order: Order): Order {
  const began = order.steps.some((step) => isStarted(step) || step.stepStatus === 'COMPLETED')
  return began ? move(move(order, 'finish'), 'cancel') : move(order, 'complete')
}

/** The RIS is told nothing: nothing happened. What is said late, such as CM of the steps that were done, would be news of months ago. */
function expire(draft: Draft, order: Order): void {
  const moved = move(order, 'expire')
  if (moved === order) return
  draft.note(order.id, `expired: ${summary(moved)}`)
  draft.deadline(quietSubject(order), null)
  draft.put(moved, order)
}
