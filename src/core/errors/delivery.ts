import type { ErrorEntry } from './entry.ts'

/** E7xx: telling the RIS. */
export const deliveryErrors = {} satisfies Record<string, ErrorEntry>
