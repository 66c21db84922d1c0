import type { Instant, MessageId, OrderId, PlanId, Seq } from './ids.ts'
import type { SeriesFacts } from './order.ts'

/** What a change in Orthanc means to us. `seen`: images of this series have arrived. */
export type ImageEvent = 'seen' | 'stable' | 'deleted'

/** What waits to be applied, in the one order (I3). */
export type InboxEntry = { readonly seq: Seq; readonly at: Instant } & (
  | { readonly kind: 'message'; readonly messageId: MessageId; readonly source: string; readonly planId: PlanId }
  | {
      readonly kind: 'images'
      readonly orthanc: string
      readonly event: ImageEvent
      readonly series: readonly SeriesFacts[]
      readonly study: string
    }
  | { readonly kind: 'deadline'; readonly subject: string; readonly due: Instant }
  | { readonly kind: 'manual'; readonly by: string; readonly reason: string; readonly command: Command }
)

/** What a person may do by hand (issue 3 widens it). */
export type Command =
  | { readonly kind: 'complete'; readonly orderId: OrderId }
  | { readonly kind: 'cancel'; readonly orderId: OrderId }
  /** Nothing has happened for so long that nobody waits for it: its steps leave the worklist. Given by retention. */
  | { readonly kind: 'expire'; readonly orderId: OrderId }

/** A position in one Orthanc's change feed. `identity` changes when its database was made anew. */
export interface Cursor {
  readonly seq: number
  readonly identity: string
}

/** Events that go into the inbox together with the move of the cursor (I6). */
export interface FeedAdvance {
  readonly orthanc: string
  readonly expected: Cursor | undefined
  readonly next: Cursor
  readonly at: Instant
  readonly events: readonly {
    readonly event: ImageEvent
    readonly study: string
    readonly series: readonly SeriesFacts[]
  }[]
  /** True when nothing was left to read behind `next`: everything that happened before `at` is in the inbox. */
  readonly caughtUp: boolean
}
