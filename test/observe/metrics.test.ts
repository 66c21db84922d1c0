import { expect, test } from 'vitest'
import { createMetrics } from '../../src/observe/metrics.ts'
import { metrics as declared } from '../../src/observe/names.ts'

const create = () => createMetrics({ process: false, collectMilliseconds: 50 })

test('counts, times and sets what is declared', async () => {
  const metrics = create()
  metrics.count('messages_received_total', { source: 'ris-orders' })
  metrics.count('messages_received_total', { source: 'ris-orders' }, 2)
  metrics.observe('apply_duration_seconds', 0.004)
  metrics.set('build_info', 1, { version: '1.2.3', node: 'v24' })
  const text = await metrics.text()
  expect(text).toContain('engine_messages_received_total{source="ris-orders"} 3\n')
  expect(text).toContain('engine_apply_duration_seconds_bucket{le="0.005"} 1\n')
  expect(text).toContain('engine_apply_duration_seconds_bucket{le="0.0025"} 0\n')
  expect(text).toContain('build_info{version="1.2.3",node="v24"} 1\n')
})

test('a collected gauge is read at each scrape, and labels that are gone are gone', async () => {
  const metrics = create()
  let waiting: Record<string, number> = { ris: 3, pacs: 1 }
  metrics.collect('outbox_waiting', () =>
    Object.entries(waiting).map(([destination, value]) => ({ labels: { destination }, value })),
  )
  expect(await metrics.text()).toMatch(/outbox_waiting\{destination="ris"\} 3\noutbox_waiting\{destination="pacs"\} 1/)
  waiting = { ris: 0 }
  const later = await metrics.text()
  expect(later).toContain('outbox_waiting{destination="ris"} 0\n')
  expect(later).not.toContain('pacs')
})

test('a collector that fails or hangs leaves its gauge out, and only that', async () => {
  const metrics = create()
  metrics.collect('outbox_waiting', () => Promise.reject(new Error('away')))
  metrics.collect('mllp_connections', () => new Promise(() => {}))
  metrics.collect('messages', () => {
    throw new Error('away')
  })
  metrics.collect('worklist_items', () => [{ labels: { step_status: 'SCHEDULED' }, value: 5 }])
  const text = await metrics.text()
  expect(text).toContain('worklist_items{step_status="SCHEDULED"} 5\n')
  expect(text).not.toMatch(/^outbox_waiting\{|^engine_mllp_connections\{|^messages\{/m)
})

test('a counter of the store is shown as the store has it, and as a counter', async () => {
  const metrics = create()
  let stored = 7
  metrics.collect('messages_total', () => [{ labels: { source: 'ris' }, value: stored }])
  expect(await metrics.text()).toMatch(/# TYPE messages_total counter\nmessages_total\{source="ris"\} 7\n/)
  stored = 9
  expect(await metrics.text()).toContain('messages_total{source="ris"} 9\n')
})

test('a label that is not declared is refused', () => {
  expect(() => create().count('acknowledgments_total', { patient: 'x' })).toThrow('patient')
})

test('the process itself is measured too', async () => {
  expect(await createMetrics().text()).toMatch(/^process_resident_memory_bytes \d+/m)
})

test('names follow the conventions: totals are counters, seconds are seconds, labels are not about people (I9)', () => {
  const labels = new Set<string>()
  for (const [name, { type, labels: own, help }] of Object.entries(declared)) {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect({ name, isTotal: name.endsWith('_total') }).toEqual({ name, isTotal: type === 'counter' })
    if (type === 'timer') expect(name).toMatch(/_seconds$/)
    expect(help).toMatch(/\.$/)
    for (const label of own) labels.add(label)
  }
  const known = [
    'source',
    'code',
    'kind',
    'endpoint',
    'destination',
    'result',
    'target',
    'orthanc',
    'event',
    'route',
    'status',
    'state',
  ]
  expect([...labels].filter((label) => !known.includes(label))).toEqual([
    'step_status',
    'reason',
    'part',
    'version',
    'node',
    'pipeline',
    'plan',
  ])
})
