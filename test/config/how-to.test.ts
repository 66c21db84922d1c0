import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { interpolate } from '../../src/config/interpolate.ts'
import { readSettings } from '../../src/config/settings.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { errors } from '../../src/core/errors/index.ts'

const folder = resolve(import.meta.dirname, '../../docs/how-to')
const pages = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))

/** Blocks of YAML that say whose they are in their first line. */
const examples = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/```yaml\n(# config\/worklane\.yaml\n[\s\S]*?)```/g)].map(
    (match) => [name, match[1] ?? ''] as const,
  ),
)

test('there are examples to check', () => {
  expect(examples.length).toBeGreaterThan(1)
})

test.each(examples)('an example of a site in %s is right', (_, text) => {
  const { located, problems } = parseYaml(text, 'worklane.yaml')
  const filled = located === undefined ? undefined : interpolate(located, {})
  const read = filled === undefined ? undefined : readSettings(filled, { cwd: '/' })
  expect([...problems, ...(filled?.problems ?? []), ...(read?.problems ?? [])]).toEqual([])
  expect(read?.checked).toBeDefined()
})

test('every error code on a page exists', () => {
  const codes = pages.flatMap(({ text }) => text.match(/\bE\d{3}\b/g) ?? [])
  expect(codes.length).toBeGreaterThan(0)
  expect(codes.filter((code) => !(code in errors))).toEqual([])
})
