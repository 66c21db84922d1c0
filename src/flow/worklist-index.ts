/**
 * The worklist's keys in memory, one index in each process: a C-FIND is answered
 * from it without scanning and, as a rule, without asking the store.
 *
 * It follows the store: loaded in pages at the start, then brought up to date at each
 * change and, because a notification can be missed, every few seconds. It says when it
 * cannot be trusted: not loaded, or longer than `maxLagSeconds` without having read the
 * store to its end (I10).
 *
 * Kept per item: its keys (about 1 kB); its dataset only for the served items that were
 * used last, at most `datasets` of them.
 */
import type { Dataset } from '../core/dataset.ts'
import { EngineError } from '../core/errors/index.ts'
import type { Instant, ItemId, OrderId, Seq } from '../core/ids.ts'
import { lacksOfItem, lackWords, type Lack } from '../core/lack.ts'
import { endedStatuses, type StepStatus, type WorklistItem } from '../core/order.ts'
import type { Clock, Log, WorklistStore } from '../core/ports.ts'
import { comparable, type CompiledQuery } from '../dicom/match.ts'
import { dateDigits, instantDigits, isWithin } from '../dicom/match-time.ts'
import { itemsOf } from '../dicom/worklist-item.ts'
import { pause } from './pause.ts'

export interface IndexContext {
  readonly store: Pick<WorklistStore, 'items' | 'itemsSince' | 'onChange'>
  readonly clock: Clock
  readonly log: Log
  readonly catchUpSeconds?: number
  readonly maxLagSeconds?: number
  readonly pageSize?: number
  readonly datasets?: number
}

export interface IndexEntry {
  readonly id: ItemId
  readonly orderId: OrderId
  readonly version: Seq
  readonly stepStatus: StepStatus
  readonly served: boolean
  /** Its order is on hold. */
  readonly held: boolean
  /** What nobody has said of it, of an item that is not served. */
  readonly lacks: readonly Lack[]
  /** Start date, time and id in a form that sorts: the same order each time. */
  readonly start: string
  /** A dataset of the keys in `heldKeys` only. */
  readonly keys: Dataset
  readonly updatedAt: Instant
}

export interface WorklistIndex {
  /** True once all items have been read. */
  ready(): boolean
  /** True when the store has not been read to its end for too long. */
  lagging(): boolean
  /** Sequence number up to which it knows all changes. */
  version(): Seq
  /** Which items are served in which versions, in one word. */
  contents(): string
  get(id: ItemId): IndexEntry | undefined
  entries(): IterableIterator<IndexEntry>
  /** Served items whose held keys match, in the order of their start. `query.isCoveredBy(heldKeys)` says whether that is the whole answer. */
  candidates(query: CompiledQuery): readonly IndexEntry[]
  served(): readonly IndexEntry[]
  /** The dataset in the version of the entry, if it is at hand. */
  dataset(entry: IndexEntry): Dataset | undefined
  /** Takes in an item that was read from the store; an older version changes nothing. */
  put(item: WorklistItem): void
  /** Forgets an item that the store no longer has. */
  drop(id: ItemId): void
  /** How many items there are of each step status. */
  counts(): ReadonlyMap<StepStatus, number>
  /** How many open items nobody is served because their order is on hold (`held`), or because of what they lack. */
  hidden(): ReadonlyMap<'held' | Lack, number>
  stop(): Promise<void>
}

const sequence = 'ScheduledProcedureStepSequence'
const itemKeys = [
  'AccessionNumber',
  'PatientID',
  'PatientName',
  'StudyInstanceUID',
  'RequestedProcedureID',
  'PlacerOrderNumberImagingServiceRequest',
  'FillerOrderNumberImagingServiceRequest',
]
const stepKeys = [
  'ScheduledStationAETitle',
  'ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepStartTime',
  'Modality',
  'ScheduledProcedureStepID',
]
export const heldKeys: ReadonlySet<string> = new Set([...itemKeys, ...stepKeys.map((name) => `${sequence}.${name}`)])

const datePath = `${sequence}.ScheduledProcedureStepStartDate`
/** Keys that find served items without looking at the others. */
const bucketPaths = [
  `${sequence}.ScheduledStationAETitle`,
  `${sequence}.Modality`,
  'AccessionNumber',
  'PatientID',
  datePath,
]

/** Starts to load at once and follows the store until stopped. */
export function createWorklistIndex({
  store,
  clock,
  log,
  catchUpSeconds = 2,
  maxLagSeconds = 5,
  pageSize = 500,
  datasets: datasetLimit = 2_000,
}: IndexContext): WorklistIndex {
  const all = new Map<ItemId, IndexEntry>()
  const served = new Map<ItemId, IndexEntry>()
  const buckets = new Map(bucketPaths.map((path) => [path, new Map<string, Set<IndexEntry>>()]))
  const datasets = new Map<ItemId, { readonly version: Seq; readonly dataset: Dataset }>()
  const words = new Map<string, string>()
  const contents = createContents()
  let version: Seq = 0
  let loaded = false
  let readAt: number | undefined
  let failing = false
  let rewound = false
  let swept: IterableIterator<ItemId> = all.keys()

  function put(item: WorklistItem): void {
    const known = all.get(item.id)
    if (known !== undefined && known.version > item.version) return
    forget(item.id)
    const { id, orderId, stepStatus } = item
    const keys = keysOf(item.dataset)
    const entry = {
      id,
      orderId,
      version: item.version,
      stepStatus,
      served: item.served,
      held: item.held === true,
      lacks: item.served ? [] : lacksOfItem(item.dataset),
      start: startOf(keys, id),
      keys,
      updatedAt: item.updatedAt,
    }
    all.set(id, entry)
    if (!item.served) return
    served.set(id, entry)
    contents.toggle(entry)
    for (const [path, bucket] of buckets) {
      const value = textAt(entry.keys, path)
      const members = bucket.get(value)
      if (members === undefined) bucket.set(value, new Set([entry]))
      else members.add(entry)
    }
    datasets.set(id, { version: item.version, dataset: item.dataset })
    // The oldest goes; a Map remembers the order in which its keys came.
    for (const oldest of datasets.keys()) {
      if (datasets.size <= datasetLimit) break
      datasets.delete(oldest)
    }
  }

  function forget(id: ItemId): void {
    const entry = all.get(id)
    if (entry === undefined) return
    all.delete(id)
    datasets.delete(id)
    if (!served.delete(id)) return
    contents.toggle(entry)
    for (const [path, bucket] of buckets) {
      const value = textAt(entry.keys, path)
      const members = bucket.get(value)
      members?.delete(entry)
      if (members?.size === 0) bucket.delete(value)
    }
  }

  /** The keys only, with the few stations, modalities and dates there are stored once. */
  function keysOf(dataset: Dataset): Dataset {
    const step = itemsOf(dataset[sequence])[0] ?? {}
    return { ...pick(dataset, itemKeys), [sequence]: [pick(step, stepKeys)] }
  }

  function pick(dataset: Dataset, names: readonly string[]): Dataset {
    const picked: Record<string, Dataset[string]> = {}
    for (const name of names) {
      const value = dataset[name]
      if (value !== undefined) picked[name] = typeof value === 'string' ? shared(name, value) : value
    }
    return picked
  }

  function shared(name: string, value: string): string {
    if (name !== 'Modality' && name !== 'ScheduledStationAETitle' && name !== 'ScheduledProcedureStepStartDate') {
      return value
    }
    const word = words.get(value)
    if (word !== undefined) return word
    if (words.size > 10_000) words.clear()
    words.set(value, value)
    return value
  }

  async function catchUp(): Promise<void> {
    const startedAt = Date.parse(clock())
    let after = version
    for (;;) {
      const page = await store.itemsSince(after, pageSize)
      for (const item of page) put(item)
      const [first, last] = [page[0], page.at(-1)]
      if (first === undefined || last === undefined) break
      version = Math.max(version, last.version)
      if (page.length < pageSize) break
      // A full page may end inside a version; its items come again with the next, and change nothing.
      after = last.version - 1 > after && first.version !== last.version ? last.version - 1 : last.version
    }
    // Read to its end: all that was committed before this reading began is known.
    readAt = startedAt
    loaded = !rewound
  }

  /** The store is another one than was read: its versions may be older than the ones that are known. */
  function forgetAll(): void {
    rewound = false
    for (const id of all.keys()) forget(id)
    version = 0
    swept = all.keys()
  }

  /** Retention removes items without a change that could be read: a part of them is looked after each time. */
  async function sweep(): Promise<void> {
    const ids: ItemId[] = []
    for (let next = swept.next(); next.done !== true; next = swept.next()) {
      ids.push(next.value)
      if (ids.length === pageSize / 5) break
    }
    if (ids.length === 0) {
      swept = all.keys()
      return
    }
    const items = await store.items(ids)
    for (const [at, id] of ids.entries()) if (items[at] === undefined) forget(id)
  }

  const stopping = new AbortController()
  let nap = new AbortController()
  let changed = false
  const ignoreChanges = store.onChange((_version, isRewound) => {
    changed = true
    if (isRewound === true) rewound = true
    if (rewound) loaded = false
    nap.abort()
  })
  const life = (async () => {
    while (!stopping.signal.aborted) {
      const woken = changed
      changed = false
      if (rewound) forgetAll()
      try {
        await catchUp()
        if (!woken) await sweep()
        if (failing) log.info({ version }, 'worklist index kept up again')
        failing = false
      } catch (error) {
        const code = error instanceof EngineError ? error.code : undefined
        if (!failing) log.warn({ version, code }, 'worklist index not kept up')
        failing = true
      }
      if (changed && !failing) continue
      nap = new AbortController()
      await pause(catchUpSeconds * 1000, AbortSignal.any([stopping.signal, nap.signal]))
    }
  })()

  return {
    ready: () => loaded,
    lagging() {
      // Either way: a clock that was set back says nothing of how old what is known is.
      const isLagging = readAt === undefined || Math.abs(Date.parse(clock()) - readAt) > maxLagSeconds * 1000
      // The clock jumped, or the machine slept: it is read now, not at the next turn.
      if (isLagging && loaded && !failing) nap.abort()
      return isLagging
    },
    version: () => version,
    contents: () => contents.word(),
    get: (id) => all.get(id),
    entries: () => all.values(),
    candidates(query) {
      const found: IndexEntry[] = []
      for (const entry of narrow(query)) if (query.matchesHeld(entry.keys, heldKeys)) found.push(entry)
      return found.sort(byStart)
    },
    served: () => [...served.values()].sort(byStart),
    dataset(entry) {
      const known = datasets.get(entry.id)
      return known?.version === entry.version ? known.dataset : undefined
    },
    put,
    drop: forget,
    counts() {
      const counts = new Map<StepStatus, number>()
      for (const { stepStatus } of all.values()) counts.set(stepStatus, (counts.get(stepStatus) ?? 0) + 1)
      return counts
    },
    hidden() {
      const counts = new Map<'held' | Lack, number>([['held', 0], ...lackWords.map((word) => [word, 0] as const)])
      for (const { served: isServed, held, stepStatus, lacks } of all.values()) {
        if (isServed || endedStatuses.includes(stepStatus)) continue
        const reasons = [...(held ? (['held'] as const) : []), ...lacks]
        for (const why of reasons) counts.set(why, (counts.get(why) ?? 0) + 1)
      }
      return counts
    },
    async stop() {
      stopping.abort()
      ignoreChanges()
      await life
    },
  }

  /** The smallest set of served items that surely holds all that match. */
  function narrow(query: CompiledQuery): Iterable<IndexEntry> {
    let best: readonly Iterable<IndexEntry>[] = [served.values()]
    let least = served.size
    for (const [path, bucket] of buckets) {
      const sets = setsOf(query, path, bucket)
      if (sets === undefined) continue
      const size = sets.reduce((sum, set) => sum + set.size, 0)
      if (size < least) [best, least] = [sets, size]
    }
    // A value asked for twice (`CT\\CT`) names one set twice.
    return best.length === 1 ? (best[0] as Iterable<IndexEntry>) : [...new Set(best)].flatMap((set) => [...set])
  }
}

function setsOf(
  query: CompiledQuery,
  path: string,
  bucket: ReadonlyMap<string, Set<IndexEntry>>,
): readonly Set<IndexEntry>[] | undefined {
  if (path === datePath) {
    const { dates } = query
    if (dates === undefined) return undefined
    return [...bucket].flatMap(([day, set]) => (isWithin(dates, instantDigits(day, dateDigits)) ? [set] : []))
  }
  return query.exact.get(path)?.flatMap((value) => bucket.get(value) ?? [])
}

/** A sum that knows neither order nor way: what came and went leaves nothing behind. */
function createContents(): { toggle(entry: IndexEntry): void; word(): string } {
  let [high, low] = [0, 0]
  return {
    toggle({ id, version, updatedAt }) {
      let [a, b] = [0x811c9dc5, 0x9747b28c]
      const said = `${id} ${version} ${updatedAt}`
      for (let at = 0; at < said.length; at += 1) {
        const code = said.charCodeAt(at)
        a = Math.imul(a ^ code, 0x01000193)
        b = Math.imul(b ^ code, 0x5bd1e995)
      }
      high ^= a ^ (a >>> 15)
      low ^= b ^ (b >>> 13)
    },
    word: () => `${(high >>> 0).toString(36)}${(low >>> 0).toString(36)}`,
  }
}

export function byStart(a: IndexEntry, b: IndexEntry): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : 0
}

function startOf(keys: Dataset, id: ItemId): string {
  const date = textAt(keys, datePath).padEnd(dateDigits)
  return `${date}${textAt(keys, `${sequence}.ScheduledProcedureStepStartTime`).padEnd(13)} ${id}`
}

/** The text of a held key, trimmed; `''` when there is none. */
export function textAt(keys: Dataset, path: string): string {
  const step = path.startsWith(`${sequence}.`)
  const value = step ? itemsOf(keys[sequence])[0]?.[path.slice(sequence.length + 1)] : keys[path]
  return typeof value === 'string' ? comparable(value) : ''
}
