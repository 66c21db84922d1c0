import { describe, expect, test } from 'vitest'
import { createStory, statuses, step, type Story } from './support.ts'

const two = [step('1', { Modality: 'PT' }), step('2', { Modality: 'CT' })]
const id = (story: Story): string => story.order().id

describe('complete', () => {
  test('an exam of which nothing was seen is completed as a whole, and the RIS is told', () => {
    const story = createStory()
    story.message({ steps: two })
    story.hand({ kind: 'complete', orderId: id(story) })
    expect([statuses(story), story.told(), story.worklist()]).toEqual([['COMPLETED', 'COMPLETED'], ['CM'], []])
  })

  test('what has started is completed and the rest called off', () => {
    const story = createStory()
    story.message({ steps: two })
    story.images({ modality: 'CT' })
    story.hand({ kind: 'complete', orderId: id(story) })
    expect([statuses(story), story.told()]).toEqual([
      ['CANCELED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })

  test('an exam that was broken off is not completed as a whole: the rest is called off', () => {
    const story = createStory()
    story.message({ steps: two })
    story.images({ modality: 'CT' })
    story.hand({ kind: 'cancel', orderId: id(story), step: '2' })
    story.hand({ kind: 'complete', orderId: id(story) })
    expect([statuses(story), story.told()]).toEqual([
      ['CANCELED', 'DISCONTINUED'],
      ['IP', 'DC'],
    ])
  })

  test('a named step is completed, whether it was seen or not, and CM waits for the other', () => {
    const story = createStory({ policy: 'ris' })
    story.message({ steps: two })
    story.images({ modality: 'CT' })
    story.hand({ kind: 'complete', orderId: id(story), step: '1' })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED', 'STARTED'], ['IP']])
    story.hand({ kind: 'complete', orderId: id(story), step: '2' })
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })
})

describe('cancel', () => {
  test('nothing had begun: canceled', () => {
    const story = createStory()
    story.message({ steps: two })
    story.hand({ kind: 'cancel', orderId: id(story) })
    expect([statuses(story), story.events(), story.told()]).toEqual([['CANCELED', 'CANCELED'], ['canceled'], []])
  })

  test('a named step: the order is canceled when the last has ended', () => {
    const story = createStory()
    story.message({ steps: two })
    story.hand({ kind: 'cancel', orderId: id(story), step: '2' })
    expect([statuses(story), story.events()]).toEqual([['SCHEDULED', 'CANCELED'], []])
    story.hand({ kind: 'cancel', orderId: id(story), step: '1' })
    expect(story.events()).toEqual(['canceled'])
  })

  test('after the first image: discontinued, DC once', () => {
    const story = createStory()
    story.message({ steps: two })
    story.images([{ modality: 'CT' }, { series: 'series-2', modality: 'PT' }])
    story.hand({ kind: 'cancel', orderId: id(story), step: '1' })
    story.hand({ kind: 'cancel', orderId: id(story), step: '2' })
    expect([statuses(story), story.told(), story.events()]).toEqual([
      ['DISCONTINUED', 'DISCONTINUED'],
      ['IP', 'DC'],
      ['started', 'discontinued'],
    ])
    story.wait(60)
    expect(story.told()).toEqual(['IP', 'DC'])
  })

  test('the rest of an exam that took place is called off: CM', () => {
    const story = createStory()
    story.message({ steps: two })
    story.images({ modality: 'CT' })
    story.wait(31)
    story.hand({ kind: 'cancel', orderId: id(story) })
    expect([statuses(story), story.events()]).toEqual([
      ['CANCELED', 'COMPLETED'],
      ['started', 'completed'],
    ])
  })
})

describe('reopen', () => {
  test('an exam with images is STARTED again, and CM is told again after the quiet time', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(600)
    story.hand({ kind: 'reopen', orderId: id(story) })
    expect([statuses(story), story.worklist().length]).toEqual([['STARTED'], 1])
    story.wait(25)
    story.images({ series: 'series-2' })
    story.wait(25)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(6)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM', 'CM']])
    expect(story.events()).toEqual(['started', 'completed', 'reopened', 'completed'])
  })

  test('the quiet time begins at the reopening, though the images are old', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(600)
    story.hand({ kind: 'reopen', orderId: id(story) })
    story.wait(29)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(2)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('an exam of which nothing was seen is SCHEDULED again, without a start date UNSCHEDULED', () => {
    for (const [date, expected] of [
      ['20261016', 'SCHEDULED'],
      ['', 'UNSCHEDULED'],
    ] as const) {
      for (const kind of ['complete', 'cancel'] as const) {
        const story = createStory()
        story.message({ steps: [step('1', { ScheduledProcedureStepStartDate: date })] })
        story.hand({ kind, orderId: id(story) })
        story.hand({ kind: 'reopen', orderId: id(story) })
        expect([kind, statuses(story)]).toEqual([kind, [expected]])
      }
    }
  })

  test('what the RIS had cancelled is open again; its images start it and all is told', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'CA', sent: '20261015100000' })
    story.hand({ kind: 'reopen', orderId: id(story) })
    story.images()
    story.wait(31)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('what was discontinued after its images is STARTED again, and DC may be told again', () => {
    const story = createStory({ policy: 'ris' })
    story.message({})
    story.images()
    story.hand({ kind: 'cancel', orderId: id(story) })
    story.hand({ kind: 'reopen', orderId: id(story) })
    story.hand({ kind: 'cancel', orderId: id(story) })
    expect([statuses(story), story.told()]).toEqual([['DISCONTINUED'], ['IP', 'DC', 'DC']])
  })

  test('completed by hand before its images came: STARTED again, and IP, which nobody was told, is told', () => {
    const story = createStory()
    story.message({})
    story.hand({ kind: 'complete', orderId: id(story) })
    story.images()
    story.hand({ kind: 'reopen', orderId: id(story) })
    expect([statuses(story), story.events(), story.told()]).toEqual([
      ['STARTED'],
      ['completed', 'lateImages', 'reopened', 'started'],
      ['CM', 'IP'],
    ])
  })

  test('what was performed without images is STARTED again', () => {
    const story = createStory({ policy: 'mpps' })
    story.message({})
    story.performed()
    story.performed({ state: 'COMPLETED' })
    story.hand({ kind: 'reopen', orderId: id(story) })
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('what was performed waits for its images, not for older ones of another step', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2')] })
    story.images({ studyInstanceUid: '9.9' })
    story.hand({ kind: 'complete', orderId: id(story), step: '1' })
    story.performed()
    story.hand({ kind: 'reopen', orderId: id(story) })
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
    story.wait(60)
    story.hand({ kind: 'link', orderId: id(story), study: 'main/study-1', step: '2' })
    expect(statuses(story)).toEqual(['STARTED', 'COMPLETED'])
  })

  test('what the RIS said of steps that had ended it did not do: it is told', () => {
    const story = createStory()
    story.message({})
    story.hand({ kind: 'cancel', orderId: id(story) })
    story.message({ control: 'IP' })
    story.message({ control: 'CM' })
    expect([statuses(story), story.order().told]).toEqual([['CANCELED'], []])
    story.hand({ kind: 'reopen', orderId: id(story) })
    story.images()
    story.hand({ kind: 'complete', orderId: id(story) })
    expect(story.events()).toEqual(['canceled', 'reopened', 'started', 'completed'])
  })

  test('a step that the RIS found discontinued already: DC of the other one is told', () => {
    const story = createStory({ policy: 'ris' })
    story.message({ steps: [step('1'), step('2')] })
    story.images()
    story.hand({ kind: 'cancel', orderId: id(story) })
    story.hand({ kind: 'reopen', orderId: id(story), step: '1' })
    story.message({ control: 'DC', steps: [step('2')] })
    story.hand({ kind: 'cancel', orderId: id(story), step: '1' })
    expect(story.events()).toEqual(['started', 'discontinued', 'reopened', 'discontinued'])
  })

  test('a named step only', () => {
    const story = createStory()
    story.message({ steps: two })
    story.hand({ kind: 'cancel', orderId: id(story) })
    story.hand({ kind: 'reopen', orderId: id(story), step: '2' })
    expect(statuses(story)).toEqual(['CANCELED', 'SCHEDULED'])
  })

  test('a no-show has its days again, from the reopening', () => {
    const story = createStory({}, { days: 7, timeZone: 'UTC' })
    story.message({})
    story.wait(30 * 24 * 60)
    expect(statuses(story)).toEqual(['EXPIRED'])
    story.hand({ kind: 'reopen', orderId: id(story) })
    story.wait(7 * 24 * 60 - 5)
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.wait(10)
    expect(statuses(story)).toEqual(['EXPIRED'])
  })
})

describe('what is kept and what is refused', () => {
  test('who and why stand in the history, and a command that changes nothing says so', () => {
    const story = createStory()
    story.message({})
    story.hand({ kind: 'reopen', orderId: id(story) }, 'wrong button')
    expect(story.history().at(-1)).toBe('reopen by meier changed nothing: 1 SCHEDULED')
    expect(story.last()).toEqual([expect.objectContaining({ kind: 'history', reason: 'wrong button' })])
    story.hand({ kind: 'cancel', orderId: id(story) }, 'patient went home')
    expect(story.history().at(-1)).toBe('cancel by meier: 1 CANCELED')
    expect(story.last()).toContainEqual(expect.objectContaining({ kind: 'history', reason: 'patient went home' }))
    story.hand({ kind: 'cancel', orderId: id(story) })
    expect([story.history().at(-1), story.events()]).toEqual([
      'cancel by meier changed nothing: 1 CANCELED',
      ['canceled'],
    ])
  })

  test.each(['complete', 'cancel', 'reopen'] as const)(
    '%s of a step that the order does not have is refused',
    (kind) => {
      const story = createStory()
      story.message({})
      story.hand({ kind, orderId: id(story), step: 'MUELLER' })
      expect([statuses(story), story.notices()]).toEqual([['SCHEDULED'], ['E621']])
      expect(story.history().at(-1)).toBe(`${kind} by meier refused: E621`)
      expect(JSON.stringify(story.last())).not.toContain('MUELLER')
    },
  )

  test('a command for an order that is gone is a notice', () => {
    const story = createStory()
    story.hand({ kind: 'reopen', orderId: 'O1-1' })
    expect(story.notices()).toEqual(['E620'])
  })

  test('retention takes what nobody waits for off the list, and tells nobody', () => {
    const story = createStory({}, { days: 7, timeZone: 'UTC' })
    story.message({})
    story.hand({ kind: 'expire', orderId: id(story) })
    expect([statuses(story), story.events(), [...story.deadlines().keys()]]).toEqual([['EXPIRED'], [], []])
  })

  test('what retention ends, of which a step was COMPLETED, is no news of months later: no message brings its CM', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2', { Modality: 'PT' })] })
    story.images({ modality: 'CT' })
    story.wait(31)
    expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED'])
    story.hand({ kind: 'expire', orderId: id(story) })
    story.message({ control: 'XO', steps: [step('1'), step('2', { Modality: 'PT' })] })
    expect([statuses(story), story.told()]).toEqual([['COMPLETED', 'EXPIRED'], ['IP']])
  })
})
