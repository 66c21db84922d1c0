import type { MessageId } from '../core/ids.ts'
import type { MessageState, NewMessage } from '../core/message.ts'
import {
  handRules,
  type Act,
  type Again,
  type Hand,
  type JudgedAgain,
  type KeptMessage,
  type Replay,
  type Replays,
} from '../core/replay.ts'
import { bufferOf, searchKeys, type MessageInformation } from './accept.ts'
import { list, text, type Connection, type Reply } from './connection.ts'
import { keys } from './keys.ts'
import { createLetters } from './dead.ts'
import { replayScripts } from './replay-scripts.ts'
import { parsed } from './world.ts'

type Forced = Hand & { readonly force?: true }

/**
 * What people do to kept messages by hand. A message that is replayed stays the one that was received: it waits again,
 * with a new entry of the inbox. One that is edited is a new one beside the kept one.
 */
export function createReplays(options: { connection: Connection; seen: (seq: number) => void }): Replays {
  const { connection, seen } = options

  async function put(message: KeptMessage, judged: JudgedAgain | undefined, act: object, hand: Forced): Promise<Again> {
    const { id, state: was } = message
    const [reply, count] = await connection.batch([
      ['hget', keys.message(id), 'i'],
      ['llen', keys.acts(id)],
    ])
    const before = parsed(reply) as MessageInformation | undefined
    if (before === undefined) return { kind: 'changed' }
    const now: MessageInformation =
      judged === undefined
        ? before
        : { ...before, type: judged.type, pipeline: judged.pipeline, planId: judged.planId, keys: judged.keys }
    const state: MessageState = judged?.state ?? { kind: 'ignored', rule: handRules.discarded }
    const had = new Set(searchKeys(before.controlId, before.keys))
    const has = new Set(searchKeys(now.controlId, now.keys))
    const gone = [...had].filter((key) => !has.has(key))
    const entry = {
      kind: 'message',
      messageId: id,
      source: message.source,
      planId: now.planId,
      ...(message.sender === undefined ? {} : { sender: message.sender }),
      at: hand.at,
      replay: replayOf(message, hand, was),
    }
    const seq = Number(
      text(
        await connection.run(replayScripts.replay, [
          id,
          was.kind,
          text(count),
          state.kind,
          stateText(state),
          JSON.stringify(now),
          JSON.stringify(act),
          state.kind === 'waiting' ? JSON.stringify(entry) : '',
          now.planId,
          gone.length,
          ...gone,
          ...[...has].filter((key) => !had.has(key)),
        ]),
      ),
    )
    return stored(seq, id)
  }

  function stored(seq: number, id?: MessageId): Again {
    if (!(seq > 0)) return { kind: 'changed' }
    seen(seq)
    return { kind: 'stored', seq, messageId: id ?? `M${seq}` }
  }

  return {
    replayMessage(message, judged, hand) {
      const act = { kind: 'replayed', ...said(hand), was: message.state }
      return put(message, judged, act, hand)
    },

    discardMessage(message, hand) {
      return put(message, undefined, { kind: 'discarded', ...said(hand), was: message.state }, hand)
    },

    async editMessage(message, edited, hand) {
      const done = await readActs(connection, message.id)
      const same = done.find((act) => act.kind === 'edited' && act.print === edited.fingerprint)
      if (same?.kind === 'edited') return { kind: 'stored', seq: same.seq, messageId: same.as }
      const was = message.state
      const isMended = was.kind === 'dead' || was.kind === 'invalid'
      const mended: MessageState = { kind: 'ignored', rule: handRules.edited }
      const { source, planId, at, sender } = edited
      const sent = sender === undefined ? {} : { sender }
      const entry = { kind: 'message', source, planId, ...sent, at, replay: replayOf(message, hand, edited.state) }
      return stored(
        Number(
          text(
            await connection.run(replayScripts.edit, [
              message.id,
              was.kind,
              done.length,
              isMended ? stateText(mended) : '',
              JSON.stringify({ kind: 'edited', ...said(hand), was, print: edited.fingerprint }),
              JSON.stringify({ kind: 'editOf', ...said(hand), of: message.id, ...(hand.force ? { force: true } : {}) }),
              edited.state.kind,
              stateText(edited.state),
              bufferOf(edited.body),
              JSON.stringify(informationOf(edited, message)),
              edited.state.kind === 'waiting' ? JSON.stringify(entry) : '',
              planId,
              source,
              ...searchKeys(edited.controlId, edited.keys),
            ]),
          ),
        ),
      )
    },

    async acts(ids) {
      if (ids.length === 0) return []
      const replies = await connection.batch(ids.map((id) => ['lrange', keys.acts(id), 0, -1]))
      return ids.map((_, at) => actsOf(replies[at]))
    },

    ...createLetters({ connection }),
  }
}

function said({ by, reason, at, force }: Forced): Forced {
  return { by, reason, at, ...(force === undefined ? {} : { force }) }
}

/** Of an edit the place of what was edited, and of that one's original. */
function replayOf(message: KeptMessage, { by, reason, force }: Forced, was: MessageState): Replay {
  const of = message.place ?? message.seq
  return { by, reason, of, ...(force === undefined ? {} : { force }), was }
}

function stateText(state: MessageState): string {
  return state.kind === 'waiting' || state.kind === 'applied' ? '' : JSON.stringify(state)
}

function informationOf(edited: NewMessage, original: KeptMessage): MessageInformation {
  const { controlId, type, pipeline, planId, at, acknowledgmentCode: code, body, keys: found, sender } = edited
  const place = original.place ?? original.seq
  return {
    controlId,
    type,
    pipeline,
    planId,
    at,
    code,
    bytes: body.byteLength,
    keys: found,
    ...(sender === undefined ? {} : { sender }),
    editOf: original.id,
    place,
  }
}

async function readActs(connection: Connection, id: MessageId): Promise<readonly Act[]> {
  const [reply] = await connection.batch([['lrange', keys.acts(id), 0, -1]])
  return actsOf(reply)
}

function actsOf(reply: Reply | undefined): readonly Act[] {
  return list(reply).map((line) => JSON.parse(text(line)) as Act)
}
