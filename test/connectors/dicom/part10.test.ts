import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Dataset } from '../../../src/core/dataset.ts'
import { writePart10 } from '../../../src/dicom/part10.ts'
import { itemDataset } from '../../dicom/items.ts'
import { temporaryFolder } from '../../support/temporary.ts'

/** Our files as DCMTK reads them: the library that Orthanc and wlmscpfs are built on. */
let folder: ReturnType<typeof temporaryFolder>
beforeAll(() => void (folder = temporaryFolder()))
afterAll(() => folder.remove())

function written(name: string, dataset: Dataset): string {
  const path = join(folder.path, `${name}.wl`)
  writeFileSync(path, writePart10(dataset))
  return path
}

interface Element {
  readonly vr: string
  readonly Value?: readonly unknown[]
}

const asJson = (path: string): Record<string, Element> =>
  JSON.parse(execFileSync('dcm2json', [path], { encoding: 'utf8' })) as Record<string, Element>

test('a file is a DICOM file, and is read without a warning', () => {
  const path = written('plain', itemDataset({ request: { PregnancyStatus: 3, Allergies: ['Latex', 'Nüsse'] } }))
  expect(execFileSync('dcmftest', [path], { encoding: 'utf8' })).toContain('yes:')
  // Standard error goes with it: a warning would show.
  const dump = execFileSync('sh', ['-c', 'dcmdump "$1" 2>&1', 'sh', path], { encoding: 'utf8' })
  expect(dump).toContain('FINDModalityWorklist')
  expect(dump).not.toMatch(/^[WEF]: /m)
})

test.each([
  ['Latin', 'Müller^Jörg^Åsa^Dr', { Alphabetic: 'Müller^Jörg^Åsa^Dr' }],
  ['Cyrillic', 'Иванов^Иван', { Alphabetic: 'Иванов^Иван' }],
  [
    'Japanese',
    'Yamada^Tarou=山田^太郎=やまだ^たろう',
    { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' },
  ],
  ['ideographic only', '=山田^太郎', { Ideographic: '山田^太郎' }],
  ['beyond the basic plane', '𠮷田^一', { Alphabetic: '𠮷田^一' }],
])('a %s name arrives as it was', (script, name, groups) => {
  expect(asJson(written(script, itemDataset({ patient: { PatientName: name } })))['00100010']).toEqual({
    vr: 'PN',
    Value: [groups],
  })
})

test('values of the greatest length, empty ones and items of sequences arrive as they were', () => {
  const path = written(
    'values',
    itemDataset({
      patient: { PatientID: 'ä'.repeat(64), OtherPatientIDsSequence: [{ PatientID: '1' }, { PatientID: '2' }] },
      request: { AccessionNumber: 'Ü'.repeat(16), PatientComments: 'line 1\r\nC:\\ü', PregnancyStatus: '' },
      station: 'SIXTEEN CHARS AE',
    }),
  )
  const json = asJson(path)
  expect(json['00100020']?.Value).toEqual(['ä'.repeat(64)])
  expect(json['00080050']?.Value).toEqual(['Ü'.repeat(16)])
  expect(json['00104000']?.Value).toEqual(['line 1\r\nC:\\ü'])
  expect(json['001021C0']).toEqual({ vr: 'US' })
  expect(json['00101002']?.Value).toHaveLength(2)
  const step = (json['00400100']?.Value?.[0] ?? {}) as Record<string, Element>
  expect(step['00400001']?.Value).toEqual(['SIXTEEN CHARS AE'])
  expect(step['00400010']).toEqual({ vr: 'SH' })
})
