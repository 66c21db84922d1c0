import type { FilePlace } from './fault.ts'

/** A path into a document: `['map', 'PatientName']`. */
export type DocumentPath = readonly (string | number)[]

/** A YAML document with its positions, as plain values: the pure folders never see the YAML library. */
export interface Located {
  readonly file: string
  readonly value: unknown
  /** Names of the pipelines that it extends, the nearest first; `value` has what it takes from them. */
  readonly bases?: readonly string[]
  /** What the nearest of them says, with all that it takes from others. */
  readonly baseValue?: unknown
  /** Where the key or the value at `path` stands; `offset` characters into a plain scalar. Falls back to the nearest parent that exists. */
  place(path: DocumentPath, of?: 'key' | 'value', offset?: number): FilePlace
}
