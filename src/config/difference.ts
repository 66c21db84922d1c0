import { basename } from 'node:path'
import type { ConfigurationChange, ConfigurationDetail } from '../core/configuration.ts'
import type { DocumentPath } from '../core/located.ts'
import type { PipelineFile } from './pipelines.ts'
import { declarationAt } from './reflect.ts'
import { isReloadable } from './reloadable.ts'
import type { Site } from './site.ts'

/** What is different in a site that is to take the place of another, for people: settings, then pipelines, then tables. */
export function differences(now: Site, next: Site): readonly ConfigurationChange[] {
  const changes = [...ofSettings(now, next), ...ofPipelines(now, next), ...ofTables(now, next)]
  return changes.length > 0 ? changes : ofFiles(now, next)
}

/** Another version that means the same: nobody should wonder why it is another one. */
function ofFiles({ texts: before }: Site, { texts: after }: Site): readonly ConfigurationChange[] {
  return union(Object.keys(before), Object.keys(after)).flatMap((name): readonly ConfigurationChange[] => {
    if (before[name] === after[name]) return []
    const kind = before[name] === undefined ? 'added' : after[name] === undefined ? 'removed' : 'changed'
    return [{ subject: `file ${name}`, kind, details: [{ what: layout }], sources: [], needsRestart: false }]
  })
}

const layout = 'comments, layout or the order of lines'

interface Leaf {
  readonly value: unknown
  readonly path: DocumentPath
}

function ofSettings(now: Site, next: Site): readonly ConfigurationChange[] {
  const [before, after] = [leavesOf(now.settings), leavesOf(next.settings)]
  const changes = new Map<string, ConfigurationChange>()
  for (const name of union(before.keys(), after.keys())) {
    const [old, found] = [before.get(name), after.get(name)]
    if (JSON.stringify(old?.value) === JSON.stringify(found?.value)) continue
    const endpoint = /^(?:sources|orthancs|destinations)\.[^.]+/.exec(name)?.[0]
    const isWhole = endpoint !== undefined && !has(endpoint, before) !== !has(endpoint, after)
    const kind = old === undefined ? 'added' : found === undefined ? 'removed' : 'changed'
    const subject = `setting ${isWhole ? endpoint : name}`
    if (changes.has(subject)) continue
    changes.set(subject, {
      subject,
      kind,
      details: isWhole ? entryDetails(next, found) : [{ ...placed(next, found), what: valuesText(old, found) }],
      sources: /^sources\.([^.]+)/.exec(name)?.slice(1) ?? [],
      needsRestart: isWhole || !isReloadable(name),
    })
  }
  return [...changes.values()]
}

/** Where an endpoint that is new stands; one that is gone stands nowhere. */
function entryDetails(next: Site, found: Leaf | undefined): readonly ConfigurationDetail[] {
  return found === undefined ? [] : [{ place: next.place(found.path.slice(0, 2)), what: 'it is new' }]
}

function has(endpoint: string, leaves: ReadonlyMap<string, Leaf>): boolean {
  return [...leaves.keys()].some((name) => name.startsWith(`${endpoint}.`))
}

function placed(site: Site, leaf: Leaf | undefined): Partial<ConfigurationDetail> {
  return leaf === undefined ? {} : { place: site.place(leaf.path) }
}

/** What is secret is not shown, neither as it was nor as it is. */
function valuesText(old: Leaf | undefined, found: Leaf | undefined): string {
  if (declarationAt((found ?? old)?.path ?? [])?.isSecret) return 'another one (it is secret)'
  return becomes(old?.value, found?.value)
}

/** All values of a tree by their path; entries of lists by their name, if they have one. */
function leavesOf(value: unknown): ReadonlyMap<string, Leaf> {
  const leaves = new Map<string, Leaf>()
  const visit = (part: unknown, name: string, path: DocumentPath): void => {
    const under = (key: string): string => (name === '' ? key : `${name}.${key}`)
    if (Array.isArray(part) && part.some((entry) => isBlock(entry))) {
      part.forEach((entry: unknown, at) => visit(entry, under(nameOf(entry) ?? String(at + 1)), [...path, at]))
    } else if (isBlock(part)) {
      for (const [key, entry] of Object.entries(part)) visit(entry, under(key), [...path, key])
    } else {
      leaves.set(name, { value: part, path })
    }
  }
  visit(value, '', [])
  return leaves
}

function ofPipelines(now: Site, next: Site): readonly ConfigurationChange[] {
  const [before, after] = [byName(now.pipelines), byName(next.pipelines)]
  return union(before.keys(), after.keys()).flatMap((name): readonly ConfigurationChange[] => {
    const [old, found] = [before.get(name), after.get(name)]
    const one = found ?? old
    if (one === undefined) return []
    const details = found === undefined ? [] : old === undefined ? newPipeline(found) : inPipeline(old, found)
    if (old !== undefined && found !== undefined && details.length === 0) return []
    const kind = old === undefined ? 'added' : found === undefined ? 'removed' : 'changed'
    const sources = one.kind === 'status' ? [] : union(old?.sources ?? [], found?.sources ?? [])
    return [{ subject: `pipeline ${name}`, kind, details, sources, needsRestart: false }]
  })
}

function newPipeline({ located }: PipelineFile): readonly ConfigurationDetail[] {
  return [{ place: located.place([]), what: 'it is new' }]
}

function inPipeline(old: PipelineFile, found: PipelineFile): readonly ConfigurationDetail[] {
  const [before, after] = [leavesOf(old.located.value), leavesOf(found.located.value)]
  const details = union(before.keys(), after.keys()).flatMap((name): readonly ConfigurationDetail[] => {
    const [was, is] = [before.get(name), after.get(name)]
    if (JSON.stringify(was?.value) === JSON.stringify(is?.value)) return []
    const place = is === undefined ? {} : { place: found.located.place(is.path) }
    return [{ ...place, what: `${name}: ${becomes(was?.value, is?.value)}` }]
  })
  if (details.length > 0 || old.text === found.text) return details
  return [{ place: found.located.place([]), what: layout }]
}

function ofTables(now: Site, next: Site): readonly ConfigurationChange[] {
  return union(Object.keys(now.tables), Object.keys(next.tables)).flatMap((name): readonly ConfigurationChange[] => {
    const [old, found] = [now.tables[name], next.tables[name]]
    if (old === found) return []
    const kind = old === undefined ? 'added' : found === undefined ? 'removed' : 'changed'
    const path = next.files.find((file) => basename(file) === name)
    const file = path === undefined ? name : next.shown(path)
    const whole = { place: { file, line: 1, column: 1 }, what: 'it is new' }
    const details = found === undefined ? [] : old === undefined ? [whole] : inTable(old, found, file)
    const using = [...now.pipelines, ...next.pipelines].filter(({ located }) => usesTable(located.value, name))
    const sources = using.filter(({ kind: one }) => one !== 'status').flatMap((one) => one.sources)
    return [{ subject: `table ${name}`, kind, details, sources: [...new Set(sources)], needsRestart: false }]
  })
}

/** By what the first cell says: the key of a row stands there in nearly every table. */
function inTable(old: string, found: string, file: string): readonly ConfigurationDetail[] {
  const [before, after] = [rowsOf(old), rowsOf(found)]
  const details = [...after].flatMap(([key, { text, line }]): readonly ConfigurationDetail[] => {
    const was = before.get(key)
    if (was?.text === text) return []
    const what = was === undefined ? `row ${key} is new: ${text}` : `row ${key}: ${becomes(was.text, text)}`
    return [{ place: { file, line, column: 1 }, what }]
  })
  const lost = [...before].filter(([key]) => !after.has(key))
  const gone = lost.map(([key, { line }]) => ({ what: `row ${key} is gone; it stood in line ${line} of ${file}` }))
  return [...details, ...gone]
}

function rowsOf(table: string): ReadonlyMap<string, { readonly text: string; readonly line: number }> {
  const rows = new Map<string, { text: string; line: number }>()
  for (const [at, text] of table.split(/\r?\n/).entries()) {
    if (text.trim() === '') continue
    const cell = /^[^,;\t]*/.exec(text)?.[0] ?? ''
    for (let key = cell, again = 2; ; key = `${cell} (${again})`, again += 1) {
      if (rows.has(key)) continue
      rows.set(key, { text, line: at + 1 })
      break
    }
  }
  return rows
}

function usesTable(pipeline: unknown, name: string): boolean {
  const tables = isBlock(pipeline) ? pipeline['tables'] : undefined
  return isBlock(tables) && Object.values(tables).some((table) => isBlock(table) && table['file'] === name)
}

function becomes(old: unknown, found: unknown): string {
  if (old === undefined) return `${shown(found)} is new`
  if (found === undefined) return `${shown(old)} is gone`
  return `${shown(old)} becomes ${shown(found)}`
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}

function byName(pipelines: readonly PipelineFile[]): ReadonlyMap<string, PipelineFile> {
  return new Map(pipelines.map((one) => [one.name, one]))
}

function union(a: Iterable<string>, b: Iterable<string>): readonly string[] {
  return [...new Set([...a, ...b])]
}

function nameOf(entry: unknown): string | undefined {
  const name: unknown = isBlock(entry) ? entry['name'] : undefined
  return typeof name === 'string' ? name : undefined
}

function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
