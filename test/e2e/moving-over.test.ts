import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { root } from '../docs/pages.ts'
import { startHospital } from '../support/hospital.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

/** The shipped site, for whose orders this destination is told. */
function siteFile(folder: string, destination: string): string {
  const document = parseDocument(readFileSync(join(root, 'config/worklane.yaml'), 'utf8'))
  document.setIn(['folders', 'pipelines'], join(root, 'pipelines'))
  document.setIn(['folders', 'tables'], join(root, 'config/tables'))
  document.setIn(['sources', 0, 'destination'], destination)
  const file = join(folder, `${destination}.yaml`)
  writeFileSync(file, String(document))
  return file
}

test('an engine that listened beside another one serves nobody and tells nobody; after the switch it has all orders', async () => {
  const folder = temporaryFolder()
  undo.push(() => folder.remove())
  const hospital = await startHospital({
    env: { WORKLANE_CONFIG: siteFile(folder.path, 'none'), WORKLANE_ORTHANC_TARGET: 'none' },
  })
  undo.push(() => hospital.end())
  const { engine } = hospital
  const states = async (): Promise<readonly string[]> => {
    const { items } = await engine.api<{
      items: readonly { dataset: { AccessionNumber?: string }; stepStatus: string }[]
    }>('/api/worklist')
    return items.map(({ dataset, stepStatus }) => `${dataset.AccessionNumber} ${stepStatus}`).toSorted()
  }
  const study = (n: number): string => `1.2.826.0.1.3680043.10.1234.8.${n}`
  const image = (n: number) => ({
    PatientID: '4711',
    PatientName: 'Doe^Jane',
    AccessionNumber: `TRIAL-${n}`,
    StudyInstanceUID: study(n),
  })
  for (const n of [1, 2, 3])
    expect(await hospital.order({ accession: `TRIAL-${n}`, studyInstanceUid: study(n) })).toBe('AA')
  await hospital.store(image(1))
  await eventually(async () => (await states())[0] === 'TRIAL-1 COMPLETED', 'the first exam is over')
  expect(await states()).toEqual(['TRIAL-1 COMPLETED', 'TRIAL-2 SCHEDULED', 'TRIAL-3 SCHEDULED'])
  expect(hospital.ris.told).toEqual([])

  await engine.restart({ WORKLANE_CONFIG: siteFile(folder.path, 'ris'), WORKLANE_ORTHANC_TARGET: 'plugin' })
  await eventually(async () => (await hospital.worklist()).length === 2, 'what is open is on the worklist')
  await hospital.store(image(2))
  await eventually(() => hospital.ris.of('TRIAL-2').includes('SC/CM'), 'the RIS is told')
  expect(hospital.ris.of('TRIAL-2')).toEqual(['SC/IP', 'SC/CM'])
  expect(hospital.ris.of('TRIAL-1')).toEqual([])
})
