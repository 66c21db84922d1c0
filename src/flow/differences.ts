/** What a change would make of an order and of its patient, value by value, for people to look at. */
import type { Order, Patient, Step } from '../core/order.ts'
import type { Difference } from '../core/replay.ts'
import { same } from '../exam/same.ts'

type Value = Difference['now']

/** Of an order that there is; nothing where people would see no difference. */
export function orderDifferences(before: Order, after: Order): Difference[] {
  const orderId = after.id
  const found: Difference[] = []
  const compare = (attribute: string, now: unknown, then: unknown, step?: string): void => {
    if (same(now ?? '', then ?? '')) return
    const about = step === undefined ? { about: 'order' as const } : { about: 'step' as const, step }
    found.push({ ...about, orderId, attribute, now: valueOf(now), becomes: valueOf(then) })
  }
  const all = (now: object, then: object, step?: string): void => {
    for (const key of new Set([...Object.keys(now), ...Object.keys(then)])) {
      compare(key, (now as Record<string, unknown>)[key], (then as Record<string, unknown>)[key], step)
    }
  }
  compare('PatientID', before.patientKey, after.patientKey)
  compare('StudyInstanceUID', before.studyInstanceUid, after.studyInstanceUid)
  const { studyInstanceUid: _before, ...numbers } = before.numbers
  const { studyInstanceUid: _after, ...others } = after.numbers
  all(numbers, others)
  all(before.request, after.request)
  compare('hold', before.hold?.on === true ? 'on' : '', after.hold?.on === true ? 'on' : '')
  compare('told', before.told, after.told)
  const steps = new Map(before.steps.map((step) => [step.key, step]))
  for (const step of after.steps) {
    const was = steps.get(step.key)
    steps.delete(step.key)
    all(seenOf(was), seenOf(step), step.key)
  }
  for (const [key, was] of steps) all(seenOf(was), {}, key)
  return found
}

export function patientDifferences(before: Patient, after: Patient): Difference[] {
  const found: Difference[] = []
  const all = { ...before.attributes, ...after.attributes }
  const compare = (attribute: string, now: unknown, then: unknown): void => {
    if (!same(now ?? '', then ?? ''))
      found.push({ about: 'patient', attribute, now: valueOf(now), becomes: valueOf(then) })
  }
  for (const key of Object.keys(all)) compare(key, before.attributes[key], after.attributes[key])
  compare('aliases', before.aliases ?? [], after.aliases ?? [])
  compare('mergedInto', before.mergedInto, after.mergedInto)
  return found
}

/** The text of a message without its header, which differs each time that it is sent. */
export function quotedText({ received }: Order): string {
  return received.startsWith('MSH') ? received.slice(received.indexOf('\r') + 1) : received
}

function seenOf(step: Step | undefined): object {
  if (step === undefined) return {}
  const { stepStatus, stations, attributes, flags } = step
  return { stepStatus, ScheduledStationAETitle: stations, ...(flags.length === 0 ? {} : { flags }), ...attributes }
}

function valueOf(value: unknown): Value {
  return value === undefined || value === '' ? null : (value as Value)
}
