import type { Lease, Outbox, Delivery, Owed, Pause, PauseChange, SentMessage } from '../core/ports.ts'
import type { RetryPlan } from '../core/retry.ts'
import type { StatusEventKind } from '../core/world.ts'
import { bufferOf } from './accept.ts'
import { list, text, type Connection, type Reply } from './connection.ts'
import { keys } from './keys.ts'
import { createRetryPlans, retryPlans } from './retries.ts'
import { scripts } from './scripts.ts'
import { parsed } from './world.ts'

/** What the RIS is owed, in the order in which it was decided (I7). */
export function createOutbox({ connection }: { connection: Connection }): Outbox {
  return {
    ...createRetryPlans({ connection }),

    async owed(endpoint, limit) {
      const ids = await connection.ask((redis) => redis.zrange(keys.outbox(endpoint), '0', String(limit - 1)))
      if (ids.length === 0) return []
      const replies = await connection.batch(ids.map((id) => ['hmgetBuffer', keys.send(endpoint, id), ...fields]))
      return ids.flatMap((id, at) => owed(endpoint, id, list(replies[at])) ?? [])
    },

    async settle(lease: Lease, id, outcome) {
      const endpoint = lease.role.slice(lease.role.indexOf(':') + 1)
      const isAnswer = outcome.kind === 'delivered' || outcome.kind === 'refused'
      const settled = await connection.run(scripts.settle, [
        lease.role,
        lease.token,
        endpoint,
        id,
        outcome.kind,
        outcome.at,
        isAnswer ? outcome.acknowledgmentCode : outcome.reason,
        outcome.kind === 'retry' ? outcome.notBefore : outcome.kind === 'refused' ? outcome.reason : '',
        historyLine(endpoint, outcome),
      ])
      if (settled === 0) return 'fenced'
      return settled === 2 ? 'paused' : 'settled'
    },

    async sent(lane) {
      const members = await connection.ask((redis) => redis.lrange(keys.told(lane), 0, -1))
      const replies = await connection.batch(members.map((member) => ['hmget', `wl:send:${member}`, ...sentFields]))
      return members.flatMap((member, at) => sentMessage(member.split('\n', 1)[0] ?? '', list(replies[at])) ?? [])
    },

    async pause(endpoint, change) {
      const { paused, by, reason, at } = change
      const pause: Pause = { by, reason, since: at }
      const args = [endpoint, paused ? '1' : '0', JSON.stringify(pause), JSON.stringify(change)]
      return (await connection.run(scripts.pause, args)) === 1
    },

    paused: async (endpoint) =>
      parsed(await connection.ask((redis) => redis.hget('wl:paused', endpoint))) as Pause | undefined,

    async pauses(endpoint) {
      const lines = await connection.ask((redis) => redis.lrange(keys.pauses(endpoint), 0, -1))
      return lines.map((line) => JSON.parse(line) as PauseChange)
    },

    async state(endpoint) {
      const [waiting, dead, delivered, paused, first, retry] = await connection.batch([
        ['zcard', keys.outbox(endpoint)],
        ['zcard', keys.deadOutbox(endpoint)],
        ['hget', 'wl:sent', `delivered\n${endpoint}`],
        ['hget', 'wl:paused', endpoint],
        ['zrange', keys.outbox(endpoint), '0', '0'],
        ['hget', retryPlans, endpoint],
      ])
      const oldestId = text(list(first)[0])
      const [at, next, reason, attempts] =
        oldestId === ''
          ? []
          : await connection.ask((redis) =>
              redis.hmget(keys.send(endpoint, oldestId), 'at', 'notBefore', 'reason', 'attempts'),
            )
      return {
        waiting: Number(waiting),
        delivered: Number(text(delivered)),
        dead: Number(dead),
        oldest: at ?? undefined,
        paused: parsed(paused) as Pause | undefined,
        retry: parsed(retry) as RetryPlan | undefined,
        ...(next ? { deferred: { reason: reason ?? '', attempts: Number(attempts), next } } : {}),
      }
    },
  }
}

const fields = ['lane', 'controlId', 'bytes', 'attempts', 'at', 'notBefore'] as const

function owed(endpoint: string, id: string, reply: readonly Reply[]): Owed | undefined {
  const [lane, controlId, bytes, attempts, at, notBefore] = reply
  if (!Buffer.isBuffer(bytes)) return undefined
  return {
    id,
    endpoint,
    lane: text(lane),
    controlId: text(controlId),
    bytes: bufferOf(bytes),
    attempts: Number(text(attempts)),
    at: text(at),
    ...(notBefore ? { notBefore: text(notBefore) } : {}),
  }
}

const sentFields = [
  'controlId',
  'at',
  'cause',
  'event',
  'pipeline',
  'state',
  'attempts',
  'unanswered',
  'settledAt',
  'acknowledgmentCode',
  'reason',
] as const

function sentMessage(endpoint: string, reply: readonly Reply[]): SentMessage | undefined {
  const [controlId = '', at = '', cause, event = '', pipeline = '', state, attempts, unanswered, ...settled] =
    reply.map(text)
  if (controlId === '') return undefined
  const [settledAt = '', acknowledgmentCode = '', reason = ''] = settled
  return {
    endpoint,
    controlId,
    at,
    cause: Number(cause),
    ...(event === '' ? {} : { event: event as StatusEventKind }),
    ...(pipeline === '' ? {} : { pipeline }),
    state: state === 'delivered' || state === 'refused' || state === 'discarded' ? state : 'waiting',
    attempts: Number(attempts) + Number(unanswered),
    ...(settledAt === '' ? {} : { settledAt }),
    ...(acknowledgmentCode === '' ? {} : { acknowledgmentCode }),
    ...(reason === '' ? {} : { reason }),
  }
}

/** Retries are counted, not told: an unreachable RIS would fill the history of every order. The script puts cause and control ID in front. */
function historyLine(endpoint: string, outcome: Delivery): string {
  if (outcome.kind === 'retry' || outcome.kind === 'unanswered') return ''
  const verb = outcome.kind === 'delivered' ? 'took' : 'refused'
  const what = `${endpoint} ${verb} it: ${outcome.acknowledgmentCode}`
  return JSON.stringify({ at: outcome.at, what, causedBy: 'delivery' }).slice(1)
}
