import type { EngineError } from '../core/errors/index.ts'
import type { Accepted, AcknowledgmentCode, MessageKeys, NewMessage } from '../core/message.ts'
import type { Inbox } from '../core/ports.ts'
import type { Instant, MessageId, Seq } from '../core/ids.ts'
import type { OrthancChangeRow } from '../core/orthanc-change.ts'
import { list, text, type Argument, type Connection } from './connection.ts'
import { acceptApart } from './deadlines.ts'
import { scripts } from './scripts.ts'

/** What is kept of a message beside its body, acknowledgment and state. */
export interface MessageInformation {
  readonly controlId: string
  readonly type: string
  readonly pipeline: string
  readonly planId: string
  readonly at: Instant
  readonly code: AcknowledgmentCode
  readonly bytes: number
  readonly keys: MessageKeys
  /** IP address of the machine that sent it; absent in messages of before. */
  readonly sender?: string
  /** A person has made it by editing that one. */
  readonly editOf?: MessageId
  readonly place?: Seq
}

/** An entry of the inbox is read and applied as a whole: many changes of Orthanc are several entries. */
const rowsPerEntry = 500

/** The way into the store: each method is one script, so that it happened as a whole or not at all. */
export function createInbox(options: {
  connection: Connection
  /** So many messages are known again (I4). */
  againCount: number
  /** Why no new message is to be taken now; what else comes in is little, and is owed. */
  refusal: () => EngineError | undefined
  /** Of each number that was given. */
  seen: (seq: Seq) => void
}): Inbox {
  const { connection, seen } = options
  return {
    async accept(message) {
      const refusal = options.refusal()
      if (refusal !== undefined) throw refusal
      const reply = await connection.run(scripts.accept, acceptArguments(message, options.againCount))
      const result = accepted(list(reply))
      if (result.kind === 'stored') seen(result.seq)
      return result
    },

    async acceptEvents({ orthanc, expected, next, at, events, rows = [], passed = [], madeGood = [], caughtUp }) {
      const entries = events.map(({ event, study, series }) =>
        JSON.stringify({ kind: 'images', orthanc, event, study, series, at }),
      )
      for (let from = 0; from < rows.length; from += rowsPerEntry) {
        const some = rows.slice(from, from + rowsPerEntry)
        entries.push(JSON.stringify({ kind: 'changes', orthanc, rows: some, at }))
      }
      const stored = await connection.run(scripts.acceptEvents, [
        orthanc,
        expected?.seq ?? '',
        expected?.identity ?? '',
        next.seq,
        next.identity,
        caughtUp ? at : '',
        madeGood.length,
        ...madeGood,
        passed.length,
        ...passed,
        ...entries,
      ])
      return stored === 1 ? 'stored' : 'moved'
    },

    async acceptChanges({ orthanc, spool, rows, restored = [], at }) {
      // The script knows which rows are new, so it puts the entries together.
      const head = JSON.stringify({ kind: 'changes', orthanc, at }).slice(0, -1)
      const args: Argument[] = [orthanc, spool, rowsPerEntry, head]
      for (const { number, ...row } of rows) {
        const isGone = row.change === 'Deleted' && row.level === 'Study' && !restored.includes(row.resource)
        args.push(number, JSON.stringify(row), isGone ? deletedStudy(orthanc, row.resource, at) : '')
      }
      return Number(await connection.run(scripts.acceptChanges, args))
    },

    async acceptManual({ by, reason, command, at }) {
      const entry = JSON.stringify({ kind: 'manual', by, reason, command, at })
      return Number(text(await connection.run(scripts.acceptManual, [entry])))
    },

    async acceptPerformed({ endpoint, performed, at }) {
      const entry = JSON.stringify({ kind: 'performed', endpoint, performed, at })
      return Number(text(await connection.run(scripts.acceptManual, [entry])))
    },

    async acceptDeadlines(now, quietUpTo, readUpTo) {
      const limit = 500
      const [until, quietUntil] = [Date.parse(now), Date.parse(quietUpTo)]
      const count = Number(await connection.run(scripts.acceptDeadlines, [until, quietUntil, now, limit]))
      if (readUpTo === undefined || quietUntil >= until) return count
      return count + (await acceptApart({ connection, now, quietUpTo, readUpTo }))
    },
  }
}

function deletedStudy(orthanc: string, study: OrthancChangeRow['resource'], at: Instant): string {
  return JSON.stringify({ kind: 'images', orthanc, event: 'deleted', study, series: [], at })
}

function acceptArguments(message: NewMessage, againCount: number): Argument[] {
  const { source, controlId, at, planId, state, keys, sender } = message
  const sent = sender === undefined ? {} : { sender }
  const information: MessageInformation = {
    controlId,
    type: message.type,
    pipeline: message.pipeline,
    planId,
    at,
    code: message.acknowledgmentCode,
    bytes: message.size ?? message.body.byteLength,
    keys,
    ...sent,
  }
  return [
    source,
    controlId,
    message.fingerprint,
    state.kind,
    state.kind === 'waiting' ? '' : JSON.stringify(state),
    bufferOf(message.body),
    bufferOf(message.acknowledgment),
    JSON.stringify(information),
    state.kind === 'waiting' ? JSON.stringify({ kind: 'message', source, planId, ...sent, at }) : '',
    planId,
    againCount,
    // What was refused is judged afresh when it comes again.
    state.kind === 'invalid' ? '' : Date.parse(at) || Date.now(),
    message.owedTo ?? '',
    ...searchKeys(controlId, keys),
  ]
}

function accepted(reply: readonly unknown[]): Accepted {
  const [stored, second, third] = reply as [number, Buffer, Buffer | number]
  if (stored === 0) return { kind: 'again', messageId: text(second), acknowledgment: third as Buffer }
  const seq = Number(text(second))
  return { kind: 'stored', seq, messageId: `M${seq}`, reused: third === 1 }
}

export type SearchKind = 'control' | 'accession' | 'patient' | 'order'

/** A search key ends with the id of the message; NUL keeps its parts apart. */
export function searchKey(kind: SearchKind, value: string): string {
  return `${kind}\0${value.replaceAll('\0', ' ')}\0`
}

export function searchKeys(controlId: string, keys: MessageKeys): string[] {
  const found = new Set<string>()
  const add = (kind: SearchKind, values: readonly string[]): void => {
    for (const value of values) if (value !== '') found.add(searchKey(kind, value))
  }
  add('control', [controlId])
  add('accession', keys.accessionNumbers)
  add('patient', keys.patientIds)
  add('order', keys.placerOrderNumbers)
  add('order', keys.fillerOrderNumbers)
  add('order', keys.appointmentIds ?? [])
  return [...found]
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
