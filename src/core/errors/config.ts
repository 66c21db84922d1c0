import type { ErrorEntry } from './entry.ts'
import { lintErrors } from './lint.ts'

/** E2xx: configuration and lint. */
export const configErrors = {
  ...lintErrors,
} satisfies Record<string, ErrorEntry>
