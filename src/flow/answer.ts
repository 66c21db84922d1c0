/**
 * Answers C-FIND with ready Part 10 files, and people with items (ports: WorklistAnswerer).
 *
 * Bytes are made when they are first asked for and kept per item and version, in
 * `maxBytes` at most. While the index is not loaded or lags, E406: the plugin then
 * answers from its snapshot, never an empty list (I10).
 *
 * An item that cannot be written (its pipeline's check should have refused it) is left
 * out, with one warning per version: a failure would take every other patient off the
 * list because of one. When nothing else matches, the query fails with its error: an
 * empty list would say that there is nobody.
 */
import { setImmediate } from 'node:timers/promises'
import type { Dataset } from '../core/dataset.ts'
import { EngineError } from '../core/errors/index.ts'
import type { ItemId, MessageId, OrderId, Seq } from '../core/ids.ts'
import type { WorklistItem } from '../core/order.ts'
import type { Log, Page, Part10, WorklistAnswerer, WorklistSearch, WorklistStore } from '../core/ports.ts'
import { comparable, compileQuery, type CompiledQuery } from '../dicom/match.ts'
import { dateDigits, instantDigits, isWithin, parseSpan } from '../dicom/match-time.ts'
import { hasWildcard, wildcardMatches } from '../dicom/wildcard.ts'
import type { FlowMetrics } from './metrics.ts'
import { byStart, heldKeys, textAt, type IndexEntry, type WorklistIndex } from './worklist-index.ts'
import { asShort } from './long-numbers.ts'
import { pause } from './pause.ts'

export interface AnswerContext {
  readonly store: Pick<WorklistStore, 'items' | 'history' | 'findOrders'>
  readonly index: WorklistIndex
  readonly part10: Part10
  readonly log: Log
  readonly metrics?: FlowMetrics
  /** Of Part 10 bytes kept, default 32 MiB: some 20,000 items. */
  readonly maxBytes?: number
}

export interface Answerer extends WorklistAnswerer {
  /**
   * Makes the bytes of all that is served, once the index is loaded, so that the first modality that asks for
   * everything does not wait for it. In slices of some milliseconds, with pauses as long. Answers how many were made.
   */
  warm(signal: AbortSignal): Promise<number>
}

/** Of an item in one version. */
type Rendered =
  | { readonly version: Seq; readonly bytes: Uint8Array }
  | { readonly version: Seq; readonly failure: EngineError }

/** So many items are read from the store at once. */
const batch = 50
/** So many are written before others are served: a file takes 0.4 ms, a whole worklist seconds. */
const slice = 10

export function createAnswerer({
  store,
  index,
  part10,
  log,
  metrics,
  maxBytes = 32 * 1024 * 1024,
}: AnswerContext): Answerer {
  const kept = keepRecent(maxBytes)

  async function find(query: CompiledQuery, entries: readonly IndexEntry[]): Promise<readonly Uint8Array[]> {
    const decided = query.isCoveredBy(heldKeys)
    const files: Uint8Array[] = []
    let failure: EngineError | undefined
    for (let at = 0; at < entries.length;) {
      if (at > 0) await setImmediate()
      const part = entries.slice(at, at + sizeOf(entries, at))
      at += part.length
      for (const rendered of await renderBatch(part, query, decided)) {
        if ('bytes' in rendered) files.push(rendered.bytes)
        else failure = rendered.failure
      }
    }
    if (files.length === 0 && failure !== undefined) throw failure
    return files
  }

  /** Where nothing is to be written, many are taken together. */
  function sizeOf(entries: readonly IndexEntry[], from: number): number {
    const isWritten = (at: number): boolean => {
      const entry = entries[at]
      return entry === undefined || kept.has(entry)
    }
    let size = slice
    while (size < batch && isWritten(from + size)) size += 1
    return size
  }

  /** What is at hand is taken before anything is awaited: another query may push it out meanwhile. */
  async function renderBatch(
    entries: readonly IndexEntry[],
    query: CompiledQuery,
    decided: boolean,
  ): Promise<readonly Rendered[]> {
    const atHand = entries.map((entry) => fromMemory(entry, query, decided))
    const missing = entries.filter((_, at) => atHand[at] === 'unknown')
    const items = missing.length === 0 ? [] : await store.items(missing.map((entry) => entry.id))
    const fetched = new Map(missing.map((entry, at) => [entry.id, fromStore(entry.id, items[at], query)]))
    return entries.flatMap((entry, at) => {
      const known = atHand[at]
      return (known === 'unknown' ? fetched.get(entry.id) : known) ?? []
    })
  }

  /** Undefined: it does not match. `unknown`: the store has to be asked. */
  function fromMemory(entry: IndexEntry, query: CompiledQuery, decided: boolean): Rendered | 'unknown' | undefined {
    const dataset = index.dataset(entry)
    if (!decided) {
      if (dataset === undefined) return 'unknown'
      if (!query.matches(dataset)) return undefined
    }
    return kept.get(entry) ?? (dataset === undefined ? 'unknown' : render(entry, dataset))
  }

  /** The store may be ahead of the index: the item may have moved, or have left the list. */
  function fromStore(id: ItemId, item: WorklistItem | undefined, query: CompiledQuery): Rendered | undefined {
    if (item === undefined) {
      index.drop(id)
      return undefined
    }
    index.put(item)
    return item.served && query.matches(item.dataset) ? (kept.get(item) ?? render(item, item.dataset)) : undefined
  }

  function render({ id, version }: { id: ItemId; version: Seq }, dataset: Dataset): Rendered {
    const rendered = write(version, dataset)
    kept.put(id, rendered)
    if ('failure' in rendered) {
      log.warn({ itemId: id, code: rendered.failure.code }, 'worklist item left out')
      metrics?.count('notices_total', { code: rendered.failure.code })
    }
    return rendered
  }

  function write(version: Seq, dataset: Dataset): Rendered {
    try {
      return { version, bytes: part10(dataset) }
    } catch (error) {
      if (error instanceof EngineError) return { version, failure: error }
      throw error
    }
  }

  function mustBeTrusted(): void {
    if (!index.ready() || index.lagging()) throw new EngineError('E406')
  }

  return {
    async find(query) {
      mustBeTrusted()
      const startedAt = performance.now()
      const compiled = compileQuery(query)
      const files = await find(compiled, index.candidates(compiled))
      metrics?.observe('worklist_find_duration_seconds', (performance.now() - startedAt) / 1000)
      return files
    },
    async snapshot() {
      mustBeTrusted()
      // Taken before the items: what changes meanwhile has a newer version and is fetched next time.
      const version = index.version()
      const contents = index.contents()
      return { version, contents, items: await find(compileQuery({}), index.served()) }
    },
    version() {
      mustBeTrusted()
      return index.version()
    },
    contents() {
      mustBeTrusted()
      return index.contents()
    },
    async warm(signal) {
      while (!index.ready() && !signal.aborted) await pause(50, signal)
      const everything = compileQuery({})
      const cold = index.served().filter((entry) => !kept.has(entry))
      for (let at = 0; at < cold.length; at += slice) {
        if (signal.aborted || kept.isFull()) return at
        const startedAt = performance.now()
        await renderBatch(cold.slice(at, at + slice), everything, true)
        await pause(performance.now() - startedAt, signal)
      }
      return cold.length
    },
    async search(query) {
      if (!index.ready()) throw new EngineError('E406')
      return search(store, index, query)
    },
  }
}

async function search(
  store: AnswerContext['store'],
  index: WorklistIndex,
  query: WorklistSearch,
): Promise<Page<WorklistItem & { readonly messages: readonly MessageId[] }>> {
  const asked = compileSearch(query, await booked(store, query.orderNumber))
  const found = [...index.entries()]
    .filter((entry) => !isWithdrawn(entry) && asked.every((test) => test(entry)))
    .sort(byStart)
  const after = query.after === undefined ? undefined : Buffer.from(query.after, 'base64url').toString()
  const rest = after === undefined ? found : found.filter((entry) => entry.start > after)
  const page = rest.slice(0, query.limit)
  const items = await store.items(page.map((entry) => entry.id))
  const present = items.filter((item) => item !== undefined)
  for (const [at, entry] of page.entries()) if (items[at] === undefined) index.drop(entry.id)
  const messages = new Map<OrderId, readonly MessageId[]>()
  for (const { orderId } of present) {
    if (!messages.has(orderId)) messages.set(orderId, messagesOf(await store.history(orderId)))
  }
  const last = page.at(-1)
  return {
    items: present.map((item) => ({ ...item, messages: messages.get(item.orderId) ?? [] })),
    total: found.length - (page.length - present.length),
    // The place in the order, not a count: items that come or go in between move nobody to another page.
    next: last !== undefined && rest.length > page.length ? Buffer.from(last.start).toString('base64url') : null,
  }
}

/** What is left of an item whose station or step its order no longer has: nobody's, and no item any more. */
function isWithdrawn({ keys }: IndexEntry): boolean {
  return keys['StudyInstanceUID'] === undefined
}

type EntryTest = (entry: IndexEntry) => boolean

/** An item has no appointment ID: its order has. */
async function booked(store: AnswerContext['store'], orderNumber: string | undefined): Promise<ReadonlySet<OrderId>> {
  if (orderNumber === undefined || orderNumber === '' || hasWildcard(orderNumber)) return new Set()
  const { items } = await store.findOrders({ orderNumber, limit: mostOrders })
  return new Set(items.map(({ id }) => id))
}

/** Orders that share a number are few. */
const mostOrders = 100

function compileSearch(query: WorklistSearch, orders: ReadonlySet<OrderId>): readonly EntryTest[] {
  const step = 'ScheduledProcedureStepSequence'
  const numbered = textTest(
    query.orderNumber,
    'PlacerOrderNumberImagingServiceRequest',
    'FillerOrderNumberImagingServiceRequest',
  )
  const tests = [
    textTest(query.accession && asShort(query.accession), 'AccessionNumber'),
    textTest(query.patientId, 'PatientID'),
    textTest(query.studyInstanceUid, 'StudyInstanceUID'),
    textTest(query.modality, `${step}.Modality`),
    textTest(query.stationAeTitle, `${step}.ScheduledStationAETitle`),
    numbered === undefined ? undefined : (entry: IndexEntry) => numbered(entry) || orders.has(entry.orderId),
  ]
  const { stepStatus, date } = query
  if (stepStatus !== undefined) tests.push((entry) => entry.stepStatus === stepStatus)
  if (date !== undefined && date !== '') {
    const span = parseSpan(date, dateDigits)
    const path = `${step}.ScheduledProcedureStepStartDate`
    tests.push(({ keys }) => span !== undefined && isWithin(span, instantDigits(textAt(keys, path), dateDigits)))
  }
  return tests.filter((test) => test !== undefined)
}

/** One of the keys is this text; `*` and `?` may stand in it. Undefined when nothing is asked. */
function textTest(wanted: string | undefined, ...paths: readonly string[]): EntryTest | undefined {
  const text = comparable(wanted ?? '')
  if (text === '') return undefined
  const same = hasWildcard(text) ? (given: string) => wildcardMatches(text, given) : (given: string) => given === text
  return ({ keys }) => paths.some((path) => same(textAt(keys, path)))
}

function messagesOf(history: readonly { readonly messageId?: MessageId }[]): readonly MessageId[] {
  return [...new Set(history.flatMap(({ messageId }) => (messageId === undefined ? [] : [messageId])))]
}

/** Rendered items by id, only in the version asked for; the least recently used go first. */
function keepRecent(maxBytes: number) {
  const all = new Map<ItemId, Rendered>()
  let size = 0
  const sizeOf = (rendered: Rendered): number => 200 + ('bytes' in rendered ? rendered.bytes.byteLength : 0)
  const has = ({ id, version }: { id: ItemId; version: Seq }): boolean => all.get(id)?.version === version
  const remove = (id: ItemId): Rendered | undefined => {
    const rendered = all.get(id)
    if (rendered === undefined) return undefined
    all.delete(id)
    size -= sizeOf(rendered)
    return rendered
  }
  return {
    has,
    /** One more may push out another. */
    isFull: () => size > 0.95 * maxBytes,
    get({ id, version }: { id: ItemId; version: Seq }): Rendered | undefined {
      const rendered = remove(id)
      if (rendered === undefined || rendered.version !== version) return undefined
      all.set(id, rendered)
      size += sizeOf(rendered)
      return rendered
    },
    put(id: ItemId, rendered: Rendered): void {
      remove(id)
      all.set(id, rendered)
      size += sizeOf(rendered)
      for (const oldest of all.keys()) {
        if (size <= maxBytes || all.size === 1) break
        remove(oldest)
      }
    },
  }
}
