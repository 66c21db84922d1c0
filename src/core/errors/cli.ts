import type { ErrorEntry } from './entry.ts'

/** E8xx: the command line and the HTTP API. */
export const cliErrors = {} satisfies Record<string, ErrorEntry>
