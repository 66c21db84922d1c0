import type { ItemId } from '../core/ids.ts'
import type { WorklistItem } from '../core/order.ts'
import type { Change } from '../core/world.ts'

/**
 * The changes of a batch as the store needs them: of an order, a patient, a study
 * or a deadline that changed several times only the last state, with all items
 * that any of the changes made or withdrew. Everything else stays, in its order.
 */
export function collapse(changes: readonly Change[]): Change[] {
  const last = new Map<string, number>()
  for (const [index, change] of changes.entries()) {
    const key = keyOf(change)
    if (key !== undefined) last.set(key, index)
  }
  const items = new Map<string, { made: Map<ItemId, WorklistItem>; withdrawn: Set<ItemId> }>()
  const result: Change[] = []
  for (const [index, change] of changes.entries()) {
    const key = keyOf(change)
    if (key === undefined) {
      result.push(change)
      continue
    }
    if (change.kind === 'order') gather(items, key, change)
    if (last.get(key) !== index) continue
    if (change.kind !== 'order') {
      result.push(change)
      continue
    }
    const all = items.get(key)
    result.push({ ...change, items: [...(all?.made.values() ?? [])], withdrawn: [...(all?.withdrawn ?? [])] })
  }
  return result
}

function gather(
  items: Map<string, { made: Map<ItemId, WorklistItem>; withdrawn: Set<ItemId> }>,
  key: string,
  change: Extract<Change, { kind: 'order' }>,
): void {
  let all = items.get(key)
  if (all === undefined) {
    all = { made: new Map(), withdrawn: new Set() }
    items.set(key, all)
  }
  for (const id of change.withdrawn) {
    all.withdrawn.add(id)
    all.made.delete(id)
  }
  for (const item of change.items) {
    all.made.set(item.id, item)
    all.withdrawn.delete(item.id)
  }
}

function keyOf(change: Change): string | undefined {
  switch (change.kind) {
    case 'order':
      return `order ${change.order.id}`
    case 'patient':
      return `patient ${change.patient.key}`
    case 'study':
      return `study ${change.study.key}`
    case 'deadline':
      return `deadline ${change.subject}`
    case 'tombstone':
      return `tombstone ${change.tombstone.key}`
    case 'history':
    case 'send':
    case 'state':
    case 'notice':
    case 'rows':
      return undefined
  }
}
