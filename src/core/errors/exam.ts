import type { ErrorEntry } from './entry.ts'

/** E6xx: applying what was accepted. */
export const examErrors = {} satisfies Record<string, ErrorEntry>
