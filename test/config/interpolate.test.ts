import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { interpolate } from '../../src/config/interpolate.ts'
import { parseYaml } from '../../src/config/yaml.ts'

function filled(text: string, env: Record<string, string> = {}) {
  const { located } = parseYaml(text, 'site.yaml')
  if (located === undefined) throw new Error('not YAML')
  const { located: result, problems } = interpolate(located, env)
  return { value: result.value, problems: problems.map(({ line, column, code }) => `${line}:${column} ${code}`) }
}

const cases: readonly [text: string, env: Record<string, string>, value: unknown][] = [
  ['a: ${PORT:-2575}', {}, '2575'],
  ['a: ${PORT:-2575}', { PORT: '1' }, '1'],
  ['a: ${PORT:-2575}', { PORT: '' }, '2575'],
  ['a: ${PORT:-}', {}, ''],
  ['a: http://${HOST:-127.0.0.1}:${PORT}/x', { PORT: '80' }, 'http://127.0.0.1:80/x'],
  ['a: ${URL:-http://127.0.0.1:8042}', {}, 'http://127.0.0.1:8042'],
  ['a: "$${NAME}"', { NAME: 'x' }, '${NAME}'],
  ['a: ${A:-x}', { A: '${B}' }, '${B}'],
  ['a: $5 and {x}', {}, '$5 and {x}'],
]

test.each(cases)('%s with %o is %j', (text, env, value) => {
  expect(filled(text, env)).toEqual({ value: { a: value }, problems: [] })
})

test('a variable without a value to use instead must be set, and is missed where it stands', () => {
  expect(filled('a: 1\nb:\n  - x ${NAME}\n').problems).toEqual(['3:7 E261'])
  expect(filled('b: ${NAME}', { NAME: '' }).problems).toEqual(['1:4 E261'])
})

test.each(
  ['a: ${}', 'a: ${A-b}', 'a: ${A:b}', 'a: ${1A}', 'a: "${A', 'a: ${A B}'].map((text) => [
    text.includes('"') ? `${text}"` : text,
  ]),
)('%s is not how a variable is written', (text) => {
  expect(filled(text).problems).toEqual([text.includes('"') ? '1:5 E262' : '1:4 E262'])
})

test('a variable is one value: it adds no keys, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (content) => {
      expect(filled('a: ${X}\nb: 1', { X: content }).value).toEqual({ a: content, b: 1 })
    }),
  )
})

test('numbers, lists and keys are left as they are', () => {
  expect(filled('a: 5\nb: [1, two]\n"${K}": x').value).toEqual({ a: 5, b: [1, 'two'], '${K}': 'x' })
})
