/** What docs/how-to/editor.md asks people to write. That editors understand it: test/config/editor.test.ts. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blocksOf, page, root } from './pages.ts'

const blocks = blocksOf(page('docs/how-to/editor.md'))
const textOf = (language: string): string => blocks.find((one) => one.language === language)?.text ?? ''

test('the first line that the page shows is the one of the shipped pipelines', () => {
  const shipped = readFileSync(join(root, 'pipelines/orders/pipeline.yaml'), 'utf8')
  expect(textOf('yaml').trim()).toMatch(/^# yaml-language-server: \$schema=\S+$/)
  expect(shipped.split('\n')[0]).toBe(textOf('yaml').trim())
})

test('the settings of the page name schemas and files that exist', () => {
  const { 'yaml.schemas': schemas } = JSON.parse(textOf('json')) as { 'yaml.schemas': Record<string, string> }
  expect(Object.keys(schemas)).toHaveLength(3)
  for (const [schema, files] of Object.entries(schemas)) {
    const file = files.replace('*', 'orders')
    expect([schema, file].filter((one) => !existsSync(join(root, one)))).toEqual([])
  }
})
