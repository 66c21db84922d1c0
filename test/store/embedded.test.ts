import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startEmbeddedRedis, type EmbeddedRedis } from '../../src/store/index.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'
import { message, openStore, silent } from './support.ts'

let folder: ReturnType<typeof temporaryFolder>
let running: EmbeddedRedis[]
beforeEach(() => {
  folder = temporaryFolder()
  running = []
})
afterEach(async () => {
  await Promise.all(running.map((redis) => redis.stop()))
  folder.remove()
})

async function start(dataDir: string, lockMilliseconds = 1000): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis({ dataDir, log: silent, lockMilliseconds })
  running.push(redis)
  return redis
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('the folder and the socket are for its owner only', async () => {
  const dataDir = join(folder.path, 'data')
  const redis = await start(dataDir)
  for (const path of [dataDir, join(dataDir, 'redis'), redis.path]) expect(statSync(path).mode & 0o077).toBe(0)
})

test('a second engine on the data folder refuses in one sentence, and the first goes on', async () => {
  const first = await start(join(folder.path, 'data'))
  await expect(start(join(folder.path, 'data'))).rejects.toMatchObject({ code: 'E502' })
  expect(isAlive(first.pid)).toBe(true)
})

test('Ctrl-C on the terminal of the engine, which its whole process group gets, does not reach its Redis', async () => {
  const redis = await start(join(folder.path, 'data'))
  const group = (pid: number): string | undefined =>
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2]
  expect(group(process.pid)).toMatch(/^\d+$/)
  expect(group(redis.pid)).toBe(String(redis.pid))
})

test('I1: redis-server killed while the engine runs is started again with all it had', async () => {
  const redis = await start(join(folder.path, 'data'))
  const store = await openStore(redis.path)
  const accepted = await store.accept(message({ controlId: '1' }))
  const pid = redis.pid
  const reasons: string[] = []
  redis.onExit((reason) => reasons.push(reason))
  process.kill(pid, 'SIGKILL')
  await eventually(() => redis.pid !== pid && store.isUp(), 'it runs again')
  expect(reasons).toEqual(['SIGKILL'])
  expect(await store.accept(message({ controlId: '1' }))).toMatchObject({ messageId: accepted.messageId })
  await store.close()
})

test('it ends with its engine even on SIGKILL, and the next engine gets the folder and the data', async () => {
  const dataDir = join(folder.path, 'data')
  const child = spawn(process.execPath, [join(import.meta.dirname, '../support/embedding.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    const pid = Number(said.toString())
    expect(isAlive(pid)).toBe(true)
    child.kill('SIGKILL')
    const next = await start(dataDir, 30_000)
    expect(next.pid).not.toBe(pid)
    const store = await openStore(next.path)
    expect(await store.accept(message({ controlId: 'before' }))).toMatchObject({ kind: 'again' })
    await store.close()
  } finally {
    child.kill('SIGKILL')
  }
})

test('a data folder with a long name has its socket elsewhere, as private', async () => {
  const dataDir = join(folder.path, 'x'.repeat(100))
  mkdirSync(dataDir, { mode: 0o700 })
  const redis = await start(dataDir)
  expect(Buffer.byteLength(redis.path)).toBeLessThanOrEqual(107)
  expect(statSync(join(redis.path, '..')).mode & 0o077).toBe(0)
})

test('a data folder that cannot be used is said with its name', async () => {
  await expect(start('/dev/null/data')).rejects.toMatchObject({ code: 'E512' })
})

test('a redis-server that keeps ending is not started again in a loop, and health can say why', async () => {
  const redis = await start(join(folder.path, 'data'))
  const first = redis.pid
  const ends: string[] = []
  redis.onExit((reason) => ends.push(reason))
  const began = performance.now()
  let killed = 0
  // On a machine that is slow to start one, until there were two: they are not meant to be quick.
  while (performance.now() - began < 1500 || ends.length < 2) {
    if (redis.failure() === undefined && redis.pid !== killed) {
      killed = redis.pid
      process.kill(killed, 'SIGKILL')
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(ends.length).toBeGreaterThan(1)
  expect(ends.length).toBeLessThan(8)
  await eventually(() => redis.pid !== killed && redis.failure() === undefined, 'it runs again')
  expect(redis.pid).not.toBe(first)
})
