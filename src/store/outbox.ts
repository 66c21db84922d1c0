import type { Lease, Outbox, Delivery, Owed } from '../core/ports.ts'
import { bufferOf } from './accept.ts'
import { list, text, type Connection, type Reply } from './connection.ts'
import { keys } from './keys.ts'
import { scripts } from './scripts.ts'

/** What the RIS is owed, in the order in which it was decided (I7). */
export function createOutbox({ connection }: { connection: Connection }): Outbox {
  return {
    async owed(endpoint, limit) {
      const ids = await connection.ask((redis) => redis.zrange(keys.outbox(endpoint), '0', String(limit - 1)))
      if (ids.length === 0) return []
      const replies = await connection.batch(ids.map((id) => ['hmgetBuffer', keys.send(endpoint, id), ...fields]))
      return ids.flatMap((id, at) => owed(endpoint, id, list(replies[at])) ?? [])
    },

    async settle(lease: Lease, id, outcome) {
      const endpoint = lease.role.slice(lease.role.indexOf(':') + 1)
      const settled = await connection.run(scripts.settle, [
        lease.role,
        lease.token,
        endpoint,
        id,
        outcome.kind,
        outcome.at,
        outcome.kind === 'retry' ? outcome.reason : outcome.acknowledgmentCode,
        outcome.kind === 'retry' ? outcome.notBefore : outcome.kind === 'refused' ? outcome.reason : '',
        historyLine(endpoint, outcome),
      ])
      return settled === 1 ? 'settled' : 'fenced'
    },

    async state(endpoint) {
      const [waiting, dead, delivered, [first]] = await Promise.all([
        connection.ask((redis) => redis.zcard(keys.outbox(endpoint))),
        connection.ask((redis) => redis.zcard(keys.deadOutbox(endpoint))),
        connection.ask((redis) => redis.hget('wl:sent', `delivered\n${endpoint}`)),
        connection.ask((redis) => redis.zrange(keys.outbox(endpoint), '0', '0')),
      ])
      const oldest =
        first === undefined ? null : await connection.ask((redis) => redis.hget(keys.send(endpoint, first), 'at'))
      return {
        waiting,
        delivered: Number(delivered ?? 0),
        dead,
        oldest: oldest ?? undefined,
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

/** Retries are counted, not told: an unreachable RIS would fill the history of every order. The script puts the cause in front. */
function historyLine(endpoint: string, outcome: Delivery): string {
  if (outcome.kind === 'retry') return ''
  const verb = outcome.kind === 'delivered' ? 'took' : 'refused'
  return JSON.stringify({ at: outcome.at, what: `${endpoint} ${verb} it: ${outcome.acknowledgmentCode}` }).slice(1)
}
