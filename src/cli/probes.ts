import { createSender } from '../../connectors/mllp/index.ts'
import { createFolderTarget, createOrthancClient, createPluginTarget } from '../../connectors/orthanc/index.ts'
import type { Log } from '../core/ports.ts'
import { writePart10 } from '../dicom/part10.ts'
import type { Probe, ProbesOf } from './check.ts'
import { redisProbe } from './probe-redis.ts'

const older = 'worklane.py is older than this engine: nobody hears of deletions and jobs'
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** What `check --live` asks: every endpoint that the site names. */
export const probesOf: ProbesOf = ({ settings }) => {
  const probes: Probe[] = settings.redisUrl === '' ? [] : [redisProbe(settings.redisUrl)]
  for (const orthanc of settings.orthancs) {
    const client = createOrthancClient({ ...orthanc, timeoutSeconds: 4 })
    probes.push({
      endpoint: orthanc.name,
      address: orthanc.url,
      ask: async () => `Orthanc ${(await client.system()).version}`,
    })
    const { name, target, worklistDir } = orthanc
    if (target === 'plugin') {
      const plugin = createPluginTarget({ name, client })
      probes.push({
        endpoint: `${name} plugin`,
        address: orthanc.url,
        async ask() {
          await plugin.probe()
          const { hints = [], isOlder = false } = (await client.pluginStatus()) ?? {}
          if (isOlder) return ['answers C-FIND', ...hints, older].join('; ')
          return ['answers C-FIND', ...hints].join('; ')
        },
      })
    }
    if (target === 'folder') {
      const folder = createFolderTarget({ name, dir: worklistDir, part10: writePart10 })
      probes.push({
        endpoint: `${name} folder`,
        address: worklistDir,
        ask: async () => folder.probe().then(() => 'can be written'),
      })
    }
  }
  for (const destination of settings.destinations) {
    if (destination.port === 0) continue
    probes.push({
      endpoint: destination.name,
      address: `${destination.host}:${destination.port}`,
      async ask() {
        const sender = createSender({ destination: { ...destination, acknowledgmentSeconds: 4 }, log: silent })
        try {
          await sender.probe()
          return 'takes connections'
        } finally {
          await sender.close()
        }
      },
    })
  }
  return probes
}
