/**
 * What a message calls the steps of its order. A step that came without an ID has its number for a key, and keeps it
 * when its ID comes later: it is one step then, never planned twice.
 */
import type { OrderGroup, PlannedStep } from '../core/message.ts'
import type { Order, Step } from '../core/order.ts'

type Named = Pick<PlannedStep, 'key' | 'attributes'>

/** The group with the keys that its order knows the steps by. */
export function withKnownKeys(group: OrderGroup, order: Order): OrderGroup {
  const known = new Set(order.steps.map((step) => step.key))
  const later = group.steps.filter(({ key }) => !known.has(key) && !isNumber(key))
  const unnamed = order.steps.filter(({ key }) => isNumber(key))
  if (later.length === 0 || unnamed.length === 0) return group
  const said = new Set(group.steps.map((step) => step.key))
  const free = unnamed.filter((step) => !said.has(step.key))
  const keys = new Map<string, string>()
  for (const { key } of later) {
    const [step, ...others] = free.filter((one) => idOf(one) === key)
    if (step !== undefined && others.length === 0) keys.set(key, step.key)
  }
  const [one, ...more] = later.filter(({ key }) => !keys.has(key))
  const [only, ...others] = free.filter((step) => !hasOwnId(step, order))
  if (one !== undefined && only !== undefined && more.length + others.length === 0 && !contradict(one, only)) {
    keys.set(one.key, only.key)
  }
  if (keys.size === 0) return group
  return { ...group, steps: group.steps.map((step) => ({ ...step, key: keys.get(step.key) ?? step.key })) }
}

const isNumber = (key: string): boolean => /^\d+$/.test(key)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const idOf = ({ attributes }: Named): string => text(attributes['ScheduledProcedureStepID'])

function hasOwnId(step: Step, { numbers }: Order): boolean {
  const id = idOf(step)
  return id !== '' && id !== numbers.fillerOrderNumber && id !== numbers.placerOrderNumber
}

function contradict(a: Named, b: Named): boolean {
  const [left, right] = [text(a.attributes['Modality']), text(b.attributes['Modality'])]
  return left !== '' && right !== '' && left !== right
}
