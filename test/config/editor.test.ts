/** What an editor shows of a site's files, asked of the language server that editors run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLanguageServer, type LanguageServer } from '../support/language-server.ts'

const root = resolve(import.meta.dirname, '../..')
let editor: LanguageServer

beforeAll(async () => {
  editor = await startLanguageServer({
    'worklane.yaml': resolve(root, 'config/worklane.schema.json'),
    'pipeline.yaml': resolve(root, 'config/pipeline.schema.json'),
    'pipeline.test.yaml': resolve(root, 'config/pipeline-test.schema.json'),
  })
})
afterAll(() => editor.stop())

const site = 'sources:\n  - name: ris\n    port: 2575\n'
const pipeline = 'pipeline: east\nfrom: ris\naccept:\n  messages: [ORM^O01]\nmap:\n'
const status = 'pipeline: told\nto: origin\nmap: { ORC-5: orderStatus }\non:\n'
const tests = 'pipeline: orders\nmessage: MSH\ntests:\n  - name: it\n'

test.each([
  ['the settings of a site', 'worklane.yaml', `${site}\n|>\n`, ['orthancs', 'completion', 'retention', 'timeZone']],
  ['the settings of a source', 'worklane.yaml', `${site}    |>`, ['ack', 'charset', 'authority']],
  ['the choices of a setting', 'worklane.yaml', `${site}    ack: |>`, ['checked', 'stored', 'applied']],
  ['keywords of DICOM in map', 'pipeline.yaml', `${pipeline}  Pat|>`, ['PatientName', 'PatientSex', 'AccessionNumber']],
  [
    'keywords of the step',
    'pipeline.yaml',
    `${pipeline}  ScheduledProcedureStepSequence:\n    |>`,
    ['Modality', 'ScheduledStationAETitle', 'ScheduledProcedureStepStartDate'],
  ],
  ['where a keyword may come from', 'pipeline.yaml', `${pipeline}  PatientName: |>`, ['PID-5']],
  ['the words of a rule', 'pipeline.yaml', `${pipeline}  PatientName:\n    |>`, ['from', 'table', 'when', 'tooLong']],
  [
    'the effects of an order control',
    'pipeline.yaml',
    `${pipeline}  PatientName: PID-5\norderControl:\n  NW: |>`,
    ['create'],
  ],
  ['the events of a status pipeline', 'pipeline.yaml', `${status}  |>`, ['started', 'completed', 'canceled']],
  ['the words of a test', 'pipeline.test.yaml', `${tests}    |>`, ['set', 'expect', 'event']],
])('completion offers %s', async (_, file, text, wanted) => {
  const offered = (await editor.completion(file, text)).map(({ label }) => label)
  expect(offered).toEqual(expect.arrayContaining(wanted))
})

test.each([
  ['a setting', 'worklane.yaml', `${site}retention:\n  message|>Days: 30\n`, 'Messages older than this are removed.'],
  ['its example', 'worklane.yaml', `${site}time|>Zone: UTC\n`, 'Europe/Berlin'],
  ['a choice', 'worklane.yaml', `${site}    a|>ck: stored\n`, 'AA when it is stored, whatever the judgement is'],
  ['a keyword', 'pipeline.yaml', `${pipeline}  Patient|>Name: PID-5\n`, '(0010,0010) PN, type 1'],
  ['a keyword with a rule', 'pipeline.yaml', `${pipeline}  PatientSe|>x: { from: PID-8 }\n`, '(0010,0040) CS'],
  [
    'a word of a rule',
    'pipeline.yaml',
    `${pipeline}  PatientSex: { from: PID-8, ta|>ble: sex }\n`,
    'Translates the code',
  ],
  ['an event', 'pipeline.yaml', `${status}  sta|>rted: { message: ORM^O01 }\n`, 'The first step of an order has begun'],
  [
    'a word of a test',
    'pipeline.test.yaml',
    `${tests}    s|>et: { ORC-1: CA }\n    expect: {}\n`,
    'null takes the field away',
  ],
])('hover says what %s is for', async (_, file, text, wanted) => {
  const shown = await editor.hover(file, text)
  // Of several branches of a schema, an editor would show the seams.
  expect(shown).not.toContain('||')
  expect(shown.replaceAll('\\', '')).toContain(wanted)
})

test.each([
  ['a misspelt setting', 'worklane.yaml', `${site}retenton: {}\n`, 4, 'retenton'],
  ['a word for a number', 'worklane.yaml', `${site}retention:\n  messageDays: many\n`, 5, ''],
  ['a misspelt word of a rule', 'pipeline.yaml', `${pipeline}  PatientName: { frm: PID-5 }\n`, 6, ''],
  ['a misspelt block', 'pipeline.yaml', `${pipeline}  PatientName: PID-5\nacept: {}\n`, 7, 'acept'],
  ['a misspelt word of a test', 'pipeline.test.yaml', `${tests}    sett: {}\n    expect: {}\n`, 5, 'sett'],
])('%s is underlined', async (_, file, text, line, word) => {
  const findings = await editor.findings(file, text)
  expect(findings).toContainEqual({ line, message: expect.stringContaining(word) as string })
})

const shipped = [
  'config/worklane.yaml',
  ...readdirSync(resolve(root, 'pipelines')).flatMap((name) => [
    `pipelines/${name}/pipeline.yaml`,
    `pipelines/${name}/pipeline.test.yaml`,
  ]),
]

test.each(shipped)('%s names its schema in its first line, and nothing of it is underlined', async (path) => {
  const text = readFileSync(resolve(root, path), 'utf8')
  const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? []
  expect(existsSync(resolve(root, path, '..', schema))).toBe(true)
  expect(schema).not.toBe('')
  expect(await editor.findings(resolve(root, path), text)).toEqual([])
})

test('the first line of a file is enough: a mistake is underlined without any setting of the editor', async () => {
  const text = '# yaml-language-server: $schema=../config/pipeline.schema.json\npipeline: x\nacept: {}\n'
  const findings = await editor.findings(resolve(root, 'pipelines/any-other-name.yaml'), text)
  expect(findings.map(({ message }) => message)).toContainEqual(expect.stringContaining('acept'))
})
