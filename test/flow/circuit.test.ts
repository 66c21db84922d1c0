import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import { createCircuit } from '../../src/flow/circuit.ts'
import { keptLog } from './fakes.ts'

const policy = { firstSeconds: 1, factor: 2, maxSeconds: 8, jitter: 0, openAfter: 3 }
const away = new EngineError('E701', { name: 'ris', address: 'x', reason: 'ECONNREFUSED' })

function aCircuit(changes: Partial<typeof policy> = {}, random = () => 0) {
  let given = { ...policy, ...changes }
  let at = Date.parse('2026-10-16T08:00:00.000Z')
  const log = keptLog()
  const clock = (): string => new Date(at).toISOString()
  const circuit = createCircuit({ policy: () => given, clock, log, subject: { endpoint: 'ris' }, random })
  return {
    circuit,
    log,
    later: (seconds: number): void => void (at += seconds * 1000),
    now: () => at,
    reload: (others: Partial<typeof policy>): void => void (given = { ...given, ...others }),
  }
}

test('while all is well anybody may try, as many as like', () => {
  const { circuit } = aCircuit()
  expect([circuit.admit(), circuit.admit(), circuit.admit()].every((trial) => trial !== undefined)).toBe(true)
  expect(circuit.state()).toBe('closed')
})

test('after a failure one at a time, and not before its moment', () => {
  const { circuit, later } = aCircuit()
  circuit.admit()?.failed(away, 'E701')
  expect(circuit.admit()).toBeUndefined()
  later(1)
  const trial = circuit.admit()
  expect(trial).toBeDefined()
  expect(circuit.admit()).toBeUndefined()
  trial?.abandoned()
  expect(circuit.admit()).toBeDefined()
})

test('many that were under way together and fail together are one failure', () => {
  const { circuit } = aCircuit()
  const trials = Array.from({ length: 10 }, () => circuit.admit())
  for (const trial of trials) trial?.failed(away, 'E701')
  expect(circuit.plan()).toMatchObject({ failures: 1 })
})

test('a success that began before the failure proves nothing', () => {
  const { circuit, later } = aCircuit()
  const [slow, fast] = [circuit.admit(), circuit.admit()]
  fast?.failed(away, 'E701')
  slow?.succeeded()
  expect(circuit.plan()).toMatchObject({ failures: 1 })
  later(1)
  expect(circuit.admit()?.succeeded()).toMatchObject({ failures: 1 })
  expect(circuit.plan()).toBeUndefined()
})

test('an open circuit is half-open while its probe is under way, and says only when it opens and closes', () => {
  const { circuit, later, log } = aCircuit()
  for (let n = 0; n < 4; n += 1) {
    circuit.admit()?.failed(away, 'E701')
    later(8)
  }
  expect(circuit.state()).toBe('open')
  const probe = circuit.admit()
  expect(circuit.state()).toBe('half-open')
  probe?.succeeded()
  expect(circuit.state()).toBe('closed')
  expect(log.said('info')).toEqual(['circuit opened', 'circuit closed'])
})

test('a hint cuts the wait short to the first wait, and never makes it longer', () => {
  const { circuit, later } = aCircuit()
  for (let n = 0; n < 5; n += 1) {
    circuit.admit()?.failed(away, 'E701')
    later(8)
  }
  circuit.admit()?.failed(away, 'E701')
  circuit.hint()
  expect(circuit.admit()).toBeUndefined()
  later(1)
  circuit.hint()
  expect(circuit.admit()).toBeDefined()
})

test('what another process has found out is gone on with', () => {
  const one = aCircuit()
  for (let n = 0; n < 3; n += 1) {
    one.circuit.admit()?.failed(away, 'E701')
    one.later(8)
  }
  const two = aCircuit()
  two.circuit.restore(one.circuit.plan())
  two.later(24)
  two.circuit.admit()?.failed(away, 'E701')
  expect(two.circuit.plan()).toMatchObject({ failures: 4, since: one.circuit.plan()?.since })
})

test('no storm: engines that lost the same receiver at the same moment do not come back at the same moment', () => {
  const engines = 50
  let seed = 7
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
  const nexts = Array.from({ length: engines }, () => {
    const { circuit } = aCircuit({ jitter: 0.2, maxSeconds: 60, firstSeconds: 60 }, random)
    return Date.parse(circuit.admit()?.failed(away, 'E701').next ?? '')
  })
  const perSecond = new Map<number, number>()
  for (const next of nexts) perSecond.set(Math.floor(next / 1000), (perSecond.get(Math.floor(next / 1000)) ?? 0) + 1)
  // A fifth of 60 s is 12 s: without chance all 50 would come in one second.
  expect(Math.max(...perSecond.values())).toBeLessThan(engines / 3)
  expect(new Set(nexts).size).toBeGreaterThan(engines * 0.9)
})

test('whatever happens, attempts are never closer than the policy allows, and it is closed after a success', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ wait: fc.nat(20), isBack: fc.boolean() }), { maxLength: 40 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (moments, chance) => {
        const { circuit, later, now } = aCircuit({ jitter: 0.2 }, () => chance)
        let failedAt = Number.NEGATIVE_INFINITY
        for (const { wait, isBack } of moments) {
          later(wait / 4)
          const trial = circuit.admit()
          if (trial === undefined) {
            expect(now() - failedAt).toBeLessThan(policy.maxSeconds * 1000)
            continue
          }
          expect(now() - failedAt).toBeGreaterThanOrEqual(policy.firstSeconds * 1000 * 0.8 - 1)
          if (isBack) {
            trial.succeeded()
            failedAt = Number.NEGATIVE_INFINITY
            expect(circuit.state()).toBe('closed')
          } else {
            trial.failed(away, 'E701')
            failedAt = now()
          }
        }
      },
    ),
  )
})

test('by a policy that a reload brings, what waits already waits no longer than its longest wait', () => {
  const { circuit, later, reload } = aCircuit({ firstSeconds: 600, maxSeconds: 3600 })
  circuit.admit()?.failed(away, 'E701')
  later(5)
  expect(circuit.isWaiting()).toBe(true)
  reload({ firstSeconds: 1, maxSeconds: 5 })
  expect(circuit.plan()?.next).toBe('2026-10-16T08:00:05.000Z')
  circuit.admit()?.failed(away, 'E701')
  expect(circuit.plan()?.next, 'the second wait, by the new policy').toBe('2026-10-16T08:00:07.000Z')
})

test('what an Orthanc asked for with Retry-After is kept when a reload changes something else', () => {
  const { circuit, later, reload } = aCircuit()
  circuit.admit()?.failed(new EngineError('E404', { status: 503, retryAfterSeconds: 100 }), 'E404')
  later(50)
  reload({ firstSeconds: 2 })
  expect(circuit.isWaiting()).toBe(true)
})
