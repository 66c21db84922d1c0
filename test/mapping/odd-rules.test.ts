import { expect, test } from 'vitest'
import { compile, message, neededRules, planOf, shippedPlan } from './support.ts'

const pipeline = (map: string, more = '') => `pipeline: orders
from: ris-orders
accept: { messages: [ORM^O01] }
${more}orderControl: { NW: create }
identity: { order: ORC-3 }
map:
  ${neededRules}
  ${map}
  ScheduledProcedureStepSequence:
    Modality: { value: CT }
    ScheduledStationAETitle: { value: CT01 }
    ScheduledProcedureStepStartDate: OBR-36
    ScheduledProcedureStepStartTime: OBR-36
    ScheduledProcedureStepDescription: OBR-4.2
    ScheduledProcedureStepID: OBR-20
`

const order = message(
  String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1`,
  'PID|1||4711^^^HOSP^MR~999^^^NAT^NI~888^^^OLD^MR||Doe^Jane||19800214|F',
  'PV1|1|O|W7',
  'AL1|1||A1^Latex^99L~A2^Pollen^99L',
  'AL1|2||^Iodine',
  'ORC|NW|P1|F1',
  'OBR|1|P1|F1|CTABD^CT abdomen^99HOSP||||||||||||||ACC1|RP1|SPS1||||||||||||||||20260302101500',
  'OBX|1|NM|29463-7^Body weight^LN||62|kg',
  'OBX|2|NM|29463-7^Body weight^LN||63|kg',
  'OBX|3|TX|NOTE^A (b)=c^L||first~second',
  'OBX|4|TX|EMPTY^Nothing^L||',
)

function valueOf(keyword: string, rule: string, more?: string): unknown {
  const { verdict } = planOf([pipeline(`${keyword}: ${rule}`, more)]).judge(order)
  if (verdict.kind !== 'accepted') return verdict
  const [group] = verdict.groups
  return { ...group?.patient?.attributes, ...group?.request }[keyword]
}

const names =
  'let: { ward: PV1-3.1, code: OBR-4.1, none: PV1-40, scheme: OBR-4.3 }\ntables: { rooms: { W7: Seven, otherwise: "" }, ours: { CTABD: T1 } }\n'

const values: readonly (readonly [
  sentence: string,
  keyword: string,
  rule: string,
  value: string | readonly string[] | undefined,
  more?: string,
])[] = [
  ['the first repetition that fits', 'PatientComments', 'PID-3(5=MR).1', '4711'],
  ['the first repetition of which all comparisons are true', 'PatientComments', 'PID-3(5=MR&&4=OLD).1', '888'],
  ['no repetition of which all are true', 'PatientComments', 'PID-3(5=NI && 4=OLD).1', undefined],
  ['the segment of which all are true', 'PatientComments', 'OBX(3.1=29463-7 && 5=63)-6', 'kg'],
  [
    'a sign in a text that is compared',
    'PatientComments',
    '[OBX(3.1=A&&B)-5, OBX(3.1="A && 2=B")-5, { value: none }]',
    'none',
  ],
  ['a unit that is written out', 'PatientWeight', '{ from: OBX(3.1=29463-7)-5, unit: { value: lb } }', '28.1227'],
  ['a unit from a list', 'PatientWeight', '{ from: OBX(3.1=29463-7)-5, unit: [OBX-9, { value: kg }] }', '62'],
  ['a later repetition that fits', 'PatientComments', 'PID-3(5=NI).1', '999'],
  ['a repetition by its number', 'PatientComments', 'PID-3(3).1', '888'],
  ['a component of another repetition in a list', 'PatientComments', '[PID-3(5=XX).1, PID-3(4.1=NAT).1]', '999'],
  [
    'several fields by selectors, joined',
    'PatientComments',
    '{ join: "/", from: [PID-3(5=NI).1, PID-3(5=XX).1, OBX(3.1=NOTE)-5(2)] }',
    '999/second',
  ],
  [
    'a list with selectors inside a join',
    'PatientComments',
    '{ join: "-", from: [[PID-3(5=XX).1, PID-3(5=NI).1], ORC-3] }',
    '999-F1',
  ],
  ['a selector whose text has blanks and brackets', 'PatientComments', '\'OBX(3.2="A (b)=c")-5(1)\'', 'first'],
  [
    'a segment that fits and says nothing, then one that says something',
    'PatientComments',
    '[OBX(3.1=EMPTY)-5, OBX(3.1=NOTE)-5(2)]',
    'second',
  ],
  [
    'the first of two segments that fit',
    'PatientWeight',
    '{ from: OBX(3.1=29463-7)-5, unit: OBX(3.1=29463-7)-6 }',
    '62',
  ],
  [
    'one value for each repetition of each segment',
    'Allergies',
    '{ each: AL1-3, from: [AL1-3.2, AL1-3.1] }',
    ['Latex', 'Pollen', 'Iodine'],
  ],
  ['an expression that puts texts together', 'PatientComments', '{ expr: \'ward + "-" + code\' }', 'W7-CTABD', names],
  ['an expression that chooses', 'PatientComments', '{ expr: \'none == "" ? code : ward\' }', 'CTABD', names],
  ['an expression that gives nothing, then a field', 'PatientComments', "[{ expr: 'none' }, ORC-3]", 'F1', names],
  ['an expression through a table', 'PatientComments', "{ expr: 'ward', table: rooms }", 'Seven', names],
  [
    'an expression under a condition that is false',
    'PatientComments',
    '{ expr: \'ward\', when: none != "" }',
    undefined,
    names,
  ],
  [
    'an expression with what stands for nothing',
    'PatientComments',
    "{ expr: 'none', otherwise: none at all }",
    'none at all',
    names,
  ],
  [
    'an expression that is joined with a field',
    'PatientComments',
    "{ join: '/', from: [{ expr: 'ward + code' }, ORC-3] }",
    'W7CTABD/F1',
    names,
  ],
]

for (const [sentence, keyword, rule, value, more] of values) {
  test(sentence, () => {
    expect(valueOf(keyword, rule, more)).toEqual(value)
  })
}

const codes: readonly (readonly [sentence: string, rule: string, code: readonly string[] | undefined])[] = [
  ['a code with its own scheme and meaning', 'OBR-4', ['CTABD', '99HOSP', 'CT abdomen']],
  ['the first that is there', '[OBR-44, OBR-4]', ['CTABD', '99HOSP', 'CT abdomen']],
  ['a name and constants', '{ code: code, scheme: 99X, meaning: { value: Abdomen } }', ['CTABD', '99X', 'Abdomen']],
  ['a name as scheme', '{ code: code, scheme: scheme, meaning: OBR-4.2 }', ['CTABD', '99HOSP', 'CT abdomen']],
  [
    'a code that a table gives',
    '{ code: { from: OBR-4.1, table: ours }, scheme: 99X, meaning: OBR-4.2 }',
    ['T1', '99X', 'CT abdomen'],
  ],
  [
    'a constant behind a field',
    '[{ code: [ZZZ-1, { value: C1 }], scheme: 99X, meaning: { value: One } }]',
    ['C1', '99X', 'One'],
  ],
  ['half a code is none', '{ code: code, scheme: 99X }', undefined],
  [
    'the first whose condition is true',
    '[{ code: OBR-4, when: ward == "X" }, { code: code, scheme: 99Y, meaning: OBR-4.2 }]',
    ['CTABD', '99Y', 'CT abdomen'],
  ],
]

test.each(codes)('of code sequences: %s', (_, rule, code) => {
  const [value, scheme, meaning] = code ?? []
  const item = { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning }
  expect(valueOf('RequestedProcedureCodeSequence', rule, names)).toEqual(code === undefined ? undefined : [item])
})

const refused: readonly (readonly [sentence: string, rule: string, code: string])[] = [
  ['an expression that gives no text', "{ expr: 'ward == code' }", 'E298'],
  ['an expression with a name that does not exist', "{ expr: 'wrd + code' }", 'E205'],
  ['an expression with a path', "{ expr: 'OBR-4 + code' }", 'E205'],
  ['an expression with matches', '{ expr: \'ward.matches("W.") ? "a" : "b"\' }', 'E217'],
  ['an expression without an end', "{ expr: 'ward + ' }", 'E211'],
  [
    'an expression as long as a program',
    `{ expr: '${Array.from({ length: 120 }, () => 'ward').join(' + ')}' }`,
    'E211',
  ],
  ['an expression beside a field', "{ expr: 'ward', from: ORC-3 }", 'E200'],
  ['a selector that is not closed', 'PID-3(5=MR.1', 'E212'],
  ['a selector of a field that the segment has not', 'OBX(99.1=X)-5', 'E202'],
]

test.each(refused)('%s is refused before the first message', (_, rule, code) => {
  const { problems } = compile([pipeline(`PatientComments: ${rule}`, names)])
  expect(problems.filter(({ severity }) => severity === 'error').map((problem) => problem.code)).toContainEqual(
    expect.stringMatching(new RegExp(`^${code}`)),
  )
})

test.each([
  ['a constant', "{ value: 'CT01\\CT02' }", ['CT01', 'CT02']],
  ['a table', '{ from: OBR-4.1, table: pools }', ['CT03', 'CT04']],
  ['constants that are joined', "{ join: '\\', from: [{ value: CT05 }, { value: CT06 }] }", ['CT05', 'CT06']],
  ['one', '{ value: CT01 }', ['CT01']],
])('of stations: %s', (_, rule, stations) => {
  const text = pipeline('PatientComments: PV1-3.1', "tables: { pools: { CTABD: 'CT03\\CT04' } }\n").replace(
    '{ value: CT01 }',
    rule,
  )
  const used = text.includes('table: pools') ? text : text.replace(/tables:.*\n/, '')
  const { verdict } = planOf([used]).judge(order)
  expect(verdict.kind === 'accepted' && verdict.groups[0]?.steps.map((step) => step.stations)).toEqual([stations])
})

test.each([
  ['mri', 'MR', 'MR01'],
  ['Mri', 'MR', 'MR01'],
  ['ct', 'CT', 'CT01'],
  ['US', 'US', 'US01'],
])('a modality that is written %s is that of the tables, and has its station', (code, modality, station) => {
  const { verdict } = shippedPlan().judge(shippedOrder(code))
  const [step] = verdict.kind === 'accepted' ? (verdict.groups[0]?.steps ?? []) : []
  expect([step?.attributes['Modality'], step?.stations]).toEqual([modality, [station]])
})

test.each(['lab', 'Hm', 'LAB'])(
  '%s is no imaging in whatever letters, also where the site has a default station',
  (code) => {
    const { verdict } = shippedPlan({ stationAeTitle: 'ANY' }).judge(shippedOrder(code))
    expect(verdict.kind === 'invalid' && verdict.faults.map((fault) => fault.code)).toEqual(['E344'])
  },
)

test('a table that has a row for both keeps small letters and capitals apart', () => {
  const rule = (code: string) => `{ from: { value: ${code} }, table: words }`
  const table = 'tables: { words: { a: small, A: large, B: other, otherwise: none } }\n'
  expect(['a', 'A', 'b', 'c'].map((code) => valueOf('MedicalAlerts', rule(code), table))).toEqual([
    'small',
    'large',
    'other',
    'none',
  ])
})

function shippedOrder(modality: string) {
  return message(
    String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1`,
    'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F',
    'ORC|NW|P1|F1||SC||^^^20260302101500',
    `OBR|1|P1|F1|HEAD^Head^99HOSP||||||||||||||ACC1|RP1|SPS1||||${modality}`,
  )
}
