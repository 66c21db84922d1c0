/** Whom a status message names: the patient as the RIS has said last (docs/explanation/exam.md, Patients). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Patient } from '../../src/core/order.ts'
import { observed, observing, statusPlan } from '../mapping/status-support.ts'
import { anna, createStory, otto, type GroupParts, type Story } from './support.ts'

const pid = 'PID|1||77^^^KK~4711^^^HOSP^MR||MUELLER^ANNA^^^^^L||19700131120000|W||white'
const received = (line = pid, sent = '20261015090000', control = 'NW'): string =>
  `MSH|^~\\&|RIS|HOSP|WORKLANE|RAD|${sent}||ORM^O01|1|P|2.3.1\r${line}\rORC|${control}||F1\rOBR|1||F1\r`
const order = (parts: GroupParts = {}): GroupParts => ({ received: received(), ...parts })
const known: Patient = { ...anna, attributes: { ...anna.attributes, PatientBirthDate: '19700131', PatientSex: 'F' } }
const said = (attributes: Patient['attributes'], patient = known): Patient => ({
  ...patient,
  attributes: { ...patient.attributes, ...attributes },
})
const plan = statusPlan([observing(['order.PID-3', 'order.PID-5', 'order.PID-7', 'order.PID-8', 'order.PID-10'])])
const told = (story: Story): readonly string[] => {
  const event = story.heard().find(({ kind }) => kind === 'started')
  return event === undefined ? ['nothing'] : observed(plan, event)
}
const asReceived = ['77^^^KK~4711^^^HOSP^MR', 'MUELLER^ANNA^^^^^L', '19700131120000', 'W', 'white']

describe('who is named', () => {
  test('an order is quoted as it was received', () => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.adt({ kind: 'update', patient: said({ PatientComments: 'deaf' }) })
    story.images()
    expect(told(story)).toEqual(asReceived)
  })

  test.each([
    ['name', { PatientName: 'MEIER^ANNA^^Dr' }, 1, 'MEIER^ANNA^^^Dr'],
    ['birth date', { PatientBirthDate: '19700130' }, 2, '19700130'],
    ['sex', { PatientSex: 'O' }, 3, 'O'],
  ])('I7: a %s that ADT has corrected is told as corrected, the rest as it was sent', (_, attributes, at, wanted) => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.adt({ kind: 'update', patient: said(attributes) })
    story.images()
    expect(told(story)).toEqual(asReceived.with(at, wanted))
  })

  test('a newer order of the patient corrects what is told of the older one', () => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.message(
      order({
        patient: said({ PatientName: 'MEIER^ANNA' }),
        numbers: { fillerOrderNumber: 'F2', accessionNumber: 'A2' },
        received: received(pid.replace('MUELLER', 'MEIER')),
      }),
    )
    for (const { id, studyInstanceUid } of story.orders())
      story.images({ study: id, series: id, studyInstanceUid, accessionNumber: '' })
    const names = story.heard().flatMap((event) => (event.kind === 'started' ? [observed(plan, event)[1]] : []))
    expect(names).toEqual(['MEIER^ANNA', 'MEIER^ANNA^^^^^L'])
  })

  test('the order that is sent again after the correction is quoted again', () => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.adt({ kind: 'update', patient: said({ PatientName: 'MEIER^ANNA' }) })
    const line = pid.replace('MUELLER^ANNA', 'MEIER^ANNA^M')
    const again = { patient: said({ PatientName: 'MEIER^ANNA' }), received: received(line, '20261015100000', 'XO') }
    story.message(order({ control: 'XO', ...again }))
    story.images()
    expect(told(story)[1]).toBe('MEIER^ANNA^M^^^^^L')
  })

  test('whoever was merged is told as the survivor, with the kind of the identifier', () => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.adt({ kind: 'merge', patient: said({ PatientName: 'SCHULZ^OTTO' }, otto), prior: [known.key] })
    story.images()
    const [identifier, ...rest] = told(story)
    expect(identifier).toBe(`${otto.patientId}^^^${otto.issuerOfPatientId}^MR`)
    expect(rest[0]).toBe('SCHULZ^OTTO')
    expect(rest).not.toContain('white')
  })

  test('the survivor of a merge is told as the merge describes him', () => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.adt({ kind: 'merge', patient: said({ PatientName: 'MEIER^ANNA' }), prior: [otto.key] })
    story.images()
    expect(told(story).slice(0, 2)).toEqual([asReceived[0], 'MEIER^ANNA'])
  })

  test('a name in three groups is three repetitions', () => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.adt({ kind: 'update', patient: said({ PatientName: 'YAMADA^TAROU=山田^太郎=やまだ^たろう' }) })
    story.images()
    expect(told(story)[1]).toBe('YAMADA^TAROU^^^^^^A~山田^太郎^^^^^^I~やまだ^たろう^^^^^^P')
  })

  test('what the correction emptied is not told', () => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.adt({ kind: 'update', patient: said({ PatientSex: '' }) })
    story.images()
    expect(told(story)).toEqual([...asReceived.slice(0, 3), 'white'])
  })
})

describe.each(['status', 'status-omg', 'status-omi', 'status-oru', 'status-orm-minimal'])('the form %s', (form) => {
  const text = readFileSync(new URL(`../../pipelines/${form}/pipeline.yaml`, import.meta.url), 'utf8')
  const shipped = statusPlan([text], { forms: { ris: form } })

  test('names nobody by a name that was corrected', () => {
    const story = createStory()
    story.message(order({ patient: known }))
    story.adt({ kind: 'update', patient: said({ PatientName: 'MEIER^ANNA', PatientBirthDate: '19700130' }) })
    story.images()
    const [message] = story.heard().flatMap((event) => shipped.render(event))
    const line = Buffer.from(message?.bytes ?? [])
      .toString('utf8')
      .split('\r')
      .find((one) => one.startsWith('PID'))
    const wanted = 'PID|1||77^^^KK~4711^^^HOSP^MR||MEIER^ANNA||19700130|W'
    expect([message?.controlId.slice(0, 1), line]).toEqual(['W', form === 'status-orm-minimal' ? undefined : wanted])
  })
})
