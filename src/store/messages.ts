import type { MessageId } from '../core/ids.ts'
import { messageStates, type MessageState, type StoredMessage } from '../core/message.ts'
import type { MessageQuery, MessageStore, SourceCounts } from '../core/ports.ts'
import { searchKey, type MessageInformation, type SearchKind } from './accept.ts'
import { list, text, type Connection, type Reply } from './connection.ts'
import { keys } from './keys.ts'
import { parsed } from './world.ts'

const pageOfIds = 500

/** Messages as people look for them: newest first. */
export function createMessageStore({ connection }: { connection: Connection }): MessageStore {
  return {
    async message(id) {
      const fields = await connection.ask((redis) => redis.hmgetBuffer(keys.message(id), 'k', 's', 'o', 'i', 'b', 'a'))
      const stored = storedMessage(id, fields)
      const [, , , , body, acknowledgment] = fields
      return stored && body && acknowledgment ? { ...stored, body, acknowledgment } : undefined
    },

    async messages(query) {
      const { ids, total, next } = await find(connection, query)
      const replies = await connection.batch(ids.map((id) => ['hmget', keys.message(id), 'k', 's', 'o', 'i']))
      const items = ids.flatMap((id, at) => storedMessage(id, list(replies[at])) ?? [])
      return { items, total, next }
    },

    async counts() {
      const fields = await connection.ask((redis) => redis.hgetall('wl:counts'))
      const sources = new Set(Object.keys(fields).map((field) => field.slice(field.indexOf('\n') + 1)))
      return [...sources].sort().map((source): SourceCounts => {
        const count = (what: string): number => Number(fields[`${what}\n${source}`] ?? 0)
        const [waiting, applied, ignored, invalid, dead] = messageStates.map(count) as [
          number,
          number,
          number,
          number,
          number,
        ]
        return { source, received: count('received'), waiting, applied, ignored, invalid, dead }
      })
    },
  }
}

interface Found {
  readonly ids: readonly MessageId[]
  readonly total: number
  readonly next: string | null
}

async function find(connection: Connection, query: MessageQuery): Promise<Found> {
  const keyed = keyedFilters(query)
  if (keyed.length === 0 && query.source === undefined) return page(connection, query)

  // Several filters: the ids of one are few enough to be tested against the others.
  const sets = await Promise.all(keyed.map(([kind, value]) => idsOf(connection, kind, value)))
  const candidates = sets.length === 0 ? await idsInState(connection, query.state) : intersection(sets)
  const matching = await matchingOnly(connection, candidates, query)
  const from = query.after === undefined ? 0 : matching.findIndex((id) => id < (query.after as string))
  const ids = from < 0 ? [] : matching.slice(from, from + query.limit)
  const more = from >= 0 && from + query.limit < matching.length
  return { ids, total: matching.length, next: more ? (ids.at(-1) ?? null) : null }
}

/** The common page: one list, no filter but the state. */
async function page(connection: Connection, { state, limit, after }: MessageQuery): Promise<Found> {
  const key = listOf(state)
  const below = after === undefined ? '+inf' : `(${after.slice(1)}`
  const [total, found] = await Promise.all([
    connection.ask((redis) => redis.zcard(key)),
    connection.ask((redis) => redis.zrevrangebyscore(key, below, '-inf', 'LIMIT', 0, limit + 1)),
  ])
  const ids = found.slice(0, limit)
  return { ids, total, next: found.length > limit ? (ids.at(-1) ?? null) : null }
}

function listOf(state: MessageState['kind'] | undefined): string {
  return state === undefined ? 'wl:messages' : `wl:messages:${state}`
}

export function keyedFilters(
  query: Pick<MessageQuery, 'controlId' | 'accessionNumber' | 'patientId' | 'orderNumber'>,
): [SearchKind, string][] {
  const filters: [SearchKind, string | undefined][] = [
    ['control', query.controlId],
    ['accession', query.accessionNumber],
    ['patient', query.patientId],
    ['order', query.orderNumber],
  ]
  return filters.flatMap(([kind, value]) => (value === undefined ? [] : [[kind, value] as [SearchKind, string]]))
}

export async function idsOf(connection: Connection, kind: SearchKind, value: string): Promise<MessageId[]> {
  const prefix = searchKey(kind, value)
  const members = await connection.ask((redis) => redis.zrevrangebylex('wl:find', `[${prefix}N`, `[${prefix}M`))
  return members.map((member) => member.slice(prefix.length))
}

async function idsInState(connection: Connection, state: MessageState['kind'] | undefined): Promise<MessageId[]> {
  return connection.ask((redis) => redis.zrevrange(listOf(state), 0, -1))
}

export function intersection(sets: readonly (readonly MessageId[])[]): MessageId[] {
  const [first = [], ...others] = sets
  const known = others.map((ids) => new Set(ids))
  return first.filter((id) => known.every((ids) => ids.has(id)))
}

async function matchingOnly(
  connection: Connection,
  ids: readonly MessageId[],
  { state, source }: MessageQuery,
): Promise<MessageId[]> {
  if (state === undefined && source === undefined) return [...ids]
  const matching: MessageId[] = []
  for (let at = 0; at < ids.length; at += pageOfIds) {
    const some = ids.slice(at, at + pageOfIds)
    const replies = await connection.batch(some.map((id) => ['hmget', keys.message(id), 'k', 'o']))
    for (const [index, id] of some.entries()) {
      const [kind, from] = list(replies[index]).map(text)
      if ((state === undefined || kind === state) && (source === undefined || from === source)) matching.push(id)
    }
  }
  return matching
}

export function storedMessage(id: MessageId, fields: readonly Reply[]): StoredMessage | undefined {
  const [kind, state, source, body] = fields
  const information = parsed(body) as MessageInformation | undefined
  if (information === undefined) return undefined
  const { controlId, type, pipeline, planId, at, code, bytes, sender, editOf, place } = information
  return {
    id,
    seq: Number(id.slice(1)),
    source: text(source),
    controlId,
    type,
    pipeline,
    planId,
    at,
    acknowledgmentCode: code,
    state: (parsed(state) as MessageState | undefined) ?? ({ kind: text(kind) } as MessageState),
    bytes,
    ...(sender === undefined ? {} : { sender }),
    ...(editOf === undefined ? {} : { editOf }),
    ...(place === undefined ? {} : { place }),
  }
}
