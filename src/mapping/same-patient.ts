/**
 * Whether orders and ADT of one source know a patient by the same key. Where they do
 * not, no correction and no merge ever finds its orders, and nobody is told.
 */
import type { Located } from '../core/located.ts'
import { isFields, type Fields, type Lint } from './lint.ts'
import { meaningOf, withParts } from './meaning.ts'
import type { AcceptedType } from './vocabulary.ts'

const keyword = ['PatientID', 'IssuerOfPatientID'] as const

interface Asked {
  readonly kind: string
  readonly messages: readonly AcceptedType[]
  readonly accept: unknown
  readonly lint: Lint
}

/** The pipelines of one source, in the order in which they are asked: compiled, and as they are written. */
export function lintSamePatient(stages: readonly Asked[], written: readonly Located[]): void {
  const heard = stages.flatMap((stage, at) => {
    const located = written[at]
    // What is wrong with a rule has been said; that it differs from the other follows from it.
    return located !== undefined && !stage.lint.failed && isHeard(stage, stages.slice(0, at))
      ? [{ ...stage, located }]
      : []
  })
  const orders = heard.filter(({ kind }) => kind === 'orders').map(({ located }) => located)
  for (const { kind, lint, located } of heard) if (kind === 'patients') compareWith(lint, located, orders)
}

/** One whose every message is taken by another before it knows no patient: it is there to be extended. */
function isHeard({ messages }: Asked, before: readonly Asked[]): boolean {
  const taken = before.filter(({ accept }) => accept === undefined).flatMap((stage) => stage.messages)
  return messages.some(
    (type) => !taken.some(({ code, event }) => code === type.code && (event === undefined || event === type.event)),
  )
}

function compareWith(lint: Lint, patients: Located, orders: readonly Located[]): void {
  const own = isFields(patients.value) ? patients.value : {}
  const others = orders.map(({ value }) => (isFields(value) ? value : {}))
  const compare = (block: 'map' | 'prior', name: string, rule: string): void => {
    const other = orders[others.findIndex((each) => ruleOf(each, name) !== rule)]
    if (other === undefined) return
    const params = { keyword: name, file: other.file, line: other.place(['map', name]).line }
    lint.warn('E242', [block, name], params, { of: 'key' })
  }
  for (const name of keyword) {
    compare('map', name, ruleOf(own, name))
    const prior = priorRule(own, name)
    if (prior !== undefined) compare('prior', name, prior)
  }
}

/** A rule as a text in which names stand for what they mean. */
function ruleOf(pipeline: Fields, name: string): string {
  const map = isFields(pipeline['map']) ? pipeline['map'] : {}
  return JSON.stringify(meaningOf(map[name], pipeline['let']) ?? null)
}

/** The field of the patient that each field of MRG repeats (HL7 2.5.1 §3.4.9). */
const repeated: Readonly<Record<string, string>> = { 'MRG-1': 'PID-3', 'MRG-4': 'PID-2' }

/** The rule of a patient that was merged, as it would be written for the one that is; undefined where the two cannot be compared. */
function priorRule(pipeline: Fields, name: string): string | undefined {
  const prior = isFields(pipeline['prior']) ? pipeline['prior'] : {}
  const each = meaningOf(prior['each'], pipeline['let'])
  const texts: readonly unknown[] = Array.isArray(each) ? each : [each]
  const field = /^MRG-\d+/.exec(typeof texts[0] === 'string' ? texts[0] : '')?.[0] ?? ''
  const patient = repeated[field]
  if (patient === undefined) return undefined
  const theirs = (value: unknown): unknown => {
    if (typeof value === 'string' && value.startsWith(`${field}.`)) {
      const list = texts.map((text) => String(text).replace(field, patient))
      return withParts(list.length === 1 ? list[0] : list, value.slice(field.length + 1).split('.'))
    }
    return Array.isArray(value) ? value.map(theirs) : value
  }
  return JSON.stringify(theirs(meaningOf(prior[name], pipeline['let'])) ?? null)
}
