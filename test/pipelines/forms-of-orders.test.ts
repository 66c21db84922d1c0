import { expect, test } from 'vitest'
import { lacksOf } from '../../src/core/lack.ts'
import type { Verdict } from '../../src/core/message.ts'
import type { PlanSite } from '../../src/mapping/types.ts'
import { itemsOf } from '../../src/mapping/verdict-items.ts'
import { edit } from '../../src/mapping/edit.ts'
import { message, shippedPlan } from '../mapping/support.ts'

const header = String.raw`MSH|^~\&|RIS|MAIN|WORKLANE|RAD|20260301093000||ORM^O01|MSG1|P|2.5.1`
const person = 'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F'
const study = '1.2.826.0.1.3680043.10.1234.7'

const omi = [
  header.replace('ORM^O01', 'OMI^O23^OMI_O23'),
  person,
  'ORC|NW|P1|F1||SC',
  'TQ1|1||||||20260302101500||R',
  'OBR|1|P1|F1|CTABD^CT Abdomen^99H||||||||||||||||||||RAD',
  `IPC|ACC1|RP1|${study}|SPS1|CT|CTN^CT native^99S|||CT03`,
  `IPC|ACC1|RP1|${study}|SPS2|CT|CTK^CT contrast^99S|||CT01~CT02`,
].join('\r')

const shippedSite = shippedPlan()

function judge(text: string, changes: Readonly<Record<string, string | null>> = {}, site?: Partial<PlanSite>): Verdict {
  const changed = Object.entries(changes).reduce((all, [path, value]) => edit(all, path, value) ?? '', text)
  return (site === undefined ? shippedSite : shippedPlan(site)).judge(message(...changed.split('\r'))).verdict
}

const refusedBy = (verdict: Verdict) =>
  verdict.kind === 'invalid'
    ? verdict.faults.map(({ code, place }) => [code, place?.segment, place?.occurrence, place?.field])
    : []

const stepsOf = (verdict: Verdict) =>
  verdict.kind === 'accepted'
    ? verdict.groups.flatMap(({ steps }) => steps.map(({ key, stations }) => [key, ...stations]))
    : []

const warned = (verdict: Verdict) => (verdict.kind === 'accepted' ? verdict.warnings.map(({ code }) => code) : verdict)

test('each IPC is a step, each of its AE titles an item', () => {
  const verdict = judge(omi)
  expect(stepsOf(verdict)).toEqual([
    ['SPS1', 'CT03'],
    ['SPS2', 'CT01', 'CT02'],
  ])
  expect(itemsOf(verdict)).toHaveLength(3)
})

test.each([
  ['two steps of one ID', { 'IPC(2)-4': 'SPS1' }, ['E315', 'IPC', 2, 4]],
  ['two steps without an ID', { 'IPC(1)-4': null, 'IPC(2)-4': null }, ['E315', 'IPC', 2, 4]],
  ['two accession numbers in one order', { 'IPC(2)-1': 'ACC2' }, ['E342', 'IPC', 2, 1]],
  ['two requested procedures in one order', { 'IPC(2)-2': 'RP2' }, ['E342', 'IPC', 2, 2]],
  ['two studies in one order', { 'IPC(2)-3': '1.2.3' }, ['E342', 'IPC', 2, 3]],
  ['an AE title that is too long for DICOM', { 'IPC(2)-9': 'A_VERY_LONG_AE_TITLE' }, ['E303', 'IPC', 2, 9]],
  ['a step of a modality that is none', { 'IPC(2)-5': 'LAB' }, ['E344', 'IPC', 2, 5]],
  ['a template that nobody filled in', { 'IPC(1)-1': '$ACCESSION_NUMBER$' }, ['E305', 'IPC', 1, 1]],
  ['a name of a variable for a number', { 'IPC(1)-1': 'ACCESSION_NUMBER' }, ['E305', 'IPC', 1, 1]],
  ['a variable for a Patient ID', { 'PID-3': '{{patient.id}}' }, ['E305', 'PID', 1, 3]],
] as const)('refused at its place: %s', (_, changes, wanted) => {
  expect(refusedBy(judge(omi, changes))).toContainEqual(wanted)
})

test.each([
  ['an accession number', { 'IPC(2)-1': null }],
  ['a requested procedure', { 'IPC(2)-2': null }],
  ['a study', { 'IPC(2)-3': null }],
] as const)('what only the first IPC says is said of the order: %s', (_, changes) => {
  const [first, ...others] = itemsOf(judge(omi, changes))
  for (const item of others) {
    for (const keyword of ['AccessionNumber', 'RequestedProcedureID', 'StudyInstanceUID']) {
      expect(item[keyword]).toBe(first?.[keyword])
    }
  }
})

test('an IPC without a machine is examined where the table says', () => {
  expect(stepsOf(judge(omi, { 'IPC(1)-9': null }))[0]).toEqual(['SPS1', 'CT01'])
})

test('a missing modality of a later step is missed in its own IPC', () => {
  const verdict = judge(omi, { 'IPC(2)-5': null, 'IPC(2)-9': null })
  expect(refusedBy(verdict)).toEqual([['E302', 'IPC', 2, 5]])
})

test.each([
  ['ZDS', { ZDS: 'ZDS|1.2.3^^Application^DICOM' }],
  ['an OBX', { OBX: 'OBX|1|ST|110180^Study Instance UID^DCM||1.2.3' }],
])('where %s names another study than IPC, IPC counts and somebody is told', (_, changes) => {
  const verdict = judge(omi, changes)
  expect(warned(verdict)).toEqual(['E341'])
  expect(itemsOf(verdict)[0]?.['StudyInstanceUID']).toBe(study)
})

test('where ZDS and OBX say what IPC says, nobody is told', () => {
  const changes = { ZDS: `ZDS|${study}`, OBX: `OBX|1|ST|110180^Study Instance UID^DCM||${study}` }
  expect(warned(judge(omi, changes))).toEqual([])
})

test('what is called OMI and has no IPC is read by what is in it, with a warning', () => {
  const named = judge(omi, { 'IPC(2)': null, 'IPC(1)': null, 'OBR-18': 'ACC9', 'OBR-24': 'CT', ZDS: `ZDS|${study}` })
  expect(warned(named)).toEqual(['E343'])
  expect(itemsOf(named)).toMatchObject([{ AccessionNumber: 'ACC9', StudyInstanceUID: study }])
})

test('an ORM that has IPC is read by it', () => {
  expect(stepsOf(judge(omi, { 'MSH-9': 'ORM^O01' }))).toHaveLength(2)
})

test.each(['OMI^O23', 'OMI^O23^OMI_O23', 'OMG^O19', 'OMG^O19^OMG_O19', 'ORM^O01', 'ORM^O01^ORM_O01'])(
  '%s is taken, in every version from 2.3 to 2.5.1',
  (type) => {
    for (const version of ['2.3', '2.3.1', '2.4', '2.5', '2.5.1']) {
      expect(judge(omi, { 'MSH-9': type, 'MSH-12': version }).kind).toBe('accepted')
    }
  },
)

test.each(['OML^O21', 'OMP^O09', 'ORU^R01', 'RDE^O11'])('%s is nobody’s: AR 200', (type) => {
  expect(judge(omi, { 'MSH-9': type })).toMatchObject({
    kind: 'invalid',
    acknowledgment: 'AR',
    faults: [{ hl7Code: 200 }],
  })
})

const orm = [
  header,
  person,
  'ORC|NW|P1|F1||SC||1^once^^20260302101500^^R',
  'OBR|1|P1|F1|CTABD^CT Abdomen^99H||||||||||||||ACC1|RP1|SPS1||||CT',
].join('\r')

const second = [
  'ORC|NW|P2|F2||SC||1^once^^20260302103000^^R',
  'OBR|2|P2|F2|CTTHX^CT Thorax^99H||||||||||||||ACC2|RP2|SPS2||||CT',
].join('\r')

test('one ZDS at the end is the study of every group, a ZDS in each that of its own', () => {
  const uids = (text: string) => itemsOf(judge(text)).map((item) => item['StudyInstanceUID'])
  expect(uids(`${orm}\r${second}\rZDS|${study}`)).toEqual([study, study])
  expect(uids(`${orm}\rZDS|1.2.3\r${second}\rZDS|${study}`)).toEqual(['1.2.3', study])
  expect(uids(`${orm}\rZDS|1.2.3\r${second}`)).toEqual(['1.2.3', 'made for order 2'])
})

test.each([
  ['ORM', `${orm}\r${second}`, { 'OBR(2)-18': 'X'.repeat(17) }],
  [
    'OMI',
    `${omi}\r${omi.split('\r').slice(2).join('\r').replaceAll('F1', 'F2').replaceAll('P1', 'P2')}`,
    { 'IPC(4)-4': 'SPS1' },
  ],
] as const)('orders of one %s are taken together or not at all', (_, text, changes) => {
  const whole = judge(text)
  expect(whole.kind === 'accepted' && whole.groups.map(({ numbers }) => numbers.fillerOrderNumber)).toEqual([
    'F1',
    'F2',
  ])
  expect(judge(text, { ...changes, 'IPC(3)-4': changes['IPC(4)-4' as keyof typeof changes] ?? null })).toMatchObject({
    kind: 'invalid',
    acknowledgment: 'AE',
  })
})

test('a parent is a bracket around its children, who share its study', () => {
  const text = [
    header,
    person,
    'ORC|PA|P0|F0',
    ...orm.replace('ORC|NW', 'ORC|CH').split('\r').slice(2),
    second.replace('ORC|NW', 'ORC|CH'),
    `ZDS|${study}`,
  ]
  const verdict = judge(text.join('\r'))
  expect(verdict).toMatchObject({
    kind: 'accepted',
    groups: [
      { effect: 'create', numbers: { fillerOrderNumber: 'F1', studyInstanceUid: study } },
      { effect: 'create', numbers: { fillerOrderNumber: 'F2', studyInstanceUid: study } },
    ],
  })
})

test('a replaced order ends in the same change in which its replacement begins', () => {
  const text = [header, person, 'ORC|RU|P0|F0', ...orm.replace('ORC|NW', 'ORC|RO').split('\r').slice(2)].join('\r')
  expect(judge(text)).toMatchObject({
    kind: 'accepted',
    groups: [
      { effect: 'cancel', numbers: { fillerOrderNumber: 'F0' } },
      { effect: 'create', numbers: { fillerOrderNumber: 'F1' } },
    ],
  })
})

test.each([
  ['refuse', { 'OBR-24': null }, 'invalid', []],
  ['refuse', { 'OBR-24': 'RAD' }, 'invalid', []],
  ['hold', { 'OBR-24': null }, 'accepted', ['E340', 'E340']],
  ['hold', { 'OBR-24': 'RAD' }, 'accepted', ['E340', 'E340']],
  ['hold', { 'OBR-24': 'EPS' }, 'accepted', []],
  // Without a start nobody is served, whatever the site says.
  ['refuse', { 'OBR-24': null, 'ORC-7': null }, 'accepted', []],
  ['hold', { 'OBR-24': null, 'ORC-7': null }, 'accepted', []],
] as const)('defaults.incomplete: %s, %j: %s', (incomplete, changes, kind, warnings) => {
  const verdict = judge(orm, changes, { incomplete })
  expect(verdict.kind).toBe(kind)
  if (verdict.kind !== 'accepted') return
  expect(warned(verdict)).toEqual(warnings)
  const [step] = verdict.groups[0]?.steps ?? []
  const hasModality = changes['OBR-24'] === 'EPS'
  expect(step?.stations).toEqual(hasModality ? ['EPS01'] : [])
  expect(step !== undefined && 'Modality' in step.attributes).toBe(hasModality)
})

test.each([
  ['refuse', { 'OBR-4': null }, 'invalid', []],
  ['hold', { 'OBR-4': null }, 'accepted', ['E340']],
  ['refuse', { 'OBR-4': null, 'ORC-7': null }, 'accepted', []],
] as const)('an order that says nowhere what is to be done: %s, %j: %s', (incomplete, changes, kind, warnings) => {
  const verdict = judge(orm, changes, { incomplete })
  expect(verdict.kind).toBe(kind)
  if (verdict.kind === 'accepted') {
    expect(warned(verdict)).toEqual(warnings)
    expect(verdict.groups.flatMap(({ steps }) => steps.map(lacksOf))[0]).toContain('procedure')
  } else expect(refusedBy(verdict)).toEqual([['E302', 'OBR', 1, 4]])
})

test('it is enough that IPC-6 says what is to be done', () => {
  expect(judge(omi, { 'OBR-4': null }).kind).toBe('accepted')
})

/** As small systems send them; each was an AE that told nobody anything. */
test.each([
  ['an accession number alone', { 'ORC-2': null, 'ORC-3': null, 'OBR-2': null, 'OBR-3': null }, []],
  [
    'and no procedure or step of its own',
    { 'ORC-2': null, 'ORC-3': null, 'OBR-2': null, 'OBR-3': null, 'OBR-19': null, 'OBR-20': null },
    [],
  ],
  ['a start of zeros', { 'ORC-7.4': '00000000' }, ['start']],
  ['a birth date of zeros', { 'PID-7': '00000000' }, []],
  ['nothing of the procedure', { 'ORC-7': null, 'OBR-4': null }, ['start', 'procedure']],
  ['words for a modality', { 'OBR-24': 'ULTRASOUND' }, []],
  // Dates of the order, of the observation or of the result are no appointment.
  ['a date that was asked for', { 'ORC-7': null, 'OBR-6': '20260302101500' }, ['start']],
  ['a date of the observation', { 'ORC-7': null, 'OBR-7': '20260302101500' }, ['start']],
  ['a date of the result', { 'ORC-7': null, 'OBR-22': '20260302101500' }, ['start']],
  ['a start in OBR-36', { 'ORC-7': null, 'OBR-36': '20260302101500' }, []],
  ['no number of the segment', { 'OBR-1': null }, []],
] as const)('an order that says little is taken: %s', (_what, changes, lacks) => {
  const verdict = judge(orm, changes)
  expect(verdict.kind === 'accepted' ? verdict.groups.flatMap(({ steps }) => steps.flatMap(lacksOf)) : verdict).toEqual(
    lacks,
  )
})

test('two orders of one message that have accession numbers alone are two', () => {
  const [head = '', pid = '', ...rest] = orm.split('\r').map((line) => line.replace('|P1|F1', '||'))
  const other = rest.map((line) => line.replace('ACC1', 'ACC2'))
  const verdict = judge([head, pid, ...rest, ...other].join('\r'))
  const numbers = verdict.kind === 'accepted' ? verdict.groups.map((group) => group.numbers.accessionNumber) : verdict
  expect(numbers).toEqual(['ACC1', 'ACC2'])
})

test.each([
  ['PID-2 is nobody’s number here', { 'PID-3': null, 'PID-2': '4711' }],
  ['a procedure names no modality', { 'OBR-24': null }],
  ['a birth date that can be read in two ways', { 'PID-7': '02/03/1980' }],
] as const)('nothing is guessed: %s', (_what, changes) => {
  expect(judge(orm, changes)).toMatchObject({ kind: 'invalid', acknowledgment: 'AE' })
})

test.each(['AU', 'RT', 'ZZ'])(
  'the modality %s is nobody’s invention: it is what the message says, or refused',
  (code) => {
    const verdict = judge(orm, { 'OBR-24': code, 'ORC-7': null })
    expect(itemsOf(verdict)).toMatchObject([{ ScheduledProcedureStepSequence: [{ Modality: code }] }])
    expect(warned(verdict)).toEqual(code === 'AU' ? [] : ['E345'])
  },
)

test.each([
  ['pipeline', 'ignored'],
  ['ignore', 'ignored'],
  ['reject', 'invalid'],
] as const)('a source says what becomes of a code that the pipeline does not name: %s', (unknownOrderControl, kind) => {
  const verdict = judge(orm, { 'ORC-1': 'QQ' }, { unknownOrderControl })
  expect(verdict.kind).toBe(kind)
  if (verdict.kind === 'invalid')
    expect(verdict.faults).toMatchObject([{ code: 'E312', hl7Code: 103, place: { segment: 'ORC', field: 1 } }])
  // What it names stays as it says.
  expect(judge(orm, { 'ORC-1': 'SN' }, { unknownOrderControl })).toEqual({
    kind: 'ignored',
    rule: 'orders: orderControl.SN',
  })
})

test.each(['CA', 'DC'])('%s and what it names: the steps of OBR-20 or IPC-4, else the order', (control) => {
  const keysOf = (text: string, changes: Readonly<Record<string, string | null>> = {}) => {
    const verdict = judge(text, { 'ORC-1': control, ...changes })
    return verdict.kind === 'accepted' ? verdict.groups.map(({ steps, stepKeys }) => [steps.length, stepKeys]) : verdict
  }
  expect(keysOf(orm)).toEqual([[0, ['SPS1']]])
  expect(keysOf(omi)).toEqual([[0, ['SPS1', 'SPS2']]])
  expect(keysOf(orm, { 'OBR-20': null })).toEqual([[0, undefined]])
  expect(keysOf([header, `ORC|${control}|P1`].join('\r'))).toEqual([[0, undefined]])
})

test('two groups of one order with two accession numbers or studies are refused: one of them would be lost', () => {
  const again = orm
    .split('\r')
    .slice(2)
    .map((line) => line.replace('SPS1', 'SPS2').replace('OBR|1', 'OBR|2'))
  const both = (...lines: readonly string[]) => judge([orm, ...lines].join('\r'))
  expect(both(...again).kind).toBe('accepted')
  expect(refusedBy(both(...again.map((line) => line.replace('ACC1', 'ACC2'))))).toEqual([['E342', 'OBR', 2, 18]])
  expect(refusedBy(both(`ZDS|${study}`, ...again, `ZDS|${study}.2`))).toEqual([['E342', 'ZDS', 2, 1]])
  expect(both(...again, `ZDS|${study}`).kind).toBe('accepted')
})

test.each([
  ['OMG with two TQ1', 'ORC|NW|P1|F1', ['TQ1|1||||||20260302101500', 'TQ1|2||||||20260309101500']],
  ['ORM with two ORC-7', 'ORC|NW|P1|F1||||^^^20260302101500~^^^20260309101500', []],
])('%s: the first start is planned, and that there is another is said', (_form, orc, timing) => {
  const [head = '', pid = '', , obr = ''] = orm.split('\r')
  const said = judge([head, pid, orc, ...timing, obr].join('\r'))
  expect(warned(said)).toContain('E347')
  expect(said.kind === 'accepted' && said.groups[0]?.steps[0]?.attributes).toMatchObject({
    ScheduledProcedureStepStartDate: '20260302',
  })
  expect(
    warned(judge([head, pid, orc.replace('20260309', '20260302'), ...timing.slice(1), obr].join('\r'))),
  ).not.toContain('E347')
})

test('an order control code in small letters is that code; none at all is a fault that names ORC-1', () => {
  const small = judge(orm, { 'ORC-1': 'nw' })
  expect(small.kind === 'accepted' && small.groups.map(({ effect }) => effect)).toEqual(['create'])
  for (const none of [null, '""']) {
    expect(refusedBy(judge(orm, { 'ORC-1': none }))).toEqual([['E302', 'ORC', 1, 1]])
    expect(refusedBy(judge(orm, { 'ORC-1': none }, { unknownOrderControl: 'ignore' }))).toHaveLength(1)
  }
})

test.each([
  ['ORR^O02', 'OK'],
  ['ORR^O02', 'NW'],
  ['ORR^O02^ORR_O02', 'UA'],
  ['ORG^O20', 'CR'],
  ['ORI^O24', 'CA'],
])('%s answers an order: its ORC-1 %s does nothing', (type, control) => {
  expect(judge(orm, { 'MSH-9': type, 'ORC-1': control })).toEqual({ kind: 'ignored', rule: 'orders: reply' })
})

test('an answer without anything in it is ignored all the same', () => {
  expect(judge([header.replace('ORM^O01', 'ORR^O02'), 'MSA|AE|X1'].join('\r'))).toEqual({
    kind: 'ignored',
    rule: 'orders: reply',
  })
})

test('an answer that brings a number brings that and nothing else', () => {
  const reply = [header.replace('ORM^O01', 'ORR^O02'), 'MSA|AA|X1', 'ORC|OK|P8|F8', 'ORC|NA|P9|F9'].join('\r')
  expect(judge(reply)).toMatchObject({
    kind: 'accepted',
    groups: [
      { effect: 'number', numbers: { placerOrderNumber: 'P9', fillerOrderNumber: 'F9' }, steps: [], request: {} },
    ],
  })
})

test.each(['ACK^O01', 'ACK', 'ACK^A99^ACK'])('%s is no order, and not wrong either', (type) => {
  expect(judge(orm, { 'MSH-9': type })).toEqual({ kind: 'ignored', rule: 'reply' })
})

test('a step of the department is cancelled by what names its order, whatever else is wrong', () => {
  expect(judge(omi, { 'ORC-1': 'CA', 'IPC(2)-1': 'ACC2', 'IPC(2)-4': 'SPS1' })).toMatchObject({
    kind: 'accepted',
    groups: [{ effect: 'cancel', numbers: { fillerOrderNumber: 'F1' } }],
  })
})
