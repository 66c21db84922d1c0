import { expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import type { CounterDifference, DestinationCounts, SourceCounts } from '../../src/core/ports.ts'
import { startEngineProcess, testToken, type EngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { startRedis } from '../support/redis.ts'
import { startRis } from '../support/ris.ts'
import { eventually, freePort } from '../support/temporary.ts'

interface Status {
  readonly sources: readonly SourceCounts[]
  readonly destinations: readonly DestinationCounts[]
}

/** What does not add up, in words. */
function wrongSums({ sources, destinations }: Status): readonly string[] {
  return [
    ...sources.flatMap((of) =>
      of.received === of.waiting + of.applied + of.ignored + of.invalid + of.dead ? [] : [JSON.stringify(of)],
    ),
    ...destinations.flatMap((of) =>
      of.queued === of.waiting + of.delivered + of.dead + of.discarded ? [] : [JSON.stringify(of)],
    ),
  ]
}

async function recount({ httpUrl }: EngineProcess): Promise<readonly CounterDifference[]> {
  const headers = { authorization: `Bearer ${testToken}`, 'content-type': 'application/json' }
  const response = await fetch(`${httpUrl}/api/recount`, { method: 'POST', headers, body: '{}' })
  return ((await response.json()) as { differences: CounterDifference[] }).differences
}

/** Every order is one that ends at once, so that the RIS is told of each. */
const cancelled = (n: number): Uint8Array =>
  n % 5 === 4
    ? Buffer.from(`MSH|^~\\&|RIS|M|W|H|20261016081500||ORM^O01|X${n}|P|2.3.1\rPID|1||7\r`)
    : orderBytes({
        controlId: `C${n}`,
        patientId: `${n}^^^HOSP`,
        placer: `P${n % 40}`,
        filler: `F${n % 40}`,
        accession: `A${n % 40}`,
        control: n % 80 >= 40 ? 'CA' : 'NW',
      })

/** Sends until told to stop; answers how many had an acknowledgment. */
function stream(engine: EngineProcess): { stop(): Promise<void>; sent(): number } {
  const stopped = new AbortController()
  let sent = 0
  const life = (async () => {
    for (let n = 0; !stopped.signal.aborted;) {
      const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort }).catch(() => undefined)
      if (line === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        continue
      }
      try {
        for (; !stopped.signal.aborted; n += 1) {
          await line.exchange(cancelled(n))
          sent += 1
        }
      } catch {
        // Killed in the middle: the same message is sent again.
      }
      line.close()
    }
  })()
  return {
    sent: () => sent,
    async stop() {
      stopped.abort()
      await life
    },
  }
}

test('counters are exact after each of many kills of the engine and of its Redis', async () => {
  const ris = await startRis({ answer: (n) => (n % 7 === 0 ? 'AE' : 'AA') })
  const engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', target: 'none', risPort: ris.port })
  const sender = stream(engine)
  try {
    for (let kill = 0; kill < 6; kill += 1) {
      const until = sender.sent() + 20 + Math.floor(Math.random() * 80)
      await eventually(() => sender.sent() >= until, `orders are taken after kill ${kill}`)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 30))
      await engine.restart()
      const status = await engine.api<Status>('/api/status')
      expect(wrongSums(status), `after kill ${kill}`).toEqual([])
      expect(await recount(engine), `after kill ${kill}`).toEqual([])
    }
    await sender.stop()
    const last = await eventually(async () => {
      const status = await engine.api<Status>('/api/status')
      return status.sources.every(({ waiting }) => waiting === 0) ? status : undefined
    }, 'all is applied')
    expect(last.sources[0]?.received).toBeGreaterThan(100)
    expect(last.sources[0]?.dead, 'some are dead').toBeGreaterThan(0)
    expect(engine.logs()).not.toContain('counter was wrong')
  } finally {
    await sender.stop()
    await engine.kill()
    await ris.stop()
  }
})

test('two engines on one Redis show the same figures of the store, and each its own of itself', async () => {
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  const options = { orthancUrl: 'http://127.0.0.1:1', target: 'none', redisUrl: `redis://127.0.0.1:${port}` } as const
  const engines = await Promise.all([startEngineProcess(options), startEngineProcess(options)])
  try {
    const [one, other] = engines
    const line = await openLine({ host: '127.0.0.1', port: one.mllpPort })
    for (let n = 0; n < 10; n += 1) await line.exchange(cancelled(n))
    line.close()
    const figures = async ({ httpUrl }: EngineProcess): Promise<{ store: string[]; own: string[] }> => {
      const lines = (await (await fetch(`${httpUrl}/metrics`)).text()).split('\n')
      return {
        store: lines.filter((text) => /^(messages|messages_total|outbox_\w+|notices_raised_total)\{/.test(text)),
        own: lines.filter((text) => text.startsWith('engine_messages_received_total{')),
      }
    }
    const first = await eventually(async () => {
      const found = await figures(one)
      return /state="waiting"\} 0/.test(found.store.join('\n')) ? found : undefined
    }, 'all is applied')
    const second = await figures(other)
    expect(second.store).toEqual(first.store)
    expect(first.store.join('\n')).toMatch(/^messages_total\{source="[\w-]+"\} 10$/m)
    expect(first.own.join('\n')).toMatch(/ 10$/)
    expect(second.own).toEqual([])
  } finally {
    for (const engine of engines) await engine.kill()
    await redis.stop()
  }
})

test('an engine whose Redis is frozen says within 20 s that the inbox cannot go on', async () => {
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  const engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    target: 'none',
    redisUrl: `redis://127.0.0.1:${port}`,
  })
  try {
    process.kill(redis.pid, 'SIGSTOP')
    const part = await eventually(async () => {
      const answer = (await (await fetch(`${engine.httpUrl}/health/ready`)).json()) as {
        parts: { name: string; state: string; code?: string; cure?: string }[]
      }
      return answer.parts.find(({ name, state }) => name === 'inbox' && state === 'down')
    }, 'health says so')
    expect(part).toMatchObject({ code: 'E501' })
    const metrics = await (await fetch(`${engine.httpUrl}/metrics`)).text()
    expect(metrics).toContain('inbox_stalled 1\n')
    process.kill(redis.pid, 'SIGCONT')
    await eventually(() => engine.lines().some(({ event }) => event === 'inbox goes on'), 'it goes on')
  } finally {
    await engine.kill()
    await redis.stop()
  }
})
