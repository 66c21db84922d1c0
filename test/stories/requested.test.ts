/** Request Attributes Sequence (0040,0275): images say by which orders they were requested. */
import { describe, expect, test } from 'vitest'
import type { SeriesFacts } from '../../src/core/order.ts'
import { createStory, otto, statuses, step, type GroupParts, type Story } from './support.ts'

const request = (requestedProcedureId: string, scheduledStepId = 'S1', accessionNumber = '') => ({
  requestedProcedureId,
  scheduledStepId,
  accessionNumber,
})

/** Orders of one visit with accession numbers and Study Instance UIDs of their own. */
const order = (n: number, more: GroupParts = {}): GroupParts => ({
  numbers: {
    fillerOrderNumber: `F${n}`,
    accessionNumber: `A${n}`,
    studyInstanceUid: `1.${n}`,
    requestedProcedureId: `RP${n}`,
  },
  ...more,
})

const ofFirst: Partial<SeriesFacts> = { studyInstanceUid: '1.1', accessionNumber: 'A1' }

const credited = (story: Story): readonly string[] => {
  const credit = story.study()?.credit
  const ids = credit?.kind === 'matched' ? credit.orderIds : []
  return story
    .orders()
    .filter(({ id }) => ids.includes(id))
    .map(({ numbers }) => numbers.fillerOrderNumber ?? '')
}

describe('MESA 106, the group case: one acquisition serves several orders', () => {
  test('orders with other accession numbers and other Study Instance UIDs than the images begin and end with them', () => {
    const story = createStory()
    story.message(order(1), order(2), order(3), order(4))
    story.images({ ...ofFirst, requestAttributes: [request('RP1'), request('RP2'), request('RP3')] })
    expect(statuses(story)).toEqual(['STARTED', 'STARTED', 'STARTED', 'SCHEDULED'])
    expect([credited(story), story.told()]).toEqual([
      ['F1', 'F2', 'F3'],
      ['IP', 'IP', 'IP'],
    ])
    story.wait(31)
    expect(statuses(story)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED', 'SCHEDULED'])
    expect(story.told()).toEqual(['IP', 'IP', 'IP', 'CM', 'CM', 'CM'])
  })

  test('a study and an accession number that nobody has: the sequence is enough', () => {
    const story = createStory()
    story.message(order(1), order(2))
    story.images({ studyInstanceUid: '9.9', accessionNumber: 'X', requestAttributes: [request('RP1'), request('RP2')] })
    expect([statuses(story), story.notices()]).toEqual([['STARTED', 'STARTED'], []])
  })

  test('stable: all orders of the group end with the study', () => {
    const story = createStory({ policy: 'stable' })
    story.message(order(1), order(2))
    const facts = { ...ofFirst, requestAttributes: [request('RP1'), request('RP2')] }
    story.images(facts)
    story.images(facts, 'stable')
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'IP', 'CM', 'CM'],
    ])
    expect(story.heard().map(({ kind, order }) => `${kind} ${order?.numbers.fillerOrderNumber}`)).toEqual([
      'started F1',
      'started F2',
      'stable F1',
      'completed F1',
      'stable F2',
      'completed F2',
    ])
  })

  test('one of the orders was corrected in the meantime: the images that come later still find it', () => {
    const story = createStory()
    story.message(order(1), order(2))
    story.images({ ...ofFirst, requestAttributes: [request('RP2')] })
    story.message({ ...order(2), control: 'XO', numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2B' } })
    story.wait(20)
    story.images({ ...ofFirst, series: 'series-2', requestAttributes: [request('RP2')] })
    story.wait(20)
    expect(statuses(story)).toEqual(['SCHEDULED', 'STARTED'])
    story.wait(11)
    expect(statuses(story)).toEqual(['SCHEDULED', 'COMPLETED'])
  })
})

describe('one order among several', () => {
  test.each([
    ['the step that the item names', [request('RP1', 'S2')], ['SCHEDULED', 'STARTED']],
    ['the step of the modality, where the item names none', [request('RP1', '')], ['STARTED', 'SCHEDULED']],
    ['both steps, named by two items', [request('RP1', 'S1'), request('RP1', 'S2')], ['STARTED', 'STARTED']],
  ])('starts %s', (_, requestAttributes, expected) => {
    const story = createStory()
    story.message(order(1, { steps: [step('1'), step('2', { Modality: 'PT' })] }))
    story.images({ studyInstanceUid: '9.9', requestAttributes })
    expect(statuses(story)).toEqual(expected)
  })

  test.each([
    ['the Study Instance UID', { studyInstanceUid: '1.2' }, [request('RP')]],
    ['the accession number of the item', { studyInstanceUid: '9.9' }, [request('RP', 'S1', 'A2')]],
    ['the accession number of the images', { studyInstanceUid: '9.9', accessionNumber: 'A2' }, [request('RP')]],
  ])('a Requested Procedure ID that two orders share is told apart by %s', (_, facts, requestAttributes) => {
    const story = createStory()
    const shared = (n: number): GroupParts => ({ numbers: { ...order(n).numbers, requestedProcedureId: 'RP' } })
    story.message(shared(1), shared(2))
    story.images({ ...facts, requestAttributes })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'STARTED'], []])
  })

  test('a Requested Procedure ID that two orders share and nothing tells apart: ambiguous', () => {
    const story = createStory()
    const shared = (n: number): GroupParts => ({ numbers: { ...order(n).numbers, requestedProcedureId: 'RP' } })
    story.message(shared(1), shared(2))
    story.images({ studyInstanceUid: '9.9', requestAttributes: [request('RP')] })
    expect([statuses(story), story.notices(), story.events()]).toEqual([
      ['SCHEDULED', 'SCHEDULED'],
      ['E611'],
      ['ambiguous'],
    ])
  })

  test('without a Requested Procedure ID the sequence says nothing', () => {
    const story = createStory()
    story.message(order(1), order(2))
    story.images({ ...ofFirst, requestAttributes: [request('', 'S1', 'A2')] })
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
  })
})

describe('after a merge (ADT A40)', () => {
  const merge = (story: Story): unknown => story.adt({ kind: 'merge', patient: otto, prior: ['4711^^^HOSP'] })
  const group = { studyInstanceUid: '9.9', requestAttributes: [request('RP1'), request('RP2')] }

  test.each([
    ['the old Patient ID, which the modality had loaded', { patientId: '4711' }],
    ['the old Patient ID with its issuer', { patientId: '4711', issuerOfPatientId: 'HOSP' }],
    ["the survivor's Patient ID", { patientId: '4712' }],
  ])('images under %s are of the orders that they were requested by', (_, who) => {
    const story = createStory()
    story.message(order(1), order(2))
    merge(story)
    story.images({ ...group, ...who })
    expect([statuses(story), credited(story), story.notices()]).toEqual([['STARTED', 'STARTED'], ['F1', 'F2'], []])
  })

  test('an order that comes late under the old ID is found too', () => {
    const story = createStory()
    story.message(order(1))
    merge(story)
    story.message(order(2))
    story.images({ ...group, patientId: '4711' })
    expect(statuses(story)).toEqual(['STARTED', 'STARTED'])
  })
})

describe('I11: of whom the images are counts before by what they were requested', () => {
  test.each([
    ['another Patient ID', { patientId: '4712' }],
    ['no Patient ID', { patientId: '' }],
    ['the Patient ID of another issuer', { issuerOfPatientId: 'CLINIC' }],
  ])('%s: the request of an order finds nothing', (_, who) => {
    const story = createStory()
    story.message(order(1))
    story.images({ studyInstanceUid: '9.9', requestAttributes: [request('RP1')], ...who })
    expect([statuses(story), story.study()?.credit.kind, story.told()]).toEqual([['SCHEDULED'], 'unmatched', []])
  })

  test("two patients share a Requested Procedure ID: each one's images are of their own order", () => {
    const story = createStory()
    const shared = { requestedProcedureId: 'RP' }
    story.message({ numbers: { ...order(1).numbers, ...shared } })
    story.message({ numbers: { ...order(2).numbers, ...shared }, patient: otto })
    story.images({ studyInstanceUid: '9.9', patientId: '4712', requestAttributes: [request('RP')] })
    expect(statuses(story)).toEqual(['SCHEDULED', 'STARTED'])
  })

  test("the request of one's own order in the study of somebody else: a mismatch", () => {
    const story = createStory()
    story.message(order(1))
    story.message(order(2, { patient: otto }))
    story.images({ studyInstanceUid: '1.2', requestAttributes: [request('RP1')] })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'SCHEDULED'], ['E610']])
  })
})
