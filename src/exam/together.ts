/**
 * Order groups of one message that one number names are one order with all their
 * steps (HL7 2.5.1 §4.4: an ORC with several OBR repeats its numbers).
 */
import type { OrderGroup } from '../core/message.ts'
import { orderName } from './identify.ts'
import { changesPatient } from './patients.ts'
import { withoutStandIns } from './planning.ts'

export interface Together {
  /** Of the first group in its message, from 1. */
  readonly number: number
  /** In the order of the message, never empty. */
  readonly groups: readonly [OrderGroup, ...OrderGroup[]]
}

/** A cancel or a status of the same order stands alone, and what follows it is said after it. */
export function together(groups: readonly OrderGroup[]): readonly Together[] {
  if (groups.length < 2) return groups.map((group) => ({ number: 1, groups: [group] }))
  const all: { number: number; groups: [OrderGroup, ...OrderGroup[]] }[] = []
  const open = new Map<string, OrderGroup[]>()
  for (const [index, group] of groups.entries()) {
    const isPlan = group.effect === 'create' || group.effect === 'update'
    // What names two patients is two orders, or a contradiction that is found when they are applied.
    const name = orderName(group.numbers) && `${orderName(group.numbers)} of ${group.patient?.key ?? ''}`
    const before = name !== undefined && isPlan ? open.get(name) : undefined
    if (before !== undefined) before.push(group)
    else {
      const own: [OrderGroup, ...OrderGroup[]] = [group]
      all.push({ number: index + 1, groups: own })
      if (name !== undefined && isPlan) open.set(name, own)
      else if (name !== undefined) open.delete(name)
    }
  }
  return all
}

/** As one: what a later group says counts, as if it had come later. */
export function joined([first, ...more]: Together['groups']): OrderGroup {
  return more.reduce((one, later) => {
    const next = withoutStandIns(later, one)
    const said = Object.entries(next.numbers).filter(([, value]) => value !== undefined && value !== '')
    return {
      ...one,
      effect: one.effect === 'create' ? 'create' : next.effect,
      ...(next.holds === undefined ? {} : { holds: next.holds }),
      ...(changesPatient(next) && next.patient !== undefined ? { patient: next.patient } : {}),
      changesPatient: changesPatient(one) || changesPatient(next),
      numbers: { ...one.numbers, ...Object.fromEntries(said) },
      received: next.received.includes('\rOBR') ? next.received : one.received,
      request: { ...one.request, ...next.request },
      steps: [...new Map([...one.steps, ...next.steps].map((step) => [step.key, step])).values()],
    }
  }, first)
}
