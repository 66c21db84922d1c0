import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { connect } from '../../src/store/connection.ts'
import { acceptLoss, storeFormat } from '../../src/store/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'
import { apply, item, message, now, openStore, order, silent } from './support.ts'

let redis: TestRedis
let raw: Redis
let folder: ReturnType<typeof temporaryFolder>
let opened: Store[]
beforeEach(async () => {
  redis = await startRedis()
  raw = new Redis({ path: redis.path })
  folder = temporaryFolder()
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  raw.disconnect()
  await redis.stop()
  folder.remove()
})

/** Of the engine whose data folder has this name. */
const fileOf = (engine: string): string => join(folder.path, `${engine}.json`)

async function open(engine = 'one', path = redis.path): Promise<Store> {
  const store = await openStore(path, { identityFile: fileOf(engine), memory: { lookMilliseconds: 50 } })
  opened.push(store)
  return store
}

const accept = (engine = 'one') =>
  acceptLoss({
    redis: { path: redis.path },
    identityFile: fileOf(engine),
    format: storeFormat,
    by: 'admin',
    reason: 'disk died',
    at: now,
  })

/** An order with an item that modalities are served. */
async function serve(store: Store, controlId: string): Promise<void> {
  await store.accept(message({ controlId }))
  await apply(store, ([seq = 0]) => {
    const o = order(`O${seq}`, seq)
    return [{ kind: 'order', order: o, items: [item(o)], withdrawn: [] }]
  })
}

const says = (store: Store, code: string): Promise<unknown> =>
  eventually(() => store.trouble()?.code === code && !store.isUp(), `${code} is said`)

test('I10: a store that comes back without its last changes takes, applies and serves nothing until a person says so', async () => {
  const store = await open()
  const rewinds: boolean[] = []
  store.onChange((_version, isRewound) => rewinds.push(isRewound === true))
  await serve(store, '1')
  const copy = await raw.mget('wl:seq', 'wl:applied')
  const lost = await store.accept(message({ controlId: '2' }))
  await raw.mset('wl:seq', copy[0] ?? '', 'wl:applied', copy[1] ?? '')
  await says(store, 'E517')
  await expect(store.accept(message({ controlId: '3' }))).rejects.toMatchObject({ code: 'E501' })
  await expect(store.itemsSince(0, 10)).rejects.toMatchObject({ code: 'E501' })
  await expect(store.pending(0, 10)).rejects.toMatchObject({ code: 'E501' })
  // Nor does an engine start on it, whatever it knows.
  await expect(open('two')).rejects.toMatchObject({ code: 'E517' })

  expect(await accept()).toBe('behind')
  await eventually(() => store.isUp() && rewinds.includes(true), 'it goes on, and all is read again')
  const next = await store.accept(message({ controlId: '3' }))
  expect(Number(next.messageId.slice(1))).toBeGreaterThan(Number(lost.messageId.slice(1)))
  expect(JSON.parse((await raw.lindex('wl:losses', 0)) ?? '')).toMatchObject({
    by: 'admin',
    reason: 'disk died',
    state: 'behind',
  })
  expect(await accept()).toBeUndefined()
})

test('I10: a store that was emptied while the engines were away starts none of them, and stays untouched', async () => {
  const [one, two] = [await open('one'), await open('two')]
  await serve(one, '1')
  await Promise.all([one.close(), two.close()])
  opened = []
  await raw.flushall()
  await expect(open('one')).rejects.toMatchObject({ code: 'E519' })
  expect(await raw.keys('*')).toEqual([])
  expect(await accept('one')).toBe('empty')
  // What one person has accepted, every engine that knew the lost store takes.
  expect(await (await open('two')).accept(message({ controlId: '1' }))).toMatchObject({ kind: 'stored' })
  await open('one')
})

test('I10: a store that was emptied under two engines stops both, and one acceptance lets both go on', async () => {
  const [one, two] = [await open('one'), await open('two')]
  await serve(one, '1')
  await raw.flushall()
  await Promise.all([says(one, 'E519'), says(two, 'E519')])
  expect(await accept('two')).toBe('empty')
  await eventually(() => one.isUp() && two.isUp(), 'both go on')
  expect(await one.accept(message({ controlId: '1' }))).toMatchObject({ kind: 'stored' })
})

test('I10: between the moment in which a store is emptied and the next look nobody reads that there are no items', async () => {
  const store = await openStore(redis.path, { memory: { lookMilliseconds: 1_000_000 } })
  opened.push(store)
  await serve(store, '1')
  await raw.flushall()
  await expect(store.itemsSince(0, 10)).rejects.toMatchObject({ code: 'E501' })
})

test('I10: on a new connection nothing is read before it is known which store it is', async () => {
  await raw.set('wl:applied', '7')
  let look: () => void = () => undefined
  const looked = new Promise<void>((resolve) => {
    look = resolve
  })
  let isAsked = false
  const connection = connect({
    location: { path: redis.path },
    log: silent,
    commandMilliseconds: 2000,
    prepare() {
      isAsked = true
      return looked
    },
  })
  try {
    await eventually(() => isAsked, 'it is looked at')
    const read = () => connection.ask((client) => client.get('wl:applied'))
    await expect(read()).rejects.toMatchObject({ code: 'E501' })
    look()
    await eventually(() => connection.isUp(), 'it is up')
    expect(await read()).toBe('7')
  } finally {
    connection.close()
  }
})

test('an engine that is pointed at the store of others refuses, and disturbs nobody', async () => {
  await (await open('one')).accept(message({ controlId: '1' }))
  const other = await startRedis()
  try {
    await (await open('two', other.path)).accept(message({ controlId: '1' }))
  } finally {
    await opened.pop()?.close()
    await other.stop()
  }
  await expect(open('two')).rejects.toMatchObject({ code: 'E520' })
  expect(await (opened[0] as Store).accept(message({ controlId: '2' }))).toMatchObject({ kind: 'stored' })
  expect(await accept('two')).toBe('other')
  await open('two')
  await eventually(() => opened[0]?.isUp() === true, 'who was there goes on')
})

test('a store that is what it was is believed after every kind of stop', async () => {
  for (const end of ['restart', 'kill'] as const) {
    const store = await open()
    await serve(store, end)
    await store.close()
    await redis.kill()
    await redis.restart()
    opened = []
  }
  const store = await open()
  expect((await store.counts())[0]).toMatchObject({ received: 2 })
})

test('I1: near the limit of its memory the store takes no messages, applies what it has, and takes them again when there is room', async () => {
  const store = await open()
  const changes: boolean[] = []
  store.onIntake((is) => changes.push(is))
  await store.accept(message({ controlId: '1' }))
  // Beside it, what connections need counts for nothing.
  await raw.eval("redis.call('SETRANGE', 'ballast', 80000000, 'x')", 0)
  const limitAt = async (part: number): Promise<void> => {
    const { used } = await store.memory()
    await raw.config('SET', 'maxmemory', String(Math.round(used / part)))
  }
  await limitAt(0.95)
  await eventually(() => store.trouble()?.code === 'E518', 'it is said')
  await expect(store.accept(message({ controlId: '2' }))).rejects.toMatchObject({ code: 'E518', class: 'transient' })
  expect(store.isUp()).toBe(true)
  expect(await apply(store, () => [])).toBe('committed')
  // Hysteresis: a little room is not enough to begin again.
  await limitAt(0.87)
  await raw.config('RESETSTAT')
  // Each look runs one script.
  const looks = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await raw.info('commandstats'))?.[1] ?? 0)
  await eventually(async () => (await looks()) >= 2, 'it has looked')
  expect(changes).toEqual([false])
  await limitAt(0.5)
  await eventually(() => changes.join() === 'false,true', 'it takes messages again')
  expect(await store.accept(message({ controlId: '2' }))).toMatchObject({ kind: 'stored' })
})

test('what may not last is a concern while all is well: a disk that is nearly full, a Redis that may lose data', async () => {
  const store = await openStore(redis.path, {
    identityFile: fileOf('one'),
    memory: { lookMilliseconds: 50, leastFreeBytes: Number.MAX_SAFE_INTEGER },
  })
  opened.push(store)
  await eventually(() => store.concern()?.code === 'E526', 'the disk is said')
  expect(store.concern()?.params['free']).toEqual(expect.any(Number))
  expect(await store.accept(message({ controlId: '1' }))).toMatchObject({ kind: 'stored' })
  const forgetful = await startRedis({ aof: false })
  try {
    const other = await openStore(forgetful.path)
    expect(other.concern()?.code).toBe('E504')
    await other.close()
  } finally {
    await forgetful.stop()
  }
})
