import { EngineError } from '../../src/core/errors/index.ts'
import type { MessageState, NewMessage, StoredMessage } from '../../src/core/message.ts'
import type { Inbox, MessageStore, Replies } from '../../src/core/ports.ts'

type Kept = NewMessage & { readonly id: string; state: MessageState }

export interface MemoryStore {
  readonly inbox: Pick<Inbox, 'accept'>
  readonly replies: Replies & Pick<MessageStore, 'message'>
  readonly outcomes: { of(id: string): Promise<MessageState | undefined> }
  /** Messages in the order in which they were accepted. */
  readonly kept: readonly Kept[]
  /** What senders are still owed, as `sender M1`. */
  owed(): readonly string[]
  /** Ends what waits: `dead` for those whose control ID is named. */
  apply(dead?: readonly string[]): void
  away: boolean
}

const fault = { code: 'E601', hl7Code: 207, params: {} } as const

/** As much of the store as a receiver sees, with the rules of I4. */
export function memoryStore(
  options: { readonly beforeAccept?: (message: NewMessage) => Promise<void> } = {},
): MemoryStore {
  const kept: Kept[] = []
  const known = new Map<string, Kept>()
  const owed = new Map<string, Set<string>>()
  const waiters = new Map<string, ((state: MessageState) => void)[]>()
  let count = 0
  const check = (): void => {
    if (store.away) throw new EngineError('E501')
  }
  const byId = (id: string): Kept | undefined => kept.find((one) => one.id === id)
  const store: MemoryStore = {
    away: false,
    kept,
    owed: () => [...owed].flatMap(([sender, ids]) => [...ids].map((id) => `${sender} ${byId(id)?.controlId ?? ''}`)),
    apply(dead = []) {
      for (const one of kept) {
        if (one.state.kind !== 'waiting') continue
        one.state = dead.includes(one.controlId) ? { kind: 'dead', fault, attempts: 1 } : { kind: 'applied' }
        for (const resolve of waiters.get(one.id) ?? []) resolve(one.state)
        waiters.delete(one.id)
      }
    },
    inbox: {
      async accept(message) {
        await options.beforeAccept?.(message)
        check()
        const again = known.get(message.controlId)
        if (message.controlId !== '' && again?.fingerprint === message.fingerprint)
          return { kind: 'again', messageId: again.id, acknowledgment: again.acknowledgment }
        const one = { ...message, id: `M${++count}` }
        kept.push(one)
        if (message.state.kind !== 'invalid') known.set(message.controlId, one)
        if (message.owedTo !== undefined) owed.set(message.owedTo, (owed.get(message.owedTo) ?? new Set()).add(one.id))
        return { kind: 'stored', seq: count, messageId: one.id, reused: again !== undefined }
      },
    },
    replies: {
      async owedReplies(_, sender, limit) {
        check()
        return [...(owed.get(sender) ?? [])].slice(0, limit)
      },
      async settleReplies(_, sender, ids) {
        check()
        for (const id of ids) owed.get(sender)?.delete(id)
      },
      async messageStates(ids) {
        check()
        return ids.map((id) => byId(id)?.state)
      },
      async forgetMessage({ controlId }, id) {
        if (known.get(controlId)?.id === id) known.delete(controlId)
      },
      async message(id) {
        check()
        const one = byId(id)
        return one && ({ ...one, seq: 0, bytes: 0 } satisfies StoredMessage & NewMessage)
      },
    },
    outcomes: {
      of(id) {
        const state = byId(id)?.state
        if (state === undefined || state.kind !== 'waiting') return Promise.resolve(state)
        return new Promise((resolve) => waiters.set(id, [...(waiters.get(id) ?? []), resolve]))
      },
    },
  }
  return store
}
