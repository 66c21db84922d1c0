/** `worklane new pipeline` from samples that nobody would show in a tutorial; what it writes is checked, tried and tested. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { check } from '../../src/cli/check.ts'
import { map } from '../../src/cli/map.ts'
import { newPipeline } from '../../src/cli/new.ts'
import { test as testVerb } from '../../src/cli/test.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = temporaryFolder()
const cwd = folder.path
afterAll(() => folder.remove())

const header = (type: string, sender = 'ACME|CLINIC') =>
  String.raw`MSH|^~\&|${sender}|WL|RAD|20260105080000||${type}|7781|P|2.3`
const pid = 'PID|1||88412^^^ACMEMPI^MR||Kowalska^Zofia^B||19610722|F|||Lindenweg 4^^Altdorf^^90518||0911 5552'
const order = `${header('ORM^O01')}
${pid}
ORC|NW|PL-5567|FI-9034||SC||^^^20260107094500^^S
OBR|1|PL-5567|FI-9034|SPINE^MR LWS bei Kowalska^ACME||||||||||||441^Brandt^Ulrike||AC-300871|RP-1|ST-1
ZDS|1.2.276.0.99.5567^^Application^DICOM|MR|MR01
`
const booking = `${header('SIU^S12', 'BOOK|CLINIC')}
SCH|A778|B889||||ROUTINE^x|MR Knie||30|min|^^^20260107094500
${pid}
AIS|1|A|MRK^MR Knie^ACME|20260107094500
AIL|1|A|RAUM3^^^
`
const patient = `${header('ADT^A08', 'PATS|CLINIC')}
EVN|A08|20260105080000
${pid}
`
const merge = `${patient.replaceAll('A08', 'A40')}MRG|71099^^^ACMEMPI^MR
`
const german = order.replaceAll('Kowalska', 'Müller-Lüdenscheidt').replace('|P|2.3', '|P|2.3||||||8859/1')

/** Whatever is of a person in any of the samples. */
const personal =
  'Kowalska Zofia denscheidt 19610722 Lindenweg Altdorf 90518 5552 88412 71099 Brandt Ulrike PL-5567 FI-9034 AC-300871 1.2.276 Zorn Maria Platzangst 7781'.split(
    ' ',
  )

beforeAll(() => {
  for (const name of ['config', ...['appointments', 'orders', 'patients', 'status'].map((name) => `pipelines/${name}`)])
    cpSync(join(root, name), join(cwd, name), { recursive: true })
})

const schemaOf = (name: string) =>
  new Ajv({ strict: false }).compile(
    JSON.parse(readFileSync(join(root, `config/${name}.schema.json`), 'utf8')) as object,
  )
const schemas = { pipeline: schemaOf('pipeline'), 'pipeline-test': schemaOf('pipeline-test') }

let made = 0
const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** Makes a pipeline of these samples, and sees that check, map and test can work with it. */
async function fromSamples(samples: Readonly<Record<string, string | Uint8Array>>, ...args: readonly string[]) {
  made += 1
  const name = `made-${made}`
  const samplesOf = join('the samples', name)
  mkdirSync(join(cwd, samplesOf), { recursive: true })
  for (const [file, content] of Object.entries(samples)) writeFileSync(join(cwd, samplesOf, file), content)
  const result = await runVerb(newPipeline, ['pipeline', name, '--from', samplesOf, ...args], { cwd })
  expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' })
  const written = join(cwd, 'pipelines', name)
  const text = readdirSync(written, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
  expect(personal.filter((each) => (text + result.stdout).includes(each))).toEqual([])
  const checked = await runVerb(check, [], { cwd })
  expect(checked.stdout).toMatch(/^Nothing is wrong/)
  expect((await runVerb(testVerb, [name], { cwd })).code).toBe(0)
  const messages = readdirSync(join(written, 'messages')).map((file) => join(written, 'messages', file))
  const mapped = await runVerb(map, [name, ...messages], { cwd })
  expect(mapped.stderr).toBe('')
  const yaml = readFileSync(join(written, 'pipeline.yaml'), 'utf8')
  for (const file of ['pipeline', 'pipeline-test'] as const) {
    const path = `${file.replace('-', '.')}.yaml`
    const isValid = schemas[file](parseYaml(readFileSync(join(written, path), 'utf8'), path).located?.value)
    expect({ path, isValid, errors: schemas[file].errors }).toEqual({ path, isValid: true, errors: null })
  }
  cleanups.push(() => rmSync(written, { recursive: true }))
  return { ...result, name, yaml, files: readdirSync(join(written, 'messages')).toSorted() }
}

test('what it writes names its schema for editors, in the first line', async () => {
  const { yaml, name } = await fromSamples({ 'a.hl7': order })
  expect(yaml.split('\n')[0]).toBe('# yaml-language-server: $schema=../../config/pipeline.schema.json')
  const tests = readFileSync(join(cwd, 'pipelines', name, 'pipeline.test.yaml'), 'utf8')
  expect(tests.split('\n')[0]).toBe('# yaml-language-server: $schema=../../config/pipeline-test.schema.json')
})

test.each([
  ['bookings', booking, 'appointments'],
  ['patients', patient, 'patients'],
  ['orders', order, 'orders'],
])('of %s alone it is like the pipeline that takes them, unasked', async (_, sample, like) => {
  expect((await fromSamples({ 'a.hl7': sample })).yaml).toMatch(new RegExp(`^extend: ${like}$`, 'm'))
})

test('of patients: who they are, merges too, and what nothing reads', async () => {
  const { yaml, stdout, files } = await fromSamples({ 'a.hl7': `${patient}ZPI|1|x\n`, 'b.hl7': merge })
  expect(files).toEqual(['adt-a08.hl7', 'adt-a40.hl7'])
  expect(stdout).toContain('2 samples of patients; patients takes all of them as it is.')
  expect(yaml).toMatch(/^# {3}PatientBirthDate +PID-7: 2$/m)
  expect(yaml).toContain('ZPI-2 (1)')
  expect(yaml).not.toContain('Modality')
})

test('one folder with orders, bookings and patients: the most frequent kind, and how to get the others', async () => {
  const samples = { 'a.hl7': order, 'b.hl7': order.replace('|NW|', '|CA|'), 'c.hl7': booking, 'd.hl7': patient }
  const { yaml, stdout, files } = await fromSamples(samples)
  expect(files).toEqual(['orm-o01-ca.hl7', 'orm-o01-nw.hl7'])
  expect(stdout).toContain('1 SIU^S12 (for those: --like appointments), 1 ADT^A08 (for those: --like patients).')
  // It takes nothing away from the pipelines that are for the others.
  expect(yaml).not.toContain('SIU')
})

test('orders without OBR: why they are refused is said, and nothing of what nobody knows', async () => {
  const { yaml, stdout } = await fromSamples({ 'a.hl7': order.replace(/^OBR.*\n/m, '') })
  expect(stdout).toContain('AE for 1 as it is now: E302  The OBR segment is missing.')
  expect(yaml).toContain('#   AE E302 at OBR: 1\n')
  expect(yaml).toContain('# None of them describes an order as orders reads it')
  expect(yaml).not.toContain('PatientName')
})

test('two vendors in one file: both are named, each with its own fields', async () => {
  const other = order.replace('ACME|CLINIC', 'OTHER|KLINIK').replace(/^ZDS.*/m, 'ZBX|1|Zorn^Maria|x')
  const { yaml } = await fromSamples({ 'two.hl7': order + other })
  expect(yaml).toContain('(sender == "ACME" && facility == "CLINIC") || (sender == "OTHER" && facility == "KLINIK")')
  expect(yaml).toContain('ZBX-2.1 (1)')
})

test('names in Latin-1 are read where MSH-18 says so; where nobody does, what to do is said', async () => {
  await fromSamples({ 'a.hl7': Buffer.from(german, 'latin1') })
  const file = join(cwd, 'undeclared.hl7')
  writeFileSync(file, Buffer.from(german.replace('|8859/1', '|'), 'latin1'))
  const { code, stderr } = await runVerb(newPipeline, ['pipeline', 'undeclared', '--from', file], { cwd })
  expect(code).toBe(1)
  expect(stderr).toMatch(/1 message could not be read: .*\(E102\).*defaultCharset.* Nothing was written/)
})

test('a file with blanks, and a code that is made of the name of the patient', async () => {
  const named = order.replace('SPINE^', 'KOWALSKA_MR^')
  const { stdout } = await fromSamples({ 'a b.hl7': named }, '--like', 'orders')
  expect(stdout).not.toContain('KOWALSKA')
})

test('a line that was broken in two is no segment whose name would be written', async () => {
  const broken = order.replace(/^ZDS/m, 'NTE|1||Angst\nFrau Kowalska|hat Platzangst\nZDS')
  expect((await fromSamples({ 'a.hl7': broken })).yaml).not.toContain('Frau')
})

test('two thousand messages are counted', async () => {
  const many = Array.from({ length: 2000 }, (_, at) => order.replace('88412', String(900_000 + at))).join('')
  const { yaml, files } = await fromSamples({ 'a.hl7': many })
  expect(yaml).toContain('# Made from 2000 sample messages: ORM^O01 NW (2000).')
  expect(files).toEqual(['orm-o01-nw.hl7'])
})

test('a condition of the other pipeline that is for other senders is not taken over', async () => {
  const { name } = await fromSamples({ 'a.hl7': order.replace('ACME|CLINIC', 'FIRST|CLINIC') })
  const { yaml } = await fromSamples({ 'a.hl7': order }, '--like', name)
  expect(yaml).toMatch(/^ {2}when: \w+ == "ACME" && \w+ == "CLINIC"$/m)
})

test('what was wrong before is not said again, and no place is one that is gone afterwards', async () => {
  const path = join(cwd, 'pipelines/orders/pipeline.yaml')
  const text = readFileSync(path, 'utf8')
  cleanups.push(() => writeFileSync(path, text))
  writeFileSync(path, text.replace(/^ {2}PatientID: .*$/m, '  PatientID: PID-2'))
  const file = join(cwd, 'patient.hl7')
  writeFileSync(file, patient)
  cleanups.push(() => rmSync(join(cwd, 'pipelines/other'), { recursive: true }))
  const { code, stderr } = await runVerb(newPipeline, ['pipeline', 'other', '--from', file], { cwd })
  // E242 names the file of the orders.
  expect((await runVerb(check, [], { cwd })).stdout).toContain('E242')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test.each([
  ['a status pipeline', ['--like', 'status'], /status writes messages for a RIS.*extend: status/],
  ['a pipeline that there is not', ['--like', 'patient'], /Did you mean patients\?/],
  [
    'one of another kind',
    ['--like', 'patients'],
    /No sample holds a patient alone.*1 ORM\^O01 \(for those: --like orders\)/,
  ],
])('like %s: what to do is said, and nothing is written', async (_, args, said) => {
  const file = join(cwd, 'a.hl7')
  writeFileSync(file, order)
  const { code, stdout, stderr } = await runVerb(newPipeline, ['pipeline', 'never', '--from', file, ...args], { cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(said)
  expect(stderr).toContain('Nothing was written.')
  expect(readdirSync(join(cwd, 'pipelines'))).not.toContain('never')
})

test.each([
  ['nothing', Buffer.alloc(0), 'it is empty'],
  ['bytes', Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251)), 'no line begins with MSH'],
])('of %s no pipeline is made', async (_, bytes, reason) => {
  const file = join(cwd, 'odd.hl7')
  writeFileSync(file, bytes)
  const { code, stderr } = await runVerb(newPipeline, ['pipeline', 'odd', '--from', file], { cwd })
  expect(code).toBe(1)
  expect(stderr).toContain(reason)
})
