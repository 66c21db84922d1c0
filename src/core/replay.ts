import type { Dataset } from './dataset.ts'
import type { ErrorCode } from './errors/index.ts'
import type { Fault } from './fault.ts'
import type { Instant, MessageId, OrderId, Seq } from './ids.ts'
import type { MessageKeys, MessageState, NewMessage, StoredMessage } from './message.ts'
import type { StatusEventKind } from './world.ts'

/** Who does something by hand and why: for the story, never for a log (I9). */
export interface Hand {
  readonly by: string
  readonly reason: string
  readonly at: Instant
}

/** What an inbox entry says when a person has put its message there again. */
export interface Replay {
  readonly by: string
  readonly reason: string
  /** The place that the message has among all others: its own number, or that of the message it is an edit of. */
  readonly of: Seq
  /** Applied although something newer is known. */
  readonly force?: true
  /** The state that it had, and has again when it is refused as stale. */
  readonly was: MessageState
}

/** What became of a replay when its turn came. */
export type ReplayOutcome = 'applied' | 'ignored' | 'dead' | 'stale' | 'already-applied'

/** What was done to one message by hand, and what came of it, oldest first. `seq` ties an outcome to its replay. */
export type Act =
  | (Hand & { readonly kind: 'replayed'; readonly seq: Seq; readonly was: MessageState; readonly force?: true })
  | { readonly kind: 'outcome'; readonly seq: Seq; readonly at: Instant; readonly outcome: ReplayOutcome }
  /** `print`: of the edited body, so that the same edit again makes no second message. */
  | (Hand & {
      readonly kind: 'edited'
      readonly seq: Seq
      readonly as: MessageId
      readonly was: MessageState
      readonly print: string
    })
  | (Hand & { readonly kind: 'editOf'; readonly seq: Seq; readonly of: MessageId; readonly force?: true })
  | (Hand & { readonly kind: 'discarded'; readonly seq: Seq; readonly was: MessageState })
  /** Of a status message that its receiver refused. */
  | (Hand & { readonly kind: 'sentAgain'; readonly was: string })

/** The rules by which a message is `ignored` because of what a person did. */
export const handRules = { alreadyApplied: 'already-applied', edited: 'edited', discarded: 'discarded' } as const

/** Inbound: `dead` could not be applied, `invalid` was not understood. Outbound: `refused` by its receiver. */
export const letterKinds = ['dead', 'invalid', 'refused'] as const
export type LetterKind = (typeof letterKinds)[number]

/** A message that somebody has to look at. */
export interface Letter {
  /** `M...`; of a status message its destination, a dot, and its number there. */
  readonly id: string
  readonly kind: LetterKind
  /** Why, by its first error. */
  readonly fault: Pick<Fault, 'code' | 'params' | 'place' | 'rule'>
  /** Of a refusal: MSA-1 and the receiver's error code. */
  readonly answer?: string
  /** Name of the source or the destination. */
  readonly endpoint: string
  readonly controlId: string
  /** MSH-9, or what a status message tells. */
  readonly type: string
  /** When it came, or was decided. */
  readonly at: Instant
  readonly attempts: number
  /** Of a message that came. */
  readonly state?: MessageState
  /** The order of a status message. */
  readonly orderId?: OrderId
}

/** All that are given must fit. */
export interface LetterQuery {
  readonly kinds: readonly LetterKind[]
  readonly code?: ErrorCode
  readonly answer?: string
  readonly endpoint?: string
  readonly controlId?: string
  readonly accessionNumber?: string
  readonly patientId?: string
  readonly orderNumber?: string
  /** Came at this moment or later; before that moment. */
  readonly since?: Instant
  readonly until?: Instant
}

/** Letters that are there for one reason. */
export interface LetterGroup {
  readonly kind: LetterKind
  readonly code: ErrorCode
  readonly answer?: string
  readonly endpoint: string
  readonly count: number
  readonly oldest: Instant
  readonly newest: Instant
}

export interface LetterPage {
  readonly items: readonly Letter[]
  readonly total: number
  readonly next: string | null
}

export type Again =
  | { readonly kind: 'stored'; readonly seq: Seq; readonly messageId: MessageId }
  /** Somebody has done something to it in the meantime: nothing was done. */
  | { readonly kind: 'changed' }

/** What today's pipeline says of a kept message. */
export type JudgedAgain = Pick<StoredMessage, 'type' | 'pipeline' | 'planId'> & {
  readonly state: MessageState
  readonly keys: MessageKeys
}

export type KeptMessage = StoredMessage & { readonly body: Uint8Array; readonly acknowledgment: Uint8Array }

/** A status message that its receiver refused, with its text. */
export type RefusedMessage = Letter & { readonly bytes: Uint8Array; readonly acts: readonly Act[] }

/** What people do to kept messages: each method is one atomic script. */
export interface Replays {
  /** Puts a message back into the inbox, or into the state that today's pipeline gives it. */
  replayMessage(message: KeptMessage, judged: JudgedAgain, hand: Hand & { readonly force?: true }): Promise<Again>
  /** Keeps a corrected message beside the one that it is an edit of. The same edit again answers the same id. */
  editMessage(message: KeptMessage, edited: NewMessage, hand: Hand & { readonly force?: true }): Promise<Again>
  discardMessage(message: KeptMessage, hand: Hand): Promise<Again>
  /** What was done to each of these messages by hand. */
  acts(ids: readonly MessageId[]): Promise<readonly (readonly Act[])[]>
  /** Newest first, or `oldest` first; `after` is an id, of a letter that may be gone. */
  letters(
    query: LetterQuery,
    page: { readonly limit: number; readonly after?: string; readonly oldest?: true },
  ): Promise<LetterPage>
  /** By kind, reason and endpoint, most first. */
  letterGroups(query: LetterQuery): Promise<readonly LetterGroup[]>
  refusedMessage(id: string): Promise<RefusedMessage | undefined>
  /**
   * Owes a refused status message to its receiver again: the same bytes, in its place among those of its order.
   * `stale`: something later of the order was delivered, and it is not forced.
   */
  sendAgain(id: string, hand: Hand & { readonly force?: true }): Promise<'owed' | 'stale' | 'gone'>
  /** Owes it to nobody any more; its line stays in the story. */
  discardRefused(id: string, hand: Hand): Promise<'discarded' | 'gone'>
}

/** One value that a replay would change, as it is and as it would be: patient data, for who asks with the token. */
export interface Difference {
  readonly about: 'order' | 'step' | 'patient'
  readonly orderId?: OrderId
  readonly step?: string
  /** DICOM keyword, or one of our words. */
  readonly attribute: string
  /** `null`: nothing. */
  readonly now: Dataset[string] | readonly string[] | null
  readonly becomes: Dataset[string] | readonly string[] | null
}

/** Why a replay is stale, and how that is said. */
export const staleReasons = {
  'newer-order': 'its order has seen something later',
  'newer-patient': 'something later has said who the patient is',
  'order-gone': 'it was applied, and its order is no longer kept',
} as const
export type StaleReason = keyof typeof staleReasons

export interface ReplayPreview {
  readonly id: string
  readonly outcome: ReplayOutcome | 'invalid'
  readonly stale?: StaleReason
  /** `ignored`: by which rule. */
  readonly rule?: string
  /** `invalid`, `dead`: why. */
  readonly faults: readonly Fault[]
  readonly differences: readonly Difference[]
  readonly orders: readonly { readonly id: OrderId; readonly isNew: boolean }[]
  /** Who would be told what. */
  readonly messages: readonly { readonly endpoint: string; readonly event?: StatusEventKind }[]
}

/** What became of one that was asked for. */
export interface Replayed {
  readonly id: string
  /** `waiting`: its turn has not come yet. `sent`: owed to its receiver again. `changed`, `gone`: nothing was done. */
  readonly outcome: ReplayOutcome | 'invalid' | 'waiting' | 'sent' | 'changed' | 'gone'
  readonly seq?: Seq
  readonly state?: MessageState
  /** With `stale`, for one message. */
  readonly preview?: ReplayPreview
}

/** A corrected message: its bytes, or fields of the kept one that are replaced. */
export type Edit =
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fields'; readonly set: readonly { readonly path: string; readonly value: string }[] }

export interface Replayer {
  preview(id: MessageId, edit?: Edit): Promise<ReplayPreview & { readonly text: string }>
  replay(id: string, hand: { by: string; reason: string; force: boolean }): Promise<Replayed>
  edit(id: MessageId, edit: Edit, hand: { by: string; reason: string; force: boolean }): Promise<Replayed>
  discard(id: string, hand: { by: string; reason: string }): Promise<Replayed>
  /** Some of those that fit, oldest first, so that what belongs together keeps its order; `next` goes on behind them. */
  replayAll(
    query: LetterQuery,
    hand: { by: string; reason: string; force: boolean },
    page: { limit: number; after?: string },
  ): Promise<{ readonly items: readonly Replayed[]; readonly total: number; readonly next: string | null }>
}
