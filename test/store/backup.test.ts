import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { acceptLoss, backUp, restore, storeFormat } from '../../src/store/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'
import { apply, item, message, now, openStore, order } from './support.ts'

let redis: TestRedis
let other: TestRedis
let folder: ReturnType<typeof temporaryFolder>
let opened: Store[]
beforeEach(async () => {
  ;[redis, other] = await Promise.all([startRedis(), startRedis()])
  folder = temporaryFolder()
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  await Promise.all([redis.stop(), other.stop()])
  folder.remove()
})

const at = (name: string): string => join(folder.path, name)

async function open(from: TestRedis): Promise<Store> {
  const store = await openStore(from.path)
  opened.push(store)
  return store
}

const back = (from = redis, file = at('a.backup')) =>
  backUp({ redis: { path: from.path }, file, takenAt: now, engine: '0.0.0' })

const put = (options: { file?: string; force?: boolean; to?: TestRedis } = {}) =>
  restore({
    redis: { path: (options.to ?? other).path },
    file: options.file ?? at('a.backup'),
    identityFile: at('store.json'),
    format: storeFormat,
    force: options.force ?? false,
    at: now,
  })

async function looking<T>(at: TestRedis, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ path: at.path })
  try {
    return await work(client)
  } finally {
    client.disconnect()
  }
}

/** Every key, by what it holds; ends are left out. */
function contents(of: TestRedis): Promise<ReadonlyMap<string, unknown>> {
  return looking(of, async (client) => {
    const all = new Map<string, unknown>()
    for (const key of (await client.keys('*')).toSorted()) {
      const type = await client.type(key)
      if (type === 'string') all.set(key, await client.getBuffer(key))
      else if (type === 'hash') all.set(key, await client.hgetallBuffer(key))
      else if (type === 'set') all.set(key, (await client.smembers(key)).toSorted())
      else if (type === 'zset') all.set(key, await client.zrange(key, '0', '-1', 'WITHSCORES'))
      else if (type === 'list') all.set(key, await client.lrange(key, 0, -1))
      else all.set(key, await client.xrange(key, '-', '+'))
    }
    return all
  })
}

/** What a restore changes on purpose, and what is only of now. */
const ofNow = /^wl:(identity|replaced|losses|seq|probe|holders|lease:.*)$/

async function serve(store: Store, controlId: string): Promise<void> {
  await store.accept(message({ controlId, body: Buffer.from(`MSH|^~\\&|\xe9\0${controlId}`, 'latin1') }))
  await apply(store, (seqs) =>
    seqs.flatMap((seq) => {
      const o = order(`O${seq}`, seq, { numbers: { authority: 'ris', fillerOrderNumber: `F${seq}` } })
      return [
        { kind: 'order', order: o, items: [item(o)], withdrawn: [] },
        { kind: 'state', messageId: `M${seq}`, source: 'ris', state: { kind: 'applied' } },
        { kind: 'history', orderId: o.id, cause: seq, at: now, what: 'new' },
        { kind: 'send', endpoint: 'ris', lane: o.id, controlId: `W${seq}`, bytes: Buffer.from([0, 255, 13]), at: now },
      ] as const
    }),
  )
}

test('a backup is the whole store: restored, every key is as it was, byte by byte', async () => {
  const store = await open(redis)
  for (let n = 0; n < 3; n++) await serve(store, String(n))
  await store.accept(message({ controlId: 'waits' }))
  await store.acceptEvents({
    orthanc: 'pacs',
    at: now,
    events: [],
    expected: undefined,
    next: { seq: 5, identity: 'db1' },
    caughtUp: true,
  })
  await looking(redis, async (client) => {
    await client.set('wl:t:short', 'lived', 'PX', 3_600_000)
    await client.set('theirs', 'of somebody else')
    // More than one piece of each kind.
    await client.zadd('wl:find', ...Array.from({ length: 3000 }, (_, n) => [0, `k${n}`]).flat())
    await client.hset(
      'wl:again',
      Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`ris\nX${n}`, `M1 f${n} `])),
    )
    await client.rpush('wl:rows', ...Array.from({ length: 1200 }, (_, n) => `r${n}`))
  })
  const made = await back()
  expect(made).toMatchObject({ messages: 4, orders: 3, format: storeFormat })
  expect(statSync(made.file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder.path)).toEqual(['a.backup'])
  await put()
  const [before, after] = await Promise.all([contents(redis), contents(other)])
  const kept = (all: ReadonlyMap<string, unknown>) =>
    [...all].filter(([key]) => key.startsWith('wl:') && !ofNow.test(key))
  expect(kept(after)).toEqual(kept(before))
  expect(after.has('theirs')).toBe(false)
  expect(await looking(other, (client) => client.pttl('wl:t:short'))).toBeGreaterThan(3_000_000)
})

test('I1, I5: a backup under load is one moment: all that was acknowledged before is in it, and nothing by half', async () => {
  const store = await open(redis)
  const acknowledged: string[] = []
  const progress = { ended: false }
  const load = Array.from({ length: 8 }, async (_, sender) => {
    for (let n = 0; !progress.ended; n++) {
      const { messageId } = await store.accept(message({ controlId: `${sender}-${n}` }))
      acknowledged.push(messageId)
    }
  })
  const drain = (async () => {
    while (!progress.ended) {
      await apply(store, (seqs) =>
        seqs.flatMap((seq) => {
          const o = order(`O${seq}`, seq)
          const state = { kind: 'state', messageId: `M${seq}`, source: 'ris', state: { kind: 'applied' } } as const
          return [{ kind: 'order', order: o, items: [item(o)], withdrawn: [] }, state] as const
        }),
      )
    }
  })()
  await eventually(() => acknowledged.length > 300, 'it is under load')
  const before = [...acknowledged]
  const { seq, applied } = await back()
  const after = acknowledged.length
  progress.ended = true
  await Promise.all([...load, drain])
  expect(after).toBeGreaterThan(before.length)

  await put()
  const restored = await open(other)
  const { items: kept } = await restored.messages({ limit: 100_000 })
  const ids = new Set(kept.map(({ id }) => id))
  expect(before.filter((id) => !ids.has(id))).toEqual([])
  // Up to the moment all, after it none.
  const upTo = acknowledged.filter((id) => Number(id.slice(1)) <= seq)
  expect([...ids].toSorted()).toEqual(upTo.toSorted())
  const { received = 0, waiting = 0, applied: done = 0 } = (await restored.counts())[0] ?? {}
  expect({ received, sum: waiting + done }).toEqual({ received: upTo.length, sum: upTo.length })
  expect((await restored.pending(applied, 100_000)).length).toBe(waiting)
  const items = await restored.itemsSince(0, 100_000)
  const then = (await store.itemsSince(0, 100_000)).filter(({ version }) => version <= applied)
  expect(items).toEqual(then)
  // It goes on: what waits is applied, new numbers are new, and the same message is the same.
  const next = await restored.accept(message({ controlId: 'new' }))
  const highest = Math.max(...acknowledged.map((id) => Number(id.slice(1))))
  expect(Number(next.messageId.slice(1))).toBeGreaterThan(highest)
  expect(await restored.accept(message({ controlId: '0-0' }))).toMatchObject({ kind: 'again' })
  expect(await apply(restored, () => [])).toBe('committed')
})

test('I6, I7: after a restore the change feed is read from where it was, and what is owed keeps its MSH-10 and bytes', async () => {
  const store = await open(redis)
  const one = { seq: 5, identity: 'db1' }
  const advance = { orthanc: 'pacs', at: now, events: [{ event: 'seen' as const, study: 's', series: [] }] }
  await store.acceptEvents({ ...advance, expected: undefined, next: one, caughtUp: false })
  await serve(store, '1')
  const owed = await store.owed('ris', 10)
  await back()
  await store.acceptEvents({ ...advance, expected: one, next: { seq: 9, identity: 'db1' }, caughtUp: false })
  const lease = await store.lease('deliver:ris')
  if (lease === undefined) throw new Error('no lease')
  await store.settle(lease, owed[0]?.id ?? '', { kind: 'delivered', at: now, acknowledgmentCode: 'AA' })
  await put()
  const restored = await open(other)
  expect(await restored.cursor('pacs')).toMatchObject(one)
  expect(await restored.owed('ris', 10)).toEqual(owed)
  expect(await restored.lease('deliver:ris')).toBeDefined()
})

const damages: [string, (file: string) => void, RegExp][] = [
  ['without its end', (file) => truncateSync(file, statSync(file).size - 1), /end is missing/],
  ['cut in the middle', (file) => truncateSync(file, Math.floor(statSync(file).size / 2)), /end is missing/],
  ['of which a bit has changed', (file) => flip(file, 0.5), /has changed/],
  ['of which the header has changed', (file) => flip(file, 0, 40), /has changed|does not begin/],
  ['with more behind it', (file) => appendFileSync(file, 'x'), /end is missing/],
  ['that is something else', (file) => writeFileSync(file, 'x'.repeat(1000)), /does not begin/],
  ['that is empty', (file) => truncateSync(file, 0), /does not begin/],
  ['that is not there', (file) => rmSync(file), /does not exist/],
  ['that is a folder', (file) => (rmSync(file), mkdirSync(file)), /is a folder/],
]
test.each(damages)('a backup %s is refused, and nothing is written', async (_what, damage, reason) => {
  await serve(await open(redis), '1')
  const { file } = await back()
  damage(file)
  await expect(put()).rejects.toMatchObject({ code: 'E521', message: expect.stringMatching(reason) as string })
  expect(await contents(other)).toEqual(new Map())
})

function flip(file: string, part: number, more = 0): void {
  const bytes = readFileSync(file)
  const place = Math.floor(bytes.length * part) + more
  bytes[place] = (bytes[place] ?? 0) ^ 1
  writeFileSync(file, bytes)
}

test('a store that is there is kept unless its removal is asked for, and one that an engine works on in any case', async () => {
  await serve(await open(redis), '1')
  await back()
  const before = await contents(redis)
  await expect(put({ to: redis })).rejects.toMatchObject({ code: 'E522' })
  const lease = await opened[0]?.lease('drain', { takeOver: true })
  await expect(put({ to: redis, force: true })).rejects.toMatchObject({ code: 'E525' })
  await lease?.release()
  expect([...(await contents(redis)).keys()].filter((key) => !ofNow.test(key))).toEqual(
    [...before.keys()].filter((key) => !ofNow.test(key)),
  )
  await looking(redis, (client) => client.set('wl:s:later', '{}'))
  await put({ to: redis, force: true })
  expect((await contents(redis)).has('wl:s:later')).toBe(false)
})

test('a restore that was killed lets no engine start, and is begun again', async () => {
  const store = await open(redis)
  await serve(store, '1')
  await back()
  // As it is left: noted, with half of the keys.
  await looking(other, (client) => client.mset('wl:restoring', '{}', 'wl:seq', '7', 'wl:s:half', '{}'))
  await expect(open(other)).rejects.toMatchObject({ code: 'E523' })
  await put()
  expect(await (await open(other)).accept(message({ controlId: '1', body: Buffer.from('x') }))).toBeDefined()
  expect((await contents(other)).has('wl:s:half')).toBe(false)
})

test('a backup of a newer format is left to the newer engine', async () => {
  await open(redis)
  await looking(redis, (client) => client.set('wl:format', storeFormat + 1))
  await back()
  await expect(put()).rejects.toMatchObject({ code: 'E508' })
  expect(await contents(other)).toEqual(new Map())
})

test('an engine that knew the store before takes the restored one for what it is, without being asked', async () => {
  const file = at('of-the-engine.json')
  const known = await openStore(redis.path, { identityFile: file })
  await known.accept(message({ controlId: '1' }))
  await back()
  await known.accept(message({ controlId: '2' }))
  await known.close()
  copyFileSync(file, at('store.json'))
  await put()
  const again = await openStore(other.path, { identityFile: file })
  expect(again.trouble()).toBeUndefined()
  await again.close()
  expect(
    await acceptLoss({
      redis: { path: other.path },
      identityFile: file,
      format: storeFormat,
      by: 'a',
      reason: 'b',
      at: now,
    }),
  ).toBeUndefined()
})

test('a backup that cannot be made says why and leaves nothing', async () => {
  await expect(back()).rejects.toMatchObject({ code: 'E524' })
  expect(readdirSync(folder.path)).toEqual([])
  await open(redis)
  await expect(back(redis, at('none/a.backup'))).rejects.toMatchObject({ code: 'E524' })
  await redis.kill()
  await expect(back()).rejects.toMatchObject({ code: 'E524' })
  expect(readdirSync(folder.path)).toEqual([])
})

test('of a Redis that others use, too, a user with a password backs up the database of the engine alone', async () => {
  const port = await freePort()
  const site = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  try {
    await looking(site, async (client) => {
      await client.call('ACL', 'SETUSER', 'wl', 'on', '>se:cret', '~*', '&*', '+@all')
      await client.call('ACL', 'SETUSER', 'weak', 'on', '>se:cret', '~*', '&*', '+@all', '-sync')
      await client.set('wl:seq', '1')
    })
    const url = (user: string): string => `redis://${user}:se%3Acret@127.0.0.1:${port}/3`
    const store = await openStore('', { url: url('wl') })
    opened.push(store)
    await serve(store, '1')
    const of = { file: at('a.backup'), takenAt: now, engine: '0.0.0' }
    await expect(backUp({ ...of, redis: { url: url('weak') } })).rejects.toMatchObject({
      code: 'E524',
      params: { reason: 'Redis refuses: NOPERM' },
    })
    expect(await backUp({ ...of, redis: { url: url('wl') } })).toMatchObject({ messages: 1, orders: 1 })
  } finally {
    await Promise.all(opened.splice(0).map((store) => store.close()))
    await site.stop()
  }
})
