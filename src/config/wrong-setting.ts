import type { z } from 'zod'
import type { Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import { suggest } from '../mapping/suggest.ts'
import { problem } from './problem.ts'
import { declarationAt, everySetting } from './reflect.ts'
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
        { advice: nearOrElsewhere(key, known, path) },
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
    from === undefined
      ? declared?.isSecret
        ? wrongSecret(given)
        : wrongKind(given, expected)
      : `The value comes from the environment variable ${from}.`
  return [problem(located.place(path), 'E259', { setting, expected, found }, { advice })]
}

/** A setting that is known, in another block: it was written too far left or right, or under the wrong heading. */
function nearOrElsewhere(key: string, known: readonly string[], path: DocumentPath): string | undefined {
  if (suggest(key, known) !== undefined) return suggestion(key, known)
  const here = path.map((part) => (typeof part === 'number' ? '[]' : part)).join('.')
  const blocks = everySetting()
    .filter(({ path: other }) => other.at(-1) === key && other.slice(0, -1).join('.') !== here)
    .map(({ path: other }) => other.slice(0, -1))
    .map((block) => (block.length === 0 ? 'the first column of the file' : blockName(block)))
  if (blocks.length > 0) return `It belongs into ${[...new Set(blocks)].join(', or ')}.`
  return suggestion(key, known)
}

/** `an entry of sources`, `retry of an entry of orthancs`. */
function blockName(block: readonly string[]): string {
  return block.reduce(
    (name, part) => (part === '[]' ? `an entry of ${name}` : name === '' ? part : `${part} of ${name}`),
    '',
  )
}

/** What was probably meant, where it can be told. */
function wrongKind(given: unknown, expected: string): string | undefined {
  if (expected.includes('list') && isBlock(given)) return 'Each entry of a list begins with "- ".'
  if (/^a list of (?!rules)/.test(expected) && typeof given === 'string') return `Write it as a list: [${given}].`
  if (typeof given === 'number' && /text|name|title/.test(expected)) return `Put it in quotes: "${given}".`
  if (typeof given !== 'string') return undefined
  const variable = /^(?:[$%](\w+)%?|\$\((\w+)\)|%\{(\w+)\})$/
    .exec(given)
    ?.slice(1)
    .find((name) => name !== undefined)
  if (variable !== undefined) return `A variable is written \${${variable}}.`
  if (/^a (whole|port) number/.test(expected)) {
    if (/^[0-9]+ *[a-z]+$/i.test(given)) return 'Write the number alone; its unit is part of the name of the setting.'
    if (/^[0-9][0-9OolI]*$/.test(given) && /[OolI]/.test(given))
      return `Did you mean ${given.replaceAll(/[Oo]/g, '0').replaceAll(/[lI]/g, '1')}? It has letters among its digits.`
    if (/^[0-9][0-9.,_' ]*$/.test(given)) return `Write the digits alone: ${given.replaceAll(/[^0-9]/g, '')}.`
  }
  if (expected.startsWith('a number')) {
    if (/^[0-9.]+ *[a-z%]+$/i.test(given)) return 'Write the number alone; its unit is part of the name of the setting.'
    if (/^[0-9]+,[0-9]+$/.test(given)) return `Write it with a point: ${given.replace(',', '.')}.`
  }
  if (expected.startsWith('an address that begins')) return wrongAddress(given, expected)
  if (expected.includes('host name') && /^\d+(,\d+){3}$/.test(given))
    return `Did you mean ${given.replaceAll(',', '.')}?`
  if (expected.includes('AE title') && given.length > 16) return `Shorten it to 16 characters; it has ${given.length}.`
  if (expected.startsWith('a name of lower-case')) {
    const name = given
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 40)
    return name === '' ? undefined : `Did you mean ${name}?`
  }
  if (expected.startsWith('a modality') && /^\s*[A-Za-z0-9]{2,4}\s*$/.test(given))
    return `Did you mean ${given.trim().toUpperCase()}?`
  if (expected.startsWith('a time zone')) return meantZone(given)
  if (expected.includes('host name') && /^[^:]+:[0-9]+$/.test(given)) return 'The port has a setting of its own.'
  const words = /^one of (.*)$/.exec(expected)?.[1]?.split(', ')
  const meant =
    words === undefined ? undefined : (meantCharset(given, words) ?? suggest(given, words) ?? begun(given, words))
  return meant === undefined ? undefined : `Did you mean ${meant}?`
}

/** `warning` is warn, and `DICOM` the one word that begins so. */
function begun(given: string, words: readonly string[]): string | undefined {
  const wanted = given.toLowerCase()
  const found = words.filter((word) => {
    const known = word.toLowerCase()
    return known.length > 2 && wanted.length > 2 && (known.startsWith(wanted) || wanted.startsWith(known))
  })
  return found.length === 1 ? found[0] : undefined
}

/** What is said of it shows nothing of it. */
function wrongSecret(given: unknown): string | undefined {
  if (typeof given !== 'string' || !/^rediss?:\/\//.test(given)) return undefined
  return 'Behind the host stands the number of the database: redis://HOST:6379/0.'
}

function wrongAddress(given: string, expected: string): string | undefined {
  const [first = 'http://'] = /\w+:\/\//.exec(expected) ?? []
  const port = /:(\d{5,})(\/|$)/.exec(given)?.[1]
  if (port !== undefined && Number(port) > 65_535) return `Ports go up to 65535, and ${port} is none.`
  const parts = URL.canParse(given) ? new URL(given) : undefined
  if (parts?.protocol.startsWith('http') && parts.username !== '')
    return `Did you mean ${parts.protocol}//${parts.host}? Name and password have settings of their own.`
  if (parts?.protocol.startsWith('http')) return `Did you mean ${parts.origin}? A page of it is not its address.`
  if (parts?.protocol.startsWith('redis'))
    return 'Behind the host stands the number of the database: redis://HOST:6379/0.'
  if (/^[\w.-]+(:\d+)?(\/|$)/.test(given)) return `Did you mean ${first}${given}?`
  const misspelt = /^(\w+):\/*(.+)$/.exec(given)
  return misspelt === null ? undefined : `Did you mean ${first}${misspelt[2] ?? ''}?`
}

/** Everybody else writes ISO-8859-1, Latin1, CP1252 and UTF-8. */
function meantCharset(given: string, words: readonly string[]): string | undefined {
  const name = given.toUpperCase()
  const part = /8859\D?(\d+)/.exec(name)?.[1] ?? (/^LATIN.?1$/.test(name) ? '1' : undefined)
  const page = /^(?:CP|WIN|WINDOWS|MS|ANSI)\W?(\d+)$/.exec(name)?.[1]
  const standard = /^UTF\W?8$/.test(name) ? 'UNICODE UTF-8' : undefined
  const japanese = /^(?:ISO.?2022.?JP|JIS)$/.test(name) ? 'ISO IR87' : undefined
  return [`8859/${part}`, `WINDOWS-${page}`, standard, japanese].find((each) => words.some((word) => word === each))
}

/** Zones are named by one large city of each, which need not be the nearest. */
function meantZone(given: string): string | undefined {
  const zones = Intl.supportedValuesOf('timeZone')
  const word = given.replaceAll(' ', '_')
  const place = zones.find((zone) => zone.toLowerCase().endsWith(`/${word.toLowerCase()}`))
  const slip = suggest(word, zones)
  // Munich is not Zurich: of places that are alike only by their letters none was meant.
  const isSlip = slip !== undefined && initials(slip) === initials(word)
  const near = place ?? (isSlip ? slip : undefined)
  if (near !== undefined) return `Did you mean ${near}?`
  const [region = ''] = given.split('/')
  const same = zones.filter((zone) => zone.startsWith(`${region}/`))
  if (same.length === 0)
    return 'A zone is an area and a city, as Europe/Berlin: CEST or UTC+2 would be wrong for half of the year.'
  const places = same.slice(0, 60).map((zone) => zone.slice(region.length + 1))
  return `Places there: ${places.join(', ')}.`
}

function initials(zone: string): string {
  return zone.toLowerCase().replaceAll(/([a-z])[^/_]*/g, '$1')
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
  // A name and a password in an address are nobody's who reads this.
  if (/\/\/[^/\s]*@/.test(value)) return `"${value.replace(/\/\/[^/\s]*@/, '//...@').slice(0, 60)}"`
  return value.length > 60 ? `"${value.slice(0, 60)}..."` : `"${value}"`
}
