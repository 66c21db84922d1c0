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
  /** The items that are served, by their ids. */
  readonly served: ReadonlyMap<string, boolean>
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
  const served = new Map<string, boolean>()

  function keep(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'order') {
        orders.set(change.order.id, change.order)
        for (const id of change.withdrawn) served.delete(id)
        for (const item of change.items) served.set(item.id, item.served)
      }
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

  return { orders, studies, deadlines, served, open, keep }
}

/** Stories have no appointments: by those nothing is found. */
function isOrder(order: Order, by: Lookup): boolean {
  const { numbers } = order
  if (by.by === 'order') return order.id === by.id
  if (by.by === 'placerOrderNumber') return numbers.authority === by.authority && numbers.placerOrderNumber === by.value
  if (by.by === 'fillerOrderNumber') return numbers.authority === by.authority && numbers.fillerOrderNumber === by.value
  if (by.by === 'accessionNumber') return numbers.accessionNumber === by.value
  if (by.by === 'studyInstanceUid') return order.studyInstanceUid === by.value
  if (by.by === 'requestedProcedure') return requestedProcedure(order).some((own) => lookupKey(own) === lookupKey(by))
  if (by.by === 'performed') return performedLookups(order).some((own) => lookupKey(own) === lookupKey(by))
  return by.by === 'patient' && order.patientKey === by.key
}

function isStudy(study: Study, by: Lookup): boolean {
  if (by.by === 'study') return study.key === by.key
  const all = [study, ...study.series]
  if (by.by === 'studyInstanceUid') return all.some((one) => one.studyInstanceUid === by.value)
  return by.by === 'accessionNumber' && all.some((one) => one.accessionNumber === by.value)
}
