import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { startEngineProcess, type EngineProcess, type EngineProcessOptions } from '../support/engine.ts'
import { embeddedRedisOf, isAlive } from '../faults/inject/processes.ts'
import { orderBytes } from '../support/message.ts'
import { startRedis } from '../support/redis.ts'
import { startRis } from '../support/ris.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const cleanups: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const one of cleanups.splice(0).toReversed()) await one()
})

/** Nobody listens there. */
const noOrthanc = 'http://127.0.0.1:1'

async function engineWith(options: Partial<EngineProcessOptions> = {}): Promise<EngineProcess> {
  const engine = await startEngineProcess({ orthancUrl: noOrthanc, target: 'none', ...options })
  cleanups.push(() => engine.kill())
  return engine
}

async function send(engine: EngineProcess, ...numbers: readonly number[]): Promise<readonly (string | undefined)[]> {
  const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
  const codes: (string | undefined)[] = []
  for (const n of numbers) {
    const bytes = orderBytes({ controlId: `C${n}`, placer: `P${n}`, filler: `F${n}`, accession: `A${n}` })
    codes.push(readAcknowledgment(Buffer.from(await line.exchange(bytes)))?.code)
  }
  line.close()
  return codes
}

/** What a stop says last. */
const farewell = (engine: EngineProcess) =>
  engine.lines().findLast(({ event }) => /what is left|nothing is left/.test(event ?? ''))

/** Longer than any part of a stop may take, with what a loaded machine needs. */
const within = 50_000

describe('SIGTERM ends the engine with 0, and what it had acknowledged is there afterwards', () => {
  test('with nothing to do: soon, and it says that nothing is left', async () => {
    const engine = await engineWith()
    expect(await send(engine, 1, 2, 3)).toEqual(['AA', 'AA', 'AA'])
    expect(await engine.stop()).toBe(0)
    expect(farewell(engine)).toMatchObject({ event: 'nothing is left', waiting: 0, count: 0 })
    expect(engine.logs()).not.toContain('stop failed')
  })

  test('under a stream: every AA is in the store, and nothing that was not stored got one', async () => {
    const engine = await engineWith()
    const acknowledged: string[] = []
    const stopped = new AbortController()
    const stream = (async () => {
      for (let n = 0; !stopped.signal.aborted; n += 1) {
        const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort }).catch(() => undefined)
        if (line === undefined) return
        const code = await line
          .exchange(orderBytes({ controlId: `S${n}`, placer: `P${n}`, filler: `F${n}`, accession: `A${n}` }))
          .then((bytes) => readAcknowledgment(Buffer.from(bytes))?.code)
          .catch(() => undefined)
        line.close()
        if (code === 'AA') acknowledged.push(`S${n}`)
      }
    })()
    await eventually(() => acknowledged.length > 20, 'orders are taken')
    const ended = await engine.stop()
    stopped.abort()
    await stream
    expect(ended).toBe(0)
    expect(farewell(engine)?.event).toBe('nothing is left')
    await engine.restart()
    const { items } = await engine.api<{ items: { controlId: string; state: { kind: string } }[] }>(
      '/api/messages?limit=500',
    )
    const stored = new Set(items.map(({ controlId }) => controlId))
    // The newest are the ones that the stop may have cut off.
    expect(acknowledged.slice(-200).filter((id) => !stored.has(id))).toEqual([])
  })

  test('while the RIS is away or silent: what is owed is said, and told after the next start', async () => {
    for (const behaviour of ['away', 'silent'] as const) {
      const ris = await startRis({ answer: () => 'silence' })
      cleanups.push(() => ris.stop())
      const engine = await engineWith({ risPort: behaviour === 'away' ? await freePort() : ris.port })
      await send(engine, 1)
      expect(await engine.stop()).toBe(0)
      expect(farewell(engine)).toBeDefined()
    }
  })

  test('while a frozen Redis of the site answers nothing', async () => {
    const port = await freePort()
    const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
    cleanups.push(() => redis.stop())
    const engine = await engineWith({ redisUrl: `redis://127.0.0.1:${port}` })
    await send(engine, 1)
    process.kill(redis.pid, 'SIGSTOP')
    const since = performance.now()
    const code = await engine.stop()
    process.kill(redis.pid, 'SIGCONT')
    expect({ code, inTime: performance.now() - since < within }).toEqual({ code: 0, inTime: true })
    expect(farewell(engine)?.event).toBe('what is left is not known, and safe in the store')
  })

  test('while its own Redis is frozen, which it does not leave behind', async () => {
    const engine = await engineWith()
    await send(engine, 1)
    const redis = embeddedRedisOf(engine.pid) ?? 0
    process.kill(redis, 'SIGSTOP')
    expect(await engine.stop()).toBe(0)
    await eventually(() => !isAlive(redis), 'its Redis is gone')
    await engine.restart()
    const { total } = await engine.api<{ total: number }>('/api/messages')
    expect(total).toBe(1)
  })

  test('while Redis is away', async () => {
    const port = await freePort()
    const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
    cleanups.push(() => redis.stop())
    const engine = await engineWith({ redisUrl: `redis://127.0.0.1:${port}` })
    await send(engine, 1)
    await redis.kill()
    expect(await engine.stop()).toBe(0)
  })

  test('with the worklist folder, many times, without a word of a stop that failed', async () => {
    const folder = temporaryFolder()
    cleanups.push(() => folder.remove())
    const engine = await engineWith({ target: 'folder', worklistDir: join(folder.path, 'WORKLIST') })
    for (let n = 1; n <= 4; n += 1) {
      await send(engine, n)
      expect(await engine.stop()).toBe(0)
      if (n < 4) await engine.restart()
    }
    expect(engine.logs()).not.toMatch(/stop failed|stop took too long/)
  })
})

test('a second signal ends it at once', async () => {
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  cleanups.push(() => redis.stop())
  const engine = await engineWith({ redisUrl: `redis://127.0.0.1:${port}` })
  const { pid } = engine
  // It would wait for what does not answer.
  process.kill(redis.pid, 'SIGSTOP')
  const ended = engine.stop()
  await eventually(() => engine.logs().includes('"stopping"'), 'it is stopping')
  process.kill(pid, 'SIGTERM')
  expect(await ended).toBe(1)
  expect(engine.logs()).not.toContain('engine stopped')
})
