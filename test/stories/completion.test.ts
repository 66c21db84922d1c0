import { describe, expect, test } from 'vitest'
import type { Step } from '../../src/core/order.ts'
import type { Completion } from '../../src/core/world.ts'
import { policyOf } from '../../src/exam/completion.ts'
import { createStory, statuses, step } from './support.ts'

const petCt = [step('1', { Modality: 'PT' }, ['PET01']), step('2', { Modality: 'CT' }, ['CT01'])]

describe('each step has the policy of the first rule that fits what it was planned for', () => {
  const completion: Completion = {
    policy: 'quiet',
    quietSeconds: 1800,
    rules: [
      { modalities: ['CT', 'MR'], stations: ['ER01'], policy: 'quiet', quietSeconds: 60 },
      { modalities: ['CT'], stations: [], policy: 'quiet', quietSeconds: 120 },
      { stations: ['XA01'], policy: 'ris', quietSeconds: 0 },
      { modalities: ['US'], policy: 'stable', quietSeconds: 0 },
      { modalities: ['US'], policy: 'mpps', quietSeconds: 0 },
    ],
  }
  test.each([
    ['CT', ['ER01'], 'quiet', 60],
    ['CT', ['CT01', 'ER01'], 'quiet', 60],
    ['CT', ['CT01'], 'quiet', 120],
    ['MR', ['MR01'], 'quiet', 1800],
    ['XA', ['XA01'], 'ris', 0],
    ['CT', ['XA01'], 'quiet', 120],
    ['US', ['US01'], 'stable', 0],
    ['', ['US01'], 'quiet', 1800],
  ] as const)('%s at %j: %s, %i s', (Modality, stations, policy, quietSeconds) => {
    const planned: Step = { key: '1', stepStatus: 'STARTED', stations, attributes: { Modality }, flags: [] }
    expect(policyOf(planned, completion)).toMatchObject({ policy, quietSeconds })
  })

  test('without rules, or with none that fits, it is the site’s own', () => {
    const planned: Step = { key: '1', stepStatus: 'STARTED', stations: [], attributes: {}, flags: [] }
    expect(policyOf(planned, { policy: 'ris', quietSeconds: 5 })).toMatchObject({ policy: 'ris' })
    expect(policyOf(planned, { policy: 'ris', quietSeconds: 5, rules: [] })).toMatchObject({ policy: 'ris' })
  })
})

describe('quiet', () => {
  test('one order, two quiet times: each step ends in its own, and the deadline is always the next', () => {
    const story = createStory({ rules: [{ modalities: ['CT'], policy: 'quiet', quietSeconds: 600 }] })
    story.message({ steps: petCt })
    story.images([
      { series: 'series-1', modality: 'CT' },
      { series: 'series-2', modality: 'PT' },
    ])
    story.wait(11)
    expect([statuses(story), story.told()]).toEqual([['STARTED', 'COMPLETED'], ['IP']])
    story.wait(20)
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
    expect([...story.deadlines().keys()]).toEqual([])
  })

  test.each([petCt, petCt.toReversed()])(
    'the next deadline is the earliest, whichever step comes first',
    (...steps) => {
      const story = createStory({ rules: [{ modalities: ['CT'], policy: 'quiet', quietSeconds: 600 }] })
      story.message({ steps })
      story.images([
        { series: 'series-1', modality: 'CT' },
        { series: 'series-2', modality: 'PT' },
      ])
      story.wait(11)
      expect([...statuses(story)].sort()).toEqual(['COMPLETED', 'STARTED'])
    },
  )

  test('images of one step keep the whole order waiting: the contrast pause of the other is no end', () => {
    const story = createStory()
    story.message({ steps: petCt })
    story.images([
      { series: 'series-1', modality: 'CT' },
      { series: 'series-2', modality: 'PT' },
    ])
    story.wait(25)
    story.images({ series: 'series-2', modality: 'PT', instances: 2 })
    story.wait(25)
    expect(statuses(story)).toEqual(['STARTED', 'STARTED'])
    story.wait(6)
    expect(statuses(story)).toEqual(['COMPLETED', 'COMPLETED'])
  })

  test('late images of a completed step keep the other one waiting too', () => {
    const story = createStory({ rules: [{ modalities: ['CT'], policy: 'quiet', quietSeconds: 600 }] })
    story.message({ steps: petCt })
    story.images([
      { series: 'series-1', modality: 'CT' },
      { series: 'series-2', modality: 'PT' },
    ])
    story.wait(25)
    story.images({ series: 'series-1', modality: 'CT', instances: 2 })
    story.wait(10)
    expect(statuses(story)).toEqual(['STARTED', 'COMPLETED'])
    story.wait(21)
    expect(statuses(story)).toEqual(['COMPLETED', 'COMPLETED'])
  })

  test('an update to a modality with another quiet time, or with none, moves the deadline', () => {
    const rules = [
      { modalities: ['CT'], policy: 'quiet' as const, quietSeconds: 600 },
      { modalities: ['MR'], policy: 'ris' as const, quietSeconds: 0 },
    ]
    const story = createStory({ rules })
    story.message({ steps: [step('1', { Modality: 'MR' })] })
    story.images({ modality: 'MR' })
    expect([...story.deadlines().keys()]).toEqual([])
    story.message({ control: 'XO', sent: '20261015100000', steps: [step('1', { Modality: 'CT' })] })
    story.wait(9)
    expect(statuses(story)).toEqual(['STARTED'])
    story.message({ control: 'XO', sent: '20261015110000', steps: [step('1', { Modality: 'MR' })] })
    story.wait(60)
    expect(statuses(story)).toEqual(['STARTED'])
    story.message({ control: 'XO', sent: '20261015120000', steps: [step('1', { Modality: 'CT' })] })
    story.wait(1)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('a step that the RIS began waits for its images, though those of the other are long over', () => {
    const story = createStory()
    story.message({ steps: petCt })
    story.images({ modality: 'CT' })
    story.message({ control: 'IP', steps: [step('1')] })
    story.wait(31)
    expect([statuses(story), [...story.deadlines().keys()]]).toEqual([['STARTED', 'COMPLETED'], []])
    story.wait(600)
    expect(statuses(story)).toEqual(['STARTED', 'COMPLETED'])
    story.images({ series: 'series-2', modality: 'PT' })
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED', 'COMPLETED'], ['IP', 'CM'].slice(0, 2)])
  })
})

test('images of before the RIS said IP, linked by hand after it, are images of the step', () => {
  const story = createStory()
  story.message({})
  story.images({ studyInstanceUid: '1.9', patientId: '' })
  story.message({ control: 'IP' })
  story.hand({ kind: 'link', orderId: story.order().id, study: 'main/study-1' })
  story.wait(31)
  expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['CM']])
})

describe('policies mixed in one order', () => {
  const mixed: Partial<Completion> = { rules: [{ modalities: ['PT'], policy: 'stable', quietSeconds: 0 }] }

  test('PET ends when the study is stable, CT when it is quiet, CM at the last', () => {
    const story = createStory(mixed)
    story.message({ steps: petCt })
    const both = [
      { series: 'series-1', modality: 'CT' },
      { series: 'series-2', modality: 'PT' },
    ]
    story.images(both)
    story.images(both, 'stable')
    expect([statuses(story), story.told()]).toEqual([['COMPLETED', 'STARTED'], ['IP']])
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })

  test('a quiet time leaves steps of another policy alone', () => {
    const story = createStory(mixed)
    story.message({ steps: petCt })
    story.images([
      { series: 'series-1', modality: 'CT' },
      { series: 'series-2', modality: 'PT' },
    ])
    story.wait(600)
    expect([statuses(story), story.told()]).toEqual([['STARTED', 'COMPLETED'], ['IP']])
  })

  test('a stable study does not end a step of this policy that the RIS began and that has no images yet', () => {
    const story = createStory({ policy: 'stable' })
    story.message({ steps: petCt })
    story.images({ modality: 'CT' })
    story.message({ control: 'IP', steps: [step('1')] })
    story.images({ modality: 'CT' }, 'stable')
    expect(statuses(story)).toEqual(['STARTED', 'COMPLETED'])
  })

  test('an order that comes after its images is completed only if all of its studies are stable', () => {
    for (const [event, expected] of [
      ['seen', 'STARTED'],
      ['stable', 'COMPLETED'],
    ] as const) {
      const story = createStory({ policy: 'stable' })
      story.images({ study: 'study-1', accessionNumber: 'A1' }, 'stable')
      story.images({ study: 'study-2', series: 'series-2', accessionNumber: 'A1' }, event)
      story.message({})
      expect([event, statuses(story)]).toEqual([event, [expected]])
    }
  })
})

describe('changed settings', () => {
  const quiet: Completion = { policy: 'quiet', quietSeconds: 1800 }

  test('from ris to quiet: what waits gets its time, what was quiet for long enough ends', () => {
    const story = createStory({ policy: 'ris' })
    story.message({})
    story.images()
    story.change({ completion: quiet })
    story.wait(25)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(6)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('I6: what was quiet for long enough ends by a deadline, which waits until Orthanc has been read, never at once', () => {
    const story = createStory({ policy: 'ris' })
    story.message({})
    story.images()
    story.wait(600)
    story.change({ completion: quiet })
    expect(statuses(story)).toEqual(['STARTED'])
    const due = story.deadlines().get(`quiet:${story.order().id}`) ?? ''
    // Not before the change: what Orthanc got until now has to be known.
    expect(Date.parse(due)).toBeGreaterThan(Date.parse(story.now()) - 60_000)
    story.wait(1)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('from quiet to stable: completed if its studies are stable, else when they are', () => {
    for (const isStable of [true, false]) {
      const story = createStory()
      story.message({})
      story.images()
      if (isStable) story.images({}, 'stable')
      story.change({ completion: { policy: 'stable', quietSeconds: 1800 } })
      story.wait(60)
      expect(statuses(story)).toEqual([isStable ? 'COMPLETED' : 'STARTED'])
      story.images({}, 'stable')
      expect(statuses(story)).toEqual(['COMPLETED'])
    }
  })

  test('from quiet to ris: the deadline that was set does nothing', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.change({ completion: { policy: 'ris', quietSeconds: 1800 } })
    story.wait(600)
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('what a person reopened is not ended again by a restart', () => {
    for (const policy of ['stable', 'mpps'] as const) {
      const story = createStory({ policy })
      story.message({})
      story.performed()
      story.images()
      story.images({}, 'stable')
      story.performed({ state: 'COMPLETED' })
      expect(statuses(story)).toEqual(['COMPLETED'])
      story.hand({ kind: 'reopen', orderId: story.order().id })
      story.change({})
      story.wait(600)
      expect([policy, statuses(story)]).toEqual([policy, ['STARTED']])
    }
  })

  test('where nothing has changed nothing is said, nothing is sent and no item is made anew', () => {
    const story = createStory()
    story.message({})
    story.images()
    const history = story.history().length
    story.change({})
    expect(story.last().every(({ kind }) => kind === 'deadline')).toBe(true)
    expect([story.history().length, story.told()]).toEqual([history, ['IP']])
    story.wait(31)
    story.change({})
    expect(story.last()).toEqual([])
  })
})
