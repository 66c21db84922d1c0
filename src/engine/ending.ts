import type { Log } from '../core/ports.ts'
import { pause } from '../flow/pause.ts'
import { defect } from '../observe/defect.ts'

export interface Ending {
  /** To be done when the engine ends, before all that was told earlier. */
  later(stop: () => Promise<void> | void): void
  /** The store on which the engine stands, once there is one. */
  standsOn(store: { isUp(): boolean }): void
  stop(): Promise<void>
}

/** How long the parts of the engine may take to end, all together. */
const endSeconds = 5
/** The same while the store is away: then nothing under way can end well. */
const absentSeconds = 3

/** Ends the parts of an engine, from the last to the first. Queues whose Redis is away never close: after a while nobody is waited for. */
export function createEnding(log: Log): Ending {
  const stops: (() => Promise<void>)[] = []
  let storeIsUp = (): boolean => false
  return {
    later(stop) {
      stops.push(async () => stop())
    },
    standsOn(store) {
      storeIsUp = () => store.isUp()
    },
    async stop() {
      const stopped = new AbortController()
      const seconds = storeIsUp() ? endSeconds : absentSeconds
      const late = pause(seconds * 1000, stopped.signal)
      for (const stop of stops.toReversed())
        await Promise.race([stop().catch((error: unknown) => log.warn(defect(error), 'stop failed')), late])
      stopped.abort()
      stops.length = 0
    },
  }
}
