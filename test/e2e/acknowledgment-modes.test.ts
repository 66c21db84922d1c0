import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startEngineProcess, type EngineProcess, type EngineProcessOptions } from '../support/engine.ts'
import { order } from '../support/message.ts'
import { eventually } from '../support/temporary.ts'

let engine: EngineProcess | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await engine?.kill()
})

async function start(settings: NonNullable<EngineProcessOptions['settings']>): Promise<EngineProcess> {
  engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', target: 'none', settings })
  return engine
}

interface Sender {
  send(...messages: readonly string[]): void
  /** `CA 1, AA 1`: for each frame that came its MSA, in their order. */
  heard(): readonly string[]
  hears(what: (heard: readonly string[]) => boolean, why: string): Promise<readonly string[]>
  reset(): void
}

async function open({ mllpPort }: EngineProcess): Promise<Sender> {
  const socket = connect({ port: mllpPort, host: '127.0.0.1', noDelay: true })
  sockets.push(socket)
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (bytes) => (text += bytes.toString('latin1')))
  await new Promise((resolve) => socket.once('connect', resolve))
  const heard = (): readonly string[] =>
    text
      .split('\x1c\r')
      .slice(0, -1)
      .map((frame) => [...frame.matchAll(/MSA\|(\w\w)\|([^|\r]*)/g)].map(([, code, id]) => `${code} ${id}`).join(', '))
  return {
    send(...messages) {
      socket.write(messages.map((one) => `\v${one}\x1c\r`).join(''))
    },
    heard,
    async hears(what, why) {
      await eventually(() => what(heard()), why)
      return heard()
    },
    reset: () => void socket.resetAndDestroy(),
  }
}

const count = async (path: string): Promise<number> =>
  ((await engine?.api<{ total: number }>(path)) ?? { total: Number.NaN }).total

/** I8: each message is in exactly one state. */
async function statesAddUp(): Promise<void> {
  const states = ['waiting', 'applied', 'ignored', 'invalid', 'dead']
  await eventually(async () => (await count('/api/messages?state=waiting&limit=1')) === 0, 'nothing to wait')
  const counts = await Promise.all(states.map((state) => count(`/api/messages?state=${state}&limit=1`)))
  expect(counts.reduce((sum, one) => sum + one, 0)).toBe(await count('/api/messages?limit=1'))
}

test('one connection with everything: enhanced mode, a batch, frames that nobody can read, and one that is too large', async () => {
  await start({ 'sources.0.maxFrameBytes': 20_000 })
  const sender = await open(engine as EngineProcess)
  const bad = order({ controlId: 'BAD', asks: 'AL/AL', accession: 'XBAD' }).replace(/^PID.*$/m, 'PID|1')
  sender.send(
    order({ controlId: '1', asks: 'AL/AL', accession: 'X1' }),
    bad,
    order({ controlId: '2', accession: 'X2' }),
    order({ controlId: '3', type: 'DFT^P03', asks: 'AL/AL' }),
    `FHS|^~\\&|RIS|HOSP|||||||F1\rBHS|^~\\&|RIS|HOSP|||||||B1\r${order({ controlId: '4', accession: 'X4' })}${bad.replace('BAD', 'BAD2')}BTS|3\rFTS|1\r`,
    '',
    'PID|1||4711',
    order({ controlId: 'BIG', accession: 'XBIG', extra: [`NTE|1||${'x'.repeat(30_000)}`] }),
    order({ controlId: '5', accession: 'X5', asks: 'AL/NE' }),
  )
  const heard = await sender.hears((all) => all.includes('CA 5') && all.length === 12, 'all to be answered')
  const later = heard.filter((one) => ['AA 1', 'AE BAD', 'AE BAD2'].includes(one))
  expect(heard.filter((one) => !later.includes(one))).toEqual([
    'CA 1',
    'CA BAD',
    'AA 2',
    'CR 3',
    'AA 4, CA BAD2, AE B1',
    'AE ',
    'AE ',
    'AR BIG',
    'CA 5',
  ])
  expect(later).toEqual(['AA 1', 'AE BAD', 'AE BAD2'])
  await statesAddUp()
  // 1, 2, 4, 5 and what is invalid: BAD, 3, BAD2, the batch itself, two that nobody can read, BIG.
  expect(await count('/api/messages?state=applied&limit=1')).toBe(4)
  expect(await count('/api/messages?state=invalid&limit=1')).toBe(7)
  for (const accession of ['X1', 'X2', 'X4', 'X5']) expect(await count(`/api/worklist?accession=${accession}`)).toBe(1)

  const big = await engine?.api<{ items: readonly { readonly bytes: number; readonly state: unknown }[] }>(
    '/api/messages?controlId=BIG&limit=5',
  )
  expect(big?.items).toHaveLength(1)
  expect(big?.items[0]?.bytes).toBeGreaterThan(30_000)
  expect(big?.items[0]?.state).toMatchObject({ kind: 'invalid', faults: [{ code: 'E108' }] })
})

test('I1, I4: an engine killed between commit and application says the application to the sender when it is back, and applies once', async () => {
  const running = await start({ 'sources.0.ack': 'applied' })
  const first = await open(running)
  // What comes right behind an order is applied a little later: there is a moment between its CA and its AA.
  first.send(order({ controlId: '1', accession: 'X1' }))
  await first.hears((all) => all.includes('AA 1'), 'the first order')
  first.send(order({ controlId: '2', accession: 'X2', asks: 'AL/AL' }))
  await first.hears((all) => all.includes('CA 2'), 'the commit')
  await running.crash()
  const wasHeard = first.heard().includes('AA 2')
  await running.restart()

  const second = await open(running)
  let id = 10
  await eventually(async () => {
    second.send(order({ controlId: `${(id += 1)}`, accession: 'X2', asks: 'AL/NE', control: 'XO' }))
    await second.hears((all) => all.includes(`CA ${id}`), 'the next commit')
    return wasHeard || second.heard().includes('AA 2')
  }, 'the application acknowledgment')
  expect(second.heard().filter((one) => one === 'AA 2').length).toBeLessThanOrEqual(1)
  expect(await count('/api/messages?controlId=2&limit=5')).toBe(1)
  expect(await count('/api/worklist?accession=X2')).toBe(1)
  await statesAddUp()
})

test('ack: applied answers what is in the worklist at once, and AE for a dead letter', async () => {
  const running = await start({ 'sources.0.ack': 'applied' })
  const sender = await open(running)
  const ids = Array.from({ length: 30 }, (_, at) => `N${at}`)
  sender.send(...ids.map((controlId) => order({ controlId, accession: `A${controlId}` })))
  expect(await sender.hears((all) => all.length === 30, 'all answers')).toEqual(ids.map((id) => `AA ${id}`))
  expect(await count('/api/worklist?accession=AN29')).toBe(1)

  // Numbers that point to two orders: nobody can tell which is meant.
  sender.send(order({ controlId: 'D', accession: 'AND', placer: 'P-AN0^CPOE', filler: 'F-AN1^RIS' }))
  const heard = await sender.hears((all) => all.length === 31, 'the answer')
  expect(heard.at(-1)).toBe('AE D')
  expect(await count('/api/messages?state=dead&limit=5')).toBe(1)
})

test('ack: stored takes what is wrong with AA, and keeps it as invalid', async () => {
  const running = await start({ 'sources.0.ack': 'stored' })
  const sender = await open(running)
  sender.send(order({ controlId: 'BAD' }).replace(/^PID.*$/m, 'PID|1'), order({ controlId: '2', accession: 'X2' }))
  expect(await sender.hears((all) => all.length === 2, 'both answers')).toEqual(['AA BAD', 'AA 2'])
  expect(await count('/api/messages?state=invalid&limit=5')).toBe(1)
  await statesAddUp()
})
