/** Images of which nobody can tell for certain whose they are: they credit nobody, and end no exam. */
import { describe, expect, test } from 'vitest'
import type { SeriesFacts } from '../../src/core/order.ts'
import { createStory, otto, statuses, step, type GroupParts, type Story } from './support.ts'

const first: GroupParts = { numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.1' } }
const second: GroupParts = { numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2', studyInstanceUid: '1.2' } }

describe('I11: the study of one order under the accession number of another one of the same patient', () => {
  const both: Partial<SeriesFacts> = { studyInstanceUid: '1.1', accessionNumber: 'A2' }

  test('is ambiguous: nothing starts, and a person is called', () => {
    const story = createStory()
    story.message(first, second)
    story.images(both)
    expect([statuses(story), story.told(), story.notices()]).toEqual([['SCHEDULED', 'SCHEDULED'], [], ['E611']])
    expect(story.study()?.credit).toEqual({ kind: 'ambiguous', orderIds: story.orders().map(({ id }) => id) })
    expect(story.events()).toEqual(['ambiguous'])
  })

  test('its Request Attributes Sequence tells which of the two was done', () => {
    const story = createStory()
    const request = { AccessionNumber: 'A2', RequestedProcedureID: 'RP2' }
    story.message(first, { ...second, request })
    story.images({
      ...both,
      requestAttributes: [{ requestedProcedureId: 'RP2', scheduledStepId: 'S1', accessionNumber: '' }],
    })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'STARTED'], []])
  })

  test('the RIS corrects the accession number: the study tells', () => {
    const story = createStory()
    story.message(first, second)
    story.images(both)
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A9' } })
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A2' } })
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
  })

  test('orders of one study are told apart by it, as ever', () => {
    const story = createStory()
    story.message(first, { numbers: { ...second.numbers, studyInstanceUid: '1.1' } })
    story.images(both)
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'STARTED'], []])
  })

  test('a study of months ago that is appended to under the number of today: neither is late nor begins, and a person is called', () => {
    const story = createStory()
    story.message(first)
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A1' })
    story.wait(40)
    story.message(second)
    story.images({ ...both, series: 'series-2' })
    expect([statuses(story), story.notices()]).toEqual([['COMPLETED', 'SCHEDULED'], ['E611']])
    expect(story.events()).toEqual(['started', 'completed'])
  })
})

/** In the contrast pause; then images come that tell no step or order, and the next ones are as far away. */
function goesOn(story: Story, doubtful: Partial<SeriesFacts>): void {
  story.wait(25)
  story.images({ series: 'series-2', ...doubtful })
  story.wait(25)
  expect([story.orders()[0]?.steps[0]?.stepStatus, story.told()]).toEqual(['STARTED', ['IP']])
  story.wait(6)
  expect(story.orders()[0]?.steps[0]?.stepStatus).toBe('COMPLETED')
}

describe('images in doubt, of an exam that goes on, are no pause', () => {
  test('another order of the same accession number came meanwhile', () => {
    const story = createStory()
    const own: Partial<SeriesFacts> = { studyInstanceUid: '9.9', accessionNumber: 'A1' }
    story.message(first)
    story.images(own)
    story.message({ numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A1' } })
    goesOn(story, own)
    expect([statuses(story), story.notices()]).toEqual([['COMPLETED', 'SCHEDULED'], ['E611']])
  })

  test('another order of the same study came meanwhile, and images have no accession number', () => {
    const story = createStory()
    story.message(first)
    story.images()
    story.message({ numbers: { ...second.numbers, studyInstanceUid: '1.1' } })
    goesOn(story, {})
  })

  test('a modality that neither of two steps was planned for', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2', { Modality: 'MR' }, ['MR01'])] })
    story.images()
    goesOn(story, { modality: 'US', remoteAet: 'US01' })
    expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED'])
  })

  test('of a modality that makes its own study, without an accession number', () => {
    const story = createStory()
    story.message(first)
    story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1' })
    goesOn(story, { studyInstanceUid: '9.9' })
    expect(story.notices()).toEqual([])
  })

  test('a person is called once, however many come, and the story of both orders says so', () => {
    const story = createStory()
    story.message(first, second)
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A1' })
    for (const name of ['series-2', 'series-3'])
      story.images({ studyInstanceUid: '1.1', accessionNumber: 'A2', series: name })
    expect([story.notices(), statuses(story)]).toEqual([['E611'], ['STARTED', 'SCHEDULED']])
    for (const { id } of story.orders()) expect(story.history(id)).toContain('images not credited: E611')
  })

  test('what has ended stays ended, and what waits for its images waits', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2', { Modality: 'MR' }, ['MR01'])] })
    story.images()
    story.wait(40)
    story.images({ series: 'series-2', modality: 'US', remoteAet: 'US01' })
    expect([statuses(story), story.events()]).toEqual([['COMPLETED', 'SCHEDULED'], ['started']])
  })
})

test('a step of two stations that begins at the second one is shown at both until it is over', () => {
  const story = createStory()
  story.message({ steps: [step('1', {}, ['CT01', 'CT02'])] })
  story.images({ remoteAet: 'CT02' })
  expect([statuses(story), story.worklist().map(({ stepStatus }) => stepStatus)]).toEqual([
    ['STARTED'],
    ['STARTED', 'STARTED'],
  ])
  story.wait(31)
  expect([statuses(story), story.worklist(), story.told()]).toEqual([['COMPLETED'], [], ['IP', 'CM']])
})

describe('I11: a contradiction ends no exam', () => {
  /** Of an exam that goes on, a series under the number of another patient. */
  function contradicted(policy: 'quiet' | 'stable' = 'quiet'): Story {
    const story = createStory({ policy })
    story.message({ ...second, patient: otto })
    story.message(first)
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A1' })
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A2', series: 'series-2' })
    story.wait(100)
    expect([statuses(story), story.told(), story.notices()]).toEqual([['SCHEDULED', 'STARTED'], ['IP'], ['E610']])
    const said = story.history(story.orders()[1]?.id).filter((what) => what.startsWith('quiet'))
    expect(said).toEqual(policy === 'quiet' ? ['quiet, not completed: its images are in doubt'] : [])
    return story
  }
  const hand = (story: Story, kind: 'link' | 'unlink', n = 1): void =>
    story.hand({ kind, orderId: story.orders()[n]?.id ?? '', study: 'main/study-1' })

  test('silence does not, nor does another study that is stable', () => {
    contradicted()
    const story = contradicted('stable')
    const own: Partial<SeriesFacts> = { study: 'study-2', series: 'series-9', studyInstanceUid: '9.9' }
    story.images({ ...own, accessionNumber: 'A1' })
    story.images({ ...own, accessionNumber: 'A1' }, 'stable')
    expect([statuses(story), story.told()]).toEqual([['SCHEDULED', 'STARTED'], ['IP']])
  })

  test('the person who links the study says whose it is: over after the quiet time', () => {
    const story = contradicted()
    hand(story, 'link')
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([
      ['SCHEDULED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })

  test('the person who takes it from the order has it on the worklist again', () => {
    const story = contradicted()
    hand(story, 'unlink')
    story.wait(100)
    expect([statuses(story), story.worklist().length, story.told()]).toEqual([['SCHEDULED', 'SCHEDULED'], 2, ['IP']])
  })

  test('linked to the other order alone, it ends the one that had it no more', () => {
    const story = contradicted()
    hand(story, 'link', 0)
    story.wait(100)
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'STARTED'],
      ['IP', 'IP', 'CM'],
    ])
    hand(story, 'unlink')
    expect([statuses(story), story.worklist().length]).toEqual([['COMPLETED', 'SCHEDULED'], 1])
  })

  test('another study is taken from the order: it still has images, in doubt', () => {
    const story = contradicted()
    story.images({ study: 'study-2', series: 'series-9', studyInstanceUid: '9.9', accessionNumber: 'A1' })
    story.hand({ kind: 'unlink', orderId: story.orders()[1]?.id ?? '', study: 'main/study-2' })
    story.wait(100)
    expect([statuses(story), story.told()]).toEqual([['SCHEDULED', 'STARTED'], ['IP']])
  })

  test('deleted in Orthanc, it delays nothing any more', () => {
    const story = contradicted()
    story.images({ studyInstanceUid: '1.1' }, 'deleted')
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([
      ['SCHEDULED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })

  test('the RIS, or a person, says that it is over', () => {
    const ris = contradicted()
    ris.message({ control: 'CM', orcOnly: true, numbers: { fillerOrderNumber: 'F1' } })
    expect([statuses(ris), ris.told()]).toEqual([['SCHEDULED', 'COMPLETED'], ['IP']])
    const person = contradicted()
    person.hand({ kind: 'complete', orderId: person.orders()[1]?.id ?? '' })
    expect([statuses(person), person.told()]).toEqual([
      ['SCHEDULED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })
})

test('I11: images of an order are gone, and those of another patient have come in their place: it is not over', () => {
  const story = createStory()
  story.message(first)
  story.images()
  story.images({}, 'deleted')
  story.images({ study: 'study-2', patientId: '4799' })
  story.wait(100)
  expect([statuses(story), story.told(), story.notices()]).toEqual([['STARTED'], ['IP'], ['E610']])
  story.images({ study: 'study-2', patientId: '4799' }, 'deleted')
  story.images({ instances: 2 })
  story.wait(100)
  expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
})

test('images under a mistyped Patient ID hold up no exam whose own images have come since', () => {
  const story = createStory()
  story.message(first)
  story.images({ study: 'study-2', patientId: '4799' })
  story.images()
  story.wait(31)
  expect([statuses(story), story.told(), story.notices()]).toEqual([['COMPLETED'], ['IP', 'CM'], ['E610']])
})

describe('I11: the wrong entry was taken, and its images given to whom they are of', () => {
  /** The entry of Otto taken for somebody else, whose order is the second one. */
  function corrected(isLinked: boolean): Story {
    const story = createStory()
    story.message({ ...first, patient: otto }, second)
    story.images({ studyInstanceUid: '1.1', patientId: '4712' })
    const [wrong, right] = story.orders()
    story.hand({ kind: 'unlink', orderId: wrong?.id ?? '', study: 'main/study-1' })
    if (isLinked) story.hand({ kind: 'link', orderId: right?.id ?? '', study: 'main/study-1' })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', isLinked ? 'STARTED' : 'SCHEDULED'], []])
    return story
  }

  test.each([true, false])('then the entry is used for Otto: a person is called; linked: %s', (isLinked) => {
    const story = corrected(isLinked)
    for (const series of ['series-2', 'series-3']) story.images({ series, studyInstanceUid: '1.1', patientId: '4712' })
    expect([statuses(story)[0], story.notices()]).toEqual(['SCHEDULED', ['E611']])
    expect(story.history(story.orders()[0]?.id)).toContain('images not credited: E611')
  })

  test('after the next unlink, it is called again', () => {
    const story = corrected(true)
    const [wrong, right] = story.orders()
    story.images({ series: 'series-2', studyInstanceUid: '1.1', patientId: '4712' })
    story.hand({ kind: 'link', orderId: wrong?.id ?? '', study: 'main/study-1' })
    story.hand({ kind: 'unlink', orderId: wrong?.id ?? '', study: 'main/study-1' })
    story.images({ series: 'series-3', studyInstanceUid: '1.1', patientId: '4712' })
    expect([story.notices(), right?.steps.length]).toEqual([['E611', 'E611'], 1])
  })

  test('nobody is called once the order has ended', () => {
    const story = corrected(true)
    story.message({ control: 'CA', orcOnly: true, numbers: { fillerOrderNumber: 'F1' } })
    story.images({ series: 'series-2', studyInstanceUid: '1.1', patientId: '4712' })
    expect(story.notices()).toEqual([])
  })
})
