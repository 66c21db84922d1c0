import { uptime } from 'node:os'
import { differences } from './config/difference.ts'
import type { Site } from './config/site.ts'
import { inSlices } from './config/slices.ts'
import type { Reloader } from './core/configuration.ts'
import type { Clock, Log } from './core/ports.ts'
import type { Settings } from './core/settings.ts'
import { createApi } from './engine/api.ts'
import { applyInbox } from './engine/applying.ts'
import { openDestinations, type Destinations } from './engine/destinations.ts'
import { createEnding, type Ending } from './engine/ending.ts'
import type { Ground } from './engine/ground.ts'
import { createInForce } from './engine/in-force.ts'
import { openStore } from './engine/open-store.ts'
import { createPublishers, pushed, watchOrthancs, watchPlugins } from './engine/orthancs.ts'
import { watchParts, type Parts } from './engine/parts.ts'
import { createReconsidering } from './engine/reconsidering.ts'
import { schedule } from './engine/schedule.ts'
import { show } from './engine/show.ts'
import { createSources } from './engine/sources.ts'
import { bootOfMachine, processName, version } from './engine/this-process.ts'
import { answerWorklist } from './engine/worklist.ts'
import { createEngineClock } from './flow/clock.ts'
import { checkCounters } from './flow/count.ts'
import { sayFarewell } from './flow/farewell.ts'
import { pause } from './flow/pause.ts'
import { createReloader, type StartedReloader } from './flow/reload.ts'
import { holdRole } from './flow/role.ts'
import { loadToken } from './http/token.ts'
import { defect } from './observe/defect.ts'
import { createMetrics } from './observe/metrics.ts'

export interface EngineOptions {
  readonly site: Site
  readonly log: Log
  readonly clock?: Clock
  /** A reload has brought these: for what belongs to whoever started the engine, such as the log. */
  readonly settingsChanged?: (settings: Settings) => void
  /** Shorter in tests of taking over. */
  readonly leaseMilliseconds?: number
  /** Shorter in tests of drift. */
  readonly reconcileMilliseconds?: number
}

export interface Engine {
  readonly http: string
  /** `source=host:port` of each listener. */
  readonly mllp: readonly { readonly source: string; readonly host: string; readonly port: number }[]
  /** Which version of the configuration runs, and how another one comes into force. */
  readonly configuration: Reloader
  /** Takes nothing new, ends what is under way, then stops. */
  stop(): Promise<void>
}

/** Puts everything together: store, flows, connectors, HTTP. Rejects with one EngineError when a part cannot start; then nothing is left running. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const ending = createEnding(options.log)
  try {
    return await compose(options, ending)
  } catch (error) {
    await ending.stop()
    throw error
  }
}

/** In this order: what a part stands on is there before it, and is still there while it ends. */
async function compose(options: EngineOptions, ending: Ending): Promise<Engine> {
  const { site, log, clock: given, leaseMilliseconds, reconcileMilliseconds } = options
  const { settings } = site
  const { later } = ending
  const wall = given === undefined ? {} : { wall: () => Date.parse(given()) }
  const time = createEngineClock({ ...wall, uptime: () => uptime() * 1000, boot: bootOfMachine() })
  const { clock } = time
  const token = loadToken({ dataDir: settings.dataDir, configured: settings.http.token })
  const targets = pushed(settings.orthancs).map(({ name }) => name)
  const opened = await openStore({ settings, targets, clock, log, ending, leaseMilliseconds })
  const { store, jobs, isEmbedded, redisFailure } = opened
  await checkCounters({ store, log })
  const metrics = createMetrics()
  await time.keep({ store, log, metrics })
  later(() => time.stop())

  const inForce = createInForce(site)
  const stopping = new AbortController()
  const ground: Ground = {
    settings,
    inForce,
    store,
    jobs,
    clock,
    log,
    metrics,
    stopping: stopping.signal,
    later,
    hold(role, work) {
      const held = holdRole({ leases: store, jobs, log, role, takeOver: isEmbedded, work })
      later(() => held.stop())
      return held
    },
  }
  const reconsider = createReconsidering(ground, time)
  const configuration = createReloader({
    store,
    first: site,
    load: (texts) => inSlices(inForce.site().again(texts), pause),
    compare: differences,
    apply(next) {
      const { otherRules } = inForce.replace(next)
      options.settingsChanged?.(next.settings)
      if (otherRules) reconsider()
    },
    clock,
    log,
    engine: processName,
  })
  await configuration.rememberPlans()

  const { index, worklist } = answerWorklist(ground)
  const publishers = createPublishers(ground)
  const applying = applyInbox(ground, time, publishers)
  const destinations = openDestinations(ground)
  const watches = watchOrthancs(ground)
  const plugins = watchPlugins(ground, index)
  await schedule(ground, { destinations, publishers, watches, reconcileMilliseconds })

  const sources = createSources(ground, applying)
  const { drainer, inbox } = applying
  const all: Parts = {
    redisFailure,
    time,
    configuration,
    inbox,
    index,
    sources,
    destinations,
    publishers,
    watches,
    plugins,
  }
  const parts = watchParts(ground, all)
  show(ground, all, parts)
  const api = createApi(ground, all, { token, worklist, parts })
  const { port } = await api.start()
  later(() => api.stop())
  await sources.open()
  later(followStore(ground, configuration, destinations))
  for (const watch of watches) void watch.look()
  reconsider()
  time.onSetBack(reconsider)
  await configuration.start()

  const mllp = sources.opened.map(({ source: { name, bind }, listener }) => ({
    source: name,
    host: bind,
    port: listener.port(),
  }))
  log.info(
    {
      sources: mllp.map(({ source, host, port }) => `${source}=${host}:${port}`),
      port,
      version: inForce.site().version,
      build: version.worklane,
      node: version.node,
    },
    'engine started',
  )
  return {
    http: `http://${settings.bind.includes(':') ? `[${settings.bind}]` : settings.bind}:${port}`,
    mllp,
    configuration,
    async stop() {
      stopping.abort()
      const listeners = sources.opened.map(({ listener }) => listener)
      const seconds = inForce.site().settings.stop.drainSeconds
      await sayFarewell({ store, listeners, drainer, destinations: destinations.telling, log, seconds })
      await ending.stop()
      log.info({}, 'engine stopped')
    },
  }
}

/** Says when the store goes and comes; when it is back, all that waited for it goes on. */
function followStore(
  { store, jobs, log }: Ground,
  configuration: StartedReloader,
  destinations: Destinations,
): () => void {
  return store.onHealth((up) => {
    if (up) {
      configuration.storeIsBack().catch((error: unknown) => log.debug(defect(error), 'plans not kept again'))
      jobs.wake('drain')
      destinations.wake()
    }
    log[up ? 'info' : 'error'](
      { part: 'store', state: up ? 'up' : 'down', ...(up ? {} : { code: 'E501' }) },
      'store changed',
    )
  })
}
