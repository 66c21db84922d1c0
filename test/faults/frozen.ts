import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { order as orderText, type OrderText } from '../support/message.ts'
import { startRedis } from '../support/redis.ts'
import { eventually, freePort } from '../support/temporary.ts'
import { random } from './random.ts'
import { openSender, type Sender } from './sender.ts'

export interface FrozenOutcome {
  /** Accession number and start of what should be in the worklist. */
  readonly expected: readonly string[]
  /** What each engine says is in the worklist, after all of them are awake. */
  readonly shown: readonly (readonly string[])[]
  /** How often the drainer's role changed its holder. */
  readonly takenOver: number
  /** How many commits of a woken process were refused: it had been caught in the middle. */
  readonly refused: number
}

/**
 * Two engines on one Redis. The one that applies orders is stopped in the middle of
 * its work (SIGSTOP); updates and cancels go to the other, which takes over; then
 * the first wakes up with what it had read before. Nothing that it had in its hands
 * may come back (I3).
 */
export async function freezeDrainer({
  rounds,
  seed,
  say = () => undefined,
}: {
  readonly rounds: number
  readonly seed: number
  readonly say?: (line: string) => void
}): Promise<FrozenOutcome> {
  const pick = random(seed)
  const { signal } = new AbortController()
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  const engines: EngineProcess[] = []
  try {
    for (let count = 0; count < 2; count++) {
      const settings = { redisUrl: `redis://127.0.0.1:${port}`, logLevel: 'debug' as const }
      engines.push(await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', target: 'none', ...settings }))
    }
    const expected = new Map<string, string>()
    let takenOver = 0
    for (let round = 1; round <= rounds; round++) {
      const drainer = await eventually(() => engines.find(isDrainer), 'one engine applies orders')
      const other = engines.find((engine) => engine !== drainer) as EngineProcess
      const acknowledged: string[] = []
      const frozenAfter = 20 + Math.floor(pick() * 60)
      const streams = Array.from({ length: 4 }, async (_, at) => {
        const sender = openSender({ ports: [drainer.mllpPort], seconds: 20, signal })
        for (let n = 0; acknowledged.length < frozenAfter; n++) {
          const accession = `R${round}-${at}-${n}`
          await take(sender, { accession, start: '202703010800' })
          expected.set(accession, '202703010800')
          acknowledged.push(accession)
        }
        sender.close()
      })
      await eventually(() => acknowledged.length >= frozenAfter, 'orders are taken')
      drainer.freeze()
      const behind = openSender({ ports: [other.mllpPort], seconds: 20, signal })
      const before = [...acknowledged]
      for (const [index, accession] of before.entries()) {
        const isCancelled = index % 3 === 0
        await take(behind, { accession, control: isCancelled ? 'CA' : 'XO', start: '202703020900' })
        expected.set(accession, isCancelled ? 'cancelled' : '202703020900')
      }
      await eventually(() => isDrainer(other), 'the other takes over')
      takenOver += 1
      await eventually(async () => (await waiting(other)) === 0, 'the other applies what was left')
      drainer.thaw()
      await Promise.all(streams)
      // The woken one has done whatever it was about to do once it answers for this.
      const marker = openSender({ ports: [drainer.mllpPort], seconds: 20, signal })
      await take(marker, { accession: `R${round}-END`, start: '202703010800' })
      expected.set(`R${round}-END`, '202703010800')
      marker.close()
      behind.close()
      await eventually(async () => (await waiting(drainer)) === 0, 'everything is applied')
      await eventually(() => !isDrainer(drainer), 'the woken one knows that it has lost its role')
      say(`freeze ${round} of ${rounds}: ${before.length} changed behind the back of the frozen one`)
    }
    const wanted = [...expected].filter(([, start]) => start !== 'cancelled').map((pair) => pair.join(' '))
    let shown: (readonly string[])[] = []
    await eventually(async () => {
      shown = await Promise.all(engines.map(worklistOf))
      return shown.every((list) => String(list) === String(wanted.sort()))
    }, 'both show the same').catch(() => undefined)
    const refused = engines
      .flatMap((engine) => engine.lines())
      .filter(({ event }) => event?.startsWith('commit refused')).length
    return { expected: wanted.sort(), shown, takenOver, refused }
  } finally {
    for (const engine of engines) await engine.kill()
    await redis.stop()
  }
}

async function take(sender: Sender, order: OrderText & { readonly accession: string }): Promise<void> {
  const controlId = `${order.control ?? 'NW'}-${order.accession}`
  const { code } = await sender.send(controlId, orderText({ ...order, controlId }))
  if (code !== 'AA') throw new Error(`${controlId} was answered ${code}`)
}

/** By its log: the last that it said of the drainer's role. */
function isDrainer(engine: EngineProcess): boolean {
  const last = engine.lines().findLast(({ event, role }) => role === 'drain' && /^role (taken|lost)$/.test(event ?? ''))
  return last?.event === 'role taken'
}

async function waiting(engine: EngineProcess): Promise<number> {
  return (await engine.api<{ total: number }>('/api/messages?state=waiting&limit=1')).total
}

interface Listed {
  readonly items: readonly { readonly stepStatus: string; readonly dataset: Record<string, unknown> }[]
  readonly next: string | null
}

async function worklistOf(engine: EngineProcess): Promise<readonly string[]> {
  const all: string[] = []
  for (let next: string | null = ''; next !== null;) {
    const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`
    const page: Listed = await engine.api<Listed>(`/api/worklist?stepStatus=SCHEDULED&limit=200${after}`)
    for (const { dataset } of page.items) {
      const [step] = dataset['ScheduledProcedureStepSequence'] as readonly Record<string, string>[]
      const start = `${step?.['ScheduledProcedureStepStartDate']}${step?.['ScheduledProcedureStepStartTime']?.slice(0, 4)}`
      all.push(`${dataset['AccessionNumber'] as string} ${start}`)
    }
    next = page.next
  }
  return all.sort()
}
