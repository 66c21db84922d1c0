/**
 * `changesPatient`: which effects of a pipeline of orders change a patient who is known.
 * IHE RAD-13 says that PID of an update must not; some hospitals send no ADT.
 */
import type { Effect, OrderGroup } from '../core/message.ts'
import { scalarText, type Lint } from './lint.ts'

const able = ['create', 'update'] as const satisfies readonly Effect[]

/** What a group of this effect says of it: nothing where it is as ever. */
export type ChangesPatient = (effect: Effect) => Pick<OrderGroup, 'changesPatient'>

export function compileChangesPatient(lint: Lint, value: unknown): ChangesPatient {
  if (value === undefined) return () => ({})
  const named: readonly unknown[] = Array.isArray(value) ? value : [value]
  const texts = named.map((one) => scalarText(one) ?? '')
  if (!Array.isArray(value) || texts.some((text) => !able.some((word) => word === text))) {
    lint.error('E200', ['changesPatient'], { where: 'changesPatient', expected: 'a list of create and update, or []' })
  }
  const changing = new Set(texts)
  return (effect) => (able.some((word) => word === effect) ? { changesPatient: changing.has(effect) } : {})
}
