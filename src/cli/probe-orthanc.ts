/** What an Orthanc says of itself over REST: its version, its clock, its plugins. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createOrthancClient, createPluginTarget } from '../../connectors/orthanc/index.ts'
import { createGet } from '../../connectors/orthanc/http.ts'
import { EngineError } from '../core/errors/index.ts'
import type { OrthancSettings } from '../core/settings.ts'
import type { Probe } from './check.ts'

const clockSeconds = 5

/** The plugin needs a second to look again. */
const lookMilliseconds = 1500

export function systemProbe(orthanc: OrthancSettings, now: () => number = Date.now): Probe {
  const where = { ...orthanc, timeoutSeconds: 4 }
  const client = createOrthancClient(where)
  const get = createGet(where)
  return {
    endpoint: orthanc.name,
    address: client.address,
    async ask() {
      const { version } = await client.system()
      const seconds = skew(await get('/tools/now').catch(() => undefined), now())
      const warnings =
        Math.abs(seconds) < clockSeconds ? [] : [new EngineError('E426', { address: client.address, seconds })]
      return { detail: `Orthanc ${version}`, warnings }
    },
  }
}

/** `20261123T151217`, which is UTC and of whole seconds; 0 where it cannot be told. */
function skew(answer: string | undefined, now: number): number {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(answer ?? '') ?? []
  const [year, month = 1, date, hours, minutes, seconds] = parts.map(Number)
  if (year === undefined) return 0
  return Math.round((Date.UTC(year, month - 1, date, hours, minutes, seconds) - now) / 1000)
}

export function pluginProbe(orthanc: OrthancSettings): Probe {
  const client = createOrthancClient({ ...orthanc, timeoutSeconds: 4 })
  const { address } = client
  const plugin = createPluginTarget({ name: orthanc.name, client })
  const look = async () => {
    await plugin.probe()
    return (await client.pluginStatus()) ?? { hints: [], isOlder: false }
  }
  return {
    endpoint: `${orthanc.name} plugin`,
    address,
    async ask() {
      // What it says of the engine it saw some seconds ago, and being asked it looks again: one that is just back is not blamed.
      const first = await look().catch((error: unknown) => {
        if (error instanceof EngineError && error.code === 'E411') return undefined
        throw error
      })
      const isAway = first === undefined || first.hints.some((hint) => /\bengine\b/.test(hint))
      if (isAway) await sleep(lookMilliseconds)
      const { hints, isOlder } = isAway ? await look() : first
      const warnings = hints.map((hint) => new EngineError('E431', { address, hint }))
      if (isOlder) warnings.push(new EngineError('E430', { address }))
      return { detail: 'asks the engine', warnings }
    },
  }
}

/** Where Orthanc's own plugin is to serve the folder, and ours is loaded too: one of the two gets no query. */
export function rivalProbe(orthanc: OrthancSettings): Probe {
  const client = createOrthancClient({ ...orthanc, timeoutSeconds: 4 })
  const { address } = client
  return {
    endpoint: `${orthanc.name} plugins`,
    address,
    async ask() {
      const plugins = await client.plugins()
      if ((await client.pluginStatus()) !== undefined)
        throw new EngineError('E428', { address, said: 'worklane.py and the one that serves the folder' })
      const encoding = await client.defaultEncoding()
      if (encoding !== undefined && encoding !== 'Utf8') throw new EngineError('E408', { address, encoding })
      return plugins.includes('worklists') || plugins.includes('orthanc-worklists')
        ? 'serves worklists of a folder'
        : 'has no plugin named worklists'
    },
  }
}
