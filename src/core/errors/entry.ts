/**
 * permanent: the same again gives the same; a human changes something.
 * transient: it is tried again until it is taken.
 * ambiguous: it may have happened; tried again only where that is harmless.
 */
export type ErrorClass = 'permanent' | 'transient' | 'ambiguous'

export interface ErrorEntry {
  /** One sentence with `{names}` for parameters. */
  readonly message: string
  readonly class: ErrorClass
  /** What the reader can do about it. */
  readonly cure: string
}

export function entry(message: string, errorClass: ErrorClass, cure: string): ErrorEntry {
  return { message, class: errorClass, cure }
}
