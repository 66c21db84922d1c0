import { expect, test } from 'vitest'
import { makeImage, storeImages } from '../../support/dcmtk.ts'
import { order } from '../../support/message.ts'
import { eventually } from '../../support/temporary.ts'
import { risFaults } from './peers.ts'
import { startWorld } from './world.ts'
import { insist } from './wire.ts'

test('I7: through everything that the RIS does, each status is told until it is taken, in order, and what is refused is kept', async () => {
  const world = await startWorld()
  try {
    const [engine] = world.engines
    if (engine === undefined) throw new Error('no engine')
    const { orthanc, ris } = world
    const taken = (accession: string): readonly string[] => [
      ...new Set(
        ris.frames
          .filter((frame) => frame.accession === accession && frame.accepted && frame.mode === 'take')
          .map((frame) => frame.orderStatus),
      ),
    ]
    for (const [at, fault] of risFaults.entries()) {
      const accession = `R${at}`
      expect((await insist(engine.line.port, order({ accession }))).code).toBe('AA')
      const { what, heal } = await fault.inject(world, () => 0)
      const from = ris.frames.length
      const tags = { AccessionNumber: accession, PatientID: '4711', PatientName: 'Doe^Jane^Q^^Dr', Modality: 'CT' }
      await storeImages(orthanc.dicomPort, [await makeImage({ dir: orthanc.dir, tags })])
      const waiting = async (): Promise<number> =>
        (await engine.process.api<{ items: { waiting: number }[] }>('/api/destinations')).items[0]?.waiting ?? 0
      if (what === 'closed') await eventually(async () => (await waiting()) > 0, 'it waits for the RIS')
      else await eventually(() => ris.frames.length > from, `the RIS (${what}) hears of it`)
      expect(ris.frames.slice(from).every(({ mode }) => mode === what)).toBe(true)
      await heal()
      // AE ends a message for good: it is a dead letter, and what comes after it is told.
      const expected = what === 'AE' ? ['SC/CM'] : ['SC/IP', 'SC/CM']
      await eventually(() => taken(accession).includes('SC/CM'), `the RIS (${what}) is told all of it`, 60)
      expect(taken(accession)).toEqual(expected)
    }
  } finally {
    await world.end()
  }
})
