import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LogFields } from '../../src/core/ports.ts'
import { removeLeftFiles } from '../../src/store/repair.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'
import { apply, item, message, now, openStore, order, silent } from './support.ts'

let redis: TestRedis
let raw: Redis
let folder: ReturnType<typeof temporaryFolder>
beforeEach(async () => {
  redis = await startRedis({ aof: false })
  raw = new Redis({ path: redis.path })
  folder = temporaryFolder()
})
afterEach(async () => {
  raw.disconnect()
  await redis.stop()
  folder.remove()
})

const file = (): string => join(folder.path, 'store.json')

/** A store with a bit of everything: applied, waiting, owed, served. */
async function furnish(): Promise<number> {
  const store = await openStore(redis.path, { identityFile: file() })
  await store.remember('plan', 'kind: pipeline')
  await store.accept(message({ controlId: '1' }))
  let first = 0
  await apply(store, ([seq = 0]) => {
    first = seq
    const o = order('O1', seq)
    return [
      { kind: 'order', order: o, items: [item(o)], withdrawn: [] },
      { kind: 'state', messageId: `M${seq}`, source: 'ris', state: { kind: 'applied' } },
      { kind: 'history', orderId: 'O1', cause: seq, at: now, what: 'new' },
      { kind: 'send', endpoint: 'ris', lane: 'O1', controlId: 'W1', bytes: Buffer.from('W1'), at: now },
    ]
  })
  await store.accept(message({ controlId: '2' }))
  await store.close()
  return first
}

/** What a start finds, by its one line in the log; undefined when it says nothing. */
async function start(): Promise<LogFields | undefined> {
  const said: LogFields[] = []
  const info = (fields: LogFields, event: string): void => {
    if (event === 'work found that was left') said.push(fields)
  }
  const store = await openStore(redis.path, { identityFile: file(), log: { ...silent, info } })
  await eventually(() => said.length === 1, 'it has looked')
  await store.close()
  return said[0]
}

async function everything(): Promise<ReadonlyMap<string, unknown>> {
  const all = new Map<string, unknown>()
  for (const key of (await raw.keys('wl:*')).toSorted()) {
    if (/^wl:(lease|holders|probe|plans)/.test(key)) continue
    const type = await raw.type(key)
    if (type === 'string') all.set(key, await raw.get(key))
    else if (type === 'hash') all.set(key, await raw.hgetall(key))
    else if (type === 'set') all.set(key, (await raw.smembers(key)).toSorted())
    else if (type === 'zset') all.set(key, await raw.zrange(key, '0', '-1', 'WITHSCORES'))
    else all.set(key, type)
  }
  return all
}

test('a start that finds nothing left says only what waits, and changes nothing', async () => {
  await furnish()
  const before = await everything()
  expect(await start()).toEqual({ waiting: 1, count: 0 })
  expect(await everything()).toEqual(before)
})

const lefts: [string, (first: number) => Promise<unknown>, string, (first: number) => Promise<unknown>][] = [
  [
    'the body of a message that is in no list',
    () => raw.hset('wl:m:M17', 'b', 'x', 'k', 'applied', 'o', 'ris', 'i', '{}'),
    'bodies 1',
    async () => expect(await raw.exists('wl:m:M17')).toBe(0),
  ],
  [
    'a waiting message that is in no list',
    async (first) => {
      const [id = ''] = await raw.zrange('wl:messages:waiting', '0', '0')
      expect(id).not.toBe(`M${first}`)
      await raw.zrem('wl:messages', id)
    },
    'bodies 1',
    async () => expect(await raw.zcard('wl:messages')).toBe(2),
  ],
  [
    'a status message that is owed and in no outbox',
    async () => {
      await raw.del('wl:out:ris')
      await raw.hdel('wl:owing', 'O1')
    },
    'sends 1',
    async () => expect([await raw.zcard('wl:out:ris'), await raw.hget('wl:owing', 'O1')]).toEqual([1, '1']),
  ],
  [
    'a status message of an order that is gone',
    () => raw.hset('wl:send:ris\n5-000000', 'lane', 'O9', 'state', 'delivered'),
    'sends 1',
    async () => expect(await raw.exists('wl:send:ris\n5-000000')).toBe(0),
  ],
  [
    'the story of an order that is gone',
    async () => {
      await raw.rpush('wl:h:O9', '{}')
      await raw.rpush('wl:told:O9', 'ris\n5-000000')
    },
    'stories 2',
    async () => expect(await raw.exists('wl:h:O9', 'wl:told:O9')).toBe(0),
  ],
  [
    'a plan that retention would never find',
    () => raw.set('wl:plan:old', 'x'),
    'plans 1',
    async () => expect(await raw.zscore('wl:plans', 'old')).not.toBeNull(),
  ],
  [
    'a lease without an end',
    () => raw.set('wl:lease:drain', '1'),
    'leases 1',
    async () => expect(await raw.exists('wl:lease:drain')).toBe(0),
  ],
  [
    'what a killed backup has left',
    () => Promise.resolve(mkdirSync(join(folder.path, `.worklane-backup-${deadPid()}-aB3x`))),
    'files 1',
    async () => expect(removeLeftFiles(folder.path)).toBe(0),
  ],
]
test.each(lefts)('%s is put right at the start, and counted', async (_what, leave, detail, look) => {
  const first = await furnish()
  await leave(first)
  const count = Number(detail.split(' ')[1])
  expect(await start()).toEqual({ waiting: 1, count, detail })
  await look(first)
  expect(await start()).toEqual({ waiting: 1, count: 0 })
})

test('only files of processes that are dead are removed', () => {
  const redisFolder = join(folder.path, 'redis')
  mkdirSync(redisFolder)
  const dead = deadPid()
  const left = [`temp-${dead}.rdb`, `temp-rewriteaof-bg-${dead}.aof`, `temp-rewriteaof-${dead}.aof`]
  const kept = [`temp-${process.pid}.rdb`, 'dump.rdb', 'redis.sock', 'temp-notes.txt']
  for (const name of [...left, ...kept]) writeFileSync(join(redisFolder, name), 'x')
  writeFileSync(join(folder.path, `store.json.${dead}.tmp`), '{}')
  expect(removeLeftFiles(folder.path)).toBe(4)
  expect([...left, ...kept].filter((name) => existsSync(join(redisFolder, name)))).toEqual(kept)
})

/** Of a process that has just ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid
}
