import type { OrderId } from '../core/ids.ts'
import type { Acknowledgment, Clock, Delivery, Jobs, Lease, Log, MessageSender, Outbox, Owed } from '../core/ports.ts'
import type { DestinationSettings } from '../core/settings.ts'
import { atMost, circuitState, waitSeconds, type CircuitState, type RetryPlan } from '../core/retry.ts'
import { createCircuit, type Trial } from './circuit.ts'
import { failureOf } from './failure.ts'
import type { FlowMetrics } from './metrics.ts'
import { pause } from './pause.ts'

export interface DeliverContext {
  readonly destination: Pick<DestinationSettings, 'name' | 'retry'> &
    Partial<Pick<DestinationSettings, 'host' | 'port'>>
  readonly outbox: Pick<Outbox, 'owed' | 'settle' | 'paused' | 'retryPlan' | 'keepRetryPlan'>
  readonly sender: Pick<MessageSender, 'send' | 'close'>
  readonly jobs: Pick<Jobs, 'wake'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: FlowMetrics
  /** 0 to 1; spreads the retries of several engines. */
  readonly random?: () => number
  /** How long `stop` waits for the acknowledgment of what is on the wire; default 3,000. */
  readonly farewellMilliseconds?: number
}

export interface Deliverer {
  /** Delivers what is owed and can be tried now. One at a time, under the lease of `deliver:<endpoint>`. */
  deliver(lease: Lease): Promise<void>
  /** Why nothing goes out now, if so, as this process knows it; undefined without the role. */
  held(): RetryPlan | undefined
  /** As this process tries it; without the role, as the plan in the store says. */
  circuit(kept?: RetryPlan): CircuitState
  /**
   * Sends nothing more, waits a moment for the acknowledgment of what is on the wire and until the store knows of it, and
   * closes the sender. To be called before the role is given back.
   */
  stop(): Promise<void>
}

const page = 200
/** So often a deliverer that stops looks whether all is settled. */
const settleMilliseconds = 20
/** A wake-up that comes too early only looks again. */
const longestWaitMilliseconds = 60_000

/**
 * Tells one receiver what it is owed, in order per order, until it takes it (I7).
 *
 * AA, CA: taken. AE, CE: it will never take this one, a dead letter with the reason.
 * AR, CR: not now; later ones of the same order wait behind it, other orders go on.
 * Silence and closed doors hold the whole endpoint: whoever is away is away for all.
 * How it is being tried again is kept in the store, and whoever has the role next goes on with it.
 *
 * While a person holds the endpoint, nothing new is sent: who answers `settle` says so
 * after each message. What waited for a silent receiver is tried at once afterwards.
 *
 * Sent and answered, but not settled because the store went away: the turn ends, so
 * that nothing overtakes it, and the next one settles it first instead of sending it again.
 */
export function createDeliverer(context: DeliverContext): Deliverer {
  const { destination, outbox, sender, clock, log, metrics, farewellMilliseconds = 3_000 } = context
  const role = `deliver:${destination.name}`
  const subject = { endpoint: destination.name }
  const where = destination.host === undefined ? {} : { address: `${destination.host}:${destination.port}` }
  const random = context.random ?? Math.random
  const circuit = createCircuit({ policy: () => destination.retry, clock, log, subject, random })
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  /** The lease under which the circuit was read from the store, and what the store has of it. */
  let reading: Lease | undefined
  let kept: RetryPlan | undefined
  let unsettled: { readonly owed: Owed; readonly outcome: Delivery } | undefined
  let onTheWire: Promise<unknown> | undefined

  const now = (): number => Date.parse(clock())

  /** No pause is longer than the longest: a moment further away was set by a clock that has been put back since. */
  const isAhead = (moment: number): boolean => moment > now() && moment <= now() + destination.retry.maxSeconds * 1000

  function wakeAt(moment: number): void {
    if (stopped) return
    clearTimeout(timer)
    const wait = Math.min(Math.max(moment - now(), 10), longestWaitMilliseconds)
    timer = setTimeout(() => context.jobs.wake(role), wait)
    timer.unref()
  }

  /** What the store does not have yet: the next process begins with it, and every process shows it. */
  async function keepPlan(lease: Lease): Promise<void> {
    const plan = circuit.plan()
    if (plan === kept) return
    await outbox.keepRetryPlan(lease, plan && { ...plan, ...where })
    kept = plan
  }

  /** What whoever had the role before has found out. By other settings it may be of another receiver, or ask for too much patience. */
  async function readPlan(lease: Lease): Promise<void> {
    kept = await outbox.retryPlan(destination.name)
    circuit.restore(kept?.address === where.address ? kept && atMost(destination.retry, kept) : undefined)
    reading = lease
  }

  function forget(): void {
    circuit.restore(undefined)
    clearTimeout(timer)
  }

  async function attempt(lease: Lease, owed: Owed, trial: Trial): Promise<Delivery | 'hold endpoint'> {
    const started = performance.now()
    let acknowledgment: Acknowledgment
    try {
      const sending = sender.send(owed.bytes, owed.controlId)
      onTheWire = sending
      acknowledgment = await sending
    } catch (error) {
      if (stopped) trial.abandoned()
      else await hold(lease, owed, trial, error)
      return 'hold endpoint'
    } finally {
      onTheWire = undefined
    }
    const away = trial.succeeded()
    if (away !== undefined) log.info({ ...subject, attempts: away.failures }, 'destination takes messages again')
    metrics.observe('delivery_duration_seconds', (performance.now() - started) / 1000)
    const outcome = judge(acknowledgment, owed)
    metrics.count('deliveries_total', { destination: destination.name, result: outcome.kind })
    unsettled = { owed, outcome }
    await keepPlan(lease)
    return (await settle(lease)) === 'go on' ? outcome : 'hold endpoint'
  }

  /** `stop`: another process has the role, and tells the receiver itself; or nothing more is to be sent now. */
  async function settle(lease: Lease): Promise<'go on' | 'stop'> {
    if (unsettled === undefined) return 'go on'
    const { owed, outcome } = unsettled
    const settled = await outbox.settle(lease, owed.id, outcome)
    unsettled = undefined
    if (settled === 'fenced') {
      await lease.release()
      return 'stop'
    }
    report(owed, outcome)
    return settled === 'paused' ? 'stop' : 'go on'
  }

  async function hold(lease: Lease, owed: Owed, trial: Trial, error: unknown): Promise<void> {
    const isNew = circuit.plan() === undefined
    const plan = trial.failed(error, 'E702')
    if (isNew) log.warn({ ...subject, ...failureOf(error), code: plan.code }, 'destination does not take messages')
    metrics.count('deliveries_total', { destination: destination.name, result: 'silence' })
    wakeAt(Date.parse(plan.next))
    // For the story of its order, and for who has the role next; who cannot keep it now loses nothing else.
    await outbox.settle(lease, owed.id, { kind: 'unanswered', at: plan.at, reason: plan.code }).catch(() => undefined)
    await keepPlan(lease).catch(() => undefined)
  }

  function judge({ code, errorCode }: Acknowledgment, owed: Owed): Delivery {
    const at = clock()
    switch (code) {
      case 'AA':
      case 'CA':
        return { kind: 'delivered', at, acknowledgmentCode: code }
      case 'AE':
      case 'CE': {
        const reason = errorCode === '' ? code : `${code} ${errorCode}`
        return { kind: 'refused', at, acknowledgmentCode: code, reason }
      }
      case 'AR':
      case 'CR': {
        const pause = waitSeconds(destination.retry, owed.attempts + 1, random())
        const notBefore = new Date(Date.parse(at) + pause * 1000).toISOString()
        return { kind: 'retry', at, notBefore, reason: code }
      }
    }
  }

  function report({ lane, controlId, attempts }: Owed, outcome: Delivery): void {
    const fields = { endpoint: destination.name, orderId: lane, controlId }
    switch (outcome.kind) {
      case 'delivered':
        log.debug({ ...fields, acknowledgment: outcome.acknowledgmentCode }, 'status message delivered')
        break
      case 'refused':
        log.warn(
          { ...fields, acknowledgment: outcome.acknowledgmentCode, code: 'E705' },
          'status message is a dead letter',
        )
        break
      case 'retry':
        log.warn(
          { ...fields, acknowledgment: outcome.reason, code: 'E706', attempts: attempts + 1 },
          'status message not taken now',
        )
        break
      case 'unanswered':
        break
    }
  }

  async function deliver(lease: Lease): Promise<void> {
    if (reading?.token !== lease.token) await readPlan(lease)
    if ((await settle(lease)) === 'stop') return
    if ((await outbox.paused(destination.name)) !== undefined) {
      forget()
      await keepPlan(lease)
      return
    }
    const plan = circuit.plan()
    if (plan !== undefined && circuit.isWaiting()) {
      wakeAt(Date.parse(plan.next))
      return
    }
    await keepPlan(lease)
    /** Orders that wait, and until when. */
    const waiting = new Map<OrderId, number>()
    for (let limit = page; ;) {
      const owed = await outbox.owed(destination.name, limit)
      // Nothing is owed any more, by a person's hand: nobody waits to be tried.
      if (owed.length === 0 && circuit.plan() !== undefined) {
        forget()
        await keepPlan(lease)
      }
      let progress = false
      for (const one of owed) {
        if (stopped || !lease.held()) return
        if (waiting.has(one.lane)) continue
        const due = one.notBefore === undefined ? 0 : Date.parse(one.notBefore)
        if (isAhead(due)) {
          waiting.set(one.lane, due)
          continue
        }
        const trial = circuit.admit()
        if (trial === undefined) return
        const outcome = await attempt(lease, one, trial)
        if (outcome === 'hold endpoint') return
        progress = true
        if (outcome.kind === 'retry') waiting.set(one.lane, Date.parse(outcome.notBefore))
      }
      if (owed.length < limit && !progress) break
      // What is settled leaves the front; orders that wait stay there and are read past.
      if (!progress) limit *= 2
    }
    let soonest = Number.POSITIVE_INFINITY
    for (const due of waiting.values()) soonest = Math.min(soonest, due)
    if (waiting.size > 0) wakeAt(soonest)
  }

  return {
    deliver,
    held: () => (reading?.held() === true ? circuit.plan() : undefined),
    circuit: (known) => (reading?.held() === true ? circuit.state() : circuitState(destination.retry, known)),
    async stop() {
      stopped = true
      clearTimeout(timer)
      const patience = new AbortController()
      const late = pause(farewellMilliseconds, patience.signal).then(() => 'late' as const)
      if (onTheWire !== undefined) await Promise.race([onTheWire.catch(() => undefined), late])
      // Taken, and not yet settled: whoever has the role next would send it again. Its own role goes on trying to.
      const isTrying = (): boolean => unsettled !== undefined && reading?.held() === true
      while (isTrying() && (await Promise.race([pause(settleMilliseconds), late])) !== 'late');
      patience.abort()
      await sender.close()
    },
  }
}
