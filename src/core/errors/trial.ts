import { entry, type ErrorEntry } from './entry.ts'

/** E85x: what a changed pipeline would do, before it is in force. */
export const trialErrors = {
  E850: entry(
    'The plan by which these messages were judged is kept no more.',
    'permanent',
    'Nothing is wrong: plans are kept as long as a message that they judged.',
  ),
  E851: entry(
    'The pipelines that were sent with the request cannot be read by this engine.',
    'permanent',
    'Run `worklane check` on them, and use the command line of the same version as the engine.',
  ),
} satisfies Record<string, ErrorEntry>
