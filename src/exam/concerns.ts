/**
 * What has to be known before an entry can be applied. It is asked again with what
 * was found, until it asks for nothing new: first what the entry names, then what
 * those orders and studies lead to.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { OrderGroup, PatientAct } from '../core/message.ts'
import type { PatientKey } from '../core/ids.ts'
import type { Order, Patient, SeriesFacts, Study } from '../core/order.ts'
import { lookupKey, type Lookup, type World } from '../core/world.ts'
import { canBeAdopted, canBeAskedAgain } from './adopt.ts'
import { quietOrderId, studyLookupsOf } from './completion.ts'
import { creditsOf } from './credit.ts'
import { expireOrderId } from './expiry.ts'
import { identityLookups, orderNames } from './identify.ts'
import { studyKey } from './images.ts'
import { seriesLookups } from './match.ts'
import { changesPatient, meantGroup, mergePatient, survivorOf } from './patients.ts'
import { asSeries } from './performed.ts'

export function concerns(
  entry: InboxEntry,
  groups: readonly OrderGroup[],
  known: World,
  patients: readonly PatientAct[] = [],
): readonly Lookup[] {
  const search = createSearch(known)
  switch (entry.kind) {
    case 'message': {
      const meant = groups.map((group) => meantGroup(search, group))
      // A group may find by its number an order that another one gives that number.
      const orders = meant.length < 2 ? [] : meant.flatMap((group) => ordersOf(search, group))
      for (const group of meant) concernsOfGroup(search, group, orders)
      concernsOfPatients(search, meant)
      for (const act of patients) concernsOfAct(search, act)
      break
    }
    case 'images':
      concernsOfImages(search, entry)
      break
    case 'changes':
      for (const study of new Set(entry.rows.map((row) => row.study))) {
        if (study === '') continue
        concernsOfCredits(search, search.studies({ by: 'study', key: studyKey(entry.orthanc, study) }))
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
    case 'manual': {
      const { command } = entry
      search.follow(search.orders({ by: 'order', id: command.orderId }))
      if (command.kind !== 'link' && command.kind !== 'unlink') break
      for (const study of search.studies({ by: 'study', key: command.study })) {
        concernsOfCredits(search, [study, ...twins(search, study.studyInstanceUid)])
      }
      break
    }
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

function ordersOf(search: Search, group: OrderGroup): readonly Order[] {
  return group.effect === 'ignore' ? [] : identityLookups(group).flatMap((by) => search.orders(by))
}

function concernsOfGroup(search: Search, group: OrderGroup, ofOthers: readonly Order[]): void {
  if (group.effect === 'ignore') return
  const lookups = identityLookups(group)
  const orders = [...new Set([...ordersOf(search, group), ...ofOthers])]
  search.follow(orders)
  const hasSteps = group.effect === 'create' || group.effect === 'update' || group.effect === 'schedule'
  const isOfStatus = group.effect === 'start' || group.effect === 'complete'
  if (!isOfStatus) for (const key of orderNames(group.numbers)) search.want({ by: 'tombstone', key })
  if (!hasSteps) return
  const waiting = [...lookups, ...orders.flatMap(studyLookupsOf)]
    .flatMap((by) => search.studies(by))
    .filter(canBeAdopted)
  for (const facts of [...new Set(waiting)].flatMap((study) => study.series)) concernsOfSeries(search, facts)
}

/**
 * A patient who changes takes all open orders along. Groups of one message are applied one after the
 * other, or joined: a patient may change whenever what one of them says differs from what is known or
 * from what another says.
 */
function concernsOfPatients(search: Search, groups: readonly OrderGroup[]): void {
  const plans = groups.filter(({ effect }) => effect === 'create' || effect === 'update' || effect === 'schedule')
  if (!plans.some(changesPatient)) return
  const described = plans.flatMap(({ patient }) => patient ?? [])
  for (const key of new Set(described.map((patient) => patient.key))) {
    const said = described.filter((patient) => patient.key === key)
    const known = search.patient(key)
    if (known === undefined && said.length < 2) continue
    const before = known === undefined ? said : [known, ...said]
    if (before.some((one) => said.some((other) => mergePatient(one, other) !== one))) {
      search.want({ by: 'patient', key })
    }
  }
}

/** All patients that a merge, done or undone, names. */
function joinedOrParted(act: PatientAct): readonly PatientKey[] {
  if (act.kind === 'merge') return [act.patient.key, ...act.prior]
  return act.kind === 'unmerge' ? [act.patient, ...act.others].map(({ key }) => key) : []
}

/** What an ADT says of patients: their records, their orders, and of a merge, done or undone, the studies that may have waited for it. */
function concernsOfAct(search: Search, act: PatientAct): void {
  if (act.kind === 'arrive' || act.kind === 'arrivalTakenBack') {
    const key = survivorOf(search, act.patient.key)
    if (search.patient(key) !== undefined) search.want({ by: 'patient', key })
    return
  }
  if (act.kind === 'update' || act.kind === 'patientDeleted') {
    const known = search.patient(act.patient.key)
    if (known === undefined || known.mergedInto !== undefined) return
    const isNews = act.kind === 'patientDeleted' || mergePatient(known, act.patient) !== known
    if (isNews) search.want({ by: 'patient', key: known.key })
    return
  }
  const keys = joinedOrParted(act).map((key) => survivorOf(search, key))
  for (const alias of keys.flatMap((key) => search.patient(key)?.aliases ?? [])) search.patient(alias)
  const orders = keys.flatMap((key) => search.orders({ by: 'patient', key }))
  search.follow(orders)
  const waiting = orders
    .flatMap(studyLookupsOf)
    .flatMap((by) => search.studies(by))
    .filter(canBeAskedAgain)
  for (const facts of [...new Set(waiting)].flatMap((study) => study.series)) concernsOfSeries(search, facts)
}

function concernsOfImages(search: Search, entry: Extract<InboxEntry, { kind: 'images' }>): void {
  const known = search.studies({ by: 'study', key: studyKey(entry.orthanc, entry.study) })
  if (entry.event !== 'deleted') for (const facts of entry.series) concernsOfSeries(search, facts)
  const uids = new Set([...entry.series, ...known].map((one) => one.studyInstanceUid))
  concernsOfCredits(search, [...known, ...[...uids].flatMap((value) => twins(search, value))])
}

/** The same study in all Orthancs. */
function twins(search: Search, studyInstanceUid: string): readonly Study[] {
  return studyInstanceUid === '' ? [] : search.studies({ by: 'studyInstanceUid', value: studyInstanceUid })
}

/** The orders that have these studies. */
function concernsOfCredits(search: Search, studies: readonly Study[]): void {
  for (const id of new Set(studies.flatMap(creditsOf))) search.follow(search.orders({ by: 'order', id }))
}

function concernsOfSeries(search: Search, facts: SeriesFacts): void {
  for (const by of seriesLookups(facts)) search.follow(search.orders(by))
}
