/** What ADT does to patients and their orders (docs/explanation/exam.md, Patients). */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PatientAct } from '../../src/core/message.ts'
import type { Patient } from '../../src/core/order.ts'
import { anna, createStory, otto, statuses, step, stepOf, type Story } from './support.ts'

/** As an emergency department registers somebody who cannot speak. */
const doe: Patient = {
  key: '9020^^^HOSP',
  patientId: '9020',
  issuerOfPatientId: 'HOSP',
  attributes: { PatientName: 'DOE^J2', PatientBirthDate: '19000101', PatientSex: 'M' },
}
const update = (patient: Patient, attributes: Patient['attributes'] = {}): PatientAct => ({
  kind: 'update',
  patient: { ...patient, attributes: { ...patient.attributes, ...attributes } },
})
const merge = (patient: Patient, ...prior: readonly (Patient | string)[]): PatientAct => ({
  kind: 'merge',
  patient,
  prior: prior.map((one) => (typeof one === 'string' ? one : one.key)),
})
const numbers = (number: string) => ({ fillerOrderNumber: `F${number}`, accessionNumber: `A${number}` })
const names = (story: Story): readonly unknown[] => story.worklist().map((item) => item.dataset['PatientName'])
const patientIds = (story: Story): readonly unknown[] => story.items().map((item) => item.dataset['PatientID'])
const versions = (story: Story): readonly number[] => story.items().map((item) => item.version)
const ignored = (rule: string) => ({ kind: 'ignored', rule })
const applied = { kind: 'applied' }

describe('a patient is described anew', () => {
  test('all open orders of the patient get new items, ended ones keep theirs', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    story.message({ numbers: numbers('2') })
    story.message({ control: 'CA', numbers: numbers('2') })
    const before = story.items().map((item) => item.id)
    expect(story.adt(update(anna, { PatientName: 'MEIER^ANNA' }))).toEqual(applied)
    expect(names(story)).toEqual(['MEIER^ANNA'])
    expect(story.items().map((item) => item.dataset['PatientName'])).toEqual(['MEIER^ANNA', 'MUELLER^ANNA'])
    expect(story.items().map((item) => item.id)).toEqual(before)
    expect(story.history('O1001-1')).toContain('patient described anew by ADT')
  })

  test('a patient whom nobody knows is not made known', () => {
    const story = createStory()
    story.message({})
    expect(story.adt(update(otto))).toEqual(ignored('unknown-patient'))
    expect(story.world.patient(otto.key)).toBeUndefined()
  })

  test('I5: an ADT that says what is known brings no item anywhere', () => {
    const story = createStory()
    story.message({})
    const before = versions(story)
    expect(story.adt(update(anna))).toEqual(applied)
    expect(versions(story)).toEqual(before)
    expect(story.last().map((change) => change.kind)).toEqual(['state'])
  })

  test('MESA 103: an unidentified patient turns out to be somebody, whatever of the description differs', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.message({ patient: doe, numbers: numbers('2') })
    const known = { PatientName: 'SILVERHEELS^JAY', PatientBirthDate: '19190526', PatientSex: 'F' }
    expect(story.adt(update(doe, known))).toEqual(applied)
    expect(names(story)).toEqual(['SILVERHEELS^JAY', 'SILVERHEELS^JAY'])
  })

  test('what an ADT says under a merged ID is of the old record', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    expect(story.adt(update(doe, { PatientName: 'DOE^J3' }))).toEqual(ignored('patient-merged'))
    expect(names(story)).toEqual(['MUELLER^ANNA'])
  })
})

describe('two patients become one', () => {
  test('the orders of the prior patient, ended ones too, are the survivor’s; their items keep their ids', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.message({ patient: doe, numbers: numbers('2') })
    story.message({ control: 'CA', patient: doe, numbers: numbers('2') })
    const before = story.items().map((item) => item.id)
    expect(story.adt(merge(anna, doe))).toEqual(applied)
    expect(story.orders().map((order) => order.patientKey)).toEqual([anna.key, anna.key])
    expect(patientIds(story)).toEqual(['4711', '4711'])
    expect(names(story)).toEqual(['MUELLER^ANNA'])
    expect(story.items().map((item) => item.id)).toEqual(before)
    expect(statuses(story)).toEqual(['SCHEDULED', 'CANCELED'])
  })

  test('I9: the history of a merge names nobody', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    const lines = story.history().join('\n')
    expect(lines).toContain('patient merged')
    expect(lines).not.toMatch(/4711|9020|DOE|MUELLER|HOSP/)
  })

  test('the survivor is described by the message, in all open orders', () => {
    const story = createStory()
    story.message({ patient: anna, numbers: numbers('1') })
    story.message({ patient: doe, numbers: numbers('2') })
    story.adt(merge({ ...anna, attributes: { PatientName: 'MEIER^ANNA' } }, doe))
    expect(names(story)).toEqual(['MEIER^ANNA', 'MEIER^ANNA'])
    expect(story.items().map((item) => item.dataset['PatientBirthDate'])).toEqual(['19700131', '19700131'])
  })

  test('I5: items of the survivor that look the same are brought nowhere', () => {
    const story = createStory()
    story.message({ patient: anna, numbers: numbers('1') })
    story.message({ patient: doe, numbers: numbers('2') })
    const [first, second] = versions(story)
    story.adt(merge(anna, doe))
    expect(versions(story)[0]).toBe(first)
    expect(versions(story)[1]).toBeGreaterThan(second ?? 0)
  })

  test('I4: the same merge again changes nothing, not even the description', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.adt(update(anna, { PatientName: 'MEIER^ANNA' }))
    expect(story.adt(merge(anna, doe))).toEqual(ignored('merge-repeated'))
    expect(story.last().map((change) => change.kind)).toEqual(['state'])
    expect(names(story)).toEqual(['MEIER^ANNA'])
    expect(story.notices()).toEqual([])
  })

  test('a key is not merged into itself', () => {
    const story = createStory()
    story.message({})
    expect(story.adt(merge(anna, anna))).toEqual(ignored('merge-circular'))
    expect(story.last().map((change) => change.kind)).toEqual(['state'])
  })

  test('the same merge the other way round changes nothing, and a person is called', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    expect(story.adt(merge(doe, anna))).toEqual(ignored('merge-circular'))
    expect(patientIds(story)).toEqual(['4711'])
    expect(story.notices()).toEqual(['E630'])
    expect(story.history().at(-1)).toContain('E630')
  })

  test('round in a circle of three', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(otto, doe))
    story.adt(merge(anna, otto))
    expect(story.adt(merge(doe, anna))).toEqual(ignored('merge-circular'))
    expect(patientIds(story)).toEqual(['4711'])
  })

  test('I11: who was merged into one is not merged into another: no order moves, and a person is called', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.message({ patient: otto, numbers: numbers('2') })
    story.adt(merge(otto, doe))
    expect(story.adt(merge(anna, doe))).toEqual(ignored('merge-repeated'))
    expect(patientIds(story)).toEqual(['4712', '4712'])
    expect(story.notices()).toEqual(['E630'])
  })

  test('merges follow each other: whoever was merged long ago is the last survivor', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(otto, doe))
    story.adt(merge(anna, otto))
    expect(patientIds(story)).toEqual(['4711'])
    expect(story.message({ control: 'CA', patient: doe })).toEqual(applied)
    expect(statuses(story)).toEqual(['CANCELED'])
    expect(story.world.patient(anna.key)?.aliases).toEqual([doe.key, otto.key])
    expect(story.world.patient(doe.key)).toMatchObject({ mergedInto: anna.key, attributes: {} })
    expect(story.world.patient(otto.key)).toMatchObject({ mergedInto: anna.key, aliases: [doe.key] })
  })

  test('a merge into somebody who was merged is one into the survivor, who is known better', () => {
    const story = createStory()
    story.message({ patient: anna, numbers: numbers('1') })
    story.adt(merge(anna, otto))
    story.message({ patient: doe, numbers: numbers('2') })
    expect(story.adt(merge(otto, doe))).toEqual(applied)
    expect(names(story)).toEqual(['MUELLER^ANNA', 'MUELLER^ANNA'])
  })

  test('several identifiers, several patients: one message, one change', () => {
    const story = createStory()
    const berta: Patient = {
      key: '1^^^HOSP',
      patientId: '1',
      issuerOfPatientId: 'HOSP',
      attributes: { PatientName: 'B' },
    }
    story.message({ patient: doe, numbers: numbers('1') })
    story.message({ patient: otto, numbers: numbers('2') })
    expect(story.adt(merge(anna, doe, 'nobody^^^HOSP', otto), merge(berta, anna))).toEqual(applied)
    expect(patientIds(story)).toEqual(['1', '1'])
    expect(names(story)).toEqual(['B', 'B'])
    expect(story.world.patient(doe.key)?.mergedInto).toBe(berta.key)
    expect(story.adt(merge(anna, doe), merge(anna, otto, 'new^^^HOSP'))).toEqual(applied)
  })

  test('a survivor without a name borrows the description of who was merged', () => {
    const story = createStory()
    const others = { OtherPatientIDsSequence: [{ PatientID: '9020' }] }
    story.message({ patient: { ...doe, attributes: { ...doe.attributes, ...others } } })
    story.adt(merge({ ...anna, attributes: { PatientID: '4711', PatientSex: 'F' } }, doe))
    const [item] = story.worklist()
    expect(item?.dataset).toMatchObject({ PatientName: 'DOE^J2', PatientID: '4711', PatientSex: 'F' })
    expect(item?.dataset['OtherPatientIDsSequence']).toBeUndefined()
  })
})

describe('who names a merged patient means the survivor', () => {
  test('an order that comes after the merge of its patient, whom nobody knew', () => {
    const story = createStory()
    expect(story.adt(merge(anna, doe))).toEqual(applied)
    expect(story.message({ patient: doe })).toEqual(applied)
    expect(story.order().patientKey).toBe(anna.key)
    expect(story.worklist()[0]?.dataset).toMatchObject({ PatientID: '4711', PatientName: 'MUELLER^ANNA' })
    expect(story.history().at(-1)).toContain('sent under a merged Patient ID')
  })

  test('a new order under the old ID changes nothing of the survivor', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    story.adt(merge(anna, doe))
    const before = versions(story)
    expect(story.message({ patient: doe, numbers: numbers('2') })).toEqual(applied)
    expect(names(story)).toEqual(['MUELLER^ANNA', 'MUELLER^ANNA'])
    expect(versions(story)[0]).toBe(before[0])
  })

  test.each(['NW', 'XO'])('%s under the old ID changes the order', (control) => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    const later = [step('1', { ScheduledProcedureStepStartTime: '113000' })]
    expect(story.message({ control, patient: doe, steps: later, sent: '20261015100000' })).toEqual(applied)
    expect(stepOf(story.worklist()[0])).toMatchObject({ ScheduledProcedureStepStartTime: '113000' })
    expect(names(story)).toEqual(['MUELLER^ANNA'])
  })

  test.each([
    ['CA', 'CANCELED'],
    ['IP', 'STARTED'],
    ['CM', 'COMPLETED'],
  ])('%s under the old ID: %s', (control, stepStatus) => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    expect(story.message({ control, patient: doe, orcOnly: true })).toEqual(applied)
    expect(statuses(story)).toEqual([stepStatus])
  })

  test('an accession number alone finds the order under either ID', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    expect(story.message({ control: 'CA', patient: doe, numbers: { accessionNumber: 'A1' } })).toEqual(applied)
    expect(statuses(story)).toEqual(['CANCELED'])
  })

  test('I11: another patient is still another patient', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    expect(story.message({ control: 'XO', patient: otto })).toMatchObject({ kind: 'dead', fault: { code: 'E602' } })
    const study = { ...numbers('2'), studyInstanceUid: story.order().studyInstanceUid }
    expect(story.message({ patient: otto, numbers: study })).toMatchObject({ kind: 'dead', fault: { code: 'E604' } })
  })

  test('E604: a study of the merged patient is free for the survivor', () => {
    const story = createStory()
    story.images({ patientId: '9020', studyInstanceUid: '1.2.3' })
    story.adt(merge(anna, doe))
    expect(story.message({ numbers: { ...numbers('1'), studyInstanceUid: '1.2.3' } })).toEqual(applied)
    expect(statuses(story)).toEqual(['STARTED'])
  })
})

describe('images of a merged patient', () => {
  test.each(['9020', '4711'])('images under %s, after the merge, are the order’s', (patientId) => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.images({ patientId })
    expect([statuses(story), story.told(), story.notices()]).toEqual([['STARTED'], ['IP'], []])
  })

  test.each(['9020', '4711'])('a merge between order, images under %s, and their end', (patientId) => {
    const story = createStory()
    story.message({ patient: doe })
    story.images({ patientId: '9020' })
    story.adt(merge(anna, doe))
    story.images({ patientId, series: 'series-2' })
    story.wait(31)
    expect([statuses(story), story.told(), story.notices()]).toEqual([['COMPLETED'], ['IP', 'CM'], []])
  })

  test('request attributes name an order under the ID that the modality knew', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    const requestAttributes = [{ requestedProcedureId: 'RP1', scheduledStepId: 'S1', accessionNumber: '' }]
    story.images({ patientId: '9020', studyInstanceUid: '1.9', requestAttributes })
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('request attributes name an order that came under the merged ID', () => {
    const story = createStory()
    story.adt(merge(anna, doe))
    story.message({ patient: doe })
    const requestAttributes = [{ requestedProcedureId: 'RP1', scheduledStepId: 'S1', accessionNumber: '' }]
    story.images({ patientId: '9020', studyInstanceUid: '1.9', requestAttributes })
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('MPPS under the ID that the modality knew starts the order', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.performed({ patientId: '9020' })
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
  })

  test('what a person has linked stays linked through a merge', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.images({ patientId: '815', studyInstanceUid: '1.9' })
    story.hand({ kind: 'link', orderId: story.order().id, study: 'main/study-1' })
    story.adt(merge(anna, doe))
    expect([statuses(story), story.study()?.credit]).toEqual([
      ['STARTED'],
      { kind: 'matched', orderIds: [story.order().id] },
    ])
    story.wait(31)
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('a mismatch is none when the two turn out to be one', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.images({ patientId: '4711' })
    expect([statuses(story), story.notices(), story.told()]).toEqual([['SCHEDULED'], ['E610'], []])
    story.adt(merge(anna, doe))
    expect(story.study()?.credit).toEqual({ kind: 'matched', orderIds: [story.order().id] })
    expect([statuses(story), story.notices(), story.told()]).toEqual([['STARTED'], ['E610'], ['IP']])
    story.wait(31)
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('a mismatch with an order of the survivor is none, either', () => {
    const story = createStory()
    story.message({ patient: anna })
    story.images({ patientId: '9020' })
    expect(story.notices()).toEqual(['E610'])
    story.adt(merge(anna, doe))
    expect([statuses(story), story.told()]).toEqual([['STARTED'], ['IP']])
  })

  test('a mismatch with somebody else stays one', () => {
    const story = createStory()
    story.message({ patient: otto })
    story.images({ patientId: '9020' })
    story.adt(merge(anna, doe))
    expect([statuses(story), story.study()?.credit.kind]).toEqual([['SCHEDULED'], 'mismatch'])
  })

  test('images that came under an accession number, for nobody: they are asked again', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.images({ patientId: '4711', studyInstanceUid: '1.9', accessionNumber: 'A1' })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    story.adt(merge(anna, doe))
    expect(statuses(story)).toEqual(['STARTED'])
  })

  test('images of an order that has ended are late, not lost', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.message({ control: 'CM', patient: doe })
    story.images({ patientId: '4711' })
    story.adt(merge(anna, doe))
    expect(statuses(story)).toEqual(['COMPLETED'])
    expect(story.study()?.credit.kind).toBe('matched')
  })

  test('late images of several studies that come together are told once', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.message({ control: 'CM', patient: doe })
    story.images({ patientId: '4711' })
    story.images({
      patientId: '4711',
      study: 'study-2',
      series: 'series-2',
      studyInstanceUid: '1.9',
      accessionNumber: 'A1',
    })
    story.adt(merge(anna, doe))
    expect(story.order().studies).toEqual(['main/study-1', 'main/study-2'])
    expect(story.events().filter((kind) => kind === 'lateImages')).toEqual(['lateImages'])
    expect(story.history().filter((what) => what === 'late images arrived')).toHaveLength(1)
  })

  test('an order is over when all studies that the merge brings it are', () => {
    const story = createStory({ policy: 'stable' })
    const request = (number: string) => ({ RequestedProcedureID: `RP${number}`, AccessionNumber: `A${number}` })
    story.message({ patient: doe, numbers: { ...numbers('1'), studyInstanceUid: '1.1' }, request: request('1') })
    story.message({ patient: doe, numbers: { ...numbers('2'), studyInstanceUid: '1.2' }, request: request('2') })
    const item = (requestedProcedureId: string) => ({
      requestedProcedureId,
      scheduledStepId: 'S1',
      accessionNumber: '',
    })
    const both = { patientId: '4711', studyInstanceUid: '1.1', requestAttributes: [item('RP1'), item('RP2')] }
    story.images(both, 'stable')
    story.images({ patientId: '4711', study: 'study-2', series: 'series-2', studyInstanceUid: '1.2' })
    story.adt(merge(anna, doe))
    expect(statuses(story)).toEqual(['COMPLETED', 'STARTED'])
    story.images({ ...both, study: 'study-2', series: 'series-2', studyInstanceUid: '1.2' }, 'stable')
    expect(statuses(story)).toEqual(['COMPLETED', 'COMPLETED'])
    expect(story.events().filter((kind) => kind === 'lateImages')).toEqual([])
  })
})

test('an order of a patient who was never merged is loaded in as many rounds as before', () => {
  const story = createStory()
  story.message({})
  story.message({ control: 'XO', sent: '20261015100000' })
  story.message({ control: 'CA' })
  expect(story.rounds()).toBeLessThanOrEqual(2)
})

describe('whatever is merged in whatever order', () => {
  const keys = ['1^^^H', '2^^^H', '3^^^H', '4^^^H']
  const patientOf = (key: string): Patient => {
    const patientId = key.slice(0, 1)
    return { key, patientId, issuerOfPatientId: 'H', attributes: { PatientName: `N${patientId}` } }
  }
  const key = fc.constantFrom(...keys)
  const happening = fc.oneof(
    fc.record({ kind: fc.constant('order' as const), key, number: fc.constantFrom('1', '2', '3') }),
    fc.record({ kind: fc.constant('images' as const), key, number: fc.constantFrom('1', '2', '3') }),
    fc.record({ kind: fc.constant('merge' as const), key, prior: fc.uniqueArray(key, { minLength: 1, maxLength: 2 }) }),
    fc.record({ kind: fc.constant('update' as const), key }),
  )

  test('I11: every order and item is of a survivor, aliases and survivors agree, and what is said twice is said once', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 14 }), (list) => {
        const story = createStory()
        for (const one of list) {
          const again = (): unknown => {
            switch (one.kind) {
              case 'order':
                return story.message({ patient: patientOf(one.key), numbers: numbers(one.number) })
              case 'images':
                return story.images({
                  study: `study-${one.number}`,
                  series: `series-${one.key}`,
                  patientId: one.key.slice(0, 1),
                  accessionNumber: `A${one.number}`,
                  studyInstanceUid: `1.${one.number}`,
                })
              case 'merge':
                return story.adt(merge(patientOf(one.key), ...one.prior))
              case 'update':
                return story.adt(update(patientOf(one.key)))
            }
          }
          again()
          if (one.kind === 'merge' || one.kind === 'update') {
            const before = versions(story)
            again()
            expect(versions(story)).toEqual(before)
          }
        }
        for (const order of story.orders()) {
          expect(story.world.patient(order.patientKey)?.mergedInto).toBeUndefined()
        }
        for (const item of story.items()) {
          const order = story.orders().find((each) => each.id === item.orderId)
          expect([item.dataset['PatientID'], 'H']).toEqual(order?.patientKey.split('^^^'))
        }
        for (const one of keys) {
          const record = story.world.patient(one)
          if (record?.mergedInto !== undefined) {
            const survivor = story.world.patient(record.mergedInto)
            expect(survivor?.mergedInto).toBeUndefined()
            expect(survivor?.aliases).toContain(one)
          } else {
            for (const alias of record?.aliases ?? []) expect(story.world.patient(alias)?.mergedInto).toBe(one)
          }
        }
      }),
      { numRuns: 150 },
    )
  })
})
