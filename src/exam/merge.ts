/**
 * What an ADT does to patients (IHE RAD-12): demographics change, two become one.
 * The orders of who was merged, ended ones too, are the survivor's from then on, and
 * the old key is an alias for ever. All acts of a message are one change.
 */
import type { PatientKey } from '../core/ids.ts'
import type { PatientAct } from '../core/message.ts'
import type { Order, Patient } from '../core/order.ts'
import type { Draft } from './draft.ts'
import { adoptAfterMerge } from './adopt.ts'
import { mergePatient, named, splitPatientKey, survivorOf } from './patients.ts'
import { hasEnded } from './steps.ts'

type Update = Extract<PatientAct, { kind: 'update' }>
type Merge = Extract<PatientAct, { kind: 'merge' }>

export type Done = { readonly kind: 'applied' } | { readonly kind: 'ignored'; readonly rule: string }

/** Ignored when none of the acts could be done: the rule is that of the first. */
export function applyPatients(draft: Draft, acts: readonly PatientAct[]): Done {
  const merged = new Set<PatientKey>()
  const rules = acts.flatMap((act) => {
    if (act.kind === 'update') return [update(draft, act)]
    const own = merge(draft, act)
    if (own.includes(undefined)) merged.add(act.patient.key)
    return own
  })
  // Images may have waited for two to be one: asked when all who are one are.
  const survivors = new Set([...merged].map((key) => survivorOf(draft.world, key)))
  adoptAfterMerge(
    draft,
    [...survivors].flatMap((key) => ordersOf(draft, key)),
  )
  return rules.includes(undefined) ? { kind: 'applied' } : { kind: 'ignored', rule: rules[0] ?? 'no-patient' }
}

/** A08, A31 and the like: the hospital's word on who a patient is, whatever changes. */
function update(draft: Draft, { patient: said }: Update): string | undefined {
  const known = draft.world.patient(said.key)
  if (known === undefined) return 'unknown-patient'
  if (known.mergedInto !== undefined) return 'patient-merged'
  const now = mergePatient(known, said)
  if (now !== known) describe(draft, now, known)
  return undefined
}

/** The patient as known from now on; what modalities see of open orders follows. Items of ended orders keep the name they had. */
function describe(draft: Draft, patient: Patient, before: Patient | undefined): void {
  draft.putPatient(patient, before)
  if (before !== undefined && mergePatient(before, patient) === before) return
  for (const order of ordersOf(draft, patient.key)) {
    if (hasEnded(order)) continue
    draft.note(order.id, 'patient described anew by ADT')
    draft.put(order, order)
  }
}

/** A40: one outcome for each prior identifier. */
function merge(draft: Draft, { patient: said, prior }: Merge): readonly (string | undefined)[] {
  const key = survivorOf(draft.world, said.key)
  return prior.map((from) => {
    const rule = refusal(draft, from, said.key, key)
    if (rule === undefined) join(draft, from, said, key)
    return rule
  })
}

/**
 * Why a merge is not done. One that was done already is no news; one that contradicts an
 * earlier one is a matter for a person: somebody's orders would get another name.
 */
function refusal(draft: Draft, from: PatientKey, into: PatientKey, key: PatientKey): string | undefined {
  if (from === into) return 'merge-circular'
  const earlier = survivorOf(draft.world, from)
  if (earlier === from && from !== key) return undefined
  if (earlier === key && from !== key) return 'merge-repeated'
  const orders = ordersOf(draft, earlier)
  const rule = from === key ? 'merge-circular' : 'merge-repeated'
  draft.notice(
    { code: 'E630', hl7Code: 207, params: { rule } },
    orders.map((order) => order.id),
  )
  for (const order of orders) draft.note(order.id, 'a merge that contradicts an earlier one was ignored: E630')
  return rule
}

function join(draft: Draft, from: PatientKey, said: Patient, key: PatientKey): void {
  const gone = draft.world.patient(from)
  const before = draft.world.patient(key)
  const orders = ordersOf(draft, from)
  // A survivor who is named by an ID that was merged itself is known better than by this message.
  const described = before !== undefined && said.key !== key ? before : mergePatient(before, said)
  const aliases = [...new Set([...(before?.aliases ?? []), ...(gone?.aliases ?? []), from])]
  describe(draft, { ...named(described, gone), key, ...splitPatientKey(key), aliases }, before)
  // The old record describes nobody any more; its own aliases say what an unlink gives back.
  const own = gone?.aliases === undefined ? {} : { aliases: gone.aliases }
  draft.putPatient({ key: from, ...splitPatientKey(from), attributes: {}, ...own, mergedInto: key }, gone)
  for (const alias of gone?.aliases ?? []) {
    const record = draft.world.patient(alias)
    if (record !== undefined) draft.putPatient({ ...record, mergedInto: key }, record)
  }
  for (const order of orders) {
    const formerPatientKeys = [...new Set([...(order.formerPatientKeys ?? []), from])]
    draft.note(order.id, 'patient merged: the order is now of the surviving patient')
    draft.put({ ...order, patientKey: key, formerPatientKeys }, order)
  }
}

function ordersOf(draft: Draft, key: PatientKey): readonly Order[] {
  return draft.world.orders({ by: 'patient', key })
}
