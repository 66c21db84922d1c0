/** A Redis that is there and takes no changes: nothing is acknowledged, it is said why, and all goes on by itself when it takes them again. */
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually } from '../support/temporary.ts'
import { message, openStore } from './support.ts'

let redis: TestRedis
let store: Store
let other: Redis
beforeAll(async () => {
  redis = await startRedis({ aof: false, settings: ['--lua-time-limit', '50'] })
})
afterAll(() => redis.stop())
beforeEach(async () => {
  store = await openStore(redis.path)
  other = new Redis({ path: redis.path })
})
afterEach(async () => {
  await store.close()
  other.disconnect()
})

const call =
  (...command: [string, ...string[]]) =>
  (client: Redis): Promise<unknown> =>
    client.call(...command)

/** Its answer comes when it is killed. */
function runForever(client: Redis): Promise<unknown> {
  void client.eval('while true do end', 0).catch(() => undefined)
  return Promise.resolve()
}

/** What is busy answers nothing else, not even who it is. */
async function killScript(): Promise<void> {
  const killer = new Redis({ path: redis.path, enableReadyCheck: false })
  await eventually(async () => (await killer.call('SCRIPT', 'KILL').catch(() => '')) === 'OK', 'the script is killed')
  killer.disconnect()
}

const refusals: [string, (client: Redis) => Promise<unknown>, (client: Redis) => Promise<unknown>, string?][] = [
  ['READONLY', call('REPLICAOF', '127.0.0.1', '1'), call('REPLICAOF', 'NO', 'ONE'), 'E509'],
  [
    'NOREPLICAS',
    call('CONFIG', 'SET', 'min-replicas-to-write', '1'),
    call('CONFIG', 'SET', 'min-replicas-to-write', '0'),
    'E509',
  ],
  [
    'NOPERM',
    call('ACL', 'SETUSER', 'default', '-eval', '-evalsha'),
    call('ACL', 'SETUSER', 'default', '+eval', '+evalsha'),
    'E509',
  ],
  // Passes by itself: it is away.
  ['BUSY', runForever, killScript],
]
test.each(refusals)('I1: Redis answers %s', async (word, refuse, allow, code) => {
  expect(await store.accept(message({ controlId: `${word}-1` }))).toMatchObject({ kind: 'stored' })
  await refuse(other)
  const taken = (): Promise<string> =>
    store.accept(message({ controlId: `${word}-2` })).then(
      () => 'taken',
      (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
    )
  await eventually(async () => (await taken()) === 'E501', 'nothing is taken')
  await eventually(() => !store.isUp() && store.trouble()?.code === code, 'it is said')
  await allow(other)
  await eventually(() => store.isUp(), 'it is up again')
  expect(await store.accept(message({ controlId: `${word}-3` }))).toMatchObject({ kind: 'stored' })
  expect(await store.accept(message({ controlId: `${word}-1` }))).toMatchObject({ kind: 'again' })
})

test('I1: a Redis that has forgotten every script is told them again', async () => {
  for (const controlId of ['1', '2', '3']) {
    await other.call('SCRIPT', 'FLUSH')
    expect(await store.accept(message({ controlId }))).toMatchObject({ kind: 'stored' })
  }
})
