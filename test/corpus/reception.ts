import { Redis } from 'ioredis'
import type { Site } from '../../src/config/site.ts'
import type { MessageState, NewMessage, Verdict } from '../../src/core/message.ts'
import type { Order, Patient, WorklistItem } from '../../src/core/order.ts'
import type { Log, LogFields } from '../../src/core/ports.ts'
import type { Change } from '../../src/core/world.ts'
import { createDrainer } from '../../src/flow/drain.ts'
import { examRules } from '../../src/flow/exam-rules.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { createOutcomes } from '../../src/flow/outcomes.ts'
import { createReceiver } from '../../src/flow/receive.ts'
import { createStore } from '../../src/store/index.ts'

/** What became of one message. */
export interface Heard {
  /** The acknowledgment as it would be sent, whether it is or not. */
  readonly acknowledgment: string
  readonly isAnswered: boolean
  readonly type: string
  readonly state: MessageState
  readonly verdict: Verdict | undefined
  /** Codes of the warnings on the log. */
  readonly warnings: readonly string[]
  readonly changes: readonly Change[]
}

/** What the store holds after it. */
export interface Holdings {
  readonly orders: readonly Order[]
  readonly items: readonly WorklistItem[]
  readonly patients: readonly Patient[]
}

export interface Reception {
  take(bytes: Uint8Array): Promise<Heard>
  holdings(): Holdings
  close(): Promise<void>
}

/**
 * An engine without its sockets, on an empty store: the receiver, the store and the drainer that
 * `src/engine.ts` puts together, one message after the other.
 */
export async function openReception(site: Site, redisPath: string): Promise<Reception> {
  const server = new Redis({ path: redisPath })
  await server.flushall()
  server.disconnect()
  const [source] = site.settings.sources
  const plan = source === undefined ? undefined : site.plans.get(source.name)
  if (source === undefined || plan === undefined) throw new Error('the site has no source')

  let warnings: string[] = []
  const keep = (fields: LogFields, event: string): void => {
    if (event !== 'message has warnings') return
    const { codes } = fields
    warnings.push(...(Array.isArray(codes) ? (codes as readonly string[]) : []))
  }
  const nothing = (): void => {}
  const log: Log = { debug: nothing, info: nothing, warn: keep, error: nothing }
  const clock = (): string => new Date().toISOString()
  const store = await createStore({ redis: { path: redisPath }, targets: [], clock, log, commandMilliseconds: 20_000 })
  const lease = await store.lease('drain', { takeOver: true })
  if (lease === undefined) throw new Error('no lease')

  const remembered = createVerdictMemo()
  const metrics = { count: nothing, observe: nothing, set: nothing }
  const accepted: { readonly entry: NewMessage; readonly messageId: string }[] = []
  let verdict: Verdict | undefined
  let changes: Change[] = []
  const memo = {
    remember(id: string, one: Verdict) {
      verdict = one
      remembered.remember(id, one)
    },
    take: remembered.take,
  }
  let ids = 0
  const { receive } = createReceiver({
    source,
    plan: () => plan,
    inbox: {
      async accept(entry) {
        const answer = await store.accept(entry)
        accepted.push({ entry, messageId: answer.messageId })
        return answer
      },
    },
    store,
    outcomes: createOutcomes({ store }),
    memo,
    clock,
    log,
    metrics,
    timeZone: site.settings.timeZone,
    newControlId: () => `C${++ids}`,
    wake: nothing,
  })
  const drain = createDrainer({
    ledger: {
      ...store,
      async commit(...args) {
        changes.push(...args[3])
        return store.commit(...args)
      },
    },
    rules: examRules(site.settings, site.status),
    memo,
    plan: () => Promise.resolve(plan),
    reading: () => source,
    log,
    metrics,
    committed: nothing,
    gapMilliseconds: 0,
  })

  const orders = new Map<string, Order>()
  const items = new Map<string, WorklistItem>()
  const patients = new Map<string, Patient>()
  return {
    async take(bytes) {
      warnings = []
      changes = []
      verdict = undefined
      accepted.length = 0
      const received = await receive(bytes)
      await drain(lease)
      for (const change of changes) {
        if (change.kind === 'patient') patients.set(change.patient.key, change.patient)
        if (change.kind !== 'order') continue
        orders.set(change.order.id, change.order)
        for (const item of change.items) items.set(item.id, item)
        for (const id of change.withdrawn) items.delete(id)
      }
      const [taken] = accepted
      if (taken === undefined) throw new Error('the message did not come to the store')
      const { entry, messageId } = taken
      const stored = await store.message(messageId)
      if (stored === undefined) throw new Error('the message is not in the store')
      return {
        acknowledgment: Buffer.from(stored.acknowledgment).toString('latin1'),
        isAnswered: received.kind === 'acknowledge',
        type: entry.type,
        state: stored.state,
        verdict: verdict ?? plainVerdict(stored.state),
        warnings,
        changes,
      }
    },
    holdings: () => ({ orders: [...orders.values()], items: [...items.values()], patients: [...patients.values()] }),
    async close() {
      await store.close()
    },
  }
}

function plainVerdict(state: MessageState): Verdict | undefined {
  return state.kind === 'ignored' ? state : undefined
}
