import type { MessageId, Seq } from '../core/ids.ts'
import type { MessageState } from '../core/message.ts'
import type { Ledger, Replies } from '../core/ports.ts'

/** Tells what became of messages that wait to be applied, in this process or in another one. */
export interface Outcomes {
  /** Undefined: it is not kept any more. Rejects (E501) when the store is away. */
  of(id: MessageId): Promise<MessageState | undefined>
  /** This process has committed what became of it: who waits need not look. */
  became(id: MessageId, state: MessageState): void
}

interface Waiter {
  resolve(state: MessageState | undefined): void
  reject(error: unknown): void
}

/**
 * Looks how far the inbox has been applied, as long as anybody waits; one look for all. What
 * this process applies itself is told at once.
 */
export function createOutcomes({
  store,
  pollMilliseconds = 10,
}: {
  readonly store: Pick<Ledger, 'applied'> & Pick<Replies, 'messageStates'>
  readonly pollMilliseconds?: number
}): Outcomes {
  const waiting = new Map<MessageId, Waiter[]>()
  let isLooking = false

  return {
    of(id) {
      return new Promise((resolve, reject) => {
        const waiters = waiting.get(id)
        if (waiters === undefined) waiting.set(id, [{ resolve, reject }])
        else waiters.push({ resolve, reject })
        if (!isLooking) void look()
      })
    },
    became: tell,
  }

  /** Never rejects. */
  async function look(): Promise<void> {
    isLooking = true
    while (waiting.size > 0) {
      try {
        const applied = await store.applied()
        const due = [...waiting.keys()].filter((id) => seqOf(id) <= applied)
        if (due.length > 0) await settle(due)
      } catch (error) {
        const failed = [...waiting.values()].flat()
        waiting.clear()
        for (const { reject } of failed) reject(error)
      }
      if (waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, pollMilliseconds))
    }
    isLooking = false
  }

  async function settle(due: readonly MessageId[]): Promise<void> {
    const states = await store.messageStates(due)
    for (const [at, id] of due.entries()) tell(id, states[at])
  }

  function tell(id: MessageId, state: MessageState | undefined): void {
    // A replay by hand has made it wait again.
    if (state?.kind === 'waiting') return
    const waiters = waiting.get(id) ?? []
    waiting.delete(id)
    for (const { resolve } of waiters) resolve(state)
  }
}

function seqOf(id: MessageId): Seq {
  return Number(id.slice(1))
}
