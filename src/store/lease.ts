import type { Lease, Leases } from '../core/ports.ts'
import { text, type Connection } from './connection.ts'
import { createHolders } from './holders.ts'
import { scripts } from './scripts.ts'

/**
 * Roles that one process has at a time. Each holder gets a higher token; the scripts
 * that write compare it, so that a process that slept through the loss of its lease
 * changes nothing when it wakes (I3). A role is free when its lease has run out, or as
 * soon as the connection of its holder is seen to be gone.
 */
export function createLeases(options: {
  connection: Connection
  leaseMilliseconds: number
}): Leases & { releaseAll(): Promise<void> } {
  const { connection, leaseMilliseconds } = options
  const held = new Set<Lease>()
  const holders = createHolders({ connection })
  return {
    async lease(role, { takeOver = false } = {}) {
      const asked = performance.now()
      const reply = await connection.run(scripts.lease, [role, leaseMilliseconds, takeOver ? '1' : '0'])
      const token = reply === null ? await holders.replaceGone(role, leaseMilliseconds) : Number(text(reply))
      if (token === undefined) return undefined
      const lease = keep(role, token, asked)
      held.add(lease)
      await holders.taken(role, token)
      return lease
    },
    async releaseAll() {
      holders.stop()
      await Promise.allSettled([...held].map((lease) => lease.release()))
    },
  }

  function keep(role: string, token: number, since: number): Lease {
    // Monotonic time from before the question: this side always thinks the lease ends before Redis does.
    let until = since + leaseMilliseconds
    let lost = false
    const timer = setInterval(() => void renew(), leaseMilliseconds / 3)
    timer.unref()
    // Its connection broke: somebody may have taken the role since.
    const forget = connection.onHealth((up) => void (up && renew()))

    async function renew(): Promise<void> {
      if (!isHeld()) return
      const asked = performance.now()
      try {
        const renewed = await connection.run(scripts.renew, [role, token, leaseMilliseconds])
        if (renewed !== 1) end()
        else if (isHeld()) {
          until = asked + leaseMilliseconds
          await holders.taken(role, token)
        }
      } catch {
        // The store is away: the lease runs out by itself unless it comes back in time.
      }
    }

    function end(): void {
      lost = true
      clearInterval(timer)
      forget()
      held.delete(lease)
    }

    /** What has run out is not revived: its holder may have begun to act on that. */
    function isHeld(): boolean {
      if (!lost && performance.now() >= until) end()
      return !lost
    }

    const lease: Lease = {
      role,
      token,
      held: isHeld,
      async release() {
        if (lost) return
        end()
        // Nobody has to know: without the message it runs out by itself.
        await connection.run(scripts.release, [role, token]).catch(() => {})
      },
    }
    return lease
  }
}
