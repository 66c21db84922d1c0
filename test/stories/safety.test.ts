/**
 * What must never happen, whatever comes in whatever order: a step that starts by
 * images of another one, an exam that ends while it runs, an end that is never told.
 */
import { describe, expect, test } from 'vitest'
import type { Patient } from '../../src/core/order.ts'
import { anna, createStory, otto, statuses, step, type Story } from './support.ts'

const ptAndDx = [step('1', { Modality: 'PT' }, ['PT01']), step('2', { Modality: 'DX' }, ['DX01'])]
const link = (story: Story, study: string, more: { step?: string } = {}): void =>
  story.hand({ kind: 'link', orderId: story.orders()[0]?.id ?? '', study, ...more })

describe('I11: images of a step that has ended start no other one', () => {
  const ends: readonly (readonly [string, (story: Story) => void, string])[] = [
    ['discontinued by the RIS', (story) => void story.message({ control: 'DC', steps: [step('1')] }), 'DISCONTINUED'],
    ['completed by the RIS', (story) => void story.message({ control: 'CM', steps: [step('1')] }), 'COMPLETED'],
    [
      'discontinued by hand',
      (story) => story.hand({ kind: 'cancel', orderId: story.order().id, step: '1' }),
      'DISCONTINUED',
    ],
    [
      'discontinued by the modality',
      (story) => {
        const item = { studyInstanceUid: '', accessionNumber: '', requestedProcedureId: 'RP1', scheduledStepId: 'S1' }
        story.performed({ scheduledSteps: [item] })
        story.performed({ state: 'DISCONTINUED' })
      },
      'DISCONTINUED',
    ],
  ]
  test.each(ends)('%s', (_how, end, stepStatus) => {
    const story = createStory({ policy: 'mpps' })
    story.message({ steps: ptAndDx })
    story.images({ modality: 'PT' })
    end(story)
    expect(statuses(story)).toEqual([stepStatus, 'SCHEDULED'])
    story.images({ modality: 'PT', series: 'series-2' })
    expect(statuses(story)).toEqual([stepStatus, 'SCHEDULED'])
    story.images({ modality: 'DX', series: 'series-3' })
    expect(statuses(story)).toEqual([stepStatus, 'STARTED'])
  })

  test('a step that an update replaced by one of another modality is told apart still', () => {
    const story = createStory()
    story.message({ steps: [step('a', { Modality: 'PT' })] })
    story.message({ control: 'XO', steps: [step('b', { Modality: 'CT' })] })
    story.images({ modality: 'PT' })
    expect([statuses(story), story.notices()]).toEqual([['CANCELED', 'SCHEDULED'], ['E612']])
  })

  test('a step that was replaced by one of the same modality takes nothing from it', () => {
    const story = createStory()
    story.message({ steps: [step('a')] })
    story.message({ control: 'XO', steps: [step('b')] })
    story.images()
    expect([statuses(story), story.notices()]).toEqual([['CANCELED', 'STARTED'], []])
  })

  test('what was measured for a PET that was stopped does not start the MR of its order', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }, ['PT01']), step('2', { Modality: 'MR' }, ['MR01'])] })
    story.images({ modality: 'PT' })
    story.message({ control: 'DC', steps: [step('1')] })
    story.images({ modality: 'CT', remoteAet: 'PT01', series: 'series-2' })
    expect(statuses(story)).toEqual(['DISCONTINUED', 'SCHEDULED'])
  })

  test('the accession number names a cancelled order, not its neighbour in the study', () => {
    const story = createStory()
    const one = { fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.1' }
    const other = { fillerOrderNumber: 'F2', accessionNumber: 'A2', studyInstanceUid: '1.1' }
    story.message({ numbers: one })
    story.message({ numbers: other })
    story.message({ control: 'CA', numbers: one })
    story.images({ studyInstanceUid: '1.1', accessionNumber: 'A1' })
    expect([statuses(story), story.notices()]).toEqual([['CANCELED', 'SCHEDULED'], ['E612']])
  })
})

describe('I4: images that are told again are none', () => {
  test('the quiet time goes on', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(20)
    story.images()
    story.wait(11)
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('a step that the RIS began after them waits for its own', () => {
    const story = createStory()
    const [one, two] = [step('1'), step('2', { Modality: 'MR' })]
    story.message({ steps: [one, two] })
    story.images()
    story.message({ control: 'IP', steps: [two] })
    story.images()
    story.wait(60)
    expect(statuses(story)).toEqual(['COMPLETED', 'STARTED'])
  })

  test('a step that was planned since does not start', () => {
    const story = createStory()
    story.message({ steps: [step('1')] })
    story.images()
    story.message({ control: 'XO', steps: [step('1'), step('2')] })
    story.images()
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
  })

  test('a stable study stays one', () => {
    const story = createStory({ policy: 'stable' })
    story.message({})
    story.images([], 'deleted')
    story.images({ study: 'study-2', series: 'series-2' })
    story.images({ study: 'study-2', series: 'series-2' }, 'stable')
    story.images({ study: 'study-2', series: 'series-2' })
    expect([story.study('main/study-2')?.stable, story.told()]).toEqual([true, ['IP', 'CM']])
  })
})

describe('the end is that of all images', () => {
  test('an order that comes after two studies waits as long as the newer one says', () => {
    const story = createStory()
    story.images({ study: 'a', series: '1', studyInstanceUid: '9.1', accessionNumber: 'A1' })
    story.wait(35)
    story.images({ study: 'b', series: '2', studyInstanceUid: '9.2', accessionNumber: 'A1' })
    story.message({})
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(31)
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('a link means the images in every Orthanc', () => {
    const story = createStory()
    story.message({})
    const foreign = { studyInstanceUid: '9.1', patientId: '4713' }
    story.images({ ...foreign, series: '1' })
    story.wait(35)
    story.images({ ...foreign, study: 'copy', series: '2' }, 'seen', 'archive')
    link(story, 'main/study-1')
    expect([statuses(story), story.order().studies]).toEqual([['STARTED'], ['archive/copy', 'main/study-1']])
  })

  test('a link where the images are in another Orthanc starts the step', () => {
    const story = createStory()
    story.message({})
    const foreign = { studyInstanceUid: '9.1', patientId: '4713' }
    story.images({ ...foreign, series: '1' })
    story.images({ ...foreign, study: 'copy', series: '2', modality: 'KO' }, 'seen', 'archive')
    link(story, 'archive/copy')
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('a report that came later delays nothing', () => {
    const story = createStory()
    story.message({})
    story.images({ studyInstanceUid: '9.1', patientId: '4713' })
    story.wait(60)
    story.images({ studyInstanceUid: '9.1', patientId: '4713', series: 'report', modality: 'SR' })
    link(story, 'main/study-1')
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('what a modality stored by DICOMweb starts what it is linked with', () => {
    const story = createStory()
    story.message({})
    story.images({ studyInstanceUid: '9.1', patientId: '4713', origin: 'RestApi' })
    link(story, 'main/study-1', { step: '1' })
    expect(statuses(story)).toEqual(['STARTED'])
  })
})

describe('I11: after a merge', () => {
  test('one acquisition serves two orders, as before it', () => {
    const story = createStory()
    for (const n of ['1', '2']) {
      story.message({
        patient: otto,
        numbers: {
          fillerOrderNumber: `F${n}`,
          accessionNumber: `A${n}`,
          studyInstanceUid: `1.${n}`,
          requestedProcedureId: `RP${n}`,
        },
        request: { RequestedProcedureID: `RP${n}` },
        steps: [step(n)],
      })
    }
    story.adt({ kind: 'merge', patient: anna, prior: [otto.key] })
    const requestAttributes = ['1', '2'].map((n) => ({
      requestedProcedureId: `RP${n}`,
      scheduledStepId: `S${n}`,
      accessionNumber: '',
    }))
    story.images({ patientId: '4712', studyInstanceUid: '1.1', requestAttributes })
    expect(statuses(story)).toEqual(['STARTED', 'STARTED'])
  })
})

describe('groups of one message that one number names', () => {
  const both = (control = 'NW', sent = '20261015090000') =>
    ['a', 'b'].map((key) => ({ control, sent, steps: [step(key)] }))

  test.each(['NW', 'XO'])('%s: are one order with all their steps, however often it is said', (control) => {
    const story = createStory()
    story.message({ steps: [step('b')] })
    story.message(...both(control))
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
    story.message(...both(control))
    expect([statuses(story), story.orders().length]).toEqual([['SCHEDULED', 'SCHEDULED'], 1])
  })

  test('what was cancelled is planned again as a whole', () => {
    const story = createStory()
    story.message(...both())
    story.message({ control: 'CA' })
    story.message(...both('NW', '20261015100000'))
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
  })

  test('one of them may be without a step', () => {
    const story = createStory()
    expect(story.message({ steps: [] }, { steps: [step('a')] }).kind).toBe('applied')
    expect(story.orders().map(({ id }) => id)).toEqual(['O1001-1'])
  })

  test('the only step of an order is not taken for the first of several', () => {
    const story = createStory()
    story.message({ steps: [step('1')] })
    story.message(...both())
    expect(story.order().steps.map(({ key, stepStatus }) => [key, stepStatus])).toEqual([
      ['1', 'CANCELED'],
      ['a', 'SCHEDULED'],
      ['b', 'SCHEDULED'],
    ])
  })

  test('a number that points to another order in one of them kills the message', () => {
    const story = createStory()
    story.message({ numbers: { placerOrderNumber: 'P1' } })
    story.message({ numbers: { placerOrderNumber: 'P2' } })
    const state = story.message(
      { numbers: { fillerOrderNumber: 'F1', placerOrderNumber: 'P1' } },
      { numbers: { fillerOrderNumber: 'F1', placerOrderNumber: 'P2' } },
    )
    expect(state).toMatchObject({ kind: 'dead', fault: { code: 'E601' } })
  })

  test('I11: the study of another patient in one of them kills the message', () => {
    const story = createStory()
    story.message({ patient: otto, numbers: { fillerOrderNumber: 'F9', studyInstanceUid: '1.9' } })
    const state = story.message(
      { numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.9' } },
      { numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.1' } },
    )
    expect(state).toMatchObject({ kind: 'dead', fault: { code: 'E604' } })
  })
})

describe('numbers', () => {
  const later = (day: string) => ({ steps: [step('1', { ScheduledProcedureStepStartDate: day })] })

  test('a cancel that brings the filler number is remembered: the order is known by it', () => {
    const story = createStory()
    story.message({ numbers: { placerOrderNumber: 'P1' } })
    story.message({ control: 'CA', numbers: { placerOrderNumber: 'P1', fillerOrderNumber: 'F1' } })
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1' } })
    expect([story.orders().length, statuses(story)]).toEqual([1, ['CANCELED']])
  })

  test('what its cancel overtook stays cancelled for all messages older than the cancel', () => {
    const story = createStory()
    story.message({ control: 'CA', sent: '20261015100000' })
    story.message({ sent: '20261015090000' })
    story.message({ control: 'XO', sent: '20261015093000' })
    expect(statuses(story)).toEqual(['CANCELED'])
    story.message({ control: 'XO', sent: '20261015103000' })
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('a cancelled order is not planned anew by an older message that names its step otherwise', () => {
    const story = createStory()
    story.message({ steps: [step('a')] })
    story.message({ control: 'CA', sent: '20261015100000' })
    story.message({ control: 'XO', sent: '20261015093000', steps: [step('b')] })
    expect([statuses(story), story.worklist()]).toEqual([['CANCELED'], []])
    expect(story.history().at(-1)).toContain('what has ended stays so')
    story.message({ control: 'XO', sent: '20261015103000', steps: [step('b')] })
    expect(statuses(story)).toEqual(['CANCELED', 'SCHEDULED'])
  })

  test.each([
    ['by its placer number alone', { fillerOrderNumber: 'F1', placerOrderNumber: 'P1' }, { placerOrderNumber: 'P1' }],
    ['with a filler number', { placerOrderNumber: 'P1' }, { fillerOrderNumber: 'F1', placerOrderNumber: 'P1' }],
  ])('a number used again %s means the new exam', (_how, first, second) => {
    const story = createStory()
    story.message({ numbers: first })
    story.message({ control: 'CM', numbers: first })
    story.message({ numbers: second, sent: '20261101090000', ...later('20261102') })
    expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED'])
    const numbers = { placerOrderNumber: 'P1' }
    expect(story.message({ control: 'CA', numbers, sent: '20261101100000' }).kind).toBe('applied')
    expect(statuses(story)).toEqual(['COMPLETED', 'CANCELED'])
  })

  test('a number used again with the old study gets another one, and keeps it', () => {
    const story = createStory()
    const numbers = { fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.1' }
    story.message({ numbers })
    story.images({ studyInstanceUid: '1.1' })
    story.wait(31)
    story.message({ numbers, sent: '20261101090000', ...later('20261102') })
    story.message({ numbers, control: 'XO', sent: '20261101091000', ...later('20261103') })
    const [old, now] = story.orders()
    expect([old?.studyInstanceUid, now?.studyInstanceUid === '1.1', statuses(story)]).toEqual([
      '1.1',
      false,
      ['COMPLETED', 'SCHEDULED'],
    ])
    story.images({ studyInstanceUid: '1.1', series: 'series-2' })
    expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED'])
    story.images({ study: 'study-2', studyInstanceUid: now?.studyInstanceUid ?? '', series: 'series-3' })
    expect(statuses(story)).toEqual(['COMPLETED', 'STARTED'])
  })
})

describe('what began without images', () => {
  test('is not ended by the quiet time of a reopening', () => {
    const story = createStory()
    const [one, two] = [step('a'), step('b')]
    story.message({ steps: [one, two] })
    story.message({ control: 'IP', steps: [one] })
    story.message({ control: 'XO', steps: [one] })
    story.hand({ kind: 'reopen', orderId: story.order().id })
    story.wait(300)
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
    expect(story.deadlines().size).toBe(0)
  })

  test('and was reopened waits for its images', () => {
    const story = createStory()
    story.message({})
    story.performed()
    story.hand({ kind: 'complete', orderId: story.order().id })
    story.hand({ kind: 'reopen', orderId: story.order().id })
    story.wait(300)
    expect(statuses(story)).toEqual(['STARTED'])
    story.images()
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM', 'CM']])
  })
})

test('an ended order takes all new steps of a newer message, in how many groups it may say them', () => {
  const story = createStory()
  const numbers = { placerOrderNumber: 'P1' }
  story.message({ numbers, steps: [step('a')] })
  story.message({ control: 'CM', numbers })
  const sent = '20261015100000'
  story.message(
    { numbers, sent, steps: [step('b')] },
    { numbers: { ...numbers, fillerOrderNumber: 'F1' }, sent, steps: [step('c')] },
  )
  expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED', 'SCHEDULED'])
})

test('I11: a mismatch of two orders is resolved for both by a merge', () => {
  const story = createStory()
  for (const n of ['1', '2']) {
    const requestedProcedureId = `RP${n}`
    const numbers = { fillerOrderNumber: `F${n}`, studyInstanceUid: `1.${n}`, requestedProcedureId }
    story.message({ patient: otto, numbers, request: { RequestedProcedureID: `RP${n}` }, steps: [step(n)] })
  }
  const item = { scheduledStepId: 'S1', requestedProcedureId: 'RP1', accessionNumber: '' }
  const requestAttributes = [item, { ...item, requestedProcedureId: 'RP2', scheduledStepId: 'S2' }]
  story.images({ studyInstanceUid: '1.1', requestAttributes })
  expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'SCHEDULED'], ['E610']])
  story.adt({ kind: 'merge', patient: anna, prior: [otto.key] })
  expect(statuses(story)).toEqual(['STARTED', 'STARTED'])
})

test('a repeat that adds a later step does not put the completed one back on the worklist', () => {
  const story = createStory()
  story.message({ steps: [step('a')] })
  story.message({ control: 'CM' })
  const later = step('b', { ScheduledProcedureStepStartDate: '20261017' })
  story.message({ sent: '20261015100000', steps: [later, step('a')] })
  expect(story.order().steps.map(({ key, stepStatus }) => [key, stepStatus])).toEqual([
    ['a', 'COMPLETED'],
    ['b', 'SCHEDULED'],
  ])
})

test('I11: the copy of an old study under a number that is used again starts nothing', () => {
  const story = createStory()
  const old = { studyInstanceUid: '9.9', accessionNumber: 'A1' }
  story.images({ ...old, lastImageAt: '2026-10-01T08:00:00.000Z' })
  story.images({ ...old, study: 'copy', lastImageAt: '2026-10-15T08:00:00.000Z' }, 'seen', 'archive')
  story.message({})
  expect([statuses(story), story.order().studies]).toEqual([['SCHEDULED'], undefined])
})

test('what was sent on and deleted where it came from starts an order that comes late', () => {
  const story = createStory()
  story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1' })
  story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1', study: 'copy' }, 'seen', 'archive')
  story.images([], 'deleted')
  story.message({})
  expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
})

test('a link of one study is one in every Orthanc, whatever was linked there before', () => {
  const story = createStory()
  story.message({ numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.1' } })
  story.message({ numbers: { fillerOrderNumber: 'F2', studyInstanceUid: '1.2' } })
  story.images({ studyInstanceUid: '1.1' })
  story.images({ studyInstanceUid: '1.1', study: 'copy', modality: 'KO' }, 'seen', 'archive')
  const [first = '', second = ''] = story.orders().map(({ id }) => id)
  story.hand({ kind: 'link', orderId: second, study: 'archive/copy' })
  story.hand({ kind: 'link', orderId: first, study: 'main/study-1' })
  expect(story.study('archive/copy')?.credit).toEqual({ kind: 'matched', orderIds: [first, second] })
})

test('I11: a later series of a linked study that tells nothing starts no other step', () => {
  const story = createStory()
  story.message({ steps: [step('a', {}, ['CT01']), step('b', { Modality: 'MR' }, ['MR01'])] })
  story.images({ studyInstanceUid: '9.1', patientId: '4713' })
  link(story, 'main/study-1')
  story.images({ studyInstanceUid: '9.1', patientId: '4713', series: '2', modality: 'PT', remoteAet: 'PT01' })
  expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
})

test('I11: a linked study is told apart as a whole, in whatever order its series came', () => {
  const story = createStory()
  story.message({
    steps: [step('a', { Modality: 'MR' }, ['MR01']), step('b'), step('c', { Modality: 'PT' }, ['PT01'])],
  })
  const told = { studyInstanceUid: '9.1', patientId: '4713' }
  story.images([
    { ...told, series: '1', modality: 'DX', remoteAet: 'DX01' },
    { ...told, series: '2' },
  ])
  link(story, 'main/study-1')
  expect(statuses(story)).toEqual(['SCHEDULED', 'STARTED', 'SCHEDULED'])
})

describe('I11: images of an earlier visit', () => {
  const days = 24 * 60

  test('do not end the exam of today, though another series of their study came since', () => {
    const story = createStory()
    story.images({ studyInstanceUid: '9.1', accessionNumber: 'A1', lastImageAt: '2026-09-01T08:00:00.000Z' })
    const series = { series: '2', modality: 'MR', remoteAet: 'MR01' }
    story.images({ studyInstanceUid: '9.1', accessionNumber: 'A1', ...series })
    story.wait(60)
    story.message({ steps: [step('a'), step('b', { Modality: 'MR' }, ['MR01'])] })
    expect(statuses(story)).toEqual(['SCHEDULED', 'COMPLETED'])
  })

  test('make no doubt of whose they are', () => {
    const story = createStory()
    story.images({ studyInstanceUid: '9.1', accessionNumber: 'A1' })
    const later = { ScheduledProcedureStepStartDate: '20261101' }
    story.message({ numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1' }, steps: [step('1', later)] })
    story.message({ numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A1' } })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'STARTED'], []])
  })

  test('are not asked for by the request that they share with the order of today', () => {
    const story = createStory()
    const item = { requestedProcedureId: 'RP1', scheduledStepId: 'S1', accessionNumber: '', studyInstanceUid: '' }
    story.images({ studyInstanceUid: '9.1', accessionNumber: 'A1', requestAttributes: [item] })
    story.wait(10 * days)
    story.message({ steps: [step('1', { ScheduledProcedureStepStartDate: '20261026' })] })
    expect([statuses(story), story.told()]).toEqual([['SCHEDULED'], []])
  })

  test('are none of who had them before a merge that resolves their contradiction, though the exam was to be days later', () => {
    const story = createStory()
    const later = [step('9', { ScheduledProcedureStepStartDate: '20261101' })]
    const request = { RequestedProcedureID: 'RP2' }
    story.message({ numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1' } })
    story.message({
      patient: otto,
      numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2' },
      request,
      steps: later,
    })
    const item = { requestedProcedureId: 'RP2', scheduledStepId: 'S9', accessionNumber: '', studyInstanceUid: '' }
    const came = { lastImageAt: '2026-10-16T09:00:00.000Z' }
    const images = { ...came, patientId: otto.patientId, studyInstanceUid: '9.9', accessionNumber: 'A1' }
    story.images({ ...images, requestAttributes: [item] })
    story.images({ ...images, series: 'series-2' })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'STARTED'], ['E610']])
    story.adt({ kind: 'merge', patient: anna, prior: [otto.key] })
    expect(story.study()?.credit).toEqual({ kind: 'matched', orderIds: story.orders().map(({ id }) => id) })
  })
})

describe('a number used again', () => {
  const numbers = { fillerOrderNumber: 'F1', accessionNumber: 'A1' }
  const item = { requestedProcedureId: 'RP1', scheduledStepId: 'S1', accessionNumber: '', studyInstanceUid: '' }

  function usedAgain(more: { studyInstanceUid?: string } = {}): Story {
    const story = createStory()
    story.message({ numbers: { ...numbers, ...more } })
    story.images({ requestAttributes: [item] })
    story.wait(31)
    const steps = [step('1', { ScheduledProcedureStepStartDate: '20261102' })]
    story.message({ numbers: { ...numbers, ...more }, sent: '20261101090000', steps })
    expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED'])
    return story
  }

  test('images that name its request are of the new exam', () => {
    const story = usedAgain()
    story.images({
      study: 'study-2',
      studyInstanceUid: '9.9',
      requestAttributes: [item],
      lastImageAt: '2026-11-02T08:00:00.000Z',
    })
    expect([statuses(story), story.notices()]).toEqual([['COMPLETED', 'STARTED'], []])
  })

  test('late images of the study of the old exam are of the old one', () => {
    const story = usedAgain()
    const studyInstanceUid = story.orders()[0]?.studyInstanceUid ?? ''
    story.images({ studyInstanceUid, series: 'series-2', requestAttributes: [item] })
    expect([statuses(story), story.events().at(-1)]).toEqual([['COMPLETED', 'SCHEDULED'], 'lateImages'])
  })

  test('a message that names the new exam by accession number and the old study means the new one', () => {
    const story = usedAgain({ studyInstanceUid: '1.1' })
    const both = { accessionNumber: 'A1', studyInstanceUid: '1.1' }
    expect(story.message({ control: 'CA', numbers: both, sent: '20261101100000' }).kind).toBe('applied')
    expect(statuses(story)).toEqual(['COMPLETED', 'CANCELED'])
  })
})

test('a linked study of reports alone does not hold up the end of stable studies', () => {
  const story = createStory({ policy: 'stable' })
  story.message({})
  story.images({})
  story.images({ study: 'study-2', studyInstanceUid: '9.9', patientId: '4713', modality: 'SR' })
  link(story, 'main/study-2')
  story.images({}, 'stable')
  expect(statuses(story)).toEqual(['COMPLETED'])
})

describe('after an unlink, what is STARTED still waits for its images again', () => {
  const both = [step('1'), step('2', { Modality: 'MR' }, ['MR01'])]
  const unlink = (story: Story, study: string): void =>
    story.hand({ kind: 'unlink', orderId: story.orders()[0]?.id ?? '', study })

  test('that the RIS began, though older images were linked to it', () => {
    const story = createStory()
    story.images({ studyInstanceUid: '9.9', patientId: '4713' })
    story.message({})
    story.message({ control: 'IP' })
    link(story, 'main/study-1', { step: '1' })
    unlink(story, 'main/study-1')
    story.wait(300)
    expect(statuses(story)).toEqual(['STARTED'])
    story.images({ study: 'study-2' })
    story.wait(31)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('that MPPS is of: images that are linked to another step do not end it', () => {
    const story = createStory()
    story.message({ steps: both })
    story.images()
    story.performed()
    unlink(story, 'main/study-1')
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
    story.wait(40)
    link(story, 'main/study-1', { step: '2' })
    story.wait(300)
    expect(statuses(story)).toEqual(['STARTED', 'COMPLETED'])
  })
})

test('a new step of an expired order has the days of a new one', () => {
  const story = createStory({}, { days: 2, timeZone: 'UTC' })
  story.message({})
  story.wait(6 * 24 * 60)
  expect(statuses(story)).toEqual(['EXPIRED'])
  story.message({ control: 'XO', sent: '20261022090000', steps: [step('1'), step('2')] })
  story.message({ control: 'XO', sent: '20261022090100', steps: [step('2')] })
  expect(statuses(story)).toEqual(['CANCELED', 'SCHEDULED'])
  story.wait(3 * 24 * 60)
  expect(statuses(story)).toEqual(['CANCELED', 'EXPIRED'])
})

test('I4: a study that is deleted is told of once', () => {
  const story = createStory()
  story.message({})
  story.images()
  story.images([], 'deleted')
  story.images([], 'deleted')
  expect(story.events()).toEqual(['started', 'deleted'])
  story.images({ instances: 2 })
  story.images([], 'deleted')
  expect(story.events()).toEqual(['started', 'deleted', 'deleted'])
})

test('I4: what was told once is no news, though less of it was told in between', () => {
  const story = createStory()
  story.message({})
  for (const instances of [1, 2, 1]) story.images({ instances })
  story.wait(31)
  story.images({ instances: 2 }, 'stable')
  expect(story.events()).toEqual(['started', 'completed', 'stable'])
})

test('a link of a study in two Orthancs to an exam that has ended is one piece of news', () => {
  const story = createStory()
  story.message({})
  story.hand({ kind: 'complete', orderId: story.order().id })
  const elsewhere = { studyInstanceUid: '9.9', patientId: '4713' }
  story.images(elsewhere)
  story.images({ ...elsewhere, instances: 2 }, 'seen', 'archive')
  link(story, 'main/study-1')
  expect(story.events().filter((kind) => kind === 'lateImages')).toEqual(['lateImages'])
})

test('groups of one order that describe their patient in two ways: NW says who it is, in whatever place it stands', () => {
  const story = createStory()
  const named = (name: string): Patient => ({ ...anna, attributes: { PatientName: name } })
  story.message({ numbers: { fillerOrderNumber: 'F9' }, patient: named('NEW^NAME') })
  story.message(
    { control: 'XO', numbers: { fillerOrderNumber: 'F2' }, patient: named('OLD^NAME'), steps: [] },
    { numbers: { fillerOrderNumber: 'F2' }, patient: named('NEW^NAME') },
  )
  expect(story.worklist().map((item) => item.dataset['PatientName'])).toEqual(['NEW^NAME', 'NEW^NAME'])
})
