import { describe, expect, test } from 'vitest'
import type { SeriesFacts } from '../../src/core/order.ts'
import { createStory, statuses, step } from './support.ts'

const day = 24 * 60

describe('a clock that jumps makes nobody wait for longer than they did', () => {
  test.each([2 * 60, day])('forward by %i minutes: the quiet time begins anew, whatever asks for it', (jump) => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(5)
    story.jump(jump)
    // The deadline is due by the new clock; so it is for a stable study and for a message.
    story.wait(1)
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
    story.images({}, 'stable')
    story.message({ control: 'XO', sent: '20261016120000' })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
    story.wait(28)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(2)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
  })

  test('images that come after the jump count from then on, as ever', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.jump(day)
    story.wait(10)
    story.images({ series: 'series-2' })
    story.wait(29)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(2)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test.each([-5, -20, -120, -day])(
    'back by %i minutes: what was stamped before ends late by one quiet time at most',
    (jump) => {
      const story = createStory()
      story.message({})
      story.images()
      story.wait(5)
      story.jump(jump)
      story.wait(24)
      expect(statuses(story)).toEqual(['STARTED'])
      story.wait(1 + 30)
      expect([statuses(story), story.told()]).toEqual([['COMPLETED'], ['IP', 'CM']])
    },
  )

  test('back: images that come after it move the end, as ever', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.jump(-120)
    story.wait(20)
    story.images({ series: 'series-2' })
    story.wait(29)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(2)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('back: what a person opened by the clock that was ahead is over one quiet time after it was put right', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(31)
    expect(statuses(story)).toEqual(['COMPLETED'])
    story.hand({ kind: 'reopen', orderId: story.order().id }, 'more to come')
    story.jump(-120)
    story.wait(29)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(2)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('back: images of after a reopening by the clock that was ahead count for a policy that has become `stable`', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(31)
    story.hand({ kind: 'reopen', orderId: story.order().id }, 'more to come')
    story.jump(-120)
    story.wait(5)
    story.images({ series: 'series-2' })
    story.images({ series: 'series-2' }, 'stable')
    expect(statuses(story)).toEqual(['STARTED'])
    story.change({ completion: { policy: 'stable', quietSeconds: 1800 } })
    story.wait(1)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  describe('back: steps that the RIS began by the clock that was ahead', () => {
    const begin = { control: 'SC', orderStatus: 'IP', effect: 'start' } as const
    const ofStep = (key: string, modality: string): Partial<SeriesFacts> => ({ series: `of-${key}`, modality })
    const two = [step('a'), step('b', { Modality: 'MR' }, ['MR01'])]

    test('are over when their images are, those of before and of after', () => {
      const story = createStory()
      story.message({ steps: two })
      story.message(begin)
      story.wait(1)
      story.images(ofStep('a', 'CT'))
      story.jump(-120)
      story.wait(5)
      story.images({ ...ofStep('b', 'MR'), remoteAet: 'MR01' })
      story.wait(29)
      expect(statuses(story)).toEqual(['STARTED', 'STARTED'])
      story.wait(2)
      expect([statuses(story), story.told()]).toEqual([['COMPLETED', 'COMPLETED'], ['CM']])
    })

    test('are over when images of their order came after it', () => {
      const story = createStory()
      story.message({ steps: two })
      story.message(begin)
      story.jump(-120)
      story.wait(5)
      story.images(ofStep('a', 'CT'))
      story.wait(31)
      expect(statuses(story)).toEqual(['COMPLETED', 'COMPLETED'])
    })

    test('wait on where the images were there before', () => {
      const story = createStory()
      story.message({ steps: two })
      story.images(ofStep('a', 'CT'))
      story.wait(1)
      story.message(begin)
      story.jump(-120)
      story.wait(35)
      expect(statuses(story)).toEqual(['COMPLETED', 'STARTED'])
    })
  })

  test('back, and forward again: nothing ends early', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(5)
    story.jump(-120)
    story.wait(10)
    story.jump(120)
    story.wait(29)
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(2)
    expect(statuses(story)).toEqual(['COMPLETED'])
  })

  test('a stamp that no clock has shown before it was set back is believed: another engine is ahead', () => {
    const story = createStory()
    story.message({})
    story.jump(-60)
    story.wait(70)
    story.images()
    // By this engine's clock, the images of the other one lie an hour ahead.
    story.wait(-60)
    story.change({})
    story.wait(25)
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('forward by days: nobody has failed to come before somebody could look at the clock', () => {
    const story = createStory({}, { days: 0, timeZone: 'UTC' })
    story.message({ steps: [step('1', { ScheduledProcedureStepStartDate: '20261016' })] })
    story.jump(2 * day)
    story.wait(0)
    story.wait(11 * 60)
    expect([statuses(story), story.worklist().length]).toEqual([['SCHEDULED'], 1])
    const back = createStory({}, { days: 0, timeZone: 'UTC' })
    back.message({ steps: [step('1', { ScheduledProcedureStepStartDate: '20261016' })] })
    back.jump(2 * day)
    back.wait(60)
    back.jump(-2 * day)
    back.wait(11 * 60)
    expect(statuses(back)).toEqual(['SCHEDULED'])
    story.wait(2 * 60)
    expect(statuses(story)).toEqual(['EXPIRED'])
  })

  test('a deadline that waits for a steady clock is set once, not again and again', () => {
    const story = createStory({}, { days: 0, timeZone: 'UTC' })
    story.message({ steps: [step('1', { ScheduledProcedureStepStartDate: '20261016' })] })
    story.jump(2 * day)
    const before = story.history().length
    story.wait(6 * 60)
    expect(story.deadlines().get(`expire:${story.order().id}`)).toBe('2026-10-18T20:00:01.000Z')
    expect(story.history().length).toBe(before)
  })
})
