/** By hand: which images belong to which order, whatever they say themselves. */
import { describe, expect, test } from 'vitest'
import type { SeriesFacts } from '../../src/core/order.ts'
import { createStory, otto, statuses, step, type Story } from './support.ts'

const study = 'main/study-1'
const elsewhere: Partial<SeriesFacts> = { studyInstanceUid: '9.9', accessionNumber: 'X', patientId: '4713' }

const link = (story: Story, n = 0, more: { study?: string; step?: string } = {}): void =>
  story.hand({ kind: 'link', orderId: story.orders()[n]?.id ?? '', study, ...more }, 'wrong ID at the scanner')
const unlink = (story: Story, n = 0, key = study): void =>
  story.hand({ kind: 'unlink', orderId: story.orders()[n]?.id ?? '', study: key }, 'images of another exam')

const two = [
  { numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.1' } },
  { numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2', studyInstanceUid: '1.2' } },
]

describe('a person links a study to an order', () => {
  test('its images start the order, whoever they say they are of, and what comes later is of it too', () => {
    const story = createStory()
    story.message({})
    story.images(elsewhere)
    expect([statuses(story), story.study()?.credit.kind]).toEqual([['SCHEDULED'], 'unmatched'])
    link(story)
    expect([statuses(story), story.worklist().length, story.told()]).toEqual([['STARTED'], 1, ['IP']])
    story.wait(25)
    story.images({ ...elsewhere, series: 'series-2' })
    story.wait(25)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(6)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
    expect(story.events()).toEqual(['unmatched', 'started', 'completed'])
  })

  test('the story of the order says who did it, to which study and why', () => {
    const story = createStory()
    story.message({})
    story.images(elsewhere)
    link(story)
    const lines = story.last().filter((change) => change.kind === 'history')
    expect(lines.map(({ what }) => what)).toEqual([
      'images in study main/study-1: CT 1 series with 1 image',
      'study main/study-1 linked by meier',
      'started by images: 1 STARTED',
    ])
    expect(new Set(lines.map(({ reason }) => reason))).toEqual(new Set(['wrong ID at the scanner']))
    link(story)
    expect(story.history().at(-1)).toBe('link of study main/study-1 by meier changed nothing: 1 STARTED')
    expect(story.told()).toEqual(['IP'])
  })

  test('I11: a mismatch moves nothing until a person links it', () => {
    const story = createStory()
    story.message({})
    story.images({ patientId: '4713' })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED'], ['E610']])
    link(story)
    expect([statuses(story), story.study()?.credit.kind]).toEqual([['STARTED'], 'matched'])
    story.images({ patientId: '4713', series: 'series-2' })
    expect([story.study()?.credit.kind, story.notices()]).toEqual(['matched', ['E610']])
  })

  test('an ambiguity ends: the other order takes nothing of it, now or later', () => {
    const story = createStory()
    const numbers = { studyInstanceUid: '1.1' }
    story.message(
      { numbers: { ...numbers, fillerOrderNumber: 'F1' } },
      { numbers: { ...numbers, fillerOrderNumber: 'F2' } },
    )
    story.images({ studyInstanceUid: '1.1' })
    link(story, 1)
    story.images({ studyInstanceUid: '1.1', series: 'series-2' })
    expect(statuses(story)).toEqual(['SCHEDULED', 'STARTED'])
  })

  test('images that were uploaded or sent by DICOMweb count, for a person says so', () => {
    const story = createStory()
    story.message({})
    story.images({ origin: 'RestApi' })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    link(story)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(20)
    story.images({ origin: 'RestApi', series: 'series-2' })
    story.wait(20)
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('a report alone starts nothing; the images that follow it do', () => {
    const story = createStory()
    story.message({})
    story.images({ ...elsewhere, modality: 'SR' })
    link(story)
    expect([statuses(story), story.told(), story.order().firstImageAt]).toEqual([['SCHEDULED'], [], undefined])
    expect(story.study()?.credit).toEqual({ kind: 'matched', orderIds: [story.order().id] })
    story.images({ ...elsewhere, series: 'series-2' })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
  })

  test.each([
    ['the named step, and no other with what comes later', { step: '2' }, 'PT', ['SCHEDULED', 'STARTED']],
    ['the step of the modality', {}, 'PT', ['STARTED', 'SCHEDULED']],
    ['all steps, where nothing tells them apart', {}, 'MR', ['STARTED', 'STARTED']],
  ])('starts %s', (_, which, modality, expected) => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }), step('2', { Modality: 'CT' })] })
    story.images({ ...elsewhere, modality, remoteAet: '' })
    link(story, 0, which)
    expect(statuses(story)).toEqual(expected)
    story.images({ ...elsewhere, modality, remoteAet: '', series: 'series-2' })
    expect(statuses(story)).toEqual(expected)
  })

  test('an order that has the study keeps it: both end when it is quiet', () => {
    const story = createStory()
    story.message(...two)
    story.images({ studyInstanceUid: '1.1' })
    link(story, 1)
    expect(statuses(story)).toEqual(['STARTED', 'STARTED'])
    story.wait(20)
    story.images({ studyInstanceUid: '1.1', series: 'series-2' })
    story.wait(20)
    expect(statuses(story)).toEqual(['STARTED', 'STARTED'])
    story.wait(11)
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'IP', 'CM', 'CM'],
    ])
  })

  test('what tells none of the steps starts nothing where a series in another Orthanc tells', () => {
    const story = createStory()
    story.message({ ...two[0], steps: [step('1', { Modality: 'PT' }), step('2')] })
    story.message({ ...two[0], control: 'CA' })
    const facts = { studyInstanceUid: '1.1', remoteAet: '' }
    story.images({ ...facts, modality: 'PT' }, 'seen', 'second')
    story.images({ ...facts, series: 'series-2', origin: 'RestApi' })
    link(story, 0, { study: 'second/study-1' })
    const pet = { Modality: 'PT' }
    story.message({ ...two[0], sent: '20261016090000', steps: [step('1', pet), step('2', pet)] })
    story.images({ ...facts, series: 'series-2', origin: 'RestApi', instances: 2 })
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
  })

  test('series of another step, and such as tell none, end no step that a modality began', () => {
    const story = createStory({ policy: 'stable' })
    story.message({ steps: [step('1'), step('2', {}, ['CT02'])] })
    story.hand({ kind: 'cancel', orderId: story.order().id, step: '1' })
    const pet = { ...elsewhere, series: 'series-2', modality: 'PT', remoteAet: '' }
    story.images([elsewhere, pet], 'stable')
    const item = { studyInstanceUid: '', accessionNumber: 'A1', requestedProcedureId: 'RP1', scheduledStepId: 'S2' }
    story.performed({ scheduledSteps: [item] })
    link(story)
    story.images([elsewhere, pet], 'stable')
    expect(statuses(story)).toEqual(['CANCELED', 'STARTED'])
    story.images({ ...pet, instances: 2 })
    story.images([elsewhere, { ...pet, instances: 2 }], 'stable')
    expect(statuses(story)).toEqual(['CANCELED', 'COMPLETED'])
    story.images({ ...pet, instances: 3 })
    expect(story.events().filter((kind) => kind === 'lateImages')).toEqual(['lateImages'])
  })

  test('what the link starts by images in one Orthanc is late in none', () => {
    const story = createStory({ policy: 'stable' })
    story.message({ steps: [step('1'), step('2')] })
    story.hand({ kind: 'complete', orderId: story.order().id, step: '1' })
    story.images({ ...elsewhere, modality: 'PT', remoteAet: '' }, 'seen', 'second')
    story.images({ ...elsewhere, series: 'series-2' })
    link(story)
    expect([statuses(story), story.events().includes('lateImages')]).toEqual([['COMPLETED', 'STARTED'], false])
  })

  test('images of hours ago: the exam took place, IP and CM are told', () => {
    const story = createStory()
    story.message({})
    story.images(elsewhere)
    story.wait(300)
    link(story)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('stable: a stable study ends the exam, and so does one that becomes stable', () => {
    const already = createStory({ policy: 'stable' })
    already.message({})
    already.images(elsewhere, 'stable')
    link(already)
    expect(already.told()).toEqual(['IP', 'CM'])
    const later = createStory({ policy: 'stable' })
    later.message({})
    later.images(elsewhere)
    link(later)
    expect(later.told()).toEqual(['IP'])
    later.images(elsewhere, 'stable')
    expect(later.told()).toEqual(['IP', 'CM'])
  })

  test('to an order that was completed by hand: late images; to one that was cancelled: raised', () => {
    const story = createStory()
    story.message({})
    story.hand({ kind: 'complete', orderId: story.order().id })
    story.images(elsewhere)
    link(story)
    expect(story.events()).toEqual(['completed', 'unmatched', 'lateImages'])
    const other = createStory()
    other.message({})
    other.message({ control: 'CA' })
    other.images(elsewhere)
    link(other)
    expect([statuses(other), other.notices()]).toEqual([['CANCELED'], ['E612']])
  })

  test('what is not known is said, and nothing changes', () => {
    const story = createStory()
    story.message({})
    story.images(elsewhere)
    const before = [story.order(), story.study()]
    link(story, 0, { study: 'main/nothing' })
    link(story, 0, { step: 'nothing' })
    unlink(story, 0, 'main/nothing')
    story.hand({ kind: 'link', orderId: 'O1-1', study })
    story.hand({ kind: 'unlink', orderId: 'O1-1', study })
    expect([story.order(), story.study()]).toEqual(before)
    expect(story.notices()).toEqual(['E622', 'E621', 'E622', 'E620', 'E620'])
    expect(story.history().slice(-3)).toEqual([
      'link by meier refused: E622',
      'link by meier refused: E621',
      'unlink by meier refused: E622',
    ])
  })
})

describe('a person unlinks a study from an order', () => {
  test('the order waits for its images again, is served, and IP is told again when they come', () => {
    const story = createStory()
    story.message({})
    story.images()
    unlink(story)
    expect([statuses(story), story.worklist().length, story.deadlines().size]).toEqual([['SCHEDULED'], 1, 0])
    expect([story.order().firstImageAt, story.study()?.credit.kind]).toEqual([undefined, 'unmatched'])
    expect(story.history().at(-1)).toBe('study main/study-1 unlinked by meier: 1 SCHEDULED')
    story.wait(60)
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.images({ study: 'study-2', series: 'series-2' })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP', 'IP']])
    expect(story.events()).toEqual(['started', 'unmatched', 'reopened', 'started'])
  })

  test('more images of that study, and updates of the order, never credit it again', () => {
    const story = createStory()
    story.message({})
    story.images()
    unlink(story)
    story.images({ series: 'series-2' })
    story.images({ series: 'series-2', instances: 9 }, 'stable')
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A2' } })
    expect([statuses(story), story.study()?.credit.kind, story.told()]).toEqual([['SCHEDULED'], 'unmatched', ['IP']])
    link(story)
    expect([statuses(story), story.study()?.credit.kind, story.study()?.unlinked]).toEqual([['STARTED'], 'matched', []])
  })

  test('its images are free for the order whose they are', () => {
    const story = createStory()
    story.message(...two)
    story.images({ studyInstanceUid: '1.1' })
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
    unlink(story)
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A2', series: 'series-2' })
    expect(statuses(story)).toEqual(['SCHEDULED', 'STARTED'])
  })

  test('a mismatch with the order that it is not of is none any more', () => {
    const story = createStory()
    story.message(two[0] ?? {})
    story.message({ ...two[1], patient: otto })
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A2', patientId: '4712' })
    unlink(story)
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A2', patientId: '4712', series: 'series-2' })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'STARTED'], ['E610']])
  })

  test('a study that has become a mismatch since: the order waits again', () => {
    const story = createStory({ policy: 'stable' })
    story.message({ numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2' }, patient: otto })
    story.message(two[0] ?? {})
    story.images({ studyInstanceUid: '1.1' })
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A2', instances: 2 })
    expect([statuses(story), story.study()?.credit.kind]).toEqual([['SCHEDULED', 'STARTED'], 'mismatch'])
    unlink(story, 1)
    expect([statuses(story), story.events()]).toEqual([
      ['SCHEDULED', 'SCHEDULED'],
      ['started', 'mismatch', 'reopened'],
    ])
  })

  test('one of two studies: the order goes on with the other', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.images({ study: 'study-2', series: 'series-2' })
    unlink(story)
    expect([statuses(story), story.events()]).toEqual([['STARTED'], ['started', 'unmatched']])
    story.wait(31)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('a report is no image: without others the order waits again', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.images({ study: 'study-2', series: 'series-2', modality: 'SR' })
    unlink(story)
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('what has ended stays so, until a person reopens it', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(31)
    unlink(story)
    expect([statuses(story), story.events()]).toEqual([['COMPLETED'], ['started', 'completed', 'unmatched']])
    story.hand({ kind: 'reopen', orderId: story.order().id })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.images({ study: 'study-2', series: 'series-2' })
    story.wait(31)
    expect(story.told()).toEqual(['IP', 'CM', 'IP', 'CM'])
  })

  test('of an order that it is not credited to only says so for later', () => {
    const story = createStory()
    story.message(...two)
    story.images({ studyInstanceUid: '1.1' })
    unlink(story, 1)
    expect([statuses(story), story.study()?.credit]).toEqual([
      ['STARTED', 'SCHEDULED'],
      { kind: 'matched', orderIds: [story.orders()[0]?.id] },
    ])
    story.images({ studyInstanceUid: '1.2', accessionNumber: 'A2', series: 'series-2' })
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
  })

  test('what the RIS or a modality began by itself goes on', () => {
    const byRis = createStory()
    byRis.message({})
    byRis.message({ control: 'IP' })
    byRis.images()
    unlink(byRis)
    expect([statuses(byRis), byRis.order().told]).toEqual([['STARTED'], ['IP']])
    const byMpps = createStory()
    byMpps.message({})
    byMpps.images()
    byMpps.performed()
    unlink(byMpps)
    expect([statuses(byMpps), byMpps.events()]).toEqual([['STARTED'], ['started', 'unmatched']])
  })

  test('an order that came after the images is served for the first time; without a start date it is held', () => {
    const story = createStory()
    story.images({ studyInstanceUid: '1.1' })
    story.message(two[0] ?? {})
    expect(story.worklist()).toEqual([])
    unlink(story)
    expect([statuses(story), story.worklist().length]).toEqual([['SCHEDULED'], 1])
    const held = createStory()
    held.message({ steps: [step('1', { ScheduledProcedureStepStartDate: '' })] })
    held.images()
    unlink(held)
    expect([statuses(held), held.worklist()]).toEqual([['UNSCHEDULED'], []])
  })

  test('a linked study: the other orders that it is linked to keep it', () => {
    const story = createStory()
    story.message(...two)
    story.images(elsewhere)
    link(story, 0)
    link(story, 1)
    unlink(story, 0)
    story.images({ ...elsewhere, series: 'series-2' })
    expect(statuses(story)).toEqual(['SCHEDULED', 'STARTED'])
    unlink(story, 1)
    story.images({ ...elsewhere, series: 'series-3' })
    expect([statuses(story), story.study()?.linked]).toEqual([['SCHEDULED', 'SCHEDULED'], undefined])
  })

  test('again changes nothing', () => {
    const story = createStory()
    story.message({})
    story.images()
    unlink(story)
    unlink(story)
    expect(story.history().at(-1)).toBe('unlink of study main/study-1 by meier changed nothing: 1 SCHEDULED')
    expect(story.last().map((change) => change.kind)).toEqual(['history'])
  })
})

test('a study that nothing but the link leads to is found by the quiet time and by stable', () => {
  for (const policy of ['quiet', 'stable'] as const) {
    const story = createStory({ policy })
    story.message({})
    story.images()
    story.images({ ...elsewhere, study: 'study-2', series: 'series-2' })
    link(story, 0, { study: 'main/study-2' })
    story.images({}, 'stable')
    // The study that is not stable yet is elsewhere by all its numbers.
    expect(statuses(story)).toEqual(['STARTED'])
    story.images({ ...elsewhere, study: 'study-2', series: 'series-2' }, 'stable')
    if (policy === 'quiet') story.wait(31)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  }
})
