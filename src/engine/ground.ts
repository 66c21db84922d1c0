import type { Clock, Jobs, Lease, Log, Store } from '../core/ports.ts'
import type { Settings } from '../core/settings.ts'
import type { Role } from '../flow/role.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Ending } from './ending.ts'
import type { InForce } from './in-force.ts'

/** What every part of an engine stands on. */
export interface Ground {
  /** As the engine was started; what a reload may change is asked of `inForce`. */
  readonly settings: Settings
  readonly inForce: InForce
  readonly store: Store
  readonly jobs: Jobs
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Aborted as soon as the engine is asked to stop: nothing is begun any more. */
  readonly stopping: AbortSignal
  readonly later: Ending['later']
  /** Work that one engine of the site does at a time. */
  hold(role: string, work: (lease: Lease) => Promise<void>): Role
}
