import { readFileSync, truncateSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { map } from '../../src/cli/map.ts'
import { aSite, changed, smallSite } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function order(control: string, code = 'CTABD'): string {
  return [
    String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M-${control}|P|2.3.1`,
    'PID|1||4711^^^HOSP||Doe^Jane||19800214|F',
    `ORC|${control}|P1|F1`,
    `OBR|1|P1|F1|${code}^CT Abdomen||||||||||||||ACC1|RP1|SPS1||||||||||||||||20260302101500`,
    '',
  ].join('\r')
}

function inFrame(message: string): string {
  return `\v${message}\u001C\r`
}

async function mapped(
  files: Record<string, string | Uint8Array>,
  args: readonly string[] = ['orders', ...Object.keys(files)],
) {
  const { cwd, remove } = aSite(files)
  cleanups.push(remove)
  return runVerb(map, args, { cwd })
}

test('an order is shown as its items, each value with its origin and the line of its rule, and the acknowledgment', async () => {
  const { code, stdout, stderr } = await mapped({ 'm.hl7': order('NW') })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('m.hl7, message 1  ORM^O01 M-NW  AA  accepted by pipelines/orders/pipeline.yaml\n')
  expect(stdout).toContain('create  NW  accession ACC1, filler F1, placer P1  1 item\n')
  expect(stdout).toMatch(/PatientName +Doe\^Jane +PID-5 +pipeline\.yaml:12:3\n/)
  expect(stdout).toContain('item 1 of 1: step CT, station CT01\n')
  expect(stdout).toMatch(/Modality +CT +step\.modality, procedures\.csv:2 +pipeline\.yaml:21:5\n/)
  expect(stdout).toContain('  MSA|AA|M-NW\n')
})

test('an order that nobody has planned yet is shown with what it lacks', async () => {
  const { code, stdout } = await mapped({ 'm.hl7': order('NW').replace('20260302101500', '') })
  expect(code).toBe(0)
  expect(stdout).toContain('item 1 of 1: step CT, station CT01, held: no start\n')
})

test('a value that the site gives is told with the setting that gives it, at the rule that found nothing', async () => {
  const { cwd, remove } = aSite({
    'm.hl7': order('NW', 'CTABD'),
    'config/tables/procedures.csv': 'code,modality,station\nCTABD,CT,\n',
  })
  cleanups.push(remove)
  const { stdout } = await runVerb(map, ['orders', 'm.hl7'], { cwd })
  expect(stdout).toMatch(/ScheduledStationAETitle +CT01 +defaults\.stationAeTitle of the site +pipeline\.yaml:22:5\n/)
})

test('fields that the message does not have are named, and with --all explained', async () => {
  const short = order('NW').replace('|19800214|F', '')
  const brief = await mapped({ 'm.hl7': short })
  expect(brief.stdout).toContain('    without a value (--all says why): PatientBirthDate, PatientSex')
  const all = await mapped({ 'm.hl7': short }, ['orders', 'm.hl7', '--all'])
  expect(all.stdout).toMatch(/PatientSex +\(none\) +PID-8 is empty +pipeline\.yaml:15:3\n/)
  expect(all.stdout).not.toContain('without a value')
})

test('a refused order is shown with its faults and their cures, and makes the exit code 1', async () => {
  const { code, stdout } = await mapped({ 'm.hl7': order('NW', 'XYZZY') })
  expect(code).toBe(1)
  expect(stdout).toMatch(/M-NW {2}AE {2}refused\n {2}E3\d\d {2}.*XYZZY.* at OBR-4\.1/)
  expect(stdout).toContain('  MSA|AE|M-NW')
})

test('an order that a rule ignores names the rule', async () => {
  const { code, stdout } = await mapped({ 'm.hl7': order('ZZ') })
  expect(code).toBe(0)
  expect(stdout).toContain('AA  ignored by orders: orderControl.otherwise')
})

const forms: readonly [form: string, content: string][] = [
  ['one after the other', order('NW') + order('CA')],
  [
    'with Windows line ends and blank lines',
    `\r\n${order('NW').replaceAll('\r', '\r\n')}\r\n\r\n${order('CA').replaceAll('\r', '\r\n')}`,
  ],
  ['with Unix line ends', order('NW').replaceAll('\r', '\n') + order('CA').replaceAll('\r', '\n')],
  ['in MLLP frames', inFrame(order('NW')) + inFrame(order('CA'))],
  [
    'in MLLP frames with log lines between',
    `2026-10-16 received\n${inFrame(order('NW'))}\nand\n${inFrame(order('CA'))}`,
  ],
  ['the last frame cut off', inFrame(order('NW')) + inFrame(order('CA')).slice(0, -2)],
  ['after a byte order mark', `\uFEFF${order('NW')}${order('CA')}`],
]

test.each(forms)('several messages in one file are all shown: %s', async (_, content) => {
  const { code, stdout, stderr } = await mapped({ 'm.hl7': content })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect([...stdout.matchAll(/message \d {2}ORM\^O01 M-(NW|CA) {2}AA/g)].map((match) => match[1])).toEqual(['NW', 'CA'])
})

test('bytes reach the mapping as they are: a Latin-1 name in a Latin-1 message', async () => {
  const text = order('NW').replace('|P|2.3.1', '|P|2.3.1||||||8859/1').replace('Doe', 'M\u00fcller')
  const { stdout } = await mapped({ 'm.hl7': Buffer.from(text, 'latin1') })
  expect(stdout).toMatch(/PatientName +M\u00fcller\^Jane/)
})

test('MSH inside a message begins no message', async () => {
  const { stdout } = await mapped({ 'm.hl7': order('NW').replace('CT Abdomen', 'MSH|x').replace('MAIN', 'MSH') })
  expect(stdout.match(/, message \d/g)).toEqual([', message 1'])
})

const careless: readonly [
  what: string,
  files: Record<string, string | Uint8Array>,
  args: readonly string[],
  said: RegExp,
][] = [
  ['a file that does not exist', {}, ['orders', 'nothing.hl7'], /nothing\.hl7 {2}E256 .*does not exist/],
  ['a folder without a message', { 'x/a.hl7': 'x' }, ['orders', 'x'], /x\/a\.hl7 {2}no line begins with MSH/],
  ['a folder of pictures', { 'x/a.png': 'x' }, ['orders', 'x'], /x {2}no file in it has a line that begins with MSH/],
  ['a misspelt file alone', {}, ['nothing.hl7'], /E280 .*"nothing\.hl7"/],
  ['no pipeline that takes it', { 'a.hl7': order('NW').replace('ORM^O01', 'ADT^A01') }, ['a.hl7'], /ADT\^A01\n/],
  ['a message that cannot be read', { 'a.hl7': 'MSH|^' }, ['a.hl7'], /a\.hl7, message 1 /],
  ['another version that is not there', { 'a.hl7': order('NW') }, ['a.hl7', '--against', 'x'], /x does not exist/],
  ['one pipeline', { 'a.hl7': order('NW') }, ['a.hl7', '--against', 'pipelines/orders'], /is one pipeline/],
  ['a folder of settings', { 'a.hl7': order('NW') }, ['a.hl7', '--against', 'config'], /has the settings of a site/],
  ['an empty file', { 'a.hl7': '' }, ['orders', 'a.hl7'], /E281 .*it is empty/],
  ['a picture', { 'a.png': Buffer.from([0x89, 0x50, 0x4e, 0x47]) }, ['orders', 'a.png'], /E281 .*begins with MSH/],
  ['JSON', { 'a.json': '{"a": 1}' }, ['orders', 'a.json'], /E281 .*JSON/],
  ['XML', { 'a.xml': '<a/>' }, ['orders', 'a.xml'], /E281 .*XML/],
  ['UTF-16', { 'a.hl7': Buffer.from(`\uFEFF${order('NW')}`, 'utf16le') }, ['orders', 'a.hl7'], /E281 .*UTF-16/],
  ['a misspelt pipeline', { 'a.hl7': order('NW') }, ['ordres', 'a.hl7'], /E280 .*\n.*Did you mean orders/],
]

test.each(careless)('%s given is one clear sentence and exit code 1', async (_, files, args, said) => {
  const { code, stderr, stdout } = await mapped(files, args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(said)
})

test('a file that is larger than a text can be is one sentence', async () => {
  const { cwd, remove } = aSite({ 'huge.hl7': '' })
  cleanups.push(remove)
  // It takes no room on the disk.
  truncateSync(join(cwd, 'huge.hl7'), 600_000_000)
  const { code, stderr } = await runVerb(map, ['orders', 'huge.hl7'], { cwd })
  expect(code).toBe(1)
  expect(stderr).toMatch(/huge\.hl7 {2}E256 .*larger than 500 MB/)
})

test('a file that cannot be read does not keep the others from being shown', async () => {
  const { code, stdout, stderr } = await mapped({ 'm.hl7': order('NW') }, ['orders', 'nothing.hl7', 'm.hl7'])
  expect(code).toBe(1)
  expect(stderr).toContain('E256')
  expect(stdout).toContain('M-NW  AA')
})

test('a name of let that an extension says otherwise is told with its file and line', async () => {
  const base = smallSite['pipelines/orders/pipeline.yaml'] ?? ''
  const files = {
    'pipelines/orders/pipeline.yaml': `${base.replace('PatientSex: PID-8', 'PatientSex: sexCode')}let: { sexCode: PID-8 }\n`,
    'pipelines/east/pipeline.yaml': 'pipeline: east\nextend: orders\nlet: { sexCode: PID-9 }\n',
    'm.hl7': order('NW').replace('|F\r', '|F|M\r'),
  }
  const { stdout } = await mapped(files, ['east', 'm.hl7'])
  expect(stdout).toMatch(
    /PatientSex +M +PID-9, let sexCode \(pipelines\/east\/pipeline\.yaml:3\) +pipelines\/orders\/pipeline\.yaml:\d+:3\n/,
  )
  expect((await mapped(files, ['orders', 'm.hl7'])).stdout).toMatch(
    /PatientSex +F +PID-8, let sexCode \(pipeline\.yaml:\d+\)/,
  )
})

test('without a file it asks for one', async () => {
  for (const args of [[], ['orders']]) {
    const { code, stderr } = await mapped({}, args)
    expect(code).toBe(2)
    expect(stderr).toMatch(/^Which messages\? Name their files/)
  }
})

test('without a pipeline each message goes to the one that would take it, also of a folder', async () => {
  const patients = readFileSync(resolve(import.meta.dirname, '../../pipelines/patients/pipeline.yaml'))
  const files = {
    'pipelines/patients/pipeline.yaml': patients,
    'samples/a.hl7': order('NW'),
    'samples/b.hl7': order('NW').replace('ORM^O01', 'ADT^A08'),
    'samples/readme.txt': 'no message',
  }
  const { code, stdout, stderr } = await mapped(files, ['samples'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/a\.hl7, message 1 .* accepted by pipelines\/orders\/pipeline\.yaml\n/)
  expect(stdout).toMatch(/b\.hl7, message 1 .* accepted by pipelines\/patients\/pipeline\.yaml\n/)
  const several = await mapped(files, ['samples', '--diff'])
  expect(several).toMatchObject({ code: 2, stderr: expect.stringContaining('(orders, patients)') as string })
})

test('fields with a value that no rule reads are named at the end, and shown with --all', async () => {
  const text = order('NW').replace(/^PID.*$/m, (line) => `${line}|||||Hidden Street`)
  const files = { 'm.hl7': `${text}\rNTE|1||Hidden note` }
  const { stdout } = await mapped(files)
  expect(stdout).toMatch(/\n {2}no rule reads \(--all shows them\): .*\bPID-13\b.*\bNTE\b/)
  expect(stdout).not.toContain('Hidden')
  expect(stdout).not.toMatch(/no rule reads.*\bPID-(3|5|8)\b/)
  const all = await mapped(files, ['orders', 'm.hl7', '--all'])
  expect(all.stdout).toMatch(/no rule reads:\n(.*\n)* {4}PID-13 +Hidden Street\n(.*\n)* {4}NTE +1\|\|Hidden note\n/)
  const { stdout: program } = await mapped(files, ['orders', 'm.hl7', '--json'])
  const [dry] = JSON.parse(program) as { unread: { path: string }[] }[]
  expect(dry?.unread).toContainEqual({ path: 'PID-13', value: 'Hidden Street' })
})

test('a site with mistakes maps nothing and says why', async () => {
  const { code, stdout, stderr } = await mapped({ 'm.hl7': order('NW'), 'config/worklane.yaml': 'sources: []\n' }, [
    'orders',
    'm.hl7',
  ])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('config/worklane.yaml:1:10  E259')
})

test('--json gives the verdict, the origins and the acknowledgment to programs', async () => {
  const { stdout } = await mapped({ 'm.hl7': order('NW') }, ['orders', 'm.hl7', '--json'])
  const [dry] = JSON.parse(stdout) as Record<string, unknown>[]
  expect(dry).toMatchObject({
    file: 'm.hl7',
    message: 1,
    controlId: 'M-NW',
    pipeline: 'orders',
    acknowledgment: { code: 'AA' },
    verdict: { kind: 'accepted', groups: [{ effect: 'create', numbers: { accessionNumber: 'ACC1' } }] },
  })
})

test('of a pipeline with several sources the messages are those of the one that is named', async () => {
  const two = {
    ...changed('config/worklane.yaml', '    port: 2575\n', '    port: 2575\n  - name: east\n    port: 2576\n'),
    'pipelines/orders/pipeline.yaml': (smallSite['pipelines/orders/pipeline.yaml'] ?? '')
      .replace('from: ris-orders', 'from: [ris-orders, east]')
      .replace('  PatientSex: PID-8\n', '  PatientSex: PID-8\n  InstitutionName: source.name\n'),
  }
  const { cwd, remove } = aSite({ ...two, 'm.hl7': order('NW') })
  cleanups.push(remove)
  expect((await runVerb(map, ['orders', 'm.hl7'], { cwd })).stdout).toMatch(/InstitutionName +ris-orders/)
  expect((await runVerb(map, ['orders', 'm.hl7', '--source', 'east'], { cwd })).stdout).toMatch(/InstitutionName +east/)
  const wrong = await runVerb(map, ['orders', 'm.hl7', '--source', 'est'], { cwd })
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('Did you mean east') as string })
})

test('--sender shows what a message would be from that machine, and is an address', async () => {
  const { cwd, remove } = aSite({
    ...changed(
      'pipelines/orders/pipeline.yaml',
      '  PatientSex: PID-8\n',
      '  PatientSex: PID-8\n  InstitutionName: sender.address\n',
    ),
    'm.hl7': order('NW'),
  })
  cleanups.push(remove)
  const from = async (...args: string[]) => await runVerb(map, ['orders', 'm.hl7', ...args], { cwd })
  expect((await from('--sender', '::ffff:10.1.2.3')).stdout).toMatch(/InstitutionName +10\.1\.2\.3 +sender\.address/)
  expect((await from()).stdout).not.toMatch(/InstitutionName +10/)
  expect(await from('--sender', 'ct-room')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"ct-room" is no IP address') as string,
  })
})

test('of a message that the condition leaves out it says who is asked next, and what the sender hears', async () => {
  const east =
    'pipeline: east\nextend: orders\nlet: { facility: MSH-4 }\naccept: { when: facility == "EAST" }\nmap: { PatientSex: PID-9 }\n'
  const { cwd, remove } = aSite({
    'pipelines/east/pipeline.yaml': east,
    'm.hl7': order('NW'),
    'bad.hl7': order('NW').replace(/^OBR.*$/m, 'OBR|1|P1|F1|NOBODY^Knows'),
  })
  cleanups.push(remove)
  const good = await runVerb(map, ['east', 'm.hl7'], { cwd })
  expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('asks orders, which answers AA') as string })
  const bad = await runVerb(map, ['east', 'bad.hl7'], { cwd })
  expect(bad.stdout).toContain('AE  left out by east: accept.when; the engine asks orders, which answers AE\n')
  expect(bad.code).toBe(1)
  const json = JSON.parse((await runVerb(map, ['east', 'bad.hl7', '--json'], { cwd })).stdout) as unknown[]
  expect(json[0]).toMatchObject({ pipeline: 'east', taker: { pipeline: 'orders', code: 'AE' } })
  expect((await runVerb(map, ['orders', 'm.hl7'], { cwd })).stdout).not.toContain('asks')
})

test('--diff without an engine, or with --against, says so', async () => {
  const none = await mapped({ 'm.hl7': order('NW') }, ['orders', 'm.hl7', '--diff'])
  expect(none).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('token') as string })
  const both = await mapped({ 'm.hl7': order('NW') }, ['orders', 'm.hl7', '--diff', '--against', 'x'])
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--diff or --against') as string })
})
