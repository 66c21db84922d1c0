import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseYaml } from '../../src/config/yaml.ts'

function found(text: string): string[] {
  return parseYaml(text, 'site.yaml').problems.map(({ line, column, code }) => `${line}:${column} ${code}`)
}

function characterAt(text: string, { line, column }: { line: number; column: number }): string {
  return text.split('\n')[line - 1]?.slice(column - 1, column) ?? ''
}

const mistakes: readonly [what: string, text: string, places: readonly string[]][] = [
  ['a key that stands twice', 'a: 1\nb: 2\na: 3\n', ['3:1 E251']],
  ['a tab as indentation', 'a:\n\tb: 1\n', ['2:1 E254']],
  ['an anchor and its alias', 'a: &x 1\nb: *x\n', ['1:4 E252', '2:4 E252']],
  ['a merge key', 'a:\n  <<: 1\n', ['2:3 E252']],
  ['a tag', 'a: !secret x\n', ['1:4 E253']],
  ['a tag of YAML itself', 'a: !!str 1\n', ['1:4 E253']],
  ['a second colon on the line', 'a: b: c\n', ['1:4 E250']],
  ['text that begins with a symbol of YAML', 'a: %x\nb: @y\n', ['1:4 E250', '2:4 E250']],
  ['a quote that is not closed, at the place where it opens', 'a: 1\nb: "x\nc: 2\nd: 3\n', ['2:4 E250']],
  ['a bracket that is not closed, at the place where it opens', 'a: [1, 2\nb: 3\n', ['1:4 E250']],
  ['a second document', 'a: 1\n---\nb: 2\n', ['2:1 E250']],
  ['a colon without a blank', 'a:\n  b: 1\n  c:2\n', ['3:3 E250']],
  ['a line indented less than its neighbours, once', 'a:\n  - b: 1\n    c: 2\n   d: 3\n    e: 4\nf: 5\n', ['4:4 E250']],
  [
    'a line indented more than its neighbours, not the comment above it',
    'a:\n  b: 1\n# said\n    c: 2\n  d: 3\n',
    ['4:5 E250'],
  ],
  ['a key without its colon, once', 'a: 1\nb\n  c: 2\n  d: 3\n', ['2:1 E250']],
  ['a blank that is none', 'a: 1\nb:\u00a02\n', ['2:3 E250']],
  ['wrong indentation, once for its line', ' a: 1\nb: 2\n', ['2:1 E250']],
  ['a list as a key', '? [a]\n: 1\n', ['1:3 E250']],
  [
    'codes that would become other numbers',
    'a: 007\nb: 1e3\nc: 1.10\nd: 12345678901234567890\n',
    ['1:4 E255', '2:4 E255', '3:4 E255', '4:4 E255'],
  ],
]

test.each(mistakes)('%s is found', (_, text, places) => {
  expect(found(text)).toEqual(places)
})

test('every problem has a sentence without holes and a cure', () => {
  for (const [, text] of mistakes) {
    for (const { message, cure } of parseYaml(text, 'f').problems) {
      expect(`${message} ${cure}`).not.toMatch(/\{\w+\}/)
      expect(cure).not.toBe('')
    }
  }
})

test('keys are words, however they look, and values keep their kind', () => {
  const { located, problems } = parseYaml('0012: x\ntrue: y\nnull: z\na: 12\nb: 1.5\nc: "12"\nd: no\ne:\n', 'f')
  expect(problems).toEqual([])
  expect(located?.value).toEqual({ '0012': 'x', true: 'y', null: 'z', a: 12, b: 1.5, c: '12', d: 'no', e: null })
})

test('a byte order mark and Windows line ends change no place', () => {
  const { located } = parseYaml('\uFEFFa: 1\r\nb:\r\n  c: x\r\n', 'f')
  expect(located?.value).toEqual({ a: 1, b: { c: 'x' } })
  expect(located?.place(['a'], 'key')).toEqual({ file: 'f', line: 1, column: 1 })
  expect(located?.place(['b', 'c'])).toEqual({ file: 'f', line: 3, column: 6 })
})

test('keys, values and entries of lists have their place', () => {
  const { located } = parseYaml('sources:\n  - name: a\n    port: 1\n  - { name: b, "port": 2 }\nempty:\n', 'f')
  const at = (...args: Parameters<NonNullable<typeof located>['place']>) => {
    const place = located?.place(...args)
    return `${place?.line}:${place?.column}`
  }
  expect(at(['sources', 0, 'port'])).toBe('3:11')
  expect(at(['sources', 0, 'port'], 'key')).toBe('3:5')
  expect(at(['sources', 1])).toBe('4:5')
  expect(at(['sources', 1, 'port'], 'key')).toBe('4:16')
  expect(at(['empty'])).toBe('5:1')
})

test('what is not there has the place of the nearest key that is', () => {
  const { located } = parseYaml('a:\n  b: 1\n', 'f')
  expect(located?.place(['a', 'missing'])).toEqual({ file: 'f', line: 1, column: 1 })
  expect(located?.place(['a', 'b', 'deeper', 3])).toEqual({ file: 'f', line: 2, column: 3 })
  expect(located?.place(['nothing'])).toEqual({ file: 'f', line: 1, column: 1 })
})

test('an empty file has a value and a place', () => {
  const { located, problems } = parseYaml('', 'f')
  expect(problems).toEqual([])
  expect(located?.value).toBeNull()
  expect(located?.place(['a'])).toEqual({ file: 'f', line: 1, column: 1 })
})

test('an offset into a scalar is the place of that character', () => {
  const text = `plain: sex == "F"
single: 'it''s here'
double: "a\\"b\\u00e9c\\x41d"
folded: one
  two three
quoted: 'one

  two'
literal: |
  first
  second
block: >-
  one
  two and

  three

    deeper

  four
`
  const { located } = parseYaml(text, 'f')
  const value = located?.value as Record<string, string>
  for (const [key, scalar] of Object.entries(value)) {
    for (const [offset, character] of Array.from(scalar, (one, at) => [at, one] as const)) {
      const place = located?.place([key], 'value', offset)
      // An escape stands where its backslash or first quote is; a fold where the line ends.
      if (place !== undefined && /[a-zA-Z=]/.test(character) && character !== 'A') {
        expect(`${key} ${offset} ${characterAt(text, place)}`).toBe(`${key} ${offset} ${character}`)
      }
    }
  }
})

test('an offset into any plain or quoted text of one line is exact', () => {
  const texts = fc.stringMatching(/^[a-z]([a-z =.<>()-]{0,20}[a-z])?$/)
  fc.assert(
    fc.property(texts, fc.constantFrom('', "'", '"'), fc.nat(), (scalar, quote, seed) => {
      fc.pre(!['true', 'false', 'null'].includes(scalar))
      const text = `key: ${quote}${scalar}${quote}\n`
      const offset = seed % scalar.length
      const place = parseYaml(text, 'f').located?.place(['key'], 'value', offset)
      expect(place && characterAt(text, place)).toBe(scalar[offset])
    }),
  )
})

test('whatever is given, reading ends in problems or a document, never in an exception', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom(
          'a',
          ':',
          ' ',
          '\n',
          '-',
          '"',
          "'",
          '{',
          '}',
          '[',
          ']',
          '&',
          '*',
          '!',
          '|',
          '\t',
          '#',
          '1',
          '?',
          ',',
        ),
      }),
      (text) => {
        const { located, problems } = parseYaml(text, 'f')
        expect(located !== undefined || problems.length > 0).toBe(true)
        located?.place(['a', 0, 'b'], 'value', 3)
      },
    ),
    { numRuns: 500 },
  )
})
