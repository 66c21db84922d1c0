/**
 * Two patients become one (ADT A40): the orders of who was merged, ended ones too, are
 * the survivor's from then on, and the old key is an alias until the merge is undone.
 */
import type { PatientKey } from '../core/ids.ts'
import type { PatientAct } from '../core/message.ts'
import type { Order, Patient } from '../core/order.ts'
import type { Draft } from './draft.ts'
import { isSomebodyElse, mergePatient, named, splitPatientKey, survivorOf } from './patients.ts'
import { same } from './same.ts'
import { hasEnded } from './steps.ts'

type Merge = Extract<PatientAct, { kind: 'merge' }>

/** The patient as known from now on; what modalities see of open orders follows. Items of ended orders keep the name they had. */
export function describe(draft: Draft, patient: Patient, before: Patient | undefined): void {
  draft.putPatient(patient, before)
  if (before !== undefined && mergePatient(before, patient) === before) return
  const open = ordersOf(draft, patient.key).filter((order) => !hasEnded(order))
  // Somebody unidentified gets a name so, and so does everybody whose Patient ID was mistaken for another.
  const isDoubtful = before !== undefined && isSomebodyElse(before.attributes, patient.attributes)
  for (const order of open) {
    draft.note(
      order.id,
      `patient described anew by ADT${isDoubtful ? ', name, birth date and sex all at once: E633' : ''}`,
    )
    draft.put(order, order)
  }
  if (!isDoubtful || open.length === 0) return
  draft.notice(
    { code: 'E633', hl7Code: 207, params: {} },
    open.map(({ id }) => id),
  )
}

/** A40: one outcome for each prior identifier. */
export function merge(draft: Draft, { patient: said, prior }: Merge): readonly (string | undefined)[] {
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
  const now = named(described, gone)
  describe(draft, { ...now, key, ...splitPatientKey(key), aliases }, before)
  // The old record describes nobody any more; what it knows is given back when the merge is undone.
  const lent = Object.keys(now.attributes).filter((word) => !same(now.attributes[word], described.attributes[word]))
  const old = gone ?? { key: from, ...splitPatientKey(from), attributes: {} }
  draft.putPatient({ ...old, ...(lent.length === 0 ? {} : { lent }), mergedInto: key }, gone)
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

export function ordersOf(draft: Draft, key: PatientKey): readonly Order[] {
  return draft.world.orders({ by: 'patient', key })
}
