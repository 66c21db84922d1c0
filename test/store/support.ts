import type { Log, Store } from '../../src/core/ports.ts'
import type { Change, Lookup } from '../../src/core/world.ts'
import type { NewMessage } from '../../src/core/message.ts'
import type { Order, WorklistItem } from '../../src/core/order.ts'
import { createStore } from '../../src/store/index.ts'

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

export function openStore(
  path: string,
  options: {
    log?: Log
    leaseMilliseconds?: number
    startMilliseconds?: number
    commandMilliseconds?: number
    retentionStepMilliseconds?: number
    identityFile?: string
    /** In place of the socket. */
    url?: string
    againCount?: number
    memory?: { lookMilliseconds?: number; leastFreeBytes?: number }
  } = {},
): Promise<Store> {
  const { url, ...rest } = options
  return createStore({
    redis: url === undefined ? { path } : { url },
    targets: ['folder'],
    clock: () => new Date().toISOString(),
    log: silent,
    commandMilliseconds: 2000,
    retentionStepMilliseconds: Number.MAX_SAFE_INTEGER,
    ...rest,
  })
}

/** Limits that a test is not about. */
export const otherLimits = {
  deadLetterDays: 30,
  deadLetterCount: 100_000_000,
  mergedPatientDays: 36_500,
  mergedPatientCount: 100_000_000,
  duplicateDays: 3650,
  duplicateCount: 100_000_000,
}

export const now = '2026-10-16T08:15:00.000Z'

/** A message in which only what is named matters. */
export function message(fields: Partial<NewMessage> & { controlId: string }): NewMessage {
  return {
    source: 'ris',
    fingerprint: `f${fields.controlId}`,
    body: Buffer.from(`MSH|^~\\&|${fields.controlId}`),
    at: now,
    type: 'ORM^O01',
    pipeline: 'orders',
    planId: 'plan',
    state: { kind: 'waiting' },
    keys: { patientIds: [], accessionNumbers: [], placerOrderNumbers: [], fillerOrderNumbers: [] },
    acknowledgment: Buffer.from(`MSA|AA|${fields.controlId}`),
    acknowledgmentCode: 'AA',
    ...fields,
  }
}

export function order(id: string, version: number, fields: Partial<Order> = {}): Order {
  return {
    id,
    version,
    source: 'ris',
    numbers: { authority: 'ris', fillerOrderNumber: `F${id}`, accessionNumber: `A${id}` },
    patientKey: '4711^^^HOSP',
    studyInstanceUid: `1.2.${id.slice(1)}`,
    request: {},
    received: '',
    steps: [],
    told: [],
    createdAt: now,
    changedAt: now,
    ...fields,
  }
}

export function item(of: Order, fields: Partial<WorklistItem> = {}): WorklistItem {
  return {
    id: `${of.id}-1-CT1`,
    orderId: of.id,
    version: of.version,
    stepStatus: 'SCHEDULED',
    served: true,
    updatedAt: now,
    dataset: { PatientID: '4711', ReferencedStudySequence: [] },
    ...fields,
  }
}

/** Takes the lease of the drainer, loads, commits all that waits with these changes, and gives the lease back. */
export async function apply(
  store: Store,
  changes: (seqs: readonly number[]) => readonly Change[],
  lookups: readonly Lookup[] = [],
): Promise<'committed' | 'fenced' | 'stale'> {
  const lease = await store.lease('drain', { takeOver: true })
  if (lease === undefined) throw new Error('no lease')
  const after = await store.applied()
  const entries = await store.pending(after, 1000)
  const world = await store.load(lookups)
  const upTo = entries.at(-1)?.seq ?? after
  const outcome = await store.commit(lease, after, upTo, changes(entries.map((entry) => entry.seq)), world)
  await lease.release()
  return outcome
}
