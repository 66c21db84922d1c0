import { createServer, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Jobs, Log } from '../../src/core/ports.ts'
import { createJobs } from '../../src/queue/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const silent = (): void => undefined
const log: Log = { debug: silent, info: silent, warn: silent, error: silent }
const folder = temporaryFolder()

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis({ aof: false })
})
afterAll(async () => {
  await redis.stop()
  folder.remove()
})

interface Wire {
  readonly path: string
  /** How often it was done. */
  met(): number
  close(): void
}

/** A way to Redis that swallows commands, cuts their connection, or falls silent for good on it, while it is told so. `nth`: of the commands of a connection that hold the word. */
async function wire(act: 'cut' | 'swallow' | 'silence', word: string, nth: number, isOn: () => boolean): Promise<Wire> {
  const path = join(folder.path, `${act}.sock`)
  const open = new Set<Socket>()
  let met = 0
  const server = createServer((socket) => {
    const there = connect(redis.path)
    for (const end of [socket, there]) {
      open.add(end)
      end.on('error', silent)
      end.on('close', () => {
        socket.destroy()
        there.destroy()
      })
    }
    let isSilent = false
    there.on('data', (bytes) => {
      if (!isSilent) socket.write(bytes)
    })
    let seen = 0
    socket.on('data', (bytes) => {
      if (isSilent) return
      if (bytes.toString('latin1').toLowerCase().includes(word)) seen += 1
      if (isOn() && seen >= nth) {
        met += 1
        if (act === 'cut') socket.destroy()
        isSilent = act === 'silence'
      } else there.write(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    path,
    met: () => met,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

async function served(
  wired: Wire,
  prefix: string,
  use: (jobs: Jobs) => Promise<void>,
  options: { readonly silenceMilliseconds?: number } = {},
): Promise<void> {
  const jobs = await createJobs({ connection: { path: wired.path }, prefix, log, ...options })
  try {
    await use(jobs)
  } finally {
    await jobs.close()
    wired.close()
  }
}

test('a Redis that ends while queues are being opened leaves none that is dead for ever', async () => {
  let away = true
  // The first INFO of a connection is ioredis's own, the second is BullMQ's.
  const wired = await wire('cut', '\r\ninfo\r\n', 2, () => away)
  await served(wired, 'opened', async (jobs) => {
    let [swept, woken, brought] = [0, 0, 0]
    await jobs.every('sweep', 100, () => Promise.resolve(void (swept += 1)))
    jobs.wake('deliver:ris')
    await jobs.publish('folder', ['O0']).catch(silent)
    await eventually(() => wired.met() >= 8, 'each was cut, the workers again and again')
    away = false
    await jobs.servePublish('folder', () => Promise.resolve(void (brought += 1)))
    const other = await createJobs({ connection: { path: redis.path }, prefix: 'opened', log })
    try {
      await other.serve('deliver:ris', () => Promise.resolve(void (woken += 1)))
      await eventually(async () => {
        jobs.wake('deliver:ris')
        await jobs.publish('folder', ['O1']).catch(silent)
        return swept > 2 && woken > 0 && brought > 0
      }, 'all of them work')
    } finally {
      await other.close()
    }
  })
})

test('a schedule goes on though no job of it is ever taken', async () => {
  let lost = false
  // A connection that answers nothing any more and does not end either.
  const wired = await wire('swallow', 'every-poll', 1, () => lost)
  await served(wired, 'lost', async (jobs) => {
    let runs = 0
    await jobs.every('poll', 100, () => Promise.resolve(void (runs += 1)))
    await eventually(() => runs > 0, 'it runs')
    lost = true
    await eventually(() => wired.met() > 0, 'no job is taken any more')
    const before = runs
    await eventually(() => runs > before + 2, 'it runs all the same')
    expect(wired.met()).toBeGreaterThan(0)
  })
})

test('I5: lines that fall silent and do not end are given up: jobs are brought again by themselves', async () => {
  let isSilent = false
  const wired = await wire('silence', '\r\n', 1, () => isSilent)
  const use = async (jobs: Jobs): Promise<void> => {
    const brought: string[] = []
    await jobs.servePublish('folder', (id) => Promise.resolve(void brought.push(id)))
    await eventually(async () => {
      await jobs.publish('folder', ['O1']).catch(silent)
      return brought.includes('O1')
    }, 'it is brought')
    isSilent = true
    await expect(jobs.publish('folder', ['O2'])).rejects.toMatchObject({ code: 'E501' })
    await eventually(() => wired.met() >= 2, 'the worker asks in vain too')
    // From now on a new line would be heard; the old ones never are.
    isSilent = false
    await eventually(async () => {
      await jobs.publish('folder', ['O3']).catch(silent)
      return brought.includes('O3')
    }, 'it is brought by a new line')
  }
  await served(wired, 'silent', use, { silenceMilliseconds: 2500 })
})
