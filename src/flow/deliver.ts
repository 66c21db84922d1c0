import type { EngineError } from '../core/errors/index.ts'
import type { Instant } from '../core/ids.ts'
import type { Acknowledgment, Clock, Delivery, Jobs, Lease, Log, MessageSender, Outbox, Owed } from '../core/ports.ts'
import type { DestinationSettings } from '../core/settings.ts'
import type { FlowMetrics } from './metrics.ts'

export interface DeliverContext {
  readonly destination: Pick<DestinationSettings, 'name' | 'retry'>
  readonly outbox: Outbox
  readonly sender: MessageSender
  readonly jobs: Pick<Jobs, 'wake'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: FlowMetrics
  /** 0 to 1; spreads the retries of several engines. */
  readonly random?: () => number
}

export interface Deliverer {
  /** Delivers what is owed and can be tried now. One at a time, under the lease of `deliver:<endpoint>`. */
  deliver(lease: Lease): Promise<void>
  /** Why nothing goes out now, if so. */
  held(): { readonly since: Instant; readonly code: string } | undefined
  stop(): void
}

const page = 200

/**
 * Tells one receiver what it is owed, in order per order, until it takes it (I7).
 *
 * AA, CA: taken. AE, CE: it will never take this one, a dead letter with the reason.
 * AR, CR: not now; later ones of the same order wait behind it, other orders go on.
 * Silence and closed doors hold the whole endpoint: whoever is away is away for all.
 */
export function createDeliverer(context: DeliverContext): Deliverer {
  const { destination, outbox, sender, clock, log, metrics } = context
  const role = `deliver:${destination.name}`
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let silence: { since: Instant; code: string; attempts: number; until: number } | undefined

  function wakeIn(milliseconds: number): void {
    if (stopped) return
    clearTimeout(timer)
    timer = setTimeout(() => context.jobs.wake(role), Math.max(milliseconds, 10))
    timer.unref()
  }

  /** Doubles from the first interval to the cap, less up to a fifth (jitter). */
  function backoff(attempts: number): number {
    const { firstSeconds, maxSeconds } = destination.retry
    const seconds = Math.min(firstSeconds * 2 ** Math.min(attempts, 20), maxSeconds)
    return seconds * 1000 * (1 - 0.2 * (context.random ?? Math.random)())
  }

  /** False: the endpoint does not answer, or the lease is lost: nothing more for now. */
  async function attempt(lease: Lease, owed: Owed): Promise<'next' | 'hold lane' | 'hold endpoint'> {
    const started = performance.now()
    let acknowledgment: Acknowledgment
    try {
      acknowledgment = await sender.send(owed.bytes, owed.controlId)
    } catch (error) {
      const code = (error as EngineError).code ?? 'E702'
      const attempts = silence?.attempts ?? 0
      if (silence === undefined) log.warn({ endpoint: destination.name, code }, 'destination does not take messages')
      silence = {
        since: silence?.since ?? clock(),
        code,
        attempts: attempts + 1,
        until: Date.now() + backoff(attempts),
      }
      metrics.count('deliveries_total', { destination: destination.name, result: 'silence' })
      wakeIn(silence.until - Date.now())
      return 'hold endpoint'
    }
    if (silence !== undefined)
      log.info({ endpoint: destination.name, attempts: silence.attempts }, 'destination takes messages again')
    silence = undefined
    metrics.observe('delivery_duration_seconds', (performance.now() - started) / 1000)
    const outcome = judge(acknowledgment, owed)
    metrics.count('deliveries_total', { destination: destination.name, result: outcome.kind })
    if ((await outbox.settle(lease, owed.id, outcome)) === 'fenced') {
      await lease.release()
      return 'hold endpoint'
    }
    const fields = {
      endpoint: destination.name,
      orderId: owed.lane,
      controlId: owed.controlId,
      acknowledgment: acknowledgment.code,
    }
    switch (outcome.kind) {
      case 'delivered':
        log.debug(fields, 'status message delivered')
        return 'next'
      case 'refused':
        log.warn({ ...fields, code: 'E705' }, 'status message is a dead letter')
        return 'next'
      case 'retry':
        log.warn({ ...fields, code: 'E706', attempts: owed.attempts + 1 }, 'status message not taken now')
        return 'hold lane'
    }
  }

  function judge({ code, errorCode }: Acknowledgment, owed: Owed): Delivery {
    const at = clock()
    switch (code) {
      case 'AA':
      case 'CA':
        return { kind: 'delivered', at, acknowledgmentCode: code }
      case 'AE':
      case 'CE':
        return {
          kind: 'refused',
          at,
          acknowledgmentCode: code,
          reason: errorCode === '' ? code : `${code} ${errorCode}`,
        }
      case 'AR':
      case 'CR':
        return {
          kind: 'retry',
          at,
          notBefore: new Date(Date.parse(at) + backoff(owed.attempts)).toISOString(),
          reason: code,
        }
    }
  }

  return {
    async deliver(lease) {
      if (silence !== undefined && Date.now() < silence.until) {
        wakeIn(silence.until - Date.now())
        return
      }
      const waiting = new Map<string, number>()
      let limit = page
      for (;;) {
        const owed = await outbox.owed(destination.name, limit)
        let progress = false
        for (const one of owed) {
          if (stopped || !lease.held()) return
          if (waiting.has(one.lane)) continue
          const due = one.notBefore === undefined ? 0 : Date.parse(one.notBefore)
          if (due > Date.now()) {
            waiting.set(one.lane, due)
            continue
          }
          const next = await attempt(lease, one)
          if (next === 'hold endpoint') return
          progress = true
          if (next === 'hold lane') waiting.set(one.lane, Date.now() + backoff(one.attempts))
        }
        if (owed.length < limit && !progress) break
        // What is settled leaves the front; orders that wait stay there and are read past.
        if (!progress) limit *= 2
      }
      const soonest = Math.min(...waiting.values())
      if (Number.isFinite(soonest)) wakeIn(soonest - Date.now())
    },
    held: () => (silence === undefined ? undefined : { since: silence.since, code: silence.code }),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
