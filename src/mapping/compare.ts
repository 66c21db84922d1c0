/**
 * What two pipelines make of one message, told as what differs: the answer to its sender, what it does to its orders,
 * the items that one makes and the other does not, and attribute by attribute what else is said.
 */
import type { DatasetValue } from '../core/dataset.ts'
import type { OrderGroup, PatientAct, Verdict } from '../core/message.ts'
import { stepSequence } from './attribute.ts'
import { shown } from './explain.ts'
import { effectWord } from './order-control.ts'

export interface ValueChange {
  /** DICOM keyword, or one of our words (`effect`, `fillerOrderNumber`). */
  readonly keyword: string
  /** As `worklane map` shows them: `(none)` says nothing, `(empty)` empties what is known. */
  readonly before: string
  readonly after: string
}

export interface VerdictDifference {
  /** What the sender is told, and why: `AE E301`, `AA, ignored by orders: accept.when`. Absent: the same. */
  readonly verdict?: { readonly before: string; readonly after: string }
  /** Items that only one of them makes. */
  readonly appear: number
  readonly disappear: number
  /** Each change once, however many items have it. */
  readonly values: readonly ValueChange[]
  /** Codes of warnings that only one of them gives. */
  readonly warnings: { readonly before: readonly string[]; readonly after: readonly string[] }
}

type Accepted = Extract<Verdict, { kind: 'accepted' }>

export function compareVerdicts(before: Verdict, after: Verdict): VerdictDifference {
  const words = { before: verdictText(before), after: verdictText(after) }
  const verdict = words.before === words.after ? {} : { verdict: words }
  const found = { appear: 0, disappear: 0, values: [] as ValueChange[] }
  if (before.kind === 'accepted' && after.kind === 'accepted') compareAccepted(before, after, found)
  // What is not taken any more makes nothing, and what is taken now makes all of it.
  else {
    found.disappear = itemCount(before)
    found.appear = itemCount(after)
  }
  return { ...verdict, ...found, values: unique(found.values), warnings: warningsOf(before, after) }
}

export function isDifferent({ verdict, appear, disappear, values, warnings }: VerdictDifference): boolean {
  return (
    verdict !== undefined || appear + disappear + values.length + warnings.before.length + warnings.after.length > 0
  )
}

/** `AA`, `AE E301 E302`, `AA, ignored by orders: accept.when`. */
export function verdictText(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'accepted':
      return 'AA'
    case 'ignored':
      return `AA, ignored by ${verdict.rule}`
    case 'invalid':
      return `${verdict.acknowledgment} ${[...new Set(verdict.faults.map(({ code }) => code))].sort().join(' ')}`
  }
}

interface Found {
  appear: number
  disappear: number
  readonly values: ValueChange[]
}

function compareAccepted(before: Accepted, after: Accepted, found: Found): void {
  for (const [one, other] of paired(before.groups, after.groups, groupName)) {
    if (one !== undefined && other !== undefined) {
      compareAll(flatGroup(one), flatGroup(other), found)
      compareItems(one, other, found)
      continue
    }
    compare('effect', one && effectWord(one), other && effectWord(other), found)
    found.disappear += one === undefined ? 0 : itemsOfGroup(one).length
    found.appear += other === undefined ? 0 : itemsOfGroup(other).length
  }
  for (const [one, other] of paired(before.patients ?? [], after.patients ?? [], () => '')) {
    compareAll(flatAct(one), flatAct(other), found)
  }
}

function compareItems(before: OrderGroup, after: OrderGroup, found: Found): void {
  const all = paired(itemsOfGroup(before), itemsOfGroup(after), ({ key, station }) => JSON.stringify([key, station]))
  for (const [one, other] of all) {
    if (one !== undefined && other !== undefined) compareAll(one.values, other.values, found)
    else if (one === undefined) found.appear += 1
    else found.disappear += 1
  }
}

interface FlatItem {
  readonly key: string
  readonly station: string
  readonly values: Flat
}

type Flat = Readonly<Record<string, DatasetValue | undefined>>

function itemsOfGroup({ steps }: OrderGroup): readonly FlatItem[] {
  return steps.flatMap(({ key, stations, attributes }) =>
    (stations.length === 0 ? [''] : stations).map((station) => ({
      key,
      station,
      values: { ...attributes, step: key, ScheduledStationAETitle: station === '' ? undefined : station },
    })),
  )
}

function flatGroup(group: OrderGroup): Flat {
  const { placerOrderNumber, fillerOrderNumber, placerAppointmentId, fillerAppointmentId } = group.numbers
  const { [stepSequence]: _steps, ...request } = group.request
  return {
    effect: effectWord(group),
    hold: group.holds === undefined ? undefined : group.holds ? 'on' : 'off',
    stepKeys: group.stepKeys?.join(', '),
    ...numbersOf(group),
    placerOrderNumber,
    fillerOrderNumber,
    placerAppointmentId,
    fillerAppointmentId,
    ...group.patient?.attributes,
    ...request,
  }
}

/** Of a message that plans nothing, its numbers say which order it means. */
function numbersOf({ numbers }: OrderGroup): Flat {
  return {
    AccessionNumber: numbers.accessionNumber,
    StudyInstanceUID: numbers.studyInstanceUid,
    RequestedProcedureID: numbers.requestedProcedureId,
  }
}

function flatAct(act: PatientAct | undefined): Flat {
  if (act === undefined) return {}
  const { kind, patient } = act
  return {
    effect: kind,
    prior: act.kind === 'merge' ? act.prior.join(', ') : undefined,
    others: act.kind === 'unmerge' ? act.others.map(({ key }) => key).join(', ') : undefined,
    AdmissionID: 'admissionId' in act ? act.admissionId : undefined,
    day: 'day' in act ? act.day : undefined,
    PatientID: patient.patientId,
    IssuerOfPatientID: patient.issuerOfPatientId,
    ...patient.attributes,
  }
}

function compareAll(before: Flat, after: Flat, found: Found): void {
  for (const keyword of new Set([...Object.keys(before), ...Object.keys(after)]))
    compare(keyword, before[keyword], after[keyword], found)
}

function compare(
  keyword: string,
  value: DatasetValue | undefined,
  other: DatasetValue | undefined,
  found: Found,
): void {
  const change = { keyword, before: shown(value), after: shown(other) }
  if (change.before !== change.after) found.values.push(change)
}

function groupName({ numbers }: OrderGroup): string {
  return numbers.fillerOrderNumber ?? numbers.placerOrderNumber ?? numbers.accessionNumber ?? ''
}

/** Those of one name beside each other; then, where as many are left on either side, in their order. */
function paired<T>(
  before: readonly T[],
  after: readonly T[],
  name: (one: T) => string,
): readonly (readonly [T | undefined, T | undefined])[] {
  const left = [...after]
  const pairs = before.map((one): [T | undefined, T | undefined] => {
    const at = left.findIndex((other) => name(other) === name(one))
    return [one, at < 0 ? undefined : left.splice(at, 1)[0]]
  })
  const lonely = pairs.filter(([, other]) => other === undefined)
  if (lonely.length === left.length) for (const pair of lonely) pair[1] = left.shift()
  return [...pairs, ...left.map((other): [undefined, T] => [undefined, other])]
}

function unique(values: readonly ValueChange[]): readonly ValueChange[] {
  return [...new Map(values.map((one) => [JSON.stringify([one.keyword, one.before, one.after]), one])).values()]
}

function itemCount(verdict: Verdict): number {
  if (verdict.kind !== 'accepted') return 0
  return verdict.groups.reduce((sum, group) => sum + itemsOfGroup(group).length, 0)
}

function warningsOf(before: Verdict, after: Verdict): VerdictDifference['warnings'] {
  const codes = (verdict: Verdict): readonly string[] =>
    verdict.kind === 'accepted' ? [...new Set(verdict.warnings.map(({ code }): string => code))] : []
  const [was, is] = [codes(before), codes(after)]
  return { before: was.filter((code) => !is.includes(code)), after: is.filter((code) => !was.includes(code)) }
}
