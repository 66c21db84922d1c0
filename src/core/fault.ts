import type { ErrorCode } from './errors/index.ts'

/** A place in an HL7 message, as ERR-2 writes it. Numbers count from 1; segment-wide faults leave the rest out. */
export interface Hl7Place {
  readonly segment: string
  /** Which of the segments of this name. */
  readonly occurrence?: number
  readonly field?: number
  readonly repetition?: number
  readonly component?: number
  readonly subcomponent?: number
}

/** A place in a file that an administrator wrote; line and column count from 1. */
export interface FilePlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** HL7 table 0357, message error condition codes. 1xx becomes AE, 2xx becomes AR. */
export type Hl7ErrorCode = 100 | 101 | 102 | 103 | 200 | 201 | 202 | 203 | 204 | 205 | 206 | 207

/**
 * Something wrong with a message. It names codes and places, never a value that
 * belongs to a person (I9): `params` may hold codes from tables, segment names,
 * keywords and lengths.
 */
export interface Fault {
  readonly code: ErrorCode
  readonly hl7Code: Hl7ErrorCode
  readonly place?: Hl7Place
  /** The rule of the pipeline that found it. */
  readonly rule?: FilePlace
  readonly params: Readonly<Record<string, string | number>>
}

/** `PID-3(2).1`, as the standard's prose writes it. */
export function placeText({ segment, occurrence, field, repetition, component, subcomponent }: Hl7Place): string {
  const which = occurrence === undefined || occurrence === 1 ? '' : `(${occurrence})`
  const again = repetition === undefined || repetition === 1 ? '' : `(${repetition})`
  const parts = [component, subcomponent].filter((part) => part !== undefined).map((part) => `.${part}`)
  return `${segment}${which}${field === undefined ? '' : `-${field}${again}${parts.join('')}`}`
}

/** `pipelines/orders/pipeline.yaml:120` */
export function ruleText({ file, line }: FilePlace): string {
  return `${file}:${line}`
}

/** Something wrong with a file, as `worklane check` prints it: file:line:column, code, sentence, cure. */
export interface Problem extends FilePlace {
  readonly code: ErrorCode
  readonly message: string
  readonly cure?: string
  readonly severity: 'error' | 'warning'
}
