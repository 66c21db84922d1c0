import { expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { shortNumber } from '../../src/dicom/short-number.ts'
import { message, planOf, site } from './support.ts'

/** A pipeline with one rule more than it needs. */
function mapped(rule: string, lines: readonly string[], zone = site.timeZone) {
  const plan = planOf(
    [
      `pipeline: p
from: ris-orders
accept: { messages: [ORM^O01] }
orderControl: { NW: create }
map:
  PatientName: { value: Doe }
  PatientID: { value: "1" }
  RequestedProcedureID: { value: R }
  RequestedProcedureDescription: { value: D }
  StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }
  ScheduledProcedureStepSequence:
    Modality: { value: CT }
    ScheduledStationAETitle: { value: AE }
    ScheduledProcedureStepDescription: { value: D }
    ScheduledProcedureStepID: { value: S }
  ${rule}`,
    ],
    { timeZone: zone },
  )
  const { verdict } = plan.judge(message(String.raw`MSH|^~\&|R|M|W|R|1||ORM^O01|1|P|2.3.1`, 'ORC|NW|P1|F1', ...lines))
  if (verdict.kind !== 'accepted') throw new Error(JSON.stringify(verdict))
  const [group] = verdict.groups
  const dataset: Dataset = { ...group?.request, ...group?.patient?.attributes }
  return { value: dataset[rule.split(':')[0] ?? ''], warnings: verdict.warnings.map(({ code }) => code) }
}

test.each([
  ['Doe^Jane^Q^Jr^Dr^MD', 'Doe^Jane^Q^Dr^Jr MD'],
  ['Doe', 'Doe'],
  ['van Doe&van&Doe^Jane', 'van Doe^Jane'],
  [String.raw`O\T\Neil^Pat`, 'O&Neil^Pat'],
  [String.raw`A\S\B^C`, 'A B^C'],
  ['Doe^Jane~Smith^Jane^^^^^M', 'Doe^Jane'],
  ['Yamada^Tarou^^^^^^A~山田^太郎^^^^^^I~やまだ^たろう^^^^^^P', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
  ['山田^太郎^^^^^^I~Yamada^Tarou^^^^^^A', 'Yamada^Tarou=山田^太郎'],
  ['Yamada^Tarou=山田^太郎=やまだ^たろう', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
])('the name %s of a patient is the PN %s', (hl7, pn) => {
  expect(mapped('PatientMotherBirthName: PID-6', [`PID|||||x|${hl7}`])).toEqual({ value: pn, warnings: [] })
})

test.each([
  ['OBR-16', '12^House^Gregory^^^Dr', 'House^Gregory^^Dr', []],
  ['OBR-16', '^House^Gregory', 'House^Gregory', []],
  ['OBR-16', 'HOUSE', 'HOUSE', ['E327']],
  ['OBR-16', '12345', undefined, ['E321']],
  ['OBR-34', '77&TECH&TINA', 'TECH^TINA', []],
  ['OBR-34', '77^TECH^TINA', 'TECH^TINA', ['E327']],
  ['OBR-34', '77', undefined, ['E321']],
])('the name in %s written %s is %s', (path, hl7, pn, warnings) => {
  const field = Number(path.split('-')[1])
  expect(mapped(`RequestingPhysician: ${path}`, [`OBR${'|'.repeat(field)}${hl7}`])).toEqual({ value: pn, warnings })
})

test.each([
  ['20261016', 'Europe/Berlin', '20261016', undefined],
  ['20261016101500', 'Europe/Berlin', '20261016', '101500'],
  ['202610161015', 'Europe/Berlin', '20261016', '1015'],
  ['20261016101500.1234', 'Europe/Berlin', '20261016', '101500.1234'],
  ['20261016233000+0000', 'Europe/Berlin', '20261017', '013000'],
  ['20260116233000+0000', 'Europe/Berlin', '20260117', '003000'],
  ['20261016001500+0530', 'America/New_York', '20261015', '144500'],
  ['2026101600-0500', 'UTC', '20261016', '05'],
])('the time stamp %s is in %s the date %s and the time %s', (hl7, zone, date, time) => {
  const lines = [`PV1${'|'.repeat(44)}${hl7}`]
  expect(mapped('AdmittingDate: PV1-44', lines, zone).value).toBe(date)
  expect(mapped('AdmittingTime: PV1-44', lines, zone).value).toBe(time)
})

test('a birth date is never moved to another day by an offset', () => {
  expect(mapped('PatientBirthDate: PID-7', ['PID|||||||19800214000000+0000'], 'America/New_York').value).toBe(
    '19800214',
  )
})

test.each(['1980', '198002'])('a birth date of %s names no day: it is left empty with a warning', (hl7) => {
  expect(mapped('PatientBirthDate: PID-7', [`PID|||||||${hl7}`])).toEqual({ value: '', warnings: ['E324'] })
})

test.each([
  ['62', 'kg', '62', []],
  ['62.55', 'KG', '62.55', []],
  ['100', 'lb', '45.3592', []],
  ['3500', 'g', '3.5', []],
  ['82,5', 'kg', '82.5', []],
  ['8', 'oz', '0.2268', []],
  ['180', '[lb_av]', '81.6466', []],
  ['180', 'lbs.', '81.6466', []],
  ['10', 'stone', '63.5029', []],
  ['62 kg', '', '62', []],
  ['62kg', 'kg', '62', []],
  ['7 lb 4 oz', '', '3.2885', []],
  ['12 st 6', 'lb', '78.9251', []],
  ['^62', 'kg', '62', []],
  ['=^62', 'kg', '62', []],
  // A limit and a range are no measurement.
  ['>^62', 'kg', undefined, ['E321']],
  ['^60^-^65', 'kg', undefined, ['E321']],
  ['60-65', 'kg', undefined, ['E321']],
  ['62 kg', 'lb', undefined, ['E321']],
  ['10', 'furlong', undefined, ['E322']],
  ['10', '', undefined, ['E322']],
  ['0', 'kg', undefined, ['E321']],
  ['-62', 'kg', undefined, ['E321']],
  // Thousands with a comma, and a unit that was mistaken: nobody weighs that.
  ['3,450', 'g', undefined, ['E321']],
  ['82500', 'kg', undefined, ['E321']],
  ['heavy', 'kg', undefined, ['E321']],
])('a weight of %s %s is %s', (number, unit, kilograms, warnings) => {
  const rule = 'PatientWeight: { from: OBX(3.1=29463-7)-5, unit: OBX(3.1=29463-7)-6 }'
  const result = mapped(rule, [`OBX|1|NM|29463-7||${number}|${unit}`])
  expect(result).toEqual({ value: kilograms === undefined ? undefined : String(Number(kilograms)), warnings })
})

test.each([
  ['170', 'cm', '1.7'],
  ['1.7', 'm', '1.7'],
  ['70', 'in', '1.778'],
  ['6', 'ft', '1.8288'],
  ['1.8', 'mtr', '1.8'],
  ['1780', 'mm', '1.78'],
  ['70', '[in_i]', '1.778'],
  [`5'11"`, '', '1.8034'],
  ['5 ft 11 in', '', '1.8034'],
  ['5 ft 11', '', '1.8034'],
  ['5 ft. 11 in.', 'ft', '1.8034'],
  ['=^178', 'cm', '1.78'],
  ['178', 'm', undefined],
  ['11 in 5 ft', '', undefined],
])('a height of %s %s is %s m', (number: string, unit: string, metres: string | undefined) => {
  expect(mapped('PatientSize: { from: OBX-5, unit: OBX-6 }', [`OBX|1|NM|x||${number}|${unit}`]).value).toBe(metres)
})

test('absent leaves an element out, and HL7 null empties it', () => {
  expect(mapped('MedicalAlerts: OBR-13', ['OBR|1']).value).toBeUndefined()
  expect(mapped('MedicalAlerts: OBR-13', ['OBR|1||||||||||||']).value).toBeUndefined()
  expect(mapped('MedicalAlerts: OBR-13', ['OBR|1||||||||||||""']).value).toBe('')
  expect(mapped('ReasonForTheRequestedProcedure: [OBR-31.2, OBR-31.1]', [`OBR${'|'.repeat(31)}""`]).value).toBe('')
  expect(mapped('RequestedProcedureCodeSequence: OBR-44', [`OBR${'|'.repeat(44)}""`]).value).toBe('')
  expect(mapped('ReferringPhysicianName: PV1-8', [`PV1${'|'.repeat(8)}""`]).value).toBe('')
})

test('a value of another path wins over a null', () => {
  expect(mapped('AccessionNumber: [OBR-18, ORC-3.1]', [`OBR${'|'.repeat(18)}""`]).value).toBe('F1')
})

test('half a code is left out with a warning', () => {
  const rule = 'RequestedProcedureCodeSequence: OBR-4'
  expect(mapped(rule, ['OBR|1|||C1^CT^99H']).value).toEqual([
    { CodeValue: 'C1', CodingSchemeDesignator: '99H', CodeMeaning: 'CT' },
  ])
  expect(mapped(rule, ['OBR|1|||C1^CT'])).toEqual({ value: undefined, warnings: ['E323'] })
  expect(mapped('RequestedProcedureCodeSequence: { code: OBR-4, scheme: 99HOSP }', ['OBR|1|||C1^CT']).value).toEqual([
    { CodeValue: 'C1', CodingSchemeDesignator: '99HOSP', CodeMeaning: 'CT' },
  ])
  expect(mapped(rule, [`OBR|1|||${'C'.repeat(17)}^CT^99H`])).toEqual({ value: undefined, warnings: ['E326', 'E323'] })
})

test('a long description is cut with a warning, unless the rule refuses', () => {
  const lines = [`OBR${'|'.repeat(31)}^${'long '.repeat(20)}`]
  const { value, warnings } = mapped('ReasonForTheRequestedProcedure: OBR-31.2', lines)
  expect(warnings).toEqual(['E320'])
  expect(value).toMatch(/^long [long ]{58,59}$/)
  expect(() => mapped('ReasonForTheRequestedProcedure: { from: OBR-31.2, tooLong: refuse }', lines)).toThrow('E303')
})

test('what is cut is cut between letters: none loses its accent', () => {
  const text = `${'a'.repeat(63)}e\u0301${'b'.repeat(9)}`
  const { value } = mapped('ReasonForTheRequestedProcedure: OBR-31.2', [`OBR${'|'.repeat(31)}^${text}`])
  expect(value).toBe('a'.repeat(63))
  const emoji = '\u{1f600}'.repeat(70)
  const { value: kept } = mapped('ReasonForTheRequestedProcedure: OBR-31.2', [`OBR${'|'.repeat(31)}^${emoji}`])
  expect(kept).toBe('\u{1f600}'.repeat(64))
})

test('a long alert becomes several values and loses nothing', () => {
  const text =
    'Pacemaker model X with leads that are not safe in any magnetic field at all, see the card of the patient'
  const { value, warnings } = mapped('MedicalAlerts: OBR-13', [`OBR${'|'.repeat(13)}${text}`])
  expect(Array.isArray(value) && value.join(' ')).toBe(text)
  expect(Array.isArray(value) && value.every((each) => String(each).length <= 64)).toBe(true)
  expect(warnings).toEqual([])
})

test('a backslash would be two values: it is replaced in texts', () => {
  const hl7 = String.raw`left\E\right`
  expect(mapped('ReasonForTheRequestedProcedure: OBR-31.2', [`OBR${'|'.repeat(31)}^${hl7}`])).toEqual({
    value: 'left/right',
    warnings: ['E327'],
  })
})

test('line breaks stay in comments and become spaces in descriptions', () => {
  const hl7 = String.raw`one\.br\two`
  expect(mapped('RequestedProcedureComments: NTE-3', [`NTE|1||${hl7}`]).value).toBe('one\r\ntwo')
  expect(mapped('ReasonForTheRequestedProcedure: NTE-3', [`NTE|1||${hl7}`]).value).toBe('one two')
})

test('notes belong to the segment that they follow', () => {
  const lines = ['PID|1||4711', 'NTE|1||patient', 'OBR|1', 'NTE|1||first', 'NTE|2||second', 'OBX|1', 'NTE|1||result']
  expect(mapped('PatientComments: { from: NTE-3, after: PID, join: "\\n" }', lines).value).toBe('patient')
  expect(mapped('PatientComments: { from: NTE-3, after: OBR, join: "\\n" }', lines).value).toBe('first\r\nsecond')
})

test('an alert of which a word alone is too long is refused: nothing of it is cut, nothing broken', () => {
  const lines = [`OBR${'|'.repeat(13)}implant ${'x'.repeat(65)}`]
  expect(() => mapped('MedicalAlerts: OBR-13', lines)).toThrow('E303')
})

test.each([
  ['MedicalAlerts: OBR-13', [`OBR${'|'.repeat(13)}first~second`], ['first', 'second']],
  ['Allergies: { each: AL1-3, from: [AL1-3.2, AL1-3.1] }', ['AL1|1|DA|^Iodine', 'AL1|2|FA|NUT'], ['Iodine', 'NUT']],
])('%s: each repetition and segment is a value', (rule, lines, values) => {
  expect(mapped(rule, lines)).toEqual({ value: values, warnings: [] })
})

test.each([
  ['SpecialNeeds: OBR-13', 'SpecialNeeds'],
  ['PatientState: OBR-13', 'PatientState'],
  ['ConfidentialityConstraintOnPatientDataDescription: OBR-13', 'ConfidentialityConstraintOnPatientDataDescription'],
])('%s has room for one value: what is longer is refused', (rule, keyword) => {
  expect(() => mapped(rule, [`OBR${'|'.repeat(13)}${'word '.repeat(20)}`])).toThrow(
    new RegExp(`"code":"E303".*"keyword":"${keyword}","length":99,"limit":64`),
  )
})

test.each([
  ['AccessionNumber: OBR-18', 'x'.repeat(17), 'E303'],
  ['IssuerOfPatientID: OBR-18', 'x'.repeat(65), 'E303'],
  ['RequestingPhysician: OBR-18', `1^${'x'.repeat(65)}^y`, undefined],
  ['AdmissionID: OBR-18', 'x'.repeat(65), 'E303'],
  ['AccessionNumber: OBR-18', String.raw`A\E\B`, 'E304'],
  ['AccessionNumber: OBR-18', String.raw`A\X09\B`, 'E304'],
  ['PlacerOrderNumberImagingServiceRequest: OBR-18', String.raw`A\E\B`, 'E304'],
])('%s of %s', (rule, hl7, code) => {
  const lines = [`OBR${'|'.repeat(18)}${hl7}`]
  if (code === undefined) expect(mapped(rule, lines)).toEqual({ value: undefined, warnings: ['E326'] })
  else expect(() => mapped(rule, lines)).toThrow(code)
})

test('several AE titles are several, and none is split', () => {
  expect(() => mapped('RetrieveAETitle: OBR-18', [`OBR${'|'.repeat(18)}CT SCANNER ROOM ONE`])).toThrow('E303')
})

test('a long number becomes a short one that is the same every time, and is known by both', () => {
  const long = 'ACC-2026-000000000042'
  const rule = 'AccessionNumber: { from: OBR-18, tooLong: hash }'
  const { value, warnings } = mapped(rule, [`OBR${'|'.repeat(18)}${long}`])
  expect(value).toBe(shortNumber(long))
  expect(value).toMatch(/^H-[0-9A-HJKMNP-TV-Z]{14}$/)
  expect(warnings).toEqual(['E330'])
  expect(mapped(rule, [`OBR${'|'.repeat(18)}ACC-2026-0000042`])).toEqual({ value: 'ACC-2026-0000042', warnings: [] })
})

test('of a list each entry has its own policy: what stands in for a number may be short, the number itself is refused', () => {
  const rule = 'AccessionNumber: [OBR-18, { from: OBR-19, tooLong: hash }]'
  const long = 'FILLER-2026-0000042'
  const accession = (own: string) => [`OBR${'|'.repeat(18)}${own}|${long}`]
  expect(mapped(rule, accession(''))).toEqual({ value: shortNumber(long), warnings: ['E330'] })
  expect(mapped(rule, accession('A1'))).toEqual({ value: 'A1', warnings: [] })
  expect(mapped(rule, [`OBR${'|'.repeat(18)}""`]).value).toBe('')
  expect(() => mapped(rule, accession(long))).toThrow('E303')
})

test('a decimal string keeps as many digits as it has room for', () => {
  expect(mapped('PatientAge: { value: 042Y }', []).value).toBe('042Y')
  expect(mapped('WindowCenter: OBR-18', [`OBR${'|'.repeat(18)}0.000001234567890123`]).value).toBe('0.00000123456789')
})

test('a telephone number that is too long is left out: a cut one calls somebody else', () => {
  expect(mapped('OrderCallbackPhoneNumber: OBR-17', [`OBR${'|'.repeat(17)}+49 30 123456789 ext 42`])).toEqual({
    value: undefined,
    warnings: ['E326'],
  })
})

test('small letters of a code become capitals', () => {
  expect(mapped('PatientSex: PID-8', ['PID||||||||f']).value).toBe('F')
})

test('an expression makes a text where no rule word does', () => {
  const rule = `RequestedProcedureComments: { expr: 'facility + "/" + "x"' }\nlet: { facility: MSH-4 }`
  expect(mapped(rule, []).value).toBe('M/x')
})
