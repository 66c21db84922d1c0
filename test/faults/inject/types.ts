import type { EngineProcess } from '../../support/engine.ts'
import type { RunningOrthanc } from '../../support/orthanc.ts'
import type { TestClock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { Line } from './line.ts'
import type { RisDouble } from './ris.ts'
import type { SiteRedis } from './site-redis.ts'

/** Numbers from 0 to 1: what a fault decides by chance, it decides by these, so that a seed repeats it. */
export type Pick = () => number

/** One thing that goes wrong. It may be injected while others are, and again and again. */
export interface Fault {
  readonly name: string
  /** Whether this world has what the fault is about. */
  fits(world: World): boolean
  /** Resolves when the thing is broken. */
  inject(world: World, pick: Pick): Promise<Injected>
}

export interface Injected {
  /** What was done to whom, for the report. */
  readonly what: string
  /** Puts it right; resolves when what was broken works again. Heals of several faults may run at the same time, and twice. */
  heal(): Promise<void>
}

export interface EngineInWorld {
  /** `engine-1`, ... */
  readonly name: string
  readonly process: EngineProcess
  /** Between the senders and its MLLP port: senders connect to `line.port`. */
  readonly line: Line
  /** Between it and the site's Redis; undefined where it has a Redis of its own. */
  readonly store: Line | undefined
  readonly clock: TestClock
}

export interface World {
  readonly engines: readonly EngineInWorld[]
  /** Undefined where the engine has a Redis of its own. */
  readonly redis: SiteRedis | undefined
  readonly orthanc: RunningOrthanc
  /** Between all engines and Orthanc's REST API. */
  readonly rest: Line
  /** Between Orthanc's plugin and the HTTP port of the first engine. */
  readonly plugin: Line
  /** Where `.wl` files are; undefined with the plugin. */
  readonly worklistDir: string | undefined
  /** Of each redis-server; undefined where there is no C compiler. */
  readonly redisClock: TestClock | undefined
  readonly ris: RisDouble
  /** What Redis writes to. */
  readonly disk: Disk
  /** How long a role of a dead or stopped process stays with it. */
  readonly leaseMilliseconds: number
  end(): Promise<void>
}
