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

export interface MemoOptions {
  readonly limit?: number
  /** What nobody took in this time was applied elsewhere, or has been translated again. */
  readonly keepMilliseconds?: number
  /** Milliseconds that only grow. */
  readonly now?: () => number
}

/**
 * Bounded in number and age. When the drainer falls far behind, new ones are not
 * remembered: it takes the oldest first, and would find none of them if they went first.
 */
export function createVerdictMemo({
  limit = 5_000,
  keepMilliseconds = 30_000,
  now = () => performance.now(),
}: MemoOptions = {}): VerdictMemo {
  const verdicts = new Map<MessageId, { readonly verdict: Verdict; readonly until: number }>()

  return {
    remember(id, verdict) {
      const at = now()
      for (const [old, { until }] of verdicts) {
        if (until > at) break
        verdicts.delete(old)
      }
      if (verdicts.size < limit) verdicts.set(id, { verdict, until: at + keepMilliseconds })
    },
    take(id) {
      const kept = verdicts.get(id)
      if (kept !== undefined) verdicts.delete(id)
      return kept?.verdict
    },
  }
}
