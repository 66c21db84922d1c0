import type { Outbox } from '../core/ports.ts'
import { circuitNumbers, type CircuitState } from '../core/retry.ts'
import type { Deliverer } from './deliver.ts'

interface Tried {
  readonly name: string
  circuit(): CircuitState
}

/** The circuit of every endpoint, as numbers. That of a destination is known to every engine, the others to each its own. */
export async function circuits(parts: {
  readonly store: Pick<Outbox, 'retryPlan'>
  readonly deliverers: ReadonlyMap<string, Pick<Deliverer, 'circuit'>>
  readonly watches: readonly Tried[]
  readonly publishers: readonly Tried[]
}): Promise<
  readonly { readonly labels: { readonly kind: string; readonly endpoint: string }; readonly value: number }[]
> {
  const { store, deliverers, watches, publishers } = parts
  const sample = (kind: string, endpoint: string, state: CircuitState) => ({
    labels: { kind, endpoint },
    value: circuitNumbers[state],
  })
  return [
    ...watches.map((watch) => sample('orthanc', watch.name, watch.circuit())),
    ...publishers.map((publisher) => sample('target', publisher.name, publisher.circuit())),
    ...(await Promise.all(
      [...deliverers].map(async ([name, deliverer]) => {
        // A store that is away hides what others know of it, not what is known here.
        const kept = await store.retryPlan(name).catch(() => undefined)
        return sample('destination', name, deliverer.circuit(kept))
      }),
    )),
  ]
}
