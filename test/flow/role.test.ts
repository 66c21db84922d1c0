import { afterEach, expect, test } from 'vitest'
import type { Lease } from '../../src/core/ports.ts'
import { holdRole, type Role } from '../../src/flow/role.ts'
import { eventually } from '../support/temporary.ts'
import { fakeJobs, fakeLeases, keptLog, storeAway } from './fakes.ts'

const roles: Role[] = []
afterEach(async () => {
  for (const role of roles.splice(0)) await role.stop()
})

function holding(work: (lease: Lease) => Promise<void>, leases = fakeLeases(), takeOver = false) {
  const jobs = fakeJobs()
  const log = keptLog()
  const role = holdRole({ leases, jobs, log, role: 'drain', work, takeOver, retryMilliseconds: 10 })
  roles.push(role)
  return { role, jobs, log, leases }
}

test('a role is taken, works at once for what came before, and again at each wake-up', async () => {
  let turns = 0
  const { role, jobs } = holding(async () => void (turns += 1))
  await eventually(() => turns === 1, 'the first turn')
  expect(role.held()).toBe(true)
  jobs.wake('drain')
  await eventually(() => turns === 2, 'the second turn')
})

test('a role that another process has is asked for until it is free', async () => {
  const leases = fakeLeases()
  const other = await leases.lease('drain')
  let turns = 0
  const { role } = holding(async () => void (turns += 1), leases)
  await eventually(() => leases.asked.length > 3, 'it asks again')
  expect({ turns, held: role.held() }).toEqual({ turns: 0, held: false })
  await other?.release()
  await eventually(() => turns > 0, 'it works')
})

test('a role that was lost is taken again, with a new token', async () => {
  const tokens: number[] = []
  const { leases, log } = holding(async (lease) => void tokens.push(lease.token))
  await eventually(() => tokens.length === 1, 'the first turn')
  leases.taken[0]?.lose()
  await eventually(() => tokens.length === 2, 'a turn with the new lease')
  expect(tokens[1]).toBeGreaterThan(tokens[0] ?? 0)
  expect(log.said('info')).toEqual(['role lost'])
})

test('it waits while the store is away, and takes over only until it has had the role once', async () => {
  const leases = fakeLeases()
  leases.away = true
  let turns = 0
  holding(async () => void (turns += 1), leases, true)
  await eventually(() => leases.asked.length > 2, 'it asks again')
  leases.away = false
  await eventually(() => turns === 1, 'it works')
  leases.taken[0]?.lose()
  await eventually(() => turns === 2, 'it works again')
  expect(leases.asked.slice(0, 3)).toEqual([true, true, true])
  expect(leases.asked.at(-1)).toBe(false)
})

test('I3: a turn that fails in the middle is tried again by itself, without a wake-up', async () => {
  let turns = 0
  const { log } = holding(async () => {
    turns += 1
    if (turns < 3) throw storeAway()
  })
  await eventually(() => turns === 3, 'the third turn')
  await eventually(() => log.said('info').includes('work goes on'), 'it is said')
  expect(log.said('error')).toEqual([])
})

test('I9: a defect is said once, with its class and places and never its text', async () => {
  let turns = 0
  const { log } = holding(async () => {
    turns += 1
    if (turns < 3) throw new TypeError('Doe^Jane is not iterable')
  })
  await eventually(() => turns === 3, 'the third turn')
  expect(log.said('error')).toEqual(['work failed'])
  expect(log.all()).toContain('TypeError')
  expect(log.all()).toContain('role.test.ts')
  expect(log.all()).not.toContain('Doe')
})

test('a turn that keeps failing does not go on after the lease is lost', async () => {
  const tokens: number[] = []
  const { leases } = holding(async (lease) => {
    tokens.push(lease.token)
    throw storeAway()
  })
  await eventually(() => tokens.length > 1, 'it is tried again')
  const lost = leases.taken[0]
  lost?.lose()
  await eventually(() => tokens.at(-1) !== lost?.token, 'the next lease')
  const since = tokens.indexOf(leases.taken[1]?.token ?? 0)
  expect(tokens.slice(since)).not.toContain(lost?.token)
})

test('stop lets the work in hand end, no more, and gives the lease back', async () => {
  let pieces = 0
  const { role, leases, jobs } = holding(async (lease) => {
    // Endless work: only the lease ends it.
    while (lease.held()) {
      pieces += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  await eventually(() => pieces > 2, 'it works')
  await role.stop()
  const done = pieces
  expect({ held: role.held(), lease: leases.taken[0]?.held(), served: jobs.served('drain') }).toEqual({
    held: false,
    lease: false,
    served: false,
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(pieces).toBe(done)
})

test('a queue that cannot be served is tried again', async () => {
  const leases = fakeLeases()
  const jobs = fakeJobs()
  const { serve } = jobs
  let failures = 0
  let turns = 0
  jobs.serve = (role, work) => {
    if (failures++ < 2) throw new TypeError('this process serves drain already')
    return serve(role, work)
  }
  roles.push(
    holdRole({
      leases,
      jobs,
      log: keptLog(),
      role: 'drain',
      work: async () => void (turns += 1),
      retryMilliseconds: 10,
    }),
  )
  await eventually(() => turns > 0, 'it works')
})
