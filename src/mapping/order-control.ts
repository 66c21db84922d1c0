/** ORC-1, alone or with ORC-5, and what it does to the order: `NW: create`, `SC(IP): start`. */
import type { Effect } from '../core/message.ts'
import { isFields, scalarText, type Lint } from './lint.ts'

export const effects = [
  'create',
  'update',
  'start',
  'complete',
  'cancel',
  'discontinue',
  'ignore',
] as const satisfies readonly Effect[]

export interface Control {
  readonly effect: Effect | 'reject'
  /** The line of the table that decided: `NW`, `SC(IP)`, `otherwise`. */
  readonly rule: string
}

export type OrderControl = (orderControl: string, orderStatus: string) => Control

export function compileOrderControl(lint: Lint, value: unknown): OrderControl {
  const rules = new Map<string, Control>()
  const known = [...effects, 'reject']
  if (!isFields(value)) {
    if (value === undefined) lint.error('E219', [], { name: 'orderControl' })
    else lint.error('E200', ['orderControl'], { where: 'orderControl', expected: 'a mapping such as { NW: create }' })
    return () => ({ effect: 'reject', rule: 'otherwise' })
  }
  for (const [code, given] of Object.entries(value)) {
    const path = ['orderControl', code]
    if (code !== 'otherwise' && !/^[A-Z0-9]{2}(\([A-Z]{0,2}\))?$/.test(code)) {
      lint.error('E200', path, { where: `orderControl.${code}`, expected: 'ORC-1, or ORC-1(ORC-5)' }, { of: 'key' })
    }
    const name = scalarText(given) ?? ''
    const effect = ([...effects, 'reject'] as const).find((each) => each === name)
    if (effect === undefined) lint.error('E216', path, { name, known: known.join(', ') }, { known })
    else rules.set(code, { effect, rule: code })
  }
  const otherwise = rules.get('otherwise') ?? { effect: 'reject', rule: 'otherwise' }
  return (orderControl, orderStatus) =>
    rules.get(`${orderControl}(${orderStatus})`) ?? rules.get(orderControl) ?? otherwise
}
