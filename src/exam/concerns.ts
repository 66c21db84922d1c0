/**
 * What has to be known before an entry can be applied. It is asked again with what
 * was found, until it asks for nothing new: first what the entry names, then what
 * those orders and studies lead to.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { OrderGroup } from '../core/message.ts'
import type { PatientKey } from '../core/ids.ts'
import type { Order, Patient, SeriesFacts, Study } from '../core/order.ts'
import { lookupKey, type Lookup, type World } from '../core/world.ts'
import { quietOrderId, studyLookupsOf } from './completion.ts'
import { expireOrderId } from './expiry.ts'
import { identityLookups, orderNames } from './identify.ts'
import { canBeAdopted, studyKey } from './images.ts'
import { ordersOfPatient, patientLookups, seriesLookups } from './match.ts'
import { mergePatient } from './patients.ts'
import { asSeries } from './performed.ts'

export function concerns(entry: InboxEntry, groups: readonly OrderGroup[], known: World): readonly Lookup[] {
  const search = createSearch(known)
  switch (entry.kind) {
    case 'message':
      for (const group of groups) concernsOfGroup(search, group, groups)
      concernsOfPatients(search, groups)
      break
    case 'images':
      concernsOfImages(search, entry)
      break
    case 'changes':
      for (const study of new Set(entry.rows.map((row) => row.study))) {
        if (study === '') continue
        for (const { credit } of search.studies({ by: 'study', key: studyKey(entry.orthanc, study) })) {
          if (credit.kind !== 'matched') continue
          search.follow(credit.orderIds.flatMap((id) => search.orders({ by: 'order', id })))
        }
      }
      break
    case 'performed':
      search.follow(search.orders({ by: 'performed', value: entry.performed.sopInstanceUid }))
      for (const facts of asSeries(entry.performed)) concernsOfSeries(search, facts)
      break
    case 'deadline': {
      const id = quietOrderId(entry.subject) ?? expireOrderId(entry.subject)
      if (id !== undefined) search.follow(search.orders({ by: 'order', id }))
      break
    }
    case 'manual':
      search.follow(search.orders({ by: 'order', id: entry.command.orderId }))
      break
  }
  return search.wanted()
}

/** The known world, and a list of what was asked of it in vain. */
interface Search {
  orders(by: Lookup): readonly Order[]
  studies(by: Lookup): readonly Study[]
  patient(key: PatientKey): Patient | undefined
  want(by: Lookup): void
  /** Patients and studies of orders. */
  follow(orders: readonly Order[]): void
  wanted(): readonly Lookup[]
}

function createSearch(known: World): Search {
  const wanted = new Map<string, Lookup>()
  const isKnown = (by: Lookup): boolean => {
    if (known.has(by)) return true
    wanted.set(lookupKey(by), by)
    return false
  }
  return {
    orders: (by) => (isKnown(by) ? known.orders(by) : []),
    studies: (by) => (isKnown(by) ? known.studies(by) : []),
    patient: (key) => (isKnown({ by: 'patientRecord', key }) ? known.patient(key) : undefined),
    want: (by) => void isKnown(by),
    follow(orders) {
      for (const order of orders) {
        isKnown({ by: 'patientRecord', key: order.patientKey })
        for (const by of studyLookupsOf(order)) isKnown(by)
      }
    },
    wanted: () => [...wanted.values()],
  }
}

function concernsOfGroup(search: Search, group: OrderGroup, all: readonly OrderGroup[]): void {
  if (group.effect === 'ignore') return
  const lookups = identityLookups(group)
  const orders = lookups.flatMap((by) => search.orders(by))
  search.follow(orders)
  if (group.effect !== 'create' && group.effect !== 'update') return
  for (const key of orderNames(group.numbers)) search.want({ by: 'tombstone', key })
  const waiting = [...lookups, ...orders.flatMap(studyLookupsOf)]
    .flatMap((by) => search.studies(by))
    .filter(canBeAdopted)
  // The group may take numbers away from its order: what is then looked for among the patient's orders is asked for always.
  const said = all.flatMap(({ patient }) => (patient === undefined ? [] : [patient.key]))
  const keys = [...orders.map((order) => order.patientKey), ...said]
  for (const facts of [...new Set(waiting)].flatMap((study) => study.series)) {
    const found = concernsOfSeries(search, facts)
    const known = [...keys, ...found.map((order) => order.patientKey)]
    search.follow(ordersOfPatient(facts, known).flatMap((by) => search.orders(by)))
  }
}

/** A patient who changes takes all open orders along; what one group says, the next one of the message finds said. */
function concernsOfPatients(search: Search, groups: readonly OrderGroup[]): void {
  const patients = new Map<PatientKey, Patient>()
  for (const { effect, patient: said } of groups) {
    if (said === undefined || (effect !== 'create' && effect !== 'update')) continue
    const known = patients.get(said.key) ?? search.patient(said.key)
    const now = known === undefined || effect === 'create' ? mergePatient(known, said) : known
    patients.set(said.key, now)
    if (known !== undefined && now !== known) search.want({ by: 'patient', key: said.key })
  }
}

function concernsOfImages(search: Search, entry: Extract<InboxEntry, { kind: 'images' }>): void {
  const [study] = search.studies({ by: 'study', key: studyKey(entry.orthanc, entry.study) })
  const isNews = entry.event !== 'deleted'
  if (isNews) for (const facts of entry.series) concernsOfSeries(search, facts)
  if (entry.event === 'seen' || study?.credit.kind !== 'matched') return
  search.follow(study.credit.orderIds.flatMap((id) => search.orders({ by: 'order', id })))
}

function concernsOfSeries(search: Search, facts: SeriesFacts): readonly Order[] {
  const named = seriesLookups(facts).flatMap((by) => search.orders(by))
  const all = [...named, ...patientLookups(named, facts).flatMap((by) => search.orders(by))]
  search.follow(all)
  return all
}
