import type { Instant, MessageId } from './ids.ts'
import type { StoredMessage } from './message.ts'

/** A kept message as it came, with what became of it. */
export type KeptTraffic = StoredMessage & { readonly body: Uint8Array }

/** All that are given must fit. */
export interface TrafficQuery {
  readonly source?: string
  /** Came at this moment or later; before that moment. */
  readonly since?: Instant
  readonly until?: Instant
  readonly limit: number
  /** The messages that came after this one. */
  readonly after?: MessageId
}

export interface TrafficPage {
  readonly items: readonly KeptTraffic[]
  /** How many messages are kept, whether they fit or not: so much there is to look through. */
  readonly total: number
  /** Looked through so far in this page, fitting or not. */
  readonly looked: number
  /** Go on behind this one; null at the end. A page may be short, or empty, and not the last. */
  readonly next: MessageId | null
}

/** Kept messages in the order in which they came, with their bytes: what a changed pipeline is tried with. */
export interface Traffic {
  traffic(query: TrafficQuery): Promise<TrafficPage>
}
