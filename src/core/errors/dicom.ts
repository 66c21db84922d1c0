import type { ErrorEntry } from './entry.ts'

/** E9xx: building DICOM. */
export const dicomErrors = {} satisfies Record<string, ErrorEntry>
