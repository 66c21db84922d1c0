/**
 * What the engine would keep: everything that `apply` has changed, found by the lookups of
 * `concerns` and by nothing else. Reading what was not loaded is an error.
 */
import type { Order, Patient, Study } from '../../src/core/order.ts'
import {
  lookupKey,
  performedLookups,
  requestedProcedure,
  type Change,
  type Lookup,
  type Tombstone,
  type World,
} from '../../src/core/world.ts'

export interface Memory {
  readonly orders: Map<string, Order>
  readonly studies: ReadonlyMap<string, Study>
  readonly deadlines: Map<string, string>
  /** A world that knows what was loaded into it from what is kept now. */
  open(): World & { load(lookups: readonly Lookup[]): void }
  keep(changes: readonly Change[]): void
}

interface Found {
  readonly orders: readonly Order[]
  readonly studies: readonly Study[]
  readonly patient: Patient | undefined
  readonly tombstone: Tombstone | undefined
}

export function createMemory(): Memory {
  const orders = new Map<string, Order>()
  const patients = new Map<string, Patient>()
  const studies = new Map<string, Study>()
  const tombstones = new Map<string, Tombstone>()
  const deadlines = new Map<string, string>()

  function keep(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'order') orders.set(change.order.id, change.order)
      if (change.kind === 'patient') patients.set(change.patient.key, change.patient)
      if (change.kind === 'study') studies.set(change.study.key, change.study)
      if (change.kind === 'tombstone') tombstones.set(change.tombstone.key, change.tombstone)
      if (change.kind !== 'deadline') continue
      if (change.due === null) deadlines.delete(change.subject)
      else deadlines.set(change.subject, change.due)
    }
  }

  function open(): World & { load(lookups: readonly Lookup[]): void } {
    const loaded = new Map<string, Found>()
    const read = (by: Lookup): Found => {
      const found = loaded.get(lookupKey(by))
      if (found === undefined) throw new Error(`read without being loaded: ${lookupKey(by)}`)
      return found
    }
    const find = (by: Lookup): Found => ({
      orders: [...orders.values()].filter((order) => isOrder(order, by)),
      studies: [...studies.values()].filter((study) => isStudy(study, by)),
      patient: by.by === 'patientRecord' ? patients.get(by.key) : undefined,
      tombstone: by.by === 'tombstone' ? tombstones.get(by.key) : undefined,
    })
    return {
      load: (lookups) => {
        for (const by of lookups) loaded.set(lookupKey(by), find(by))
      },
      has: (by) => loaded.has(lookupKey(by)),
      orders: (by) => read(by).orders,
      patient: (key) => read({ by: 'patientRecord', key }).patient,
      tombstone: (key) => read({ by: 'tombstone', key }).tombstone,
      studies: (by) => read(by).studies,
    }
  }

  return { orders, studies, deadlines, open, keep }
}

function isOrder(order: Order, by: Lookup): boolean {
  const { numbers } = order
  switch (by.by) {
    case 'order':
      return order.id === by.id
    case 'placerOrderNumber':
      return numbers.authority === by.authority && numbers.placerOrderNumber === by.value
    case 'fillerOrderNumber':
      return numbers.authority === by.authority && numbers.fillerOrderNumber === by.value
    case 'placerAppointmentId':
    case 'fillerAppointmentId':
      return numbers.authority === by.authority && numbers[by.by] === by.value
    case 'accessionNumber':
      return numbers.accessionNumber === by.value
    case 'studyInstanceUid':
      return order.studyInstanceUid === by.value
    case 'requestedProcedure':
      return requestedProcedure(order).some((own) => lookupKey(own) === lookupKey(by))
    case 'performed':
      return performedLookups(order).some((own) => lookupKey(own) === lookupKey(by))
    case 'patient':
      return order.patientKey === by.key
    case 'patientRecord':
    case 'study':
    case 'tombstone':
      return false
  }
}

function isStudy(study: Study, by: Lookup): boolean {
  switch (by.by) {
    case 'study':
      return study.key === by.key
    case 'studyInstanceUid':
      return [study, ...study.series].some((one) => one.studyInstanceUid === by.value)
    case 'accessionNumber':
      return [study, ...study.series].some((one) => one.accessionNumber === by.value)
    case 'order':
    case 'placerOrderNumber':
    case 'fillerOrderNumber':
    case 'placerAppointmentId':
    case 'fillerAppointmentId':
    case 'requestedProcedure':
    case 'performed':
    case 'patient':
    case 'patientRecord':
    case 'tombstone':
      return false
  }
}
