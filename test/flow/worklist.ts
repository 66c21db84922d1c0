import { EngineError } from '../../src/core/errors/index.ts'
import type { ItemId, OrderId } from '../../src/core/ids.ts'
import type { Order, WorklistItem } from '../../src/core/order.ts'
import type { Clock, HistoryLine, Log, LogFields, WorklistStore } from '../../src/core/ports.ts'
import { itemDataset, type Told } from '../dicom/items.ts'

type ItemStore = Pick<WorklistStore, 'items' | 'itemsSince' | 'onChange' | 'history' | 'findOrders'>

/** The store's side of the worklist, as small as the port allows; `down` makes it fail. */
export interface FakeStore extends ItemStore {
  down: boolean
  /** Calls of `items` so far. */
  readonly asked: ItemId[][]
  readonly histories: Map<OrderId, readonly HistoryLine[]>
  /** What `findOrders` finds. */
  orders: readonly Order[]
  /** Puts items and tells the listeners, unless silent (a notification that got lost). */
  put(items: readonly WorklistItem[], silent?: boolean): void
  /** As retention does: gone without a change. */
  remove(id: ItemId): void
  /** Comes back without anything it had. */
  rewind(): void
}

export function fakeStore(): FakeStore {
  const items = new Map<ItemId, WorklistItem>()
  const listeners = new Set<(version: number, isRewound?: boolean) => void>()
  const store: FakeStore = {
    down: false,
    asked: [],
    histories: new Map(),
    orders: [],
    findOrders: async () => ({ items: store.orders, total: store.orders.length, next: null }),
    put(changed, silent = false) {
      for (const item of changed) items.set(item.id, item)
      const version = Math.max(...changed.map((item) => item.version))
      if (!silent) for (const listener of listeners) listener(version)
    },
    remove: (id) => void items.delete(id),
    async items(ids) {
      if (store.down) throw new EngineError('E501')
      store.asked.push([...ids])
      return ids.map((id) => items.get(id))
    },
    async itemsSince(version, limit) {
      if (store.down) throw new EngineError('E501')
      return [...items.values()]
        .filter((item) => item.version > version)
        .sort((a, b) => a.version - b.version)
        .slice(0, limit)
    },
    rewind() {
      items.clear()
      for (const listener of listeners) listener(0, true)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    history: async (id) => store.histories.get(id) ?? [],
  }
  return store
}

/** An item; served and SCHEDULED unless told otherwise. */
export function item(id: ItemId, version: number, told: Told & Partial<WorklistItem> = {}): WorklistItem {
  const { patient, request, step, station, ...rest } = told
  const dataset = itemDataset({
    ...(patient === undefined ? {} : { patient }),
    ...(request === undefined ? {} : { request }),
    ...(step === undefined ? {} : { step }),
    ...(station === undefined ? {} : { station }),
  })
  return {
    id,
    orderId: `O-${id}`,
    version,
    stepStatus: 'SCHEDULED',
    served: true,
    updatedAt: '2026-10-16T08:00:00.000Z',
    dataset,
    ...rest,
  }
}

/** A clock that stands still until it is moved. */
export function standingClock(): Clock & { pass(seconds: number): void } {
  let now = Date.parse('2026-10-16T08:00:00.000Z')
  return Object.assign(() => new Date(now).toISOString(), { pass: (seconds: number) => void (now += seconds * 1000) })
}

export function listeningLog(): Log & { readonly lines: { fields: LogFields; event: string }[] } {
  const lines: { fields: LogFields; event: string }[] = []
  const add = (fields: LogFields, event: string): void => void lines.push({ fields, event })
  return { lines, debug: () => {}, info: add, warn: add, error: add }
}
