import { EngineError } from '../core/errors/index.ts'
import type { Seq } from '../core/ids.ts'
import type { Log, PartHealth } from '../core/ports.ts'
import { failureOf } from './failure.ts'
import { pause } from './pause.ts'

/** What Orthanc's plugin says of itself, as `connectors/orthanc` reads it; undefined without the plugin. */
export interface PluginSays {
  readonly isAsked: boolean
  readonly engineReachable: boolean
  readonly detail: string
  readonly snapshotVersion: string
  /** Seconds since an engine last confirmed it; undefined without one. */
  readonly snapshotAge: number | undefined
}

export interface PluginWatchContext {
  readonly name: string
  /** Of Orthanc, for errors. */
  readonly address: string
  status(): Promise<PluginSays | undefined>
  readonly index: { ready(): boolean; version(): Seq }
  readonly log: Log
  readonly everyMilliseconds?: number
}

export interface PluginWatch {
  readonly name: string
  /** What is wrong with it, as `/health/ready` shows it. */
  part(): PartHealth
  /** Age of its snapshot in seconds, as it was told last. */
  snapshotAge(): number | undefined
  stop(): Promise<void>
}

/** The plugin looks every 5 s; what it has is old when it is as old as this. */
const oldSeconds = 60

/**
 * Whether a modality that asks this Orthanc gets the worklist of this site: each engine looks
 * at what its plugin says of itself. A plugin that asks somebody else, or nobody, is found
 * within twice the interval, not on the day when its snapshot is needed.
 */
export function watchPlugin(context: PluginWatchContext): PluginWatch {
  const { name, address, status, index, log, everyMilliseconds = 30_000 } = context
  const stopping = new AbortController()
  let says: PluginSays | undefined
  let wrong: EngineError | undefined
  /** What the index had at the look before: the plugin must have that by now. */
  let owed: Seq = 0

  async function look(): Promise<void> {
    let found: EngineError | undefined
    try {
      says = await status()
      found = says === undefined ? new EngineError('E405', { address }) : judge(says)
    } catch {
      // That Orthanc does not answer is said of its feed.
      says = undefined
    }
    if (found !== undefined && found.code !== wrong?.code)
      log.warn({ orthanc: name, code: found.code }, 'modalities of an Orthanc may not get the worklist')
    if (found === undefined && says !== undefined && wrong !== undefined)
      log.info({ orthanc: name }, 'modalities of an Orthanc get the worklist again')
    // As long as it does not answer, what was wrong is not known to be right.
    if (found !== undefined || says !== undefined) wrong = found
    owed = index.ready() ? index.version() : 0
  }

  function judge({
    isAsked,
    engineReachable,
    detail,
    snapshotVersion,
    snapshotAge,
  }: PluginSays): EngineError | undefined {
    if (!isAsked) return new EngineError('E414', { address })
    // At its start it has not asked yet.
    if (!engineReachable && detail !== 'not asked yet') return new EngineError('E411', { address, reason: detail })
    if (!index.ready() || owed === 0) return undefined
    const isOld = snapshotAge === undefined || snapshotAge > oldSeconds
    // One that is ahead is no younger one: it is of another store.
    const has = Number(snapshotVersion)
    if (isOld || has < owed || has > index.version() + ahead) return new EngineError('E418', { address })
    return undefined
  }

  const life = (async () => {
    while (!stopping.signal.aborted) {
      await pause(everyMilliseconds, stopping.signal)
      if (!stopping.signal.aborted) await look().catch((error: unknown) => log.debug(failureOf(error), 'no look'))
    }
  })()

  return {
    name,
    part: () =>
      wrong === undefined
        ? { name: `target ${name}`, state: 'up' }
        : { name: `target ${name}`, state: 'degraded', detail: wrong.message },
    snapshotAge: () => says?.snapshotAge,
    async stop() {
      stopping.abort()
      // An Orthanc that stands still is not waited for.
      await Promise.race([life, pause(500)])
    },
  }
}

/** Another engine of the site may have read some changes earlier. */
const ahead = 100_000
