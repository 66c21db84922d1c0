import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Environment } from '../../src/config/interpolate.ts'
import { loadSite } from '../../src/config/site.ts'
import { problemText } from '../../src/cli/output.ts'
import { procedures, sample } from '../mapping/sample.ts'
import { aSite, smallSite } from './a-site.ts'

/**
 * Mistakes that hospitals make with spreadsheets, editors and copied text. Each line: what it is, the file, what is
 * right and what stands in its place, and all that is said of it: place, code and the part of the cure that helps.
 */
const settings = 'config/worklane.yaml'
const csv = 'config/tables/procedures.csv'
const pipeline = 'pipelines/orders/pipeline.yaml'

const site: Readonly<Record<string, string>> = {
  [settings]: `${smallSite[settings] ?? ''}timeZone: Europe/Berlin\n`,
  [csv]: procedures,
  [pipeline]: sample,
}

const shippedStatus = readFileSync(resolve(import.meta.dirname, '../../pipelines/status/pipeline.yaml'), 'utf8')

type Mistake = readonly [what: string, file: string, from: string | RegExp, to: string, ...said: readonly RegExp[]]

const mistakes: readonly Mistake[] = [
  ['a spreadsheet that separates by semicolons is read', csv, /,/g, ';'],
  ['one that separates by tabs is read', csv, /,/g, '\t'],
  ['a byte order mark before it is no matter', csv, /^/, '\uFEFF'],
  ['a last row of empty cells is no row', csv, /$/, ',,,,,,,\n'],
  ['a cell too many: where it begins', csv, 'CT ROOM 1,', 'CT ROOM 1,,', /^csv:2:41 E221 .*9 cells.* quotation marks/],
  ['a cell too few', csv, 'CT01,CT ROOM 1', 'CT01', /^csv:2:1 E221 .*7 cells/],
  ['an empty file', csv, /[^]*/, '', /^csv:1:1 E221 .*it is empty/],
  ['no row at all', csv, /\n[^]*/, '\n', /^csv:1:1 E291 .*no rows/],
  ['two columns of one name', csv, 'modality,station_ae', 'modality,step', /^csv:1:20 E221 .*named "step"/],
  ['a row without its code', csv, 'CTABD,1,', ',1,', /^csv:2:1 E221 .*nothing in the column "code"/],
  ['a blank in quotes before a code', csv, 'CTABD,1', '" CTABD",1', /^csv:2:1 E292 .*Remove the blank/],
  ['a modality in words', csv, '1,CT,CT01', '1,Sonographie,CT01', /^csv:2:9 E290 .*Did you mean US/],
  ['the name of a variable for a modality', csv, '1,CT,CT01', '1,${CT,CT01', /^csv:2:9 E218 .*the name of a variable/],
  ['an AE title that is too long', csv, 'CT,CT01', 'CT,CT_ON_SECOND_FLOOR', /^csv:2:12 E218 .*at most 16/],
  ['an AE title with an umlaut', csv, 'CT,CT01', 'CT,RÖ01', /^csv:2:12 E218 .*ASCII/],
  [
    'a modality that DICOM does not have, in a table',
    pipeline,
    '  priority: { S',
    '  section: { Sonographie: UZ, Roentgen: X-RAY, otherwise: reject }\n  priority: { S',
    /^pipeline:19:3 E224/,
  ],
  ['a sex in words', pipeline, 'F: F, M', 'F: female, M', /^pipeline:18:13 E218 .*one of M, F, O/],
  ['a blank behind a code', pipeline, '{ F: F', '{ "F ": F', /^pipeline:18:10 E292/],
  [
    'a word that is none, misspelt',
    pipeline,
    'otherwise: "" }',
    'otherwise: ignore }',
    /18:45 E218/,
    /18:45 E289 .*reject/,
  ],
  ['a tab between spaces', pipeline, '  PatientID:', '  \tPatientID:', /^pipeline:34:3 E254 .*spaces/],
  [
    'a line a blank too far right',
    pipeline,
    '  PatientID:',
    '   PatientID:',
    /^pipeline:34:4 E250 .*deeper than the one/,
  ],
  ['a line a blank too far left', pipeline, '  PatientID:', ' PatientID:', /^pipeline:34:2 E250 .*as its neighbours/],
  ['a line that is not indented', pipeline, '  PatientID:', 'PatientID:', /^pipeline:35:3 E250 .*deeper than the one/],
  [
    'no blank behind the dash',
    settings,
    '- name: ris-orders',
    '-name: ris-orders',
    /^worklane:3:3 E250 .*behind the "-"/,
  ],
  [
    'a list that is not closed',
    pipeline,
    'ORC-3.1]\n  Pl',
    'ORC-3.1\n  Pl',
    /^pipeline:43:20 E250 .*"\[" .*not closed/,
  ],
  ['a brace that is not closed', pipeline, 'table: sex }', 'table: sex', /^pipeline:37:15 E250 .*"{" .*not closed/],
  ['a comma that is missing', pipeline, 'PID-8, table', 'PID-8 table', /^pipeline:37:\d+ E250 .*comma is missing/],
  [
    'a negation without quotes',
    pipeline,
    /when: f.*/,
    'when: !like(section, "LAB*")',
    /^pipeline:7:\d+ E250 .*! or & needs quotes/,
  ],
  ['a condition that begins with a text', pipeline, 'when: sex == "F"', 'when: "F" == sex', /41:29 E250 .*other kind/],
  ['a value in braces of another tool', pipeline, ': PID-5', ': {{PID-5}}', /^pipeline:33:17 E250 .*needs quotes/],
  ['a key twice', pipeline, 'map:\n', 'map:\n  PatientID: PID-2\n', /^pipeline:35:3 E251/],
  ['an anchor', pipeline, ': PID-5', ': &name PID-5', /^pipeline:33:16 E252/],
  ['a tag', pipeline, ': PID-5', ': !!str PID-5', /^pipeline:33:16 E253 .*tag !!str /],
  ['quotation marks of a word processor', pipeline, 'join: "-"', 'join: “-”', /^pipeline:66:39 E294 .*straight/],
  ['a blank of a web page', pipeline, 'PID-5\n', 'PID-5\u00A0\n', /^pipeline:33:21 E295 .*no-break/],
  ['a blank of a web page before a value', pipeline, ': PID-5', ':\u00A0PID-5', /^pipeline:33:15 E250 .*special blank/],
  ['a character of no width', pipeline, ': PID-5', ': \u200BPID-5', /^pipeline:33:16 E295 .*zero width/],
  ['one in a table', csv, 'CT01', 'CT\u200B01', /^csv:2:14 E295/],
  ['a null byte', settings, 'port: 2575', 'port: 2575\0', /^worklane:4:15 E295/],
  ['another version of YAML', pipeline, /^/, '%YAML 1.1\n---\n', /^pipeline:1:1 E250 .*remove it/],
  ['brackets without end', settings, /^/, 'a: '.padEnd(12_000, '{ a: '), /^worklane:\d+:\d+ E250 .*nested/],
  ['line ends of Windows are no matter', pipeline, /\n/g, '\r\n'],
  [
    'nor do they move what is wrong',
    pipeline,
    /PatientBirth(.*)\n/,
    'PatientBith$1\r\n',
    /^pipeline:36:3 E210 .*PatientBirthDate/,
  ],
  ['line ends of CR alone', pipeline, /\n/g, '\r', /^pipeline:1:1 E250 .*line ends/],
  ['an empty pipeline', pipeline, /[^]*/, '', /^pipeline:1:1 E293 .*comments and blank/],
  ['a pipeline that is a list', pipeline, /[^]*/, '- a\n', /^pipeline:1:1 E293 .*a list/],
  ['an empty file of settings', settings, /[^]*/, '', /^worklane:1:1 E260 .*sources is missing/],
  [
    'a variable in a pipeline',
    pipeline,
    ': ris-orders',
    ': ${SOURCE}',
    /^pipeline:2:7 E266 .*worklane.yaml alone.*: ris-orders/,
  ],
  ['letters for digits in a field', pipeline, 'OBR-18', 'OBR-l8', /^pipeline:43:25 E212 .*Did you mean OBR-18\?/],
  ['a digit for a letter in a segment', pipeline, 'OBR-18', '0BR-18', /^pipeline:43:21 E212 .*Did you mean OBR-18\?/],
  ['a dash of a word processor', pipeline, ': PID-5', ': PID–5', /^pipeline:33:16 E212 .*Did you mean PID-5\?/],
  ['a selector in other brackets', pipeline, '3(5=MR).1', '3[5=MR].1', /^pipeline:34:19 E212 .*mean PID-3\(5=MR\).1\?/],
  ['a selector behind the component', pipeline, '3(5=MR).1', '3.1(5=MR)', /34:21 E212 .*mean PID-3\(5=MR\).1\?/],
  ['a selector that compares twice', pipeline, '3(5=MR).1', '3(5==MR).1', /34:22 E212 .*mean PID-3\(5=MR\).1\?/],
  [
    'a list without brackets',
    pipeline,
    '[OBR-18, ORC-3.1]',
    'OBR-18, ORC-3.1',
    /43:26 E212 .*mean \[OBR-18, ORC-3.1\]\?/,
  ],
  [
    'fields that are added',
    pipeline,
    ': PID-5\n',
    ': PID-5.1 + PID-5.2\n',
    /33:23 E212 .*mean \{ join: " ", from: \[PID-5.1, /,
  ],
  [
    'a variable of another tool',
    settings,
    ':-}',
    ':2576}',
    /^worklane:10:11 E262 .*mean \$\{WORKLANE_RIS_PORT:-2576\}\?/,
  ],
  [
    'a variable of make',
    settings,
    '${WORKLANE_RIS_PORT:-}',
    '$(WORKLANE_RIS_PORT)',
    /10:11 E259 .*written \$\{WORKLANE_RIS_PORT\}/,
  ],
  ['a variable misspelt', settings, '_RIS_PORT:-}', '_RSI_PORT}', /^worklane:10:11 E261 .*mean WORKLANE_RIS_PORT\?/],
  ['a letter among digits', settings, 'port: 2575', 'port: 2O75', /^worklane:4:11 E259 .*mean 2075\?/],
  ['a setting at the wrong level', settings, /^/, 'ack: stored\n', /^worklane:1:1 E258 .*an entry of sources\./],
  [
    'an address without its protocol',
    settings,
    'http://',
    '',
    /^worklane:7:10 E259 .*mean http:\/\/127\.0\.0\.1:8042\?/,
  ],
  ['a protocol misspelt', settings, 'http://', 'htp:/', /^worklane:7:10 E259 .*mean http:\/\/127\.0\.0\.1:8042\?/],
  ['a port beyond all ports', settings, ':8042', ':80422', /^worklane:7:10 E259 .*up to 65535/],
  ['commas in an address', settings, 'bind: 127.0.0.1', 'bind: 127,0,0,1', /^worklane:1:7 E259 .*mean 127.0.0.1\?/],
  [
    'a name as people write it',
    settings,
    'name: ris-orders',
    'name: RIS_Orders',
    /^worklane:3:11 E259 .*mean ris-orders\?/,
  ],
  ['a zone misspelt', settings, 'Europe/Berlin', 'Europe/Berln', /^worklane:14:11 E259 .*mean Europe\/Berlin\?/],
  ['a zone by its city alone', settings, 'Europe/Berlin', 'Vienna', /^worklane:14:11 E259 .*mean Europe\/Vienna\?/],
  [
    'a city that names no zone',
    settings,
    'Europe/Berlin',
    'Europe/Munich',
    /^worklane:14:11 E259 .*Places there: .*Berlin/,
  ],
  ['a zone as an offset', settings, 'Europe/Berlin', 'GMT+1', /^worklane:14:11 E259 .*half of the year/],
  ['a message type that nobody sends', pipeline, 'ORM^O01', 'ORN^O01', /^pipeline:6:14 E296 .*Did you mean ORM\^O01/],
  ['one of the site itself', pipeline, 'ORM^O01', 'ZRM^O01'],
  [
    'the first line of a block, a blank too far left',
    pipeline,
    '    Modality:',
    '   Modality:',
    /^pipeline:55:4 E250 .*as its neighbours/,
  ],
  [
    'a variable of Windows',
    settings,
    'bind: 127.0.0.1',
    'bind: %BIND%',
    /^worklane:1:7 E250 .*written \$\{BIND\}, not/,
  ],
  [
    'a variable in small letters',
    settings,
    '${WORKLANE_RIS_PORT:-}',
    '${worklane_ris_port:-}',
    /^worklane:10:11 E270 \(warning\) .*Did you mean WORKLANE_RIS_PORT\?/,
  ],
  [
    'a name and a password in an address, which is not shown',
    settings,
    'http://127',
    'http://orthanc:geheim@127',
    /^worklane:7:10 E259 (?!.*geheim).*mean http:\/\/127\.0\.0\.1:8042\? .*settings of their own/,
  ],
  [
    'a database of Redis by its name',
    settings,
    'bind:',
    'redisUrl: redis://127.0.0.1/worklane\nbind:',
    /^worklane:1:11 E259 .*redis:\/\/HOST:6379\/0/,
  ],
  ['a level of another log', settings, 'bind:', 'log: { level: warning }\nbind:', /^worklane:1:15 E259 .*mean warn\?/],
  [
    'modalities of a rule that are no list are one mistake',
    settings,
    'bind:',
    'completion: { rules: [{ modalities: MG, policy: quiet }] }\nbind:',
    /^worklane:1:37 E259 .*Write it as a list: \[MG\]/,
  ],
  [
    'a modality of a rule in words',
    settings,
    'bind:',
    'completion: { rules: [{ modalities: [MAMMO], policy: quiet }] }\nbind:',
    /^worklane:1:38 E290 \(warning\) .*mean MG\?/,
  ],
  [
    'the form of status of a destination, misspelt, that has no port yet',
    settings,
    '    port: ${',
    '    status: status-orn\n    port: ${',
    /^worklane:10:13 E277 \(warning\)/,
  ],
  [
    'two sources in one text',
    pipeline,
    'from: ris-orders',
    'from: ris-orders, east',
    /2:7 E266 .*\[ris-orders, east\]/,
  ],
  [
    'a table of steps misspelt is one mistake',
    pipeline,
    'step: procedures(',
    'step: procedure(',
    /^pipeline:20:3 E224/,
    /^pipeline:29:\d+ E208 .*mean procedures\?/,
  ],
  [
    'a name that cannot be one is one mistake',
    pipeline,
    /sex: PID-8\n([^]*)sex == "F"/,
    'my-sex: PID-8\n$1section == "F"',
    /^pipeline:12:3 E231 .*mean mySex\?/,
  ],
  ['a constant modality in words', pipeline, '[step.modality, OBR-24]', '{ value: Ultraschall }', /55:24 E290 .*US/],
]

function saidOf(files: Readonly<Record<string, string | Uint8Array>>, env: Environment = {}): readonly string[] {
  const { cwd, remove } = aSite(files)
  try {
    return saidIn(cwd, env)
  } finally {
    remove()
  }
}

function saidIn(cwd: string, env: Environment = {}): readonly string[] {
  return loadSite({ env, cwd }).problems.map((problem) =>
    problemText(problem, { isTty: false, env: {} })
      .replaceAll(/\s+/g, ' ')
      .replace(/^\S*?(\w+)(?:\.yaml)?(?:\.csv)?:/, (_, name: string) => `${name === 'procedures' ? 'csv' : name}:`),
  )
}

test('the site without a mistake has no problem', () => {
  expect(saidOf(site)).toEqual([])
})

test.each(mistakes)('%s (%s)', (...mistake) => {
  const [, file, from, to, ...said] = mistake as unknown as Mistake
  const right = site[file] ?? ''
  const wrong = right.replace(from, () => to)
  expect(wrong === right && typeof from === 'string' ? `${from} is not there` : '').toBe('')
  expect(saidOf({ ...site, [file]: typeof from === 'string' ? wrong : right.replace(from, to) })).toEqual(
    said.map((each) => expect.stringMatching(each) as string),
  )
})

test('a tag in the map of an extension is told by its keyword', () => {
  const ours = 'pipeline: our-ris\nextend: orders\nmap: { (0008,0050): OBR-18 }\n'
  expect(saidOf({ ...site, 'pipelines/our-ris/pipeline.yaml': ours })).toEqual([
    expect.stringMatching(/^pipeline:3:8 E210 .*"\(0008,0050\)" .*Did you mean AccessionNumber\?/),
  ])
  const all = sample.replace(/\nmap:[^]*/, '\nmap: { (0008,0050): OBR-18 }\n')
  expect(saidOf({ ...site, [pipeline]: all }).filter((one) => one.includes('E210'))).toEqual([
    expect.stringMatching(/^pipeline:32:8 E210 .*AccessionNumber\?/),
  ])
})

test('`extends` for `extend` is one mistake, at its word', () => {
  const ours = 'pipeline: our-ris\nextends: orders\nlet: { facility: MSH-3 }\n'
  expect(saidOf({ ...site, 'pipelines/our-ris/pipeline.yaml': ours })).toEqual([
    expect.stringMatching(/^pipeline:2:1 E206 .*"extends" .*Did you mean extend\?/),
  ])
})

test('of two pipelines that ask the same the second is told, once, where it extends', () => {
  const asks = (name: string, what: string) =>
    `pipeline: ${name}\nextend: orders\naccept: { when: ${what} }\nlet: { room: PV1-3 }\n`
  const two = (second: string) => ({
    'pipelines/east/pipeline.yaml': asks('east', 'room == "E"'),
    'pipelines/west/pipeline.yaml': asks('west', second),
  })
  expect(saidOf({ ...site, ...two('room == "E"') }).filter((one) => one.includes('E248'))).toEqual([
    expect.stringMatching(/^pipeline:2:9 E248 \(warning\) The pipeline west never gets a ORM\^O01: east/),
  ])
  expect(saidOf({ ...site, ...two('room == "W"') }).filter((one) => one.includes('E248'))).toEqual([])
})

test('a row that no order finds by its modality is told at its cell', () => {
  const stations = 'modality,ae\nCT,CT01\nmr,MR01\nUltraschall,US01\nXYZ,X01\n'
  const own = sample
    .replace('  priority: { S', '  stations: { file: stations.csv, otherwise: next }\n  priority: { S')
    .replace('[step.modality, OBR-24]', 'section')
    .replace('step.station_ae', '[{ from: section, table: stations.ae }, step.station_ae]')
  expect(saidOf({ ...site, [pipeline]: own, 'config/tables/stations.csv': stations })).toEqual([
    expect.stringMatching(/^stations:3:1 E866 \(warning\) .*"mr".*Did you mean MR\?/),
    expect.stringMatching(/^stations:4:1 E866 \(warning\) .*"Ultraschall".*Did you mean US\?/),
  ])
})

test('a variable that is misspelt in the file, where the right one is set, is told', () => {
  const wrong = { [settings]: (site[settings] ?? '').replace('_RIS_PORT:-}', '_RSI_PORT:-2576}') }
  const env = { WORKLANE_RIS_PORT: '2577' }
  const status = { 'pipelines/status/pipeline.yaml': shippedStatus }
  expect(saidOf({ ...site, ...status, ...wrong }, env)).toEqual([
    expect.stringMatching(/^worklane:10:11 E270 \(warning\) .*Did you mean WORKLANE_RIS_PORT\?/),
  ])
  expect(saidOf({ ...site, ...status, ...wrong }, { ...env, WORKLANE_RSI_PORT: '2578' })).toEqual([])
})

test('two pipelines of one name: the second is told where the first is', () => {
  expect(saidOf({ ...site, 'pipelines/orders2/pipeline.yaml': sample })).toEqual([
    expect.stringMatching(/^pipeline:1:11 E264 .*pipelines\/orders\/pipeline.yaml has this one/),
  ])
})

test.each<readonly [what: string, file: string, bytes: Uint8Array, said: RegExp]>([
  [
    'a table as spreadsheets of Windows save it',
    csv,
    latin1(procedures.replace('CT ROOM', 'RÖNTGEN')),
    /^csv:2:18 E257 .*Windows-1252.*CSV UTF-8/,
  ],
  ['a table as "Unicode"', csv, Buffer.from(`\uFEFF${procedures}`, 'utf16le'), /^csv:1:1 E257 .*UTF-16/],
  [
    'a pipeline as "ANSI"',
    pipeline,
    latin1(sample.replace('pipeline: orders', 'pipeline: orders # für')),
    /^pipeline:1:21 E257 .*encoding/,
  ],
  ['settings that are no text at all', settings, Uint8Array.of(0, 1, 2, 255), /^worklane:1:1 E257/],
])('%s: it is said once, and where', (_, file, bytes, said) => {
  expect(saidOf({ ...site, [file]: bytes })).toEqual([expect.stringMatching(said)])
})

function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

test.each<readonly [what: string, file: string, put: (path: string) => void, said: RegExp]>([
  ['a folder in the place of a table', csv, (path) => mkdirSync(path), /^csv:1:1 E256 .*it is a folder/],
  ['a folder in the place of a pipeline', pipeline, (path) => mkdirSync(path), /^pipeline:1:1 E256 .*it is a folder/],
  ['a folder in the place of the settings', settings, (path) => mkdirSync(path), /^worklane:1:1 E256 .*it is a folder/],
  [
    'a table whose link leads in a circle',
    csv,
    (path) => symlinkSync('procedures.csv', path),
    /^csv:1:1 E256 .*circle/,
  ],
  [
    'a table whose link leads nowhere',
    csv,
    (path) => symlinkSync('/not/there', path),
    /^csv:1:1 E256 .*does not exist/,
  ],
  [
    'a pipeline whose link leads nowhere',
    pipeline,
    (path) => symlinkSync('/not/there', path),
    /^pipeline:1:1 E256 .*link/,
  ],
  ['a table without end', csv, (path) => truncateSync(writeEmpty(path), 70 * 1_048_576), /^csv:1:1 E256 .*70 MiB/],
])('%s', (_, file, put, said) => {
  const { cwd, remove } = aSite(site)
  try {
    rmSync(join(cwd, file))
    put(join(cwd, file))
    expect(saidIn(cwd)).toContainEqual(expect.stringMatching(said))
    expect(saidIn(cwd).filter((one) => / E2\d\d (?!\(warning)/.test(one))).toHaveLength(1)
  } finally {
    remove()
  }
})

function writeEmpty(path: string): string {
  writeFileSync(path, '')
  return path
}

test('a table that says a modality of DICOM where another is meant says so at the row', () => {
  const words = sample
    .replace('  priority: { S', '  section: { Sonographie: UZ, Roentgen: X-RAY, otherwise: reject }\n  priority: { S')
    .replace('[step.modality, OBR-24]', '{ from: OBR-24, table: section }')
  expect(saidOf({ ...site, [pipeline]: words })).toEqual([
    expect.stringMatching(/^pipeline:19:27 E290 .*"UZ" .*Did you mean US/),
    expect.stringMatching(/^pipeline:19:41 E218 .*capitals, digits/),
  ])
})
