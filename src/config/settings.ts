import { resolve } from 'node:path'
import type { z } from 'zod'
import type { Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import type { Settings } from '../core/settings.ts'
import { suggest } from '../mapping/suggest.ts'
import { consistency } from './consistency.ts'
import { site, type DeclaredSite } from './declared.ts'
import type { Interpolated } from './interpolate.ts'
import { problem } from './problem.ts'
import { declarationAt } from './reflect.ts'
import { suggestion } from './suggest.ts'

export interface ReadSettings {
  /** What can be checked further: of wrong settings their defaults. Only fit to start with when there is no problem. */
  readonly checked: Settings | undefined
  /** As written; relative to the file. */
  readonly folders: DeclaredSite['folders'] | undefined
  /** False when a name or a list of endpoints is wrong: then no pipeline can be blamed for not finding one. */
  readonly endpointsAreKnown: boolean
  readonly problems: readonly Problem[]
}

/** The settings of a file, or all that is wrong with them. Paths become absolute, what depends on the machine is filled in. */
export function readSettings({ located, variable }: Interpolated, { cwd }: { readonly cwd: string }): ReadSettings {
  const value = withoutEmpty(located.value) ?? {}
  const result = site.safeParse(value)
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => explain(issue, value, located, variable))
    const rest = site.safeParse(without(value, result.error.issues))
    if (!rest.success) return { checked: undefined, folders: undefined, endpointsAreKnown: false, problems }
    const checked = complete(rest.data, cwd)
    const endpointsAreKnown = !result.error.issues.some(({ path }) => path.length <= 1 || path.at(-1) === 'name')
    problems.push(...consistency(checked, located))
    return { checked, folders: rest.data.folders, endpointsAreKnown, problems }
  }
  const checked = complete(result.data, cwd)
  const problems = consistency(checked, located)
  return { checked, folders: result.data.folders, endpointsAreKnown: true, problems }
}

/** A key with nothing behind it counts as not written: a block whose lines are all comments has its defaults. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => withoutEmpty(entry))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null)
      .map(([name, entry]) => [name, withoutEmpty(entry)]),
  )
}

/** What is right beside what is wrong is checked too: everything is said at once. */
function without(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy = structuredClone(value)
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      const block = at(copy, issue.path as DocumentPath)
      for (const key of issue.keys) replace(block, key, undefined)
    } else {
      const key = issue.path.at(-1)
      const standIns: Partial<Record<PropertyKey, unknown>> = {
        name: `unnamed-${String(issue.path.at(-2))}`,
        port: 0,
        sources: [{ name: 'unnamed', port: 0 }],
      }
      replace(at(copy, issue.path.slice(0, -1) as DocumentPath), key, key === undefined ? undefined : standIns[key])
    }
  }
  return copy
}

function replace(block: unknown, key: PropertyKey | undefined, value: unknown): void {
  if (block === null || typeof block !== 'object' || key === undefined) return
  if (value !== undefined) Reflect.set(block, key, value)
  else if (!Array.isArray(block)) Reflect.deleteProperty(block, key)
}

function explain(
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
  if (typeof given === 'number' && /text|name|title/.test(expected)) return `Put it in quotes: "${given}".`
  if (typeof given !== 'string') return undefined
  const variable = /^[$%](\w+)%?$/.exec(given)?.[1]
  if (variable !== undefined) return `A variable is written \${${variable}}.`
  if (/^a (whole|port) number/.test(expected)) {
    if (/^[0-9]+ *[a-z]+$/i.test(given)) return 'Write the number alone; its unit is part of the name of the setting.'
    if (/^[0-9][0-9.,_' ]*$/.test(given)) return `Write the digits alone: ${given.replaceAll(/[^0-9]/g, '')}.`
  }
  if (expected.includes('host name') && /^[^:]+:[0-9]+$/.test(given)) return 'The port has a setting of its own.'
  const words = /^one of (.*)$/.exec(expected)?.[1]?.split(', ')
  const meant = words === undefined ? undefined : suggest(given, words)
  return meant === undefined ? undefined : `Did you mean "${meant}"?`
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

function at(value: unknown, path: DocumentPath): unknown {
  let inner: unknown = value
  for (const name of path) {
    if (inner === null || typeof inner !== 'object') return undefined
    inner = (inner as Record<string | number, unknown>)[name]
  }
  return inner
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value !== null && typeof value === 'object') return 'a block of settings'
  if (typeof value !== 'string') return String(value)
  if (value === '') return 'empty'
  return value.length > 60 ? `"${value.slice(0, 60)}..."` : `"${value}"`
}

function complete(declared: DeclaredSite, cwd: string): Settings {
  const { folders: _, ...rest } = declared
  return {
    ...rest,
    dataDir: resolve(cwd, rest.dataDir),
    timeZone: rest.timeZone === '' ? Intl.DateTimeFormat().resolvedOptions().timeZone : rest.timeZone,
    sources: rest.sources.map((source) => ({
      ...source,
      bind: source.bind === '' ? rest.bind : source.bind,
      authority: source.authority === '' ? source.name : source.authority,
    })),
    orthancs: rest.orthancs.map((orthanc) => ({
      ...orthanc,
      url: orthanc.url.replace(/\/+$/, ''),
      worklistDir: orthanc.worklistDir === '' ? '' : resolve(cwd, orthanc.worklistDir),
    })),
  }
}
