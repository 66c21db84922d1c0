import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import type { Log } from '../../src/core/ports.ts'
import { mayBeLogged } from '../../src/observe/fields.ts'
import { connect } from '../../src/store/connection.ts'
import { storeFormat } from '../../src/store/index.ts'
import { script } from '../../src/store/scripts.ts'
import { startRedis } from '../support/redis.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'
import { message, openStore } from './support.ts'

function listening(): { log: Log; codes: string[]; unknown: string[] } {
  const codes: string[] = []
  const unknown: string[] = []
  const note = (fields: Readonly<Record<string, unknown>>): void => {
    unknown.push(...Object.keys(fields).filter((name) => !mayBeLogged(name)))
    if (typeof fields['code'] === 'string') codes.push(fields['code'])
  }
  return { log: { debug: () => {}, info: () => {}, warn: note, error: note }, codes, unknown }
}

const servers: [string, { aof: boolean; settings?: string[] }, string[]][] = [
  ['safe', { aof: true }, []],
  ['without a file', { aof: false }, ['E504']],
  ['that writes once a second', { aof: true, settings: ['--appendfsync', 'everysec'] }, ['E504']],
  ['that evicts', { aof: true, settings: ['--maxmemory-policy', 'allkeys-lru'] }, ['E505']],
]
test.each(servers)('I1: a site Redis %s is checked at the start', async (_what, options, expected) => {
  const redis = await startRedis(options)
  const { log, codes, unknown } = listening()
  const store = await openStore(redis.path, { log })
  await store.close()
  await redis.stop()
  expect({ codes, unknown }).toEqual({ codes: expected, unknown: [] })
})

test('a store of a newer format is left alone', async () => {
  const redis = await startRedis()
  const other = new Redis({ path: redis.path })
  await other.set('wl:format', storeFormat + 1)
  await expect(openStore(redis.path)).rejects.toMatchObject({ code: 'E508' })
  other.disconnect()
  await redis.stop()
})

test('a store of an older format is taken over, and the older engine refuses it from then on', async () => {
  const redis = await startRedis()
  const other = new Redis({ path: redis.path })
  await other.set('wl:format', 1)
  await (await openStore(redis.path)).close()
  expect(await other.get('wl:format')).toBe(String(storeFormat))
  expect(storeFormat).toBeGreaterThan(1)
  other.disconnect()
  await redis.stop()
})

test('no Redis at all is one error, in time', async () => {
  const folder = temporaryFolder()
  await expect(openStore(`${folder.path}/none.sock`, { startMilliseconds: 300 })).rejects.toMatchObject({
    code: 'E501',
  })
  folder.remove()
})

test('I1: a full Redis takes no order, keeps what it has, and takes orders again when there is room', async () => {
  const redis = await startRedis()
  const store = await openStore(redis.path)
  const other = new Redis({ path: redis.path })
  await store.accept(message({ controlId: '1' }))
  await other.config('SET', 'maxmemory', '1mb')
  await expect(store.accept(message({ controlId: '2' }))).rejects.toMatchObject({ code: 'E501' })
  expect(store.isUp()).toBe(false)
  const back = new Promise<void>((resolve) => {
    store.onHealth((up) => {
      if (up) resolve()
    })
  })
  await other.config('SET', 'maxmemory', '0')
  await back
  expect(await store.accept(message({ controlId: '2' }))).toMatchObject({ kind: 'stored' })
  expect((await store.counts())[0]).toMatchObject({ received: 2, waiting: 2 })
  await store.close()
  other.disconnect()
  await redis.stop()
})

test('I1: one answer that is late costs its own message, and shuts nobody out', async () => {
  const redis = await startRedis()
  const store = await openStore(redis.path, { commandMilliseconds: 1000 })
  const changes: boolean[] = []
  store.onHealth((up) => changes.push(up))
  await store.accept(message({ controlId: '0' }))
  process.kill(redis.pid, 'SIGSTOP')
  await expect(store.accept(message({ controlId: '1' }))).rejects.toMatchObject({ code: 'E501' })
  process.kill(redis.pid, 'SIGCONT')
  // Redis took it after all: the sender, who was told nothing, sends it again.
  expect(await eventually(() => store.accept(message({ controlId: '1' })), 'taken')).toMatchObject({ kind: 'again' })
  expect(changes).toEqual([])
  process.kill(redis.pid, 'SIGSTOP')
  await expect(store.accept(message({ controlId: '2' }))).rejects.toMatchObject({ code: 'E501' })
  await eventually(() => changes.join() === 'false', 'a Redis that stays silent is away')
  process.kill(redis.pid, 'SIGCONT')
  await eventually(() => changes.join() === 'false,true', 'until it answers')
  await store.close()
  await redis.stop()
})

test('a key that something else wrote is a refusal with a code, not an absent store', async () => {
  const redis = await startRedis()
  const store = await openStore(redis.path)
  const other = new Redis({ path: redis.path })
  await other.set('wl:messages', 'foreign')
  await expect(store.accept(message({ controlId: '1' }))).rejects.toMatchObject({ code: 'E514' })
  expect(store.isUp()).toBe(true)
  await store.close()
  other.disconnect()
  await redis.stop()
})

test('I1: a Redis before 7.0 says in other words that a script is refused: it takes no changes all the same', async () => {
  const redis = await startRedis()
  const { log, codes } = listening()
  const options = { location: { path: redis.path }, log, commandMilliseconds: 5000 }
  const connection = connect({ ...options, prepare: () => Promise.resolve() })
  await eventually(() => connection.isUp(), 'connected')
  const said =
    'ERR Error running script (call to f_4bf1): @user_script:9: @user_script: 9: -MISCONF Redis is configured'
  const refusing = script('refusing', `return redis.error_reply(${JSON.stringify(said)})`)
  await expect(connection.run(refusing, [])).rejects.toMatchObject({ code: 'E501' })
  expect(codes).toEqual(['E509', 'E501'])
  connection.close()
  await redis.stop()
})
