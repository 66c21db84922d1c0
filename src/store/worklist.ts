import type { Seq } from '../core/ids.ts'
import type { Order, Study, WorklistItem } from '../core/order.ts'
import type { HistoryLine, KeptRow, OrderQuery, WorklistStore } from '../core/ports.ts'
import type { Lookup } from '../core/world.ts'
import { list, text, type Connection } from './connection.ts'
import type { ChangeStream } from './stream.ts'
import { keys, orderFinder, orderIndex, studyIndex } from './keys.ts'
import { scripts } from './scripts.ts'
import { load, parsed } from './world.ts'

/** What is read of the worklist: items for the index of each process and the targets, orders and studies for people. */
export function createWorklistStore(options: {
  connection: Connection
  stream: ChangeStream
}): Omit<WorklistStore, 'findStudies' | 'openOrders' | 'openOrdersBySource'> {
  const { connection, stream } = options

  async function items(ids: readonly string[]): Promise<readonly (WorklistItem | undefined)[]> {
    if (ids.length === 0) return []
    const [bodies, isThere] = await connection.batch([
      ['hmget', 'wl:items', ...ids],
      ['exists', 'wl:identity'],
    ])
    // Nobody learns from a store that was emptied just now that his items are gone (I10).
    if (isThere === 0) throw connection.gone()
    return list(bodies).map((body) => parsed(body) as WorklistItem | undefined)
  }

  /** Orders that are in one set of each part of the question. */
  async function idsOf(query: OrderQuery): Promise<string[]> {
    const { accessionNumber, orderNumber, patientId, studyInstanceUid, stepStatus } = query
    const parts: string[][] = []
    const [authorities, issuers] = (await connection.batch([
      ['smembers', 'wl:authorities'],
      ['smembers', 'wl:issuers'],
    ])) as [string[], string[]]
    if (accessionNumber !== undefined) parts.push([orderIndex({ by: 'accessionNumber', value: accessionNumber })])
    if (studyInstanceUid !== undefined) parts.push([orderIndex({ by: 'studyInstanceUid', value: studyInstanceUid })])
    if (orderNumber !== undefined) {
      const by = ['placerOrderNumber', 'fillerOrderNumber', 'placerAppointmentId', 'fillerAppointmentId'] as const
      parts.push(
        authorities.flatMap((authority) => by.map((one) => orderIndex({ by: one, authority, value: orderNumber }))),
      )
    }
    if (patientId !== undefined) {
      const own = issuers.map((issuer) => orderIndex({ by: 'patient', key: `${patientId}${issuer}` }))
      parts.push([orderFinder('patientId', patientId), ...own])
    }
    // The largest set comes last: it is asked of those that are left.
    if (stepStatus !== undefined) parts.push([orderFinder('stepStatus', stepStatus)])
    const [first, ...rest] = parts
    if (first === undefined) return connection.ask((redis) => redis.zrange('wl:orders', '0', '-1'))
    let ids = first.length === 0 ? [] : await connection.ask((redis) => redis.sunion(...first))
    for (const sets of rest) {
      const asked = ids.flatMap((id) => sets.map((set) => ['sismember', set, id] as const))
      const answers = asked.length === 0 ? [] : await connection.batch(asked)
      ids = ids.filter((_, at) =>
        answers.slice(at * sets.length, (at + 1) * sets.length).some((one) => Number(one) === 1),
      )
    }
    return ids
  }

  return {
    items,
    item: async (id) => (await items([id]))[0],
    async itemsSince(version, limit) {
      const bodies = list(await connection.run(scripts.itemsSince, [version, limit]))
      return bodies.flatMap((body) => (parsed(body) as WorklistItem | undefined) ?? [])
    },
    async order(id) {
      const lookup: Lookup = { by: 'order', id }
      return (await load(connection, [lookup])).orders(lookup)[0]
    },
    orders: async (lookup) => (await load(connection, [lookup])).orders(lookup),
    studies: async (lookup) => (await load(connection, [lookup])).studies(lookup),
    async history(id) {
      const [lines, leftOut] = await connection.batch([
        ['lrange', keys.history(id), 0, -1],
        ['hget', 'wl:leftout', `h:${id}`],
      ])
      const history = list(lines).map((line) => JSON.parse(text(line)) as HistoryLine)
      return withGap(history, Number(text(leftOut)))
    },

    async findOrders(query) {
      const found = await idsOf(query)
      const ids = found.sort(newestFirst)
      const after = query.after
      const from = after === undefined ? 0 : ids.findIndex((id) => newestFirst(after, id) < 0)
      const page = from < 0 ? [] : ids.slice(from, from + query.limit)
      const bodies = await connection.batch(page.map((id) => ['hget', keys.order(id), 'o']))
      const items = bodies.flatMap((body) => (parsed(body) as Order | undefined) ?? [])
      const isLast = from < 0 || from + query.limit >= ids.length
      return { items, total: ids.length, next: isLast ? null : (page.at(-1) ?? null) }
    },

    async studiesOf(id) {
      const found = await connection.ask((redis) => redis.smembers(studyIndex({ by: 'order', id })))
      const bodies = await connection.batch(found.sort().map((key) => ['get', keys.study(key)]))
      return bodies.flatMap((body) => (parsed(body) as Study | undefined) ?? [])
    },

    async deadlinesOf(id) {
      const kinds = ['quiet', 'expire']
      const subjects = kinds.map((kind) => `${kind}:${id}`)
      const scores = await connection.batch(subjects.map((subject) => ['zscore', keys.deadlines(subject), subject]))
      return kinds.flatMap((kind, at) => {
        const score = text(scores[at])
        return score === '' ? [] : [{ kind, due: new Date(Number(score)).toISOString() }]
      })
    },

    async orthancChanges(limit) {
      const lines = await connection.ask((redis) => redis.lrange('wl:rows', -limit, -1))
      return lines.map((line) => JSON.parse(line) as KeptRow).toReversed()
    },
    onChange: (listener: (version: Seq, isRewound?: boolean) => void) => stream.onChange(listener),
  }
}

/** So many lines of an order's beginning are always kept; the commit script counts what is gone behind them. */
const firstLines = 20

/** Says where lines are missing, and how many. */
function withGap(history: readonly HistoryLine[], leftOut: number): readonly HistoryLine[] {
  const before = history[firstLines - 1]
  if (leftOut === 0 || before === undefined) return history
  const gap = { cause: before.cause, at: before.at, what: `${leftOut} lines are left out here` }
  return [...history.slice(0, firstLines), gap, ...history.slice(firstLines)]
}

/** `O17-2`: by the message that made the order, then by its place in it. */
function newestFirst(a: string, b: string): number {
  const [seqA = 0, placeA = 0] = a.slice(1).split('-').map(Number)
  const [seqB = 0, placeB = 0] = b.slice(1).split('-').map(Number)
  return seqB - seqA || placeB - placeA
}
