import type { Instant, MessageId } from '../core/ids.ts'
import type { Clock, Log, MessageStore, Replies } from '../core/ports.ts'
import type { SourceSettings } from '../core/settings.ts'
import { isWanted, parse, type AcknowledgmentMode } from '../hl7/index.ts'
import type { Message } from '../hl7/types.ts'
import { effectOf, refusal, taken, type Said, type When } from './answers.ts'
import { failureOf } from './failure.ts'
import type { Outcomes } from './outcomes.ts'

/** An application acknowledgment, said behind the answer to its frame. */
export interface Later {
  /** Undefined: there is none, or it cannot be known now. Never rejects. */
  readonly bytes: Promise<Uint8Array | undefined>
  /** Whether it has come to the sender, as far as anybody can know. */
  end(isDelivered: boolean): void
}

export interface RepliesContext {
  readonly source: SourceSettings
  readonly store: Replies & Pick<MessageStore, 'message'>
  readonly outcomes: Pick<Outcomes, 'of'>
  modeOf(message: Message | undefined): AcknowledgmentMode
  /** The same message and the same verdict give the same bytes. */
  render(message: Message | undefined, id: MessageId, at: Instant, said: Said): Uint8Array
  readonly clock: Clock
  readonly log: Log
}

/** Whose connection it is, and by which name the sender calls itself. */
export interface Hearer {
  readonly connection: object
  readonly sender: string
}

/** What another process may be saying at this moment is not said again by this one. */
const elsewhereMilliseconds = 5_000
/** So often the store is asked on behalf of a connection's sender, sooner where an answer is still being said elsewhere; so many are said at once. */
const askMilliseconds = 5_000
const askSoonMilliseconds = 250
const mostAtOnce = 100

/**
 * The application acknowledgments of enhanced mode (HL7 2.5.1 §2.9.3) of one source. The accept script
 * has written down that they are owed; each is said on the connection of its message and, if that
 * is lost before, on the next one on which the same sender (MSH-3, MSH-4) says anything. So it comes
 * at least once, and the same bytes again.
 */
export function createReplies({ source, store, outcomes, modeOf, render, clock, log }: RepliesContext) {
  /** Being said in this process, on which connection. */
  const saying = new Map<MessageId, object>()
  /** Not heard, of a connection of this process. */
  const unheard = new Set<MessageId>()
  const asked = new WeakMap<object, Map<string, number>>()
  let settled = new Map<string, MessageId[]>()

  return {
    /** That of a message which this connection has just brought. */
    later(
      hearer: Hearer,
      { id, at, message, when }: { id: MessageId; at: Instant; message: Message | undefined; when: When },
    ): Later {
      const mode = modeOf(message)
      return say(hearer, id, async () => {
        const said = when === 'effect' ? await effect(id) : when
        return said === undefined || said === 'nothing' || !isAskedFor(mode, said)
          ? undefined
          : render(message, id, at, said)
      })
    },

    /** That of a message which this sender has sent again. */
    again: (hearer: Hearer, id: MessageId): Later => say(hearer, id, () => remembered(id)),

    isSaying: (id: MessageId): boolean => saying.has(id),

    /** Those that this sender has not heard on an earlier connection. */
    async owed(hearer: Hearer): Promise<readonly Later[]> {
      const { connection, sender } = hearer
      const times = asked.get(connection) ?? new Map<string, number>()
      asked.set(connection, times)
      const now = performance.now()
      if (now < (times.get(sender) ?? 0)) return []
      times.set(sender, now + askMilliseconds)
      try {
        const ids = await store.owedReplies(source.name, sender, mostAtOnce + saying.size)
        const elsewhere = ids.filter((id) => saying.get(id) !== connection)
        const due: Later[] = []
        for (const id of elsewhere.slice(0, mostAtOnce))
          if (await isFree(id)) due.push(say(hearer, id, () => remembered(id)))
        if (due.length < elsewhere.length) times.set(sender, now + askSoonMilliseconds)
        if (due.length > 0) log.info({ source: source.name, count: due.length }, 'acknowledgments said again')
        return due
      } catch (error) {
        log.debug({ source: source.name, ...failureOf(error) }, 'owed acknowledgments could not be read')
        return []
      }
    },
  }

  function say({ connection, sender }: Hearer, id: MessageId, make: () => Promise<Uint8Array | undefined>): Later {
    saying.set(id, connection)
    unheard.delete(id)
    let isNone = false
    return {
      bytes: make().then(
        (bytes) => {
          isNone = bytes === undefined
          return bytes
        },
        // The store is away: it stays owed.
        () => undefined,
      ),
      end(isDelivered) {
        saying.delete(id)
        if (isDelivered || isNone) settle(sender, id)
        else unheard.add(id)
      },
    }
  }

  /** Many connections that end together are one command. What is lost of it is said once more. */
  function settle(sender: string, id: MessageId): void {
    if (settled.size === 0) setImmediate(flush)
    settled.set(sender, [...(settled.get(sender) ?? []), id])
  }

  function flush(): void {
    const done = settled
    settled = new Map()
    for (const [sender, ids] of done) void store.settleReplies(source.name, sender, ids).catch(() => undefined)
  }

  async function isFree(id: MessageId): Promise<boolean> {
    if (saying.has(id)) return false
    if (unheard.has(id)) return true
    const kept = await store.message(id)
    return kept === undefined || Date.parse(clock()) - Date.parse(kept.at) >= elsewhereMilliseconds
  }

  async function remembered(id: MessageId): Promise<Uint8Array | undefined> {
    const kept = await store.message(id)
    if (kept === undefined) return undefined
    const parsed = parse(kept.body, source)
    const message = parsed.kind === 'message' ? parsed.message : parsed.header
    const said = await saidOf(id, kept.state.kind === 'invalid' ? refusal(kept.state.faults) : taken)
    return said !== undefined && isAskedFor(modeOf(message), said) ? render(message, id, kept.at, said) : undefined
  }

  /** As the source says when a message is taken. */
  async function saidOf(id: MessageId, checked: Said): Promise<Said | undefined> {
    if (source.ack === 'stored') return taken
    return source.ack === 'applied' && checked === taken ? await effect(id) : checked
  }

  async function effect(id: MessageId): Promise<Said | undefined> {
    const state = await outcomes.of(id)
    return state === undefined ? undefined : effectOf(state)
  }
}

function isAskedFor(mode: AcknowledgmentMode, { code }: Said): boolean {
  return mode.kind === 'enhanced' && isWanted(mode.application, code !== 'AA')
}
