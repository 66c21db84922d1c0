/** A second Orthanc, and copies in one: what was seen once is not seen again. */
import { describe, expect, test } from 'vitest'
import type { SeriesFacts } from '../../src/core/order.ts'
import { createStory, statuses, type Story } from './support.ts'

const images: Partial<SeriesFacts> = { studyInstanceUid: '1.1', accessionNumber: 'A1' }
const order = { numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.1' } }

const main = (story: Story, more: Partial<SeriesFacts> = {}, event: 'seen' | 'stable' | 'deleted' = 'seen'): void =>
  story.images({ ...images, ...more }, event, 'main')
/** The archive has identifiers of its own. */
const archive = (story: Story, more: Partial<SeriesFacts> = {}, event: 'seen' | 'stable' | 'deleted' = 'seen'): void =>
  story.images({ ...images, study: 'copy-1', series: 'copy', ...same(more), ...more }, event, 'archive')
const same = ({ seriesInstanceUid = '1.2.1' }: Partial<SeriesFacts>): Partial<SeriesFacts> => ({ seriesInstanceUid })

describe('a second Orthanc holding a copy', () => {
  test('is recorded and credited like the first, and starts nothing', () => {
    const story = createStory()
    story.message(order)
    main(story)
    archive(story)
    const credit = { kind: 'matched', orderIds: [story.order().id] }
    expect([story.study()?.credit, story.study('archive/copy-1')?.credit]).toEqual([credit, credit])
    expect(story.order().studies).toEqual(['archive/copy-1', 'main/study-1'])
    expect([story.events(), story.told()]).toEqual([['started'], ['IP']])
  })

  test('restarts no timer', () => {
    const story = createStory()
    story.message(order)
    main(story)
    story.wait(25)
    archive(story)
    story.wait(6)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('after CM is not late; images that only the second one has are', () => {
    const story = createStory()
    story.message(order)
    main(story, { instances: 5 })
    story.wait(31)
    archive(story, { instances: 3 })
    archive(story, { instances: 5 })
    expect(story.events()).toEqual(['started', 'completed'])
    archive(story, { instances: 6 })
    expect(story.events()).toEqual(['started', 'completed', 'lateImages'])
  })

  test('with more images than the first one knows of is news', () => {
    const story = createStory()
    story.message(order)
    main(story, { instances: 5 })
    story.wait(25)
    archive(story, { instances: 6 })
    story.wait(25)
    expect(statuses(story)).toEqual(['STARTED'])
    // The first one catches up: that is no news any more.
    main(story, { instances: 6 })
    story.wait(6)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('that is told of first starts the exam, and the original that comes later is the copy', () => {
    const story = createStory()
    story.message(order)
    archive(story)
    expect(story.told()).toEqual(['IP'])
    story.wait(25)
    main(story)
    story.wait(6)
    expect([statuses(story), story.events()]).toEqual([['COMPLETED'], ['started', 'completed']])
  })

  test('of another series is no copy', () => {
    const story = createStory()
    story.message(order)
    main(story)
    story.wait(25)
    archive(story, { series: 'other', seriesInstanceUid: '1.2.2' })
    story.wait(25)
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('I11: under another Patient ID is no copy but a mismatch', () => {
    const story = createStory()
    story.message(order)
    main(story)
    archive(story, { patientId: '4712' })
    expect([story.study('archive/copy-1')?.credit.kind, story.notices()]).toEqual(['mismatch', ['E610']])
  })

  test('of images that the first one was only given by hand: those of the modality count', () => {
    const story = createStory()
    story.message(order)
    archive(story, { origin: 'RestApi' })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    main(story)
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('of images that are nobody’s is not told of again, and the order that comes takes both', () => {
    const story = createStory()
    main(story)
    archive(story)
    expect(story.events()).toEqual(['unmatched'])
    story.wait(10)
    story.message(order)
    expect([statuses(story), story.order().studies]).toEqual([['STARTED'], ['archive/copy-1', 'main/study-1']])
    // The copy came a moment after the original: what counts is when the original came.
    expect(story.order().lastImageAt).toBe(story.study()?.lastImageAt)
    expect(story.events()).toEqual(['unmatched', 'started'])
  })

  test('that is deleted in one of them only moves nothing, and the exam ends', () => {
    for (const where of [main, archive]) {
      const story = createStory()
      story.message(order)
      main(story)
      archive(story)
      where(story, {}, 'deleted')
      expect([statuses(story), story.events()]).toEqual([['STARTED'], ['started', 'deleted']])
      story.wait(31)
      expect(story.told()).toEqual(['IP', 'CM'])
    }
  })

  test('stable: the exam ends when the study is stable in both', () => {
    const story = createStory({ policy: 'stable' })
    story.message(order)
    main(story)
    archive(story)
    main(story, {}, 'stable')
    expect(statuses(story)).toEqual(['STARTED'])
    archive(story, {}, 'stable')
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('stable: a router that forgets its images does not hold up the exam', () => {
    const story = createStory({ policy: 'stable' })
    story.message(order)
    main(story)
    archive(story)
    main(story, {}, 'deleted')
    archive(story, {}, 'stable')
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('I6: a stable study of which the first images were missed in both starts the exam once', () => {
    const story = createStory()
    story.message(order)
    main(story, {}, 'stable')
    archive(story, {}, 'stable')
    expect(story.events()).toEqual(['started', 'stable', 'stable'])
  })
})

describe('what a person said of a study goes for its copies', () => {
  const elsewhere = { studyInstanceUid: '9.9', accessionNumber: 'X', patientId: '4713' }

  test.each(['before', 'after'])('linked %s the copy came', (when) => {
    const story = createStory()
    story.message(order)
    main(story, elsewhere)
    if (when === 'after') archive(story, elsewhere)
    story.hand({ kind: 'link', orderId: story.order().id, study: 'main/study-1' })
    if (when === 'before') archive(story, elsewhere)
    archive(story, { ...elsewhere, series: 'more', seriesInstanceUid: '1.2.7' })
    const credit = { kind: 'matched', orderIds: [story.order().id] }
    expect([story.study()?.credit, story.study('archive/copy-1')?.credit]).toEqual([credit, credit])
    expect([story.told(), story.notices(), story.order().studies]).toEqual([
      ['IP'],
      [],
      ['archive/copy-1', 'main/study-1'],
    ])
  })

  test.each(['before', 'after'])('unlinked %s the copy came', (when) => {
    const story = createStory()
    story.message(order)
    main(story)
    if (when === 'after') archive(story)
    story.hand({ kind: 'unlink', orderId: story.order().id, study: 'main/study-1' })
    if (when === 'before') archive(story)
    archive(story, { series: 'more', seriesInstanceUid: '1.2.7' })
    expect([statuses(story), story.order().studies]).toEqual([['SCHEDULED'], []])
    expect(story.study('archive/copy-1')?.credit.kind).toBe('unmatched')
  })
})

describe('a second Orthanc holding an anonymised or modified copy that the first one has made', () => {
  const made = { study: 'made-1', series: 'made', seriesInstanceUid: '1.2.9', isCopy: true }

  test('it is no evidence there either, now and when an order comes for it', () => {
    const story = createStory()
    main(story, made)
    archive(story, { seriesInstanceUid: '1.2.9' })
    story.message(order)
    archive(story, { seriesInstanceUid: '1.2.9' }, 'stable')
    expect([statuses(story), story.events(), story.notices()]).toEqual([['SCHEDULED'], [], []])
  })

  test('more images than were made, or a series of its own, are those of a modality', () => {
    for (const own of [{ seriesInstanceUid: '1.2.9', instances: 2 }, { seriesInstanceUid: '1.2.5' }]) {
      const story = createStory()
      story.message(order)
      main(story, { ...made, instances: 1 })
      archive(story, own)
      expect(statuses(story)).toEqual(['STARTED'])
    }
  })
})

describe('copies in one Orthanc', () => {
  test.each([
    ['anonymised or modified', { isCopy: true }, 'SCHEDULED'],
    ['modified, in an Orthanc whose modalities store by DICOMweb', { isCopy: true, isAcquired: true }, 'SCHEDULED'],
    ['uploaded', { origin: 'RestApi' }, 'SCHEDULED'],
    ['sent by DICOMweb, where the site counts that', { origin: 'RestApi', isAcquired: true }, 'STARTED'],
    ['sent by DICOM, where the site counts DICOMweb alone', { isAcquired: false }, 'SCHEDULED'],
  ])('%s', (_, facts, expected) => {
    const story = createStory()
    story.message(order)
    main(story, facts)
    expect(statuses(story)).toEqual([expected])
  })

  test('anonymised with the same Study Instance UID: no mismatch, for it is no evidence of anything', () => {
    const story = createStory()
    story.message(order)
    main(story)
    main(story, { study: 'study-2', series: 'anon', patientId: 'ANON', isCopy: true })
    expect([story.notices(), story.events(), story.study('main/study-2')?.credit.kind]).toEqual([
      [],
      ['started'],
      'unmatched',
    ])
  })
})
