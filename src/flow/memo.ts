import type { MessageId } from '../core/ids.ts'
import type { Verdict } from '../core/message.ts'

/**
 * Verdicts of messages that this process has accepted and not yet applied. The
 * translation is not stored: it is remembered here, and made again from body and
 * plan where it has been forgotten.
 */
export interface VerdictMemo {
  remember(id: MessageId, verdict: Verdict): void
  /** Answers the verdict and forgets it. */
  take(id: MessageId): Verdict | undefined
}

/** Bounded: when the drainer falls far behind, the oldest are forgotten first. */
export function createVerdictMemo(limit = 5_000): VerdictMemo {
  const verdicts = new Map<MessageId, Verdict>()
  return {
    remember(id, verdict) {
      verdicts.set(id, verdict)
      if (verdicts.size > limit) {
        const oldest = verdicts.keys().next()
        if (oldest.done !== true) verdicts.delete(oldest.value)
      }
    },
    take(id) {
      const verdict = verdicts.get(id)
      if (verdict !== undefined) verdicts.delete(id)
      return verdict
    },
  }
}
