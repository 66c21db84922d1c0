import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import {
  createListener,
  frame,
  type Answer,
  type Listener,
  type ListenerOptions,
  type Reply,
} from '../../../connectors/mllp/index.ts'
import { eventually, freePort } from '../../support/temporary.ts'
import { closed, connected, memoryLog } from './peers.ts'

const running: Listener[] = []
afterEach(async () => {
  for (const listener of running.splice(0)) await listener.stop({ seconds: 0 })
})

const reply = (text: string): Reply => ({ kind: 'acknowledge', bytes: Buffer.from(text) })

interface Given extends Partial<Omit<ListenerOptions, 'source' | 'log'>> {
  readonly source?: Partial<ListenerOptions['source']>
}

async function listen(given: Given = {}) {
  const log = memoryLog()
  const bounds = { maxFrameBytes: 1000, maxConnections: 10, idleSeconds: 60 }
  const listener = createListener({
    onMessage: async (bytes) => reply(`got ${Buffer.from(bytes).toString()}`),
    onOversize: async (_, size) => reply(`too large: ${size}`),
    ...given,
    source: { name: 'ris', bind: '127.0.0.1', port: 0, ...bounds, ...given.source },
    log,
  })
  running.push(listener)
  await listener.start()
  return { listener, log, port: listener.port() }
}

const send = (text: string) => frame(Buffer.from(text))
/** A promise that the test keeps when it likes. */
function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}

test('connections beyond the limit are closed with a log line; one that leaves makes room', async () => {
  const { listener, log, port } = await listen({ source: { maxConnections: 2 } })
  const [one, two] = [await connected(port), await connected(port)]
  const three = await connected(port)
  await closed(three)
  expect(log.lines).toContain('warn E121 connection refused')

  one.destroy()
  await eventually(() => listener.connections() === 1, 'the first connection has left')
  const four = await connected(port)
  four.write(send('FOUR'))
  await eventually(() => four.text().includes('got FOUR'), 'the fourth is served')
  two.destroy()
  four.destroy()
})

test('a connection that is idle is closed, also one that stopped in the middle of a frame', async () => {
  const { port } = await listen({ source: { idleSeconds: 0.1 } })
  const quiet = await connected(port)
  const stuck = await connected(port)
  stuck.write(send('HALF').subarray(0, 3))
  await Promise.all([closed(quiet), closed(stuck)])
})

test('a message that waits for its handler is not idle', async () => {
  const handler = gate()
  let isHandled = false
  const { port } = await listen({
    source: { idleSeconds: 0.05 },
    async onMessage() {
      isHandled = true
      await handler.passed
      return reply('at last')
    },
  })
  let socket = await connected(port)
  // A machine that does something else for so long closes it before it hears the message.
  await eventually(async () => {
    if (socket.destroyed) socket = await connected(port)
    if (socket.bytesWritten === 0) socket.write(send('ONE'))
    return isHandled
  }, 'the message is handled')
  const isClosed = closed(socket).then(() => 'closed')
  // Another one, which has nothing to wait for, is closed twice over meanwhile.
  const idle = async (): Promise<string> => closed(await connected(port)).then(() => 'still open')
  expect(await Promise.race([isClosed, idle().then(idle)])).toBe('still open')
  handler.open()
  await eventually(() => socket.text().includes('at last'), 'the answer')
})

test('a frame of exactly the limit is taken, one byte more is drained and answered', async () => {
  const { port } = await listen({ source: { maxFrameBytes: 10 } })
  const socket = await connected(port)
  socket.write(Buffer.concat([send('0123456789'), send('0123456789A'), send('x'.repeat(100_000)), send('END')]))
  await eventually(() => socket.text().includes('got END'), 'the last frame')
  expect(
    socket
      .text()
      .split('\x1c\r')
      .map((text) => text.slice(1)),
  ).toEqual(['got 0123456789', 'too large: 11', 'too large: 100000', 'got END', ''])
})

test('I1: while nothing can be kept, the connection is closed without an acknowledgment', async () => {
  const { port } = await listen({ onMessage: async () => ({ kind: 'close' }) })
  const socket = await connected(port)
  socket.write(Buffer.concat([send('ONE'), send('TWO')]))
  await closed(socket)
  expect(socket.text()).toBe('')
})

test('I3: what is behind a message that could not be kept is not taken, also while an earlier answer is waited for', async () => {
  const handled: string[] = []
  let answer: (answer: Answer) => void = () => undefined
  const first = new Promise<Answer>((resolve) => {
    answer = resolve
  })
  const { port } = await listen({
    async onMessage(bytes) {
      const text = Buffer.from(bytes).toString()
      handled.push(text)
      if (text === 'ONE') return { kind: 'later', answer: first }
      return text === 'TWO' ? { kind: 'close' } : reply('fine')
    },
  })
  const socket = await connected(port)
  socket.write(Buffer.concat([send('ONE'), send('TWO'), send('THREE')]))
  await eventually(() => handled.includes('TWO'), 'the second message')
  socket.write(send('FOUR'))
  await new Promise((resolve) => setTimeout(resolve, 20))
  answer({ kind: 'acknowledge', bytes: Buffer.from('one') })
  await closed(socket)
  expect(handled).toEqual(['ONE', 'TWO'])
  expect(socket.text()).toBe(send('one').toString())
})

test('a frame that is owed no answer gets none, and the next one is answered', async () => {
  const { port } = await listen({
    onMessage: async (bytes) => (Buffer.from(bytes).toString() === 'ACK' ? { kind: 'nothing' } : reply('fine')),
  })
  const socket = await connected(port)
  socket.write(Buffer.concat([send('ACK'), send('ORDER')]))
  await eventually(() => socket.text().includes('fine'), 'the answer to the second frame')
  expect(socket.text()).toBe(send('fine').toString())
})

test('I1: a handler that fails gives no acknowledgment, and the listener goes on', async () => {
  const { log, port } = await listen({
    async onMessage(bytes) {
      if (Buffer.from(bytes).toString() === 'BAD') throw new TypeError('Doe^Jane')
      return reply('fine')
    },
  })
  const bad = await connected(port)
  bad.write(send('BAD'))
  await closed(bad)
  expect(bad.text()).toBe('')
  expect(log.lines).toContain('error E122 handler failed')
  const good = await connected(port)
  good.write(send('GOOD'))
  await eventually(() => good.text().includes('fine'), 'the good one is answered')
})

test('I1: paused, nobody can connect and nobody is acknowledged; resumed, the same port takes messages', async () => {
  const handler = gate()
  const { listener, port } = await listen({
    async onMessage() {
      await handler.passed
      return reply('fine')
    },
  })
  const waiting = await connected(port)
  waiting.write(send('ONE'))
  await eventually(() => listener.connections() === 1, 'connected')
  await listener.pause()
  await closed(waiting)
  handler.open()
  expect(waiting.text()).toBe('')
  await expect(connected(port)).rejects.toThrow(/ECONNREFUSED/)

  await listener.resume()
  const socket = await connected(port)
  socket.write(send('TWO'))
  await eventually(() => socket.text().includes('fine'), 'answered again')
})

test('pause and resume in any order end as the last one said', async () => {
  const { listener, port } = await listen()
  await Promise.all([listener.pause(), listener.resume(), listener.pause(), listener.resume()])
  expect(listener.isListening()).toBe(true)
  const socket = await connected(port)
  socket.destroy()
  await Promise.all([listener.resume(), listener.pause()])
  expect(listener.isListening()).toBe(false)
})

test('stopping answers what is being handled, takes no more, and closes', async () => {
  const handler = gate()
  const handled: string[] = []
  const { listener, port } = await listen({
    async onMessage(bytes) {
      handled.push(Buffer.from(bytes).toString())
      await handler.passed
      return reply('fine')
    },
  })
  const socket = await connected(port)
  socket.write(Buffer.concat([send('ONE'), send('TWO')]))
  await eventually(() => handled.length === 1, 'the first is handled')
  const stopped = listener.stop({ seconds: 20 })
  handler.open()
  await stopped
  await closed(socket)
  expect(handled).toEqual(['ONE'])
  expect(socket.text()).toBe('\vfine\x1c\r')
})

test('stopping ends after its limit, even if a handler never does', async () => {
  const { listener, port } = await listen({ onMessage: () => new Promise(() => {}) })
  const socket = await connected(port)
  socket.write(send('ONE'))
  await eventually(() => listener.connections() === 1, 'connected')
  await listener.stop({ seconds: 0.1 })
  await closed(socket)
})

test('a sender that does not read its answers, or sends far ahead, is not read either', async () => {
  let handling = 0
  const handler = gate()
  const { port } = await listen({
    source: { maxFrameBytes: 100_000 },
    async onMessage() {
      handling += 1
      await handler.passed
      return reply('x'.repeat(50_000))
    },
  })
  const socket = await connected(port)
  socket.pause()
  const frames = Buffer.concat(Array.from({ length: 400 }, () => send('y'.repeat(50_000))))
  const everything = new Promise<void>((resolve) => socket.write(frames, () => resolve()))
  await eventually(() => handling === 1, 'the first is handled')
  // 20 MB do not fit into the buffers of the two sockets: the listener has stopped reading.
  expect(await Promise.race([everything, new Promise((resolve) => setTimeout(() => resolve('held back'), 200))])).toBe(
    'held back',
  )
  handler.open()
  socket.resume()
  await everything
  await eventually(() => socket.text().split('\x1c\r').length === 401, 'all answered')
})

test('a sender that never reads its answers is idle, and is closed', async () => {
  const { listener, port } = await listen({
    source: { maxFrameBytes: 100_000, idleSeconds: 0.2 },
    onMessage: () => Promise.resolve(reply('x'.repeat(50_000))),
  })
  const socket = await connected(port)
  socket.pause()
  socket.on('error', () => undefined)
  // 20 MB of answers: more than the buffers of the two sockets take.
  socket.write(Buffer.concat(Array.from({ length: 400 }, () => send('y'))))
  await eventually(() => listener.connections() === 0, 'it is closed')
})

test('a port that is taken is said in one sentence', async () => {
  const other = createServer()
  const port = await freePort()
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve))
  try {
    await expect(listen({ source: { port } })).rejects.toThrow(
      `Source ris cannot listen on 127.0.0.1:${port} (EADDRINUSE).`,
    )
  } finally {
    await new Promise((resolve) => other.close(resolve))
  }
})

test('the bind address is honoured: another address of this machine is not served', async (context) => {
  const other = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal)
  if (other === undefined) return context.skip('this machine has no other address')
  const { port } = await listen()
  const socket = connect({ port, host: other.address })
  const outcome = new Promise((resolve) => {
    socket.once('connect', () => resolve('connected'))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
  await expect(outcome).resolves.toBe('ECONNREFUSED')
  socket.destroy()
})

test('what happens on the wire is reported, and nothing of it has patient data', async () => {
  const events: string[] = []
  const { log, port } = await listen({ onWire: (event) => events.push(event) })
  const socket = await connected(port)
  const broken = send('MSH|Doe^Jane').subarray(0, -2)
  socket.write(Buffer.concat([Buffer.from('Doe^Jane'), broken, send('MSH|TWO'), send('x'.repeat(2000))]))
  await eventually(() => socket.text().includes('too large'), 'the last answer')
  socket.destroy()
  await eventually(() => events.includes('closed'), 'the connection is gone')
  expect(events).toEqual(['opened', 'junk', 'restart', 'received', 'oversize', 'closed'])
  expect(log.lines).toEqual([
    'warn E124 bytes outside of a frame dropped',
    'warn E123 unfinished message dropped',
    'warn E108 message refused',
  ])
})

test('a peer that speaks another protocol gives one warning until it sends a frame', async () => {
  const { log, port } = await listen()
  const socket = await connected(port)
  for (let i = 0; i < 5; i++) {
    await new Promise<void>((resolve) => socket.write('GET / HTTP/1.1\r\n', () => resolve()))
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.write(send('ONE'))
  await eventually(() => socket.text().includes('got ONE'), 'the frame behind the junk')
  socket.write('more')
  await eventually(() => log.lines.filter((line) => line.startsWith('warn E124')).length === 2, 'the second warning')
})

test('I1 I2: senders that cut, stop and reset at random: what was acknowledged was handled, once, in order', async () => {
  const handled = new Map<string, string[]>()
  const { listener, port } = await listen({
    source: { maxConnections: 100 },
    async onMessage(bytes) {
      const [sender = '', id = ''] = Buffer.from(bytes).toString().split('|').slice(1)
      await new Promise((resolve) => setImmediate(resolve))
      handled.set(sender, [...(handled.get(sender) ?? []), id])
      return reply(`${sender} ${id}`)
    },
  })
  const seed = Date.now() % 100_000
  const random = createRandom(seed)
  const acknowledged = await Promise.all(Array.from({ length: 12 }, (_, i) => misbehave(port, `S${i}`, random)))
  for (const { sender, ids } of acknowledged) {
    const seen = handled.get(sender) ?? []
    expect(seen.slice(0, ids.length), `seed ${seed}`).toEqual(ids)
    expect(new Set(seen).size, `seed ${seed}`).toBe(seen.length)
  }
  expect(
    acknowledged.some(({ ids }) => ids.length > 5),
    `seed ${seed}`,
  ).toBe(true)
  await eventually(() => listener.connections() === 0, 'all have left')
})

/** Sends up to 30 messages in pieces of any size; some are broken off by a new one, one in four senders ends with a reset. */
async function misbehave(port: number, sender: string, random: (below: number) => number) {
  const socket = await connected(port)
  const frames = Array.from({ length: 30 }, (_, i) => {
    const whole = send(`MSH|${sender}|${i}|${'x'.repeat(random(300))}`)
    return random(4) === 0 ? Buffer.concat([send(`MSH|${sender}|lost`).subarray(0, -2), whole]) : whole
  })
  const stream = Buffer.concat(frames)
  const end = random(4) === 0 ? random(stream.length) : stream.length
  for (let at = 0; at < end;) {
    const to = Math.min(end, at + 1 + random(400))
    await new Promise<void>((resolve) => socket.write(stream.subarray(at, to), () => resolve()))
    at = to
  }
  if (end < stream.length) socket.resetAndDestroy()
  else socket.end()
  await closed(socket)
  const answers = socket.text().split('\x1c\r').slice(0, -1)
  return { sender, ids: answers.map((answer) => answer.slice(1).split(' ')[1] ?? '') }
}

/** Small numbers from a seed, so that a failure can be played again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed + 1
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}
