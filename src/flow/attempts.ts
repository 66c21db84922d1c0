import type { Seq } from '../core/ids.ts'
import type { AttemptMarks } from '../core/ports.ts'

/** From so many on, entries are applied one by one; from so many more on, the first of them is not applied. */
export const attemptsInBatch = 3
export const attemptsAlone = 8

export interface Attempts {
  /** How many processes, this one included, have begun to apply what comes after this entry, and were not heard of since. */
  begin(after: Seq): Promise<number>
  /** It was applied: the mark says nothing any more. */
  passed(): void
  /** It was not applied, and this process lives: the store is away, or the role is lost. */
  end(): Promise<void>
}

/**
 * Ends of processes. An entry that ends its process (memory, a defect of Node) leaves no error behind: only a mark that
 * it was begun, once for each process, for a process ends once. Who lives takes its mark away, however its attempt went:
 * a machine that freezes, a lease that is lost, a Redis that comes and goes say nothing about the message.
 */
export function createAttempts(options: {
  readonly store: AttemptMarks
  /** Another one after each start. */
  readonly process: string
  readonly againMilliseconds?: number
}): Attempts {
  const { store, process, againMilliseconds = 1000 } = options
  let isMarked = false
  let again: NodeJS.Timeout | undefined

  async function end(): Promise<void> {
    clearTimeout(again)
    if (!isMarked) return
    try {
      isMarked = false
      await store.endAttempt(process)
    } catch {
      isMarked = true
      again = setTimeout(() => void end(), againMilliseconds)
      again.unref()
    }
  }

  return {
    begin(after) {
      clearTimeout(again)
      isMarked = true
      return store.beginAttempt(process, after)
    },
    passed() {
      isMarked = false
    },
    end,
  }
}
