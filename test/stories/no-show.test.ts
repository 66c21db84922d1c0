import { describe, expect, test } from 'vitest'
import { createStory, statuses, step, type Story } from './support.ts'

const week = { days: 7, timeZone: 'Europe/Berlin' }
const day = 24 * 60

const noShow = (story: Story): string | undefined => story.deadlines().get(`expire:${story.order().id}`)
const on = (date: string): { steps: ReturnType<typeof step>[] } => ({
  steps: [step('1', { ScheduledProcedureStepStartDate: date })],
})

describe('a step that nobody began expires', () => {
  test('seven days after its scheduled day: EXPIRED, gone, listed, the event is expired and the RIS hears nothing else', () => {
    const story = createStory({}, week)
    story.message({})
    story.wait(7 * day)
    expect([statuses(story), story.worklist().length]).toEqual([['SCHEDULED'], 1])
    story.wait(day)
    expect([statuses(story), story.worklist(), story.events(), story.told()]).toEqual([
      ['EXPIRED'],
      [],
      ['expired'],
      [],
    ])
    expect(story.history().at(-1)).toBe('expired, nobody came: 1 EXPIRED')
    expect(noShow(story)).toBeUndefined()
  })

  test('the day is that of the source of its order, and of a source without a zone that of the site', () => {
    for (const [zones, expected] of [
      [{ ris: 'America/New_York' }, '2026-10-17T04:00:00.000Z'],
      [{ south: 'America/New_York' }, '2026-10-16T22:00:00.000Z'],
    ] as const) {
      const story = createStory({}, { days: 0, timeZone: 'Europe/Berlin', zones })
      story.message({})
      expect([story.order().source, noShow(story)]).toEqual(['ris', expected])
      story.wait(day)
      story.wait(day)
      expect(statuses(story)).toEqual(['EXPIRED'])
    }
  })

  test('the day is that of the site, through changes of its clocks', () => {
    for (const [timeZone, date, days, expected] of [
      ['UTC', '20261016', 7, '2026-10-24T00:00:00.000Z'],
      ['Europe/Berlin', '20261016', 7, '2026-10-23T22:00:00.000Z'],
      ['Europe/Berlin', '20261024', 0, '2026-10-24T22:00:00.000Z'],
      // Summer time ends on 25 October 2026: the day after it begins an hour later.
      ['Europe/Berlin', '20261025', 0, '2026-10-25T23:00:00.000Z'],
      ['Europe/Berlin', '20270327', 1, '2027-03-28T22:00:00.000Z'],
      ['America/New_York', '20261016', 0, '2026-10-17T04:00:00.000Z'],
      ['Pacific/Auckland', '20261016', 0, '2026-10-16T11:00:00.000Z'],
      ['Asia/Kolkata', '20261231', 0, '2026-12-31T18:30:00.000Z'],
      // Clocks go from 24:00 to 01:00: the day begins at 01:00.
      ['Africa/Cairo', '20270429', 0, '2027-04-29T22:00:00.000Z'],
      // Clocks go back from 24:00 to 23:00: the day that ends is an hour longer.
      ['Africa/Cairo', '20261029', 0, '2026-10-29T22:00:00.000Z'],
      // Clocks go back from 01:00 to 00:00: the first midnight counts.
      ['America/Havana', '20261031', 0, '2026-11-01T04:00:00.000Z'],
      ['Atlantic/Azores', '20261024', 0, '2026-10-25T00:00:00.000Z'],
    ] as const) {
      const story = createStory({}, { days, timeZone })
      story.message({})
      story.message({ control: 'XO', sent: '20261015100000', ...on(date) })
      expect([timeZone, date, noShow(story)]).toEqual([timeZone, date, expected])
    }
  })

  test('another day moves the deadline; UNSCHEDULED and what is no date have none', () => {
    const story = createStory({}, week)
    story.message({})
    story.message({ control: 'XO', sent: '20261015100000', ...on('20261101') })
    expect(noShow(story)).toBe('2026-11-08T23:00:00.000Z')
    story.message({ control: 'XO', sent: '20261015110000', ...on('') })
    expect([statuses(story), noShow(story)]).toEqual([['UNSCHEDULED'], undefined])
    story.message({ control: 'XO', sent: '20261015120000', ...on('20261399') })
    expect([statuses(story), noShow(story)]).toEqual([['SCHEDULED'], undefined])
    story.wait(400 * day)
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('an order for a day long past waits as long as any other: somebody wants it now', () => {
    const story = createStory({}, week)
    story.message(on('20260101'))
    story.wait(7 * day - 1)
    expect([statuses(story), story.worklist().length]).toEqual([['SCHEDULED'], 1])
    story.wait(2)
    expect(statuses(story)).toEqual(['EXPIRED'])
    // The patient came after all: the RIS sends it again as it was.
    story.message({ ...on('20260101'), sent: '20261030090000' })
    story.wait(7 * day - 1)
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.wait(2)
    expect(statuses(story)).toEqual(['EXPIRED'])
  })

  test('an update of what waits gives it no more days', () => {
    const story = createStory({}, week)
    story.message({})
    story.wait(5 * day)
    story.message({ control: 'XO', sent: '20261021090000', steps: [step('1', { Modality: 'MR' })] })
    expect(noShow(story)).toBe('2026-10-23T22:00:00.000Z')
  })

  test('a message that changes nothing sets no deadline again', () => {
    const story = createStory({}, week)
    story.message({})
    story.message({})
    expect(story.last().filter(({ kind }) => kind === 'deadline')).toEqual([])
  })

  test('what has begun does not expire, whoever said so', () => {
    for (const begin of [
      (story: Story) => story.images(),
      (story: Story) => story.performed(),
      (story: Story) => void story.message({ control: 'IP' }),
    ]) {
      const story = createStory({ policy: 'ris' }, week)
      story.message({})
      begin(story)
      expect(noShow(story)).toBeUndefined()
      story.wait(30 * day)
      expect(statuses(story)).toEqual(['STARTED'])
    }
  })

  test('PET/CT of which only the CT took place: CM when the PET has expired', () => {
    const story = createStory({}, week)
    story.message({ steps: [step('1', { Modality: 'PT' }), step('2', { Modality: 'CT' })] })
    story.images({ modality: 'CT' })
    story.wait(60)
    expect([statuses(story), story.told()]).toEqual([['SCHEDULED', 'COMPLETED'], ['IP']])
    story.wait(9 * day)
    expect([statuses(story), story.told()]).toEqual([
      ['EXPIRED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
    expect(story.events()).toEqual(['started', 'expired', 'completed'])
  })

  test('steps of several days expire one by one', () => {
    const story = createStory({}, week)
    story.message({ steps: [step('1'), step('2', { ScheduledProcedureStepStartDate: '20261020' })] })
    story.wait(9 * day)
    expect(statuses(story)).toEqual(['EXPIRED', 'SCHEDULED'])
    story.wait(3 * day)
    expect([statuses(story), story.events()]).toEqual([
      ['EXPIRED', 'EXPIRED'],
      ['expired', 'expired'],
    ])
  })

  test('an older message does not bring it back, a newer one does, with a deadline anew', () => {
    const story = createStory({}, week)
    story.message({})
    story.wait(9 * day)
    story.message({ control: 'XO', ...on('20261101') })
    expect([statuses(story), noShow(story)]).toEqual([['EXPIRED'], undefined])
    story.message({ control: 'XO', sent: '20261026090000', ...on('20261101') })
    expect([statuses(story), noShow(story)]).toEqual([['SCHEDULED'], '2026-11-08T23:00:00.000Z'])
  })

  test('a deadline that comes too early, or for an order that is gone, changes no step and is not lost', () => {
    const story = createStory({}, week)
    story.message({})
    const due = noShow(story)
    story.enter({ kind: 'deadline', subject: `expire:${story.order().id}`, due: story.now() })
    expect([statuses(story), story.events(), noShow(story)]).toEqual([['SCHEDULED'], [], due])
    expect(story.last()).toContainEqual({ kind: 'deadline', subject: `expire:${story.order().id}`, due })
    story.enter({ kind: 'deadline', subject: 'expire:O0-1', due: story.now() })
    expect(story.last()).toEqual([])
  })

  test('images of a patient who came after all start nothing and are raised', () => {
    const story = createStory({}, week)
    story.message({})
    story.wait(9 * day)
    story.images()
    expect([statuses(story), story.notices()]).toEqual([['EXPIRED'], ['E612']])
  })
})

describe('changed settings', () => {
  test('orders of before get their deadline, moved ones another, and none where nobody wants it', () => {
    const story = createStory()
    story.message({})
    expect(noShow(story)).toBeUndefined()
    story.change({ noShow: week })
    expect(noShow(story)).toBe('2026-10-23T22:00:00.000Z')
    story.change({ noShow: { ...week, days: 1 } })
    expect(noShow(story)).toBe('2026-10-17T22:00:00.000Z')
    story.change({})
    expect(story.last()).toEqual([])
  })

  test('what has long been over expires at once', () => {
    const story = createStory()
    story.message({})
    story.wait(30 * day)
    story.change({ noShow: week })
    story.wait(1)
    expect([statuses(story), story.events()]).toEqual([['EXPIRED'], ['expired']])
  })

  test('without a no-show time nothing expires', () => {
    const story = createStory()
    story.message({})
    story.wait(400 * day)
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })
})
