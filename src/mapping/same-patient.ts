/**
 * Whether orders and ADT of one source know a patient by the same key. Where they do
 * not, no correction and no merge ever finds its orders, and nobody is told.
 */
import type { Located } from '../core/located.ts'
import { isFields, type Fields, type Lint } from './lint.ts'

const keyword = ['PatientID', 'IssuerOfPatientID'] as const

export function lintSamePatient(lint: Lint, patients: Located, orders: readonly Located[]): void {
  const [own, ...others] = [patients, ...orders].map(({ value }) => (isFields(value) ? value : {}))
  for (const name of keyword) {
    const rule = ruleOf(own ?? {}, name)
    const at = others.findIndex((other) => ruleOf(other, name) !== rule)
    const other = orders[at]
    if (other === undefined) continue
    const params = { keyword: name, file: other.file, line: other.place(['map', name]).line }
    lint.warn('E242', ['map', name], params, { of: 'key' })
  }
}

/** A rule as a text in which names stand for what they mean. */
function ruleOf(pipeline: Fields, name: string): string {
  const [map, names] = [pipeline['map'], pipeline['let']].map((part) => (isFields(part) ? part : {}))
  const meant = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') {
      const [first = '', ...parts] = value.split('.')
      const known = names?.[first]
      return known === undefined || depth > 9 ? value : [meant(known, depth + 1), ...parts]
    }
    if (Array.isArray(value)) return value.map((each: unknown) => meant(each, depth))
    return isFields(value) ? Object.entries(value).map(([word, each]) => [word, meant(each, depth)]) : value
  }
  return JSON.stringify(meant(map?.[name], 0) ?? null)
}
