import type { ErrorEntry } from './entry.ts'

/** E1xx: framing, listener and sender. */
export const mllpErrors = {} satisfies Record<string, ErrorEntry>
