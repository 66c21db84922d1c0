import type { FilePlace } from '../core/fault.ts'

/** One thing that a test says otherwise than it came. */
export interface TestDifference {
  /** `items[0].PatientWeight`, `effect`, `ORC-5`. */
  readonly what: string
  /** As people read them; absent where only `received` says anything: the message cannot be read. */
  readonly expected?: string
  readonly received: string
  /** Where the test says so. */
  readonly place?: FilePlace
  /** Where the value came from, as `worklane map` says it, and the rule. */
  readonly by?: string
  readonly rule?: FilePlace
}

/** `PatientSex: expected "F", got nothing` */
export function differenceText({ what, expected, received }: TestDifference): string {
  const got = expected === undefined ? received : `expected ${expected}, got ${received}`
  return what === '' ? got : `${what}: ${got}`
}
