import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { generatedFiles } from '../../src/cli/reference.ts'
import { siteSchema } from '../../src/config/schema.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { smallSite } from './a-site.ts'

const root = resolve(import.meta.dirname, '../..')
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

const pipelines = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(
  JSON.parse(generatedFiles()['config/pipeline.schema.json'] ?? '') as object,
)

function isPipeline(text: string): boolean {
  return pipelines(parseYaml(text, 'pipeline.yaml').located?.value)
}

const shippedPipelines = readdirSync(resolve(root, 'pipelines')).map((name) => `pipelines/${name}/pipeline.yaml`)

test.each(shippedPipelines)('the JSON Schema of pipelines accepts %s', (path) => {
  isPipeline(readFileSync(resolve(root, path), 'utf8'))
  expect(pipelines.errors).toBeNull()
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

test('an editor shows a description for every setting', () => {
  const missing: string[] = []
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return
    const { properties, items, description } = schema as { properties?: object; items?: unknown; description?: string }
    if (path !== '' && !description) missing.push(path)
    for (const [name, inner] of Object.entries(properties ?? {})) visit(inner, `${path}.${name}`)
    if (items !== undefined) visit(items, `${path}[]`)
  }
  visit(siteSchema(), '')
  expect(missing).toEqual([])
})

test.each(Object.entries(generatedFiles()))('%s is up to date (node src/cli/reference.ts)', (path, content) => {
  expect(readFileSync(resolve(root, path), 'utf8')).toBe(content)
})
