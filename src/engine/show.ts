import type { PartHealth } from '../core/ports.ts'
import { circuits } from '../flow/circuits.ts'
import { collect } from '../observe/collect.ts'
import type { Ground } from './ground.ts'
import type { Parts } from './parts.ts'
import { version } from './this-process.ts'

/** What an engine shows of itself at each scrape, beside what its flows count. */
export function show(
  { settings, inForce, store, clock, metrics }: Ground,
  { inbox, index, sources, destinations: { deliverers }, publishers, watches, plugins }: Parts,
  parts: () => Promise<readonly PartHealth[]>,
): void {
  collect(metrics, {
    store,
    destinations: [...deliverers.keys()],
    orthancs: settings.orthancs.map(({ name }) => name),
    targets: publishers.map(({ name }) => name),
    parts,
    clock,
  })
  metrics.collect('inbox_stalled', () => [{ value: inbox.stalled() ? 1 : 0 }])
  metrics.collect('worklist_items', () =>
    [...index.counts()].map(([status, value]) => ({ labels: { step_status: status }, value })),
  )
  metrics.collect('worklist_items_hidden', () =>
    [...index.hidden()].map(([reason, value]) => ({ labels: { reason }, value })),
  )
  metrics.collect('plugin_snapshot_seconds', () =>
    plugins.flatMap(({ name, snapshotAge }) => {
      const value = snapshotAge()
      return value === undefined ? [] : [{ labels: { orthanc: name }, value }]
    }),
  )
  metrics.collect('mllp_connections', () =>
    sources.opened.map(({ source, listener }) => ({
      labels: { source: source.name },
      value: listener.connections(),
    })),
  )
  metrics.collect('endpoint_circuit', () => circuits({ store, deliverers, watches, publishers }))
  metrics.set('build_info', 1, { version: version.worklane, node: version.node })
  metrics.collect('pipeline_info', () =>
    inForce.site().pipelines.map(({ name, from, kind }) => {
      const plan = kind !== 'status' ? (inForce.plans.get(from)?.id ?? '') : ''
      return { labels: { pipeline: name, plan: plan.slice(0, 8) }, value: 1 }
    }),
  )
  metrics.collect('configuration_info', () => [{ labels: { version: inForce.site().version }, value: 1 }])
}
