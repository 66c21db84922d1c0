import type { Configurations } from './configuration.ts'
import type { EngineError } from './errors/index.ts'
import type { Dataset } from './dataset.ts'
import type { FeedAdvance, InboxEntry, Command, Cursor, SpooledChanges } from './inbox.ts'
import type { Instant, ItemId, MessageId, OrderId, PlanId, Seq } from './ids.ts'
import type { Accepted, MessageState, NewMessage, StoredMessage } from './message.ts'
import type { Order, PerformedProcedureStep, StepStatus, Study, WorklistItem } from './order.ts'
import type { OrthancChangeRow } from './orthanc-change.ts'
import type { Replays } from './replay.ts'
import type { RetryPlan } from './retry.ts'
import type { RetentionLimits } from './settings.ts'
import type { Traffic } from './traffic.ts'
import type { Change, Lookup, StatusEventKind, World } from './world.ts'

/** UTC now. */
export type Clock = () => Instant

/** One line per thing that happened, past tense, fields not prose, no patient data (I9). */
export interface Log {
  debug(fields: LogFields, event: string): void
  info(fields: LogFields, event: string): void
  warn(fields: LogFields, event: string): void
  error(fields: LogFields, event: string): void
}
export type LogFields = Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>

/** The way in. Each method is one atomic script: it happened as a whole, or it throws E501 (store unavailable) and may be tried again. */
export interface Inbox {
  accept(message: NewMessage): Promise<Accepted>
  /** `moved`: another process has read on from `expected`; nothing was stored. */
  acceptEvents(advance: FeedAdvance): Promise<'stored' | 'moved'>
  /** Takes what the plugin brings, each row once; a deleted study is also the event `deleted`. Answers how many rows were new. */
  acceptChanges(spooled: SpooledChanges): Promise<number>
  acceptManual(entry: { by: string; reason: string; command: Command; at: Instant }): Promise<Seq>
  /** MPPS evidence, from whoever receives MPPS. */
  acceptPerformed(entry: { endpoint: string; performed: PerformedProcedureStep; at: Instant }): Promise<Seq>
  /**
   * Moves deadlines that are due into the inbox; those of subjects `quiet:*` only up to `quietUpTo`, or as far as the
   * Orthancs that have images of their order have been read (`readUpTo`, by name). Answers how many.
   */
  acceptDeadlines(now: Instant, quietUpTo: Instant, readUpTo?: ReadonlyMap<string, Instant>): Promise<number>
}

export interface Lease {
  readonly role: string
  readonly token: number
  /** False once it is known to be lost. The commit script checks the token itself. */
  held(): boolean
  release(): Promise<void>
}

/** Roles that one process has at a time. */
export interface Leases {
  /** Undefined when another process holds it. It is renewed until released or lost. `takeOver`: take it even so (the holder is known to be dead). */
  lease(role: string, options?: { readonly takeOver?: boolean }): Promise<Lease | undefined>
}

/** What the drainer works with. */
export interface Ledger {
  /** Sequence number of the last entry applied. */
  applied(): Promise<Seq>
  pending(after: Seq, limit: number): Promise<readonly InboxEntry[]>
  /** The bodies of messages, in the order asked. */
  bodies(ids: readonly MessageId[]): Promise<readonly (Uint8Array | undefined)[]>
  /** The world for these lookups on top of `known`; answers `known` again, extended. */
  load(lookups: readonly Lookup[], known?: LoadedWorld): Promise<LoadedWorld>
  /**
   * All changes or none, if the token is still the newest of its role and `after` still the last entry applied.
   * `fenced`: the token is not the newest, the role is lost. `stale`: the role is not lost, but what was read is no
   * longer what is there (an entry was applied, or retention removed something of it); read again and go on.
   */
  commit(
    lease: Lease,
    after: Seq,
    upTo: Seq,
    changes: readonly Change[],
    known: LoadedWorld,
  ): Promise<'committed' | 'fenced' | 'stale'>
}

/** The world as it was loaded; `apply` works on an overlay of it. */
export interface LoadedWorld extends World {
  readonly loaded: ReadonlySet<string>
}

/** What people and the command line ask for. */
export interface MessageStore {
  message(
    id: MessageId,
  ): Promise<(StoredMessage & { readonly body: Uint8Array; readonly acknowledgment: Uint8Array }) | undefined>
  messages(query: MessageQuery): Promise<Page<StoredMessage>>
  counts(): Promise<readonly SourceCounts[]>
}

/** Application acknowledgments that senders in enhanced mode are owed (HL7 2.5.1 §2.9.3): their message was committed. */
export interface Replies {
  /** Messages whose acknowledgment this sender is owed, oldest first. */
  owedReplies(source: string, sender: string, limit: number): Promise<readonly MessageId[]>
  settleReplies(source: string, sender: string, ids: readonly MessageId[]): Promise<void>
  /** Undefined: not kept any more. */
  messageStates(ids: readonly MessageId[]): Promise<readonly (MessageState | undefined)[]>
  /** This message is judged afresh when it comes again. */
  forgetMessage(message: Pick<NewMessage, 'source' | 'controlId' | 'fingerprint'>, id: MessageId): Promise<void>
}

export interface MessageQuery {
  readonly state?: MessageState['kind']
  readonly source?: string
  readonly controlId?: string
  readonly accessionNumber?: string
  readonly patientId?: string
  readonly orderNumber?: string
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: string
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly total: number
  readonly next: string | null
}

/** received = waiting + applied + ignored + invalid + dead, always. */
export interface SourceCounts {
  readonly source: string
  readonly received: number
  readonly waiting: number
  readonly applied: number
  readonly ignored: number
  readonly invalid: number
  readonly dead: number
}

/** The store's own figures: exact through crashes, and the same for every engine that asks. */
export interface Counters {
  /** All of them, as they are at one moment. */
  counters(): Promise<StoreCounters>
  /**
   * Counts what is there and answers what the counters said otherwise. `check`: the sums, and only where they differ
   * everything; `look` changes nothing, the others put the counters right.
   */
  recount(how: 'check' | 'look' | 'repair'): Promise<readonly CounterDifference[]>
}

export interface StoreCounters {
  /** Of each source that ever sent something; `oldestSeconds`: how long the oldest has waited, by Redis's clock. */
  readonly sources: readonly (SourceCounts & { readonly oldestSeconds: number | undefined })[]
  readonly destinations: readonly DestinationCounts[]
  /** What a person should look at, ever, by code. */
  readonly notices: ReadonlyMap<string, number>
}

/** queued = waiting + delivered + dead + discarded, always. */
export interface DestinationCounts {
  readonly destination: string
  readonly queued: number
  readonly waiting: number
  readonly delivered: number
  /** Refused for good, and kept. */
  readonly dead: number
  /** Dead ones that are kept no more. */
  readonly discarded: number
  /** When the oldest waiting one was decided. */
  readonly oldest: Instant | undefined
}

export type CounterDifference = { readonly what: string; readonly counted: number; readonly found: number } & (
  | { readonly source: string }
  | { readonly destination: string }
)

/** What is read of the worklist. */
export interface WorklistStore {
  item(id: ItemId): Promise<WorklistItem | undefined>
  items(ids: readonly ItemId[]): Promise<readonly (WorklistItem | undefined)[]>
  /** Items whose version is greater, oldest first; withdrawn ones too (`served: false`). */
  itemsSince(version: Seq, limit: number): Promise<readonly WorklistItem[]>
  order(id: OrderId): Promise<Order | undefined>
  orders(lookup: Lookup): Promise<readonly Order[]>
  studies(lookup: Lookup): Promise<readonly Study[]>
  history(id: OrderId): Promise<readonly HistoryLine[]>
  /** Orders by what identifies them, newest first. */
  findOrders(query: OrderQuery): Promise<Page<Order>>
  /** Studies by what identifies them, newest images first. */
  findStudies(query: StudyQuery): Promise<Page<Study>>
  /** Orders that have a step which has not ended, some at a time and in no order, from `after` on (undefined: from the beginning). `next` is null at the end. */
  openOrders(after: string | undefined): Promise<{ readonly ids: readonly OrderId[]; readonly next: string | null }>
  /** How many orders have a step which has not ended, by the name of their source. Reads all orders, some at a time. */
  openOrdersBySource(): Promise<ReadonlyMap<string, number>>
  /** The studies that were ever credited to an order, or linked to it, and are still kept. */
  studiesOf(id: OrderId): Promise<readonly Study[]>
  /** What is still to come for an order by itself: `quiet`, `expire`. */
  deadlinesOf(id: OrderId): Promise<readonly { readonly kind: string; readonly due: Instant }[]>
  /** The newest changes that Orthancs told, newest first. */
  orthancChanges(limit: number): Promise<readonly KeptRow[]>
  /**
   * Calls back after each commit that changed items, with the version reached. Missed calls are made good by asking `itemsSince`.
   * `isRewound`: the store has come back with less than it had; all that was read must be read again.
   */
  onChange(listener: (version: Seq, isRewound?: boolean) => void): () => void
}

export interface HistoryLine {
  readonly cause: Seq
  readonly at: Instant
  readonly what: string
  readonly messageId?: MessageId
  /** What kind of entry it was; `delivery`: what a receiver answered. Absent in lines that are written in between (lines left out). */
  readonly causedBy?: InboxEntry['kind'] | 'delivery'
  /** MSH-10 of the message that a receiver answered. */
  readonly controlId?: string
  /** Who did it by hand, and why. */
  readonly by?: string
  readonly reason?: string
}

/** All that are given must fit. */
export interface OrderQuery {
  readonly accessionNumber?: string
  /** Placer or filler order number, or appointment ID, of whatever authority. */
  readonly orderNumber?: string
  /** Patient ID without its issuer. */
  readonly patientId?: string
  readonly studyInstanceUid?: string
  /** Of any of its steps. */
  readonly stepStatus?: StepStatus
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: string
}

/** All that are given must fit. */
export interface StudyQuery {
  readonly accessionNumber?: string
  readonly studyInstanceUid?: string
  /** Patient ID without its issuer, as the images have it. */
  readonly patientId?: string
  /** Credited to it, linked to it, or taken from it. */
  readonly orderId?: OrderId
  /** Of studies that Orthanc still has. */
  readonly credit?: Exclude<Study['credit']['kind'], 'matched'>
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: string
}

/** Which processes are in the midst of applying something: what is left of one that ended there. */
export interface AttemptMarks {
  /** Answers how many are at what comes after this entry, this one included. */
  beginAttempt(process: string, after: Seq): Promise<number>
  endAttempt(process: string): Promise<void>
}

/** What the engine remembers of its site from one start to the next. */
export interface SiteMemory {
  remembered(name: string): Promise<string | undefined>
  rememberOfSite(name: string, value: string): Promise<void>
}

/** What Orthanc told, as it is kept to be looked at. */
export interface KeptRow extends OrthancChangeRow {
  readonly orthanc: string
  readonly cause: Seq
}

/** Items that a pushed target (folder, rest) does not have in their newest version. */
export interface TargetLedger {
  dirty(target: string, limit: number): Promise<readonly { readonly id: ItemId; readonly version: Seq }[]>
  /** Forgets the mark if the item has not changed since `version`. */
  clean(target: string, id: ItemId, version: Seq): Promise<void>
  /** Marks items (all that were ever served, when none are named) to be brought again. */
  soil(target: string, ids?: readonly ItemId[]): Promise<void>
  /** Ids of all items that should be in a target now. */
  servedIds(): Promise<readonly ItemId[]>
}

/** One owed status message. */
export interface Owed {
  readonly id: string
  readonly endpoint: string
  readonly lane: OrderId
  readonly controlId: string
  readonly bytes: Uint8Array
  readonly attempts: number
  readonly at: Instant
  /** Not before this moment (backoff after AR), if set. */
  readonly notBefore?: Instant
}

export interface Outbox {
  /** The oldest owed messages of an endpoint, in order, paused or not. */
  owed(endpoint: string, limit: number): Promise<readonly Owed[]>
  /**
   * Fenced like a commit. `refused` is a dead letter (AE, CE) with its reason. `paused`: it is settled,
   * and nothing more is to be sent to this endpoint now.
   */
  settle(lease: Lease, id: string, outcome: Delivery): Promise<'settled' | 'paused' | 'fenced'>
  /** What was ever decided to be sent for an order and is still kept: waiting, refused, and delivered as long as the order is kept. Without their bytes. */
  sent(lane: OrderId): Promise<readonly SentMessage[]>
  /** Holds what is owed to an endpoint, or lets it go again; for all processes, until it is changed. False: it was so already. */
  pause(endpoint: string, change: PauseChange): Promise<boolean>
  /** Set while the endpoint is paused. */
  paused(endpoint: string): Promise<Pause | undefined>
  /** The newest changes between paused and not, oldest first. */
  pauses(endpoint: string): Promise<readonly PauseChange[]>
  /** How the endpoint is being tried again; undefined while it takes what it is sent. */
  retryPlan(endpoint: string): Promise<RetryPlan | undefined>
  /** Keeps that for whoever has the role next, and for all who ask; fenced like a commit. */
  keepRetryPlan(lease: Lease, plan: RetryPlan | undefined): Promise<'kept' | 'fenced'>
  /** Waiting, ever delivered, dead letters that are kept, the age of the oldest waiting, and whether it is held by a person. */
  state(endpoint: string): Promise<OutboxState>
}

export interface OutboxState {
  readonly waiting: number
  readonly delivered: number
  readonly dead: number
  readonly oldest: Instant | undefined
  readonly paused: Pause | undefined
  /** Set while it does not take what it is sent. */
  readonly retry: RetryPlan | undefined
  /** Set while the oldest was answered AR or CR: it waits, and holds its order. */
  readonly deferred?: Deferred
}

/** Not taken now; `attempts` so far, not again before `next`. */
export interface Deferred {
  readonly reason: string
  readonly attempts: number
  readonly next: Instant
}

/** A person holds what is owed to a destination. */
export interface Pause {
  readonly by: string
  /** In that person's words: for who asks with the token, never for the log (I9). */
  readonly reason: string
  readonly since: Instant
}

export interface PauseChange {
  readonly paused: boolean
  readonly by: string
  readonly reason: string
  readonly at: Instant
}

/** One status message of an order, from its decision to its acknowledgment. */
export interface SentMessage {
  readonly endpoint: string
  /** MSH-10 */
  readonly controlId: string
  /** When it was decided. */
  readonly at: Instant
  /** Sequence number of the entry that decided it, what it told, and the pipeline that wrote it. */
  readonly cause: Seq
  readonly event?: StatusEventKind
  readonly pipeline?: string
  /** `discarded`: it was refused, and a person decided that it is owed no more. */
  readonly state: 'waiting' | 'delivered' | 'refused' | 'discarded'
  /** How often it was sent; those without an answer count. */
  readonly attempts: number
  readonly settledAt?: Instant
  readonly acknowledgmentCode?: string
  /** Of a refusal, or of the last attempt of one that waits. */
  readonly reason?: string
}

export type Delivery =
  | { readonly kind: 'delivered'; readonly at: Instant; readonly acknowledgmentCode: string }
  | { readonly kind: 'retry'; readonly at: Instant; readonly notBefore: Instant; readonly reason: string }
  | { readonly kind: 'refused'; readonly at: Instant; readonly acknowledgmentCode: string; readonly reason: string }
  /** No answer: the attempt is counted, nothing else. `reason` is our code. */
  | { readonly kind: 'unanswered'; readonly at: Instant; readonly reason: string }

/**
 * What happens in one Orthanc, as events in the inbox.
 *
 * Each poll reads one page of /changes behind the durable cursor and puts what it
 * means into the inbox together with the cursor's move (I6): a crash before repeats
 * the page, a crash after has lost nothing, two processes never both store it.
 * The rows themselves go there too, behind the events of their page.
 */
export interface ChangeFeed {
  readonly name: string
  /**
   * Reads one page and answers what of it was stored. Call it again while `caughtUp` is
   * false. Throws E4xx (Orthanc) or E501 (store); then nothing was stored.
   */
  poll(): Promise<{
    readonly events: number
    readonly rows: readonly OrthancChangeRow[]
    readonly caughtUp: boolean
  }>
  /** Who Orthanc's database is, from its plugin; undefined without one. */
  identity(): Promise<string | undefined>
  /**
   * Rows that the plugin brought, with the study that each belongs to, and the studies of
   * which it says that they were deleted and which are there again.
   */
  complete<R extends OrthancChangeRow>(
    rows: readonly R[],
  ): Promise<{ readonly rows: readonly R[]; readonly restored: readonly string[] }>
}

export interface Feeds {
  cursor(orthanc: string): Promise<(Cursor & { readonly caughtUpAt: Instant | undefined }) | undefined>
  /** Studies of this Orthanc seen but not stable since before `before`: their StableStudy may be lost (I6). */
  unstableStudies(orthanc: string, before: Instant, limit: number): Promise<readonly string[]>
  /** The same, seen after `after`: by a clock that was ahead, and was put right since. */
  unstableStudiesAfter(orthanc: string, after: Instant, limit: number): Promise<readonly string[]>
  /** Some of what was passed by and not made good, others each time. */
  passedBy(orthanc: string, limit: number): Promise<readonly string[]>
}

/** Plans outlive the files they came from: a message is judged again, after a crash, by the plan that judged it. */
export interface PlanStore {
  remember(id: PlanId, sources: string): Promise<void>
  recall(id: PlanId): Promise<string | undefined>
}

export interface StoreHealth {
  /** Resolves when the store answers, rejects with E501. */
  ping(): Promise<void>
  /** Whether commands would go through now. */
  isUp(): boolean
  /** Which store this is: the same for all engines of it, another one after a restore or an accepted loss. */
  storeName(): string
  /** Called at each change between up and down. */
  onHealth(listener: (up: boolean) => void): () => void
  /** Why Redis, which answers, takes no new messages: short of memory (E518), or not the store that it was. */
  trouble(): EngineError | undefined
  /** What works now and may not for long: a disk that is nearly full (E526), a Redis that may lose data (E504, E505). */
  concern(): EngineError | undefined
  /** Called when new messages are no longer taken, and when they are again. */
  onIntake(listener: (open: boolean) => void): () => void
  /** Bytes used by Redis, and its limit (0: none). */
  memory(): Promise<{ readonly used: number; readonly limit: number }>
}

export interface Retention {
  /**
   * Removes what is older or more than the limits, never what is waiting, owed or served. Answers how many were removed.
   * Served orders whose last scheduled day and last change are over for longer than `orderDays` are put into the inbox
   * to be expired (`expired`); where there are more than `orderCount`, for longer than 7 days.
   */
  retain(
    now: Instant,
    limits: RetentionLimits,
  ): Promise<{ readonly messages: number; readonly orders: number; readonly expired: number }>
}

/** All of it: one Redis behind one object. */
export interface Store
  extends
    Inbox,
    Leases,
    Ledger,
    AttemptMarks,
    MessageStore,
    Replies,
    Replays,
    Traffic,
    Counters,
    WorklistStore,
    TargetLedger,
    Outbox,
    Feeds,
    PlanStore,
    SiteMemory,
    Configurations,
    Retention,
    StoreHealth {
  close(): Promise<void>
}

/** Something that holds worklist items and can be brought up to date; doing it again changes nothing (I5). */
export interface WorklistTarget {
  readonly name: string
  /** Served: the item is there in this version afterwards. Not served: it is gone afterwards. Part 10 bytes are made by the caller's `part10`. */
  /**
   * A newer version that the target holds stays. `over` is one that is nobody's any more: the store was put back to
   * an older state.
   */
  bring(item: WorklistItem, over?: Seq): Promise<void>
  /** What the target holds of ours; foreign items are not listed. */
  held(): AsyncIterable<HeldItem>
  /** Answers "would bringing work now?" without doing it; throws an EngineError that says why not. */
  probe(): Promise<void>
}

export interface HeldItem {
  readonly id: ItemId
  /** Undefined where the target cannot tell. */
  readonly version: Seq | undefined
}

/** Sends bytes to a receiver and answers its acknowledgment; one at a time per endpoint. */
export interface MessageSender {
  readonly name: string
  /**
   * Resolves with the acknowledgment whose MSA-2 is `controlId`; others are logged and dropped.
   * Throws E7xx transient errors for silence, refused connections and closed sockets.
   */
  send(bytes: Uint8Array, controlId: string): Promise<Acknowledgment>
  probe(): Promise<void>
  close(): Promise<void>
}

export interface Acknowledgment {
  /** MSA-1. */
  readonly code: 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR'
  /** ERR-3.1 (or ERR-1.4.1 of older versions), `''` without. */
  readonly errorCode: string
}

/** Who asks for the worklist. */
export interface Caller {
  readonly callingAeTitle: string
  readonly calledAeTitle: string
  readonly remoteIp?: string
}

/**
 * A C-FIND identifier as Orthanc decodes it: keys are `gggg,eeee`, values text, and arrays of the same for sequences
 * (`DicomBufferToJson` in SHORT format).
 */
export type DicomJson = { readonly [tag: string]: string | readonly DicomJson[] }

/** All that HTTP sees of answering a C-FIND. */
export interface WorklistAnswerer {
  /** Part 10 bytes of the items that match. Throws E406 while its index is not loaded or lags: the caller must not answer an empty list (I10). */
  find(query: DicomJson, caller: Caller): Promise<readonly Uint8Array[]>
  /** Version and bytes of all served items, for the plugin's snapshot. */
  snapshot(): Promise<{ readonly version: Seq; readonly contents: string; readonly items: readonly Uint8Array[] }>
  /** Version that `snapshot` would have now; cheap. Throws E406 as `snapshot` would: who is told "still the same" must be able to rely on it. */
  version(): Seq
  /**
   * What is served, in one word: the same in every engine that serves the same, and another where the store was put
   * back to an older state and has reached the same version again. Throws E406 as `version` does.
   */
  contents(): string
  search(query: WorklistSearch): Promise<Page<WorklistItem & { readonly messages: readonly MessageId[] }>>
}

export interface WorklistSearch {
  readonly accession?: string
  readonly patientId?: string
  readonly orderNumber?: string
  readonly studyInstanceUid?: string
  readonly modality?: string
  readonly stationAeTitle?: string
  /** DA `20261016` or a DICOM range `20261016-20261018`. */
  readonly date?: string
  readonly stepStatus?: StepStatus
  readonly limit: number
  readonly after?: string
}

/** One part of the engine as `/health/ready` shows it. */
export interface PartHealth {
  readonly name: string
  readonly state: 'up' | 'degraded' | 'down'
  /** One sentence, without patient data. */
  readonly detail?: string
  /** Of the catalogue of errors, with what helps. */
  readonly code?: string
  readonly cure?: string
  /** Of sources and destinations: what waits, and for how long the oldest of it. */
  readonly waiting?: number
  readonly oldestSeconds?: number
  readonly since?: Instant
}

/** The jobs that BullMQ carries. Jobs hold ids only (I9). */
export interface Jobs {
  /** Runs `work` in this process whenever `role` is woken, here or in another process, until stopped. Not run twice at once. */
  serve(role: string, work: () => Promise<void>): Promise<{ stop(): Promise<void> }>
  /** Many calls become one; a lost one costs a sweep interval. */
  wake(role: string): void
  /** One publish job per item and target, always to the newest version; retried with backoff. */
  publish(target: string, ids: readonly ItemId[]): Promise<void>
  servePublish(target: string, work: (id: ItemId) => Promise<void>): Promise<{ stop(): Promise<void> }>
  /** Runs `work` every so many milliseconds in one process of all; a process in which none has begun for three of them runs it too. */
  every(name: string, milliseconds: number, work: () => Promise<void>): Promise<{ stop(): Promise<void> }>
  close(): Promise<void>
}

/** Makes the bytes of an item. */
export type Part10 = (dataset: Dataset) => Uint8Array
