import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../src/core/message.ts'
import { parse } from '../../src/hl7/index.ts'
import { compile, message, planOf, root, shipped, shippedTables } from './support.ts'

const base = `
pipeline: patients
from: ris-orders
accept: { messages: [ADT] }
triggerEvent: { A08: update, A40: merge, A03: ignore }
prior: { each: MRG-1, PatientID: MRG-1.1, IssuerOfPatientID: MRG-1.4.1 }
map:
  PatientName: PID-5
  PatientID: PID-3.1
  IssuerOfPatientID: PID-3.4.1
`
const changed = (from: string, to: string): string => {
  if (!base.includes(from)) throw new Error(from)
  return base.replace(from, to)
}
const header = (event: string): string => String.raw`MSH|^~\&|ADT|MAIN|W|R|20260301093000||ADT^${event}|M1|P|2.5`
const pid = 'PID|1||4711^^^HOSP^MR||Doe^Jane'
const judge = (lines: readonly string[], text = base, site = {}): Verdict =>
  planOf([text], site).judge(message(...lines)).verdict
const problems = (...texts: readonly Parameters<typeof compile>[0][number][]): readonly string[] =>
  compile(texts, { tables: shippedTables() }).problems.map(
    ({ line, column, code, message: text }) => `${line}:${column} ${code} ${text}`,
  )

describe('worklane check says what is wrong with a pipeline of patients', () => {
  test('a pipeline without a mistake has no problems', () => {
    expect(problems(base)).toEqual([])
  })

  test.each([
    ['A08: update', 'A08: create', /^5:22 E240 "create" is not something that can happen to a patient/],
    ['A03: ignore', 'A3: ignore', /^5:42 E200 triggerEvent.A3 should be MSH-9.2/],
    ['prior: {', 'priors: {', /^6:1 E206 There is no setting "priors"/],
    ['each: MRG-1,', 'each: MRG-99,', /^6:16 E202 MRG has 7 fields, not 99/],
    ['each: MRG-1,', 'each: [MRG-1, MRG-4],', /^6:16 E200 prior.each should be one field/],
    ['PatientID: MRG-1.1, ', '', /^6:8 E219 prior.PatientID is missing/],
    ['  PatientName: PID-5', '  PatientWeight: PID-5', /^8:3 E241 PatientWeight is not an attribute of the patient/],
    ['  PatientID: PID-3.1\n', '', /E215 PatientID is required/],
    ['  PatientID: PID-3.1', '  PatientID: PIDD-3.1', /^9:14 E2/],
    [
      'triggerEvent: { A08: update, A40: merge, A03: ignore }',
      'triggerEvent: A08',
      /^5:15 E200 triggerEvent should be/,
    ],
    ['accept: { messages: [ADT] }', 'accept: { messages: [ADT^8] }', /^4:22 E200 accept.messages/],
  ])('%s as %s', (from, to, expected) => {
    expect(problems(changed(from, to)).join('\n')).toMatch(new RegExp(expected.source, 'm'))
  })

  test('a merge needs to know who the patient was', () => {
    expect(problems(base.replace(/^prior:.*\n/m, ''))).toEqual([expect.stringMatching(/E219 prior is missing/)])
  })

  test('an arrival needs to know of which day', () => {
    expect(problems(changed('A03: ignore', 'A10: arrive'))).toEqual([expect.stringMatching(/E219 arrival is missing/)])
    const text = (arrival: string) => `${base}arrival: ${arrival}\n`
    expect(problems(text('{ AdmissionID: PV1-19.1, days: EVN-2 }')).join()).toMatch(/E206/)
    expect(problems(text('{ day: EVN-99 }')).join()).toMatch(/E202/)
    expect(problems(text('{ AdmissionID: PV1-19.1, day: [EVN-6, EVN-2] }'))).toEqual([])
  })

  test('names and tables are checked as in a pipeline of orders', () => {
    const text = `${base}let: { unused: PID-8 }\ntables: { sex: { F: F, otherwise: "" } }\n`
    expect(problems(text).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'E224 "unused" is not used.',
      'E224 "sex" is not used.',
    ])
  })

  test('I11: a patient who is read otherwise than by orders of the same source is a warning', () => {
    const orders = shipped('pipelines/orders/pipeline.yaml')
    const found = problems(orders, base).join('\n')
    expect(found).toMatch(/^9:3 E242 PatientID is read otherwise than by orders of the same source/m)
    expect(found).toMatch(/^10:3 E242 IssuerOfPatientID/m)
    expect(problems(orders, shipped('pipelines/patients/pipeline.yaml'))).toEqual([])
  })

  test('I11: a pipeline that another leaves no message for reads no patient, and is not compared', () => {
    const own = (text: string): string => text.replace('[patientId.4.1, patientId.4.2]', '[patientId.4.1, MSH-4]')
    const prior = (text: string): string => text.replace('[MRG-1.4.1, MRG-1.4.2]', '[MRG-1.4.1, MSH-4]')
    const orders = readFileSync(join(root, 'pipelines/orders/pipeline.yaml'), 'utf8')
    const patients = readFileSync(join(root, 'pipelines/patients/pipeline.yaml'), 'utf8')
    const ours = [own(orders), orders, prior(own(patients)), patients]
    expect(problems(...ours)).toEqual([])
    const conditional = own(orders).replace('\naccept:\n', '\naccept:\n  when: patientIdType != ""\n')
    expect(problems(conditional, ...ours.slice(1)).join('\n')).toContain('E242 IssuerOfPatientID')
  })

  test('I11: who was merged is read as the patient is, MRG-1 as PID-3; or it is a warning', () => {
    const orders = shipped('pipelines/orders/pipeline.yaml')
    const patients = readFileSync(join(root, 'pipelines/patients/pipeline.yaml'), 'utf8')
    const prior = patients.replace('PatientID: MRG-1.1', 'PatientID: MRG-1.2')
    expect(problems(orders, prior)).toEqual([expect.stringMatching(/^56:3 E242 PatientID is read otherwise than/)])
    const other = patients.replace('[MRG-1(5=MR), MRG-1(5=PI), MRG-1]', '[MRG-1(5=PI), MRG-1]')
    expect(problems(orders, other).map((line) => line.slice(0, 9))).toEqual(['56:3 E242', '57:3 E242'])
  })
})

describe('an ADT becomes acts', () => {
  test('an event that the table does not have is refused: the sender learns of it', () => {
    expect(judge([header('A10'), pid])).toMatchObject({
      acknowledgment: 'AR',
      faults: [{ code: 'E328', hl7Code: 201 }],
    })
  })

  test('an event that is ignored needs nothing', () => {
    expect(judge([header('A03')])).toEqual({ kind: 'ignored', rule: 'patients: triggerEvent.A03' })
  })

  test('where the message names no authority, patient and prior identifier have that of the site', () => {
    const verdict = judge([header('A40'), 'PID|1||4711||Doe^Jane', 'MRG|4712'], base, { issuerOfPatientId: 'SITE' })
    expect(verdict).toMatchObject({ patients: [{ patient: { key: '4711^^^SITE' }, prior: ['4712^^^SITE'] }] })
  })

  test.each([
    ['MRG', 100],
    ['MRG-1', 101],
  ])('a merge without %s is refused at its place', (what, hl7Code) => {
    const lines = [header('A40'), pid, ...(what === 'MRG' ? [] : ['MRG||4712'])]
    const verdict = judge(lines)
    expect(verdict).toMatchObject({
      acknowledgment: 'AE',
      faults: [{ code: 'E302', hl7Code, place: { segment: 'MRG' } }],
    })
  })

  test('one bad identifier of several refuses the message: nothing of it is done', () => {
    const verdict = judge([header('A40'), pid, 'MRG|4712^^^HOSP', 'PID|2||1^^^HOSP||B', `MRG|${'x'.repeat(80)}`])
    expect(verdict).toMatchObject({ acknowledgment: 'AE', faults: [{ code: 'E303', place: { segment: 'MRG' } }] })
  })

  test('repetitions that are empty or null are nobody', () => {
    const verdict = judge([header('A40'), pid, 'MRG|~4712^^^HOSP~""~^^^HOSP'])
    expect(verdict).toMatchObject({ patients: [{ prior: ['4712^^^HOSP'] }] })
  })

  test('each MRG says for itself which of its identifiers is meant', () => {
    const text = changed('each: MRG-1,', 'each: [MRG-1(5=MR), MRG-1],')
    const lines = [header('A40'), pid, 'MRG|1^^^HOSP^MR~2^^^NAT^NI', 'MRG|3^^^HOSP^PI']
    expect(judge(lines, text)).toMatchObject({ patients: [{ prior: ['1^^^HOSP', '3^^^HOSP'] }] })
  })

  describe('A37 names two', () => {
    const unmerging = changed('A03: ignore', 'A37: unmerge')
    const roe = 'PID|2||815^^^HOSP||Roe^Richard'

    test.each([
      ['by a PID each', [pid, roe], [{ key: '815^^^HOSP', attributes: { PatientName: 'Roe^Richard' } }]],
      ['by PID and MRG', [pid, 'MRG|815^^^HOSP'], [{ key: '815^^^HOSP', attributes: {} }]],
      ['again and again', [pid, 'MRG|815^^^HOSP~4711^^^HOSP', roe, pid], [{ key: '815^^^HOSP' }]],
    ])('%s', (_how, lines, others) => {
      const verdict = judge([header('A37'), ...lines], unmerging)
      expect(verdict).toMatchObject({ patients: [{ kind: 'unmerge', patient: { key: '4711^^^HOSP' }, others }] })
    })

    test('one alone is refused, and so is one without an identifier', () => {
      expect(judge([header('A37'), pid], unmerging)).toMatchObject({
        acknowledgment: 'AE',
        faults: [{ code: 'E302', hl7Code: 100, place: { segment: 'PID', occurrence: 2 } }],
      })
      expect(judge([header('A37'), pid, 'PID|2||||Roe'], unmerging)).toMatchObject({ acknowledgment: 'AE' })
    })
  })

  describe('an arrival', () => {
    const arriving = changed('A03: ignore', 'A10: arrive, A11: arrivalTakenBack').concat(
      'arrival: { AdmissionID: PV1-19.1, day: [EVN-6, EVN-2] }\n',
    )
    const arrival = (...lines: readonly string[]): unknown =>
      judge([header('A10'), ...lines, pid], arriving, { timeZone: 'Europe/Berlin' })

    test.each([
      ['is of the day of the event', ['EVN||20260302080000||||20260301233000'], '20260301'],
      ['is of the day of the site', ['EVN||20260301233000+0000'], '20260302'],
      ['may have a day alone', ['EVN||20260301'], '20260301'],
      ['has no day in a month', ['EVN||202603'], undefined],
      ['has no day where nobody can read it', ['EVN||today'], undefined],
      ['has no day without EVN', [], undefined],
    ])('%s', (_what, lines, day) => {
      const verdict = arrival(...lines) as Extract<Verdict, { kind: 'accepted' }>
      const [act] = verdict.patients ?? []
      expect(act).toMatchObject({ kind: 'arrive', patient: { key: '4711^^^HOSP' }, timeZone: 'Europe/Berlin' })
      expect(act !== undefined && 'day' in act ? act.day : undefined).toBe(day)
    })

    test('names a visit as orders do; what cannot be one is none', () => {
      expect(judge([header('A11'), pid, 'PV1|1|O|||||||||||||||||V1^^^HOSP'], arriving)).toMatchObject({
        patients: [{ kind: 'arrivalTakenBack', admissionId: 'V1' }],
      })
      const long = judge([header('A10'), pid, `PV1|1|O|||||||||||||||||${'V'.repeat(80)}`], arriving)
      expect(long).toMatchObject({ kind: 'accepted' })
    })

    test('explain tells by what its steps are found', () => {
      const text = message(header('A10'), pid, 'PV1|1|O|||||||||||||||||V1')
      expect(
        planOf([arriving])
          .explain(text)
          .lines.map(({ keyword, value }) => [keyword, value]),
      ).toEqual([
        ['PatientID', '4711'],
        ['IssuerOfPatientID', 'HOSP'],
        ['AdmissionID', 'V1'],
      ])
    })
  })

  test('the message is found again by the old identifier, too', () => {
    const { keys } = planOf([base]).judge(message(header('A40'), pid, 'MRG|4712^^^HOSP'))
    expect(keys.patientIds).toEqual(['4711', '4712'])
  })

  test('two pipelines of one source: the first that accepts a message has it', () => {
    const orders = shipped('pipelines/orders/pipeline.yaml')
    const plan = planOf([orders, base], { tables: shippedTables() })
    expect(plan.judge(message(header('A08'), pid))).toMatchObject({ pipeline: 'patients' })
    const when = base
      .replace('messages: [ADT]', 'messages: [ADT], when: \'name == "x"\'')
      .concat('let: { name: PID-5.1 }\n')
    const both = planOf([when, base.replace('pipeline: patients', 'pipeline: rest')])
    expect(both.judge(message(header('A08'), pid))).toMatchObject({ pipeline: 'rest' })
    expect(both.judge(message(header('A08'), 'PID|1||1^^^HOSP||x'))).toMatchObject({ pipeline: 'patients' })
  })

  test('explain tells where each value came from', () => {
    const { lines } = planOf([base]).explain(message(header('A08'), pid))
    expect(lines.map(({ keyword, value, origin }) => [keyword, value, origin])).toEqual([
      ['PatientName', 'Doe^Jane', 'PID-5'],
      ['PatientID', '4711', 'PID-3.1'],
      ['IssuerOfPatientID', 'HOSP', 'PID-3.4.1'],
    ])
  })
})

function expectedOf(type: string): string {
  if (/A(18|34|36|40)/.test(type)) return 'merge'
  if (type.includes('A43')) return 'invalid'
  return /A(24|0[23])/.test(type) ? 'ignored' : 'update'
}

const corpus = process.env['WORKLANE_CORPUS'] ?? join(root, '../shared/corpus')
const foreign = ['mesa-ihe', 'cosyte-hl7'].flatMap((folder) =>
  existsSync(join(corpus, folder))
    ? readdirSync(join(corpus, folder))
        .filter((name) => /adt[-.].*\.hl7$/.test(name))
        .map((name) => join(folder, name))
    : [],
)

test.skipIf(foreign.length === 0)(
  'ADT of other makers is applied or ignored by a rule (the corpus is not in the repository)',
  () => {
    const plan = planOf([shipped('pipelines/orders/pipeline.yaml'), shipped('pipelines/patients/pipeline.yaml')], {
      tables: shippedTables(),
    })
    for (const name of foreign) {
      const parsed = parse(readFileSync(join(corpus, name)))
      if (parsed.kind !== 'message') throw new Error(name)
      const { verdict, type } = plan.judge(parsed.message)
      const expected = expectedOf(type)
      expect([name, verdict.kind === 'accepted' ? verdict.patients?.[0]?.kind : verdict.kind]).toEqual([name, expected])
    }
  },
)

describe('the event of an ADT', () => {
  const typed = (type: string) => String.raw`MSH|^~\&|ADT|MAIN|W|R|20260301093000||${type}|M1|P|2.2`
  const merge = ['EVN|A40|20260301', pid, 'MRG|4710^^^HOSP']

  test('stands in EVN-1 where MSH-9 has none, as before HL7 2.3: a merge is not ignored for that', () => {
    expect(judge([typed('ADT'), ...merge])).toMatchObject({ kind: 'accepted', patients: [{ kind: 'merge' }] })
    expect(judge([typed('ADT'), 'EVN|A08', pid])).toMatchObject({ kind: 'accepted', patients: [{ kind: 'update' }] })
  })

  test('in MSH-9 goes before that of EVN-1', () => {
    expect(judge([typed('ADT^A08'), ...merge])).toMatchObject({ patients: [{ kind: 'update' }] })
  })

  test('in small letters is that event', () => {
    expect(judge([typed('adt^a40'), ...merge])).toMatchObject({ kind: 'accepted', patients: [{ kind: 'merge' }] })
  })

  test('that stands nowhere is refused: nobody knows what to ignore', () => {
    const site = base.replace('A03: ignore', 'A03: ignore, otherwise: ignore')
    const refused = { kind: 'invalid', acknowledgment: 'AR', faults: [{ code: 'E307', hl7Code: 201 }] }
    expect(judge([typed('ADT'), 'EVN||20260301', pid], site)).toMatchObject(refused)
    expect(judge([typed('ADT^Z99'), pid], site)).toMatchObject({ kind: 'ignored' })
  })
})

test('a booking without an event is refused: nobody knows whether it books or calls off', () => {
  const plan = planOf([shipped('pipelines/appointments/pipeline.yaml')], { tables: shippedTables() })
  const booking = (type: string, ...more: readonly string[]) =>
    plan.judge(message(String.raw`MSH|^~\&|RIS|MAIN|W|R|20260301||${type}|M1|P|2.3`, ...more, 'SCH|P1|F1', pid)).verdict
  expect(booking('SIU')).toMatchObject({ kind: 'invalid', acknowledgment: 'AR', faults: [{ code: 'E307' }] })
  expect(booking('SIU', 'EVN|S15')).toMatchObject({ kind: 'accepted', groups: [{ effect: 'cancel' }] })
})
