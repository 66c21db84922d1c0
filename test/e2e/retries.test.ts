import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { worklane } from '../../src/cli/worklane.ts'
import { runVerb } from '../cli/an-io.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import type { Answer } from '../support/ris.ts'
import { eventually, freePort } from '../support/temporary.ts'

/** Two engines on one Redis, and a RIS that goes away for a while in every way. */
let redis: TestRedis
let hospital: Hospital
let second: EngineProcess
let answer: Answer = 'AA'
beforeAll(async () => {
  const port = await freePort()
  redis = await startRedis({ aof: true, settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  const redisUrl = `redis://127.0.0.1:${port}`
  const settings = {
    'destinations.0.acknowledgmentSeconds': 1,
    'destinations.0.retry.firstSeconds': 0.2,
    'destinations.0.retry.openAfter': 3,
  }
  hospital = await startHospital({ redisUrl, settings, ris: { answer: () => answer } })
  const { orthanc, ris } = hospital
  second = await startEngineProcess({
    orthancUrl: orthanc.httpUrl,
    risPort: ris.port,
    quietSeconds: 1,
    redisUrl,
    settings,
  })
})
afterAll(async () => {
  await second.kill()
  await hospital.end()
  await redis.stop()
})

interface Shown {
  readonly state: string
  readonly circuit: string
  readonly waiting: number
  readonly silent?: { readonly since: string; readonly failures: number; readonly code: string; readonly next: string }
}

const engines = (): readonly EngineProcess[] => [hospital.engine, second]

async function shown(engine: EngineProcess): Promise<Shown> {
  const { items } = await engine.api<{ items: readonly Shown[] }>('/api/destinations')
  return items[0] as Shown
}

/** What each engine says of the RIS, once all of them say so. */
function allSay(what: string, is: (one: Shown) => boolean): Promise<readonly Shown[]> {
  return eventually(async () => {
    const said = await Promise.all(engines().map(shown))
    return said.every(is) ? said : undefined
  }, what)
}

const failures = ({ silent }: Shown): number => silent?.failures ?? 0

test('I7: a RIS that is silent, then closed, through a restart of both engines: tried as by one, and then told all once and in order', async () => {
  const accessions = ['GONE1', 'GONE2', 'GONE3']
  answer = 'silence'
  for (const accession of accessions) expect(await hospital.order({ accession })).toBe('AA')
  for (const accession of accessions) {
    const item = await eventually(async () => (await hospital.found(accession))[0], `${accession} is shown`)
    await hospital.scan(item)
  }
  const [one, other] = await allSay(
    'the circuit is open, and all is owed',
    (say) => say.waiting === 6 && say.circuit !== 'closed' && failures(say) >= 3,
  )
  expect(one?.silent).toMatchObject({ code: 'E702', since: other?.silent?.since })
  const said = await Promise.all(
    engines().map(({ httpPort, token }) =>
      runVerb(worklane, ['destinations'], {
        cwd: resolve(import.meta.dirname, '../..'),
        env: { WORKLANE_HTTP_PORT: String(httpPort), WORKLANE_TOKEN: token },
      }),
    ),
  )
  for (const { stdout } of said)
    expect(stdout).toMatch(
      /\nris +silent +6 +\S+ +[\d smin]+ +0 +0 +(half-)?open +\S+Z +E702, \d+ failures since \S+Z\n/,
    )

  // Both engines together try one message at a time, and each try is in the one plan.
  const tried = hospital.ris.told.length
  const counted = Math.max(...(await Promise.all(engines().map(shown))).map(failures))
  expect(new Set(hospital.ris.told.map(({ controlId }) => controlId)).size).toBe(1)
  expect(tried).toBeLessThanOrEqual(counted + 1)

  await hospital.ris.pause()
  for (const engine of engines()) await engine.crash()
  for (const engine of engines()) await engine.restart()
  const after = await allSay('the plan goes on', (say) => failures(say) > counted && say.silent?.code === 'E701')
  for (const { silent } of after) expect(silent?.since).toBe(one?.silent?.since)
  const circuits = await Promise.all(engines().map((engine) => engine.api<string>('/metrics')))
  for (const text of circuits)
    expect(text).toMatch(/^engine_endpoint_circuit\{kind="destination",endpoint="ris"\} [12]$/m)

  answer = 'AA'
  const before = hospital.ris.told.length
  await hospital.ris.resume()
  await allSay('all is told', (say) => say.waiting === 0 && say.state === 'delivering' && say.circuit === 'closed')
  const taken = hospital.ris.told.slice(before)
  expect(taken.every((message) => message.answer === 'AA')).toBe(true)
  expect(taken).toHaveLength(6)
  expect(new Set(taken.map(({ controlId }) => controlId)).size).toBe(6)
  for (const accession of accessions)
    expect(taken.filter((told) => told.accession === accession).map(({ orderStatus }) => orderStatus)).toEqual([
      'SC/IP',
      'SC/CM',
    ])

  const lines = engines().flatMap((engine) => engine.lines())
  const times = (event: string): number => lines.filter((line) => line.event === event).length
  expect([
    times('destination does not take messages'),
    times('circuit opened'),
    times('circuit closed'),
    times('destination takes messages again'),
  ]).toEqual([1, 1, 1, 1])
})

test('an Orthanc that is away is shown with its next attempt, and its circuit closes when it is back', async () => {
  const part = async (
    engine: EngineProcess,
  ): Promise<{ readonly state: string; readonly detail?: string } | undefined> =>
    (
      await engine.api<{ parts: readonly { name: string; state: string; detail?: string }[] }>('/health/ready')
    ).parts.find(({ name }) => name === 'orthanc orthanc')
  process.kill(hospital.orthanc.pid, 'SIGKILL')
  const opened = await eventually(async () => {
    const said = await Promise.all(engines().map(part))
    const isOpen = said.findIndex((one) => /tried again at \S+Z; circuit (half-)?open\.$/.test(one?.detail ?? ''))
    return engines()[isOpen]
  }, 'it is said to be away')
  await hospital.orthanc.restart()
  await eventually(
    async () =>
      (await part(opened))?.state === 'up' &&
      /^engine_endpoint_circuit\{kind="orthanc",endpoint="orthanc"\} 0$/m.test(await opened.api<string>('/metrics')),
    'it is read again by who knew it away',
  )
})
