import type { ErrorEntry } from './entry.ts'

/** E2xx: configuration and lint. */
export const configErrors = {} satisfies Record<string, ErrorEntry>
