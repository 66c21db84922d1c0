import type { DatasetValue } from './dataset.ts'
import type { Fault } from './fault.ts'
import type { ItemId, OrderId } from './ids.ts'
import type { StatusEventKind } from './world.ts'

/** Messages that nobody has sent, and by which pipelines they are to be judged. */
export interface TrialAsked {
  readonly source: string
  /** In the order in which they would come: each sees what those before it have done. */
  readonly messages: readonly Uint8Array[]
  /** IP address of the machine that would send them; absent: none. */
  readonly sender?: string
  /** What a plan is made of, as the store keeps it; absent: the plan in force. */
  readonly plan?: string
}

/** What one of them would do, if it came now. */
export interface Trial {
  readonly outcome: 'applied' | 'unchanged' | 'ignored' | 'invalid' | 'dead'
  /** `ignored`: by which rule. */
  readonly rule?: string
  /** `invalid`, `dead`: why. */
  readonly faults: readonly Fault[]
  readonly orders: readonly { readonly id: OrderId; readonly isNew: boolean }[]
  readonly items: readonly TrialItem[]
  /** Who would be told what. */
  readonly messages: readonly { readonly endpoint: string; readonly event?: StatusEventKind }[]
}

/** An item of the worklist that it would change. `withdrawn`: no modality is shown it any more. */
export interface TrialItem {
  readonly id: ItemId
  readonly kind: 'new' | 'changed' | 'withdrawn' | 'shown'
  readonly accessionNumber: string
  readonly step: string
  readonly differences: readonly ItemDifference[]
}

export type TryMessages = (asked: TrialAsked) => Promise<readonly Trial[]>

/** One attribute of an item, as it is and as it would be; null: nothing. Patient data, for who asks with the token. */
export interface ItemDifference {
  /** DICOM keyword, or `stepStatus`, `served`. */
  readonly attribute: string
  readonly now: DatasetValue | boolean | null
  readonly becomes: DatasetValue | boolean | null
}
