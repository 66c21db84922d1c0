import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { charsets } from '../../src/config/charsets.ts'
import { interpolate } from '../../src/config/interpolate.ts'
import { everySetting, fallbackText } from '../../src/config/reflect.ts'
import { readSettings } from '../../src/config/settings.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { charsetOf } from '../../src/hl7/index.ts'

const shipped = readFileSync(resolve(import.meta.dirname, '../../config/worklane.yaml'), 'utf8')

function read(text: string, env: Record<string, string> = {}) {
  const { located, problems } = parseYaml(text, 'worklane.yaml')
  if (located === undefined) throw new Error(JSON.stringify(problems))
  const filled = interpolate(located, env)
  const result = readSettings(filled, { cwd: '/srv/site' })
  return { ...result, problems: [...problems, ...filled.problems, ...result.problems] }
}

/** The shipped file with one thing changed, and where the change stands. */
function withMistake(from: string, to: string, mark: string) {
  expect(shipped).toContain(from)
  const text = shipped.replace(from, to)
  const at = shipped.indexOf(from) + to.indexOf(mark)
  const before = text.slice(0, at).split('\n')
  return { text, place: `${before.length}:${(before.at(-1)?.length ?? 0) + 1}` }
}

test('the shipped file is right as it is and gives the promised defaults', () => {
  const { checked, problems } = read(shipped)
  expect(problems).toEqual([])
  expect(checked).toMatchObject({
    dataDir: '/srv/site/.worklane',
    redisUrl: '',
    bind: '127.0.0.1',
    http: { port: 8575, token: '' },
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    sources: [{ name: 'ris-orders', port: 2575, bind: '127.0.0.1', ack: 'checked', authority: 'ris-orders' }],
    orthancs: [{ name: 'orthanc', url: 'http://127.0.0.1:8042', target: 'plugin', worklistDir: '' }],
    destinations: [{ name: 'ris', host: '127.0.0.1', port: 0 }],
    completion: { policy: 'quiet', quietSeconds: 1800, rules: [] },
    noShow: { days: 7, afterClockJumpHours: 12 },
    stop: { drainSeconds: 10 },
  })
  expect(checked?.sources[0]?.destination).toBe('ris')
  expect(checked?.orthancs[0]?.origins).toEqual(['DicomProtocol'])
  expect(checked?.destinations[0]?.status).toBe('status')
})

const mistakes: readonly [what: string, from: string, to: string, mark: string, code: string, cure: RegExp][] = [
  ['a misspelt block', 'retention:', 'retenton:', 'retenton', 'E258', /Did you mean retention\?/],
  ['a misspelt setting', 'quietSeconds: ${', 'quietSecond: ${', 'quietSecond', 'E258', /Did you mean quietSeconds/],
  ['a misspelt setting of a list entry', '    ack: checked', '    akc: checked', 'akc', 'E258', /Did you mean ack/],
  ['a word that is not a port', '${WORKLANE_MLLP_PORT:-2575}', 'mllp', 'mllp', 'E259', /settings\.md/],
  ['a port out of range', '${WORKLANE_HTTP_PORT:-8575}', '85750', '85750', 'E259', /settings\.md/],
  [
    'a number with its unit',
    'acknowledgmentSeconds: 30',
    'acknowledgmentSeconds: 30 s',
    '30 s',
    'E259',
    /number alone/,
  ],
  ['a number where text belongs', 'stationAeTitle: ""', 'stationAeTitle: 7', '7', 'E259', /quotes: "7"/],
  ['a policy that does not exist', '${WORKLANE_COMPLETION:-quiet}', 'silent', 'silent', 'E259', /settings\.md/],
  [
    'MPPS that somebody must bring',
    '${WORKLANE_COMPLETION:-quiet}',
    'mpps',
    'mpps',
    'E276',
    /performed-procedure-steps/,
  ],
  ['a destination that does not exist', 'destination: ""', 'destination: rsi', 'rsi', 'E266', /Did you mean ris/],
  [
    'a way in that Orthanc does not have',
    '[DicomProtocol]',
    '[Dicom, RestApi]',
    'Dicom,',
    'E259',
    /mean DicomProtocol/,
  ],
  ['no way in at all', '[DicomProtocol]', '[]', '[]', 'E259', /settings/],
  ['an empty list where something belongs', '[DicomProtocol]', '[]', '[]', 'E259', /settings\.md/],
  ['a word where a list belongs', '[DicomProtocol]', 'Plugins', 'Plugins', 'E259', /as a list: \[Plugins\]/],
  ['a rule for everything', 'rules: []', 'rules: [{ policy: ris }]', '{ pol', 'E274', /completion\.policy/],
  ['a rule without its policy', 'rules: []', 'rules: [{ modalities: [CT] }]', '{ mod', 'E260', /Add it/],
  ['a modality in small letters', 'rules: []', 'rules: [{ modalities: [ct], policy: ris }]', 'ct', 'E259', /mean CT/],
  [
    'a rule that is never asked',
    'rules: []',
    'rules: [{ modalities: [CT, MR], policy: ris }, { modalities: [MR], stations: [MR1], policy: quiet }]',
    '{ modalities: [MR]',
    'E275',
    /narrower rule first/,
  ],
  [
    'MPPS in a rule',
    'rules: []',
    'rules: [{ modalities: [CT], policy: mpps }]',
    'mpps',
    'E276',
    /performed-procedure-steps/,
  ],
  [
    'a quiet time of no length in a rule',
    'rules: []',
    'rules: [{ modalities: [CT], policy: quiet, quietSeconds: -1 }]',
    '-1',
    'E259',
    /settings/,
  ],
  ['days of less than none', 'days: 7', 'days: -7', '-7', 'E259', /settings/],
  ['an Orthanc that is called any', 'name: orthanc\n', 'name: any\n', 'any', 'E259', /settings/],
  ['a destination that is called nobody', 'name: ris\n', 'name: none\n', 'none', 'E259', /settings/],
  ['a target that is not built yet', '${WORKLANE_ORTHANC_TARGET:-plugin}', 'rest', 'rest', 'E265', /plugin, folder/],
  [
    'a target without its folder',
    '${WORKLANE_ORTHANC_TARGET:-plugin}\n    worklistDir: ${WORKLANE_WORKLIST_DIR:-}',
    'folder\n    worklistDir: ""',
    '""',
    'E267',
    /value/,
  ],
  [
    'an address without its protocol',
    '${WORKLANE_ORTHANC_URL:-http://127.0.0.1:8042}',
    '127.0.0.1:8042',
    '127',
    'E259',
    /mean http:\/\/127/,
  ],
  ['an IP address that is none', '${WORKLANE_BIND:-127.0.0.1}', '127.0.0.256', '127', 'E259', /settings/],
  ['two listeners on one port', '${WORKLANE_HTTP_PORT:-8575}', '2575', 'ris-orders', 'E263', /another port/],
  ['two endpoints of one name', 'name: ris\n', 'name: orthanc\n', 'orthanc', 'E264', /another name/],
  ['a list without its hyphen', '  - name: ris-orders', '    name: ris-orders', 'name', 'E259', /begins with "- "/],
  ['a port written with its host', '${WORKLANE_RIS_HOST:-127.0.0.1}', 'ris:2576', 'ris:', 'E259', /setting of its own/],
  ['a variable without braces', '${WORKLANE_MLLP_PORT:-2575}', '$PORT', '$PORT', 'E259', /\$\{PORT\}/],
  ...(
    [
      ['ISO-8859-1', /Did you mean 8859\/1\?/],
      ['8859-15', /Did you mean 8859\/15\?/],
      ['UTF-8', /Did you mean UNICODE UTF-8\?/],
      ['cp1252', /Did you mean WINDOWS-1252\?/],
      ['ISO IR78', /Did you mean ISO IR87\?/],
    ] as const
  ).map(([name, cure]): (typeof mistakes)[number] => {
    const said = `    charset: ${name}`
    return [`the charset ${name} of a destination`, '    charset: UNICODE UTF-8', said, name, 'E259', cure]
  }),
  ['a choice with a capital', '${WORKLANE_COMPLETION:-quiet}', 'Quiet', 'Quiet', 'E259', /Did you mean quiet/],
  ['a number with a comma', 'messageCount: 100000', 'messageCount: 100,000', '100,', 'E259', /digits alone: 100000/],
  [
    'an address with one slash',
    '${WORKLANE_ORTHANC_URL:-http://127.0.0.1:8042}',
    'http:/orthanc',
    'http',
    'E259',
    /mean http:\/\/orthanc/,
  ],
  ['a name with capitals and spaces', 'name: ris-orders', 'name: RIS Orders', 'RIS Orders', 'E259', /mean ris-orders/],
  ['a status that would come back as an order', '${WORKLANE_RIS_PORT:-}', '2575', '2575', 'E271', /RIS/],
  ['a time zone that does not exist', 'timeZone: ""', 'timeZone: Mars/Olympus', 'Mars', 'E259', /area and a city/],
  [
    'a time zone that is misspelt',
    'timeZone: ""',
    'timeZone: Europe/Berln',
    'Europe',
    'E259',
    /Did you mean Europe\/Berlin/,
  ],
  [
    'a zone of a source that is an offset',
    '    destination: ""',
    '    timeZone: CEST',
    'CEST',
    'E259',
    /half of the year/,
  ],
  ['a default modality that is none', 'modality: ""', 'modality: Ct scan', 'Ct', 'E259', /settings/],
  [
    'a misspelt default of a source',
    '    destination: ""',
    '    defaults: { modalty: CT }',
    'modalty',
    'E258',
    /Did you mean modality/,
  ],
  [
    'a default of a source that is no such word',
    '    destination: ""',
    '    defaults: { incomplete: hodl }',
    'hodl',
    'E259',
    /Did you mean hold/,
  ],
  [
    'a charset that does not exist',
    'defaultCharset: UNICODE UTF-8',
    'defaultCharset: latin',
    'latin',
    'E259',
    /settings/,
  ],
  [
    'an AE title that is too long',
    'stationAeTitle: ""',
    'stationAeTitle: CT0123456789ABCDEF',
    'CT',
    'E259',
    /to 16 characters/,
  ],
  ['waits that shrink', 'maxSeconds: 60', 'maxSeconds: 0.5', '0.5', 'E284', /firstSeconds smaller/],
  ['waits of an Orthanc that shrink', 'maxSeconds: 10', 'maxSeconds: 0.5', '0.5', 'E284', /worklane retries/],
  ['a wait that shrinks each time', 'factor: 2', 'factor: 0.5', '0.5', 'E259', /settings/],
  ['jitter that leaves no wait', 'jitter: 0.2', 'jitter: 1', '1', 'E259', /settings/],
  ['giving up, which there is not', 'openAfter: 5', 'giveUpAfter: 5', 'giveUpAfter', 'E258', /openAfter/],
  ['a fraction with a comma', 'jitter: 0.2', 'jitter: 0,2', '0,2', 'E259', /with a point: 0\.2/],
  ['seconds with their unit', 'maxSeconds: 60', 'maxSeconds: 60 s', '60 s', 'E259', /unit is part/],
  ['retention of nothing', 'messageDays: 14', 'messageDays: 0', '0', 'E259', /settings/],
  [
    'a block where a value belongs',
    'level: ${WORKLANE_LOG_LEVEL:-info}',
    'level: { debug: 1 }',
    '{',
    'E259',
    /settings/,
  ],
]

test.each(mistakes)('%s is found at its place, with a cure', (_, from, to, mark, code, cure) => {
  const { text, place } = withMistake(from, to, mark)
  const { problems } = read(text)
  const expected =
    code === 'E263' ? `${text.slice(0, text.indexOf('port: ${WORKLANE_MLLP')).split('\n').length}:11` : place
  expect(problems.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([`${expected} ${code}`])
  expect(problems[0]?.cure).toMatch(cure)
  expect(problems[0]?.message).not.toMatch(/\{\w+\}/)
})

test('a wait that never grows is told of, and does not stop the start', () => {
  const { problems, checked } = read(shipped.replace('factor: 2', 'factor: 1'))
  expect(problems.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['E285 warning'])
  expect(checked?.destinations[0]?.retry).toMatchObject({ factor: 1, firstSeconds: 1, maxSeconds: 60 })
})

test('what is missing is said at the block that lacks it', () => {
  const { problems } = read('sources:\n  - port: 2575\n')
  expect(problems.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
    '2:5 sources.1.name is missing; it must be a name of lower-case letters, digits and hyphens, at most 40.',
  ])
  expect(read('').problems[0]?.message).toBe('sources is missing; it must be a list with at least one source.')
  expect(read('sources: []').problems[0]?.code).toBe('E259')
  expect(read('- a').problems[0]?.message).toBe('This file must be a block of settings, not a list.')
})

test('several mistakes are all said, also those that only two settings together make', () => {
  const text = shipped
    .replace('retention:', 'retenton:')
    .replace('messageCount: 100000', 'messageCount: many')
    .replace('${WORKLANE_ORTHANC_TARGET:-plugin}', 'rest')
    .replace('quietSeconds: ${', 'quietSecond: ${')
    .replace('${WORKLANE_RIS_PORT:-}', '2575')
  expect(
    read(text)
      .problems.map(({ code }) => code)
      .sort(),
  ).toEqual(['E258', 'E258', 'E265', 'E271'])
})

test('a value from a variable is blamed on the variable, a default on the file', () => {
  const { problems } = read(shipped, { WORKLANE_HTTP_PORT: 'eighty' })
  expect(problems).toHaveLength(1)
  expect(problems[0]?.message).toContain('not "eighty"')
  expect(problems[0]?.cure).toContain('WORKLANE_HTTP_PORT')
  const inFile = read(shipped.replace('WORKLANE_HTTP_PORT:-8575', 'WORKLANE_HTTP_PORT:-eighty'))
  expect(inFile.problems[0]?.cure).not.toContain('WORKLANE_HTTP_PORT')
})

test('secrets are never shown', () => {
  const text = shipped.replace('${WORKLANE_REDIS_URL:-}', 'http://user:geheim@redis')
  const { problems } = read(text)
  expect(problems).toHaveLength(1)
  expect(JSON.stringify(problems)).not.toContain('geheim')
})

test('a block whose lines are comments has its defaults', () => {
  const { checked, problems } = read('retention:\n  # messageDays: 3\nsources:\n  - name: a\n    port: 1\n    bind:\n')
  expect(problems).toEqual([])
  expect(checked?.retention.messageDays).toBe(14)
  expect(checked?.sources[0]?.bind).toBe('127.0.0.1')
})

const twoToTell = 'destinations: [{ name: a }, { name: b }]\n'

test('with several destinations, each source says who is told; with none, nobody is', () => {
  const source = (destination: string) => `sources:\n  - { name: ris, port: 1${destination} }\n`
  const nobodyKnows = read(source('') + twoToTell).problems
  expect(nobodyKnows.map(({ line, column, code, cure }) => `${line}:${column} ${code} ${cure}`)).toEqual([
    '2:5 E273 Write "destination: NAME" into it, one of a, b; or none, if nobody is to be told.',
  ])
  const told = (text: string) => {
    const { checked, problems } = read(text)
    return [problems.length, checked?.sources[0]?.destination]
  }
  expect(told(source(', destination: b') + twoToTell)).toEqual([0, 'b'])
  expect(told(source(', destination: none') + twoToTell)).toEqual([0, 'none'])
  expect(told(source(''))).toEqual([0, 'none'])
})

test('a rule without a quiet time has that of the site', () => {
  const { checked, problems } = read(
    'sources: [{ name: a, port: 1 }]\ncompletion:\n  quietSeconds: 900\n  rules:\n' +
      '    - { modalities: [US], policy: quiet, quietSeconds: 60 }\n    - { stations: [CT01], policy: quiet }\n',
  )
  expect(problems).toEqual([])
  expect(checked?.completion.rules).toEqual([
    { modalities: ['US'], stations: [], policy: 'quiet', quietSeconds: 60 },
    { modalities: [], stations: ['CT01'], policy: 'quiet', quietSeconds: 900 },
  ])
})

test('ports of different addresses do not clash, and port 0 clashes with nothing', () => {
  const two = (a: string, b: string) => `sources:\n  - { name: a, ${a} }\n  - { name: b, ${b} }\n`
  expect(read(two('port: 1, bind: 10.0.0.1', 'port: 1, bind: 10.0.0.2')).problems).toEqual([])
  expect(read(two('port: 0', 'port: 0')).problems).toEqual([])
  expect(read(two('port: 1, bind: 0.0.0.0', 'port: 1, bind: 10.0.0.2')).problems[0]?.code).toBe('E263')
  expect(read(two('port: 1, bind: localhost', 'port: 1')).problems[0]?.code).toBe('E263')
})

test('paths are relative to where the engine is started', () => {
  const { checked } = read(shipped, {
    WORKLANE_DATA_DIR: 'data',
    WORKLANE_ORTHANC_TARGET: 'folder',
    WORKLANE_WORKLIST_DIR: '../worklists',
    WORKLANE_ORTHANC_URL: 'http://orthanc:8042/',
  })
  expect(checked?.dataDir).toBe(join('/srv/site', 'data'))
  expect(checked?.orthancs[0]).toMatchObject({ worklistDir: '/srv/worklists', url: 'http://orthanc:8042' })
})

test('every variable of a setting stands in the shipped file, with the default that is declared', () => {
  const wanted = everySetting().flatMap(({ declared }) =>
    declared.environment === undefined ? [] : [`\${${declared.environment}:-${fallbackText(declared)}}`],
  )
  expect(wanted.length).toBeGreaterThan(14)
  expect(wanted.filter((variable) => !shipped.includes(variable))).toEqual([])
})

test('every setting is described', () => {
  const silent = everySetting().filter(({ declared }) => !declared.description || !declared.expected)
  expect(silent).toEqual([])
})

test('every charset that can be chosen is one that messages are read in', () => {
  expect(charsets.filter((name) => charsetOf([name]) === undefined)).toEqual([])
})
