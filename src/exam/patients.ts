/**
 * Who a patient is: what a message says of one, and whether two names of a patient
 * agree. Orders compare keys exactly; images may lack the issuer, which then agrees
 * with any (I11: another identifier never does).
 */
import type { Dataset } from '../core/dataset.ts'
import type { PatientKey, Seq } from '../core/ids.ts'
import type { OrderGroup } from '../core/message.ts'
import { restatedKeywords, type Order, type Patient } from '../core/order.ts'
import type { World } from '../core/world.ts'
import { same } from './same.ts'

/** What is known, with what was said: absent keeps, `''` empties. Answers `known` itself when nothing changed. */
export function merge(known: Dataset, said: Dataset): Dataset {
  for (const key of Object.keys(said)) {
    if (!same(known[key], said[key])) return { ...known, ...said }
  }
  return known
}

/** The patient's record after a message that may change it. Answers `known` itself when nothing changed. */
export function mergePatient(known: Patient | undefined, said: Patient): Patient {
  if (known === undefined) return said
  const attributes = merge(known.attributes, said.attributes)
  return attributes === known.attributes ? known : { ...known, attributes }
}

/** With a note of what was said otherwise before: status messages quote no order that was sent until then. */
export function restate(patient: Patient, before: Patient | undefined, seq: Seq): Patient {
  if (before === undefined || patient.mergedInto !== undefined) return patient
  const changed = restatedKeywords.filter((word) => !same(patient.attributes[word], before.attributes[word]))
  if (changed.length === 0) return patient
  return { ...patient, restated: { ...before.restated, ...Object.fromEntries(changed.map((word) => [word, seq])) } }
}

/** Whom a key means: the key itself, or whoever it was merged into. */
export function survivorOf(world: Pick<World, 'patient'>, key: PatientKey): PatientKey {
  const seen = new Set<PatientKey>()
  let survivor = key
  for (;;) {
    const next = world.patient(survivor)?.mergedInto
    // A circle is never written; nobody hangs on one even so.
    if (next === undefined || seen.has(survivor)) return survivor
    seen.add(survivor)
    survivor = next
  }
}

/**
 * Whom a message means by its patient. Who is named by a merged ID is the survivor, as the survivor is known:
 * what is said under the old ID is of the old record.
 */
function meantPatient(world: Pick<World, 'patient'>, said: Patient): Patient {
  const key = survivorOf(world, said.key)
  const survivor = key === said.key ? undefined : world.patient(key)
  return survivor === undefined ? said : named(survivor, said)
}

/** The same of an order group. */
export function meantGroup(world: Pick<World, 'patient'>, group: OrderGroup): OrderGroup {
  if (group.effect === 'ignore') return group
  const patient = group.patient && meantPatient(world, group.patient)
  return patient === undefined || patient === group.patient ? group : { ...group, patient }
}

/** A merge may come without a name; an item never goes without one: whoever was merged lends the description. */
export function named(patient: Patient, other: Patient | undefined): Patient {
  if (other === undefined || isText(patient.attributes['PatientName'])) return patient
  const lent = Object.entries(other.attributes).filter(([keyword]) => !identifiers.has(keyword))
  const own = Object.entries(patient.attributes).filter(([keyword]) => keyword !== 'PatientName')
  return { ...patient, attributes: Object.fromEntries([...lent, ...own]) }
}

/** Whether modalities would see a name. */
export function isNamed({ attributes }: Patient): boolean {
  return isText(attributes['PatientName'])
}

/** Whether what a group says of a patient changes one who is known: NW does, XO does not (IHE RAD-13), unless the pipeline says otherwise. */
export function changesPatient(group: Pick<OrderGroup, 'effect' | 'changesPatient'>): boolean {
  return group.changesPatient ?? group.effect === 'create'
}

const identifiers: ReadonlySet<string> = new Set([
  'PatientID',
  'IssuerOfPatientID',
  'IssuerOfPatientIDQualifiersSequence',
  'TypeOfPatientID',
  'OtherPatientIDsSequence',
])

export interface PatientName {
  readonly patientId: string
  readonly issuerOfPatientId: string
}

export function splitPatientKey(key: PatientKey): PatientName {
  const at = key.lastIndexOf('^^^')
  return at < 0
    ? { patientId: key, issuerOfPatientId: '' }
    : { patientId: key.slice(0, at), issuerOfPatientId: key.slice(at + 3) }
}

/** An empty Patient ID agrees with nobody: images without one are not assumed to be anyone's. */
export function agree(key: PatientKey, images: PatientName): boolean {
  const ordered = splitPatientKey(key)
  const [id, issuer] = [images.patientId.trim(), images.issuerOfPatientId.trim()]
  if (id === '' || id !== ordered.patientId.trim()) return false
  return issuer === '' || ordered.issuerOfPatientId.trim() === '' || issuer === ordered.issuerOfPatientId.trim()
}

/** Whether images are of the order's patient, under the patient's own ID or one that was merged into it (ADT A40). The patient's record must be known. */
export function agreesWith(world: Pick<World, 'patient'>, order: Order, images: PatientName): boolean {
  return agreesWithPatient(world, order.patientKey, images)
}

/** The same of a patient. */
export function agreesWithPatient(world: Pick<World, 'patient'>, key: PatientKey, images: PatientName): boolean {
  if (agree(key, images)) return true
  return world.patient(key)?.aliases?.some((alias) => agree(alias, images)) ?? false
}

/** The attributes of a patient in an item; the identifiers are always those of the key. */
export function patientDataset(patient: Patient): Dataset {
  const identified = { ...patient.attributes, PatientID: patient.patientId }
  return patient.issuerOfPatientId === '' ? identified : { ...identified, IssuerOfPatientID: patient.issuerOfPatientId }
}

/**
 * Whether two descriptions cannot be of one person: family and given name, birth date
 * and sex all differ. A correction changes some of them; a mistaken Patient ID all.
 */
export function isSomebodyElse(known: Dataset, said: Dataset): boolean {
  const differ = (a: unknown, b: unknown): boolean => isText(a) && isText(b) && a !== b
  const [family, given] = nameParts(known)
  const [otherFamily, otherGiven] = nameParts(said)
  return (
    differ(family, otherFamily) &&
    differ(given, otherGiven) &&
    differ(known['PatientBirthDate'], said['PatientBirthDate']) &&
    differ(known['PatientSex'], said['PatientSex'])
  )
}

function nameParts({ PatientName: name }: Dataset): readonly string[] {
  const [alphabetic = ''] = typeof name === 'string' ? name.normalize('NFC').toUpperCase().split('=') : []
  return alphabetic.split('^').map((part) => part.trim())
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
