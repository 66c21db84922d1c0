/** "Patients": updates and merges. */
import type { Patient, StepStatus } from '../../src/core/order.ts'
import type { PatientAct } from '../../src/core/message.ts'
import { askAgain } from './images.ts'
import { dayAt } from './dates.ts'
import {
  planned,
  survivor,
  type Answer,
  type ModelOrder,
  type ModelPatient,
  type ModelStep,
  type Site,
  type State,
} from './state.ts'

export function patientActs(state: State, site: Site, acts: readonly PatientAct[]): Answer {
  const before = state.merged.length
  const rules = acts.flatMap((act) => {
    if (act.kind === 'update') return [update(state, act.patient)]
    if (act.kind === 'arrive' || act.kind === 'arrivalTakenBack') return [arrival(state, act)]
    return act.kind === 'merge' ? merge(state, act) : []
  })
  // "All merges of a message are one change"; the survivor's own orders are asked for as well.
  const merged = state.merged.slice(before).map(({ into }) => survivor(state, into))
  const orders = state.orders.filter(({ patient }) => merged.includes(patient))
  askAgain(state, site, orders, 'merge')
  const ignored = rules.find((rule) => rule !== '')
  return ignored === undefined || rules.includes('') ? { kind: 'applied' } : { kind: 'ignored', rule: ignored }
}

/** "Of a patient nobody knows they are ignored (`unknown-patient`)." */
function update(state: State, patient: Patient): string {
  // "What names a merged ID: it is of the old record."
  if (survivor(state, patient.key) !== patient.key) return 'patient-merged'
  if (known(state, patient.key) === undefined) return 'unknown-patient'
  describe(state, patient)
  return ''
}

/** "A10 makes SCHEDULED steps of the patient ARRIVED, A11, A23 and A32 make them SCHEDULED again." */
function arrival(state: State, act: PatientAct & { kind: 'arrive' | 'arrivalTakenBack' }): string {
  if (known(state, survivor(state, act.patient.key)) === undefined) return 'unknown-patient'
  const on = act.day ?? dayAt(state.now, act.timeZone)
  const visit = act.admissionId ?? ''
  const [from, rule]: [StepStatus, string] =
    act.kind === 'arrive' ? ['SCHEDULED', 'no-step-arrives'] : ['ARRIVED', 'no-step-arrived']
  const theirs = state.orders.filter(({ patient }) => patient === survivor(state, act.patient.key))
  // "If its order and the message name the same visit, whatever its day; … where either names none, if it is scheduled for the day."
  const isMeant = (order: ModelOrder, step: ModelStep): boolean =>
    order.visit !== '' && visit !== '' ? order.visit === visit : step.startDate === on
  const moved = theirs.flatMap((order) => order.steps.filter((step) => step.status === from && isMeant(order, step)))
  for (const step of moved) step.status = act.kind === 'arrive' ? 'ARRIVED' : planned(step)
  return moved.length === 0 ? rule : ''
}

/** "Merging a key into itself, or round in a circle, is ignored (`merge-circular`), and so is what was merged already (`merge-repeated`)." */
function merge(state: State, act: PatientAct & { kind: 'merge' }): string[] {
  return act.prior.map((prior) => {
    const into = survivor(state, act.patient.key)
    if (prior === into || prior === act.patient.key) return 'merge-circular'
    if (state.merged.some((one) => one.prior === prior)) return 'merge-repeated'
    state.merged.push({ prior, into })
    const before = known(state, prior)
    state.patients = state.patients.filter(({ key }) => key !== prior)
    // "A merge into a merged ID is one into its survivor, who is known better than by that message."
    if (into === act.patient.key || known(state, into) === undefined) describe(state, { ...act.patient, key: into })
    const record = known(state, into)
    // "Where it has no name and none is known, those of the prior patient stand in."
    if (record !== undefined && before !== undefined && record.name === '')
      Object.assign(record, { ...before, key: into })
    for (const order of state.orders.filter(({ patient }) => patient === prior)) {
      order.patient = into
      order.knownAs.push(prior)
    }
    return ''
  })
}

export function known(state: State, key: string): ModelPatient | undefined {
  return state.patients.find((one) => one.key === key)
}

/** "Absent keeps, `''` empties." */
export function describe(state: State, patient: Patient): void {
  const key = survivor(state, patient.key)
  let record = known(state, key)
  if (record === undefined) {
    record = { key, name: '', birthDate: '', sex: '' }
    state.patients.push(record)
  }
  const said = saidOf(patient)
  record.name = said.name ?? record.name
  record.birthDate = said.birthDate ?? record.birthDate
  record.sex = said.sex ?? record.sex
}

export function saidOf({ attributes }: Patient): { name?: string; birthDate?: string; sex?: string } {
  const text = (keyword: string): string | undefined => {
    const value = attributes[keyword]
    return typeof value === 'string' ? value : undefined
  }
  const [name, birthDate, sex] = [text('PatientName'), text('PatientBirthDate'), text('PatientSex')]
  return {
    ...(name === undefined ? {} : { name }),
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(sex === undefined ? {} : { sex }),
  }
}
