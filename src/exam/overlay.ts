/**
 * A world with changes laid over it, so that an entry sees what the entries before
 * it in the same batch did: an order is found by its new numbers, and by its old
 * ones no longer.
 */
import type { OrderId, PatientKey } from '../core/ids.ts'
import type { Order, Patient, Study } from '../core/order.ts'
import {
  appointmentLookups,
  lookupKey,
  performedLookups,
  requestedProcedure,
  type Change,
  type Lookup,
  type Tombstone,
  type World,
} from '../core/world.ts'

export interface Overlay extends World {
  fold(changes: readonly Change[]): void
}

/** An overlay that also takes single things; `apply` writes its own changes into one. */
export interface Layer extends Overlay {
  putOrder(order: Order): void
  putPatient(patient: Patient): void
  putStudy(study: Study): void
  putTombstone(tombstone: Tombstone): void
}

export function createOverlay(base: World): Overlay {
  return createLayer(base)
}

export function createLayer(base: World): Layer {
  const orders = createShelf<Order>((order) => order.id, orderLookups)
  const studies = createShelf<Study>((study) => study.key, studyLookups)
  const patients = new Map<PatientKey, Patient>()
  const tombstones = new Map<string, Tombstone>()

  const layer: Layer = {
    orders: (by) => orders.own(by) ?? orders.over(by, base.orders(by)),
    studies: (by) => studies.own(by) ?? studies.over(by, base.studies(by)),
    patient: (key) => patients.get(key) ?? base.patient(key),
    tombstone: (key) => tombstones.get(key) ?? base.tombstone(key),
    has: (by) =>
      base.has(by) ||
      (by.by === 'order' && orders.holds(by.id)) ||
      (by.by === 'study' && studies.holds(by.key)) ||
      (by.by === 'patientRecord' && patients.has(by.key)) ||
      (by.by === 'tombstone' && tombstones.has(by.key)),
    putOrder: (order) => orders.put(order),
    putStudy: (study) => studies.put(study),
    putPatient: (patient) => void patients.set(patient.key, patient),
    putTombstone: (tombstone) => void tombstones.set(tombstone.key, tombstone),
    fold(changes) {
      for (const change of changes) {
        if (change.kind === 'order') layer.putOrder(change.order)
        else if (change.kind === 'study') layer.putStudy(change.study)
        else if (change.kind === 'patient') layer.putPatient(change.patient)
        else if (change.kind === 'tombstone') layer.putTombstone(change.tombstone)
      }
    },
  }
  return layer
}

/** All lookups that find an order. */
export function orderLookups(order: Order): readonly Lookup[] {
  const { id, numbers, studyInstanceUid, patientKey } = order
  const { authority, placerOrderNumber, fillerOrderNumber, accessionNumber } = numbers
  const lookups: Lookup[] = [
    { by: 'order', id },
    { by: 'studyInstanceUid', value: studyInstanceUid },
    { by: 'patient', key: patientKey },
    ...requestedProcedure(order),
    ...performedLookups(order),
    ...appointmentLookups(order),
  ]
  if (placerOrderNumber) lookups.push({ by: 'placerOrderNumber', authority, value: placerOrderNumber })
  if (fillerOrderNumber) lookups.push({ by: 'fillerOrderNumber', authority, value: fillerOrderNumber })
  if (accessionNumber) lookups.push({ by: 'accessionNumber', value: accessionNumber })
  return lookups
}

/** All lookups that find a study: the store's indexes are the same, or an answer would depend on where a batch was cut. */
export function studyLookups(study: Study): readonly Lookup[] {
  const all = [study, ...study.series]
  const uids = new Set(all.map((one) => one.studyInstanceUid))
  const accessions = new Set(all.map((one) => one.accessionNumber))
  const lookups: Lookup[] = [{ by: 'study', key: study.key }]
  for (const value of uids) if (value) lookups.push({ by: 'studyInstanceUid', value })
  for (const value of accessions) if (value) lookups.push({ by: 'accessionNumber', value })
  return lookups
}

interface Shelf<T> {
  put(thing: T): void
  holds(id: string): boolean
  /** Found by its own name on the shelf: the base need not be asked. */
  own(by: Lookup): readonly T[] | undefined
  /** What is found on the shelf, and in the base as far as the shelf has nothing newer of it; by id, so that no answer depends on where a batch was cut. */
  over(by: Lookup, base: readonly T[]): readonly T[]
}

function createShelf<T>(idOf: (thing: T) => OrderId, lookupsOf: (thing: T) => readonly Lookup[]): Shelf<T> {
  const things = new Map<string, T>()
  const index = new Map<string, Set<string>>()
  const ascending = (a: T, b: T): number => (idOf(a) < idOf(b) ? -1 : 1)
  return {
    put(thing) {
      const id = idOf(thing)
      const before = things.get(id)
      if (before !== undefined) for (const lookup of lookupsOf(before)) index.get(lookupKey(lookup))?.delete(id)
      things.set(id, thing)
      for (const lookup of lookupsOf(thing)) {
        const key = lookupKey(lookup)
        const ids = index.get(key)
        if (ids === undefined) index.set(key, new Set([id]))
        else ids.add(id)
      }
    },
    holds: (id) => things.has(id),
    own(by) {
      const thing = by.by === 'order' ? things.get(by.id) : by.by === 'study' ? things.get(by.key) : undefined
      return thing === undefined ? undefined : [thing]
    },
    over(by, base) {
      const isBare = things.size === 0
      const ids = isBare ? undefined : index.get(lookupKey(by))
      const below = isBare || base.length === 0 ? base : base.filter((thing) => !things.has(idOf(thing)))
      const above = ids === undefined || ids.size === 0 ? [] : [...ids].flatMap((id) => things.get(id) ?? [])
      const all = above.length === 0 ? below : [...below, ...above]
      return all.length < 2 ? all : all.toSorted(ascending)
    },
  }
}
