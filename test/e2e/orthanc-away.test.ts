import { afterEach, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { FindFailed } from '../support/dcmtk.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { startRedis } from '../support/redis.ts'
import { eventually, freePort } from '../support/temporary.ts'

let hospital: Hospital
afterEach(() => hospital.end())

const shown = (accession: string): Promise<Dataset> =>
  eventually(async () => (await hospital.found(accession))[0], `${accession} is shown`)

test('while Orthanc is away orders are taken; when it is back they are shown and exams are told', async () => {
  hospital = await startHospital()
  process.kill(hospital.orthanc.pid, 'SIGKILL')
  await eventually(async () => {
    const { ready, parts } = await hospital.engine.api<{
      ready: boolean
      parts: readonly { name: string; state: string }[]
    }>('/health/ready')
    return ready && parts.some(({ name, state }) => name === 'orthanc orthanc' && state === 'down')
  }, 'the engine says that Orthanc is away, and takes messages')
  expect(await hospital.order({ accession: 'B1' })).toBe('AA')
  await hospital.orthanc.restart()
  await hospital.scan(await shown('B1'))
  await eventually(() => hospital.ris.of('B1').includes('SC/CM'), 'the exam is told')
  expect(hospital.ris.of('B1')).toEqual(['SC/IP', 'SC/CM'])
})

test('I6: images that came while the engine was away are told when it is back', async () => {
  hospital = await startHospital()
  await hospital.order({ accession: 'B2' })
  const item = await shown('B2')
  await hospital.engine.crash()
  await hospital.scan(item)
  await hospital.engine.restart()
  await eventually(() => hospital.ris.of('B2').includes('SC/CM'), 'the exam is told')
  expect(hospital.ris.of('B2')).toEqual(['SC/IP', 'SC/CM'])
})

test('I10: while the engine is away the last worklist is shown; without one the query fails, never an empty list', async () => {
  hospital = await startHospital({ orthancEnv: { WORKLANE_SNAPSHOT_SECONDS: '1' } })
  await hospital.order({ accession: 'B3', name: 'Kept^Name' })
  const live = await shown('B3')
  await eventually(() => snapshotHolds(1), 'the plugin has its snapshot')

  hospital.engine.freeze()
  expect(await hospital.worklist()).toEqual([live])
  hospital.engine.thaw()

  await hospital.engine.crash()
  const kept = await hospital.worklist()
  expect(kept).toEqual([live])
  expect(await hospital.worklist('AccessionNumber=NOBODY')).toEqual([])

  // A plugin that has never seen this engine knows nothing: another Orthanc, another snapshot.
  await hospital.orthanc.restart({ WORKLANE_SNAPSHOT_PATH: `${hospital.orthanc.dir}/no-snapshot-yet` })
  await expect(hospital.worklist()).rejects.toThrow(FindFailed)

  await hospital.engine.restart()
  await hospital.order({ accession: 'B4' })
  await eventually(async () => (await hospital.worklist().catch(() => [])).length === 2, 'both are shown live')
})

test('I10: while Redis is away the worklist is shown as it was', async () => {
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  try {
    hospital = await startHospital({ redisUrl: `redis://127.0.0.1:${port}` })
    await hospital.order({ accession: 'B5' })
    const live = await shown('B5')
    await redis.kill()
    await eventually(
      async () => (await fetch(`${hospital.engine.httpUrl}/health/ready`)).status === 503,
      'it is noticed',
    )
    expect(await hospital.worklist()).toEqual([live])
  } finally {
    await redis.stop()
  }
})

async function snapshotHolds(count: number): Promise<boolean> {
  const response = await fetch(`${hospital.orthanc.httpUrl}/worklane/status`)
  const { snapshot } = (await response.json()) as { snapshot: { count: number } }
  return snapshot.count === count
}
