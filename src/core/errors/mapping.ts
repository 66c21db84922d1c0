import type { ErrorEntry } from './entry.ts'

/** E3xx: translating a message. */
export const mappingErrors = {} satisfies Record<string, ErrorEntry>
