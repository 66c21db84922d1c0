import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { worklane } from '../../src/cli/worklane.ts'
import { runVerb } from '../cli/an-io.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { openStore } from '../store/support.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, freePort } from '../support/temporary.ts'

/** Two engines on one Redis, with an Orthanc and a RIS: whichever delivers, both know what is held. */
let redis: TestRedis
let hospital: Hospital
let second: EngineProcess
beforeAll(async () => {
  const port = await freePort()
  redis = await startRedis({ aof: true, settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  const redisUrl = `redis://127.0.0.1:${port}`
  const env = { TZ: 'Europe/Berlin' }
  hospital = await startHospital({ redisUrl, env })
  const { orthanc, ris } = hospital
  second = await startEngineProcess({ orthancUrl: orthanc.httpUrl, risPort: ris.port, quietSeconds: 1, redisUrl, env })
})
afterAll(async () => {
  await second.kill()
  await hospital.end()
  await redis.stop()
})

/** The command line of the person at this engine. */
async function at(engine: EngineProcess, ...args: string[]): Promise<string> {
  const { httpPort, dataDir, token } = engine
  const env = {
    WORKLANE_HTTP_PORT: String(httpPort),
    WORKLANE_DATA_DIR: dataDir,
    WORKLANE_TOKEN: token,
    USER: 'ada',
  }
  const { code, stdout, stderr } = await runVerb(worklane, args, { cwd: resolve(import.meta.dirname, '../..'), env })
  if (code !== 0) throw new Error(`${args.join(' ')}: ${code} ${stderr}`)
  return stdout
}

async function scan(accession: string): Promise<void> {
  const item = await eventually(async () => (await hospital.found(accession))[0], `${accession} is shown`)
  await hospital.scan(item)
}

const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
const order = (accession: string, fields: Parameters<Hospital['order']>[0] = {}) =>
  hospital.order({ accession, controlId: `C-${accession}`, name: 'Muster^Erika', start: `${today}2330`, ...fields })

test('worklane story: from the first message to the last status, each line with its time, cause and message', async () => {
  expect(await order('TALE')).toBe('AA')
  expect(await order('TALE', { control: 'XO', controlId: 'C-TALE-2', patientId: '9999^^^HOSP^MR' })).toBe('AA')
  expect(await order('TALE', { control: 'ZZ', controlId: 'C-TALE-3' })).toBe('AA')
  expect(await order('TALE', { patientId: '', controlId: 'C-TALE-4' })).toBe('AE')
  await scan('TALE')
  await eventually(() => hospital.ris.of('TALE').length === 2, 'the RIS is told of beginning and end')
  const text = await eventually(async () => {
    const told = await at(second, 'story', 'TALE')
    return told.match(/ris took it: AA/g)?.length === 2 ? told : undefined
  }, 'both are acknowledged')
  const [head = '', ...lines] = text.split('\n')
  expect(head).toMatch(/^order O\d+-\d+ {2}accession TALE {2}placer .* study [\d.]+/)
  expect(text).toMatch(/images +matched +orthanc\/[\da-f-]+: CT 1 series with 1 image/)

  const events = lines.filter((line) => /^\d{4}-/.test(line))
  const patterns = [
    /message +M\d+ +C-TALE +ORM\^O01 came from ris-orders, answered AA: applied$/,
    /message +M\d+ +C-TALE +NW.* created: 1 SCHEDULED$/,
    /message +M\d+ +C-TALE-2 +ORM\^O01 came from ris-orders, answered AA: dead letter \(E602\)$/,
    /message +M\d+ +C-TALE-3 +ORM\^O01 came from ris-orders, answered AA: ignored \(.+\)$/,
    /message +M\d+ +C-TALE-4 +ORM\^O01 came from ris-orders, answered AE: refused \(E\d+\)$/,
    /images +- +- +images in study orthanc\/[\da-f-]+: CT 1 series with 1 image$/,
    /images +- +- +started by images: 1 STARTED$/,
    /images +- +W\S+ +ris is to be told started/,
    /answer +- +W\S+ +ris took it: AA$/,
    /deadline +- +- +completed by quiet/,
    /deadline +- +W\S+ +ris is to be told completed/,
    /answer +- +W\S+ +ris took it: AA$/,
  ]
  const places = patterns.map((pattern, n) => {
    const after = n === patterns.length - 1 ? events.length - 1 : events.findIndex((line) => pattern.test(line))
    return pattern.test(events[after] ?? '') ? after : `${String(pattern)} not in\n${text}`
  })
  expect(places).toEqual([...places].sort((a, b) => Number(a) - Number(b)))
  for (const line of events) expect(line).toMatch(/^[\d-]{10} [\d:.]{12} \+0[12]:00 {2}\d{13}/)
  expect(text).not.toMatch(/Muster|Erika/)

  // By any of its numbers, and as JSON.
  const [told] = JSON.parse(await at(hospital.engine, 'story', 'P-TALE', '--json')) as [
    { order: { id: string }; timeZone: string; lines: { messageId?: string }[] },
  ]
  expect(told.timeZone).toBe('Europe/Berlin')
  expect(await at(second, 'story', told.order.id)).toBe(await at(second, 'story', 'F-TALE'))
  await expect(at(second, 'story', 'NOBODY')).rejects.toThrow('No order and no message has this number.')
})

test('steps that have expired are listed by one command', async () => {
  expect(await order('NOSHOW')).toBe('AA')
  const found = '/api/orders?accession=NOSHOW'
  const listed = () => second.api<{ items: { id: string }[] }>(found)
  const orderId = await eventually(async () => (await listed()).items[0]?.id, 'the order is there')
  // As retention does when nobody has come for long.
  const store = await openStore(redis.path)
  const command = { kind: 'expire', orderId } as const
  await store.acceptManual({ by: 'retention', reason: 'orderDays', command, at: new Date().toISOString() })
  await store.close()
  await eventually(async () => (await at(second, 'items', '--step-status', 'EXPIRED')).includes('NOSHOW'), 'it expired')
  expect((await second.api<{ items: object[] }>(`${found}&stepStatus=EXPIRED`)).items).toHaveLength(1)
})

test('a paused destination is told nothing, through kills of every engine, and then everything in its order', async () => {
  const said = await at(second, 'pause', 'ris', '--reason', 'RIS update')
  expect(said).toMatch(/^ris is paused by ada since .*; 0 messages waiting\.\n$/)
  for (const accession of ['HELD1', 'HELD2']) {
    expect(await order(accession)).toBe('AA')
    await scan(accession)
  }
  const waiting = async (engine: EngineProcess): Promise<number> => {
    const { items } = await engine.api<{ items: { name: string; state: string; waiting: number }[] }>(
      '/api/destinations',
    )
    expect(items).toMatchObject([{ name: 'ris', state: 'paused' }])
    return items[0]?.waiting ?? 0
  }
  await eventually(async () => (await waiting(hospital.engine)) === 4, 'both exams have begun and ended')
  const before = hospital.ris.told.length

  for (const engine of [hospital.engine, second]) await engine.crash()
  for (const engine of [hospital.engine, second]) await engine.restart()
  for (const engine of [hospital.engine, second]) {
    expect(await waiting(engine)).toBe(4)
    const health = await engine.api<{ ready: boolean; parts: object[] }>('/health/ready')
    const part = { name: 'destination ris', state: 'degraded', detail: 'Paused by ada, 4 waiting.' }
    expect(health.parts).toContainEqual(expect.objectContaining(part))
  }
  expect(await second.api<string>('/metrics')).toContain('outbox_paused{destination="ris"} 1')
  // Whoever delivers has looked by now: the sweep wakes it each second, and this exam has come after the restart.
  expect(await order('HELD3')).toBe('AA')
  await scan('HELD3')
  await eventually(async () => (await waiting(second)) === 6, 'another exam waits too')
  expect(hospital.ris.told).toHaveLength(before)

  expect(await at(hospital.engine, 'resume', 'ris')).toMatch(/^ris is not paused; /)
  await eventually(() => hospital.ris.told.length === before + 6, 'all is told')
  for (const accession of ['HELD1', 'HELD2', 'HELD3']) expect(hospital.ris.of(accession)).toEqual(['SC/IP', 'SC/CM'])
  const story = await at(second, 'story', 'HELD1')
  expect(story).toMatch(/by hand +- +- +ris was paused, by ada, because: RIS update\n/)
  expect(story).toMatch(/by hand +- +- +ris was resumed, by ada\n/)
  expect(await at(second, 'destinations')).toMatch(/ris +delivering +0 +- /)
  await expect(at(second, 'pause', 'nobody', '--reason', 'x')).rejects.toThrow('There are: ris.')
  await expect(at(second, 'pause', 'ris')).rejects.toThrow('--reason is missing')
})
