import type { InboxEntry } from '../core/inbox.ts'
import type { OrderId } from '../core/ids.ts'
import type { Order } from '../core/order.ts'
import type { Clock, Ledger, LoadedWorld } from '../core/ports.ts'
import type { Preview, TryCommand } from '../core/preview.ts'
import type { Change, ExamRules, Lookup } from '../core/world.ts'
import { apply, concerns, createOverlay } from '../exam/index.ts'

/**
 * Shows what a command would do by doing it to a copy: `apply` itself is asked, so
 * what a person is shown is what happens, unless something else happens first.
 */
export function createPreview({
  ledger,
  rules,
  clock,
}: {
  readonly ledger: Pick<Ledger, 'load' | 'applied'>
  /** Those in force now. */
  readonly rules: () => ExamRules
  readonly clock: Clock
}): TryCommand {
  return async ({ by, reason, command }) => {
    const seq = (await ledger.applied()) + 1
    const entry: InboxEntry = { seq, at: clock(), kind: 'manual', by, reason, command }
    const known = await loadFor(ledger, entry)
    const changes = apply(createOverlay(known), entry, [], rules())
    return { orders: ordersOf(command.orderId, known, changes), messages: messagesOf(changes) }
  }
}

async function loadFor(ledger: Pick<Ledger, 'load'>, entry: InboxEntry): Promise<LoadedWorld> {
  let known = await ledger.load([])
  for (let wanted: readonly Lookup[] = concerns(entry, [], known); ; wanted = concerns(entry, [], known)) {
    const missing = wanted.filter((lookup) => !known.has(lookup))
    if (missing.length === 0) return known
    known = await ledger.load(missing, known)
  }
}

function ordersOf(first: OrderId, known: LoadedWorld, changes: readonly Change[]): Preview['orders'] {
  const after = new Map<OrderId, Order>()
  for (const change of changes) if (change.kind === 'order') after.set(change.order.id, change.order)
  const ids = new Set([first, ...after.keys()])
  return [...ids].flatMap((id) => {
    const before = known.orders({ by: 'order', id })[0]
    const now = after.get(id) ?? before
    if (now === undefined) return []
    const steps = now.steps.map(({ key, stepStatus }) => {
      const was = before?.steps.find((step) => step.key === key)
      return { key, from: was?.stepStatus ?? stepStatus, to: stepStatus }
    })
    return id === first || steps.some(({ from, to }) => from !== to) ? [{ id, steps }] : []
  })
}

function messagesOf(changes: readonly Change[]): Preview['messages'] {
  return changes.flatMap((change) =>
    change.kind === 'send'
      ? [{ endpoint: change.endpoint, ...(change.event === undefined ? {} : { event: change.event }) }]
      : [],
  )
}
