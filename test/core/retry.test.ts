import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classOf, knownFailures } from '../../src/core/failures.ts'
import {
  circuitState,
  isWaiting,
  longestRetryAfterSeconds,
  opensAfterSeconds,
  pauseSeconds,
  retryDefaults,
  scheduleText,
  waitSeconds,
  type RetryPlan,
  type RetryPolicy,
} from '../../src/core/retry.ts'

/** Every policy that the settings allow. */
const policies = fc
  .record({
    firstSeconds: fc.double({ min: 0.1, max: 3600, noNaN: true }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
    maxSeconds: fc.double({ min: 0.1, max: 86_400, noNaN: true }),
    jitter: fc.double({ min: 0, max: 0.9, noNaN: true }),
    openAfter: fc.integer({ min: 1, max: 1000 }),
  })
  .filter(({ firstSeconds, maxSeconds }) => firstSeconds <= maxSeconds)
const attempts = fc.integer({ min: 1, max: 1_000_000 })
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('a wait', () => {
  test('is never over the cap, never nothing, and never shorter than jitter may make it', () => {
    fc.assert(
      fc.property(policies, attempts, chance, (policy, failures, random) => {
        const wait = waitSeconds(policy, failures, random)
        expect(wait).toBeLessThanOrEqual(policy.maxSeconds)
        expect(wait).toBeGreaterThan(0)
        expect(wait).toBeGreaterThanOrEqual(waitSeconds(policy, failures, 0) * (1 - policy.jitter) - 1e-9)
      }),
    )
  })

  test('without jitter never gets shorter', () => {
    fc.assert(
      fc.property(policies, attempts, (policy, failures) => {
        const exact = { ...policy, jitter: 0 }
        expect(waitSeconds(exact, failures + 1, 0.5)).toBeGreaterThanOrEqual(waitSeconds(exact, failures, 0.5))
      }),
    )
  })

  test('is decided by policy, attempt and chance alone', () => {
    fc.assert(
      fc.property(policies, attempts, chance, (policy, failures, random) => {
        expect(waitSeconds({ ...policy }, failures, random)).toBe(waitSeconds(policy, failures, random))
      }),
    )
  })

  test('reaches the cap, whatever the policy that grows', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        fc.pre(policy.factor > 1.001)
        expect(waitSeconds(policy, 1_000_000, 0)).toBe(policy.maxSeconds)
      }),
    )
  })
})

describe('a pause', () => {
  test('of what a person must change is the longest wait at once; of all else it grows', () => {
    fc.assert(
      fc.property(policies, chance, (policy, random) => {
        const longest = policy.maxSeconds * (1 - policy.jitter * random)
        expect(pauseSeconds(policy, { class: 'permanent' }, 1, random)).toBeCloseTo(longest, 6)
        for (const kind of ['transient', 'ambiguous'] as const)
          expect(pauseSeconds(policy, { class: kind }, 1, random)).toBe(waitSeconds(policy, 1, random))
      }),
    )
  })

  test('is at least what Retry-After asks for, and at most an hour for it', () => {
    fc.assert(
      fc.property(policies, attempts, chance, fc.nat(1_000_000), (policy, failures, random, asked) => {
        const wait = pauseSeconds(policy, { class: 'transient', retryAfterSeconds: asked }, failures, random)
        expect(wait).toBeGreaterThanOrEqual(Math.min(asked, longestRetryAfterSeconds))
        expect(wait).toBeLessThanOrEqual(Math.max(policy.maxSeconds, longestRetryAfterSeconds))
      }),
    )
  })
})

const said: readonly (readonly [policy: Partial<RetryPolicy>, words: string])[] = [
  [{}, '1 s, 2 s, 4 s, 8 s, 16 s, 32 s, then every 60 s'],
  [{ maxSeconds: 10 }, '1 s, 2 s, 4 s, 8 s, then every 10 s'],
  [{ firstSeconds: 60 }, 'every 60 s'],
  [{ factor: 1, firstSeconds: 5 }, 'every 5 s'],
  [{ firstSeconds: 0.5, maxSeconds: 2 }, '0.5 s, 1 s, then every 2 s'],
  [{ firstSeconds: 30, factor: 10, maxSeconds: 3600 }, '30 s, 5 min, 50 min, then every 60 min'],
  [
    { factor: 1.01 },
    '1 s, 1 s, 1 s, 1 s, 1 s, 1.1 s, 1.1 s, 1.1 s, 1.1 s, 1.1 s, 1.1 s, 1.1 s, and so on, then every 60 s',
  ],
]

test.each(said)('%o is said as %s', (changes, words) => {
  expect(scheduleText({ ...retryDefaults.destinations, ...changes })).toBe(words)
})

test('what is said of when the circuit opens is the sum of the waits before it', () => {
  expect(opensAfterSeconds({ ...retryDefaults.destinations, openAfter: 4 })).toBe(7)
  expect(opensAfterSeconds({ ...retryDefaults.destinations, openAfter: 1 })).toBe(0)
})

const plan = (failures: number): RetryPlan => ({
  failures,
  since: '2026-10-16T08:00:00.000Z',
  at: '2026-10-16T08:00:10.000Z',
  next: '2026-10-16T08:00:20.000Z',
  code: 'E701',
  class: 'transient',
})

test('a circuit opens at the failure that the policy says, and is half-open while a probe is under way', () => {
  const policy = retryDefaults.destinations
  expect(circuitState(policy, undefined)).toBe('closed')
  expect(circuitState(policy, undefined, true)).toBe('closed')
  expect(circuitState(policy, plan(4), true)).toBe('closed')
  expect(circuitState(policy, plan(5))).toBe('open')
  expect(circuitState(policy, plan(5), true)).toBe('half-open')
})

test('a plan waits until its moment, and not at all by a clock that has been put back', () => {
  const at = (time: string): boolean => isWaiting(plan(1), Date.parse(`2026-10-16T${time}.000Z`))
  expect(['08:00:10', '08:00:19', '08:00:20', '08:00:09', '07:00:00'].map(at)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})

/** What the documentation promises of each failure. */
test.each([
  ['E701', 'transient'],
  ['E702', 'ambiguous'],
  ['E703', 'ambiguous'],
  ['E706', 'transient'],
  ['E705', 'permanent'],
  ['E402', 'transient'],
  ['E401', 'transient'],
  ['E404', 'transient'],
  ['E403', 'permanent'],
  ['E417', 'permanent'],
  ['E410', 'permanent'],
  ['E407', 'transient'],
  ['E412', 'permanent'],
])('%s is %s', (code, kind) => {
  const known = knownFailures.filter((one) => one.code === code)
  expect(known.map(classOf)).toEqual([kind])
})
