import { expect, test } from 'vitest'
import type { FlowMetrics } from '../../src/flow/metrics.ts'
import type { HttpMetrics } from '../../src/http/server.ts'
import { collect, type Collected } from '../../src/observe/collect.ts'
import { createMetrics } from '../../src/observe/metrics.ts'

const paused = { by: 'night shift', reason: 'RIS update', since: '2026-10-16T08:14:40.000Z' }
const told = {
  destination: 'ris',
  queued: 9,
  waiting: 2,
  delivered: 5,
  dead: 1,
  discarded: 1,
  oldest: '2026-10-16T08:14:30.000Z',
}
const states = { waiting: 1, applied: 5, ignored: 2, invalid: 1, dead: 1 }
const counts = { source: 'ris-orders', received: 10, oldestSeconds: 3, ...states }
const collected: Collected = {
  store: {
    counters: () => Promise.resolve({ sources: [counts], destinations: [told], notices: new Map([['E602', 2]]) }),
    applied: () => Promise.resolve(7),
    pending: (after) =>
      Promise.resolve([{ kind: 'deadline', seq: after + 1, at: '2026-10-16T08:14:57.500Z', subject: 's', due: '' }]),
    paused: (endpoint) => Promise.resolve(endpoint === 'ris' ? paused : undefined),
    cursor: (orthanc) =>
      Promise.resolve(
        orthanc === 'new' ? undefined : { seq: 42, identity: 'x', caughtUpAt: '2026-10-16T08:14:50.000Z' },
      ),
    dirty: () => Promise.resolve([{ id: 'O1-0-1-CT1', version: 1 }]),
    memory: () => Promise.resolve({ used: 1000, limit: 0 }),
  },
  destinations: ['ris', 'archive'],
  orthancs: ['orthanc', 'new'],
  targets: ['folder'],
  parts: () =>
    Promise.resolve([
      { name: 'store', state: 'up' },
      { name: 'orthanc', state: 'degraded' },
      { name: 'ris', state: 'down' },
    ]),
  clock: () => '2026-10-16T08:15:00.000Z',
}

test('what the store holds is read at the scrape', async () => {
  const metrics = createMetrics({ process: false })
  collect(metrics, collected)
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  expect(lines.filter((line) => !/_(bucket|sum|count)/.test(line))).toEqual([
    'engine_clock_jumps_total 0',
    'messages_total{source="ris-orders"} 10',
    'outbox_queued_total{destination="ris"} 9',
    'outbox_delivered_total{destination="ris"} 5',
    'outbox_discarded_total{destination="ris"} 1',
    'notices_raised_total{code="E602"} 2',
    'messages{source="ris-orders",state="waiting"} 1',
    'messages{source="ris-orders",state="applied"} 5',
    'messages{source="ris-orders",state="ignored"} 2',
    'messages{source="ris-orders",state="invalid"} 1',
    'messages{source="ris-orders",state="dead"} 1',
    'messages_oldest_seconds{source="ris-orders"} 3',
    'inbox_stalled 0',
    'inbox_oldest_seconds 2.5',
    'outbox_waiting{destination="ris"} 2',
    'outbox_waiting{destination="archive"} 0',
    'outbox_oldest_seconds{destination="ris"} 30',
    'outbox_oldest_seconds{destination="archive"} 0',
    'outbox_dead{destination="ris"} 1',
    'outbox_dead{destination="archive"} 0',
    'outbox_paused{destination="ris"} 1',
    'outbox_paused{destination="archive"} 0',
    'target_dirty_items{target="folder"} 1',
    'orthanc_feed_lag_seconds{orthanc="orthanc"} 10',
    'orthanc_feed_position{orthanc="orthanc"} 42',
    'engine_part_up{part="store"} 1',
    'engine_part_up{part="orthanc"} 0.5',
    'engine_part_up{part="ris"} 0',
    'store_memory_bytes{kind="used"} 1000',
    'store_memory_bytes{kind="limit"} 0',
  ])
})

test('while the store is away, what needs no store is still shown', async () => {
  const metrics = createMetrics({ process: false })
  const away = () => Promise.reject(new Error('away'))
  collect(metrics, { ...collected, store: { ...collected.store, counters: away, memory: away } })
  const text = await metrics.text()
  expect(text).toContain('engine_part_up{part="ris"} 0\n')
  expect(text).not.toMatch(/^messages\{|^outbox_waiting\{/m)
})

test('one registry serves the flow and HTTP', async () => {
  const metrics = createMetrics({ process: false })
  const flow: FlowMetrics = metrics
  const http: HttpMetrics = metrics
  flow.count('messages_received_total', { source: 'ris-orders' })
  http.count('http_requests_total', { route: '/metrics', status: '200' })
  const text = await http.text()
  expect(text).toContain('engine_messages_received_total{source="ris-orders"} 1\n')
  expect(text).toContain('engine_http_requests_total{route="/metrics",status="200"} 1\n')
})
