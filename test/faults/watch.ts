import { setTimeout as pause } from 'node:timers/promises'
import { FindFailed, findWorklist } from '../support/dcmtk.ts'
import type { World } from './inject/index.ts'
import type { ListedItem } from './observe.ts'

/** Looks on while things fail: what may never be seen, not even for a moment. */
export interface Watch {
  /** What was seen and must not be. */
  readonly wrong: readonly string[]
  /** C-FINDs that succeeded after Orthanc had a snapshot with the order that is always there. */
  finds(): number
  end(): Promise<void>
}

/**
 * `always`: an order that is served from before the first fault to the end. Once a modality has seen it and the
 * plugin's snapshot is younger than that, no query may succeed without it (I10). An item's version never goes back
 * in one engine (I5).
 */
export function watch({ world, always }: { readonly world: World; readonly always: string }): Watch {
  const wrong: string[] = []
  const ending = new AbortController()
  let finds = 0
  const modality = world.worklistDir === undefined ? look(asksWorklist()) : Promise.resolve()
  const reader = look(readsVersions())
  return {
    wrong,
    finds: () => finds,
    async end() {
      ending.abort()
      await Promise.all([modality, reader])
    },
  }

  async function look(once: () => Promise<void>): Promise<void> {
    while (!ending.signal.aborted) {
      await once()
      await pause(600, undefined, { signal: ending.signal }).catch(() => undefined)
    }
  }

  function asksWorklist(): () => Promise<void> {
    let seenAt: number | undefined
    let isKept = false
    return async () => {
      const asked = performance.now()
      const found = await find()
      if (found === undefined) return
      if (found === 0 && isKept) wrong.push(`C-FIND: succeeded without ${always}, which was there all the time`)
      if (isKept) finds += 1
      else if (seenAt !== undefined) isKept = await isYounger(seenAt)
      else if (found > 0) seenAt = asked
    }
  }

  async function find(): Promise<number | undefined> {
    const { dicomPort: port, aet } = world.orthanc
    try {
      return (await findWorklist({ port, aet, keys: [`AccessionNumber=${always}`] })).length
    } catch (error) {
      if (error instanceof FindFailed) return undefined
      throw error
    }
  }

  /** Whether the plugin has fetched its snapshot since, as Orthanc says. */
  async function isYounger(moment: number): Promise<boolean> {
    const path = `${world.orthanc.httpUrl}/worklane/status`
    const status = await fetch(path, { signal: AbortSignal.timeout(1500) })
      .then((answer) => answer.json() as Promise<{ readonly snapshot?: { readonly ageSeconds?: number | null } }>)
      .catch(() => undefined)
    const age = status?.snapshot?.ageSeconds ?? Number.POSITIVE_INFINITY
    return age + 0.5 < (performance.now() - moment) / 1000
  }

  function readsVersions(): () => Promise<void> {
    const newest = new Map<string, number>()
    return async () => {
      for (const { name, process } of world.engines) {
        const headers = { authorization: `Bearer ${process.token}` }
        const page = await fetch(`${process.httpUrl}/api/worklist?limit=200`, {
          headers,
          signal: AbortSignal.timeout(1500),
        })
          .then((answer) =>
            answer.ok ? (answer.json() as Promise<{ readonly items: readonly ListedItem[] }>) : undefined,
          )
          .catch(() => undefined)
        for (const { id, version } of page?.items ?? []) {
          const before = newest.get(`${name} ${id}`) ?? 0
          if (version < before) wrong.push(`${name}: item ${id} went back from version ${before} to ${version}`)
          newest.set(`${name} ${id}`, Math.max(before, version))
        }
      }
    }
  }
}
