import { expect, test } from 'vitest'
import type { Patient } from '../../src/core/order.ts'
import { encode, parse } from '../../src/hl7/index.ts'
import { order, type OrderText } from '../support/message.ts'
import { shippedPlan } from './support.ts'

/** I11: who the patient is must not depend on what is read first, on what nobody sees, or on half a name. */
const plan = shippedPlan()

function judge(text: string, encoding = 'utf-8') {
  const bytes = encode(text, encoding)
  const parsed = bytes === undefined ? undefined : parse(bytes)
  if (parsed?.kind !== 'message') throw new Error('unreadable')
  return plan.judge(parsed.message).verdict
}

function patientOf(given: OrderText, encoding?: string): Patient | undefined {
  const verdict = judge(order(given), encoding)
  return verdict.kind === 'accepted' ? verdict.groups[0]?.patient : undefined
}

function faultsOf(text: string): readonly string[] {
  const verdict = judge(text)
  return verdict.kind === 'invalid' ? verdict.faults.map(({ code }) => code) : []
}

test.each([
  ['111^^^^MR~222^^^HOSP^MR', '111^^^'],
  ['222^^^B^PI~111^^^HOSP^MR', '111^^^HOSP'],
  ['222^^^B^PI~111^^^HOSP^NI', '222^^^B'],
  [' 4711 ^^^HOSP^MR', '4711^^^HOSP'],
  ['4711\u200B^^^HOSP^MR', '4711^^^HOSP'],
])('I11: PID-3 %j is the patient %s: number and authority of one repetition', (patientId, key) => {
  expect(patientOf({ patientId })?.key).toBe(key)
})

test.each([
  ['an HL7 null', { name: '""' }, 'E302'],
  ['carets', { name: '^^^' }, 'E302'],
  ['nothing but a space', { name: ' ^ ' }, 'E302'],
  ['more than DICOM can hold', { name: `${'A'.repeat(40)}^${'B'.repeat(40)}` }, 'E303'],
  ['a template that nobody filled in', { name: '$PATIENT_NAME$' }, 'E305'],
])('I11: %s for a name is refused', (_, given, code) => {
  expect(faultsOf(order(given))).toEqual([code])
})

test.each([
  ['an HL7 null', '""', 'E302'],
  ['an authority alone', '^^^HOSP^MR', 'E302'],
  ['a backslash, which separates values in DICOM', String.raw`47\E\11^^^HOSP^MR`, 'E304'],
  ['65 digits', `${'4'.repeat(65)}^^^HOSP^MR`, 'E303'],
])('I11: %s for a patient ID is refused', (_, patientId, code) => {
  expect(faultsOf(order({ patientId }))).toEqual([code])
})

test('what would break a name on its way into DICOM does not get there', () => {
  const name = String.raw`O\T\Neil\.br\x^J\X0D\ane^\X00\Q` + '\u202Eeod'
  expect(patientOf({ name })?.attributes['PatientName']).toBe('O&Neil x^J ane^Qeod')
})

test('I11: a second PID is refused, wherever it stands', () => {
  const [header = '', rest = ''] = order().split(/(?=PV1)/)
  expect(faultsOf(`${header}PID|2||9999^^^HOSP^MR||Other^Joe\r${rest}`)).toEqual(['E317'])
  const second = order({ accession: 'ACC2', patientId: '9999^^^HOSP^MR' }).split(/(?=PID)/)[1] ?? ''
  expect(faultsOf(order() + second)).toEqual(['E317'])
})

test('I8: two OBR under one ORC are refused: one exam would be lost', () => {
  expect(faultsOf(`${order()}OBR|2|P2|F2|CTHEAD^Head^99HOSP||||||||||||||ACC2|RP2|S2||||CT\r`)).toEqual(['E318'])
})

test.each([
  ['8859/1', 'Müller^Jürgen'],
  ['ISO IR87', 'Yamada^大宮=大宮^太郎'],
  ['8859/5', 'Иванов^Иван'],
  ['GB 18030-2000', '王^小东'],
])('a name in %s arrives as it was written', (charset, name) => {
  const names: Readonly<Record<string, string>> = {
    '8859/1': 'iso-8859-1',
    'ISO IR87': 'iso-2022',
    '8859/5': 'iso-8859-5',
    'GB 18030-2000': 'gb18030',
  }
  expect(patientOf({ charset, name }, names[charset])?.attributes['PatientName']).toBe(name)
})

test('I11: UTF-8 under a header that says 8859/1 is read as what it is', () => {
  const verdict = judge(order({ charset: '8859/1', name: 'Müller^Jürgen' }))
  expect(verdict).toMatchObject({ groups: [{ patient: { attributes: { PatientName: 'Müller^Jürgen' } } }] })
})
