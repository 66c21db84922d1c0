import { expect, test } from 'vitest'
import { order } from '../../support/message.ts'
import { eventually } from '../../support/temporary.ts'
import { makeImage, storeImages } from '../../support/dcmtk.ts'
import { orthancFrozen, orthancRecreated, orthancStopped, orthancSwapped } from './orthanc.ts'
import { startWorld } from './world.ts'
import { insist } from './wire.ts'

test('Orthanc is stopped, frozen, and started with another database; each time the engine hears of what is stored after it', async () => {
  const world = await startWorld()
  try {
    const [engine] = world.engines
    if (engine === undefined) throw new Error('no engine')
    const { orthanc, ris } = world
    const studies = async (): Promise<number> =>
      ((await (await fetch(`${orthanc.httpUrl}/studies`)).json()) as readonly string[]).length
    const scan = async (accession: string): Promise<void> => {
      const tags = { AccessionNumber: accession, PatientID: '4711', PatientName: 'Doe^Jane^Q^^Dr', Modality: 'CT' }
      await storeImages(orthanc.dicomPort, [await makeImage({ dir: orthanc.dir, tags })])
      await eventually(
        () => ris.frames.some((frame) => frame.accession === accession && frame.orderStatus === 'SC/IP'),
        `the RIS hears of ${accession}`,
        60,
      )
    }
    const cases = [
      { fault: orthancStopped, during: 'refuses', kept: true },
      { fault: orthancFrozen, during: 'silent', kept: true },
      { fault: orthancRecreated, during: 'empty', kept: false },
      { fault: orthancSwapped, during: 'empty', kept: true },
    ]
    for (const [at, { fault, during, kept }] of cases.entries()) {
      const accession = `O${at}`
      expect((await insist(engine.line.port, order({ accession }))).code).toBe('AA')
      await scan(accession)
      const before = await studies()
      const { heal } = await fault.inject(world, () => 0)
      if (during === 'empty') expect(await studies()).toBe(0)
      else {
        const asked = fetch(`${orthanc.httpUrl}/system`, { signal: AbortSignal.timeout(500) })
        await expect(asked).rejects.toThrow(during === 'refuses' ? 'fetch failed' : 'timeout')
      }
      await heal()
      expect(await studies()).toBe(kept ? before : 0)
      expect((await insist(engine.line.port, order({ accession: `P${at}` }))).code).toBe('AA')
      await scan(`P${at}`)
    }
  } finally {
    await world.end()
  }
})
