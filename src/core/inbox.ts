import type { Instant, MessageId, OrderId, PlanId, Seq } from './ids.ts'
import type { PerformedProcedureStep, SeriesFacts } from './order.ts'
import type { OrthancChangeRow } from './orthanc-change.ts'
import type { Replay } from './replay.ts'

/** What a change in Orthanc means to us. `seen`: images of this series have arrived. */
export type ImageEvent = 'seen' | 'stable' | 'deleted'

/** What waits to be applied, in the one order (I3). */
export type InboxEntry = { readonly seq: Seq; readonly at: Instant } & (
  | {
      readonly kind: 'message'
      readonly messageId: MessageId
      readonly source: string
      readonly planId: PlanId
      /** As in `NewMessage`: it is judged again as it was judged. */
      readonly sender?: string
      /** A person has put it here again. */
      readonly replay?: Replay
    }
  | {
      readonly kind: 'images'
      readonly orthanc: string
      readonly event: ImageEvent
      readonly series: readonly SeriesFacts[]
      readonly study: string
    }
  /** What Orthanc told, row by row, after the images that came with it: status pipelines may listen to any of them. */
  | { readonly kind: 'changes'; readonly orthanc: string; readonly rows: readonly OrthancChangeRow[] }
  /** What a modality told by MPPS; `endpoint` is who received it. */
  | { readonly kind: 'performed'; readonly endpoint: string; readonly performed: PerformedProcedureStep }
  | { readonly kind: 'deadline'; readonly subject: string; readonly due: Instant }
  | { readonly kind: 'manual'; readonly by: string; readonly reason: string; readonly command: Command }
)

/**
 * What a person may do by hand. Without `step` (the step's key) all steps of the
 * order are meant; `study` is a study's key, `<orthanc>/<Orthanc's identifier>`.
 */
export type Command =
  | { readonly kind: 'complete'; readonly orderId: OrderId; readonly step?: string }
  | { readonly kind: 'cancel'; readonly orderId: OrderId; readonly step?: string }
  /** What has ended is open again: STARTED when it has images, else SCHEDULED. */
  | { readonly kind: 'reopen'; readonly orderId: OrderId; readonly step?: string }
  /** These images are of this order, whatever their identifiers say. */
  | { readonly kind: 'link'; readonly orderId: OrderId; readonly study: string; readonly step?: string }
  /** These images are not of this order. */
  | { readonly kind: 'unlink'; readonly orderId: OrderId; readonly study: string }
  /** The site's rules have changed: what waits is judged by the new ones. Given by the engine at its start. */
  | { readonly kind: 'reconsider'; readonly orderId: OrderId }
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
  /** The rows that were read, in Orthanc's order; they enter the inbox behind `events`. */
  readonly rows?: readonly OrthancChangeRow[]
  /** `Study/<id>`, `Series/<id>`, `Instance/<id>`: what could not be read and was passed by; kept until it is in `madeGood`. */
  readonly passed?: readonly string[]
  readonly madeGood?: readonly string[]
  /** True when nothing was left to read behind `next`: everything that happened before `at` is in the inbox. */
  readonly caughtUp: boolean
}

/**
 * Rows that only Orthanc's plugin sees (Deleted, OrthancStarted, jobs, ...). The plugin
 * numbers what it brings within its `spool` and brings it again until it is taken:
 * numbers that were taken before are left out.
 */
export interface SpooledChanges {
  readonly orthanc: string
  /** Made anew with each spool file. */
  readonly spool: string
  /** Ascending numbers. */
  readonly rows: readonly (OrthancChangeRow & { readonly number: number })[]
  /** Studies that were deleted and are there again: the row is kept, the event `deleted` is left out. */
  readonly restored?: readonly string[]
  readonly at: Instant
}
