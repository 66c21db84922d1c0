import type { PartHealth } from '../core/ports.ts'
import type { EngineClock } from '../flow/clock.ts'
import { withAges } from '../flow/count.ts'
import { health } from '../flow/health.ts'
import type { InboxWatch } from '../flow/inbox-watch.ts'
import { findLeftBehind } from '../flow/left-behind.ts'
import type { PluginWatch } from '../flow/plugin-watch.ts'
import type { StartedReloader } from '../flow/reload.ts'
import type { Watch } from '../flow/watch.ts'
import type { WorklistIndex } from '../flow/worklist-index.ts'
import { reachable, type Destinations } from './destinations.ts'
import type { Ground } from './ground.ts'
import type { OpenedStore } from './open-store.ts'
import type { NamedPublisher } from './orthancs.ts'
import type { Sources } from './sources.ts'

export interface Parts {
  readonly redisFailure: OpenedStore['redisFailure']
  readonly time: EngineClock
  readonly configuration: StartedReloader
  readonly inbox: InboxWatch
  readonly index: WorklistIndex
  readonly sources: Sources
  readonly destinations: Destinations
  readonly publishers: readonly NamedPublisher[]
  readonly watches: readonly Watch[]
  readonly plugins: readonly PluginWatch[]
}

/** How each part is, when asked; what was left behind by an earlier configuration is one of them. */
export function watchParts(ground: Ground, parts: Parts): () => Promise<readonly PartHealth[]> {
  const { settings, inForce, store, clock, log, later } = ground
  const { redisFailure, time, configuration, inbox, index, sources, destinations, publishers, watches, plugins } = parts
  const leftBehind = findLeftBehind({
    store,
    sources: settings.sources.map(({ name }) => name),
    destinations: reachable(settings).map(({ name }) => name),
    log,
  })
  later(() => leftBehind.stop())
  return async () => {
    const found = await health({
      store,
      redisFailure,
      index,
      sources: sources.opened.map(({ source, listener }) => ({
        name: source.name,
        isListening: listener.isListening,
      })),
      watches,
      deliverers: destinations.deliverers,
      publishers,
    })
    const own = [
      inbox.part(),
      time.part(inForce.site().settings.noShow.afterClockJumpHours),
      ...(await configuration.parts()),
    ]
    const all = [...own, ...found, ...plugins.map((plugin) => plugin.part()), ...leftBehind.parts()]
    return withAges(all, { store, clock })
  }
}
