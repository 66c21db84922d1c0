import { expect, test } from 'vitest'
import { makeImage, storeImages } from '../../support/dcmtk.ts'
import { order } from '../../support/message.ts'
import { eventually } from '../../support/temporary.ts'
import { clockJumps } from './clock-jumps.ts'
import type { EngineInWorld, World } from './types.ts'
import { startWorld } from './world.ts'
import { insist } from './wire.ts'

const quietSeconds = 4

test.each(clockJumps)('$name: the engine notices, no exam ends before its quiet time, and each ends', async (fault) => {
  const world = await startWorld({ engine: { quietSeconds } })
  try {
    // Without a C compiler there is no clock of Redis to set.
    if (!fault.fits(world)) return
    const [engine] = world.engines as [EngineInWorld]
    const { process, line, clock } = engine
    const told = (accession: string, orderStatus: string): number | undefined =>
      world.ris.frames.find((frame) => frame.accession === accession && frame.orderStatus === orderStatus)?.at
    for (const accession of ['BEFORE', 'BEHIND', 'AHEAD', 'AFTER'])
      expect((await insist(line.port, order({ accession }))).code).toBe('AA')

    await scan(world, 'BEFORE')
    await eventually(() => told('BEFORE', 'SC/IP'), 'the exam has begun')
    const jumpAt = performance.now()
    const { heal } = await fault.inject(world, () => 0)
    await eventually(() => process.lines().some(({ code }) => code === 'E681'), 'the engine notices')
    const shown = process.lines().find(({ code }) => code === 'E681')?.['seconds'] as number
    expect(Math.round(shown / 60)).toBe(clock.offsetSeconds() / 60)

    // While nobody knows what else was stored, no exam ends: its next image may wait in Orthanc.
    await scan(world, 'BEHIND')
    await eventually(() => told('BEHIND', 'SC/IP'), 'the second exam has begun')
    world.rest.setTrouble({ kind: 'down' }, () => 0)
    await scan(world, 'BEHIND')
    const lastImage = performance.now()
    world.rest.setTrouble({ kind: 'none' }, () => 0)

    const ends = async (accession: string): Promise<unknown> =>
      eventually(() => told(accession, 'SC/CM'), `${accession} ends`, 60)
    await Promise.all([ends('BEFORE'), ends('BEHIND')])
    // What is scanned by the clock that is wrong still waits when it is put right, and ends all the same.
    const scannedAt = performance.now()
    await scan(world, 'AHEAD')
    await eventually(() => told('AHEAD', 'SC/IP'), 'the third exam has begun')
    await heal()
    await scan(world, 'AFTER')
    await Promise.all([ends('AHEAD'), ends('AFTER')])
    expect(told('AHEAD', 'SC/CM')).toBeGreaterThan(scannedAt + quietSeconds * 1000)
    expect(told('BEFORE', 'SC/CM')).toBeGreaterThan(jumpAt + quietSeconds * 1000)
    expect(told('BEHIND', 'SC/CM')).toBeGreaterThan(lastImage + quietSeconds * 1000)
    const completed = world.ris.frames.filter(({ orderStatus }) => orderStatus === 'SC/CM')
    expect(completed.map(({ accession }) => accession).toSorted()).toEqual(['AFTER', 'AHEAD', 'BEFORE', 'BEHIND'])
  } finally {
    await world.end()
  }
})

test.each(clockJumps.filter(({ name }) => name.includes('machine')))(
  'I3: $name while the engine that applies orders is frozen: another takes over all the same',
  async (fault) => {
    const world = await startWorld({ engines: 2, engine: { logLevel: 'debug' } })
    try {
      if (!fault.fits(world)) return
      const isDrainer = ({ process }: EngineInWorld): boolean =>
        process.lines().findLast(({ event, role }) => role === 'drain' && /^role (taken|lost)$/.test(event ?? ''))
          ?.event === 'role taken'
      const drainer = await eventually(() => world.engines.find(isDrainer), 'one engine applies orders')
      const other = world.engines.find((engine) => engine !== drainer) as EngineInWorld
      drainer.process.freeze()
      const jump = await fault.inject(world, () => 0)
      expect((await insist(other.line.port, order({ accession: 'LATER' }))).code).toBe('AA')
      const applied = async (): Promise<boolean> =>
        (await other.process.api<{ total: number }>('/api/messages?state=applied&limit=1')).total === 1
      await eventually(applied, 'the other applies it')
      await jump.heal()
      drainer.process.thaw()
    } finally {
      await world.end()
    }
  },
)

async function scan({ orthanc }: World, accession: string): Promise<void> {
  const tags = { AccessionNumber: accession, PatientID: '4711', PatientName: 'Doe^Jane^Q^^Dr', Modality: 'CT' }
  await storeImages(orthanc.dicomPort, [await makeImage({ dir: orthanc.dir, tags })])
}
