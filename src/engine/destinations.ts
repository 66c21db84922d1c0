import { createSender } from '../../connectors/mllp/index.ts'
import type { DestinationSettings, Settings } from '../core/settings.ts'
import { createDeliverer, type Deliverer } from '../flow/deliver.ts'
import type { Ground } from './ground.ts'

export interface Destinations {
  readonly deliverers: ReadonlyMap<string, Deliverer>
  /** Whether this process tells it, and could now. */
  readonly telling: ReadonlyMap<string, () => boolean>
  /** Whoever is owed something is told it, unless it is away. */
  wake(): void
}

/** Those that have a door: one without a port is told nothing. */
export function reachable({ destinations }: Settings): readonly DestinationSettings[] {
  return destinations.filter(({ port }) => port !== 0)
}

/** Tells each receiver what it is owed. */
export function openDestinations(ground: Ground): Destinations {
  const { settings, inForce, store, jobs, clock, log, metrics, later, hold } = ground
  const deliverers = new Map<string, Deliverer>()
  const telling = new Map<string, () => boolean>()
  for (const first of reachable(settings)) {
    const destination = inForce.destination(first)
    const { name } = destination
    const sender = createSender({ destination, log })
    later(() => sender.close())
    const deliverer = createDeliverer({ destination, outbox: store, sender, jobs, clock, log, metrics })
    deliverers.set(name, deliverer)
    const teller = hold(`deliver:${name}`, (lease) => deliverer.deliver(lease))
    telling.set(name, () => teller.held() && deliverer.held() === undefined)
    // Before its role: that one waits for the turn, which waits for the receiver.
    later(() => deliverer.stop())
  }
  return {
    deliverers,
    telling,
    wake() {
      for (const name of deliverers.keys()) jobs.wake(`deliver:${name}`)
    },
  }
}
