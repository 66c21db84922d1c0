import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/**
 * Where each case of "which images belong to which order, and when it is over" is tested
 * with a real Orthanc and real images: the case, the file, the beginning of the test's name.
 */
const cases: readonly (readonly [string, string, string])[] = [
  // Matching per series
  ['Request Attributes Sequence (every item)', 'images-and-orders', 'Request Attributes Sequence: every item'],
  ['Study Instance UID + modality/station', 'images-and-orders', 'Study Instance UID + modality/station: of the steps'],
  ['accession + issuer + patient', 'images-and-orders', 'accession + issuer + patient: an issuer %s'],
  ['accession + issuer + patient', 'images-and-orders', 'accession + issuer + patient: the same Patient ID of another'],
  ['mismatch', 'images-and-orders', 'I11: mismatch: the study of one order under the accession number'],
  ['mismatch', 'images-and-orders', 'mismatch: images under a Patient ID that was mistyped start nothing'],
  ['ambiguous', 'images-and-orders', 'ambiguous: two orders that nothing tells apart'],
  ['ambiguous', 'images-and-orders', 'ambiguous: the study of one order under the accession number of another one'],
  ['ambiguous', 'images-and-orders', 'ambiguous: what nothing tells apart, of an exam that goes on'],
  ['unmatched', 'images-and-orders', 'unmatched: images of a patient who has another order'],
  ['non-image modalities', 'images-and-orders', 'non-image modalities (SR, KO, PR, DOC, SEG, OT) neither start'],
  [
    'group case (one acquisition, several orders: MESA 106)',
    'images-and-orders',
    'MESA 106, the group case: one acquisition, two orders',
  ],
  ['PET/CT (two steps, one UID)', 'images-and-orders', 'PET/CT: two steps, one UID'],
  ['append and late images', 'images-and-orders', 'append and late images: what comes before the end'],
  ['images split over two studies', 'images-and-orders', 'images split over two studies, of a modality'],
  ['a study deleted', 'images-and-orders', 'a study deleted: the exam goes on'],
  ['anonymised or modified copies', 'images-and-orders', 'anonymised or modified copies and uploads'],
  ['anonymised or modified copies', 'images-and-orders', 'anonymised or modified copies are of no exam where'],
  ['anonymised or modified copies', 'images-and-orders', 'modified copies that are forwarded by C-STORE'],
  ["Orthanc's Origin metadata", '../e2e/rules-of-the-site', 'what comes by HTTP %s'],
  ['an order after its images', 'images-and-orders', 'an order after its images: it is born STARTED'],
  ['an order after its images', 'round-trip', 'an order that comes after its images is never shown'],
  [
    'a modality that made its own UID',
    'images-and-orders',
    'images split over two studies, of a modality that made its own UID',
  ],
  ['a merge between order and images', 'images-and-orders', 'images under the %s Patient ID are of the order'],
  ['a merge between order and images', 'images-and-orders', 'images under the new Patient ID before the merge'],
  ['a merge between order and images', '../e2e/merged-patient', 'RAD-12: A40 over MLLP changes the patient'],
  ['a second Orthanc holding a copy', 'images-and-orders', 'a second Orthanc holding a copy, forwarded by C-STORE'],
  ['a second Orthanc holding a copy', 'images-and-orders', 'a second Orthanc holding a copy: one IP, one CM'],
  // Completion
  ['quiet, stable', 'end-of-exam', 'CT ends by silence, MR when Orthanc calls its study stable'],
  ['ris', 'end-of-exam', 'XA ends when the RIS says so'],
  ['mpps', 'end-of-exam', 'RAD-6, RAD-7: US begins and ends as its modality says'],
  ['per modality and station', 'when-it-is-over', 'policies per modality and station'],
  ['timers survive restarts', 'end-of-exam', 'the time that an exam waits survives the engine'],
  ['timers survive restarts', 'when-it-is-over', 'a timer that ended while the engine was away'],
  ['new images restart them', 'when-it-is-over', 'new images restart the timer'],
  ['discontinued when a CA comes after the first image', 'when-it-is-over', 'discontinued when a CA comes after'],
  ['no-show and expiry', 'when-it-is-over', 'expiry of steps never started'],
  ['no-show and expiry', 'when-it-is-over', 'images for a step that has expired start nothing'],
  // Events
  ['all 19 change types', '../e2e/orthanc-changes', 'I6: each of the 19 change types of Orthanc reaches the engine'],
  ['durable, in order, without doubles', '../e2e/orthanc-changes', 'I6: killed engines and killed Orthancs lose none'],
  ['lost StableStudy', '../connectors/orthanc/feed', 'a StableStudy that it lost by stopping is made good'],
  ['a recreated database', '../connectors/orthanc/feed', 'a database made anew is read from its start'],
  ['a status pipeline can listen to any of them', '../e2e/status-forms', 'two RIS are told of their own orders'],
  ['derived events', 'derived-events', 'started, stable, completed, lateImages, deleted: one exam'],
  ['derived events', 'derived-events', 'canceled, reopened, discontinued: by hand'],
  ['derived events', 'derived-events', 'unmatched, ambiguous, mismatch: once for each study'],
  ['derived events', 'derived-events', 'expired: nobody came'],
  // Told and corrected
  ['held while a destination is paused', '../e2e/story', 'a paused destination is told nothing'],
  ['complete, cancel, reopen, link, unlink', '../e2e/by-hand', 'an exam is completed and opened again by hand'],
  ['the story of one order', '../e2e/story', 'worklane story: from the first message to the last status'],
]

test('each case is a test that runs', () => {
  const missing = cases.filter(([, file, name]) => {
    const lines = readFileSync(join(import.meta.dirname, `${file}.test.ts`), 'utf8').split('\n')
    const runs = lines.filter((line) => !/\.(skip|todo|only)\b/.test(line))
    return !runs.some((line) => line.includes(`'${name}`))
  })
  expect(missing).toEqual([])
})
