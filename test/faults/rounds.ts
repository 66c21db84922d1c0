import type { Dataset } from '../../src/core/dataset.ts'
import { messageStates } from '../../src/core/message.ts'
import type { EngineProcess } from '../support/engine.ts'
import { startHospital, stepOf } from '../support/hospital.ts'
import { startRedis } from '../support/redis.ts'
import { eventually, freePort } from '../support/temporary.ts'
import { random } from './random.ts'
import { startSenders } from './senders.ts'

export interface Rounds {
  /** How often somebody is killed. */
  readonly kills: number
  readonly seed: number
  /** Who: the engine with its own Redis, or a Redis of the site. */
  readonly victim: 'engine' | 'redis'
  readonly target: 'plugin' | 'folder'
  readonly say?: (line: string) => void
}

/** What must agree, side by side. */
export interface Outcome {
  /** Of the RIS: what was acknowledged. */
  readonly expected: readonly string[]
  /** Of a modality: what one C-FIND shows; an item that is there twice is here twice. */
  readonly shown: readonly string[]
  readonly sent: number
  readonly repeated: number
  readonly counts: Counts
}

export type Counts = Readonly<Record<(typeof messageStates)[number] | 'received', number>>

/**
 * Kills the engine, or its Redis, again and again under a stream of orders, and
 * brings it back on the same data. Afterwards a modality asks once: every order
 * whose sender was told AA must be there exactly once, as it was last told.
 */
export async function runRounds({ kills, seed, victim, target, say = () => undefined }: Rounds): Promise<Outcome> {
  const pick = random(seed)
  const port = await freePort()
  const site =
    victim === 'redis' ? await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] }) : undefined
  try {
    const hospital = await startHospital({
      target,
      ...(site === undefined ? {} : { redisUrl: `redis://127.0.0.1:${port}` }),
    })
    try {
      const { engine } = hospital
      const senders = startSenders({ port: engine.mllpPort, connections: 4, seed })
      for (let kill = 1; kill <= kills; kill++) {
        // At a moment that the seed chooses: after so many acknowledgments more, and then some milliseconds.
        const until = senders.acknowledged() + 5 + Math.floor(pick() * 100)
        await eventually(() => senders.acknowledged() >= until, `orders are taken after kill ${kill - 1}`, 60)
        await new Promise((resolve) => setTimeout(resolve, pick() * 30))
        if (site === undefined) {
          await engine.restart()
        } else {
          await site.kill()
          await site.restart()
        }
        say(`kill ${kill} of ${kills}: ${senders.acknowledged()} acknowledged, ${senders.repeated()} sent again`)
      }
      await senders.stop()
      await eventually(async () => (await countsOf(engine)).waiting === 0, 'everything is applied', 60)
      const expected = [...senders.expected].filter(([, start]) => start !== 'cancelled').map((pair) => pair.join(' '))
      const find = async (): Promise<readonly string[]> => (await hospital.worklist()).map(shownAs).sort()
      // Files and the index follow the store by themselves; what is wrong for good stays wrong. A C-FIND may
      // fail (I10) while the engine is cold and Orthanc, after so many kills, has no snapshot yet.
      let shown: readonly string[] = ['no C-FIND succeeded']
      await eventually(async () => {
        shown = await find()
        return String(shown) === String(expected.sort())
      }, 'the worklist is what was acknowledged').catch(() => undefined)
      return {
        expected: expected.sort(),
        shown,
        sent: senders.acknowledged(),
        repeated: senders.repeated(),
        counts: await countsOf(engine),
      }
    } finally {
      await hospital.end()
    }
  } finally {
    await site?.stop()
  }
}

/** What does not agree, in words; nothing when all does. */
export function disagreements({ expected, shown, sent, counts }: Outcome): readonly string[] {
  const { received, waiting, applied, ignored, invalid, dead } = counts
  const wrong = [
    ...missing(expected, shown).map((item) => `acknowledged and not shown: ${item}`),
    ...missing(shown, expected).map((item) => `shown and never acknowledged, or twice: ${item}`),
  ]
  if (received !== waiting + applied + ignored + invalid + dead) wrong.push(`counters: ${JSON.stringify(counts)}`)
  // Each message is counted once, however often its sender had to send it.
  if (received !== sent || applied !== sent) wrong.push(`${sent} were sent, ${JSON.stringify(counts)} were counted`)
  return wrong
}

/** Members of one list that the other has not, or has less often. */
function missing(these: readonly string[], those: readonly string[]): readonly string[] {
  const left = [...those]
  return these.filter((item) => {
    const at = left.indexOf(item)
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
}

function shownAs(item: Dataset): string {
  const step = stepOf(item)
  const start = `${text(step['ScheduledProcedureStepStartDate'])}${text(step['ScheduledProcedureStepStartTime']).slice(0, 4)}`
  return `${text(item['AccessionNumber'])} ${start}`
}

const text = (value: Dataset[string] | undefined): string => (typeof value === 'string' ? value : '')

async function countsOf(engine: EngineProcess): Promise<Counts> {
  const total = async (query: string): Promise<number> =>
    (await engine.api<{ total: number }>(`/api/messages?limit=1${query}`)).total
  const counts: Record<string, number> = { received: await total('') }
  for (const state of messageStates) counts[state] = await total(`&state=${state}`)
  return counts as Counts
}
