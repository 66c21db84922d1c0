import type { ErrorCode } from '../core/errors/index.ts'
import type { MessageId, OrderId } from '../core/ids.ts'
import type { MessageState } from '../core/message.ts'
import { patientIdOf } from '../core/ids.ts'
import type { Order } from '../core/order.ts'
import type { Act, Letter, LetterGroup, LetterKind, LetterQuery, Replays } from '../core/replay.ts'
import type { MessageInformation } from './accept.ts'
import { list, text, type Connection, type Reply } from './connection.ts'
import { keys } from './keys.ts'
import { idsOf, intersection, keyedFilters } from './messages.ts'
import { replayScripts } from './replay-scripts.ts'
import { parsed } from './world.ts'

const chunk = 500
/** Of what is of no kept order, a discarded message is forgotten after so long. */
const discardedMilliseconds = 90 * 86_400_000

type Letters = Pick<Replays, 'letters' | 'letterGroups' | 'refusedMessage' | 'sendAgain' | 'discardRefused'>

/** What somebody has to look at: messages that could not be applied or understood, and status messages that were refused. */
export function createLetters({ connection }: { connection: Connection }): Letters {
  return {
    async letters(query, { limit, after, oldest }) {
      const all = await places(connection, query)
      all.sort(oldest ? compare : (a, b) => compare(b, a))
      const from = after === undefined ? undefined : placeOf(after)
      const isBehind = (one: Place): boolean =>
        from === undefined || (oldest ? compare(one, from) > 0 : compare(one, from) < 0)
      // Without a filter that needs the letters themselves, only the page is read.
      const first = all.findIndex(isBehind)
      const rest = first < 0 ? [] : all.slice(first)
      const page = await read(connection, rest.slice(0, limit))
      const next = rest.length > limit ? (rest[limit - 1]?.id ?? null) : null
      return { items: page, total: all.length, next }
    },

    async letterGroups(query) {
      const groups = new Map<string, LetterGroup>()
      const all = await places(connection, query)
      all.sort(compare)
      for (let at = 0; at < all.length; at += chunk) {
        for (const letter of await read(connection, all.slice(at, at + chunk))) {
          const { kind, endpoint, answer, fault } = letter
          const key = JSON.stringify([kind, fault.code, answer, endpoint])
          const known = groups.get(key)
          groups.set(key, {
            kind,
            code: fault.code,
            ...(answer === undefined ? {} : { answer }),
            endpoint,
            count: (known?.count ?? 0) + 1,
            oldest: known?.oldest ?? letter.at,
            newest: letter.at,
          })
        }
      }
      return [...groups.values()].sort((a, b) => b.count - a.count)
    },

    async refusedMessage(id) {
      const place = placeOf(id)
      if (place === undefined || place.endpoint === undefined) return undefined
      const [letter] = await read(connection, [place])
      const number = id.slice(place.endpoint.length + 1)
      const key = keys.send(place.endpoint, number)
      const isDead =
        (await connection.ask((redis) => redis.zscore(keys.deadOutbox(place.endpoint ?? ''), number))) !== null
      if (letter === undefined || !isDead) return undefined
      const [[bytes, acts]] = (await connection.batch([['hmgetBuffer', key, 'bytes', 'acts']])) as [[Reply, Reply]]
      const done =
        text(acts) === ''
          ? []
          : text(acts)
              .split('\n')
              .map((line) => JSON.parse(line) as Act)
      return { ...letter, bytes: Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0), acts: done }
    },

    async sendAgain(id, { by, reason, at, force }) {
      const place = placeOf(id)
      if (place?.endpoint === undefined) return 'gone'
      const { endpoint } = place
      const number = id.slice(endpoint.length + 1)
      const was = text(await connection.ask((redis) => redis.hget(keys.send(endpoint, number), 'reason')))
      const act: Act = { kind: 'sentAgain', by, reason, at, was }
      const line = historyLine(at, by, reason, `${endpoint} is sent it again by hand`)
      const done = await connection.run(replayScripts.sendAgain, [
        endpoint,
        number,
        force === true ? '1' : '',
        JSON.stringify(act),
        line,
      ])
      return done === 1 ? 'owed' : done === 2 ? 'stale' : 'gone'
    },

    async discardRefused(id, { by, reason, at }) {
      const place = placeOf(id)
      if (place?.endpoint === undefined) return 'gone'
      const { endpoint } = place
      const done = await connection.run(replayScripts.discardRefused, [
        endpoint,
        id.slice(endpoint.length + 1),
        at,
        reason,
        historyLine(at, by, reason, `${endpoint} is not sent it any more: discarded by hand`),
        discardedMilliseconds,
      ])
      return done === 1 ? 'discarded' : 'gone'
    },
  }
}

/** The script puts cause and control ID in front. */
function historyLine(at: string, by: string, reason: string, what: string): string {
  return JSON.stringify({ at, what, causedBy: 'manual', by, reason }).slice(1)
}

/** Where a letter stands among all: by the number of the entry that it came with or was decided by. */
interface Place {
  readonly id: string
  readonly seq: number
  readonly number: number
  /** Of a status message. */
  readonly endpoint?: string
}

function compare(a: Place, b: Place): number {
  return a.seq - b.seq || a.number - b.number || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

function placeOf(id: string): Place | undefined {
  const message = /^M(\d{1,16})$/.exec(id)
  if (message !== null) return { id, seq: Number(message[1]), number: -1 }
  const sent = /^(.+)\.(\d{1,16})-(\d+)$/s.exec(id)
  if (sent === null) return undefined
  return { id, endpoint: sent[1] ?? '', seq: Number(sent[2]), number: Number(sent[3]) }
}

async function places(connection: Connection, query: LetterQuery): Promise<Place[]> {
  const keyed = keyedFilters(query)
  const inbound = query.kinds.filter((kind) => kind !== 'refused')
  const found: Place[] = []
  if (inbound.length > 0) {
    const named =
      keyed.length === 0
        ? undefined
        : intersection(await Promise.all(keyed.map(([kind, value]) => idsOf(connection, kind, value))))
    for (const kind of inbound) {
      const ids: readonly MessageId[] =
        named ?? (await connection.ask((redis) => redis.zrange(`wl:messages:${kind}`, '0', '-1')))
      found.push(...(await fitting(connection, placesOf(ids), query, named === undefined ? undefined : kind)))
    }
  }
  if (!query.kinds.includes('refused')) return found
  const counted = await connection.ask((redis) => redis.hkeys('wl:sent'))
  const endpoints = new Set(counted.map((field) => field.slice(field.indexOf('\n') + 1)))
  for (const endpoint of endpoints) {
    if (query.endpoint !== undefined && query.endpoint !== endpoint) continue
    const ids = await connection.ask((redis) => redis.zrange(keys.deadOutbox(endpoint), '0', '-1'))
    found.push(...(await fitting(connection, placesOf(ids.map((id) => `${endpoint}.${id}`)), query, undefined)))
  }
  return found
}

function placesOf(ids: readonly string[]): Place[] {
  return ids.flatMap((id) => placeOf(id) ?? [])
}

/** Those of them that fit; `kind` where they come from a search, which knows no state. */
async function fitting(
  connection: Connection,
  all: readonly Place[],
  query: LetterQuery,
  kind: LetterKind | undefined,
): Promise<Place[]> {
  const { code, answer, endpoint, since, until } = query
  const asks = keyedFilters(query).length > 0 && all[0]?.endpoint !== undefined
  const needsLetter = kind !== undefined || [code, answer, endpoint, since, until].some((one) => one !== undefined)
  if (!needsLetter && !asks) return [...all]
  const found: Place[] = []
  for (let at = 0; at < all.length; at += chunk) {
    const some = all.slice(at, at + chunk)
    const letters = new Map((await read(connection, some)).map((letter) => [letter.id, letter]))
    for (const place of some) {
      const letter = letters.get(place.id)
      if (letter === undefined || (kind !== undefined && letter.kind !== kind)) continue
      if (code !== undefined && letter.fault.code !== code) continue
      if (answer !== undefined && letter.answer !== answer) continue
      if (endpoint !== undefined && letter.endpoint !== endpoint) continue
      if ((since !== undefined && letter.at < since) || (until !== undefined && letter.at >= until)) continue
      if (asks && !(await isNamedBy(connection, letter, query))) continue
      found.push(place)
    }
  }
  return found
}

/** Status messages are found by what identifies their order. */
async function isNamedBy(connection: Connection, letter: Letter, query: LetterQuery): Promise<boolean> {
  const { controlId, accessionNumber, patientId, orderNumber } = query
  if (controlId !== undefined && letter.controlId !== controlId) return false
  if (accessionNumber === undefined && patientId === undefined && orderNumber === undefined) return true
  const body = await connection.ask((redis) => redis.hget(keys.order(letter.orderId ?? ''), 'o'))
  const order = parsed(body) as Order | undefined
  if (order === undefined) return false
  const { numbers, patientKey, shortened } = order
  const sent = (value: string | undefined): string | undefined =>
    value === undefined ? value : (shortened?.[value] ?? value)
  if (
    accessionNumber !== undefined &&
    ![numbers.accessionNumber, sent(numbers.accessionNumber)].includes(accessionNumber)
  )
    return false
  if (patientId !== undefined && patientIdOf(patientKey) !== patientId) return false
  const all = [
    numbers.placerOrderNumber,
    numbers.fillerOrderNumber,
    numbers.placerAppointmentId,
    numbers.fillerAppointmentId,
  ]
  return orderNumber === undefined || all.includes(orderNumber)
}

const sentFields = ['lane', 'controlId', 'at', 'event', 'attempts', 'unanswered', 'reason', 'state'] as const

async function read(connection: Connection, all: readonly Place[]): Promise<Letter[]> {
  if (all.length === 0) return []
  const replies = await connection.batch(
    all.map(({ id, endpoint }) =>
      endpoint === undefined
        ? ['hmget', keys.message(id), 'k', 's', 'o', 'i']
        : ['hmget', keys.send(endpoint, id.slice(endpoint.length + 1)), ...sentFields],
    ),
  )
  return all.flatMap(({ id, endpoint }, at) => {
    const fields = list(replies[at]).map(text)
    return (endpoint === undefined ? inboundLetter(id, fields) : refusedLetter(id, endpoint, fields)) ?? []
  })
}

function inboundLetter(id: string, [kind, stored, source = '', body = '']: readonly string[]): Letter | undefined {
  const state = parsed(stored ?? null) as MessageState | undefined
  const information = parsed(body) as MessageInformation | undefined
  if (information === undefined || (state?.kind !== 'dead' && state?.kind !== 'invalid') || kind !== state.kind)
    return undefined
  const fault = state.kind === 'dead' ? state.fault : state.faults[0]
  const { controlId, type, at } = information
  return {
    id,
    kind: state.kind,
    fault: fault ?? { code: 'E698', params: {} },
    endpoint: source,
    controlId,
    type,
    at,
    attempts: state.kind === 'dead' ? state.attempts : 1,
    state,
  }
}

function refusedLetter(id: string, endpoint: string, fields: readonly string[]): Letter | undefined {
  const [lane = '', controlId = '', at = '', event = '', attempts, unanswered, reason = ''] = fields
  if (controlId === '') return undefined
  const [code = '', errorCode = ''] = reason.split(' ', 2)
  return {
    id,
    kind: 'refused',
    fault: { code: 'E705' satisfies ErrorCode, params: { name: endpoint, code, errorCode } },
    answer: reason,
    endpoint,
    controlId,
    type: event,
    at,
    attempts: Number(attempts) + Number(unanswered),
    ...(/^O\d/.test(lane) ? { orderId: lane satisfies OrderId } : {}),
  }
}
