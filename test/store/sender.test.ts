/** From which machine a message came is a part of it: whenever it is judged again, it is judged as it was. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadSite, type Site } from '../../src/config/site.ts'
import type { Store } from '../../src/core/ports.ts'
import { aSite, changed, smallSite } from '../config/a-site.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { createDesk, type Desk } from './replay-desk.ts'
import { openStore } from './support.ts'

const rooms = `    ScheduledStationAETitle:
      - { value: ROOM3, when: 'machine == "10.1.2.3"' }
      - { value: ROOM4, when: 'machine == "10.1.2.4"' }
      - { value: NOROOM }`

function siteByMachine(): Site {
  const pipeline = changed('pipelines/orders/pipeline.yaml', '    ScheduledStationAETitle: step.station', rooms)
  const text = pipeline['pipelines/orders/pipeline.yaml']?.replace(
    'tables:',
    'let: { machine: sender.address }\ntables:',
  )
  const folder = aSite({ ...smallSite, 'pipelines/orders/pipeline.yaml': text ?? '' })
  const { site, problems } = loadSite({ env: {}, cwd: folder.cwd })
  folder.remove()
  if (site === undefined) throw new Error(JSON.stringify(problems))
  return site
}

const site = siteByMachine()
const hand = { by: 'jo', reason: 'a test', force: false }

let redis: TestRedis
let store: Store
let desk: Desk
beforeEach(async () => {
  redis = await startRedis()
  store = await openStore(redis.path)
  desk = createDesk(store, site)
})
afterEach(async () => {
  await store.close()
  await redis.stop()
})

const order = (accession: string, code = 'CTABD') =>
  [
    String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M${accession}|P|2.3.1`,
    'PID|1||4711^^^HOSP||Doe^Jane||19800214|F',
    `ORC|NW|P${accession}|F${accession}`,
    `OBR|1|P${accession}|F${accession}|${code}^CT||||||||||||||${accession}|RP1|SPS1||||||||||||||||20260302101500`,
    '',
  ].join('\r')

async function roomOf(accession: string): Promise<string | undefined> {
  const found = await store.findOrders({ accessionNumber: accession, limit: 1 })
  return found.items[0]?.steps[0]?.stations[0]
}

test('I3: an order takes effect as it was judged when it came, in another process and after a restart', async () => {
  await desk.receive(order('A3'), '10.1.2.3')
  await desk.receive(order('A4'), '10.1.2.4')
  const id = await desk.receive(order('A0'))
  await store.close()
  store = await openStore(redis.path)
  desk = createDesk(store, site)
  await desk.drain()
  expect(await Promise.all(['A3', 'A4', 'A0'].map(roomOf))).toEqual(['ROOM3', 'ROOM4', 'NOROOM'])
  expect(await store.message(id)).not.toHaveProperty('sender')
})

test('I4, I8: a replay and an edit are of the machine that sent the message', async () => {
  const id = await desk.receive(order('A4', 'WRONG'), '10.1.2.4')
  expect(await desk.state(id)).toMatchObject({ kind: 'invalid' })
  const edit = { kind: 'fields', set: [{ path: 'OBR-4.1', value: 'CTABD' }] } as const
  const went = await desk.replayer.edit(id, edit, hand)
  expect(went).toMatchObject({ outcome: 'applied' })
  expect(await roomOf('A4')).toBe('ROOM4')
  expect(await store.message(went.id)).toMatchObject({ editOf: id, sender: '10.1.2.4' })
  const again = await desk.replayer.preview(went.id)
  expect(again).toMatchObject({ outcome: 'already-applied', differences: [] })
  expect(await desk.replayer.replay(went.id, { ...hand, force: true })).toMatchObject({ state: { kind: 'applied' } })
  expect(await roomOf('A4')).toBe('ROOM4')
})

test('kept messages say from which machine they came', async () => {
  await desk.receive(order('A3'), '10.1.2.3')
  await desk.receive(order('A0'))
  const { items } = await store.traffic({ limit: 10 })
  expect(items.map(({ sender }) => sender)).toEqual(['10.1.2.3', undefined])
  const { items: listed } = await store.messages({ limit: 10 })
  expect(listed.map(({ sender }) => sender)).toEqual([undefined, '10.1.2.3'])
})
