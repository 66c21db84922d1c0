/**
 * A37: two patients of whom one was merged into the other are two again. Orders go back
 * to the key that they were known or sent by; what came under the survivor stays. What
 * images have moved since cannot be taken back by a message: a person is told.
 */
import type { PatientKey } from '../core/ids.ts'
import type { Order, Patient } from '../core/order.ts'
import type { World } from '../core/world.ts'
import { creditedStudies } from './completion.ts'
import { counts } from './credit.ts'
import type { Draft } from './draft.ts'
import { ordersOf } from './merge.ts'
import { agreesWith, isNamed, mergePatient, survivorOf } from './patients.ts'
import { same } from './same.ts'
import { hasEnded } from './steps.ts'

/** Undefined: done. */
export function unmerge(draft: Draft, one: Patient, other: Patient): string | undefined {
  const { world } = draft
  const survivor = survivorOf(world, one.key)
  if (one.key === other.key || survivor !== survivorOf(world, other.key)) return 'not-merged'
  const isOnePrior = aliasesOf(world, other.key).includes(one.key)
  if (!isOnePrior && !aliasesOf(world, one.key).includes(other.key)) return refuse(draft, survivor, 'unmerge-unknown')
  const [prior, rest] = isOnePrior ? [one, other] : [other, one]
  return part(draft, prior, rest, survivor)
}

/** `prior` leaves; `rest` is the other one of the message, the survivor or on the way to it. */
function part(draft: Draft, prior: Patient, rest: Patient, survivor: PatientKey): string | undefined {
  const record = draft.world.patient(prior.key)
  const before = draft.world.patient(survivor)
  if (record === undefined || before === undefined) return 'not-merged'
  const { mergedInto: _survivor, lent = [], ...kept } = record
  const gone = new Set([prior.key, ...(kept.aliases ?? [])])
  const isOfGone = ({ formerPatientKeys = [] }: Order): boolean => formerPatientKeys.some((key) => gone.has(key))
  const orders = ordersOf(draft, survivor)
  const [leaving, staying] = [orders.filter(isOfGone), orders.filter((order) => !isOfGone(order))]

  const parted = mergePatient(kept, prior)
  const returned = withoutGone(giveBack(before, record.attributes, lent), gone)
  const left = rest.key === survivor ? mergePatient(returned, rest) : returned
  if ((leaving.length > 0 && !isNamed(parted)) || (staying.length > 0 && !isNamed(left))) {
    return refuse(draft, survivor, 'unmerge-nameless')
  }

  draft.putPatient(parted, record)
  for (const key of kept.aliases ?? []) {
    const alias = draft.world.patient(key)
    if (alias !== undefined) draft.putPatient({ ...alias, mergedInto: prior.key }, alias)
  }
  for (const key of before.aliases ?? []) {
    // Who was merged on the way to the survivor had them as aliases, too.
    const between = gone.has(key) ? undefined : draft.world.patient(key)
    if (between?.aliases?.includes(prior.key) !== true) continue
    draft.putPatient(withoutGone(giveBack(between, record.attributes, lent), gone), between)
  }
  draft.putPatient(left, before)
  for (const order of leaving) {
    const { formerPatientKeys = [], ...own } = order
    const former = formerPatientKeys.filter((key) => key !== prior.key && gone.has(key))
    draft.note(order.id, 'a merge was undone: the order is of its former patient again')
    draft.put({ ...own, patientKey: prior.key, ...(former.length === 0 ? {} : { formerPatientKeys: former }) }, order)
  }
  for (const order of staying) if (!hasEnded(order)) draft.put(order, order)
  for (const order of orders) {
    // What has ended and stays was not put: it is as it was read.
    const isPut = isOfGone(order) || !hasEnded(order)
    tellOfImages(draft, (isPut ? draft.world.orders({ by: 'order', id: order.id })[0] : undefined) ?? order)
  }
  return undefined
}

/** Images that came while the two were one may name the other one. */
function tellOfImages(draft: Draft, order: Order): void {
  const { id } = order
  for (const study of creditedStudies(draft, order)) {
    if (study.deleted || study.linked?.includes(id) === true) continue
    const isOther = study.series.some((facts) => counts(study, facts) && !agreesWith(draft.world, order, facts))
    if (!isOther) continue
    draft.note(id, `keeps images of study ${study.key} that name the other patient: E634`)
    draft.notice({ code: 'E634', hl7Code: 207, params: { study: study.key, orderId: id } }, [id], study.key)
  }
}

function refuse(draft: Draft, survivor: PatientKey, rule: string): string {
  const orders = ordersOf(draft, survivor)
  draft.notice(
    { code: 'E631', hl7Code: 207, params: { rule } },
    orders.map(({ id }) => id),
  )
  for (const { id } of orders) draft.note(id, 'a merge could not be undone: E631')
  return rule
}

function aliasesOf(world: Pick<World, 'patient'>, key: PatientKey): readonly PatientKey[] {
  return world.patient(key)?.aliases ?? []
}

function withoutGone({ aliases = [], ...patient }: Patient, gone: ReadonlySet<PatientKey>): Patient {
  const left = aliases.filter((key) => !gone.has(key))
  return left.length === 0 ? patient : { ...patient, aliases: left }
}

/** What the survivor borrowed, as far as nobody has said otherwise since. */
function giveBack(patient: Patient, lender: Patient['attributes'], lent: readonly string[]): Patient {
  if (lent.length === 0) return patient
  const own = Object.entries(patient.attributes).filter(
    ([keyword, value]) => !lent.includes(keyword) || !same(value, lender[keyword]),
  )
  return { ...patient, attributes: Object.fromEntries(own) }
}
