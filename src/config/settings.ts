import { resolve } from 'node:path'
import type { z } from 'zod'
import type { Problem } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
import type { Settings } from '../core/settings.ts'
import { consistency } from './consistency.ts'
import { site, type DeclaredSite } from './declared.ts'
import type { Interpolated } from './interpolate.ts'
import { at, explain } from './wrong-setting.ts'

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
        policy: 'quiet',
      }
      const block = issue.path.slice(0, -1) as DocumentPath
      if (typeof key === 'number') leaveOut(copy, block, at(value, issue.path as DocumentPath))
      else replace(at(copy, block), key, key === undefined ? undefined : standIns[key])
    }
  }
  return copy
}

/** One of the words of a list. */
function leaveOut(copy: unknown, path: DocumentPath, wrong: unknown): void {
  const list = at(copy, path)
  if (!Array.isArray(list) || typeof wrong === 'object') return
  const rest = list.filter((word: unknown) => word !== wrong)
  // An empty list of a rule would mean all of them: another mistake, which nobody made.
  const none = path[0] === 'completion' ? ['UNNAMED'] : undefined
  replace(at(copy, path.slice(0, -1)), path.at(-1), rest.length === 0 ? none : rest)
}

function replace(block: unknown, key: PropertyKey | undefined, value: unknown): void {
  if (block === null || typeof block !== 'object' || key === undefined) return
  if (value !== undefined) Reflect.set(block, key, value)
  else if (!Array.isArray(block)) Reflect.deleteProperty(block, key)
}

function complete(declared: DeclaredSite, cwd: string): Settings {
  const { folders: _, ...rest } = declared
  const [only, ...others] = rest.destinations.map(({ name }) => name)
  // Which of several it is, only a person can know: that stays empty, and is refused.
  const usual = others.length > 0 ? '' : (only ?? 'none')
  return {
    ...rest,
    dataDir: resolve(cwd, rest.dataDir),
    timeZone: rest.timeZone === '' ? Intl.DateTimeFormat().resolvedOptions().timeZone : rest.timeZone,
    completion: {
      ...rest.completion,
      rules: rest.completion.rules.map((rule) => ({
        ...rule,
        quietSeconds: rule.quietSeconds === 0 ? rest.completion.quietSeconds : rule.quietSeconds,
      })),
    },
    sources: rest.sources.map((source) => ({
      ...source,
      bind: source.bind === '' ? rest.bind : source.bind,
      authority: source.authority === '' ? source.name : source.authority,
      destination: source.destination === '' ? usual : source.destination,
    })),
    orthancs: rest.orthancs.map((orthanc) => ({
      ...orthanc,
      url: orthanc.url.replace(/\/+$/, ''),
      worklistDir: orthanc.worklistDir === '' ? '' : resolve(cwd, orthanc.worklistDir),
    })),
  }
}
