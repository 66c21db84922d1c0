import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { generatedFiles } from '../../src/cli/reference.ts'
import { siteSchema } from '../../src/config/schema.ts'
import { parseYaml } from '../../src/config/yaml.ts'

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
