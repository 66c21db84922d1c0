import { describe, expect, test } from 'vitest'
import { anna, createStory, group, otto, statuses, step, stepOf } from './support.ts'

describe('an order comes', () => {
  test('RAD-4: a new order is on the worklist of its station', () => {
    const story = createStory()
    expect(story.message({ control: 'NW' })).toEqual({ kind: 'applied' })
    const [item] = story.worklist()
    expect(story.worklist()).toHaveLength(1)
    expect(item?.dataset).toMatchObject({ PatientName: 'MUELLER^ANNA', PatientID: '4711', AccessionNumber: 'A1' })
    expect(stepOf(item)).toMatchObject({ ScheduledStationAETitle: 'CT01', ScheduledProcedureStepStatus: 'SCHEDULED' })
    expect(item?.dataset['StudyInstanceUID']).toMatch(/^2\.25\.\d+$/)
  })

  test('an order without a start date is held until an update brings one', () => {
    const story = createStory()
    story.message({ steps: [step('1', { ScheduledProcedureStepStartDate: '' })] })
    expect([statuses(story), story.worklist()]).toEqual([['UNSCHEDULED'], []])
    story.message({ control: 'XO' })
    expect([statuses(story), story.worklist().length]).toEqual([['SCHEDULED'], 1])
    story.message({ control: 'XO', steps: [step('1', { ScheduledProcedureStepStartDate: '' })] })
    expect([statuses(story), story.worklist()]).toEqual([['UNSCHEDULED'], []])
  })

  test('a PET/CT order has two steps, one study, and one item for each step and station', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }, ['PET1', 'PET2']), step('2', { Modality: 'CT' }, ['PET1'])] })
    expect(story.worklist().map((item) => [stepOf(item)['Modality'], stepOf(item)['ScheduledStationAETitle']])).toEqual(
      [
        ['PT', 'PET1'],
        ['PT', 'PET2'],
        ['CT', 'PET1'],
      ],
    )
    expect(new Set(story.worklist().map((item) => item.dataset['StudyInstanceUID'])).size).toBe(1)
  })

  test.each([
    ['each its own', ['ROOM 1', 'ROOM 2'], ['ROOM 1', 'ROOM 2'], ['ROOM 2', 'ROOM 1']],
    ['both the one that there is', 'ROOM 1', ['ROOM 1', 'ROOM 1'], ['ROOM 1', 'ROOM 1']],
  ])('the names of two stations: %s', (_, names, first, then) => {
    const story = createStory()
    const shown = () => story.worklist().map((item) => stepOf(item)['ScheduledStationName'])
    story.message({ steps: [step('1', { ScheduledStationName: names }, ['CT01', 'CT02'])] })
    expect(shown()).toEqual(first)
    const [before] = story.worklist()
    story.message({ control: 'XO', steps: [step('1', { ScheduledStationName: names }, ['CT02', 'CT01'])] })
    expect(shown()).toEqual(then)
    // What looks otherwise has another version, or no target would hear of it.
    const [after] = story.worklist()
    expect([after?.id, after?.version === before?.version]).toEqual([before?.id, shown()[0] === first[0]])
  })

  test("the sender's Study Instance UID is used; a made one is made once", () => {
    const story = createStory()
    story.message(
      { numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.2.3' } },
      { numbers: { fillerOrderNumber: 'F2' } },
    )
    const [given, made] = story.orders().map((order) => order.studyInstanceUid)
    expect(given).toBe('1.2.3')
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F2' }, request: { PatientState: 'X' } })
    expect(story.orders()[1]?.studyInstanceUid).toBe(made)
  })

  test('a sender may name the study later, until there are images of it', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.2.3' } })
    expect(story.order().studyInstanceUid).toBe('1.2.3')
    story.images()
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '9.9.9' } })
    expect(story.order().studyInstanceUid).toBe('1.2.3')
    expect(story.history().at(-1)).toMatch(/stays: it has images/)
  })

  test('two order groups of one message are two orders; two groups with one number are one', () => {
    const story = createStory()
    story.message(
      { numbers: { fillerOrderNumber: 'F1' }, steps: [step('1')] },
      { numbers: { fillerOrderNumber: 'F1' }, steps: [step('2')] },
      { numbers: { fillerOrderNumber: 'F2' } },
    )
    expect(story.orders().map((order) => order.steps.map((one) => `${one.key} ${one.stepStatus}`))).toEqual([
      ['1 SCHEDULED', '2 SCHEDULED'],
      ['1 SCHEDULED'],
    ])
  })

  test('a new order without a patient or without a step is a dead letter, an update of an unknown one is ignored', () => {
    const story = createStory()
    expect(story.message({ patient: null })).toMatchObject({
      kind: 'dead',
      fault: { code: 'E603', params: { missing: 'patient' } },
    })
    expect(story.message({ steps: [] })).toMatchObject({
      kind: 'dead',
      fault: { code: 'E603', params: { missing: 'step' } },
    })
    expect(story.message({ control: 'XO', steps: [] })).toEqual({ kind: 'ignored', rule: 'unknown-order' })
    expect(story.message({ control: 'XO' })).toEqual({ kind: 'applied' })
    expect(story.worklist()).toHaveLength(1)
  })

  test('a group that the pipeline ignores is ignored, by its order control', () => {
    expect(createStory().message({ control: 'SN' })).toEqual({ kind: 'ignored', rule: 'orderControl SN' })
  })
})

describe('an order changes', () => {
  test('RAD-13: an update keeps the study and moves the step to another station and time', () => {
    const story = createStory()
    story.message({})
    const [before] = story.worklist()
    story.message({ control: 'XO', steps: [step('1', { ScheduledProcedureStepStartTime: '113000' }, ['CT02'])] })
    const [after] = story.worklist()
    expect(story.worklist()).toHaveLength(1)
    expect(stepOf(after)).toMatchObject({ ScheduledStationAETitle: 'CT02', ScheduledProcedureStepStartTime: '113000' })
    expect(after?.dataset['StudyInstanceUID']).toBe(before?.dataset['StudyInstanceUID'])
    expect(story.last()).toContainEqual(expect.objectContaining({ kind: 'order', withdrawn: [before?.id] }))
  })

  test('what an update does not name stays, what it empties is empty', () => {
    const story = createStory()
    story.message({ request: { AccessionNumber: 'A1', PatientState: 'walks', MedicalAlerts: 'latex' } })
    story.message({ control: 'XO', request: { MedicalAlerts: '' } })
    expect(story.worklist()[0]?.dataset).toMatchObject({
      AccessionNumber: 'A1',
      PatientState: 'walks',
      MedicalAlerts: '',
    })
  })

  describe('the site’s defaults, where a message says nothing', () => {
    const assumed = (modality: string, station: string, ...keywords: string[]) => [
      { ...step('1', { Modality: modality }, [station]), assumed: keywords },
    ]
    const both = ['Modality', 'ScheduledStationAETitle']
    const table = [
      {
        what: 'never replace what was said',
        first: [step()],
        second: assumed('OT', 'SITE', ...both),
        is: ['CT', 'CT01'],
      },
      {
        what: 'do not move a step from its station',
        first: [step()],
        second: assumed('CT', 'SITE', 'ScheduledStationAETitle'),
        is: ['CT', 'CT01'],
      },
      {
        what: 'do where another modality is asked for: the old station has it not',
        first: [step()],
        second: assumed('MR', 'SITE', 'ScheduledStationAETitle'),
        is: ['MR', 'SITE'],
      },
      { what: 'give way to what is said', first: assumed('OT', 'SITE', ...both), second: [step()], is: ['CT', 'CT01'] },
      {
        what: 'are those of today',
        first: assumed('OT', 'SITE', ...both),
        second: assumed('XC', 'NEW', ...both),
        is: ['XC', 'NEW'],
      },
    ]
    test.each(table)('$what', ({ first, second, is }) => {
      const story = createStory()
      story.message({ steps: first })
      story.message({ control: 'XO', steps: second })
      const { Modality, ScheduledStationAETitle } = stepOf(story.worklist()[0])
      expect([Modality, ScheduledStationAETitle]).toEqual(is)
      expect(story.worklist()).toHaveLength(1)
    })

    test('what was said stays known, however many messages say nothing', () => {
      const story = createStory()
      story.message({ steps: assumed('OT', 'SITE', ...both) })
      story.message({ control: 'XO', steps: [step()] })
      for (const sent of ['20261015100000', '20261015110000'])
        story.message({ control: 'XO', sent, steps: assumed('OT', 'SITE', ...both) })
      expect(stepOf(story.worklist()[0])).toMatchObject({ Modality: 'CT', ScheduledStationAETitle: 'CT01' })
    })
  })

  test('an update replaces the set of steps: scheduled ones leave, a started one stays with a flag', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }), step('2'), step('3', { Modality: 'MR' })] })
    story.images({ modality: 'PT' })
    story.message({ control: 'XO', steps: [step('2')] })
    expect(story.order().steps.map(({ key, stepStatus, flags }) => [key, stepStatus, ...flags])).toEqual([
      ['1', 'STARTED', 'no-longer-ordered'],
      ['2', 'SCHEDULED'],
      ['3', 'CANCELED'],
    ])
    story.message({ control: 'XO', sent: '20261015100000', steps: [step('1'), step('2')] })
    expect(story.order().steps[0]?.flags).toEqual([])
  })

  test('a corrected accession number changes the item and makes no second one', () => {
    const story = createStory()
    story.message({})
    const numbers = { fillerOrderNumber: 'F1', accessionNumber: 'A2' }
    story.message({ control: 'XO', numbers })
    expect(story.worklist().map((item) => item.dataset['AccessionNumber'])).toEqual(['A2'])
    expect(story.world.orders({ by: 'accessionNumber', value: 'A1' })).toEqual([])
  })

  test('numbers come later without changing who the order is: placer first, then filler', () => {
    const story = createStory()
    story.message({ numbers: { placerOrderNumber: 'P1' } })
    story.message({ numbers: { placerOrderNumber: 'P1', fillerOrderNumber: 'F1' } })
    story.message({ control: 'XO', numbers: { fillerOrderNumber: 'F1' }, request: { PatientState: 'x' } })
    expect(story.order().numbers).toMatchObject({ placerOrderNumber: 'P1', fillerOrderNumber: 'F1' })
  })

  test('orders of one placer number keep apart by their filler numbers', () => {
    const story = createStory()
    story.message({ numbers: { placerOrderNumber: 'P1', fillerOrderNumber: 'F1' } })
    story.message({ numbers: { placerOrderNumber: 'P1', fillerOrderNumber: 'F2' } })
    expect(story.orders()).toHaveLength(2)
    story.message({ control: 'CA', numbers: { placerOrderNumber: 'P1', fillerOrderNumber: 'F2' } })
    expect(statuses(story)).toEqual(['SCHEDULED', 'CANCELED'])
  })

  test('numbers of one system mean nothing in another', () => {
    const story = createStory()
    story.message({ numbers: { fillerOrderNumber: 'F1' } })
    story.message({ numbers: { authority: 'other', fillerOrderNumber: 'F1' } })
    expect(story.orders()).toHaveLength(2)
  })

  test.each([
    ['filler of one, placer of another', { placerOrderNumber: 'P2', fillerOrderNumber: 'F1' }],
    ['a placer number that two orders share, and no filler number', { placerOrderNumber: 'P3' }],
    ['accession of one, study of another', { accessionNumber: 'A1', studyInstanceUid: '1.2' }],
  ])('numbers that point to two orders kill the message and change nothing: %s', (_, numbers) => {
    const story = createStory()
    story.message(
      { numbers: { placerOrderNumber: 'P1', fillerOrderNumber: 'F1', accessionNumber: 'A1' } },
      { numbers: { placerOrderNumber: 'P2', fillerOrderNumber: 'F2', accessionNumber: 'A2', studyInstanceUid: '1.2' } },
      { numbers: { placerOrderNumber: 'P3', fillerOrderNumber: 'F3' } },
      { numbers: { placerOrderNumber: 'P3', fillerOrderNumber: 'F4' } },
    )
    expect(story.message({ control: 'CA', numbers })).toMatchObject({ kind: 'dead', fault: { code: 'E601' } })
    expect(story.last().map((change) => change.kind)).toEqual(['history', 'history', 'notice', 'state'])
    expect(story.worklist()).toHaveLength(4)
  })

  test('one dead group kills the whole message: no other group of it takes effect', () => {
    const story = createStory()
    story.message({ numbers: { fillerOrderNumber: 'F1' } })
    const state = story.message(
      { numbers: { fillerOrderNumber: 'F9' } },
      { numbers: { fillerOrderNumber: 'F1' }, patient: otto },
    )
    expect(state).toMatchObject({ kind: 'dead', fault: { code: 'E602' } })
    expect(story.orders()).toHaveLength(1)
  })

  test('an accession number alone finds the order of its patient', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'CA', numbers: { accessionNumber: 'A1' }, patient: otto })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.message({ control: 'CA', numbers: { accessionNumber: 'A1' } })
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  describe('an order that has an accession number alone', () => {
    const alone = { accessionNumber: 'A1' }
    const numbers = { placerOrderNumber: 'P1', fillerOrderNumber: 'F1' }

    test('is told again, changed and cancelled by it', () => {
      const story = createStory()
      story.message({ numbers: alone })
      story.message({ numbers: alone })
      story.message({
        control: 'XO',
        numbers: alone,
        steps: [step('1', { ScheduledProcedureStepStartDate: '20261017' })],
      })
      expect(story.orders().map((order) => order.numbers)).toEqual([{ authority: 'ris', ...alone }])
      expect(story.items().map((item) => stepOf(item)['ScheduledProcedureStepStartDate'])).toEqual(['20261017'])
      story.message({ control: 'CA', numbers: alone, orcOnly: true })
      expect(statuses(story)).toEqual(['CANCELED'])
    })

    test.each(['NW', 'XO', 'NW without OBR-19'])(
      'takes its numbers from the first message that has them: %s',
      (form) => {
        const story = createStory()
        story.message({ numbers: alone, request: { AccessionNumber: 'A1', RequestedProcedureID: 'A1' } })
        const request = { AccessionNumber: 'A1', RequestedProcedureID: form.includes('without') ? 'F1' : 'RP7' }
        story.message({ control: form.slice(0, 2), numbers: { ...numbers, ...alone }, request })
        expect(story.orders().map((order) => order.numbers)).toEqual([{ authority: 'ris', ...numbers, ...alone }])
        expect(story.items()[0]?.dataset['RequestedProcedureID']).toBe(form.includes('without') ? 'A1' : 'RP7')
        story.message({ control: 'CA', numbers: { fillerOrderNumber: 'F1' }, orcOnly: true })
        expect(statuses(story)).toEqual(['CANCELED'])
      },
    )

    test('I11: the same accession number of another patient is another order, with or without numbers', () => {
      const story = createStory()
      story.message({ numbers: alone })
      story.message({ numbers: { ...numbers, ...alone }, patient: otto })
      story.message({ numbers: { fillerOrderNumber: 'F2', ...alone } })
      expect(story.orders().map((order) => [order.patientKey, order.numbers.fillerOrderNumber])).toEqual([
        [anna.key, 'F2'],
        [otto.key, 'F1'],
      ])
    })

    test('two patients have it: who names neither of them is a contradiction', () => {
      const story = createStory()
      story.message({ numbers: alone })
      story.message({ numbers: alone, patient: otto })
      for (const said of [alone, { ...numbers, ...alone }]) {
        const state = story.message({ control: 'CA', numbers: said, orcOnly: true })
        expect(state).toMatchObject({ kind: 'dead', fault: { code: 'E601' } })
      }
      expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED'])
    })

    test('an accession number that is used again for a later exam is another order', () => {
      const story = createStory()
      story.message({ numbers: alone })
      story.message({ control: 'CM', numbers: alone })
      const later = step('1', { ScheduledProcedureStepStartDate: '20270301' })
      story.message({ numbers: { ...numbers, ...alone }, sent: '20270201090000', steps: [later] })
      expect(story.orders().map((order) => order.numbers.fillerOrderNumber)).toEqual([undefined, 'F1'])
      expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED'])
    })

    test('what names another accession number is another order', () => {
      const story = createStory()
      story.message({ numbers: alone })
      story.message({ numbers: { ...numbers, accessionNumber: 'A2' } })
      story.message({ numbers: { fillerOrderNumber: 'F3' }, request: {} })
      expect(story.orders()).toHaveLength(3)
    })
  })
})

describe('the patient', () => {
  test('I11: a message that names another patient for a known order is dead', () => {
    for (const control of ['NW', 'XO', 'CA', 'IP', 'CM', 'DC']) {
      const story = createStory()
      story.message({})
      const before = story.items()
      expect(story.message({ control, patient: otto })).toMatchObject({ kind: 'dead', fault: { code: 'E602' } })
      expect(story.items()).toEqual(before)
    }
  })

  test("I11: a study that is another patient's takes no order", () => {
    const story = createStory()
    story.message({ numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.2.3' } })
    const state = story.message({ numbers: { fillerOrderNumber: 'F2', studyInstanceUid: '1.2.3' }, patient: otto })
    expect(state).toMatchObject({ kind: 'dead', fault: { code: 'E604' } })
    const second = createStory()
    second.images({ studyInstanceUid: '1.2.3', patientId: '4712' })
    expect(second.message({ numbers: { fillerOrderNumber: 'F1', studyInstanceUid: '1.2.3' } })).toMatchObject({
      fault: { code: 'E604' },
    })
    expect(second.worklist()).toEqual([])
  })

  test('a new order with corrected demographics corrects all open orders of the patient', () => {
    const story = createStory()
    story.message({ numbers: { fillerOrderNumber: 'F1' } })
    story.message({ numbers: { fillerOrderNumber: 'F2' } })
    const versions = story.worklist().map((item) => item.version)
    const married = { ...anna, attributes: { ...anna.attributes, PatientName: 'SCHMIDT^ANNA' } }
    story.message({ numbers: { fillerOrderNumber: 'F3' }, patient: married })
    expect(story.worklist().map((item) => item.dataset['PatientName'])).toEqual(Array(3).fill('SCHMIDT^ANNA'))
    expect(story.worklist().every((item) => !versions.includes(item.version))).toBe(true)
  })

  test('RAD-13: an update, a cancel or a status never changes the patient', () => {
    const story = createStory()
    story.message({})
    const other = { ...anna, attributes: { PatientName: 'WRONG^NAME' } }
    for (const control of ['XO', 'IP', 'DC']) story.message({ control, patient: other })
    expect(story.items()[0]?.dataset['PatientName']).toBe('MUELLER^ANNA')
  })
})

describe('an order is cancelled', () => {
  test('before its first image it is CANCELED and leaves the worklist, the RIS is told nothing', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'CA', numbers: { fillerOrderNumber: 'F1' }, orcOnly: true })
    expect([statuses(story), story.worklist(), story.told()]).toEqual([['CANCELED'], [], []])
  })

  test('after its first image it is DISCONTINUED', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.message({ control: 'CA', numbers: { fillerOrderNumber: 'F1' }, orcOnly: true })
    story.wait(60)
    expect([statuses(story), story.worklist(), story.told()]).toEqual([['DISCONTINUED'], [], ['IP']])
    expect(story.order().told).toEqual(['IP', 'DC'])
  })

  test('DC: the started step is DISCONTINUED, the waiting one CANCELED', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }), step('2')] })
    story.images({ modality: 'PT' })
    story.message({ control: 'DC' })
    expect(statuses(story)).toEqual(['DISCONTINUED', 'CANCELED'])
  })

  test('a cancel that names a step cancels that step', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2')] })
    story.message({ control: 'CA', steps: [step('2')] })
    expect(statuses(story)).toEqual(['SCHEDULED', 'CANCELED'])
  })

  test.each(['CA', 'IP', 'CM'])('so does every message that names a step without planning it: %s', (control) => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2')] })
    story.message({ ...group({ control }), stepKeys: ['2'] })
    expect(statuses(story)).toEqual(['SCHEDULED', { CA: 'CANCELED', IP: 'STARTED', CM: 'COMPLETED' }[control]])
  })

  test('a cancel that names a step the order does not have cancels the order', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2')] })
    story.message({ ...group({ control: 'CA' }), stepKeys: ['9'] })
    expect(statuses(story)).toEqual(['CANCELED', 'CANCELED'])
  })

  test('a cancel with an ORC alone leaves the text that status messages quote', () => {
    const story = createStory()
    story.message({})
    const { received } = story.order()
    story.message({ control: 'CA', numbers: { fillerOrderNumber: 'F1' }, orcOnly: true })
    expect(story.order().received).toBe(received)
    story.message({ control: 'CA', sent: '20261015100000' })
    expect(story.order().received).toContain('ORC|CA')
  })

  test('a cancelled order comes back only by a newer message', () => {
    const story = createStory()
    story.message({ sent: '20261015090000' })
    story.message({ control: 'CA', sent: '20261015091000' })
    for (const sent of ['20261015090000', '20261015091000', '']) {
      expect(story.message({ sent })).toEqual({ kind: 'applied' })
      expect(statuses(story)).toEqual(['CANCELED'])
    }
    expect(story.history().at(-1)).toMatch(/the message is not newer/)
    story.message({ sent: '20261015092000' })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    expect(story.worklist()).toHaveLength(1)
  })

  test.each([
    ['older', '20261015090959', 'CANCELED', []],
    ['of the same minute', '202610150910', 'CANCELED', ['E636']],
    ['of the same second', '20261015091000', 'CANCELED', ['E636']],
    ['without MSH-7', '', 'CANCELED', ['E636']],
    ['later by 120 ms', '20261015091000.470', 'SCHEDULED', []],
  ])('an order is sent again after its cancel, %s', (_, sent, stepStatus, notices) => {
    for (const first of [['NW', 'CA'], ['CA']]) {
      const story = createStory()
      const times: Readonly<Record<string, string>> = { NW: '20261015085900', CA: '20261015091000.350' }
      for (const control of first) story.message({ control, sent: times[control] ?? '' })
      story.message({ sent })
      expect([statuses(story), story.notices()]).toEqual([[stepStatus], notices])
      // What only changes an order says nothing of its cancel.
      story.message({ control: 'XO', sent })
      expect(story.notices()).toEqual(notices)
    }
  })

  test('what is left of an order is cancelled after a part was completed: CM, once', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }), step('2')] })
    story.images({ modality: 'PT' })
    story.wait(60)
    expect([statuses(story), story.told()]).toEqual([['COMPLETED', 'SCHEDULED'], ['IP']])
    story.message({ control: 'CA' })
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'CANCELED'],
      ['IP', 'CM'],
    ])
  })
})

describe('a cancel comes before its order', () => {
  const cancel = { control: 'CA', numbers: { fillerOrderNumber: 'F1' }, orcOnly: true, sent: '20261015091000' } as const

  test('it is ignored, and the late order is never served', () => {
    const story = createStory()
    expect(story.message(cancel)).toEqual({ kind: 'ignored', rule: 'unknown-order' })
    expect(story.message({ sent: '20261015090000' })).toEqual({ kind: 'applied' })
    expect([statuses(story), story.worklist()]).toEqual([['CANCELED'], []])
    expect(story.history()[0]).toMatch(/its cancel came first/)
  })

  test('a placer number alone is enough', () => {
    const story = createStory()
    story.message({ ...cancel, numbers: { placerOrderNumber: 'P1' } })
    story.message({ numbers: { placerOrderNumber: 'P1', fillerOrderNumber: 'F1' } })
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test('and so is a Study Instance UID', () => {
    const story = createStory()
    story.message({ ...cancel, numbers: { studyInstanceUid: '1.7' } })
    story.message({ numbers: { fillerOrderNumber: 'F1', accessionNumber: 'A1', studyInstanceUid: '1.7' } })
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test('an order that was sent after the cancel is another one', () => {
    const story = createStory()
    story.message(cancel)
    story.message({ sent: '20261015091001' })
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('after a day the same number is another order', () => {
    const story = createStory()
    story.message({ ...cancel, sent: '' })
    story.wait(25 * 60)
    story.message({ sent: '' })
    expect(statuses(story)).toEqual(['SCHEDULED'])
  })

  test('a newer order brings the cancelled one to life', () => {
    const story = createStory()
    story.message(cancel)
    story.message({ sent: '20261015090000' })
    story.message({ sent: '20261015100000' })
    expect([statuses(story), story.worklist().length]).toEqual([['SCHEDULED'], 1])
  })
})

describe('numbers are used again', () => {
  const later = { ScheduledProcedureStepStartDate: '20270301' }

  test('a repeated order of a completed exam does not come back', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(60)
    story.message({ sent: '20261016120000' })
    expect([story.orders().length, statuses(story), story.worklist(), story.told()]).toEqual([
      1,
      ['COMPLETED'],
      [],
      ['IP', 'CM'],
    ])
  })

  test('a reused number for a later appointment is an order of its own, with a study of its own', () => {
    const story = createStory()
    story.message({})
    story.images()
    story.wait(60)
    story.message({ sent: '20270201120000', steps: [step('1', later)], patient: otto })
    const [old, fresh] = story.orders()
    expect(statuses(story)).toEqual(['COMPLETED', 'SCHEDULED'])
    expect(old?.patientKey).toBe(anna.key)
    expect(fresh?.studyInstanceUid).not.toBe(old?.studyInstanceUid)
    story.message({ control: 'CA', patient: otto, sent: '20270202120000' })
    expect(statuses(story)).toEqual(['COMPLETED', 'CANCELED'])
  })

  test('while the exam is open, or the message no newer, a reused number is no reuse', () => {
    const story = createStory()
    story.message({})
    expect(story.message({ sent: '20270201120000', steps: [step('1', later)], patient: otto })).toMatchObject({
      fault: { code: 'E602' },
    })
    story.message({ control: 'CA' })
    expect(story.message({ steps: [step('1', later)], patient: otto })).toMatchObject({ fault: { code: 'E602' } })
    expect(story.orders()).toHaveLength(1)
  })
})

describe('the RIS moves the exam itself', () => {
  test('SC/IP and SC/CM move the steps and are not told back', () => {
    const story = createStory()
    story.message({})
    story.message({ control: 'IP' })
    expect(statuses(story)).toEqual(['STARTED'])
    story.images()
    story.message({ control: 'CM' })
    expect([statuses(story), story.told(), story.worklist()]).toEqual([['COMPLETED'], [], []])
  })

  test('there is no way back: IP after CM, CM after CA', () => {
    const story = createStory()
    story.message({ numbers: { fillerOrderNumber: 'F1' } }, { numbers: { fillerOrderNumber: 'F2' } })
    story.message({ control: 'CM', numbers: { fillerOrderNumber: 'F1' } })
    story.message({ control: 'CA', numbers: { fillerOrderNumber: 'F2' } })
    story.message({ control: 'IP', numbers: { fillerOrderNumber: 'F1' } })
    story.message({ control: 'CM', numbers: { fillerOrderNumber: 'F2' } })
    expect(statuses(story)).toEqual(['COMPLETED', 'CANCELED'])
    expect(story.history().at(-1)).toMatch(/CM changed no step: 1 CANCELED/)
  })

  test('the RIS completes one step, images the other: one CM', () => {
    const story = createStory()
    story.message({ steps: [step('1', { Modality: 'PT' }), step('2')] })
    story.message({ control: 'CM', steps: [step('1')] })
    expect(story.order().told).toEqual([])
    story.images({ modality: 'CT' })
    story.wait(60)
    expect([statuses(story), story.told()]).toEqual([
      ['COMPLETED', 'COMPLETED'],
      ['IP', 'CM'],
    ])
  })

  test('a status for an order that nobody knows is ignored', () => {
    expect(createStory().message({ control: 'CM' })).toEqual({ kind: 'ignored', rule: 'unknown-order' })
  })
})

describe('numbers that stand in for others', () => {
  const full = { fillerOrderNumber: 'F1', placerOrderNumber: 'P1', accessionNumber: 'A1', requestedProcedureId: 'RP1' }
  const bare = { ...full, accessionNumber: 'F1', requestedProcedureId: 'F1' }
  const request = { AccessionNumber: 'F1', RequestedProcedureID: 'F1' }

  test('an update without an accession number leaves the one that is known', () => {
    const story = createStory()
    story.message({ numbers: full })
    story.message({ control: 'XO', numbers: bare, request, steps: [step('1', { ScheduledProcedureStepID: 'F1' })] })
    expect(story.order().numbers).toMatchObject({ accessionNumber: 'A1', requestedProcedureId: 'RP1' })
    const [item] = story.worklist()
    expect(item?.dataset).toMatchObject({ AccessionNumber: 'A1', RequestedProcedureID: 'RP1' })
    expect(stepOf(item)).toMatchObject({ ScheduledProcedureStepID: 'S1' })
  })

  test('a real accession number takes the place of the one that stood in', () => {
    const story = createStory()
    story.message({ numbers: bare, request })
    expect(story.worklist()[0]?.dataset).toMatchObject({ AccessionNumber: 'F1' })
    story.message({ control: 'XO', numbers: full })
    expect(story.worklist()[0]?.dataset).toMatchObject({ AccessionNumber: 'A1' })
  })

  test("I11: a cancel whose number is another order's accession number cancels nothing", () => {
    const story = createStory()
    story.message({ numbers: { fillerOrderNumber: 'F1', accessionNumber: '77' } })
    story.message({ numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2' }, patient: otto })
    const numbers = { fillerOrderNumber: '77', accessionNumber: '77', requestedProcedureId: '77' }
    expect(story.message({ control: 'CA', orcOnly: true, numbers })).toEqual({ kind: 'ignored', rule: 'unknown-order' })
    const placer = { placerOrderNumber: '77', accessionNumber: '77' }
    expect(story.message({ control: 'CA', orcOnly: true, numbers: placer })).toMatchObject({ kind: 'ignored' })
    expect(story.worklist()).toHaveLength(2)
  })
})

describe('I11: a Patient ID', () => {
  const otherPerson = { PatientName: 'SCHMIDT^KARL', PatientBirthDate: '19501224', PatientSex: 'M' }
  const next = { fillerOrderNumber: 'F2', accessionNumber: 'A2' }
  const names = (story: ReturnType<typeof createStory>) => story.worklist().map((item) => item.dataset['PatientName'])

  test('of two authorities is two patients', () => {
    const story = createStory()
    const clinic = { key: '4711^^^CLINIC', patientId: '4711', issuerOfPatientId: 'CLINIC', attributes: otherPerson }
    story.message({}, { numbers: next, patient: clinic })
    expect(names(story)).toEqual(['MUELLER^ANNA', 'SCHMIDT^KARL'])
    story.message({ patient: { ...anna, attributes: { PatientName: 'MEIER^ANNA' } } })
    expect(names(story)).toEqual(['MEIER^ANNA', 'SCHMIDT^KARL'])
  })

  test('under which somebody else is ordered renames nobody', () => {
    const story = createStory()
    story.message({})
    const order = { numbers: next, patient: { ...anna, attributes: otherPerson } }
    expect(story.message(order)).toMatchObject({ kind: 'dead', fault: { code: 'E605' } })
    expect(names(story)).toEqual(['MUELLER^ANNA'])
    // Nobody's order would get another name: the ID was given again.
    story.message({ control: 'CA', orcOnly: true })
    expect(story.message(order)).toEqual({ kind: 'applied' })
    expect(names(story)).toEqual(['SCHMIDT^KARL'])
  })

  test.each([
    ['the name after a marriage', { PatientName: 'SCHMIDT^ANNA', PatientBirthDate: '19700131', PatientSex: 'F' }],
    ['all but the sex', { ...otherPerson, PatientSex: 'F' }],
    ['all, but once nothing was known', { PatientName: 'SCHMIDT^KARL', PatientBirthDate: '', PatientSex: 'M' }],
  ])('may be corrected: %s', (_, attributes) => {
    const story = createStory()
    story.message({})
    expect(story.message({ numbers: next, patient: { ...anna, attributes } })).toEqual({ kind: 'applied' })
    expect(names(story)).toEqual([attributes.PatientName, attributes.PatientName])
  })

  test('under which an update describes somebody else: it makes nothing and changes nothing', () => {
    const story = createStory()
    story.message({})
    const patient = { ...anna, attributes: otherPerson }
    expect(story.message({ control: 'XO', patient })).toMatchObject({ kind: 'dead', fault: { code: 'E605' } })
    expect(story.message({ control: 'XO', patient, numbers: next })).toMatchObject({ kind: 'dead' })
    expect(names(story)).toEqual(['MUELLER^ANNA'])
    story.message({ control: 'CA', orcOnly: true })
    const newer = { control: 'XO', patient, sent: '20261015120000' }
    expect(story.message(newer)).toMatchObject({ kind: 'dead' })
    expect(names(story)).toEqual([])
  })

  test('may be corrected by the only order that has it', () => {
    const story = createStory()
    story.message({})
    story.message({ patient: { ...anna, attributes: otherPerson } })
    expect(names(story)).toEqual(['SCHMIDT^KARL'])
  })
})

test('I9: the history shows codes; a text in their place is not shown', () => {
  const story = createStory()
  story.message({ orderControl: 'NW(Mueller)' })
  expect(story.history()).toEqual(['create created: 1 SCHEDULED'])
})

test('an update without a step ID means the only step there is, and one with an ID the only one without', () => {
  for (const [first, second] of [
    ['S1', '1'],
    ['1', 'S1'],
  ]) {
    const story = createStory()
    story.message({ steps: [step(first)] })
    story.images()
    story.message({ control: 'XO', steps: [step(second, { ScheduledProcedureStepStartTime: '120000' })] })
    expect(statuses(story)).toEqual(['STARTED'])
    story.wait(31)
    expect(story.told()).toEqual(['IP', 'CM'])
  }
  const another = createStory()
  another.message({ steps: [step('S1')] })
  another.message({ control: 'XO', steps: [step('S2')] })
  expect(statuses(another)).toEqual(['CANCELED', 'SCHEDULED'])
})

test('I9: an item is named by its order, the number of its step and the station, and keeps its name', () => {
  const story = createStory()
  story.message({ steps: [step('GEHEIM-1'), step('GEHEIM-2')] })
  const ids = story.items().map((item) => item.id)
  expect(ids).toEqual([`${story.order().id}.1.CT01`, `${story.order().id}.2.CT01`])
  story.message({ control: 'XO', steps: [step('GEHEIM-3'), step('GEHEIM-2')] })
  expect(story.items().map((item) => [item.id.at(-6), item.stepStatus])).toEqual([
    ['1', 'CANCELED'],
    ['2', 'SCHEDULED'],
    ['3', 'SCHEDULED'],
  ])
})

test('an update that names its patient in another way changes nobody, and the history says so', () => {
  const story = createStory()
  story.message({})
  story.message({ control: 'XO', patient: { ...anna, attributes: { ...anna.attributes, PatientName: 'MEIER^ANNA' } } })
  expect(story.worklist()[0]?.dataset['PatientName']).toBe('MUELLER^ANNA')
  expect(story.history()).toContainEqual(expect.stringMatching(/describes its patient in another way/))
  expect(story.history().join()).not.toContain('MEIER')
})

describe('again is harmless', () => {
  test('I4, I5: the same order again, even with a newer time, changes no item', () => {
    const story = createStory()
    story.message({})
    const before = story.items()
    story.message({})
    story.message({ sent: '20261015120000' })
    story.message({ control: 'XO', sent: '20261015130000' })
    expect(story.items()).toEqual(before)
    expect(story.history().slice(1)).toEqual(Array(3).fill(expect.stringMatching(/changed nothing/)))
  })

  test('I5: an update of one step leaves the version of the other', () => {
    const story = createStory()
    story.message({ steps: [step('1'), step('2')] })
    const [first, second] = story.items()
    story.message({ control: 'XO', steps: [step('1'), step('2', { ScheduledProcedureStepStartTime: '120000' })] })
    expect(story.items()[0]).toEqual(first)
    expect(story.items()[1]?.version).toBeGreaterThan(second?.version ?? 0)
  })
})

test('a person completes or cancels an order by hand, and the RIS hears of it', () => {
  const story = createStory()
  story.message({ steps: [step('1', { Modality: 'PT' }), step('2')] })
  story.images({ modality: 'PT' })
  story.hand({ kind: 'complete', orderId: story.order().id })
  expect([statuses(story), story.told()]).toEqual([
    ['COMPLETED', 'CANCELED'],
    ['IP', 'CM'],
  ])
  story.hand({ kind: 'complete', orderId: story.order().id })
  story.hand({ kind: 'cancel', orderId: 'O0-1' })
  expect([story.history().at(-1), story.notices()]).toEqual([expect.stringMatching(/changed nothing/), ['E620']])

  const second = createStory()
  second.message({})
  second.hand({ kind: 'complete', orderId: second.order().id })
  expect([statuses(second), second.told()]).toEqual([['COMPLETED'], ['CM']])

  const third = createStory()
  third.message({})
  third.images()
  third.hand({ kind: 'cancel', orderId: third.order().id })
  expect([statuses(third), third.told()]).toEqual([['DISCONTINUED'], ['IP', 'DC']])
})

test('an order that nobody waits for any more expires in silence, and a newer update plans it again', () => {
  const story = createStory()
  story.message({ sent: '20261015120000', steps: [step('1', { Modality: 'PT' }), step('2')] })
  story.images({ modality: 'PT' })
  story.hand({ kind: 'expire', orderId: story.order().id })
  expect([statuses(story), story.told()]).toEqual([['EXPIRED', 'EXPIRED'], ['IP']])
  expect(story.items().some(({ served }) => served)).toBe(false)
  const lines = story.history().length
  story.hand({ kind: 'expire', orderId: story.order().id })
  expect([story.history().length, story.history().at(-1)]).toEqual([lines, 'expired: 2 EXPIRED'])
  story.message({ control: 'XO', sent: '20261015130000', steps: [step('1'), step('2')] })
  expect(statuses(story)).toContain('SCHEDULED')
})
