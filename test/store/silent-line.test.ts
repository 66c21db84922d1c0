import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually } from '../support/temporary.ts'
import { message, openStore } from './support.ts'

/** A network to Redis whose lines die without ending, as behind a firewall that has forgotten them. */
interface Network {
  readonly url: string
  /** Lines that are open are dead from now on, for ever; new ones are sound. */
  forget(which?: (nth: number) => boolean): void
  close(): void
}

async function networkTo(path: string): Promise<Network> {
  const lines: { dead: boolean; ends: readonly Socket[] }[] = []
  const server = createServer((socket) => {
    const there = connect(path)
    const line = { dead: false, ends: [socket, there] }
    lines.push(line)
    socket.on('data', (bytes) => void (line.dead || there.write(bytes)))
    there.on('data', (bytes) => void (line.dead || socket.write(bytes)))
    for (const end of line.ends) {
      end.on('error', () => undefined)
      end.on('close', () => line.ends.forEach((one) => one.destroy()))
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forget(which = () => true) {
      for (const [nth, line] of lines.entries()) if (which(nth)) line.dead = true
    },
    close() {
      server.close()
      for (const { ends } of lines) for (const end of ends) end.destroy()
    },
  }
}

let redis: TestRedis
let network: Network
let store: Store
let versions: number[]
beforeEach(async () => {
  redis = await startRedis({ aof: false })
  network = await networkTo(redis.path)
  store = await openStore('', { url: network.url, commandMilliseconds: 1000 })
  versions = []
  store.onChange((version) => versions.push(version))
})
afterEach(async () => {
  await store.close()
  network.close()
  await redis.stop()
})

test('I1: a line to Redis that is dead and does not end is given up: messages are taken again by themselves', async () => {
  await store.accept(message({ controlId: '1' }))
  network.forget()
  await expect(store.accept(message({ controlId: '2' }))).rejects.toMatchObject({ code: 'E501' })
  const again = await eventually(() => store.accept(message({ controlId: '1' })), 'the store is back on a new line')
  expect(again).toMatchObject({ kind: 'again' })
  expect(await store.accept(message({ controlId: '3' }))).toMatchObject({ kind: 'stored' })
})

test('I10: so is the line on which changes are heard, though nobody has anything to say', async () => {
  const lines = 2
  network.forget((nth) => nth === lines - 1)
  const other = new Redis({ path: redis.path })
  const version = 9_000_000_000_000
  try {
    await eventually(async () => {
      await other.publish('wl:changed', String(version))
      return versions.includes(version)
    }, 'a change is heard')
    expect(store.isUp()).toBe(true)
  } finally {
    other.disconnect()
  }
})

test('I10: it is asked for again when Redis refuses it for a while, and nothing is left unheard that would end the process', async () => {
  const other = new Redis({ path: redis.path })
  const version = 9_000_000_000_000
  try {
    await other.call('ACL', 'SETUSER', 'default', 'resetchannels')
    await other.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    const isRefused = async (): Promise<boolean> => String(await other.call('ACL', 'LOG')).includes('wl:changed')
    await eventually(isRefused, 'it has been refused')
    await other.call('ACL', 'SETUSER', 'default', 'allchannels')
    await eventually(async () => {
      await other.publish('wl:changed', String(version))
      return versions.includes(version)
    }, 'a change is heard')
  } finally {
    other.disconnect()
  }
})
