import { connect, type Socket } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createListener } from '../../../connectors/mllp/index.ts'
import { createReceiver } from '../../../src/flow/receive.ts'
import { aPlan, aSource, silent } from '../../contract/worklane.ts'
import { eventually } from '../../support/temporary.ts'
import { memoryStore } from '../../support/memory-store.ts'

/**
 * A sender that does anything HL7 allows: modes mixed from message to message, frames sent ahead
 * and cut anywhere, connections lost in between, and messages sent again until they are
 * answered. It shares no code with what it tests.
 */
interface Planned {
  readonly asks: readonly [accept: string, application: string]
  readonly isWrong: boolean
  readonly isSlow: boolean
  /** So many messages in one batch; 0: a frame of its own. */
  readonly batch: number
}

const planned: fc.Arbitrary<Planned> = fc.record({
  asks: fc.constantFrom<readonly [string, string]>(['', ''], ['AL', 'AL'], ['AL', 'NE'], ['NE', 'AL'], ['AL', 'ER']),
  isWrong: fc.boolean(),
  isSlow: fc.nat(9).map((n) => n === 0),
  batch: fc.nat(9).map((n) => (n === 0 ? 3 : 0)),
})

function message(id: string, { asks: [accept, application], isWrong, isSlow }: Planned): string {
  const to = isWrong ? 'REFUSE' : 'WORKLANE'
  return `MSH|^~\\&|RIS|HOSP|${to}|RAD|20260301||ORM^O01|${id}|P|2.5.1|||${accept}|${application}\rPID|1||${isSlow ? 'SLOW' : '4711'}\r`
}

function idsOf({ batch }: Planned, at: number): readonly string[] {
  return batch === 0 ? [`M${at}`] : Array.from({ length: batch }, (_, i) => `M${at}x${i}`)
}

function frameOf(one: Planned, at: number): Buffer {
  const messages = idsOf(one, at).map((id) => message(id, one))
  const text = one.batch === 0 ? messages[0] : `BHS|^~\\&|RIS|HOSP\r${messages.join('')}BTS|${messages.length}\r`
  return Buffer.from(`\v${text}\x1c\r`)
}

/** What its sender hears in the turn of the frame, and behind it, by the document alone (docs/how-to/connect-a-ris.md). */
function expected({ asks: [accept, application], isWrong }: Planned): {
  readonly first: string
  readonly behind: string
} {
  const verdict = isWrong ? 'AE' : 'AA'
  const wanted = application === 'AL' || (application === 'ER' && isWrong)
  if (accept === '' && application === '') return { first: verdict, behind: '' }
  if (accept !== 'AL') return { first: wanted ? verdict : '', behind: '' }
  if (isWrong && !wanted) return { first: 'CE', behind: '' }
  return { first: 'CA', behind: wanted ? verdict : '' }
}

const enhanced: Planned = { asks: ['AL', 'NE'], isWrong: false, isSlow: false, batch: 0 }

async function listen(ack: 'checked' | 'applied', isApplying = true) {
  const store = memoryStore({
    beforeAccept: async ({ body }) => {
      if (Buffer.from(body).includes('SLOW')) await new Promise((resolve) => setTimeout(resolve, 3))
    },
  })
  const source = aSource({ ack })
  let ids = 0
  const receiver = createReceiver({
    source,
    plan: () => aPlan,
    inbox: store.inbox,
    store: store.replies,
    outcomes: store.outcomes,
    memo: { remember: () => undefined, take: () => undefined },
    clock: () => '2026-10-16T08:15:00.000Z',
    log: silent,
    metrics: { count: () => undefined, observe: () => undefined },
    timeZone: 'UTC',
    newControlId: () => `W${++ids}`,
    wake: () => undefined,
  })
  const listener = createListener({
    source,
    log: silent,
    onMessage: receiver.receive,
    onOversize: receiver.receiveOversize,
  })
  await listener.start()
  const applying = ack === 'applied' && isApplying ? setInterval(() => store.apply(), 2) : undefined
  return {
    store,
    port: listener.port(),
    async stop() {
      clearInterval(applying)
      await listener.stop({ seconds: 2 })
    },
  }
}

/** All MSA of a connection: one list for each frame that came. */
async function open(port: number): Promise<{
  socket: Socket
  frames: () => readonly (readonly string[])[]
  until(done: () => boolean): Promise<void>
}> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let text = ''
  let wake = (): void => undefined
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    wake()
  })
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return {
    socket,
    frames: () =>
      text
        .split('\x1c\r')
        .slice(0, -1)
        .map((frame) => [...frame.matchAll(/MSA\|(\w\w)\|([^|\r]*)/g)].map(([, code, id]) => `${code} ${id}`)),
    async until(done) {
      while (!done()) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

test.each(['checked', 'applied'] as const)(
  'I2: ack %s: one answer for each frame in their order, and each application behind its commit, in their order',
  async (ack) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(planned, { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 30 }),
        async (all, cuts) => {
          const server = await listen(ack)
          const client = await open(server.port)
          try {
            await send(client.socket, Buffer.concat(all.map(frameOf)), cuts)
            const turns = all.flatMap((one, at) => {
              const { first } = expected(one)
              const codes = idsOf(one, at).flatMap((id) => (first === '' ? [] : [`${first} ${id}`]))
              return one.batch > 0 || codes.length > 0 ? [codes] : []
            })
            const behind = all.flatMap((one, at) => {
              const { behind: code } = expected(one)
              return code === '' ? [] : idsOf(one, at).map((id) => [`${code} ${id}`])
            })
            await client.until(() => client.frames().length >= turns.length + behind.length)
            const later = new Set(behind.flat())
            const came = client.frames()
            expect(came.filter(([one]) => one === undefined || !later.has(one))).toEqual(turns)
            expect(came.filter(([one]) => one !== undefined && later.has(one))).toEqual(behind)
            for (const [one = ''] of behind) {
              const commit = came.findIndex((frame) => frame.includes(`CA ${one.slice(3)}`))
              expect(commit).toBeLessThan(came.findIndex(([first]) => first === one))
            }
            expect(server.store.kept.map(({ controlId }) => controlId)).toEqual(all.flatMap(idsOf))
          } finally {
            client.socket.destroy()
            await server.stop()
          }
        },
      ),
      { numRuns: 25 },
    )
  },
)

test('I1, I4: connections lost anywhere: what was not answered is sent again, each message takes effect once, and no application stays unheard', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        planned.map((one) => ({ ...one, batch: 0, isWrong: false })),
        { minLength: 3, maxLength: 20 },
      ),
      fc.array(fc.integer({ min: 1, max: 2500 }), { minLength: 1, maxLength: 5 }),
      async (all, lives) => {
        const server = await listen('checked')
        const heard = new Set<string>()
        const isDone = (one: Planned, at: number): boolean => {
          const { first } = expected(one)
          return first === '' || heard.has(`${first} M${at}`)
        }
        try {
          // Each life of a connection ends after so many bytes; the last one does not.
          for (const life of [...lives, Number.POSITIVE_INFINITY]) {
            const client = await open(server.port)
            const rest = all.flatMap((one, at) => (isDone(one, at) ? [] : [frameOf(one, at)]))
            await send(client.socket, Buffer.concat(rest).subarray(0, life), [])
            if (life === Number.POSITIVE_INFINITY) await goodbye(client.socket)
            else await new Promise((resolve) => setTimeout(resolve, 2))
            for (const id of client.frames().flat()) heard.add(id)
            client.socket.resetAndDestroy()
          }
          // Who comes again hears everything, also what an earlier connection was about to say.
          let more = 910
          await eventually(async () => {
            const client = await open(server.port)
            await send(client.socket, frameOf(enhanced, more++), [])
            await goodbye(client.socket)
            for (const id of client.frames().flat()) heard.add(id)
            return server.store.owed().length === 0
          }, 'nothing is owed')
          expect(all.filter((one, at) => !isDone(one, at) || !isHeard(one, at, heard))).toEqual([])
          const ids = server.store.kept.map(({ controlId }) => controlId).filter((id) => !/^M9\d\d/.test(id))
          expect(new Set(ids).size).toBe(ids.length)
          for (const [at, one] of all.entries()) if (expected(one).first !== '') expect(ids).toContain(`M${at}`)
        } finally {
          await server.stop()
        }
      },
    ),
    { numRuns: 25 },
  )
})

test('I2: a sender far ahead of its answers is held back, and answered in order when they are known', async () => {
  const one: Planned = { asks: ['', ''], isWrong: false, isSlow: false, batch: 0 }
  const ids = Array.from({ length: 500 }, (_, at) => at)
  const server = await listen('applied', false)
  const client = await open(server.port)
  try {
    await send(client.socket, Buffer.concat(ids.map((at) => frameOf(one, at))), [])
    await eventually(() => server.store.kept.length >= 64, 'a full window')
    const taken = server.store.kept.length
    expect(taken).toBeLessThanOrEqual(65)
    // Nothing is answered, so nothing more is taken.
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server.store.kept.length).toBe(taken)
    const applying = setInterval(() => server.store.apply(), 1)
    await client.until(() => client.frames().length === ids.length)
    clearInterval(applying)
    expect(client.frames().flat()).toEqual(ids.map((at) => `AA M${at}`))
  } finally {
    client.socket.destroy()
    await server.stop()
  }
})

/** Closes its side, and reads until the other one does. */
async function goodbye(socket: Socket): Promise<void> {
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.end()
  await closed
}

function isHeard(one: Planned, at: number, heard: ReadonlySet<string>): boolean {
  const { behind } = expected(one)
  return behind === '' || heard.has(`${behind} M${at}`)
}

async function send(socket: Socket, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    if (from >= bytes.length) return
    await new Promise((resolve) => socket.write(bytes.subarray(from, from + cut), resolve))
    from += cut
    await new Promise((resolve) => setImmediate(resolve))
  }
}
