import { createListener, type Listener } from '../../connectors/mllp/index.ts'
import { timeZoneOf } from '../core/of-source.ts'
import type { SourceSettings } from '../core/settings.ts'
import { createReceiver } from '../flow/receive.ts'
import type { Plan } from '../mapping/types.ts'
import type { Applying } from './applying.ts'
import type { Ground } from './ground.ts'
import { newControlId } from './this-process.ts'

export interface Sources {
  /** Those whose door is open, or was: a store that is away closes it for a while. */
  readonly opened: readonly { readonly source: SourceSettings; readonly listener: Listener }[]
  takesMessages(): boolean
  /** Opens the door of each in turn. */
  open(): Promise<void>
}

/** Takes the messages of each source while they can be kept. */
export function createSources(ground: Ground, { memo, outcomes }: Applying): Sources {
  const { settings, inForce, store, jobs, clock, log, metrics, stopping, later } = ground
  const opened: { readonly source: SourceSettings; readonly listener: Listener }[] = []
  return {
    opened,
    takesMessages: () => opened.length > 0 && opened.every(({ listener }) => listener.isListening()),
    async open() {
      for (const source of settings.sources) {
        const listener = listen(source)
        await listener.start()
        later(() => listener.stop({ seconds: 0 }))
        opened.push({ source, listener })
      }
      later(store.onIntake(setIntake))
      if (store.trouble() !== undefined) setIntake(false)
    },
  }

  function listen(source: SourceSettings): Listener {
    const receiver = createReceiver({
      source,
      plan: () => inForce.plans.get(source.name) as Plan,
      inbox: store,
      store,
      outcomes,
      memo,
      clock,
      log,
      metrics,
      timeZone: timeZoneOf(source, settings),
      newControlId,
      wake: () => jobs.wake('drain'),
    })
    return createListener({
      source,
      log,
      onMessage: (bytes, peer) => receiver.receive(bytes, peer),
      onOversize: (head, size, peer) => receiver.receiveOversize(head, size, peer),
    })
  }

  /** Nothing is taken that could not be kept (I1); what waits goes on where it stopped. */
  function setIntake(open: boolean): void {
    if (stopping.aborted) return
    for (const { source, listener } of opened) {
      if (source.whenStoreUnavailable === 'reject') continue
      void (open ? listener.resume() : listener.pause())
    }
  }
}
