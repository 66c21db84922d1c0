/** MSH-9.2 and what the message does to its patient: `A08: update`, `A40: merge`. */
import type { PatientAct } from '../core/message.ts'
import { isFields, scalarText, type Lint } from './lint.ts'

export const patientEffects = [
  'update',
  'merge',
  'unmerge',
  'arrive',
  'arrivalTakenBack',
  'patientDeleted',
  'ignore',
  'reject',
] as const satisfies readonly (PatientAct['kind'] | 'ignore' | 'reject')[]

export interface PatientControl {
  readonly effect: (typeof patientEffects)[number]
  /** The line of the table that decided: `A08`, `otherwise`. */
  readonly rule: string
}

export type TriggerEvent = (event: string) => PatientControl

export function compileTriggerEvent(lint: Lint, value: unknown): TriggerEvent {
  const rules = new Map<string, PatientControl>()
  if (!isFields(value)) {
    if (value === undefined) lint.error('E219', [], { name: 'triggerEvent' })
    else lint.error('E200', ['triggerEvent'], { where: 'triggerEvent', expected: 'a mapping such as { A08: update }' })
    return () => ({ effect: 'reject', rule: 'otherwise' })
  }
  for (const [event, given] of Object.entries(value)) {
    const path = ['triggerEvent', event]
    if (event !== 'otherwise' && !/^[A-Z]\d\d$/.test(event)) {
      lint.error('E200', path, { where: `triggerEvent.${event}`, expected: 'MSH-9.2, such as A08' }, { of: 'key' })
    }
    const name = scalarText(given) ?? ''
    const effect = patientEffects.find((each) => each === name)
    if (effect !== undefined) rules.set(event, { effect, rule: event })
    else lint.error('E240', path, { name, known: patientEffects.join(', ') }, { known: patientEffects })
  }
  const otherwise = rules.get('otherwise') ?? { effect: 'reject', rule: 'otherwise' }
  return (event) => rules.get(event) ?? otherwise
}
