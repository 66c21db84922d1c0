import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { adt, order, orderBytes } from '../support/message.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, freePort } from '../support/temporary.ts'

/** Values that are nowhere else: found in a log, they came from a patient. */
const patient = {
  name: 'Xylophonowski^Zebedeus',
  patientId: '7390518264^^^HOSP^MR',
  birthDate: '19270613',
  procedure: 'ZQVNOTE^Kryptonitallergie^99HOSP',
}
const secrets = /xylophonowski|zebedeus|739051826[45]|19270613|kryptonitallergie|geheimstrasse/i

let redis: TestRedis
let hospital: Hospital
beforeAll(async () => {
  const port = await freePort()
  redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  hospital = await startHospital({
    redisUrl: `redis://127.0.0.1:${port}`,
    logLevel: 'debug',
    target: 'folder',
    ris: { answer: (_, { orderStatus }) => (orderStatus === 'SC/IP' ? 'AE' : 'AA') },
  })
})
afterAll(async () => {
  await hospital.end()
  await redis.stop()
})

test('I9: no log line, metric, health answer or queued job holds anything of a patient, whatever went wrong', async () => {
  const given = { ...patient, extra: ['NTE|1||Geheimstrasse 7, Kryptonitallergie'] }
  // What goes well, what is refused in each of its ways, what is dead, and what Redis, Orthanc and the RIS refuse.
  expect(await hospital.order({ ...given, accession: 'P1' })).toBe('AA')
  expect(await hospital.order({ ...given, accession: 'P2', birthDate: '1927-06-13 Xylophonowski' })).toBe('AE')
  expect(await hospital.order({ ...given, accession: 'P3', type: 'DFT^P03' })).toBe('AR')
  expect(await hospital.order({ ...given, accession: 'P4', modality: 'XYLOPHONOWSKI' })).toBe('AE')
  expect(await hospital.order({ ...given, accession: 'P5', charset: 'Zebedeus', name: 'Zebedeus' })).not.toBe('none')
  await hospital.send(Buffer.from(order({ ...given, accession: 'P6' }).replace('MSH|', 'XSH|Zebedeus|')))
  await hospital.send(Buffer.concat([orderBytes({ ...given, accession: 'P7' }), Buffer.from([0xff, 0xfe])]))
  await hospital.order({ ...given, accession: 'P8', placer: 'P-P8^CPOE', filler: 'F-P8^RIS' })
  await hospital.order({ ...given, control: 'XO', accession: 'P9', placer: 'P-P1^CPOE', filler: 'F-P8^RIS' })
  await eventually(
    async () => (await hospital.engine.api<{ total: number }>('/api/dead-letters')).total === 1,
    'the crossed numbers are a dead letter',
  )
  const item = await eventually(async () => (await hospital.found('P1'))[0], 'P1 is shown')
  await hospital.scan(item, {
    PatientID: '7390518264X',
    PatientName: 'Xylophonowski^Other',
    InstitutionName: 'Zebedeus',
  })
  await eventually(() => hospital.engine.logs().includes('someone should look'), 'the contradiction is raised')
  const other = await eventually(async () => (await hospital.found('P8'))[0], 'P8 is shown')
  await hospital.scan(other)
  await eventually(() => hospital.ris.of('P8').includes('SC/CM'), 'the exam is told')
  const old = '7390518265^^^HOSP^MR'
  for (const text of [
    adt({ ...patient, event: 'A08' }),
    adt({ ...patient, event: 'A40', prior: old }),
    adt({ ...patient, event: 'A40', prior: '' }),
    adt({ event: 'A40', patientId: old, prior: patient.patientId }),
  ])
    await hospital.send(Buffer.from(text))
  await hospital.order({ ...given, patientId: old, accession: 'P11' })
  await eventually(() => hospital.engine.logs().includes('E630'), 'the merge that contradicts is raised')
  await fetch(`${hospital.engine.httpUrl}/api/worklist?patientId=7390518264`)
  await fetch(`${hospital.engine.httpUrl}/api/Xylophonowski%5EZebedeus?name=Xylophonowski`)
  const wrong = await fetch(`${hospital.engine.httpUrl}/api/worklist?date=Xylophonowski`, {
    headers: { authorization: `Bearer ${hospital.engine.token}` },
  })
  await redis.kill()
  await hospital.order({ ...given, accession: 'P10' }).catch(() => undefined)
  await eventually(() => hospital.engine.logs().includes('listener paused'), 'the listener is closed')
  await redis.restart()

  expect(hospital.engine.lines().length).toBeGreaterThan(30)
  expect(found(hospital.engine.logs())).toEqual([])
  const answers = [await textOf('/metrics'), await textOf('/health/ready'), await wrong.text()]
  for (const answer of answers) expect(found(answer)).toEqual([])
  const client = new Redis({ path: redis.path })
  try {
    const [queued, stored] = [await textsOf(client, 'wlq:*'), await textsOf(client, 'wl:*')]
    expect(queued.length, 'there is something to look at').toBeGreaterThan(0)
    expect(found(queued.join('\n'))).toEqual([])
    expect(stored.join('\n'), 'the store has it: these values can be found').toMatch(secrets)
  } finally {
    client.disconnect()
  }
})

/** Lines with something of the patient. */
const found = (text: string): readonly string[] => text.split('\n').filter((line) => secrets.test(line))

async function textOf(path: string): Promise<string> {
  return (await fetch(`${hospital.engine.httpUrl}${path}`)).text()
}

/** Names and values of all keys that match. */
async function textsOf(client: Redis, pattern: string): Promise<readonly string[]> {
  const texts: string[] = []
  for (const key of await client.keys(pattern)) {
    const value = await valueOf(client, key)
    texts.push(`${key} ${JSON.stringify(value)}`)
  }
  return texts
}

async function valueOf(client: Redis, key: string): Promise<unknown> {
  switch (await client.type(key)) {
    case 'string':
      return client.get(key)
    case 'hash':
      return client.hgetall(key)
    case 'list':
      return client.lrange(key, 0, -1)
    case 'set':
      return client.smembers(key)
    case 'zset':
      return client.zrange(key, '0', '-1')
    case 'stream':
      return client.xrange(key, '-', '+')
    default:
      return undefined
  }
}
