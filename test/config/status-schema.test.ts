import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { generatedFiles } from '../../src/cli/reference.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { statusEvents } from '../../src/mapping/status-event.ts'

const schema = JSON.parse(generatedFiles()['config/pipeline.schema.json'] ?? '') as {
  definitions: Record<string, { properties?: Record<string, { properties?: Record<string, unknown> }> }>
}
const keywords = ['markdownEnumDescriptions']
const options = { allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true, keywords }
const isPipeline = new Ajv(options).compile(schema)
const shipped = readFileSync(resolve(import.meta.dirname, '../../pipelines/status-oru/pipeline.yaml'), 'utf8')

function isRight(text: string): boolean {
  return isPipeline(parseYaml(text, 'pipeline.yaml').located?.value)
}

test.each([
  ['a misspelt event', 'started:', 'startd:'],
  ['a message that is none', 'message: ORU^R01', 'message: ORU'],
  ['a version that HL7 never had', 'version: 2.5.1', 'version: 2.5.2'],
  ['a misspelt reference', 'study.startTime', 'study.starttime'],
  ['a misspelt word of a rule', '{ value: SC }', '{ valu: SC }'],
  ['a field without a number', 'ORC-5:', 'ORC:'],
  ['a misspelt setting', 'resultStatus: P', 'resultstatus: P'],
])('the JSON Schema of status pipelines refuses %s', (_, from, to) => {
  expect(isRight(shipped)).toBe(true)
  expect(shipped).toContain(from)
  expect(isRight(shipped.replace(from, to))).toBe(false)
})

test('an editor offers every event, and describes it', () => {
  const offered = schema.definitions['status']?.properties?.['on']?.properties ?? {}
  expect(Object.keys(offered)).toEqual([...statusEvents])
  expect(Object.values(offered).every((event) => (event as { description?: string }).description)).toBe(true)
})
