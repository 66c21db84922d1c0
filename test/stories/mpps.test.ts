import { describe, expect, test } from 'vitest'
import type { PerformedProcedureStep } from '../../src/core/order.ts'
import { createStory, statuses, step } from './support.ts'

const scheduled = (
  parts: Partial<PerformedProcedureStep['scheduledSteps'][number]>,
): PerformedProcedureStep['scheduledSteps'][number] => ({
  studyInstanceUid: '',
  accessionNumber: '',
  requestedProcedureId: '',
  scheduledStepId: '',
  ...parts,
})
const two = [step('1', { Modality: 'PT' }), step('2', { Modality: 'CT' })]
const wrong = '110514'

describe('RAD-6: a modality begins', () => {
  test.each(['quiet', 'stable', 'ris', 'mpps'] as const)('%s: IN PROGRESS starts the step, IP once', (policy) => {
    const story = createStory({ policy })
    story.message({})
    story.performed()
    story.images()
    expect([statuses(story), story.told(), story.worklist().length]).toEqual([['STARTED'], ['IP'], 1])
  })

  test.each([
    [
      'its requested procedure and step',
      { requestedProcedureId: 'RP1', scheduledStepId: 'S2' },
      ['SCHEDULED', 'STARTED'],
    ],
    ['the Study Instance UID and the modality', { studyInstanceUid: '1.7' }, ['SCHEDULED', 'STARTED']],
    ['the accession number and the modality', { accessionNumber: 'A1' }, ['SCHEDULED', 'STARTED']],
    ['a number that nothing has', { accessionNumber: 'A9' }, ['SCHEDULED', 'SCHEDULED']],
  ] as const)('by %s', (_by, names, expected) => {
    const story = createStory()
    story.message({
      numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.7', requestedProcedureId: 'RP1' },
      steps: two,
    })
    story.performed({ scheduledSteps: [scheduled(names)] })
    expect(statuses(story)).toEqual(expected)
    expect(story.notices()).toEqual(expected.includes('STARTED' as never) ? [] : ['E614'])
  })

  test.each([
    ['two orders of one study', ['1.7', '1.7'], { studyInstanceUid: '1.7' }],
    [
      'the study of one order and the accession number of another',
      ['1.7', '1.8'],
      { studyInstanceUid: '1.7', accessionNumber: 'A2' },
    ],
    ['two orders of one request', ['1.7', '1.8'], { requestedProcedureId: 'RP1', scheduledStepId: 'S1' }],
  ] as const)('I11: %s: nothing begins, and a person is told (E615)', (_names, uids, names) => {
    const story = createStory({ policy: 'mpps' })
    for (const [index, studyInstanceUid] of uids.entries()) {
      const accessionNumber = `A${index + 1}`
      story.message({
        numbers: { fillerOrderNumber: `F${index + 1}`, accessionNumber, studyInstanceUid },
        request: { AccessionNumber: accessionNumber, RequestedProcedureID: 'RP1' },
      })
    }
    story.performed({ scheduledSteps: [scheduled(names)] })
    expect([statuses(story), story.notices(), story.told()]).toEqual([['SCHEDULED', 'SCHEDULED'], ['E615'], []])
    for (const { id } of story.orders()) expect(story.history(id)).toContain('MPPS IN PROGRESS: E615')
  })

  test('every item: one acquisition serves two orders', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.message({
      numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2' },
      request: { AccessionNumber: 'A2', RequestedProcedureID: 'RP2' },
    })
    const items = [
      scheduled({ requestedProcedureId: 'RP1', scheduledStepId: 'S1', accessionNumber: 'A1' }),
      scheduled({ requestedProcedureId: 'RP2', scheduledStepId: 'S1', accessionNumber: 'A2' }),
    ]
    story.performed({ scheduledSteps: items })
    expect([statuses(story), story.told()]).toEqual([
      ['STARTED', 'STARTED'],
      ['IP', 'IP'],
    ])
    story.performed({ state: 'COMPLETED', scheduledSteps: [], patientId: '' })
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'IP', 'CM', 'CM'],
    ])
  })

  test('I11: another patient than that of the order: raised, nothing moves', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed({ patientId: '4712' })
    story.performed({ patientId: '4712', state: 'COMPLETED' })
    expect([statuses(story), story.notices(), story.told()]).toEqual([['SCHEDULED'], ['E613', 'E613'], []])
    expect(story.history().at(-1)).toBe('MPPS COMPLETED: E613')
  })

  test('I11: one item of another patient stops all', () => {
    const story = createStory()
    story.message({})
    story.message({
      numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2' },
      patient: { key: '9^^^HOSP', patientId: '9', issuerOfPatientId: 'HOSP', attributes: {} },
    })
    story.performed({ scheduledSteps: [scheduled({ accessionNumber: 'A1' }), scheduled({ accessionNumber: 'A2' })] })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'SCHEDULED'], ['E613']])
  })

  test('an unscheduled exam is a notice', () => {
    const story = createStory()
    story.message({})
    story.performed({ scheduledSteps: [] })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED'], ['E614']])
  })

  test('a step that was cancelled is not begun, and a person is called once', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.message({ control: 'CA', sent: '20261015100000' })
    story.performed()
    story.performed({ state: 'COMPLETED' })
    expect([statuses(story), story.notices(), story.told()]).toEqual([['CANCELED'], ['E616'], []])
  })
})

describe('RAD-7: a modality ends', () => {
  test('mpps: COMPLETED completes, images never do; an N-SET needs no more than its state', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed()
    story.images()
    story.images({}, 'stable')
    story.wait(600)
    expect(statuses(story)).toEqual(['STARTED'])
    story.performed({ state: 'COMPLETED', scheduledSteps: [], patientId: '', modality: '' })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('mpps: an end whose beginning was lost tells IP and CM', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed({ state: 'COMPLETED' })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test.each(['quiet', 'stable', 'ris'] as const)('%s: an end is a line in the history', (policy) => {
    const story = createStory({ policy })
    story.message({})
    story.performed()
    story.performed({ state: 'COMPLETED' })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
    expect(story.history().at(-1)).toBe('MPPS COMPLETED: 1 STARTED')
  })

  test.each(['COMPLETED', 'DISCONTINUED'] as const)('quiet: %s starts what had not begun', (state) => {
    const story = createStory()
    story.message({})
    story.performed({ state })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
  })

  test('quiet: without images nothing ends it; images do, in their time', () => {
    const story = createStory()
    story.message({})
    story.performed()
    story.performed({ state: 'COMPLETED' })
    story.wait(600)
    expect(statuses(story)).toEqual(['STARTED'])
    story.images()
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('mpps: two performed steps of one: the first end is none while the second is in progress', () => {
    for (const [first, second, expected] of [
      ['COMPLETED', 'COMPLETED', 'COMPLETED'],
      ['COMPLETED', 'DISCONTINUED', 'COMPLETED'],
      ['DISCONTINUED', 'COMPLETED', 'COMPLETED'],
      ['DISCONTINUED', 'DISCONTINUED', 'DISCONTINUED'],
    ] as const) {
      const story = createStory({ policy: 'mpps' })
      story.message({})
      story.performed({ sopInstanceUid: '1.2.1' })
      story.performed({ sopInstanceUid: '1.2.2' })
      story.performed({ sopInstanceUid: '1.2.1', state: first })
      expect(statuses(story)).toEqual(['STARTED'])
      story.performed({ sopInstanceUid: '1.2.2', state: second })
      expect([first, second, statuses(story)]).toEqual([first, second, [expected]])
      expect(story.told()).toEqual(['IP', expected === 'COMPLETED' ? 'CM' : 'DC'])
    }
  })

  test('mpps for PET only: its end completes it, and the CT waits for quiet', () => {
    const story = createStory({ rules: [{ modalities: ['PT'], policy: 'mpps', quietSeconds: 0 }] })
    story.message({ steps: two })
    const items = ['S1', 'S2'].map((scheduledStepId) => scheduled({ requestedProcedureId: 'RP1', scheduledStepId }))
    story.performed({ scheduledSteps: items })
    story.images([{ modality: 'PT' }, { series: 'series-2', modality: 'CT' }])
    story.performed({ state: 'COMPLETED' })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED', 'STARTED'], ['IP']])
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })

  test('what has ended stays ended', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed()
    story.hand({ kind: 'complete', orderId: story.order().id })
    story.performed({ state: 'DISCONTINUED' })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('I4: what is said again, or comes out of order, changes nothing', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed()
    story.performed()
    expect(story.last()).toEqual([])
    story.performed({ state: 'COMPLETED' })
    for (const state of ['COMPLETED', 'IN PROGRESS', 'DISCONTINUED'] as const) {
      story.performed({ state })
      expect(story.last()).toEqual([])
    }
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('performed though it was cancelled, then reopened: the same word again starts nothing, its end ends it', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.hand({ kind: 'cancel', orderId: story.order().id })
    story.performed()
    story.hand({ kind: 'reopen', orderId: story.order().id })
    story.performed()
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED'], ['E616']])
    story.performed({ state: 'COMPLETED' })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('the policy becomes mpps: what was said before counts now', () => {
    const story = createStory()
    story.message({})
    story.performed()
    story.performed({ state: 'COMPLETED' })
    expect(statuses(story)).toEqual(['STARTED'])
    story.change({ completion: { policy: 'mpps', quietSeconds: 0 } })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('what was broken off under another policy is told when it counts', () => {
    const story = createStory({ policy: 'ris' })
    story.message({})
    story.performed({ state: 'DISCONTINUED' })
    story.change({ completion: { policy: 'mpps', quietSeconds: 0 } })
    expect([statuses(story), story.told()]).toEqual([['DISCONTINUED'], ['IP', 'DC']])
  })
})

describe('discontinued: incorrect worklist entry selected', () => {
  test.each(['quiet', 'stable', 'ris', 'mpps'] as const)('%s: a step that began by it alone waits again', (policy) => {
    const story = createStory({ policy })
    story.message({})
    story.performed()
    story.performed({ state: 'DISCONTINUED', discontinuationReason: wrong, scheduledSteps: [] })
    expect([statuses(story), story.events(), story.worklist().length]).toEqual([
      ['SCHEDULED'],
      ['started', 'reopened'],
      1,
    ])
    story.performed({ sopInstanceUid: '1.2.10' })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP', 'IP']])
  })

  test('it does not begin what it never was', () => {
    const story = createStory()
    story.message({})
    story.performed({ state: 'DISCONTINUED', discontinuationReason: wrong })
    expect([statuses(story), story.events()]).toEqual([['SCHEDULED'], []])
  })

  test('a step with images stays STARTED: a person must look', () => {
    const story = createStory()
    story.message({})
    story.performed()
    story.images()
    story.performed({ state: 'DISCONTINUED', discontinuationReason: wrong })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
  })

  test('mpps: a step with images is discontinued as by any other reason', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed()
    story.images()
    story.performed({ state: 'DISCONTINUED', discontinuationReason: wrong })
    expect([statuses(story), story.told()]).toEqual([['DISCONTINUED'], ['IP', 'DC']])
  })

  test.each(['quiet', 'mpps'] as const)('%s: a step that the RIS began stays STARTED', (policy) => {
    const story = createStory({ policy })
    story.message({})
    story.message({ control: 'IP' })
    story.performed()
    story.performed({ state: 'DISCONTINUED', discontinuationReason: wrong })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], []])
  })

  test('mpps: the step was performed by another one meanwhile: completed when the mistake is known', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed({ sopInstanceUid: '1.2.1' })
    story.performed({ sopInstanceUid: '1.2.2' })
    story.performed({ sopInstanceUid: '1.2.2', state: 'COMPLETED' })
    expect(statuses(story)).toEqual(['STARTED'])
    story.performed({ sopInstanceUid: '1.2.1', state: 'DISCONTINUED', discontinuationReason: wrong })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('another performed step of it is in progress: it stays STARTED until that one is a mistake too', () => {
    const story = createStory()
    story.message({})
    story.performed({ sopInstanceUid: '1.2.1' })
    story.performed({ sopInstanceUid: '1.2.2' })
    story.performed({ sopInstanceUid: '1.2.1', state: 'DISCONTINUED', discontinuationReason: wrong })
    expect(statuses(story)).toEqual(['STARTED'])
    story.performed({ sopInstanceUid: '1.2.2', state: 'DISCONTINUED', discontinuationReason: wrong })
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('of two steps of an order one was a mistake: IP stays told', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({ steps: two })
    const of = (scheduledStepId: string) => ({
      sopInstanceUid: `1.2.${scheduledStepId}`,
      scheduledSteps: [scheduled({ requestedProcedureId: 'RP1', scheduledStepId })],
    })
    story.performed(of('S1'))
    story.performed(of('S2'))
    story.performed({ ...of('S1'), state: 'DISCONTINUED', discontinuationReason: wrong })
    expect([statuses(story), story.order().told]).toEqual([['SCHEDULED', 'STARTED'], ['IP']])
  })

  test.each([
    ['it began the step before its images', true],
    ['it is the first that was heard of it', false],
  ] as const)('%s: once the images are taken back, the step waits again', (_what, isKnown) => {
    const story = createStory({ policy: 'stable' })
    story.message({})
    if (isKnown) story.performed()
    story.images()
    story.performed({ state: 'DISCONTINUED', discontinuationReason: wrong })
    expect(statuses(story)).toEqual(['STARTED'])
    story.hand({ kind: 'unlink', orderId: story.order().id, study: 'main/study-1' })
    expect([statuses(story), story.events(), story.worklist().length]).toEqual([
      ['SCHEDULED'],
      ['started', 'unmatched', 'reopened'],
      1,
    ])
    story.performed({ state: 'DISCONTINUED', discontinuationReason: wrong })
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('it is no reason to start what a person opens again', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'CM' })
    story.performed({ state: 'DISCONTINUED', discontinuationReason: wrong })
    story.hand({ kind: 'reopen', orderId: story.order().id })
    expect([statuses(story), story.events()]).toEqual([['SCHEDULED'], ['reopened']])
  })

  test.each([true, false])('mpps: a mistake does not end what a person has opened again, begun: %s', (isBegun) => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed({ state: 'COMPLETED' })
    story.hand({ kind: 'reopen', orderId: story.order().id })
    if (isBegun) story.performed({ sopInstanceUid: '1.2.2' })
    story.performed({ sopInstanceUid: '1.2.2', state: 'DISCONTINUED', discontinuationReason: wrong })
    expect(statuses(story)).toEqual(['STARTED'])
  })
})

test('images that a person links after the end are those of the step, also when it is opened again', () => {
  const story = createStory({ policy: 'mpps' })
  story.message({})
  story.images({ studyInstanceUid: '9.9', accessionNumber: 'X' })
  const item = { studyInstanceUid: '', accessionNumber: 'A1', requestedProcedureId: 'RP1', scheduledStepId: 'S1' }
  story.performed({ scheduledSteps: [item], state: 'COMPLETED' })
  story.hand({ kind: 'link', orderId: story.order().id, study: 'main/study-1' })
  story.change({ completion: { policy: 'quiet', quietSeconds: 1800 } })
  story.hand({ kind: 'reopen', orderId: story.order().id })
  expect(statuses(story)).toEqual(['STARTED'])
  story.wait(31)
  expect(statuses(story)).toEqual(['COMPLETED'])
})
