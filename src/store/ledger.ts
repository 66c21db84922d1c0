import type { InboxEntry } from '../core/inbox.ts'
import type { Seq } from '../core/ids.ts'
import type { Ledger, LoadedWorld } from '../core/ports.ts'
import type { Argument, Connection } from './connection.ts'
import { operations } from './changes.ts'
import { keys } from './keys.ts'
import { scripts } from './scripts.ts'
import { load, storedWorld, type StoredWorld } from './world.ts'

/** The drainer's side of the store: what waits, what is known, and the one change that moves both on. */
export function createLedger(options: {
  connection: Connection
  targets: readonly string[]
  /** Of each number that was applied. */
  seen: (seq: Seq) => void
  /** So many commands of a commit met a key that something else has damaged. */
  damaged?: (count: number) => void
}): Ledger {
  const { connection, targets, seen } = options
  const spent = new WeakSet<LoadedWorld>()
  return {
    applied: () => connection.ask(async (redis) => Number((await redis.get('wl:applied')) ?? 0)),

    async pending(after, limit) {
      const entries = await connection.ask((redis) => redis.xrange('wl:inbox', `${after + 1}-0`, '+', 'COUNT', limit))
      return entries.map(([id, fields]) => inboxEntry(Number.parseInt(id, 10), fields))
    },

    async bodies(ids) {
      if (ids.length === 0) return []
      const replies = await connection.batch(ids.map((id) => ['hgetBuffer', keys.message(id), 'b']))
      return replies.map((reply) => (Buffer.isBuffer(reply) ? reply : undefined))
    },

    load: (lookups, known) => load(connection, lookups, known),

    async commit(lease, after, upTo, changes, known) {
      if (spent.has(known)) throw new TypeError('a loaded world serves one commit: load again for the next')
      const world = storedWorld(known)
      const { args, changesItems } = operations(upTo, changes, world)
      const header: Argument[] = [
        lease.role,
        lease.token,
        after,
        upTo,
        `${upTo + 1}-0`,
        world.generation,
        changesItems ? '1' : '0',
        targets.length,
        ...targets,
      ]
      let answer = await connection.run(scripts.commit, [...header, -1, ...args])
      if (answer === tellWitnesses) {
        const witnesses = witnessesOf(world)
        answer = await connection.run(scripts.commit, [...header, witnesses.length, ...witnesses, ...args])
      }
      if (answer === 0) return 'fenced'
      const refused = typeof answer === 'number' && answer < 0 ? -answer : 0
      if (answer !== 1 && refused === 0) return 'stale'
      if (refused > 0) options.damaged?.(refused)
      spent.add(known)
      seen(upTo)
      return 'committed'
    },
  }
}

/** The commit script asks for them when retention has removed something since the world was read. */
const tellWitnesses = 3

/** What was read and must still be there: a commit relies on its index entries and on the patient's record. */
function witnessesOf(world: StoredWorld): string[] {
  return [
    ...[...world.orderById.keys()].map((id) => keys.order(id)),
    ...[...world.studyByKey.keys()].map((key) => keys.study(key)),
    ...[...world.patients.keys()].map((key) => keys.patient(key)),
  ]
}

/** What cannot be read is left to the drainer as a message without a plan: a dead letter, if it was one, and out of the way of the others (I3). */
function inboxEntry(seq: Seq, fields: readonly string[]): InboxEntry {
  try {
    return readEntry(seq, fields)
  } catch {
    return { seq, at: new Date(0).toISOString(), kind: 'message', messageId: `M${seq}`, source: '', planId: '' }
  }
}

function readEntry(seq: Seq, fields: readonly string[]): InboxEntry {
  const [name, value = '{}'] = fields
  if (name === 'd') {
    const [, subject = '', , due, , at = ''] = fields
    return { seq, at, kind: 'deadline', subject, due: new Date(Number(due)).toISOString() }
  }
  const entry = JSON.parse(value) as InboxEntry
  // Only what a person has put there again names its message.
  return entry.kind === 'message' ? { ...entry, seq, messageId: entry.messageId ?? `M${seq}` } : { ...entry, seq }
}
