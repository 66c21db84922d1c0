import { EngineError } from '../../src/core/errors/index.ts'
import type { WorklistTarget } from '../../src/core/ports.ts'
import type { OrthancClient } from './client.ts'

/**
 * Orthanc with plugin/worklane.py, which asks the engine at each C-FIND: there is
 * nothing to bring, and nothing is held. `probe` says whether a modality would get an answer.
 */
export function createPluginTarget({
  name = 'plugin',
  client,
  encoding = 'Utf8',
}: {
  readonly name?: string
  readonly client: OrthancClient
  /** DefaultEncoding that Orthanc is expected to have. */
  readonly encoding?: string
}): WorklistTarget {
  const { address } = client
  return {
    name,
    bring: () => Promise.resolve(),
    held: nothing,
    async probe() {
      // A plugin that failed to load is a line in Orthanc's log, and Orthanc goes on without worklists.
      if (!(await client.plugins()).includes('python')) throw new EngineError('E405', { address })
      const status = await client.pluginStatus()
      if (status === undefined) throw new EngineError('E405', { address })
      if (!status.isAsked) throw new EngineError('E414', { address })
      if (!status.engineReachable) throw new EngineError('E411', { address, reason: status.detail })
      const found = await client.defaultEncoding()
      if (found !== undefined && found !== encoding) throw new EngineError('E408', { address, encoding: found })
    },
  }
}

async function* nothing(): AsyncIterable<never> {}
