import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Jobs, Log } from '../../src/core/ports.ts'
import { createJobs } from '../../src/queue/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually } from '../support/temporary.ts'

const lines: string[] = []
const note = (_fields: unknown, event: string): void => void lines.push(event)
const log: Log = { debug: () => {}, info: note, warn: note, error: note }

let redis: TestRedis
const opened: Jobs[] = []
beforeAll(async () => {
  redis = await startRedis({ aof: false })
})
afterAll(async () => {
  await Promise.all(opened.map((jobs) => jobs.close()))
  await redis.stop()
})

async function jobs(prefix: string): Promise<Jobs> {
  const made = await createJobs({ connection: { path: redis.path }, prefix, log })
  opened.push(made)
  return made
}

test('a wake-up in the process that serves the role runs the work, and many become few', async () => {
  const own = await jobs('a')
  let runs = 0
  await own.serve('drain', async () => {
    runs += 1
    await Promise.resolve()
  })
  for (let n = 0; n < 1000; n++) own.wake('drain')
  await eventually(() => runs >= 1, 'the work ran')
  expect(runs).toBeLessThanOrEqual(2)
})

test('a wake-up from another process reaches the server of the role, and one that came before it serves too', async () => {
  const [other, holder] = [await jobs('b'), await jobs('b')]
  let runs = 0
  other.wake('deliver:ris')
  const served = await holder.serve('deliver:ris', async () => {
    runs += 1
    await Promise.resolve()
  })
  await eventually(() => runs === 1, 'the early wake-up arrived')
  other.wake('deliver:ris')
  await eventually(() => runs === 2, 'the later wake-up arrived')
  for (let n = 0; n < 500; n++) other.wake('deliver:ris')
  await eventually(() => runs > 2, 'the burst arrived')
  await served.stop()
  expect(runs).toBeLessThan(50)
})

test('work is not run twice at once, and a wake-up during the work is not lost', async () => {
  const own = await jobs('c')
  let [at, most, runs] = [0, 0, 0]
  let open: () => void = () => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  await own.serve('drain', async () => {
    at += 1
    most = Math.max(most, at)
    await gate
    runs += 1
    at -= 1
  })
  own.wake('drain')
  own.wake('drain')
  open()
  await eventually(() => runs === 2, 'it ran again')
  expect(most).toBe(1)
})

test('work that throws is run again at the next wake-up', async () => {
  const own = await jobs('d')
  let runs = 0
  await own.serve('drain', () => {
    runs += 1
    return Promise.reject(new Error('no'))
  })
  own.wake('drain')
  await eventually(() => runs === 1, 'first')
  own.wake('drain')
  await eventually(() => runs === 2, 'second')
})

test('I5: a publish job brings the newest version; one that fails is not repeated by the queue, and a new one is taken', async () => {
  const own = await jobs('e')
  let version = 1
  const brought: number[] = []
  let [tries, fails] = [0, true]
  await own.publish('folder', ['O1-1-CT', 'O1-1-CT', 'O1-1-CT'])
  version = 2
  await own.servePublish('folder', () => {
    tries += 1
    if (fails) return Promise.reject(new Error('target away'))
    brought.push(version)
    return Promise.resolve()
  })
  await eventually(() => tries > 0, 'it was tried')
  fails = false
  version = 3
  await eventually(async () => {
    await own.publish('folder', ['O1-1-CT'])
    return brought.length > 0
  }, 'brought')
  expect(brought[0]).toBe(3)
})

test('scheduled work runs again and again, in one of two processes', async () => {
  const [one, two] = [await jobs('f'), await jobs('f')]
  let runs = 0
  const work = async (): Promise<void> => {
    runs += 1
    await Promise.resolve()
  }
  const started = [await one.every('sweep', 50, work), await two.every('sweep', 50, work)]
  await eventually(() => runs >= 3, 'three runs')
  await Promise.all(started.map((schedule) => schedule.stop()))
})

test('Redis killed and started again: wake-ups and schedules come back by themselves, in silence', async () => {
  const before = lines.length
  const [other, holder] = [await jobs('g'), await jobs('g')]
  let [woken, swept] = [0, 0]
  await holder.serve('drain', async () => {
    woken += 1
    await Promise.resolve()
  })
  await holder.every('sweep', 100, async () => {
    swept += 1
    await Promise.resolve()
  })
  other.wake('drain')
  await eventually(() => woken > 0 && swept > 0, 'both ran')
  await redis.kill()
  for (let n = 0; n < 100; n++) other.wake('drain')
  await expect(other.publish('folder', ['O1'])).rejects.toMatchObject({ code: 'E501' })
  // An unsaved Redis comes back empty: the worst case.
  await redis.restart()
  const [w, s] = [woken, swept]
  await eventually(() => {
    other.wake('drain')
    return woken > w && swept > s + 1
  }, 'both run again')
  expect(lines.length).toBe(before)
})

test('every key of the queues deleted while they are used: wake-ups, publish jobs and schedules come back by themselves', async () => {
  const [other, holder] = [await jobs('lost'), await jobs('lost')]
  const ran = { woken: 0, swept: 0, brought: 0 }
  const run = (what: keyof typeof ran) => (): Promise<void> => {
    ran[what] += 1
    return Promise.resolve()
  }
  await holder.serve('drain', run('woken'))
  await holder.every('sweep', 100, run('swept'))
  await holder.servePublish('folder', run('brought'))
  const ask = async (): Promise<void> => {
    other.wake('drain')
    await other.publish('folder', ['O1'])
  }
  await ask()
  await eventually(() => Object.values(ran).every((runs) => runs > 0), 'all ran')
  const client = new Redis({ path: redis.path })
  await client.del(...(await client.keys('lost:*')))
  client.disconnect()
  const before = { ...ran }
  await eventually(async () => {
    await ask()
    return ran.woken > before.woken && ran.brought > before.brought && ran.swept > before.swept + 1
  }, 'all run again')
})

test('what serves, publishes and runs at intervals can be stopped while Redis is away', async () => {
  const away = await startRedis({ aof: false })
  try {
    const own = await createJobs({ connection: { path: away.path }, log })
    let runs = 0
    const serving = [
      await own.serve('drain', async () => void (runs += 1)),
      await own.every('sweep', 100, async () => void (runs += 1)),
      await own.servePublish('folder', async () => undefined),
    ]
    own.wake('drain')
    await eventually(() => runs > 1, 'both have run')
    await away.kill()
    await Promise.all(serving.map((one) => one.stop()))
    await own.close()
  } finally {
    await away.stop()
  }
})

test('a clock that is set back stops no schedule', async () => {
  const own = await jobs('clock')
  let runs = 0
  await own.every('sweep', 100, () => Promise.resolve(void (runs += 1)))
  await eventually(() => runs >= 2, 'it runs')
  const now = Date.now
  try {
    Date.now = () => now() - 3_600_000
    const before = runs
    const goesOn = (): boolean => runs >= before + 4
    // `eventually` measures by the clock that is played with here.
    const until = performance.now() + 15_000
    while (!goesOn() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(goesOn()).toBe(true)
  } finally {
    Date.now = now
  }
})
