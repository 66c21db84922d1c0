/**
 * A10: the patient is there, and modalities see it. A11, A23, A32: not after all; an
 * admission that is taken back cancels no order. What has begun stays begun.
 */
import type { PatientAct } from '../core/message.ts'
import type { Order, Step } from '../core/order.ts'
import { formatTime } from '../hl7/time.ts'
import type { Draft } from './draft.ts'
import { ordersOf } from './merge.ts'
import { survivorOf } from './patients.ts'
import { move, summary } from './steps.ts'

type Arrive = Extract<PatientAct, { kind: 'arrive' | 'arrivalTakenBack' }>

export function arrive(draft: Draft, said: Arrive): string | undefined {
  const key = survivorOf(draft.world, said.patient.key)
  if (draft.world.patient(key) === undefined) return 'unknown-patient'
  const day = said.day ?? formatTime(draft.at, said.timeZone).slice(0, 8)
  const hasArrived = said.kind === 'arrive'
  let moves = false
  for (const order of ordersOf(draft, key)) {
    const meant = order.steps.filter((step) => isMeant(order, step, said.admissionId, day))
    const moved = move(order, hasArrived ? 'arrive' : 'unarrive', new Set(meant.map((step) => step.key)))
    if (moved === order) continue
    moves = true
    draft.note(order.id, `${hasArrived ? 'the patient arrived' : 'the arrival was taken back'}: ${summary(moved)}`)
    draft.put(moved, order)
  }
  if (moves) return undefined
  return hasArrived ? 'no-step-arrives' : 'no-step-arrived'
}

/** The visit decides where both name one: of another visit nobody has arrived. */
function isMeant({ request }: Order, { attributes }: Step, admissionId: string | undefined, day: string): boolean {
  const visit = request['AdmissionID']
  if (admissionId !== undefined && typeof visit === 'string' && visit !== '') return visit === admissionId
  return attributes['ScheduledProcedureStepStartDate'] === day
}
