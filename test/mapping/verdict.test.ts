import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sentence } from '../../src/core/errors/index.ts'
import type { Verdict } from '../../src/core/message.ts'
import { edit } from '../../src/mapping/edit.ts'
import { message, planOf, root, shippedPlan, shippedTables } from './support.ts'
import { sample, tables } from './sample.ts'

const order = [
  String.raw`MSH|^~\&|RIS|MAIN|WORKLANE|RAD|20260301093000||ORM^O01|MSG1|P|2.3.1`,
  'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F',
  'PV1|1|O',
  'ORC|NW|P1|F1||SC||^^^20260302101500^^R',
  'OBR|1|P1|F1|CTABD^CT Abdomen^99H||||||||||||||ACC1|RP1|SPS1||||CT',
].join('\r')

const plan = shippedPlan()
const sampled = planOf([sample], { tables })

function judge(changes: Record<string, string | null> = {}, by = plan, start = order) {
  const text = Object.entries(changes).reduce((all, [path, value]) => edit(all, path, value) ?? '', start)
  return by.judge(message(...text.split('\r')))
}

const faultsOf = (verdict: Verdict) =>
  verdict.kind === 'invalid' ? verdict.faults.map(({ code, hl7Code, place }) => ({ code, hl7Code, ...place })) : []

test('an order is accepted with its type, its pipeline and the keys by which it is found', () => {
  expect(judge()).toMatchObject({
    verdict: { kind: 'accepted', warnings: [] },
    pipeline: 'orders',
    type: 'ORM^O01',
    keys: { patientIds: ['4711'], accessionNumbers: ['ACC1'], placerOrderNumbers: ['P1'], fillerOrderNumbers: ['F1'] },
  })
})

test.each([
  [
    'a type that no pipeline takes gets AR 200',
    { 'MSH-9': 'ADT^A01' },
    'AR',
    { code: 'E306', hl7Code: 200, segment: 'MSH', field: 9 },
  ],
  [
    'an event that no pipeline takes gets AR 201',
    { 'MSH-9': 'ORM^O02' },
    'AR',
    { code: 'E307', hl7Code: 201, segment: 'MSH', field: 9, component: 2 },
  ],
  ['a message without type gets AR 200', { 'MSH-9': null }, 'AR', { code: 'E306', hl7Code: 200 }],
  ['an empty MSH-10 gets AR 101', { 'MSH-10': null }, 'AR', { code: 'E104', hl7Code: 101, segment: 'MSH', field: 10 }],
  ['another processing ID gets AR 202', { 'MSH-11': 'X' }, 'AR', { code: 'E309', hl7Code: 202 }],
  ['another version gets AR 203', { 'MSH-12': '3.0' }, 'AR', { code: 'E310', hl7Code: 203 }],
  [
    'no patient ID gets AE 101 at PID-3',
    { 'PID-3': null },
    'AE',
    { code: 'E302', hl7Code: 101, segment: 'PID', field: 3, component: 1 },
  ],
  [
    'no PID at all gets AE 101 at PID-5, too',
    { PID: null },
    'AE',
    { code: 'E302', hl7Code: 101, segment: 'PID', field: 5 },
  ],
  [
    'no order number gets AE 101',
    { 'ORC-2': null, 'ORC-3': null, 'OBR-2': null, 'OBR-3': null, 'OBR-18': null },
    'AE',
    { code: 'E311', hl7Code: 101, segment: 'ORC' },
  ],
  [
    'no modality gets AE 101 at OBR-24',
    { 'OBR-24': null },
    'AE',
    { code: 'E302', hl7Code: 101, segment: 'OBR', field: 24 },
  ],
  ['no ORC gets AE 101', { ORC: null }, 'AE', { code: 'E314', hl7Code: 101, segment: 'ORC' }],
  [
    'a modality that is no code gets AE 102',
    { 'OBR-24': 'C.T' },
    'AE',
    { code: 'E304', hl7Code: 102, segment: 'OBR', field: 24 },
  ],
  [
    'a birth date that is none gets AE 102',
    { 'PID-7': '19801341' },
    'AE',
    { code: 'E304', hl7Code: 102, segment: 'PID', field: 7 },
  ],
  [
    'a start that is none gets AE 102',
    { 'ORC-7.4': 'tomorrow' },
    'AE',
    { code: 'E304', hl7Code: 102, segment: 'ORC', field: 7, component: 4 },
  ],
  [
    'a UID that is none gets AE 102',
    { 'ZDS-1': 'hello' },
    'AE',
    { code: 'E304', hl7Code: 102, segment: 'ZDS', field: 1 },
  ],
  [
    'an accession number of 17 characters gets AE 102',
    { 'OBR-18': '12345678901234567' },
    'AE',
    { code: 'E303', hl7Code: 102, segment: 'OBR', field: 18 },
  ],
  [
    'a name of 65 characters gets AE 102',
    { 'PID-5': 'A'.repeat(65) },
    'AE',
    { code: 'E303', hl7Code: 102, segment: 'PID', field: 5 },
  ],
  [
    'a template that nobody filled in gets AE 102',
    { 'PID-3': '$PATIENT_ID$' },
    'AE',
    { code: 'E305', hl7Code: 102, segment: 'PID', field: 3 },
  ],
  [
    'a patient state that is too long is refused, not cut',
    { 'OBR-12': `^${'x'.repeat(65)}` },
    'AE',
    { code: 'E303', hl7Code: 102, segment: 'OBR', field: 12 },
  ],
] as const)('%s', (_, changes, acknowledgment, fault) => {
  const { verdict } = judge(changes)
  expect(verdict).toMatchObject({ kind: 'invalid', acknowledgment })
  expect(faultsOf(verdict)).toContainEqual(expect.objectContaining(fault))
})

test('an unknown code of a table that rejects gets AE 103 and is not guessed', () => {
  const { verdict } = judge({ 'OBR-4.1': 'XYZZY', 'MSH-4': 'MAIN' }, sampled)
  expect(verdict).toMatchObject({
    kind: 'invalid',
    acknowledgment: 'AE',
    faults: [
      {
        code: 'E301',
        hl7Code: 103,
        params: { table: 'procedures', code: 'XYZZY' },
        place: { segment: 'OBR', field: 4 },
      },
    ],
  })
})

test('all faults of a message are said at once', () => {
  const { verdict } = judge({ 'PID-3': null, 'OBR-24': null, 'OBR-18': '12345678901234567' })
  expect(
    faultsOf(verdict)
      .map(({ code }) => code)
      .sort(),
  ).toEqual(['E302', 'E302', 'E303'])
})

test('I9: faults name codes and places, never values', () => {
  const { verdict } = judge({
    'PID-3': null,
    'PID-5': `${'Geheim'.repeat(20)}^Jane`,
    'PID-7': 'SECRETDATE',
    'OBR-18': 'SECRETACCESSION-17',
    'OBR-24': 'secret.modality',
    'ORC-1': 'SECRET NAME',
  })
  expect(JSON.stringify(verdict)).not.toMatch(/secret|geheim/i)
  const { verdict: unknown } = judge({ 'MSH-9': 'Doe Jane^1980', 'MSH-11': 'SECRET' })
  expect(JSON.stringify(unknown)).not.toMatch(/Jane|SECRET/)
})

test('a message that accept.when does not want is ignored by its rule', () => {
  expect(judge({ 'MSH-4': 'WEST' }, sampled).verdict).toEqual({ kind: 'ignored', rule: 'orders: accept.when' })
})

test('an order control that is ignored says by which rule', () => {
  expect(judge({ 'ORC-1': 'SN' }).verdict).toEqual({ kind: 'ignored', rule: 'orders: orderControl.SN' })
})

test('the second pipeline of a source takes what the first does not want', () => {
  const second = sample.replace('pipeline: orders', 'pipeline: west').replace('["MAIN", "EAST"]', '["WEST"]')
  expect(judge({ 'MSH-4': 'WEST' }, planOf([sample, second], { tables }))).toMatchObject({
    pipeline: 'west',
    verdict: { kind: 'accepted' },
  })
})

test.each([
  ['CA', 'CA', 'cancel'],
  ['CA', '', 'cancel'],
  ['OC', '', 'cancel'],
  ['DC', 'CA', 'discontinue'],
  ['XO', 'SC', 'update'],
  ['XO', 'CM', 'complete'],
  ['SC', 'IP', 'start'],
  ['SC', 'CM', 'complete'],
  ['NW', '', 'create'],
  ['RO', '', 'create'],
])('ORC-1 %s with ORC-5 "%s" means %s', (control, status, effect) => {
  const { verdict } = judge({ 'ORC-1': control, 'ORC-5': status })
  expect(verdict).toMatchObject({ kind: 'accepted', groups: [{ effect }] })
})

test('a cancel of one ORC finds its order by every number it has, and needs nobody and nothing else', () => {
  const verdict = judge({ 'ORC-1': 'CA', PID: null, PV1: null, OBR: null }).verdict
  expect(verdict).toMatchObject({
    kind: 'accepted',
    groups: [
      { effect: 'cancel', steps: [], request: {}, numbers: { placerOrderNumber: 'P1', fillerOrderNumber: 'F1' } },
    ],
  })
  expect(verdict.kind === 'accepted' && verdict.groups[0]?.patient).toBeUndefined()
})

test('a cancel with all its segments is taken however wrong they are', () => {
  expect(judge({ 'ORC-1': 'CA', 'PID-7': 'nonsense', 'OBR-24': '!!', 'OBR-18': 'X'.repeat(40) }).verdict).toMatchObject(
    { kind: 'accepted' },
  )
})

test.each([
  ['an answer to an order of a laboratory', { 'MSH-9': 'ORR^O03', 'ORC-1': 'NA', 'OBR-24': null }],
  ['an appointment, which has no ORC', { 'MSH-9': 'SIU^S12', ORC: null, OBR: null, PID: null }],
  ['a result', { 'MSH-9': 'ORU^R01', 'ORC-1': 'RE' }],
])('a pipeline may take what it does not want, so that its sender goes on: %s', (_, changes) => {
  const text = readFileSync(join(root, 'pipelines/orders/pipeline.yaml'), 'utf8')
  const wide = text
    .replace(
      'messages: [ORM^O01, OMG^O19, OMI^O23]',
      'messages: [ORM^O01, ORR, ORU, SIU]\n  when: messageType == "ORM"',
    )
    .replace(/^  replies: .*$/m, '')
    .replace(/^let:$/m, 'let:\n  messageType: MSH-9.1')
  const taking = planOf([wide], { tables: shippedTables() })
  expect(judge(changes).verdict).toMatchObject({ kind: 'invalid', acknowledgment: 'AR' })
  expect(judge(changes, taking).verdict).toEqual({ kind: 'ignored', rule: 'orders: accept.when' })
  expect(judge({}, taking).verdict).toMatchObject({ kind: 'accepted' })
})

test('the site says where an exam takes place when message and table do not', () => {
  const bySite = shippedPlan({ stationAeTitle: 'SITE_AE', modality: 'OT' })
  expect(judge({ 'OBR-24': null }, bySite).verdict).toMatchObject({
    groups: [
      {
        steps: [
          {
            stations: ['SITE_AE'],
            attributes: { Modality: 'OT' },
            assumed: ['Modality', 'ScheduledStationAETitle'],
          },
        ],
      },
    ],
  })
  expect(judge({ 'OBR-24': 'ZZ' }, bySite).verdict).toMatchObject({
    groups: [
      { steps: [{ stations: ['SITE_AE'], attributes: { Modality: 'ZZ' }, assumed: ['ScheduledStationAETitle'] }] },
    ],
  })
  const { verdict } = judge({}, bySite)
  expect(verdict).toMatchObject({ groups: [{ steps: [{ stations: ['CT01'] }] }] })
  expect(verdict.kind === 'accepted' && verdict.groups[0]?.steps[0]).not.toHaveProperty('assumed')
})

test('a PID-3 repetition stays together: the issuer is never that of another number', () => {
  const { verdict } = judge({ 'PID-3': '999^^^NAT^NI~4711^^^^MR' })
  expect(verdict).toMatchObject({ groups: [{ patient: { patientId: '4711', issuerOfPatientId: '', key: '4711^^^' } }] })
})

test('an unknown issuer is the one of the site', () => {
  const { verdict } = judge({ 'PID-3': '4711' }, shippedPlan({ issuerOfPatientId: 'SITE' }))
  expect(verdict).toMatchObject({
    groups: [{ patient: { key: '4711^^^SITE', attributes: { IssuerOfPatientID: 'SITE' } } }],
  })
})

test('one order of two procedures has two steps that share everything else', () => {
  const { verdict } = judge({ 'OBR-4.1': 'PETCT', 'MSH-4': 'MAIN' }, sampled)
  expect(verdict).toMatchObject({
    groups: [
      {
        steps: [
          { key: '1', stations: ['PETCT1'], attributes: { Modality: 'PT', ScheduledProcedureStepID: 'SPS1-1' } },
          { key: '2', stations: ['PETCT1'], attributes: { Modality: 'CT', ScheduledProcedureStepID: 'SPS1-2' } },
        ],
      },
    ],
  })
})

test('several station AE titles are several items', () => {
  const text = sample.replace('ScheduledStationAETitle: step.station_ae', 'ScheduledStationAETitle: ZAE-1')
  const { verdict } = judge({ 'MSH-4': 'MAIN', ZAE: 'ZAE|ONE~TWO~ONE' }, planOf([text], { tables }))
  expect(verdict).toMatchObject({ groups: [{ steps: [{ stations: ['ONE', 'TWO'] }] }] })
})

test('what is received is kept group by group, for the way back', () => {
  const { verdict } = judge()
  expect(verdict.kind === 'accepted' && verdict.groups[0]?.received).toBe(`${order}\r`)
})

/** The order with one group more. */
function second(changes: Record<string, string | null>) {
  const lines = order.split('\r')
  const group = Object.entries(changes).reduce(
    (all, [path, value]) => edit(all, path, value) ?? '',
    [lines[0], ...lines.slice(3)].join('\r'),
  )
  return plan.judge(message(...lines, ...group.split('\r').slice(1))).verdict
}

test('two groups of one order are its two steps', () => {
  const verdict = second({ 'OBR-20': 'SPS2', 'OBR-24': 'MR' })
  expect(verdict).toMatchObject({
    groups: [
      {
        steps: [
          { key: 'SPS1', stations: ['CT01'] },
          { key: 'SPS2', stations: ['MR01'] },
        ],
      },
    ],
  })
  expect(verdict.kind === 'accepted' && verdict.groups.length).toBe(1)
})

test('groups with numbers of their own are orders of their own', () => {
  const verdict = second({ 'ORC-3': 'F2', 'OBR-3': 'F2' })
  expect(verdict).toMatchObject({
    groups: [{ numbers: { fillerOrderNumber: 'F1' } }, { numbers: { fillerOrderNumber: 'F2' } }],
  })
})

test('two groups of one order that contradict each other are refused', () => {
  expect(second({})).toMatchObject({
    kind: 'invalid',
    faults: [{ code: 'E315', place: { segment: 'OBR', occurrence: 2, field: 20 } }],
  })
  expect(second({ 'OBR-20': 'SPS2', 'OBR-19': 'RP2' })).toMatchObject({
    kind: 'invalid',
    faults: [{ code: 'E316', place: { field: 19 } }],
  })
})

test('a group that is ignored does not keep the others from being taken', () => {
  expect(second({ 'ORC-1': 'SN' })).toMatchObject({ kind: 'accepted', groups: [{ effect: 'create' }] })
})

test('what is missing names the tables that were to give it', () => {
  const empty = tables['procedures.csv'].replace('CTABD,1,CT,CT01', 'CTABD,1,,')
  const told = ({ verdict }: ReturnType<typeof judge>) =>
    verdict.kind === 'invalid' ? verdict.faults.map(({ code, params }) => sentence(code, params)) : []
  const from = (plan: ReturnType<typeof planOf>) =>
    told(judge({ 'MSH-4': 'MAIN', 'OBR-24': null, 'PID-3.5': 'MR' }, plan))
  expect(from(planOf([sample], { tables: { 'procedures.csv': empty } }))).toEqual([
    'Modality (table procedures) is missing.',
    'ScheduledStationAETitle (table procedures) is missing.',
  ])
})
