import { expect, test } from 'vitest'
import { changedStudies } from '../../../connectors/orthanc/missing.ts'

const since = '2026-10-16T08:00:00.000Z'

/** An Orthanc that deletes studies between two questions, and one in the middle of an answer. */
function orthanc(ids: string[], deletions: Readonly<Record<number, readonly string[]>>, inAnswer?: string) {
  let asked = 0
  return {
    studies(from: number, limit: number) {
      asked += 1
      for (const id of deletions[asked] ?? []) ids.splice(ids.indexOf(id), 1)
      const page = ids.slice(from, from + limit)
      if (inAnswer !== undefined && page.includes(inAnswer)) {
        ids.splice(ids.indexOf(inAnswer), 1)
        page.splice(page.indexOf(inAnswer), 1)
      }
      return Promise.resolve(page.map((id) => ({ id, isStable: true, lastUpdate: since })))
    },
  }
}

const all = (count: number): string[] => Array.from({ length: count }, (_, at) => `S${at}`)

test.each([0, 1, 99, 100, 101, 250])('%i studies are listed once each', async (count) => {
  expect(await changedStudies(orthanc(all(count), {}), since)).toEqual(all(count))
})

test('I6: studies that are deleted while all are listed hide no other', async () => {
  const found = await changedStudies(orthanc(all(250), { 2: ['S3', 'S4'], 3: ['S99'] }), since)
  expect(found).toEqual(expect.arrayContaining(all(250).filter((id) => !['S3', 'S4', 'S99'].includes(id))))
})

test('I6: a study that is deleted in the middle of an answer does not end the list', async () => {
  const found = await changedStudies(orthanc(all(250), {}, 'S50'), since)
  expect(found).toEqual(all(250).filter((id) => id !== 'S50'))
})
