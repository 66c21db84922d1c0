/** What status pipelines hear: about one order each, about a study, and Orthanc's own changes. */
import { describe, expect, test } from 'vitest'
import { orthancChanges } from '../../src/core/orthanc-change.ts'
import type { ExamEvent } from '../../src/core/world.ts'
import { createStory, statuses, step, type Story } from './support.ts'

const request = (requestedProcedureId: string) => ({
  requestedProcedureId,
  scheduledStepId: 'S1',
  accessionNumber: '',
})
const order = (n: number, uid = `1.${n}`) => ({
  numbers: {
    fillerOrderNumber: `F${n}`,
    accessionNumber: `A${n}`,
    studyInstanceUid: uid,
    requestedProcedureId: `RP${n}`,
  },
})
const told = ({ kind, order, study }: ExamEvent): string =>
  `${kind} ${order?.numbers.fillerOrderNumber ?? 'no order'} ${study?.key ?? 'no study'}`
const heard = (story: Story): readonly string[] => story.heard().map(told)

describe('a study that nobody can be credited with', () => {
  test('unmatched: once, with the study and without an order; again when it becomes so again', () => {
    const story = createStory()
    story.images({ studyInstanceUid: '1.1' })
    story.images({ studyInstanceUid: '1.1', series: 'series-2' })
    story.images({ studyInstanceUid: '1.1' }, 'stable')
    expect(heard(story)).toEqual(['unmatched no order main/study-1'])
    story.message(order(1))
    story.hand({ kind: 'unlink', orderId: story.order().id, study: 'main/study-1' })
    expect(heard(story)).toEqual([
      'unmatched no order main/study-1',
      'started F1 main/study-1',
      'unmatched no order main/study-1',
      'reopened F1 main/study-1',
    ])
  })

  test('ambiguous and mismatch: once each, without an order', () => {
    const story = createStory()
    story.message(order(1, '1.9'), order(2, '1.9'))
    story.images({ studyInstanceUid: '1.9' })
    story.images({ studyInstanceUid: '1.9', series: 'series-2' })
    story.images({ studyInstanceUid: '1.9', series: 'series-3', issuerOfPatientId: 'CLINIC' })
    story.images({ studyInstanceUid: '1.9', series: 'series-4', issuerOfPatientId: 'CLINIC' })
    expect(heard(story)).toEqual(['ambiguous no order main/study-1', 'mismatch no order main/study-1'])
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
  })

  test('that becomes ambiguous or a mismatch by an order that comes later says so', () => {
    const story = createStory()
    story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1', patientId: '4712' })
    story.message(order(1))
    expect(heard(story)).toEqual(['unmatched no order main/study-1', 'mismatch no order main/study-1'])
  })

  test('what a message leaves in doubt in one group and decides in another is no news', () => {
    const story = createStory()
    story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1' })
    const accession = { accessionNumber: 'A1', studyInstanceUid: '' }
    const pets = [step('1', { Modality: 'PT' }, ['PT01']), step('2', { Modality: 'PT' }, ['PT01'])]
    story.message(
      { numbers: { fillerOrderNumber: 'F1', ...accession }, steps: pets },
      { numbers: { fillerOrderNumber: 'F2', ...accession } },
    )
    expect([statuses(story), story.events(), story.notices()]).toEqual([
      ['SCHEDULED', 'SCHEDULED', 'STARTED'],
      ['unmatched', 'started'],
      [],
    ])
  })

  test('of reports, of copies, or without anything is no news', () => {
    const story = createStory()
    story.images({ modality: 'SR' })
    story.images({ study: 'study-2', origin: 'RestApi' })
    story.images({ study: 'study-3', isCopy: true })
    story.images([], 'stable')
    expect(story.events()).toEqual([])
    // A report came first, the images that nobody ordered after it.
    story.images({ series: 'series-2' })
    expect(story.events()).toEqual(['unmatched'])
  })
})

describe('a study of several orders: one event for each', () => {
  test('started, stable, deleted', () => {
    const story = createStory()
    story.message(order(1), order(2))
    const facts = { studyInstanceUid: '1.1', requestAttributes: [request('RP1'), request('RP2')] }
    story.images(facts)
    story.images(facts, 'stable')
    story.images([], 'deleted')
    expect(heard(story)).toEqual(
      ['started', 'stable', 'deleted'].flatMap((kind) => [`${kind} F1 main/study-1`, `${kind} F2 main/study-1`]),
    )
  })

  test('late images', () => {
    const story = createStory()
    story.message(order(1), order(2))
    const facts = { studyInstanceUid: '1.1', requestAttributes: [request('RP1'), request('RP2')] }
    story.images(facts)
    story.wait(31)
    story.images({ ...facts, instances: 2 })
    expect(heard(story).slice(-2)).toEqual(['lateImages F1 main/study-1', 'lateImages F2 main/study-1'])
  })
})

describe('late images', () => {
  test('are told once for each series, however often it grows, and once for those that come together', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(31)
    for (let images = 2; images < 20; images++) story.images({ instances: images })
    story.images([{ series: 'series-2' }, { series: 'series-3' }])
    story.images([{ series: 'series-2', instances: 2 }, { series: 'series-4' }])
    expect(story.events()).toEqual(['started', 'completed', 'lateImages', 'lateImages', 'lateImages'])
    expect(story.history().filter((line) => line === 'late images arrived')).toHaveLength(3)
  })

  test('of a step that is over are told while another one goes on', () => {
    const story = createStory({
      policy: 'ris',
      rules: [{ modalities: ['PT'], policy: 'quiet', quietSeconds: 60 }],
    })
    story.message({ steps: [planned('1', 'PT'), planned('2', 'CT')] })
    story.images([{ modality: 'PT' }, { modality: 'CT', series: 'series-2' }])
    story.wait(2)
    expect(statuses(story)).toEqual(['COMPLETED', 'STARTED'])
    story.images([
      { modality: 'PT', instances: 2 },
      { modality: 'CT', series: 'series-2', instances: 2 },
    ])
    expect(story.events()).toEqual(['started', 'lateImages'])
  })
})

const planned = (key: string, modality: string) => ({
  key,
  stations: ['PETCT'],
  attributes: { Modality: modality, ScheduledProcedureStepStartDate: '20261016' },
})

describe("Orthanc's own changes", () => {
  test('all 19 of them, in the order in which it told them, each once', () => {
    const story = createStory()
    story.rows(orthancChanges.map((change) => ({ change, study: '' })))
    expect(story.events()).toEqual([...orthancChanges])
    expect(story.heard().map(({ row }) => row?.change)).toEqual([...orthancChanges])
    expect(story.heard().every(({ orthanc, order }) => orthanc === 'main' && order === undefined)).toBe(true)
  })

  test('are told once for each order that the study is credited to, and once without an order where there is none', () => {
    const story = createStory()
    story.message(order(1), order(2))
    story.images({ studyInstanceUid: '1.1', requestAttributes: [request('RP1'), request('RP2')] })
    story.images({ study: 'study-2', series: 'series-2', studyInstanceUid: '9.9' })
    const before = story.heard().length
    story.rows([
      { change: 'StableSeries' },
      { change: 'NewInstance', study: 'study-2' },
      { change: 'NewInstance', study: 'study-3' },
      { change: 'JobSuccess', study: '', level: '' },
      { change: 'CompletedSeries' },
    ])
    expect(heard(story).slice(before)).toEqual([
      'StableSeries F1 main/study-1',
      'StableSeries F2 main/study-1',
      'NewInstance no order main/study-2',
      'NewInstance no order no study',
      'JobSuccess no order no study',
      'CompletedSeries F1 main/study-1',
      'CompletedSeries F2 main/study-1',
    ])
  })

  test('of the same study in another Orthanc are not taken for those of this one', () => {
    const story = createStory()
    story.message(order(1))
    story.images({ studyInstanceUid: '1.1' })
    story.rows([{}], 'archive')
    expect(heard(story).at(-1)).toBe('NewInstance no order no study')
    expect(story.heard().at(-1)?.orthanc).toBe('archive')
  })

  test('that nobody listens to are not rendered, but kept to be looked at', () => {
    const story = createStory()
    story.listen('StableStudy', 'OrthancStarted')
    story.rows([
      { change: 'NewInstance' },
      { change: 'StableStudy' },
      { change: 'NewSeries' },
      { change: 'OrthancStarted', study: '' },
    ])
    expect(story.events()).toEqual(['StableStudy', 'OrthancStarted'])
    const kept = story.last().flatMap((change) => (change.kind === 'rows' ? change.rows : []))
    expect(kept.map(({ change }) => change)).toEqual(['NewInstance', 'StableStudy', 'NewSeries', 'OrthancStarted'])
  })

  test('move no step', () => {
    const story = createStory()
    story.message({})
    story.images()
    const before = story.order()
    story.rows(orthancChanges.map((change) => ({ change })))
    expect(story.order()).toEqual(before)
  })
})
