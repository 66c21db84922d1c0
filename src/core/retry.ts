import type { ErrorClass } from './errors/entry.ts'
import type { Instant } from './ids.ts'

/**
 * How often what failed is tried again: one object per endpoint, whatever the
 * endpoint is. There is no giving up: what is merely unreachable is tried until it
 * is taken, and its age is shown.
 */
export interface RetryPolicy {
  /** Wait after the first failure. */
  readonly firstSeconds: number
  /** Each wait is so many times the one before. */
  readonly factor: number
  /** No wait is longer. */
  readonly maxSeconds: number
  /** Up to this part of each wait is left out by chance, so that those who failed together do not come back together. */
  readonly jitter: number
  /** So many failures in a row open the circuit. */
  readonly openAfter: number
}

/** What a site gets that says nothing. Somebody waits at a machine for what an Orthanc is asked, nobody for a status. */
export const retryDefaults = {
  destinations: { firstSeconds: 1, factor: 2, maxSeconds: 60, jitter: 0.2, openAfter: 5 },
  orthancs: { firstSeconds: 1, factor: 2, maxSeconds: 10, jitter: 0.2, openAfter: 5 },
} as const satisfies Record<string, RetryPolicy>

/** Longer than this nobody can make us wait by Retry-After (RFC 9110 §10.2.3). */
export const longestRetryAfterSeconds = 3600

/** The wait after so many failures in a row (1: the first); `random` is from 0 up to 1. It only shortens: the cap is a cap. */
export function waitSeconds(policy: RetryPolicy, failures: number, random: number): number {
  const grown = policy.firstSeconds * policy.factor ** (failures - 1)
  return Math.min(grown, policy.maxSeconds) * (1 - policy.jitter * random)
}

/** What is known of a failure that decides about the wait. */
export interface RetryCause {
  readonly class: ErrorClass
  /** What an HTTP server asked for (429, 503). */
  readonly retryAfterSeconds?: number
}

/**
 * The wait after a failure of this class. What a person must change does not get better
 * by asking soon: the longest wait at once. What the other side asked for is kept.
 */
export function pauseSeconds(policy: RetryPolicy, cause: RetryCause, failures: number, random: number): number {
  const grown = waitSeconds(policy, failures, random)
  const least = cause.class === 'permanent' ? policy.maxSeconds * (1 - policy.jitter * random) : 0
  const asked = Math.min(cause.retryAfterSeconds ?? 0, longestRetryAfterSeconds)
  return Math.max(grown, least, asked)
}

/**
 * How an endpoint is being tried again, from its first failure to its next success.
 * That of a receiver is kept in the store: it outlives processes, and all of them know it.
 */
export interface RetryPlan {
  /** In a row. */
  readonly failures: number
  /** The first and the last of them. */
  readonly since: Instant
  readonly at: Instant
  /** Our code of the last one. */
  readonly code: string
  readonly class: ErrorClass
  /** Not tried before. */
  readonly next: Instant
  /** Where it was tried: of another address nothing is known. */
  readonly address?: string
}

/** `open`: tried once in a while, one thing at a time. `half-open`: that is being tried now. */
export type CircuitState = 'closed' | 'half-open' | 'open'

/** As metrics show it. */
export const circuitNumbers: Readonly<Record<CircuitState, number>> = { closed: 0, 'half-open': 1, open: 2 }

export function circuitState(policy: RetryPolicy, plan: RetryPlan | undefined, isTrying = false): CircuitState {
  if (plan === undefined || plan.failures < policy.openAfter) return 'closed'
  return isTrying ? 'half-open' : 'open'
}

/** Whether the plan says to wait now. A plan from the future was made by a clock that has been put back since. */
export function isWaiting(plan: RetryPlan | undefined, now: number): boolean {
  return plan !== undefined && Date.parse(plan.at) <= now && now < Date.parse(plan.next)
}

/** A plan that was made by another policy waits no longer than this one does. */
export function atMost(policy: RetryPolicy, plan: RetryPlan): RetryPlan {
  const longest = new Date(Date.parse(plan.at) + policy.maxSeconds * 1000).toISOString()
  return plan.next <= longest ? plan : { ...plan, next: longest }
}

const most = 12

/** `1 s, 2 s, 4 s, then every 10 s` */
export function scheduleText(policy: RetryPolicy): string {
  const growing: number[] = []
  for (let n = 1; n <= most; n += 1) {
    const seconds = waitSeconds(policy, n, 0)
    if (seconds >= policy.maxSeconds || seconds === growing.at(-1)) break
    growing.push(seconds)
  }
  // A policy that does not grow keeps its first wait for ever.
  const last = policy.factor > 1 ? policy.maxSeconds : Math.min(policy.firstSeconds, policy.maxSeconds)
  const rest = `every ${secondsText(last)}`
  if (growing.length === 0 || growing[0] === last) return rest
  const isCut = growing.length === most && waitSeconds(policy, most + 1, 0) < policy.maxSeconds
  return `${growing.map(secondsText).join(', ')}, ${isCut ? 'and so on, ' : ''}then ${rest}`
}

/** About when the circuit opens, counted from the first failure, if attempts fail at once. */
export function opensAfterSeconds(policy: RetryPolicy): number {
  let sum = 0
  for (let n = 1; n < policy.openAfter; n += 1) sum += waitSeconds(policy, n, 0)
  return sum
}

/** `2 s`, `5 min`, `1.5 s` */
export function secondsText(seconds: number): string {
  if (seconds >= 120 && seconds % 60 === 0) return `${seconds / 60} min`
  return `${Math.round(seconds * 10) / 10} s`
}
