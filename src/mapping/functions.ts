/**
 * What expressions may do with a text, besides comparing it: each takes any text, gives one, and takes no
 * longer than the texts are. None fails: what is not there is `""`, for a message must not be refused by a
 * function that is asked for more than the field holds.
 */
import type { Environment } from '@marcbachmann/cel-js'
import { like } from './like.ts'

/** No text of a message becomes longer by being replaced piece by piece. */
const longest = 65_536

const texts = {
  'upper(string): string': (text: string) => text.toUpperCase(),
  'lower(string): string': (text: string) => text.toLowerCase(),
  /** The first characters: `left(room, 3)`. */
  'left(string, int): string': (text: string, count: bigint) => text.slice(0, Math.max(0, Number(count))),
  'right(string, int): string': (text: string, count: bigint) => (count <= 0n ? '' : text.slice(-Number(count))),
  /** What stands between two separators, counted from 1: `part(room, "-", 2)`. */
  'part(string, string, int): string': (text: string, separator: string, number: bigint) =>
    (separator === '' ? [text] : text.split(separator))[Number(number) - 1] ?? '',
  'replace(string, string, string): string': (text: string, found: string, by: string) =>
    (found === '' ? text : text.replaceAll(found, () => by)).slice(0, longest),
} as const

export function registerFunctions(environment: Environment): void {
  environment.registerFunction('like(string, string): bool', like)
  for (const [signature, does] of Object.entries(texts)) environment.registerFunction(signature, does)
}

/** Those that are written `name(text, ...)`. */
export const ownFunctions: readonly string[] = ['like', ...Object.keys(texts).map((one) => one.split('(')[0] ?? '')]

/** Those that are written `text.name(...)`, of CEL itself. */
const methods = ['startsWith', 'endsWith', 'contains', 'size']

/** What may be called. */
export const functions: readonly string[] = [...ownFunctions, ...methods]

/** As other languages call them. */
const meanings: Readonly<Record<string, string>> = {
  matches: 'like(name, "CT*")',
  match: 'like(name, "CT*")',
  regex: 'like(name, "CT*")',
  glob: 'like(name, "CT*")',
  test: 'like(name, "CT*")',
  has: 'name != ""',
  exists: 'name != ""',
  isempty: 'name == ""',
  equals: 'name == "text"',
  in: 'name in ["F", "M"]',
  includes: 'name.contains("text")',
  indexof: 'name.contains("text")',
  length: 'name.size()',
  len: 'name.size()',
  touppercase: 'upper(name)',
  upperascii: 'upper(name)',
  uppercase: 'upper(name)',
  ucase: 'upper(name)',
  tolowercase: 'lower(name)',
  lowerascii: 'lower(name)',
  lowercase: 'lower(name)',
  lcase: 'lower(name)',
  substring: 'left(name, 3), right(name, 3) or part(name, "-", 1)',
  substr: 'left(name, 3), right(name, 3) or part(name, "-", 1)',
  mid: 'left(name, 3), right(name, 3) or part(name, "-", 1)',
  slice: 'left(name, 3), right(name, 3) or part(name, "-", 1)',
  split: 'part(name, "-", 1)',
  replaceall: 'replace(name, "found", "by")',
  concat: 'name + "text"',
  trim: 'name: what a name holds has no blanks around it',
  strip: 'name: what a name holds has no blanks around it',
}

/** How what was meant is written here; undefined where nobody can tell. */
export function meantFunction(name: string, near: (word: string, known: readonly string[]) => string | undefined) {
  const word = name.toLowerCase()
  if (Object.hasOwn(meanings, word)) return meanings[word]
  const known = near(name, functions)
  return known === undefined ? undefined : written[known]
}

const written: Readonly<Record<string, string>> = {
  like: 'like(name, "CT*")',
  upper: 'upper(name)',
  lower: 'lower(name)',
  left: 'left(name, 3)',
  right: 'right(name, 3)',
  part: 'part(name, "-", 1)',
  replace: 'replace(name, "found", "by")',
  startsWith: 'name.startsWith("CT")',
  endsWith: 'name.endsWith("CT")',
  contains: 'name.contains("CT")',
  size: 'name.size()',
}
