import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createExams } from './exams.ts'
import { startWorld, type World } from './inject/index.ts'
import { createModel } from './model.ts'
import { textOf, type OrderSaid } from './messages.ts'
import { planText, worldOf, type RoundPlan } from './plan.ts'
import { eventually } from '../support/temporary.ts'
import { random } from './random.ts'
import { openSender } from './sender.ts'
import { stream, type Sent } from './stream.ts'
import { differences } from './verify.ts'
import { watch } from './watch.ts'

/** What was done to whom, in milliseconds of the round. */
export interface Happened {
  readonly fault: string
  readonly what: string
  readonly injectedAt: number
  readonly healAt: number
  healedAt: number
}

export interface RoundResult {
  readonly plan: RoundPlan
  /** Nothing, when all is well. */
  readonly wrong: readonly string[]
  readonly messages: number
  /** Messages that were sent again because nobody knew what had become of them. */
  readonly repeats: number
  readonly exams: number
  readonly told: number
  readonly toldAgain: number
  readonly happened: readonly Happened[]
  /** Milliseconds of the round of each first acknowledgment. */
  readonly acknowledgedAt: readonly number[]
  readonly takeovers: readonly Takeover[]
  /** Queries that succeeded while an order must have been shown, and showed it (I10). */
  readonly finds: number
  /** Commits of a process that had been replaced while it was frozen, each refused (I3). */
  readonly refused: number
  readonly seconds: number
  /** Seconds until the hospital stood, the faults were over, all was answered, and everything was right. */
  readonly phases: readonly number[]
  /** The last thing that came right, where that took a while. */
  readonly lastly: string
  /** Logs and what was sent; kept of a round that is wrong. */
  readonly folder: string | undefined
}

/** One of two engines dies or freezes, and the other applies orders. */
export interface Takeover {
  readonly fault: string
  /** From the fault, or from when the other could: it was there itself, and had Redis. */
  readonly milliseconds: number
  /** Nothing else that the other needs for that was broken meanwhile. */
  readonly isAlone: boolean
}

export interface RoundOptions {
  readonly plan: RoundPlan
  /** Where the folder of a wrong round goes. */
  readonly keepIn: string
  /** How long everything may take to come right after all is healed. */
  readonly patienceSeconds?: number
  /** Acknowledged messages at least, by all connections. */
  readonly messages?: number
}

const stations: Readonly<Record<string, string>> = { CT: 'CT01', MR: 'MR01', US: 'US01', DX: 'DX01' }

/** An order that is on the worklist from before the first fault to the end. */
const lighthouse: OrderSaid = {
  kind: 'order',
  controlId: 'C0M1',
  sent: '20260101000000',
  control: 'NW',
  orderStatus: 'SC',
  placer: 'PL00001',
  filler: 'FI00001',
  accession: 'AC00001',
  procedure: 'HEAD1',
  patient: { id: 'P0-1', name: 'Light^House', birthDate: '19500515', sex: 'F' },
  studyInstanceUid: '',
  form: 'ORM',
  steps: [{ id: 'S00001-1', modality: 'MR', stations: [], start: '20900120080000', description: 'Head' }],
}

/** A hospital of its own, a stream of messages, faults, and the question what is true in the end. */
export async function runRound({
  plan,
  keepIn,
  patienceSeconds = 120,
  messages = 150,
}: RoundOptions): Promise<RoundResult> {
  const begun = performance.now()
  // Once more, where another program was quicker to take a port.
  const world = await startWorld(worldOf(plan)).catch(() => startWorld(worldOf(plan)))
  const started = performance.now()
  const at = (): number => performance.now() - started
  const phases: number[] = []
  const done = (): void => void phases.push((performance.now() - begun) / 1000)
  done()
  const giveUp = new AbortController()
  const stopping = new AbortController()
  const sent: Sent[] = []
  const happened: Happened[] = []
  const model = createModel({ stationOf: (modality) => stations[modality] ?? '' })
  const exams = createExams({ world, signal: giveUp.signal })
  const wrong: string[] = []
  let lastly = ''
  const watching = watch({ world, always: lighthouse.accession })
  /** Nobody starts anything in a hospital that is closed. */
  let over: Promise<unknown> = Promise.resolve()
  try {
    const ports = world.engines.map(({ line }) => line.port)
    const first = openSender({ ports, signal: giveUp.signal })
    const answered = await first.send(lighthouse.controlId, textOf(lighthouse))
    first.close()
    sent.push({
      connection: 0,
      said: lighthouse,
      fate: model.apply(lighthouse),
      answered: { ...answered, at: answered.at - started },
    })
    const streams = Array.from({ length: plan.connections }, async (_, index) => {
      const connection = index + 1
      // Each begins at another engine.
      const turned = [...ports.slice(index % ports.length), ...ports.slice(0, index % ports.length)]
      const sender = openSender({ ports: turned, signal: giveUp.signal })
      try {
        await stream({
          connection,
          sender,
          model,
          pick: random(plan.seed * 7919 + plan.round * 104_729 + connection),
          stopping: stopping.signal,
          pace: plan.pace,
          onSent: (one) => sent.push({ ...one, answered: { ...one.answered, at: one.answered.at - started } }),
          examine: (exam) => exams.examine(exam),
        })
      } finally {
        sender.close()
      }
    })
    const streaming = Promise.all(streams)
    const happening = plan.faults.map((_, index) => happen(index))
    const broken = Promise.all(happening)
    streaming.catch(() => undefined)
    over = Promise.allSettled(happening)
    await within(300, Promise.race([Promise.all([broken, enough()]), streaming]), 'the faults come and go')
    done()
    stopping.abort()
    await within(180, streaming, 'each message has its answer')
    await within(180, exams.end(), 'the images are stored')
    done()
    wrong.push(...(await comesRight()))
    done()
  } catch (error) {
    wrong.push(error instanceof Error ? error.message : String(error))
    wrong.push(...(await differencesNow()))
  } finally {
    giveUp.abort()
    await over
    await watching.end()
  }
  wrong.push(...watching.wrong, ...defects(world))
  const folder = wrong.length === 0 ? undefined : await keep()
  const takeovers = takeoversOf(world, happened, performance.timeOrigin + started)
  const refused = world.engines
    .flatMap(({ process }) => process.lines())
    .filter(({ event }) => event?.startsWith('commit refused')).length
  await world.end()
  const ids = new Set(world.ris.frames.map(({ controlId }) => controlId))
  return {
    plan,
    wrong,
    messages: sent.length,
    repeats: sent.reduce((sum, { answered }) => sum + answered.repeats, 0),
    exams: exams.count(),
    told: ids.size,
    toldAgain: world.ris.frames.length - ids.size,
    happened,
    acknowledgedAt: sent.map(({ answered }) => answered.at).sort((a, b) => a - b),
    takeovers,
    finds: watching.finds(),
    refused,
    seconds: (performance.now() - begun) / 1000,
    phases,
    lastly,
    folder,
  }

  async function happen(index: number): Promise<void> {
    const planned = plan.faults[index]
    if (planned === undefined) return
    const pick = random(plan.seed * 31 + plan.round * 17 + index)
    await pause(planned.at)
    if (!planned.fault.fits(world)) return
    const injectedAt = at()
    // A folder that is not there yet, a process that is just being started: a moment later it can be broken.
    const { what, heal } = await eventually(() => planned.fault.inject(world, pick), planned.fault.name, 20)
    await pause(planned.lasts)
    const healAt = at()
    const one = { fault: planned.fault.name, what, injectedAt, healAt, healedAt: healAt }
    happened.push(one)
    // What it needs may be broken by another one at this moment.
    await eventually(() => heal().then(() => true), `healed: ${one.fault}`, 90)
    one.healedAt = at()
  }

  /** Enough was sent, and some of it after everything was healed. */
  async function enough(): Promise<void> {
    while (sent.length < messages) await pause(20)
  }

  async function comesRight(): Promise<readonly string[]> {
    if (happened.some(({ fault }) => fault.startsWith('orthanc'))) await exams.storeAgain()
    // What was accepted while a clock was ahead is due when all clocks are there.
    if (happened.some(({ fault }) => fault.startsWith('clock')))
      for (const { clock } of world.engines) clock.setOffset(3 * 3600)
    const until = performance.now() + patienceSeconds * 1000
    for (;;) {
      const found = await differencesNow()
      lastly = found[0] ?? lastly
      if (found.length === 0 || performance.now() > until) return found
      await pause(200)
    }
  }

  async function differencesNow(): Promise<readonly string[]> {
    try {
      return await differences({ world, model, sent, source: 'ris-orders' })
    } catch (error) {
      return [`cannot be asked: ${error instanceof Error ? error.message : String(error)}`]
    }
  }

  /** For reading, and with the numbers that repeat it. */
  async function keep(): Promise<string> {
    const dir = join(keepIn, `seed-${plan.seed}-round-${plan.round}`)
    mkdirSync(dir, { recursive: true })
    const lines = [planText(plan), ...happened.map((one) => JSON.stringify(one)), '', ...wrong]
    writeFileSync(join(dir, 'wrong.txt'), `${lines.join('\n')}\n`)
    writeFileSync(join(dir, 'orthanc.log'), world.orthanc.logs())
    if (world.redis !== undefined) writeFileSync(join(dir, 'redis.log'), world.redis.log())
    for (const { name, process } of world.engines) {
      writeFileSync(join(dir, `${name}.log`), process.logs())
      for (const path of ['health/ready', 'metrics', 'api/worklist', 'api/messages', 'api/studies']) {
        const headers = { authorization: `Bearer ${process.token}` }
        const asked = fetch(`${process.httpUrl}/${path}`, { headers, signal: AbortSignal.timeout(5000) })
        const text = await asked.then((answer) => answer.text()).catch(String)
        writeFileSync(join(dir, `${name}-${path.replace('/', '-')}.txt`), text)
      }
    }
    const messagesText = sent.map(({ said, fate, answered }) => {
      const head = `# ${answered.at.toFixed(0)} ms, answered ${answered.code} after ${answered.repeats} repeats; must be ${fate.state} ${fate.why}`
      return `${head}\n${textOf(said).replaceAll('\r', '\n')}`
    })
    writeFileSync(join(dir, 'sent.txt'), messagesText.join('\n'))
    const told = world.ris.frames.map(
      ({ mode, accepted, bytes }) =>
        `# ${mode}${accepted ? ', taken' : ''}\n${bytes.toString('latin1').replaceAll('\r', '\n')}`,
    )
    writeFileSync(join(dir, 'told.txt'), told.join('\n'))
    writeFileSync(join(dir, 'exams.txt'), exams.text())
    return dir
  }
}

/** By the logs: the role of applying orders goes to the other engine. Who comes back before it could is none. */
function takeoversOf({ engines }: World, happened: readonly Happened[], origin: number): readonly Takeover[] {
  if (engines.length < 2 || happened.some(({ fault }) => fault.startsWith('clock'))) return []
  const taken = engines
    .flatMap(({ name, process }) =>
      process
        .lines()
        .filter(({ event, role }) => event === 'role taken' && role === 'drain')
        .map(({ time }) => ({ name, at: Date.parse(String(time)) - origin })),
    )
    .sort((a, b) => a.at - b.at)
  return happened.flatMap((one): Takeover[] => {
    const { fault, what, injectedAt } = one
    if (!/^engine (killed|frozen)/.test(fault)) return []
    const holder = taken.findLast(({ at }) => at < injectedAt)
    const next = taken.find(({ at }) => at > injectedAt)
    if (holder?.name !== what || next === undefined || next.name === what) return []
    const troubles = happened.filter(
      (other) =>
        other !== one &&
        /engine|redis|disk/.test(other.fault) &&
        other.injectedAt < next.at &&
        other.healedAt > injectedAt,
    )
    const since = Math.max(injectedAt, ...troubles.map(({ healedAt }) => healedAt).filter((at) => at <= next.at))
    return [{ fault, milliseconds: next.at - since, isAlone: troubles.length === 0 }]
  })
}

/** What may never happen, whatever fails around an engine: it would end, or park what it was given, by itself, and be started again unseen. */
const neverSaid: ReadonlySet<string> = new Set([
  'engine failed',
  'handler failed',
  'entry parked',
  'stop took too long',
])

function defects({ engines }: World): readonly string[] {
  return engines.flatMap(({ name, process }) =>
    process
      .lines()
      .filter(({ event = '' }) => neverSaid.has(event))
      .map((line) => `${name}: ${JSON.stringify(line)}`),
  )
}

async function within<T>(seconds: number, work: Promise<T>, what: string): Promise<T> {
  const late = new AbortController()
  try {
    return await Promise.race([
      work,
      pause(seconds * 1000, undefined, { signal: late.signal }).then(() =>
        Promise.reject(new Error(`did not happen in ${seconds} s: ${what}`)),
      ),
    ])
  } finally {
    late.abort()
  }
}
