/** The format of the store: an older one is brought up to date whenever it is interrupted, a newer one is left alone. */
import * as fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { connect, type Connection } from '../../src/store/connection.ts'
import { createLeases } from '../../src/store/lease.ts'
import { migrate, migrations, type Migration } from '../../src/store/migrate.ts'
import { storeFormat } from '../../src/store/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually } from '../support/temporary.ts'
import { message, openStore, silent } from './support.ts'

let redis: TestRedis
let raw: Redis
let connection: Connection
beforeAll(async () => {
  redis = await startRedis({ aof: false })
  raw = new Redis({ path: redis.path })
  connection = await connected()
})
beforeEach(() => raw.flushall())
afterEach(() => raw.flushall())
afterAll(async () => {
  connection.close()
  raw.disconnect()
  await redis.stop()
})

async function connected(): Promise<Connection> {
  const made = connect({
    location: { path: redis.path },
    log: silent,
    commandMilliseconds: 2000,
    prepare: () => Promise.resolve(),
  })
  await new Promise<void>((resolve) => {
    made.onHealth((up) => up && resolve())
  })
  return made
}

const run = (steps: readonly Migration[] = migrations, through = connection): Promise<void> =>
  migrate({
    connection: through,
    leases: createLeases({ connection: through, leaseMilliseconds: 1000 }),
    log: silent,
    steps,
  })

/** What format 2 kept of a message: a key of its own, with its own end. */
async function asFormat2(messages: readonly { readonly control: string; readonly seq: number }[]): Promise<void> {
  await raw.mset('wl:format', '2', 'wl:seq', '1760000009999', 'wl:applied', '1760000000000')
  for (const { control, seq } of messages)
    await raw.set(`wl:again:ris\n${control}`, `M${seq} f${control} AA of ${control}`, 'PX', 86_400_000)
}

/** All that is remembered of messages, and in which order it will be forgotten. */
async function remembered(): Promise<unknown> {
  const lines = await raw.lrange('wl:agains', 0, -1)
  return {
    again: await raw.hgetall('wl:again'),
    order: lines.map((line) => line.replace(/ \d+ /, ' ')),
    old: await raw.keys('wl:again:*'),
    format: await raw.mget('wl:format', 'wl:migrating'),
  }
}

test('I4: a store of format 2 knows its messages again after the upgrade, and forgets the oldest first', async () => {
  await asFormat2([
    { control: 'B', seq: 1_760_000_000_200 },
    { control: 'A', seq: 1_760_000_000_100 },
  ])
  const store: Store = await openStore(redis.path)
  expect(await store.accept(message({ controlId: 'A' }))).toMatchObject({ kind: 'again', messageId: 'M1760000000100' })
  expect(await raw.lrange('wl:agains', 0, -1)).toEqual([
    expect.stringMatching(/^M1760000000100 \d{13} ris\nA$/),
    expect.stringMatching(/^M1760000000200 \d{13} ris\nB$/),
  ])
  expect(await raw.keys('wl:again:*')).toEqual([])
  expect(await raw.get('wl:format')).toBe(String(storeFormat))
  await store.close()
})

test('a store that comes back in an older format under a running engine is left alone until the engine is started again', async () => {
  const store = await openStore(redis.path, { memory: { lookMilliseconds: 50 } })
  await raw.set('wl:format', '2')
  await eventually(() => store.trouble()?.code === 'E527', 'it says why')
  expect(await raw.get('wl:format')).toBe('2')
  await store.close()
  await (await openStore(redis.path)).close()
  expect(await raw.get('wl:format')).toBe(String(storeFormat))
})

class Killed extends Error {}

test('a migration that is killed anywhere, any number of times, ends in the same store', async () => {
  const stores = fc.uniqueArray(fc.integer({ min: 0, max: 5000 }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(stores, fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 4 }), async (numbers, kills) => {
      const messages = numbers.map((n) => ({ control: `C${n}`, seq: 1_760_000_000_000 + n }))
      await raw.flushall()
      await asFormat2(messages)
      await run()
      const expected = await remembered()
      await raw.flushall()
      await asFormat2(messages)
      for (const left of kills) await run(migrations, dyingAfter(left)).catch((error: unknown) => dead(error))
      await run()
      expect(await remembered()).toEqual(expected)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 30) },
  )
})

function dead(error: unknown): void {
  if (!(error instanceof Killed)) throw error
}

/** The same connection, of a process that is killed after so many more commands. */
function dyingAfter(commands: number): Connection {
  let left = commands
  const alive = (): void => {
    if (left-- <= 0) throw new Killed()
  }
  return {
    ...connection,
    async run(script, args) {
      // What a dead process held runs out by itself.
      if (script.name !== 'lease' && script.name !== 'release') alive()
      return connection.run(script, args)
    },
    async batch(all) {
      alive()
      return connection.batch(all)
    },
    ask: (work) => connection.ask(work),
  }
}

test('steps are done one after the other, from the format that is found, each once', async () => {
  const done: number[] = []
  const steps = [2, 3, 4, 5].map((to) => ({
    to,
    what: `step ${to}`,
    run: () => {
      done.push(to)
      return Promise.resolve()
    },
  }))
  await raw.set('wl:format', '3')
  await run(steps)
  await run(steps)
  expect(done).toEqual([4, 5])
  expect(await raw.mget('wl:format', 'wl:migrating')).toEqual(['5', null])
})

test('of several engines that start at once one changes the format, and all of them wait for it', async () => {
  let running = 0
  let most = 0
  const steps: Migration[] = [
    {
      to: 2,
      what: 'slow',
      run: async (through) => {
        most = Math.max(most, ++running)
        for (let n = 0; n < 50; n++) await through.ask((client) => client.incr('wl:test'))
        running -= 1
      },
    },
  ]
  await raw.set('wl:format', '1')
  await Promise.all([run(steps), run(steps), run(steps)])
  expect({ most, done: await raw.get('wl:test') }).toEqual({ most: 1, done: '50' })
})

test('of two engines of different versions on one store the older refuses, also while it runs, and touches nothing', async () => {
  const older = await openStore(redis.path, { memory: { lookMilliseconds: 50 } })
  await older.accept(message({ controlId: '1' }))
  // What a newer engine does first.
  await raw.mset('wl:format', storeFormat + 1, 'wl:migrating', storeFormat + 1)
  const refused = new Promise<void>((resolve) => {
    older.onHealth((up) => !up && resolve())
  })
  await refused
  await eventually(() => older.trouble()?.code === 'E508', 'it says why')
  const before = await raw.dbsize()
  await expect(older.accept(message({ controlId: '2' }))).rejects.toMatchObject({ code: 'E501' })
  await expect(openStore(redis.path)).rejects.toMatchObject({ code: 'E508' })
  expect(await raw.dbsize()).toBe(before)
  expect(await raw.get('wl:format')).toBe(String(storeFormat + 1))
  await older.close()
})
