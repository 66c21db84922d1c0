import { createChangeFeed, createFolderTarget, createOrthancClient } from '../../connectors/orthanc/index.ts'
import type { OrthancSettings } from '../core/settings.ts'
import { writePart10 } from '../dicom/part10.ts'
import { watchPlugin, type PluginWatch } from '../flow/plugin-watch.ts'
import { createPublisher, type Publisher } from '../flow/publish.ts'
import { createWatch, type Watch } from '../flow/watch.ts'
import type { WorklistIndex } from '../flow/worklist-index.ts'
import type { Ground } from './ground.ts'

export type NamedPublisher = Publisher & { readonly name: string }

/** Those that do not ask for the worklist: each change is brought to them. */
export function pushed(orthancs: readonly OrthancSettings[]): readonly OrthancSettings[] {
  return orthancs.filter(({ target }) => target === 'folder')
}

export function createPublishers(ground: Ground): readonly NamedPublisher[] {
  const { settings, inForce, store, jobs, clock, log, metrics, later } = ground
  return pushed(settings.orthancs).map((orthanc) => {
    const { name, worklistDir: dir } = orthanc
    const publisher = createPublisher({
      target: createFolderTarget({ name, dir, part10: writePart10 }),
      get retry() {
        return inForce.retry(orthanc)
      },
      store,
      jobs,
      clock,
      log,
      metrics,
    })
    later(() => publisher.stop())
    return { name, ...publisher }
  })
}

/** Reads what happens in each Orthanc. */
export function watchOrthancs(ground: Ground): readonly Watch[] {
  const { settings, inForce, store, jobs, clock, log, metrics } = ground
  return settings.orthancs.map((orthanc) => {
    const client = createOrthancClient(orthanc)
    return createWatch({
      source: createChangeFeed({ name: orthanc.name, client, feeds: store, inbox: store, clock, log }),
      inbox: store,
      get retry() {
        return inForce.retry(orthanc)
      },
      log,
      metrics,
      clock,
      wake: () => jobs.wake('drain'),
    })
  })
}

/** Looks whether our plugin in each Orthanc that has it asks this site. */
export function watchPlugins({ settings, log, later }: Ground, index: WorklistIndex): readonly PluginWatch[] {
  return settings.orthancs
    .filter(({ target }) => target === 'plugin')
    .map((orthanc) => {
      const client = createOrthancClient(orthanc)
      const { address } = client
      const watch = watchPlugin({ name: orthanc.name, address, status: () => client.pluginStatus(), index, log })
      later(() => watch.stop())
      return watch
    })
}
