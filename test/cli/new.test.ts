import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { check } from '../../src/cli/check.ts'
import { map } from '../../src/cli/map.ts'
import { newPipeline } from '../../src/cli/new.ts'
import { test as testVerb } from '../../src/cli/test.ts'
import { aSite } from '../config/a-site.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const root = resolve(import.meta.dirname, '../..')
const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** The shipped site with its pipelines of orders alone, in a folder of its own, with these files in it. */
function site(files: Readonly<Record<string, string>> = {}): string {
  const folder = temporaryFolder()
  cleanups.push(() => folder.remove())
  shippedTo(folder.path, files)
  return folder.path
}

function shippedTo(path: string, files: Readonly<Record<string, string>>): void {
  for (const name of ['config', 'pipelines/orders', 'pipelines/appointments'])
    cpSync(join(root, name), join(path, name), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
}

/** A small site: enough where the shipped pipeline is not what it is about. */
function small(files: Parameters<typeof aSite>[0] = {}): string {
  const { cwd, remove } = aSite(files)
  cleanups.push(remove)
  return cwd
}

/** A RIS that says modality and station where the shipped pipeline does not look. */
const foreign = String.raw`MSH|^~\&|ACME|CLINIC|WL|RAD|20260105080000||ORM^O01|7781|P|2.3
PID|1||88412^^^ACMEMPI^MR||Kowalska^Zofia^B||19610722|F|||Lindenweg 4^^Altdorf^^90518||0911 5552||||||Z-77
PV1|1|O|AMB||||441^Brandt^Ulrike
ORC|NW|PL-5567|FI-9034||SC||^^^20260107094500^^S
OBR|1|PL-5567|FI-9034|SPINE^MR LWS bei Kowalska^ACME||||||||||||441^Brandt^Ulrike||AC-300871|RP-1|ST-1
NTE|1||Frau Kowalska hat Platzangst
ZDS|1.2.276.0.99.5567^^Application^DICOM|MR|MR01
`
const cancelled = foreign.replace('ORC|NW', 'ORC|CA').replace('|7781|', '|7782|')
const ownNames = [
  '88412',
  'Kowalska',
  'Zofia',
  '19610722',
  'Lindenweg',
  '90518',
  '5552',
  '441',
  'Brandt',
  'Ulrike',
  'Z-77',
]
const ownNumbers = ['PL-5567', 'FI-9034', 'AC-300871', 'RP-1', 'ST-1', '276', '20260107', 'Platzangst', '7781']

function written(cwd: string, name: string): string {
  const folder = join(cwd, 'pipelines', name)
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
}

const acme = temporaryFolder()
let made: Awaited<ReturnType<typeof runVerb>>
beforeAll(async () => {
  shippedTo(acme.path, { 'a.hl7': foreign, 'b.hl7': cancelled })
  made = await runVerb(newPipeline, ['pipeline', 'acme', '--from', 'a.hl7', 'b.hl7'], { cwd: acme.path })
})
afterAll(() => acme.remove())

test('the new pipeline is right, and its own test passes', async () => {
  const cwd = acme.path
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: '' })
  expect(readdirSync(join(cwd, 'pipelines/acme/messages')).sort()).toEqual(['orm-o01-ca.hl7', 'orm-o01-nw.hl7'])
  expect((await runVerb(check, [], { cwd })).stdout).toMatch(/^Nothing is wrong: 1 source, 3 pipelines/)
  const tested = await runVerb(testVerb, ['acme'], { cwd })
  expect(tested.stdout).toContain('passed  what somebody else sends is not taken')
  expect(tested.stdout).toMatch(/\n3 passed\n$/)
})

test('I9: nothing of the patients in the samples is in what is written', () => {
  const text = written(acme.path, 'acme') + made.stdout
  expect(text).toContain('PID|1||')
  expect([...ownNames, ...ownNumbers].filter((each) => text.includes(each))).toEqual([])
})

test('I9: of the shipped samples no value of PID but codes is written', async () => {
  const cwd = site()
  const samples = readdirSync(join(cwd, 'pipelines/orders/messages')).map((name) => `pipelines/orders/messages/${name}`)
  const { code } = await runVerb(newPipeline, ['pipeline', 'copy', '--from', ...samples], { cwd })
  expect(code).toBe(0)
  const text = written(cwd, 'copy')
  const values = samples
    .flatMap((file) => readFileSync(join(cwd, file), 'utf8').split(/[\r\n]+/))
    .filter((line) => line.startsWith('PID|'))
    .flatMap((line) => line.split(/[|^~&]/))
    .filter((value) => value.length > 4)
  expect(values.length).toBeGreaterThan(30)
  // Jane Doe's birth date is that of the made-up patient, too.
  const made = ['19800214']
  expect(values.filter((value) => text.includes(value) && !made.includes(value))).toEqual([])
})

test('it says what the samples fill, what they lack, what could be meant, and what nothing reads', () => {
  const cwd = acme.path
  expect(made.stdout).toContain('Not in the samples, though modalities need it: ScheduledStationAETitle, Modality.')
  const text = readFileSync(join(cwd, 'pipelines/acme/pipeline.yaml'), 'utf8')
  expect(text).toMatch(/^extend: orders$/m)
  expect(text).toMatch(/^ {2}when: sender == "ACME" && facility == "CLINIC"$/m)
  expect(text).toMatch(/^# {3}PatientName +PID-5: 1$/m)
  expect(text).toMatch(/^# {3}AccessionNumber +OBR-18: 1$/m)
  expect(text).toMatch(/^# {3}Modality: refused or held/m)
  expect(text).toContain('#     Modality: ZDS-2\n')
  expect(text).toContain('#     ScheduledStationAETitle: ZDS-3\n')
  expect(text).toMatch(/^# .*ZDS-2 \(2\), ZDS-3 \(2\)/m)
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length).toBeLessThan(30)
})

test('what it proposes works when the # is taken away', async () => {
  const cwd = site({ 'a.hl7': foreign })
  await runVerb(newPipeline, ['pipeline', 'acme', '--from', 'a.hl7'], { cwd })
  expect((await runVerb(map, ['acme', 'a.hl7'], { cwd })).code).toBe(1)
  const path = join(cwd, 'pipelines/acme/pipeline.yaml')
  const text = readFileSync(path, 'utf8').replace(/^# map:\n(?:# {2,}.*\n)+?(?=#\n)/m, (lines) =>
    lines.replaceAll(/^# /gm, ''),
  )
  expect(text).toContain('\nmap:\n')
  writeFileSync(path, text)
  const mapped = await runVerb(map, ['acme', 'a.hl7'], { cwd })
  expect(mapped.code).toBe(0)
  expect(mapped.stdout).toMatch(/^ +ScheduledStationAETitle +MR01 +ZDS-3 /m)
})

test('samples that the shipped pipeline takes already are said to be so', async () => {
  const cwd = site()
  const from = ['pipelines/orders/messages/nw-mr.hl7', 'pipelines/orders/messages/ca.hl7']
  const { code, stdout } = await runVerb(newPipeline, ['pipeline', 'main', '--from', ...from], { cwd })
  expect(code).toBe(0)
  expect(stdout).toContain('2 samples with orders; orders takes all of them as it is.\n')
  expect(stdout).toContain('If nothing in main is to be different, you do not need it')
  expect(readFileSync(join(cwd, 'pipelines/main/pipeline.yaml'), 'utf8')).toMatch(/^# orders takes all of them/m)
})

test('a type that the other pipeline does not take is added', async () => {
  const cwd = small({
    'a.hl7': foreign.replace('ORM^O01', 'ORM^O02'),
    'adt.hl7': foreign.replace('ORM^O01', 'ADT^A08').replaceAll(/^(ORC|OBR).*\n/gm, ''),
  })
  const { code, stdout } = await runVerb(newPipeline, ['pipeline', 'acme', '--from', 'a.hl7', '--from', 'adt.hl7'], {
    cwd,
  })
  expect(code).toBe(0)
  expect(stdout).toContain('orders takes 0 of them as it is. Left out, for they are of another kind: 1 ADT^A08.')
  expect(readFileSync(join(cwd, 'pipelines/acme/pipeline.yaml'), 'utf8')).toContain('  messages: [ORM^O01, ORM^O02]\n')
})

test('a pipeline of bookings can be made like the one of appointments', async () => {
  const cwd = site()
  const from = ['pipelines/appointments/messages/s12-booked.hl7', 'pipelines/appointments/messages/s15-cancelled.hl7']
  const { code, stderr } = await runVerb(
    newPipeline,
    ['pipeline', 'booked', '--like', 'appointments', '--from', ...from],
    { cwd },
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect((await runVerb(testVerb, ['booked'], { cwd })).code).toBe(0)
})

test('nothing is ever written over, and nothing is written when something is wrong', async () => {
  const adt = foreign.replaceAll(/^(ORC|OBR).*\n/gm, '')
  const cwd = small({ 'a.hl7': foreign, 'empty.hl7': 'hello\n', 'adt.hl7': adt })
  const run = (...args: string[]) => runVerb(newPipeline, ['pipeline', ...args], { cwd })
  expect((await run('orders', '--from', 'a.hl7')).stderr).toContain('There is a pipeline "orders" already')
  expect((await run('acme', '--from', 'none.hl7')).stderr).toMatch(/^E256/)
  expect((await run('acme', '--from', 'empty.hl7')).stderr).toMatch(/^E281/)
  expect((await run('acme', '--from', 'adt.hl7')).stderr).toContain('No sample holds an order')
  expect((await run('acme', '--from', 'a.hl7', '--like', 'ordres')).stderr).toContain('Did you mean orders?')
  for (const args of [['../up', '--from', 'a.hl7'], ['acme'], []]) expect((await run(...args)).code).toBe(2)
  expect(existsSync(join(cwd, 'pipelines/acme'))).toBe(false)
  expect(readdirSync(join(cwd, 'pipelines')).sort()).toEqual(['orders'])
})

test('whose messages it would take away is said', async () => {
  const cwd = small({ 'a.hl7': foreign.replace('|ACME|CLINIC|', '|||') })
  const { code, stderr } = await runVerb(newPipeline, ['pipeline', 'acme', '--from', 'a.hl7'], { cwd })
  expect(code).toBe(0)
  expect(stderr).toBe('It takes the place of orders, which gets nothing from now on.\n')
  const text = readFileSync(join(cwd, 'pipelines/acme/pipeline.yaml'), 'utf8')
  expect(text).not.toContain('when:')
  expect(text).toContain('No plain code in MSH-3 and MSH-4 says who sends')
})

test('samples may come from standard input, and programs get what was found', async () => {
  const cwd = small()
  const stdin = () => Buffer.from(foreign.replace('SPINE', 'CTABD'))
  const { code, stdout } = await runVerb(newPipeline, ['pipeline', 'acme', '--from', '-', '--json'], { cwd, stdin })
  expect(code).toBe(0)
  const answer = JSON.parse(stdout) as {
    files: string[]
    keys: { keyword: string; count: number; candidates: string[] }[]
  }
  expect(answer.files).toContain('pipelines/acme/pipeline.yaml')
  expect(answer.keys.find(({ keyword }) => keyword === 'AccessionNumber')).toMatchObject({
    count: 1,
    from: [['OBR-18', 1]],
  })
})
