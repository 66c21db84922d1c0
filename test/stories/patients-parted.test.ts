/** A37 undoes a merge (docs/explanation/exam.md, Patients). */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PatientAct } from '../../src/core/message.ts'
import type { Patient } from '../../src/core/order.ts'
import { anna, createStory, otto, statuses, type Story } from './support.ts'

const doe: Patient = {
  key: '9020^^^HOSP',
  patientId: '9020',
  issuerOfPatientId: 'HOSP',
  attributes: { PatientName: 'DOE^J2', PatientBirthDate: '19000101', PatientSex: 'M' },
}
/** As MRG names somebody: by the identifier alone. */
const bare = (patient: Patient): Patient => ({ ...patient, attributes: {} })
const merge = (patient: Patient, ...prior: readonly Patient[]): PatientAct => ({
  kind: 'merge',
  patient,
  prior: prior.map(({ key }) => key),
})
const unmerge = (patient: Patient, ...others: readonly Patient[]): PatientAct => ({ kind: 'unmerge', patient, others })
const numbers = (number: string) => ({ fillerOrderNumber: `F${number}`, accessionNumber: `A${number}` })
const shown = (story: Story): readonly unknown[] =>
  story
    .items()
    .map(({ dataset: { PatientID, PatientName } }) =>
      [PatientID, PatientName].map((value) => (typeof value === 'string' ? value : '')).join(' '),
    )
const ignored = (rule: string) => ({ kind: 'ignored', rule })
const applied = { kind: 'applied' }

describe('a merge is undone', () => {
  test.each([
    ['by two PID', unmerge(anna, doe)],
    ['by two PID, the other way round', unmerge(doe, anna)],
    ['by MRG', unmerge(anna, bare(doe))],
  ])('%s: orders are of whom they were before, ended ones too', (_how, act) => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.message({ patient: anna, numbers: numbers('2') })
    story.message({ patient: doe, numbers: numbers('3') })
    story.message({ control: 'CA', patient: doe, numbers: numbers('3') })
    const before = story.items().map(({ id, dataset }) => [id, dataset])
    story.adt(merge(anna, doe))
    expect(story.adt(act)).toEqual(applied)
    expect(shown(story)).toEqual(['9020 DOE^J2', '4711 MUELLER^ANNA', '9020 DOE^J2'])
    expect(story.items().map(({ id, dataset }) => [id, dataset])).toEqual(before)
    expect(statuses(story)).toEqual(['SCHEDULED', 'SCHEDULED', 'CANCELED'])
    expect(story.orders().map(({ formerPatientKeys }) => formerPatientKeys)).toEqual([undefined, undefined, undefined])
    expect(story.world.patient(anna.key)?.aliases).toBeUndefined()
    expect(story.world.patient(doe.key)?.mergedInto).toBeUndefined()
    expect(story.notices()).toEqual([])
  })

  test('an ended order of who stays does not have to be known by its id', () => {
    const story = createStory()
    story.message({ patient: anna, numbers: numbers('1') })
    story.message({ control: 'CA', patient: anna, numbers: numbers('1') })
    story.adt(merge(anna, doe))
    expect(story.adt(unmerge(anna, doe))).toEqual(applied)
  })

  test('what came under the survivor stays the survivor’s, what came under the old ID does not', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.adt(merge(anna, doe))
    story.message({ patient: anna, numbers: numbers('2') })
    story.message({ patient: doe, numbers: numbers('3') })
    story.adt(unmerge(anna, doe))
    expect(shown(story)).toEqual(['9020 DOE^J2', '4711 MUELLER^ANNA', '9020 DOE^J2'])
  })

  test('what the old ID means is the old patient again, for orders and for ADT', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.adt(unmerge(anna, doe))
    expect(story.adt({ kind: 'update', patient: { ...doe, attributes: { PatientName: 'DOE^J3' } } })).toEqual(applied)
    expect(shown(story)).toEqual(['9020 DOE^J3'])
    expect(story.message({ control: 'CA', patient: anna })).toMatchObject({ kind: 'dead', fault: { code: 'E602' } })
    expect(story.message({ control: 'CA', patient: doe })).toEqual(applied)
  })

  test('I4: the same again changes nothing, and neither does an unlink of two who were never one', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.adt(unmerge(anna, doe))
    for (const act of [unmerge(anna, doe), unmerge(anna, otto), unmerge(anna, anna)]) {
      expect(story.adt(act)).toEqual(ignored('not-merged'))
      expect(story.last().map((change) => change.kind)).toEqual(['state'])
    }
    expect(story.notices()).toEqual([])
  })

  test('a merge can be done again, and undone again', () => {
    const story = createStory()
    story.message({ patient: doe })
    for (let times = 0; times < 3; times++) {
      expect(story.adt(merge(anna, doe))).toEqual(applied)
      expect(shown(story)).toEqual(['4711 MUELLER^ANNA'])
      expect(story.adt(unmerge(anna, doe))).toEqual(applied)
      expect(shown(story)).toEqual(['9020 DOE^J2'])
    }
  })

  test('the message describes both', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.message({ patient: anna, numbers: numbers('2') })
    story.adt(merge(anna, doe))
    const named = (patient: Patient, PatientName: string): Patient => ({ ...patient, attributes: { PatientName } })
    story.adt(unmerge(named(anna, 'MEIER^ANNA'), named(doe, 'ROE^R')))
    expect(shown(story)).toEqual(['9020 ROE^R', '4711 MEIER^ANNA'])
    expect(story.items().map(({ dataset }) => dataset['PatientBirthDate'])).toEqual(['19000101', '19700131'])
  })

  test('I9: the history of an unlink names nobody', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.adt(unmerge(anna, doe))
    expect(story.history().at(-1)).toBe('a merge was undone: the order is of its former patient again')
    expect(story.history().join('\n')).not.toMatch(/4711|9020|DOE|MUELLER|HOSP/)
  })

  test('one of several merges is undone, the others stand', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.message({ patient: otto, numbers: numbers('2') })
    story.adt(merge(anna, doe, otto))
    expect(story.adt(unmerge(anna, doe))).toEqual(applied)
    expect(shown(story)).toEqual(['9020 DOE^J2', '4711 MUELLER^ANNA'])
    expect(story.world.patient(anna.key)?.aliases).toEqual([otto.key])
    expect(story.adt(unmerge(anna, doe, otto))).toEqual(applied)
    expect(shown(story)).toEqual(['9020 DOE^J2', '4712 MUELLER^OTTO'])
  })

  describe('of merges that followed each other (doe into otto into anna)', () => {
    const followed = (): Story => {
      const story = createStory()
      story.message({ patient: doe, numbers: numbers('1') })
      story.message({ patient: otto, numbers: numbers('2') })
      story.message({ patient: anna, numbers: numbers('3') })
      story.adt(merge(otto, doe))
      story.adt(merge(anna, otto))
      return story
    }

    test('the first alone', () => {
      const story = followed()
      expect(story.adt(unmerge(otto, doe))).toEqual(applied)
      expect(shown(story)).toEqual(['9020 DOE^J2', '4711 MUELLER^ANNA', '4711 MUELLER^ANNA'])
      expect(story.world.patient(otto.key)?.aliases).toBeUndefined()
      story.adt(unmerge(anna, otto))
      expect(shown(story)).toEqual(['9020 DOE^J2', '4712 MUELLER^OTTO', '4711 MUELLER^ANNA'])
    })

    test('the first, named with the last', () => {
      const story = followed()
      expect(story.adt(unmerge(anna, doe))).toEqual(applied)
      expect(shown(story)).toEqual(['9020 DOE^J2', '4711 MUELLER^ANNA', '4711 MUELLER^ANNA'])
    })

    test('the second: the first is merged into it still', () => {
      const story = followed()
      story.message({ patient: doe, numbers: numbers('4') })
      expect(story.adt(unmerge(anna, otto))).toEqual(applied)
      expect(shown(story)).toEqual(['4712 MUELLER^OTTO', '4712 MUELLER^OTTO', '4711 MUELLER^ANNA', '4712 MUELLER^OTTO'])
      expect(story.world.patient(doe.key)?.mergedInto).toBe(otto.key)
      expect(story.world.patient(otto.key)?.aliases).toEqual([doe.key])
      story.adt(unmerge(otto, doe))
      expect(shown(story)[0]).toBe('9020 DOE^J2')
      expect(shown(story)[3]).toBe('9020 DOE^J2')
    })
  })

  test('I11: two who were both merged into a third: nobody knows which is to leave, and a person is called', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.message({ patient: otto, numbers: numbers('2') })
    story.adt(merge(anna, doe, otto))
    expect(story.adt(unmerge(otto, doe))).toEqual(ignored('unmerge-unknown'))
    expect(shown(story)).toEqual(['4711 MUELLER^ANNA', '4711 MUELLER^ANNA'])
    expect(story.notices()).toEqual(['E631'])
  })

  test('I11: nor is the survivor, who had borrowed the name', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.adt(merge(bare(anna), doe))
    story.message({ patient: bare(anna), numbers: numbers('2') })
    expect(shown(story)).toEqual(['4711 DOE^J2', '4711 DOE^J2'])
    expect(story.adt(unmerge(bare(anna), doe))).toEqual(ignored('unmerge-nameless'))
    expect([shown(story), story.notices()]).toEqual([['4711 DOE^J2', '4711 DOE^J2'], ['E631']])
    expect(story.adt(unmerge(anna, doe))).toEqual(applied)
    expect(shown(story)).toEqual(['9020 DOE^J2', '4711 MUELLER^ANNA'])
  })

  test('an order that went from one to the next and back is known by none of them any more', () => {
    const story = createStory()
    story.message({ patient: doe, numbers: numbers('1') })
    story.adt(merge(otto, doe))
    story.adt(merge(anna, otto))
    expect(story.adt(unmerge(anna, doe))).toEqual(applied)
    expect(story.order()).toMatchObject({ patientKey: doe.key })
    expect(story.order().formerPatientKeys).toBeUndefined()
    story.images({ patientId: otto.patientId })
    expect([statuses(story), story.notices()]).toEqual([['SCHEDULED'], ['E610']])
  })

  test('I11: nobody is left with orders and without a name', () => {
    const story = createStory()
    story.adt(merge(anna, doe))
    story.message({ patient: doe })
    expect(story.adt(unmerge(anna, bare(doe)))).toEqual(ignored('unmerge-nameless'))
    expect([shown(story), story.notices()]).toEqual([['4711 MUELLER^ANNA'], ['E631']])
    expect(story.adt(unmerge(anna, doe))).toEqual(applied)
    expect(shown(story)).toEqual(['9020 DOE^J2'])
  })

  test('a description that the survivor had borrowed is given back', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge({ ...anna, attributes: { PatientSex: 'F' } }, doe))
    expect(shown(story)).toEqual(['4711 DOE^J2'])
    story.adt(unmerge(bare(anna), bare(doe)))
    expect(story.world.patient(anna.key)?.attributes).toEqual({ PatientSex: 'F' })
    story.message({ patient: { ...anna, attributes: { PatientName: 'MUELLER^ANNA' } }, numbers: numbers('2') })
    expect(story.items()[1]?.dataset).toMatchObject({ PatientName: 'MUELLER^ANNA', PatientBirthDate: '' })
  })

  test('I5: items of the survivor that look the same are brought nowhere', () => {
    const story = createStory()
    story.message({ patient: anna, numbers: numbers('1') })
    story.message({ patient: doe, numbers: numbers('2') })
    story.adt(merge(anna, doe))
    const [first] = story.items().map(({ version }) => version)
    story.adt(unmerge(anna, doe))
    expect(story.items()[0]?.version).toBe(first)
  })
})

describe('images of two who are two again', () => {
  test.each([
    ['9020', []],
    ['4711', ['E634']],
  ])('images of the order under %s, from when the two were one, stay with it: notices %j', (patientId, notices) => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.images({ patientId })
    story.adt(unmerge(anna, doe))
    expect([statuses(story), story.notices(), story.told()]).toEqual([['STARTED'], notices, ['IP']])
    story.wait(31)
    expect(story.told()).toEqual(['IP', 'CM'])
  })

  test('images that a person has linked are no contradiction', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.images({ patientId: '4711' })
    story.hand({ kind: 'link', orderId: story.order().id, study: 'main/study-1' })
    story.adt(unmerge(anna, doe))
    expect(story.notices()).toEqual([])
  })

  test('I11: images of the other one that come later are a mismatch', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.adt(unmerge(anna, doe))
    story.images({ patientId: '4711' })
    expect([statuses(story), story.notices(), story.told()]).toEqual([['SCHEDULED'], ['E610'], []])
  })

  test('a study that fitted orders of both is asked again', () => {
    const story = createStory()
    const same = (number: string) => ({ fillerOrderNumber: `F${number}`, accessionNumber: 'A1' })
    story.message({ patient: doe, numbers: same('1') })
    story.message({ patient: otto, numbers: same('2') })
    story.adt(merge(anna, doe, otto))
    story.images({ patientId: '9020', studyInstanceUid: '1.9', accessionNumber: 'A1' })
    expect(story.study()?.credit.kind).toBe('ambiguous')
    story.adt(unmerge(anna, doe))
    expect(story.study()?.credit).toEqual({ kind: 'matched', orderIds: ['O1001-1'] })
    expect(statuses(story)).toEqual(['STARTED', 'SCHEDULED'])
  })

  test('request attributes find the order under its own ID, and no longer under the other', () => {
    const story = createStory()
    story.message({ patient: doe })
    story.adt(merge(anna, doe))
    story.adt(unmerge(anna, doe))
    const requestAttributes = [{ requestedProcedureId: 'RP1', scheduledStepId: 'S1', accessionNumber: '' }]
    story.images({ patientId: '4711', studyInstanceUid: '1.8', requestAttributes })
    expect(statuses(story)).toEqual(['SCHEDULED'])
    const second = { study: 'study-2', series: 'series-2', studyInstanceUid: '1.9' }
    story.images({ ...second, patientId: '9020', requestAttributes })
    expect(statuses(story)).toEqual(['STARTED'])
  })
})

describe('whatever was merged', () => {
  const keys = ['1^^^H', '2^^^H', '3^^^H', '4^^^H', '4^^^K']
  const patientOf = (key: string): Patient => ({
    key,
    patientId: key.slice(0, 1),
    issuerOfPatientId: key.slice(-1),
    attributes: { PatientName: `N${key}`, PatientID: key.slice(0, 1), IssuerOfPatientID: key.slice(-1) },
  })
  const whose = fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 6 })
  const pairs = fc.array(fc.tuple(fc.constantFrom(...keys), fc.constantFrom(...keys)), { minLength: 1, maxLength: 5 })

  test('I11: merges undone in the opposite order restore the items of all orders that there were', () => {
    fc.assert(
      fc.property(whose, pairs, fc.boolean(), (owners, merges, byMrg) => {
        const story = createStory()
        owners.forEach((key, index) => story.message({ patient: patientOf(key), numbers: numbers(String(index)) }))
        const before = story.items().map(({ id, dataset, served }) => ({ id, dataset, served }))
        const done: (readonly [string, string])[] = []
        for (const [named, from] of merges) {
          // A merge into somebody who was merged is one into the survivor.
          const into = story.world.patient(named)?.mergedInto ?? named
          if (story.adt(merge(patientOf(into), patientOf(from))).kind === 'applied') done.push([into, from])
        }
        for (const [into, from] of done.toReversed()) {
          const other = byMrg && owners.includes(from) ? bare(patientOf(from)) : patientOf(from)
          expect(story.adt(unmerge(patientOf(into), other)).kind).toBe('applied')
        }
        expect(story.items().map(({ id, dataset, served }) => ({ id, dataset, served }))).toEqual(before)
        for (const key of keys) {
          const record = story.world.patient(key)
          expect([record?.mergedInto, record?.aliases, record?.lent]).toEqual([undefined, undefined, undefined])
        }
      }),
      { numRuns: 200 },
    )
  })
})
