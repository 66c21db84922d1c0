import type { Jobs, Lease, Leases, Log } from '../core/ports.ts'
import { failureOf } from './failure.ts'
import { pause } from './pause.ts'

export interface RoleContext {
  readonly leases: Leases
  readonly jobs: Pick<Jobs, 'serve' | 'wake'>
  readonly log: Log
  readonly role: string
  /** One turn of work under the lease; it returns when there is nothing left to do, or soon after the lease is no longer held. */
  work(lease: Lease): Promise<void>
  /** The one who held it is known to be dead: take it at once, the first time. */
  readonly takeOver?: boolean
  readonly retryMilliseconds?: number
}

export interface Role {
  /** Whether this process has it now. */
  held(): boolean
  /** Set while the work of this process fails: our code, else the class of a foreign error. */
  failure(): { readonly code: string } | undefined
  stop(): Promise<void>
}

/** A failed turn is tried again after 100 ms, then after ever longer, at most this. */
const longestRetryMilliseconds = 1_000
/** A queue whose Redis is away may take for ever to close; the role goes on without. */
const closeMilliseconds = 5_000

/**
 * Keeps trying to have a role, and works whenever it is woken while it has it.
 * The lease says who may act; the fencing token in each commit says whose acts count.
 *
 * A turn that failed is tried again by itself while the lease is held: neither the
 * next wake-up nor the sweep has to come for what waits to go on.
 */
export function holdRole({
  leases,
  jobs,
  log,
  role,
  work,
  takeOver = false,
  retryMilliseconds = 500,
}: RoleContext): Role {
  const stopping = new AbortController()
  let current: Lease | undefined
  let first = true
  let failing: { readonly code: string } | undefined

  async function hold(): Promise<void> {
    const taken = await leases.lease(role, { takeOver: first && takeOver }).catch(() => undefined)
    if (taken === undefined) return
    first = false
    // Work that is asked to stop ends as if it had lost the role: after what it has in hand, not after all there is.
    const lease: Lease = { ...taken, held: () => !stopping.signal.aborted && taken.held() }
    current = lease
    log.debug({ role, token: lease.token }, 'role taken')
    try {
      const serving = await jobs.serve(role, () => turn(lease))
      jobs.wake(role) // whatever arrived while nobody had the role
      while (lease.held()) await pause(retryMilliseconds / 2, stopping.signal)
      const closed = serving.stop()
      await (stopping.signal.aborted ? closed : Promise.race([closed, pause(closeMilliseconds, stopping.signal)]))
    } catch (error) {
      log.warn({ role, ...failureOf(error) }, 'role could not be served')
    } finally {
      current = undefined
      failing = undefined
      await taken.release().catch(() => undefined)
    }
    if (!stopping.signal.aborted) log.info({ role, token: lease.token }, 'role lost')
  }

  async function turn(lease: Lease): Promise<void> {
    for (let attempt = 0; lease.held(); attempt += 1) {
      try {
        await work(lease)
        failing = undefined
        if (attempt > 0) log.info({ role, attempts: attempt }, 'work goes on')
        return
      } catch (error) {
        // An absent store is said once, by the store.
        const failure = failureOf(error)
        failing = { code: failure.code ?? failure.error ?? 'error' }
        if (attempt === 0 && failure.code !== 'E501') log.error({ role, ...failure }, 'work failed')
        await pause(Math.min(100 * 2 ** attempt, longestRetryMilliseconds), stopping.signal)
      }
    }
  }

  const life = (async () => {
    while (!stopping.signal.aborted) {
      await hold()
      await pause(retryMilliseconds, stopping.signal)
    }
  })()
  return {
    held: () => current?.held() === true,
    failure: () => failing,
    async stop() {
      stopping.abort()
      await life
    },
  }
}
