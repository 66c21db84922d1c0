import { afterAll, beforeAll, expect, test } from 'vitest'
import { order } from '../support/message.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, freePort } from '../support/temporary.ts'
import { openSender } from '../faults/sender.ts'

/** Two engines on one Redis: what each accepts is applied by whichever has the role, and both answer for all of it. */
let redis: TestRedis
let engines: EngineProcess[]
beforeAll(async () => {
  const port = await freePort()
  redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  engines = []
  for (let count = 0; count < 2; count++) {
    engines.push(
      await startEngineProcess({
        orthancUrl: 'http://127.0.0.1:1',
        target: 'none',
        redisUrl: `redis://127.0.0.1:${port}`,
        logLevel: 'debug',
      }),
    )
  }
})
afterAll(async () => {
  for (const engine of engines) await engine.kill()
  await redis.stop()
})

async function send(engine: EngineProcess, accession: string, control = 'NW'): Promise<void> {
  const sender = openSender({ ports: [engine.mllpPort], signal: AbortSignal.timeout(60_000) })
  const controlId = `${control}-${accession}`
  const { code } = await sender.send(controlId, order({ accession, control, controlId, start: '203003010800' }))
  expect(code).toBe('AA')
  sender.close()
}

/** What the plugin is answered: how many items match, or the status. */
async function find(engine: EngineProcess, accession: string): Promise<number | string> {
  const response = await fetch(`${engine.httpUrl}/worklist/find`, {
    method: 'POST',
    headers: { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: { '0008,0050': accession }, callingAeTitle: 'CT', calledAeTitle: 'WL' }),
  })
  if (!response.ok) return String(response.status)
  const bytes = Buffer.from(await response.arrayBuffer())
  let count = 0
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32BE(at)) count += 1
  return count
}

function isDrainer(engine: EngineProcess): boolean {
  const last = engine.lines().findLast(({ event, role }) => role === 'drain' && /^role (taken|lost)$/.test(event ?? ''))
  return last?.event === 'role taken'
}

async function holder(): Promise<EngineProcess> {
  // One that slept through its loss says so when it wakes.
  await eventually(() => engines.filter(isDrainer).length === 1, 'one engine applies orders')
  return engines.find(isDrainer) as EngineProcess
}
const otherThan = (engine: EngineProcess): EngineProcess => engines.find((one) => one !== engine) as EngineProcess

test('I3: an order that the one accepts is applied by the other, and both answer it', async () => {
  const drainer = await holder()
  await send(otherThan(drainer), 'A1')
  for (const engine of engines) await eventually(async () => (await find(engine, 'A1')) === 1, 'it is answered')
})

test('I10: an engine that slept answers what is true now, or fails', async () => {
  const drainer = await holder()
  const other = otherThan(drainer)
  await send(other, 'A2')
  for (const engine of engines) await eventually(async () => (await find(engine, 'A2')) === 1, 'it is answered')
  drainer.freeze()
  try {
    await send(other, 'A2', 'CA')
    await eventually(async () => (await find(other, 'A2')) === 0, 'the other took over and removed it')
    // Longer than an index may lag (`maxLagSeconds`, 5).
    await new Promise((resolve) => setTimeout(resolve, 5_500))
    const first = find(drainer, 'A2')
    drainer.thaw()
    expect(['503', 0]).toContain(await first)
    await eventually(async () => (await find(drainer, 'A2')) === 0, 'it knows')
  } finally {
    drainer.thaw()
  }
})

test('I3: when the engine with the role is killed, the other applies orders again by itself', async () => {
  const drainer = await holder()
  const other = otherThan(drainer)
  await drainer.crash()
  await send(other, 'A3')
  await eventually(async () => (await find(other, 'A3')) === 1, 'it is answered')
  await drainer.restart()
  await eventually(async () => (await find(drainer, 'A3')) === 1, 'the one that came back knows it')
})
