import type { Instant, MessageId, OrderId, PlanId, Seq } from './ids.ts'
import type { InboxEntry } from './inbox.ts'
import type { Order, Study } from './order.ts'

/**
 * The story of one order, from its first message to the last status: what came, what it did, what was told, and what
 * became of that. It is about a person, so it is for who asks with the token; names are not in it.
 */
export interface Story {
  readonly order: Order
  /** Studies that were ever said to be of it. */
  readonly studies: readonly Study[]
  /** What is still to come by itself. */
  readonly deadlines: readonly { readonly kind: string; readonly due: Instant }[]
  /** Oldest first. */
  readonly lines: readonly StoryLine[]
}

export interface StoryLine {
  readonly at: Instant
  /** Sequence number of the entry that caused it; absent for what happened outside of the inbox (a pause). */
  readonly cause?: Seq
  /** What that was. */
  readonly causedBy: InboxEntry['kind'] | 'delivery' | 'pause' | 'unknown'
  /** Our id of the message that caused it. */
  readonly messageId?: MessageId
  /** Which plan judged the message that came. */
  readonly planId?: PlanId
  /** MSH-10 of the message that came, or that was sent. */
  readonly controlId?: string
  /** Name of the source or the destination. */
  readonly endpoint?: string
  readonly what: string
  /** Who did it by hand, and why. */
  readonly by?: string
  readonly reason?: string
}

/** Undefined where no such order is kept. */
export type TellStory = (id: OrderId) => Promise<Story | undefined>
