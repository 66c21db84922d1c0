/** Who an order or an ADT may rename (docs/explanation/exam.md, NW and XO, Patients). */
import { describe, expect, test } from 'vitest'
import type { PatientAct } from '../../src/core/message.ts'
import type { Patient } from '../../src/core/order.ts'
import { anna, createStory, statuses, type Story } from './support.ts'

const numbers = (number: string) => ({ fillerOrderNumber: `F${number}`, accessionNumber: `A${number}` })
const names = (story: Story): readonly unknown[] => story.worklist().map((item) => item.dataset['PatientName'])
const meier: Patient = { ...anna, attributes: { ...anna.attributes, PatientName: 'MEIER^ANNA' } }
/** Somebody else under the same Patient ID. */
const fritz: Patient = {
  ...anna,
  attributes: { PatientName: 'SCHULZ^FRITZ', PatientBirthDate: '19500505', PatientSex: 'M' },
}
const update = (patient: Patient): PatientAct => ({ kind: 'update', patient })
const applied = { kind: 'applied' }
const dead = (code: string) => ({ kind: 'dead', fault: { code } })

describe('an update of an order and its patient', () => {
  test('RAD-13: XO, CA, DC and SC change no patient', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    for (const control of ['XO', 'IP', 'CM']) story.message({ control, patient: meier, numbers: numbers('1') })
    story.message({ numbers: numbers('2') })
    for (const control of ['CA', 'DC']) story.message({ control, patient: meier, numbers: numbers('2') })
    story.message({ numbers: numbers('3') })
    expect(names(story)).toEqual(['MUELLER^ANNA'])
    expect(story.world.patient(anna.key)?.attributes).toEqual(anna.attributes)
  })

  test('where the site says so, an XO changes the patient, in all open orders', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    story.message({ numbers: numbers('2') })
    story.message({ control: 'XO', changesPatient: true, patient: meier, numbers: numbers('2') })
    expect(names(story)).toEqual(['MEIER^ANNA', 'MEIER^ANNA'])
  })

  test('I11: such an XO renames nobody who is somebody else', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    story.message({ numbers: numbers('2') })
    const xo = { control: 'XO', changesPatient: true, patient: fritz, numbers: numbers('2') }
    expect(story.message(xo)).toMatchObject(dead('E605'))
    story.message({ control: 'CA', numbers: numbers('1') })
    expect(story.message(xo)).toEqual(applied)
    expect(names(story)).toEqual(['SCHULZ^FRITZ'])
  })

  test('where only ADT changes patients, an NW changes none, and makes an unknown one known', () => {
    const story = createStory()
    story.message({ changesPatient: false, numbers: numbers('1') })
    story.message({ changesPatient: false, patient: meier, numbers: numbers('2') })
    expect(names(story)).toEqual(['MUELLER^ANNA', 'MUELLER^ANNA'])
    expect(story.message({ changesPatient: false, patient: fritz, numbers: numbers('3') })).toMatchObject(dead('E605'))
  })

  test('groups of one message: what may change the patient counts, wherever it stands', () => {
    for (const changing of [0, 1]) {
      const story = createStory()
      story.message({})
      const groups = [0, 1].map((at) => ({
        control: 'XO',
        changesPatient: at === changing,
        patient: at === changing ? meier : { ...anna, attributes: { ...anna.attributes, PatientName: 'OTHER^ANNA' } },
      }))
      story.message(...groups)
      expect(names(story)).toEqual(['MEIER^ANNA'])
    }
  })

  test('the visit is the order’s: an XO changes it, a CA does not, an ADT neither', () => {
    const story = createStory()
    const at = (CurrentPatientLocation: string) => ({ request: { AccessionNumber: 'A1', CurrentPatientLocation } })
    story.message(at('WARD 1'))
    story.message({ control: 'XO', ...at('WARD 2') })
    story.adt(update(meier))
    expect(story.items()[0]?.dataset).toMatchObject({ CurrentPatientLocation: 'WARD 2', PatientName: 'MEIER^ANNA' })
    story.message({ control: 'CA', ...at('WARD 3') })
    expect(story.order().request['CurrentPatientLocation']).toBe('WARD 2')
  })
})

describe('an order after a correction', () => {
  test('I11: an order that describes somebody else passes once the ADT has said so, and a person was told', () => {
    const story = createStory()
    story.message({ numbers: numbers('1') })
    expect(story.message({ patient: fritz, numbers: numbers('2') })).toMatchObject(dead('E605'))
    expect(story.adt(update(fritz))).toEqual(applied)
    expect(story.notices()).toEqual(['E605', 'E633'])
    expect(story.history().at(-1)).toContain('E633')
    expect(story.message({ patient: fritz, numbers: numbers('2') })).toEqual(applied)
    expect(names(story)).toEqual(['SCHULZ^FRITZ', 'SCHULZ^FRITZ'])
    expect(story.message({ control: 'XO', patient: fritz, numbers: numbers('1') })).toEqual(applied)
  })

  test('a correction of some of them tells nobody, and neither does one of a patient without open orders', () => {
    const story = createStory()
    story.message({})
    story.adt(update(meier))
    story.message({ control: 'CA' })
    story.adt(update(fritz))
    expect(story.notices()).toEqual([])
  })

  test('an A40 that describes its survivor so tells, too', () => {
    const story = createStory()
    story.message({})
    story.adt({ kind: 'merge', patient: fritz, prior: ['9^^^HOSP'] })
    expect(story.notices()).toEqual(['E633'])
  })
})

describe('the same ID of two authorities', () => {
  const elsewhere: Patient = {
    ...anna,
    key: '4711^^^CLINIC',
    issuerOfPatientId: 'CLINIC',
    attributes: { PatientName: 'ANOTHER^ONE' },
  }
  const both = (): Story => {
    const story = createStory()
    story.message({ patient: anna, numbers: numbers('1') })
    story.message({ patient: elsewhere, numbers: numbers('2') })
    return story
  }

  test('is two patients, whatever is said of one of them', () => {
    const story = both()
    story.adt(update({ ...elsewhere, attributes: { PatientName: 'ANOTHER^NAME' } }))
    expect(names(story)).toEqual(['MUELLER^ANNA', 'ANOTHER^NAME'])
    story.adt({ kind: 'arrive', patient: elsewhere, day: '20261016', timeZone: 'UTC' })
    expect(statuses(story)).toEqual(['SCHEDULED', 'ARRIVED'])
    story.adt({ kind: 'arrivalTakenBack', patient: anna, day: '20261016', timeZone: 'UTC' })
    expect(statuses(story)).toEqual(['SCHEDULED', 'ARRIVED'])
    story.adt({ kind: 'patientDeleted', patient: elsewhere })
    expect(story.last()).toContainEqual(expect.objectContaining({ kind: 'notice', orderIds: ['O1002-1'] }))
    expect(story.message({ control: 'CA', patient: elsewhere, numbers: numbers('1') })).toMatchObject(dead('E602'))
    expect(story.message({ control: 'CA', patient: elsewhere, numbers: numbers('2') })).toEqual(applied)
  })

  test('is merged and parted by both', () => {
    const story = both()
    const other = (issuer: string): Patient => ({
      ...anna,
      key: `9^^^${issuer}`,
      patientId: '9',
      issuerOfPatientId: issuer,
    })
    story.message({ patient: other('HOSP'), numbers: numbers('3') })
    story.message({ patient: other('CLINIC'), numbers: numbers('4') })
    story.adt({ kind: 'merge', patient: elsewhere, prior: ['9^^^CLINIC'] })
    const keys = (): readonly string[] => story.orders().map(({ patientKey }) => patientKey)
    expect(keys()).toEqual(['4711^^^HOSP', '4711^^^CLINIC', '9^^^HOSP', '4711^^^CLINIC'])
    expect(story.adt({ kind: 'unmerge', patient: anna, others: [other('CLINIC')] })).toMatchObject({ kind: 'ignored' })
    expect(story.adt({ kind: 'unmerge', patient: elsewhere, others: [other('HOSP')] })).toMatchObject({
      kind: 'ignored',
    })
    expect(story.adt({ kind: 'unmerge', patient: elsewhere, others: [other('CLINIC')] })).toEqual(applied)
    expect(keys()).toEqual(['4711^^^HOSP', '4711^^^CLINIC', '9^^^HOSP', '9^^^CLINIC'])
  })

  test('an ID changes its authority (A47)', () => {
    const story = both()
    story.adt({ kind: 'merge', patient: { ...anna, attributes: {} }, prior: [elsewhere.key] })
    expect(story.items().map(({ dataset }) => dataset['IssuerOfPatientID'])).toEqual(['HOSP', 'HOSP'])
    expect(names(story)).toEqual(['MUELLER^ANNA', 'MUELLER^ANNA'])
  })
})
