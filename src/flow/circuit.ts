import { EngineError, errorClass, type ErrorCode } from '../core/errors/index.ts'
import type { Clock, Log, LogFields } from '../core/ports.ts'
import {
  atMost,
  circuitState,
  isWaiting,
  pauseSeconds,
  type CircuitState,
  type RetryPlan,
  type RetryPolicy,
} from '../core/retry.ts'

export interface CircuitContext {
  /** Asked for at each use: a reload may bring another one. */
  policy(): RetryPolicy
  readonly clock: Clock
  readonly log: Log
  /** What its log lines are about: `{ endpoint: 'ris' }`. */
  readonly subject: LogFields
  /** 0 to 1; spreads the attempts of several engines. */
  readonly random?: () => number
}

/** One try of an endpoint. Exactly one of these is called, once. */
export interface Trial {
  /** It answered, whatever it answered. Answers the plan that ends with it. */
  succeeded(): RetryPlan | undefined
  /** `fallback`: the code of an error that has none. */
  failed(error: unknown, fallback: ErrorCode): RetryPlan
  /** Nothing was learnt: we stop, or the store went away. */
  abandoned(): void
}

/**
 * Whether an endpoint is tried now, and when it is tried again: after the first failure
 * one thing at a time and with growing waits; after `openAfter` failures in a row the
 * circuit is open, which is said, and one probe now and then shows whether it is back.
 */
export interface Circuit {
  /** Undefined: not now. It waits, or somebody else is trying. */
  admit(): Trial | undefined
  /** Whatever the plan says: somebody knows better. */
  admitAnyhow(): Trial
  /** There is a sign that it is back: it is tried soon, but no sooner than after the first failure. */
  hint(): void
  state(): CircuitState
  /** Undefined while all is well. */
  plan(): RetryPlan | undefined
  isWaiting(): boolean
  /** Goes on with what another process, or this one before, has found out. */
  restore(plan: RetryPlan | undefined): void
}

export function createCircuit({ clock, log, subject, random = Math.random, ...context }: CircuitContext): Circuit {
  let plan: RetryPlan | undefined
  let followed = context.policy()
  let trying = 0
  /** What began before the last verdict says nothing new. */
  let verdicts = 0

  const now = (): number => Date.parse(clock())
  /** What waits already waits no longer than a policy that has come since would have it wait. */
  const policy = (): RetryPolicy => {
    const newest = context.policy()
    if (plan !== undefined && newest.maxSeconds < followed.maxSeconds) plan = atMost(newest, plan)
    followed = newest
    return newest
  }
  const known = (): RetryPlan | undefined => {
    policy()
    return plan
  }
  const waits = (): boolean => isWaiting(known(), now())

  function fail(error: unknown, fallback: ErrorCode): RetryPlan {
    const code = error instanceof EngineError ? error.code : fallback
    const asked = error instanceof EngineError ? Number(error.params['retryAfterSeconds'] ?? 0) : 0
    const failures = (plan?.failures ?? 0) + 1
    const cause = { class: errorClass(code), retryAfterSeconds: Number.isFinite(asked) ? asked : 0 }
    const at = clock()
    const pause = pauseSeconds(policy(), cause, failures, random())
    const next = new Date(Date.parse(at) + pause * 1000).toISOString()
    plan = { failures, since: plan?.since ?? at, at, code, class: cause.class, next }
    if (failures === policy().openAfter)
      log.info({ ...subject, code, attempts: failures, since: plan.since }, 'circuit opened')
    return plan
  }

  function succeed(): RetryPlan | undefined {
    const ended = plan
    plan = undefined
    if (ended !== undefined && circuitState(policy(), ended) !== 'closed')
      log.info({ ...subject, attempts: ended.failures, since: ended.since }, 'circuit closed')
    return ended
  }

  function begin(): Trial {
    const began = verdicts
    trying += 1
    if (circuitState(policy(), plan) !== 'closed')
      log.debug({ ...subject, attempt: (plan?.failures ?? 0) + 1 }, 'circuit half-open')
    return {
      succeeded() {
        trying -= 1
        // Begun before it failed elsewhere: no proof that it is back.
        if (began !== verdicts) return undefined
        if (plan !== undefined) verdicts += 1
        return succeed()
      },
      failed(error, fallback) {
        trying -= 1
        // Several that were under way together fail together: that is one failure of the endpoint.
        if (plan !== undefined && began !== verdicts) return plan
        verdicts += 1
        return fail(error, fallback)
      },
      abandoned: () => void (trying -= 1),
    }
  }

  return {
    admit: () => (plan !== undefined && (trying > 0 || waits()) ? undefined : begin()),
    admitAnyhow: begin,
    hint() {
      if (plan === undefined) return
      const soon = new Date(Date.parse(plan.at) + policy().firstSeconds * 1000).toISOString()
      if (soon < plan.next) plan = { ...plan, next: soon }
    },
    state: () => circuitState(policy(), plan, trying > 0),
    plan: known,
    isWaiting: waits,
    restore: (other) => void (plan = other),
  }
}
