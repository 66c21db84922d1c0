/** What a person does to an order by hand. The RIS did not do it, so it is told. */
import type { Command } from '../core/inbox.ts'
import type { Order, Step } from '../core/order.ts'
import {
  announceStart,
  announceStop,
  awaitQuiet,
  creditedStudies,
  isOver,
  quietSubject,
  reconsiderCompletion,
  settle,
  tell,
} from './completion.ts'
import type { Draft } from './draft.ts'
import { release } from './hold.ts'
import { applyLink } from './link.ts'
import { reconsiderPerformed } from './performed.ts'
import { hasEnded, isStarted, isStopped, move, reopen, summary, waitForImages } from './steps.ts'

type StepCommand = Extract<Command, { kind: 'complete' | 'cancel' | 'reopen' }>

export function applyCommand(draft: Draft, command: Command, by: string): void {
  const { kind, orderId } = command
  const order = draft.world.orders({ by: 'order', id: orderId })[0]
  if (order === undefined) {
    draft.notice({ code: 'E620', hl7Code: 207, params: { orderId } }, [orderId])
    return
  }
  switch (kind) {
    case 'expire':
      expire(draft, order)
      break
    case 'reconsider':
      reconsider(draft, order)
      break
    case 'complete':
    case 'cancel':
    case 'reopen':
      act(draft, order, command, who(by))
      break
    case 'link':
    case 'unlink':
      applyLink(draft, order, command, who(by))
      break
  }
}

/** Who did it, as the history shows it. */
function who(by: string): string {
  return by.replaceAll(/[^A-Za-z0-9_.@-]/g, '').slice(0, 40)
}

function act(draft: Draft, order: Order, { kind, step }: StepCommand, by: string): void {
  const study = creditedStudies(draft, order)[0]
  if (step !== undefined && !order.steps.some(({ key }) => key === step)) {
    draft.note(order.id, `${kind} by ${by} refused: E621`)
    draft.notice({ code: 'E621', hl7Code: 207, params: { orderId: order.id } }, [order.id])
    return
  }
  const keys = step === undefined ? undefined : new Set([step])
  // What a person opens is not hidden: a hold is about the order as it was.
  const isReleased = kind === 'reopen' && (keys === undefined || hasEnded(order))
  const now = isReleased ? release(order, draft.at) : order
  const moved = moves[kind](now, keys)
  if (moved === now) {
    draft.note(order.id, `${kind} by ${by} ${now === order ? 'changed nothing' : 'released it'}: ${summary(now)}`)
    if (now !== order) draft.put(now, order)
    return
  }
  draft.note(order.id, `${kind} by ${by}: ${summary(moved)}`)
  switch (kind) {
    case 'reopen':
      draft.put(reopened(draft, moved, order), order)
      break
    case 'complete':
      draft.put(settle(draft, moved, study), order)
      break
    case 'cancel':
      draft.put(settle(draft, canceled(draft, moved, order), study), order)
      break
  }
}

const keysOf = (steps: readonly Step[]): ReadonlySet<string> => new Set(steps.map(({ key }) => key))

type Keys = ReadonlySet<string> | undefined

const moves: Readonly<Record<StepCommand['kind'], (order: Order, keys: Keys) => Order>> = {
  complete: (order, keys) => (keys === undefined ? complete(order) : move(order, 'complete', keys)),
  cancel: (order, keys) => move(order, 'cancel', keys),
  reopen: (order, keys) => reopen(order, keys, wasSeen(order)),
}

/** What has started is completed and the rest called off; an exam of which nothing was seen is completed as a whole. */
function complete(order: Order): Order {
  const began = order.steps.some(({ stepStatus }) => ['STARTED', 'COMPLETED', 'DISCONTINUED'].includes(stepStatus))
  return began ? move(move(order, 'finish'), 'cancel') : move(order, 'complete')
}

/** Steps that had begun: discontinued, once; an order of which nothing took place: canceled. */
function canceled(draft: Draft, moved: Order, before: Order): Order {
  const study = creditedStudies(draft, moved)[0]
  if (isStopped(moved, before)) return announceStop(draft, moved, study)
  const tookPlace = moved.steps.some(({ stepStatus }) => stepStatus === 'COMPLETED' || stepStatus === 'DISCONTINUED')
  if (hasEnded(moved) && !tookPlace) draft.announce('canceled', moved, study)
  return moved
}

function wasSeen({ firstImageAt, performed }: Order): boolean {
  return firstImageAt !== undefined || Object.values(performed ?? {}).some(({ stepKeys }) => stepKeys.length > 0)
}

/** The end may be told again, and the times to wait begin now. */
function reopened(draft: Draft, moved: Order, before: Order): Order {
  const study = creditedStudies(draft, moved)[0]
  const begun = moved.steps.filter((step, index) => isStarted(step) && step !== before.steps[index])
  // A reopening is no image.
  const waiting = moved.firstImageAt === undefined ? waitForImages(moved, draft.at, keysOf(begun)) : moved
  const order: Order = { ...waiting, told: moved.told.filter((what) => what === 'IP'), reopenedAt: draft.at }
  draft.announce('reopened', order, study)
  return awaitQuiet(draft, order.steps.some(isStarted) ? announceStart(draft, order, study) : order, study)
}

/** The site's rules have changed, or a version came that has more of them. What has not changed says nothing. */
function reconsider(draft: Draft, order: Order): void {
  const judged = reconsiderPerformed(draft, order)
  reconsiderCompletion(draft, judged)
  draft.put(judged, order)
}

/** The RIS is told nothing: nothing happened. What is said late, such as CM of the steps that were done, would be news of months ago. */
function expire(draft: Draft, order: Order): void {
  const moved = move(order, 'expire')
  if (moved === order) return
  draft.note(order.id, `expired: ${summary(moved)}`)
  draft.deadline(quietSubject(order), null)
  // Nor is it told by whatever comes next.
  draft.put(isOver(moved) ? tell(moved, 'CM') : moved, order)
}
