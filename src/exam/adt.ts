/**
 * What an ADT does to patients (IHE RAD-12): demographics change, two become one or
 * two again, somebody arrives. All acts of a message are one change.
 */
import type { PatientKey } from '../core/ids.ts'
import type { PatientAct } from '../core/message.ts'
import type { Patient } from '../core/order.ts'
import { adoptAfterMerge } from './adopt.ts'
import { arrive } from './arrival.ts'
import type { Draft } from './draft.ts'
import { describe, merge, ordersOf } from './merge.ts'
import { mergePatient, survivorOf } from './patients.ts'
import { hasEnded } from './steps.ts'
import { unmerge } from './unmerge.ts'

export type Done = { readonly kind: 'applied' } | { readonly kind: 'ignored'; readonly rule: string }

/** Ignored when none of the acts could be done: the rule is that of the first. */
export function applyPatients(draft: Draft, acts: readonly PatientAct[]): Done {
  const changed = new Set<PatientKey>()
  const rules = acts.flatMap((act) => {
    const outcomes = outcomesOf(draft, act)
    if (outcomes.includes(undefined)) for (const key of joinedOrParted(act)) changed.add(key)
    return outcomes
  })
  // Images may have waited for two to be one, or to be two: asked when all acts are done.
  const now = new Set([...changed].map((key) => survivorOf(draft.world, key)))
  adoptAfterMerge(
    draft,
    [...now].flatMap((key) => ordersOf(draft, key)),
  )
  return rules.includes(undefined) ? { kind: 'applied' } : { kind: 'ignored', rule: rules[0] ?? 'no-patient' }
}

/** Undefined: done. Else the rule by which it was not. */
function outcomesOf(draft: Draft, act: PatientAct): readonly (string | undefined)[] {
  switch (act.kind) {
    case 'update':
      return [update(draft, act.patient)]
    case 'merge':
      return merge(draft, act)
    case 'unmerge':
      return act.others.map((other) => unmerge(draft, act.patient, other))
    case 'arrive':
    case 'arrivalTakenBack':
      return [arrive(draft, act)]
    case 'patientDeleted':
      return [keep(draft, act.patient)]
  }
}

function joinedOrParted(act: PatientAct): readonly PatientKey[] {
  if (act.kind === 'merge') return [act.patient.key]
  return act.kind === 'unmerge' ? [act.patient, ...act.others].map(({ key }) => key) : []
}

/** A08, A31 and the like: the hospital's word on who a patient is, whatever changes. */
function update(draft: Draft, said: Patient): string | undefined {
  const known = draft.world.patient(said.key)
  if (known === undefined) return 'unknown-patient'
  if (known.mergedInto !== undefined) return 'patient-merged'
  const now = mergePatient(known, said)
  if (now !== known) describe(draft, now, known)
  return undefined
}

/** A29: whoever is still to be examined is not taken off the worklist by it. */
function keep(draft: Draft, { key }: Patient): string | undefined {
  const known = draft.world.patient(key)
  if (known === undefined) return 'unknown-patient'
  if (known.mergedInto !== undefined) return 'patient-merged'
  const open = ordersOf(draft, key).filter((order) => !hasEnded(order))
  if (open.length === 0) return 'no-open-order'
  for (const { id } of open) draft.note(id, 'the patient was deleted by ADT, the order stays: E632')
  draft.notice(
    { code: 'E632', hl7Code: 207, params: {} },
    open.map(({ id }) => id),
  )
  return undefined
}
