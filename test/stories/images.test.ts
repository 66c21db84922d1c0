import { describe, expect, test } from 'vitest'
import { createStory, otto, statuses, step } from './support.ts'

describe('an exam begins and ends', () => {
  test('first image: STARTED, still served, IP once; quiet: COMPLETED, gone, CM once', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.images({ series: 'series-2' })
    expect([statuses(story), story.worklist().length, story.told()]).toEqual([['STARTED'], 1, ['IP']])
    story.wait(31)
    expect([statuses(story), story.worklist(), story.told()]).toEqual([['COMPLETED'], [], ['IP', 'CM']])
    story.wait(600)
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('new images restart the quiet time', () => {
    const story = createStory()
    story.message({})
    story.images()
    for (let times = 0; times < 5; times++) {
      story.wait(25)
      story.images({ instances: times + 2 })
    }
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(31)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('a deadline that is not the current one does nothing but set the current one again', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.enter({ kind: 'deadline', subject: `quiet:${story.order().id}`, due: story.now() })
    expect(statuses(story)).toEqual(['STARTED'])
    expect(story.last()).toEqual([expect.objectContaining({ kind: 'deadline', due: expect.any(String) as string })])
    story.enter({ kind: 'deadline', subject: 'quiet:O0-1', due: story.now() })
    story.enter({ kind: 'deadline', subject: 'else', due: story.now() })
    expect(story.last()).toEqual([])
    story.wait(31)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('PET/CT: each step begins with its modality, IP once; a step that never began keeps the order open', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }), step('2', { Modality: 'CT' })] })
    story.images({ modality: 'CT' })
    expect([statuses(story), story.told()]).toEqual([['SCHEDULED', 'STARTED'], ['IP']])
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([['SCHEDULED', 'COMPLETED'], ['IP']])
    story.images({ modality: 'PT', series: 'series-2' })
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })

  test('late images after CM are recorded and told to nobody', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(31)
    story.images({ series: 'series-2' })
    story.wait(60)
    expect(story.study()?.series).toHaveLength(2)
    expect([story.events(), story.told()]).toEqual([
      ['started', 'completed', 'lateImages'],
      ['IP', 'CM'],
    ])
  })

  test('stable: the exam ends when all its studies are stable', () => {
    const story = createStory({ policy: 'stable' })
    story.message({})
    story.images()
    story.images({ study: 'study-2', series: 'series-2' })
    story.wait(600)
    story.images([], 'stable')
    expect(statuses(story)).toEqual(['STARTED'])
    story.images({ study: 'study-2', series: 'series-2' }, 'stable')
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
    story.images({ instances: 9 }, 'stable')
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('I6: a stable study whose images nobody saw starts the exam', () => {
    const story = createStory({ policy: 'stable' })
    story.message({})
    story.images({}, 'stable')
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test.each(['quiet', 'ris', 'mpps'] as const)('%s: a stable study is evidence, not the end', (policy) => {
    const story = createStory({ policy })
    story.message({})
    story.images()
    story.images({}, 'stable')
    expect([statuses(story), story.events()]).toEqual([['STARTED'], ['started', 'stable']])
  })

  test.each(['ris', 'mpps'] as const)('%s: images never complete an exam', (policy) => {
    const story = createStory({ policy })
    story.message({})
    story.images()
    story.wait(6000)
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('a study that is deleted in Orthanc moves no step', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.images([], 'deleted')
    expect([statuses(story), story.study()?.deleted, story.events()]).toEqual([
      ['STARTED'],
      true,
      ['started', 'deleted'],
    ])
    story.images({ study: 'unknown' }, 'deleted')
    expect(story.study('main/unknown')?.credit).toEqual({ kind: 'unmatched' })
  })
})

describe('what is an exam', () => {
  test.each(['SR', 'KO', 'PR', 'DOC', 'SEG', 'OT', 'RTSTRUCT'])('%s neither starts nor delays an exam', (modality) => {
    const story = createStory()
    story.message({})
    story.images({ modality })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.images({ series: 'series-2' })
    story.wait(29)
    story.images({ series: 'series-3', modality })
    story.wait(2)
    expect(statuses(story)).toEqual(['COMPLETED'])
    expect(story.study()?.series).toHaveLength(3)
  })

  test.each([
    ['RestApi', 'SCHEDULED'],
    ['Plugins', 'SCHEDULED'],
    ['Lua', 'SCHEDULED'],
    ['WebDav', 'SCHEDULED'],
    ['DicomProtocol', 'STARTED'],
    ['Unknown', 'STARTED'],
    ['', 'STARTED'],
  ])('images of origin "%s" leave the step %s', (origin, stepStatus) => {
    const story = createStory()
    story.message({})
    story.images({ origin })
    expect(statuses(story)).toEqual([stepStatus])
  })
})

describe('whose images they are', () => {
  const two = [
    {
      numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.1', accessionNumber: 'A1', requestedProcedureId: 'RP1' },
    },
    {
      numbers: { fillerOrderNumber: 'F2', studyInstanceUid: '1.2', accessionNumber: 'A2', requestedProcedureId: 'RP2' },
    },
  ]
  const request = (requestedProcedureId: string, scheduledStepId = 'S1') => ({
    requestedProcedureId,
    scheduledStepId,
    accessionNumber: '',
  })

  test.each([
    [
      'the Request Attributes Sequence before the UID',
      { studyInstanceUid: '1.1', requestAttributes: [request('RP2')] },
      [1],
    ],
    [
      'every item of the Request Attributes Sequence',
      { studyInstanceUid: '1.1', requestAttributes: [request('RP1'), request('RP2')] },
      [0, 1],
    ],
    [
      'a Requested Procedure ID without a step ID',
      { studyInstanceUid: '', issuerOfPatientId: 'HOSP', requestAttributes: [request('RP2', '')] },
      [1],
    ],
    [
      'a Requested Procedure ID found by the patient alone, issuer given',
      { studyInstanceUid: '9', issuerOfPatientId: 'HOSP', requestAttributes: [request('RP1')] },
      [0],
    ],
    [
      'the UID where the sequence names a step we do not have',
      { studyInstanceUid: '1.1', requestAttributes: [request('RP1', 'S9')] },
      [0],
    ],
    ['the UID', { studyInstanceUid: '1.2' }, [1]],
    ['the UID, whatever the modality, for an order of one step', { studyInstanceUid: '1.2', modality: 'MR' }, [1]],
    ['accession number and patient', { studyInstanceUid: '9.9', accessionNumber: 'A2' }, [1]],
    ['nothing', { studyInstanceUid: '9.9' }, []],
  ])('matched by %s', (_, facts, started) => {
    const story = createStory()
    story.message(...two)
    story.images(facts)
    expect(story.orders().flatMap((order, index) => (order.firstImageAt === undefined ? [] : [index]))).toEqual(started)
    expect(story.study()?.credit.kind).toBe(started.length > 0 ? 'matched' : 'unmatched')
  })

  test.each([
    ['the UID of an order, another patient', { studyInstanceUid: '1.1', patientId: '4712' }],
    ['the UID of an order, no patient', { studyInstanceUid: '1.1', patientId: '' }],
    [
      'the UID of an order, the same Patient ID of another issuer',
      { studyInstanceUid: '1.1', issuerOfPatientId: 'CLINIC' },
    ],
    [
      'the UID of one order and the request of another, another patient',
      { studyInstanceUid: '1.1', patientId: '4712', requestAttributes: [request('RP2')] },
    ],
    [
      'the accession number of an order, another patient',
      { studyInstanceUid: '9.9', accessionNumber: 'A1', patientId: '4712' },
    ],
  ])('I11: %s: raised once, nothing moves, nothing is sent', (_, facts) => {
    const story = createStory()
    story.message(...two)
    const before = story.items()
    story.images(facts)
    story.images({ ...facts, series: 'series-2' })
    story.images(facts, 'stable')
    story.wait(60)
    expect([story.items(), story.told(), story.notices()]).toEqual([before, [], ['E610']])
    expect(story.study()?.credit).toEqual({ kind: 'mismatch', orderIds: [story.orders()[0]?.id] })
    expect(story.history(story.orders()[0]?.id).at(-1)).toBe('images not credited: E610')
  })

  test('I11: a Requested Procedure ID of another patient is no match at all', () => {
    const story = createStory()
    story.message(...two)
    story.images({ studyInstanceUid: '9.9', patientId: '4712', requestAttributes: [request('RP1')] })
    expect([statuses(story), story.study()?.credit.kind]).toEqual([['SCHEDULED', 'SCHEDULED'], 'unmatched'])
  })

  test("I11: the order's study under another patient's accession number is a contradiction", () => {
    const story = createStory()
    story.message({}, { numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2' }, patient: otto })
    story.images({ studyInstanceUid: story.orders()[0]?.studyInstanceUid ?? '', accessionNumber: 'A2' })
    expect([statuses(story), story.told(), story.notices()]).toEqual([['SCHEDULED', 'SCHEDULED'], [], ['E610']])
    // An accession number that nobody else has contradicts nothing.
    const other = createStory()
    other.message({})
    other.images({ accessionNumber: 'TYPO' })
    expect(statuses(other)).toEqual(['STARTED'])
  })

  test('orders of one study are told apart by the accession number', () => {
    const story = createStory()
    const numbers = (n: number) => ({
      fillerOrderNumber: `F${n}`,
      accessionNumber: `A${n}`,
      studyInstanceUid: '1.2.3',
    })
    story.message({ numbers: numbers(1) }, { numbers: numbers(2) })
    story.images({ studyInstanceUid: '1.2.3', accessionNumber: 'A2' })
    expect(statuses(story)).toEqual(['SCHEDULED', 'STARTED'])
  })

  test('orders of one study that nothing tells apart: ambiguous, raised once, nothing moves', () => {
    const story = createStory()
    const numbers = { studyInstanceUid: '1.1' }
    story.message(
      { numbers: { ...numbers, fillerOrderNumber: 'F1' } },
      { numbers: { ...numbers, fillerOrderNumber: 'F2' } },
    )
    story.images({ studyInstanceUid: '1.1' })
    story.images({ studyInstanceUid: '1.1', series: 'series-2' })
    expect([statuses(story), story.told(), story.notices()]).toEqual([['SCHEDULED', 'SCHEDULED'], [], ['E611']])
    expect(story.study()?.credit).toMatchObject({
      kind: 'ambiguous',
      orderIds: story.orders().map((order) => order.id),
    })
  })

  test.each([
    ['modality', { modality: 'MR', remoteAet: '' }, 'F2'],
    ['modality, a detector for a plate', { modality: 'DX', remoteAet: '' }, 'F3'],
    ['station by calling AE title', { modality: 'CT', remoteAet: 'CT02' }, 'F4'],
    ['station by name', { modality: 'CT', remoteAet: '', stationName: 'ROOM1' }, 'F1'],
  ])('orders of one study are told apart by %s', (_, facts, filler) => {
    const story = createStory()
    const one = (fillerOrderNumber: string, modality: string, station: string, name = '') => ({
      numbers: { fillerOrderNumber, studyInstanceUid: '1.1' },
      steps: [step('1', { Modality: modality, ScheduledStationName: name }, [station])],
    })
    story.message(
      one('F1', 'CT', 'CT01', 'ROOM1'),
      one('F2', 'MR', 'MR01'),
      one('F3', 'CR', 'XR01'),
      one('F4', 'CT', 'CT02'),
    )
    story.images({ studyInstanceUid: '1.1', ...facts })
    const started = story.orders().filter((order) => order.firstImageAt !== undefined)
    expect(started.map((order) => order.numbers.fillerOrderNumber)).toEqual([filler])
  })

  test('steps of one order that nothing tells apart begin together; a modality that none has begins none', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2')] })
    story.images({ modality: 'NM', remoteAet: 'NM1' })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'SCHEDULED'], ['E611']])
    story.images({ series: 'series-2' })
    expect([statuses(story), story.study()?.credit.kind]).toEqual([['STARTED', 'STARTED'], 'matched'])
  })

  test('images for a cancelled step start nothing and are raised once', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'CA' })
    story.images()
    story.images({ series: 'series-2' })
    expect([statuses(story), story.told(), story.notices()]).toEqual([['CANCELED'], [], ['E612']])
  })
})

describe('one order, several studies', () => {
  const again = { study: 'study-2', series: 'series-2', studyInstanceUid: '9.9', accessionNumber: 'A1' }

  test('images split over two studies, for the modality was restarted: one exam, that ends when both are quiet', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(25)
    story.images(again)
    expect(story.order().studies).toEqual(['main/study-1', 'main/study-2'])
    story.wait(25)
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
    story.wait(6)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('images split over two studies, stable: the exam ends when both are', () => {
    const story = createStory({ policy: 'stable' })
    story.message({})
    story.images()
    story.images(again)
    story.images(again, 'stable')
    expect(statuses(story)).toEqual(['STARTED'])
    story.images({}, 'stable')
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('a modality that made its own Study Instance UID is found by accession number and patient', () => {
    const story = createStory({ policy: 'stable' })
    story.message({})
    story.images({ ...again, accessionNumber: 'A1' })
    expect([statuses(story), story.study('main/study-2')?.credit.kind]).toEqual([['STARTED'], 'matched'])
    // Its accession number is corrected: what leads from the order to its images is what was credited.
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A7' } })
    story.images(again, 'stable')
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('a corrected accession number: a study that is not stable yet still holds up the exam', () => {
    const story = createStory({ policy: 'stable' })
    story.message({})
    story.images(again)
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A7' } })
    story.images()
    story.images({}, 'stable')
    expect(statuses(story)).toEqual(['STARTED'])
    story.images(again, 'stable')
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('PET/CT: two steps of one Study Instance UID, two studies of the modality', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }), step('2', { Modality: 'CT' })] })
    story.images({ modality: 'PT' })
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
    story.images({ ...again, modality: 'CT' })
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })
})

test('an order that is corrected decides for another one: what was ambiguous begins the order that is left', () => {
  const story = createStory()
  const shared = (n: number) => ({ fillerOrderNumber: `F${n}`, accessionNumber: 'A1' })
  story.message({ numbers: shared(1) }, { numbers: shared(2) })
  story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1', study: 'study-2' })
  expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'SCHEDULED'], ['E611']])
  const uid = { fillerOrderNumber: 'F2', studyInstanceUid: '9.9' }
  story.message({ control: 'XO', numbers: uid })
  expect(statuses(story)).toEqual(['SCHEDULED', 'STARTED'])

  const other = createStory({ policy: 'stable' })
  const request = { requestedProcedureId: 'RP', scheduledStepId: '', accessionNumber: '' }
  const asked = (n: number, more = {}) => ({
    numbers: { fillerOrderNumber: `F${n}`, accessionNumber: `A${n}`, requestedProcedureId: 'RP', ...more },
  })
  other.message(asked(1), asked(2))
  other.images({ studyInstanceUid: '9.9', accessionNumber: 'A7', requestAttributes: [request] })
  expect(statuses(other)).toEqual(['SCHEDULED', 'SCHEDULED'])
  // The first order takes the number of the images, but another request: theirs is now of the second one alone.
  other.message({ control: 'XO', ...asked(1, { accessionNumber: 'A7', requestedProcedureId: 'RP9' }) })
  expect([statuses(other), other.told()]).toEqual([['SCHEDULED', 'STARTED'], ['IP']])
  other.images({ studyInstanceUid: '9.9', accessionNumber: 'A7', requestAttributes: [request] }, 'stable')
  expect(other.told()).toEqual(['IP', 'CM'])
})

describe('what happens to a study later', () => {
  test('append: images of the next day, after CM, are late and move nothing', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(31)
    story.wait(24 * 60)
    story.images({ series: 'series-2' })
    story.images({ series: 'series-2', instances: 3 })
    story.wait(60)
    expect([statuses(story), story.told(), story.events()]).toEqual([
      ['COMPLETED'],
      ['IP', 'CM'],
      ['started', 'completed', 'lateImages'],
    ])
  })

  test('a study that is deleted while its exam goes on moves nothing, and the exam ends when it is quiet', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(20)
    story.images([], 'deleted')
    expect([statuses(story), story.history().at(-1)]).toEqual([['STARTED'], 'study deleted in Orthanc'])
    story.wait(11)
    expect([statuses(story), story.told(), story.events()]).toEqual([
      ['COMPLETED'],
      ['IP', 'CM'],
      ['started', 'deleted', 'completed'],
    ])
  })

  test('a study that is deleted and sent again is the same exam', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.images([], 'deleted')
    story.wait(20)
    story.images({ lastImageAt: story.now() })
    expect(story.study()?.deleted).toBe(false)
    story.wait(20)
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
    story.wait(11)
    expect(story.told()).toEqual(['IP', 'CM'])
  })
})

describe('an order comes after its images', () => {
  const images = { studyInstanceUid: '1.2.3', accessionNumber: 'A1' }
  const numbers = { fillerOrderNumber: 'F1', studyInstanceUid: '1.2.3', accessionNumber: 'A1' }

  test('soon: born STARTED, never served, told; then completed like any other', () => {
    const story = createStory()
    story.images(images)
    story.message({ numbers })
    expect([statuses(story), story.worklist(), story.told()]).toEqual([['STARTED'], [], ['IP']])
    expect(story.study()?.credit).toEqual({ kind: 'matched', orderIds: [story.order().id] })
    story.wait(31)
    expect([statuses(story), story.worklist(), story.told()]).toEqual([['COMPLETED'], [], ['IP', 'CM']])
  })

  test('long after: born COMPLETED, never served, IP and CM told', () => {
    const story = createStory()
    story.images(images)
    story.wait(60)
    story.message({ numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1' } })
    expect([statuses(story), story.worklist(), story.told()]).toEqual([['COMPLETED'], [], ['IP', 'CM']])
  })

  test.each([
    ['stable', [images], 'COMPLETED'],
    ['seen', [images], 'STARTED'],
  ] as const)('policy stable, study %s', (event, facts, stepStatus) => {
    const story = createStory({ policy: 'stable' })
    story.images(facts, event)
    story.message({ numbers })
    expect([statuses(story), story.worklist()]).toEqual([[stepStatus], []])
  })

  test('an update that brings the right accession number finds the images that waited', () => {
    const story = createStory()
    story.images({ studyInstanceUid: '9.9', accessionNumber: 'A2' })
    story.message({ numbers: { fillerOrderNumber: 'F1' } })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A2' } })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
  })

  test('days after, by accession number alone: images of an earlier visit, and the order is served', () => {
    const story = createStory()
    story.images({ ...images, studyInstanceUid: '9.9' })
    const start = { ScheduledProcedureStepStartDate: '20261104' }
    story.message({ numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A1' }, steps: [step('1', start)] })
    expect([statuses(story), story.worklist().length, story.told()]).toEqual([['SCHEDULED'], 1, []])
    story.images({ accessionNumber: 'A1', study: 'study-2', series: 'series-2' })
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('days after, by its UID: the order of images that are there', () => {
    const story = createStory()
    story.images(images)
    story.message({ numbers, steps: [step('1', { ScheduledProcedureStepStartDate: '20261104' })] })
    expect([statuses(story), story.worklist()]).toEqual([['STARTED'], []])
  })

  test("I11: another patient's images with its accession number are no images of it, and raised", () => {
    const story = createStory()
    story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1' })
    story.message({ patient: otto })
    expect([statuses(story), story.told(), story.notices()]).toEqual([['SCHEDULED'], [], ['E610']])
  })

  test('studies that were deleted, copied or only described start nothing', () => {
    const story = createStory()
    story.images({ ...images, origin: 'RestApi' })
    story.images({ ...images, study: 'study-2', modality: 'SR' })
    story.images({ ...images, study: 'study-3' })
    story.images({ ...images, study: 'study-3' }, 'deleted')
    story.message({ numbers })
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('everything is loaded in at most three rounds', () => {
    const story = createStory({ policy: 'stable' })
    story.images(images)
    story.message({ numbers })
    story.message({ numbers: { fillerOrderNumber: 'F2' }, patient: { ...otto, attributes: { PatientName: 'X' } } })
    story.images(
      { requestAttributes: [{ requestedProcedureId: 'RP1', scheduledStepId: 'S1', accessionNumber: '' }] },
      'stable',
    )
    story.message({ numbers: { fillerOrderNumber: 'F3' }, patient: otto })
    expect(story.rounds()).toBeLessThanOrEqual(3)
  })
})

test('I7: control IDs are unique, short, and the same when the entry is applied again', () => {
  const story = createStory()
  story.images({ studyInstanceUid: '1.2.3' })
  story.wait(60)
  story.message({ numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.2.3' } })
  const ids = story.last().flatMap((change) => (change.kind === 'send' ? [change.controlId] : []))
  expect(ids).toHaveLength(2)
  expect(new Set(ids).size).toBe(2)
  expect(ids.every((id) => id.length <= 20)).toBe(true)
})

describe('accession numbers have issuers', () => {
  const ours = { AccessionNumber: 'A1', IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: 'RIS' }] }
  const other = { localNamespace: 'CLINIC', universal: '' }

  test.each([
    ['the same issuer', { localNamespace: 'RIS', universal: '' }, 'STARTED'],
    ['no issuer', undefined, 'STARTED'],
    ['an issuer that is told in another way', { localNamespace: '', universal: '1.2.3' }, 'STARTED'],
    ['another issuer', other, 'SCHEDULED'],
  ])('images with %s', (_, accessionIssuer, stepStatus) => {
    const story = createStory()
    story.message({ request: ours })
    story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1', ...(accessionIssuer && { accessionIssuer }) })
    expect(statuses(story)).toEqual([stepStatus])
  })

  test('I11: the number of another issuer is no contradiction, and the number of two sites leads to the right order', () => {
    const story = createStory()
    story.message({ request: ours, numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1' }, patient: otto })
    const theirs = { ...ours, IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: 'CLINIC' }] }
    story.message({ request: theirs, numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A1' } })
    story.images({ studyInstanceUid: '9.9', accessionNumber: 'A1', accessionIssuer: other })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED', 'STARTED'], []])
  })
})
