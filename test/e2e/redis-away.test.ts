import { connect } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, freePort } from '../support/temporary.ts'

let engine: EngineProcess
let redis: TestRedis | undefined
let port = 0
beforeEach(async () => {
  redis = undefined
  port = await freePort()
})
afterEach(async () => {
  await engine.kill()
  await redis?.stop()
})

/** One message on a connection of its own: MSA-1, or `none` when it was not acknowledged, or `closed` when nobody listens. */
async function send(accession: string): Promise<string> {
  const host = '127.0.0.1'
  const line = await openLine({ host, port: engine.mllpPort }).catch(() => undefined)
  if (line === undefined) return 'closed'
  try {
    const answer = await line.exchange(orderBytes({ accession, controlId: accession }))
    return readAcknowledgment(answer)?.code ?? 'unreadable'
  } catch {
    return 'none'
  } finally {
    line.close()
  }
}

const ready = async (): Promise<number> => (await fetch(`${engine.httpUrl}/health/ready`)).status
const items = (accession: string): Promise<{ total: number }> => engine.api(`/api/worklist?accession=${accession}`)

test("I1: while the site's Redis is away nobody gets an acknowledgment; when it is back all goes on by itself", async () => {
  redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', redisUrl: `redis://127.0.0.1:${port}` })
  expect(await send('BEFORE')).toBe('AA')
  const kept = await openLine({ host: '127.0.0.1', port: engine.mllpPort })

  await redis.kill()
  await expect(kept.exchange(orderBytes({ accession: 'DURING', controlId: 'DURING' }))).rejects.toThrow()
  await eventually(async () => (await send('DURING')) === 'closed', 'the listener is closed')
  expect(await ready()).toBe(503)
  expect((await fetch(`${engine.httpUrl}/health/live`)).status).toBe(200)
  expect((await fetch(`${engine.httpUrl}/metrics`)).status).toBe(200)

  await redis.restart()
  // The sender does what senders do: the same message again, until it is taken.
  await eventually(async () => (await send('DURING')) === 'AA', 'messages are taken again')
  await eventually(async () => (await ready()) === 200, 'it is ready again')
  expect(await send('AFTER')).toBe('AA')
  for (const accession of ['BEFORE', 'DURING', 'AFTER']) {
    await eventually(async () => (await items(accession)).total === 1, `${accession} is in the worklist once`)
    expect(await engine.api(`/api/messages?controlId=${accession}`)).toMatchObject({ total: 1 })
  }
})

test('I1: a Redis that stands still takes no message that it might not keep', async () => {
  redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', redisUrl: `redis://127.0.0.1:${port}` })
  process.kill(redis.pid, 'SIGSTOP')
  expect(await send('STILL')).toBe('none')
  process.kill(redis.pid, 'SIGCONT')
  await eventually(async () => (await send('STILL')) === 'AA', 'messages are taken again')
  await eventually(async () => (await items('STILL')).total === 1, 'it is in the worklist once')
  expect(await engine.api('/api/messages?controlId=STILL')).toMatchObject({ total: 1 })
})

test('I1: a Redis without memory takes no message that it could not keep', async () => {
  redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', redisUrl: `redis://127.0.0.1:${port}` })
  const client = new Redis({ path: redis.path })
  try {
    await client.config('SET', 'maxmemory', '1')
    expect(await send('FULL')).toBe('none')
    await eventually(async () => (await send('FULL')) === 'closed', 'the listener is closed')
    await client.config('SET', 'maxmemory', '0')
    await eventually(async () => (await send('FULL')) === 'AA', 'messages are taken again')
    await eventually(async () => (await items('FULL')).total === 1, 'it is in the worklist once')
  } finally {
    client.disconnect()
  }
})

test('SIGTERM ends the engine while Redis is away', async () => {
  redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', redisUrl: `redis://127.0.0.1:${port}` })
  await redis.kill()
  await eventually(async () => (await ready()) === 503, 'the engine has noticed')
  expect(await engine.stop()).toBe(0)
  expect(engine.lines().at(-1)?.event).toBe('engine stopped')
})

test("the engine's own Redis, killed, is back by itself with everything that was acknowledged", async () => {
  engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1' })
  expect(await send('OWN-BEFORE')).toBe('AA')
  const before = await pidOf(join(engine.dataDir, 'redis/redis.sock'))
  process.kill(before, 'SIGKILL')
  await eventually(async () => (await send('OWN-AFTER')) === 'AA', 'messages are taken again')
  expect(await pidOf(join(engine.dataDir, 'redis/redis.sock'))).not.toBe(before)
  for (const accession of ['OWN-BEFORE', 'OWN-AFTER'])
    await eventually(async () => (await items(accession)).total === 1, `${accession} is in the worklist once`)
})

/** Of the redis-server behind a socket. */
function pidOf(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let seen = ''
    const socket = connect(path, () => socket.write('INFO server\r\n'))
    socket.once('error', reject)
    socket.on('data', (bytes) => {
      seen += bytes.toString()
      const pid = /^process_id:(\d+)/m.exec(seen)?.[1]
      if (pid === undefined) return
      socket.destroy()
      resolve(Number(pid))
    })
  })
}
