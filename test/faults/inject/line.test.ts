import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../../support/temporary.ts'
import { random } from '../random.ts'
import { content, createFrames, fieldsOf, framed } from './frames.ts'
import { startLine, type Break, type Line } from './line.ts'
import { openWire } from './wire.ts'

const message = (id: string): string =>
  `MSH|^~\\&|RIS|HOSP|W|R|2026||ORM^O01|${id}|P|2.3.1\rPID|1||${'x'.repeat(200)}\r`

/** Acknowledges each frame, and keeps what came. */
const server = createServer((socket) => {
  sockets.add(socket)
  const frames = createFrames()
  socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''))
  socket.on('end', () => ends.push('end'))
  socket.on('data', (chunk) => {
    chunks.push(chunk.length)
    for (const frame of frames.push(chunk)) {
      whole.push(fieldsOf(content(frame), 'MSH')[10] ?? '')
      socket.write(framed(`MSH|^~\\&|W|R|RIS|HOSP|2026||ACK|1|P|2.3.1\rMSA|AA|${whole.at(-1)}\r`))
    }
  })
})
const sockets = new Set<Socket>()
let [whole, ends, chunks]: [string[], string[], number[]] = [[], [], []]
let line: Line

beforeEach(async () => {
  ;[whole, ends, chunks] = [[], [], []]
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  line = await startLine({ to: typeof address === 'object' && address !== null ? address.port : 0 })
})
afterEach(async () => {
  await line.stop()
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

const both: readonly { how: Break; sign: string }[] = [
  { how: 'cut', sign: 'end' },
  { how: 'reset', sign: 'ECONNRESET' },
]

test.each(both)(
  'a message is broken off ($how): half of it arrives, and both sides see $sign',
  async ({ how, sign }) => {
    line.setTrouble({ kind: 'break', how, where: 'message', chance: 1 }, random(7))
    const wire = await openWire(line.port)
    await expect(wire.exchange(message('ONE'))).rejects.toThrow(sign)
    await eventually(() => ends.includes(sign), 'the other side sees it')
    expect(whole).toEqual([])
    expect(line.broken()).toMatchObject({ message: 1 })
  },
)

test.each(both)('an acknowledgment that was sent does not arrive ($how)', async ({ how, sign }) => {
  line.setTrouble({ kind: 'break', how, where: 'between', chance: 1 }, random(7))
  const wire = await openWire(line.port)
  let got = 0
  wire.socket.on('data', (chunk) => (got += chunk.length))
  await expect(wire.exchange(message('ONE'))).rejects.toThrow(sign)
  expect(whole).toEqual(['ONE'])
  expect(got).toBe(0)
  expect(line.broken()).toMatchObject({ between: 1 })
})

test.each(both)('an acknowledgment arrives in part ($how)', async ({ how, sign }) => {
  line.setTrouble({ kind: 'break', how, where: 'acknowledgment', chance: 1 }, random(7))
  const wire = await openWire(line.port)
  await expect(wire.exchange(message('ONE'))).rejects.toThrow(sign)
  expect(whole).toEqual(['ONE'])
  expect(line.broken()).toMatchObject({ acknowledgment: 1 })
})

test('one message in so many breaks, by chance of the seed', async () => {
  const breaksOf = async (seed: number): Promise<readonly number[]> => {
    line.setTrouble({ kind: 'break', how: 'cut', where: 'between', chance: 0.3 }, random(seed))
    const broken: number[] = []
    for (let n = 0; n < 30; n++) {
      const wire = await openWire(line.port)
      await wire.exchange(message(`M${n}`)).catch(() => broken.push(n))
      wire.close()
    }
    return broken
  }
  const first = await breaksOf(42)
  expect(first.length).toBeGreaterThan(2)
  expect(first.length).toBeLessThan(20)
  expect(await breaksOf(42)).toEqual(first)
})

test('writes arrive in pieces, or joined, and each message is whole', async () => {
  line.setTrouble({ kind: 'split' }, random(7))
  const wire = await openWire(line.port)
  for (const id of ['ONE', 'TWO', 'SIX']) expect(await wire.exchange(message(id))).toBe('AA')
  expect(chunks.length).toBeGreaterThan(3)
  chunks = []
  line.setTrouble({ kind: 'join', milliseconds: 50 }, random(7))
  for (const id of ['A', 'B', 'C']) {
    wire.socket.write(framed(message(id)))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await eventually(() => whole.length === 6, 'all have arrived')
  expect(whole).toEqual(['ONE', 'TWO', 'SIX', 'A', 'B', 'C'])
  expect(chunks).toHaveLength(1)
  wire.close()
})

test('a line that is down drops what there is and takes nothing until it is up', async () => {
  const wire = await openWire(line.port)
  expect(await wire.exchange(message('ONE'))).toBe('AA')
  line.setTrouble({ kind: 'down' }, random(7))
  expect(await wire.ended).toBe('ECONNRESET')
  const during = openWire(line.port).then((tried) => tried.exchange(message('TWO')))
  await expect(during).rejects.toThrow()
  line.setTrouble({ kind: 'none' }, random(7))
  const after = await openWire(line.port)
  expect(await after.exchange(message('TWO'))).toBe('AA')
  after.close()
  expect(whole).toEqual(['ONE', 'TWO'])
})

test('a line that is silent keeps its connections and lets nothing through until it is over', async () => {
  line.setTrouble({ kind: 'silent' }, random(7))
  const wire = await openWire(line.port)
  await expect(wire.exchange(message('ONE'), 0.2)).rejects.toThrow('no answer')
  expect(whole).toEqual([])
  line.setTrouble({ kind: 'none' }, random(7))
  await eventually(() => whole.length === 1, 'what was sent arrives')
  wire.close()
})
