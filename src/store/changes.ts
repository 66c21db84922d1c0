import { patientIdOf, type Instant, type ItemId, type OrderId, type Seq } from '../core/ids.ts'
import type { Order, Study, WorklistItem } from '../core/order.ts'
import type { KeptRow } from '../core/ports.ts'
import { appointmentLookups, performedLookups, requestedProcedure, type Change, type Lookup } from '../core/world.ts'
import { bufferOf } from './accept.ts'
import type { Argument } from './connection.ts'
import { keys, orderFinder, orderIndex, studyFinder, studyIndex } from './keys.ts'
import type { StoredWorld } from './world.ts'

/** What a commit may contain: commands that cannot fail on the kind of key they are used with. ITEM, STATE and LINE are the script's own. */
type Command =
  | 'SET'
  | 'DEL'
  | 'HSET'
  | 'HINCRBY'
  | 'SADD'
  | 'SREM'
  | 'ZADD'
  | 'ZREM'
  | 'RPUSH'
  | 'LTRIM'
  | 'ITEM'
  | 'STATE'
  | 'LINE'

const noticeLines = 1000
const keptRows = 10_000
/** Lua passes no more than a few thousand arguments on. */
const rowsPerCommand = 500
const tombstoneMilliseconds = 90 * 86_400_000

export interface Operations {
  /** (length, command, arguments)... as the commit script reads them. */
  readonly args: Argument[]
  readonly changesItems: boolean
}

/** What the commit script has to write so that the store is as the changes say. */
export function operations(upTo: Seq, changes: readonly Change[], world: StoredWorld): Operations {
  const args: Argument[] = []
  const put = (command: Command, ...rest: Argument[]): void => {
    // Redis would refuse it in the middle of the script, which rolls nothing back.
    if (rest.some((argument) => typeof argument === 'number' && !Number.isFinite(argument)))
      throw new TypeError(`not a number in ${command}`)
    args.push(rest.length + 1, command, ...rest)
  }
  const score = (instant: Instant): number => {
    const milliseconds = Date.parse(instant)
    // Sequence numbers are about as large as milliseconds: the best guess where a foreign date is none.
    return Number.isNaN(milliseconds) ? upTo : milliseconds
  }

  // Of what has one value, the last change wins; of what grows, each counts.
  const orders = new Map<OrderId, { order: Order; items: readonly WorklistItem[]; withdrawn: Set<ItemId> }>()
  const studies = new Map<string, Study>()
  const deadlines = new Map<string, Instant | null>()
  const causes = new Map<OrderId, Seq>()
  const told: [OrderId, string, string][] = []
  const rows: KeptRow[] = []
  let sends = 0
  for (const change of changes) {
    switch (change.kind) {
      case 'order': {
        const withdrawn = orders.get(change.order.id)?.withdrawn ?? new Set()
        for (const id of change.withdrawn) withdrawn.add(id)
        orders.set(change.order.id, { order: change.order, items: change.items, withdrawn })
        causes.set(change.order.id, change.order.version)
        break
      }
      case 'study':
        studies.set(change.study.key, change.study)
        break
      case 'deadline':
        deadlines.set(change.subject, change.due)
        break
      case 'patient':
        put('SET', keys.patient(change.patient.key), JSON.stringify(change.patient))
        if (change.patient.mergedInto !== undefined || change.patient.aliases !== undefined)
          put('ZADD', 'wl:merges', Date.now(), change.patient.key)
        break
      case 'tombstone':
        put('SET', keys.tombstone(change.tombstone.key), JSON.stringify(change.tombstone), 'PX', tombstoneMilliseconds)
        break
      case 'history': {
        const { kind: _, orderId, ...line } = change
        causes.set(orderId, line.cause)
        put('LINE', 'h', orderId, JSON.stringify(line))
        break
      }
      case 'send': {
        const { endpoint, lane, controlId, at, event = '', pipeline = '' } = change
        const id = `${upTo}-${String(sends++).padStart(6, '0')}`
        const cause = causes.get(lane) ?? upTo
        put(
          'HSET',
          keys.send(endpoint, id),
          'lane',
          lane,
          'controlId',
          controlId,
          'at',
          at,
          'cause',
          cause,
          'attempts',
          0,
          'event',
          event,
          'pipeline',
          pipeline,
          'bytes',
          bufferOf(change.bytes),
        )
        told.push([lane, endpoint, id])
        put('ZADD', keys.outbox(endpoint), upTo, id)
        put('HINCRBY', 'wl:owing', lane, 1)
        put('HINCRBY', 'wl:sent', `queued\n${endpoint}`, 1)
        break
      }
      case 'state':
        put(
          'STATE',
          change.messageId,
          change.state.kind,
          change.state.kind === 'waiting' || change.state.kind === 'applied' ? '' : JSON.stringify(change.state),
        )
        if (change.outcome !== undefined) put('RPUSH', keys.acts(change.messageId), JSON.stringify(change.outcome))
        break
      case 'rows':
        rows.push(...change.rows.map((row): KeptRow => ({ ...row, orthanc: change.orthanc, cause: change.cause })))
        break
      case 'notice': {
        const { fault, orderIds, study } = change
        put('HINCRBY', 'wl:notices', fault.code, 1)
        put('RPUSH', 'wl:notice', JSON.stringify({ seq: upTo, fault, orderIds, study }))
        put('LTRIM', 'wl:notice', -noticeLines, -1)
        break
      }
    }
  }

  for (const { order, items, withdrawn } of orders.values()) {
    const before = world.orderById.get(order.id)
    move(put, before === undefined ? [] : orderKeys(before), orderKeys(order), order.id)
    const present = new Set(items.map((item) => item.id))
    const gone = [...withdrawn].filter((id) => !present.has(id))
    const ids = [...new Set([...(world.itemIds.get(order.id) ?? []), ...present, ...gone])]
    put('HSET', keys.order(order.id), 'o', JSON.stringify(order), 'v', order.version, 'i', JSON.stringify(ids))
    put('ZADD', 'wl:orders', mattersUntil(order, score), order.id)
    for (const item of items) put('ITEM', item.id, item.version, item.served ? '1' : '0', JSON.stringify(item))
    for (const id of gone) put('ITEM', id, order.version, '0', JSON.stringify(withdrawnItem(id, order)))
  }
  if (orders.size > 0) {
    const { authorities, issuers } = spacesOf([...orders.values()].map(({ order }) => order))
    put('SADD', 'wl:authorities', ...authorities)
    put('SADD', 'wl:issuers', ...issuers)
  }
  for (const study of studies.values()) {
    const before = world.studyByKey.get(study.key)
    move(put, before === undefined ? [] : studyKeys(before), studyKeys(study), study.key)
    put('SET', keys.study(study.key), JSON.stringify(study))
    put('ZADD', 'wl:studies', score(study.lastImageAt), study.key)
    const own = study.key.slice(study.orthanc.length + 1)
    if (study.stable || study.deleted) put('ZREM', keys.unstable(study.orthanc), own)
    else put('ZADD', keys.unstable(study.orthanc), score(study.lastImageAt), own)
  }
  const newest = rows.slice(-keptRows)
  for (let from = 0; from < newest.length; from += rowsPerCommand) {
    put('RPUSH', 'wl:rows', ...newest.slice(from, from + rowsPerCommand).map((row) => JSON.stringify(row)))
  }
  if (newest.length > 0) put('LTRIM', 'wl:rows', -keptRows, -1)
  for (const [subject, due] of deadlines) {
    if (due === null) put('ZREM', keys.deadlines(subject), subject)
    else put('ZADD', keys.deadlines(subject), score(due), subject)
  }
  // What is about no order has no story to be kept for.
  for (const [lane, endpoint, id] of told) {
    if (orders.has(lane) || world.orderById.has(lane)) put('LINE', 'told', lane, `${endpoint}\n${id}`)
  }
  return { args, changesItems: orders.size > 0 }
}

/** Index entries that the new numbers need and the old ones leave behind. */
function move(
  put: (command: Command, ...rest: Argument[]) => void,
  before: readonly string[],
  after: readonly string[],
  id: string,
): void {
  const old = new Set(before)
  const present = new Set(after)
  for (const key of present) if (!old.has(key)) put('SADD', key, id)
  for (const key of old) if (!present.has(key)) put('SREM', key, id)
}

/**
 * People ask for numbers without their authority and for Patient IDs without their issuer. There are few of either, so
 * that the sets of numbers that `apply` needs serve people too; an order costs no sets of its own for that.
 */
export function spacesOf(orders: Iterable<Order>): { readonly authorities: string[]; readonly issuers: string[] } {
  const authorities = new Set<string>()
  const issuers = new Set<string>()
  for (const { numbers, patientKey } of orders) {
    authorities.add(numbers.authority)
    issuers.add(patientKey.slice(patientIdOf(patientKey).length))
  }
  return { authorities: [...authorities], issuers: [...issuers] }
}

/** The sets an order is in: what people look for, and what `apply` looks for. The patient comes last: retention asks whether this was the patient's last order. */
export function orderKeys(order: Order): string[] {
  // Under a merged ID, too: people ask by the one that they have.
  const found = (order.formerPatientKeys ?? []).map((key) => orderFinder('patientId', patientIdOf(key)))
  for (const { stepStatus } of order.steps) found.push(orderFinder('stepStatus', stepStatus))
  return [...new Set(found), ...numbersOf(order).map(orderIndex)]
}

/** The sets a study is in: its numbers, the orders that it was ever said to be of, and what people look for. */
export function studyKeys(study: Study): string[] {
  const credited = 'orderIds' in study.credit ? study.credit.orderIds : []
  const orders = new Set([...credited, ...(study.linked ?? []), ...(study.unlinked ?? [])])
  const patientIds = new Set([study.patientId, ...study.series.map(({ patientId }) => patientId)])
  const found = [...patientIds].filter((id) => id !== '').map((id) => studyFinder('patientId', id))
  // Of what Orthanc has deleted nobody has to find the order.
  const { kind } = study.credit
  if (kind !== 'matched' && !study.deleted) found.push(studyFinder('credit', kind))
  return [...studyNumbers(study).map(studyIndex), ...[...orders].map((id) => studyIndex({ by: 'order', id })), ...found]
}

export function numbersOf(order: Order): Lookup[] {
  const { authority, placerOrderNumber, fillerOrderNumber, accessionNumber, studyInstanceUid } = order.numbers
  const found: Lookup[] = [...requestedProcedure(order), ...performedLookups(order), ...appointmentLookups(order)]
  if (placerOrderNumber) found.push({ by: 'placerOrderNumber', authority, value: placerOrderNumber })
  if (fillerOrderNumber) found.push({ by: 'fillerOrderNumber', authority, value: fillerOrderNumber })
  if (accessionNumber) found.push({ by: 'accessionNumber', value: accessionNumber })
  for (const value of new Set([order.studyInstanceUid, studyInstanceUid])) {
    if (value) found.push({ by: 'studyInstanceUid', value })
  }
  found.push({ by: 'patient', key: order.patientKey })
  return found
}

export function studyNumbers(study: Study): Lookup[] {
  const found: Lookup[] = []
  const uids = new Set([study.studyInstanceUid, ...study.series.map((series) => series.studyInstanceUid)])
  const accessions = new Set([study.accessionNumber, ...study.series.map((series) => series.accessionNumber)])
  for (const value of uids) if (value) found.push({ by: 'studyInstanceUid', value })
  for (const value of accessions) if (value) found.push({ by: 'accessionNumber', value })
  return found
}

/** The later of its last change and the day of its last step: an order for next year is not old. */
function mattersUntil(order: Order, score: (instant: Instant) => number): number {
  const days = order.steps.map((step) => step.attributes['ScheduledProcedureStepStartDate'])
  const starts = days.flatMap((day) => {
    const parts = typeof day === 'string' ? /^(\d{4})(\d\d)(\d\d)$/.exec(day) : null
    return parts === null ? [] : Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + 1)
  })
  return Math.max(score(order.changedAt), ...starts)
}

function withdrawnItem(id: ItemId, order: Order): WorklistItem {
  const { version, changedAt } = order
  return { id, orderId: order.id, version, stepStatus: 'CANCELED', served: false, updatedAt: changedAt, dataset: {} }
}
