import { createSender } from '../../connectors/mllp/index.ts'
import { EngineError } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'
import type { DestinationSettings } from '../core/settings.ts'
import type { Probe, ProbesOf } from './check.ts'
import { folderProbe } from './probe-folder.ts'
import { pluginProbe, rivalProbe, systemProbe } from './probe-orthanc.ts'
import { redisProbe } from './probe-redis.ts'
import { worklistProbe } from './probe-worklist.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** What `check --live` asks: every endpoint that the site names. */
export const probesOf: ProbesOf = ({ settings }, options = {}) => {
  const probes: Probe[] = settings.redisUrl === '' ? [] : [redisProbe(settings.redisUrl)]
  for (const orthanc of settings.orthancs) {
    probes.push(systemProbe(orthanc))
    if (orthanc.target === 'plugin') probes.push(pluginProbe(orthanc))
    if (orthanc.target === 'folder') probes.push(folderProbe(orthanc), rivalProbe(orthanc))
    // Where the engine brings nothing, somebody else serves the worklist, or nobody.
    if (orthanc.target !== 'none') probes.push(worklistProbe(orthanc, settings.defaults.stationAeTitle, options))
  }
  for (const destination of settings.destinations) {
    if (destination.port !== 0) probes.push(receiverProbe(destination, options.destinations))
  }
  return probes
}

/** A connection is made and nothing is sent: what it answers to messages, the engine that runs has seen. */
function receiverProbe(
  destination: DestinationSettings,
  said: (name: string) => Promise<string | undefined> = async () => undefined,
): Probe {
  const { name, host, port } = destination
  return {
    endpoint: name,
    address: `${host}:${port}`,
    async ask() {
      const sender = createSender({ destination: { ...destination, acknowledgmentSeconds: 4 }, log: silent })
      try {
        await sender.probe()
        const trouble = await said(name)
        const warnings = trouble === undefined ? [] : [new EngineError('E432', { name, said: trouble })]
        return {
          detail: 'takes connections; its answers are seen when messages are sent (worklane destinations)',
          warnings,
        }
      } finally {
        await sender.close()
      }
    },
  }
}
