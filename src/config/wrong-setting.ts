import type { z } from 'zod'
import type { Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import { suggest } from '../mapping/suggest.ts'
import { problem } from './problem.ts'
import { declarationAt } from './reflect.ts'
import { suggestion } from './suggest.ts'

/** What is wrong with a setting, at its place: what it must be, what it is, and what was probably meant. */
export function explain(
  issue: z.core.$ZodIssue,
  value: unknown,
  located: Located,
  variable: (path: DocumentPath) => string | undefined,
): Problem[] {
  const path = issue.path.map((name) => (typeof name === 'symbol' ? String(name) : name))
  if (issue.code === 'unrecognized_keys') {
    const known = declarationAt(path)?.keys ?? []
    return issue.keys.map((key) =>
      problem(
        located.place([...path, key], 'key'),
        'E258',
        { key, where: path.length === 0 ? 'this file' : settingName(path, value) },
        { advice: suggestion(key, known) },
      ),
    )
  }
  const declared = declarationAt(path)
  const setting = path.length === 0 ? 'This file' : settingName(path, value)
  const expected = declared?.expected ?? 'a block of settings'
  const given = at(value, path)
  if (given === undefined) return [problem(located.place(path), 'E260', { setting, expected })]
  const from = variable(path)
  const found = declared?.isSecret ? 'the value given' : shown(given)
  const advice =
    from === undefined ? wrongKind(given, expected) : `The value comes from the environment variable ${from}.`
  return [problem(located.place(path), 'E259', { setting, expected, found }, { advice })]
}

/** What was probably meant, where it can be told. */
function wrongKind(given: unknown, expected: string): string | undefined {
  if (expected.includes('list') && isBlock(given)) return 'Each entry of a list begins with "- ".'
  if (/^a list of (?!rules)/.test(expected) && typeof given === 'string') return `Write it as a list: [${given}].`
  if (typeof given === 'number' && /text|name|title/.test(expected)) return `Put it in quotes: "${given}".`
  if (typeof given !== 'string') return undefined
  const variable = /^[$%](\w+)%?$/.exec(given)?.[1]
  if (variable !== undefined) return `A variable is written \${${variable}}.`
  if (/^a (whole|port) number/.test(expected)) {
    if (/^[0-9]+ *[a-z]+$/i.test(given)) return 'Write the number alone; its unit is part of the name of the setting.'
    if (/^[0-9][0-9.,_' ]*$/.test(given)) return `Write the digits alone: ${given.replaceAll(/[^0-9]/g, '')}.`
  }
  if (expected.startsWith('a number')) {
    if (/^[0-9.]+ *[a-z%]+$/i.test(given)) return 'Write the number alone; its unit is part of the name of the setting.'
    if (/^[0-9]+,[0-9]+$/.test(given)) return `Write it with a point: ${given.replace(',', '.')}.`
  }
  if (expected.includes('host name') && /^[^:]+:[0-9]+$/.test(given)) return 'The port has a setting of its own.'
  if (expected.startsWith('a time zone')) {
    const zone = suggest(given, Intl.supportedValuesOf('timeZone'))
    if (zone !== undefined) return `Did you mean ${zone}?`
    return 'A zone is an area and a city, as Europe/Berlin: CEST or UTC+2 would be wrong for half of the year.'
  }
  const words = /^one of (.*)$/.exec(expected)?.[1]?.split(', ')
  const meant = words === undefined ? undefined : suggest(given, words)
  return meant === undefined ? undefined : `Did you mean ${meant}?`
}

function isBlock(value: unknown): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** `sources.ris-orders.port`: entries of lists by their name. */
function settingName(path: DocumentPath, value: unknown): string {
  return path
    .map((part, index) => {
      if (typeof part === 'string') return part
      const name = at(value, [...path.slice(0, index + 1), 'name'])
      return typeof name === 'string' && name !== '' ? name : String(part + 1)
    })
    .join('.')
}

export function at(value: unknown, path: DocumentPath): unknown {
  let inner: unknown = value
  for (const name of path) {
    if (inner === null || typeof inner !== 'object') return undefined
    inner = (inner as Record<string | number, unknown>)[name]
  }
  return inner
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (value !== null && typeof value === 'object') return 'a block of settings'
  if (typeof value !== 'string') return String(value)
  if (value === '') return 'empty'
  return value.length > 60 ? `"${value.slice(0, 60)}..."` : `"${value}"`
}
