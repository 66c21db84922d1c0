import { EngineError } from '../../src/core/errors/index.ts'
import type { OrderId } from '../../src/core/ids.ts'
import type {
  MessageStore,
  Replies,
  Delivery,
  Jobs,
  Lease,
  Leases,
  Log,
  LogFields,
  Outbox,
  Owed,
  Pause,
} from '../../src/core/ports.ts'
import type { RetryPlan } from '../../src/core/retry.ts'
import type { FlowMetrics } from '../../src/flow/metrics.ts'

export const storeAway = (): EngineError => new EngineError('E501')

/** Keeps what was logged; `said` answers the events of one level. */
export function keptLog(): Log & { said(level: 'debug' | 'info' | 'warn' | 'error'): string[]; all(): string } {
  const lines: { readonly level: string; readonly event: string; readonly fields: LogFields }[] = []
  const keep = (level: string) => (fields: LogFields, event: string) => void lines.push({ level, event, fields })
  return {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    said: (level) => lines.filter((line) => line.level === level).map(({ event }) => event),
    all: () => JSON.stringify(lines),
  }
}

/** Counts by name, and by name with the values of its labels. */
export function keptMetrics(): FlowMetrics & { counted(name: string): number } {
  const counts = new Map<string, number>()
  return {
    count(name, labels, by = 1) {
      for (const key of new Set([name, [name, ...Object.values(labels)].join(' ')]))
        counts.set(key, (counts.get(key) ?? 0) + by)
    },
    observe: () => undefined,
    counted: (name) => counts.get(name) ?? 0,
  }
}

export interface FakeLease extends Lease {
  lose(): void
}

let tokens = 0

export function aLease(role = 'drain'): FakeLease {
  let held = true
  const lose = (): void => void (held = false)
  return { role, token: (tokens += 1), held: () => held, release: async () => lose(), lose }
}

/** One lease at a time; `away` makes the store throw. */
export function fakeLeases(): Leases & { away: boolean; taken: FakeLease[]; asked: (boolean | undefined)[] } {
  const leases = {
    away: false,
    taken: [] as FakeLease[],
    asked: [] as (boolean | undefined)[],
    async lease(role: string, options?: { takeOver?: boolean }) {
      leases.asked.push(options?.takeOver)
      if (leases.away) throw storeAway()
      if (leases.taken.at(-1)?.held() === true) return undefined
      const lease = aLease(role)
      leases.taken.push(lease)
      return lease
    },
  }
  return leases
}

/** Wake-ups as the queue gives them: one run at a time, pokes in between become one more. What fails is forgotten. */
export function fakeJobs(): Pick<Jobs, 'serve' | 'wake'> & { served(role: string): boolean } {
  const servers = new Map<string, () => void>()
  return {
    served: (role) => servers.has(role),
    wake: (role) => servers.get(role)?.(),
    async serve(role, work) {
      let running: Promise<void> | undefined
      let again = false
      const run = async (): Promise<void> => {
        do {
          again = false
          await work().catch(() => undefined)
        } while (again)
        running = undefined
      }
      servers.set(role, () => {
        if (running === undefined) running = run()
        else again = true
      })
      return {
        async stop() {
          servers.delete(role)
          again = false
          await running
        },
      }
    },
  }
}

export interface FakeOutbox extends Pick<Outbox, 'owed' | 'settle' | 'paused' | 'retryPlan' | 'keepRetryPlan'> {
  away: boolean
  pause: Pause | undefined
  plan: RetryPlan | undefined
  fenced: boolean
  owe(lane: OrderId, controlId: string): void
  readonly dead: string[]
  readonly delivered: string[]
  /** As often as each was sent without an answer. */
  readonly unanswered: string[]
  waiting(): string[]
}

export function fakeOutbox(): FakeOutbox {
  let list: (Owed & { notBefore?: string })[] = []
  const outbox: FakeOutbox = {
    away: false,
    pause: undefined,
    plan: undefined,
    fenced: false,
    dead: [],
    delivered: [],
    unanswered: [],
    waiting: () => list.map(({ controlId }) => controlId),
    owe(lane, controlId) {
      list.push({
        id: controlId,
        endpoint: 'ris',
        lane,
        controlId,
        bytes: Buffer.from(`MSH|${controlId}\r`),
        attempts: 0,
        at: '2026-10-16T08:00:00.000Z',
      })
    },
    async owed(_, limit) {
      if (outbox.away) throw storeAway()
      return list.slice(0, limit)
    },
    async settle(_, id, outcome: Delivery) {
      if (outbox.away) throw storeAway()
      if (outbox.fenced) return 'fenced'
      const one = list.find((owed) => owed.id === id)
      if (one === undefined) return 'settled'
      const settled = outbox.pause === undefined ? 'settled' : 'paused'
      if (outcome.kind === 'unanswered') {
        outbox.unanswered.push(id)
        return settled
      }
      if (outcome.kind === 'retry') {
        list = list.map((owed) =>
          owed === one ? { ...owed, attempts: owed.attempts + 1, notBefore: outcome.notBefore } : owed,
        )
        return settled
      }
      list = list.filter((owed) => owed !== one)
      outbox[outcome.kind === 'delivered' ? 'delivered' : 'dead'].push(id)
      return settled
    },
    async retryPlan() {
      if (outbox.away) throw storeAway()
      return outbox.plan
    },
    async keepRetryPlan(_, plan) {
      if (outbox.away) throw storeAway()
      if (outbox.fenced) return 'fenced'
      outbox.plan = plan
      return 'kept'
    },
    async paused() {
      if (outbox.away) throw storeAway()
      return outbox.pause
    },
  }
  return outbox
}

/** What senders in enhanced mode are owed, in memory. */
export function fakeReplies(): Replies & Pick<MessageStore, 'message'> {
  return {
    owedReplies: async () => [],
    settleReplies: async () => undefined,
    messageStates: async (ids) => ids.map(() => undefined),
    forgetMessage: async () => undefined,
    message: async () => undefined,
  }
}
