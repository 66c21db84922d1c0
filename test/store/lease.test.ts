import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually } from '../support/temporary.ts'
import { apply, item, message, openStore, order } from './support.ts'

let redis: TestRedis
let raw: Redis
let store: Store
beforeAll(async () => {
  redis = await startRedis()
  raw = new Redis({ path: redis.path })
  store = await openStore(redis.path, { leaseMilliseconds: 600 })
})
afterAll(async () => {
  raw.disconnect()
  await store.close()
  await redis.stop()
})

test('a role has one holder; it keeps it while it lives, and gives it back', async () => {
  const lease = await store.lease('one')
  expect(lease?.held()).toBe(true)
  expect(await store.lease('one')).toBeUndefined()
  // Renewed three times, each after a third of it: it would have run out by now.
  let [renewals, left] = [0, 0]
  await eventually(async () => {
    const now = await raw.pttl('wl:lease:one')
    if (now > left) renewals += 1
    left = now
    return renewals > 3
  }, 'it is renewed')
  expect(lease?.held()).toBe(true)
  await lease?.release()
  expect(lease?.held()).toBe(false)
  const next = await store.lease('one')
  expect(next?.token).toBeGreaterThan(lease?.token ?? 0)
  await next?.release()
})

test('a role can be taken over from a holder that is known to be dead', async () => {
  const dead = await store.lease('two')
  const taken = await store.lease('two', { takeOver: true })
  expect(taken?.held()).toBe(true)
  await eventually(() => dead?.held() === false, 'the old holder notices')
  await taken?.release()
})

test('a role is taken from a process that was killed long before its lease runs out', async () => {
  const hour = 3_600_000
  const [patient, other] = [
    await openStore(redis.path, { leaseMilliseconds: hour }),
    await openStore(redis.path, { leaseMilliseconds: hour }),
  ]
  try {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../support/drainer.ts'), redis.path, String(hour)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    let said = ''
    child.stdout.on('data', (data: Buffer) => (said += data.toString()))
    await eventually(() => said.includes('loaded'), 'the other process has the role')
    expect(await patient.lease('drain')).toBeUndefined()
    expect(await patient.lease('drain')).toBeUndefined()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lease = await eventually(() => patient.lease('drain'), 'it is taken over')
    // By one of all that try.
    expect(await other.lease('drain')).toBeUndefined()
    expect(lease.held()).toBe(true)
    await lease.release()
  } finally {
    await patient.close()
    await other.close()
  }
})

test("a lease of before Redis's clock was set back is free", async () => {
  const administrator = new Redis({ path: redis.path })
  await administrator.set('wl:lease:leap', '7', 'PX', 7_200_000)
  await administrator.set('wl:lease:other', '7', 'PX', 600)
  administrator.disconnect()
  expect(await store.lease('other')).toBeUndefined()
  const lease = await store.lease('leap')
  expect(lease?.held()).toBe(true)
  await lease?.release()
})

test('a holder whose connection broke for a moment, and that nobody has replaced, goes on', async () => {
  const lease = await store.lease('broken')
  const administrator = new Redis({ path: redis.path })
  await administrator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  administrator.disconnect()
  await eventually(async () => {
    await store.ping()
    return true
  }, 'the connection is back')
  expect(lease?.held()).toBe(true)
  expect(await store.lease('broken')).toBeUndefined()
  await lease?.release()
})

test('I3: a frozen drainer that wakes after another took over changes nothing', async () => {
  await store.accept(message({ controlId: 'old' }))
  const child = spawn(process.execPath, [join(import.meta.dirname, '../support/drainer.ts'), redis.path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const said: string[] = []
  child.stdout.on('data', (data: Buffer) => said.push(...data.toString().trim().split('\n')))
  try {
    await eventually(() => said.includes('loaded'), 'the other process has loaded')
    child.kill('SIGSTOP')
    // It wakes only when told to commit; what it is told waits in its pipe while it sleeps.
    child.stdin.write('commit\n')
    const newer = (seq: number): ReturnType<typeof order> =>
      order('O1', seq, { numbers: { authority: 'ris', accessionNumber: 'NEWER' } })
    const lease = await eventually(() => store.lease('drain'), 'the lease of the frozen process ran out')
    await lease.release()
    await apply(store, ([seq = 0]) => [
      { kind: 'order', order: newer(seq), items: [item(newer(seq))], withdrawn: [] },
      { kind: 'state', messageId: `M${seq}`, source: 'ris', state: { kind: 'applied' } },
    ])
    child.kill('SIGCONT')
    await eventually(() => said.includes('fenced'), 'the woken process was fenced')
    expect((await store.order('O1'))?.numbers.accessionNumber).toBe('NEWER')
    expect(await store.orders({ by: 'accessionNumber', value: 'FROZEN' })).toEqual([])
    expect((await store.counts())[0]).toMatchObject({ received: 1, waiting: 0, applied: 1 })
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

test('I10: in a store that was emptied nobody has a role, and nothing is written', async () => {
  await raw.flushall()
  expect(await store.lease('three')).toBeUndefined()
  expect(await raw.dbsize()).toBe(0)
})
