import type { Jobs, Lease, Leases, Log } from '../core/ports.ts'
import { pause } from './pause.ts'

export interface RoleContext {
  readonly leases: Leases
  readonly jobs: Jobs
  readonly log: Log
  readonly role: string
  /** One turn of work under the lease; it returns when there is nothing left to do. */
  work(lease: Lease): Promise<void>
  /** The one who held it is known to be dead: take it at once, the first time. */
  readonly takeOver?: boolean
  readonly retryMilliseconds?: number
}

export interface Role {
  /** Whether this process has it now. */
  held(): boolean
  stop(): Promise<void>
}

/**
 * Keeps trying to have a role, and works whenever it is woken while it has it.
 * The lease says who may act; the fencing token in each commit says whose acts count.
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
  const life = (async () => {
    let first = true
    while (!stopping.signal.aborted) {
      const lease = await leases.lease(role, { takeOver: first && takeOver }).catch(() => undefined)
      if (lease === undefined) {
        await pause(retryMilliseconds, stopping.signal)
        continue
      }
      first = false
      current = lease
      log.debug({ role, token: lease.token }, 'role taken')
      const serving = await jobs.serve(role, () => work(lease))
      jobs.wake(role) // whatever arrived while nobody had the role
      while (!stopping.signal.aborted && lease.held()) await pause(retryMilliseconds / 2, stopping.signal)
      await serving.stop()
      current = undefined
      await lease.release().catch(() => undefined)
      if (!stopping.signal.aborted) {
        log.info({ role, token: lease.token }, 'role lost')
        await pause(retryMilliseconds, stopping.signal)
      }
    }
  })()
  return {
    held: () => current?.held() === true,
    async stop() {
      stopping.abort()
      await life
    },
  }
}
