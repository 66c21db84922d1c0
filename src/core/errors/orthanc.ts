import { entry, type ErrorEntry } from './entry.ts'

/** E4xx: Orthanc and the worklist targets. */
export const orthancErrors = {
  E406: entry(
    'The worklist index is not loaded yet.',
    'transient',
    'Wait: it loads by itself at the start; until then Orthanc answers from its snapshot.',
  ),
} satisfies Record<string, ErrorEntry>
