import { expect, test } from 'vitest'
import { compile } from './support.ts'
import { changed, procedures, sample, tables } from './sample.ts'

/** Problems as `worklane check` prints them. */
function problems(text: string, files: Record<string, string> = tables): string[] {
  return compile([text], { tables: files }).problems.map(
    ({ file, line, column, code, message, cure }) => `${file}:${line}:${column} ${code} ${message} ${cure ?? ''}`,
  )
}

test('the sample of the design has no problems', () => {
  expect(problems(sample)).toEqual([])
})

const seeds: readonly (readonly [mistake: string, from: string, to: string, at: string, said: string])[] = [
  [
    'a misspelt keyword',
    'PatientBirthDate:',
    'PatientBithDate:',
    'PatientBithDate',
    'E210 "PatientBithDate" is not a DICOM keyword. Did you mean PatientBirthDate?',
  ],
  [
    'a wrong segment',
    'PatientName: PID-5',
    'PatientName: PDI-5',
    'PDI-5',
    'E203 There is no HL7 segment "PDI". Did you mean PID?',
  ],
  [
    'a field out of range',
    'ReasonForTheRequestedProcedure: OBR-31.2',
    'ReasonForTheRequestedProcedure: OBR-131',
    'OBR-131',
    'E202 OBR has 50 fields, not 131.',
  ],
  [
    'a path without its hyphen',
    'ReferringPhysicianName: PV1-8',
    'ReferringPhysicianName: PV18',
    'PV18',
    'E212 "PV18" is not an HL7 path',
  ],
  [
    'a table misspelt',
    'table: priority',
    'table: prority',
    'prority',
    'E208 There is no table "prority". Did you mean priority?',
  ],
  [
    'a column misspelt',
    'step.station_ae\n',
    'step.station_aet\n',
    'station_aet',
    'E204 The table has no column "station_aet". Did you mean station_ae?',
  ],
  [
    'a variable misspelt',
    'when: weightUnit ==',
    'when: weigthUnit ==',
    'weigthUnit',
    'E205 Unknown variable: weigthUnit Did you mean weightUnit?',
  ],
  [
    'a condition that is not true or false',
    'when: pregnancy == "pregnant"',
    'when: pregnancy',
    'pregnancy',
    'E209 A condition must be true or false; this is a text.',
  ],
  [
    'a quotation mark that is not closed',
    'when: facility in ["MAIN", "EAST"] && section != "LAB"',
    'when: facility == "MAIN',
    '"MAIN',
    'E211 The condition cannot be read: a quotation mark that opens here is not closed.',
  ],
  [
    'a bracket that is not closed',
    'when: facility in ["MAIN", "EAST"] && section != "LAB"',
    'when: (facility == "MAIN"',
    '',
    'E211 The condition cannot be read: a ")" is missing at its end.',
  ],
  [
    'a bare constant',
    'ScheduledStationAETitle: step.station_ae',
    'ScheduledStationAETitle: CTROOM',
    'CTROOM',
    'E201 "CTROOM" is neither an HL7 path such as OBR-4.1 nor a name from let. Write { value: CTROOM } for a constant.',
  ],
  [
    'a setting misspelt',
    'orderControl:',
    'orderControll:',
    'orderControll',
    'E206 There is no setting "orderControll" here. Did you mean orderControl?',
  ],
  [
    'a rule word misspelt',
    '{ from: PID-8, table: sex }',
    '{ from: PID-8, tabel: sex }',
    'tabel',
    'E207 "tabel" is not a word of a rule. Did you mean table?',
  ],
  [
    'a single value given to a sequence',
    'RequestedProcedureCodeSequence: { code: [OBR-44, OBR-4], scheme: 99HOSP }',
    'ReferencedStudySequence: OBR-4',
    'OBR-4',
    'E213 ReferencedStudySequence is a sequence: it cannot be made from a single value.',
  ],
  [
    'keywords given to a single value',
    'PatientName: PID-5',
    'PatientName: { FamilyName: PID-5 }',
    'FamilyName',
    'E207 "FamilyName" is not a word of a rule.',
  ],
  [
    'a function that could run for ever',
    'when: sex == "F"',
    'when: \'sex.matches("F")\'',
    'matches',
    'E217 matches may not be used in a condition.',
  ],
  [
    'a constant that DICOM does not know',
    '{ value: 4, when: sex == "F" }',
    '{ value: 9, when: sex == "F" }',
    '9,',
    'E218 The constant "9" is not one of 1, 2, 3, 4, as PregnancyStatus needs it.',
  ],
  [
    'an attribute of the step outside it',
    'ReasonForTheRequestedProcedure: OBR-31.2',
    'ScheduledStationName: OBR-31.2',
    'ScheduledStationName',
    'E214 ScheduledStationName belongs inside ScheduledProcedureStepSequence.',
  ],
  [
    'an attribute of the item inside the step',
    'ScheduledStationName: step.station_name',
    'AccessionNumber: OBR-18',
    'AccessionNumber',
    'E214 AccessionNumber belongs outside ScheduledProcedureStepSequence.',
  ],
  [
    'an effect that does not exist',
    'CA: cancel',
    'CA: cancle',
    'cancle',
    'E216 "cancle" is not something that can happen to an order. Did you mean cancel?',
  ],
  [
    'a safety attribute that would be cut',
    'Allergies: AL1-3.2',
    'Allergies: { from: AL1-3.2, tooLong: truncate }',
    'truncate',
    'E228 Allergies is never cut.',
  ],
  [
    'an identifier that would be cut',
    'PatientID: PID-3(5=MR).1',
    'PatientID: { from: PID-3(5=MR).1, tooLong: truncate }',
    'truncate',
    'E228 PatientID is never cut. `tooLong` may be refuse here',
  ],
  [
    'a patient who would have a short number',
    'PatientID: PID-3(5=MR).1',
    'PatientID: { from: PID-3(5=MR).1, tooLong: hash }',
    'hash',
    'E228 PatientID is never shortened.',
  ],
  [
    'a UID that would be shortened',
    'StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }',
    'StudyInstanceUID: { from: ZDS-1.1, otherwise: uid, tooLong: hash }',
    'hash',
    'E228 StudyInstanceUID is never shortened.',
  ],
  [
    'an AE title that would be cut, in a list',
    'ScheduledStationAETitle: step.station_ae',
    'ScheduledStationAETitle: [step.station_ae, { from: OBR-21, tooLong: truncate }]',
    'truncate',
    'E228 ScheduledStationAETitle is never cut.',
  ],
  [
    'a name that would be cut',
    'PatientName: PID-5',
    'PatientName: { from: PID-5, tooLong: truncate }',
    'truncate',
    'E228 PatientName is never cut.',
  ],
  [
    'an accession number that would be left out',
    'AccessionNumber: [OBR-18, ORC-3.1]',
    'AccessionNumber: { from: OBR-18, tooLong: omit }',
    'omit',
    'E228 AccessionNumber is never left out. `tooLong` may be refuse, hash here',
  ],
  [
    'a policy that does not exist',
    'Allergies: AL1-3.2',
    'Allergies: { from: AL1-3.2, tooLong: refus }',
    'refus',
    'E206 There is no setting "refus" here. Did you mean refuse?',
  ],
  [
    'a number made where none can be',
    'PatientID: PID-3(5=MR).1',
    'PatientID: { from: PID-3(5=MR).1, otherwise: generated }',
    'generated',
    'E218 The constant "generated" is not a value, as PatientID needs it.',
  ],
  [
    'a number made with a prefix that leaves no room',
    'AccessionNumber: [OBR-18, ORC-3.1]',
    'AccessionNumber: { from: OBR-18, otherwise: generated(RADIO) }',
    'generated(RADIO)',
    'E218 The constant "generated(RADIO)" is not made with a prefix of at most three capitals or digits',
  ],
  [
    'a number made for a name',
    'section: OBR-24',
    'section: { from: OBR-24, otherwise: generated }',
    'section',
    'E249 The name section cannot have a number that is made.',
  ],
  [
    'a policy for a name',
    'section: OBR-24',
    'section: { from: OBR-24, tooLong: truncate }',
    'tooLong',
    'E243 `tooLong` does nothing here. Write it in the rule of the attribute, or in an entry of its list',
  ],
  [
    'a policy inside a from',
    'AccessionNumber: [OBR-18, ORC-3.1]',
    'AccessionNumber: { from: [OBR-18, { from: ORC-3.1, tooLong: hash }] }',
    'tooLong',
    'E243 `tooLong` does nothing here.',
  ],
  [
    'a number made inside a from',
    'RequestedProcedureID: [OBR-19, ORC-3.1]',
    'RequestedProcedureID: [OBR-19, { from: { from: ORC-3.1, otherwise: generated } }]',
    'otherwise',
    'E243 `otherwise: generated` does nothing here.',
  ],
  [
    'a number made inside a name',
    'section: OBR-24',
    'section: { from: { from: OBR-24, otherwise: generated(RP) } }',
    'section',
    'E249 The name section cannot have a number that is made.',
  ],
  [
    'a policy for the scheme of a code',
    'scheme: 99HOSP',
    'scheme: { from: OBR-4.3, tooLong: truncate }',
    'tooLong',
    'E243 `tooLong` does nothing here.',
  ],
  [
    'a study made for the key of a step',
    'step: step.step }',
    'step: { from: step.step, otherwise: uid } }',
    'otherwise',
    'E243 `otherwise: uid` does nothing here.',
  ],
  [
    'a message type that is none',
    'messages: [ORM^O01]',
    'messages: [ORM-O01]',
    'ORM-O01',
    'E200 accept.messages should be types such as ORM^O01.',
  ],
  [
    'names that need each other',
    '  sex: PID-8',
    '  sex: other\n  other: sex',
    'sex',
    'E232 The names refer to each other in a circle',
  ],
  [
    'a table file that is not there',
    'file: procedures.csv',
    'file: procedure.csv',
    'procedure.csv',
    'E220 There is no table file "procedure.csv". Did you mean procedures.csv?',
  ],
]

test.each(seeds)('%s is found at its place', (_, from, to, at, said) => {
  const text = changed(from, to)
  const found = problems(text)
  const match = found.find((each) => each.includes(said))
  expect(match ?? found).toContain(said)
  const before = text.slice(0, text.indexOf(to) + to.indexOf(at)).split('\n')
  const [, line = '', column = ''] = /^pipeline.yaml:(\d+):(\d+)/.exec(match ?? '') ?? []
  expect(Number(line)).toBe(before.length)
  if (at !== '') expect(Number(column)).toBe((before.at(-1) ?? '').length + 1)
})

test('what a keyword allows for values that are too long is no problem', () => {
  const rules = [
    ['Allergies: AL1-3.2', 'Allergies: { from: AL1-3.2, tooLong: refuse }'],
    [
      'AccessionNumber: [OBR-18, ORC-3.1]',
      'AccessionNumber: { from: [OBR-18, ORC-3.1], tooLong: hash, otherwise: generated }',
    ],
    [
      'RequestedProcedureID: [OBR-19, ORC-3.1]',
      'RequestedProcedureID: [OBR-19, { from: ORC-3.1, otherwise: generated(RP) }]',
    ],
    ['ReasonForTheRequestedProcedure: OBR-31.2', 'ReasonForTheRequestedProcedure: { from: OBR-31.2, tooLong: omit }'],
    // The word of 0.1.0, in plans that were stored with it.
    [
      'RequestedProcedureDescription: [OBR-44.2, OBR-4.2]',
      'RequestedProcedureDescription: { from: OBR-4.2, tooLong: cut }',
    ],
  ] as const
  for (const [from, to] of rules) expect(problems(changed(from, to))).toEqual([])
})

test('required keywords without a rule are named, unless the site has a default', () => {
  const text = changed('    Modality: [step.modality, OBR-24]\n', '', changed('  PatientID: PID-3(5=MR).1\n', ''))
  const found = problems(text).map((each) => / E\d+ \w+/.exec(each)?.[0])
  expect(new Set(found)).toEqual(new Set([' E215 Modality', ' E215 PatientID']))
  expect(compile([text], { tables, modality: 'CT' }).problems).toHaveLength(1)
})

test('a table that is not there, or cannot be read, is said once, and nothing that names it', () => {
  expect(problems(sample, {})).toEqual([expect.stringContaining('E220 There is no table file "procedures.csv".')])
  const torn = { 'procedures.csv': 'code,modality\n"CT' }
  expect(problems(sample, torn)).toEqual([expect.stringContaining('E221 ')])
})

test('all mistakes are said at once', () => {
  const text = changed(
    'PatientBirthDate:',
    'PatientBithDate:',
    changed('table: sex', 'table: sexx', changed('PV1-8', 'PV1-88')),
  )
  expect(problems(text).map((each) => each.split(' ')[1])).toEqual(expect.arrayContaining(['E210', 'E208', 'E202']))
})

test('a table says its own mistakes with the line of the file', () => {
  expect(problems(sample, { 'procedures.csv': `${procedures}CTX,1,CT\n` })).toEqual([
    expect.stringContaining('config/tables/procedures.csv:5:1 E221 The table cannot be read: the line has 3 cells'),
  ])
  expect(problems(sample, { 'procedures.csv': `${procedures}PETCT,2,MR,A,B,C,D,E\n` })).toEqual([
    expect.stringContaining(
      'config/tables/procedures.csv:5:1 E226 Two rows of the table for "PETCT" have the same step "2"',
    ),
  ])
  expect(problems(sample, { 'procedures.csv': 'code,"step\n' })[0]).toContain('config/tables/procedures.csv:1:6 E221')
})

test('a code that stands twice in a table of values is said', () => {
  const text = changed('each: { order: ORC, step: procedures(OBR-4.1) }', 'each: { order: ORC }')
    .replace('step: step.step', 'step: OBR-20')
    .replaceAll(/\[?step\.\w+(?:, (\S+)\])?/g, (_, path?: string) => path ?? 'OBR-24')
    .replace('Modality: OBR-24', 'Modality: { from: OBR-4.1, table: procedures.modality }')
  expect(problems(text)).toContainEqual(
    expect.stringContaining('config/tables/procedures.csv:4:1 E222 The code "PETCT" stands twice in the table.'),
  )
})

test('what is never used is a warning, and the plan is made all the same', () => {
  const { plan, problems: found } = compile([changed('  sex: PID-8', '  sex: PID-8\n  unused: PID-9')], { tables })
  expect(found).toMatchObject([{ code: 'E224', severity: 'warning', line: 13 }])
  expect(plan).toBeDefined()
})

test('a pipeline that is no mapping, or lacks everything, is said and not thrown', () => {
  for (const text of [
    'hello',
    '[]',
    '{}',
    'pipeline: x\nmap: 3\nlet: [a]\ntables: 1\norderControl: 2\neach: 1\nidentity: 5\naccept: 1',
  ]) {
    const { plan, problems: found } = compile([text])
    expect(plan).toBeUndefined()
    expect(found.length).toBeGreaterThan(1)
  }
})

test('a keyword whose rule is wrong, or that is misspelt, is not said to have no rule', () => {
  for (const [from, to, code] of [
    ['PatientName: PID-5', 'PatientName: { form: PID-5 }', 'E207'],
    ['PatientName: PID-5', 'PatientNmae: PID-5', 'E210'],
    ['PatientName: PID-5', '(0010,0010): PID-5', 'E210'],
  ] as const) {
    expect(problems(changed(from, to)).map((line) => line.split(' ')[1])).toEqual([code])
  }
})

test('a tag is answered with its keyword, a code with the field that holds it, a path in a condition with a name of let', () => {
  const cureOf = (from: string, to: string) => compile([changed(from, to)], { tables }).problems[0]?.cure
  expect(cureOf('PatientName: PID-5', '(0010,0010): PID-5')).toBe('Did you mean PatientName?')
  expect(cureOf('PatientName: PID-5', '"00100010": PID-5')).toBe('Did you mean PatientName?')
  expect(cureOf('PatientName: PID-5', 'PatientName: OBX(WT)-5')).toBe('Did you mean OBX(3.1=WT)-5?')
  expect(cureOf('PatientName: PID-5', 'PatientName: PID-3(MR).1')).toBe('Did you mean PID-3(5=MR).1?')
  expect(cureOf('PatientName: PID-5', `PatientName: { from: PID-5, when: 'MSH-4 == "A"' }`)).toBe(
    'Did you mean a name of let for it, such as `let: { field: MSH-4 }`?',
  )
})

test('rows of one code that make the same step are found through names of let, and through what is joined', () => {
  const same = { 'procedures.csv': `${procedures}PETCT,2,MR,A,B,C,D,E\n` }
  const codes = (let_: string, step: string) =>
    problems(
      sample.replace('  sex: PID-8', `  sex: PID-8\n${let_}`).replace('step: step.step', `step: ${step}`),
      same,
    ).map((line) => line.split(' ').slice(0, 2).join(' '))
  const found = ['config/tables/procedures.csv:5:1 E226']
  expect(codes('  number: step.step', 'number')).toEqual(found)
  expect(codes('  number: { join: "-", from: [OBR-20, step.step] }', 'number')).toEqual(found)
  expect(codes('  number: { join: "-", from: [step.step, step.modality] }', 'number')).toEqual([])
  expect(
    problems(
      sample.replace('  sex: PID-8', '  sex: PID-8\n  number: step.step').replace('step: step.step', 'step: number'),
    ),
  ).toEqual([])
})
