import { faults, type Fault, type WorldOptions } from './inject/index.ts'
import { engineCaught } from './caught.ts'
import { random } from './random.ts'

/** What a round is made of: all of it follows from the seed and the number of the round. */
export interface RoundPlan {
  readonly seed: number
  readonly round: number
  readonly engines: 1 | 2
  readonly redis: 'own' | 'site'
  readonly target: 'plugin' | 'folder'
  readonly connections: number
  /** `fast`: as quickly as they are answered, so that faults meet engines in the middle of their work. */
  readonly pace: 'slow' | 'fast'
  readonly faults: readonly PlannedFault[]
}

export interface PlannedFault {
  readonly fault: Fault
  /** Milliseconds from the first acknowledgment on. */
  readonly at: number
  /** Milliseconds until it is healed. */
  readonly lasts: number
}

export interface PlanOptions {
  readonly seed: number
  readonly round: number
  /** Faults whose name holds one of these. */
  readonly only?: readonly string[]
  readonly engines?: 1 | 2
  readonly target?: 'plugin' | 'folder'
  readonly pace?: 'slow' | 'fast'
  /** Faults in a round. */
  readonly most?: number
}

/** How often a kind of fault is taken; the kinds of one are equally likely. */
const weights: readonly (readonly [weight: number, pattern: RegExp])[] = [
  [5, /^(all )?engines? killed/],
  [4, /^engine frozen/],
  [4, /^redis killed/],
  [1, /^redis frozen/],
  [1, /^disk/],
  [3, /^orthanc/],
  [4, /folder/],
  [4, /^ris/],
  [6, /^line/],
  [2, /^network/],
  [1, /^clock/],
]

export function planRound({ seed, round, only = [], engines, target, pace, most = 4 }: PlanOptions): RoundPlan {
  const pick = random(seed * 1_000_003 + round)
  // Everything is picked, also what an option decides: the rest stays the same.
  const twoEngines = pick() < 0.5
  const folder = pick() < 0.35
  const siteRedis = pick() < 0.3
  const planned = {
    engines: engines ?? (twoEngines ? 2 : 1),
    target: target ?? (folder || isOfFolders(only) ? 'folder' : 'plugin'),
  } as const
  const redis = planned.engines > 1 || siteRedis ? 'site' : 'own'
  const isThere = (name: string): boolean =>
    (planned.engines > 1 || !/^all engines|in its work$/.test(name)) &&
    (planned.target === 'folder' ? !name.includes('plugin') : !name.includes('folder'))
  const chosen = [...faults, engineCaught]
    .filter(({ name }) => only.length === 0 || only.some((word) => name.includes(word)))
    .filter(({ name }) => isThere(name))
  if (chosen.length === 0) throw new Error(`no fault is called ${only.join(', ')}`)
  const kinds = weights
    .map(([weight, pattern]) => ({ weight, faults: chosen.filter(({ name }) => pattern.test(name)) }))
    .filter((kind) => kind.faults.length > 0)
  const others = chosen.filter(({ name }) => !weights.some(([, pattern]) => pattern.test(name)))
  if (others.length > 0) kinds.push({ weight: 1, faults: others })
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0)
  const taken = Array.from({ length: 1 + Math.floor(pick() * most) }, (_, at): PlannedFault | undefined => {
    let left = pick() * total
    const kind = kinds.find(({ weight }) => (left -= weight) < 0)
    const fault = kind?.faults[Math.floor(pick() * kind.faults.length)]
    const times = { at: 100 + at * 500 + pick() * 900, lasts: 150 + pick() * pick() * 2500 }
    if (fault === undefined) return undefined
    // An exam takes a second from its beginning to its end: both are to fall into it.
    return { fault, ...times, lasts: times.lasts + (fault.name.startsWith('ris') ? 2500 : 0) }
  })
  return {
    seed,
    round,
    ...planned,
    redis,
    connections: 3 + Math.floor(pick() * 3),
    pace: pace ?? (pick() < 0.25 ? 'fast' : 'slow'),
    faults: taken.filter((one) => one !== undefined),
  }
}

export const worldOf = ({ engines, redis, target }: RoundPlan): WorldOptions => ({
  engines,
  redis,
  target,
  settings: { 'orthancs.0.origins': ['DicomProtocol', 'RestApi'] },
  engine: { quietSeconds: 1, logLevel: 'debug' },
  lateMilliseconds: 1500,
})

/** As one line. */
export function planText({ engines, redis, target, pace, faults: planned }: RoundPlan): string {
  const world = `${engines === 1 ? 'one engine' : 'two engines'}, ${redis === 'own' ? 'its own Redis' : "the site's Redis"}, ${target}`
  return `${world}${pace === 'fast' ? ', fast' : ''}: ${planned.map(({ fault }) => fault.name).join(', ')}`
}

const isOfFolders = (only: readonly string[]): boolean =>
  only.length > 0 && only.every((word) => word.includes('folder'))
