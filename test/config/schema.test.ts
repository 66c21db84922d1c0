import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { generatedFiles } from '../../src/cli/reference.ts'
import { siteSchema } from '../../src/config/schema.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { smallSite } from './a-site.ts'

const root = resolve(import.meta.dirname, '../..')
/** Of editors: what each word of a choice means. */
const keywords = ['markdownEnumDescriptions']
const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(siteSchema())
const shipped = readFileSync(resolve(root, 'config/worklane.yaml'), 'utf8')

function isValid(text: string): boolean {
  return validate(parseYaml(text, 'worklane.yaml').located?.value)
}

test('the JSON Schema accepts the shipped file', () => {
  isValid(shipped)
  expect(validate.errors).toBeNull()
})

test.each([
  ['a misspelt setting', 'retention:', 'retenton:'],
  ['a word for a number', 'messageDays: 14', 'messageDays: many'],
  ['an unknown choice', 'ack: checked', 'ack: later'],
  ['a name with spaces', 'name: ris-orders', 'name: RIS Orders'],
])('the JSON Schema refuses %s', (_, from, to) => {
  expect(isValid(shipped.replace(from, to))).toBe(false)
})

const pipelines = new Ajv({
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  keywords,
}).compile(JSON.parse(generatedFiles()['config/pipeline.schema.json'] ?? '') as object)

function isPipeline(text: string): boolean {
  return pipelines(parseYaml(text, 'pipeline.yaml').located?.value)
}

const shippedPipelines = readdirSync(resolve(root, 'pipelines')).map((name) => `pipelines/${name}/pipeline.yaml`)

test.each(shippedPipelines)('the JSON Schema of pipelines accepts %s', (path) => {
  isPipeline(readFileSync(resolve(root, path), 'utf8'))
  expect(pipelines.errors).toBeNull()
})

const testFiles = new Ajv({
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  keywords,
}).compile(JSON.parse(generatedFiles()['config/pipeline-test.schema.json'] ?? '') as object)

function isTestFile(text: string): boolean {
  return testFiles(parseYaml(text, 'pipeline.test.yaml').located?.value)
}

test.each(shippedPipelines.map((path) => path.replace('.yaml', '.test.yaml')))(
  'the JSON Schema of pipeline tests accepts %s',
  (path) => {
    isTestFile(readFileSync(resolve(root, path), 'utf8'))
    expect(testFiles.errors).toBeNull()
  },
)

const aTest = `pipeline: orders
message: MSH
tests:
  - { name: it is held, set: { OBR-24: null }, expect: { lacks: [modality], effect: create } }
`

test.each([
  ['a misspelt word of a test', 'set:', 'sett:'],
  ['a misspelt word of what is expected', 'lacks:', 'lack:'],
  ['what is no HL7 path', 'OBR-24', 'Modality'],
  ['tests under another name', 'tests:', 'test:'],
])('the JSON Schema of pipeline tests refuses %s', (_, from, to) => {
  expect(isTestFile(aTest)).toBe(true)
  expect(isTestFile(aTest.replace(from, to))).toBe(false)
})

const pipeline = smallSite['pipelines/orders/pipeline.yaml'] ?? ''

test.each([
  ['a misspelt block', 'accept:', 'acept:'],
  ['an effect that does not exist', 'NW: create', 'NW: crate'],
  ['a misspelt word of a rule', 'otherwise: uid', 'otherwse: uid'],
  ['a constant that is not one', 'PatientSex: PID-8', 'PatientSex: 7'],
])('the JSON Schema of pipelines refuses %s', (_, from, to) => {
  expect(isPipeline(pipeline)).toBe(true)
  expect(isPipeline(pipeline.replace(from, to))).toBe(false)
})

const extension = `pipeline: east
extend: orders
from: [ris-east, ris-west]
accept: { when: facility == "EAST" }
let: { facility: MSH-4, visit: null }
tables: { sex: { X: O, F: null } }
orderControl: { CA: null }
triggerEvent: null
map:
  PatientComments: null
  PatientSex: PID-8
  ScheduledProcedureStepSequence:
    ScheduledStationAETitle: ZDS-3
    ScheduledProtocolCodeSequence: null
`

test('the JSON Schema of pipelines accepts one that extends another, with null for a line', () => {
  isPipeline(extension)
  expect(pipelines.errors).toBeNull()
  expect(isPipeline('pipeline: east\nextend: status\non: { started: null }\nmap: { ORC-1: null }\n')).toBe(true)
})

test.each([
  ['null in a pipeline that extends none', pipeline.replace('PatientSex: PID-8', 'PatientSex: null')],
  ['a misspelt block of an extension', extension.replace('accept:', 'acept:')],
  ['a misspelt word of a rule of an extension', extension.replace('PID-8', '{ from: PID-8, tabel: sex }')],
  ['an effect that does not exist in an extension', extension.replace('CA: null', 'CA: cancle')],
])('the JSON Schema of pipelines refuses %s', (_, text) => {
  expect(isPipeline(text)).toBe(false)
})

/** Each property that a schema names, by where it stands. */
function properties(schema: unknown): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const all: Record<string, Readonly<Record<string, unknown>>> = {}
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'examples') continue
      const at = `${path}/${name}`
      if (path.endsWith('/properties')) all[at] = inner as Readonly<Record<string, unknown>>
      visit(inner, at)
    }
  }
  visit(schema, '')
  return all
}

/** A block needs none: its settings have theirs. */
function isBlock({ type, items }: Readonly<Record<string, unknown>>): boolean {
  return type === 'object' || (type === 'array' && (items as { type?: unknown }).type === 'object')
}

test('an editor shows a description for every setting, and an example of its value', () => {
  const settings = Object.entries(properties(siteSchema()))
  expect(settings.length).toBeGreaterThan(60)
  expect(settings.filter(([, { description }]) => !description).map(([at]) => at)).toEqual([])
  const bare = settings.filter(([, setting]) => !isBlock(setting) && !Array.isArray(setting['examples']))
  expect(bare.map(([at]) => at)).toEqual([])
})

test('every example of a setting is one that the schema accepts', () => {
  const ajv = new Ajv({ strict: false })
  for (const [at, setting] of Object.entries(properties(siteSchema())))
    for (const example of (setting['examples'] as unknown[] | undefined) ?? [])
      expect({ at, example, valid: ajv.validate(setting, example) }).toEqual({ at, example, valid: true })
})

const ofPipelines = JSON.parse(generatedFiles()['config/pipeline.schema.json'] ?? '') as Record<string, unknown>

test('an editor shows a description for every word of a pipeline, and an example', () => {
  const words = Object.entries(properties(ofPipelines))
  expect(words.length).toBeGreaterThan(200)
  expect(words.filter(([, { description }]) => !description).map(([at]) => at)).toEqual([])
  // What a keyword may come from is for each site to say.
  const bare = words.filter(([at, { examples }]) => !/\/[A-Z]\w+$/.test(at) && !Array.isArray(examples))
  expect(bare.map(([at]) => at).filter((at) => !at.includes('Extension'))).toEqual([])
})

test.each(Object.entries(generatedFiles()))('%s is up to date (node src/cli/reference.ts)', (path, content) => {
  expect(readFileSync(resolve(root, path), 'utf8')).toBe(content)
})
