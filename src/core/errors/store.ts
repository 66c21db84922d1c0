import { entry, type ErrorEntry } from './entry.ts'

/** E5xx: Redis and the queue. */
export const storeErrors = {
  E501: entry(
    'The store (Redis) is not available.',
    'transient',
    'Start Redis again; the engine takes messages again by itself.',
  ),
} satisfies Record<string, ErrorEntry>
