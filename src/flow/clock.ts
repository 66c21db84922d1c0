import { EngineError } from '../core/errors/index.ts'
import type { Instant } from '../core/ids.ts'
import type { Clock, Log, PartHealth, SiteMemory } from '../core/ports.ts'
import type { FlowMetrics } from './metrics.ts'

/** Since when time is known to have passed evenly, and by how much the clock jumped then; 0: nobody knows what was before. */
export interface Steady {
  readonly since: Instant
  readonly seconds: number
  /** The latest that it has shown before it was set back, this time or another. */
  readonly ahead?: Instant
}

export interface EngineClock {
  /** The wall clock. Each reading also looks whether it jumped. */
  readonly clock: Clock
  /** Compares with what the last engines have left in the store, and keeps what happens from now on. */
  keep(context: KeepContext): Promise<void>
  /** What the engines of this store know of it. Read after an entry, it knows every jump from before that entry. */
  steady(): Promise<Steady | undefined>
  /** Called when it was set back while the engine runs: what waits by stamps of before is to be asked again. */
  onSetBack(listener: () => void): void
  /** Differs after each time that it was set back, as far as the last `keep` or jump knows; `''`: it was not. */
  setBackMark(): string
  /** Shown for so many hours after a jump. */
  part(hours: number): PartHealth
  stop(): void
}

interface KeepContext {
  readonly store: SiteMemory
  readonly log: Log
  readonly metrics: Pick<FlowMetrics, 'count'>
}

export interface ClockOptions {
  /** The wall clock, in milliseconds. */
  readonly wall?: () => number
  /** Milliseconds that only grow while the process runs. */
  readonly monotonic?: () => number
  /** Milliseconds since the machine was started, sleep included. */
  readonly uptime: () => number
  /** Differs after each start of the machine; `''` where nobody knows. */
  readonly boot: string
  readonly beatMilliseconds?: number
}

/** What is less is what time services and slow machines do. */
const jumpMilliseconds = 10_000
/** Two machines whose clocks differ by less agree. */
const agreeMilliseconds = 60_000

interface Beat {
  readonly wall: number
  readonly uptime: number
}

/**
 * The one clock of the engine, watched: a wall clock that is set forward by two hours must not end an exam whose last
 * image came five minutes ago. It is compared with the time that really passed, which the machine counts
 * since it was started, also across restarts of the engine.
 *
 * A jump is told to the store before anything that is accepted after it: on the same connection, what is sent first
 * comes first.
 */
export function createEngineClock({
  wall = () => Date.now(),
  monotonic = () => performance.now(),
  uptime,
  boot,
  beatMilliseconds = 1000,
}: ClockOptions): EngineClock {
  let anchor = { mono: monotonic(), wall: wall(), uptime: uptime() }
  let kept: KeepContext | undefined
  let timer: NodeJS.Timeout | undefined
  /** Not yet in the store. */
  let news: Steady | undefined
  let last: Steady | undefined
  let setBack: (() => void) | undefined

  function clock(): Instant {
    const mono = monotonic()
    let now = wall()
    if (Math.abs(now - anchor.wall - (mono - anchor.mono)) > jumpMilliseconds) now = doubted()
    else if (mono - anchor.mono >= 1000) anchor = { mono, wall: now, uptime: uptime() }
    return new Date(now).toISOString()
  }

  /** Between two questions a process may have been stopped, and a machine may have slept: neither is a jump. */
  function doubted(): number {
    const before = anchor
    anchor = { mono: monotonic(), wall: wall(), uptime: uptime() }
    const passed = Math.max(anchor.mono - before.mono, anchor.uptime - before.uptime)
    const jump = anchor.wall - before.wall - passed
    if (Math.abs(jump) > jumpMilliseconds) jumped(jump)
    return anchor.wall
  }

  function jumped(milliseconds: number): void {
    const seconds = Math.round(milliseconds / 1000)
    const shown = seconds < 0 ? new Date(anchor.wall - milliseconds).toISOString() : ''
    begin({ since: new Date(anchor.wall).toISOString(), seconds, ...furthest(shown) })
    // Not in the middle of whatever has asked for the time.
    if (seconds < 0 && setBack !== undefined) setImmediate(setBack)
    kept?.metrics.count('clock_jumps_total', {})
    kept?.log.warn({ code: 'E681', seconds }, 'clock jumped')
  }

  function furthest(shown: Instant): Pick<Steady, 'ahead'> {
    const ahead = [last?.ahead ?? '', shown].toSorted()[1] ?? ''
    return ahead === '' ? {} : { ahead }
  }

  function begin(steady: Steady): void {
    news = steady
    last = steady
    void save()
  }

  async function save(): Promise<void> {
    const saving = news
    if (saving === undefined || kept === undefined) return
    try {
      await kept.store.rememberOfSite('clock', JSON.stringify(saving))
      if (news === saving) news = undefined
    } catch {
      // The store is away: nothing is accepted meanwhile, and the next beat tries again.
    }
  }

  async function beat(): Promise<void> {
    clock()
    await save()
    const mine = JSON.stringify({ wall: anchor.wall, uptime: anchor.uptime } satisfies Beat)
    await kept?.store.rememberOfSite(`beat ${boot}`, mine).catch(() => undefined)
    await kept?.store.rememberOfSite('beat', mine).catch(() => undefined)
  }

  async function compare(store: SiteMemory): Promise<void> {
    anchor = { mono: monotonic(), wall: wall(), uptime: uptime() }
    const own = boot === '' ? undefined : beatOf(await store.remembered(`beat ${boot}`))
    if (own !== undefined && own.uptime <= anchor.uptime) {
      const jump = anchor.wall - own.wall - (anchor.uptime - own.uptime)
      if (Math.abs(jump) > jumpMilliseconds) jumped(jump)
      return
    }
    // Another machine, or this one was started again: only its clock says how much time has passed.
    const any = beatOf(await store.remembered('beat'))
    if (any === undefined) return
    const ahead = anchor.wall - any.wall
    if (ahead < -agreeMilliseconds) jumped(ahead)
    else if (ahead > agreeMilliseconds)
      begin({ since: new Date(anchor.wall).toISOString(), seconds: 0, ...furthest('') })
  }

  return {
    clock,
    async keep(context) {
      kept = context
      last = steadyOf(await context.store.remembered('clock'))
      await compare(context.store)
      await beat()
      timer = setInterval(() => void beat(), beatMilliseconds)
      timer.unref()
    },
    async steady() {
      const stored = steadyOf(await kept?.store.remembered('clock'))
      last = news ?? stored
      return last
    },
    onSetBack: (listener) => void (setBack = listener),
    setBackMark: () => (last !== undefined && last.seconds < 0 ? last.since : ''),
    part(hours) {
      const name = 'clock'
      if (last === undefined || last.seconds === 0) return { name, state: 'up' }
      const { since, seconds } = last
      if (Math.abs(wall() - Date.parse(since)) > hours * 3_600_000) return { name, state: 'up' }
      const error = new EngineError('E681', { seconds })
      return { name, state: 'degraded', detail: error.message, code: error.code, cure: error.cure, since }
    },
    stop: () => clearInterval(timer),
  }
}

function beatOf(text: string | undefined): Beat | undefined {
  return read(text) as Beat | undefined
}

function steadyOf(text: string | undefined): Steady | undefined {
  return read(text) as Steady | undefined
}

/** What cannot be read says nothing: no message is to be judged by it. */
function read(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) ?? undefined)
  } catch {
    return undefined
  }
}
